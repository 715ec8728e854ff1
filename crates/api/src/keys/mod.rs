//! API keys: their hashes in the store, and who they are. The key itself is seen once, when it is made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use shardmill_shared::job::{Digest, Name, ObjectPath, encode};
use shardmill_shared::process::Clock;
use shardmill_shared::store::{PlaceError, Put, Secret, Store, StoreError};

use crate::limits::{KEY_MS, KEYS_REMEMBERED, READS};

mod entry;
pub(crate) mod manage;

pub use entry::{KeyEntry, KeyError, Role};
use entry::{KeyRecord, LONGEST_NAME, SECRET_BYTES, is_secret, is_tenant};

/// The folder of all tenants' keys. No tenant is called so.
const FOLDER: &str = "_keys";
/// What every key begins with, so that a leaked one is recognised.
const PREFIX: &str = "smk_";
/// The tenant of the first key: its admins are the operators, who manage the keys of every tenant.
const OPERATOR: &str = "default";

/// The keys of all tenants.
#[derive(Debug)]
pub struct Keys {
    root: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<Digest, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    entry: Option<Arc<KeyEntry>>,
    until_ms: u64,
}

impl Keys {
    /// The keys in the store of all tenants.
    pub fn new(root: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { root, clock, known: Mutex::default() }
    }

    /// Makes a key. It is shown to nobody again.
    ///
    /// # Errors
    /// When the tenant's name begins with `_`, the name is empty or too long, or the store fails.
    pub async fn create(&self, name: &str, tenant: &Name, role: Role) -> Result<Secret, KeyError> {
        let mut random = [0; SECRET_BYTES];
        getrandom::fill(&mut random).map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = Secret::new(format!("{PREFIX}{digits}"));
        self.keep(&secret, name, tenant, role).await?;
        Ok(secret)
    }

    /// Makes sure that there is an admin: `given` becomes one of the tenant `default`; without it, and without any key,
    /// one is made and returned. Two processes that start at once on an empty store may make one each.
    ///
    /// # Errors
    /// When `given` is no key (`smk_` and at least 32 letters and digits), or the store fails.
    pub async fn first_admin(&self, given: Option<Secret>) -> Result<Option<Secret>, KeyError> {
        let tenant = Name::new(OPERATOR).expect("letters are allowed");
        if let Some(given) = given {
            if !is_secret(given.reveal()) {
                return Err(KeyError::NoKey);
            }
            self.keep(&given, "first admin", &tenant, Role::Admin).await?;
            return Ok(None);
        }
        if self.paths().await?.is_empty() {
            return self.create("first admin", &tenant, Role::Admin).await.map(Some);
        }
        Ok(None)
    }

