//! What happens to a call, short of waiting and sending: it is read, held to the limits, made to fail or answered, and
//! charged.

mod call;
mod made;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use shardmill_engine::random::key::Key;

pub(crate) use call::{Call, Ending, Incoming, Verdict};
use made::{Made, spoiled};

use crate::answer::{Form, Wanted};
use crate::bill::{Bill, Book};
use crate::embedding::embed;
use crate::fault::{Fault, Faults};
use crate::limits::{LATENCY_MS, PREFIX_TOKENS, SLOW_MS, SLOW_TIMES};
use crate::memory::{Prefixes, Repeats, Schemas};
use crate::model::Usage;
use crate::options::{LongPrompts, Options};
use crate::rates::{Axis, Limits, Need, Rates, Settlement, Standing};
use crate::wire::{Ask, Asked, Caching, Label, Problem, Said, Vectors, Wire, check_most};

/// The header that forces a fault.
const FAULT_HEADER: &str = "x-mock-fault";
/// What stands between a model's name and a fault that it forces.
const FAULT_MARK: char = '+';
/// The steps in which a prompt is cached that did not ask for it, in tokens.
const CACHE_STEP: u64 = 128;
/// Draw numbers of one call.
const FAULT_DRAW: u64 = 1;
const LATENCY_DRAW: u64 = 2;
const ANSWER_DRAW: u64 = 3;

/// Where calls are decided.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) options: Options,
    behaviour: Mutex<Behaviour>,
    book: Mutex<Book>,
    /// By the place of the model.
    rates: Mutex<Vec<Rates>>,
    schemas: Mutex<Schemas>,
    prefixes: Mutex<Prefixes>,
    repeats: Mutex<Repeats>,
    /// How many of the given answers were given.
    told: AtomicUsize,
}

/// What can be changed while it runs.
#[derive(Clone, Debug)]
struct Behaviour {
    faults: Faults,
    limits: Limits,
}

/// What is known of a call once it is understood.
struct Understood<'a> {
    ask: Ask<'a>,
    /// Of the model.
    place: usize,
    forced: Option<Fault>,
    wanted: Option<Wanted>,
    prompt: Usage,
    need: Need,
}

impl Desk {
    pub(crate) fn new(options: Options) -> Self {
        let behaviour = Behaviour { faults: options.faults.clone(), limits: options.limits };
        let now_ms = options.clock.now_ms();
        let rates = options.models.iter().map(|_| Rates::new(&options.limits, now_ms)).collect();
        Self {
            book: Mutex::new(Book::new(&options.models)),
            behaviour: Mutex::new(behaviour),
            rates: Mutex::new(rates),
            schemas: Mutex::default(),
            prefixes: Mutex::default(),
            repeats: Mutex::default(),
            told: AtomicUsize::new(0),
            options,
        }
    }

    pub(crate) fn bill(&self) -> Bill {
        self.book().bill(&self.options.models)
    }

    /// Forgets what was counted and remembered; limits are full again.
    pub(crate) fn reset(&self) {
        self.book().reset(&self.options.models);
        *held(&self.prefixes) = Prefixes::default();
        *held(&self.repeats) = Repeats::default();
        self.told.store(0, Ordering::Relaxed);
        let limits = held(&self.behaviour).limits;
        self.set_limits(limits);
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        held(&self.behaviour).faults = faults;
    }

    /// Puts new limits in force, all of them full.
    pub(crate) fn set_limits(&self, limits: Limits) {
        held(&self.behaviour).limits = limits;
        let now_ms = self.options.clock.now_ms();
        held(&self.rates).iter_mut().for_each(|rates| *rates = Rates::new(&limits, now_ms));
    }

    /// Decides what becomes of a call.
    pub(crate) fn decide(&self, call: &mut Call, incoming: &Incoming<'_>) -> Verdict {
        let key = self.key(incoming);
        let id = format!("{:016x}{:016x}", key.draw(0), key.number(1).draw(0));
        let mut standing = Standing::default();
        match self.work(call, incoming, (key, &id), &mut standing) {
            Ok(made) => self.verdict(incoming.wire, made, (&id, &standing, None)),
            Err(problem) => {
                let (status, body) = incoming.wire.complain(&problem, &id);
                self.verdict(incoming.wire, Made::json(status, &body), (&id, &standing, Some(&problem)))
            }
        }
    }

    /// The answer to a call that is wrong before it is read.
    pub(crate) fn complaint(&self, wire: &dyn Wire, problem: &Problem) -> Verdict {
        let id = "0".repeat(32);
        let (status, body) = wire.complain(problem, &id);
        self.verdict(wire, Made::json(status, &body), (&id, &Standing::default(), Some(problem)))
    }

