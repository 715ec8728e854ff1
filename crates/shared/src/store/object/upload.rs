//! A large object under way: parts of it in memory, several on their way, all of it appearing at the end.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{MultipartId, ObjectStoreExt, PutPayload, PutPayloadMut};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

use super::buffers::Held;
use super::{RemoteStore, fault, parts};
use crate::job::ObjectPath;
use crate::store::{StoreError, Upload};

/// Writes of at least so many bytes are kept as they are; smaller ones are gathered into blocks of this size.
const BLOCK_BYTES: usize = 64 * 1024;

/// An upload to a key. Until the first part is full, nothing is sent.
pub(super) struct RemoteUpload {
    s3: Arc<AmazonS3>,
    path: ObjectPath,
    key: Path,
    parts_in_flight: usize,
    filling: PutPayloadMut,
    held: Held,
    size_bytes: u64,
    is_broken: bool,
    multipart: Option<Multipart>,
}

/// The parts that were sent.
struct Multipart {
    id: MultipartId,
    count: usize,
    under_way: JoinSet<Result<(usize, PartId), object_store::Error>>,
    done: Vec<(usize, PartId)>,
}

impl RemoteUpload {
    pub(super) fn new(store: &RemoteStore, path: &ObjectPath) -> Self {
        Self {
            s3: Arc::clone(&store.s3),
            path: path.clone(),
            key: store.key(path),
            parts_in_flight: store.parts_in_flight,
            filling: empty_part(),
            held: store.buffers.hold(),
            size_bytes: 0,
            is_broken: false,
            multipart: None,
        }
    }

    /// Adds bytes that fit into the part that is filling.
    fn fill(&mut self, bytes: Bytes) {
        self.held.add(bytes.len() as u64);
        self.size_bytes += bytes.len() as u64;
        if bytes.len() < BLOCK_BYTES {
            self.filling.extend_from_slice(&bytes);
        } else {
            self.filling.push(bytes);
        }
    }

    /// How many bytes the part that is filling still takes.
    fn room_bytes(&self) -> usize {
        let number = self.multipart.as_ref().map_or(0, |multipart| multipart.count as u64);
        usize::try_from(parts::part_bytes(number) - self.held.bytes()).unwrap_or(usize::MAX)
    }

    /// Sends the part that is filling, as soon as one of those under way has made room.
    async fn send_part(&mut self) -> Result<(), StoreError> {
        let part = std::mem::replace(&mut self.filling, empty_part()).freeze();
        let held = self.held.take();
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            none => {
                let id = self.s3.create_multipart(&self.key).await.map_err(|error| fault::error(&self.path, &error))?;
                none.insert(Multipart::new(id))
            }
        };
        while multipart.under_way.len() >= self.parts_in_flight {
            multipart.await_one(&self.path).await?;
        }
        multipart.send(&self.s3, &self.key, (part, held));
        Ok(())
    }

    async fn write_all(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let more = bytes.split_to(bytes.len().min(self.room_bytes()));
            self.fill(more);
            if self.room_bytes() == 0 {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<u64, StoreError> {
        if self.multipart.is_none() {
            let whole = std::mem::take(&mut self.filling).freeze();
            self.s3.put(&self.key, whole).await.map_err(|error| fault::error(&self.path, &error))?;
            return Ok(self.size_bytes);
        }
        if self.held.bytes() > 0 {
            self.send_part().await?;
        }
        if let Some(multipart) = &mut self.multipart {
            while !multipart.under_way.is_empty() {
                multipart.await_one(&self.path).await?;
            }
            let parts = multipart.parts_in_order();
            let ended = self.s3.complete_multipart(&self.key, &multipart.id, parts).await;
            ended.map_err(|error| fault::error(&self.path, &error))?;
        }
        self.multipart = None;
        Ok(self.size_bytes)
    }

    /// Fails when an earlier write failed: a part of the object is missing.
    fn check(&self) -> Result<(), StoreError> {
        if self.is_broken {
            let reason = "an earlier write failed: upload it again".to_owned();
            return Err(StoreError::Permanent { path: self.path.to_string(), reason });
        }
        Ok(())
    }

    /// Removes the parts. Those under way end first: one that came after the end would stay.
    async fn remove(&mut self) -> Result<(), StoreError> {
        let Some(mut multipart) = self.multipart.take() else { return Ok(()) };
        multipart.under_way.shutdown().await;
        match self.s3.abort_multipart(&self.key, &multipart.id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fault::error(&self.path, &error)),
        }
    }
}

fn empty_part() -> PutPayloadMut {
    PutPayloadMut::new().with_block_size(BLOCK_BYTES)
}

impl Multipart {
    fn new(id: MultipartId) -> Self {
        Self { id, count: 0, under_way: JoinSet::new(), done: Vec::new() }
    }

    fn send(&mut self, s3: &Arc<AmazonS3>, key: &Path, (part, held): (PutPayload, Held)) {
        let (s3, key, id, number) = (Arc::clone(s3), key.clone(), self.id.clone(), self.count);
        self.count += 1;
        self.under_way.spawn(async move {
            let sent = s3.put_part(&key, &id, number, part).await;
            drop(held);
            sent.map(|part| (number, part))
        });
    }

    async fn await_one(&mut self, path: &ObjectPath) -> Result<(), StoreError> {
        let cut_off = |error: JoinError| StoreError::Permanent { path: path.to_string(), reason: error.to_string() };
        if let Some(ended) = self.under_way.join_next().await {
            self.done.push(ended.map_err(cut_off)?.map_err(|error| fault::error(path, &error))?);
        }
        Ok(())
    }

    fn parts_in_order(&mut self) -> Vec<PartId> {
        self.done.sort_by_key(|(number, _)| *number);
        self.done.drain(..).map(|(_, part)| part).collect()
    }
}

#[async_trait]
impl Upload for RemoteUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.check()?;
        // A write that is cut off leaves a gap, so the upload counts as broken until the write has ended well.
        self.is_broken = true;
        self.write_all(bytes).await?;
        self.is_broken = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, StoreError> {
        let ended = match self.check() {
            Ok(()) => self.complete().await,
            Err(error) => Err(error),
        };
        if ended.is_err() {
            // The first error is the one to tell; what stays is removed with the other leftovers.
            let _ = self.remove().await;
        }
        ended
    }

    async fn abort(mut self: Box<Self>) -> Result<(), StoreError> {
        self.remove().await
    }
}

impl Drop for RemoteUpload {
    /// Without a runtime nothing can be sent: what stays is removed with the other leftovers.
    fn drop(&mut self) {
        let Some(multipart) = self.multipart.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let (s3, key) = (Arc::clone(&self.s3), self.key.clone());
        runtime.spawn(async move {
            let Multipart { id, mut under_way, .. } = multipart;
            under_way.shutdown().await;
            if let Err(error) = s3.abort_multipart(&key, &id).await {
                tracing::warn!(key = %key, error = %fault::error(&key, &error), "an abandoned upload stays");
            }
        });
    }
}