    /// The keys of a tenant, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, tenant: &Name) -> Result<Vec<KeyEntry>, KeyError> {
        let digests: Vec<Digest> = self.paths().await?.iter().filter_map(digest_of).collect();
        let read = futures::stream::iter(digests).map(|digest| self.read(digest)).buffered(READS);
        let theirs = |entry: Option<KeyEntry>| entry.filter(|entry| entry.tenant == *tenant);
        Ok(read.try_filter_map(|entry| std::future::ready(Ok(theirs(entry)))).try_collect().await?)
    }

    /// Deletes a tenant's key. Other processes may know it for 30 seconds more. Says whether there was such a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, tenant: &Name, id: &str) -> Result<bool, KeyError> {
        let paths = self.paths().await?;
        let named = paths.into_iter().filter_map(|path| Some((digest_of(&path)?, path)));
        for (digest, path) in named.filter(|(digest, _)| entry::id(digest) == id) {
            if self.read(digest).await?.is_some_and(|entry| entry.tenant == *tenant) {
                self.root.delete(&path).await.map_err(PlaceError::from)?;
                self.known.lock().expect("no holder of the lock panics").remove(&digest);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes every key of a tenant; says how many. Other processes may know them for 30 seconds more.
    ///
    /// # Errors
    /// When the store fails; some may be deleted then.
    pub async fn delete_all(&self, tenant: &Name) -> Result<usize, KeyError> {
        let theirs = self.list(tenant).await?;
        for entry in &theirs {
            self.delete(tenant, &entry.id).await?;
        }
        Ok(theirs.len())
    }

    /// Whose key a token is. Comparing hashes takes the same time for every token.
    pub(crate) async fn find(&self, token: &str) -> Result<Option<Arc<KeyEntry>>, PlaceError> {
        if !is_secret(token) {
            return Ok(None);
        }
        let (digest, now_ms) = (Digest::of(token.as_bytes()), self.clock.now_ms());
        if let Some(known) = self.remembered(digest, now_ms) {
            return Ok(known.entry);
        }
        let entry = self.read(digest).await?.map(Arc::new);
        let mut remembered = self.known.lock().expect("no holder of the lock panics");
        if remembered.len() >= KEYS_REMEMBERED {
            // Wrong keys may be many, and must not push out right ones.
            remembered.retain(|_, known| known.entry.is_some() && known.until_ms > now_ms);
        }
        if remembered.len() < KEYS_REMEMBERED {
            remembered.insert(digest, Known { entry: entry.clone(), until_ms: now_ms.saturating_add(KEY_MS) });
        }
        Ok(entry)
    }

    /// Whether a token is a key that was used here lately.
    pub(crate) fn knows(&self, token: &str) -> bool {
        let known = self.remembered(Digest::of(token.as_bytes()), self.clock.now_ms());
        known.is_some_and(|known| known.entry.is_some())
    }

    fn remembered(&self, digest: Digest, now_ms: u64) -> Option<Known> {
        let known = self.known.lock().expect("no holder of the lock panics");
        known.get(&digest).filter(|known| known.until_ms > now_ms).cloned()
    }

    async fn keep(&self, secret: &Secret, name: &str, tenant: &Name, role: Role) -> Result<(), KeyError> {
        if !is_tenant(tenant) {
            return Err(KeyError::Tenant(tenant.to_string()));
        }
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        let digest = Digest::of(secret.reveal().as_bytes());
        let created_ms = self.clock.unix_ms();
        let record = KeyRecord { name: name.to_owned(), tenant: tenant.clone(), role, created_ms };
        let put = self.root.put_once(&path_of(digest), encode(&record).into()).await.map_err(PlaceError::from)?;
        if put == Put::Created {
            self.known.lock().expect("no holder of the lock panics").remove(&digest);
        }
        Ok(())
    }

    async fn read(&self, digest: Digest) -> Result<Option<KeyEntry>, PlaceError> {
        let path = path_of(digest);
        let bytes = match self.root.read(&path).await {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            read => read?,
        };
        let record: Result<KeyRecord, _> = serde_json::from_slice(&bytes);
        let record = record.map_err(|error| PlaceError::Damaged { path, reason: error.to_string() })?;
        Ok(Some(KeyEntry::of(digest, record)))
    }

    async fn paths(&self) -> Result<Vec<ObjectPath>, PlaceError> {
        let folder = ObjectPath::new(FOLDER).expect("a plain name is a path");
        let mut listing = self.root.list(Some(&folder)).await?;
        let mut paths = Vec::new();
        loop {
            let page = listing.next_page().await?;
            if page.is_empty() {
                return Ok(paths);
            }
            paths.extend(page.into_iter().map(|entry| entry.path));
        }
    }
}

fn path_of(digest: Digest) -> ObjectPath {
    ObjectPath::new(format!("{FOLDER}/{digest}.json")).expect("hexadecimal digits make a path")
}

fn digest_of(path: &ObjectPath) -> Option<Digest> {
    path.file_name().strip_suffix(".json").and_then(|digits| Digest::try_from(digits.to_owned()).ok())
}

#[cfg(test)]
mod tests;
