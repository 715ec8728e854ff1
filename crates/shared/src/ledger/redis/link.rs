//! The connection: made anew when it breaks, and every call repeated, for every script may be.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, IntoConnectionInfo, RedisError, Script,
    TlsCertificates,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::{is_harmless, judge};
use crate::ledger::LedgerError;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// A loaded server answers late; a call that was given up may have happened.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Waits before a call is repeated: enough for a server that restarts, less than a heartbeat.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];
/// Calls that wait for the connection to take them.
const BUFFERED_CALLS: usize = 1_024;

/// One script with its key and arguments.
pub(super) struct Call<'a> {
    script: &'a Script,
    key: String,
    args: Vec<String>,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'a Script, key: String) -> Self {
        Self { script, key, args: Vec::new() }
    }

    pub(super) fn arg(mut self, value: impl ToString) -> Self {
        self.args.push(value.to_string());
        self
    }

    fn command(&self) -> redis::Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.script.get_hash()).arg(1).arg(&self.key).arg(&self.args);
        command
    }
}

fn unused_ca() -> LedgerError {
    LedgerError::Refused { reason: "a CA file is given, and the URL has no TLS: write it with rediss://".to_owned() }
}

/// A way to one server. Its `Debug` shows no password.
pub(super) struct Link {
    client: Client,
    address: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// With the number of the connection.
    open: Option<(u64, MultiplexedConnection)>,
    made: u64,
    failed: Option<(Instant, LedgerError)>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(url: &str, ca_pem: Option<&str>) -> Result<Self, LedgerError> {
        let refused = |_: RedisError| LedgerError::Refused {
            reason: "its URL is not of the form redis[s]://[user:password@]host[:port][/database]".to_owned(),
        };
        let info = url.into_connection_info().map_err(refused)?;
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if is_tls {
            // Another part of the process may have done so; both want the same.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let address = info.addr().to_string();
        let client = match ca_pem {
            None => Client::open(info).map_err(refused)?,
            Some(_) if !is_tls => return Err(unused_ca()),
            Some(pem) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.as_bytes().to_vec()) };
                let unreadable = |error: RedisError| LedgerError::Refused { reason: format!("its CA file: {error}") };
                Client::build_with_tls(info, certificates).map_err(unreadable)?
            }
        };
        Ok(Self { client, address, state: Mutex::default() })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The connection and its number. All who wait while it cannot be made share one attempt.
    pub(super) async fn connection(&self) -> Result<(u64, MultiplexedConnection), LedgerError> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(open) = &state.open {
            return Ok(open.clone());
        }
        if let Some((at, error)) = state.failed.as_ref().filter(|(at, _)| *at >= asked) {
            tracing::trace!(since_ms = asked.duration_since(*at).as_millis(), "shares a failed connection");
            return Err(error.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN))
            .set_pipeline_buffer_size(BUFFERED_CALLS);
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                let number = state.made + 1;
                *state = State { open: Some((number, connection.clone())), made: number, failed: None };
                Ok((number, connection))
            }
            Err(error) => {
                let error = judge(&self.address, &error);
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Runs one command that changes nothing.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, LedgerError> {
        self.patiently(|| async {
            let (number, mut connection) = self.connection().await?;
            let end = command.query_async(&mut connection).await;
            self.judged(number, end).await
        })
        .await
    }

    /// Runs a script, again if the server could not be reached.
    pub(super) async fn run<T: FromRedisValue>(&self, call: &Call<'_>) -> Result<T, LedgerError> {
        self.patiently(|| async {
            let (number, mut connection) = self.connection().await?;
            let end = evaluate(call, &mut connection).await;
            self.judged(number, end).await
        })
        .await
    }

    async fn patiently<T, F>(&self, once: impl Fn() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        for pause in PAUSES {
            match once().await {
                Err(LedgerError::Transient { reason }) => {
                    tracing::debug!("the ledger is asked again: {reason}");
                    tokio::time::sleep(pause).await;
                }
                end => return end,
            }
        }
        once().await
    }

    /// Names the error, and gives up the connection it came through.
    async fn judged<T>(&self, number: u64, end: Result<T, RedisError>) -> Result<T, LedgerError> {
        let error = match end {
            Ok(answer) => return Ok(answer),
            Err(error) => judge(&self.address, &error),
        };
        if !is_harmless(&error) {
            let mut state = self.state.lock().await;
            state.open.take_if(|(open, _)| *open == number);
        }
        Err(error)
    }
}

fn is_missing(error: &RedisError) -> bool {
    error.kind() == redis::ServerErrorKind::NoScript.into()
}

/// A server that restarted knows no script: it is told, and asked again.
async fn evaluate<T: FromRedisValue>(call: &Call<'_>, connection: &mut MultiplexedConnection) -> Result<T, RedisError> {
    let command = call.command();
    match command.query_async(connection).await {
        Err(error) if is_missing(&error) => {
            call.script.load_async(connection).await?;
            command.query_async(connection).await
        }
        end => end,
    }
}
