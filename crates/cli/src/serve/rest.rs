//! The API's role: its keys, its socket, and the specs it is given.

use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use shardmill_api::{Api, Keys, Limits};
use shardmill_shared::process::Stop;
use shardmill_shared::store::Secret;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::doors::Doors;
use super::kinds;
use crate::config::Config;
use crate::kinds::Kinds;
use crate::say;

/// Where the first key goes when nobody looks.
const KEY_FILE: &str = "shardmill-admin.key";

/// Starts the API; answers where it listens.
pub(super) async fn start(all: &Config, doors: &Doors, stop: &Stop, roles: &mut JoinSet<()>) -> Result<String> {
    let config = &all.api;
    let keys = Arc::new(Keys::new(Arc::clone(&doors.store), Arc::clone(&doors.clock)));
    let given = config.first_admin_key.clone().map(Secret::new);
    if let Some(first) = keys.first_admin(given).await.context("api.first_admin_key")? {
        hand_over(&first)?;
    }
    let per_second = config.requests_per_minute.div_ceil(60).max(1);
    let api = Api {
        root: Arc::clone(&doors.store),
        location: doors.location.clone(),
        ledger: Arc::clone(&doors.ledger),
        budgets: Arc::clone(&doors.budgets),
        specs: Arc::new(Kinds { gateway: Some(Arc::new(all.gateway(Arc::clone(&doors.clock))?)), ..kinds(all) }),
        keys,
        clock: Arc::clone(&doors.clock),
        limits: Limits { requests_per_second: per_second, burst: config.requests_per_minute.max(1) },
        stop: stop.clone(),
        metrics: doors.metrics.clone(),
        webhooks: all.webhooks.iter().map(|(name, hook)| (name.clone(), hook.tenants.clone())).collect(),
    };
    let listener = TcpListener::bind(&config.listen)
        .await
        .with_context(|| format!("api.listen: cannot listen on {}", config.listen))?;
    let address = format!("http://{}", listener.local_addr()?);
    roles.spawn(async move {
        if let Err(error) = shardmill_api::serve(api, listener).await {
            tracing::error!("the API ended: {error}");
        }
    });
    Ok(address)
}

/// Gives the first key to whoever started this: on the terminal, else in a file that nobody else reads.
fn hand_over(key: &Secret) -> Result<()> {
    if std::io::stdout().is_terminal() {
        say::result(&format!("the first admin key, shown once: {}", key.reveal()));
        return Ok(());
    }
    let file = Path::new(KEY_FILE);
    // One that is left from another installation may be readable by others: a new file has our mode.
    let _ = std::fs::remove_file(file);
    let mut options = std::fs::File::options();
    let mut opened = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("cannot write the first admin key to {}", file.display()))?;
    opened.write_all(key.reveal().as_bytes())?;
    say::result(&format!("the first admin key is in {}", file.display()));
    Ok(())
}
