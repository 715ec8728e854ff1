//! Every path of the store, in one enum. Pure.

use std::ops::Range;

use super::{Digest, JobId, Name, ObjectPath, ShardId, StageId};

/// Where a job's objects lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The root of the store is the folder of the one version it holds.
    Folder,
    /// The root of the store holds many datasets, versions and jobs.
    Root {
        /// The job.
        job: JobId,
        /// The dataset it makes.
        dataset: Name,
        /// The version it makes, from 1.
        version: u64,
    },
}

/// An object, or a folder of objects, by its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The canonical spec of the version.
    Spec,
    /// The plan of the job.
    Plan,
    /// The number of rows that was counted for a stage.
    Extent(StageId),
    /// What each shard of a counting stage counted.
    Sums(StageId),
    /// The commit of a shard.
    Commit(ShardId),
    /// The folder of a stage's commits.
    Commits(StageId),
    /// What a counting shard leaves for the stages that need it.
    Counts(ShardId),
    /// What a shard obtained of models, once and for all: its rows follow from it.
    Seal(ShardId),
    /// What an attempt of a shard was answered, so far: by its lease, and a number.
    Segment(ShardId, u64, u64),
    /// The folder of what all attempts of a shard were answered.
    Journal(ShardId),
    /// The folder of the journals of a stage.
    Journals(StageId),
    /// What models answered for some rows of a dataset's table, whatever version: by rows, and the lease that bought it.
    Pack(Name, StageId, Range<u64>, u64),
    /// The folder of a table's packs.
    Packs(Name, StageId),
    /// The folder of all packs of a dataset.
    AllPacks(Name),
    /// A data file.
    Part {
        /// The table.
        table: Name,
        /// The index of the shard.
        index: u64,
        /// How many shards the stage has: numbers are as wide as the last, so that names sort as rows do.
        of: u64,
        /// The extension, without the first dot.
        extension: Name,
    },
    /// The folder of a table's data files.
    Table(Name),
    /// The folder of everything in a version that is not data.
    About,
    /// The folder of a job's records.
    Job,
    /// A block of the manifest.
    Block(u64),
    /// The root of the manifest.
    Manifest,
    /// The mark of a finished version.
    Success,
    /// The folder of the claims to a dataset's version numbers.
    Versions(Name),
    /// The claim to a version number.
    Version(Name, u64),
    /// The number of the newest finished version: a cache.
    Latest(Name),
    /// What was asked for.
    Submission(JobId),
    /// A command to a job, by its number from 1.
    Control(JobId, u64),
    /// The folder of the commands to a job.
    Controls(JobId),
    /// Where a job's version is.
    Placed(JobId),
    /// How a job ended, after so many retries.
    Ending(JobId, u32),
    /// Whether the job that is done after so many retries is published.
    Verdict(JobId, u32),
    /// The shards that a job gave up, after so many retries.
    Failures(JobId, u32),
    /// The mark of a job that has not ended, in the root of all tenants.
    Open(Name, JobId, u32),
    /// The folder of all tenants' open jobs.
    OpenJobs,
    /// An entry of the list of jobs, newest first: the time of submission, and the job.
    Listed(u64, JobId),
    /// The folder of the list of jobs.
    ListedJobs,
    /// The mark of a dataset that some job makes, since stores cannot list names alone.
    Dataset(Name),
    /// The folder of those marks.
    Datasets,
    /// What a client's key stands for.
    Idempotency(Digest),
    /// A revision of a tenant's schedule, by its number from 1, in the root of all tenants.
    Revision(Name, Name, u64),
    /// The folder of the revisions of a tenant's schedule.
    Revisions(Name, Name),
    /// The folder of a tenant's schedules.
    TenantSchedules(Name),
    /// The folder of all tenants' schedules.
    Schedules,
    /// A fire of a schedule, by its number from 1, the newest first.
    Fire(Name, u64),
    /// The folder of a schedule's fires.
    Fires(Name),
    /// The mark of a version that is to be removed, in the root of all tenants: the time its job ended, whose it was, the job.
    Leftover(u64, Name, JobId),
    /// The folder of these marks, the oldest first.
    Leftovers,
    /// A message for a webhook that is not delivered yet, in the root of all tenants: whose it is, and its id.
    Announcement(Name, Name),
    /// The folder of these messages.
    Announcements,
    /// What came of a message about a job, by its id.
    Delivery(JobId, Name),
}

