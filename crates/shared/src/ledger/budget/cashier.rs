//! One process's way to its tenant's books: whatever many callers want at a moment goes in one call, and who must wait waits here.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::till::{Number, Round, Till};
use super::{Budgets, Hold, Noted, Reserved, Scope, Ticket};
use crate::job::{Name, NanoUsd, Pool};
use crate::ledger::{LEASE_MS, Lease, LedgerError, WorkerId};
use crate::metrics::Metrics;
use crate::process::Clock;

/// How often leases are kept, in milliseconds.
const KEEP_MS: u64 = LEASE_MS / 3;
/// The wait before books that cannot be reached, or a world that is not restored, are asked again; in milliseconds.
const PAUSE_MS: u64 = 250;

/// A call that somebody wants to make.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The address of the answer.
    pub id: Name,
    /// Whose call it is.
    pub lease: Lease,
    /// The most that it can cost.
    pub amount: NanoUsd,
    /// The budgets that pay, each once.
    pub scopes: Arc<[Scope]>,
}

/// What became of a purchase.
#[derive(Debug)]
pub enum Paid {
    /// The money is held: make the call, and tell its price.
    Go(Receipt),
    /// This budget cannot pay it.
    Exhausted(Scope),
    /// Another lease bought the same answer meanwhile, for so much.
    Known(NanoUsd),
}

/// An open hold. One that is dropped counts as spent in full, for its call may have been made.
#[derive(Debug)]
pub struct Receipt {
    ticket: Ticket,
    /// What it counts as when it is dropped; nothing once it is settled.
    unsettled: Option<NanoUsd>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Receipt {
    /// The number of the hold, for the journal.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Tells what the call cost; zero if it was never made.
    pub fn settle(mut self, actual: NanoUsd) {
        self.tell(actual);
    }

    fn tell(&mut self, actual: NanoUsd) {
        self.unsettled = None;
        // Without a cashier the hold ends with its lease.
        let _ = self.orders.send(Order::Settle(self.ticket, actual));
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(unsettled) = self.unsettled {
            self.tell(unsettled);
        }
    }
}

type Answer = Result<Paid, LedgerError>;

/// Orders wait in a channel without a bound of its own: who sends one waits for it, or has an open hold.
enum Order {
    Reserve(Hold, oneshot::Sender<Answer>),
    Settle(Ticket, NanoUsd),
    Flush(Lease, oneshot::Sender<()>),
    End(Lease),
}

/// What a process gives its cashiers and limiters.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// What counts its money and its waiting.
    pub metrics: Metrics,
}

/// A tenant's cashier in one process. It keeps the leases of those who bought until they end, and when the books are lost it tells
/// them again what is open and what was spent. Dropped, it tells nothing more: flush it first.
#[derive(Debug)]
pub struct Cashier {
    orders: mpsc::UnboundedSender<Order>,
    process: Name,
    wishes: AtomicU64,
    task: AbortHandle,
}

