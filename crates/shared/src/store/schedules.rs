//! The records of schedules: their revisions and their fires, each put once under the next number. Whoever loses a number
//! looks again, so of changes at once none is lost, and no fire is decided twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Below, Listing, Place, PlaceError, Put, Store};
use crate::job::{Key, Layout, Name, ObjectPath, encode};
use crate::schedule::{Fire, Schedule, ScheduleState};

/// The schedules of one tenant.
#[derive(Clone, Debug)]
pub struct ScheduleRecords {
    root: Place,
    own: Place,
    tenant: Name,
}

/// A schedule and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scheduled {
    /// The tenant.
    pub tenant: Name,
    /// Its name.
    pub name: Name,
}

impl ScheduleRecords {
    /// The schedules of a tenant in the store of all.
    pub fn of(root: &Arc<dyn Store>, tenant: &Name) -> Self {
        let below: Arc<dyn Store> = Arc::new(Below::new(Arc::clone(root), ObjectPath::of_name(tenant)));
        let place = |store| Place { store, layout: Layout::Folder };
        Self { root: place(Arc::clone(root)), own: place(below), tenant: tenant.clone() }
    }

    /// The newest revision of a schedule, with its number; nothing where there is none, or it is deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, name: &Name) -> Result<Option<(u64, Schedule)>, PlaceError> {
        let found = self.newest(name).await?;
        Ok(found.filter(|(_, schedule)| schedule.state != ScheduleState::Deleted))
    }

    /// The newest revision of a schedule, with its number, even when it is deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest(&self, name: &Name) -> Result<Option<(u64, Schedule)>, PlaceError> {
        let folder = self.root.path(&Key::Revisions(self.tenant.clone(), name.clone()));
        let mut listing = self.root.store.list(Some(&folder)).await?;
        let mut newest = 0;
        while let Some(page) = next_page(&mut listing).await? {
            newest = page.iter().filter_map(number).fold(newest, u64::max);
        }
        if newest == 0 {
            return Ok(None);
        }
        Ok(Some((newest, self.revision(name, newest).await?)))
    }

    /// A revision of a schedule.
    ///
    /// # Errors
    /// When the store fails or there is none of that number.
    pub async fn revision(&self, name: &Name, number: u64) -> Result<Schedule, PlaceError> {
        self.root.read(&Key::Revision(self.tenant.clone(), name.clone(), number)).await
    }

    /// Makes a revision durable, unless another has the number: then look again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revise(&self, name: &Name, number: u64, schedule: &Schedule) -> Result<Put, PlaceError> {
        let path = self.root.path(&Key::Revision(self.tenant.clone(), name.clone(), number));
        Ok(self.root.store.put_once(&path, encode(schedule).into()).await?)
    }

    /// Up to `most` names of schedules after `after`, in order; those of deleted ones are among them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn names(&self, after: Option<&str>, most: usize) -> Result<Vec<Name>, PlaceError> {
        let folder = self.root.path(&Key::TenantSchedules(self.tenant.clone()));
        let mut listing = self.root.store.list(Some(&folder)).await?;
        let mut names: Vec<Name> = Vec::new();
        while let Some(page) = next_page(&mut listing).await? {
            for (found, _) in page.iter().filter_map(scheduled) {
                let is_next = after.is_none_or(|after| found.name.as_str() > after);
                if is_next && names.last() != Some(&found.name) {
                    names.push(found.name);
                }
                if names.len() > most {
                    names.truncate(most);
                    return Ok(names);
                }
            }
        }
        Ok(names)
    }

    /// Up to `most` fires of a schedule with their numbers, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fires(&self, name: &Name, most: usize) -> Result<Vec<(u64, Fire)>, PlaceError> {
        let mut listing = self.own.store.list(Some(&self.own.path(&Key::Fires(name.clone())))).await?;
        let mut fires = Vec::new();
        while fires.len() < most {
            let Some(page) = next_page(&mut listing).await? else { break };
            let numbers = page.iter().filter_map(number).map(|backwards| u64::MAX - backwards);
            for number in numbers.take(most - fires.len()) {
                fires.push((number, self.own.read(&Key::Fire(name.clone(), number)).await?));
            }
        }
        Ok(fires)
    }

    /// Makes a fire durable, unless another was decided under the number: then look again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decide(&self, name: &Name, number: u64, fire: &Fire) -> Result<Put, PlaceError> {
        let path = self.own.path(&Key::Fire(name.clone(), number));
        Ok(self.own.store.put_once(&path, encode(fire).into()).await?)
    }

    /// Forgets all fires but the newest `keep`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_fires(&self, name: &Name, keep: usize) -> Result<(), PlaceError> {
        let mut listing = self.own.store.list(Some(&self.own.path(&Key::Fires(name.clone())))).await?;
        let mut seen = 0;
        while let Some(page) = next_page(&mut listing).await? {
            for path in page.iter().skip(keep.saturating_sub(seen)) {
                self.own.store.delete(path).await?;
            }
            seen += page.len();
        }
        Ok(())
    }
}

