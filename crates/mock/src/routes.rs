//! What a path asks for. Pure.

use std::borrow::Cow;

use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::wire::azure::{Azure, Operation};
use crate::wire::{Wire, anthropic, bedrock, chat, embeddings, responses};

/// What is asked for.
pub(crate) enum Route<'p> {
    /// An answer of a model; the path may name it.
    Call { wire: &'static dyn Wire, model: Option<Cow<'p, str>> },
    /// The models, or one of them.
    Models(Option<Cow<'p, str>>),
    /// The mock provider itself.
    Control(Control),
    /// Nothing that is here.
    Unknown,
    /// A path that takes another method.
    WrongMethod,
}

/// What is asked of the mock provider itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Bill,
    Reset,
    SetFaults,
    SetLimits,
}

/// Every protocol whose path names no model.
const FIXED: [(&str, &dyn Wire); 4] = [
    ("/v1/messages", &anthropic::Messages),
    ("/v1/chat/completions", &chat::Chat),
    ("/v1/responses", &responses::Responses),
    ("/v1/embeddings", &embeddings::Embeddings),
];

/// What a method and a path ask for.
pub(crate) fn route<'p>(method: &Method, path: &'p str) -> Route<'p> {
    let (route, wanted) = match control(path) {
        Some((control, wanted)) => (Route::Control(control), wanted),
        None => match call(path) {
            Some((wire, model)) => (Route::Call { wire, model }, Method::POST),
            None => match models(path) {
                Some(model) => (Route::Models(model), Method::GET),
                None => return Route::Unknown,
            },
        },
    };
    if method == wanted { route } else { Route::WrongMethod }
}

fn control(path: &str) -> Option<(Control, Method)> {
    match path.strip_prefix("/mock/")? {
        "bill" => Some((Control::Bill, Method::GET)),
        "reset" => Some((Control::Reset, Method::POST)),
        "faults" => Some((Control::SetFaults, Method::POST)),
        "limits" => Some((Control::SetLimits, Method::POST)),
        _ => None,
    }
}

fn call(path: &str) -> Option<(&'static dyn Wire, Option<Cow<'_, str>>)> {
    if let Some((_, wire)) = FIXED.iter().find(|(fixed, _)| *fixed == path) {
        return Some((*wire, None));
    }
    if let Some(rest) = path.strip_prefix("/openai/deployments/") {
        let (deployment, operation) = rest.split_once('/')?;
        let wire: &'static dyn Wire = match operation {
            "chat/completions" => &Azure(Operation::Chat),
            "embeddings" => &Azure(Operation::Embeddings),
            _ => return None,
        };
        return Some((wire, Some(decoded(deployment))));
    }
    let model = path.strip_prefix("/model/")?.strip_suffix("/converse")?;
    Some((&bedrock::Converse, Some(decoded(model))))
}

fn models(path: &str) -> Option<Option<Cow<'_, str>>> {
    match path.strip_prefix("/v1/models")? {
        "" => Some(None),
        rest => rest.strip_prefix('/').map(|name| Some(decoded(name))),
    }
}

fn decoded(name: &str) -> Cow<'_, str> {
    percent_decode_str(name).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(path: &str) -> Option<String> {
        match route(&Method::POST, path) {
            Route::Call { model, .. } => Some(model.unwrap_or_default().into_owned()),
            _ => None,
        }
    }

    #[test]
    fn models_are_named_by_paths_where_the_protocol_has_it_so() {
        for (path, model) in [
            ("/v1/messages", Some("")),
            ("/v1/embeddings", Some("")),
            ("/openai/deployments/my%20one/chat/completions", Some("my one")),
            ("/openai/deployments/d/embeddings", Some("d")),
            ("/model/us.some-model-v1%3A0/converse", Some("us.some-model-v1:0")),
            ("/model/mock-1+refusal/converse", Some("mock-1+refusal")),
            ("/model/x/invoke", None),
            ("/v1/message", None),
            ("/openai/deployments/d/audio", None),
        ] {
            assert_eq!(called(path).as_deref(), model, "{path}");
        }
    }

    #[test]
    fn methods_matter() {
        assert!(matches!(route(&Method::GET, "/v1/messages"), Route::WrongMethod));
        assert!(matches!(route(&Method::GET, "/mock/bill"), Route::Control(Control::Bill)));
        assert!(matches!(route(&Method::GET, "/mock/reset"), Route::WrongMethod));
        assert!(matches!(route(&Method::GET, "/v1/models"), Route::Models(None)));
        assert!(matches!(route(&Method::GET, "/v1/models/a"), Route::Models(Some(name)) if name == "a"));
        assert!(matches!(route(&Method::GET, "/"), Route::Unknown));
    }
}
