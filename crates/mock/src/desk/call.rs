//! A call from its coming to its end, and what is decided about it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::HeaderMap;

use super::Desk;
use crate::rates::Settlement;
use crate::wire::{Head, Wire};

/// A request with all that decides its answer.
pub(crate) struct Incoming<'r> {
    pub(crate) wire: &'static dyn Wire,
    /// The model that the path names.
    pub(crate) model: Option<&'r str>,
    pub(crate) head: Head<'r>,
    pub(crate) body: &'r [u8],
}

/// What to do about a call.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Before the answer goes out, in milliseconds.
    pub(crate) wait_ms: u64,
    pub(crate) ending: Ending,
}

/// How much of an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    Half,
    Reset,
    Never,
}

/// A call under way. Dropped before it is closed, it counts as cut off.
#[derive(Debug)]
pub(crate) struct Call {
    desk: Arc<Desk>,
    /// What the limits of a model learn at the end.
    pub(super) owed: Option<(usize, Settlement)>,
    status: Option<u16>,
}

impl Call {
    /// A call has come.
    pub(crate) fn open(desk: &Arc<Desk>) -> Self {
        desk.book().open();
        Self { desk: Arc::clone(desk), owed: None, status: None }
    }

    /// Its answer goes out whole.
    pub(crate) fn close(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some((place, settlement)) = self.owed {
            self.desk.settle(place, &settlement);
        }
        self.desk.book().close(self.status);
    }
}
