//! Finishes a version: rolls commits up into blocks, checks them against plan and listing, writes the manifest, then
//! `_SUCCESS`. Memory holds one block at a time. Every step may run twice, and two schedulers at once: all bytes are a
//! function of commits that were put once.

use futures::StreamExt;
use shardmill_shared::job::{
    BLOCK_COMMITS, Block, BlockEntry, Commit, Digest, Key, Manifest, Name, Plan, Stage, Success, TableEntry, encode,
};
use shardmill_shared::store::Place;

use crate::dispatch::exact;
use crate::{ScheduleError, commits, version};

mod listed;

use listed::Listed;

/// Makes the manifest of a version whose shards are all committed, and what would publish it. Nothing is published yet.
///
/// # Errors
/// When a commit or file is missing or changed, or the store fails.
pub async fn prepare(place: &Place, plan: &Plan) -> Result<(Manifest, Success), ScheduleError> {
    let before: Option<Success> = place.find(&Key::Success).await?;
    if let Some(success) = before.filter(|before| before.spec == plan.spec_digest) {
        // Somebody died over the rest. Another writer may be pinned now, and what is published stays as it is.
        return Ok((published(place, &success).await?, success));
    }
    let mut manifest = Manifest::of(plan);
    for planned in &plan.stages {
        if let Some(table) = planned.publishes() {
            let stage = exact(place, plan, planned).await?;
            roll_up(place, &stage, table, &mut manifest).await?;
        }
    }
    place.put(&Key::Manifest, &manifest).await?;
    let success = Success { manifest: Digest::of(&encode(&manifest)), spec: plan.spec_digest };
    Ok((manifest, success))
}

/// Publishes a version whose manifest is there.
///
/// # Errors
/// When the store fails: to be repeated.
pub async fn publish(place: &Place, success: &Success) -> Result<(), ScheduleError> {
    place.settle(&Key::Success, success).await?;
    version::advance_latest(place).await
}

/// The manifest that `success` names.
///
/// # Errors
/// When it is missing, or another.
pub async fn published(place: &Place, success: &Success) -> Result<Manifest, ScheduleError> {
    let manifest: Manifest = place.read(&Key::Manifest).await?;
    if Digest::of(&encode(&manifest)) != success.manifest {
        let path = place.path(&Key::Manifest);
        return Err(shardmill_shared::store::PlaceError::Conflict { path }.into());
    }
    Ok(manifest)
}

async fn roll_up(place: &Place, stage: &Stage, table: &Name, manifest: &mut Manifest) -> Result<(), ScheduleError> {
    let mut entry = TableEntry::new(table.clone());
    let mut listed = Listed::start(place, &place.path(&Key::Table(table.clone()))).await?;
    let shards = stage.shards().exact().unwrap_or(0);
    let mut rest = std::pin::pin!(commits::read(place, stage, 0..shards));
    let mut block = Vec::new();
    while let Some(commit) = rest.next().await {
        let commit = commit?;
        for file in &commit.files {
            listed.expect(&place.layout.file(&file.key), file.bytes).await?;
        }
        entry.add(&commit);
        block.push(commit);
        if block.len() as u64 == BLOCK_COMMITS {
            manifest.blocks.push(put_block(place, manifest.blocks.len() as u64, std::mem::take(&mut block)).await?);
        }
    }
    if !block.is_empty() {
        manifest.blocks.push(put_block(place, manifest.blocks.len() as u64, block).await?);
    }
    listed.expect_end().await?;
    manifest.tables.push(entry);
    Ok(())
}

async fn put_block(place: &Place, number: u64, commits: Vec<Commit>) -> Result<BlockEntry, ScheduleError> {
    let shard = commits[0].shard.clone();
    let count = commits.len() as u64;
    let block = Block { commits };
    place.put(&Key::Block(number), &block).await?;
    Ok(BlockEntry {
        block: number,
        stage: shard.stage,
        first: shard.index,
        commits: count,
        blake3: Digest::of(&encode(&block)),
    })
}
