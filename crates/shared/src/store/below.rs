//! A store within a store: whoever holds it sees, reads and writes nothing outside its folder.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Entry, Listing, Part, Put, Secret, Store, StoreError, Upload};
use crate::job::ObjectPath;

/// The objects below a folder of another store, under paths of their own.
#[derive(Clone, Debug)]
pub struct Below {
    store: Arc<dyn Store>,
    folder: ObjectPath,
}

impl Below {
    /// The store that is the `folder` of `store`.
    pub fn new(store: Arc<dyn Store>, folder: ObjectPath) -> Self {
        Self { store, folder }
    }

    fn outside(&self, path: &ObjectPath) -> ObjectPath {
        ObjectPath::new(format!("{}/{path}", self.folder)).expect("two paths joined are a path")
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Below {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        self.store.put_once(&self.outside(path), bytes).await
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.store.put(&self.outside(path), bytes).await
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        self.store.read(&self.outside(path)).await
    }

    async fn read_part(&self, path: &ObjectPath, start: u64, most: u64) -> Result<Part, StoreError> {
        self.store.read_part(&self.outside(path), start, most).await
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        let outside = folder.map_or_else(|| self.folder.clone(), |folder| self.outside(folder));
        let listing = self.store.list(Some(&outside)).await?;
        Ok(Box::new(ListingBelow { listing, prefix: format!("{}/", self.folder) }))
    }

    async fn list_after(&self, folder: &ObjectPath, after: &ObjectPath) -> Result<Box<dyn Listing>, StoreError> {
        let listing = self.store.list_after(&self.outside(folder), &self.outside(after)).await?;
        Ok(Box::new(ListingBelow { listing, prefix: format!("{}/", self.folder) }))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        self.store.delete(&self.outside(path)).await
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        self.store.upload(&self.outside(path)).await
    }

    async fn link(&self, path: &ObjectPath, lifetime_seconds: u32) -> Result<Option<Secret>, StoreError> {
        self.store.link(&self.outside(path), lifetime_seconds).await
    }

    /// Nothing: a part of a store may not touch what lies in the others.
    async fn sweep_unfinished(&self, _: Duration) -> Result<u64, StoreError> {
        Ok(0)
    }
}

struct ListingBelow {
    listing: Box<dyn Listing>,
    prefix: String,
}

impl ListingBelow {
    fn inside(&self, entry: &Entry) -> Result<Entry, StoreError> {
        let inside = entry.path.as_str().strip_prefix(&self.prefix).and_then(|path| ObjectPath::new(path).ok());
        let path = inside.ok_or_else(|| StoreError::Permanent {
            path: self.prefix.clone(),
            reason: "its listing left the folder: this is a fault of the store".to_owned(),
        })?;
        Ok(Entry { path, bytes: entry.bytes })
    }
}

#[async_trait]
impl Listing for ListingBelow {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        let page = self.listing.next_page().await?;
        page.iter().map(|entry| self.inside(entry)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryStore, conformance};
    use super::*;

    fn path(text: &str) -> ObjectPath {
        ObjectPath::new(text).expect("allowed")
    }

    #[tokio::test]
    async fn keeps_the_law_of_stores_among_neighbours() {
        let whole = Arc::new(MemoryStore::default());
        for neighbour in ["tenant", "tenant-b/1", "tenant2/1", "other"] {
            whole.put(&path(neighbour), Bytes::new()).await.expect("puts");
        }
        conformance::all(&Below::new(Arc::<MemoryStore>::clone(&whole), path("tenant"))).await;
        assert_eq!(conformance::list_all(&*whole, None).await.len(), 4, "a neighbour's object is gone");
    }

    #[tokio::test]
    async fn what_is_below_lies_in_the_folder() {
        let whole = Arc::new(MemoryStore::default());
        let below = Below::new(Arc::<MemoryStore>::clone(&whole), path("tenants/a"));
        below.put(&path("x/y"), Bytes::from_static(b"1")).await.expect("puts");
        assert_eq!(whole.read(&path("tenants/a/x/y")).await.expect("reads"), "1");
        assert!(matches!(below.read(&path("tenants/a/x/y")).await, Err(StoreError::NotFound { .. })));
    }
}
