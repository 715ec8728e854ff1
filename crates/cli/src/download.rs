//! A published version copied into a folder: every file is checked against the manifest and appears whole, and what was
//! fetched before is not fetched again. `_SUCCESS` comes last, so a folder that has it is complete.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::Value;
use shardmill_shared::job::{Digest, Key, Layout, Manifest, Name, ObjectPath, Success};
use shardmill_shared::store::{FolderStore, Store};

use crate::client::{Client, ClientError, From};
use crate::say;

/// Files at once.
const AT_ONCE: usize = 4;
/// Files of a page: so few that a page's links live until the last of it is fetched.
const PAGE: &str = "50";
/// How often a file is tried whose connection breaks.
const TRIES: u32 = 5;
/// What is fetched of a file, until it is whole.
const PARTIAL: &str = "partial";
/// Bytes of a file that are digested at once.
const PIECE_BYTES: usize = 1 << 20;

/// A version that is to be copied.
pub(crate) struct Download<'a> {
    client: &'a Client,
    /// The path of the version in the API.
    version: String,
    manifest: Digest,
    folder: &'a Path,
    /// No table is all of them.
    tables: &'a [Name],
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Data files that were fetched.
    pub(crate) files: u64,
    /// Bytes of them.
    pub(crate) bytes: u64,
    /// Data files that were there.
    pub(crate) kept: u64,
}

/// A data file, as the API names it.
#[derive(Debug, Deserialize)]
struct Remote {
    path: ObjectPath,
    bytes: u64,
    blake3: Digest,
    link: Option<String>,
}

impl<'a> Download<'a> {
    /// The copy of a version into a folder.
    ///
    /// # Errors
    /// When the version has no such table, or the folder holds another version.
    pub(crate) fn of(client: &'a Client, version: &Value, (folder, tables): (&'a Path, &'a [Name])) -> Result<Self> {
        let word = |name: &str| version[name].as_str().with_context(|| format!("the API's answer has no `{name}`"));
        let number = version["version"].as_u64().context("the API's answer has no `version`")?;
        let known: Vec<&str> =
            version["tables"].as_array().into_iter().flatten().filter_map(|table| table["table"].as_str()).collect();
        if let Some(unknown) = tables.iter().find(|table| !known.contains(&table.as_str())) {
            bail!("{}@{number} has no table `{unknown}`; it has {}", word("dataset")?, known.join(", "));
        }
        let manifest = Digest::try_from(word("manifest")?.to_owned())?;
        let there = folder.join(Layout::Folder.path(&Key::Success).as_str());
        let is_other = match std::fs::read(&there) {
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            read => {
                let read = read.with_context(|| format!("cannot read {}", there.display()))?;
                serde_json::from_slice(&read).map_or(true, |success: Success| success.manifest != manifest)
            }
        };
        ensure!(!is_other, "{} holds another version: give another folder with -o", folder.display());
        let version = format!("/v1/datasets/{}/versions/{number}", word("dataset")?);
        Ok(Self { client, version, manifest, folder, tables })
    }

