//! What an answer of S3 means to the caller. Pure.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

use crate::store::StoreError;

/// More of a server's own words than this helps nobody.
const LONGEST_MESSAGE_CHARS: usize = 200;

/// What can be known of a failed request. Bodies of answers may carry keys and signatures: of them only the code and the
/// message are taken.
#[derive(Debug, Default, PartialEq, Eq)]
struct Evidence {
    status: Option<u16>,
    code: String,
    message: String,
    transport: Option<HttpErrorKind>,
    root: String,
}

/// The error for `path` when a request about it failed.
pub(super) fn error(path: impl ToString, failed: &object_store::Error) -> StoreError {
    let path = path.to_string();
    let evidence = gather(failed);
    if let Some(error) = by_code(&path, &evidence) {
        return error;
    }
    let reason = evidence.reason();
    let denied = |remedy: &str| StoreError::Permission { path: path.clone(), reason: format!("{reason}: {remedy}") };
    match (failed, evidence.status, evidence.transport) {
        (object_store::Error::NotFound { .. }, ..) => StoreError::NotFound { path },
        (object_store::Error::PermissionDenied { .. }, ..) => denied(
            "allow it in the policy of the bucket or of the keys, and listing too, without which what is absent is denied",
        ),
        (object_store::Error::Unauthenticated { .. }, ..) => denied("check the keys"),
        (_, Some(501), _) => StoreError::Permanent { path, reason },
        (_, Some(408 | 409 | 412 | 429 | 500..=599), _) => transient(path, reason),
        (_, None, Some(HttpErrorKind::Decode)) => StoreError::Permanent { path, reason },
        (_, None, Some(HttpErrorKind::Connect)) => {
            transient(path, format!("{reason}: check the endpoint and the network"))
        }
        (_, None, Some(_)) => transient(path, reason),
        _ => StoreError::Permanent { path, reason },
    }
}

/// The error that the code of S3 alone tells.
fn by_code(path: &str, evidence: &Evidence) -> Option<StoreError> {
    let (path, reason) = (path.to_owned(), evidence.reason());
    let refused =
        |remedy: &str| Some(StoreError::Refused { path: path.clone(), reason: format!("{reason}: {remedy}") });
    let denied =
        |remedy: &str| Some(StoreError::Permission { path: path.clone(), reason: format!("{reason}: {remedy}") });
    match evidence.code.as_str() {
        "NoSuchBucket" => refused("make the bucket or correct its name"),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            refused("set the region of the bucket")
        }
        "BareRedirect" => refused("set the region of the bucket and check the endpoint"),
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
            denied("check the keys")
        }
        "RequestTimeTooSkewed" => denied("set the clock of this machine"),
        "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull" => Some(StoreError::Full { path }),
        // The answer to the first of two tries was lost, or somebody aborted the upload: in either case it is repeated.
        "NoSuchUpload" | "RequestTimeout" | "SlowDown" | "InternalError" => Some(transient(path, reason)),
        _ if evidence.status == Some(507) => Some(StoreError::Full { path }),
        _ => None,
    }
}

fn transient(path: String, reason: String) -> StoreError {
    StoreError::Transient { path, reason, retry_after_ms: None }
}

/// Whether a conditional create met another one under way (409) instead of an object: there may be none yet.
pub(super) fn is_conflict(failed: &object_store::Error) -> bool {
    // Of 412 the adapter below makes an error of its own around the first; of 409 it does not.
    matches!(failed, object_store::Error::AlreadyExists { source, .. } if !source.is::<object_store::Error>())
}

/// The error when no answer came to a request that we sent ourselves.
pub(super) fn no_answer(path: impl ToString, failed: &HttpError) -> StoreError {
    transient(path.to_string(), root_of(failed))
}

/// The error for an answer, which is none of success, to a request that we sent ourselves.
pub(super) fn bad_answer(path: impl ToString, status: u16, body: &str) -> StoreError {
    let path = path.to_string();
    let evidence = Evidence { status: Some(status), ..Evidence::from_body(body) };
    by_code(&path, &evidence).unwrap_or_else(|| {
        let reason = evidence.reason();
        match status {
            401 | 403 => StoreError::Permission { path, reason },
            408 | 429 | 500 | 502..=599 => transient(path, reason),
            _ => StoreError::Permanent { path, reason },
        }
    })
}

