//! What is asked of the mock provider itself: its bill, its models, and to behave differently from now on.

use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::desk::{Desk, Ending, Verdict};
use crate::fault::Faults;
use crate::model::Model;
use crate::rates::Limits;
use crate::routes::Control;

/// The day from which all models are, as both listings have it.
const SINCE_S: u64 = 1_735_689_600;
const SINCE: &str = "2025-01-01T00:00:00Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFaults {
    faults: String,
}

/// Does what is asked.
pub(crate) fn control(desk: &Desk, control: Control, body: &[u8]) -> Verdict {
    let done = match control {
        Control::Bill => Ok(json!(desk.bill())),
        Control::Reset => {
            desk.reset();
            Ok(json!({}))
        }
        Control::SetFaults => set_faults(desk, body),
        Control::SetLimits => set_limits(desk, body),
    };
    match done {
        Ok(body) => verdict(200, &body),
        Err(message) => verdict(400, &json!({"error": {"message": message}})),
    }
}

fn set_faults(desk: &Desk, body: &[u8]) -> Result<Value, String> {
    let wrong = |error| format!(r#"the faults cannot be read: {error}; expected {{"faults": "timeout:1%"}}"#);
    let new: NewFaults = serde_json::from_slice(body).map_err(wrong)?;
    desk.set_faults(Faults::read(&new.faults).map_err(|error| error.to_string())?);
    Ok(json!({"faults": new.faults}))
}

fn set_limits(desk: &Desk, body: &[u8]) -> Result<Value, String> {
    let wrong = |error| format!(r#"the limits cannot be read: {error}; expected {{"requests_per_minute": 60}}"#);
    let new: Limits = serde_json::from_slice(body).map_err(wrong)?;
    new.check().map_err(|error| error.to_string())?;
    desk.set_limits(new);
    Ok(json!(new))
}

/// The models that are served, or one of them, as Anthropic lists them to whoever names its version, else as OpenAI does.
pub(crate) fn models(desk: &Desk, name: Option<&str>, headers: &HeaderMap) -> Verdict {
    let is_anthropic = headers.contains_key("anthropic-version");
    let shown = |model: &Model| if is_anthropic { anthropic_model(model) } else { openai_model(model) };
    let wanted = |model: &&Model| name.is_none_or(|name| model.name == name);
    let mut found: Vec<Value> = desk.options.models.iter().filter(wanted).map(shown).collect();
    match name {
        Some(_) if !found.is_empty() => verdict(200, &found.swap_remove(0)),
        Some(name) => not_found(&format!("there is no model `{name}` here"), is_anthropic),
        None if is_anthropic => {
            let end = |model: Option<&Value>| model.map_or(Value::Null, |model| model["id"].clone());
            let (first, last) = (end(found.first()), end(found.last()));
            verdict(200, &json!({"data": found, "has_more": false, "first_id": first, "last_id": last}))
        }
        None => verdict(200, &json!({"object": "list", "data": found})),
    }
}

/// The answer to a path that leads nowhere.
pub(crate) fn unknown(path: &str) -> Verdict {
    let message = format!(
        "there is nothing at {path}; the mock provider answers at /v1/messages, /v1/chat/completions, /v1/responses, \
         /v1/embeddings, /v1/models, /openai/deployments/NAME/chat/completions, /model/NAME/converse and /mock/bill"
    );
    not_found(&message, false)
}

/// The answer to a method that a path does not take.
pub(crate) fn wrong_method(path: &str) -> Verdict {
    verdict(
        405,
        &json!({"error": {"message": format!("{path} does not take this method"), "type": "invalid_request_error"}}),
    )
}

/// The answer to a body that is too long.
pub(crate) fn too_large(most: usize) -> Verdict {
    let message = format!("the body of the request exceeds {most} bytes");
    verdict(413, &json!({"error": {"message": message, "type": "invalid_request_error"}}))
}

fn not_found(message: &str, is_anthropic: bool) -> Verdict {
    let error =
        json!({"message": message, "type": if is_anthropic { "not_found_error" } else { "invalid_request_error" }});
    verdict(404, &if is_anthropic { json!({"type": "error", "error": error}) } else { json!({"error": error}) })
}

fn anthropic_model(model: &Model) -> Value {
    json!({
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": SINCE,
        "lifecycle": "active",
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.max_output_tokens,
    })
}

fn openai_model(model: &Model) -> Value {
    json!({"id": model.name, "object": "model", "created": SINCE_S, "owned_by": "mock"})
}

fn verdict(status: u16, body: &Value) -> Verdict {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    Verdict { status, headers, body: body.to_string().into(), wait_ms: 0, ending: Ending::Whole }
}
