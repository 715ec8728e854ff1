//! Where randomness comes from: keys, draws and keyed choices. Pure.

pub mod key;
pub mod permutation;
pub mod rank;
pub mod weighted;
