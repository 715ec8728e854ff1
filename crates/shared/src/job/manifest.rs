//! The manifest: what a version consists of, as a root that names blocks of commits by digest. Pure.
//!
//! It holds content only, so equal data gives an equal manifest. Root and blocks are a function of commits, each of
//! which was put once: two schedulers that finish one job write the same bytes.

use serde::{Deserialize, Serialize};

use super::{Account, Commit, Digest, Made, Name, Plan, StageId};

/// Commits of a full block: a root of a million shards then lists a thousand blocks.
pub const BLOCK_COMMITS: u64 = 1_000;

/// A run of commits of one stage, in order of index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The commits.
    pub commits: Vec<Commit>,
}

/// What the root says of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockEntry {
    /// The number of the block in the version.
    pub block: u64,
    /// The stage its commits are of.
    pub stage: StageId,
    /// The index of its first shard.
    pub first: u64,
    /// How many commits it has.
    pub commits: u64,
    /// The digest of its bytes.
    pub blake3: Digest,
}

/// What the root says of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    /// The table.
    pub table: Name,
    /// Files in its folder.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Where its rows went.
    pub account: Account,
}

/// The root of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The digest of the canonical spec.
    pub spec_digest: Digest,
    /// The name of the dataset.
    pub name: Name,
    /// The seed.
    pub seed: u64,
    /// The engine version.
    pub engine: u32,
    /// Who wrote the bytes.
    pub writer: String,
    /// The tables, in the plan's order.
    pub tables: Vec<TableEntry>,
    /// The blocks, in the plan's order and then by index.
    pub blocks: Vec<BlockEntry>,
}

/// The content of `_SUCCESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The digest of the manifest's root.
    pub manifest: Digest,
    /// The digest of the canonical spec.
    pub spec: Digest,
}

impl Manifest {
    /// The manifest of `plan` before its first block.
    pub fn of(plan: &Plan) -> Self {
        Self {
            spec_digest: plan.spec_digest,
            name: plan.name.clone(),
            seed: plan.seed,
            engine: plan.engine,
            writer: plan.writer.clone(),
            tables: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Rows and bytes of all tables.
    pub fn made(&self) -> Made {
        let made = |table: &TableEntry| Made { rows: table.account.written, bytes: table.bytes };
        self.tables.iter().map(made).fold(Made::default(), Made::plus)
    }
}

impl TableEntry {
    /// A table without files.
    pub fn new(table: Name) -> Self {
        Self { table, files: 0, bytes: 0, account: Account::default() }
    }

    /// Adds the files and rows of `commit`.
    pub fn add(&mut self, commit: &Commit) {
        self.files += commit.files.len() as u64;
        self.bytes = self.bytes.saturating_add(commit.bytes());
        self.account = self.account.plus(&commit.account);
    }
}
