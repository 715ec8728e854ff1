//! The plan: what a job will do, as a value that can be printed, compared and kept. Pure.
//!
//! A plan holds stages, never shards: a shard is computed from its index, so a plan of 10 billion rows is as small as
//! one of ten.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::{Digest, Name, NameError, NanoUsd, Rows, Shard, ShardId, StageId};

/// The most shards of a stage. The ledger keeps a bit for each, the store a commit.
pub const SHARDS_MAX: u64 = 1 << 24;

/// A class of worker with a queue of its own, named by the scarcest thing it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Processor time only.
    Generate,
    /// A database.
    Sql,
    /// A model.
    Llm,
}

impl Pool {
    /// The word users know the pool by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Sql => "sql",
            Self::Llm => "llm",
        }
    }
}

/// What the shards of a stage do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Work {
    /// Write the rows of a table, a file per shard.
    Table {
        /// The table.
        table: Name,
        /// The extension of its files, without the first dot.
        extension: Name,
    },
    /// Count the rows a table will have, over ranges of its parents.
    Count {
        /// The table whose rows are counted.
        table: Name,
        /// The table of the parents.
        parents: Name,
        /// Parents in one of the stage's rows.
        parents_per_row: NonZeroU64,
    },
}

/// One step of a job. Its shards are independent of each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The id.
    pub id: StageId,
    /// The stages that must be committed before this one starts, all of them earlier in the plan.
    pub needs: Vec<StageId>,
    /// The pool that runs it.
    pub pool: Pool,
    /// What a shard does.
    pub work: Work,
    /// How many rows (of a counting stage: blocks of parents) it covers.
    pub rows: Rows,
    /// Rows of a full shard.
    pub shard_rows: NonZeroU64,
    /// The expected size of a written row in bytes; 0 where nothing is written.
    pub row_bytes: u64,
}

/// What a job will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The digest of the canonical spec.
    pub spec_digest: Digest,
    /// The name of the dataset.
    pub name: Name,
    /// The seed of all draws.
    pub seed: u64,
    /// The engine version.
    pub engine: u32,
    /// Who writes the bytes: engine, encoder versions and settings. Attempts of one writer write identical files.
    pub writer: String,
    /// The stages, each after those it needs.
    pub stages: Vec<Stage>,
    /// What it may spend on models, unless that is changed while it runs; nothing where it asks none, and in a local run,
    /// whose command says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<NanoUsd>,
}

/// Why a plan cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two stages of one id, or two tables whose folders are one on some file systems.
    #[error("the plan has two of `{0}`")]
    Twice(String),
    /// A stage that needs one which does not come before it.
    #[error("stage `{stage}` needs `{needs}`, which does not come before it")]
    Order {
        /// The stage.
        stage: StageId,
        /// What it needs.
        needs: StageId,
    },
    /// A stage without a known number of rows, and no stage that counts them.
    #[error("stage `{0}` has {1} rows and needs no stage that counts them")]
    Uncounted(StageId, Rows),
    /// What was counted contradicts the plan.
    #[error("stage `{stage}` was planned with {planned} rows and {counted} were counted")]
    Counted {
        /// The stage.
        stage: StageId,
        /// What the plan allows.
        planned: Rows,
        /// What was counted.
        counted: u64,
    },
    /// A stage of too many shards: its bookkeeping would weigh more than its data.
    #[error("stage `{stage}` has {shards} shards, at most {SHARDS_MAX} fit: raise output.shard_rows")]
    TooManyShards {
        /// The stage.
        stage: StageId,
        /// Its shards, at least.
        shards: u64,
    },
    /// A name that cannot be a folder.
    #[error(transparent)]
    Name(#[from] NameError),
    /// More rows than a row number can name.
    #[error("the plan has more than {} rows", u64::MAX)]
    TooManyRows,
}

impl Stage {
    /// The number of shards. A stage without rows has one empty shard, so that its table exists.
    pub fn shards(&self) -> Rows {
        let shards = |rows: u64| rows.div_ceil(self.shard_rows.get()).max(1);
        match self.rows {
            Rows::Exact(rows) => Rows::Exact(shards(rows)),
            Rows::Between { least, most } => Rows::Between { least: shards(least), most: shards(most) },
        }
    }

    /// The shard at `index`; nothing when the rows are not yet counted, or beyond the last.
    pub fn shard(&self, index: u64) -> Option<Shard> {
        let (rows, of) = (self.rows.exact()?, self.shards().exact()?);
        if index >= of {
            return None;
        }
        let start = index.checked_mul(self.shard_rows.get())?.min(rows);
        let end = start.saturating_add(self.shard_rows.get()).min(rows);
        Some(Shard { id: ShardId { stage: self.id.clone(), index }, rows: start..end, of })
    }

