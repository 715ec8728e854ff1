//! Rule 2: crates depend downwards only: cli, then api, scheduler and worker, then author, then
//! engine, llm and nlsql, then shared.
//! Crates of one layer do not know each other. Pure.

use crate::manifests;
use crate::source::{Source, Violation};

const LAYERS: [&[&str]; 5] = [
    &["shardmill-shared"],
    &["shardmill-engine", "shardmill-llm", "shardmill-nlsql"],
    &["shardmill-author"],
    &["shardmill-api", "shardmill-mock", "shardmill-scheduler", "shardmill-worker"],
    &["shardmill"],
];
/// Packages that look at the others from outside; nothing may depend on them.
const OUTSIDE: [&str; 5] = ["shardmill-benches", "shardmill-rows", "shardmill-servers", "shardmill-tests", "xtask"];
/// Helpers for the others that look from outside: the engine without the rest, and private copies of servers.
const HELPERS: [&str; 2] = ["shardmill-rows", "shardmill-servers"];

/// Objects to every dependency on a crate that does not lie below.
pub(crate) fn direction(source: &Source) -> Vec<Violation> {
    let Some(name) = package_name(&source.text) else {
        return vec![source.violation(1, "rule 2: a package without a name")];
    };
    let own_layer = if OUTSIDE.contains(&name) { Some(LAYERS.len()) } else { layer(name) };
    let Some(own_layer) = own_layer else {
        return vec![source.violation(1, format!("rule 2: `{name}` has no layer; give it one in this test"))];
    };
    let inner = manifests::dependencies(&source.text).into_iter().filter(|dependency| is_ours(dependency.name));
    let looks_from_outside = own_layer == LAYERS.len();
    let wrong = inner.filter(|dependency| match layer(dependency.name) {
        Some(layer) => layer >= own_layer,
        None => !(looks_from_outside && HELPERS.contains(&dependency.name)),
    });
    wrong
        .map(|found| source.violation(found.line, format!("rule 2: `{name}` must not depend on `{}`", found.name)))
        .collect()
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&name))
}

fn is_ours(name: &str) -> bool {
    name == "xtask" || name.split('-').next() == Some("shardmill")
}

fn package_name(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, dependency: &str) -> usize {
        let text = format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependency}.workspace = true\n");
        direction(&Source { path: "crates/a/Cargo.toml".to_owned(), text }).len()
    }

    #[test]
    fn only_downwards_is_right() {
        for (name, dependency, violations) in [
            ("shardmill", "shardmill-worker", 0),
            ("shardmill-worker", "shardmill-engine", 0),
            ("shardmill-engine", "shardmill-shared", 0),
            ("shardmill-shared", "serde", 0),
            ("shardmill-tests", "shardmill-servers", 0),
            ("shardmill-author", "shardmill-llm", 0),
            ("shardmill-author", "shardmill-worker", 1),
            ("shardmill-engine", "shardmill-author", 1),
            ("shardmill-shared", "shardmill-servers", 1),
            ("shardmill-tests", "shardmill", 0),
            ("shardmill-scheduler", "shardmill-worker", 1),
            ("shardmill-worker", "shardmill-scheduler", 1),
            ("shardmill-engine", "shardmill-worker", 1),
            ("shardmill-shared", "shardmill-engine", 1),
            ("shardmill-worker", "shardmill", 1),
            ("shardmill", "shardmill-tests", 1),
            ("shardmill-shared", "xtask", 1),
        ] {
            assert_eq!(count(name, dependency), violations, "{name} on {dependency}");
        }
    }

    #[test]
    fn a_crate_without_a_layer_is_asked_for_one() {
        assert_eq!(count("shardmill-drawer", "serde"), 1);
    }
}
