//! A store and a layout together: objects by their key, records as JSON.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Put, Store, StoreError};
use crate::job::{Key, Layout, ObjectPath, encode};

/// Where a job's objects are.
#[derive(Clone, Debug)]
pub struct Place {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Where in the store.
    pub layout: Layout,
}

/// Why a record of the store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object is not the record that belongs there.
    #[error("`{path}` is damaged: {reason}")]
    Damaged {
        /// The object.
        path: ObjectPath,
        /// Where reading stopped.
        reason: String,
    },
    /// Another record was put first, and the two differ.
    #[error("`{path}` exists with another content")]
    Conflict {
        /// The object.
        path: ObjectPath,
    },
}

impl Place {
    /// The path of `key`.
    pub fn path(&self, key: &Key) -> ObjectPath {
        self.layout.path(key)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When the store fails or the object is no such record.
    pub async fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<T, PlaceError> {
        let path = self.path(key);
        let bytes = self.store.read(&path).await?;
        serde_json::from_slice(&bytes).map_err(|error| PlaceError::Damaged { path, reason: error.to_string() })
    }

    /// Reads a record that may not be there.
    ///
    /// # Errors
    /// When the store fails or the object is no such record.
    pub async fn find<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, PlaceError> {
        match self.read(key).await {
            Ok(record) => Ok(Some(record)),
            Err(PlaceError::Store(StoreError::NotFound { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates or replaces a record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put<T: Serialize>(&self, key: &Key, record: &T) -> Result<(), PlaceError> {
        Ok(self.store.put(&self.path(key), encode(record).into()).await?)
    }

    /// Settles a record for good. The same record may be settled again; of rivals that differ, one wins.
    ///
    /// # Errors
    /// [`PlaceError::Conflict`] when another record was first; when the store fails.
    pub async fn settle<T: Serialize>(&self, key: &Key, record: &T) -> Result<(), PlaceError> {
        let (path, bytes) = (self.path(key), Bytes::from(encode(record)));
        let put = self.store.put_once(&path, bytes.clone()).await?;
        if put == Put::Created || self.store.read(&path).await? == bytes {
            return Ok(());
        }
        Err(PlaceError::Conflict { path })
    }
}
