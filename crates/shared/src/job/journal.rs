//! The journal of a shard: what models answered its attempts, in segments that are put once. Pure.

use serde::{Deserialize, Serialize};

use super::{Digest, NanoUsd};

/// An answer and its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry<A> {
    /// What the answer depends on, as a digest.
    pub address: Digest,
    /// The answer.
    pub answer: A,
}

/// A piece of a journal, put once by one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment<A> {
    /// What the attempt may spend, from here until its next segment, on answers that are in none. Should it die, that counts
    /// as spent.
    pub ahead: NanoUsd,
    /// Whether the attempt spends nothing more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_last: bool,
    /// What was answered.
    pub entries: Vec<JournalEntry<A>>,
}

/// All that is read of an answer by those who only count money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Price {
    /// What it cost.
    pub paid: NanoUsd,
}

impl<A> Segment<A> {
    /// A segment without answers.
    pub fn empty(ahead: NanoUsd) -> Self {
        Self { ahead, is_last: false, entries: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_counts_money_reads_what_is_paid_and_no_more() {
        let written = serde_json::json!({
            "ahead": "0.30",
            "entries": [{"address": Digest::of(b"a"), "answer": {"text": "hello", "finish": "done", "paid": "0.02"}}],
        });
        let segment: Segment<Price> = serde_json::from_value(written).expect("reads");
        assert_eq!(segment.entries[0].answer.paid, NanoUsd(20_000_000));
        assert!(!segment.is_last && segment.ahead == NanoUsd(300_000_000));
    }
}
