//! The journal of a shard: answers as they come, in the store before they count as paid, so that no attempt buys one twice. Each
//! segment states ahead what the attempt may spend on answers that are in no segment yet: should it die, that counts as spent.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use shardmill_llm::{Address, Answer, HoldId, Journal, JournalError};
use shardmill_shared::job::{JournalEntry, Key, NanoUsd, ObjectPath, Segment, ShardId};
use shardmill_shared::process::Together;
use shardmill_shared::store::{Place, PlaceError, StoreError};

/// What one attempt adds, and what those before it left.
pub(super) struct ShardJournal {
    place: Place,
    shard: ShardId,
    fence: u64,
    segments: AtomicU64,
    known: Mutex<HashMap<Address, Answer>>,
    /// What earlier versions were answered, which cost this one nothing.
    earlier: HashMap<Address, Answer>,
    /// Which answers were asked for: what a later version may want.
    wanted: Mutex<HashSet<Address>>,
    /// What was stated ahead last.
    ahead: tokio::sync::Mutex<NanoUsd>,
    /// Why a segment could not be put, the first time.
    fault: Mutex<Option<StoreError>>,
    writing: Together<JournalEntry<Answer>, Result<(), JournalError>>,
}

impl ShardJournal {
    /// The journal of a shard, with what all its attempts were answered.
    pub(super) async fn open(
        place: &Place,
        shard: &ShardId,
        fence: u64,
        earlier: HashMap<Address, Answer>,
    ) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        for path in segments(place, &Key::Journal(shard.clone())).await? {
            let entries = segment(place, &path).await?.entries.into_iter();
            known.extend(entries.map(|entry| (Address(entry.address), entry.answer)));
        }
        Ok(Self {
            place: place.clone(),
            shard: shard.clone(),
            fence,
            segments: AtomicU64::new(0),
            known: Mutex::new(known),
            earlier,
            wanted: Mutex::default(),
            ahead: tokio::sync::Mutex::default(),
            fault: Mutex::default(),
            writing: Together::default(),
        })
    }

    /// What all answers cost, those of earlier attempts included.
    pub(super) fn paid(&self) -> NanoUsd {
        self.known().values().fold(NanoUsd::ZERO, |sum, answer| sum.saturating_add(answer.paid))
    }

    /// The answers that were asked for, for a later version to find.
    pub(super) fn wanted(&self) -> Vec<JournalEntry<Answer>> {
        let known = self.known();
        let find = |address: &Address| known.get(address).or_else(|| self.earlier.get(address)).cloned();
        let mut wanted: Vec<Address> = self.marks().iter().copied().collect();
        wanted.sort();
        let entry = |address: Address| Some(JournalEntry { address: address.0, answer: find(&address)? });
        wanted.into_iter().filter_map(entry).collect()
    }

    /// The answer of an earlier version, which is free.
    fn find_earlier(&self, address: &Address) -> Option<Answer> {
        let answer = self.earlier.get(address)?.clone();
        self.marks().insert(*address);
        Some(answer)
    }

    fn marks(&self) -> MutexGuard<'_, HashSet<Address>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.put(Segment::empty(more)).await?;
            *ahead = more;
        }
        Ok(())
    }

    /// The attempt buys no more; `lost` was spent on answers that never came.
    pub(super) async fn close(&self, lost: NanoUsd) -> Result<(), JournalError> {
        let mut ahead = self.ahead.lock().await;
        if *ahead != lost {
            self.put(Segment { is_last: true, ..Segment::empty(lost) }).await?;
            *ahead = lost;
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Address, Answer>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put_entries(&self, entries: Vec<JournalEntry<Answer>>) -> Vec<Result<(), JournalError>> {
        let count = entries.len();
        // What is stated ahead must not change between this look and the segment: the later one of two holds.
        let ahead = self.ahead.lock().await;
        let end = self.put(Segment { entries, ..Segment::empty(*ahead) }).await;
        vec![end; count]
    }

    /// Puts a segment. Its name is this attempt's alone: what another has put is never replaced.
    async fn put(&self, segment: Segment<Answer>) -> Result<(), JournalError> {
        let number = self.segments.fetch_add(1, Ordering::Relaxed);
        let put = self.place.settle(&Key::Segment(self.shard.clone(), self.fence, number), &segment).await;
        put.map_err(|error| {
            let told = JournalError(error.to_string());
            if let PlaceError::Store(error) = error {
                self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            told
        })
    }
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

async fn segment(place: &Place, path: &ObjectPath) -> Result<Segment<Answer>, StoreError> {
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
        let known = self.known().get(address).cloned();
        if known.is_some() {
            self.marks().insert(*address);
        }
        Ok(known)
    }

    async fn record(&self, id: &HoldId, answer: &Answer, _: &Bytes) -> Result<(), JournalError> {
        let entry = JournalEntry { address: id.address.0, answer: answer.clone() };
        let put = |entries| -> BoxFuture<'_, _> { Box::pin(self.put_entries(entries)) };
        self.writing.answer(entry, |_, _| true, put).await?;
        self.known().entry(id.address).or_insert_with(|| answer.clone());
        self.marks().insert(id.address);
        Ok(())
    }
}

/// A journal whose answers of earlier versions count too.
pub(super) struct Remembering<'a>(pub(super) &'a ShardJournal);

#[async_trait]
impl Journal for Remembering<'_> {
    async fn find(&self, address: &Address) -> Result<Option<Answer>, JournalError> {
        Ok(self.0.find(address).await?.or_else(|| self.0.find_earlier(address)))
    }

    async fn record(&self, id: &HoldId, answer: &Answer, raw: &Bytes) -> Result<(), JournalError> {
        self.0.record(id, answer, raw).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shardmill_shared::job::{Digest, Layout, StageId};
    use shardmill_shared::store::{FolderStore, MemoryStore, spent};

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
            earlier: HashMap::new(),
            wanted: Mutex::default(),
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
        let spent = async || spent(&place, &shard.stage).await.expect("reads").at_most();
        let first = ShardJournal::open(&place, &shard, 7, HashMap::new()).await.expect("opens");
        first.cover(cents(2), cents(20)).await.expect("states");
        first.cover(cents(9), cents(90)).await.expect("is stated already");
        assert_eq!(spent().await, cents(20), "it may die before its first answer");
        let (id, told) = answer("hello");
        first.record(&id, &told, &Bytes::new()).await.expect("records");
        assert_eq!(spent().await, cents(23), "and after it");

        let second = ShardJournal::open(&place, &shard, 8, HashMap::new()).await.expect("opens");
        assert_eq!(second.find(&id.address).await, Ok(Some(told)));
        second.cover(cents(5), cents(50)).await.expect("states");
        let (other, told) = answer("world");
        second.record(&other, &told, &Bytes::new()).await.expect("records");
        assert_eq!((spent().await, second.paid()), (cents(76), cents(6)));
        second.close(cents(1)).await.expect("closes");
        assert_eq!(spent().await, cents(27), "of the second, what it lost; of the first, all it may have");
    }
}
