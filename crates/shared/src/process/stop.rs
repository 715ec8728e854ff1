//! The order to stop: given once, seen by everyone who shares it.

use std::sync::Arc;

use tokio::sync::watch;

/// A flag that is set once. Clones share it; children see it and can be set alone.
#[derive(Clone, Debug)]
pub struct Stop {
    flag: Arc<watch::Sender<bool>>,
    parent: Option<Arc<Stop>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { flag: Arc::new(watch::Sender::new(false)), parent: None }
    }
}

impl Stop {
    /// A flag that is set with this one, or alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { parent: Some(Arc::new(self.clone())), ..Self::default() }
    }

    /// Tells everyone who shares this flag, and the children, to stop.
    pub fn set(&self) {
        self.flag.send_replace(true);
    }

    /// Whether to stop. Cheap enough to ask between batches.
    pub fn is_set(&self) -> bool {
        *self.flag.borrow() || self.parent.as_ref().is_some_and(|parent| parent.is_set())
    }

    /// Comes back once it is time to stop.
    pub async fn wait(&self) {
        let Some(parent) = &self.parent else { return self.wait_alone().await };
        tokio::select! {
            () = self.wait_alone() => {}
            () = Box::pin(parent.wait()) => {}
        }
    }

    async fn wait_alone(&self) {
        self.flag.subscribe().wait_for(|is_set| *is_set).await.expect("the flag keeps its own sender");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_reaches_children_and_no_parent() {
        let all = Stop::default();
        let (one, other) = (all.child().child(), all.child());
        one.set();
        one.wait().await;
        assert!(one.is_set() && !all.is_set() && !other.is_set());
        all.set();
        other.wait().await;
        assert!(other.is_set());
    }
}
