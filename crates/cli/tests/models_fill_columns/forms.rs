//! `llm_choice`, `llm_json` and `llm_judge`: every kind in one table, by way of faults, kills and all formats.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema};
use serde_json::Value;
use shardmill_worker::formats::{Compression, WriteOptions, format};

use crate::rehearsal::{Rehearsal, said};

const ROWS: u64 = 300;

const SPEC: &str = "
shardmill: 1
name: reviews
output: {format: jsonl, shard_rows: 100}
tables:
  reviews:
    rows: 300
    columns:
      id: {sequence: 1}
      stars: {type: int, distribution: {type: uniform, params: {min: 1, max: 5}}}
      mood:
        llm_choice:
          model: rehearsal/mock-1
          prompt: 'A {{ vary.who }} gives {{ stars }} stars in review {{ id }}. In which mood?'
          choices: [positive, negative, neutral]
          skip_if: stars == 3
          vary: {who: [baker, pilot, nurse]}
          examples: [{input: A cook gives 5 stars. In which mood?, output: positive}]
      facts:
        llm_json:
          model: rehearsal/mock-1
          prompt: 'Invent the product of review {{ id }}, which is {{ mood }}.'
          schema:
            type: object
            properties:
              product: {type: string}
              color: {type: string, enum: [red, blue]}
              price: {type: number, minimum: 1, maximum: 900}
              in_stock: {type: boolean}
              maker: {type: object, properties: {name: {type: string}, founded: {type: [integer, 'null'], minimum: 1800, maximum: 2020}}}
              tags: {type: array, items: {type: string}, maxItems: 3}
      verdict:
        llm_judge:
          model: rehearsal/mock-1
          system: You are strict.
          prompt: 'Judge {{ facts.product }} of {{ facts.maker.name }} with {{ facts.tags|length }} tags.'
          rubric: {fluency: {about: how natural it reads}, accuracy: {about: how right it is, from: 1, to: 3}}
          keep_if: fluency >= 2
      total: {type: int, expression: 'verdict.fluency * 10 + verdict.accuracy'}
      maker: {expression: 'upper(facts.maker.name)'}
";

/// What was sealed for the shards of a build: seals, and the rows that were rejected with their classes and columns.
fn rejects(rehearsal: &Rehearsal, folder: &str) -> Vec<(u64, String, String)> {
    let seals = rehearsal.folder.path().join(folder).join("_shardmill/job/seals/reviews");
    let files = fs::read_dir(seals).unwrap().map(|entry| entry.unwrap().path());
    let seals = files.map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap());
    let text = |reject: &Value, key: &str| reject[key].as_str().unwrap().to_owned();
    let all = seals.flat_map(|seal| seal["rejects"].as_array().unwrap().clone());
    all.map(|reject| (reject["row"].as_u64().unwrap(), text(&reject, "class"), text(&reject, "column"))).collect()
}

/// Holds every row to what the spec says, and the rows to the rejects.
fn assert_right(rehearsal: &Rehearsal, folder: &str) -> Vec<Value> {
    let (rows, rejects) = (rehearsal.rows(folder), rejects(rehearsal, folder));
    let lost: BTreeSet<u64> = rejects.iter().map(|(row, ..)| row + 1).collect();
    let kept: Vec<u64> = (1..=ROWS).filter(|id| !lost.contains(id)).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_u64().unwrap()).collect::<Vec<_>>(), kept);
    assert_eq!(rehearsal.account(folder), (ROWS, kept.len() as u64, lost.len() as u64));
    for row in &rows {
        let (mood, facts, verdict) = (&row["mood"], &row["facts"], &row["verdict"]);
        match mood.as_str() {
            None => assert_eq!((mood, &row["stars"]), (&Value::Null, &Value::from(3)), "{row}"),
            Some(mood) => assert!(["positive", "negative", "neutral"].contains(&mood) && row["stars"] != 3, "{row}"),
        }
        let names: Vec<&String> = facts.as_object().unwrap().keys().collect();
        assert_eq!(names, ["product", "color", "price", "in_stock", "maker", "tags"]);
        assert!(["red", "blue"].contains(&facts["color"].as_str().unwrap()) && facts["in_stock"].is_boolean(), "{row}");
        assert!((1.0..=900.0).contains(&facts["price"].as_f64().unwrap()), "{row}");
        assert!(facts["tags"].as_array().unwrap().len() <= 3, "{row}");
        let (fluency, accuracy) = (verdict["fluency"].as_i64().unwrap(), verdict["accuracy"].as_i64().unwrap());
        assert!((2..=5).contains(&fluency) && (1..=3).contains(&accuracy), "{row}");
        assert!(verdict["fluency_reason"].is_string() && verdict["accuracy_reason"].is_string(), "{row}");
        assert_eq!(row["total"].as_i64(), Some(fluency * 10 + accuracy), "{row}");
        assert_eq!(row["maker"].as_str().unwrap(), facts["maker"]["name"].as_str().unwrap().to_uppercase(), "{row}");
    }
    rows
}

