//! A connection that is always being kept: when it is lost, the next one is made, with growing waits.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::fault::transient;
use super::limits::{RECONNECT_MAX_MS, RECONNECT_MIN_MS};
use super::session::Session;
use super::topology::Names;
use crate::queue::QueueError;

/// Where the keeper is.
#[derive(Clone, Debug)]
enum State {
    /// No connection, and why not.
    Down(QueueError),
    /// Connected, as far as anyone knows.
    Up(Arc<Session>),
}

/// A kept connection. Dropped, it is kept no more.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    keeper: AbortHandle,
}

/// What a keeper needs.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) address: Address,
    pub(super) names: Names,
    /// Names the connection in the server's lists.
    pub(super) purpose: &'static str,
}

impl Link {
    /// Begins to keep a connection.
    pub(super) fn keep(settings: Settings) -> Self {
        let (sender, state) = watch::channel(State::Down(transient(format!("connecting to {}", settings.address))));
        let keeper = tokio::spawn(keep(settings, sender)).abort_handle();
        Self { state, keeper }
    }

    /// The live session, or the next one.
    ///
    /// # Errors
    /// [`QueueError::Refused`] when waiting is of no use.
    pub(super) async fn session(&self) -> Result<Arc<Session>, QueueError> {
        let mut state = self.state.clone();
        let decided = state.wait_for(|state| match state {
            State::Up(session) => session.is_live(),
            State::Down(why) => matches!(why, QueueError::Refused { .. }),
        });
        match decided.await.map(|state| state.clone()) {
            Ok(State::Up(session)) => Ok(session),
            Ok(State::Down(why)) => Err(why),
            Err(_) => Err(QueueError::Closed),
        }
    }

    /// The live session, or the next one if it comes in time.
    pub(super) async fn session_within(&self, patience: Duration) -> Result<Arc<Session>, QueueError> {
        match timeout(patience, self.session()).await {
            Ok(end) => end,
            Err(_) => Err(match &*self.state.borrow() {
                State::Down(why) => why.clone(),
                State::Up(_) => transient("the connection was just lost"),
            }),
        }
    }

    /// The live session.
    pub(super) fn live(&self) -> Option<Arc<Session>> {
        match &*self.state.borrow() {
            State::Up(session) if session.is_live() => Some(Arc::clone(session)),
            _ => None,
        }
    }

    /// Comes back when the server refuses us.
    pub(super) async fn refused(&self) -> QueueError {
        let mut state = self.state.clone();
        let refused = state.wait_for(|state| matches!(state, State::Down(QueueError::Refused { .. })));
        match refused.await.map(|state| state.clone()) {
            Ok(State::Down(why)) => why,
            _ => QueueError::Closed,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(settings: Settings, state: watch::Sender<State>) {
    let Settings { address, names, purpose } = settings;
    let mut tries = 0;
    let mut told = None;
    loop {
        match Session::open(&address, &names, purpose).await {
            Ok(session) => {
                let session = Arc::new(session);
                (tries, told) = (0, None);
                tracing::info!("connected to {address}");
                state.send_replace(State::Up(Arc::clone(&session)));
                let why = session.watch().await;
                tracing::warn!("the connection to {address} was lost: {why}");
                state.send_replace(State::Down(transient(why)));
            }
            Err(why) => {
                if told.as_ref() != Some(&why) {
                    tracing::warn!("no connection yet: {why}");
                    told = Some(why.clone());
                }
                state.send_replace(State::Down(why));
            }
        }
        sleep(wait(tries)).await;
        tries = tries.saturating_add(1);
    }
}

/// The wait after so many failed tries: doubled each time, and spread, so that a server that comes back does not meet
/// everyone at once.
fn wait(tries: u32) -> Duration {
    let most = RECONNECT_MIN_MS.saturating_mul(2_u64.saturating_pow(tries)).min(RECONNECT_MAX_MS);
    let random = RandomState::new().build_hasher().finish();
    Duration::from_millis(most / 2 + random % (most / 2 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_spread() {
        for (tries, most_ms) in [(0, 100), (1, 200), (4, 1_600), (5, 3_000), (u32::MAX, 3_000)] {
            let waits: Vec<u64> = (0..50).map(|_| wait(tries).as_millis().try_into().expect("is short")).collect();
            assert!(waits.iter().all(|wait_ms| (most_ms / 2..=most_ms).contains(wait_ms)), "{tries}: {waits:?}");
            assert!(waits.iter().any(|wait_ms| *wait_ms != waits[0]), "{tries}: {waits:?}");
        }
    }
}
