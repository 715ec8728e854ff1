//! A walk through the folder in the order of whole paths, as object stores list.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::{FolderStore, files};
use crate::job::ObjectPath;
use crate::store::{Entry, Listing, PAGE_ENTRIES, StoreError};

/// A walk under way: what is still to be visited, the next one last.
pub(super) struct FolderListing {
    store: FolderStore,
    rest: Vec<Visit>,
    /// What comes up to here was listed before.
    after: Option<String>,
}

struct Visit {
    /// The path below the root; ended by `/` for a folder, which puts it in its place among the files.
    key: String,
    is_folder: bool,
}

impl Visit {
    /// Whether it has nothing after `after`.
    fn is_before(&self, after: &str) -> bool {
        let may_go_on = self.is_folder && after.starts_with(&self.key);
        !may_go_on && self.key.as_str() <= after
    }
}

impl FolderListing {
    pub(super) fn new(store: &FolderStore, folder: Option<&ObjectPath>) -> Self {
        let key = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        Self { store: store.clone(), rest: vec![Visit { key, is_folder: true }], after: None }
    }

    pub(super) fn after(store: &FolderStore, folder: &ObjectPath, after: &ObjectPath) -> Self {
        Self { after: Some(after.to_string()), ..Self::new(store, Some(folder)) }
    }
}

#[async_trait]
impl Listing for FolderListing {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        let (mut rest, after) = (std::mem::take(&mut self.rest), self.after.clone());
        let root = Arc::clone(&self.store.root);
        let name = self.store.root.display().to_string();
        let (page, rest) = self
            .store
            .blocking(name, move || next_page(&root, &mut rest, after.as_deref()).map(|page| (page, rest)))
            .await?;
        self.rest = rest;
        Ok(page)
    }
}

fn next_page(root: &Path, rest: &mut Vec<Visit>, after: Option<&str>) -> Result<Vec<Entry>, StoreError> {
    let mut page = Vec::new();
    while page.len() < PAGE_ENTRIES
        && let Some(visit) = rest.pop()
    {
        if after.is_some_and(|after| visit.is_before(after)) {
            continue;
        }
        if visit.is_folder {
            rest.extend(visits_of(root, &visit.key)?);
        } else if let Some(entry) = entry(root.join(&visit.key), visit.key)? {
            page.push(entry);
        }
    }
    Ok(page)
}

/// What is in the folder `key`, the first last. A folder that is not there is empty.
fn visits_of(root: &Path, key: &str) -> Result<Vec<Visit>, StoreError> {
    let folder = root.join(key);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        end => end.map_err(files::fault(&folder))?,
    };
    let mut visits = Vec::new();
    for entry in entries {
        let entry = entry.map_err(files::fault(&folder))?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !files::is_unfinished(name)) else { continue };
        let is_folder = entry.file_type().map_err(files::fault(&folder))?.is_dir();
        let end = if is_folder { "/" } else { "" };
        visits.push(Visit { key: format!("{key}{name}{end}"), is_folder });
    }
    visits.sort_unstable_by(|a, b| b.key.cmp(&a.key));
    Ok(visits)
}

/// The file at `place`; nothing when it was removed since, or has a name that no object has.
fn entry(place: PathBuf, key: String) -> Result<Option<Entry>, StoreError> {
    let Ok(path) = ObjectPath::new(key) else { return Ok(None) };
    match fs::metadata(&place) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        end => Ok(Some(Entry { path, bytes: end.map_err(files::fault(&place))?.len() })),
    }
}
