//! The cluster measured: real processes over private servers on this machine, each figure beside its peer of the same run
//! where there is one.

use crate::suite::Group;

mod house;
mod process;
mod specs;
mod celery;
mod shards;
mod twins;
mod plan;
mod finish;
mod shop;
mod upload;
mod pair;
mod lease;

/// What is measured, in the order of the table.
pub(crate) const GROUPS: &[Group] = &[
    Group { name: "shards", rows: shards::rows },
    Group { name: "twins", rows: twins::rows },
    Group { name: "plan", rows: plan::rows },
    Group { name: "finish", rows: finish::rows },
    Group { name: "shop", rows: shop::rows },
    Group { name: "upload", rows: upload::rows },
    Group { name: "pair", rows: pair::rows },
    Group { name: "lease", rows: lease::rows },
];

/// Runs `work` to its end on this thread, the one that servers and roles end with.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
