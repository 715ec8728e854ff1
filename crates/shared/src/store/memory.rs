//! The store in memory, for tests of what stands on a store.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::{Entry, Listing, PAGE_ENTRIES, Put, Store, StoreError, Upload};
use crate::job::ObjectPath;

type Objects = BTreeMap<ObjectPath, Bytes>;

/// A store that forgets everything when it is dropped. Clones share their objects.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    objects: Arc<Mutex<Objects>>,
}

impl MemoryStore {
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().expect("no holder of the lock panics")
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        let mut objects = self.objects();
        if objects.contains_key(path) {
            return Ok(Put::AlreadyExists);
        }
        objects.insert(path.clone(), bytes);
        Ok(Put::Created)
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.objects().insert(path.clone(), bytes);
        Ok(())
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        self.objects().get(path).cloned().ok_or_else(|| StoreError::NotFound { path: path.to_string() })
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        Ok(Box::new(MemoryListing { store: self.clone(), folder: folder.cloned(), after: None }))
    }

    async fn list_after(&self, folder: &ObjectPath, after: &ObjectPath) -> Result<Box<dyn Listing>, StoreError> {
        let (folder, after) = (Some(folder.clone()), Some(after.clone()));
        Ok(Box::new(MemoryListing { store: self.clone(), folder, after }))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        self.objects().remove(path);
        Ok(())
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(MemoryUpload { store: self.clone(), path: path.clone(), bytes: BytesMut::new() }))
    }
}

struct MemoryListing {
    store: MemoryStore,
    folder: Option<ObjectPath>,
    after: Option<ObjectPath>,
}

#[async_trait]
impl Listing for MemoryListing {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        let start = match (&self.after, &self.folder) {
            (Some(after), _) => Bound::Excluded(after.clone()),
            (None, Some(folder)) => Bound::Excluded(folder.clone()),
            (None, None) => Bound::Unbounded,
        };
        let is_inside = |path: &ObjectPath| self.folder.as_ref().is_none_or(|folder| path.is_below(folder));
        let may_come =
            |path: &ObjectPath| self.folder.as_ref().is_none_or(|folder| path.as_str().starts_with(folder.as_str()));
        let objects = self.store.objects();
        let page: Vec<Entry> = objects
            .range((start, Bound::Unbounded))
            .take_while(|(path, _)| may_come(path))
            .filter(|(path, _)| is_inside(path))
            .take(PAGE_ENTRIES)
            .map(|(path, bytes)| Entry { path: path.clone(), bytes: bytes.len() as u64 })
            .collect();
        drop(objects);
        self.after = page.last().map(|entry| entry.path.clone()).or(self.after.take());
        Ok(page)
    }
}

struct MemoryUpload {
    store: MemoryStore,
    path: ObjectPath,
    bytes: BytesMut,
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<u64, StoreError> {
        let size_bytes = self.bytes.len() as u64;
        self.store.objects().insert(self.path, self.bytes.freeze());
        Ok(size_bytes)
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_law_of_stores() {
        super::super::conformance::all(&MemoryStore::default()).await;
    }
}
