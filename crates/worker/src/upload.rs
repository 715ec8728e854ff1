//! The end of the pipe that writes into the store, and digests what passes.

use bytes::Bytes;
use shardmill_shared::job::{Digest, ObjectPath};
use shardmill_shared::store::{Store, StoreError, Upload};
use tokio::sync::mpsc::Receiver;

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
    mut pieces: Receiver<Bytes>,
) -> Result<Option<Written>, StoreError> {
    let Some(mut piece) = pieces.recv().await else { return Ok(None) };
    let mut upload = store.upload(path).await?;
    let mut hasher = blake3::Hasher::new();
    loop {
        hasher.update(&piece);
        if !piece.is_empty() {
            upload.write(piece).await?;
        }
        match pieces.recv().await {
            Some(next) => piece = next,
            None => break,
        }
    }
    Ok(Some(Written { upload, digest: hasher.finalize().into() }))
}

/// What the store would hold of the pieces; nothing when no file was started.
pub(crate) async fn digest(mut pieces: Receiver<Bytes>) -> Option<Stored> {
    let mut next = Some(pieces.recv().await?);
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    while let Some(piece) = next {
        bytes += piece.len() as u64;
        hasher.update(&piece);
        next = pieces.recv().await;
    }
    Some(Stored { bytes, digest: hasher.finalize().into() })
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
