//! The journal of a shard: answers as they come, in the store before they count as paid, so that no attempt buys one twice. Each
//! segment states ahead what the attempt may spend on answers that are in no segment yet: should it die, that counts as spent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use shardmill_llm::{Address, Answer, HoldId, Journal, JournalError};
use shardmill_shared::job::{Key, NanoUsd, ObjectPath, ShardId, encode};
use shardmill_shared::process::Together;
use shardmill_shared::store::{Place, StoreError};

/// An answer and its address, as a segment of the journal has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    address: Address,
    answer: Answer,
}

/// A piece of the journal, put once by one attempt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    /// What the attempt may spend, from here until its next segment, on answers that are in none.
    ahead: NanoUsd,
    entries: Vec<Entry>,
}

/// What one attempt adds, and what those before it left.
pub(super) struct ShardJournal {
    place: Place,
    shard: ShardId,
    fence: u64,
    segments: AtomicU64,
    known: Mutex<HashMap<Address, Answer>>,
    /// What was stated ahead last.
    ahead: tokio::sync::Mutex<NanoUsd>,
    /// Why a segment could not be put, the first time.
    fault: Mutex<Option<StoreError>>,
    writing: Together<Entry, Result<(), JournalError>>,
}

impl ShardJournal {
    /// The journal of a shard, with what all its attempts were answered.
    pub(super) async fn open(place: &Place, shard: &ShardId, fence: u64) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        for path in segments(place, &Key::Journal(shard.clone())).await? {
            known.extend(segment(place, &path).await?.entries.into_iter().map(|entry| (entry.address, entry.answer)));
        }
        Ok(Self {
            place: place.clone(),
            shard: shard.clone(),
            fence,
            segments: AtomicU64::new(0),
            known: Mutex::new(known),
            ahead: tokio::sync::Mutex::default(),
            fault: Mutex::default(),
            writing: Together::default(),
        })
    }

    /// What all answers cost, those of earlier attempts included.
    pub(super) fn paid(&self) -> NanoUsd {
        self.known().values().fold(NanoUsd::ZERO, |sum, answer| sum.saturating_add(answer.paid))
    }

    /// Whether the answer is in a segment.
    pub(super) fn has(&self, address: &Address) -> bool {
        self.known().contains_key(address)
    }

    /// Why the store did not take a segment, if it did not.
    pub(super) fn fault(&self) -> Option<StoreError> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sees to it that `most` is stated ahead, and `more` in one go if it is not.
    pub(super) async fn cover(&self, most: NanoUsd, more: NanoUsd) -> Result<(), JournalError> {
        let mut ahead = self.ahead.lock().await;
        if *ahead < most {
            self.put(Segment { ahead: more, entries: Vec::new() }).await?;
            *ahead = more;
        }
        Ok(())
    }

    /// The attempt buys no more; `lost` was spent on answers that never came.
    pub(super) async fn close(&self, lost: NanoUsd) -> Result<(), JournalError> {
        let mut ahead = self.ahead.lock().await;
        if *ahead != lost {
            self.put(Segment { ahead: lost, entries: Vec::new() }).await?;
            *ahead = lost;
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Address, Answer>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put_entries(&self, entries: Vec<Entry>) -> Vec<Result<(), JournalError>> {
        let count = entries.len();
        // What is stated ahead must not change between this look and the segment: the later one of two holds.
        let ahead = self.ahead.lock().await;
        let end = self.put(Segment { ahead: *ahead, entries }).await;
        vec![end; count]
    }

    /// Puts a segment, whose name no other attempt uses.
    async fn put(&self, segment: Segment) -> Result<(), JournalError> {
        let number = self.segments.fetch_add(1, Ordering::Relaxed);
        let path = self.place.path(&Key::Segment(self.shard.clone(), self.fence, number));
        let put = self.place.store.put(&path, encode(&segment).into()).await;
        put.map_err(|error| {
            let told = JournalError(error.to_string());
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            told
        })
    }
}

/// What shards have spent on answers, as far as their journals tell: what attempts that died stated ahead counts in full.
///
/// # Errors
/// When the store fails, or a segment is damaged.
pub async fn paid(place: &Place, shards: impl Iterator<Item = ShardId>) -> Result<NanoUsd, StoreError> {
    let mut sum = NanoUsd::ZERO;
    for shard in shards {
        let mut answers: HashMap<Address, NanoUsd> = HashMap::new();
        // By attempt: a path ends in the number of the lease and that of the segment.
        let mut ahead: HashMap<String, NanoUsd> = HashMap::new();
        for path in segments(place, &Key::Journal(shard)).await? {
            let segment = segment(place, &path).await?;
            let attempt = path.as_str().rsplit_once('-').map_or("", |(attempt, _)| attempt);
            ahead.insert(attempt.to_owned(), segment.ahead);
            answers.extend(segment.entries.into_iter().map(|entry| (entry.address, entry.answer.paid)));
        }
        sum = answers.values().chain(ahead.values()).fold(sum, |sum, paid| sum.saturating_add(*paid));
    }
    Ok(sum)
}

/// The segments of a journal: by attempt, and in the order they were put.
async fn segments(place: &Place, folder: &Key) -> Result<Vec<ObjectPath>, StoreError> {
    let mut listing = place.store.list(Some(&place.path(folder))).await?;
    let mut paths = Vec::new();
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(paths);
        }
        paths.extend(page.into_iter().map(|object| object.path));
    }
}

