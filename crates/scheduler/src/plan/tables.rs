//! The plan of a spec of tables: a stage per table, and before it a stage that counts its rows where needed. Pure.

use std::num::NonZeroU64;
use std::rc::Rc;

use shardmill_engine::counts::PAGE_BLOCKS;
use shardmill_engine::fanout::BLOCK;
use shardmill_engine::{Scratch, Size, Tables};
use shardmill_shared::job::{Digest, Name, NameError, Plan, PlanError, Pool, Rows, Stage, StageId, Work};
use shardmill_shared::spec::Spec;

/// Blocks of parents that one counting shard covers, about a million parents: what it leaves is one page of the counts.
const COUNT_SHARD_BLOCKS: NonZeroU64 = NonZeroU64::new(PAGE_BLOCKS).expect("a page has blocks");
/// Parents of a block.
const BLOCK_PARENTS: NonZeroU64 = NonZeroU64::new(BLOCK).expect("a block has parents");
/// Rows that are made to see how large a row is.
const SAMPLE_ROWS: u64 = 64;

/// The most rows of a shard that models fill: a few minutes of answers, far below what a message may be held for.
const FILLED_SHARD_ROWS: NonZeroU64 = NonZeroU64::new(500).expect("a shard has rows");

/// Who writes the files and how.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Engine, encoder versions and settings: attempts of one writer write identical bytes.
    pub id: String,
    /// The extension of the files, without the first dot.
    pub extension: String,
    /// Bytes of a file for 100 bytes of rows in memory: a rough figure for the plan.
    pub percent: u64,
}

/// Plans the tables of a spec.
///
/// # Errors
/// When a table's name cannot be a folder, or the plan cannot be run.
pub fn plan(spec: &Spec, tables: &Tables, writer: &Writer) -> Result<Plan, PlanError> {
    let shard_rows = NonZeroU64::new(spec.output.shard_rows).unwrap_or(NonZeroU64::MIN);
    let mut counts = Vec::new();
    for table in in_order(tables) {
        if matches!(tables.size(table), Size::Between { .. }) {
            counts.push((table, count_stage(tables, table, &counts)?));
        }
    }
    let mut stages: Vec<Stage> = counts.iter().map(|(_, stage)| stage.clone()).collect();
    for (at, table) in tables.list.iter().enumerate() {
        let related = related(tables, at);
        let needs = counts.iter().filter(|(counted, _)| related[*counted]).map(|(_, stage)| stage.id.clone()).collect();
        stages.push(Stage {
            id: StageId::new(&table.name)?,
            needs,
            pool: if table.is_filled() { Pool::Llm } else { Pool::Generate },
            work: Work::Table { table: Name::new(&table.name)?, extension: Name::new(&writer.extension)? },
            rows: rows(tables, at),
            shard_rows: if table.is_filled() { shard_rows.min(FILLED_SHARD_ROWS) } else { shard_rows },
            row_bytes: row_bytes(tables, at) * writer.percent / 100,
        });
    }
    let plan = Plan {
        spec_digest: Digest::of(&spec.canonical()),
        name: Name::new(&spec.name)?,
        seed: spec.seed,
        engine: spec.engine,
        writer: writer.id.clone(),
        stages,
        budget: None,
    };
    plan.check()?;
    Ok(plan)
}

fn count_stage(tables: &Tables, table: usize, earlier: &[(usize, Stage)]) -> Result<Stage, NameError> {
    let described = tables.table(table);
    let (name, related) = (&described.name, related(tables, table));
    let parent = described.parent.as_ref().map_or(table, |parent| parent.table);
    // A constant number of children of counted parents needs no pages: one unit says how many there are.
    let blocks = match rows(tables, parent) {
        _ if !tables.is_counted(table) => Rows::Exact(1),
        Rows::Exact(parents) => Rows::Exact(parents.div_ceil(BLOCK)),
        Rows::Between { least, most } => Rows::Between { least: least.div_ceil(BLOCK), most: most.div_ceil(BLOCK) },
    };
    Ok(Stage {
        id: StageId::new(&format!("count-{name}"))?,
        needs: earlier.iter().filter(|(counted, _)| related[*counted]).map(|(_, stage)| stage.id.clone()).collect(),
        pool: Pool::Generate,
        work: Work::Count {
            table: Name::new(name)?,
            parents: Name::new(&tables.table(parent).name)?,
            parents_per_row: BLOCK_PARENTS,
        },
        rows: blocks,
        shard_rows: COUNT_SHARD_BLOCKS,
        row_bytes: 0,
    })
}

fn rows(tables: &Tables, table: usize) -> Rows {
    match tables.size(table) {
        Size::Exact(rows) => Rows::Exact(rows),
        Size::Between { least, most } => Rows::Between { least, most },
    }
}

/// Parents before children.
fn in_order(tables: &Tables) -> Vec<usize> {
    let depth = |table: usize| {
        let mut depth = 0;
        let mut at = table;
        while let Some(parent) = &tables.table(at).parent {
            at = parent.table;
            depth += 1;
        }
        depth
    };
    let mut order: Vec<usize> = (0..tables.list.len()).collect();
    order.sort_by_key(|table| depth(*table));
    order
}

/// The tables whose rows may have to be known to make this one: all it is linked with, and so on.
fn related(tables: &Tables, table: usize) -> Vec<bool> {
    let mut seen = vec![false; tables.list.len()];
    let mut waiting = vec![table];
    while let Some(at) = waiting.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        waiting.extend(tables.neighbours(at));
    }
    seen
}

/// Bytes of a row in memory, seen on its first rows; a guess where these cannot be made before a count.
fn row_bytes(tables: &Tables, table: usize) -> u64 {
    const GUESS: u64 = 100;
    let Ok(count) = tables.rows(table) else { return GUESS };
    let rows = SAMPLE_ROWS.min(count);
    let batch = tables.batch(table, 0..rows, &Rc::new(Scratch::default()));
    batch.map_or(GUESS, |batch| {
        batch.columns().iter().map(|c| c.to_data().get_slice_memory_size().unwrap_or(0)).sum::<usize>() as u64
            / rows.max(1)
    })
}
