//! The dashboard: every query asks for series that roles export, and every panel has a place.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use crate::alerts::{is_exported, unknown_labels};
use crate::files::items;

/// Everything that is wrong with a dashboard.
pub(crate) fn faults(dashboard: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for panel in items(&dashboard["panels"]) {
        let title = panel["title"].as_str().unwrap_or("?");
        if !ids.insert(panel["id"].as_u64()) {
            faults.push(format!("{title}: another panel has its id"));
        }
        if !places.insert((panel["gridPos"]["y"].as_u64(), panel["gridPos"]["x"].as_u64())) {
            faults.push(format!("{title}: another panel lies in its place"));
        }
        if panel["type"] != "row" {
            faults.extend(panel_faults(panel).iter().map(|fault| format!("{title}: {fault}")));
        }
    }
    if ids.is_empty() {
        faults.push("no panel".to_owned());
    }
    faults
}

fn panel_faults(panel: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if panel["datasource"]["uid"] != "${source}" {
        faults.push("its source cannot be chosen".to_owned());
    }
    let series = Regex::new("shardmill_[a-z_]+").expect("the pattern is right");
    for target in items(&panel["targets"]) {
        let expression = target["expr"].as_str().unwrap_or_default();
        if !series.is_match(expression) {
            faults.push(format!("`{expression}` asks for no metric"));
        }
        let unknown = series.find_iter(expression).map(|found| found.as_str()).filter(|found| !is_exported(found));
        faults.extend(unknown.map(|found| format!("there is no metric {found}")));
        faults.extend(unknown_labels(expression));
    }
    if items(&panel["targets"]).is_empty() {
        faults.push("it asks for nothing".to_owned());
    }
    faults
}
