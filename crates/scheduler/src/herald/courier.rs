//! Carries messages to webhooks.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::redirect;
use url::Url;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A message as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// When this attempt is made, in seconds since 1970.
    pub timestamp: u64,
    /// The signature of the whole.
    pub signature: String,
    /// JSON.
    pub body: String,
}

/// What carries messages to webhooks.
#[async_trait]
pub trait Courier: Send + Sync + Debug {
    /// Hands a letter over; the receiver has it, for all that it says.
    ///
    /// # Errors
    /// What went wrong, without the address.
    async fn hand_over(&self, url: &Url, letter: &Letter) -> Result<(), String>;
}

/// Where no webhook is known, nothing is carried.
#[async_trait]
impl Courier for () {
    async fn hand_over(&self, _: &Url, _: &Letter) -> Result<(), String> {
        Err("no webhook is configured".to_owned())
    }
}

/// Carries messages over HTTP.
#[derive(Clone, Debug)]
pub struct HttpCourier {
    client: reqwest::Client,
}

impl HttpCourier {
    /// A courier that goes where it is sent, and nowhere else.
    ///
    /// # Errors
    /// When the machine's roots of trust cannot be read.
    pub fn new() -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .user_agent(concat!("shardmill/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(|client| Self { client }).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Courier for HttpCourier {
    async fn hand_over(&self, url: &Url, letter: &Letter) -> Result<(), String> {
        let request = self
            .client
            .post(url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &letter.id)
            .header("webhook-timestamp", letter.timestamp)
            .header("webhook-signature", &letter.signature)
            .body(letter.body.clone());
        let no_answer = |error: reqwest::Error| {
            let error = error.without_url();
            std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
        };
        let status = request.send().await.map_err(no_answer)?.status();
        if status.is_success() { Ok(()) } else { Err(format!("it answered with HTTP status {}", status.as_u16())) }
    }
}
