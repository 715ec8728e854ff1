//! Buys one answer from one provider: limit, hold, call, journal, settle, and again where that may help.

use bytes::Bytes;
use shardmill_shared::job::NanoUsd;

use super::ask::{Ask, AskError, Got, Source, Tally};
use super::{Gateway, Route};
use crate::address::{Address, HoldId};
use crate::doors::{Answer, Heard, Held, Need};
use crate::error::{CallError, Class};
use crate::limits::{BYTES_PER_TOKEN, BYTES_PER_TOKEN_MAX, TRIES_MAX};
use crate::price::Price;
use crate::provider::{Called, Provider};
use crate::providers::{Mode, Question};
use crate::reply::Reply;
use crate::request::Request;
use crate::retry::{Next, Tried, next};
use crate::structured::Rejection;

/// Tries of one answer by anybody, dead ones included: beyond it something else is wrong.
const HOLDS_MAX: u32 = 4 * TRIES_MAX;

/// Why there is no answer from a provider.
pub(super) enum Failed {
    /// Another provider may have one.
    Here(CallError),
    /// Nobody is to be asked.
    Everywhere(AskError),
}

impl From<AskError> for Failed {
    fn from(error: AskError) -> Self {
        Self::Everywhere(error)
    }
}

/// What the providers of a chain said.
#[derive(Default)]
pub(super) struct Failures(Vec<(String, CallError)>);

/// A question written down for one provider.
struct Written<'a> {
    provider: &'a Provider,
    route: &'a Route,
    body: Bytes,
    is_native: bool,
    price: Price,
    worst: NanoUsd,
}

impl Gateway {
    /// One answer from one provider.
    ///
    /// # Errors
    /// Why there is none, and whether others may have one.
    pub(super) async fn buy<'a>(
        &self,
        (ask, request): (&Ask<'a>, &Request),
        (route, provider, address): (&'a Route, &Provider, Address),
        tally: &mut Tally,
    ) -> Result<Got<'a>, Failed> {
        let flight = self.flights.begin(address).await;
        if flight.has_waited
            && let Some(answer) = find(ask, &address, tally).await?
        {
            return Ok(Got { answer, route, address, source: Source::Known });
        }
        let mut written = self.write(ask, request, (route, provider))?;
        let mut id = HoldId { address, attempt: 0 };
        let mut tried = Tried::default();
        loop {
            let error = match self.try_once(ask, &written, &mut id, tally).await? {
                Ok((answer, source)) => return Ok(Got { answer, route, address, source }),
                Err(error) => error,
            };
            tried.tries += 1;
            id.attempt += 1;
            if let (CallError::SchemaRefused(_), true, Some(schema)) = (&error, written.is_native, request.schema()) {
                tracing::warn!(provider = %provider.name(), model = route.model, schema = schema.name(), %error,
                    "the provider does not take the schema; it goes into the prompt from now on");
                provider.refuse(&route.model, schema);
                written = self.write(ask, request, (route, provider))?;
                continue;
            }
            match next(&error, tried, id.draw()) {
                Next::Again { after_ms } => {
                    tried.waited_ms += after_ms;
                    self.clock.sleep_until(self.clock.now_ms().saturating_add(after_ms)).await;
                }
                Next::GiveUp | Next::Never => return Err(Failed::Here(error)),
            }
        }
    }

