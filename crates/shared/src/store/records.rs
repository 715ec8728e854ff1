//! The records of one tenant's jobs: what was asked for, commanded, and came of it. They are what an API, a scheduler and a
//! worker agree on, whatever becomes of queue and ledger.

use std::sync::Arc;

use bytes::Bytes;

use super::{Below, Place, PlaceError, Put, Store};
use crate::job::{
    Control, Ending, GivenUp, Idempotency, JobId, Key, Layout, Name, ObjectPath, Orders, Placed, Submission, Verdict,
    encode,
};

/// Commands to one job, at most.
const CONTROLS: u64 = 100_000;

/// One tenant's jobs.
#[derive(Clone, Debug)]
pub struct JobRecords {
    root: Arc<dyn Store>,
    tenant: Name,
    own: Place,
}

/// An entry of the list of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The job.
    pub job: JobId,
    /// Where the list goes on.
    pub cursor: String,
}

/// An open job and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpenJob {
    /// The tenant.
    pub tenant: Name,
    /// The job.
    pub job: JobId,
}

impl JobRecords {
    /// The jobs of a tenant in the store of all.
    pub fn of(root: &Arc<dyn Store>, tenant: &Name) -> Self {
        let below: Arc<dyn Store> = Arc::new(Below::new(Arc::clone(root), ObjectPath::of_name(tenant)));
        let own = Place { store: below, layout: Layout::Folder };
        Self { root: Arc::clone(root), tenant: tenant.clone(), own }
    }