    /// The stage with the number of rows that follows from what [`Plan::counter_of`] it counted.
    ///
    /// # Errors
    /// When the plan does not allow that number.
    pub fn with_counted(&self, counted: u64) -> Result<Self, PlanError> {
        match &self.work {
            Work::Table { .. } => self.with_rows(counted),
            Work::Count { parents_per_row, .. } => self.with_rows(counted.div_ceil(parents_per_row.get())),
        }
    }

    /// The stage with exactly so many rows.
    ///
    /// # Errors
    /// When the plan does not allow that number.
    pub fn with_rows(&self, rows: u64) -> Result<Self, PlanError> {
        if !self.rows.allows(rows) {
            return Err(PlanError::Counted { stage: self.id.clone(), planned: self.rows, counted: rows });
        }
        let exact = Self { rows: Rows::Exact(rows), ..self.clone() };
        exact.check_shards()?;
        Ok(exact)
    }

    fn check_shards(&self) -> Result<(), PlanError> {
        let shards = self.shards().least();
        if shards > SHARDS_MAX {
            return Err(PlanError::TooManyShards { stage: self.id.clone(), shards });
        }
        Ok(())
    }

    /// The table whose files this stage writes into the dataset.
    pub fn publishes(&self) -> Option<&Name> {
        match &self.work {
            Work::Table { table, .. } => Some(table),
            Work::Count { .. } => None,
        }
    }

    /// The expected size in bytes of what it writes, at most.
    pub fn bytes(&self) -> u64 {
        self.rows.most().saturating_mul(self.row_bytes)
    }
}

impl Plan {
    /// The stage of that id.
    pub fn stage(&self, id: &StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == *id)
    }

    /// The stage that counts what the rows of `stage` follow from (its table, or its table's parents), when the plan gives
    /// only an interval.
    pub fn counter_of(&self, stage: &Stage) -> Option<&Stage> {
        let (Work::Table { table, .. } | Work::Count { parents: table, .. }) = &stage.work;
        stage.needs.iter().filter_map(|id| self.stage(id)).find(|needed| match &needed.work {
            Work::Count { table: counted, .. } => counted == table,
            Work::Table { .. } => false,
        })
    }

    /// The rows of all tables together.
    ///
    /// # Errors
    /// [`PlanError::TooManyRows`] beyond `u64`.
    pub fn rows(&self) -> Result<Rows, PlanError> {
        let tables = self.stages.iter().filter(|stage| stage.publishes().is_some());
        tables.map(|stage| stage.rows).try_fold(Rows::Exact(0), Rows::checked_add).ok_or(PlanError::TooManyRows)
    }

    /// Whether the plan can be run: names are unique, stages come after what they need, numbers fit.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PlanError> {
        self.rows()?;
        for (at, stage) in self.stages.iter().enumerate() {
            self.check_stage(stage, &self.stages[..at])?;
        }
        Ok(())
    }

    fn check_stage(&self, stage: &Stage, earlier: &[Stage]) -> Result<(), PlanError> {
        stage.check_shards()?;
        if earlier.iter().any(|other| other.id == stage.id) {
            return Err(PlanError::Twice(stage.id.to_string()));
        }
        let same_folder = |a: &Name, b: &Name| a.as_str().eq_ignore_ascii_case(b.as_str());
        if let Some(table) = stage.publishes()
            && earlier.iter().filter_map(Stage::publishes).any(|other| same_folder(other, table))
        {
            return Err(PlanError::Twice(table.to_string()));
        }
        if let Some(needs) = stage.needs.iter().find(|id| earlier.iter().all(|other| other.id != **id)) {
            return Err(PlanError::Order { stage: stage.id.clone(), needs: needs.clone() });
        }
        if stage.rows.exact().is_none() && self.counter_of(stage).is_none() {
            return Err(PlanError::Uncounted(stage.id.clone(), stage.rows));
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (seed {}, engine {}, writer {})", self.name, self.seed, self.engine, self.writer)?;
        for stage in &self.stages {
            let verb = if stage.publishes().is_some() { "write" } else { "count" };
            let (rows, shards) = (stage.rows, stage.shards());
            write!(f, "  {}: {verb} {rows} rows in {shards} shards", stage.id)?;
            if stage.bytes() > 0 {
                write!(f, ", about {} bytes", stage.bytes())?;
            }
            let needs: Vec<String> = stage.needs.iter().map(ToString::to_string).collect();
            if needs.is_empty() { writeln!(f)? } else { writeln!(f, ", after {}", needs.join(", "))? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
