//! What a server's error means to the caller. Pure.

use redis::{ErrorKind, RedisError};

use crate::ledger::LedgerError;

/// Codes of a server that will do again what it does not now: it starts, changes roles, or is full.
const PASSING: [&str; 10] = [
    "LOADING",
    "BUSY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "READONLY",
    "NOREPLICAS",
    "MISCONF",
    "OOM",
    "UNKILLABLE",
];

/// What the TLS library says of a certificate that it does not trust.
const UNTRUSTED: &str = "invalid peer certificate";

/// The code our scripts answer with for what they do not know.
const UNKNOWN: &str = "UNKNOWN";

/// What `error` of the server at `address` means. Neither holds a secret: a server never repeats a password.
pub(super) fn judge(address: &str, error: &RedisError) -> LedgerError {
    if error.code() == Some(UNKNOWN) {
        return LedgerError::Unknown(error.detail().unwrap_or_default().to_owned());
    }
    let reason = format!("{address}: {error}");
    if reason.contains(UNTRUSTED) {
        let remedy = "give the file of the CA that signed it in ledger.ca_file, or mend the host in the URL";
        return LedgerError::Refused { reason: format!("{reason}; {remedy}") };
    }
    if error.is_io_error() || error.code().is_some_and(|code| PASSING.contains(&code)) {
        return LedgerError::Transient { reason };
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            LedgerError::Refused { reason: format!("{address}: wrong user or password; mend the ledger's URL") }
        }
        _ => LedgerError::Refused { reason },
    }
}

/// Whether the connection may go on after `error`.
pub(super) fn is_harmless(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Unknown(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, detail: &str) -> LedgerError {
        judge("redis:6379", &redis::make_extension_error(code.to_owned(), Some(detail.to_owned())))
    }

    #[test]
    fn an_error_is_named_by_what_the_caller_can_do() {
        assert_eq!(told("UNKNOWN", "users"), LedgerError::Unknown("users".to_owned()));
        for code in ["OOM", "MISCONF", "BUSY"] {
            assert!(matches!(told(code, "later"), LedgerError::Transient { .. }), "{code}");
        }
        for code in ["WRONGPASS", "NOAUTH", "WRONGTYPE"] {
            let LedgerError::Refused { reason } = told(code, "no") else { panic!("{code}") };
            assert!(reason.starts_with("redis:6379: "), "{reason}");
        }
        let untrusted = std::io::Error::other("invalid peer certificate: UnknownIssuer");
        let LedgerError::Refused { reason } = judge("redis:6379", &RedisError::from(untrusted)) else {
            panic!("waits")
        };
        assert!(reason.contains("ledger.ca_file"), "{reason}");
        let lost = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        assert!(matches!(judge("redis:6379", &lost), LedgerError::Transient { .. }));
    }
}
