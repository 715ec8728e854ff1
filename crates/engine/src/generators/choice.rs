//! `choice`: one of some values, or the value of a row of another table. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, DictionaryArray, Int32Array, StringArray};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use shardmill_shared::spec::{Fields, Place, Value};

use super::lookup::Lookup;
use super::{Generator, Info, Param};
use crate::civil::{DAY_US, parse_time};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::measure::{dates, floats, from_measure, ints, times};
use crate::random::key::Key;
use crate::random::permutation::Permutation;
use crate::random::rank::{Rank, Skew};
use crate::random::weighted::Weighted;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "choice",
    about: "one of some values, or of the rows of another table",
    params: &[
        Param {
            name: "choices",
            takes: "list of values, or map of value to weight",
            default: "none",
            about: "the values; either these or `choices_ref`",
        },
        Param {
            name: "choices_ref",
            takes: "table.column",
            default: "none",
            about: "instead of `choices`: chooses a row of that table",
        },
        Param { name: "weights", takes: "list of numbers", default: "equal", about: "the weight of each of `choices`" },
        Param {
            name: "weights_kind",
            takes: "uniform, zipf@ALPHA or head_tail@{SHARE,ALPHA}",
            default: "uniform",
            about: "weights by rank: the first value is the most popular; for a table, popularity is scattered over its rows, alike for everyone",
        },
        Param {
            name: "as",
            takes: "name",
            default: "the column's name",
            about: "the role of the chosen row, shared with lookups of that role",
        },
    ],
    bare: Some("choices"),
    example: "{type: string, choice: {choices: [red, green, blue], weights: [5, 3, 2]}}",
    build,
};

#[derive(Debug)]
struct Choice {
    key: Key,
    kind: Type,
    values: ArrayRef,
    picker: Picker,
    unique: bool,
}

#[derive(Debug)]
enum Picker {
    Rank(Rank),
    Weighted(Weighted),
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let choices = fields.get("choices");
    let reference = fields.get("choices_ref");
    let weights = fields.get("weights");
    let skew = skew(&fields, "weights_kind");
    let role = fields.get("as");
    fields.finish();
    let skew = skew?;
    match (choices, reference) {
        (Some(choices), None) => {
            if let Some(role) = role {
                return role.problem("`as` names the role of a chosen row", "`choices_ref`, or no `as`");
            }
            listed(&choices, weights.as_ref(), skew, site)
        }
        (None, Some(reference)) => {
            if let Some(weights) = weights {
                return weights.problem("`weights` cannot be given for the rows of a table", "`weights_kind`");
            }
            let role = match role {
                Some(role) => role.text()?.to_owned(),
                None => site.name().to_owned(),
            };
            let (table, column) = site.target(&reference)?;
            let link = site.pick(&reference, table, &role, skew.unwrap_or(Skew::Uniform))?;
            let kind = site.type_of(table, column)?;
            let may_be_null = site.may_be_null(table, column);
            Some(Box::new(Lookup { link, column, kind, may_be_null }))
        }
        _ => place.problem("there is nothing to choose from", "exactly one of `choices` and `choices_ref`"),
    }
}

fn listed(
    choices: &Place<'_>,
    weights: Option<&Place<'_>>,
    skew: Option<Skew>,
    site: &Site<'_, '_>,
) -> Option<Box<dyn Generator>> {
    // A map gives values and weights at once.
    if matches!(choices.node.value, Value::Map(_)) {
        let entries = choices.entries()?;
        let texts: Vec<&str> = entries.iter().map(|(value, _)| *value).collect();
        let weights: Option<Vec<f64>> = entries.iter().map(|(_, weight)| weight.float()).collect();
        let plain: ArrayRef = Arc::new(StringArray::from(texts));
        let kind = site.declared.unwrap_or(Type::Text);
        let Ok(values) = crate::measure::convert(&plain, kind) else {
            return choices.problem("these values do not fit the column", format!("values of type {kind}"));
        };
        let picker = Picker::Weighted(weighted(choices, &weights?)?);
        return finish(choices, (kind, values), picker, site);
    }
    let items = choices.list()?;
    if items.is_empty() {
        return choices.problem("the list is empty", "at least one value");
    }
    let (kind, values) = literal_values(&items, site.declared)?;
    let picker = match (weights, skew) {
        (Some(weights), None) => {
            let list: Option<Vec<f64>> = weights.list()?.iter().map(|weight| weight.float()).collect();
            let list = list?;
            if list.len() != items.len() {
                let message = format!("{} weights are given for {} choices", list.len(), items.len());
                return weights.problem(message, "one weight for each choice");
            }
            Picker::Weighted(weighted(weights, &list)?)
        }
        (Some(weights), Some(_)) => return weights.problem("weights are given twice", "`weights` or `weights_kind`"),
        (None, skew) => match Rank::new(skew.unwrap_or(Skew::Uniform), items.len() as u64) {
            Ok(rank) => Picker::Rank(rank),
            Err(error) => return choices.problem(error.to_string(), "a usable `weights_kind`"),
        },
    };
    finish(choices, (kind, values), picker, site)
}

