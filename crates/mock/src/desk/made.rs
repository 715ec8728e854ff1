//! What goes out for a call: an answer, or what a fault puts in its place. Pure.

use super::call::Ending;
use crate::fault::Fault;
use crate::rates::Axis;
use crate::wire::{Problem, Wire};

/// A page such as a proxy sends whose server is gone.
const PAGE: &str =
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n";

/// An answer that was made, or a page that stands for one.
pub(super) struct Made {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) wait_ms: u64,
    pub(super) ending: Ending,
}

impl Made {
    /// JSON that goes out whole and at once.
    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        let body = serde_json::to_vec(body).expect("a value can be written");
        Self { status, kind: "application/json", body, wait_ms: 0, ending: Ending::Whole }
    }
}

/// What stands in the place of an answer that is never made; nothing where one is.
pub(super) fn spoiled(wire: &dyn Wire, fault: Fault, id: &str) -> Result<Option<Made>, Problem> {
    match fault {
        Fault::ServerError => Err(Problem::ServerError),
        Fault::Unavailable => Err(Problem::Unavailable),
        Fault::Overloaded => Err(Problem::Overloaded),
        Fault::RateLimited => Err(Problem::Limited { axis: Axis::Requests, wait_ms: None }),
        Fault::SpendLimit => Err(Problem::SpendLimit),
        Fault::Unauthorized => Err(Problem::BadKey),
        Fault::Refusal if wire.refuses_by_error() => Err(Problem::Filtered),
        Fault::Html => {
            Ok(Some(Made { kind: "text/html", body: PAGE.into(), ..Made::json(502, &serde_json::Value::Null) }))
        }
        Fault::ErrorBody => Ok(Some(Made::json(200, &wire.complain(&Problem::ServerError, id).1))),
        _ => Ok(None),
    }
}
