//! How many calls may be in flight to one provider: finds an unknown limit by what the provider answers.

use std::sync::Mutex;

use tokio::sync::Notify;

use crate::limits::{IN_FLIGHT_MAX, IN_FLIGHT_START};

/// The search for a limit: up by one per call until the provider first objects, then down by a third at every
/// objection, and up by one per round of calls.
#[derive(Debug)]
struct Window {
    size: f64,
    most: f64,
    in_flight: u32,
    is_searching: bool,
    /// Raised at every reduction: calls from before it say nothing new.
    epoch: u64,
}

impl Window {
    fn new(concurrency: Option<u64>) -> Self {
        let most =
            concurrency.and_then(|most| u32::try_from(most).ok()).unwrap_or(IN_FLIGHT_MAX).clamp(1, IN_FLIGHT_MAX);
        // A number that the operator names is where the account is meant to work.
        let size = concurrency.map_or(most.min(IN_FLIGHT_START), |_| most);
        Self { size: size.into(), most: most.into(), in_flight: 0, is_searching: true, epoch: 0 }
    }

    fn has_room(&self) -> bool {
        f64::from(self.in_flight) + 1.0 <= self.size
    }

    fn succeeded(&mut self) {
        // An answer says nothing about more calls at once than there were.
        let is_used = f64::from(self.in_flight) + 1.0 >= self.size * 0.5;
        if is_used {
            let step = if self.is_searching { 1.0 } else { 1.0 / self.size };
            self.size = (self.size + step).min(self.most);
        }
    }

    fn congested(&mut self, epoch: u64) {
        if epoch == self.epoch {
            self.size = (self.size * (2.0 / 3.0)).max(1.0);
            self.is_searching = false;
            self.epoch += 1;
        }
    }
}

/// The gate before a provider.
#[derive(Debug)]
pub(crate) struct Gate {
    window: Mutex<Window>,
    room: Notify,
}

/// A place among the calls in flight, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    gate: &'a Gate,
    epoch: u64,
}

impl Gate {
    /// A gate for at most so many calls at once; without a number it is found out.
    pub(crate) fn new(concurrency: Option<u64>) -> Self {
        Self { window: Mutex::new(Window::new(concurrency)), room: Notify::new() }
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self) -> Place<'_> {
        loop {
            if let Some(place) = self.try_enter() {
                return place;
            }
            self.room.notified().await;
        }
    }

    fn try_enter(&self) -> Option<Place<'_>> {
        let mut window = self.window();
        window.has_room().then(|| {
            window.in_flight += 1;
            Place { gate: self, epoch: window.epoch }
        })
    }

    /// Calls in flight, and how many may be.
    pub(crate) fn state(&self) -> (u32, u32) {
        let window = self.window();
        (window.in_flight, window.size as u32)
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.window.lock().expect("nothing panics while it holds the window")
    }
}

impl Place<'_> {
    /// The provider answered.
    pub(crate) fn succeeded(&self) {
        self.gate.window().succeeded();
    }

    /// The provider said that there are too many calls at once.
    pub(crate) fn congested(&self) {
        self.gate.window().congested(self.epoch);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.window().in_flight -= 1;
        // Two, because the window may have grown by one: a waiter that finds no room waits again.
        self.gate.room.notify_one();
        self.gate.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills the window and answers every call, as a provider that takes `limit` calls at once would.
    fn round(window: &mut Window, limit: u32) {
        let epoch = window.epoch;
        while window.has_room() {
            window.in_flight += 1;
        }
        let calls = window.in_flight;
        for call in 0..calls {
            window.in_flight -= 1;
            if call < limit { window.succeeded() } else { window.congested(epoch) }
        }
    }

    #[test]
    fn an_unknown_limit_is_found_and_kept_near() {
        let mut window = Window::new(None);
        for _ in 0..40 {
            round(&mut window, 200);
        }
        let mut sizes = Vec::new();
        for _ in 0..200 {
            round(&mut window, 200);
            sizes.push(window.size);
        }
        let mean = sizes.iter().sum::<f64>() / 200.0;
        assert!((140.0..=205.0).contains(&mean), "{mean}");
        assert!(sizes.iter().all(|size| (100.0..=203.0).contains(size)), "{sizes:?}");
    }

    #[test]
    fn a_named_number_is_where_it_starts_and_never_passed() {
        let mut window = Window::new(Some(8));
        for _ in 0..10 {
            round(&mut window, 100);
        }
        assert_eq!(window.size, 8.0);
        assert_eq!(Window::new(Some(u64::MAX)).most, f64::from(IN_FLIGHT_MAX));
    }

    #[test]
    fn many_objections_to_one_round_count_once_and_one_call_is_always_let_in() {
        let mut window = Window::new(Some(90));
        for _ in 0..50 {
            window.congested(0);
        }
        assert!((window.size - 60.0).abs() < 1e-9, "{}", window.size);
        for epoch in 1..50 {
            window.congested(epoch);
        }
        assert!(window.has_room());
    }

    #[tokio::test]
    async fn who_waits_is_let_in_when_a_place_is_given_back() {
        let gate = std::sync::Arc::new(Gate::new(Some(1)));
        let first = gate.enter().await;
        assert_eq!(gate.state(), (1, 1));
        let other = std::sync::Arc::clone(&gate);
        let waiting = tokio::spawn(async move { drop(other.enter().await) });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.expect("is let in");
        assert_eq!(gate.state().0, 0);
    }
}
