//! Numbers between the bounds of a schema. Pure.

use serde_json::{Map, Value};

use shardmill_engine::random::key::{below, unit};
use shardmill_engine::semantic::Method;

/// Beyond this a float no longer holds every whole number, and readers disagree.
const WHOLE_MOST: f64 = 9_007_199_254_740_992.0;
/// The room above or below a bound where there is no other.
const ROOM: f64 = 1_000.0;

/// The numbers that a schema takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Multiples of `step`.
    Whole { least: i64, most: i64, step: i64 },
    /// Decimals; a bound that is excluded is never met.
    Decimal { least: f64, most: f64, excludes: Excludes },
}

/// Which bounds of decimals are excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excludes {
    least: bool,
    most: bool,
}

impl Number {
    /// Reads the bounds of a schema; the error says what is wrong with them. `name` is that of its property.
    pub(super) fn read(node: &Map<String, Value>, is_whole: Whole, name: Option<&str>) -> Result<Self, String> {
        let step = step(node)?;
        let (least, most, excludes) = bounds(node, name)?;
        if is_whole == Whole::No && step == 1 && !node.contains_key("multipleOf") {
            let is_empty = if excludes.least || excludes.most { least >= most } else { least > most };
            return if is_empty { Err(empty(least, most)) } else { Ok(Self::Decimal { least, most, excludes }) };
        }
        let first = least.ceil() as i64 + i64::from(excludes.least && least.fract() == 0.0);
        let last = most.floor() as i64 - i64::from(excludes.most && most.fract() == 0.0);
        let (least, most) = (first.div_euclid(step) + i64::from(first.rem_euclid(step) > 0), last.div_euclid(step));
        if least > most {
            return Err(format!("no multiple of {step} lies between {first} and {last}"));
        }
        Ok(Self::Whole { least, most, step })
    }

    /// Writes the number at `bits`.
    pub(super) fn write(self, bits: u64, out: &mut String) {
        match self {
            Self::Whole { least, most, step } => {
                let count = most.abs_diff(least).saturating_add(1);
                let number = least.saturating_add_unsigned(below(bits, count)) * step;
                out.push_str(&number.to_string());
            }
            Self::Decimal { least, most, excludes } => {
                let exact = least + (most - least) * unit(bits);
                let rounded = (exact * 100.0).round() / 100.0;
                let fits = rounded >= least && rounded <= most && !(excludes.least && rounded == least);
                let value = if fits && !(excludes.most && rounded == most) { rounded } else { exact };
                out.push_str(
                    &serde_json::Number::from_f64(value).map_or_else(String::new, |number| number.to_string()),
                );
            }
        }
    }
}

/// Whether only whole numbers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

fn empty(least: f64, most: f64) -> String {
    format!("no number lies between {least} and {most}")
}

fn step(node: &Map<String, Value>) -> Result<i64, String> {
    match node.get("multipleOf") {
        None => Ok(1),
        Some(step) => {
            let whole =
                step.as_i64().or_else(|| step.as_f64().filter(|step| step.fract() == 0.0).map(|step| step as i64));
            whole.filter(|step| (1..=1_000_000_000).contains(step)).ok_or_else(|| {
                format!("multipleOf {step} is not offered; expected a whole number from 1 to 1000000000")
            })
        }
    }
}

fn bounds(node: &Map<String, Value>, name: Option<&str>) -> Result<(f64, f64, Excludes), String> {
    let number = |name: &str| match node.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|number| number.abs() <= WHOLE_MOST) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("{name} {value} is not offered; expected a number up to {WHOLE_MOST}")),
        },
    };
    let (inclusive, exclusive) = (number("minimum")?, number("exclusiveMinimum")?);
    let least = stricter(inclusive, exclusive, f64::gt);
    let (inclusive, exclusive) = (number("maximum")?, number("exclusiveMaximum")?);
    let most = stricter(inclusive, exclusive, f64::lt);
    let (least_bound, most_bound) = match (least, most) {
        (Some(least), Some(most)) => (least.0, most.0),
        (Some(least), None) => (least.0, least.0 + ROOM),
        (None, Some(most)) => (most.0 - ROOM, most.0),
        (None, None) => suggested(name),
    };
    let excludes = |bound: Option<(f64, bool)>| bound.is_some_and(|(_, is_excluded)| is_excluded);
    Ok((least_bound, most_bound, Excludes { least: excludes(least), most: excludes(most) }))
}

/// The bounds that a name suggests.
fn suggested(name: Option<&str>) -> (f64, f64) {
    match name.and_then(Method::infer) {
        Some(Method::Age) => (18.0, 90.0),
        Some(Method::Percentage) => (0.0, 100.0),
        Some(Method::Rating) => (1.0, 5.0),
        Some(Method::Latitude) => (-90.0, 90.0),
        Some(Method::Longitude) => (-180.0, 180.0),
        _ => (0.0, ROOM),
    }
}

/// The stricter of two bounds, and whether it is excluded.
fn stricter(
    inclusive: Option<f64>,
    exclusive: Option<f64>,
    is_stricter: fn(&f64, &f64) -> bool,
) -> Option<(f64, bool)> {
    match (inclusive, exclusive) {
        (Some(inclusive), Some(exclusive)) if is_stricter(&inclusive, &exclusive) => Some((inclusive, false)),
        (_, Some(exclusive)) => Some((exclusive, true)),
        (inclusive, None) => inclusive.map(|bound| (bound, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(node: &Value, is_whole: Whole) -> Result<Number, String> {
        Number::read(node.as_object().expect("an object"), is_whole, None)
    }

    #[test]
    fn whole_numbers_keep_their_bounds() {
        for (node, least, most, step) in [
            (json!({}), 0, 1_000, 1),
            (json!({"minimum": 3, "maximum": 4}), 3, 4, 1),
            (json!({"exclusiveMinimum": 3, "exclusiveMaximum": 5}), 4, 4, 1),
            (json!({"minimum": -7.5, "maximum": -1}), -7, -1, 1),
            (json!({"minimum": 3, "maximum": 11, "multipleOf": 5}), 1, 2, 5),
            (json!({"minimum": -3, "maximum": 3, "multipleOf": 5}), 0, 0, 5),
        ] {
            assert_eq!(read(&node, Whole::Yes), Ok(Number::Whole { least, most, step }), "{node}");
        }
        for node in [json!({"minimum": 4, "maximum": 3}), json!({"exclusiveMinimum": 3, "exclusiveMaximum": 4})] {
            assert!(read(&node, Whole::Yes).expect_err("empty").contains("between"), "{node}");
        }
        assert!(read(&json!({"multipleOf": 0.1}), Whole::No).expect_err("not offered").contains("0.1"));
        assert!(read(&json!({"minimum": 1e300}), Whole::No).is_err());
    }

    #[test]
    fn decimals_never_meet_an_excluded_bound() {
        let number = read(&json!({"exclusiveMinimum": 0, "exclusiveMaximum": 0.01}), Whole::No).expect("right");
        for bits in [0, 1, u64::MAX / 2, u64::MAX] {
            let mut text = String::new();
            number.write(bits, &mut text);
            let value: f64 = text.parse().expect("a number");
            assert!(value > 0.0 && value < 0.01, "{text}");
        }
    }
}