    /// Copies what is missing.
    pub(crate) async fn run(&self, tell: impl Fn(&str)) -> Result<Fetched> {
        let mut fetched = Fetched::default();
        let mut cursor = None;
        loop {
            let mut query = vec![("limit", PAGE)];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = self.client.get(&self.version, &query).await?;
            let files: Vec<Remote> = serde_json::from_value(page["files"].take()).context("the API names odd files")?;
            let wanted = files.iter().filter(|file| self.wants(file));
            let mut ended = stream::iter(wanted).map(|file| self.file(file)).buffer_unordered(AT_ONCE);
            while let Some((file, is_new)) = ended.try_next().await? {
                if !is_new {
                    fetched.kept += 1;
                    continue;
                }
                fetched.files += 1;
                fetched.bytes += file.bytes;
                tell(&format!("{} {}", file.path, say::bytes(file.bytes)));
            }
            drop(ended);
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        if self.tables.is_empty() {
            self.records().await?;
        }
        Ok(fetched)
    }

    fn wants(&self, file: &Remote) -> bool {
        let table = file.path.as_str().split('/').next();
        self.tables.is_empty() || self.tables.iter().any(|wanted| Some(wanted.as_str()) == table)
    }

    /// Makes sure that a file is there; says whether it was fetched.
    async fn file<'f>(&self, file: &'f Remote) -> Result<(&'f Remote, bool)> {
        let place = self.folder.join(file.path.as_str());
        if size(&place)? == Some(file.bytes) && digest(&place)? == file.blake3 {
            return Ok((file, false));
        }
        let folder = place.parent().context("a file lies in a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let partial = folder.join(format!("{}.{PARTIAL}", file.path.file_name()));
        self.fetch(file, &partial).await?;
        std::fs::rename(&partial, &place).with_context(|| format!("cannot write {}", place.display()))?;
        Ok((file, true))
    }

    /// Fetches what is missing of a file, from its link or, where that refuses, through the API.
    async fn fetch(&self, file: &Remote, partial: &Path) -> Result<()> {
        let path = format!("{}/files/{}", self.version, file.path);
        let mut from = file.link.as_deref().map_or(From::Api(&path), From::Link);
        for attempt in 1.. {
            match self.append(file, from, partial).await {
                Ok(()) => {}
                Err(error) if attempt >= TRIES => return Err(error),
                Err(error) => match error.downcast_ref() {
                    Some(ClientError::Refused { status: 416, .. }) => discard(partial)?,
                    Some(ClientError::Refused { .. }) if matches!(from, From::Link(_)) => from = From::Api(&path),
                    Some(error) if error.may_pass() => tokio::time::sleep(crate::client::RETRY_AFTER).await,
                    _ => return Err(error),
                },
            }
            match size(partial)? {
                Some(bytes) if bytes == file.bytes && digest(partial)? == file.blake3 => return sync(partial),
                // Bytes that are wrong are not mended by more of them.
                Some(bytes) if bytes >= file.bytes => discard(partial)?,
                _ => {}
            }
            ensure!(attempt < TRIES, "{} is not what the manifest says, however often it is fetched", file.path);
        }
        unreachable!("the last try returns")
    }

    /// Adds what comes to what is there. A broken connection leaves what came.
    async fn append(&self, file: &Remote, from: From<'_>, partial: &Path) -> Result<()> {
        let unwritable = || format!("cannot write {}", partial.display());
        let mut start = size(partial)?.unwrap_or(0);
        if start > 0 && start >= file.bytes {
            return Ok(());
        }
        let mut answer = self.client.file(&from, start).await?;
        if answer.status() != reqwest::StatusCode::PARTIAL_CONTENT {
            start = 0;
        }
        let mut out =
            OpenOptions::new().create(true).truncate(false).write(true).open(partial).with_context(unwritable)?;
        out.set_len(start).with_context(unwritable)?;
        std::io::Seek::seek(&mut out, std::io::SeekFrom::End(0)).with_context(unwritable)?;
        let mut left = file.bytes - start;
        while let Some(piece) = answer.chunk().await.map_err(|error| self.client.unreachable(&error))? {
            ensure!(piece.len() as u64 <= left, "{} is longer than the manifest says", file.path);
            left -= piece.len() as u64;
            out.write_all(&piece).with_context(unwritable)?;
        }
        Ok(())
    }

    /// The records of the version, each checked by the one that names it; `_SUCCESS` last.
    async fn records(&self) -> Result<()> {
        let (success, manifest) = (self.record(&Key::Success).await?, self.record(&Key::Manifest).await?);
        let named: Success = serde_json::from_slice(&success).context("_SUCCESS cannot be read")?;
        let proved = named.manifest == self.manifest && Digest::of(&manifest) == self.manifest;
        ensure!(proved, "the version's manifest is not the one that its _SUCCESS names");
        let blocks: Manifest = serde_json::from_slice(&manifest).context("the manifest cannot be read")?;
        let store = FolderStore::at(self.folder);
        for entry in &blocks.blocks {
            let key = Key::Block(entry.block);
            let block = self.record(&key).await?;
            ensure!(Digest::of(&block) == entry.blake3, "block {} of the manifest was changed", entry.block);
            store.put(&Layout::Folder.path(&key), block).await?;
        }
        let spec = self.record(&Key::Spec).await?;
        ensure!(Digest::of(&spec) == blocks.spec_digest, "the version's spec was changed");
        for (key, bytes) in [(Key::Spec, spec), (Key::Manifest, manifest), (Key::Success, success)] {
            store.put(&Layout::Folder.path(&key), bytes).await?;
        }
        Ok(())
    }

    async fn record(&self, key: &Key) -> Result<bytes::Bytes> {
        Ok(self.client.bytes(&format!("{}/files/{}", self.version, Layout::Folder.path(key))).await?)
    }
}

fn size(place: &Path) -> Result<Option<u64>> {
    match std::fs::metadata(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        end => Ok(Some(end.with_context(|| format!("cannot read {}", place.display()))?.len())),
    }
}

fn digest(place: &Path) -> Result<Digest> {
    let unreadable = || format!("cannot read {}", place.display());
    let mut file = File::open(place).with_context(unreadable)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).with_context(unreadable)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&piece[..read]);
    }
}

fn sync(place: &Path) -> Result<()> {
    File::open(place).and_then(|file| file.sync_all()).with_context(|| format!("cannot write {}", place.display()))
}

fn discard(place: &Path) -> Result<()> {
    match std::fs::remove_file(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        end => end.with_context(|| format!("cannot remove {}", place.display())),
    }
}
