//! `shardmill mock-provider`: a model provider that costs nothing, for rehearsals.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;
use shardmill_mock::{Bill, Faults, Limits, LongPrompts, MockProvider, Models, Options, Spread};

use crate::serve::signals::Orders;
use crate::{exit, say};

#[derive(Debug, clap::Args)]
pub(crate) struct MockProviderArgs {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What answers and faults are drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// From a request to its answer: 50ms, 20ms..80ms or lognormal(50ms,0.4)
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = Spread::of_milliseconds)]
    latency: Spread,
    /// How long a free text is, in tokens: 80, 20..120 or lognormal(60,0.5)
    #[arg(long, value_name = "COUNT", default_value = "20..120", value_parser = Spread::of_counts)]
    output_tokens: Spread,
    /// Requests that a model lets pass in a minute
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u64>,
    /// Tokens of prompts, as Anthropic counts them
    #[arg(long, value_name = "N")]
    input_tokens_per_minute: Option<u64>,
    /// Tokens of answers, as Anthropic counts them
    #[arg(long, value_name = "N")]
    output_tokens_per_minute: Option<u64>,
    /// Tokens, as OpenAI, Azure and Bedrock reserve them
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u64>,
    /// Calls at a time, of which no answer tells
    #[arg(long, value_name = "N")]
    concurrency: Option<u64>,
    /// What goes wrong, by share of the calls: timeout:1%,reset:0.5%
    #[arg(long, value_name = "FAULTS", default_value = "", hide_default_value = true, value_parser = Faults::read)]
    faults: Faults,
    /// A JSON list of models with their prices, instead of mock-1, mock-mini and mock-embed
    #[arg(long, value_name = "FILE")]
    models: Option<PathBuf>,
    /// What free texts are, in place of words without sense: one file after the other, and the last from then on
    #[arg(long, value_name = "FILE,…", value_delimiter = ',')]
    answer_file: Vec<PathBuf>,
    /// Cache long prompts that do not ask for it, as OpenAI does
    #[arg(long)]
    cache_long_prompts: bool,
    /// Print JSON: one line with the address, and the bill at the end
    #[arg(long)]
    json: bool,
}

/// Serves until a signal ends it, then shows the bill.
pub(crate) fn mock_provider(args: &MockProviderArgs) -> Result<ExitCode> {
    let options = match options(args) {
        Ok(options) => options,
        Err(error) => {
            say::error(&format!("error: {error:#}"));
            return Ok(exit::bad_spec());
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(options, args))
}

async fn serve(options: Options, args: &MockProviderArgs) -> Result<ExitCode> {
    let orders = Orders::listen()?;
    let provider = MockProvider::start(options)?;
    let url = provider.url();
    say::result(&match args.json {
        true => json!({"url": url}).to_string(),
        false => format!("mock provider is up: {url}, its bill at {url}/mock/bill"),
    });
    orders.first().await;
    let bill = provider.bill();
    say::result(&if args.json { serde_json::to_string(&bill)? } else { summary(&bill) });
    Ok(exit::OK)
}

fn options(args: &MockProviderArgs) -> Result<Options> {
    let limits = Limits {
        requests_per_minute: args.requests_per_minute,
        input_tokens_per_minute: args.input_tokens_per_minute,
        output_tokens_per_minute: args.output_tokens_per_minute,
        tokens_per_minute: args.tokens_per_minute,
        concurrency: args.concurrency,
    };
    limits.check()?;
    Ok(Options {
        listen: args.listen,
        seed: args.seed,
        latency: args.latency,
        output_tokens: args.output_tokens,
        limits,
        faults: args.faults.clone(),
        models: args.models.as_deref().map_or_else(|| Ok(Models::default()), models)?,
        answers: args.answer_file.iter().map(|file| answer(file)).collect::<Result<_>>()?,
        long_prompts: if args.cache_long_prompts { LongPrompts::Cached } else { LongPrompts::Paid },
        ..Options::default()
    })
}

fn models(path: &Path) -> Result<Models> {
    let json = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Models::read(&json).with_context(|| path.display().to_string())
}

fn answer(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(!text.trim().is_empty(), "{} is empty; expected the text of an answer", path.display());
    Ok(text)
}

fn summary(bill: &Bill) -> String {
    let count = say::count;
    format!(
        "{} calls, {} charged, ${}; {} rate limited, {} rejected, {} failed, {} cut off, at most {} at a time",
        count(bill.calls),
        count(bill.charged),
        bill.cost_dollars,
        count(bill.rate_limited),
        count(bill.rejected),
        count(bill.failed),
        count(bill.cut_off),
        count(bill.peak_in_flight)
    )
}
