//! Why there is no spec. Pure.

use shardmill_llm::AskError;
use shardmill_llm::prompts::PromptError;
use shardmill_shared::spec::Problem;

use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::model::Spent;

/// Why there is no spec, by what the caller can do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AuthorError {
    /// Nothing is described.
    #[error("the description is empty; say in a sentence what the dataset is about")]
    Empty,
    /// The description is too long.
    #[error("the description has {bytes} bytes; expected at most {DESCRIPTION_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No template fits: name one of these domains, or ask a model.
    #[error("no template fits the description; there are templates for {domains}")]
    NoTemplate {
        /// The domains that there are.
        domains: String,
    },
    /// The template cannot be as the description wants it.
    #[error("the template `{template}` cannot be as described")]
    Unfit {
        /// The template.
        template: &'static str,
        /// What was found.
        problems: Vec<Problem>,
    },
    /// The model's last attempt still has problems.
    #[error("the model wrote no spec that can be used; its last attempt has {} {}", .problems.len(), if .problems.len() == 1 { "problem" } else { "problems" })]
    Hopeless {
        /// The last attempt.
        attempt: String,
        /// What is wrong with it.
        problems: Vec<Problem>,
        /// What it took.
        spent: Spent,
    },
    /// The model did not answer.
    #[error("{error}")]
    Unanswered {
        /// Why not.
        error: AskError,
        /// What was spent until then.
        spent: Spent,
        /// The last attempt, if there was one.
        attempt: Option<String>,
    },
    /// A prompt cannot be used.
    #[error(transparent)]
    Prompt(#[from] PromptError),
}
