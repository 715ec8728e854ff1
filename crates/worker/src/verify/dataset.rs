//! A dataset on disk as its records describe it: spec, tables and data files.

use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use shardmill_engine::check::report::{CheckResult, Detail, Group};
use shardmill_engine::{ENGINES, Tables, compile};
use shardmill_shared::job::{Block, Commit, Digest, Key, Layout, Manifest, Success, TableEntry};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report as Problems, Spec, Value, document};

use super::VerifyError;
use super::parallel::each;
use crate::formats::{self, Compression, Format, WriteOptions};

/// The compressions that a spec may name.
const COMPRESSIONS: [&str; 4] = ["zstd", "snappy", "lz4", "none"];

/// A finished dataset.
pub(super) struct Dataset {
    pub(super) dir: PathBuf,
    pub(super) spec: Spec,
    pub(super) tables: Tables,
    pub(super) format: &'static dyn Format,
    pub(super) options: WriteOptions,
    /// The data files of each table, in the order of their rows.
    pub(super) files: Vec<Vec<DataFile>>,
    /// Whether the records are those that `_SUCCESS` names.
    pub(super) records: CheckResult,
}

/// A data file as the manifest names it.
pub(super) struct DataFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Where it is below the dataset's folder.
    pub(super) key: String,
    /// Its rows' numbers in the table, none of which is past the planned rows.
    pub(super) rows: Range<u64>,
    /// Its size.
    pub(super) bytes: u64,
    /// The digest of its bytes.
    pub(super) blake3: Digest,
}

impl Dataset {
    /// Reads the records of the dataset in `dir` and compiles its spec.
    ///
    /// # Errors
    /// When a record is missing or cannot be understood, or the spec is not one of this build.
    pub(super) fn open(dir: &Path, threads: NonZeroUsize) -> Result<Self, VerifyError> {
        let mut records = Records { dir, damaged: Vec::new() };
        let success: Success = records.json(&Key::Success, None)?;
        let manifest: Manifest = records.json(&Key::Manifest, Some(success.manifest))?;
        let spec = records.spec(&[success.spec, manifest.spec_digest])?;
        let tables = compiled(&spec, threads)?;
        let files = records.files(&manifest, &tables)?;
        let format = formats::format(&spec.output.format).expect("the envelope knows the formats of this build");
        let (options, records) = (write_options(&spec, format), records.result());
        Ok(Self { dir: dir.to_path_buf(), spec, tables, format, options, files, records })
    }

    /// The version that the spec states.
    pub(super) fn version(&self) -> Option<String> {
        let document = &self.spec.document;
        let node = document.get("version").or_else(|| document.get("metadata")?.get("version"))?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// The records being read, and those that are not what they should be.
struct Records<'d> {
    dir: &'d Path,
    damaged: Vec<String>,
}

impl Records<'_> {
    fn bytes(&self, key: &Key) -> Result<(PathBuf, Vec<u8>), VerifyError> {
        let path = self.dir.join(Layout::Folder.path(key).as_str());
        match fs::read(&path) {
            Ok(bytes) => Ok((path, bytes)),
            Err(error) if *key == Key::Success && error.kind() == ErrorKind::NotFound => {
                Err(VerifyError::NotFinished { dir: self.dir.to_path_buf(), missing: "_SUCCESS" })
            }
            Err(error) => Err(VerifyError::io(&path, error)),
        }
    }

    /// A record, and a note where its bytes do not have the digest it is known by.
    fn json<T: DeserializeOwned>(&mut self, key: &Key, digest: Option<Digest>) -> Result<T, VerifyError> {
        let (path, bytes) = self.bytes(key)?;
        if digest.is_some_and(|digest| digest != Digest::of(&bytes)) {
            self.damaged.push(format!("{}: not the bytes it was committed with", Layout::Folder.path(key)));
        }
        serde_json::from_slice(&bytes).map_err(|error| VerifyError::damaged(&path, error))
    }

