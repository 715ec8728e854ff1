//! Answers that are being bought now: who wants the same waits for it, and does not buy it too.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::address::Address;

/// The answers that are being bought by this process.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashSet<Address>>,
    landed: Notify,
}

/// That an answer is being bought; over when it is dropped.
#[derive(Debug)]
pub(crate) struct Flight<'a> {
    flights: &'a Flights,
    address: Address,
    /// Whether somebody else was at it before, who may have it now.
    pub(crate) has_waited: bool,
}

impl Flights {
    /// Begins to buy an answer, once nobody else is at it.
    pub(crate) async fn begin(&self, address: Address) -> Flight<'_> {
        let mut has_waited = false;
        loop {
            // Made before the look, so that a landing between look and wait is heard.
            let landed = self.landed.notified();
            if self.under_way().insert(address) {
                return Flight { flights: self, address, has_waited };
            }
            has_waited = true;
            landed.await;
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<Address>> {
        self.under_way.lock().expect("nothing panics while it holds the set")
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.under_way().remove(&self.address);
        self.flights.landed.notify_waiters();
    }
}
