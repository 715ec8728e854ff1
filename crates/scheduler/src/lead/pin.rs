//! Which writer's workers make the shards of a job: the one it began with, while any of them lives. Pure.

use std::collections::BTreeMap;

/// The slots of a pool's living workers, by their writer.
pub(super) type Crew = BTreeMap<String, u64>;

/// The writer that a job pinned to `pinned` is to be pinned to now. It stays where it is while workers of that writer live, or
/// nobody does; else it goes to `own`, the scheduler's, or to the one with the most slots. `crews` are those of the pools
/// that the job needs.
pub(super) fn pin(pinned: &str, own: &str, crews: &[Crew]) -> String {
    let manned = || crews.iter().filter(|crew| !crew.is_empty());
    let can = |writer: &str| manned().all(|crew| crew.get(writer).is_some_and(|slots| *slots > 0));
    if can(pinned) {
        return pinned.to_owned();
    }
    if can(own) {
        return own.to_owned();
    }
    let slots = |writer: &str| manned().filter_map(|crew| crew.get(writer)).sum::<u64>();
    let others = manned().flat_map(BTreeMap::keys).filter(|writer| can(writer));
    others.max_by_key(|writer| slots(writer)).map_or_else(|| pinned.to_owned(), Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crew(living: &[(&str, u64)]) -> Crew {
        living.iter().map(|(writer, slots)| ((*writer).to_owned(), *slots)).collect()
    }

    #[test]
    fn a_job_stays_with_its_writer_while_that_lives_and_then_goes_to_who_does() {
        let none: &[(&str, u64)] = &[];
        for (living, expected) in [
            (none, "old"),
            (&[("old", 1), ("new", 9)], "old"),
            (&[("new", 2), ("other", 9)], "new"),
            (&[("other", 2), ("more", 3)], "more"),
        ] {
            assert_eq!(pin("old", "new", &[crew(living)]), expected, "{living:?}");
        }
    }

    #[test]
    fn a_writer_must_have_workers_in_every_pool_that_has_any() {
        let (old, new) = (crew(&[("old", 5)]), crew(&[("new", 1)]));
        let both = crew(&[("old", 1), ("new", 1)]);
        assert_eq!(pin("old", "new", &[both.clone(), new]), "new");
        assert_eq!(pin("old", "new", &[both.clone(), crew(&[])]), "old", "a pool without workers waits for any");
        assert_eq!(pin("old", "new", &[both, old]), "old");
        assert_eq!(pin("old", "new", &[crew(&[("a", 1)]), crew(&[("b", 1)])]), "old", "nobody can make all of it");
    }
}
