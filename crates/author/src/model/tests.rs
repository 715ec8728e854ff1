//! The prompts hold what a model needs to write specs, and their example is one.

use shardmill_engine::describe;
use shardmill_engine::generators::{ANSWERED, GENERATORS};
use shardmill_engine::modifiers::MODIFIERS;
use shardmill_llm::prompts::{Prompts, SlotValue, slots};

use crate::spec::check;
use crate::testing::{KNOWN, compile};

fn filled(name: &str, values: SlotValue) -> String {
    Prompts::shipped().fill(name, &values).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
}

fn system() -> String {
    filled("spec_system", slots! { reference => describe::brief(&KNOWN) })
}

#[test]
fn the_model_is_told_who_it_is_and_the_whole_language() {
    let text = system();
    holds(&text, &["data architect", "`shardmill: 1`", "`name`", "`seed`", "`timeframe`", "`tables`", "`columns`"]);
    holds(
        &text,
        &["An entity", "`rows`", "A fact", "`parent`", "`fanout`", "foreign key", "`pk`", "`null_rate`", "`rollup`"],
    );
    holds(&text, &["int, float, string, bool, datetime, date", "decimal(p,s)", "no Markdown, no prose"]);
    for info in GENERATORS.iter().filter(|info| !ANSWERED.contains(&info.name)) {
        let params = info.params.iter().filter(|param| !param.about.starts_with("the same as"));
        let line = text.lines().find(|line| line.starts_with(&format!("- {}: ", info.name)));
        let line = line.unwrap_or_else(|| panic!("{}", info.name));
        params.for_each(|param| assert!(line.contains(&format!("{} (", param.name)), "{}: {}", info.name, param.name));
    }
    MODIFIERS.iter().for_each(|info| holds(&text, &[&format!("- {}: ", info.name)]));
    // What is said of its size in docs/create.md holds.
    assert!(text.len() / 4 < 6_000, "{} tokens", text.len() / 4);
}

#[test]
fn the_example_in_the_prompt_is_a_spec() {
    let text = system();
    let (_, example) = text.split_once("one of their events:\n").expect("has an example");
    let (example, _) = example.split_once("\nAnswer with").expect("ends");
    let checked = check(example, &compile);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    assert_eq!(checked.tables.len(), 2);
}

#[test]
fn the_question_says_what_a_good_spec_has() {
    let text = filled("spec_user", slots! { description => "a shop {{ x }}" });
    holds(
        &text,
        &["<description>\na shop {{ x }}\n</description>", "gives you no orders", "realistic names", "foreign key"],
    );
    holds(
        &text,
        &["100 to 1000", "`fanout`", "timestamp", "`timeframe`", "Modifiers", "`faker`", "YAML document alone"],
    );
}

#[test]
fn the_repair_names_the_spec_its_problems_and_what_they_come_from() {
    let values =
        slots! { description => "a shop", spec => "tables: {}", problems => ["line 3: one", "two"], more => 7 };
    let text = filled("spec_repair", values);
    holds(&text, &["<spec>\ntables: {}\n</spec>", "- line 3: one\n- two\n", "There are 7 more"]);
    holds(&text, &["must be given", "a slip in it", "missing `parent`", "without `from`", "2026-01-31T12:00:00Z"]);
    holds(&text, &["<description>\na shop\n</description>", "no Markdown, no prose", "fewer distributions"]);
}

#[test]
fn the_questions_are_numbered_few_and_easy_to_answer() {
    let text = filled("spec_questions", slots! { description => "a shop", missing => ["how many rows"], most => 2 });
    holds(&text, &["It does not say how many rows.", "at most 2 questions", "`Q1: …?`", "Q1: yes, Q2: no", "yes, no"]);
}
