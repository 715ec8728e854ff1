//! What was asked, how it ended, and what it cost: exact at any time, also when many call at once. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fault::Fault;
use crate::model::{Model, Models, Usage};

/// What the provider would charge, with the counts behind it. Every call is counted when it comes; it is charged when its
/// answer is made, whether or not that arrives; its status is counted when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// What is charged, in nano-dollars (thousandths of a millionth); each call is rounded up.
    pub cost_nano_dollars: u64,
    /// The same in dollars, with all nine decimals.
    pub cost_dollars: String,
    /// Every call to a model, whatever became of it.
    pub calls: u64,
    /// Calls that are charged.
    pub charged: u64,
    /// Calls that were answered with 200.
    pub answered: u64,
    /// Calls that were answered with 429.
    pub rate_limited: u64,
    /// Calls that were answered with any other 4xx.
    pub rejected: u64,
    /// Calls that were answered with 5xx.
    pub failed: u64,
    /// Calls whose answer did not go out whole: the client went away, or a fault lost it.
    pub cut_off: u64,
    /// Calls under way.
    pub in_flight: u64,
    /// The most calls that were under way at a time.
    pub peak_in_flight: u64,
    /// Tokens that are charged.
    pub tokens: Tokens,
    /// Ended calls by status; those that were cut off have none.
    pub by_status: BTreeMap<u16, u64>,
    /// Faults that happened, by name.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// What each model that was called has charged.
    pub by_model: BTreeMap<String, Account>,
}

/// Tokens by what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Of prompts, neither read from the cache nor written to it.
    pub input: u64,
    /// Of prompts, read from the cache.
    pub cached: u64,
    /// Of prompts, written to the cache.
    pub cache_written: u64,
    /// Of answers.
    pub output: u64,
}

/// One model's part of the bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Calls that named it and were understood.
    pub calls: u64,
    /// Calls that are charged.
    pub charged: u64,
    /// What is charged, in nano-dollars.
    pub cost_nano_dollars: u64,
    /// Tokens that are charged.
    pub tokens: Tokens,
}

impl Account {
    fn add(&mut self, usage: &Usage, cost_nanos: u64) {
        self.charged += 1;
        self.cost_nano_dollars = self.cost_nano_dollars.saturating_add(cost_nanos);
        self.tokens.input += usage.input;
        self.tokens.cached += usage.cached;
        self.tokens.cache_written += usage.cache_written;
        self.tokens.output += usage.output;
    }
}

/// The counts while they are made.
#[derive(Debug)]
pub(crate) struct Book {
    calls: u64,
    cut_off: u64,
    in_flight: u64,
    peak_in_flight: u64,
    by_status: BTreeMap<u16, u64>,
    by_fault: BTreeMap<&'static str, u64>,
    /// By the place of the model.
    accounts: Vec<Account>,
}

impl Book {
    pub(crate) fn new(models: &Models) -> Self {
        Self {
            calls: 0,
            cut_off: 0,
            in_flight: 0,
            peak_in_flight: 0,
            by_status: BTreeMap::new(),
            by_fault: BTreeMap::new(),
            accounts: models.iter().map(|_| Account::default()).collect(),
        }
    }

    /// A call has come.
    pub(crate) fn open(&mut self) {
        self.calls += 1;
        self.in_flight += 1;
        self.peak_in_flight = self.peak_in_flight.max(self.in_flight);
    }

    /// Calls under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// A call names the model at `place`.
    pub(crate) fn name(&mut self, place: usize) {
        self.accounts[place].calls += 1;
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        *self.by_fault.entry(fault.name()).or_default() += 1;
    }

    /// An answer of the model at `place` is made.
    pub(crate) fn charge(&mut self, place: usize, model: &Model, usage: &Usage) {
        self.accounts[place].add(usage, model.cost_nanos(usage));
    }

    /// A call has ended: with a status, or cut off.
    pub(crate) fn close(&mut self, status: Option<u16>) {
        self.in_flight -= 1;
        match status {
            Some(status) => *self.by_status.entry(status).or_default() += 1,
            None => self.cut_off += 1,
        }
    }

    /// Forgets everything but the calls under way.
    pub(crate) fn reset(&mut self, models: &Models) {
        let in_flight = self.in_flight;
        *self = Self { calls: in_flight, in_flight, peak_in_flight: in_flight, ..Self::new(models) };
    }

    pub(crate) fn bill(&self, models: &Models) -> Bill {
        let mut total = Account::default();
        for account in &self.accounts {
            total.charged += account.charged;
            total.cost_nano_dollars = total.cost_nano_dollars.saturating_add(account.cost_nano_dollars);
            total.tokens.input += account.tokens.input;
            total.tokens.cached += account.tokens.cached;
            total.tokens.cache_written += account.tokens.cache_written;
            total.tokens.output += account.tokens.output;
        }
        let ended = |wanted: fn(u16) -> bool| {
            self.by_status.iter().filter(|(status, _)| wanted(**status)).map(|(_, count)| count).sum()
        };
        let named = models.iter().map(|model| model.name.clone()).zip(self.accounts.iter().copied());
        Bill {
            cost_nano_dollars: total.cost_nano_dollars,
            cost_dollars: dollars(total.cost_nano_dollars),
            calls: self.calls,
            charged: total.charged,
            answered: ended(|status| status == 200),
            rate_limited: ended(|status| status == 429),
            rejected: ended(|status| (400..500).contains(&status) && status != 429),
            failed: ended(|status| status >= 500),
            cut_off: self.cut_off,
            in_flight: self.in_flight,
            peak_in_flight: self.peak_in_flight,
            tokens: total.tokens,
            by_status: self.by_status.clone(),
            by_fault: self.by_fault.clone(),
            by_model: named.filter(|(_, account)| account.calls > 0).collect(),
        }
    }
}

fn dollars(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_counted_once_and_charged_when_its_answer_is_made() {
        let models = Models::default();
        let mut book = Book::new(&models);
        let usage = Usage { input: 100, output: 10, ..Usage::default() };
        for status in [Some(200), Some(429), Some(404), Some(529), None] {
            book.open();
            if matches!(status, Some(200) | None) {
                book.name(0);
                book.charge(0, models.at(0), &usage);
            }
            book.close(status);
        }
        book.open();
        let bill = book.bill(&models);
        assert_eq!((bill.calls, bill.charged, bill.in_flight, bill.peak_in_flight), (6, 2, 1, 1));
        let ended = [bill.answered, bill.rate_limited, bill.rejected, bill.failed, bill.cut_off];
        assert_eq!(ended, [1, 1, 1, 1, 1]);
        assert_eq!((bill.cost_nano_dollars, bill.cost_dollars.as_str()), (300_000, "0.000300000"));
        assert_eq!(bill.by_model["mock-1"].tokens, Tokens { input: 200, output: 20, ..Tokens::default() });
        assert_eq!(bill.by_model.len(), 1, "a model that nobody called is not listed");
        book.reset(&models);
        let bill = book.bill(&models);
        assert_eq!((bill.calls, bill.in_flight, bill.peak_in_flight, bill.cost_nano_dollars), (1, 1, 1, 0));
    }

    #[test]
    fn dollars_keep_every_nano() {
        assert_eq!([dollars(0), dollars(5), dollars(12_000_000_001)], ["0.000000000", "0.000000005", "12.000000001"]);
    }
}