impl Layout {
    /// The path of `key`.
    pub fn path(&self, key: &Key) -> ObjectPath {
        let text = match key {
            Key::Spec => format!("{}_shardmill/spec.json", self.version()),
            Key::Plan => format!("{}/plan.json", self.job()),
            Key::Extent(stage) => format!("{}/extents/{stage}.json", self.records()),
            Key::Sums(stage) => format!("{}/sums/{stage}.json", self.records()),
            Key::Commit(shard) => format!("{}/commits/{shard}.json", self.records()),
            Key::Commits(stage) => format!("{}/commits/{stage}", self.records()),
            Key::Counts(shard) => format!("{}/counts/{shard}", self.records()),
            Key::Seal(shard) => format!("{}/seals/{shard}.json", self.records()),
            Key::Segment(shard, fence, number) => {
                format!("{}/journal/{shard}/{fence:020}-{number:06}.json", self.records())
            }
            Key::Journal(shard) => format!("{}/journal/{shard}", self.records()),
            Key::Journals(stage) => format!("{}/journal/{stage}", self.records()),
            // Numbers are as wide as they will ever be, so that they are listed in order.
            Key::Pack(dataset, stage, rows, fence) => {
                format!("{}/{stage}/{:020}-{:020}-{fence:020}.json", self.packs(dataset), rows.start, rows.end)
            }
            Key::Packs(dataset, stage) => format!("{}/{stage}", self.packs(dataset)),
            Key::AllPacks(dataset) => self.packs(dataset),
            Key::Part { table, index, of, extension } => {
                format!("{}{table}/part-{index:0width$}.{extension}", self.version(), width = part_width(*of))
            }
            Key::Table(table) => format!("{}{table}", self.version()),
            Key::About => format!("{}_shardmill", self.version()),
            Key::Job => self.records(),
            Key::Block(number) => format!("{}_shardmill/manifest/block-{number:05}.json", self.version()),
            Key::Manifest => format!("{}_shardmill/manifest.json", self.version()),
            Key::Success => format!("{}_SUCCESS", self.version()),
            Key::Versions(dataset) => format!("datasets/{dataset}/versions"),
            Key::Version(dataset, number) => format!("datasets/{dataset}/versions/{number}.json"),
            Key::Submission(job) => format!("jobs/{job}/submission.json"),
            // Numbers are as wide as they will ever be, so that they are listed in order.
            Key::Control(job, number) => format!("jobs/{job}/control/{number:06}.json"),
            Key::Controls(job) => format!("jobs/{job}/control"),
            Key::Placed(job) => format!("jobs/{job}/placed.json"),
            Key::Ending(job, retries) => format!("jobs/{job}/ending/{retries}.json"),
            Key::Failures(job, retries) => format!("jobs/{job}/failures/{retries}.json"),
            Key::Verdict(job, retries) => format!("jobs/{job}/verdict/{retries}.json"),
            Key::Open(tenant, job, retries) => format!("_open/{tenant}/{job}/{retries}"),
            Key::OpenJobs => "_open".to_owned(),
            Key::Listed(submitted_ms, job) => format!("_list/{:020}.{job}", u64::MAX - submitted_ms),
            Key::ListedJobs => "_list".to_owned(),
            Key::Dataset(name) => format!("_datasets/{name}"),
            Key::Datasets => "_datasets".to_owned(),
            Key::Idempotency(key) => format!("idempotency/{key}"),
            Key::Revision(tenant, schedule, number) => format!("_schedules/{tenant}/{schedule}/{number:06}.json"),
            Key::Revisions(tenant, schedule) => format!("_schedules/{tenant}/{schedule}"),
            Key::TenantSchedules(tenant) => format!("_schedules/{tenant}"),
            Key::Schedules => "_schedules".to_owned(),
            Key::Fire(schedule, number) => format!("schedules/{schedule}/fires/{:020}.json", u64::MAX - number),
            Key::Leftover(ended_ms, tenant, job) => format!("_leftovers/{ended_ms:020}/{tenant}/{job}"),
            Key::Leftovers => "_leftovers".to_owned(),
            Key::Announcement(tenant, id) => format!("_announcements/{tenant}/{id}"),
            Key::Announcements => "_announcements".to_owned(),
            Key::Delivery(job, id) => format!("jobs/{job}/deliveries/{id}.json"),
            Key::Fires(schedule) => format!("schedules/{schedule}/fires"),
            Key::Latest(dataset) => format!("datasets/{dataset}/latest.json"),
        };
        ObjectPath::from_parts(text)
    }

