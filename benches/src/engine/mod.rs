//! The engine measured: interleaved pairs, processor time of one thread.

use crate::suite::Group;

mod clock;
mod specs;
mod encode;
mod text;
mod peers;
mod tpch;
mod process;

/// What is measured, in the order of the table.
pub(crate) const GROUPS: &[Group] = &[
    Group { name: "encode", rows: encode::rows },
    Group { name: "text", rows: text::rows },
    Group { name: "peers", rows: peers::rows },
    Group { name: "tpch", rows: tpch::rows },
    Group { name: "process", rows: process::rows },
];
