//! Rate limits as providers enforce them: what is counted when, and what a refused call is told. Pure.

use serde::{Deserialize, Serialize};

use crate::bucket::{Bucket, Gauge};
use crate::error::OptionError;

/// What a model lets pass; what is left out has no limit. A provider enforces those of its limits that are given:
/// Anthropic requests, input and output tokens; OpenAI, Azure and Bedrock requests and tokens. A minute's worth may
/// come at once, and then as much as refills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests in a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens of prompts in a minute, cache reads not counted.
    pub input_tokens_per_minute: Option<u64>,
    /// Tokens of answers in a minute, counted as they are made.
    pub output_tokens_per_minute: Option<u64>,
    /// Tokens in a minute, reserved by what a request could take.
    pub tokens_per_minute: Option<u64>,
    /// Calls at a time. No header tells of it, and its 429 says no time.
    pub concurrency: Option<u64>,
}

impl Limits {
    /// Refuses limits that let nothing pass.
    ///
    /// # Errors
    /// When one is 0.
    pub fn check(&self) -> Result<(), OptionError> {
        let all = [
            (self.requests_per_minute, "requests per minute"),
            (self.input_tokens_per_minute, "input tokens per minute"),
            (self.output_tokens_per_minute, "output tokens per minute"),
            (self.tokens_per_minute, "tokens per minute"),
            (self.concurrency, "calls at a time"),
        ];
        match all.into_iter().find(|(limit, _)| *limit == Some(0)) {
            Some((_, what)) => Err(OptionError::NoLimit { what }),
            None => Ok(()),
        }
    }
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Requests,
    InputTokens,
    OutputTokens,
    Tokens,
    Concurrency,
}

/// What a call needs of each limit; a limit of which it needs nothing does not hold it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Taken at the start.
    pub(crate) input: u64,
    /// Must be there at the start; what is made is taken at the end.
    pub(crate) output: u64,
    /// Reserved at the start.
    pub(crate) tokens: u64,
    pub(crate) refused: Refused,
}

/// What a refused request takes from the limit of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    IsFree,
    Counts,
}

/// What is taken or given back when a call ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) output: u64,
    pub(crate) unused_tokens: u64,
}

/// What the limits of a model show after a call was let pass or refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) requests: Option<Gauge>,
    pub(crate) input: Option<Gauge>,
    pub(crate) output: Option<Gauge>,
    pub(crate) tokens: Option<Gauge>,
}

/// A call that a limit refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) axis: Axis,
    /// Until it would pass, in milliseconds; nothing where it never would.
    pub(crate) wait_ms: Option<u64>,
}

