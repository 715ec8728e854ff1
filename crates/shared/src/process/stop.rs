//! The order to stop: given once, seen by everyone who shares it.

use std::sync::Arc;

use tokio::sync::watch;

/// A flag that is set once. Clones share it.
#[derive(Clone, Debug)]
pub struct Stop {
    flag: Arc<watch::Sender<bool>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { flag: Arc::new(watch::Sender::new(false)) }
    }
}

impl Stop {
    /// Tells everyone to stop.
    pub fn set(&self) {
        self.flag.send_replace(true);
    }

    /// Whether everyone was told to stop. Cheap enough to ask between batches.
    pub fn is_set(&self) -> bool {
        *self.flag.borrow()
    }

    /// Comes back once everyone is told to stop.
    pub async fn wait(&self) {
        self.flag.subscribe().wait_for(|is_set| *is_set).await.expect("the flag keeps its own sender");
    }
}
