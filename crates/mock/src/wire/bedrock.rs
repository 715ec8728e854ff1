//! Amazon Bedrock's Converse. Limits: requests, and tokens reserved by the prompt and the answer's limit together, of which
//! what was not used is given back. Its head tells of no limits. Pure.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::prompt::Prompt;
use super::{Ask, Asked, Head, Label, Problem, Said, Wire, set};
use crate::answer::Finish;
use crate::model::Usage;
use crate::rates::{Need, Refused, Settlement};
use crate::schema::Strictness;

/// Amazon Bedrock's Converse.
pub(crate) struct Converse;

/// What a signature of AWS's fourth version consists of.
const SIGNATURE_PARTS: [&str; 3] = ["Credential=", "SignedHeaders=", "Signature="];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
    inference_config: Option<InferenceConfig>,
    #[serde(borrow)]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(borrow)]
    output_config: Option<OutputConfig<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfig {
    max_tokens: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig<'a> {
    #[serde(borrow)]
    tools: Vec<Tool<'a>>,
    #[serde(borrow)]
    tool_choice: Option<ToolChoice<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'a> {
    #[serde(borrow)]
    tool_spec: Option<ToolSpec<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolSpec<'a> {
    name: String,
    #[serde(borrow)]
    input_schema: InputSchema<'a>,
}

#[derive(Deserialize)]
struct InputSchema<'a> {
    #[serde(borrow)]
    json: &'a RawValue,
}

#[derive(Deserialize)]
struct ToolChoice<'a> {
    tool: Option<ChosenTool>,
    #[serde(borrow)]
    any: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChosenTool {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputConfig<'a> {
    #[serde(borrow)]
    text_format: Option<TextFormat<'a>>,
}

#[derive(Deserialize)]
struct TextFormat<'a> {
    #[serde(borrow)]
    structure: Structure<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structure<'a> {
    #[serde(borrow)]
    json_schema: JsonSchema<'a>,
}

/// The schema is a text of its own.
#[derive(Deserialize)]
struct JsonSchema<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    name: Option<String>,
}

impl Wire for Converse {
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem> {
        let signature = head.credential("AWS4-HMAC-SHA256");
        let is_signed = signature.is_some_and(|signature| SIGNATURE_PARTS.iter().all(|part| signature.contains(part)));
        // An API key of Bedrock comes without a signature.
        if is_signed || head.credential("bearer").is_some() { Ok(()) } else { Err(Problem::NoKey) }
    }

    fn read<'a>(&self, model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
        let request: Request<'a> = serde_json::from_str(body).map_err(|error| Problem::unreadable(&error))?;
        let messages = request.messages.filter(|raw| raw.get() != "[]").ok_or_else(|| Problem::missing("messages"))?;
        let mut prompt = if body.contains("\"cachePoint\"") { Prompt::with_prefixes() } else { Prompt::default() };
        for part in request.system.into_iter().chain([messages]) {
            prompt.read(part).map_err(|error| Problem::unreadable(&error))?;
        }
        let format = request.output_config.and_then(|config| config.text_format);
        let (asked, tool) = match (request.tool_config.map_or(Ok(None), chosen)?, format) {
            (Some((name, schema)), _) => {
                (lenient(Cow::Borrowed(schema.get()), "inputSchema".into()), Some(Cow::Owned(name)))
            }
            (None, Some(TextFormat { structure: Structure { json_schema } })) => {
                (lenient(json_schema.schema, json_schema.name.map_or("schema".into(), Cow::Owned)), None)
            }
            (None, None) => (Asked::Text, None),
        };
        if let Asked::Schema { text, .. } = &asked {
            prompt.add(text);
        }
        let model = Cow::Borrowed(model.unwrap_or_default());
        let most = request.inference_config.and_then(|config| config.max_tokens).filter(|most| *most > 0);
        Ok(Ask { model, tokens: prompt.tokens, prefix: prompt.prefix, most, asked, tool })
    }

    fn need(&self, ask: &Ask<'_>, _: &Usage, most: u64) -> Need {
        Need { input: 0, output: 0, tokens: ask.tokens + most, refused: Refused::IsFree }
    }

    fn settle(&self, need: &Need, usage: &Usage) -> Settlement {
        Settlement { output: 0, unused_tokens: need.tokens.saturating_sub(usage.prompt() + usage.output) }
    }

    fn say(&self, said: &Said<'_>) -> Value {
        let (answer, usage) = (&said.answer, said.usage);
        let stop_reason = match (answer.finish, said.tool) {
            (Finish::Refusal, _) => "content_filtered",
            (Finish::Length, _) => "max_tokens",
            (Finish::Stop, Some(_)) => "tool_use",
            (Finish::Stop, None) => "end_turn",
        };
        let content = match said.tool {
            Some(name) if answer.finish != Finish::Refusal => {
                let id = format!("tooluse_{}", &said.id[..22]);
                json!({"toolUse": {"toolUseId": id, "name": name, "input": said.tool_input()}})
            }
            _ => json!({"text": answer.text}),
        };
        json!({
            "output": {"message": {"role": "assistant", "content": [content]}},
            "stopReason": stop_reason,
            "usage": {
                "inputTokens": usage.input,
                "outputTokens": usage.output,
                "totalTokens": usage.prompt() + usage.output,
                "cacheReadInputTokens": usage.cached,
                "cacheWriteInputTokens": usage.cache_written,
            },
            "metrics": {"latencyMs": said.latency_ms},
        })
    }

    fn complain(&self, problem: &Problem, _: &str) -> (u16, Value) {
        (fault_of(problem).0, json!({"message": problem.to_string()}))
    }

    fn label(&self, label: &Label<'_>, headers: &mut HeaderMap) {
        set(headers, "x-amzn-requestid", label.id);
        if let Some(problem) = label.problem {
            set(headers, "x-amzn-errortype", fault_of(problem).1);
        }
    }
}

/// Status and name of a problem.
fn fault_of(problem: &Problem) -> (u16, &'static str) {
    match problem {
        Problem::NoKey => (403, "MissingAuthenticationTokenException"),
        Problem::BadKey => (403, "UnrecognizedClientException"),
        Problem::NoRoute | Problem::UnknownModel(_) => (404, "ResourceNotFoundException"),
        Problem::Limited { .. } => (429, "ThrottlingException"),
        Problem::SpendLimit => (400, "ServiceQuotaExceededException"),
        Problem::ServerError => (500, "InternalServerException"),
        Problem::Overloaded | Problem::Unavailable => (503, "ServiceUnavailableException"),
        _ => (400, "ValidationException"),
    }
}

fn lenient<'a>(text: Cow<'a, str>, name: Cow<'a, str>) -> Asked<'a> {
    Asked::Schema { text, strictness: Strictness::Lenient, name }
}

/// The tool that must be used, with the schema of its input.
fn chosen(config: ToolConfig<'_>) -> Result<Option<(String, &RawValue)>, Problem> {
    let Some(choice) = config.tool_choice.filter(|choice| choice.tool.is_some() || choice.any.is_some()) else {
        return Ok(None);
    };
    let specs = config.tools.into_iter().filter_map(|tool| tool.tool_spec);
    let mut named = specs.filter(|spec| choice.tool.as_ref().is_none_or(|tool| tool.name == spec.name));
    let found = named.next().map(|spec| (spec.name, spec.input_schema.json));
    found.map(Some).ok_or_else(|| Problem::invalid("toolChoice: no tool in `tools` has this name", "toolConfig"))
}
