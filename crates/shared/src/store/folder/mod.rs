//! The store as a folder of the local file system.
//!
//! A file is written beside its place under a hidden name, synced and renamed, so it appears whole even when the power
//! fails. The hidden files of killed attempts are swept by [`FolderStore::prepare`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Listing, Part, Put, Store, StoreError, Upload};
use crate::job::ObjectPath;

mod files;
mod listing;
mod upload;

pub use files::Durability;

/// Writes of up to so many bytes are small.
const SMALL_BYTES: usize = 64 << 10;

/// A store in a folder.
#[derive(Clone, Debug)]
pub struct FolderStore {
    root: Arc<PathBuf>,
    durability: Durability,
}

/// The right of one process to work in a folder; given up when dropped, or when the process ends in any way.
#[derive(Debug)]
pub struct FolderGuard {
    _lock: Option<std::fs::File>,
}

impl FolderStore {
    /// The store in `root`. Nothing is read or written yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: Arc::new(root.into()), durability: Durability::Synced }
    }

    /// The same store with another durability.
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the folder if need be, takes it for this process, tries to write, and sweeps what killed attempts left.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process holds the folder; when it cannot be written.
    pub async fn prepare(&self) -> Result<FolderGuard, StoreError> {
        let (root, durability) = (Arc::clone(&self.root), self.durability);
        self.blocking(self.root.display().to_string(), move || files::prepare(&root, durability)).await
    }

    fn place(&self, path: &ObjectPath) -> PathBuf {
        self.root.join(path.as_str())
    }

    /// Runs what writes so many bytes. Small ones that wait for no disk are over sooner than another thread is awake.
    async fn writing<T: Send + 'static>(
        &self,
        (name, bytes): (String, usize),
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.durability.is_prompt(bytes) { work() } else { self.blocking(name, work).await }
    }

    /// Runs file system calls where they may block. Dropping the future does not undo them.
    async fn blocking<T: Send + 'static>(
        &self,
        name: String,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let cut_off = |reason: tokio::task::JoinError| StoreError::Permanent { path: name, reason: reason.to_string() };
        tokio::task::spawn_blocking(work).await.map_err(cut_off)?
    }
}

#[async_trait]
impl Store for FolderStore {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        let (place, durability) = (self.place(path), self.durability);
        self.writing((path.to_string(), bytes.len()), move || files::put_once(&place, &bytes, durability)).await
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        let (place, durability) = (self.place(path), self.durability);
        self.writing((path.to_string(), bytes.len()), move || files::put(&place, &bytes, durability)).await
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        let place = self.place(path);
        self.blocking(path.to_string(), move || files::read(&place)).await
    }

    async fn read_part(&self, path: &ObjectPath, start: u64, most: u64) -> Result<Part, StoreError> {
        let place = self.place(path);
        self.blocking(path.to_string(), move || files::read_part(&place, start, most)).await
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        Ok(Box::new(listing::FolderListing::new(self, folder)))
    }

    async fn list_after(&self, folder: &ObjectPath, after: &ObjectPath) -> Result<Box<dyn Listing>, StoreError> {
        Ok(Box::new(listing::FolderListing::after(self, folder, after)))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        let (place, root, durability) = (self.place(path), Arc::clone(&self.root), self.durability);
        self.blocking(path.to_string(), move || files::delete(&place, &root, durability)).await
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(upload::FolderUpload::new(self.place(path), self.durability)))
    }

    async fn sweep_unfinished(&self, older_than: Duration) -> Result<u64, StoreError> {
        let root = Arc::clone(&self.root);
        let name = self.root.display().to_string();
        self.blocking(name, move || files::sweep(&root, older_than)).await
    }
}

#[cfg(test)]
mod tests;
