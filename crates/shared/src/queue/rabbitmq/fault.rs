//! From what the server or its library say to what a caller can do. Pure.

use lapin::{Error, ErrorKind};

use crate::queue::QueueError;

/// Codes of the protocol that mean: not with these rights, not in this place, not so.
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// It may work later.
pub(super) fn transient(reason: impl Into<String>) -> QueueError {
    QueueError::Transient { reason: reason.into() }
}

/// What the TLS library says of a certificate that it does not trust.
const UNTRUSTED: &str = "invalid peer certificate";

/// What a connection that did not stand means.
pub(super) fn of_connection(doing: &str, error: &str) -> QueueError {
    let reason = format!("{doing}: {error}");
    if reason.contains(UNTRUSTED) {
        let remedy = "give the file of the CA that signed it in queue.ca_file, or mend the host in the URL";
        return QueueError::Refused { reason: format!("{reason}; {remedy}") };
    }
    transient(reason)
}

/// What a failed step means for whoever wanted it.
pub(super) fn of_step(doing: &str, error: &Error) -> QueueError {
    match code(error) {
        Some(ACCESS_REFUSED) => QueueError::Refused {
            reason: format!(
                "{doing}: {error}; check user and password, and the user's permissions on the virtual host"
            ),
        },
        Some(NOT_ALLOWED) => QueueError::Refused {
            reason: format!("{doing}: {error}; create the virtual host, or let the user into it"),
        },
        _ => transient(format!("{doing}: {error}")),
    }
}

/// What a failed declaration of a queue means.
pub(super) fn of_declaration(queue: &str, error: &Error) -> QueueError {
    match code(error) {
        Some(PRECONDITION_FAILED) => QueueError::Refused {
            reason: format!(
                "the queue `{queue}` is there with other settings ({error}); delete it once it is empty, or choose \
                 another prefix"
            ),
        },
        _ => of_step(&format!("declare the queue `{queue}`"), error),
    }
}

/// Whether the server does not know what was asked for.
pub(super) fn is_not_found(error: &Error) -> bool {
    code(error) == Some(NOT_FOUND)
}

fn code(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::protocol::AMQPError;

    fn error(code: u16) -> Error {
        ErrorKind::ProtocolError(AMQPError::from_id(code, "no".into()).expect("is a code")).into()
    }

    #[test]
    fn what_someone_must_mend_is_refused_and_the_rest_may_work_later() {
        for (code, is_refused) in [(403, true), (530, true), (320, false), (404, false), (406, false), (541, false)] {
            let meant = of_step("connect", &error(code));
            assert_eq!(matches!(meant, QueueError::Refused { .. }), is_refused, "{code}: {meant}");
        }
        assert!(matches!(of_step("connect", &ErrorKind::MissingHeartbeatError.into()), QueueError::Transient { .. }));
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_mended_by_someone() {
        let error = |text| of_connection("connect", text);
        let QueueError::Refused { reason } = error("invalid peer certificate: UnknownIssuer") else { panic!("waits") };
        assert!(reason.contains("queue.ca_file"), "{reason}");
        assert!(matches!(error("connection refused"), QueueError::Transient { .. }));
    }

    #[test]
    fn a_queue_of_another_make_is_named() {
        let QueueError::Refused { reason } = of_declaration("mill.sql", &error(406)) else { panic!("not refused") };
        assert!(reason.contains("`mill.sql`"), "{reason}");
        assert!(matches!(of_declaration("mill.sql", &error(541)), QueueError::Transient { .. }));
    }
}
