//! Asks a server about itself.

use std::time::{SystemTime, UNIX_EPOCH};

use super::facts::Facts;
use super::link::Link;
use crate::ledger::{Finding, LedgerError, Severity};

/// What an operator should know about the server.
pub(super) async fn findings(link: &Link) -> Vec<Finding> {
    match facts(link).await {
        Ok(facts) => facts.findings(),
        Err(error) => vec![Finding::new(
            Severity::Error,
            error.to_string(),
            "see that the server runs, and that the user may run INFO, TIME and scripts",
        )],
    }
}

async fn facts(link: &Link) -> Result<Facts, LedgerError> {
    let info: String = link.ask(&redis::cmd("INFO")).await?;
    let clock_ms = clock_ms(link).await?;
    // A managed server may forbid to read its settings.
    let save: Option<(String, String)> = link.ask(redis::cmd("CONFIG").arg("GET").arg("save")).await.ok();
    Ok(Facts::new(&info, save.map(|(_, value)| value), clock_ms))
}

/// How far this machine's clock is from the server's; the way there and back is no difference.
async fn clock_ms(link: &Link) -> Result<u64, LedgerError> {
    let before_ms = wall_ms();
    let (seconds, micros): (u64, u64) = link.ask(&redis::cmd("TIME")).await?;
    let server_ms = seconds * 1_000 + micros / 1_000;
    Ok(before_ms.saturating_sub(server_ms).max(server_ms.saturating_sub(wall_ms())))
}

#[expect(clippy::disallowed_methods, reason = "the machine's clock is what is checked")]
fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
