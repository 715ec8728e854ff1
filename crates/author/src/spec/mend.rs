//! Names with a slip in them made right without asking anybody: where a finding has one nearest name and its line has the
//! wrong one once. Pure.

use shardmill_shared::spec::Problem;

use super::check::{Checked, Compile, check};
use crate::limits::MENDINGS_MAX;

/// The text with such names mended, as long as that leaves fewer errors, and what the last check found.
pub fn mended(text: &str, compile: Compile<'_>) -> (String, Checked, Vec<String>) {
    let mut best = (text.to_owned(), check(text, compile), Vec::new());
    for _ in 0..MENDINGS_MAX {
        let errors = best.1.errors();
        let (next, changes) = once(&best.0, &errors);
        if changes.is_empty() {
            break;
        }
        let checked = check(&next, compile);
        // A mended key may bring its own findings to light, but never more of them than it takes away, or it was no slip.
        if checked.errors().len() > errors.len() {
            break;
        }
        let all = [best.2, changes].concat();
        best = (next, checked, all);
    }
    best
}

/// Every finding with a nearest name is mended on its line, or on the line of the key above it.
fn once(text: &str, problems: &[Problem]) -> (String, Vec<String>) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut changes = Vec::new();
    for problem in problems {
        let (Some(right), Some(wrong)) = (&problem.nearest, quoted(&problem.message)) else { continue };
        let Some(at) = problem.line.checked_sub(1).filter(|at| *at < lines.len()) else { continue };
        // The value of a key that opens a block begins below the key.
        for line in (at.saturating_sub(2)..=at).rev() {
            if let Some(next) = replaced(&lines[line], wrong, right) {
                lines[line] = next;
                changes.push(format!("`{wrong}` became `{right}`"));
                break;
            }
        }
    }
    (lines.join("\n") + "\n", changes)
}

/// The last name in quotes: `there is no column of X named Y`.
fn quoted(message: &str) -> Option<&str> {
    message.rsplit('`').nth(1).filter(|name| !name.is_empty())
}

/// The line with the one place of a name replaced; nothing when it is not there exactly once.
fn replaced(line: &str, wrong: &str, right: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let places: Vec<usize> = line
        .match_indices(wrong)
        .map(|(at, _)| at)
        .filter(|at| !line[..*at].ends_with(is_part) && !line[at + wrong.len()..].starts_with(is_part))
        .collect();
    let [at] = places[..] else { return None };
    Some(format!("{}{right}{}", &line[..at], &line[at + wrong.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::compile;

    #[test]
    fn slips_are_mended_and_comments_stay() {
        let text = "
shardmill: 1
name: a
tables:
  # Who buys.
  users:
    rows: 10
    colums: # all of them
      id: {sequence: 1}
      plan: {choce: [a, b]}
      email: {faker: emial}
  orders:
    parent: user
    columns: {user_id: {lookup: users.idd}}
";
        let (mended, checked, changes) = mended(text, &compile);
        assert!(checked.is_right(), "{:?}\n{mended}", checked.problems);
        assert!(mended.contains("# Who buys.") && mended.contains("columns: # all of them"), "{mended}");
        assert_eq!(changes.len(), 5, "{changes:?}");
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        assert_eq!(replaced("a: {chose: chose}", "chose", "choice"), None);
        assert_eq!(replaced("a: {chosen: 1}", "chose", "choice"), None);
        let (text, checked, changes) =
            mended("shardmill: 1\nname: a\ntables: {t: {columns: {x: {zzz: 1}}}}\n", &compile);
        assert!(!checked.is_right() && changes.is_empty() && text.contains("zzz"));
    }
}
