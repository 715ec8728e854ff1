//! One number for how much of what was promised is there. Pure.

use super::report::{CheckResult, Counts, Group};

/// How much a group counts; the weights sum to 1.
const fn weight(group: Group) -> f64 {
    match group {
        Group::Structural => 0.5,
        Group::Value => 0.3,
        Group::Behavioral => 0.2,
    }
}

/// The weighted shares of passed checks, 0 to 100. A group without checks has nothing against it.
pub fn score(results: &[CheckResult]) -> f64 {
    let share = |group| {
        let counts = Counts::of(results.iter().filter(|result| result.group == group));
        if counts.total == 0 { 1.0 } else { counts.passed as f64 / counts.total as f64 }
    };
    100.0 * Group::ALL.into_iter().map(|group| weight(group) * share(group)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::samples::result;
    use super::*;

    #[test]
    fn groups_have_their_weights() {
        for (passed, expected) in [
            ([true, true, true], 100.0),
            ([false, true, true], 50.0),
            ([true, false, true], 70.0),
            ([true, true, false], 80.0),
        ] {
            let results: Vec<CheckResult> =
                Group::ALL.into_iter().zip(passed).map(|(group, passed)| result("a", group, passed)).collect();
            assert!((score(&results) - expected).abs() < 1e-9, "{passed:?}");
        }
    }

    #[test]
    fn an_empty_group_has_nothing_against_it() {
        assert_eq!(score(&[]), 100.0);
        let half = [result("a", Group::Value, true), result("a", Group::Value, false)];
        assert!((score(&half) - 85.0).abs() < 1e-9);
    }
}
