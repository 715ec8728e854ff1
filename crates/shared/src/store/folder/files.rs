//! Files that appear whole: the blocking calls beneath the folder store.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::FolderGuard;
use crate::store::{Put, StoreError};

/// What the names of unfinished files begin with.
const HIDDEN: &str = ".shardmill-";

/// Tells the unfinished files of this process apart.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Whether what is written must survive a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Files and folders are synced before an operation ends.
    Synced,
    /// The operating system writes when it likes: survives a killed process, not a power failure.
    Unsynced,
}

impl Durability {
    fn sync(self, file: &File) -> io::Result<()> {
        match self {
            Self::Synced => file.sync_all(),
            Self::Unsynced => Ok(()),
        }
    }

    fn sync_folder(self, folder: &Path) -> Result<(), StoreError> {
        File::open(folder).and_then(|file| self.sync(&file)).map_err(fault(folder))
    }
}

/// Whether a file of this name is unfinished.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(HIDDEN)
}

/// The error for `place` that the file system gave.
pub(super) fn fault(place: &Path) -> impl Fn(io::Error) -> StoreError + Copy {
    move |error| StoreError::from_io(place.display(), &error)
}

/// Makes and opens an unfinished file beside `place`, with its folder.
pub(super) fn begin(place: &Path, durability: Durability) -> Result<(PathBuf, File), StoreError> {
    let folder = folder_of(place);
    make_folder(folder, durability)?;
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let hidden = folder.join(format!("{HIDDEN}{}-{serial}", std::process::id()));
    let file = File::create(&hidden).map_err(fault(place))?;
    Ok((hidden, file))
}

/// Makes the unfinished file `hidden` the one at `place`, durably.
pub(super) fn complete(hidden: &Path, file: &File, place: &Path, durability: Durability) -> Result<(), StoreError> {
    durability.sync(file).map_err(fault(place))?;
    fs::rename(hidden, place).map_err(fault(place))?;
    durability.sync_folder(folder_of(place))
}

/// Creates or replaces the file at `place`.
pub(super) fn put(place: &Path, bytes: &[u8], durability: Durability) -> Result<(), StoreError> {
    let (hidden, mut file) = begin(place, durability)?;
    let end = file.write_all(bytes).map_err(fault(place)).and_then(|()| complete(&hidden, &file, place, durability));
    end.inspect_err(|_| discard(&hidden))
}

/// Creates the file at `place`, if no other was first: a hard link, unlike a rename, never replaces.
pub(super) fn put_once(place: &Path, bytes: &[u8], durability: Durability) -> Result<Put, StoreError> {
    if place.exists() {
        return Ok(Put::AlreadyExists);
    }
    let (hidden, mut file) = begin(place, durability)?;
    let end = file.write_all(bytes).and_then(|()| durability.sync(&file)).and_then(|()| fs::hard_link(&hidden, place));
    discard(&hidden);
    match end {
        Ok(()) => durability.sync_folder(folder_of(place)).map(|()| Put::Created),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Put::AlreadyExists),
        Err(error) => Err(fault(place)(error)),
    }
}

/// All bytes of a file.
pub(super) fn read(place: &Path) -> Result<Bytes, StoreError> {
    fs::read(place).map(Bytes::from).map_err(fault(place))
}

/// Removes a file, and the folders that become empty, up to but without `root`.
pub(super) fn delete(place: &Path, root: &Path, durability: Durability) -> Result<(), StoreError> {
    match fs::remove_file(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        end => end.map_err(fault(place))?,
    }
    let above = place.ancestors().skip(1).take_while(|folder| *folder != root && folder.starts_with(root));
    let kept = above.into_iter().find(|folder| fs::remove_dir(folder).is_err()).unwrap_or(root);
    durability.sync_folder(kept)
}

/// Removes an unfinished file. One that stays is swept at the next start.
pub(super) fn discard(hidden: &Path) {
    if let Err(error) = fs::remove_file(hidden) {
        tracing::debug!("unfinished file {} stays: {error}", hidden.display());
    }
}

/// Makes `root` ready for this process alone.
pub(super) fn prepare(root: &Path, durability: Durability) -> Result<FolderGuard, StoreError> {
    make_folder(root, durability)?;
    let folder = File::open(root).map_err(fault(root))?;
    let lock = match folder.try_lock() {
        Ok(()) => Some(folder),
        Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: root.display().to_string() }),
        // Some network file systems know no locks; there, two runs in one folder still commit each shard once.
        Err(TryLockError::Error(_)) => None,
    };
    sweep(root)?;
    let (hidden, _) = begin(&root.join("probe"), durability)?;
    discard(&hidden);
    Ok(FolderGuard { _lock: lock })
}

/// Removes the unfinished files below `folder`.
fn sweep(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(fault(folder))? {
        let entry = entry.map_err(fault(folder))?;
        let kind = entry.file_type().map_err(fault(folder))?;
        if kind.is_dir() {
            sweep(&entry.path())?;
        } else if entry.file_name().to_str().is_some_and(is_unfinished) {
            fs::remove_file(entry.path()).map_err(fault(&entry.path()))?;
        }
    }
    Ok(())
}

fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder and those above it, each durable in the one above.
fn make_folder(folder: &Path, durability: Durability) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folder(above, durability)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(fault(folder)(error)),
        Ok(()) => durability.sync_folder(above),
    }
}
