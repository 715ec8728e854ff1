//! The files of a table's folder, compared one by one with those that were committed. Both come in the order of names.

use std::collections::VecDeque;

use shardmill_shared::job::ObjectPath;
use shardmill_shared::store::{Entry, Listing, Place};

use crate::ScheduleError;

/// A comparison under way.
pub(super) struct Listed {
    listing: Box<dyn Listing>,
    page: VecDeque<Entry>,
}

impl Listed {
    pub(super) async fn start(place: &Place, folder: &ObjectPath) -> Result<Self, ScheduleError> {
        Ok(Self { listing: place.store.list(Some(folder)).await?, page: VecDeque::new() })
    }

    /// The next file must be this one.
    pub(super) async fn expect(&mut self, path: &ObjectPath, bytes: u64) -> Result<(), ScheduleError> {
        match self.next().await? {
            Some(entry) if entry.path == *path && entry.bytes == bytes => Ok(()),
            Some(entry) if entry.path == *path => {
                Err(ScheduleError::Changed { path: entry.path, committed: bytes, found: entry.bytes })
            }
            Some(entry) if entry.path < *path => Err(ScheduleError::Foreign(entry.path)),
            _ => Err(ScheduleError::Missing(path.clone())),
        }
    }

    /// There must be no more.
    pub(super) async fn expect_end(&mut self) -> Result<(), ScheduleError> {
        self.next().await?.map_or(Ok(()), |entry| Err(ScheduleError::Foreign(entry.path)))
    }

    /// The next file that is not hidden: operating systems leave such files everywhere.
    async fn next(&mut self) -> Result<Option<Entry>, ScheduleError> {
        loop {
            match self.page.pop_front() {
                Some(entry) if entry.path.is_hidden() => {}
                Some(entry) => return Ok(Some(entry)),
                None => {
                    self.page = self.listing.next_page().await?.into();
                    if self.page.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
    }
}