    /// The folder of the version; none where that is the whole store.
    pub fn version_folder(&self) -> Option<ObjectPath> {
        self.version().strip_suffix('/').map(|folder| ObjectPath::from_parts(folder.to_owned()))
    }

    /// The path of a file that a commit names by its place in the version.
    pub fn file(&self, key: &ObjectPath) -> ObjectPath {
        ObjectPath::from_parts(format!("{}{key}", self.version()))
    }

    /// The beginning of every path in the version: empty, or ended by `/`.
    fn version(&self) -> String {
        match self {
            Self::Folder => String::new(),
            Self::Root { dataset, version, .. } => format!("datasets/{dataset}/{version}/"),
        }
    }

    fn job(&self) -> String {
        match self {
            Self::Folder => "_shardmill".to_owned(),
            Self::Root { job, .. } => format!("jobs/{job}"),
        }
    }

    /// What outlives a version: a folder has one dataset only.
    fn packs(&self, dataset: &Name) -> String {
        match self {
            Self::Folder => "_shardmill/answers".to_owned(),
            Self::Root { .. } => format!("answers/{dataset}"),
        }
    }

    fn records(&self) -> String {
        match self {
            Self::Folder => "_shardmill/job".to_owned(),
            Self::Root { .. } => self.job(),
        }
    }
}

