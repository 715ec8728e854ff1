//! A store that breaks at an operation of the test's choice. Operations are counted over everything the store does, the
//! writes of an upload and the pages of a listing included.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use shardmill_shared::job::ObjectPath;
use shardmill_shared::process::Stop;
use shardmill_shared::store::{Entry, Listing, Put, Store, StoreError, Upload};

/// How the store breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the operation.
    DieBefore(u64),
    /// The process dies when the operation is done, before it is known.
    DieAfter(u64),
    /// From then on, there is no room to write.
    Full(u64),
    /// The operation alone fails.
    Hiccup(u64),
}

#[derive(Debug)]
struct Breaker {
    fault: Fault,
    operations: AtomicU64,
    dead: Stop,
}

/// A store around another.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    store: Arc<dyn Store>,
    breaker: Arc<Breaker>,
}

impl FaultyStore {
    /// A store that breaks once.
    pub fn new(store: Arc<dyn Store>, fault: Fault) -> Self {
        let breaker = Breaker { fault, operations: AtomicU64::new(0), dead: Stop::default() };
        Self { store, breaker: Arc::new(breaker) }
    }

    /// Comes back when the process is to be dead.
    pub async fn died(&self) {
        self.breaker.dead.wait().await;
    }
}

impl Breaker {
    async fn pass<T>(
        &self,
        is_write: bool,
        operation: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::DieBefore(at) if number >= at => {
                std::mem::forget(operation);
                self.die().await
            }
            Fault::DieAfter(at) if number > at => {
                std::mem::forget(operation);
                self.die().await
            }
            Fault::DieAfter(at) if number == at => {
                let _ = operation.await;
                self.die().await
            }
            Fault::Full(at) if is_write && number >= at => Err(StoreError::Full { path: "the disk".to_owned() }),
            Fault::Hiccup(at) if number == at => Err(StoreError::Transient {
                path: "the store".to_owned(),
                reason: "hiccup".to_owned(),
                retry_after_ms: None,
            }),
            _ => operation.await,
        }
    }

    async fn die<T>(&self) -> T {
        self.dead.set();
        std::future::pending().await
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        self.breaker.pass(true, self.store.put_once(path, bytes)).await
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.breaker.pass(true, self.store.put(path, bytes)).await
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        self.breaker.pass(false, self.store.read(path)).await
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        let listing = self.breaker.pass(false, self.store.list(folder)).await?;
        Ok(Box::new(FaultyListing { listing, breaker: Arc::clone(&self.breaker) }))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        self.breaker.pass(false, self.store.delete(path)).await
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        let upload = self.breaker.pass(true, self.store.upload(path)).await?;
        Ok(Box::new(FaultyUpload { upload: Some(upload), breaker: Arc::clone(&self.breaker) }))
    }
}

struct FaultyListing {
    listing: Box<dyn Listing>,
    breaker: Arc<Breaker>,
}

#[async_trait]
impl Listing for FaultyListing {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        self.breaker.pass(false, self.listing.next_page()).await
    }
}

struct FaultyUpload {
    upload: Option<Box<dyn Upload>>,
    breaker: Arc<Breaker>,
}

impl FaultyUpload {
    fn take(mut self) -> (Box<dyn Upload>, Arc<Breaker>) {
        let upload = self.upload.take().expect("an upload ends once");
        (upload, Arc::clone(&self.breaker))
    }
}

impl Drop for FaultyUpload {
    /// A process that was killed does not tidy up.
    fn drop(&mut self) {
        if self.breaker.dead.is_set() {
            std::mem::forget(self.upload.take());
        }
    }
}

#[async_trait]
impl Upload for FaultyUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let upload = self.upload.as_mut().expect("an upload ends once");
        self.breaker.pass(true, upload.write(bytes)).await
    }

    async fn finish(self: Box<Self>) -> Result<u64, StoreError> {
        let (upload, breaker) = (*self).take();
        breaker.pass(true, upload.finish()).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        let (upload, breaker) = (*self).take();
        breaker.pass(false, upload.abort()).await
    }
}
