//! What the API needs of those who know kinds of datasets.

use std::fmt::Debug;

use shardmill_shared::job::{Name, Plan};
use shardmill_shared::spec::{Problem, Severity};

/// Reads specs.
pub trait Specs: Send + Sync + Debug {
    /// Checks and plans a spec in YAML or JSON for a tenant. It takes processor time, and may block.
    fn read(&self, text: &str, tenant: &Name) -> Checked;
}

/// What came of reading a spec.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Everything that was found, warnings included.
    pub problems: Vec<Problem>,
    /// The spec, unless it is refused.
    pub accepted: Option<Accepted>,
}

/// A spec that can be run.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The dataset it makes.
    pub dataset: Name,
    /// Its canonical text.
    pub spec: String,
    /// What it will do.
    pub plan: Plan,
}

/// The word for a severity.
pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
