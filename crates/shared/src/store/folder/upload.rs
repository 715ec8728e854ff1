//! A large file under way.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use super::SMALL_BYTES;
use super::files::{self, Durability};
use crate::store::{StoreError, Upload};

/// An unfinished file that becomes the one at its place.
pub(super) struct FolderUpload {
    stage: Stage,
    place: PathBuf,
    durability: Durability,
    size_bytes: u64,
}

/// How far it is. Lent while a call is under way, and for ever when that call is cut off: no later write can leave a gap.
enum Stage {
    /// Nothing is on disk: a small file costs one call, not three.
    Held(Bytes),
    Begun(Unfinished),
    Lent,
}

/// The file beside its place, which is removed when the upload ends in any way but well.
struct Unfinished {
    hidden: Hidden,
    file: File,
}

struct Hidden(PathBuf);

impl Drop for Hidden {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            files::discard(&self.0);
        }
    }
}

impl Unfinished {
    fn write(&mut self, bytes: &[u8], place: &Path) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(files::fault(place))
    }

    fn complete(mut self, place: &Path, durability: Durability) -> Result<(), StoreError> {
        files::complete(&self.hidden.0, &self.file, place, durability)?;
        // Nothing is left beside it.
        self.hidden.0.clear();
        Ok(())
    }
}

impl Stage {
    /// The file, begun if it was not before.
    fn begun(self, place: &Path, durability: Durability) -> Result<Unfinished, StoreError> {
        match self {
            Self::Begun(unfinished) => Ok(unfinished),
            Self::Held(bytes) => {
                let (hidden, file) = files::begin(place, durability)?;
                let mut unfinished = Unfinished { hidden: Hidden(hidden), file };
                unfinished.write(&bytes, place)?;
                Ok(unfinished)
            }
            Self::Lent => Err(broken(place, "an earlier write failed")),
        }
    }
}

fn broken(place: &Path, reason: &str) -> StoreError {
    StoreError::Permanent { path: place.display().to_string(), reason: reason.to_owned() }
}

impl FolderUpload {
    pub(super) fn new(place: PathBuf, durability: Durability) -> Self {
        Self { stage: Stage::Held(Bytes::new()), place, durability, size_bytes: 0 }
    }

    /// Lends the file to a thread that may block.
    async fn with_file<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(Unfinished, &Path, Durability) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Lent);
        let (place, durability) = (self.place.clone(), self.durability);
        let lent = tokio::task::spawn_blocking(move || work(stage.begun(&place, durability)?, &place, durability));
        lent.await.map_err(|error| broken(&self.place, &error.to_string()))?
    }
}

#[async_trait]
impl Upload for FolderUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.size_bytes += bytes.len() as u64;
        if let Stage::Held(held) = &mut self.stage
            && held.is_empty()
            && bytes.len() <= SMALL_BYTES
        {
            *held = bytes;
            return Ok(());
        }
        let write = move |mut file: Unfinished, place: &Path, _| file.write(&bytes, place).map(|()| file);
        self.stage = Stage::Begun(self.with_file(write).await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, StoreError> {
        let (place, durability) = (&self.place, self.durability);
        match std::mem::replace(&mut self.stage, Stage::Lent) {
            Stage::Held(bytes) if durability.is_prompt(bytes.len()) => {
                Stage::Held(bytes).begun(place, durability)?.complete(place, durability)?;
            }
            stage => {
                self.stage = stage;
                self.with_file(Unfinished::complete).await?;
            }
        }
        Ok(self.size_bytes)
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
