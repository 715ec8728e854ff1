//! Files that appear whole: the blocking calls beneath the folder store.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::{FolderGuard, SMALL_BYTES};
use crate::store::{Part, Put, StoreError};

/// What the names of unfinished files begin with.
const HIDDEN: &str = ".shardmill-";

/// How often a folder is made that deletes take away again: each try loses only to another delete.
const FOLDER_TRIES: u32 = 100;

/// Tells the unfinished files of this process apart.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Tells this process from every other that writes into the same folder, on whatever machine: in containers all of them have
/// the same process id.
static PROCESS: LazyLock<String> = LazyLock::new(|| uuid::Uuid::now_v7().simple().to_string());

/// Whether what is written must survive a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Files and folders are synced before an operation ends.
    Synced,
    /// The operating system writes when it likes: survives a killed process, not a power failure.
    Unsynced,
}

impl Durability {
    /// Whether so many bytes are written without waiting for a disk.
    pub(super) fn is_prompt(self, bytes: usize) -> bool {
        self == Self::Unsynced && bytes <= SMALL_BYTES
    }

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
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let hidden = folder_of(place).join(format!("{HIDDEN}{}-{serial}", *PROCESS));
    let mut tries = 0;
    loop {
        tries += 1;
        let made = make_folder(folder_of(place), durability);
        match made.and_then(|()| File::create_new(&hidden).map_err(fault(place))) {
            // A delete took the folder away, as it was empty: with the file in it, none can.
            Err(StoreError::NotFound { .. }) if tries < FOLDER_TRIES => {}
            end => return end.map(|file| (hidden, file)),
        }
    }
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

/// A part of a file.
pub(super) fn read_part(place: &Path, start: u64, most: u64) -> Result<Part, StoreError> {
    let read = || {
        let mut file = File::open(place)?;
        let of = file.metadata()?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(most.min(of.saturating_sub(start))).unwrap_or(0));
        file.seek(SeekFrom::Start(start))?;
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Part { bytes: bytes.into(), of })
    };
    read().map_err(fault(place))
}

/// Removes a file, and the folders that become empty, up to but without `root`.
pub(super) fn delete(place: &Path, root: &Path, durability: Durability) -> Result<(), StoreError> {
    match fs::remove_file(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        end => end.map_err(fault(place))?,
    }
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    for folder in place.ancestors().skip(1).take_while(|folder| *folder != root && folder.starts_with(root)) {
        // Another delete may have removed the folder, now or before it can be synced.
        if fs::remove_dir(folder).as_ref().map_or_else(is_gone, |()| true) {
            continue;
        }
        match durability.sync_folder(folder) {
            Err(StoreError::NotFound { .. }) => {}
            end => return end,
        }
    }
    durability.sync_folder(root)
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
    sweep(root, Duration::ZERO)?;
    let (hidden, _) = begin(&root.join("probe"), durability)?;
    discard(&hidden);
    Ok(FolderGuard { _lock: lock })
}

/// Removes the unfinished files below `folder` that nobody has written to for so long; returns how many.
pub(super) fn sweep(folder: &Path, older_than: Duration) -> Result<u64, StoreError> {
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let mut swept = 0;
    let entries = match fs::read_dir(folder) {
        Err(error) if is_gone(&error) => return Ok(0),
        entries => entries.map_err(fault(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(fault(folder))?;
        let kind = entry.file_type().map_err(fault(folder))?;
        if kind.is_dir() {
            swept += sweep(&entry.path(), older_than)?;
        } else if entry.file_name().to_str().is_some_and(is_unfinished) && is_older(&entry, older_than) {
            match fs::remove_file(entry.path()) {
                // Whoever wrote it was alive, and has just finished or discarded it.
                Err(error) if is_gone(&error) => {}
                end => {
                    end.map_err(fault(&entry.path()))?;
                    swept += 1;
                }
            }
        }
    }
    Ok(swept)
}

/// Whether a file was last written to so long ago. What cannot be known is young.
fn is_older(entry: &fs::DirEntry, age: Duration) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified()).ok();
    age.is_zero() || written.and_then(|written| written.elapsed().ok()).is_some_and(|found| found > age)
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
