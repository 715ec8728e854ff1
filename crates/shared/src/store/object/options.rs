//! Where a remote store is and how it is reached.

use std::fmt;

use url::Url;

use crate::job::ObjectPath;
use crate::store::StoreError;

/// A text that is never shown: a key, a token, a signed link.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever it was made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who we are to the store.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Keys {
    /// What the process's environment gives, in this order: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a web
    /// identity token file, the container's credentials, the machine's. Files of profiles are not read.
    #[default]
    Environment,
    /// These keys.
    Given {
        /// The access key id.
        id: String,
        /// The secret access key.
        secret: Secret,
        /// The session token, of temporary keys.
        token: Option<Secret>,
    },
}

/// How bucket and host go together in addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AddressStyle {
    /// `https://host/bucket/key`: servers of one's own.
    #[default]
    Path,
    /// `https://bucket.host/key`.
    Host,
}

/// Which transports are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Transport {
    /// TLS alone.
    #[default]
    Tls,
    /// Plain HTTP too: for tests, and for servers behind a wall.
    PlainAllowed,
}

/// What to do with a store on which the second of two creates of one object is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Writers {
    /// Refuse the store: rivals could both believe that they were first.
    #[default]
    Many,
    /// Use it: the operator says that nobody else writes below this address.
    Single,
}

/// How a remote store is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteOptions {
    /// The server's address, like `https://s3.example.org`; without one, that of AWS.
    pub endpoint: Option<String>,
    /// The region's name; without one, the environment's, else `us-east-1`.
    pub region: Option<String>,
    /// How bucket and host go together.
    pub style: AddressStyle,
    /// Which transports are allowed.
    pub transport: Transport,
    /// Who we are.
    pub keys: Keys,
    /// Who else writes here.
    pub writers: Writers,
    /// How many parts of one upload are under way at once, at least 1. So many and one more are in memory.
    pub parts_in_flight: usize,
    /// How long one request may take, in milliseconds. With four parts of 8 MiB under way a minute asks for 560 kB/s.
    pub request_timeout_ms: u64,
    /// For how long failed requests are tried again, in milliseconds from the first try.
    pub retry_for_ms: u64,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            style: AddressStyle::default(),
            transport: Transport::default(),
            keys: Keys::default(),
            writers: Writers::default(),
            parts_in_flight: 4,
            request_timeout_ms: 60_000,
            retry_for_ms: 60_000,
        }
    }
}

/// A bucket and the folder in it that the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) bucket: String,
    pub(super) prefix: Option<ObjectPath>,
}

impl Address {
    /// Reads `s3://bucket/prefix`.
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        let refused = |reason: &str| StoreError::Refused {
            path: without_secrets(text),
            reason: format!("{reason}: write `s3://bucket/folder`"),
        };
        let rest = text.strip_prefix("s3://").ok_or_else(|| refused("it is no address of S3"))?;
        if rest.contains(['@', '?', '#', ':']) {
            return Err(refused("an address takes no keys and no settings, the options do"));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_allowed) {
            return Err(refused("a bucket's name is 3 to 63 lower-case letters, digits, `-` and `.`"));
        }
        if bucket.ends_with("--x-s3") {
            return Err(refused("directory buckets list their objects in no order: take a general purpose bucket"));
        }
        let prefix = prefix.trim_end_matches('/');
        let prefix = (!prefix.is_empty()).then(|| ObjectPath::new(prefix)).transpose();
        let prefix = prefix.map_err(|error| refused(&error.to_string()))?;
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

/// An address as far as it may be shown: what could be a password or a signature is left out.
pub(in crate::store) fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        (None, Some((_, host))) => format!("***@{host}"),
        (_, None) => text.to_owned(),
    }
}

/// Checks an endpoint; the reason of a refusal has no secret in it.
pub(super) fn check_endpoint(text: &str, transport: Transport) -> Result<(), String> {
    let url =
        Url::parse(text).map_err(|error| format!("the endpoint `{}` is no URL: {error}", without_secrets(text)))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the endpoint carries a user or a password: give keys in the options".to_owned());
    }
    match (url.scheme(), transport) {
        ("https", _) | ("http", Transport::PlainAllowed) => Ok(()),
        ("http", Transport::Tls) => {
            Err(format!("the endpoint `{text}` is not encrypted: take https, or allow plain HTTP"))
        }
        (scheme, _) => Err(format!("the endpoint begins with `{scheme}:`: take https or http")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_folder() {
        let address =
            |text| Address::parse(text).map(|found| (found.bucket, found.prefix.map(|path| path.to_string())));
        assert_eq!(address("s3://data"), Ok(("data".to_owned(), None)));
        assert_eq!(address("s3://data/"), Ok(("data".to_owned(), None)));
        assert_eq!(address("s3://my.data-1/a/b/"), Ok(("my.data-1".to_owned(), Some("a/b".to_owned()))));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        for text in
            ["s3://", "s3://ab", "s3://Data", "s3://data/a//b", "s3://data/../x", "gs://data", "s3://fast--x-s3"]
        {
            assert!(matches!(Address::parse(text), Err(StoreError::Refused { .. })), "{text} passed");
        }
        for text in ["s3://key:hidden@data/a", "s3://data/a?secret=hidden", "s3://a/b:hidden@data", "gs://a:hidden@b"] {
            let error = Address::parse(text).expect_err("refused");
            assert!(!error.to_string().contains("hidden") && !format!("{error:?}").contains("hidden"), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let keys =
            Keys::Given { id: "me".to_owned(), secret: Secret::new("hidden"), token: Some(Secret::new("hidden")) };
        let shown = format!("{:?}", RemoteOptions { keys, ..RemoteOptions::default() });
        assert!(!shown.contains("hidden") && shown.contains("***"), "{shown}");
    }

    #[test]
    fn an_endpoint_is_encrypted_and_bare() {
        assert_eq!(check_endpoint("https://s3.example.org", Transport::Tls), Ok(()));
        assert_eq!(check_endpoint("http://127.0.0.1:9000", Transport::PlainAllowed), Ok(()));
        for text in ["http://127.0.0.1:9000", "ftp://x", "s3.example.org", "https://me:hidden@x", "me:hidden@x"] {
            let reason = check_endpoint(text, Transport::Tls).expect_err("refused");
            assert!(!reason.contains("hidden"), "{reason}");
        }
    }
}