impl Drop for Cashier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cashier {
    /// Begins to serve the calls of a tenant.
    pub fn start(budgets: Arc<dyn Budgets>, tenant: Option<Name>, process: &WorkerId, frame: Frame) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let digest = blake3::hash(process.0.as_bytes()).to_hex();
        let process = Name::new(&digest[..16]).expect("hexadecimal digits are a name");
        let counter = Counter {
            budgets,
            tenant,
            frame,
            till: Till::default(),
            callers: HashMap::new(),
            flushes: Vec::new(),
            keep_ms: 0,
            pause_ms: 0,
            orders: orders.downgrade(),
        };
        let task = tokio::spawn(counter.serve(inbox)).abort_handle();
        Self { orders, process, wishes: AtomicU64::new(0), task }
    }

    /// Asks for the money of a call, and waits while other calls hold it or the books are closed. Who stops waiting holds nothing.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] by the ledger; while it cannot be reached, this waits.
    pub async fn reserve(&self, purchase: Purchase) -> Result<Paid, LedgerError> {
        let Purchase { id, lease, amount, scopes } = purchase;
        let number = self.wishes.fetch_add(1, Ordering::Relaxed);
        let request = Name::new(&format!("{}-{number}", self.process)).expect("digits and a dash are a name");
        let (reply, answer) = oneshot::channel();
        let stopped = || LedgerError::Transient { reason: "the cashier has stopped".to_owned() };
        let hold = Hold { id, request, lease, amount, scopes };
        self.orders.send(Order::Reserve(hold, reply)).map_err(|_| stopped())?;
        let mut paid = answer.await.map_err(|_| stopped())??;
        if let Paid::Go(receipt) = &mut paid {
            receipt.unsettled = Some(amount);
        }
        Ok(paid)
    }

    /// Waits until every price of a lease that was told to the cashier is in the books. Before a commit, so that books which are
    /// lost after it are restored from it.
    pub async fn flush(&self, lease: &Lease) {
        let (reply, told) = oneshot::channel();
        if self.orders.send(Order::Flush(lease.clone(), reply)).is_ok() {
            // A cashier that has stopped tells nothing more.
            let _ = told.await;
        }
    }

    /// A lease is over: what it still holds counts as spent.
    pub fn end(&self, lease: &Lease) {
        let _ = self.orders.send(Order::End(lease.clone()));
    }
}

/// The task behind a cashier.
struct Counter {
    budgets: Arc<dyn Budgets>,
    tenant: Option<Name>,
    frame: Frame,
    till: Till,
    callers: HashMap<Number, oneshot::Sender<Answer>>,
    flushes: Vec<(Lease, oneshot::Sender<()>)>,
    keep_ms: u64,
    /// Nothing is told or asked before.
    pause_ms: u64,
    orders: mpsc::WeakUnboundedSender<Order>,
}