fn finish(
    place: &Place<'_>,
    (kind, values): (Type, ArrayRef),
    picker: Picker,
    site: &Site<'_, '_>,
) -> Option<Box<dyn Generator>> {
    let unique = site.unique;
    if unique {
        let share = |at: usize| match &picker {
            Picker::Rank(rank) => rank.share(at as u64),
            Picker::Weighted(weighted) => weighted.share(at),
        };
        if (1..values.len()).any(|at| share(at) != share(0)) {
            return place.problem("unequal weights cannot be kept when values are unique", "no weights");
        }
        site.enough(place, values.len() as u64)?;
    }
    Some(Box::new(Choice { key: site.key(), kind, values, picker, unique }))
}

pub(crate) fn weighted(place: &Place<'_>, weights: &[f64]) -> Option<Weighted> {
    match Weighted::new(weights) {
        Ok(weighted) => Some(weighted),
        Err(error) => place.problem(error.to_string(), "weights that are not negative, one of them above 0"),
    }
}

/// The skew written under `name`: `None` inside when it is not written.
pub(crate) fn skew(fields: &Fields<'_>, name: &'static str) -> Option<Option<Skew>> {
    let Some(place) = fields.get(name) else { return Some(None) };
    let text = place.text()?;
    let expected = "`uniform`, `zipf@1.2` or `head_tail@{0.6,1.5}`";
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    let (word, rest) = text.split_once('@').unwrap_or((text, ""));
    let skew = match word.trim() {
        "uniform" if rest.is_empty() => Some(Skew::Uniform),
        "zipf" => number(rest).map(|alpha| Skew::Zipf { alpha }),
        "head_tail" => rest
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .and_then(|rest| rest.split_once(','))
            .and_then(|(share, alpha)| Some((number(share).filter(|share| *share < 1.0)?, number(alpha)?)))
            .map(|(head_share, tail_alpha)| Skew::HeadTail { head_share, tail_alpha }),
        _ => None,
    };
    match skew {
        Some(skew) => Some(Some(skew)),
        None => place.problem(format!("`{text}` is no kind of weights"), expected),
    }
}

/// Values as written, as one array of the declared type or of the type they share.
pub(crate) fn literal_values(items: &[Place<'_>], declared: Option<Type>) -> Option<(Type, ArrayRef)> {
    let kind = declared.unwrap_or_else(|| shared_type(items));
    let array = match kind {
        Type::Bool => {
            let values: Option<Vec<bool>> = items.iter().map(Place::bool).collect();
            Arc::new(BooleanArray::from(values?)) as ArrayRef
        }
        Type::Int => ints(items.iter().map(Place::int).collect::<Option<_>>()?),
        Type::Float => floats(items.iter().map(Place::float).collect::<Option<_>>()?),
        Type::Decimal { .. } => {
            let values: Option<Vec<f64>> = items.iter().map(Place::float).collect();
            from_measure(&values?.into(), kind).ok()?
        }
        Type::Time => times(items.iter().map(time).collect::<Option<_>>()?),
        Type::Date => {
            let days: Option<Vec<i64>> = items.iter().map(time).collect();
            dates(days?.into_iter().map(|time| time.div_euclid(DAY_US) as i32).collect())
        }
        // A struct cannot be declared, so what is written is text.
        Type::Text | Type::Struct => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            Arc::new(StringArray::from(texts?)) as ArrayRef
        }
    };
    Some((kind, array))
}

/// A point in time as written.
pub(crate) fn time(place: &Place<'_>) -> Option<i64> {
    let text = place.text()?;
    match parse_time(text) {
        Some(time) => Some(time),
        None => {
            place.problem(format!("`{text}` is no date or time"), "ISO 8601, as in 2024-01-31 or 2024-01-31T08:00:00Z")
        }
    }
}

fn text(place: &Place<'_>) -> Option<String> {
    match &place.node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(int) => Some(int.to_string()),
        Value::Float(float) => Some(float.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => place.problem("this is no single value", "text"),
    }
}

fn shared_type(items: &[Place<'_>]) -> Type {
    let all = |is: fn(&Value) -> bool| items.iter().all(|item| is(&item.node.value));
    if all(|value| matches!(value, Value::Bool(_))) {
        Type::Bool
    } else if all(|value| matches!(value, Value::Int(_))) {
        Type::Int
    } else if all(|value| matches!(value, Value::Int(_) | Value::Float(_))) {
        Type::Float
    } else {
        Type::Text
    }
}

impl Generator for Choice {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let rows = &draw.frame.rows;
        let positions: Vec<i32> = if self.unique {
            let permutation = Permutation::new(self.key, self.values.len() as u64);
            rows.map(|row| permutation.apply(row) as i32)
        } else {
            let key = draw.key(self.key, 0);
            match &self.picker {
                Picker::Rank(rank) => rows.map(|row| rank.pick(key.draw(row)) as i32),
                Picker::Weighted(weighted) => rows.map(|row| weighted.pick(key.draw(row)) as i32),
            }
        };
        if self.kind == Type::Text && !self.unique {
            let keys = Int32Array::from(positions);
            return Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&self.values))?));
        }
        Ok(take(&self.values, &Int32Array::from(positions), None)?)
    }

    fn is_unique(&self) -> bool {
        self.unique
    }
}
