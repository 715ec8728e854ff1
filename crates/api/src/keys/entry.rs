//! What is known of a key. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};
use shardmill_shared::job::{Digest, Name};
use shardmill_shared::store::PlaceError;
use utoipa::ToSchema;

/// Random bytes of a key that we make.
pub(super) const SECRET_BYTES: usize = 32;
/// The fewest letters and digits of a key that is given to us, after the prefix.
const SECRET_LEAST: usize = 32;
/// The longest key; real ones are far shorter.
const SECRET_MOST: usize = 256;
/// The longest name of a key in bytes.
pub(super) const LONGEST_NAME: usize = 128;

/// What a key may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See jobs and datasets.
    Read,
    /// Submit jobs and command them.
    Submit,
    /// Make and delete keys.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
        })
    }
}

/// A key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// The beginning of its hash: 16 hexadecimal digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub tenant: Name,
    /// What it may do.
    pub role: Role,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
}

/// Why a key cannot be made, listed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] PlaceError),
    /// A tenant's name begins with a letter or digit, for others are ours.
    #[error("tenant `{0}` begins with `_`: give it a name that begins with a letter or a digit")]
    Tenant(String),
    /// The name is empty, too long, or has control characters.
    #[error("a key needs a name of 1 to {LONGEST_NAME} bytes without control characters")]
    Name,
    /// The given text is no key.
    #[error("the given key is none: it needs `smk_` and at least {SECRET_LEAST} letters and digits")]
    NoKey,
    /// The machine has no randomness.
    #[error("the machine gives no random bytes: {0}")]
    NoRandomness(String),
}

/// A key as the store holds it, under its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    pub(super) name: String,
    pub(super) tenant: Name,
    pub(super) role: Role,
    pub(super) created_ms: u64,
}

impl KeyEntry {
    pub(super) fn of(digest: Digest, record: KeyRecord) -> Self {
        let KeyRecord { name, tenant, role, created_ms } = record;
        Self { id: id(&digest), name, tenant, role, created_ms }
    }
}

/// The id of the key with that hash.
pub(super) fn id(digest: &Digest) -> String {
    digest.to_string()[..16].to_owned()
}

/// Whether a tenant may be called so: names that begin with `_` are ours.
pub(super) fn is_tenant(name: &Name) -> bool {
    !name.as_str().starts_with('_')
}

/// Whether the text has the form of a key.
pub(super) fn is_secret(text: &str) -> bool {
    let is_long = |rest: &str| (SECRET_LEAST..=SECRET_MOST).contains(&rest.len());
    let rest = text.strip_prefix(super::PREFIX);
    rest.is_some_and(|rest| is_long(rest) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
