//! What the gateway needs of others: money, permission, and a memory of what was answered.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shardmill_shared::job::{Name, NanoUsd};

use crate::address::{Address, HoldId};
use crate::providers::Observed;
use crate::reply::{Finish, Usage};

/// That money is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is: the call may be made.
    Go,
    /// This try was settled before, so its money counts already: the answer is known by now, or was lost.
    Known,
}

/// Why no money is held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broke {
    /// The budget is spent, and nothing that is held may come back.
    #[error("the budget is spent")]
    Exhausted,
    /// The call alone may cost more than the whole budget.
    #[error("one call may cost ${worst}, more than the whole budget of ${cap}")]
    Over {
        /// What it may cost.
        worst: NanoUsd,
        /// The budget.
        cap: NanoUsd,
    },
    /// The attempt is to end, or nobody knows the budget now.
    #[error("stopped: {0}")]
    Stopped(String),
}

/// Holds money before a call, and counts what it did cost.
#[async_trait]
pub trait Purse: Send + Sync {
    /// Holds `worst` for one try; waits while holds of others may still come back. Idempotent by id.
    ///
    /// # Errors
    /// When the call must not be made.
    async fn hold(&self, id: &HoldId, worst: NanoUsd) -> Result<Held, Broke>;

    /// Counts what the try did cost, and gives the rest of its hold back. Idempotent by id.
    async fn settle(&self, id: &HoldId, actual: NanoUsd);
}

/// What a call will take of a provider's limits, as far as it can be estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need<'a> {
    /// The provider.
    pub provider: &'a Name,
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// The most tokens of the answer.
    pub max_output_tokens: u64,
}

/// What a provider said of its limits with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<'a> {
    /// What the headers say.
    pub limits: &'a [Observed],
    /// In how many milliseconds it wants to be asked again, after a refusal.
    pub retry_after_ms: Option<u64>,
}

/// That a call may be made now. What it holds is given back when it is dropped, with what the call did use.
pub struct Permit {
    used: Option<Usage>,
    give_back: Option<Box<dyn FnOnce(Option<Usage>) + Send>>,
}

impl Permit {
    /// A permit that gives back by calling `give_back` with what was used, if that is known.
    pub fn new(give_back: impl FnOnce(Option<Usage>) + Send + 'static) -> Self {
        Self { used: None, give_back: Some(Box::new(give_back)) }
    }

    /// A permit that holds nothing.
    pub fn free() -> Self {
        Self { used: None, give_back: None }
    }

    /// Says what the call did use.
    pub fn used(&mut self, usage: Usage) {
        self.used = Some(usage);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(give_back) = self.give_back.take() {
            give_back(self.used);
        }
    }
}

/// That no call shall be made any more, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped: {0}")]
pub struct Stopped(pub String);

/// Lets calls through at the pace that the provider's limits allow.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits until a call may be made.
    ///
    /// # Errors
    /// When the attempt is to end.
    async fn admit(&self, need: &Need<'_>) -> Result<Permit, Stopped>;

    /// Hears what the provider said of its limits.
    fn heard(&self, need: &Need<'_>, heard: &Heard<'_>);
}

/// An answer as it is kept: what rows are made of, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What the model said.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// What it used; nothing where the provider does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The model that really answered, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tier that was really used, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// What it cost.
    pub paid: NanoUsd,
}

/// That answers can be neither found nor kept now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal of answers cannot be used: {0}")]
pub struct JournalError(pub String);

/// Remembers answers that were paid for.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The answer with this address.
    ///
    /// # Errors
    /// When it cannot be known whether there is one.
    async fn find(&self, address: &Address) -> Result<Option<Answer>, JournalError>;

    /// Keeps an answer, before its hold is settled. `raw` is the body as it came.
    ///
    /// # Errors
    /// When it could not be kept, so that a crash would lose it.
    async fn record(&self, id: &HoldId, answer: &Answer, raw: &Bytes) -> Result<(), JournalError>;
}

/// Where there are no limits, every call is let through.
#[async_trait]
impl Pace for () {
    async fn admit(&self, _: &Need<'_>) -> Result<Permit, Stopped> {
        Ok(Permit::free())
    }

    fn heard(&self, _: &Need<'_>, _: &Heard<'_>) {}
}

/// A journal in memory, for one process and its lifetime.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    answers: Mutex<HashMap<Address, Answer>>,
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn find(&self, address: &Address) -> Result<Option<Answer>, JournalError> {
        Ok(self.answers.lock().expect("nothing panics while it holds the answers").get(address).cloned())
    }

    async fn record(&self, id: &HoldId, answer: &Answer, _: &Bytes) -> Result<(), JournalError> {
        let mut answers = self.answers.lock().expect("nothing panics while it holds the answers");
        answers.entry(id.address).or_insert_with(|| answer.clone());
        Ok(())
    }
}
