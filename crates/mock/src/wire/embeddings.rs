//! OpenAI's Embeddings. Pure.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ask, Asked, Encoding, Head, Label, Problem, Said, Wire, openai};
use crate::limits::{DIMENSIONS, DIMENSIONS_MOST, EMBEDDING_INPUTS};
use crate::model::Usage;
use crate::rates::{Need, Settlement};
use crate::tokens;

/// OpenAI's Embeddings.
pub(crate) struct Embeddings;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<Input<'a>>,
    dimensions: Option<u64>,
    encoding_format: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts; lists of tokens are not offered")]
enum Input<'a> {
    One(Cow<'a, str>),
    #[serde(borrow)]
    Many(Vec<Cow<'a, str>>),
}

pub(super) fn read<'a>(model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
    let request: Request<'a> = serde_json::from_str(body).map_err(|error| Problem::unreadable(&error))?;
    let model = model.map(Cow::Borrowed).or(request.model).filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Problem::invalid("you must provide a model parameter", "model"))?;
    let inputs = match request.input {
        Some(Input::One(text)) => vec![text],
        Some(Input::Many(texts)) => texts,
        None => Vec::new(),
    };
    if inputs.is_empty() || inputs.len() > EMBEDDING_INPUTS {
        return Err(Problem::invalid(format!("'input' must hold 1 to {EMBEDDING_INPUTS} texts"), "input"));
    }
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
    if !(1..=DIMENSIONS_MOST).contains(&dimensions) {
        return Err(Problem::invalid(format!("'dimensions' must be 1 to {DIMENSIONS_MOST}"), "dimensions"));
    }
    let encoding = match request.encoding_format.as_deref() {
        None | Some("float") => Encoding::Numbers,
        Some("base64") => Encoding::Base64,
        Some(_) => return Err(Problem::invalid("'encoding_format' must be float or base64", "encoding_format")),
    };
    let tokens = inputs.iter().map(|text| tokens::count(text)).sum();
    let asked = Asked::Vectors { inputs, dimensions, encoding };
    Ok(Ask { model, tokens, prefix: None, most: None, asked, tool: None })
}

pub(super) fn say(said: &Said<'_>) -> Value {
    let written = |vector: &Vec<f32>| match said.vectors.encoding {
        Encoding::Numbers => json!(vector),
        Encoding::Base64 => {
            Value::from(STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()))
        }
    };
    let data = said.vectors.values.iter().enumerate();
    let data = data.map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": written(vector)}));
    json!({
        "object": "list",
        "data": data.collect::<Vec<_>>(),
        "model": said.model,
        "usage": {"prompt_tokens": said.usage.prompt(), "total_tokens": said.usage.prompt()},
    })
}

impl Wire for Embeddings {
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem> {
        openai::greet(head)
    }

    fn read<'a>(&self, model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
        read(model, body)
    }

    fn need(&self, ask: &Ask<'_>, _: &Usage, _: u64) -> Need {
        openai::need(ask)
    }

    fn settle(&self, _: &Need, _: &Usage) -> Settlement {
        Settlement::default()
    }

    fn say(&self, said: &Said<'_>) -> Value {
        say(said)
    }

    fn complain(&self, problem: &Problem, _: &str) -> (u16, Value) {
        openai::complain(problem)
    }

    fn label(&self, label: &Label<'_>, headers: &mut HeaderMap) {
        openai::label(label, headers);
    }
}
