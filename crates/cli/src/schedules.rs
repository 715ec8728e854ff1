//! `shardmill schedule`: what fires by itself in a running installation.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use shardmill_shared::job::Name;

use crate::client::ApiArgs;
use crate::jobs::{asked, line, show, text, watch};
use crate::{exit, say};

#[derive(Debug, clap::Args)]
pub(crate) struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Make a schedule, or replace the one of that name
    Create(CreateArgs),
    /// The schedules, by name
    List {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Where an earlier list said that it goes on
        #[arg(long, value_name = "NAME")]
        cursor: Option<String>,
    },
    /// One schedule, when it fires next and what it fired last
    Show {
        /// Its name
        #[arg(value_parser = Name::new)]
        name: Name,
    },
    /// Delete a schedule; jobs that it made go on
    Delete {
        /// Its name
        #[arg(value_parser = Name::new)]
        name: Name,
    },
    /// Fire no more until it is resumed
    Pause {
        /// Its name
        #[arg(value_parser = Name::new)]
        name: Name,
    },
    /// Fire again, from the next time on
    Resume {
        /// Its name
        #[arg(value_parser = Name::new)]
        name: Name,
    },
    /// Make a job of it now, whatever its line says
    RunNow {
        /// Its name
        #[arg(value_parser = Name::new)]
        name: Name,
        /// The same text twice is one job: for programs that may run again
        #[arg(long, value_name = "TEXT")]
        idempotency_key: Option<String>,
        /// Wait for the end of the job, and end with its exit code
        #[arg(long)]
        watch: bool,
    },
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// Its name
    #[arg(value_parser = Name::new)]
    name: Name,
    /// The spec: a YAML or JSON file
    spec: PathBuf,
    /// When it fires: minute, hour, day of month, month, day of week
    #[arg(long, value_name = "LINE")]
    cron: String,
    /// The time zone in which the line is read, as in Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// What becomes of a fire while the job before it is open
    #[arg(long, value_enum, default_value_t = Overlap::Skip)]
    overlap: Overlap,
    /// Keep so many versions of the dataset; all of them unless it is given
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroU32>,
    /// Tell this webhook of the configuration what becomes of its jobs (repeatable)
    #[arg(long, value_name = "WEBHOOK")]
    notify: Vec<String>,
    /// 0 to 9; a higher one gets its jobs a larger share of the tenant's workers
    #[arg(long, value_name = "N")]
    priority: Option<u8>,
}

/// What becomes of a fire while the job before it is open.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Overlap {
    /// It makes no job
    Skip,
    /// It waits; of several that wait, the newest makes a job
    Queue,
}

/// Does something with schedules.
pub(crate) fn schedule(args: &ScheduleArgs) -> Result<ExitCode> {
    let created = match &args.command {
        ScheduleCommand::Create(create) => Some(wanted(create)?),
        _ => None,
    };
    let at = |name: &Name, rest: &str| format!("/v1/schedules/{name}{rest}");
    asked(&args.api, async |client| {
        let answer = match &args.command {
            ScheduleCommand::Create(create) => client.put(&at(&create.name, ""), &json!(created)).await?,
            ScheduleCommand::List { limit, cursor } => {
                let limit = limit.to_string();
                let mut query = vec![("limit", limit.as_str())];
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                client.get("/v1/schedules", &query).await?
            }
            ScheduleCommand::Show { name } => {
                show_whole(&args.api, &client.get(&at(name, ""), &[]).await?);
                return Ok(exit::OK);
            }
            ScheduleCommand::Delete { name } => {
                client.delete(&at(name, "")).await?;
                say::error(&format!("the schedule {name} is deleted"));
                return Ok(exit::OK);
            }
            ScheduleCommand::Pause { name } => client.post(&at(name, "/pause")).await?,
            ScheduleCommand::Resume { name } => client.post(&at(name, "/resume")).await?,
            ScheduleCommand::RunNow { name, idempotency_key, watch: is_watched } => {
                let job = client.run_schedule(&at(name, "/run"), idempotency_key.as_deref()).await?;
                if *is_watched {
                    return watch(client, text(&job, "id"), &args.api).await;
                }
                job
            }
        };
        show(&args.api, &answer);
        Ok(exit::OK)
    })
}

fn wanted(args: &CreateArgs) -> Result<Value> {
    let spec = std::fs::read_to_string(&args.spec).with_context(|| format!("cannot read {}", args.spec.display()))?;
    let overlap = match args.overlap {
        Overlap::Skip => "skip",
        Overlap::Queue => "queue",
    };
    let CreateArgs { cron, time_zone, keep, notify, priority, .. } = args;
    Ok(json!({"cron": cron, "time_zone": time_zone, "spec": spec, "overlap": overlap, "keep": keep, "notify": notify,
        "priority": priority}))
}

/// Prints a schedule with the times to come and the fires that were; as JSON for programs.
fn show_whole(args: &ApiArgs, schedule: &Value) {
    if args.json {
        return show(args, schedule);
    }
    say::result(&line(schedule));
    for next in schedule["next"].as_array().into_iter().flatten() {
        say::result(&format!("next   {}", next.as_str().unwrap_or_default()));
    }
    for fire in schedule["fires"].as_array().into_iter().flatten() {
        let what = match text(fire, "outcome") {
            "skipped" => format!("skipped, as {} was open", text(fire, "job")),
            _ => text(fire, "job").to_owned(),
        };
        let missed = fire["missed"].as_u64().filter(|missed| *missed > 0);
        let missed = missed.map_or_else(String::new, |missed| format!("  {missed} before it were missed"));
        say::result(&format!("fired  {}  {what}{missed}", text(fire, "at")));
    }
}
