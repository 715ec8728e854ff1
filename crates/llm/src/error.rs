//! Failures, named by what the caller can do about them. Pure.

use serde::{Deserialize, Serialize};

/// Why a call brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A limit of the account was hit: ask again later.
    #[error("rate limit: {message}")]
    RateLimited {
        /// After how many milliseconds the provider wants to be asked again, if it says so.
        after_ms: Option<u64>,
        /// What it says.
        message: String,
    },
    /// The provider has no capacity: ask again later.
    #[error("overloaded: {message}")]
    Overloaded {
        /// After how many milliseconds the provider wants to be asked again, if it says so.
        after_ms: Option<u64>,
        /// What it says.
        message: String,
    },
    /// No whole answer within the deadline. It may have been made, and charged.
    #[error("no answer within {seconds} s; raise timeout_s of the provider if its answers take longer")]
    Timeout {
        /// The deadline.
        seconds: u64,
    },
    /// No connection was made, so nothing was asked.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The connection broke after the question went out. The answer may have been made, and charged.
    #[error("connection lost: {0}")]
    Network(String),
    /// A failure of the provider's own.
    #[error("the provider failed with {status}: {message}")]
    Server {
        /// The HTTP status.
        status: u16,
        /// After how many milliseconds the provider wants to be asked again, if it says so.
        after_ms: Option<u64>,
        /// What it says.
        message: String,
    },
    /// The key is missing, wrong or may not do this.
    #[error("{0}")]
    Authentication(String),
    /// The account may spend no more: a person must raise its limit or pay.
    #[error("the account may spend no more: {0}; raise its limit with the provider")]
    Spending(String),
    /// The question cannot be asked like this.
    #[error("{0}")]
    BadRequest(String),
    /// The provider does not take the schema of the answer.
    #[error("the schema of the answer is not taken: {0}")]
    SchemaRefused(String),
    /// The prompt and the room for the answer exceed what the model can read.
    #[error("the prompt is too long for the model: {0}; shorten the template or the row, or take another model")]
    ContextTooLong(String),
    /// A filter of the provider refused the question.
    #[error("refused by a filter of the provider: {0}")]
    Refused(String),
    /// An answer that is none. It may have been charged.
    #[error("the answer cannot be read: {0}")]
    Malformed(String),
}

/// The kind of a failure, as it is written beside rejected rows and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants of `CallError` say it")]
pub enum Class {
    RateLimited,
    Overloaded,
    Timeout,
    Unreachable,
    Network,
    Server,
    Authentication,
    Spending,
    BadRequest,
    SchemaRefused,
    ContextTooLong,
    Refused,
    Malformed,
    /// The answer ended at the most tokens it may use.
    CutOff,
    /// The answer has no JSON, or JSON that does not fit the schema.
    Invalid,
}

impl CallError {
    /// Its kind.
    pub fn class(&self) -> Class {
        match self {
            Self::RateLimited { .. } => Class::RateLimited,
            Self::Overloaded { .. } => Class::Overloaded,
            Self::Timeout { .. } => Class::Timeout,
            Self::Unreachable(_) => Class::Unreachable,
            Self::Network(_) => Class::Network,
            Self::Server { .. } => Class::Server,
            Self::Authentication(_) => Class::Authentication,
            Self::Spending(_) => Class::Spending,
            Self::BadRequest(_) => Class::BadRequest,
            Self::SchemaRefused(_) => Class::SchemaRefused,
            Self::ContextTooLong(_) => Class::ContextTooLong,
            Self::Refused(_) => Class::Refused,
            Self::Malformed(_) => Class::Malformed,
        }
    }

    /// Whether the provider may have charged for it, so that it counts as spent at its worst case.
    pub fn may_be_charged(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Network(_) | Self::Malformed(_) => true,
            // A gateway gave up waiting, but what it waited for may have been made.
            Self::Server { status, .. } => *status == 504,
            _ => false,
        }
    }

    /// After how many milliseconds the provider wants to be asked again, if it says so.
    pub fn after_ms(&self) -> Option<u64> {
        match self {
            Self::RateLimited { after_ms, .. } | Self::Overloaded { after_ms, .. } | Self::Server { after_ms, .. } => {
                *after_ms
            }
            _ => None,
        }
    }

    /// Whether it says that there are too many calls at once.
    pub fn is_congestion(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Overloaded { .. })
    }
}

/// What of the configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