fn assert_verifies(rehearsal: &Rehearsal, folder: &str) {
    let verified = rehearsal.command(&["verify", folder]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn every_kind_is_filled_and_what_is_skipped_or_dropped_adds_up() {
    let rehearsal = Rehearsal::start(SPEC, &[]);
    let ran = rehearsal.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    let rows = assert_right(&rehearsal, "out");
    let rejects = rejects(&rehearsal, "out");
    assert!(!rejects.is_empty() && rejects.len() < 150, "a fifth of all scores is 1: {}", rejects.len());
    assert!(rejects.iter().all(|(_, class, column)| class == "keep_if" && column == "verdict"), "{rejects:?}");
    assert!(rows.iter().any(|row| row["mood"].is_null()) && rows.iter().any(|row| row["mood"].is_string()));
    assert!(rows.iter().any(|row| row["facts"]["maker"]["founded"].is_i64()));
    // Rows of three stars are not asked for their mood; which these are is no answer of a model.
    let unfilled = "shardmill: 1\nname: reviews\noutput: {format: jsonl}\ntables: {reviews: {rows: 300, columns: {stars: {type: int, distribution: {type: uniform, params: {min: 1, max: 5}}}}}}";
    fs::write(rehearsal.folder.path().join("reviews.yaml"), unfilled).unwrap();
    assert!(rehearsal.run("stars", &[]).status.success());
    let skipped = rehearsal.rows("stars").iter().filter(|row| row["stars"] == 3).count() as u64;
    assert!(skipped > 20);
    assert_eq!(rehearsal.charged(), 3 * ROWS - skipped);
    assert_verifies(&rehearsal, "out");
}

#[test]
fn killed_in_its_middle_it_goes_on_with_what_is_paid() {
    let rehearsal = Rehearsal::start(SPEC, &["--latency", "200ms"]);
    let mut run = rehearsal.command(&["run", "reviews.yaml", "-o", "out", "--threads", "2"]);
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while rehearsal.charged() < 400 && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(2));
    }
    assert!(child.try_wait().unwrap().is_none(), "it has ended before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = rehearsal.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    let rows = assert_right(&rehearsal, "out");
    let charged = rehearsal.charged();
    let calm = rehearsal.run("calm", &[]);
    assert!(calm.status.success(), "{}", said(&calm));
    let needed = rehearsal.charged() - charged;
    // Two shards at a time, 64 questions each.
    assert!((needed..=needed + 128).contains(&charged), "{charged} calls where {needed} are needed");
    assert_eq!(rehearsal.rows("calm"), rows, "the same answers make the same rows");
}

#[test]
fn answers_in_a_wrong_form_are_repaired_or_their_rows_rejected() {
    let rehearsal = Rehearsal::start(SPEC, &["--faults", "fenced:15%,prose:15%,wrong_json:10%,invalid_json:5%"]);
    let ran = rehearsal.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_right(&rehearsal, "out");
    assert!(rehearsal.charged() > 3 * ROWS, "repairs are calls, too: {}", rehearsal.charged());
    assert_verifies(&rehearsal, "out");
    // What is refused is not talked round.
    let refusing = Rehearsal::start(SPEC, &["--faults", "refusal:20%"]);
    let ran = refusing.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_right(&refusing, "out");
    let classes: BTreeSet<(String, String)> =
        rejects(&refusing, "out").into_iter().map(|(_, class, column)| (class, column)).collect();
    let found: Vec<(&str, &str)> = classes.iter().map(|(class, column)| (class.as_str(), column.as_str())).collect();
    assert_eq!(found, [("keep_if", "verdict"), ("refused", "facts"), ("refused", "mood"), ("refused", "verdict")]);
}

fn parts(rehearsal: &Rehearsal, folder: &str) -> Vec<PathBuf> {
    let table = rehearsal.folder.path().join(folder).join("reviews");
    let mut parts: Vec<PathBuf> = fs::read_dir(table).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    parts
}

#[test]
fn every_format_holds_structs_and_verifies() {
    let rehearsal = Rehearsal::start(SPEC, &[]);
    let ran = rehearsal.run("jsonl", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    let rows = rehearsal.rows("jsonl");
    for name in ["parquet", "csv", "json", "arrow"] {
        fs::write(
            rehearsal.folder.path().join("reviews.yaml"),
            SPEC.replace("format: jsonl", &format!("format: {name}")),
        )
        .unwrap();
        let ran = rehearsal.run(name, &[]);
        assert!(ran.status.success(), "{name}: {}", said(&ran));
        assert_verifies(&rehearsal, name);
    }
    let int = |name: &str| Field::new(name, DataType::Int64, true);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let verdict = Fields::from(vec![int("fluency"), text("fluency_reason"), int("accuracy"), text("accuracy_reason")]);
    let schema = Arc::new(Schema::new(vec![Field::new("verdict", DataType::Struct(verdict), true)]));
    for name in ["parquet", "csv", "arrow"] {
        let mut found = Vec::new();
        for part in parts(&rehearsal, name) {
            let columns = ["verdict".to_owned()];
            let options = WriteOptions::new(Compression::None);
            // CSV tells columns apart by its header, and the schema has one of them.
            let batches = format(name).unwrap().open(&part, Some(&columns), Arc::clone(&schema), &options).unwrap();
            for batch in batches {
                let batch = batch.unwrap();
                let verdict = batch.column(0).as_struct().clone();
                let scores = verdict.column(0).as_primitive::<Int64Type>();
                let reasons = verdict.column(1).as_string::<i32>();
                found.extend((0..verdict.len()).map(|row| (scores.value(row), reasons.value(row).to_owned())));
            }
        }
        let of = |row: &Value| {
            (row["verdict"]["fluency"].as_i64().unwrap(), row["verdict"]["fluency_reason"].as_str().unwrap().to_owned())
        };
        assert_eq!(found, rows.iter().map(of).collect::<Vec<_>>(), "{name}");
    }
}
