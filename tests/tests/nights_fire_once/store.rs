//! A store that fails at random, and at whose operations leaders die at random.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use shardmill_shared::job::ObjectPath;
use shardmill_shared::store::{Listing, MemoryStore, Put, Store, StoreError, Upload};
use tokio::sync::Notify;

use crate::luck::Luck;

/// A leader's way to the store, which all leaders share.
#[derive(Clone, Debug)]
pub(crate) struct Frail {
    store: MemoryStore,
    luck: Luck,
    /// Whether everything works: for the end of a test.
    is_well: Arc<AtomicBool>,
    died: Arc<Notify>,
}

impl Frail {
    pub(crate) fn new(store: MemoryStore, luck: Luck) -> Self {
        Self { store, luck, is_well: Arc::default(), died: Arc::default() }
    }

    pub(crate) fn heal(&self) {
        self.is_well.store(true, Ordering::SeqCst);
    }

    /// Comes back when the leader that uses this way is to be dead.
    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    async fn pass<T>(&self, operation: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::task::yield_now().await;
        if self.is_well.load(Ordering::SeqCst) {
            return operation.await;
        }
        let failed =
            || StoreError::Transient { path: String::new(), reason: "told to".to_owned(), retry_after_ms: None };
        match self.luck.below(1_000) {
            0..4 => self.die().await,
            4..8 => {
                operation.await?;
                self.die().await
            }
            8..30 => Err(failed()),
            // Done, and yet reported as failed.
            30..50 => operation.await.and(Err(failed())),
            _ => operation.await,
        }
    }

    async fn die<T>(&self) -> T {
        self.died.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl Store for Frail {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        self.pass(self.store.put_once(path, bytes)).await
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.pass(self.store.put(path, bytes)).await
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        self.pass(self.store.read(path)).await
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        self.pass(self.store.list(folder)).await
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        self.pass(self.store.delete(path)).await
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        self.pass(self.store.upload(path)).await
    }
}
