//! The end of the pipe that writes into the store, and digests what passes.

use shardmill_shared::job::{Digest, ObjectPath};
use shardmill_shared::store::{Store, StoreError, Upload};
use tokio::sync::mpsc::Receiver;

use crate::pipe::Piece;

/// A file that is written but not yet there.
pub(crate) struct Written {
    upload: Box<dyn Upload>,
    digest: Digest,
}

/// What the store holds of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
}

/// Writes the pieces into `path` until their sender is gone; nothing when no file was started.
pub(crate) async fn write(
    store: &dyn Store,
    path: &ObjectPath,
    mut pieces: Receiver<Piece>,
) -> Result<Option<Written>, StoreError> {
    if pieces.recv().await.is_none() {
        return Ok(None);
    }
    let mut upload = store.upload(path).await?;
    let mut hasher = blake3::Hasher::new();
    while let Some(piece) = pieces.recv().await {
        if let Piece::More(chunk) = piece {
            hasher.update(&chunk);
            upload.write(chunk).await?;
        }
    }
    Ok(Some(Written { upload, digest: hasher.finalize().into() }))
}

impl Written {
    /// Makes the file appear.
    pub(crate) async fn finish(self) -> Result<Stored, StoreError> {
        Ok(Stored { bytes: self.upload.finish().await?, digest: self.digest })
    }

    /// Leaves nothing behind.
    pub(crate) async fn abort(self) {
        if let Err(error) = self.upload.abort().await {
            tracing::warn!("an abandoned upload stays until the next start: {error}");
        }
    }
}
