//! The loop: ask, find the spec, check and try it, mend what is certain, ask again with every finding.

use shardmill_engine::describe;
use shardmill_llm::prompts::slots;
use shardmill_llm::{
    Ask, AskError, Asker, Doors, Finish, Gateway, MemoryJournal, Parameters, Purse, Request, Route, Told,
};
use shardmill_shared::job::NanoUsd;
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Problem, Severity};

use super::purse::SmallPurse;
use crate::error::AuthorError;
use crate::limits::{ANSWER_TOKENS_MAX, FINDINGS_MAX, REPAIRS_MAX};
use crate::spec::{Checked, Compile, extract, mended};

/// The prompts of specs.
const SYSTEM: &str = "spec_system";
const QUESTION: &str = "spec_user";
const REPAIR: &str = "spec_repair";

/// Whom to ask, with what money, and how often.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The way to all providers.
    pub gateway: &'a Gateway,
    /// The model.
    pub route: &'a Route,
    /// The money.
    pub purse: &'a SmallPurse,
    /// How often a spec that cannot be used is sent back.
    pub repairs: u32,
    /// What specs may name: the language that the model is taught.
    pub known: &'a Known<'a>,
    /// How a spec is read.
    pub compile: Compile<'a>,
}

/// What asking took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Calls, failed ones included.
    pub calls: u32,
    /// Tokens of prompts and answers together, as far as providers said.
    pub tokens: u64,
    /// Money.
    pub paid: NanoUsd,
}

/// A spec that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The text.
    pub text: String,
    /// What checking it found: nothing that refuses it.
    pub checked: Checked,
    /// What was mended without the model.
    pub mended: Vec<String>,
    /// How often it was sent back.
    pub repairs: u32,
}

impl Spent {
    pub(super) fn add(&mut self, told: &Told) {
        self.calls += told.calls;
        self.tokens += told.usage.prompt_tokens() + told.usage.output_tokens;
        self.paid = self.paid.saturating_add(told.paid);
    }
}

/// A spec of what is described, written by a model.
///
/// # Errors
/// When the model is not reached or not paid, or its last attempt still has problems.
pub async fn write(asking: &Asking<'_>, description: &str, spent: &mut Spent) -> Result<Attempt, AuthorError> {
    let prompts = asking.gateway.prompts();
    let reference = describe::brief(asking.known);
    let system = prompts.fill(SYSTEM, &slots! { reference => reference })?;
    let description = inside(description, "description");
    let mut question = prompts.fill(QUESTION, &slots! { description => &description })?;
    let most = asking.repairs.min(REPAIRS_MAX);
    let mut last: Option<String> = None;
    let mut repairs = 0;
    loop {
        let request = Request::of(question.as_str(), parameters(asking)).with_system(system.as_str());
        let told = match ask(asking, &request, spent).await {
            Ok(told) => told,
            Err(error) => return Err(AuthorError::Unanswered { error, spent: *spent, attempt: last }),
        };
        let (text, checked, changes) = mended(&extract(&told.text), asking.compile);
        let problems = problems(&checked, &told);
        if problems.is_empty() {
            return Ok(Attempt { text, checked, mended: changes, repairs });
        }
        if repairs == most {
            return Err(AuthorError::Hopeless { attempt: text, problems, spent: *spent });
        }
        let findings: Vec<String> = problems.iter().take(FINDINGS_MAX).map(finding).collect();
        let more = problems.len().saturating_sub(FINDINGS_MAX);
        let spec = inside(&text, "spec");
        let slots = slots! { description => &description, spec => spec, problems => findings, more => more };
        question = prompts.fill(REPAIR, &slots)?;
        last = Some(text);
        repairs += 1;
    }
}

/// A text that stands between tags, and cannot end them itself.
pub(super) fn inside(text: &str, tag: &str) -> String {
    text.replace(&format!("</{tag}"), &format!("< /{tag}"))
}

/// What refuses an attempt. A spec that was cut off has one problem: all others follow from it.
fn problems(checked: &Checked, told: &Told) -> Vec<Problem> {
    let errors = checked.errors();
    if told.finish == Finish::Length && !errors.is_empty() {
        return vec![Problem {
            severity: Severity::Error,
            line: 0,
            path: String::new(),
            message: "the answer was cut off at its greatest length".to_owned(),
            expected: Some("a shorter spec: fewer tables and columns, and fewer comments".to_owned()),
            nearest: None,
        }];
    }
    errors
}

/// A finding as a model is told it.
fn finding(problem: &Problem) -> String {
    match problem.line {
        0 => problem.to_string(),
        line => format!("line {line}: {problem}"),
    }
}

/// The provider's own ways, and as long an answer as the model can give, up to the bound.
fn parameters(asking: &Asking<'_>) -> Parameters {
    let provider = asking.gateway.provider(&asking.route.provider).ok();
    let price = provider.and_then(|provider| {
        asking.gateway.prices().find(provider.name().as_str(), provider.kind(), &asking.route.model)
    });
    let most = price.and_then(|price| price.max_output_tokens).and_then(|most| u32::try_from(most).ok());
    Parameters::with_at_most(most.unwrap_or(ANSWER_TOKENS_MAX).min(ANSWER_TOKENS_MAX))
}

/// One question. An answer that is empty or refused is an error: asking again in the same words would bring the same.
pub(super) async fn ask(asking: &Asking<'_>, request: &Request, spent: &mut Spent) -> Result<Told, AskError> {
    let journal = MemoryJournal::default();
    let doors = Doors { purse: Some(asking.purse as &dyn Purse), pace: &(), journal: &journal };
    let asker = Asker { row_key: &[], draw: 0 };
    let chain = std::slice::from_ref(asking.route);
    let told = asking.gateway.ask(Ask { doors, chain, request, asker, repairs: 0 }).await;
    match &told {
        Ok(told) => spent.add(told),
        Err(AskError::Rejected(rejection)) => {
            spent.calls += rejection.calls;
            spent.tokens += rejection.usage.prompt_tokens() + rejection.usage.output_tokens;
            spent.paid = spent.paid.saturating_add(rejection.paid);
        }
        // What a failed call may have cost is in the purse alone.
        Err(_) => spent.paid = spent.paid.max(asking.purse.spent()),
    }
    told
}