async fn segment(place: &Place, path: &ObjectPath) -> Result<Segment, StoreError> {
    let bytes = place.store.read(path).await?;
    let damaged = |error: serde_json::Error| StoreError::Refused {
        path: path.to_string(),
        reason: format!("it is no segment of a journal: {error}"),
    };
    serde_json::from_slice(&bytes).map_err(damaged)
}

#[async_trait]
impl Journal for ShardJournal {
    async fn find(&self, address: &Address) -> Result<Option<Answer>, JournalError> {
        Ok(self.known().get(address).cloned())
    }

    async fn record(&self, id: &HoldId, answer: &Answer, _: &Bytes) -> Result<(), JournalError> {
        let entry = Entry { address: id.address, answer: answer.clone() };
        let put = |entries| -> BoxFuture<'_, _> { Box::pin(self.put_entries(entries)) };
        self.writing.answer(entry, |_, _| true, put).await?;
        self.known().entry(id.address).or_insert_with(|| answer.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shardmill_shared::job::{Digest, Layout, StageId};
    use shardmill_shared::store::{FolderStore, MemoryStore};

    use super::*;

    fn cents(cents: u64) -> NanoUsd {
        NanoUsd(cents * 10_000_000)
    }

    fn answer(text: &str) -> (HoldId, Answer) {
        let answer = serde_json::json!({"text": text, "finish": "done", "paid": cents(3)});
        let id = HoldId { address: Address(Digest::of(text.as_bytes())), attempt: 0 };
        (id, serde_json::from_value(answer).expect("is an answer"))
    }

    #[tokio::test]
    async fn a_store_that_takes_no_segment_is_told_as_what_it_is() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "no folder").expect("writes");
        let place = Place { store: Arc::new(FolderStore::at(file)), layout: Layout::Folder };
        let shard = ShardId { stage: StageId::new("t").expect("allowed"), index: 0 };
        let journal = ShardJournal {
            place,
            shard,
            fence: 1,
            segments: AtomicU64::new(0),
            known: Mutex::default(),
            ahead: tokio::sync::Mutex::default(),
            fault: Mutex::default(),
            writing: Together::default(),
        };
        assert_eq!(journal.fault(), None);
        let refused = journal.cover(cents(1), cents(2)).await;
        assert!(refused.is_err() && journal.fault().is_some(), "{refused:?}");
        let (id, told) = answer("hello");
        assert!(journal.record(&id, &told, &Bytes::new()).await.is_err() && !journal.has(&id.address));
    }

    #[tokio::test]
    async fn what_an_attempt_that_died_may_have_spent_counts_and_answers_count_once() {
        let place = Place { store: Arc::new(MemoryStore::default()), layout: Layout::Folder };
        let shard = ShardId { stage: StageId::new("t").expect("allowed"), index: 4 };
        let spent = async || paid(&place, [shard.clone()].into_iter()).await.expect("reads");
        let first = ShardJournal::open(&place, &shard, 7).await.expect("opens");
        first.cover(cents(2), cents(20)).await.expect("states");
        first.cover(cents(9), cents(90)).await.expect("is stated already");
        assert_eq!(spent().await, cents(20), "it may die before its first answer");
        let (id, told) = answer("hello");
        first.record(&id, &told, &Bytes::new()).await.expect("records");
        assert_eq!(spent().await, cents(23), "and after it");

        let second = ShardJournal::open(&place, &shard, 8).await.expect("opens");
        assert_eq!(second.find(&id.address).await, Ok(Some(told)));
        second.cover(cents(5), cents(50)).await.expect("states");
        let (other, told) = answer("world");
        second.record(&other, &told, &Bytes::new()).await.expect("records");
        assert_eq!((spent().await, second.paid()), (cents(76), cents(6)));
        second.close(cents(1)).await.expect("closes");
        assert_eq!(spent().await, cents(27), "of the second, what it lost; of the first, all it may have");
    }
}