    /// The tenant's own part of the store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.own.store
    }

    /// Makes a job known. To be repeated until it succeeds: the same submission may be put again.
    ///
    /// # Errors
    /// When the store fails, or another submission has the job's id.
    pub async fn submit(&self, submission: &Submission) -> Result<(), PlaceError> {
        let job = &submission.job;
        self.own.settle(&Key::Submission(job.clone()), submission).await?;
        self.own.settle(&Key::Listed(submission.submitted_ms, job.clone()), &()).await?;
        self.own.store.put_once(&self.own.path(&Key::Dataset(submission.dataset.clone())), Bytes::new()).await?;
        self.open(job, 0).await
    }

    /// Marks a job, after so many retries, as one that a scheduler must look after.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self, job: &JobId, retries: u32) -> Result<(), PlaceError> {
        Ok(self.root.put(&self.mark(job, retries), encode(&()).into()).await?)
    }

    /// Takes the marks of [`Self::open`] away that are of so many retries or fewer: what was opened by a later one stays.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn close(&self, job: &JobId, retries: u32) -> Result<(), PlaceError> {
        for retries in 0..=retries {
            self.root.delete(&self.mark(job, retries)).await?;
        }
        Ok(())
    }

    fn mark(&self, job: &JobId, retries: u32) -> ObjectPath {
        Layout::Folder.path(&Key::Open(self.tenant.clone(), job.clone(), retries))
    }

    /// What was asked for; nothing when the tenant has no such job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn submission(&self, job: &JobId) -> Result<Option<Submission>, PlaceError> {
        self.own.find(&Key::Submission(job.clone())).await
    }

    /// Makes a command durable, under the next number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn command(&self, job: &JobId, control: &Control) -> Result<(), PlaceError> {
        let mut number = self.controls(job).await?.len() as u64 + 1;
        loop {
            let path = self.own.path(&Key::Control(job.clone(), number));
            let put = self.own.store.put_once(&path, encode(control).into()).await?;
            // Two equal commands at once are as good as one.
            if put == Put::Created || number >= CONTROLS || self.control(job, number).await? == *control {
                return Ok(());
            }
            number += 1;
        }
    }

    /// What submission and commands amount to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn orders(&self, submission: &Submission) -> Result<Orders, PlaceError> {
        let mut orders = Orders::of(submission);
        for number in self.controls(&submission.job).await? {
            orders = orders.then(&self.control(&submission.job, number).await?);
        }
        Ok(orders)
    }

    async fn control(&self, job: &JobId, number: u64) -> Result<Control, PlaceError> {
        self.own.read(&Key::Control(job.clone(), number)).await
    }

    async fn controls(&self, job: &JobId) -> Result<Vec<u64>, PlaceError> {
        let folder = self.own.path(&Key::Controls(job.clone()));
        let number = |path: &ObjectPath| -> Option<u64> { path.file_name().strip_suffix(".json")?.parse().ok() };
        let mut numbers = Vec::new();
        let mut listing = self.own.store.list(Some(&folder)).await?;
        loop {
            let page = listing.next_page().await?;
            if page.is_empty() {
                return Ok(numbers);
            }
            numbers.extend(page.iter().filter_map(|entry| number(&entry.path)));
        }
    }

    /// Settles where the job's version is.
    ///
    /// # Errors
    /// When the store fails, or it was placed elsewhere.
    pub async fn settle_place(&self, job: &JobId, placed: &Placed) -> Result<(), PlaceError> {
        self.own.settle(&Key::Placed(job.clone()), placed).await
    }

    /// Where the job's objects are; nothing before it is planned.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn place(&self, job: &JobId) -> Result<Option<Place>, PlaceError> {
        let placed: Option<Placed> = self.own.find(&Key::Placed(job.clone())).await?;
        Ok(placed.map(|placed| {
            let layout = Layout::Root { job: job.clone(), dataset: placed.dataset, version: placed.version };
            Place { store: Arc::clone(&self.own.store), layout }
        }))
    }

    /// Settles how the job ended, after so many retries. Of rivals one wins, and its ending is returned.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, job: &JobId, retries: u32, ending: &Ending) -> Result<Ending, PlaceError> {
        let key = Key::Ending(job.clone(), retries);
        let put = self.own.store.put_once(&self.own.path(&key), encode(ending).into()).await?;
        if put == Put::Created { Ok(ending.clone()) } else { self.own.read(&key).await }
    }

    /// Decides, once, whether a job that is done after so many retries is published or cancelled, and answers what was decided.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decide(&self, job: &JobId, retries: u32, wanted: Verdict) -> Result<Verdict, PlaceError> {
        let key = Key::Verdict(job.clone(), retries);
        let put = self.own.store.put_once(&self.own.path(&key), encode(&wanted).into()).await?;
        if put == Put::Created { Ok(wanted) } else { self.own.read(&key).await }
    }

    /// How the job ended; nothing while it goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ending(&self, job: &JobId, retries: u32) -> Result<Option<Ending>, PlaceError> {
        self.own.find(&Key::Ending(job.clone(), retries)).await
    }

    /// Whether the job goes on; nothing when the tenant has no such job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_open(&self, job: &JobId) -> Result<Option<bool>, PlaceError> {
        let Some(submission) = self.submission(job).await? else { return Ok(None) };
        let orders = self.orders(&submission).await?;
        Ok(Some(self.ending(job, orders.retries).await?.is_none()))
    }

    /// Remembers which shards the job gave up, after so many retries: to be done before it ends. Of rivals one wins.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn give_up(&self, job: &JobId, retries: u32, given_up: &[GivenUp]) -> Result<(), PlaceError> {
        let path = self.own.path(&Key::Failures(job.clone(), retries));
        self.own.store.put_once(&path, encode(&given_up).into()).await?;
        Ok(())
    }

    /// The shards that the job gave up, in the order of the plan; none while it goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn given_up(&self, job: &JobId, retries: u32) -> Result<Vec<GivenUp>, PlaceError> {
        Ok(self.own.find(&Key::Failures(job.clone(), retries)).await?.unwrap_or_default())
    }

    /// What a client's key stands for: `wanted`, unless it was used before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn idempotency(&self, key: crate::job::Digest, wanted: &Idempotency) -> Result<Idempotency, PlaceError> {
        let key = Key::Idempotency(key);
        let put = self.own.store.put_once(&self.own.path(&key), encode(wanted).into()).await?;
        if put == Put::Created { Ok(wanted.clone()) } else { self.own.read(&key).await }
    }

    /// Up to `most` jobs, newest first, after `cursor`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, cursor: Option<&str>, most: usize) -> Result<Vec<Listed>, PlaceError> {
        let listed = |name: &str| {
            let job = name.split_once('.').and_then(|(_, job)| JobId::new(job).ok())?;
            Some(Listed { job, cursor: name.to_owned() })
        };
        self.page(&Key::ListedJobs, (cursor, most), listed).await
    }

    /// Up to `most` datasets that some job makes, by name, after `cursor`; some may have no version.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn datasets(&self, cursor: Option<&str>, most: usize) -> Result<Vec<Name>, PlaceError> {
        self.page(&Key::Datasets, (cursor, most), |name| Name::new(name).ok()).await
    }

    /// Up to `most` things that objects of a folder stand for by their names, after the name `cursor`.
    async fn page<T>(
        &self,
        folder: &Key,
        (cursor, most): (Option<&str>, usize),
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, PlaceError> {
        let folder = self.own.path(folder);
        // A cursor that is no name of ours is before every one that is.
        let after = cursor.and_then(|cursor| ObjectPath::new(format!("{folder}/{cursor}")).ok());
        let mut listing = match after {
            Some(after) => self.own.store.list_after(&folder, &after).await?,
            None => self.own.store.list(Some(&folder)).await?,
        };
        let mut found = Vec::new();
        loop {
            let page = listing.next_page().await?;
            if page.is_empty() || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
            found.extend(page.iter().filter_map(|entry| read(entry.path.file_name())));
        }
    }
}

