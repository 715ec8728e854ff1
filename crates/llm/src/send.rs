//! Carries bodies to one provider and answers back: connections, deadlines, bounds, keys. It knows no wire format.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use object_store::aws::{AmazonS3Builder, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::HttpRequest;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url, redirect};

use crate::config::ProviderConfig;
use crate::error::{CallError, ConfigError};
use crate::limits::{ANSWER_BYTES_MAX, CONNECT, ERROR_BYTES_MAX};
use crate::providers::{Credential, Wire};
use crate::secret::{ApiKey, presentable};

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The way to one provider.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    base: String,
    key: Option<ApiKey>,
    signer: Option<Signer>,
    timeout_s: u64,
}

/// Signs requests for Amazon with the credentials that this machine has.
#[derive(Debug)]
struct Signer {
    credentials: AwsCredentialProvider,
    service: &'static str,
    region: String,
}

impl Sender {
    /// A way to the provider, for a holder of `key`.
    ///
    /// # Errors
    /// When the configuration cannot be used, or the machine's roots of trust cannot be read.
    pub(crate) fn new(config: &ProviderConfig, wire: &dyn Wire, key: Option<ApiKey>) -> Result<Self, ConfigError> {
        // Whoever was first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = config.url()?.to_string();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("shardmill/", env!("CARGO_PKG_VERSION")))
            // One connection of HTTP/2 carries about a hundred calls and no more; thousands need as many of HTTP/1.
            .http1_only()
            .default_headers(headers(wire, key.as_ref())?)
            .build()
            .map_err(|error| ConfigError(format!("no client can be made: {}", chain(&error))))?;
        let signer = match wire.credential() {
            Credential::Signature(service) => Some(Signer::new(service, config.region.as_deref().unwrap_or_default())?),
            Credential::Bearer | Credential::Header(_) => None,
        };
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { client, base, key, signer, timeout_s: config.timeout_s })
    }

    /// Carries a body to `path` below the base URL, and the answer back, whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub(crate) async fn post(&self, path: &str, body: Bytes) -> Result<Answered, CallError> {
        // A base URL may end in the version that the path begins with.
        let path = path.strip_prefix("/v1").filter(|_| self.base.ends_with("/v1")).unwrap_or(path);
        let url = Url::parse(&format!("{}{path}", self.base));
        let url = url.map_err(|_| CallError::BadRequest("the model's name makes no address".to_owned()))?;
        let mut request = self.client.post(url.clone()).timeout(Duration::from_secs(self.timeout_s));
        if let Some(signer) = &self.signer {
            request = request.headers(signer.sign(&url, &body).await?);
        }
        let response = request.body(body).send().await.map_err(|error| self.failed(error))?;
        self.receive(response).await
    }

    async fn receive(&self, mut response: Response) -> Result<Answered, CallError> {
        let status = response.status().as_u16();
        let is_success = response.status().is_success();
        let most = if is_success { ANSWER_BYTES_MAX } else { ERROR_BYTES_MAX };
        let too_large = || CallError::Malformed(format!("it is larger than {} MiB", ANSWER_BYTES_MAX >> 20));
        if is_success && response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let headers = std::mem::take(response.headers_mut());
        let first = response.chunk().await.map_err(|error| self.failed(error))?.unwrap_or_default();
        let mut rest = BytesMut::new();
        let mut body = first;
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if rest.is_empty() {
                rest.extend_from_slice(&body);
            }
            rest.extend_from_slice(&chunk);
            if rest.len() > most {
                break;
            }
        }
        if !rest.is_empty() {
            body = rest.freeze();
        }
        if !is_success {
            // Of an error the beginning is enough, and the key must not be repeated with it.
            body = self.without_key(&body[..body.len().min(most)]);
        } else if body.len() > most {
            return Err(too_large());
        }
        Ok(Answered { status, headers, body })
    }

    fn without_key(&self, body: &[u8]) -> Bytes {
        let text = String::from_utf8_lossy(body);
        let masked = self.key.as_ref().map_or_else(|| text.to_string(), |key| text.replace(key.expose(), "***"));
        Bytes::from(masked)
    }

    /// What a failure of the client means.
    fn failed(&self, error: reqwest::Error) -> CallError {
        let (is_connect, is_timeout) = (error.is_connect(), error.is_timeout());
        let what = presentable(&chain(&error.without_url()), self.key.as_ref());
        match (is_connect, is_timeout) {
            (true, true) => CallError::Unreachable(format!(
                "no connection within {} s; look at base_url and the network",
                CONNECT.as_secs()
            )),
            (true, false) => CallError::Unreachable(format!("{what}; look at base_url and the network")),
            (false, true) => CallError::Timeout { seconds: self.timeout_s },
            (false, false) => CallError::Network(what),
        }
    }
}

impl Signer {
    fn new(service: &'static str, region: &str) -> Result<Self, ConfigError> {
        // The object store's client knows every place where credentials of Amazon may be; the bucket is never asked.
        let store = AmazonS3Builder::from_env().with_bucket_name("unused").with_region(region).build();
        let store = store.map_err(|error| ConfigError(format!("no AWS credentials can be found: {error}")))?;
        Ok(Self { credentials: Arc::clone(store.credentials()), service, region: region.to_owned() })
    }

    /// The headers that sign a request.
    async fn sign(&self, url: &Url, body: &Bytes) -> Result<HeaderMap, CallError> {
        let refused = |error: &dyn Error| {
            let what = presentable(&chain(error), None);
            CallError::Authentication(format!("no AWS credentials: {what}; set AWS_ACCESS_KEY_ID and the rest"))
        };
        let credential = self.credentials.get_credential().await.map_err(|error| refused(&error))?;
        let mut request = HttpRequest::new(body.clone().into());
        *request.method_mut() = Method::POST;
        let wrong = || CallError::BadRequest("the model's name makes no address".to_owned());
        *request.uri_mut() = url.as_str().parse().map_err(|_| wrong())?;
        let authorizer = AwsAuthorizer::new(&credential, self.service, &self.region);
        authorizer.try_authorize(&mut request, None).map_err(|error| refused(&error))?;
        Ok(std::mem::take(request.headers_mut()))
    }
}

/// What every request has beside its body.
fn headers(wire: &dyn Wire, key: Option<&ApiKey>) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in wire.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let Some(key) = key else { return Ok(headers) };
    let (name, text) = match wire.credential() {
        Credential::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
        Credential::Header(name) => (HeaderName::from_static(name), key.expose().to_owned()),
        Credential::Signature(_) => return Ok(headers),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| ConfigError("the key cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(headers)
}

/// An error with its causes, without those that only repeat what was said.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
