//! The REST API: jobs, datasets and what people and programs ask about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use shardmill_shared::job::Name;
use shardmill_shared::ledger::Ledger;
use shardmill_shared::ledger::budget::Budgets;
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, Stop};
use shardmill_shared::store::Store;

mod limits;
mod problem;
mod time;
mod limit;
mod specs;
mod keys;
mod observe;
mod auth;
mod input;
mod shared;
mod check;
mod jobs;
mod datasets;
mod schedules;
mod health;
mod openapi;
mod docs;
mod routes;
mod server;

#[cfg(test)]
mod testing;

pub use keys::{KeyEntry, KeyError, Keys, Role};
pub use limits::Limits;
pub use routes::router;
pub use server::serve;
pub use specs::{Accepted, Checked, Specs};

/// What the API works with.
#[derive(Clone, Debug)]
pub struct Api {
    /// The store of all tenants.
    pub root: Arc<dyn Store>,
    /// The address of that store for programs of its users; nothing when it has none.
    pub location: Option<String>,
    /// Knows how far jobs have come.
    pub ledger: Arc<dyn Ledger>,
    /// Knows what jobs may spend, and have spent.
    pub budgets: Arc<dyn Budgets>,
    /// Reads specs.
    pub specs: Arc<dyn Specs>,
    /// Knows callers.
    pub keys: Arc<Keys>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What a caller may do how often.
    pub limits: Limits,
    /// The order to stop.
    pub stop: Stop,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// The names of the configured webhooks, each with the tenants that may use it.
    pub webhooks: BTreeMap<Name, Vec<Name>>,
}