/// Every open job of every tenant, the oldest ids of each tenant first.
///
/// # Errors
/// When the store fails.
pub async fn open_jobs(root: &Arc<dyn Store>) -> Result<Vec<OpenJob>, PlaceError> {
    let mut open: Vec<OpenJob> = Vec::new();
    let mut listing = root.list(Some(&Layout::Folder.path(&Key::OpenJobs))).await?;
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            // A retry may come before the mark of what it retries is gone.
            open.dedup();
            return Ok(open);
        }
        open.extend(page.iter().filter_map(|entry| {
            let mut parts = entry.path.as_str().rsplit('/');
            let (_, job, tenant) = (parts.next()?, parts.next()?, parts.next()?);
            Some(OpenJob { tenant: Name::new(tenant).ok()?, job: JobId::new(job).ok()? })
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobState, Made, PRIORITY_USUAL};
    use crate::schedule::Afterwards;
    use crate::store::MemoryStore;

    fn name(text: &str) -> Name {
        Name::new(text).expect("allowed")
    }

    fn submission(job: &str, submitted_ms: u64) -> Submission {
        Submission {
            job: JobId::new(job).expect("allowed"),
            tenant: name("acme"),
            dataset: name("shop"),
            spec: "{}".to_owned(),
            priority: PRIORITY_USUAL,
            submitted_ms,
            by: "test".to_owned(),
            afterwards: Afterwards::default(),
            trace: None,
        }
    }

    #[tokio::test]
    async fn a_job_is_known_until_it_ends() {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let (acme, other) = (JobRecords::of(&root, &name("acme")), JobRecords::of(&root, &name("other")));
        let asked = submission("a", 5);
        acme.submit(&asked).await.expect("submits");
        acme.submit(&asked).await.expect("may be repeated");
        assert_eq!(acme.submission(&asked.job).await.expect("reads"), Some(asked.clone()));
        assert_eq!(other.submission(&asked.job).await.expect("reads"), None, "another tenant sees nothing");
        let open = OpenJob { tenant: name("acme"), job: asked.job.clone() };
        assert_eq!(open_jobs(&root).await.expect("lists"), std::slice::from_ref(&open));
        let ending = Ending {
            state: JobState::Failed,
            message: None,
            ended_ms: 9,
            made: Made::default(),
            manifest: None,
            spent: None,
        };
        assert_eq!(acme.end(&asked.job, 0, &ending).await.expect("ends"), ending);
        let late = Ending { state: JobState::Succeeded, ..ending.clone() };
        assert_eq!(acme.end(&asked.job, 0, &late).await.expect("reads"), ending, "the first ending stays");
        acme.open(&asked.job, 1).await.expect("opens");
        acme.close(&asked.job, 0).await.expect("closes");
        assert_eq!(open_jobs(&root).await.expect("lists"), [open], "a retry that came before is not forgotten");
        acme.close(&asked.job, 1).await.expect("closes");
        assert_eq!(open_jobs(&root).await.expect("lists"), []);
        assert_eq!(acme.decide(&asked.job, 0, Verdict::Cancel).await.expect("decides"), Verdict::Cancel);
        assert_eq!(acme.decide(&asked.job, 0, Verdict::Publish).await.expect("reads"), Verdict::Cancel, "once");
        assert_eq!(acme.ending(&asked.job, 1).await.expect("reads"), None, "a retry has not ended");
    }

    #[tokio::test]
    async fn commands_are_kept_in_order() {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let records = JobRecords::of(&root, &name("acme"));
        let asked = submission("a", 5);
        records.submit(&asked).await.expect("submits");
        for control in [Control::Pause, Control::Resume, Control::Priority { priority: 8 }, Control::Pause] {
            records.command(&asked.job, &control).await.expect("commands");
        }
        let orders = records.orders(&asked).await.expect("reads");
        assert!(orders.is_paused && !orders.is_cancelled);
        assert_eq!(orders.priority, 8);
    }

    #[tokio::test]
    async fn lists_have_pages_and_the_newest_first() {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let records = JobRecords::of(&root, &name("acme"));
        for (job, at) in [("a", 1), ("b", 3), ("c", 2)] {
            records.submit(&submission(job, at)).await.expect("submits");
        }
        let first = records.list(None, 2).await.expect("lists");
        assert_eq!(first.iter().map(|listed| listed.job.to_string()).collect::<Vec<_>>(), ["b", "c"]);
        let rest = records.list(Some(&first[1].cursor), 2).await.expect("lists");
        assert_eq!(rest.iter().map(|listed| listed.job.to_string()).collect::<Vec<_>>(), ["a"]);
    }
}
