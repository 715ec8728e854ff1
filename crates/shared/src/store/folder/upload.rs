//! A large file under way.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use super::files::{self, Durability};
use crate::store::{StoreError, Upload};

/// An unfinished file that becomes the one at its place.
pub(super) struct FolderUpload {
    hidden: Hidden,
    file: Option<File>,
    place: PathBuf,
    durability: Durability,
    size_bytes: u64,
}

/// Removes the unfinished file when the upload ends in any way; after a rename there is none.
struct Hidden(PathBuf);

impl Drop for Hidden {
    fn drop(&mut self) {
        if self.0.exists() {
            files::discard(&self.0);
        }
    }
}

impl FolderUpload {
    pub(super) fn start(place: &Path, durability: Durability) -> Result<Self, StoreError> {
        let (hidden, file) = files::begin(place, durability)?;
        Ok(Self { hidden: Hidden(hidden), file: Some(file), place: place.to_owned(), durability, size_bytes: 0 })
    }

    /// Lends the file to a thread that may block. It stays lent when the call is cut off, so no later write can leave
    /// a gap.
    async fn with_file(
        &mut self,
        work: impl FnOnce(&mut File, &Path) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let place = self.place.clone();
        let broken = |reason: String| StoreError::Permanent { path: self.place.display().to_string(), reason };
        let Some(mut file) = self.file.take() else {
            return Err(broken("an earlier write failed".to_owned()));
        };
        let lent = tokio::task::spawn_blocking(move || work(&mut file, &place).map(|()| file));
        self.file = Some(lent.await.map_err(|error| broken(error.to_string()))??);
        Ok(())
    }
}

#[async_trait]
impl Upload for FolderUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let more = bytes.len() as u64;
        self.with_file(move |file, place| file.write_all(&bytes).map_err(files::fault(place))).await?;
        self.size_bytes += more;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, StoreError> {
        let (hidden, durability) = (self.hidden.0.clone(), self.durability);
        self.with_file(move |file, place| files::complete(&hidden, file, place, durability)).await?;
        Ok(self.size_bytes)
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
