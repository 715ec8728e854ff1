//! `cargo xtask services up`: a RabbitMQ, a Redis and an S3 server for playing, until Ctrl-C. What is in them ends with them.

#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::io;

use shardmill_servers::rabbitmq::RabbitMq;
use shardmill_servers::redis::Redis;
use shardmill_servers::s3::S3;
use tokio::signal::unix::{SignalKind, signal};

/// Starts the servers, says how to use them, and waits for the order to end.
fn main() -> io::Result<()> {
    let named = |server: &str, error: &io::Error| io::Error::other(format!("{server}: {error}"));
    let rabbitmq = RabbitMq::start().map_err(|error| named("RabbitMQ", &error))?;
    let redis = Redis::start().map_err(|error| named("Redis", &error))?;
    let s3 = S3::start().map_err(|error| named("S3", &error))?;
    let store = (s3.bucket("play")?, s3.url());
    println!("\nRun these lines where you play, then `cargo run -- serve`, or roles apart with `--role`:\n");
    for (name, value) in settings(&rabbitmq.url(), &redis.url(), &store) {
        println!("export {name}='{value}'");
    }
    println!("\nCtrl-C ends the servers and forgets what is in them.");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(ended())
}

/// What a role must know of the servers.
fn settings(queue: &str, ledger: &str, (bucket, endpoint): &(String, String)) -> [(&'static str, String); 8] {
    [
        ("SHARDMILL_QUEUE__URL", queue.to_owned()),
        ("SHARDMILL_LEDGER__URL", ledger.to_owned()),
        ("SHARDMILL_STORE__URL", format!("s3://{bucket}/data")),
        ("SHARDMILL_STORE__ENDPOINT", endpoint.clone()),
        ("SHARDMILL_STORE__PATH_STYLE", "true".to_owned()),
        ("SHARDMILL_STORE__ALLOW_HTTP", "true".to_owned()),
        ("SHARDMILL_STORE__ACCESS_KEY_ID", "test".to_owned()),
        ("SHARDMILL_STORE__SECRET_ACCESS_KEY", "test".to_owned()),
    ]
}

/// Waits for Ctrl-C or SIGTERM.
async fn ended() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        end = tokio::signal::ctrl_c() => end,
        _ = terminated.recv() => Ok(()),
    }
}