/// Digits of a part's number: five, or as many as the last of `of` parts needs.
fn part_width(of: u64) -> usize {
    let digits = of.saturating_sub(1).checked_ilog10().map_or(1, |log| log + 1);
    usize::try_from(digits).unwrap_or(5).max(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("allowed")
    }

    fn job() -> JobId {
        JobId::new("job1").expect("allowed")
    }

    fn root() -> Layout {
        Layout::Root { job: job(), dataset: name("shop"), version: 12 }
    }

    fn part(index: u64, of: u64) -> Key {
        Key::Part { table: name("users"), index, of, extension: name("parquet") }
    }

    #[test]
    fn both_layouts_know_every_path() {
        let stage = StageId::new("users").expect("allowed");
        let shard = ShardId { stage: stage.clone(), index: 7 };
        for (key, folder, in_root) in [
            (Key::Spec, "_shardmill/spec.json", "datasets/shop/12/_shardmill/spec.json"),
            (Key::Plan, "_shardmill/plan.json", "jobs/job1/plan.json"),
            (Key::Extent(stage.clone()), "_shardmill/job/extents/users.json", "jobs/job1/extents/users.json"),
            (Key::Sums(stage.clone()), "_shardmill/job/sums/users.json", "jobs/job1/sums/users.json"),
            (Key::Commit(shard.clone()), "_shardmill/job/commits/users/7.json", "jobs/job1/commits/users/7.json"),
            (Key::Commits(stage.clone()), "_shardmill/job/commits/users", "jobs/job1/commits/users"),
            (Key::Counts(shard.clone()), "_shardmill/job/counts/users/7", "jobs/job1/counts/users/7"),
            (Key::Seal(shard.clone()), "_shardmill/job/seals/users/7.json", "jobs/job1/seals/users/7.json"),
            (Key::Journal(shard.clone()), "_shardmill/job/journal/users/7", "jobs/job1/journal/users/7"),
            (Key::Journals(stage.clone()), "_shardmill/job/journal/users", "jobs/job1/journal/users"),
            (
                Key::Pack(name("shop"), stage.clone(), 500..1_000, 7),
                "_shardmill/answers/users/00000000000000000500-00000000000000001000-00000000000000000007.json",
                "answers/shop/users/00000000000000000500-00000000000000001000-00000000000000000007.json",
            ),
            (Key::Packs(name("shop"), stage), "_shardmill/answers/users", "answers/shop/users"),
            (Key::AllPacks(name("shop")), "_shardmill/answers", "answers/shop"),
            (
                Key::Segment(shard.clone(), 12, 3),
                "_shardmill/job/journal/users/7/00000000000000000012-000003.json",
                "jobs/job1/journal/users/7/00000000000000000012-000003.json",
            ),
            (part(3, 4), "users/part-00003.parquet", "datasets/shop/12/users/part-00003.parquet"),
            (Key::Table(name("users")), "users", "datasets/shop/12/users"),
            (Key::About, "_shardmill", "datasets/shop/12/_shardmill"),
            (
                Key::Block(2),
                "_shardmill/manifest/block-00002.json",
                "datasets/shop/12/_shardmill/manifest/block-00002.json",
            ),
            (Key::Manifest, "_shardmill/manifest.json", "datasets/shop/12/_shardmill/manifest.json"),
            (Key::Job, "_shardmill/job", "jobs/job1"),
            (Key::Success, "_SUCCESS", "datasets/shop/12/_SUCCESS"),
            (Key::Version(name("shop"), 3), "datasets/shop/versions/3.json", "datasets/shop/versions/3.json"),
            (Key::Dataset(name("shop")), "_datasets/shop", "_datasets/shop"),
            (Key::Failures(job(), 1), "jobs/job1/failures/1.json", "jobs/job1/failures/1.json"),
            (Key::Control(job(), 3), "jobs/job1/control/000003.json", "jobs/job1/control/000003.json"),
            (Key::Open(name("acme"), job(), 0), "_open/acme/job1/0", "_open/acme/job1/0"),
            (Key::Verdict(job(), 1), "jobs/job1/verdict/1.json", "jobs/job1/verdict/1.json"),
            (Key::Listed(5, job()), "_list/18446744073709551610.job1", "_list/18446744073709551610.job1"),
            (
                Key::Revision(name("acme"), name("a"), 3),
                "_schedules/acme/a/000003.json",
                "_schedules/acme/a/000003.json",
            ),
            (
                Key::Fire(name("a"), 1),
                "schedules/a/fires/18446744073709551614.json",
                "schedules/a/fires/18446744073709551614.json",
            ),
            (Key::Latest(name("shop")), "datasets/shop/latest.json", "datasets/shop/latest.json"),
        ] {
            assert_eq!(Layout::Folder.path(&key).as_str(), folder);
            assert_eq!(root().path(&key).as_str(), in_root);
        }
    }

    #[test]
    fn only_a_root_has_folders_of_versions() {
        assert_eq!(Layout::Folder.version_folder(), None);
        assert_eq!(root().version_folder().expect("is one").as_str(), "datasets/shop/12");
    }

    #[test]
    fn names_sort_as_rows_do() {
        for of in [1, 5, 100_000, 100_001, 1_000_000] {
            let path = |index: u64| Layout::Folder.path(&part(index, of)).to_string();
            let mut indexes = vec![0, 9, 10, 99_999, 100_000, 999_999];
            indexes.retain(|index| *index < of);
            assert!(indexes.windows(2).all(|pair| path(pair[0]) < path(pair[1])), "{of}");
        }
        assert_eq!(Layout::Folder.path(&part(3, 100_001)).as_str(), "users/part-000003.parquet");
    }

    #[test]
    fn a_file_of_a_commit_is_found_in_both_layouts() {
        let key = Layout::Folder.path(&part(0, 1));
        assert_eq!(Layout::Folder.file(&key), key);
        assert_eq!(root().file(&key), root().path(&part(0, 1)));
    }
}
