//! One process's way to the limits of a model, for one job: its calls wait here until they may be made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::wishes::{Number, Wishes};
use super::{Claimant, Dimension, Limits, Model, Need, Observed, Quota, Want};
use crate::ledger::LedgerError;
use crate::ledger::budget::Frame;

const MS_NS: u64 = 1_000_000;
/// The wait before a ledger that cannot be reached is asked again, in nanoseconds.
const PAUSE_NS: u64 = 250 * MS_NS;

/// The right to make one call. It takes a slot until it is dropped.
#[derive(Debug)]
pub struct Permit {
    need: Need,
    used: Need,
    orders: mpsc::UnboundedSender<Order>,
}

impl Permit {
    /// Tells what the call took of the limits; without it, what it was estimated at. See [`Need::used`].
    pub fn used(mut self, used: Need) {
        self.used = used;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Without a limiter the slots end by themselves.
        let _ = self.orders.send(Order::Ended { need: self.need, used: self.used });
    }
}

type Answer = Result<Permit, LedgerError>;

/// Orders wait in a channel without a bound of its own: who sends one waits for it, or has made a call.
enum Order {
    Acquire { need: Need, caller: oneshot::Sender<Answer>, since_ms: u64 },
    Ended { need: Need, used: Need },
    Pause { for_ms: u64 },
    Observed { dimension: Dimension, observed: Observed },
    SetQuota(Quota),
}

/// A job's limiter for a model in one process.
#[derive(Debug)]
pub struct Limiter {
    orders: mpsc::UnboundedSender<Order>,
    frame: Frame,
    task: AbortHandle,
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Limiter {
    /// Begins to serve a claimant's calls of a model whose limits are configured as `quota`.
    pub fn start(limits: Arc<dyn Limits>, model: Model, claimant: Claimant, quota: Quota, frame: Frame) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let gate = Gate {
            limits,
            model,
            claimant,
            quota,
            frame: frame.clone(),
            wishes: Wishes::default(),
            callers: HashMap::new(),
            numbers: 0,
            has_left: true,
            orders: orders.downgrade(),
        };
        let task = tokio::spawn(gate.serve(inbox)).abort_handle();
        Self { orders, frame, task }
    }

    /// Waits until a call may be made that needs so much.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] by the ledger; while it cannot be reached, this waits.
    pub async fn acquire(&self, need: Need) -> Result<Permit, LedgerError> {
        let (caller, answer) = oneshot::channel();
        let stopped = || LedgerError::Transient { reason: "the limiter has stopped".to_owned() };
        let since_ms = self.frame.clock.now_ms();
        self.orders.send(Order::Acquire { need, caller, since_ms }).map_err(|_| stopped())?;
        let mut permit = answer.await.map_err(|_| stopped())??;
        permit.used = permit.need;
        Ok(permit)
    }

    /// The provider wants no call of anybody for so long.
    pub fn pause(&self, for_ms: u64) {
        // A limiter that has stopped makes no calls.
        let _ = self.orders.send(Order::Pause { for_ms });
    }

    /// The provider told of a limit.
    pub fn observed(&self, dimension: Dimension, observed: Observed) {
        let _ = self.orders.send(Order::Observed { dimension, observed });
    }

    /// The configured limits have changed.
    pub fn set_quota(&self, quota: Quota) {
        let _ = self.orders.send(Order::SetQuota(quota));
    }
}

/// The task behind a limiter.
struct Gate {
    limits: Arc<dyn Limits>,
    model: Model,
    claimant: Claimant,
    quota: Quota,
    frame: Frame,
    wishes: Wishes,
    callers: HashMap<Number, (oneshot::Sender<Answer>, u64)>,
    numbers: Number,
    has_left: bool,
    orders: mpsc::WeakUnboundedSender<Order>,
}

impl Gate {
    async fn serve(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        loop {
            while let Ok(order) = inbox.try_recv() {
                self.take(order).await;
            }
            self.open();
            self.ask().await;
            self.open();
            let due_ms = self.wishes.due_ns().map_or(u64::MAX, |due_ns| due_ns.div_ceil(MS_NS));
            let clock = Arc::clone(&self.frame.clock);
            if due_ms <= clock.now_ms() && inbox.is_empty() {
                // What is due and could not be done waits for an order or for the ledger.
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => return,
                },
                () = clock.sleep_until(due_ms), if due_ms < u64::MAX => {}
            }
        }
    }

    fn now_ns(&self) -> u64 {
        self.frame.clock.now_ms().saturating_mul(MS_NS)
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Acquire { need, caller, since_ms } => {
                self.numbers += 1;
                self.wishes.wish(self.numbers, need);
                self.callers.insert(self.numbers, (caller, since_ms));
            }
            Order::Ended { need, used } => self.wishes.ended(need, used),
            Order::Pause { for_ms } => {
                self.wishes.hold_back(self.now_ns().saturating_add(for_ms.saturating_mul(MS_NS)));
                let told = self.limits.pause(&self.model, for_ms).await;
                self.note(told);
            }
            Order::Observed { dimension, observed } => {
                let told = self.limits.observed(&self.model, dimension, &observed).await;
                self.note(told);
            }
            Order::SetQuota(quota) => self.quota = quota,
        }
    }

    /// Lets calls go that may be made now.
    fn open(&mut self) {
        let now_ns = self.now_ns();
        for (number, need) in self.wishes.go(now_ns) {
            let (Some(orders), Some((caller, since_ms))) = (self.orders.upgrade(), self.callers.remove(&number)) else {
                self.wishes.ended(need, Need::default());
                continue;
            };
            let waited_ms = (now_ns / MS_NS).saturating_sub(since_ms);
            self.frame.metrics.limiter_waited(&self.model.to_string(), Duration::from_millis(waited_ms));
            // Until the caller has it, no call can have been made: one that nobody takes gives everything back.
            let _ = caller.send(Ok(Permit { need, used: Need::default(), orders }));
        }
    }

    /// Asks for what is wanted next; who wants nothing more leaves.
    async fn ask(&mut self) {
        let now_ns = self.now_ns();
        let ask = self.wishes.ask(now_ns);
        let is_leaving = self.wishes.is_idle() && !self.has_left;
        if (ask.is_some() || is_leaving)
            && let Some(correction) = self.wishes.correction()
        {
            let told = self.limits.correct(&self.model, &self.claimant, &correction).await;
            self.note(told);
        }
        if is_leaving {
            self.has_left = true;
            let told = self.limits.leave(&self.model, &self.claimant).await;
            self.note(told);
        }
        let Some(ask) = ask else { return };
        self.has_left = false;
        let (claimant, quota) = (self.claimant.clone(), self.quota);
        let want = Want { claimant, quota, calls: ask.calls, each: ask.each, slots: ask.slots, running: ask.running };
        match self.limits.want(&self.model, &want).await {
            Ok(slice) => self.wishes.given(&ask, &slice, self.now_ns()),
            Err(error) => {
                self.wishes.pause(now_ns.saturating_add(PAUSE_NS));
                if let LedgerError::Refused { reason } = &error {
                    for (_, (caller, _)) in self.callers.drain() {
                        // The caller may have gone.
                        let _ = caller.send(Err(LedgerError::Refused { reason: reason.clone() }));
                    }
                }
                self.note(Err(error));
            }
        }
    }

    fn note(&self, told: Result<(), LedgerError>) {
        if let Err(error) = told {
            tracing::debug!("the limits of {} are not told: {error}", self.model);
        }
    }
}

#[cfg(test)]
mod tests;
