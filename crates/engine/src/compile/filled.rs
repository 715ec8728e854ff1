//! What tables with filled columns cannot do: a model may refuse a row, and answers cannot be made again from a key. Pure.

use super::draft::Drafts;
use crate::tables::{Parent, Tables};

/// Refuses what would need rows that a model may have refused, or answers that nobody has.
pub fn check(tables: &Tables, drafts: &Drafts<'_>) -> Option<()> {
    let mut is_right = Some(());
    for (at, table) in tables.list.iter().enumerate() {
        let Some(filled) = table.columns.iter().position(|column| column.filling().is_some()) else { continue };
        let place = &drafts.tables[at].columns[filled].place;
        let (own, column) = (&table.name, &table.columns[filled].name);
        if table.duplicates.is_some() {
            is_right = place.problem(
                format!("`{own}` repeats rows, and `{column}` is filled by a model"),
                "a table without `duplicates`",
            );
        }
        if table.columns.iter().any(|column| column.filling().is_some() && column.nulls.is_some()) {
            is_right = place.problem("answers would be paid for and then be null", "no `null_rate` on a filled column");
        }
        for (column, draft) in table.columns.iter().zip(&drafts.tables[at].columns) {
            if !column.nullable && column.generator.may_be_null() && column.filling().is_some() {
                is_right =
                    draft.place.problem("rows are skipped, and the column may not be null", "no `nullable: false`");
            }
        }
        if let Some(other) = referring(tables, at) {
            is_right = place.problem(
                format!(
                    "table `{other}` refers to `{own}`, which loses the rows that a model refuses: not supported yet"
                ),
                "filled columns in tables that no other table refers to",
            );
        }
    }
    is_right
}

/// A table that reads rows of this one.
fn referring(tables: &Tables, filled: usize) -> Option<&str> {
    let reads = |at: &usize| tables.neighbours(*at).contains(&filled);
    let is_child = |at: &usize| matches!(&tables.list[*at].parent, Some(Parent { table, .. }) if *table == filled);
    let referring = (0..tables.list.len()).find(|at| reads(at) || is_child(at));
    referring.map(|at| tables.list[at].name.as_str())
}

#[cfg(test)]
mod tests {
    use shardmill_shared::spec::envelope::Known;
    use shardmill_shared::spec::{Report, Spec, document};

    use crate::compile::{ENGINES, compile};

    const KNOWN: Known<'static> =
        Known { kinds: &["tables"], formats: &["parquet"], compressions: &["zstd"], engines: ENGINES };

