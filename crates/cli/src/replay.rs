//! `shardmill job replay`: one shard of a job is made here, step by step, and compared with what was committed. Nothing is
//! written anywhere.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Value, json};
use shardmill_cli::local::{LocalJob, Ports, Target, prepare};
use shardmill_scheduler::Planner;
use shardmill_scheduler::accept::Existing;
use shardmill_shared::job::{Commit, Digest, JobId, Layout, Name, Plan, ShardId};
use shardmill_shared::process::{MonotonicClock, Stop};
use shardmill_shared::store::{MemoryStore, Place, Store};
use shardmill_worker::{Compile, JobContext};

use crate::client::{ApiArgs, Client};
use crate::kinds::Kinds;
use crate::{exit, say};

/// Makes a shard again.
pub(crate) async fn replay(client: &Client, id: &Name, shard: &ShardId, args: &ApiArgs) -> Result<ExitCode> {
    let told = Told { as_json: args.json };
    let spec = client.bytes(&format!("/v1/jobs/{id}/spec")).await?;
    told.step("spec", &json!({"digest": Digest::of(&spec).to_string(), "bytes": spec.len()}));
    let plan =
        Kinds::default().plan(&spec).map_err(anyhow::Error::msg).context("this program cannot plan the job's spec")?;
    let (job, place) = job(id, (spec, &plan))?;
    let context = JobContext {
        id: JobId::new(id.as_str())?,
        tenant: None,
        plan,
        spec: job.spec.clone(),
        place,
        executor: Arc::clone(&job.executor),
    };
    let stage = prepare(job, &context.place, &shard.stage).await?;
    let shards = stage.shards().exact().unwrap_or(0);
    let planned = stage.shard(shard.index);
    let planned =
        planned.with_context(|| format!("stage `{}` has the shards 0 to {}", shard.stage, shards.saturating_sub(1)))?;
    let rows = json!({"from": planned.rows.start, "to": planned.rows.end});
    told.step(
        "plan",
        &json!({"shard": shard.to_string(), "shards": shards, "rows": rows, "writer": context.plan.writer}),
    );
    let made = shardmill_worker::replay(Arc::new(context), shard).await?;
    told.step("rows", &json!({"made": made.account.made, "written": made.account.written, "counted": made.counted}));
    let files = files_of(&made);
    for file in &files {
        told.step("file", file);
    }
    let (path, index) = (format!("/v1/jobs/{id}/shards/{}", shard.stage), shard.index.to_string());
    let page = client.get(&path, &[("cursor", index.as_str()), ("limit", "1")]).await?;
    Ok(compare(&told, &page["shards"][0], &files))
}

/// A job of nobody else's, over a store in memory.
fn job(id: &Name, (spec, plan): (Bytes, &Plan)) -> Result<(LocalJob, Place)> {
    let executor = Kinds::default()
        .executor(&spec)
        .map_err(anyhow::Error::msg)
        .context("this program cannot run the job's spec")?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let layout = Layout::Root { job: JobId::new(id.as_str())?, dataset: plan.name.clone(), version: 1 };
    let job = LocalJob {
        budget: None,
        spec,
        plan: plan.clone(),
        executor,
        ports: Ports::local(Arc::clone(&store), Arc::new(MonotonicClock::start())),
        target: Target::Root,
        existing: Existing::Keep,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        stop: Stop::default(),
    };
    Ok((job, Place { store, layout }))
}

fn files_of(made: &Commit) -> Vec<Value> {
    let file = |file: &shardmill_shared::job::FileEntry| json!({"path": file.key.to_string(), "rows": file.rows, "bytes": file.bytes, "blake3": file.blake3.to_string()});
    made.files.iter().map(file).collect()
}

/// Whether the files are those that were committed; 1 when they are others.
fn compare(told: &Told, committed: &Value, files: &[Value]) -> ExitCode {
    let is_same = committed["files"].as_array().is_some_and(|committed| committed == files);
    match committed["state"].as_str() {
        Some("done") if is_same => {
            told.step("commit", &json!({"verdict": "the same bytes were committed"}));
            exit::OK
        }
        Some("done") => {
            told.step("commit", &json!({"verdict": "OTHER bytes were committed", "files": committed["files"]}));
            exit::FAILED
        }
        state => {
            let verdict = "no bytes are committed to compare with";
            told.step(
                "commit",
                &json!({"verdict": verdict, "state": state, "failure": committed["failure"]["message"]}),
            );
            exit::OK
        }
    }
}

/// Tells each step: a line of words for people, a line of JSON for programs.
struct Told {
    as_json: bool,
}

impl Told {
    fn step(&self, name: &str, facts: &Value) {
        if self.as_json {
            return say::result(&json!({"step": name, "facts": facts}).to_string());
        }
        let word = |(name, value): (&String, &Value)| match value {
            Value::Null => None,
            Value::String(text) if name == "verdict" => Some(text.clone()),
            Value::String(text) => Some(format!("{name} {text}")),
            Value::Object(range) if range.contains_key("to") => {
                Some(format!("{name} {} to {}", range["from"], range["to"]))
            }
            other => Some(format!("{name} {other}")),
        };
        let words: Vec<String> = facts.as_object().into_iter().flatten().filter_map(word).collect();
        say::result(&format!("{name:<7} {}", words.join(", ")));
    }
}
