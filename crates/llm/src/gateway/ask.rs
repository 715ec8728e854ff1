//! One question to a chain of models: known answers first, then each in turn, and repairs by the same way.

use std::borrow::Cow;

use serde_json::Value;
use shardmill_shared::job::NanoUsd;

use super::buy::{Failed, Failures, find};
use super::take::{Objection, take};
use super::{Gateway, Route};
use crate::address::{Address, Asker, Question};
use crate::doors::{Answer, Broke, Journal, JournalError, Pace, Purse};
use crate::error::Class;
use crate::limits::{QUOTED_BYTES_MAX, REPAIRS_MAX};
use crate::provider::Provider;
use crate::reply::{Finish, Usage};
use crate::request::Request;
use crate::structured::Rejection;

/// Where money, pace and memory come from.
#[derive(Clone, Copy)]
pub struct Doors<'a> {
    /// Who holds the money; without one nothing is held, and no price need be known.
    pub purse: Option<&'a dyn Purse>,
    /// Who lets calls through.
    pub pace: &'a dyn Pace,
    /// Who remembers answers.
    pub journal: &'a dyn Journal,
}

/// A question.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Where money, pace and memory come from.
    pub doors: Doors<'a>,
    /// The models, the first choice first.
    pub chain: &'a [Route],
    /// What is asked.
    pub request: &'a Request,
    /// For whom.
    pub asker: Asker<'a>,
    /// How often an answer that does not fit may be asked for again.
    pub repairs: u32,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was bought now.
    Bought,
    /// It was paid for before.
    Known,
}

/// An answer that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What the model said, without control characters.
    pub text: String,
    /// The value in it, where a schema was given.
    pub value: Option<Value>,
    /// Why it ended.
    pub finish: Finish,
    /// Who said it.
    pub route: Route,
    /// The address of the last answer.
    pub address: Address,
    /// Where the last answer comes from.
    pub source: Source,
    /// Calls that were made now, failed ones included.
    pub calls: u32,
    /// What all answers used, as far as providers said, those that were known before included.
    pub usage: Usage,
    /// What was paid now; calls of unknown cost at their worst case.
    pub paid: NanoUsd,
    /// What the answers that were known before did cost then.
    pub saved: NanoUsd,
}

/// Why there is no answer, by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// This question has no answer that can be taken: go on with the next row.
    #[error("rejected: {}", .0.reasons.join("; "))]
    Rejected(Box<Rejection>),
    /// The budget is spent: pause.
    #[error("the budget is spent; raise it, and the job goes on where it is")]
    Exhausted,
    /// One call may cost more than the whole budget: refuse.
    #[error("one call may cost ${worst}, more than the whole budget of ${cap}; raise it, or lower max_output_tokens")]
    Over {
        /// What it may cost.
        worst: NanoUsd,
        /// The budget.
        cap: NanoUsd,
    },
    /// The attempt is to end: park.
    #[error("stopped: {0}")]
    Stopped(String),
    /// No provider of the chain answers now: try later.
    #[error("{message}")]
    Unavailable {
        /// The kind of the last failure.
        class: Class,
        /// What each provider said.
        message: String,
        /// In how many milliseconds a provider wants to be asked again, if it says so.
        after_ms: Option<u64>,
    },
    /// Asking again changes nothing: a person must mend what it says.
    #[error("{0}")]
    Misconfigured(String),
    /// Answers cannot be kept: try later.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What a question has cost so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: u32,
    pub(super) usage: Usage,
    pub(super) paid: NanoUsd,
    pub(super) saved: NanoUsd,
}

/// An answer, and where it comes from.
pub(super) struct Got<'a> {
    pub(super) answer: Answer,
    pub(super) route: &'a Route,
    pub(super) address: Address,
    pub(super) source: Source,
}

impl Gateway {
    /// Asks, and asks again where the answer does not fit.
    ///
    /// # Errors
    /// Why there is no answer, by what the caller can do.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Told, AskError> {
        let problems = ask.request.parameters.problems();
        if !problems.is_empty() {
            return Err(AskError::Misconfigured(problems.join("; ")));
        }
        let mut tally = Tally::default();
        let mut request = Cow::Borrowed(ask.request);
        let mut repairs = ask.repairs.min(REPAIRS_MAX);
        loop {
            let got = self.answer(&ask, &request, &mut tally).await?;
            let objection = match take(&request, &got.answer) {
                Ok((text, value)) => return Ok(told(got, tally, (text, value))),
                Err(objection) => objection,
            };
            if repairs == 0 || objection.is_final() {
                return Err(objection.rejected(&got.answer, &tally));
            }
            repairs -= 1;
            request = Cow::Owned(self.repair(&request, &got.answer, &objection)?);
        }
    }

    /// The conversation that asks for an answer again.
    fn repair(&self, request: &Request, answer: &Answer, objection: &Objection) -> Result<Request, AskError> {
        let quoted = crate::structured::shortened(&answer.text, QUOTED_BYTES_MAX);
        // Providers take no empty turn.
        let quoted = if quoted.trim().is_empty() { "(nothing)".to_owned() } else { quoted };
        Ok(request.after(quoted, self.repair_question(&objection.reasons)?))
    }

    /// One answer to a conversation: known by any model of the chain, or bought from the first that gives one.
    async fn answer<'a>(&self, ask: &Ask<'a>, request: &Request, tally: &mut Tally) -> Result<Got<'a>, AskError> {
        let question = Question::new(request, ask.asker, self.instruction.as_bytes());
        let addressed = ask.chain.iter().map(|route| {
            let provider =
                self.provider(&route.provider).map_err(|error| AskError::Misconfigured(error.to_string()))?;
            Ok((route, provider, question.to(provider.kind(), &route.model)))
        });
        let chain: Vec<(&Route, &Provider, Address)> = addressed.collect::<Result<_, AskError>>()?;
        for &(route, _, address) in &chain {
            if let Some(answer) = find(ask, &address, tally).await? {
                return Ok(Got { answer, route, address, source: Source::Known });
            }
        }
        let mut failures = Failures::default();
        for (route, provider, address) in chain {
            match self.buy((ask, request), (route, provider, address), tally).await {
                Ok(got) => return Ok(got),
                Err(Failed::Here(error)) => failures.add(route, error),
                Err(Failed::Everywhere(error)) => return Err(error),
            }
            if failures.is_final() {
                break;
            }
        }
        Err(failures.error(tally))
    }
}

fn told(got: Got<'_>, tally: Tally, (text, value): (String, Option<Value>)) -> Told {
    Told {
        text,
        value,
        finish: got.answer.finish,
        route: got.route.clone(),
        address: got.address,
        source: got.source,
        calls: tally.calls,
        usage: tally.usage,
        paid: tally.paid,
        saved: tally.saved,
    }
}

impl From<Broke> for AskError {
    fn from(broke: Broke) -> Self {
        match broke {
            Broke::Exhausted => Self::Exhausted,
            Broke::Over { worst, cap } => Self::Over { worst, cap },
            Broke::Stopped(why) => Self::Stopped(why),
        }
    }
}
