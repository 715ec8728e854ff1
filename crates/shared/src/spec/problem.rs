//! Everything that is wrong with a spec, said so that its author can mend it. Pure.

use std::cell::{Cell, RefCell};
use std::fmt;

/// The most findings that are listed: nobody reads more, and a hostile document has one on every line.
pub const FINDINGS_MAX: usize = 1_000;

/// The most letters in which a name may differ from what was meant.
const MISTAKES: usize = 4;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The spec is refused.
    Error,
    /// The spec runs; the author should know.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the spec is refused for it.
    pub severity: Severity,
    /// The line in the file, counted from 1; 0 when it belongs to no line.
    pub line: usize,
    /// Where in the document: `tables.users.columns.email`.
    pub path: String,
    /// What is wrong, with the value that is.
    pub message: String,
    /// What was expected there.
    pub expected: Option<String>,
    /// The nearest right name.
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}

/// Collects the findings of one document while it is read.
#[derive(Debug, Default)]
pub struct Report {
    problems: RefCell<Vec<Problem>>,
    /// Findings beyond [`FINDINGS_MAX`], and whether an error is among them.
    unlisted: Cell<usize>,
    is_error_unlisted: Cell<bool>,
    lenient: bool,
}

impl Report {
    /// A report that takes unknown keys as errors.
    pub fn strict() -> Self {
        Self::default()
    }

    /// A report that takes unknown keys as warnings.
    pub fn lenient() -> Self {
        Self { lenient: true, ..Self::default() }
    }

    /// Adds a finding. Beyond [`FINDINGS_MAX`] they are counted only.
    pub fn add(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < FINDINGS_MAX {
            return problems.push(problem);
        }
        self.unlisted.set(self.unlisted.get() + 1);
        self.is_error_unlisted.set(self.is_error_unlisted.get() || problem.severity == Severity::Error);
    }

    /// Adds an error about the document as a whole.
    pub fn fatal(&self, line: usize, message: String, expected: String) {
        self.add(Problem {
            severity: Severity::Error,
            line,
            path: String::new(),
            message,
            expected: Some(expected),
            nearest: None,
        });
    }

    /// How an unknown key is taken.
    pub const fn unknown_key(&self) -> Severity {
        if self.lenient { Severity::Warning } else { Severity::Error }
    }

    /// Whether anything found so far refuses the spec.
    pub fn has_errors(&self) -> bool {
        self.is_error_unlisted.get() || self.problems.borrow().iter().any(|p| p.severity == Severity::Error)
    }

    /// All findings by line, each once, and last how many are not listed.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| (a.line, &a.path).cmp(&(b.line, &b.path)));
        problems.dedup();
        if self.unlisted.get() > 0 {
            problems.push(Problem {
                severity: if self.is_error_unlisted.get() { Severity::Error } else { Severity::Warning },
                line: 0,
                path: String::new(),
                message: format!("{} more findings are not listed", self.unlisted.get()),
                expected: None,
                nearest: None,
            });
        }
        problems
    }
}

/// The candidate nearest to `name`, if one is near enough to be what was meant.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let lower = name.to_lowercase();
    let allowed = |candidate: &str| (candidate.len().max(name.len()) / 3).clamp(1, MISTAKES);
    candidates
        .into_iter()
        // Comparing takes the product of both lengths: what cannot be near is not compared.
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 4 * MISTAKES)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}