impl Counter {
    async fn serve(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        loop {
            while let Ok(order) = inbox.try_recv() {
                self.take(order).await;
            }
            let due_ms = self.due_ms();
            if due_ms <= self.frame.clock.now_ms() {
                self.round().await;
                continue;
            }
            let clock = Arc::clone(&self.frame.clock);
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => return,
                },
                () = clock.sleep_until(due_ms) => {}
            }
        }
    }

    fn due_ms(&self) -> u64 {
        let work_ms = match self.till.is_busy() || self.till.is_closed() {
            true => Some(self.pause_ms),
            false => self.till.poll_ms().map(|poll_ms| poll_ms.max(self.pause_ms)),
        };
        work_ms.map_or(self.keep_ms, |work_ms| work_ms.min(self.keep_ms))
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Reserve(hold, caller) => {
                let number = self.till.wish(hold);
                self.callers.insert(number, caller);
            }
            Order::Settle(ticket, actual) => {
                if let Some(held) = self.till.settle(ticket, actual) {
                    self.frame.metrics.money_settled(Pool::Llm, held, actual);
                }
            }
            Order::Flush(lease, caller) => {
                self.flushes.push((lease, caller));
                self.flushed();
            }
            Order::End(lease) => {
                self.till.end(&lease);
                if let Err(error) = self.budgets.end(self.tenant.as_ref(), &lease).await {
                    tracing::debug!("the holds of a lease end with its time: {error}");
                }
            }
        }
    }

    async fn round(&mut self) {
        let now_ms = self.frame.clock.now_ms();
        if let Err(error) = self.know_the_world(now_ms).await {
            if let LedgerError::Refused { reason } = &error {
                self.refuse(reason);
            }
            return self.pause(&error);
        }
        if now_ms < self.pause_ms {
            return;
        }
        self.callers.retain(|_, caller| !caller.is_closed());
        let round = self.till.round(now_ms, |number| self.callers.contains_key(&number));
        self.tell(round).await;
        self.flushed();
    }

    /// Keeps the leases when it is time to, and declares what is open where the books are lost.
    async fn know_the_world(&mut self, now_ms: u64) -> Result<(), LedgerError> {
        if now_ms < self.keep_ms && !self.till.is_closed() {
            return Ok(());
        }
        let world = self.budgets.keep(self.tenant.as_ref(), &self.till.leases()).await?;
        self.keep_ms = now_ms + KEEP_MS;
        let Some(declarations) = self.till.declarations(world) else { return Ok(()) };
        let answers = self.budgets.declare(self.tenant.as_ref(), &declarations).await?;
        if answers.contains(&Noted::Closed) {
            self.keep_ms = now_ms + PAUSE_MS;
            self.pause_ms = self.keep_ms;
        } else {
            self.till.declared(world);
        }
        Ok(())
    }

    /// The prices go first: what they give back may be held at once.
    async fn tell(&mut self, round: Round) {
        let holds: Vec<Hold> = round.wishes.iter().map(|(_, hold)| hold.clone()).collect();
        let (tenant, budgets) = (self.tenant.as_ref(), &self.budgets);
        let settle = async {
            match round.settled.is_empty() {
                true => Ok(Vec::new()),
                false => budgets.settle(tenant, &round.settled).await,
            }
        };
        let reserve = async {
            match holds.is_empty() {
                true => Ok(Vec::new()),
                false => budgets.reserve(tenant, &holds).await,
            }
        };
        let (noted, reserved) = join(settle, reserve).await;
        let Round { settled, wishes } = round;
        match noted {
            Ok(answers) => {
                if answers.contains(&Noted::Closed) {
                    self.pause_ms = self.frame.clock.now_ms() + PAUSE_MS;
                }
                self.till.noted(settled, &answers);
            }
            Err(error) => {
                self.till.put_back(Round { settled, wishes: Vec::new() });
                self.pause(&error);
            }
        }
        match reserved {
            Ok(answers) => {
                let now_ms = self.frame.clock.now_ms();
                for (number, amount, answer) in self.till.answered(wishes, answers, now_ms) {
                    if let Reserved::Go(_) = answer {
                        self.frame.metrics.money_held(Pool::Llm, amount);
                    }
                    self.answer(number, answer);
                }
            }
            Err(LedgerError::Refused { reason }) => self.refuse(&reason),
            Err(error) => {
                self.till.put_back(Round { settled: Vec::new(), wishes });
                self.pause(&error);
            }
        }
    }

    fn answer(&mut self, number: Number, answer: Reserved) {
        let paid = match answer {
            Reserved::Go(ticket) => {
                let Some(orders) = self.orders.upgrade() else { return };
                // Until the caller has it, no call can have been made.
                Paid::Go(Receipt { ticket, unsettled: Some(NanoUsd::ZERO), orders })
            }
            Reserved::Exhausted(scope) => Paid::Exhausted(scope),
            Reserved::Known(amount) => Paid::Known(amount),
            Reserved::Wait | Reserved::Closed => return,
        };
        self.send(number, Ok(paid));
    }

    fn send(&mut self, number: Number, answer: Answer) {
        if let Some(caller) = self.callers.remove(&number) {
            // A receipt that nobody takes gives its hold back.
            let _ = caller.send(answer);
        }
    }

    fn refuse(&mut self, reason: &str) {
        for (_, caller) in self.callers.drain() {
            let _ = caller.send(Err(LedgerError::Refused { reason: reason.to_owned() }));
        }
    }

    fn flushed(&mut self) {
        let (told, untold) = self.flushes.drain(..).partition(|(lease, _)| self.till.is_told(lease));
        self.flushes = untold;
        for (_, caller) in told {
            // Who asked may have gone.
            let _: Result<(), ()> = caller.send(());
        }
    }

    fn pause(&mut self, error: &LedgerError) {
        tracing::debug!("the budgets are asked again: {error}");
        self.pause_ms = self.frame.clock.now_ms() + PAUSE_MS;
        self.keep_ms = self.keep_ms.max(self.pause_ms);
    }
}

#[cfg(test)]
mod tests;
