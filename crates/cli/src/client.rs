//! The API as a client sees it: requests with a key, problems as errors.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::session::Session;

/// The API's address when none is given.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Where the API is, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct ApiArgs {
    /// The API's address; without it that of the login, else http://127.0.0.1:8080
    #[arg(long, global = true, value_name = "URL", env = "SHARDMILL_API_URL")]
    api: Option<String>,
    /// A file with the API key; without it SHARDMILL_API_KEY is the key, else that of the login
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<std::path::PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What can go wrong between us and the API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nobody answers.
    #[error(
        "the API at {url} cannot be reached: {reason}; give its address with --api, SHARDMILL_API_URL or `shardmill login`"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The API answered with a problem.
    #[error("{}", told(.status, .problem))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem details.
        problem: Value,
    },
}

impl ClientError {
    /// Whether the same request may be answered a little later: nobody answered, somebody on the way did not, or too much was
    /// asked.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 429 | 502..=504),
        }
    }
}

/// Where a file comes from.
#[derive(Clone, Copy)]
pub(crate) enum From<'a> {
    /// A link that needs no key, and is as good as one.
    Link(&'a str),
    /// A path of the API.
    Api(&'a str),
}

/// A client of the API.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

impl Client {
    /// A client for what is given, and for the rest that of the environment, then of the login.
    pub(crate) fn new(args: &ApiArgs) -> Result<Self> {
        let (api, key) = (args.api.as_deref(), key(args)?);
        let session = if api.is_some() && key.is_some() { None } else { Session::load()? };
        let (url, key) = resolve(api, key, session);
        Ok(Self { http: http()?, url, key })
    }

    /// A client with that address and key.
    pub(crate) fn of(session: &Session) -> Result<Self> {
        Ok(Self { http: http()?, url: session.api.clone(), key: Some(session.key.clone()) })
    }

    /// Reads a resource.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ClientError> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    /// Commands something.
    pub(crate) async fn post(&self, path: &str) -> Result<Value, ClientError> {
        self.send(self.request(Method::POST, path)).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, ClientError> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Runs a schedule now. The idempotency key makes it one job however often the answer is lost.
    pub(crate) async fn run_schedule(&self, path: &str, key: Option<&str>) -> Result<Value, ClientError> {
        self.persist(key, || self.request(Method::POST, path)).await
    }

    /// Changes something.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Submits a spec as it is written. The idempotency key makes it one job however often the answer is lost.
    pub(crate) async fn submit(
        &self,
        spec: String,
        (priority, key): (Option<u8>, Option<&String>),
    ) -> Result<Value, ClientError> {
        let request = || {
            let request = self.request(Method::POST, "/v1/jobs").header("content-type", "application/yaml");
            let priority = priority.map(|priority| ("priority", priority));
            request.query(priority.as_slice()).body(spec.clone())
        };
        self.persist(key.map(String::as_str), request).await
    }

    /// Sends a request again and again until it is answered. The idempotency key makes it one.
    async fn persist(&self, key: Option<&str>, request: impl Fn() -> RequestBuilder) -> Result<Value, ClientError> {
        let key = key.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.send(request().header("idempotency-key", &key)).await {
                Err(error) if error.may_pass() && tries < SUBMIT_TRIES => tokio::time::sleep(RETRY_AFTER).await,
                end => return end,
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Reads a resource byte for byte.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Bytes, ClientError> {
        let answer = self.open(self.request(Method::GET, path)).await?;
        answer.bytes().await.map_err(|error| self.unreachable(&error))
    }

    /// Begins to read a file from byte `start` on, from a link that needs no key, or from a path of the API.
    pub(crate) async fn file(&self, from: &From<'_>, start: u64) -> Result<Response, ClientError> {
        let request = match from {
            From::Link(link) => self.http.get(*link),
            From::Api(path) => self.request(Method::GET, path),
        };
        self.open(if start > 0 { request.header("range", format!("bytes={start}-")) } else { request }).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, ClientError> {
        let answer = self.open(request).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        answer.json().await.map_err(|error| self.unreachable(&error))
    }

    /// An answer that is no refusal.
    async fn open(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        // What stands between us and the API, and stores themselves, refuse in words of their own.
        let problem = answer.json().await.unwrap_or_default();
        Err(ClientError::Refused { status: status.as_u16(), problem })
    }

    pub(crate) fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        let reason = std::error::Error::source(error).map_or_else(|| "no answer".to_owned(), ToString::to_string);
        ClientError::Unreachable { url: self.url.clone(), reason }
    }
}

/// How often a submission is sent whose answer is lost.
const SUBMIT_TRIES: u32 = 4;
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long a connection may take to stand, and an answer to begin or go on. A download may take as long as it goes on.
const CONNECT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(PATIENCE).build()?)
}

/// Address and key, each from the first that has it. The key of a login goes to the address of that login alone.
fn resolve(api: Option<&str>, key: Option<String>, session: Option<Session>) -> (String, Option<String>) {
    let logged_in = session.as_ref().map_or(DEFAULT_URL, |session| &session.api);
    let url = api.unwrap_or(logged_in).trim_end_matches('/').to_owned();
    let key = key.or_else(|| session.filter(|session| session.api == url).map(|session| session.key));
    (url, key)
}

#[expect(clippy::disallowed_methods, reason = "this is the configuration of a client")]
fn key(args: &ApiArgs) -> Result<Option<String>> {
    let Some(file) = &args.key_file else {
        return Ok(std::env::var("SHARDMILL_API_KEY").ok().filter(|key| !key.is_empty()));
    };
    let read = std::fs::read_to_string(file).with_context(|| format!("cannot read the key file {}", file.display()))?;
    Ok(Some(read.trim().to_owned()))
}

/// The problem as lines for people; every finding of a spec on its own.
fn told(status: &u16, problem: &Value) -> String {
    let text = |name: &str| problem[name].as_str().map(str::to_owned);
    let mut lines = vec![text("detail").or_else(|| text("title")).unwrap_or_else(|| format!("HTTP status {status}"))];
    for finding in problem["problems"].as_array().into_iter().flatten() {
        let word = |name: &str| finding[name].as_str().unwrap_or_default();
        let mut line = format!("{}: {}: {}", word("severity"), word("path"), word("message"));
        if let Some(expected) = finding["expected"].as_str() {
            line = format!("{line}; expected {expected}");
        }
        if let Some(nearest) = finding["nearest"].as_str() {
            line = format!("{line}; did you mean `{nearest}`?");
        }
        if let Some(number) = finding["line"].as_u64().filter(|number| *number > 0) {
            line = format!("line {number}: {line}");
        }
        lines.push(line);
    }
    if *status == 401 {
        lines.push(
            "log in with `shardmill login`, or give a key in SHARDMILL_API_KEY or a file of it with --key-file"
                .to_owned(),
        );
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_asked_again() {
        let refused = |status| ClientError::Refused { status, problem: Value::Null }.may_pass();
        assert_eq!([429, 502, 503, 504].map(refused), [true; 4]);
        assert_eq!([400, 401, 404, 409, 422, 500].map(refused), [false; 6]);
    }

    #[test]
    fn every_finding_is_told() {
        let problem = serde_json::json!({"detail": "the spec has errors", "problems": [
            {"severity": "error", "line": 4, "path": "tables.a", "message": "no", "expected": "yes",
            "nearest": "yea"}]});
        let told_so = "the spec has errors\nline 4: error: tables.a: no; expected yes; did you mean `yea`?";
        assert_eq!(told(&422, &problem), told_so);
        assert!(told(&401, &Value::Null).contains("SHARDMILL_API_KEY"));
    }

    #[test]
    fn what_is_given_comes_before_the_login_and_its_key_stays_with_its_address() {
        let session = || Some(Session { api: "https://a".to_owned(), key: "kept".to_owned() });
        let kept = Some("kept".to_owned());
        assert_eq!(resolve(None, None, session()), ("https://a".to_owned(), kept.clone()));
        assert_eq!(resolve(Some("https://a/"), None, session()), ("https://a".to_owned(), kept));
        assert_eq!(resolve(Some("https://b"), None, session()), ("https://b".to_owned(), None));
        let given = Some("given".to_owned());
        assert_eq!(resolve(None, given.clone(), session()), ("https://a".to_owned(), given));
        assert_eq!(resolve(None, None, None), (DEFAULT_URL.to_owned(), None));
    }
}
