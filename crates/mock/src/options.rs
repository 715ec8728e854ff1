//! How a mock provider behaves.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use shardmill_shared::process::{Clock, MonotonicClock};

use crate::fault::Faults;
use crate::model::Models;
use crate::rates::Limits;
use crate::spread::Spread;

/// How a mock provider behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What answers and faults are drawn from.
    pub seed: u64,
    /// From a request to its answer, in milliseconds.
    pub latency: Spread,
    /// How long a free text is, in tokens.
    pub output_tokens: Spread,
    /// What every model lets pass.
    pub limits: Limits,
    /// What goes wrong.
    pub faults: Faults,
    /// What is served.
    pub models: Models,
    /// What free texts are, one after the other, and the last one from then on; words without sense when there are none.
    pub answers: Vec<String>,
    /// Whether prompts are cached that do not ask for it.
    pub long_prompts: LongPrompts,
    /// What time it is, for limits and latency.
    pub clock: Arc<dyn Clock>,
}

/// What becomes of long prompts whose protocol caches them unasked, as OpenAI's does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongPrompts {
    /// Never cached, so that what a call costs does not depend on the calls before it.
    #[default]
    Paid,
    /// The first message is cached for five minutes, if it has at least 1024 tokens.
    Cached,
}

impl Default for Options {
    /// A free port of this machine, seed 0, no latency, no limits, no faults, answers of 20 to 120 tokens.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            seed: 0,
            latency: Spread::Fixed(0),
            output_tokens: Spread::Even { least: 20, most: 120 },
            limits: Limits::default(),
            faults: Faults::default(),
            models: Models::default(),
            answers: Vec::new(),
            long_prompts: LongPrompts::default(),
            clock: Arc::new(MonotonicClock::start()),
        }
    }
}
