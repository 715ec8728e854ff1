//! Uploads that nobody will finish: their parts are in no listing of objects, and are paid for until they are aborted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use serde::Deserialize;

use super::{RemoteStore, fault};
use crate::store::StoreError;

/// How long the signature of one page's request is good for.
const SIGNATURE_LIFE: Duration = Duration::from_secs(300);

/// A page of the open uploads, as S3 tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
    #[serde(rename = "Upload")]
    uploads: Vec<OpenUpload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OpenUpload {
    key: String,
    upload_id: String,
    initiated: DateTime<Utc>,
}

impl RemoteStore {
    /// Aborts the uploads below this store that were begun more than `older_than` ago, by the server's clock; returns
    /// how many. Uploads of living processes are younger than the longest time a shard may take.
    ///
    /// # Errors
    /// When the store cannot be asked or written, or has no list of open uploads.
    pub async fn abort_leftovers(&self, older_than: Duration) -> Result<u64, StoreError> {
        let (mut aborted, mut after) = (0, None);
        loop {
            let (page, now) = self.open_uploads(after.as_ref()).await?;
            let leftovers = page.uploads.iter().filter(|upload| upload.is_older_than(older_than, now));
            for upload in leftovers {
                aborted += u64::from(self.abort(upload).await?);
            }
            match (page.is_truncated, page.next_key_marker, page.next_upload_id_marker) {
                (true, Some(key), id) => after = Some((key, id.unwrap_or_default())),
                _ => return Ok(aborted),
            }
        }
    }

    /// Aborts an upload; whether it was still there and below this store.
    async fn abort(&self, upload: &OpenUpload) -> Result<bool, StoreError> {
        let (Some(_), Ok(key)) = (self.path(&upload.key), Path::parse(&upload.key)) else { return Ok(false) };
        match self.s3.abort_multipart(&key, &upload.upload_id).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(fault::error(&upload.key, &error)),
        }
    }

    /// A page of the open uploads, and the server's time. The adapter below cannot list them, but it can sign for it.
    async fn open_uploads(&self, after: Option<&(String, String)>) -> Result<(Page, DateTime<Utc>), StoreError> {
        let bucket = &self.address.bucket;
        let mut query = vec![("uploads", String::new())];
        query.extend(self.address.prefix.as_ref().map(|prefix| ("prefix", format!("{prefix}/"))));
        if let Some((key, id)) = after {
            query.push(("key-marker", key.clone()));
            query.push(("upload-id-marker", id.clone()));
        }
        let options = SignedUrlOptions::new().with_query(query);
        let url = self.s3.signed_url_opts(reqwest::Method::GET, &Path::default(), SIGNATURE_LIFE, &options).await;
        let url = url.map_err(|error| fault::error(bucket, &error))?;
        let broken = |reason: String| StoreError::Permanent { path: bucket.clone(), reason };
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.as_str().parse().map_err(|_| broken("its address is no URL".to_owned()))?;
        let answer = self.client.execute(request).await.map_err(|error| fault::no_answer(bucket, &error))?;
        let (head, body) = answer.into_parts();
        let body = body.bytes().await.map_err(|error| fault::no_answer(bucket, &error))?;
        let text = String::from_utf8_lossy(&body);
        if !head.status.is_success() {
            return Err(fault::bad_answer(bucket, head.status.as_u16(), &text));
        }
        let date = head.headers.get("date").and_then(|value| value.to_str().ok());
        let now = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let now = now.ok_or_else(|| broken("its answer to a list of open uploads has no date".to_owned()))?;
        Ok((read_page(&text).map_err(|error| broken(error.to_string()))?, now.to_utc()))
    }
}

impl OpenUpload {
    fn is_older_than(&self, age: Duration, now: DateTime<Utc>) -> bool {
        (now - self.initiated).to_std().is_ok_and(|found| found > age)
    }
}

fn read_page(text: &str) -> Result<Page, quick_xml::DeError> {
    quick_xml::de::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
          <Bucket>data</Bucket><KeyMarker/><UploadIdMarker/><NextKeyMarker>b</NextKeyMarker>
          <NextUploadIdMarker>2</NextUploadIdMarker><MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>
          <Upload><Key>a</Key><UploadId>1</UploadId><Initiator><ID>x</ID></Initiator>
            <StorageClass>STANDARD</StorageClass><Initiated>2026-01-01T10:00:00.000Z</Initiated></Upload>
          <Upload><Key>b</Key><UploadId>2</UploadId><Initiated>2026-01-01T11:00:00.000Z</Initiated></Upload>
        </ListMultipartUploadsResult>"#;

    #[test]
    fn a_page_of_open_uploads_is_read() {
        let page = read_page(PAGE).expect("reads");
        assert!(page.is_truncated);
        assert_eq!((page.next_key_marker.as_deref(), page.next_upload_id_marker.as_deref()), (Some("b"), Some("2")));
        let now = "2026-01-01T12:00:00Z".parse().expect("a time");
        let old = |hours: u64| {
            let age = Duration::from_secs(hours * 3_600);
            page.uploads.iter().filter(|upload| upload.is_older_than(age, now)).count()
        };
        assert_eq!((old(0), old(1), old(2)), (2, 1, 0));
    }

    #[test]
    fn no_open_uploads_are_an_empty_page() {
        let page = read_page("<ListMultipartUploadsResult><Bucket>data</Bucket></ListMultipartUploadsResult>");
        let page = page.expect("reads");
        assert!(page.uploads.is_empty() && !page.is_truncated);
    }
}
