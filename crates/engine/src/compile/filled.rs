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
}