impl Evidence {
    fn from_body(body: &str) -> Self {
        let message =
            element(body, "Message").chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE_CHARS).collect();
        Self { code: element(body, "Code").to_owned(), message, ..Self::default() }
    }

    fn reason(&self) -> String {
        let status = self.status.map(|status| format!("status {status}")).unwrap_or_default();
        let parts = [status.as_str(), &self.code, &self.message, &self.root];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// The text of the first element of this name.
fn element<'a>(body: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    body.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map_or("", |(text, _)| text)
}

/// Reads the chain of causes. The status of an answer is in no public type of the adapter below, only in its words.
fn gather(failed: &object_store::Error) -> Evidence {
    let mut link: &(dyn Error + 'static) = failed;
    let mut transport = None;
    while let Some(source) = link.source() {
        transport = transport.or_else(|| source.downcast_ref::<HttpError>().map(HttpError::kind));
        link = source;
    }
    let words = link.to_string();
    if words.starts_with("Received redirect") {
        return Evidence { code: "BareRedirect".to_owned(), ..Evidence::default() };
    }
    let is_answer = words.starts_with("Server returned");
    if !is_answer {
        let root = words.lines().next().unwrap_or_default().chars().take(LONGEST_MESSAGE_CHARS).collect();
        return Evidence { transport, root, ..Evidence::default() };
    }
    let status = words.split_once("status code: ").and_then(|(_, rest)| rest.get(..3)?.parse().ok());
    Evidence { status, ..Evidence::from_body(&words) }
}

fn root_of(failed: &HttpError) -> String {
    let mut link: &(dyn Error + 'static) = failed;
    while let Some(source) = link.source() {
        link = source;
    }
    link.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Words(String);

    fn answer(status: &str, body: &str) -> object_store::Error {
        let source = Words(format!("Server returned non-2xx status code: {status}: {body}"));
        object_store::Error::Generic { store: "S3", source: Box::new(source) }
    }

    fn body(code: &str) -> String {
        format!("<Error><Code>{code}</Code><Message>it says</Message><AWSAccessKeyId>hidden</AWSAccessKeyId></Error>")
    }

    #[test]
    fn conditions_are_told_apart() {
        let found = |status: &str, code: &str| error("a/b", &answer(status, &body(code)));
        assert!(matches!(found("404 Not Found", "NoSuchBucket"), StoreError::Refused { .. }));
        assert!(matches!(found("301 Moved", "PermanentRedirect"), StoreError::Refused { .. }));
        assert!(matches!(found("403 Forbidden", "SignatureDoesNotMatch"), StoreError::Permission { .. }));
        assert!(matches!(found("400 Bad Request", "ExpiredToken"), StoreError::Permission { .. }));
        assert!(matches!(found("503 Service Unavailable", "SlowDown"), StoreError::Transient { .. }));
        assert!(matches!(found("500 Oh", ""), StoreError::Transient { .. }));
        assert!(matches!(found("429 Too Many", "TooMany"), StoreError::Transient { .. }));
        assert!(matches!(found("404 Not Found", "NoSuchUpload"), StoreError::Transient { .. }));
        assert!(matches!(found("507 Insufficient Storage", ""), StoreError::Full { .. }));
        assert!(matches!(found("400 Bad Request", "EntityTooLarge"), StoreError::Permanent { .. }));
    }

    #[test]
    fn an_error_names_the_thing_the_reason_and_the_remedy_and_no_key() {
        let text = error("a/b", &answer("404 Not Found", &body("NoSuchBucket"))).to_string();
        for word in ["a/b", "404", "NoSuchBucket", "it says", "make the bucket"] {
            assert!(text.contains(word), "no `{word}` in {text}");
        }
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn a_conflict_is_not_an_object() {
        let inner = object_store::Error::Precondition { path: "a".to_owned(), source: Box::new(Words(String::new())) };
        let exists = object_store::Error::AlreadyExists { path: "a".to_owned(), source: Box::new(inner) };
        let source = Box::new(Words("Server returned non-2xx status code: 409 Conflict".to_owned()));
        let conflict = object_store::Error::AlreadyExists { path: "a".to_owned(), source };
        assert!(!is_conflict(&exists));
        assert!(is_conflict(&conflict));
    }

    #[test]
    fn what_we_asked_ourselves_is_told_alike() {
        assert!(matches!(bad_answer("b", 403, &body("AccessDenied")), StoreError::Permission { .. }));
        assert!(matches!(bad_answer("b", 404, &body("NoSuchBucket")), StoreError::Refused { .. }));
        assert!(matches!(bad_answer("b", 503, ""), StoreError::Transient { .. }));
        assert!(matches!(bad_answer("b", 501, &body("NotImplemented")), StoreError::Permanent { .. }));
    }
}
