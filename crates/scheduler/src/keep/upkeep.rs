//! The leader's upkeep of the store: now and then it removes what nobody needs any more.

use std::sync::Arc;
use std::time::Duration;

use shardmill_shared::process::Clock;
use shardmill_shared::store::Store;

use crate::ScheduleError;
use crate::fire::Calendar;
use crate::limits::{UNFINISHED_AGE, UNFINISHED_ROUNDS, UPKEEP_MS};

/// What is to be removed, and when.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) root: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long what failed and cancelled jobs left stays, in milliseconds.
    pub(crate) failed_ms: u64,
}

impl Upkeep {
    /// Goes round for ever. To be dropped when another leads.
    pub(crate) async fn run(self) {
        for round in 0.. {
            self.round(round).await;
            self.clock.sleep_until(self.clock.now_ms().saturating_add(UPKEEP_MS)).await;
        }
    }

    async fn round(&self, round: u64) {
        if let Err(error) = self.sweep().await {
            tracing::warn!("what jobs left is removed later: {error}");
        }
        // Not at once: a leader that has just come has better things to do than to walk through a whole store.
        if round % UNFINISHED_ROUNDS == 1 {
            self.sweep_unfinished(UNFINISHED_AGE).await;
        }
    }

    async fn sweep(&self) -> Result<(), ScheduleError> {
        super::sweep(&self.root, self.clock.unix_ms().saturating_sub(self.failed_ms)).await?;
        Calendar::forget_fires(&self.root).await
    }

    async fn sweep_unfinished(&self, older_than: Duration) {
        match self.root.sweep_unfinished(older_than).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!("{swept} unfinished uploads of killed processes are removed"),
            Err(error) => tracing::warn!("unfinished uploads stay: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use shardmill_shared::process::ManualClock;
    use shardmill_shared::store::FolderStore;

    use super::*;

    #[tokio::test]
    async fn unfinished_uploads_are_swept_once_a_day() {
        let folder = tempfile::tempdir().expect("makes");
        let leftover = folder.path().join(".shardmill-1-1");
        let root = Arc::new(FolderStore::at(folder.path()));
        let upkeep = Upkeep { root, clock: Arc::<ManualClock>::default(), failed_ms: 0 };
        for (round, is_swept) in [(0, false), (1, true), (2, false), (24, false), (25, true)] {
            let file = std::fs::File::create(&leftover).expect("makes");
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("is old");
            upkeep.round(round).await;
            assert_eq!(!leftover.exists(), is_swept, "round {round}");
        }
    }
}
