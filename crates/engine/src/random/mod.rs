//! Where randomness comes from: keys, draws and keyed choices. Pure.

pub mod key;
