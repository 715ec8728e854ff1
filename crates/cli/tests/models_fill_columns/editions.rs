//! A dataset built again after its spec was edited: only what has changed is asked for.

use crate::rehearsal::{Rehearsal, said};

const SPEC: &str = "
shardmill: 1
name: reviews
output: {format: jsonl, shard_rows: 150}
tables:
  reviews:
    rows: 600
    columns:
      id: {sequence: 1}
      title: {llm_text: {model: rehearsal/mock-1, prompt: 'A title for product {{ id }}.', max_output_tokens: 10}}
      review: {llm_text: {model: rehearsal/mock-1, prompt: 'Review product {{ id }}.', max_output_tokens: 40}}
      answer: {llm_text: {model: rehearsal/mock-1, prompt: 'Answer {{ review }}', max_output_tokens: 20}}
";

#[test]
fn what_has_not_changed_is_not_bought_again() {
    let rehearsal = Rehearsal::start(SPEC, &[]);
    let mut charged = 0;
    let mut edition = |edits: &[(&str, &str)], calls: u64, why: &str| {
        let spec = edits.iter().fold(SPEC.to_owned(), |spec, (from, to)| spec.replace(from, to));
        rehearsal.write_spec(&spec);
        let ran = rehearsal.run("out", &["--overwrite"]);
        assert!(ran.status.success(), "{why}: {}", said(&ran));
        charged += calls;
        assert_eq!(rehearsal.charged(), charged, "{why}");
        let rows = rehearsal.rows("out");
        assert!(rows.iter().all(|row| row["answer"].as_str().is_some_and(|answer| !answer.is_empty())), "{why}");
        rows
    };
    let first = edition(&[], 1_800, "the first edition buys everything");
    let prompt = ("Review product", "Review in two words product");
    edition(&[prompt], 1_200, "a prompt was edited: its column, and the one that reads it");
    let more = ("rows: 600", "rows: 700");
    let third = edition(&[more], 300, "a hundred rows more; the first prompt again, whose answers are still known");
    assert_eq!(third[..600], first, "the same questions have the same answers");
    let never = ("max_output_tokens: 10", "max_output_tokens: 10, reuse: never");
    edition(&[more, never], 700, "titles are wanted anew");
}
