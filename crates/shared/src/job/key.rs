//! Every path of the store, in one enum. Pure.

use super::{JobId, Name, ObjectPath, ShardId, StageId};

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
    /// The commit of a shard.
    Commit(ShardId),
    /// The folder of a stage's commits.
    Commits(StageId),
    /// What a counting shard leaves for the stages that need it.
    Counts(ShardId),
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
}

impl Layout {
    /// The path of `key`.
    pub fn path(&self, key: &Key) -> ObjectPath {
        let text = match key {
            Key::Spec => format!("{}_shardmill/spec.json", self.version()),
            Key::Plan => format!("{}/plan.json", self.job()),
            Key::Extent(stage) => format!("{}/extents/{stage}.json", self.records()),
            Key::Commit(shard) => format!("{}/commits/{shard}.json", self.records()),
            Key::Commits(stage) => format!("{}/commits/{stage}", self.records()),
            Key::Counts(shard) => format!("{}/counts/{shard}", self.records()),
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
            Key::Latest(dataset) => format!("datasets/{dataset}/latest.json"),
        };
        ObjectPath::from_parts(text)
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

    fn root() -> Layout {
        Layout::Root { job: JobId::new("job1").expect("allowed"), dataset: name("shop"), version: 12 }
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
            (Key::Commit(shard.clone()), "_shardmill/job/commits/users/7.json", "jobs/job1/commits/users/7.json"),
            (Key::Commits(stage), "_shardmill/job/commits/users", "jobs/job1/commits/users"),
            (Key::Counts(shard), "_shardmill/job/counts/users/7", "jobs/job1/counts/users/7"),
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
            (Key::Latest(name("shop")), "datasets/shop/latest.json", "datasets/shop/latest.json"),
        ] {
            assert_eq!(Layout::Folder.path(&key).as_str(), folder);
            assert_eq!(root().path(&key).as_str(), in_root);
        }
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
