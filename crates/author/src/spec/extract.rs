//! The spec in what a model says: bare, in a Markdown fence, or with prose around it. Pure.

use shardmill_shared::spec::Report;
use shardmill_shared::spec::document::parse;

/// What a spec begins with, in either form.
const OPENINGS: &[&str] =
    &["shardmill", "kind", "name", "version", "metadata", "seed", "timeframe", "output", "tables"];

/// The text of the spec in an answer: the first part of it that reads as a map of tables, else the likeliest one.
pub fn extract(answer: &str) -> String {
    let candidates = candidates(answer);
    let is_spec = |text: &&String| {
        let tree = parse(text, &Report::strict());
        tree.is_some_and(|tree| tree.get("tables").is_some() || tree.get("nodes").is_some())
    };
    candidates.iter().find(is_spec).or(candidates.first()).cloned().unwrap_or_default()
}

/// The parts of an answer that may be the spec, the likeliest first.
fn candidates(answer: &str) -> Vec<String> {
    let text = answer.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut found = fenced(&text);
    found.push(without_prose(&text));
    found.extend(braced(&text));
    found.push(text);
    found.into_iter().map(|text| format!("{}\n", text.trim_end())).filter(|text| !text.trim().is_empty()).collect()
}

/// The blocks between lines that begin with a fence, the longest first; one that never ends goes to the end.
fn fenced(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<&str>> = None;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        match (&mut open, is_fence) {
            (Some(lines), true) => {
                blocks.push(lines.join("\n"));
                open = None;
            }
            (Some(lines), false) => lines.push(line),
            (None, true) => open = Some(Vec::new()),
            (None, false) => {}
        }
    }
    blocks.extend(open.map(|lines| lines.join("\n")));
    blocks.sort_by_key(|block| std::cmp::Reverse(block.len()));
    blocks
}

/// From the first line that begins like a spec to the last that can belong to it. Comments right above stay.
fn without_prose(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let opens =
        |line: &&str| OPENINGS.iter().any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    let Some(mut first) = lines.iter().position(opens) else { return String::new() };
    while first > 0 && lines[first - 1].starts_with('#') {
        first -= 1;
    }
    let belongs = |line: &&&str| {
        let is_key = line.split_once(':').is_some_and(|(key, _)| !key.contains(' ') && !key.is_empty());
        line.is_empty() || line.starts_with([' ', '#', '-', '}', ']']) || is_key
    };
    let end = lines[first..].iter().take_while(belongs).count();
    lines[first..first + end].join("\n")
}

/// From the first brace to the last.
fn braced(text: &str) -> Option<String> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    (start < end).then(|| text[start..=end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str =
        "# Shop.\nshardmill: 1\nname: a\ntables:\n  # Who.\n  t: {rows: 1, columns: {id: {sequence: 1}}}\n";

    #[test]
    fn a_spec_is_found_in_whatever_stands_around_it() {
        for answer in [
            SPEC.to_owned(),
            format!("```yaml\n{SPEC}```"),
            format!("Here it is:\n\n```\n{SPEC}```\nSay if it should be shorter."),
            format!("Sure! Here is the spec.\n\n{SPEC}\nI hope that this helps you."),
            format!("```yaml\n{SPEC}"),
            format!("```sh\nls\n```\n```yaml\n{SPEC}\n```"),
            SPEC.replace('\n', "\r\n"),
        ] {
            assert_eq!(extract(&answer).trim(), SPEC.trim(), "{answer}");
        }
        let json = r#"{"shardmill": 1, "name": "a", "tables": {"t": {"columns": {"id": {"sequence": 1}}}}}"#;
        for answer in [json.to_owned(), format!("Here: {json} Good?"), format!("```json\n{json}\n```")] {
            assert_eq!(extract(&answer).trim(), json, "{answer}");
        }
    }

    #[test]
    fn an_answer_without_a_spec_is_taken_as_it_is() {
        assert_eq!(extract("I cannot do that."), "I cannot do that.\n");
        assert_eq!(extract(""), "");
    }
}
