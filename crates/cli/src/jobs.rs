//! `shardmill submit` and `job`: what people do with a running installation.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};
use shardmill_shared::job::{Name, NanoUsd, ShardId, StageId};

use crate::client::{ApiArgs, Client, ClientError};
use crate::replay::replay;
use crate::{exit, say};

#[derive(Debug, clap::Args)]
pub(crate) struct SubmitArgs {
    /// The spec: a YAML or JSON file
    spec: PathBuf,
    /// 0 to 9; a higher one gets a larger share of the tenant's workers
    #[arg(long, value_name = "N")]
    priority: Option<u8>,
    /// The same text twice is one job: for programs that may run again
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// Wait for the end of the job, and end with its exit code
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct JobArgs {
    #[command(subcommand)]
    command: JobCommand,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum JobCommand {
    /// The jobs, newest first
    List {
        /// Only those of this state
        #[arg(long)]
        state: Option<String>,
        /// Only those of this dataset
        #[arg(long)]
        dataset: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One job
    Show {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// Wait for the end of a job
    Watch {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// Start no more shards; those that run end
    Pause {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// Go on
    Resume {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// End a job, for good
    Cancel {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// Try the failed shards of a failed job again
    Retry {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// Change a job's share
    Priority {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
        /// 0 to 9
        priority: u8,
    },
    /// Change what a job may spend on models: one that waits for a higher budget goes on
    Budget {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
        /// The most that it may spend, what it has spent already included, like 20 or 0.50
        #[arg(long, value_name = "USD")]
        raise_to: NanoUsd,
    },
    /// What failed, by class and column, and what to do about it
    Failures {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
    },
    /// Make one shard again here, compare it with what was committed, and write nothing
    Replay {
        /// Its id
        #[arg(value_parser = Name::new)]
        id: Name,
        /// The stage and the index in it, like users/3
        #[arg(value_name = "STAGE/SHARD", value_parser = shard)]
        shard: ShardId,
    },
}

/// Submits a spec.
pub(crate) fn submit(args: &SubmitArgs) -> Result<ExitCode> {
    let spec = std::fs::read_to_string(&args.spec).with_context(|| format!("cannot read {}", args.spec.display()))?;
    asked(&args.api, async |client| {
        let job = client.submit(spec, (args.priority, args.idempotency_key.as_ref())).await?;
        if args.watch {
            return watch(client, text(&job, "id"), &args.api).await;
        }
        show(&args.api, &job);
        Ok(exit::OK)
    })
}

/// Does something with jobs.
pub(crate) fn job(args: &JobArgs) -> Result<ExitCode> {
    asked(&args.api, async |client| {
        let at = |id: &Name, rest: &str| format!("/v1/jobs/{id}{rest}");
        let answer = match &args.command {
            JobCommand::List { state, dataset, limit } => {
                let limit = limit.to_string();
                let mut query = vec![("limit", limit.as_str())];
                query.extend(state.as_deref().map(|state| ("state", state)));
                query.extend(dataset.as_deref().map(|dataset| ("dataset", dataset)));
                client.get("/v1/jobs", &query).await?
            }
            JobCommand::Watch { id } => return watch(client, id.as_str(), &args.api).await,
            JobCommand::Show { id } => client.get(&at(id, ""), &[]).await?,
            JobCommand::Pause { id } => client.post(&at(id, "/pause")).await?,
            JobCommand::Resume { id } => client.post(&at(id, "/resume")).await?,
            JobCommand::Cancel { id } => client.post(&at(id, "/cancel")).await?,
            JobCommand::Retry { id } => client.post(&at(id, "/retry")).await?,
            JobCommand::Priority { id, priority } => {
                client.put(&at(id, "/priority"), &json!({"priority": priority})).await?
            }
            JobCommand::Budget { id, raise_to } => {
                client.put(&at(id, "/budget"), &json!({"usd": raise_to.to_string()})).await?
            }
            JobCommand::Failures { id } => {
                let failures = client.get(&at(id, "/failures"), &[]).await?;
                if !args.api.json {
                    failed(&failures).iter().for_each(|line| say::result(line));
                    return Ok(exit::OK);
                }
                failures
            }
            JobCommand::Replay { id, shard } => return replay(client, id, shard, &args.api).await,
        };
        show(&args.api, &answer);
        Ok(exit::OK)
    })
}

/// Asks the API, and turns what went wrong into an exit code.
pub(crate) fn asked(args: &ApiArgs, ask: impl AsyncFnOnce(&Client) -> Result<ExitCode>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Client::new(args)?;
    ended(runtime.block_on(ask(&client)))
}

/// What the API or the way to it refused, as an exit code.
pub(crate) fn ended(end: Result<ExitCode>) -> Result<ExitCode> {
    match end.map_err(|error| (error.downcast_ref::<ClientError>().map(code_of), error)) {
        Ok(code) => Ok(code),
        Err((None, error)) => Err(error),
        Err((Some(code), error)) => {
            say::error(&format!("error: {error}"));
            Ok(code)
        }
    }
}

fn code_of(error: &ClientError) -> ExitCode {
    match error {
        ClientError::Refused { status: 400 | 413 | 415 | 422, .. } => exit::bad_spec(),
        error if error.may_pass() => exit::unreachable(),
        _ => exit::FAILED,
    }
}

fn shard(text: &str) -> Result<ShardId, String> {
    let parts = text.rsplit_once('/').and_then(|(stage, index)| Some((StageId::new(stage).ok()?, index.parse().ok()?)));
    let (stage, index) = parts.ok_or_else(|| "expected a stage and an index in it, like users/3".to_owned())?;
    Ok(ShardId { stage, index })
}

/// The failures of a job as lines: each class and column with its first example and what to do.
fn failed(failures: &Value) -> Vec<String> {
    let mut lines: Vec<String> = failures["message"].as_str().map(str::to_owned).into_iter().collect();
    for group in failures["failures"].as_array().into_iter().flatten() {
        let column = group["column"].as_str().map_or_else(String::new, |column| format!(" in {column}"));
        lines.push(format!("{} shards: {}{column}", group["count"], text(group, "class")));
        lines.push(format!("    {}: {}", text(&group["first"], "shard"), text(&group["first"], "message")));
        lines.push(format!("    {}", text(group, "hint")));
    }
    if lines.is_empty() {
        lines.push("none".to_owned());
    }
    lines
}

/// How often a watched job is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often an API that does not answer is asked while a job is watched, before it counts as gone.
const LOOKS_LOST: u32 = 120;

/// Waits for the end of a job, telling how far it is whenever that changes.
pub(crate) async fn watch(client: &Client, id: &str, args: &ApiArgs) -> Result<ExitCode> {
    let mut told = String::new();
    let mut lost = 0;
    loop {
        let job = match client.get(&format!("/v1/jobs/{id}"), &[]).await {
            Err(error) if error.may_pass() && lost < LOOKS_LOST => {
                lost += 1;
                tokio::time::sleep(LOOK).await;
                continue;
            }
            answer => answer?,
        };
        lost = 0;
        let state = text(&job, "state");
        if let "succeeded" | "failed" | "cancelled" = state {
            show(args, &job);
            return Ok(if state == "succeeded" { exit::OK } else { exit::FAILED });
        }
        if text(&job, "waits_for") == "budget" {
            show(args, &job);
            return Ok(exit::paused_on_budget());
        }
        let line = progress(&job);
        if line != told && !args.json {
            say::error(&line);
            told = line;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How far a job is, as one line.
fn progress(job: &Value) -> String {
    let stages = job["progress"]["stages"].as_array().cloned().unwrap_or_default();
    let sum = |name: &str| stages.iter().filter_map(|stage| stage[name].as_u64()).sum::<u64>();
    let (done, total, failed) = (sum("shards_done"), sum("shards_total"), sum("shards_failed"));
    let rows = say::count(job["made"]["rows"].as_u64().unwrap_or(0));
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{} {}: {done} of {total} shards, {rows} rows{failed}", text(job, "id"), text(job, "state"))
}

/// Prints an answer: as it is for programs, and for people a line for each job, dataset, version, or file.
pub(crate) fn show(args: &ApiArgs, answer: &Value) {
    if args.json {
        return say::result(&answer.to_string());
    }
    let lists = ["jobs", "schedules", "datasets", "versions", "failures", "files"];
    match lists.iter().find_map(|name| answer[*name].as_array()) {
        Some(list) if list.is_empty() => say::result("none"),
        Some(list) => list.iter().for_each(|item| say::result(&line(item))),
        None => say::result(&line(answer)),
    }
}

/// One thing as a line: its own words first, then what else is known.
pub(crate) fn line(item: &Value) -> String {
    let Some(fields) = item.as_object() else { return item.as_str().map_or_else(|| item.to_string(), str::to_owned) };
    let plain = fields.iter().filter(|(name, value)| !value.is_null() && *name != "links");
    let word = |(name, value): (&String, &Value)| match value {
        Value::String(text) if matches!(name.as_str(), "id" | "state" | "name" | "key") => text.clone(),
        Value::String(text) => format!("{name}={text}"),
        Value::Object(inner) if inner.contains_key("rows") => {
            format!("rows={} bytes={}", inner["rows"], inner.get("bytes").unwrap_or(&Value::Null))
        }
        Value::Object(_) | Value::Array(_) => String::new(),
        other => format!("{name}={other}"),
    };
    plain.map(word).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  ")
}

/// A text of an answer; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_with_an_example_and_a_remedy() {
        let failures = json!({"message": "2 shards failed", "failures": [{"class": "refused", "column": "users.age",
            "count": 2, "first": {"shard": "users/3", "message": "41 is no age"}, "hint": "change it"}]});
        let lines = ["2 shards failed", "2 shards: refused in users.age", "    users/3: 41 is no age", "    change it"];
        assert_eq!(failed(&failures), lines);
        assert_eq!(failed(&json!({"message": null, "failures": []})), ["none"]);
    }

    #[test]
    fn a_shard_is_a_stage_and_an_index() {
        let id = shard("count-users/3").expect("reads");
        assert_eq!((id.stage.to_string().as_str(), id.index), ("count-users", 3));
        for text in ["", "users", "users/", "users/x", "/3", "a b/3"] {
            assert!(shard(text).is_err(), "{text}");
        }
    }
}
