//! The ledger on Redis: what a cluster uses. Every change is one script, every key of a job bears the job's tag, and the time is
//! the server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Begin, LEASE_MS, LedgerError, WorkerId};
use crate::job::{JobId, Name, StageId};
use crate::process::Together;

mod scripts;
mod error;
mod link;
mod notices;
mod reply;
mod ledger;
mod budget;
mod limit;
mod facts;
mod check;

use ledger::{Beginning, Committed};
use link::{Call, Link};
use notices::Notices;
use scripts::Scripts;

const DAY_S: u64 = 24 * 60 * 60;

/// How a ledger uses its server.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// What every key and channel begins with: installations that share a server differ in it. No `{`, no `}`.
    pub prefix: String,
    /// After so many days of silence the server forgets a job.
    pub keep_days: u32,
    /// Certificates to trust instead of the machine's, as PEM. For `rediss`.
    pub ca_pem: Option<String>,
    /// Milliseconds added to the server's time. Tests let time pass with it.
    pub ahead_ms: Arc<AtomicU64>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { prefix: "shardmill".to_owned(), keep_days: 7, ca_pem: None, ahead_ms: Arc::default() }
    }
}

/// A ledger that all processes of a cluster share.
#[derive(Debug)]
pub struct RedisLedger {
    link: Link,
    scripts: Scripts,
    options: RedisOptions,
    notices: Notices,
    requests: Requests,
    beginnings: Together<Beginning, Result<Begin, LedgerError>>,
    commits: Together<Committed, Result<(), LedgerError>>,
}

impl RedisLedger {
    /// Connects to `url`: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] for a wrong URL, option, password or certificate, [`LedgerError::Transient`] for a server that does not answer.
    pub async fn connect(url: &str, options: RedisOptions) -> Result<Self, LedgerError> {
        if options.prefix.contains(['{', '}']) {
            let reason =
                format!("the prefix `{}` has a brace, which parts keys in a cluster; leave it out", options.prefix);
            return Err(LedgerError::Refused { reason });
        }
        let link = Link::new(url, options.ca_pem.as_deref())?;
        link.connection().await?;
        let notices = Notices::new(link.client().clone(), channel(&options.prefix));
        Ok(Self {
            link,
            scripts: Scripts::default(),
            options,
            notices,
            requests: Requests::default(),
            beginnings: Together::default(),
            commits: Together::default(),
        })
    }

    /// A script on a job, with what every one of them is given.
    fn on_job<'a>(&self, script: &'a redis::Script, job: &JobId) -> Call<'a> {
        let prefix = &self.options.prefix;
        Call::new(script, format!("{{{prefix}:{job}}}"))
            .arg(u64::from(self.options.keep_days) * DAY_S)
            .arg(self.ahead_ms())
            .arg(channel(prefix))
            .arg(job)
    }

    fn on_stage<'a>(&self, script: &'a redis::Script, job: &JobId, stage: &StageId) -> Call<'a> {
        self.on_job(script, job).arg(stage)
    }

    fn on_workers<'a>(&self, script: &'a redis::Script) -> Call<'a> {
        Call::new(script, format!("{{{}}}:workers", self.options.prefix))
    }

    fn on_lead<'a>(&self, script: &'a redis::Script, name: &str) -> Call<'a> {
        Call::new(script, format!("{{{}}}:lead:{name}", self.options.prefix))
    }

    /// A script on a tenant's money, with what every one of them is given.
    fn on_money<'a>(&self, script: &'a redis::Script, tenant: Option<&Name>) -> Call<'a> {
        let (prefix, tenant) = (&self.options.prefix, tenant.map_or("", Name::as_str));
        Call::new(script, format!("{{{prefix}:m:{tenant}}}"))
            .arg(u64::from(self.options.keep_days) * DAY_S)
            .arg(self.ahead_ms())
            .arg(LEASE_MS)
    }

    fn ahead_ms(&self) -> u64 {
        self.options.ahead_ms.load(Ordering::Relaxed)
    }
}

fn channel(prefix: &str) -> String {
    format!("{prefix}:changes")
}

/// Names requests, so that the server can tell a repeated one from a new one.
#[derive(Debug)]
struct Requests {
    process: u64,
    next: AtomicU64,
}

impl Default for Requests {
    fn default() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self { process: RandomState::new().hash_one(()), next: AtomicU64::new(0) }
    }
}

impl Requests {
    fn next(&self) -> String {
        format!("{:016x}-{}", self.process, self.next.fetch_add(1, Ordering::Relaxed))
    }
}