    /// Writes the question down, and refuses what need not be tried.
    fn write<'a>(
        &self,
        ask: &Ask<'_>,
        request: &Request,
        (route, provider): (&'a Route, &'a Provider),
    ) -> Result<Written<'a>, Failed> {
        let misconfigured =
            |error: crate::error::ConfigError| Failed::Everywhere(AskError::Misconfigured(format!("{route}: {error}")));
        provider.config().allows(&route.model).map_err(misconfigured)?;
        let (name, kind) = (provider.name().as_str(), provider.kind());
        let price = match ask.doors.purse {
            Some(_) => self.prices.require(name, kind, &route.model).map_err(misconfigured)?,
            None => self.prices.find(name, kind, &route.model).unwrap_or(Price::FREE),
        };
        fits(&price, request).map_err(Failed::Here)?;
        let (instruction, is_native) = match request.schema() {
            Some(schema) if !provider.holds(&route.model, schema) => (Some(self.schema_instruction(schema)?), false),
            _ => (None, true),
        };
        let mode = instruction.as_deref().map_or(Mode::Native, Mode::Plain);
        let body = provider.write(&Question { model: &route.model, request, mode }).map_err(Failed::Here)?;
        // Every token is at least a byte of the body, which has the whole prompt and more.
        let worst = price.worst(body.len() as u64, request.parameters.max_output_tokens.into());
        Ok(Written { provider, route, body, is_native, price, worst })
    }

    /// One try: limit, hold, call, journal, settle.
    async fn try_once(
        &self,
        ask: &Ask<'_>,
        written: &Written<'_>,
        id: &mut HoldId,
        tally: &mut Tally,
    ) -> Result<Result<(Answer, Source), CallError>, Failed> {
        let Written { provider, route, .. } = written;
        let need = Need {
            provider: provider.name(),
            model: &route.model,
            input_tokens: (written.body.len() as u64).div_ceil(BYTES_PER_TOKEN),
            max_output_tokens: ask.request.parameters.max_output_tokens.into(),
        };
        let mut permit = ask.doors.pace.admit(&need).await.map_err(|stopped| AskError::Stopped(stopped.0))?;
        let place = provider.gate.enter().await;
        if let Some(answer) = hold(ask, id, written.worst, tally).await? {
            return Ok(Ok((answer, Source::Known)));
        }
        let Called { limits, reply } = provider.call(&route.model, written.body.clone(), &*self.clock).await;
        tally.calls += 1;
        let retry_after_ms = reply.as_ref().err().filter(|error| error.is_congestion()).and_then(CallError::after_ms);
        if !limits.is_empty() || retry_after_ms.is_some() {
            ask.doors.pace.heard(&need, &Heard { limits: &limits, retry_after_ms });
        }
        match reply {
            Ok(reply) => {
                place.succeeded();
                if let Some(usage) = reply.usage {
                    permit.used(usage);
                }
                let answer = keep(ask, id, written, reply, tally).await?;
                Ok(Ok((answer, Source::Bought)))
            }
            Err(error) => {
                if error.is_congestion() {
                    place.congested();
                }
                let paid = if error.may_be_charged() { written.worst } else { NanoUsd::ZERO };
                settle(ask, id, paid, tally).await;
                Ok(Err(error))
            }
        }
    }
}

/// The answer with an address, if it is known.
pub(super) async fn find(ask: &Ask<'_>, address: &Address, tally: &mut Tally) -> Result<Option<Answer>, AskError> {
    let answer = ask.doors.journal.find(address).await?;
    if let Some(answer) = &answer {
        tally.usage = tally.usage.plus(&answer.usage.unwrap_or_default());
        tally.saved = tally.saved.saturating_add(answer.paid);
    }
    Ok(answer)
}

/// Holds the money of a try. A try whose money counts already was made by another, or by an attempt that died: its
/// answer is in the journal, which is given back, or lost, and the next try is held.
async fn hold(ask: &Ask<'_>, id: &mut HoldId, worst: NanoUsd, tally: &mut Tally) -> Result<Option<Answer>, AskError> {
    let Some(purse) = ask.doors.purse else { return Ok(None) };
    for _ in 0..HOLDS_MAX {
        match purse.hold(id, worst).await? {
            Held::Go => return Ok(None),
            Held::Known => {
                if let Some(answer) = find(ask, &id.address, tally).await? {
                    return Ok(Some(answer));
                }
                id.attempt += 1;
            }
        }
    }
    Err(AskError::Stopped(format!("{HOLDS_MAX} tries of one answer were paid for and lost")))
}

