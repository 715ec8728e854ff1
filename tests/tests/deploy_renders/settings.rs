//! The names of settings: what `deploy/` sets is known, and what is known is documented.

use regex::Regex;

use crate::files::{files, read};

/// The sections of `shardmill.toml` and their keys.
const SETTINGS: [(&str, &[&str]); 10] = [
    (
        "store",
        &[
            "url",
            "endpoint",
            "region",
            "path_style",
            "allow_http",
            "access_key_id",
            "secret_access_key",
            "single_writer",
            "fsync",
        ],
    ),
    ("queue", &["url", "prefix", "ca_file"]),
    ("ledger", &["url", "prefix", "ca_file"]),
    ("api", &["listen", "first_admin_key", "requests_per_minute"]),
    ("worker", &["pools", "slots", "grace_seconds"]),
    ("retention", &["failed_hours"]),
    ("budgets", &["default_job_usd"]),
    ("log", &["format", "level"]),
    ("metrics", &["listen"]),
    ("traces", &["endpoint", "shard_ratio"]),
];

/// What programs that talk to the API read.
const OF_CLIENTS: [&str; 2] = ["SHARDMILL_API_URL", "SHARDMILL_API_KEY"];

/// Settings that are unknown, or not in the documentation.
pub(crate) fn faults() -> Vec<String> {
    let keys: Vec<String> =
        SETTINGS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}"))).collect();
    let names: Vec<String> = keys.iter().map(|key| variable(key)).collect();
    let mut faults = Vec::new();
    let pattern = Regex::new("SHARDMILL_[A-Z][A-Z0-9_]*").expect("the pattern is right");
    for path in files("deploy").into_iter().chain(["docs/operate.md".to_owned()]) {
        let text = read(&path);
        let is_known = |name: &str| OF_CLIENTS.contains(&name) || names.iter().any(|known| known == name);
        let unknown = pattern.find_iter(&text).filter(|found| !is_known(found.as_str()));
        faults.extend(unknown.map(|found| format!("{path}: {} is no setting", found.as_str())));
        if path.ends_with(".toml") {
            let unknown = keys_of(&text).into_iter().filter(|key| !keys.contains(key));
            faults.extend(unknown.map(|key| format!("{path}: {key} is no setting")));
        }
    }
    let manual = read("docs/operate.md");
    let hidden = keys.iter().filter(|key| !manual.contains(&format!("| `{key}` | `{}` |", variable(key))));
    faults.extend(hidden.map(|key| format!("docs/operate.md: {key} is in no table")));
    faults
}

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("SHARDMILL_{}", key.replace('.', "__").to_uppercase())
}

/// The keys of a simple TOML file.
fn keys_of(text: &str) -> Vec<String> {
    let mut section = "";
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push(format!("{section}.{key}"));
        }
    }
    keys
}

/// For how long a worker may drain, in seconds, as the cluster's configuration says.
pub(crate) fn grace_seconds() -> u64 {
    let text = read("deploy/k8s/base/shardmill.toml");
    let value = text.lines().find_map(|line| line.strip_prefix("grace_seconds = ")).expect("the file sets it");
    value.parse().expect("it is a number")
}
