//! What the tests of the checks share: small tables, batches and results.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report as Problems, Spec, document};

use super::report::{CheckResult, Group};
use crate::compile::{ENGINES, compile};
use crate::tables::Tables;

/// A result that only counts.
pub(crate) fn result(table: &str, group: Group, passed: bool) -> CheckResult {
    CheckResult {
        name: "check".to_owned(),
        group,
        table: table.to_owned(),
        passed,
        message: String::new(),
        details: Vec::new(),
    }
}

/// Tables from the body of a spec.
pub(crate) fn tables(body: &str) -> Tables {
    let text = format!("shardmill: 1\nname: test\ntimeframe: {{start: 2024-01-01, end: 2024-12-31, freq: H}}\n{body}");
    let known = Known { kinds: &["tables"], formats: &["csv"], compressions: &["none"], engines: ENGINES };
    let problems = Problems::strict();
    let made = document::parse(&text, &problems)
        .and_then(|document| Spec::read(&document, &known, &problems))
        .and_then(|spec| compile(&spec, &problems));
    made.unwrap_or_else(|| panic!("{:?}", problems.into_problems()))
}

/// A batch of named columns; all may be null.
pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// A column of texts.
pub(crate) fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(arrow::array::StringArray::from(values.to_vec()))
}
