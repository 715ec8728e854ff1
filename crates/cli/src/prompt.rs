//! `shardmill prompt`: with which words models are asked.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use shardmill_llm::prompts::Prompt;

use crate::config::Config;
use crate::{exit, say, table};

#[derive(Debug, clap::Args)]
pub(crate) struct PromptArgs {
    #[command(subcommand)]
    command: PromptCommand,
    /// The configuration; the default is ./shardmill.toml, if it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum PromptCommand {
    /// The prompts, their slots, and whether prompts.folder replaces them
    List,
    /// The text of a prompt, to be copied into prompts.folder and changed
    Show {
        /// The prompt
        name: String,
    },
}

/// Does something with prompts.
pub(crate) fn prompt(args: &PromptArgs) -> Result<ExitCode> {
    let prompts = Config::load(args.config.as_deref())?.prompts()?;
    match &args.command {
        PromptCommand::List if args.json => {
            say::result(&Value::from_iter(prompts.iter().map(as_value)).to_string());
        }
        PromptCommand::List => {
            let rows = prompts.iter().map(|prompt| {
                let whose = if prompt.is_own { "your folder" } else { "shipped" };
                let template = &prompt.template;
                [template.name().to_owned(), template.slots().join(", "), whose.to_owned(), prompt.about.clone()]
            });
            say::result(&table::render(&["prompt", "slots", "from", "what for"], rows));
        }
        PromptCommand::Show { name } => match prompts.get(name) {
            Ok(prompt) if args.json => say::result(&as_value(prompt).to_string()),
            Ok(prompt) => say::result(prompt.template.text().trim_end()),
            Err(error) => {
                say::error(&format!("error: {error}"));
                return Ok(exit::bad_spec());
            }
        },
    }
    Ok(exit::OK)
}

fn as_value(prompt: &Prompt) -> Value {
    let Prompt { template, about, is_own } = prompt;
    json!({"name": template.name(), "about": about, "slots": template.slots(), "own": is_own, "text": template.text()})
}
