//! The documentation and the schema against the engine: generated parts are what it says, examples are right, and the
//! schema takes what the engine takes. `SHARDMILL_BLESS=1` writes the generated parts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::disallowed_methods, reason = "the test runner names the package folder in the environment")]

mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shardmill_engine::describe;
use shardmill_engine::generators::GENERATORS;
use shardmill_engine::modifiers::MODIFIERS;
use shardmill_shared::metrics::{About, METRICS};
use shardmill_shared::spec::{Report, document};
use shardmill_tests::engine::{KNOWN, try_tables};

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    Path::new(&package).parent().unwrap().to_path_buf()
}

fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| endings.iter().any(|ending| path.extension().is_some_and(|found| found == *ending)))
        .collect();
    found.sort();
    found
}

/// A block of YAML as a whole spec: what begins with its body gets an envelope.
fn whole(block: &str) -> String {
    let has = |key: &str| block.lines().any(|line| line.starts_with(key));
    if has("shardmill:") || has("nodes:") {
        return block.to_owned();
    }
    let timeframe = if has("timeframe:") { "" } else { "timeframe: {start: 2024-01-01, end: 2024-12-31}\n" };
    format!("shardmill: 1\nname: example\n{timeframe}{block}")
}

/// The document with its generated parts made anew. `rows TABLE …` shows the first rows of the YAML before it.
fn generated(text: &str, name: &Path) -> String {
    let mut written = String::new();
    let mut block = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        if line == "```yaml" {
            block.clear();
            for inner in lines.by_ref() {
                written.push_str(inner);
                written.push('\n');
                if inner == "```" {
                    break;
                }
                block.push_str(inner);
                block.push('\n');
            }
        }
        let Some(section) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) else { continue };
        let made = match section.strip_prefix("rows") {
            Some(names) => {
                let names: Vec<&str> = names.split_whitespace().collect();
                describe::first_rows(&whole(&block), &names, &KNOWN).map(|rows| format!("```text\n{rows}```\n"))
            }
            None if section == "metrics" => Ok(metrics()),
            None => describe::section(section, &KNOWN),
        };
        written.push_str(&made.unwrap_or_else(|error| panic!("{}: {section}: {error}", name.display())));
        assert!(lines.by_ref().any(|line| line == END), "{}: {section} has no end", name.display());
        written.push_str(END);
        written.push('\n');
    }
    written
}

/// The table of metrics.
fn metrics() -> String {
    let mut table = "| metric | make | labels | says |\n|---|---|---|---|\n".to_owned();
    for About { name, kind, labels, help } in METRICS {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", ")));
    }
    table
}

#[test]
fn generated_parts_are_what_the_engine_says() {
    let mut parts = 0;
    for path in files("docs", &["md"]) {
        let text = fs::read_to_string(&path).unwrap();
        let wanted = generated(&text, &path);
        parts += text.matches(BEGIN).count();
        if text != wanted && std::env::var("SHARDMILL_BLESS").is_ok() {
            fs::write(&path, &wanted).unwrap();
            continue;
        }
        let changed = text.lines().zip(wanted.lines()).find(|(old, new)| old != new);
        assert!(text == wanted, "{} (SHARDMILL_BLESS=1 mends it): {changed:#?}", path.display());
    }
    assert!(parts > 10, "{parts}");
}

/// The blocks of YAML that people wrote, each with its document.
fn blocks() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files("docs", &["md"]).into_iter().chain([root().join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap();
        let yaml = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        let is_generated = |block: &String| block.starts_with("value: ");
        found.extend(yaml.filter(|block| !is_generated(block)).map(|block| (path.display().to_string(), block)));
    }
    found
}

#[test]
fn every_example_of_the_documents_is_a_right_spec() {
    let blocks = blocks();
    assert!(blocks.len() > 10, "{}", blocks.len());
    for (document, block) in blocks.iter().filter(|(_, block)| !block.contains("# wrong")) {
        if let Err(problems) = try_tables(&whole(block)) {
            panic!("{document}:\n{block}\n{}", problems.join("\n"));
        }
    }
}

fn findings(schema: &Value, text: &str) -> Vec<String> {
    let value = document::parse(text, &Report::strict()).unwrap_or_else(|| panic!("{text}")).to_json();
    schema::check(schema, &value, schema, "")
}

#[test]
fn the_schema_takes_every_spec_that_is_right() {
    let schema = describe::json_schema(&KNOWN);
    let mut specs: Vec<String> =
        files("examples", &["yaml", "json"]).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(!specs.is_empty());
    specs.extend(blocks().iter().filter(|(_, block)| !block.contains("# wrong")).map(|(_, block)| whole(block)));
    specs.extend(GENERATORS.iter().map(|info| describe::spec_of(info.name, info.example)));
    specs.extend(MODIFIERS.iter().map(|info| describe::spec_of(info.name, info.example)));
    for spec in specs {
        let found = findings(&schema, &spec);
        assert!(found.is_empty(), "{spec}\n{}", found.join("\n"));
    }
}

#[test]
fn the_schema_refuses_what_is_plainly_wrong() {
    let schema = describe::json_schema(&KNOWN);
    let right = "shardmill: 1\nname: a\ntables: {t: {rows: 1, columns: {c: {sequence: {start: 1}}}}}";
    assert_eq!(findings(&schema, right), Vec::<String>::new());
    for (old, new) in [
        ("shardmill: 1", "shardmill: 2"),
        ("name: a\n", ""),
        ("name: a", "nam: a\nname: a"),
        ("rows: 1", "row: 1"),
        ("rows: 1", "rows: 0"),
        ("rows: 1", "rows: -5"),
        ("rows: 1", "rows: many"),
        ("rows: 1", "stage_config: {}"),
        ("rows: 1, columns: {c: {sequence: {start: 1}}}", "rows: 1"),
        ("sequence: {start: 1}", "sequenc: {start: 1}"),
        ("sequence: {start: 1}", "sequence: {begin: 1}"),
        ("sequence: {start: 1}", "sequence: {start: one}"),
        ("sequence: {start: 1}", "faker: emial"),
        ("sequence: {start: 1}", "faker: {locale: de_DE}"),
        ("sequence: {start: 1}", "generator: {sequence: {}, uuid: 4}"),
        ("sequence: {start: 1}", "generator: sequenc"),
        ("sequence: {start: 1}", "type: integr"),
        ("sequence: {start: 1}", "null_rate: 2"),
        ("sequence: {start: 1}", "constant: 1, modifiers: [{multipli: 2}]"),
        ("sequence: {start: 1}", "constant: 1, modifiers: [{multiply: two}]"),
        ("sequence: {start: 1}", "constant: 1, modifiers: [{transform: multiply, args: {fact: 2}}]"),
        ("sequence: {start: 1}", "constant: 1, modifiers: [{transform: multiply}]"),
        ("sequence: {start: 1}", "distribution: {type: normal, params: {mean: 1, deviation: 2}}"),
        ("sequence: {start: 1}", "datetime_series: {within: {start: 2024-01-01}}"),
        ("tables:", "output: {format: xls}\ntables:"),
        ("tables:", "constraints: {range: []}\ntables:"),
        ("tables:", "nodes: []\ntables:"),
    ] {
        let wrong = right.replace(old, new);
        assert_ne!(wrong, right);
        assert!(!findings(&schema, &wrong).is_empty(), "the schema takes\n{wrong}");
        assert!(try_tables(&wrong).is_err(), "the engine takes\n{wrong}");
    }
}
