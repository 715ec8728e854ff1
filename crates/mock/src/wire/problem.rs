//! What can be wrong with a call, before a protocol puts it into its own words. Pure.

use std::fmt;

use crate::rates::Axis;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No key came along.
    NoKey,
    /// The key is refused.
    BadKey,
    /// There is nothing at this path.
    NoRoute,
    /// The request is wrong.
    Invalid {
        message: String,
        parameter: Option<&'static str>,
    },
    /// The schema of the answer is wrong.
    Schema {
        name: String,
        message: String,
    },
    UnknownModel(String),
    ContextTooLong {
        tokens: u64,
        most: u64,
    },
    BodyTooLarge {
        most: usize,
    },
    /// The model refuses.
    Filtered,
    /// A limit holds the call up; nothing where it does not say for how long.
    Limited {
        axis: Axis,
        wait_ms: Option<u64>,
    },
    SpendLimit,
    Overloaded,
    ServerError,
    Unavailable,
}

impl Problem {
    pub(super) fn missing(parameter: &'static str) -> Self {
        Self::invalid(format!("{parameter}: Field required"), parameter)
    }

    pub(super) fn invalid(message: impl Into<String>, parameter: &'static str) -> Self {
        Self::Invalid { message: message.into(), parameter: Some(parameter) }
    }

    /// A body that cannot be read.
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self::Invalid { message: format!("the body of the request cannot be read: {error}"), parameter: None }
    }

    pub(super) fn streams() -> Self {
        Self::invalid("this mock provider does not stream; leave `stream` out or set it to false", "stream")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => formatter.write_str("the request carries no key"),
            Self::BadKey => formatter.write_str("the key is not valid"),
            Self::NoRoute => formatter.write_str("there is nothing at this path"),
            Self::Invalid { message, .. } => formatter.write_str(message),
            Self::Schema { message, .. } => formatter.write_str(message),
            Self::UnknownModel(name) => {
                write!(
                    formatter,
                    "there is no model `{name}` here; the models of this mock provider are those of --models"
                )
            }
            Self::ContextTooLong { tokens, most } => {
                write!(formatter, "prompt is too long: {tokens} tokens > {most} maximum")
            }
            Self::BodyTooLarge { most } => write!(formatter, "the body of the request exceeds {most} bytes"),
            Self::Filtered => formatter.write_str("the prompt was filtered by the content policy"),
            Self::Limited { axis, .. } => limited(*axis, formatter),
            Self::SpendLimit => formatter.write_str("You have reached your specified API usage limits."),
            Self::Overloaded => formatter.write_str("Overloaded"),
            Self::ServerError => formatter.write_str("an error inside the server"),
            Self::Unavailable => formatter.write_str("the service is unavailable"),
        }
    }
}

/// How long to wait stands in the head of the answer, where programs look.
fn limited(axis: Axis, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let what = match axis {
        Axis::Requests => "requests per minute",
        Axis::InputTokens => "input tokens per minute",
        Axis::OutputTokens => "output tokens per minute",
        Axis::Tokens => "tokens per minute",
        Axis::Concurrency => "concurrent requests",
    };
    write!(formatter, "this request would exceed the rate limit of {what}")
}
