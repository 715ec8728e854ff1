//! Logs of the roles: to standard error, as text for people or as JSON Lines for collectors.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, Result, bail};
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::LogConfig;

/// Where what is noted in the code goes: to logs, to traces.
pub(super) type Sink = Box<dyn Layer<Registry> + Send + Sync>;

/// The logs of this process.
pub(super) fn sink(config: &LogConfig) -> Result<Sink> {
    let filter = EnvFilter::try_new(&config.level).context("log.level")?;
    Ok(match config.format.as_str() {
        "text" => {
            let text = tracing_subscriber::fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr);
            text.with_filter(filter).boxed()
        }
        "json" => json_subscriber::layer()
            .with_current_span(false)
            // What collectors search for stands on top, whichever span it is of.
            .flatten_span_list_on_top_level(true)
            .flatten_event(true)
            .with_writer(stderr)
            .with_filter(filter)
            .boxed(),
        other => bail!("log.format is `{other}`; expected text or json"),
    })
}
