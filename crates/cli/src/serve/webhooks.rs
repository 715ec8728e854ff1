//! The webhooks of the configuration, with their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use shardmill_scheduler::herald::{HttpCourier, SigningKey, Webhook, Webhooks};
use shardmill_shared::job::Name;

use crate::config::WebhookConfig;

/// Reads addresses and secrets.
///
/// # Errors
/// When one cannot be used; the message names the webhook, and no secret.
pub(super) fn open(configured: &BTreeMap<Name, WebhookConfig>) -> Result<Webhooks> {
    let courier = HttpCourier::new().map_err(|reason| anyhow::anyhow!("webhooks cannot be told: {reason}"))?;
    let mut known = BTreeMap::new();
    for (name, config) in configured {
        known.insert(name.clone(), webhook(config).with_context(|| format!("webhooks.{name}"))?);
    }
    Ok(Webhooks { known, courier: Arc::new(courier) })
}

fn webhook(config: &WebhookConfig) -> Result<Webhook> {
    let Ok(url) = config.url.parse::<Url>() else { bail!("url is no URL; expected https://host/path") };
    ensure!(matches!(url.scheme(), "https" | "http"), "url begins with {}:; expected https://host/path", url.scheme());
    ensure!(url.username().is_empty() && url.password().is_none(), "url has a user in it; messages are signed instead");
    ensure!(!config.tenants.is_empty(), "tenants is empty, so nobody may use it; expected tenants = [\"default\"]");
    let secret = match (&config.secret_env, &config.secret_file) {
        (Some(variable), None) => read_variable(variable)?,
        (None, Some(file)) => std::fs::read_to_string(file).with_context(|| format!("secret_file: {file}"))?,
        _ => bail!("it needs one secret; expected secret_env = \"VARIABLE\" or secret_file = \"PATH\""),
    };
    let tenants = config.tenants.iter().cloned().collect();
    Ok(Webhook { url, key: SigningKey::new(&secret)?, tenants })
}

#[expect(clippy::disallowed_methods, reason = "the configuration names the variable")]
fn read_variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("secret_env: the variable {name} is not set"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is() {
        let file = tempfile::NamedTempFile::new().expect("makes");
        std::fs::write(file.path(), SECRET).expect("writes");
        let secret_file = Some(file.path().display().to_string());
        let default = || Name::new("default").expect("allowed");
        let right = WebhookConfig {
            url: "https://example.com/hook".to_owned(),
            secret_env: None,
            secret_file,
            tenants: vec![default()],
        };
        assert!(webhook(&right).is_ok());
        for (wrong, expected) in [
            (WebhookConfig { url: "example.com".to_owned(), ..right.clone() }, "expected https://host/path"),
            (WebhookConfig { url: "file:///etc".to_owned(), ..right.clone() }, "url begins with file:"),
            (WebhookConfig { url: "https://a:b@c/".to_owned(), ..right.clone() }, "url has a user in it"),
            (WebhookConfig { tenants: Vec::new(), ..right.clone() }, "expected tenants = "),
            (WebhookConfig { secret_file: None, ..right.clone() }, "it needs one secret"),
            (WebhookConfig { secret_file: Some("/does/not/exist".to_owned()), ..right.clone() }, "secret_file"),
        ] {
            let error = format!("{:#}", webhook(&wrong).expect_err("is refused"));
            assert!(error.contains(expected) && !error.contains(SECRET) && !error.contains("a:b"), "{error}");
        }
        std::fs::write(file.path(), "hunter2").expect("writes");
        let error = format!("{:#}", webhook(&right).expect_err("is refused"));
        assert!(error.contains("expected `whsec_`") && !error.contains("hunter2"), "{error}");
    }
}
