//! Files into an S3 server: our upload, which holds few parts in memory and digests what passes, against a plain one that has
//! its files ready.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use shardmill_servers::s3::S3;
use shardmill_shared::job::{Name, ObjectPath};
use shardmill_shared::store::{AddressStyle, Keys, RemoteOptions, RemoteStore, Secret, Store, Transport};

use super::block_on;
use crate::row::{Bar, Row};

const ROUNDS: usize = 3;
const FILES: u64 = 12;
const FILE_BYTES: usize = 32 << 20;
/// Files under way at once: the slots of a worker on this machine.
const TOGETHER: usize = 2;
/// What a worker hands to the store at once.
const CHUNK_BYTES: usize = 4 << 20;
/// The parts of both, and how many of a file are under way.
const PART_BYTES: usize = 8 << 20;
const PARTS_IN_FLIGHT: usize = 4;

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    block_on(async {
        let s3 = S3::start_private()?;
        let bucket = s3.bucket("bench")?;
        let ours = ours(&s3, &bucket).await?;
        let plain = plain(&s3, &bucket)?;
        let file = ready();
        let (mut parts, mut puts, mut speeds) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let our_seconds = seconds(|index| upload(&ours, &file, index)).await?;
            speeds.push((FILES as usize * FILE_BYTES) as f64 / our_seconds / 1e6);
            parts.push(seconds(|index| in_parts(&plain, &file, index)).await? / our_seconds);
            puts.push(seconds(|index| at_once(&plain, &file, index)).await? / our_seconds);
        }
        let what = "upload of 12 files of 32 MiB, two at a time, to the S3 server of the tests";
        Ok(vec![
            Row::new(what, Bar::None, " MB/s", speeds),
            Row::new("the same against a plain uploader of ready files, equal parts", Bar::AtLeast(0.9), " ×", parts),
            Row::new("the same against one request per file", Bar::None, " ×", puts),
        ])
    })
}

/// A file's bytes, which no transport can shrink.
fn ready() -> Bytes {
    let words = (0..FILE_BYTES as u64 / 8).flat_map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    words.collect()
}

async fn ours(s3: &S3, bucket: &str) -> Result<Arc<RemoteStore>> {
    let options = RemoteOptions {
        endpoint: Some(s3.url()),
        style: AddressStyle::Path,
        transport: Transport::PlainAllowed,
        keys: Keys::Given { id: "bench".to_owned(), secret: Secret::new("bench"), token: None },
        ..RemoteOptions::default()
    };
    Ok(Arc::new(RemoteStore::open(&format!("s3://{bucket}/ours"), &options).await?))
}

fn plain(s3: &S3, bucket: &str) -> Result<AmazonS3> {
    let builder = AmazonS3Builder::new().with_endpoint(s3.url()).with_bucket_name(bucket).with_region("us-east-1");
    Ok(builder.with_access_key_id("bench").with_secret_access_key("bench").with_allow_http(true).build()?)
}

/// The seconds of sending all files.
async fn seconds<F: Future<Output = Result<()>>>(send: impl Fn(u64) -> F) -> Result<f64> {
    let start = Instant::now();
    stream::iter(0..FILES).map(send).buffer_unordered(TOGETHER).try_collect::<()>().await?;
    Ok(start.elapsed().as_secs_f64())
}

async fn upload(store: &RemoteStore, file: &Bytes, index: u64) -> Result<()> {
    let path = ObjectPath::of_name(&Name::new(&format!("file-{index}"))?);
    let mut upload = store.upload(&path).await?;
    for from in (0..FILE_BYTES).step_by(CHUNK_BYTES) {
        upload.write(file.slice(from..from + CHUNK_BYTES)).await?;
    }
    upload.finish().await?;
    Ok(())
}

async fn in_parts(store: &AmazonS3, file: &Bytes, index: u64) -> Result<()> {
    let started = store.put_multipart(&Path::from(format!("plain/file-{index}"))).await?;
    let mut upload = WriteMultipart::new_with_chunk_size(started, PART_BYTES);
    for from in (0..FILE_BYTES).step_by(PART_BYTES) {
        upload.wait_for_capacity(PARTS_IN_FLIGHT).await?;
        upload.put(file.slice(from..from + PART_BYTES));
    }
    upload.finish().await?;
    Ok(())
}

async fn at_once(store: &AmazonS3, file: &Bytes, index: u64) -> Result<()> {
    store.put(&Path::from(format!("plain/file-{index}")), file.clone().into()).await?;
    Ok(())
}
