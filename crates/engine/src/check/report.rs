//! What the checks of a dataset found: results, their counts and the verdict. Pure.

use std::collections::BTreeMap;

use super::score::score;

/// What a check is about. A result is filed by its group, never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Files, rows, columns and keys.
    Structural,
    /// The values of single rows.
    Value,
    /// Figures over the whole dataset.
    Behavioral,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 3] = [Self::Structural, Self::Value, Self::Behavioral];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structural => "structural",
            Self::Value => "value",
            Self::Behavioral => "behavioral",
        }
    }
}

/// One figure of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Whole things: rows, files.
    Count(u64),
    /// A measure or a share.
    Number(f64),
    /// A value.
    Text(String),
    /// Some values.
    List(Vec<String>),
}

/// What one check found.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// What was checked: the kind of check, a colon, and the table or column.
    pub name: String,
    /// What the check is about.
    pub group: Group,
    /// The table.
    pub table: String,
    /// Whether the dataset is as promised.
    pub passed: bool,
    /// One line for people.
    pub message: String,
    /// The figures behind it.
    pub details: Vec<(&'static str, Detail)>,
}

/// Which dataset was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Its name.
    pub dataset_name: String,
    /// The version its spec states, if it states one.
    pub version: Option<String>,
    /// Where it was read.
    pub data_directory: String,
    /// The digest of its spec.
    pub spec_digest: String,
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Which dataset.
    pub metadata: Metadata,
    /// All results, in the order of the spec.
    pub results: Vec<CheckResult>,
}

/// How many checks there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// Those that passed.
    pub passed: u64,
    /// Those that failed.
    pub failed: u64,
}

impl Counts {
    /// Counts some results.
    pub fn of<'r>(results: impl IntoIterator<Item = &'r CheckResult>) -> Self {
        results.into_iter().fold(Self::default(), |counts, result| Self {
            total: counts.total + 1,
            passed: counts.passed + u64::from(result.passed),
            failed: counts.failed + u64::from(!result.passed),
        })
    }
}

impl Report {
    /// How many checks there were in all.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.results)
    }

    /// How many checks there were of each group that has any.
    pub fn by_group(&self) -> Vec<(Group, Counts)> {
        let of = |group| Counts::of(self.results.iter().filter(|result| result.group == group));
        Group::ALL.into_iter().map(|group| (group, of(group))).filter(|(_, counts)| counts.total > 0).collect()
    }

    /// How many checks there were of each table, by name.
    pub fn by_table(&self) -> BTreeMap<&str, Counts> {
        let mut tables: BTreeMap<&str, Vec<&CheckResult>> = BTreeMap::new();
        for result in &self.results {
            tables.entry(&result.table).or_default().push(result);
        }
        tables.into_iter().map(|(table, results)| (table, Counts::of(results))).collect()
    }

    /// The results that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| !result.passed)
    }

    /// 0 to 100.
    pub fn score(&self) -> f64 {
        score(&self.results)
    }

    /// Whether the dataset may be used: its score reaches `threshold` (0 to 100), and nothing structural failed. Keys,
    /// files, rows and columns are promises, not qualities that could be weighed.
    pub fn is_good(&self, threshold: f64) -> bool {
        let is_whole = self.failures().all(|result| result.group != Group::Structural);
        is_whole && self.score() >= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::result;
    use super::*;

    fn report(results: Vec<CheckResult>) -> Report {
        Report { metadata: Metadata::default(), results }
    }

    #[test]
    fn counts_are_kept_by_table_and_by_group() {
        let report = report(vec![
            result("a", Group::Structural, true),
            result("b", Group::Value, false),
            result("a", Group::Value, true),
        ]);
        assert_eq!(report.counts(), Counts { total: 3, passed: 2, failed: 1 });
        assert_eq!(report.by_table()["a"], Counts { total: 2, passed: 2, failed: 0 });
        assert_eq!(report.by_table()["b"], Counts { total: 1, passed: 0, failed: 1 });
        let groups: Vec<Group> = report.by_group().into_iter().map(|(group, _)| group).collect();
        assert_eq!(groups, [Group::Structural, Group::Value]);
    }

    #[test]
    fn a_broken_structure_is_never_good() {
        let mut results: Vec<CheckResult> = (0..99).map(|_| result("a", Group::Structural, true)).collect();
        assert!(report(results.clone()).is_good(80.0));
        results.push(result("a", Group::Structural, false));
        assert!(report(results.clone()).score() > 99.0);
        assert!(!report(results).is_good(80.0));
    }

    #[test]
    fn values_are_weighed_against_the_threshold() {
        let report = report(vec![result("a", Group::Value, false)]);
        assert_eq!(report.score(), 70.0);
        assert!(report.is_good(70.0));
        assert!(!report.is_good(70.1));
    }
}
