//! Packs: what models answered for rows of a table in earlier versions of its dataset, so that a later one buys only what has
//! changed. A cache: one that is gone or damaged costs money and nothing else.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use shardmill_llm::{Address, Answer};
use shardmill_shared::job::{JournalEntry, Key, Name, ObjectPath, StageId, encode};
use shardmill_shared::store::{Place, StoreError};

use crate::limits::{PACK_ROWS, PACKS_KEPT};

/// The answers for some rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    entries: Vec<JournalEntry<Answer>>,
}

/// The packs that touch the rows of one shard.
pub(super) struct Packs {
    place: Place,
    dataset: Name,
    stage: StageId,
    rows: Range<u64>,
    found: Vec<Found>,
}

/// A pack in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    rows: Range<u64>,
    /// The number of the lease that put it: the newest has the highest.
    fence: u64,
    path: ObjectPath,
}

impl Packs {
    /// Finds the packs that touch some rows of a table of a dataset, whatever version they are of.
    pub(super) async fn find(
        place: &Place,
        (dataset, stage): (&Name, &StageId),
        rows: Range<u64>,
    ) -> Result<Self, StoreError> {
        let folder = place.path(&Key::Packs(dataset.clone(), stage.clone()));
        // No pack is longer, so none that begins before touches these rows.
        let first = rows.start.saturating_sub(PACK_ROWS);
        let after = place.path(&Key::Pack(dataset.clone(), stage.clone(), first..first, 0));
        let mut listing = place.store.list_after(&folder, &after).await?;
        let mut found = Vec::new();
        'pages: loop {
            let page = listing.next_page().await?;
            if page.is_empty() {
                break;
            }
            for entry in page {
                let Some(pack) = named(entry.path) else { continue };
                if pack.rows.start >= rows.end {
                    break 'pages;
                }
                if pack.rows.end > rows.start {
                    found.push(pack);
                }
            }
        }
        found.sort_by_key(|pack| std::cmp::Reverse(pack.fence));
        Ok(Self { place: place.clone(), dataset: dataset.clone(), stage: stage.clone(), rows, found })
    }

    /// All their answers; what cannot be read is left out.
    pub(super) async fn answers(&self) -> HashMap<Address, Answer> {
        let mut answers = HashMap::new();
        for pack in &self.found {
            match self.read(pack).await {
                Ok(entries) => {
                    for entry in entries {
                        answers.entry(Address(entry.address)).or_insert(entry.answer);
                    }
                }
                Err(reason) => tracing::warn!("earlier answers are not used: `{}`: {reason}", pack.path),
            }
        }
        answers
    }

    async fn read(&self, pack: &Found) -> Result<Vec<JournalEntry<Answer>>, String> {
        let bytes = self.place.store.read(&pack.path).await.map_err(|error| error.to_string())?;
        let pack: Pack = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        Ok(pack.entries)
    }

    /// Puts what was answered for the rows under a lease, and removes what is older than the last few packs of the same rows.
    pub(super) async fn put(&self, fence: u64, entries: Vec<JournalEntry<Answer>>) -> Result<(), StoreError> {
        let key = Key::Pack(self.dataset.clone(), self.stage.clone(), self.rows.clone(), fence);
        self.place.store.put(&self.place.path(&key), encode(&Pack { entries }).into()).await?;
        for old in self.found.iter().filter(|pack| pack.rows == self.rows).skip(PACKS_KEPT - 1) {
            self.place.store.delete(&old.path).await?;
        }
        Ok(())
    }
}

/// What a path says of its pack.
fn named(path: ObjectPath) -> Option<Found> {
    let mut numbers = path.file_name().strip_suffix(".json")?.split('-').map(|number| number.parse().ok());
    let (start, end, fence) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some(Found { rows: start..end, fence, path })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shardmill_shared::job::{Digest, Layout};
    use shardmill_shared::store::MemoryStore;

    use super::*;

    fn entry(text: &str) -> JournalEntry<Answer> {
        let answer = serde_json::json!({"text": text, "finish": "done", "paid": "0.01"});
        JournalEntry { address: Digest::of(text.as_bytes()), answer: serde_json::from_value(answer).expect("is one") }
    }

    #[tokio::test]
    async fn answers_of_earlier_versions_are_found_by_rows() {
        let place = Place { store: Arc::new(MemoryStore::default()), layout: Layout::Folder };
        let (dataset, stage) = (Name::new("shop").expect("allowed"), StageId::new("t").expect("allowed"));
        let find = async |rows| Packs::find(&place, (&dataset, &stage), rows).await.expect("lists");
        for (rows, fence, text) in [(0..500, 7, "a"), (500..1_000, 8, "b"), (1_000..1_100, 9, "c"), (0..500, 12, "d")] {
            find(rows).await.put(fence, vec![entry(text)]).await.expect("puts");
        }
        let texts = async |rows| {
            let mut texts: Vec<String> = find(rows).await.answers().await.into_values().map(|own| own.text).collect();
            texts.sort();
            texts.concat()
        };
        assert_eq!(texts(0..500).await, "ad");
        assert_eq!(texts(400..600).await, "abd", "shards may be cut otherwise now");
        assert_eq!(texts(1_000..1_500).await, "c");
        assert_eq!(texts(1_100..1_600).await, "");
    }

    #[tokio::test]
    async fn a_few_packs_of_the_same_rows_are_kept_and_a_damaged_one_is_left_out() {
        let place = Place { store: Arc::new(MemoryStore::default()), layout: Layout::Folder };
        let (dataset, stage) = (Name::new("shop").expect("allowed"), StageId::new("t").expect("allowed"));
        for fence in 1..6 {
            let packs = Packs::find(&place, (&dataset, &stage), 0..9).await.expect("lists");
            packs.put(fence, vec![entry(&fence.to_string())]).await.expect("puts");
        }
        let packs = Packs::find(&place, (&dataset, &stage), 0..9).await.expect("lists");
        let fences: Vec<u64> = packs.found.iter().map(|pack| pack.fence).collect();
        assert_eq!(fences, [5, 4, 3]);
        place.store.put(&packs.found[1].path, "no pack".into()).await.expect("puts");
        assert_eq!(packs.answers().await.len(), 2);
    }
}
