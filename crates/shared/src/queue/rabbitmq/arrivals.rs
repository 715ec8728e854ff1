//! The place where messages wait for takers, never more than there are channels.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

use super::held::Held;
use crate::queue::{Delivery, Message};

/// Messages that arrived and that nobody took yet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    waiting: Mutex<VecDeque<(Message, Held)>>,
    came: Notify,
}

impl Arrivals {
    pub(super) fn push(&self, message: Message, held: Held) {
        let mut waiting = self.waiting.lock().expect("no holder of the lock panics");
        // What came through lost channels goes: the server delivers it again.
        waiting.retain(|(_, held)| held.is_ours());
        waiting.push_back((message, held));
        drop(waiting);
        self.came.notify_one();
    }

    /// Waits for the next message. Dropping the future loses none.
    pub(super) async fn next(&self) -> Delivery {
        loop {
            let came = self.came.notified();
            tokio::pin!(came);
            // The wait begins before the look, or a message that comes in between would wake nobody.
            came.as_mut().enable();
            if let Some((message, held)) = self.pop() {
                return Delivery::new(message, Box::new(held));
            }
            came.await;
        }
    }

    fn pop(&self) -> Option<(Message, Held)> {
        let mut waiting = self.waiting.lock().expect("no holder of the lock panics");
        waiting.retain(|(_, held)| held.is_ours());
        waiting.pop_front()
    }
}
