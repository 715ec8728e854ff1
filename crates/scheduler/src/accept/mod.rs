//! Accepts a job in its place: what is there already decides whether it starts, goes on, or is refused.

use bytes::Bytes;
use serde_json::Value;
use shardmill_shared::job::{Block, Digest, Key, Layout, Manifest, ObjectPath, Plan, Success};
use shardmill_shared::store::{Place, PlaceError, Put, StoreError};

use crate::ScheduleError;

mod admit;

pub use admit::{Admit, Existing, Found, Refusal, Spec, Wanted, admit};

/// Looks at what a job would find in `place`.
///
/// # Errors
/// When the store cannot be read. Records that are damaged count as absent, but for `_SUCCESS`.
pub async fn look(place: &Place) -> Result<Found, ScheduleError> {
    let success: Option<Success> = place.find(&Key::Success).await?;
    let spec = match place.store.read(&place.path(&Key::Spec)).await {
        Err(StoreError::NotFound { .. }) => None,
        read => Some(Spec::of(&read?)),
    };
    let plan: Option<Plan> = place.find(&Key::Plan).await.or_else(absent_if_damaged)?;
    let is_ours = success.is_some() || spec.is_some();
    let foreign = if is_ours || place.layout != Layout::Folder { None } else { first_file(place).await? };
    Ok(Found { success, spec, plan, foreign })
}

/// Puts spec and plan in place. To be repeated at every start: a plan with another writer takes over the rest.
///
/// # Errors
/// When the store fails, or another spec is there.
pub async fn settle(place: &Place, spec: &Bytes, plan: &Plan) -> Result<(), ScheduleError> {
    let path = place.path(&Key::Spec);
    let put = place.store.put_once(&path, spec.clone()).await?;
    if put == Put::AlreadyExists && place.store.read(&path).await? != *spec {
        return Err(PlaceError::Conflict { path }.into());
    }
    Ok(place.put(&Key::Plan, plan).await?)
}

/// Removes a version: `_SUCCESS` first, so that no half of it ever looks finished; spec and plan last, so that what a kill
/// leaves is known as ours.
///
/// # Errors
/// When the store fails; to be repeated.
pub async fn clear(place: &Place) -> Result<(), ScheduleError> {
    let manifest: Option<Manifest> = place.find(&Key::Manifest).await.or_else(absent_if_damaged)?;
    let plan: Option<Plan> = place.find(&Key::Plan).await.or_else(absent_if_damaged)?;
    place.store.delete(&place.path(&Key::Success)).await?;
    for entry in manifest.iter().flat_map(|manifest| &manifest.blocks) {
        let block: Option<Block> = place.find(&Key::Block(entry.block)).await.or_else(absent_if_damaged)?;
        for file in block.iter().flat_map(|block| &block.commits).flat_map(|commit| &commit.files) {
            place.store.delete(&place.layout.file(&file.key)).await?;
        }
    }
    for table in plan.iter().flat_map(|plan| &plan.stages).filter_map(|stage| stage.publishes()) {
        let is_part = |path: &ObjectPath| path.file_name().starts_with("part-");
        clear_folder(place, &place.path(&Key::Table(table.clone())), is_part).await?;
    }
    let last = [Key::Plan, Key::Spec].map(|key| place.path(&key));
    // What models answered outlives the version: the next one buys only what has changed.
    let packs = plan.as_ref().map(|plan| format!("{}/", place.path(&Key::AllPacks(plan.name.clone()))));
    let is_pack = |path: &ObjectPath| packs.as_ref().is_some_and(|packs| path.as_str().starts_with(packs.as_str()));
    for folder in [Key::Job, Key::About] {
        clear_folder(place, &place.path(&folder), |path| !last.contains(path) && !is_pack(path)).await?;
    }
    for path in &last {
        place.store.delete(path).await?;
    }
    Ok(())
}

async fn clear_folder(
    place: &Place,
    folder: &ObjectPath,
    is_ours: impl Fn(&ObjectPath) -> bool,
) -> Result<(), ScheduleError> {
    let mut listing = place.store.list(Some(folder)).await?;
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(());
        }
        for entry in page.iter().filter(|entry| is_ours(&entry.path)) {
            place.store.delete(&entry.path).await?;
        }
    }
}

/// The first file that is not hidden.
async fn first_file(place: &Place) -> Result<Option<ObjectPath>, ScheduleError> {
    let mut listing = place.store.list(None).await?;
    loop {
        let page = listing.next_page().await?;
        let is_empty = page.is_empty();
        let first = page.into_iter().map(|entry| entry.path).find(|path| !path.is_hidden());
        if is_empty || first.is_some() {
            return Ok(first);
        }
    }
}

/// A record that cannot be read counts as none.
pub(crate) fn absent_if_damaged<T>(error: PlaceError) -> Result<Option<T>, PlaceError> {
    match error {
        PlaceError::Damaged { .. } => Ok(None),
        other => Err(other),
    }
}

impl Spec {
    /// A spec as the store holds it. One that is damaged has a digest that no spec has, and no value.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: Digest::of(bytes), value: serde_json::from_slice(bytes).unwrap_or(Value::Null) }
    }
}
