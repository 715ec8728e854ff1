//! A first word with a provider: whether key, address and model are right, and what the smallest call costs.

use super::{AskError, Gateway, Route};
use crate::address::Asker;
use crate::doors::MemoryJournal;
use crate::gateway::{Ask, Doors};
use crate::reply::Usage;
use crate::request::{Parameters, Request};

/// Room for an answer of a word; models that reason first need some, and OpenAI takes no less.
const ROOM_TOKENS: u32 = 256;

/// What came of asking.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Milliseconds until the answer.
    pub took_ms: u64,
    /// What was said.
    pub text: String,
    /// What it used.
    pub usage: Usage,
    /// What it cost in dollars; nothing when no price is known.
    pub paid: Option<shardmill_shared::job::NanoUsd>,
}

impl Gateway {
    /// Asks a model for one word, outside of every budget.
    ///
    /// # Errors
    /// As [`Gateway::ask`].
    pub async fn probe(&self, route: &Route) -> Result<Probe, AskError> {
        let provider = self.provider(&route.provider).map_err(|error| AskError::Misconfigured(error.to_string()))?;
        let priced = self.prices.find(provider.name().as_str(), provider.kind(), &route.model);
        let journal = MemoryJournal::default();
        let doors = Doors { purse: None, pace: &(), journal: &journal };
        let request = Request::of("Say the word: ready", Parameters::with_at_most(ROOM_TOKENS));
        let started_ms = self.clock.now_ms();
        let asker = Asker { row_key: &[], draw: 0 };
        let chain = std::slice::from_ref(route);
        let told = self.ask(Ask { doors, chain, request: &request, asker, repairs: 0 }).await?;
        let took_ms = self.clock.now_ms().saturating_sub(started_ms);
        Ok(Probe { took_ms, text: told.text, usage: told.usage, paid: priced.map(|_| told.paid) })
    }
}
