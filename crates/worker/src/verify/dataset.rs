//! A dataset on disk as its records describe it: spec, tables and data files.

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use shardmill_engine::check::report::{CheckResult, Detail, Group};
use shardmill_engine::{ENGINES, Tables, compile};
use shardmill_shared::job::{Block, Digest, Key, Layout, Manifest, Success};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report as Problems, Spec, Value, document};

use super::VerifyError;
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
    pub(super) fn open(dir: &Path) -> Result<Self, VerifyError> {
        let mut records = Records { dir, damaged: Vec::new() };
        let success: Success = records.json(&Key::Success, None)?;
        let manifest: Manifest = records.json(&Key::Manifest, Some(success.manifest))?;
        let spec = records.spec(&[success.spec, manifest.spec_digest])?;
        let tables = compiled(&spec)?;
        let mut files: Vec<Vec<DataFile>> = tables.list.iter().map(|_| Vec::new()).collect();
        for entry in &manifest.blocks {
            let block: Block = records.json(&Key::Block(entry.block), Some(entry.blake3))?;
            for named in block.commits.into_iter().flat_map(|commit| commit.files) {
                let table = named.key.as_str().split('/').next().unwrap_or_default();
                let Some(at) = tables.find(table) else {
                    records.damaged.push(format!("{}: the spec has no table for it", named.key));
                    continue;
                };
                let start = files[at].last().map_or(0, |file| file.rows.end);
                files[at].push(DataFile {
                    path: dir.join(named.key.as_str()),
                    key: named.key.to_string(),
                    rows: start..start.saturating_add(named.rows).min(tables.rows(at)?),
                    bytes: named.bytes,
                    blake3: named.blake3,
                });
            }
        }
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

fn compiled(spec: &Spec) -> Result<Tables, VerifyError> {
    let problems = Problems::lenient();
    let tables = compile(spec, &problems).ok_or_else(|| refused(problems))?;
    tables.count_all()?;
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
