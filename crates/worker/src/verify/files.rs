//! Whether a table's folder holds the files that the manifest names, byte for byte, and nothing else.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;

use shardmill_engine::check::report::{CheckResult, Detail, Group};
use shardmill_shared::job::Digest;

use super::VerifyOptions;
use super::dataset::{DataFile, Dataset};
use super::parallel::each;

/// How many files are named of those that are wrong.
const NAMED_MAX: usize = 5;

/// What is wrong with a file.
enum Fault {
    /// It is not there, or not of the size it was written with.
    Shape(String),
    /// Its bytes are others.
    Content(String),
}

/// Checks the files of a table: first that they are there, then their digests.
pub(super) fn check(dataset: &Dataset, table: usize, options: &VerifyOptions) -> [CheckResult; 2] {
    let named = &dataset.files[table];
    let name = &dataset.tables.table(table).name;
    let (mut shapes, mut contents) = (strays(dataset, table), Vec::new());
    for fault in each(options.threads, named, fault).into_iter().flatten() {
        match fault {
            Fault::Shape(what) => shapes.push(what),
            Fault::Content(what) => contents.push(what),
        }
    }
    let result = |kind: &str, faults: Vec<String>, right: &str| CheckResult {
        name: format!("{kind}:{name}"),
        group: Group::Structural,
        table: name.clone(),
        passed: faults.is_empty(),
        message: match faults.first() {
            None => format!("{} files {right}", named.len()),
            Some(first) => format!("{} files are wrong; the first is {first}", faults.len()),
        },
        details: vec![
            ("files", Detail::Count(named.len() as u64)),
            ("bytes", Detail::Count(named.iter().map(|file| file.bytes).sum())),
            ("wrong", Detail::List(faults.into_iter().take(NAMED_MAX).collect())),
        ],
    };
    [result("files", shapes, "of the right size"), result("digests", contents, "with the right bytes")]
}

/// Files of the table's folder that the manifest does not name. Hidden ones belong to systems that copy files.
fn strays(dataset: &Dataset, table: usize) -> Vec<String> {
    let known: HashSet<&OsStr> = dataset.files[table].iter().filter_map(|file| file.path.file_name()).collect();
    let name = &dataset.tables.table(table).name;
    let entries = match fs::read_dir(dataset.dir.join(name)) {
        Ok(entries) => entries,
        // A table without rows may have no folder; a folder with missing files has each of them named.
        Err(_) => return Vec::new(),
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let is_stray =
        |file: &std::ffi::OsString| !known.contains(file.as_os_str()) && !file.to_string_lossy().starts_with('.');
    let mut strays: Vec<String> = names
        .filter(is_stray)
        .map(|file| format!("{name}/{}: the manifest does not name it", file.to_string_lossy()))
        .collect();
    strays.sort();
    strays
}

fn fault(file: &DataFile) -> Option<Fault> {
    match digest(file) {
        Ok((bytes, _)) if bytes != file.bytes => {
            Some(Fault::Shape(format!("{}: {bytes} bytes instead of {}", file.key, file.bytes)))
        }
        Ok((_, found)) if found != file.blake3 => {
            Some(Fault::Content(format!("{}: BLAKE3 {found} instead of {}", file.key, file.blake3)))
        }
        Ok(_) => None,
        Err(error) => Some(Fault::Shape(format!("{}: {error}", file.key))),
    }
}

fn digest(file: &DataFile) -> io::Result<(u64, Digest)> {
    let mut hasher = blake3::Hasher::new();
    let bytes = io::copy(&mut File::open(&file.path)?, &mut hasher)?;
    Ok((bytes, hasher.finalize().into()))
}
