//! The store in a bucket of S3, or of a server that speaks like it.
//!
//! Of rivals exactly one creates where the server honours `If-None-Match`; whether it does is probed when the store is
//! opened, never believed.

use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, Fuse};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig,
};

use super::{Conditional, Entry, Listing, PAGE_ENTRIES, Part, Put, Store, StoreError, Upload, probe};
use crate::job::ObjectPath;

mod options;
mod fault;
mod parts;
mod buffers;
mod upload;
mod leftovers;

pub(super) use options::without_secrets;
pub use options::{AddressStyle, Keys, RemoteOptions, Secret, Transport, Writers};

use buffers::Buffers;
use options::Address;

/// More tries than fit into the time of the options, so that the time is what ends them: waits are drawn, and most stay near
/// the first.
const MOST_RETRIES: usize = 1_000;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a conditional create that met another one under way is tried again before the caller is to.
const CONFLICT_TRIES: u32 = 5;
const CONFLICT_WAIT: Duration = Duration::from_millis(50);

/// The longest life of a signed link: seven days, by the rules of its signature.
const LONGEST_LINK_SECONDS: u32 = 7 * 24 * 3_600;

/// A store in a bucket. Clones share their connections.
#[derive(Clone, Debug)]
pub struct RemoteStore {
    s3: Arc<AmazonS3>,
    client: HttpClient,
    address: Arc<Address>,
    parts_in_flight: usize,
    buffers: Buffers,
}

impl RemoteStore {
    /// The store at `s3://bucket/folder`, proved to refuse a second create.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the address or an option is wrong, when there is no such bucket, or when creates are
    /// not conditional and the options do not say that we write alone; when the store cannot be reached or written.
    pub async fn open(url: &str, options: &RemoteOptions) -> Result<Self, StoreError> {
        let store = Self::connect(url, options)?;
        let found = probe(&store).await?;
        if found.conditional == Conditional::No && options.writers == Writers::Many {
            return Err(StoreError::Refused {
                path: url.to_owned(),
                reason: "it lets two writers create one object, so that both may believe that they were first: take a \
                         server that honours `If-None-Match`, or set store.single_writer where one process alone writes"
                    .to_owned(),
            });
        }
        Ok(store)
    }

    /// The store at `s3://bucket/folder`, without asking it anything.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the address or an option is wrong.
    pub fn connect(url: &str, options: &RemoteOptions) -> Result<Self, StoreError> {
        install_crypto();
        let address = Address::parse(url)?;
        let refused = |reason: String| StoreError::Refused { path: url.to_owned(), reason };
        if let Some(endpoint) = &options.endpoint {
            options::check_endpoint(endpoint, options.transport).map_err(refused)?;
        }
        let settings = client_options(options);
        let client = ReqwestConnector::default().connect(&settings).map_err(|error| fault::error(url, &error))?;
        let s3 = builder(&address.bucket, options).with_client_options(settings).build();
        let s3 = s3.map_err(|error| fault::error(url, &error))?;
        Ok(Self {
            s3: Arc::new(s3),
            client,
            address: Arc::new(address),
            parts_in_flight: options.parts_in_flight.max(1),
            buffers: Buffers::default(),
        })
    }

    /// The most bytes that the uploads of this store and its clones ever held in memory at once.
    pub fn buffered_peak_bytes(&self) -> u64 {
        self.buffers.peak_bytes()
    }

    /// The key of an object in the bucket.
    fn key(&self, path: &ObjectPath) -> Path {
        let whole = match &self.address.prefix {
            Some(prefix) => format!("{prefix}/{path}"),
            None => path.to_string(),
        };
        Path::parse(whole).expect("an object's path has no empty segment, no dots alone and no control character")
    }

    fn folder_key(&self, folder: Option<&ObjectPath>) -> Option<Path> {
        let prefix = || Path::parse(self.address.prefix.as_ref()?.as_str()).ok();
        folder.map(|folder| self.key(folder)).or_else(prefix)
    }

    /// The path of a key of the bucket; none of a key that no object of ours has.
    fn path(&self, key: &str) -> Option<ObjectPath> {
        let inside = match &self.address.prefix {
            Some(prefix) => key.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => key,
        };
        ObjectPath::new(inside).ok()
    }

    async fn create(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, object_store::Error> {
        let options = PutOptions::from(PutMode::Create);
        match self.s3.put_opts(&self.key(path), bytes.into(), options).await {
            Ok(_) => Ok(Put::Created),
            Err(error @ object_store::Error::AlreadyExists { .. }) if fault::is_conflict(&error) => Err(error),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Put::AlreadyExists),
            Err(error) => Err(error),
        }
    }
}

/// Without a provider the client of the adapter below panics. Another provider that was there first is as good.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn client_options(options: &RemoteOptions) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(options.transport == Transport::PlainAllowed)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(Duration::from_millis(options.request_timeout_ms))
}

fn builder(bucket: &str, options: &RemoteOptions) -> AmazonS3Builder {
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_BACKOFF, max_backoff: LONGEST_BACKOFF, base: 2.0 },
        max_retries: MOST_RETRIES,
        retry_timeout: Duration::from_millis(options.retry_for_ms),
    };
    let mut builder = match &options.keys {
        Keys::Environment => AmazonS3Builder::from_env(),
        Keys::Given { id, secret, token } => {
            let builder = AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.reveal());
            token.iter().fold(builder, |builder, token| builder.with_token(token.reveal()))
        }
    };
    builder = options.endpoint.iter().fold(builder, AmazonS3Builder::with_endpoint);
    builder = options.region.iter().fold(builder, AmazonS3Builder::with_region);
    builder
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(options.style == AddressStyle::Host)
        .with_retry(retry)
        // Single deletes are spoken by every server; our deletes are few.
        .with_disable_bulk_delete(true)
}

