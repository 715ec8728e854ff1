//! What the handlers share.

use std::future::Future;
use std::sync::{Arc, Mutex};

use shardmill_shared::store::JobRecords;
use tokio::sync::Semaphore;

use crate::auth::Caller;
use crate::health::Readiness;
use crate::limit::Rates;
use crate::limits::{BODIES, LEDGER_MS, READERS, STRANGERS_BURST, STRANGERS_PER_SECOND, STREAMS};
use crate::{Api, Limits};

/// The API, and what it remembers between requests.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) api: Api,
    pub(crate) rates: Mutex<Rates>,
    /// Unknown keys, by the address that sent them.
    pub(crate) strangers: Mutex<Rates>,
    pub(crate) bodies: Arc<Semaphore>,
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) readiness: Readiness,
}

/// Shared by all requests.
pub(crate) type Shared = Arc<Inner>;

impl Inner {
    pub(crate) fn new(api: Api) -> Shared {
        let rates = Mutex::new(Rates::new(api.limits));
        let strangers = Limits { requests_per_second: STRANGERS_PER_SECOND, burst: STRANGERS_BURST };
        let strangers = Mutex::new(Rates::new(strangers));
        let places = |most| Arc::new(Semaphore::new(most));
        let (bodies, readers, streams) = (places(BODIES), places(READERS), places(STREAMS));
        Arc::new(Self { api, rates, strangers, bodies, readers, streams, readiness: Readiness::default() })
    }

    /// The caller's jobs, and nobody else's.
    pub(crate) fn records(&self, caller: &Caller) -> JobRecords {
        JobRecords::of(&self.api.root, &caller.tenant)
    }

    /// What `future` gives, unless that takes longer than so many milliseconds.
    pub(crate) async fn within<T>(&self, ms: u64, future: impl Future<Output = T>) -> Option<T> {
        let clock = &self.api.clock;
        let due_ms = clock.now_ms().saturating_add(ms);
        tokio::select! {
            biased;
            value = future => Some(value),
            () = clock.sleep_until(due_ms) => None,
        }
    }

    /// What the ledger answers, if it answers soon. It knows only jobs that run.
    pub(crate) async fn asked<T, E>(&self, answer: impl Future<Output = Result<T, E>>) -> Option<T> {
        self.within(LEDGER_MS, answer).await.and_then(Result::ok)
    }
}
