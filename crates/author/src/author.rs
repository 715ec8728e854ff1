//! From a description to a spec that can be run, by either way.

use shardmill_shared::spec::document::parse;
use shardmill_shared::spec::{Report, Severity};

use crate::description::Description;
use crate::error::AuthorError;
use crate::model::{Asking, Attempt, Spent, write};
use crate::spec::{Checked, Compile, Heading, Rows, check, emit, headed};
use crate::template::{TEMPLATES, choose, tailor};

/// Who wrote a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A template, by its name.
    Template(&'static str),
    /// A model, written `PROVIDER/MODEL`.
    Model(String),
}

/// A spec that can be run as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The text, with a heading and comments.
    pub text: String,
    /// Who wrote it.
    pub source: Source,
    /// What was understood, what was not, and what to know.
    pub notes: Vec<String>,
    /// Its tables.
    pub tables: Vec<Rows>,
    /// What it took.
    pub spent: Spent,
}

/// A spec from the template that fits best, changed by what the description says. `file` is where it will be kept.
///
/// # Errors
/// When no template fits, or it cannot be as described.
pub fn by_template(description: &Description, compile: Compile<'_>, file: &str) -> Result<Made, AuthorError> {
    let choice = choose(description).ok_or_else(|| {
        let names: Vec<String> = TEMPLATES.iter().map(|template| template.name.replace('_', " ")).collect();
        AuthorError::NoTemplate { domains: names.join(", ") }
    })?;
    let template = choice.template;
    let tailored = tailor(template, description).fitted(compile);
    let text = tailored.text();
    let checked = check(&text, compile);
    if !checked.is_right() {
        return Err(AuthorError::Unfit { template: template.name, problems: checked.errors() });
    }
    let because: Vec<String> = choice.because.iter().map(|word| format!("`{word}`")).collect();
    let mut notes = vec![format!("no model was asked; the template is {}, for {}", template.name, because.join(", "))];
    notes.extend(
        choice
            .runner_up
            .map(|other| format!("the template {} fits nearly as well; say its domain to have it", other.name)),
    );
    notes.extend(tailored.notes);
    notes.extend(warnings(&checked));
    let made = format!("from the template {}, without a model", template.name);
    let heading = Heading { description: &description.text, made: &made, tables: &checked.tables, file };
    let text = headed(&heading, &text);
    Ok(Made { text, source: Source::Template(template.name), notes, tables: checked.tables, spent: Spent::default() })
}

/// A spec that a model writes. `spent` is what was spent for it before.
///
/// # Errors
/// When the model is not reached or not paid, or its last attempt still has problems.
pub async fn by_model(
    asking: &Asking<'_>,
    description: &str,
    file: &str,
    mut spent: Spent,
) -> Result<Made, AuthorError> {
    let Attempt { text, checked, mended, repairs } = write(asking, description, &mut spent).await?;
    let mut notes = Vec::new();
    if repairs > 0 {
        notes.push(format!("it was sent back {repairs} {}", if repairs == 1 { "time" } else { "times" }));
    }
    if !mended.is_empty() {
        notes.push(format!("mended without asking: {}", mended.join(", ")));
    }
    notes.extend(warnings(&checked));
    let made = format!("by the model {}, and checked", asking.route);
    let heading = Heading { description, made: &made, tables: &checked.tables, file };
    let text = headed(&heading, &formatted(text, &checked));
    Ok(Made { text, source: Source::Model(asking.route.to_string()), notes, tables: checked.tables, spent })
}

/// The model's own text where it has comments, else its tree as people read it.
fn formatted(text: String, checked: &Checked) -> String {
    let has_comments = text.lines().any(|line| line.trim_start().starts_with('#'));
    let Some(tree) = checked.tree.as_ref().filter(|_| !has_comments) else { return text };
    let emitted = emit(tree, &checked.tables);
    // What is written must read as what was checked.
    let read = parse(&emitted, &Report::strict());
    if read.is_some_and(|read| read.to_json() == tree.to_json()) { emitted } else { text }
}

fn warnings(checked: &Checked) -> Vec<String> {
    let warnings = checked.problems.iter().filter(|problem| problem.severity == Severity::Warning);
    warnings.map(|problem| format!("warning: {problem}")).collect()
}