#[async_trait]
impl Store for RemoteStore {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        for attempt in 1.. {
            match self.create(path, bytes.clone()).await {
                Ok(put) => return Ok(put),
                Err(error) if fault::is_conflict(&error) && attempt < CONFLICT_TRIES => {
                    tokio::time::sleep(CONFLICT_WAIT * attempt).await;
                }
                Err(error) => return Err(fault::error(path, &error)),
            }
        }
        unreachable!("the last try returns")
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.s3.put(&self.key(path), bytes.into()).await.map(drop).map_err(|error| fault::error(path, &error))
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        let found = self.s3.get(&self.key(path)).await.map_err(|error| fault::error(path, &error))?;
        found.bytes().await.map_err(|error| fault::error(path, &error))
    }

    async fn read_part(&self, path: &ObjectPath, start: u64, most: u64) -> Result<Part, StoreError> {
        let (key, failed) = (self.key(path), |error| fault::error(path, &error));
        let range = Some((start..start.saturating_add(most.max(1))).into());
        let error = match self.s3.get_opts(&key, GetOptions { range, ..GetOptions::default() }).await {
            Ok(found) => {
                let of = found.meta.size;
                let mut bytes = found.bytes().await.map_err(failed)?;
                bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                return Ok(Part { bytes, of });
            }
            Err(error @ object_store::Error::NotFound { .. }) => return Err(failed(error)),
            Err(error) => error,
        };
        // A part behind the end is refused by servers, in ways of their own.
        let of = self.s3.head(&key).await.map_err(failed)?.size;
        if start >= of { Ok(Part { bytes: Bytes::new(), of }) } else { Err(failed(error)) }
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        let objects = self.s3.list(self.folder_key(folder).as_ref()).fuse();
        Ok(Box::new(RemoteListing { store: self.clone(), objects }))
    }

    async fn list_after(&self, folder: &ObjectPath, after: &ObjectPath) -> Result<Box<dyn Listing>, StoreError> {
        let objects = self.s3.list_with_offset(Some(&self.key(folder)), &self.key(after)).fuse();
        Ok(Box::new(RemoteListing { store: self.clone(), objects }))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        match self.s3.delete(&self.key(path)).await.map_err(|error| fault::error(path, &error)) {
            Err(StoreError::NotFound { .. }) => Ok(()),
            ended => ended,
        }
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(upload::RemoteUpload::new(self, path)))
    }

    async fn sweep_unfinished(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.abort_leftovers(older_than).await
    }

    async fn link(&self, path: &ObjectPath, lifetime_seconds: u32) -> Result<Option<Secret>, StoreError> {
        if !(1..=LONGEST_LINK_SECONDS).contains(&lifetime_seconds) {
            let reason = format!("a link lives 1 to {LONGEST_LINK_SECONDS} seconds, not {lifetime_seconds}");
            return Err(StoreError::Refused { path: path.to_string(), reason });
        }
        let lifetime = Duration::from_secs(lifetime_seconds.into());
        let url = self.s3.signed_url(reqwest::Method::GET, &self.key(path), lifetime).await;
        url.map(|url| Some(Secret::new(url))).map_err(|error| fault::error(path, &error))
    }
}

struct RemoteListing {
    store: RemoteStore,
    objects: Fuse<BoxStream<'static, object_store::Result<ObjectMeta>>>,
}

#[async_trait]
impl Listing for RemoteListing {
    async fn next_page(&mut self) -> Result<Vec<Entry>, StoreError> {
        let mut page = Vec::new();
        while page.len() < PAGE_ENTRIES
            && let Some(object) = self.objects.next().await
        {
            let object = object.map_err(|error| fault::error(&self.store.address.bucket, &error))?;
            let path = self.store.path(object.location.as_ref());
            page.extend(path.map(|path| Entry { path, bytes: object.size }));
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_does_not_show_its_keys() {
        let (secret, token) = (Secret::new("hidden"), Some(Secret::new("hidden")));
        let keys = Keys::Given { id: "me".to_owned(), secret, token };
        let store = RemoteStore::connect("s3://data/a", &RemoteOptions { keys, ..RemoteOptions::default() });
        let shown = format!("{:?}", store.expect("connects"));
        assert!(shown.contains("data") && !shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn keys_of_the_bucket_and_paths_of_the_store_answer_each_other() {
        let options = RemoteOptions { keys: given(), ..RemoteOptions::default() };
        let path = |text: &str| ObjectPath::new(text).expect("allowed");
        for (url, key) in [("s3://data", "x/y"), ("s3://data/a/b", "a/b/x/y")] {
            let store = RemoteStore::connect(url, &options).expect("connects");
            assert_eq!(store.key(&path("x/y")).as_ref(), key);
            assert_eq!(store.path(key), Some(path("x/y")));
        }
        let store = RemoteStore::connect("s3://data/a/b", &options).expect("connects");
        assert_eq!(store.path("a/bc/x"), None, "a neighbour's object was taken for ours");
    }

    #[test]
    fn wrong_options_are_refused() {
        let endpoint = Some("http://me:hidden@127.0.0.1:9000".to_owned());
        let options = RemoteOptions { endpoint, keys: given(), ..RemoteOptions::default() };
        let error = RemoteStore::connect("s3://data", &options).expect_err("refused");
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }

    fn given() -> Keys {
        Keys::Given { id: "me".to_owned(), secret: Secret::new("hidden"), token: None }
    }
}