/// The limits of one model at work.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    requests: Option<Bucket>,
    input: Option<Bucket>,
    output: Option<Bucket>,
    tokens: Option<Bucket>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits, now_ms: u64) -> Self {
        let bucket = |limit: Option<u64>| limit.map(|limit| Bucket::full(limit, now_ms));
        Self {
            requests: bucket(limits.requests_per_minute),
            input: bucket(limits.input_tokens_per_minute),
            output: bucket(limits.output_tokens_per_minute),
            tokens: bucket(limits.tokens_per_minute),
        }
    }

    /// Lets a call pass and takes what it needs, or refuses it.
    pub(crate) fn admit(&mut self, now_ms: u64, need: &Need) -> Result<(), Refusal> {
        for bucket in self.all().into_iter().flatten() {
            bucket.refill(now_ms);
        }
        let wait = |bucket: &Option<Bucket>, need| bucket.as_ref().map_or(Some(0), |bucket| bucket.wait_ms(need));
        let waits = [
            (Axis::Requests, wait(&self.requests, 1)),
            (Axis::InputTokens, wait(&self.input, need.input)),
            (Axis::OutputTokens, wait(&self.output, need.output)),
            (Axis::Tokens, wait(&self.tokens, need.tokens)),
        ];
        // The limit that holds longest is the one to tell of: a retry that waits for a shorter one fails again.
        let longest = waits.into_iter().max_by_key(|(_, wait)| wait.unwrap_or(u64::MAX));
        if let Some((axis, wait_ms)) = longest.filter(|(_, wait)| *wait != Some(0)) {
            if let (Some(requests), Refused::Counts) = (&mut self.requests, need.refused) {
                requests.take_what_is_there(1);
            }
            return Err(Refusal { axis, wait_ms });
        }
        for (bucket, amount) in
            [(&mut self.requests, 1), (&mut self.input, need.input), (&mut self.tokens, need.tokens)]
        {
            if let Some(bucket) = bucket {
                bucket.take(amount);
            }
        }
        Ok(())
    }

    /// Counts what was only known at the end of a call.
    pub(crate) fn settle(&mut self, now_ms: u64, settlement: &Settlement) {
        if let Some(output) = &mut self.output {
            output.refill(now_ms);
            output.take(settlement.output);
        }
        if let Some(tokens) = &mut self.tokens {
            tokens.refill(now_ms);
            tokens.give(settlement.unused_tokens);
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        let gauge = |bucket: &Option<Bucket>| bucket.as_ref().map(Bucket::gauge);
        Standing {
            requests: gauge(&self.requests),
            input: gauge(&self.input),
            output: gauge(&self.output),
            tokens: gauge(&self.tokens),
        }
    }

    fn all(&mut self) -> [Option<&mut Bucket>; 4] {
        [self.requests.as_mut(), self.input.as_mut(), self.output.as_mut(), self.tokens.as_mut()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need = Need { input: 0, output: 0, tokens: 0, refused: Refused::IsFree };

    fn rates(limits: Limits) -> Rates {
        limits.check().expect("no limit is 0");
        Rates::new(&limits, 0)
    }

    #[test]
    fn output_is_taken_when_it_is_made_and_may_leave_a_debt() {
        let mut rates = rates(Limits { output_tokens_per_minute: Some(600), ..Limits::default() });
        let need = Need { output: 1, ..NEED };
        assert_eq!(rates.admit(0, &need), Ok(()));
        assert_eq!(rates.admit(0, &need), Ok(()), "nothing is reserved");
        rates.settle(0, &Settlement { output: 500, unused_tokens: 0 });
        rates.settle(0, &Settlement { output: 200, unused_tokens: 0 });
        assert_eq!(rates.standing().output.map(|gauge| gauge.remaining), Some(0));
        let refused = Refusal { axis: Axis::OutputTokens, wait_ms: Some(10_100) };
        assert_eq!(rates.admit(0, &need), Err(refused));
        assert_eq!(rates.admit(10_100, &need), Ok(()));
    }

    #[test]
    fn reserved_tokens_that_were_not_used_come_back() {
        let mut rates = rates(Limits { tokens_per_minute: Some(1_000), ..Limits::default() });
        let need = Need { tokens: 600, ..NEED };
        assert_eq!(rates.admit(0, &need), Ok(()));
        assert_eq!(rates.admit(0, &need), Err(Refusal { axis: Axis::Tokens, wait_ms: Some(12_000) }));
        rates.settle(0, &Settlement { output: 0, unused_tokens: 500 });
        assert_eq!(rates.admit(0, &need), Ok(()));
        let never = Need { tokens: 1_001, ..NEED };
        assert_eq!(rates.admit(0, &never), Err(Refusal { axis: Axis::Tokens, wait_ms: None }));
    }

    #[test]
    fn where_failed_requests_count_resending_does_not_help() {
        for (refused, passes) in [(Refused::IsFree, true), (Refused::Counts, false)] {
            let mut rates = rates(Limits { requests_per_minute: Some(60), ..Limits::default() });
            let need = Need { refused, ..NEED };
            assert!((0..60).all(|_| rates.admit(0, &need).is_ok()));
            let hammering = (1..=20).any(|tenth| rates.admit(tenth * 100, &need).is_ok());
            assert_eq!(hammering, passes, "{refused:?}");
        }
    }

    #[test]
    fn the_longest_wait_is_told() {
        let limits = Limits { requests_per_minute: Some(60), input_tokens_per_minute: Some(60), ..Limits::default() };
        let mut rates = rates(limits);
        let need = |input| Need { input, ..NEED };
        assert!((0..60).all(|_| rates.admit(0, &need(1)).is_ok()));
        assert_eq!(rates.admit(0, &need(5)), Err(Refusal { axis: Axis::InputTokens, wait_ms: Some(5_000) }));
        assert!(Limits { concurrency: Some(0), ..Limits::default() }.check().is_err());
    }
}
