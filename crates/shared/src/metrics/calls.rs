//! How long calls of the ports take, and how they fail.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::labels::{OfCall, OfCallError};
use super::{Seconds, about, moments};
use crate::ledger::LedgerError;
use crate::queue::QueueError;
use crate::store::StoreError;

/// The calls of all ports.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    seconds: Seconds<OfCall>,
    errors: Family<OfCallError, Counter>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { seconds: Family::new_with_constructor(moments), errors: Family::default() }
    }
}

/// An error that has a class; none when it is an answer like any other.
pub(super) trait Classed {
    fn class(&self) -> Option<&'static str>;
}

impl Classed for StoreError {
    fn class(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => None,
            Self::Full { .. } => Some("full"),
            Self::Permission { .. } => Some("permission"),
            Self::Refused { .. } => Some("refused"),
            Self::Locked { .. } => Some("locked"),
            Self::Transient { .. } => Some("transient"),
            Self::Permanent { .. } => Some("permanent"),
        }
    }
}

impl Classed for LedgerError {
    fn class(&self) -> Option<&'static str> {
        match self {
            Self::Unknown(_) => None,
            Self::Transient { .. } => Some("transient"),
            Self::Refused { .. } => Some("refused"),
        }
    }
}

impl Classed for QueueError {
    fn class(&self) -> Option<&'static str> {
        match self {
            Self::Closed => None,
            Self::Transient { .. } => Some("transient"),
            Self::Refused { .. } => Some("refused"),
            Self::Malformed { .. } => Some("malformed"),
            Self::Newer { .. } => Some("newer"),
        }
    }
}

impl Calls {
    pub(super) fn register(&self, registry: &mut Registry) {
        about::CALL_SECONDS.register(registry, self.seconds.clone());
        about::CALL_ERRORS.register(registry, self.errors.clone());
    }

    /// What `call` answers, measured. One that is dropped before it answers is not counted.
    pub(super) async fn measured<T, E: Classed>(
        &self,
        to: &'static str,
        operation: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let answer = call.await;
        self.seconds.get_or_create(&OfCall { to, operation }).observe(start.elapsed().as_secs_f64());
        if let Some(class) = answer.as_ref().err().and_then(Classed::class) {
            self.errors.get_or_create(&OfCallError { to, operation, class }).inc();
        }
        answer
    }
}
