//! Azure OpenAI: OpenAI's bodies at paths that name a deployment, with problems of its own. Limits: requests, and tokens
//! reserved by the prompt and the answer's limit together. Pure.

use hyper::HeaderMap;
use serde_json::{Value, json};

use super::{Ask, Asked, Caching, Head, Label, Problem, Said, Wire, chat, embeddings, openai};
use crate::model::Usage;
use crate::rates::{Need, Refused, Settlement};

/// Azure OpenAI.
pub(crate) struct Azure(pub(crate) Operation);

/// What is asked of a deployment.
pub(crate) enum Operation {
    Chat,
    Embeddings,
}

impl Wire for Azure {
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem> {
        if head.get("api-key").or_else(|| head.credential("bearer")).is_none() {
            return Err(Problem::NoKey);
        }
        if head.has_parameter("api-version") { Ok(()) } else { Err(Problem::NoRoute) }
    }

    fn read<'a>(&self, model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
        match self.0 {
            Operation::Chat => chat::read(model, body),
            Operation::Embeddings => embeddings::read(model, body),
        }
    }

    fn need(&self, ask: &Ask<'_>, _: &Usage, _: u64) -> Need {
        let answer = if matches!(ask.asked, Asked::Vectors { .. }) { 0 } else { ask.most.unwrap_or(0) };
        Need { input: 0, output: 0, tokens: ask.tokens + answer, refused: Refused::Counts }
    }

    fn settle(&self, _: &Need, _: &Usage) -> Settlement {
        Settlement::default()
    }

    fn say(&self, said: &Said<'_>) -> Value {
        match self.0 {
            Operation::Chat => chat::say(said),
            Operation::Embeddings => embeddings::say(said),
        }
    }

    fn complain(&self, problem: &Problem, _: &str) -> (u16, Value) {
        let plain =
            |status: u16, code: &str| (status, json!({"error": {"code": code, "message": problem.to_string()}}));
        match problem {
            Problem::NoKey | Problem::BadKey => plain(401, "401"),
            Problem::NoRoute => plain(404, "404"),
            Problem::UnknownModel(_) => plain(404, "DeploymentNotFound"),
            Problem::Limited { .. } => plain(429, "429"),
            Problem::ServerError => plain(500, "InternalServerError"),
            Problem::Overloaded | Problem::Unavailable => plain(503, "ServiceUnavailable"),
            Problem::Filtered => (400, filtered(problem)),
            other => openai::complain(other),
        }
    }

    fn label(&self, label: &Label<'_>, headers: &mut HeaderMap) {
        super::set(headers, "apim-request-id", label.id);
        openai::label(label, headers);
    }

    fn caching(&self) -> Caching {
        Caching::Unasked
    }

    fn refuses_by_error(&self) -> bool {
        true
    }
}

fn filtered(problem: &Problem) -> Value {
    let verdict =
        |is_filtered: bool| json!({"filtered": is_filtered, "severity": if is_filtered { "medium" } else { "safe" }});
    json!({"error": {
        "message": problem.to_string(),
        "type": null,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "hate": verdict(false),
                "self_harm": verdict(false),
                "sexual": verdict(false),
                "violence": verdict(true),
            },
        },
    }})
}
