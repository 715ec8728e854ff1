//! The rates of one model, and the arithmetic of one call. Pure.

use shardmill_shared::job::{NanoUsd, PicoUsd};

use crate::reply::Usage;

/// Pico-dollars per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Input.
    pub input: PicoUsd,
    /// Input that the provider had in a cache.
    pub cached: PicoUsd,
    /// Input that the provider put into a cache.
    pub cache_write: PicoUsd,
    /// Output, reasoning included.
    pub output: PicoUsd,
}

/// Rates of their own for the whole of a call whose prompt is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// They count for prompts of more tokens than this.
    pub above_tokens: u64,
    /// The rates.
    pub rates: Rates,
}

/// What is known of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The usual rates.
    pub rates: Rates,
    /// The rates of long prompts, where they differ.
    pub long: Option<Band>,
    /// What a prompt and its answer may have together, in tokens, if it is known.
    pub context_tokens: Option<u64>,
    /// The most tokens of an answer, if it is known.
    pub max_output_tokens: Option<u64>,
}

impl Price {
    /// What costs nothing, and of which no bounds are known.
    pub const FREE: Self = Self {
        rates: Rates { input: PicoUsd(0), cached: PicoUsd(0), cache_write: PicoUsd(0), output: PicoUsd(0) },
        long: None,
        context_tokens: None,
        max_output_tokens: None,
    };

    /// The most that a call can cost whose prompt has at most `prompt_tokens`: every token at the dearest rate that
    /// could apply to it. Rounded up; the most there can be when it cannot be counted.
    pub fn worst(&self, prompt_tokens: u64, max_output_tokens: u64) -> NanoUsd {
        let mut rates = self.rates;
        if let Some(band) = self.long.filter(|band| prompt_tokens > band.above_tokens) {
            rates = rates.dearest(&band.rates);
        }
        let input = rates.input.max(rates.cached).max(rates.cache_write);
        total(&[(input, prompt_tokens), (rates.output, max_output_tokens)])
    }

    /// What a call did cost, rounded up.
    pub fn actual(&self, usage: &Usage) -> NanoUsd {
        let long = self.long.filter(|band| usage.prompt_tokens() > band.above_tokens);
        let rates = long.map_or(self.rates, |band| band.rates);
        total(&[
            (rates.input, usage.input_tokens),
            (rates.cached, usage.cached_tokens),
            (rates.cache_write, usage.cache_written_tokens),
            (rates.output, usage.output_tokens),
        ])
    }
}

impl Rates {
    fn dearest(&self, other: &Self) -> Self {
        Self {
            input: self.input.max(other.input),
            cached: self.cached.max(other.cached),
            cache_write: self.cache_write.max(other.cache_write),
            output: self.output.max(other.output),
        }
    }
}

/// The sum of tokens at their rates, rounded up once.
fn total(parts: &[(PicoUsd, u64)]) -> NanoUsd {
    let pico: u128 = parts.iter().map(|(rate, tokens)| u128::from(rate.0) * u128::from(*tokens)).sum();
    NanoUsd(u64::try_from(pico.div_ceil(1_000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price() -> Price {
        let rates = |k| Rates {
            input: PicoUsd(3 * k),
            cached: PicoUsd(k),
            cache_write: PicoUsd(4 * k),
            output: PicoUsd(15 * k),
        };
        let long = Some(Band { above_tokens: 1_000, rates: rates(2_000) });
        Price { rates: rates(1_000), long, context_tokens: None, max_output_tokens: None }
    }

    #[test]
    fn each_part_has_its_rate_and_a_long_prompt_its_band() {
        let mut usage = Usage { input_tokens: 100, cached_tokens: 10, output_tokens: 7, ..Usage::default() };
        assert_eq!(price().actual(&usage), NanoUsd(300 + 10 + 105));
        usage.cache_written_tokens = 900;
        assert_eq!(price().actual(&usage), NanoUsd(2 * (300 + 10 + 3_600 + 105)));
        assert_eq!(price().worst(1_000, 7), NanoUsd(4_000 + 105));
        assert_eq!(price().worst(1_001, 7), NanoUsd(2 * (4_004 + 105)));
    }

    #[test]
    fn fractions_are_rounded_up_once_and_nothing_overflows() {
        let rates = Rates { input: PicoUsd(1), output: PicoUsd(1), ..Price::FREE.rates };
        let price = Price { rates, ..Price::FREE };
        assert_eq!(price.worst(1, 1), NanoUsd(1));
        assert_eq!(price.worst(1_000, 1), NanoUsd(2));
        let dear = Price { rates: Rates { input: PicoUsd(u64::MAX), ..price.rates }, ..price };
        assert_eq!(dear.worst(u64::MAX, u64::MAX), NanoUsd(u64::MAX));
        assert_eq!(Price::FREE.worst(u64::MAX, u64::MAX), NanoUsd(0));
    }

    proptest! {
        #[test]
        fn no_call_costs_more_than_its_worst_case(
            parts in [0..2_000_u64, 0..2_000, 0..2_000], output in 0..2_000_u64, spare in 0..50_u64
        ) {
            let [input_tokens, cached_tokens, cache_written_tokens] = parts;
            let usage = Usage {
                input_tokens, cached_tokens, cache_written_tokens, output_tokens: output, reasoning_tokens: 0,
            };
            let worst = price().worst(usage.prompt_tokens() + spare, output + spare);
            prop_assert!(price().actual(&usage) <= worst);
        }
    }
}