/// Every schedule of every tenant, with the number of its newest revision.
///
/// # Errors
/// When the store fails.
pub async fn all_schedules(root: &Arc<dyn Store>) -> Result<BTreeMap<Scheduled, u64>, PlaceError> {
    let mut newest = BTreeMap::new();
    let mut listing = root.list(Some(&Layout::Folder.path(&Key::Schedules))).await?;
    while let Some(page) = next_page(&mut listing).await? {
        for (found, number) in page.iter().filter_map(scheduled) {
            let known = newest.entry(found).or_insert(number);
            *known = number.max(*known);
        }
    }
    Ok(newest)
}

async fn next_page(listing: &mut Box<dyn Listing>) -> Result<Option<Vec<ObjectPath>>, PlaceError> {
    let page = listing.next_page().await?;
    let paths = page.into_iter().map(|entry| entry.path).collect::<Vec<_>>();
    Ok(if paths.is_empty() { None } else { Some(paths) })
}

fn number(path: &ObjectPath) -> Option<u64> {
    path.file_name().strip_suffix(".json")?.parse().ok()
}

fn scheduled(path: &ObjectPath) -> Option<(Scheduled, u64)> {
    let mut parts = path.as_str().rsplit('/').skip(1);
    let (name, tenant) = (parts.next()?, parts.next()?);
    Some((Scheduled { tenant: Name::new(tenant).ok()?, name: Name::new(name).ok()? }, number(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobId, PRIORITY_USUAL};
    use crate::schedule::{FireOutcome, Overlap, Timing};
    use crate::store::MemoryStore;

    fn name(text: &str) -> Name {
        Name::new(text).expect("allowed")
    }

    fn schedule(state: ScheduleState) -> Schedule {
        Schedule {
            timing: Timing::new("0 2 * * *", "Europe/Berlin").expect("a timing"),
            dataset: name("shop"),
            spec: "{}".to_owned(),
            priority: PRIORITY_USUAL,
            overlap: Overlap::Skip,
            keep: None,
            notify: Vec::new(),
            state,
            since_ms: 1,
            changed_ms: 1,
            by: "test".to_owned(),
        }
    }

    fn fire(at_ms: u64) -> Fire {
        let outcome = FireOutcome::Job(JobId::new("j").expect("allowed"));
        Fire { at_ms, missed: 0, revision: 1, decided_ms: at_ms, outcome }
    }

    #[tokio::test]
    async fn revisions_follow_each_other_and_no_two_have_one_number() {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let (acme, other) = (ScheduleRecords::of(&root, &name("acme")), ScheduleRecords::of(&root, &name("other")));
        let nightly = name("nightly");
        assert_eq!(acme.find(&nightly).await.expect("reads"), None);
        let (active, paused) = (schedule(ScheduleState::Active), schedule(ScheduleState::Paused));
        assert_eq!(acme.revise(&nightly, 1, &active).await.expect("puts"), Put::Created);
        assert_eq!(acme.revise(&nightly, 1, &paused).await.expect("puts"), Put::AlreadyExists);
        assert_eq!(acme.find(&nightly).await.expect("reads"), Some((1, active)));
        assert_eq!(other.find(&nightly).await.expect("reads"), None, "another tenant sees nothing");
        acme.revise(&nightly, 2, &schedule(ScheduleState::Deleted)).await.expect("puts");
        assert_eq!(acme.find(&nightly).await.expect("reads"), None);
        other.revise(&name("b"), 1, &paused).await.expect("puts");
        let all = all_schedules(&root).await.expect("lists");
        let all: Vec<(String, u64)> = all.into_iter().map(|(one, number)| (one.tenant.to_string(), number)).collect();
        assert_eq!(all, [("acme".to_owned(), 2), ("other".to_owned(), 1)]);
    }

    #[tokio::test]
    async fn names_have_pages() {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let acme = ScheduleRecords::of(&root, &name("acme"));
        for text in ["b", "a", "c"] {
            for number in [1, 2] {
                acme.revise(&name(text), number, &schedule(ScheduleState::Active)).await.expect("puts");
            }
        }
        assert_eq!(acme.names(None, 2).await.expect("lists"), [name("a"), name("b")]);
        assert_eq!(acme.names(Some("a"), 5).await.expect("lists"), [name("b"), name("c")]);
    }

    #[tokio::test]
    async fn fires_come_newest_first_and_the_oldest_are_forgotten() {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let (acme, nightly) = (ScheduleRecords::of(&root, &name("acme")), name("nightly"));
        for number in 1..=12 {
            assert_eq!(acme.decide(&nightly, number, &fire(number * 100)).await.expect("puts"), Put::Created);
        }
        assert_eq!(acme.decide(&nightly, 12, &fire(9)).await.expect("puts"), Put::AlreadyExists);
        let newest = acme.fires(&nightly, 2).await.expect("reads");
        assert_eq!(newest, [(12, fire(1_200)), (11, fire(1_100))]);
        acme.forget_fires(&nightly, 3).await.expect("forgets");
        let left = acme.fires(&nightly, 100).await.expect("reads");
        assert_eq!(left.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [12, 11, 10]);
    }
}
