//! The worker: takes shards, runs them and writes their files.

pub mod formats;