    fn verdict(
        &self,
        wire: &dyn Wire,
        made: Made,
        (id, standing, problem): (&str, &Standing, Option<&Problem>),
    ) -> Verdict {
        let mut headers = HeaderMap::with_capacity(16);
        let unix_ms = self.options.clock.unix_ms();
        wire.label(&Label { id, standing, problem, unix_ms }, &mut headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(made.kind));
        let Made { status, body, wait_ms, ending, .. } = made;
        Verdict { status, headers, body: body.into(), wait_ms, ending }
    }

    fn work(
        &self,
        call: &mut Call,
        incoming: &Incoming<'_>,
        (key, id): (Key, &str),
        standing: &mut Standing,
    ) -> Result<Made, Problem> {
        incoming.wire.greet(&incoming.head)?;
        let body = std::str::from_utf8(incoming.body).map_err(|_| Problem::Invalid {
            message: "the body of the request is no UTF-8".to_owned(),
            parameter: None,
        })?;
        let understood = self.understand(incoming, body)?;
        self.admit(&understood, standing)?;
        let fault = self.fault(&understood, key);
        if let Some(fault) = fault {
            self.book().fault(fault);
            if let Some(spoiled) = spoiled(incoming.wire, fault, id)? {
                return Ok(spoiled);
            }
        }
        Ok(self.make(call, incoming.wire, &understood, (key, id, fault)))
    }