    fn spec(&mut self, digests: &[Digest]) -> Result<Spec, VerifyError> {
        let (path, bytes) = self.bytes(&Key::Spec)?;
        let text = String::from_utf8(bytes).map_err(|error| VerifyError::damaged(&path, error))?;
        // Lenient: what was allowed when the dataset was made is not refused now.
        let problems = Problems::lenient();
        let names: Vec<&str> = formats::FORMATS.iter().map(|format| format.name()).collect();
        let known = Known { kinds: &["tables"], formats: &names, compressions: &COMPRESSIONS, engines: ENGINES };
        let spec = document::parse(&text, &problems).and_then(|document| Spec::read(&document, &known, &problems));
        let spec = spec.ok_or_else(|| refused(problems))?;
        let digest = spec.digest();
        if digests.iter().any(|expected| expected.to_string() != digest) {
            self.damaged.push(format!("{}: not the spec the dataset was made from", Layout::Folder.path(&Key::Spec)));
        }
        Ok(spec)
    }

    /// The data files of each table, and a note where the books of the manifest do not add up.
    fn files(&mut self, manifest: &Manifest, tables: &Tables) -> Result<Vec<Vec<DataFile>>, VerifyError> {
        let mut files: Vec<Vec<DataFile>> = tables.list.iter().map(|_| Vec::new()).collect();
        let mut books: Vec<TableEntry> =
            manifest.tables.iter().map(|entry| TableEntry::new(entry.table.clone())).collect();
        for entry in &manifest.blocks {
            let block: Block = self.json(&Key::Block(entry.block), Some(entry.blake3))?;
            // What a counting stage leaves is no data of the version.
            for commit in block.commits.into_iter().filter(|commit| commit.counted.is_none()) {
                let table =
                    commit.files.first().and_then(|file| file.key.as_str().split('/').next()).unwrap_or_default();
                if let Some(book) = books.iter_mut().find(|book| book.table.as_str() == table) {
                    book.add(&commit);
                }
                match tables.find(table) {
                    Some(at) => add_files(&mut files[at], &commit, self.dir, tables.rows(at)?),
                    None => self.damaged.push(format!("commit {}: the spec has no table for its files", commit.shard)),
                }
            }
        }
        for (book, entry) in books.iter().zip(&manifest.tables) {
            if book != entry || !entry.account.adds_up() {
                self.damaged.push(format!(
                    "{}: table {} does not add up",
                    Layout::Folder.path(&Key::Manifest),
                    entry.table
                ));
            }
        }
        Ok(files)
    }

    fn result(self) -> CheckResult {
        let message = match self.damaged.first() {
            None => "the records are those that were committed".to_owned(),
            Some(first) => format!("{} records are damaged; the first is {first}", self.damaged.len()),
        };
        CheckResult {
            name: "digests:_shardmill".to_owned(),
            group: Group::Structural,
            table: "_shardmill".to_owned(),
            passed: self.damaged.is_empty(),
            message,
            details: vec![("damaged", Detail::List(self.damaged))],
        }
    }
}

/// Adds the files of a commit to those of its table, which has `planned` rows.
fn add_files(files: &mut Vec<DataFile>, commit: &Commit, dir: &Path, planned: u64) {
    for named in &commit.files {
        let start = files.last().map_or(0, |file| file.rows.end);
        files.push(DataFile {
            path: dir.join(named.key.as_str()),
            key: named.key.to_string(),
            rows: start..start.saturating_add(named.rows).min(planned),
            bytes: named.bytes,
            blake3: named.blake3,
        });
    }
}

fn compiled(spec: &Spec, threads: NonZeroUsize) -> Result<Tables, VerifyError> {
    let problems = Problems::lenient();
    let tables = compile(spec, &problems).ok_or_else(|| refused(problems))?;
    tables.count_by(|pages, count| {
        let pages: Vec<u64> = (0..pages).collect();
        each(threads, &pages, |page| count(*page)).into_iter().collect()
    })?;
    Ok(tables)
}

fn refused(problems: Problems) -> VerifyError {
    VerifyError::Spec { problems: problems.into_problems().iter().map(ToString::to_string).collect() }
}

fn write_options(spec: &Spec, format: &dyn Format) -> WriteOptions {
    let compression = spec.output.compression.as_deref().and_then(Compression::parse);
    let mut options = WriteOptions::new(compression.unwrap_or_else(|| format.default_compression()));
    options.csv.delimiter = spec.output.delimiter;
    options.csv.header = spec.output.header;
    options
}
