//! The alert rules: they ask for metrics that exist, and send people to a runbook that exists.

use regex::Regex;
use serde_json::Value;
use shardmill_shared::metrics::{Kind, METRICS};

use crate::files::{documents, items, read};

/// Metrics that tell of trouble: an alert must ask for each.
const ALARMING: [&str; 12] = [
    "shardmill_backlog_shards",
    "shardmill_workers_wanted",
    "shardmill_workers_live",
    "shardmill_jobs_ended_total",
    "shardmill_shards_done_total",
    "shardmill_shards_failed_total",
    "shardmill_oldest_open_job_seconds",
    "shardmill_leader",
    "shardmill_ledger_up",
    "shardmill_queue_up",
    "shardmill_store_up",
    "shardmill_dead_letters",
];

/// Whether a role exports a series of that name.
pub(crate) fn is_exported(series: &str) -> bool {
    METRICS.iter().any(|about| {
        let rest = series.strip_prefix(about.name);
        rest == Some("") || about.kind == Kind::Histogram && matches!(rest, Some("_bucket" | "_sum" | "_count"))
    })
}

/// Labels of a query that the metric before them does not have.
pub(crate) fn unknown_labels(expression: &str) -> Vec<String> {
    let selectors = Regex::new(r"(shardmill_[a-z_]+)\{([^}]*)\}").expect("the pattern is right");
    let labels = Regex::new(r"([a-z_]+) *(?:=|!=|=~|!~)").expect("the pattern is right");
    let mut unknown = Vec::new();
    for selector in selectors.captures_iter(expression) {
        let about = METRICS.iter().find(|about| selector[1].starts_with(about.name));
        for label in labels.captures_iter(&selector[2]) {
            if about.is_none_or(|about| !about.labels.contains(&&label[1]) && &label[1] != "le") {
                unknown.push(format!("{} has no label {}", &selector[1], &label[1]));
            }
        }
    }
    unknown
}

/// Everything that is wrong with an alert, and alarming metrics that none asks for.
pub(crate) fn faults() -> Vec<String> {
    let rules = documents("deploy/alerts.yaml").remove(0);
    let anchors: Vec<String> = read("docs/operate.md").lines().filter_map(anchor).collect();
    let all: Vec<&Value> = items(&rules["groups"]).iter().flat_map(|group| items(&group["rules"])).collect();
    let mut faults: Vec<String> = all.iter().flat_map(|rule| alert_faults(rule, &anchors)).collect();
    let asked =
        |metric: &&&str| all.iter().any(|rule| rule["expr"].as_str().is_some_and(|expr| expr.contains(**metric)));
    faults.extend(ALARMING.iter().filter(|metric| !asked(metric)).map(|metric| format!("no alert asks for {metric}")));
    faults
}

fn alert_faults(rule: &Value, anchors: &[String]) -> Vec<String> {
    let name = rule["alert"].as_str().unwrap_or("?");
    let mut faults = Vec::new();
    let metrics = Regex::new("shardmill_[a-z_]+").expect("the pattern is right");
    let expression = rule["expr"].as_str().unwrap_or_default();
    if !metrics.is_match(expression) {
        faults.push(format!("{name}: asks for no metric"));
    }
    let unknown = metrics.find_iter(expression).map(|found| found.as_str()).filter(|found| !is_exported(found));
    faults.extend(unknown.map(|metric| format!("{name}: there is no metric {metric}")));
    faults.extend(unknown_labels(expression).iter().map(|fault| format!("{name}: {fault}")));
    if !["critical", "warning"].iter().any(|severity| rule["labels"]["severity"] == *severity) {
        faults.push(format!("{name}: no severity"));
    }
    let runbook = rule["annotations"]["runbook"].as_str().and_then(|text| text.strip_prefix("docs/operate.md#"));
    let is_there = runbook.is_some_and(|wanted| anchors.iter().any(|anchor| anchor == wanted));
    if !is_there {
        faults.push(format!("{name}: {runbook:?} is no heading of docs/operate.md"));
    }
    faults
}

/// The anchor of a heading, as renderers of Markdown make it.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
    Some(heading.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>().replace(' ', "-"))
}
