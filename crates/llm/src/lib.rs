//! The gateway to models: providers, prices, prompts, answers in a form, known answers, and every call under a budget
//! and at a pace. It knows no ledger, no store and no kind of dataset: those come through its doors.

pub mod limits;
mod near;
mod secret;
mod error;
mod request;
pub mod structured;
mod reply;
pub mod config;
pub mod providers;
mod send;
mod gate;
mod provider;
pub mod price;
mod retry;
mod address;
mod doors;
mod flights;
pub mod prompts;
mod gateway;
#[cfg(test)]
mod testing;

pub use address::{Address, Asker, HoldId};
pub use doors::{Answer, Broke, Heard, Held, Journal, JournalError, MemoryJournal, Need, Pace, Permit, Purse, Stopped};
pub use error::{CallError, Class, ConfigError};
pub use gateway::{Ask, AskError, Doors, Gateway, Parts, Probe, Route, Source, Told};
pub use provider::Provider;
pub use reply::{Finish, Reply, Usage};
pub use request::{Output, Parameters, Request, Role, Turn};
pub use secret::{ApiKey, presentable};
