//! The pace of one job's calls: the limits of each model it asks, shared with all workers through the ledger.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shardmill_llm::config::{Kind, LimitsConfig, ProviderConfig};
use shardmill_llm::providers::Axis;
use shardmill_llm::{Heard, Need, Pace, Permit, Stopped, Usage};
use shardmill_shared::job::Name;
use shardmill_shared::ledger::budget::Frame;
use shardmill_shared::ledger::limit::{self, Claimant, Counting, Dimension, Limiter, Limits, Model, Observed, Quota};

/// Of what was estimated and what was used, the last one counts so much: a sixteenth.
const LEARNED: u64 = 16;

/// The way of one job, in one process, to the limits of all models.
pub(super) struct JobPace {
    limits: Arc<dyn Limits>,
    claimant: Claimant,
    providers: BTreeMap<Name, ProviderConfig>,
    frame: Frame,
    gates: Mutex<BTreeMap<Model, Arc<Gate>>>,
}

/// The limits of one model, and what its calls usually take.
struct Gate {
    limiter: Limiter,
    counting: Counting,
    usual: Usual,
}

/// What calls take, learned from those that ended.
#[derive(Default)]
struct Usual {
    /// Tokens of a prompt, in thousandths of those that it was estimated at; 0 while nothing is known.
    input_permille: AtomicU64,
    /// Tokens of an answer; 0 while nothing is known.
    output: AtomicU64,
}

impl Usual {
    /// What a call will take. Until one has ended, the most that it can take.
    fn need(&self, counting: Counting, need: &Need<'_>) -> limit::Need {
        let permille = match self.input_permille.load(Ordering::Relaxed) {
            0 => 1_000,
            permille => permille,
        };
        let output = match self.output.load(Ordering::Relaxed) {
            0 => need.max_output_tokens,
            output => output,
        };
        let input = need.input_tokens.saturating_mul(permille).div_ceil(1_000);
        limit::Need::call(counting, input, need.max_output_tokens, output)
    }

    fn learn(&self, estimated_input: u64, usage: &Usage) {
        let permille = usage.prompt_tokens().saturating_mul(1_000).checked_div(estimated_input);
        towards(&self.input_permille, permille.unwrap_or(0).max(1));
        towards(&self.output, usage.output_tokens.max(1));
    }
}

/// Moves an average towards a value; of calls that end at the same moment one may be lost.
fn towards(average: &AtomicU64, value: u64) {
    let now = average.load(Ordering::Relaxed);
    let next = if now == 0 { value } else { (now * (LEARNED - 1) + value).div_ceil(LEARNED) };
    average.store(next, Ordering::Relaxed);
}

impl JobPace {
    /// The pace of a job whose calls are `claimant`'s; to be used within the runtime.
    pub(super) fn new(
        limits: Arc<dyn Limits>,
        claimant: Claimant,
        providers: BTreeMap<Name, ProviderConfig>,
        frame: Frame,
    ) -> Self {
        Self { limits, claimant, providers, frame, gates: Mutex::default() }
    }

    /// The gate of a model; nothing for a provider that is not configured, which is refused elsewhere.
    fn gate(&self, provider: &Name, model: &str) -> Option<Arc<Gate>> {
        let config = self.providers.get(provider)?;
        let model = Model::new(provider, model);
        let start = |model: &Model| {
            let (limits, claimant) = (Arc::clone(&self.limits), self.claimant.clone());
            let quota = quota(&config.limits);
            let limiter = Limiter::start(limits, model.clone(), claimant, quota, self.frame.clone());
            Arc::new(Gate { limiter, counting: counting(config.kind), usual: Usual::default() })
        };
        Some(Arc::clone(self.gates().entry(model).or_insert_with_key(start)))
    }

