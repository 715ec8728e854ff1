//! `llm_text`: killed, out of money, refused and away.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::rehearsal::{Rehearsal, said};

const ROWS: u64 = 600;

const SPEC: &str = "
shardmill: 1
name: reviews
output: {format: jsonl, shard_rows: 150}
tables:
  products: {rows: 40, columns: {id: {sequence: 1}, name: {choice: {choices: [lamp, chair, desk]}}}}
  reviews:
    rows: 600
    columns:
      id: {sequence: 1}
      product_id: {lookup: products.id}
      review: {llm_text: {model: rehearsal/mock-1, prompt: 'Review {{ products.name }} number {{ id }}.', max_output_tokens: 40}}
      answer: {llm_text: {model: rehearsal/mock-1, system: You are polite., prompt: 'Answer {{ review }}', max_output_tokens: 20}}
      letters: {type: int, expression: 'length(review)'}
";

fn assert_whole(rows: &[Value]) {
    let ids: Vec<u64> = rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=ROWS).collect::<Vec<_>>());
    for row in rows {
        let (review, answer) = (row["review"].as_str().unwrap(), row["answer"].as_str().unwrap());
        assert!(!review.is_empty() && !answer.is_empty() && review != answer, "{row}");
        assert_eq!(row["letters"].as_u64().unwrap() as usize, review.chars().count(), "{row}");
    }
}

#[test]
fn every_row_is_asked_for_once_and_the_dataset_verifies() {
    let rehearsal = Rehearsal::start(SPEC, &[]);
    let ran = rehearsal.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_whole(&rehearsal.rows("out"));
    assert_eq!(rehearsal.charged(), 2 * ROWS);
    assert_eq!(rehearsal.account("out"), (ROWS, ROWS, 0));
    let verified = rehearsal.command(&["verify", "out"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let again = rehearsal.run("out", &[]);
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(rehearsal.charged(), 2 * ROWS, "what is complete is not asked for again");
}

#[test]
fn killed_again_and_again_it_buys_at_most_what_was_in_flight() {
    // Slow enough that a build is seen in its middle, whatever else the machine does.
    let rehearsal = Rehearsal::start(SPEC, &["--latency", "300ms"]);
    let mut kills = 0;
    for stop_at in [100, 300, 500, 700, 900] {
        let mut run = rehearsal.command(&["run", "reviews.yaml", "-o", "out", "--threads", "2"]);
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while rehearsal.charged() < stop_at && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(2));
        }
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    let ran = rehearsal.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(kills > 0, "no build was killed");
    assert_whole(&rehearsal.rows("out"));
    // Two shards at a time, 64 questions each.
    let charged = rehearsal.charged();
    assert!((2 * ROWS..=2 * ROWS + kills * 128).contains(&charged), "{charged} calls after {kills} kills");
    let calm = rehearsal.run("calm", &[]);
    assert!(calm.status.success(), "{}", said(&calm));
    assert_eq!(rehearsal.rows("calm"), rehearsal.rows("out"), "the same answers make the same rows");
}

#[test]
fn a_spent_budget_pauses_and_a_higher_one_goes_on() {
    let rehearsal = Rehearsal::start(SPEC, &[]);
    let paused = rehearsal.run("out", &["--budget", "0.02"]);
    assert_eq!(paused.status.code(), Some(3), "{}", said(&paused));
    assert!(said(&paused).contains("--budget"), "{}", said(&paused));
    let charged = rehearsal.charged();
    assert!(charged > 0 && charged < 2 * ROWS, "{charged} calls for two cents");
    let ran = rehearsal.run("out", &["--budget", "5"]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_whole(&rehearsal.rows("out"));
    assert_eq!(rehearsal.charged(), 2 * ROWS, "what two cents have bought is not bought again");
}

#[test]
fn a_budget_holds_however_often_the_build_is_killed() {
    let rehearsal = Rehearsal::start(SPEC, &["--latency", "30ms"]);
    let cap = "0.06";
    for stop_at in [60, 130, 200] {
        let mut run = rehearsal.command(&["run", "reviews.yaml", "-o", "out", "--threads", "2", "--budget", cap]);
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while rehearsal.charged() < stop_at && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(2));
        }
        // It may have paused by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }
    let ended = rehearsal.run("out", &["--budget", cap]);
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    let nano = rehearsal.bill()["cost_nano_dollars"].as_u64().unwrap();
    assert!(nano > 0 && nano <= 60_000_000, "{nano} nano-dollars for six cents");
    let ran = rehearsal.run("out", &["--budget", "5"]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_whole(&rehearsal.rows("out"));
}

#[test]
fn rows_that_a_model_refuses_are_missing_and_counted() {
    let rehearsal = Rehearsal::start(SPEC, &["--faults", "refusal:10%"]);
    let ran = rehearsal.run("out", &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    let (made, written, rejected) = rehearsal.account("out");
    assert!(made == ROWS && written + rejected == ROWS && rejected > 0, "{made} = {written} + {rejected}");
    let rows = rehearsal.rows("out");
    assert_eq!(rows.len() as u64, written);
    assert!(rows.iter().all(|row| !row["review"].as_str().unwrap().is_empty()), "no row of nothing");
}

#[test]
fn a_provider_that_is_away_ends_the_build_and_what_was_paid_is_kept() {
    let mut rehearsal = Rehearsal::start(SPEC, &["--latency", "30ms"]);
    let mut run = rehearsal.command(&["run", "reviews.yaml", "-o", "out"]);
    let child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while rehearsal.charged() < 200 {
        sleep(Duration::from_millis(2));
    }
    rehearsal.provider.kill().unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(said(&ended).contains("rehearsal"), "it names who is away: {}", said(&ended));
    let journal = rehearsal.folder.path().join("out/_shardmill/job/journal");
    assert!(journal.is_dir(), "answers that were paid for are kept");
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_spent() {
    let rehearsal = Rehearsal::start(SPEC, &[]);
    let spec = |from: &str, to: &str| rehearsal.write_spec(&SPEC.replace(from, to));
    for (from, to, expected) in [
        ("rehearsal/mock-1", "rehearsel/mock-1", "did you mean `rehearsal`?"),
        ("{{ id }}", "{{ di }}", "did you mean `id`?"),
    ] {
        spec(from, to);
        let ran = rehearsal.run("out", &[]);
        assert!(!ran.status.success() && said(&ran).contains(expected), "{to}: {}", said(&ran));
    }
    spec("", "");
    let ran = rehearsal.run("out", &["--budget", "0"]);
    assert!(!ran.status.success() && said(&ran).contains("may spend nothing"), "{}", said(&ran));
    let keyless =
        rehearsal.command(&["run", "reviews.yaml", "-o", "out"]).env_remove("REHEARSAL_KEY").output().unwrap();
    assert!(!keyless.status.success() && said(&keyless).contains("REHEARSAL_KEY"), "{}", said(&keyless));
    assert_eq!(rehearsal.charged(), 0);
}
