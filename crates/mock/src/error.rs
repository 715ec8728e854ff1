//! What can be wrong with how the mock provider is asked to behave, or started.

use std::net::SocketAddr;

/// An option that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// Not a spread.
    #[error("`{text}` is not understood; expected {expected}")]
    Spread {
        /// What was given.
        text: String,
        /// What is understood.
        expected: &'static str,
    },
    /// No fault has this name.
    #[error("there is no fault `{name}`{}; the faults are {known}", nearest(.suggestion.as_deref()))]
    Fault {
        /// What was given.
        name: String,
        /// The name nearest to it.
        suggestion: Option<String>,
        /// All names.
        known: String,
    },
    /// Not a share.
    #[error("the share `{share}` of the fault `{name}` is not understood; expected a percentage, such as `{name}:1%`")]
    Share {
        /// The fault.
        name: String,
        /// What was given.
        share: String,
    },
    /// More faults than calls.
    #[error("the shares of all faults come to {percent} %; expected at most 100 %")]
    Shares {
        /// What they come to.
        percent: u64,
    },
    /// A limit of nothing.
    #[error("a limit of 0 {what} lets no call pass; leave it out where there is no limit")]
    NoLimit {
        /// What is limited.
        what: &'static str,
    },
    /// A table of models that cannot be read.
    #[error("the table of models cannot be read: {reason}; expected a list such as {example}")]
    Models {
        /// Why not.
        reason: String,
        /// What is understood.
        example: &'static str,
    },
}

impl OptionError {
    pub(crate) fn spread(text: &str, expected: &'static str) -> Self {
        Self::Spread { text: text.to_owned(), expected }
    }
}

fn nearest(name: Option<&str>) -> String {
    name.map(|name| format!(", did you mean `{name}`")).unwrap_or_default()
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; choose another address with --listen")]
pub struct StartError {
    /// Where it should listen.
    pub address: SocketAddr,
    /// What the machine says.
    pub source: std::io::Error,
}
