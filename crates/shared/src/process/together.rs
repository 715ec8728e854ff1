//! Calls that come while others of their kind are under way go together: a busy process asks a server less often, and nobody
//! waits for company.

use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, join_all};
use tokio::sync::oneshot::{self, Sender};

/// Calls that go together at most: no other caller of a server waits long for them.
const MOST: usize = 500;

/// Calls of one kind.
#[derive(Debug)]
pub struct Together<Item, Answer> {
    waiting: Mutex<Vec<(Item, Sender<Answer>)>>,
    /// Held by the caller whose batch is under way.
    turn: tokio::sync::Mutex<()>,
}

impl<Item, Answer> Default for Together<Item, Answer> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<Item: Clone, Answer> Together<Item, Answer> {
    /// The answer to `item`. Whoever comes first asks for all who wait, for those together that `go_together` allows: `ask` answers its items in their order. An item may be asked twice, for a caller may be dropped while it asks
    /// for others.
    pub async fn answer<'a>(
        &self,
        item: Item,
        go_together: impl Fn(&Item, &Item) -> bool,
        ask: impl Fn(Vec<Item>) -> BoxFuture<'a, Vec<Answer>>,
    ) -> Answer {
        loop {
            let (sender, mut answered) = oneshot::channel();
            self.waiting().push((item.clone(), sender));
            tokio::select! {
                biased;
                Ok(answer) = &mut answered => return answer,
                _turn = self.turn.lock() => {
                    let groups = grouped(std::mem::take(&mut *self.waiting()), &go_together);
                    join_all(groups.into_iter().map(|(items, senders)| {
                        let asking = ask(items);
                        async {
                            for (sender, answer) in senders.into_iter().zip(asking.await) {
                                // Who waits no more has no use for it.
                                let _ = sender.send(answer);
                            }
                        }
                    })).await;
                }
            }
            if let Ok(answer) = answered.try_recv() {
                return answer;
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(Item, Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Items that go together, and who waits for their answers.
type Group<Item, Answer> = (Vec<Item>, Vec<Sender<Answer>>);

fn grouped<Item, Answer>(
    waiting: Vec<(Item, Sender<Answer>)>,
    go_together: impl Fn(&Item, &Item) -> bool,
) -> Vec<Group<Item, Answer>> {
    let mut groups: Vec<Group<Item, Answer>> = Vec::new();
    for (item, sender) in waiting {
        match groups.iter_mut().find(|(items, _)| items.len() < MOST && go_together(&items[0], &item)) {
            Some((items, senders)) => {
                items.push(item);
                senders.push(sender);
            }
            None => groups.push((vec![item], vec![sender])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    fn answer_of(item: u64) -> Result<u64, String> {
        if item % 10 == 3 { Err(item.to_string()) } else { Ok(item * 2) }
    }

    #[tokio::test]
    async fn who_waits_goes_with_the_next_and_each_gets_its_own_answer() {
        let (together, gate) = (Together::<u64, Result<u64, String>>::default(), Semaphore::new(0));
        let asked = AtomicUsize::new(0);
        let ask = |items: Vec<u64>| -> BoxFuture<'_, _> {
            asked.fetch_add(1, Ordering::SeqCst);
            let gate = &gate;
            Box::pin(async move {
                gate.acquire().await.expect("nobody closes it").forget();
                items.into_iter().map(answer_of).collect()
            })
        };
        let is_even = |item: &u64, other: &u64| item % 2 == other % 2;
        let calls = join_all((0..100).map(|item| together.answer(item, is_even, ask)));
        let opening = async { gate.add_permits(100) };
        let (answers, ()) = tokio::join!(calls, opening);
        for (item, answer) in (0..100).zip(answers) {
            assert_eq!(answer, answer_of(item));
        }
        assert!(asked.load(Ordering::SeqCst) <= 3, "{asked:?} questions for a hundred calls of two kinds at once");
    }

    #[tokio::test]
    async fn a_caller_that_is_dropped_leaves_nobody_behind() {
        let (together, gate) = (Arc::new(Together::<u64, Result<u64, String>>::default()), Arc::new(Semaphore::new(0)));
        let call = |item: u64| {
            let (together, gate) = (Arc::clone(&together), Arc::clone(&gate));
            tokio::spawn(async move {
                let ask = |items: Vec<u64>| -> BoxFuture<'_, _> {
                    let gate = &gate;
                    Box::pin(async move {
                        gate.acquire().await.expect("nobody closes it").forget();
                        items.into_iter().map(answer_of).collect()
                    })
                };
                together.answer(item, |_, _| true, ask).await
            })
        };
        let first = call(1);
        tokio::task::yield_now().await;
        let others: Vec<_> = (2..5).map(call).collect();
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.is_err_and(|error| error.is_cancelled()));
        gate.add_permits(10);
        for (item, other) in (2..5).zip(others) {
            assert_eq!(other.await.expect("it was not dropped"), answer_of(item));
        }
    }
}