    fn gates(&self) -> MutexGuard<'_, BTreeMap<Model, Arc<Gate>>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operator says of an account.
fn quota(limits: &LimitsConfig) -> Quota {
    let number = |number: Option<u64>| number.and_then(NonZeroU64::new);
    Quota {
        requests: number(limits.requests_per_minute),
        tokens: number(limits.tokens_per_minute),
        input_tokens: number(limits.input_tokens_per_minute),
        output_tokens: number(limits.output_tokens_per_minute),
        concurrency: number(limits.concurrency),
    }
}

/// How a kind of provider counts output against its limits.
fn counting(kind: Kind) -> Counting {
    match kind {
        Kind::OpenAi | Kind::OpenAiChat | Kind::AzureOpenAi | Kind::Bedrock => Counting::AllowedAhead,
        Kind::Anthropic | Kind::OpenAiCompatible => Counting::AsProduced,
    }
}

fn dimension(axis: Axis) -> Dimension {
    match axis {
        Axis::Requests => Dimension::Requests,
        Axis::InputTokens => Dimension::InputTokens,
        Axis::OutputTokens => Dimension::OutputTokens,
        Axis::Tokens => Dimension::Tokens,
    }
}

#[async_trait]
impl Pace for JobPace {
    async fn admit(&self, need: &Need<'_>) -> Result<Permit, Stopped> {
        let Some(gate) = self.gate(need.provider, need.model) else { return Ok(Permit::free()) };
        let wish = gate.usual.need(gate.counting, need);
        let permit = gate.limiter.acquire(wish).await.map_err(|error| Stopped(error.to_string()))?;
        let estimated_input = need.input_tokens;
        Ok(Permit::new(move |used: Option<Usage>| {
            // What is not known counts as estimated.
            let Some(usage) = used else { return };
            gate.usual.learn(estimated_input, &usage);
            permit.used(wish.used(gate.counting, usage.prompt_tokens(), usage.output_tokens));
        }))
    }

    fn heard(&self, need: &Need<'_>, heard: &Heard<'_>) {
        let Some(gate) = self.gate(need.provider, need.model) else { return };
        for said in heard.limits {
            let observed = Observed { per_minute: said.limit.and_then(NonZeroU64::new), remaining: said.remaining };
            gate.limiter.observed(dimension(said.axis), observed);
        }
        if let Some(ms) = heard.retry_after_ms {
            gate.limiter.pause(ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use shardmill_shared::job::JobId;
    use shardmill_shared::ledger::{MemoryLedger, WorkerId};
    use shardmill_shared::metrics::Metrics;
    use shardmill_shared::process::{Clock, MonotonicClock};

    use super::*;

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, ..Usage::default() }
    }

    #[test]
    fn what_calls_take_is_learned_from_those_before() {
        let provider = Name::new("p").expect("allowed");
        let need = Need { provider: &provider, model: "m", input_tokens: 400, max_output_tokens: 500 };
        let usual = Usual::default();
        let wish = |usual: &Usual, counting| {
            let wish = usual.need(counting, &need);
            (wish.input_tokens, wish.output_tokens)
        };
        assert_eq!(wish(&usual, Counting::AsProduced), (400, 500));
        usual.learn(400, &usage(100, 40));
        assert_eq!(wish(&usual, Counting::AsProduced), (100, 40));
        assert_eq!(wish(&usual, Counting::AllowedAhead), (100, 500), "it counts what is allowed");
        usual.learn(400, &usage(100, 200));
        assert_eq!(wish(&usual, Counting::AsProduced), (100, 50), "one long answer is not the rule");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_wait_for_the_limits_of_their_model() {
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
        let limits = Arc::new(MemoryLedger::new(Arc::clone(&clock)));
        let name = |text: &str| Name::new(text).expect("allowed");
        let config = serde_json::json!({"kind": "anthropic", "limits": {"requests_per_minute": 600}});
        let config = serde_json::from_value(config).expect("reads");
        let claimant = Claimant {
            tenant: None,
            job: JobId::new("j").expect("allowed"),
            weight: 1,
            worker: WorkerId("w".to_owned()),
        };
        let frame = Frame { clock: Arc::clone(&clock), metrics: Metrics::default() };
        let pace = JobPace::new(limits, claimant, [(name("p"), config)].into(), frame);
        let provider = name("p");
        let need = Need { provider: &provider, model: "m", input_tokens: 10, max_output_tokens: 10 };
        let since_ms = clock.now_ms();
        for _ in 0..30 {
            let mut permit = pace.admit(&need).await.expect("is let in");
            permit.used(usage(5, 5));
        }
        let took_ms = clock.now_ms() - since_ms;
        assert!((2_000..4_000).contains(&took_ms), "30 calls at 10 a second took {took_ms} ms");
        pace.heard(&need, &Heard { limits: &[], retry_after_ms: Some(60_000) });
        pace.admit(&need).await.expect("is let in");
        let waited_ms = clock.now_ms() - since_ms - took_ms;
        assert!(waited_ms >= 60_000, "it waited {waited_ms} ms");
    }
}