    fn problems(tables: &str) -> String {
        let report = Report::strict();
        let spec = document::parse(&format!("shardmill: 1\nname: a\ntables:\n{tables}"), &report)
            .and_then(|document| Spec::read(&document, &KNOWN, &report))
            .expect("the envelope is right");
        compile(&spec, &report);
        report.into_problems().iter().map(|problem| format!("{}: {problem}\n", problem.path)).collect()
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        let column = "text: {llm_text: {model: p/m, prompt: 'About {{ name }}.'}}";
        let name = "name: {faker: name}";
        for (tables, expected) in [
            (format!("  t: {{rows: 3, columns: {{{name}, {column}}}}}"), ""),
            (format!("  t: {{rows: 3, columns: {{{column}}}}}"), "there is no column of `t` named `name`"),
            (format!("  t: {{rows: 3, duplicates: 0.1, columns: {{{name}, {column}}}}}"), "repeats rows"),
            (
                format!(
                    "  t: {{rows: 3, columns: {{id: {{sequence: 1}}, {name}, {column}}}}}\n  u: {{rows: 3, columns: {{t: {{lookup: t.id}}}}}}"
                ),
                "table `u` refers to `t`",
            ),
            (
                format!(
                    "  t: {{rows: 3, columns: {{{name}, text: {{null_rate: 0.5, llm_text: {{model: p/m, prompt: x}}}}}}}}"
                ),
                "answers would be paid for",
            ),
            (
                "  t: {rows: 3, columns: {text: {llm_text: {model: m, prompt: x}}}}".to_owned(),
                "names no provider and model",
            ),
            (
                "  t: {rows: 3, columns: {text: {llm_text: {model: p/m, prompt: ' '}}}}".to_owned(),
                "the prompt is empty",
            ),
            ("  t: {rows: 3, columns: {text: {llm_text: {model: p/m, prompt: '{{ x'}}}}".to_owned(), "is no template"),
            (
                "  t: {rows: 3, columns: {text: {llm_text: {model: p/m, prompt: 'Say {{ text }}.'}}}}".to_owned(),
                "depend on themselves",
            ),
        ] {
            let found = problems(&tables);
            assert!(if expected.is_empty() { found.is_empty() } else { found.contains(expected) }, "{tables}\n{found}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_form_is_said_with_its_place() {
        let of = |kind: &str, rest: &str| {
            problems(&format!(
                "  t:\n    rows: 3\n    columns:\n      n: {{sequence: 1}}\n      x: {{{kind}: {{model: p/m, prompt: 'n {{{{ n }}}}', {rest}}}}}"
            ))
        };
        let (choice, json, judge) = ("llm_choice", "llm_json", "llm_judge");
        let schema = |text: &str| format!("schema: {{properties: {{a: {text}}}}}");
        let rubric = "rubric: {good: {about: it}}";
        for (kind, rest, expected) in [
            (choice, "choices: [a, b]".to_owned(), ""),
            (choice, "choices: [a]".to_owned(), "choices: there are 1 choices"),
            (choice, "choices: [a, a]".to_owned(), "choices.1: `a` is there twice"),
            (choice, "choices: [a, '']".to_owned(), "choices.1: a choice is empty"),
            (choice, "choices: [a, b], skip_if: 'n + 1'".to_owned(), "skip_if: it has type int"),
            (choice, "choices: [a, b], skip_if: 'm > 1'".to_owned(), "skip_if: in `m > 1`"),
            (
                choice,
                "choices: [a, b], examples: [{input: x, output: c}]".to_owned(),
                "examples.0.output: it is no answer",
            ),
            (choice, "choices: [a, b], vary: {tone: []}".to_owned(), "vary.tone: there are 0 texts"),
            (choice, "choices: [a, b], vary: {a tone: [x]}".to_owned(), "vary.a tone: `a tone` cannot be a name"),
            (json, schema("{type: string}"), ""),
            (json, schema("{type: text}"), "a.type: there is no type of JSON that a column can hold `text`"),
            (json, schema("{type: string, minimum: 1}"), "unknown key `minimum`"),
            (json, schema("{type: string, pattern: '('}"), "a.pattern: `(` is no pattern"),
            (json, schema("{type: [string, integer]}"), "a.type: a field has one type"),
            (json, schema("{type: array}"), "`items` is missing"),
            (json, schema("{type: integer, minimum: 3, maximum: 2}"), "nothing is from 3 to 2"),
            (
                json,
                schema("{type: object, properties: {b: {type: string}}, required: [c]}"),
                "there is no property `c`",
            ),
            (json, "schema: {type: string}".to_owned(), "schema: the column would not be a struct"),
            (
                json,
                format!("{}, examples: [{{input: x, output: {{a: 1}}}}]", schema("{type: string}")),
                "$.a: expected text, found 1",
            ),
            (judge, rubric.to_owned(), ""),
            (judge, "rubric: {good: {about: it, from: 3, to: 3}}".to_owned(), "rubric.good: scores from 3 to 3"),
            (judge, "rubric: {a b: {about: it}}".to_owned(), "cannot name a criterion"),
            (judge, "rubric: {a: {about: it}, a_reason: {about: it}}".to_owned(), "another criterion's reason"),
            (judge, format!("{rubric}, keep_if: 'gut > 1'"), "keep_if: in `gut > 1`"),
            (judge, format!("{rubric}, keep_if: good"), "keep_if: it has type int"),
        ] {
            let found = of(kind, &rest);
            assert!(if expected.is_empty() { found.is_empty() } else { found.contains(expected) }, "{rest}\n{found}");
        }
    }

    #[test]
    fn structs_are_read_by_field_only() {
        let json = "facts: {llm_json: {model: p/m, prompt: x, schema: {properties: {a: {type: integer}, b: {type: array, items: {type: string}}}}}}";
        for (columns, expected) in [
            (format!("{json}, n: {{expression: 'facts.a + 1'}}"), ""),
            (format!("{json}, n: {{llm_text: {{model: p/m, prompt: '{{{{ facts.a }}}} {{{{ facts }}}}'}}}}"), ""),
            (format!("{json}, n: {{expression: 'facts.c'}}"), "there is no field of `facts` named `c`"),
            (format!("{json}, n: {{expression: 'facts.b'}}"), "`facts.b` is a list or a struct"),
            (format!("{json}, n: {{expression: facts}}"), "it reads `facts`, whose values are structs"),
            (
                format!("{json}, n: {{llm_text: {{model: p/m, prompt: '{{{{ facts.a.b }}}}'}}}}"),
                "no field of `facts.a` named `b`",
            ),
            (json.replace("facts: {", "facts: {type: string, "), "its values are structs, and its type is string"),
            (json.replace("facts: {", "facts: {modifiers: [{multiply: 2}], "), "`multiply` cannot change structs"),
            (json.replace("facts: {", "facts: {unique: true, "), "values of `llm_json` can repeat"),
            (json.replace("facts: {", "facts: {constraints: {min: 1}, "), "its values are structs"),
            (
                json.replace("prompt: x,", "prompt: x, skip_if: 'true',")
                    .replace("facts: {", "facts: {nullable: false, "),
                "rows are skipped",
            ),
        ] {
            let tables = format!("  t: {{rows: 3, columns: {{{columns}}}}}");
            let found = problems(&tables);
            assert!(if expected.is_empty() { found.is_empty() } else { found.contains(expected) }, "{tables}\n{found}");
        }
    }
}
