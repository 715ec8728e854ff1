//! The house rules that a machine can check, as tests: purity, arrows, sizes, manifests (CONTRIBUTING.md says why).
//! Every rule reports all its violations at once, each with file and line.

mod source;
mod tree;
mod sizes;
mod words;
mod purity;
mod manifests;
mod arrows;

use source::{Source, Violation};
use tree::Tree;

#[test]
fn every_rust_file_says_what_it_is_for() {
    check_each_rust_file(words::opening);
}

#[test]
fn files_stay_small() {
    check_each_rust_file(sizes::length);
}

#[test]
fn pure_modules_touch_nothing_outside() {
    check_each_rust_file(purity::purity);
}

#[test]
fn nothing_is_left_to_do_or_tied_to_one_machine() {
    let tree = Tree::read();
    demand(tree.sources.iter().flat_map(words::leftovers).collect());
}

#[test]
fn crates_depend_in_one_direction() {
    let tree = Tree::read();
    demand(tree.member_manifests().flat_map(arrows::direction).collect());
}

#[test]
fn versions_lints_and_licence_are_said_once() {
    let tree = Tree::read();
    demand(tree.member_manifests().flat_map(manifests::inherits).collect());
}

fn check_each_rust_file(rule: fn(&Source) -> Vec<Violation>) {
    let tree = Tree::read();
    let files: Vec<&Source> = tree.sources.iter().filter(|source| source.is_rust()).collect();
    assert!(!files.is_empty(), "found no Rust file: the tests look in the wrong place");
    demand(files.into_iter().flat_map(rule).collect());
}

fn demand(violations: Vec<Violation>) {
    let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(lines.is_empty(), "{} violations of the house rules\n{}\n", lines.len(), lines.join("\n"));
}
