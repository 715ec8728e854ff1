//! What the journals of a job say of its money, for whoever opens its budget.

use std::collections::BTreeMap;

use super::{Place, PlaceError, StoreError};
use crate::job::{Key, NanoUsd, ObjectPath, Price, Segment, ShardId, StageId};

/// What the attempts of a job have spent, as far as their journals tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// By attempts that spend no more.
    pub settled: NanoUsd,
    /// By attempts that may still run: the shard, the number of the lease, and the most that may be spent under it by now.
    pub running: Vec<(ShardId, u64, NanoUsd)>,
}

impl Spent {
    /// The most that may be spent by now, should nobody run any more.
    pub fn at_most(&self) -> NanoUsd {
        self.running.iter().fold(self.settled, |sum, (_, _, most)| sum.saturating_add(*most))
    }
}

/// What one attempt has put.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    paid: NanoUsd,
    ahead: NanoUsd,
    is_last: bool,
}

/// Reads the journals of a stage. Of each shard the attempt of the newest lease may still run, unless it said that it does not.
///
/// # Errors
/// When the store fails, or a segment is damaged.
pub async fn spent(place: &Place, stage: &StageId) -> Result<Spent, PlaceError> {
    let mut attempts: BTreeMap<(u64, u64), Told> = BTreeMap::new();
    let mut listing = place.store.list(Some(&place.path(&Key::Journals(stage.clone())))).await?;
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            break;
        }
        // In the order of their numbers: the last segment of an attempt says what is ahead.
        for entry in page {
            let Some(attempt) = attempt(&entry.path) else { continue };
            let segment = match segment(place, &entry.path).await {
                // Whoever ends the job removes what is not needed any more.
                Err(PlaceError::Store(StoreError::NotFound { .. })) => continue,
                segment => segment?,
            };
            let told = attempts.entry(attempt).or_default();
            told.paid = segment.entries.iter().fold(told.paid, |sum, entry| sum.saturating_add(entry.answer.paid));
            (told.ahead, told.is_last) = (segment.ahead, segment.is_last);
        }
    }
    let mut spent = Spent::default();
    for ((index, fence), told) in &attempts {
        let most = told.paid.saturating_add(told.ahead);
        let is_newest = attempts.range((*index, fence + 1)..=(*index, u64::MAX)).next().is_none();
        if is_newest && !told.is_last {
            spent.running.push((ShardId { stage: stage.clone(), index: *index }, *fence, most));
        } else {
            spent.settled = spent.settled.saturating_add(most);
        }
    }
    Ok(spent)
}

/// The shard's index and the number of the lease that a segment's path ends with.
fn attempt(path: &ObjectPath) -> Option<(u64, u64)> {
    let mut parts = path.as_str().rsplit('/');
    let fence = parts.next()?.split_once('-')?.0.parse().ok()?;
    Some((parts.next()?.parse().ok()?, fence))
}

async fn segment(place: &Place, path: &ObjectPath) -> Result<Segment<Price>, PlaceError> {
    let bytes = place.store.read(path).await?;
    serde_json::from_slice(&bytes).map_err(|error| PlaceError::Damaged {
        path: path.clone(),
        reason: format!("it is no segment of a journal: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::job::{Digest, Layout, encode};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn attempts_that_are_over_have_spent_and_the_newest_may_go_on() {
        let place = Place { store: Arc::new(MemoryStore::default()), layout: Layout::Folder };
        let stage = StageId::new("t").expect("allowed");
        let put = async |(index, fence, number): (u64, u64, u64), ahead: &str, paid: &[&str], is_last: bool| {
            let entries: Vec<Value> = paid
                .iter()
                .map(|paid| json!({"address": Digest::of(paid.as_bytes()), "answer": {"text": "x", "paid": paid}}))
                .collect();
            let segment = Segment {
                ahead: ahead.parse().expect("money"),
                is_last,
                entries: Vec::<crate::job::JournalEntry<()>>::new(),
            };
            let mut segment = serde_json::to_value(segment).expect("is JSON");
            segment["entries"] = Value::Array(entries);
            let shard = ShardId { stage: stage.clone(), index };
            let path = place.path(&Key::Segment(shard, fence, number));
            place.store.put(&path, encode(&segment).into()).await.expect("puts");
        };
        assert_eq!(spent(&place, &stage).await, Ok(Spent::default()));
        // It died: what it stated ahead counts.
        put((0, 3, 0), "1", &[], false).await;
        put((0, 3, 1), "0.5", &["0.1", "0.2"], false).await;
        // Its successor, which may run.
        put((0, 7, 0), "2", &["0.3"], false).await;
        // Ended, and lost a nickel.
        put((1, 4, 0), "1", &["0.4"], false).await;
        put((1, 4, 1), "0.05", &[], true).await;
        let found = spent(&place, &stage).await.expect("reads");
        assert_eq!(found.settled, "1.25".parse().expect("money"));
        assert_eq!(found.running, [(ShardId { stage: stage.clone(), index: 0 }, 7, "2.3".parse().expect("money"))]);
        assert_eq!(found.at_most(), "3.55".parse().expect("money"));
    }
}
