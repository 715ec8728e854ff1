//! The port to the object store, the only durable truth: put once, read, list, and files that appear whole.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::job::ObjectPath;

mod error;
mod place;
mod memory;
mod folder;
pub mod conformance;

pub use error::StoreError;
pub use folder::{Durability, FolderGuard, FolderStore};
pub use memory::MemoryStore;
pub use place::{Place, PlaceError};

/// How a conditional create ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// These bytes are the object's now.
    Created,
    /// Another put was first, possibly an earlier try of our own: read back and compare.
    AlreadyExists,
}

/// What a listing says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The object's path.
    pub path: ObjectPath,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A store of objects.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Creates the object, or leaves the one that is there. Of rivals exactly one creates.
    ///
    /// # Errors
    /// When the store cannot be written; the object may then exist or not.
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError>;

    /// Creates or replaces the object.
    ///
    /// # Errors
    /// When the store cannot be written; the object is then the old or the new one, whole.
    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError>;

    /// All bytes of an object. For small objects.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError>;

    /// Starts to list the objects below `folder` (of the whole store without one). No folder: no objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError>;

    /// Removes an object. One that is not there is removed already.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError>;

    /// Starts a large object, which appears whole when the upload is finished and never else.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError>;
}

/// A listing under way, page by page.
#[async_trait]
pub trait Listing: Send {
    /// The next objects, in the order of their paths' bytes; at most 1 000, none at the end.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError>;
}

/// A large object under way. Dropping it abandons it.
#[async_trait]
pub trait Upload: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// When the store cannot be written; the upload can then only be aborted.
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Makes the object appear, whole and durable, in place of one that may be there; returns its size in bytes.
    ///
    /// # Errors
    /// When the store cannot be written; the object is then the old or the new one, whole.
    async fn finish(self: Box<Self>) -> Result<u64, StoreError>;

    /// Leaves nothing behind.
    ///
    /// # Errors
    /// When the store cannot be written; what remains is swept at the next start.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;
}

/// Objects of a full page of a listing, as the large stores have it.
const PAGE_ENTRIES: usize = 1_000;
