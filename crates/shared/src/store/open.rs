//! A store by its address: the one place that knows the schemes.

use std::sync::Arc;

use super::object::without_secrets;
use super::{FolderStore, MemoryStore, RemoteOptions, RemoteStore, Store, StoreError};

const KNOWN: &str = "a folder's path, `file:///folder`, `s3://bucket/folder`, `memory://`";

/// Opens the store at `url`. A folder is not taken or made yet ([`FolderStore::prepare`] does); a bucket is probed.
///
/// # Errors
/// [`StoreError::Refused`] when there are no stores of that scheme or the address is wrong; when a bucket cannot be used.
pub async fn open_url(url: &str, remote: &RemoteOptions) -> Result<Arc<dyn Store>, StoreError> {
    let refused = |reason: String| StoreError::Refused { path: without_secrets(url), reason };
    match url.split_once("://") {
        None if url.is_empty() => Err(refused(format!("it names no store: give {KNOWN}"))),
        None => Ok(Arc::new(FolderStore::at(url))),
        Some(("file", folder)) if folder.starts_with('/') => Ok(Arc::new(FolderStore::at(folder))),
        Some(("file", _)) => Err(refused("a folder's address begins with `file:///`".to_owned())),
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::default())),
        Some(("memory", _)) => Err(refused("memory has no places: write `memory://`".to_owned())),
        Some(("s3", _)) => Ok(Arc::new(RemoteStore::open(url, remote).await?)),
        Some((scheme, _)) => Err(refused(format!("there are no stores of `{scheme}://`, there are {KNOWN}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn schemes_choose_the_store() {
        let options = RemoteOptions::default();
        for (url, kind) in [
            ("data", "FolderStore"),
            ("/data", "FolderStore"),
            ("file:///data", "FolderStore"),
            ("memory://", "MemoryStore"),
        ] {
            let store = open_url(url, &options).await.expect("opens");
            assert!(format!("{store:?}").starts_with(kind), "{url}: {store:?}");
        }
    }

    #[tokio::test]
    async fn other_schemes_are_refused_by_name_and_without_secrets() {
        let options = RemoteOptions::default();
        for url in [
            "gs://data",
            "https://me:hidden@example.org/?key=hidden",
            "file://data",
            "memory://x",
            "",
            "s3://a:hidden@b",
        ] {
            let error = open_url(url, &options).await.expect_err("refused");
            assert!(matches!(error, StoreError::Refused { .. }), "{error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
        let error = open_url("gs://data", &options).await.expect_err("refused").to_string();
        assert!(error.contains("`gs://`") && error.contains("`s3://bucket/folder`"), "{error}");
    }
}
