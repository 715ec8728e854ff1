//! The report as JSON. Pure.

use serde_json::{Map, Value, json};
use shardmill_engine::check::report::{CheckResult, Counts, Detail, Report};

/// The report with `metadata`, `summary`, `failures` and `all_results`. It holds no clock: equal datasets in equal
/// places give equal reports.
pub fn to_json(report: &Report) -> Value {
    let counts = report.counts();
    let tables = report.by_table().into_iter().map(|(table, counts)| (table.to_owned(), of_counts(counts)));
    let groups = report.by_group().into_iter().map(|(group, counts)| (group.name().to_owned(), of_counts(counts)));
    json!({
        "metadata": {
            "dataset_name": report.metadata.dataset_name,
            "version": report.metadata.version,
            "data_directory": report.metadata.data_directory,
            "spec_digest": report.metadata.spec_digest,
        },
        "summary": {
            "total_validations": counts.total,
            "passed": counts.passed,
            "failed": counts.failed,
            "quality_score": report.score(),
            "by_table": tables.collect::<Map<_, _>>(),
            "by_type": groups.collect::<Map<_, _>>(),
        },
        "failures": report.failures().map(of_result).collect::<Vec<_>>(),
        "all_results": report.results.iter().map(of_result).collect::<Vec<_>>(),
    })
}

fn of_counts(counts: Counts) -> Value {
    json!({"total": counts.total, "passed": counts.passed, "failed": counts.failed})
}

fn of_result(result: &CheckResult) -> Value {
    let details: Map<String, Value> =
        result.details.iter().map(|(name, detail)| ((*name).to_owned(), of_detail(detail))).collect();
    json!({
        "name": result.name,
        "type": result.group.name(),
        "table": result.table,
        "passed": result.passed,
        "message": result.message,
        "details": details,
    })
}

fn of_detail(detail: &Detail) -> Value {
    match detail {
        Detail::Count(count) => json!(count),
        Detail::Number(number) => json!(number),
        Detail::Text(text) => json!(text),
        Detail::List(items) => json!(items),
    }
}

#[cfg(test)]
mod tests {
    use shardmill_engine::check::report::{Group, Metadata};

    use super::*;

    #[test]
    fn the_report_has_its_parts() {
        let result = CheckResult {
            name: "range:t.x".to_owned(),
            group: Group::Value,
            table: "t".to_owned(),
            passed: false,
            message: "1 of 2".to_owned(),
            details: vec![("violations", Detail::Count(1)), ("samples", Detail::List(vec!["row 1: 9".to_owned()]))],
        };
        let metadata = Metadata { dataset_name: "shop".to_owned(), ..Metadata::default() };
        let found = to_json(&Report { metadata, results: vec![result] });
        assert_eq!(found["metadata"]["dataset_name"], "shop");
        assert_eq!(found["summary"]["quality_score"], 70.0);
        assert_eq!(found["summary"]["by_table"]["t"], json!({"total": 1, "passed": 0, "failed": 1}));
        assert_eq!(found["summary"]["by_type"], json!({"value": {"total": 1, "passed": 0, "failed": 1}}));
        assert_eq!(found["failures"], found["all_results"]);
        assert_eq!(found["failures"][0]["details"], json!({"violations": 1, "samples": ["row 1: 9"]}));
    }
}
