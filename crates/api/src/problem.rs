//! Why a request is refused, as RFC 9457 has it. The only place that knows HTTP codes of failures.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shardmill_shared::ledger::LedgerError;
use shardmill_shared::spec::Problem as SpecProblem;
use shardmill_shared::store::{PlaceError, StoreError};
use utoipa::ToSchema;

use crate::limits::RETRY_SECONDS;
use crate::specs::severity;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A header, parameter or body that cannot be read.
    BadRequest,
    /// No key, or none that is known.
    Unauthorized,
    /// The key's role is too small.
    Forbidden,
    /// There is no such thing, or it is another tenant's.
    NotFound,
    /// The path has other methods.
    WrongMethod,
    /// It contradicts what is.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body is of a type that is not read.
    WrongMedia,
    /// The file has no such part.
    WrongRange,
    /// The spec has errors.
    BadSpec,
    /// The schedule or its spec has errors.
    BadSchedule,
    /// The key asks too often.
    TooOften,
    /// So much is asked at once that no more is taken.
    Busy,
    /// A fault of ours.
    Fault,
    /// The store or the ledger does not answer.
    Unavailable,
    /// It took too long.
    TooSlow,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::BadSpec | Self::BadSchedule => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::Unavailable | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", "the request cannot be read"),
            Self::Unauthorized => ("unauthorized", "a valid API key is needed"),
            Self::Forbidden => ("forbidden", "the API key may not do that"),
            Self::NotFound => ("not-found", "there is no such thing"),
            Self::WrongMethod => ("wrong-method", "the path has no such method"),
            Self::Conflict => ("conflict", "the request contradicts the present state"),
            Self::TooLarge => ("too-large", "the body is too large"),
            Self::WrongMedia => ("wrong-media-type", "the body's media type is not read"),
            Self::WrongRange => ("wrong-range", "the file has no such part"),
            Self::BadSpec => ("bad-spec", "the spec has errors"),
            Self::BadSchedule => ("bad-schedule", "the schedule has errors"),
            Self::TooOften => ("too-often", "the API key asks too often"),
            Self::Busy => ("busy", "the server is busy"),
            Self::Fault => ("fault", "the server has a fault"),
            Self::Unavailable => ("unavailable", "a service behind the API does not answer"),
            Self::TooSlow => ("too-slow", "the request took too long"),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    retry_seconds: Option<u64>,
    findings: Vec<Finding>,
}

/// A refusal as it is written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    /// The kind of problem, as a URI that never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:shardmill:problem:not-found")]
    kind: String,
    /// The kind of problem, for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time, and what to do.
    detail: String,
    /// All findings, when it is a spec that is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Finding>,
}

/// One finding in a spec.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// `error` or `warning`.
    severity: &'static str,
    /// The line from 1; 0 when it belongs to no line.
    line: usize,
    /// Where in the document.
    #[schema(example = "tables.users.columns.email")]
    path: String,
    /// What is wrong, with the value that is.
    message: String,
    /// What was expected there.
    expected: Option<String>,
    /// The nearest right name.
    nearest: Option<String>,
}

impl From<&SpecProblem> for Finding {
    fn from(problem: &SpecProblem) -> Self {
        Self {
            severity: severity(problem.severity),
            line: problem.line,
            path: problem.path.clone(),
            message: problem.message.clone(),
            expected: problem.expected.clone(),
            nearest: problem.nearest.clone(),
        }
    }
}

impl Problem {
    /// A refusal; `detail` names the thing and the value, and says what to do.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_seconds: None, findings: Vec::new() }
    }

    /// Nothing of that id is the caller's.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what} `{}`", shortened(id)))
    }

    /// A parameter with a value that is none of its own.
    pub(crate) fn bad_value(name: &str, value: &str, expected: &str) -> Self {
        Self::new(Kind::BadRequest, format!("`{name}` is `{}`; expected {expected}", shortened(value)))
    }

    /// A spec with errors.
    pub(crate) fn bad_spec(problems: &[SpecProblem]) -> Self {
        Self::with_findings(Kind::BadSpec, "spec", problems)
    }

    /// A schedule with errors, or one whose spec has some.
    pub(crate) fn bad_schedule(problems: &[SpecProblem]) -> Self {
        Self::with_findings(Kind::BadSchedule, "schedule", problems)
    }

    fn with_findings(kind: Kind, what: &str, problems: &[SpecProblem]) -> Self {
        let findings: Vec<Finding> = problems.iter().map(Finding::from).collect();
        let errors = findings.iter().filter(|finding| finding.severity == "error").count();
        let detail = format!("the {what} has {errors} errors: mend them and send it again");
        Self { findings, ..Self::new(kind, detail) }
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.retry_seconds = Some(seconds.max(1));
        self
    }

    /// The failure of something that the answer needs.
    pub(crate) fn unavailable(what: &str) -> Self {
        Self::new(Kind::Unavailable, format!("the {what} does not answer now: try again")).after(RETRY_SECONDS)
    }

    /// A fault of ours; the log says more than the answer.
    pub(crate) fn fault(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!("a request met a fault: {reason}");
        Self::new(Kind::Fault, "the request met a fault of the server: its log says which")
    }
}

/// What a caller sent, short enough to be sent back.
fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!("a request could not be answered: {error}");
        let problem = Self::unavailable("store");
        match error {
            StoreError::Transient { retry_after_ms: Some(ms), .. } => problem.after(ms.div_ceil(1_000)),
            _ => problem,
        }
    }
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Store(error) => error.into(),
            damaged => Self::fault(&damaged),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        tracing::warn!("a request could not be answered: {error}");
        Self::unavailable("ledger")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, (name, title)) = (self.kind.status(), self.kind.name());
        let body = ProblemBody {
            kind: format!("urn:shardmill:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            problems: self.findings,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
