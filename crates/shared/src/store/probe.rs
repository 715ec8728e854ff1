//! Whether a store does what the commits stand on: that of two creates of one object the second is refused.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use bytes::Bytes;
use futures::future::join_all;

use super::{Put, Store, StoreError};
use crate::job::ObjectPath;

/// How many create one object at once.
const RIVALS: usize = 8;

/// Whether creates are conditional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditional {
    /// Of rivals one creates.
    Yes,
    /// More than one creates, or an object that was there is replaced.
    No,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whether creates are conditional.
    pub conditional: Conditional,
}

/// Creates one object twice, then another by eight rivals at once, below `_shardmill/probe/`; removes both.
///
/// # Errors
/// When the store cannot be written, read or cleaned.
pub async fn probe(store: &dyn Store) -> Result<Probe, StoreError> {
    let (twice, rivals) = (probe_path("twice"), probe_path("rivals"));
    let found = judge(store, &twice, &rivals).await;
    let (first, second) = (store.delete(&twice).await, store.delete(&rivals).await);
    let probe = found?;
    first.and(second)?;
    Ok(probe)
}

async fn judge(store: &dyn Store, twice: &ObjectPath, rivals: &ObjectPath) -> Result<Probe, StoreError> {
    let one_by_one = creates_once(store, twice).await?;
    let is_conditional = one_by_one && one_rival_creates(store, rivals).await?;
    Ok(Probe { conditional: if is_conditional { Conditional::Yes } else { Conditional::No } })
}

/// Whether the second create is refused and changes nothing. The first may be called second: where its answer got lost,
/// its own retry finds it.
async fn creates_once(store: &dyn Store, path: &ObjectPath) -> Result<bool, StoreError> {
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    store.put_once(path, first.clone()).await?;
    let put = store.put_once(path, second).await?;
    Ok(put == Put::AlreadyExists && store.read(path).await? == first)
}

/// Whether at most one rival is told that it created, and the object is what that one wrote.
async fn one_rival_creates(store: &dyn Store, path: &ObjectPath) -> Result<bool, StoreError> {
    let content = |rival: usize| Bytes::from(format!("rival {rival}"));
    let puts = join_all((0..RIVALS).map(|rival| store.put_once(path, content(rival)))).await;
    let mut winners = Vec::new();
    for (rival, put) in puts.into_iter().enumerate() {
        if put? == Put::Created {
            winners.push(rival);
        }
    }
    let found = store.read(path).await?;
    Ok(match winners[..] {
        // The winner's answer got lost, and its own retry found the object.
        [] => (0..RIVALS).any(|rival| found == content(rival)),
        [winner] => found == content(winner),
        _ => false,
    })
}

/// A path that no other probe has: probes run in many processes at once.
fn probe_path(name: &str) -> ObjectPath {
    let chance = || RandomState::new().build_hasher().finish();
    let text = format!("_shardmill/probe/{:016x}{:016x}-{name}", chance(), chance());
    ObjectPath::new(text).expect("the parts are names")
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryStore, conformance};
    use super::*;

    #[tokio::test]
    async fn a_store_of_the_house_is_conditional_and_stays_clean() {
        let store = MemoryStore::default();
        assert_eq!(probe(&store).await, Ok(Probe { conditional: Conditional::Yes }));
        assert_eq!(conformance::list_all(&store, None).await, []);
    }

    #[test]
    fn no_two_probes_share_a_path() {
        assert_ne!(probe_path("twice"), probe_path("twice"));
    }
}
