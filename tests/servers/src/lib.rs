//! Private copies of the servers that tests need: each on a free port, with a folder of its own, gone when it is dropped.
//! Tests may kill them, start them again and wipe them.

pub mod process;
pub mod certificate;
pub mod rabbitmq;
pub mod redis;
pub mod proxy;
pub mod s3;
pub mod collector;