/// Keeps an answer that was just bought, and settles its hold.
async fn keep(
    ask: &Ask<'_>,
    id: &HoldId,
    written: &Written<'_>,
    reply: Reply,
    tally: &mut Tally,
) -> Result<Answer, AskError> {
    // Where a provider does not say what was used, the most that it can have been counts.
    let paid = reply.usage.map_or(written.worst, |usage| written.price.actual(&usage));
    let Reply { text, finish, usage, tier, model, raw } = reply;
    let answer = Answer { text, finish, usage, model, tier, paid };
    let kept = ask.doors.journal.record(id, &answer, &raw).await;
    tally.usage = tally.usage.plus(&usage.unwrap_or_default());
    settle(ask, id, paid, tally).await;
    kept?;
    Ok(answer)
}

async fn settle(ask: &Ask<'_>, id: &HoldId, paid: NanoUsd, tally: &mut Tally) {
    tally.paid = tally.paid.saturating_add(paid);
    if let Some(purse) = ask.doors.purse {
        purse.settle(id, paid).await;
    }
}

/// Refuses what the model surely cannot read or write.
fn fits(price: &Price, request: &Request) -> Result<(), CallError> {
    let room = u64::from(request.parameters.max_output_tokens);
    if let Some(most) = price.max_output_tokens.filter(|most| room > *most) {
        return Err(CallError::BadRequest(format!("max_output_tokens is {room}, and the model writes at most {most}")));
    }
    let prompt = request.said_bytes() / BYTES_PER_TOKEN_MAX;
    match price.context_tokens.filter(|most| prompt.saturating_add(room) > *most) {
        Some(most) => Err(CallError::ContextTooLong(format!(
            "at least {prompt} tokens and room for {room} more, where {most} fit"
        ))),
        None => Ok(()),
    }
}

impl Failures {
    pub(super) fn add(&mut self, route: &Route, error: CallError) {
        self.0.push((format!("{route}: {error}"), error));
    }

    /// Whether the last failure is the question's own, so that nobody else need be asked.
    pub(super) fn is_final(&self) -> bool {
        self.0.last().is_some_and(|(_, error)| error.class() == Class::Refused)
    }

    /// What they mean together: later where any may pass by itself, else what is wrong with the question, else what a
    /// person must mend.
    pub(super) fn error(self, tally: &Tally) -> AskError {
        let passes = |class| {
            matches!(
                class,
                Class::RateLimited
                    | Class::Overloaded
                    | Class::Timeout
                    | Class::Unreachable
                    | Class::Network
                    | Class::Server
            )
        };
        let reasons: Vec<String> = self.0.iter().map(|(text, _)| text.clone()).collect();
        let errors = || self.0.iter().map(|(_, error)| error);
        let is_row = |class| matches!(class, Class::Refused | Class::ContextTooLong | Class::Malformed);
        if let Some(refused) = errors().next_back().filter(|error| error.class() == Class::Refused) {
            return rejected(refused.class(), reasons, tally);
        }
        if let Some(last) = errors().rfind(|error| passes(error.class())) {
            let after_ms = errors().filter_map(CallError::after_ms).min();
            return AskError::Unavailable { class: last.class(), message: reasons.join("; "), after_ms };
        }
        match errors().find(|error| is_row(error.class())) {
            Some(error) => rejected(error.class(), reasons, tally),
            None if reasons.is_empty() => AskError::Misconfigured("no model is named".to_owned()),
            None => AskError::Misconfigured(reasons.join("; ")),
        }
    }
}

fn rejected(class: Class, reasons: Vec<String>, tally: &Tally) -> AskError {
    let Tally { calls, usage, paid, .. } = *tally;
    AskError::Rejected(Box::new(Rejection { class, reasons, calls, usage, paid, raw: String::new() }))
}
