//! `llm_judge`: scores with reasons, given by a model to every row; rows below a bar can be dropped. Pure.

use serde_json::{Map, Value, json};
use shardmill_shared::spec::Place;

use super::expression::refused;
use super::filled::{
    EXAMPLES, MAX_OUTPUT_TOKENS, MODEL, PROMPT, REUSE, SKIP_IF, SYSTEM, TEMPERATURE, VARY, Written, is_word,
};
use super::{Generator, Info, Param};
use crate::compile::site::Site;
use crate::expression::{Expression, Typed};
use crate::filling::{Form, Judgement, Kind, Shape};
use crate::value::Type;

/// More is no judgement that anybody reads.
const CRITERIA_MAX: usize = 20;
/// The most steps of a scale: a model cannot tell more apart.
const STEPS_MAX: i64 = 100;

/// How specs name it.
pub const INFO: Info = Info {
    name: "llm_judge",
    about: "scores with reasons that a model gives to every row; see [models](models.md)",
    params: &[
        MODEL,
        PROMPT,
        Param {
            name: "rubric",
            takes: "map of name to {criterion}",
            default: "",
            about: "what is scored: each criterion is a field, and its reason the field `name_reason`",
        },
        Param {
            name: "keep_if",
            takes: "expression",
            default: "every row",
            about: "over the scores: rows for which it is not true are rejected",
        },
        SYSTEM,
        MAX_OUTPUT_TOKENS,
        TEMPERATURE,
        SKIP_IF,
        EXAMPLES,
        VARY,
        REUSE,
    ],
    bare: None,
    example: "{llm_judge: {model: rehearsal/mock-1, prompt: 'Nice hat!', rubric: {polite: {about: how polite it is}}}}",
    build,
};

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let written = Written::of(&fields);
    let (rubric, keep) = (fields.need("rubric"), fields.get("keep_if"));
    fields.finish();
    let criteria = criteria(&rubric?)?;
    let names: Vec<&str> = criteria.iter().map(|criterion| criterion.name).collect();
    let keep = keep.map_or(Some(None), |place| bar(&place, &names).map(Some))?;
    let fields = criteria.iter().flat_map(|criterion| {
        let reason = (criterion.reason(), Shape::of(Kind::Text));
        [(criterion.name.to_owned(), Shape { options: Some(criterion.scores()), ..Shape::of(Kind::Int) }), reason]
    });
    let judgement = Judgement {
        schema: schema(&criteria),
        shape: Shape::of(Kind::Struct(fields.collect())),
        criteria: criteria.iter().map(Criterion::line).collect(),
        keep,
    };
    written.filled(Form::Judge(judgement), site)
}

/// What is scored.
struct Criterion<'a> {
    name: &'a str,
    about: &'a str,
    from: i64,
    to: i64,
}

impl Criterion<'_> {
    fn reason(&self) -> String {
        format!("{}_reason", self.name)
    }

    fn scores(&self) -> Vec<Value> {
        (self.from..=self.to).map(Value::from).collect()
    }

    fn line(&self) -> String {
        format!("{}, a whole number from {} to {}: {}", self.name, self.from, self.to, self.about)
    }
}

fn criteria<'a>(place: &Place<'a>) -> Option<Vec<Criterion<'a>>> {
    let entries = place.entries()?;
    if !(1..=CRITERIA_MAX).contains(&entries.len()) {
        return place.problem(format!("there are {} criteria", entries.len()), format!("1 to {CRITERIA_MAX}"));
    }
    let criteria: Option<Vec<Criterion<'a>>> = entries.iter().map(|(name, place)| criterion(name, place)).collect();
    let criteria = criteria?;
    let clash = criteria.iter().find(|one| criteria.iter().any(|other| one.name == other.reason()));
    match clash {
        Some(clash) => {
            place.problem(format!("`{}` is the field of another criterion's reason", clash.name), "another name")
        }
        None => Some(criteria),
    }
}

fn criterion<'a>(name: &'a str, place: &Place<'a>) -> Option<Criterion<'a>> {
    if !is_word(name) {
        return place.problem(format!("`{name}` cannot name a criterion"), "letters, digits and `_`");
    }
    let fields = place.fields()?;
    let (about, from, to) = (fields.need("about"), fields.get("from"), fields.get("to"));
    fields.finish();
    let about = about?.text()?;
    let from = from.map_or(Some(1), |place| place.int())?;
    let to = to.map_or(Some(5), |place| place.int())?;
    let steps = to.checked_sub(from).filter(|steps| (1..STEPS_MAX).contains(steps));
    match steps {
        Some(_) => Some(Criterion { name, about, from, to }),
        None => place.problem(format!("scores from {from} to {to} are no scale"), format!("2 to {STEPS_MAX} steps")),
    }
}

fn bar(place: &Place<'_>, names: &[&str]) -> Option<Typed> {
    let text = place.text()?;
    let typed = Expression::parse(text)
        .and_then(|parsed| parsed.check(&|name: &str| names.contains(&name).then_some(Type::Int), names));
    match typed {
        Err(error) => refused(place, text, &error),
        Ok(typed) if typed.kind() != Type::Bool => {
            place.problem(format!("it has type {}", typed.kind()), "a condition over the scores, like `fluency >= 3`")
        }
        Ok(typed) => Some(typed),
    }
}

fn schema(criteria: &[Criterion<'_>]) -> Value {
    let mut properties = Map::new();
    for criterion in criteria {
        let about = format!("why this score: {}", criterion.about);
        properties.insert(criterion.reason(), json!({ "type": "string", "description": about }));
        let score = json!({ "type": "integer", "enum": criterion.scores(), "description": criterion.about });
        properties.insert(criterion.name.to_owned(), score);
    }
    let required: Vec<String> = properties.keys().cloned().collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
