//! Whether a job may start where something may be already. Pure.

use serde_json::Value;
use shardmill_shared::job::{Digest, ObjectPath, Plan, Success};

use crate::limits::DIFFERENCES;

/// A spec with its digest.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The digest of its canonical bytes.
    pub digest: Digest,
    /// What it says.
    pub value: Value,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The mark of a finished version.
    pub success: Option<Success>,
    /// The spec.
    pub spec: Option<Spec>,
    /// The plan.
    pub plan: Option<Plan>,
    /// A file, where nothing is ours.
    pub foreign: Option<ObjectPath>,
}

/// What to do with a version that is there and another than the wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Remove it first.
    Overwrite,
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The spec.
    pub spec: &'a Spec,
    /// The plan.
    pub plan: &'a Plan,
    /// What to do with another version.
    pub existing: Existing,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admit {
    /// Start: nothing is there.
    Fresh,
    /// Go on: the same job was not finished.
    Resume,
    /// Nothing to do: the same job was finished.
    AlreadyComplete(Success),
    /// Remove what is there, then start.
    Overwrite,
    /// Touch nothing.
    Refuse(Refusal),
}

/// Why a job may not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Files of someone else.
    #[error("the folder is not empty and not a dataset of shardmill (it has `{0}`): choose another")]
    Foreign(ObjectPath),
    /// Another spec was built there.
    #[error("another dataset is there already ({}): choose another folder, or overwrite it", .0.join(", "))]
    OtherSpec(Vec<String>),
    /// The same spec was begun with another plan.
    #[error("the dataset there was begun with another plan ({}): overwrite it, or finish it as it was begun", .0.join(", "))]
    OtherPlan(Vec<String>),
}

/// Decides whether a job may start.
pub fn admit(found: &Found, wanted: &Wanted<'_>) -> Admit {
    let Some(spec) = &found.spec else {
        return match (&found.foreign, found.success, wanted.existing) {
            (Some(path), ..) => Admit::Refuse(Refusal::Foreign(path.clone())),
            (None, None, _) => Admit::Fresh,
            (None, Some(_), Existing::Overwrite) => Admit::Overwrite,
            (None, Some(_), Existing::Keep) => {
                Admit::Refuse(Refusal::OtherSpec(vec!["its spec is missing".to_owned()]))
            }
        };
    };
    if spec.digest != wanted.spec.digest {
        let difference = difference(&spec.value, &wanted.spec.value);
        return overwrite_or(wanted.existing, Admit::Refuse(Refusal::OtherSpec(difference)));
    }
    let plan_difference = found.plan.as_ref().map_or_else(Vec::new, |plan| plan_difference(plan, wanted.plan));
    match found.success {
        Some(success) if plan_difference.is_empty() => Admit::AlreadyComplete(success),
        Some(success) => overwrite_or(wanted.existing, Admit::AlreadyComplete(success)),
        None if plan_difference.is_empty() => Admit::Resume,
        None => overwrite_or(wanted.existing, Admit::Refuse(Refusal::OtherPlan(plan_difference))),
    }
}

fn overwrite_or(existing: Existing, otherwise: Admit) -> Admit {
    match existing {
        Existing::Overwrite => Admit::Overwrite,
        Existing::Keep => otherwise,
    }
}

/// Where two plans differ. Another writer may finish what one began, shard by shard, so the writer is no difference.
fn plan_difference(found: &Plan, wanted: &Plan) -> Vec<String> {
    let value = |plan: &Plan| {
        let plan = Plan { writer: String::new(), ..plan.clone() };
        serde_json::to_value(plan).unwrap_or(Value::Null)
    };
    difference(&value(found), &value(wanted))
}

/// The first paths at which two documents differ, with what each has there.
fn difference(found: &Value, wanted: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare("", Some(found), Some(wanted), &mut differences);
    differences
}

fn compare(path: &str, found: Option<&Value>, wanted: Option<&Value>, differences: &mut Vec<String>) {
    if found == wanted || differences.len() == DIFFERENCES {
        return;
    }
    match (found, wanted) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let only_wanted = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(only_wanted) {
                compare(&join(path, key), a.get(key), b.get(key), differences);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                compare(&format!("{path}[{at}]"), a.get(at), b.get(at), differences);
            }
        }
        _ => differences.push(format!("{path}: {} there, {} wanted", brief(found), brief(wanted))),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The longest text of a value in a message.
const BRIEF_CHARACTERS: usize = 40;

fn brief(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::Object(_) | Value::Array(_)) => "another shape".to_owned(),
        Some(plain) => plain.to_string().chars().take(BRIEF_CHARACTERS).collect(),
    }
}

#[cfg(test)]
mod tests;
