//! A store whose calls are measured.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::Metrics;
use super::calls::Calls;
use crate::job::ObjectPath;
use crate::store::{Entry, Listing, Part, Put, Secret, Store, StoreError, Upload};

const STORE: &str = "store";

/// Another store, measured.
#[derive(Clone, Debug)]
pub struct MeasuredStore {
    store: Arc<dyn Store>,
    calls: Calls,
}

impl MeasuredStore {
    /// Measures the calls of `store`.
    pub fn new(store: Arc<dyn Store>, metrics: &Metrics) -> Self {
        Self { store, calls: metrics.calls.clone() }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for MeasuredStore {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        self.calls.measured(STORE, "put_once", self.store.put_once(path, bytes)).await
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.calls.measured(STORE, "put", self.store.put(path, bytes)).await
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        self.calls.measured(STORE, "read", self.store.read(path)).await
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        let listing = self.store.list(folder).await?;
        Ok(Box::new(MeasuredListing { listing, calls: self.calls.clone() }))
    }

    async fn read_part(&self, path: &ObjectPath, start: u64, most: u64) -> Result<Part, StoreError> {
        self.calls.measured(STORE, "read", self.store.read_part(path, start, most)).await
    }

    async fn list_after(&self, folder: &ObjectPath, after: &ObjectPath) -> Result<Box<dyn Listing>, StoreError> {
        let listing = self.store.list_after(folder, after).await?;
        Ok(Box::new(MeasuredListing { listing, calls: self.calls.clone() }))
    }

    async fn sweep_unfinished(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.store.sweep_unfinished(older_than).await
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        self.calls.measured(STORE, "delete", self.store.delete(path)).await
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        let upload = self.calls.measured(STORE, "upload_start", self.store.upload(path)).await?;
        Ok(Box::new(MeasuredUpload { upload, calls: self.calls.clone() }))
    }

    async fn link(&self, path: &ObjectPath, lifetime_seconds: u32) -> Result<Option<Secret>, StoreError> {
        self.store.link(path, lifetime_seconds).await
    }
}

struct MeasuredListing {
    listing: Box<dyn Listing>,
    calls: Calls,
}

#[async_trait]
impl Listing for MeasuredListing {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        self.calls.measured(STORE, "list_page", self.listing.next_page()).await
    }
}

struct MeasuredUpload {
    upload: Box<dyn Upload>,
    calls: Calls,
}

#[async_trait]
impl Upload for MeasuredUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.calls.measured(STORE, "upload_write", self.upload.write(bytes)).await
    }

    async fn finish(self: Box<Self>) -> Result<u64, StoreError> {
        self.calls.measured(STORE, "upload_finish", self.upload.finish()).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.upload.abort().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, conformance};

    #[tokio::test]
    async fn keeps_the_law_of_stores() {
        conformance::all(&MeasuredStore::new(Arc::new(MemoryStore::default()), &Metrics::default())).await;
    }
}
