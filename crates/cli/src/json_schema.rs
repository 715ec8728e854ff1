//! `shardmill json-schema`: what a spec may say, for editors.

use std::process::ExitCode;

use shardmill_engine::describe;

use crate::{exit, input, say};

/// Prints the schema.
pub(crate) fn json_schema() -> anyhow::Result<ExitCode> {
    let schema = describe::json_schema(&input::KNOWN);
    say::result(&serde_json::to_string_pretty(&schema)?);
    Ok(exit::OK)
}