    /// Reads a request and holds it against its model.
    fn understand<'a>(&self, incoming: &'a Incoming<'_>, body: &'a str) -> Result<Understood<'a>, Problem> {
        let ask = incoming.wire.read(incoming.model, body)?;
        let by_name = ask.model.rsplit_once(FAULT_MARK);
        let name = by_name.map_or(ask.model.as_ref(), |(name, _)| name);
        let fault = incoming.head.get(FAULT_HEADER).or(by_name.map(|(_, fault)| fault));
        let forced = fault.map(Fault::from_name).transpose();
        let forced =
            forced.map_err(|error| Problem::Invalid { message: error.to_string(), parameter: Some("model") })?;
        let place = self.options.models.find(name).ok_or_else(|| Problem::UnknownModel(name.to_owned()))?;
        let model = self.options.models.at(place);
        self.book().name(place);
        if ask.tokens > model.context_tokens {
            return Err(Problem::ContextTooLong { tokens: ask.tokens, most: model.context_tokens });
        }
        let most = check_most(&ask, model)?.min(model.context_tokens - ask.tokens).max(1);
        let wanted = self.form(&ask)?.map(|form| Wanted { form, most, length: self.options.output_tokens });
        let prompt = self.prompt(incoming.wire, &ask, place);
        let need = incoming.wire.need(&ask, &prompt, most);
        Ok(Understood { ask, place, forced, wanted, prompt, need })
    }

    /// What form of answer is asked for; nothing where vectors are.
    fn form(&self, ask: &Ask<'_>) -> Result<Option<Form>, Problem> {
        match &ask.asked {
            Asked::Text => Ok(Some(Form::Text)),
            Asked::Object => Ok(Some(Form::Object)),
            Asked::Vectors { .. } => Ok(None),
            Asked::Schema { text, strictness, name } => {
                let compiled = held(&self.schemas).compile(text, *strictness);
                let wrong = |message: String| Problem::Schema { name: name.to_string(), message };
                compiled.map(|schema| Some(Form::Schema(schema))).map_err(|error| wrong(error.to_string()))
            }
        }
    }

    /// The tokens of a prompt by what they cost.
    fn prompt(&self, wire: &dyn Wire, ask: &Ask<'_>, place: usize) -> Usage {
        let paid = Usage { input: ask.tokens, ..Usage::default() };
        let Some(prefix) = ask.prefix.filter(|prefix| prefix.tokens >= PREFIX_TOKENS) else { return paid };
        let is_known = held(&self.prefixes).knows(prefix.digest, place, self.options.clock.now_ms());
        match (wire.caching(), self.options.long_prompts, is_known) {
            (Caching::AsAsked, _, true) => Usage { input: ask.tokens - prefix.tokens, cached: prefix.tokens, ..paid },
            (Caching::AsAsked, _, false) => {
                Usage { input: ask.tokens - prefix.tokens, cache_written: prefix.tokens, ..paid }
            }
            (Caching::Unasked, LongPrompts::Cached, true) => {
                let cached = prefix.tokens / CACHE_STEP * CACHE_STEP;
                Usage { input: ask.tokens - cached, cached, ..paid }
            }
            (Caching::Unasked, ..) => paid,
        }
    }

    /// Holds a call to the limits of its model.
    fn admit(&self, understood: &Understood<'_>, standing: &mut Standing) -> Result<(), Problem> {
        let concurrency = held(&self.behaviour).limits.concurrency;
        if concurrency.is_some_and(|most| self.book().in_flight() > most) {
            return Err(Problem::Limited { axis: Axis::Concurrency, wait_ms: None });
        }
        let now_ms = self.options.clock.now_ms();
        let mut rates = held(&self.rates);
        let admitted = rates[understood.place].admit(now_ms, &understood.need);
        *standing = rates[understood.place].standing();
        drop(rates);
        admitted.map_err(|refusal| Problem::Limited { axis: refusal.axis, wait_ms: refusal.wait_ms })?;
        if let Some(prefix) = understood.ask.prefix.filter(|prefix| prefix.tokens >= PREFIX_TOKENS) {
            held(&self.prefixes).keep(prefix.digest, understood.place, now_ms);
        }
        Ok(())
    }

    /// The fault that a call meets. A request that met one draws anew when it comes again.
    fn fault(&self, understood: &Understood<'_>, key: Key) -> Option<Fault> {
        let fits = |fault: &Fault| understood.wanted.is_some() || !fault.changes_the_text();
        if understood.forced.is_some() {
            return understood.forced.filter(fits);
        }
        let behaviour = held(&self.behaviour);
        let draws = key.number(FAULT_DRAW);
        let mut repeats = held(&self.repeats);
        let fault = behaviour.faults.draw(draws.draw(1 + repeats.of(key.draw(0)))).filter(fits);
        if fault.is_some() {
            repeats.count(key.draw(0));
        }
        fault
    }

    /// Makes an answer and charges it.
    fn make(
        &self,
        call: &mut Call,
        wire: &dyn Wire,
        understood: &Understood<'_>,
        (key, id, fault): (Key, &str, Option<Fault>),
    ) -> Made {
        let answers = key.number(ANSWER_DRAW);
        let answers = Key::from_words(answers.draw(0), answers.draw(1));
        // Vectors are all prompt.
        let wanted = understood.wanted.clone().map(|wanted| self.told(wanted));
        let answer = wanted.map(|wanted| wanted.answer(answers, fault)).unwrap_or_default();
        let usage = Usage { output: answer.tokens, ..understood.prompt };
        self.book().charge(understood.place, self.options.models.at(understood.place), &usage);
        call.owed = Some((understood.place, wire.settle(&understood.need, &usage)));
        let drawn = self.options.latency.draw(key.number(LATENCY_DRAW).unit(0), LATENCY_MS);
        let wait_ms = if fault == Some(Fault::Slow) { (drawn * SLOW_TIMES).max(SLOW_MS) } else { drawn };
        let said = Said {
            id,
            model: &understood.ask.model,
            answer,
            vectors: self.vectors(&understood.ask.asked),
            tool: understood.ask.tool.as_deref(),
            usage,
            created_s: self.options.clock.unix_ms() / 1_000,
            latency_ms: wait_ms,
        };
        let ending = match fault {
            Some(Fault::Timeout) => Ending::Never,
            Some(Fault::Reset) => Ending::Reset,
            Some(Fault::HalfBody) => Ending::Half,
            _ => Ending::Whole,
        };
        Made { wait_ms, ending, ..Made::json(200, &wire.say(&said)) }
    }

    /// The next of the given answers in place of a free text, if there are any.
    fn told(&self, wanted: Wanted) -> Wanted {
        let last = self.options.answers.len().checked_sub(1);
        let Some(last) = last.filter(|_| matches!(wanted.form, Form::Text)) else { return wanted };
        let at = self.told.fetch_add(1, Ordering::Relaxed).min(last);
        Wanted { form: Form::Told(self.options.answers[at].clone()), ..wanted }
    }

    /// The vectors that are asked for.
    fn vectors(&self, asked: &Asked<'_>) -> Vectors {
        let Asked::Vectors { inputs, dimensions, encoding } = asked else { return Vectors::default() };
        // The same text has the same vector in every request.
        let words = Key::from_words(self.options.seed, 0);
        Vectors { values: inputs.iter().map(|text| embed(words, text, *dimensions)).collect(), encoding: *encoding }
    }

    /// The key of a request: of the seed, the model in its path, and its body.
    fn key(&self, incoming: &Incoming<'_>) -> Key {
        let mut hasher = blake3::Hasher::new();
        let model = incoming.model.unwrap_or_default();
        hasher.update(&self.options.seed.to_le_bytes()).update(&(model.len() as u64).to_le_bytes());
        let digest = hasher.update(model.as_bytes()).update(incoming.body).finalize();
        let word = |at: usize| digest.as_bytes()[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Key::from_words(word(0), word(8))
    }

    /// What limits learn at the end of a call.
    fn settle(&self, place: usize, settlement: &Settlement) {
        let now_ms = self.options.clock.now_ms();
        held(&self.rates)[place].settle(now_ms, settlement);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        held(&self.book)
    }
}

/// A lock that is held for a few instructions.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of the lock panics")
}

#[cfg(test)]
mod tests;
