//! The port to the object store, the only durable truth: put once, read, list, and files that appear whole.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::job::ObjectPath;

mod error;
mod place;
mod memory;
mod folder;
mod object;
mod below;
mod probe;
mod open;
mod records;
mod journal;
mod schedules;
pub mod conformance;

pub use below::Below;
pub use error::StoreError;
pub use folder::{Durability, FolderGuard, FolderStore};
pub use journal::{Spent, spent};
pub use memory::MemoryStore;
pub use object::{AddressStyle, Keys, RemoteOptions, RemoteStore, Secret, Transport, Writers};
pub use open::open_url;
pub use place::{Place, PlaceError};
pub use probe::{Conditional, Probe, probe};
pub use records::{JobRecords, Listed, OpenJob, open_jobs};
pub use schedules::{ScheduleRecords, Scheduled, all_schedules};

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

    /// Up to `most` bytes of an object from byte `start` on; fewer only at its end, and none behind it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no object.
    async fn read_part(&self, path: &ObjectPath, start: u64, most: u64) -> Result<Part, StoreError> {
        Ok(Part::of(&self.read(path).await?, start, most))
    }

    /// Starts to list the objects below `folder` (of the whole store without one). No folder: no objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError>;

    /// As [`Store::list`], beginning with the first object after `after`, which is below `folder`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn list_after(&self, folder: &ObjectPath, after: &ObjectPath) -> Result<Box<dyn Listing>, StoreError> {
        Ok(Box::new(After { listing: self.list(Some(folder)).await?, after: after.clone() }))
    }

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

    /// A link from which anybody may download the object for so many seconds, whether it exists or not. None where a
    /// store has no such links.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the link may not live so long; when the store's keys cannot be had.
    async fn link(&self, path: &ObjectPath, lifetime_seconds: u32) -> Result<Option<Secret>, StoreError> {
        let _ = (path, lifetime_seconds);
        Ok(None)
    }

    /// Removes what killed processes left of uploads that they began more than `older_than` ago, in the whole store; returns
    /// how many. Uploads of living processes must be younger. A store that keeps nothing of them has nothing to remove.
    ///
    /// # Errors
    /// When the store cannot be listed or written.
    async fn sweep_unfinished(&self, older_than: Duration) -> Result<u64, StoreError> {
        let _ = older_than;
        Ok(0)
    }
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The bytes.
    pub bytes: Bytes,
    /// The size of the whole object in bytes.
    pub of: u64,
}

impl Part {
    /// A part of an object that is in memory.
    fn of(whole: &Bytes, start: u64, most: u64) -> Self {
        let at = |position: u64| usize::try_from(position).map_or(whole.len(), |at| at.min(whole.len()));
        Self { bytes: whole.slice(at(start)..at(start.saturating_add(most))), of: whole.len() as u64 }
    }
}

/// The rest of a listing.
struct After {
    listing: Box<dyn Listing>,
    after: ObjectPath,
}

#[async_trait]
impl Listing for After {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        loop {
            let mut page = self.listing.next_page().await?;
            let is_end = page.is_empty();
            page.retain(|entry| entry.path > self.after);
            if is_end || !page.is_empty() {
                return Ok(page);
            }
        }
    }
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

/// A large object under way. Dropping it abandons it; what is left of it then is removed as soon as may be.
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
