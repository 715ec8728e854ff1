//! A prompt: a template over columns of the row and of related rows, fields of structs, and what varies by row. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use minijinja::value::{Object, Serde, Value};
use minijinja::{Environment, UndefinedBehavior};

use super::value_at;
use crate::error::{EngineError, Result};
use crate::frame::{Frame, Source};
use crate::random::key::Key;

/// The name of the one template.
const PROMPT: &str = "prompt";
/// Steps of a template: a prompt is not a program.
const FUEL: u64 = 100_000;
/// Under what name a template finds what varies.
const VARY: &str = "vary";

/// A template and the columns it reads.
#[derive(Debug)]
pub(crate) struct Prompt {
    environment: Environment<'static>,
    /// The name in the template, `column` or `table.column`, and where its value is.
    pub(crate) slots: Vec<(String, Source)>,
    /// What is drawn for every row.
    pub(crate) varied: Vec<Varied>,
}

/// One of some texts, drawn for every row.
#[derive(Debug)]
pub(crate) struct Varied {
    /// The name in the template, after `vary.`.
    pub(crate) name: String,
    /// The key of its draws.
    pub(crate) key: Key,
    /// At least one.
    pub(crate) values: Vec<String>,
}

impl Prompt {
    /// Reads a template; its slots are not known yet.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_template_owned(PROMPT, text.to_owned()).map_err(|error| said(&error))?;
        Ok(Self { environment, slots: Vec::new(), varied: Vec::new() })
    }

    /// The names that the template asks for, in order: `column`, `table.column`, `column.field` or `vary.name`.
    pub(crate) fn names(&self) -> Vec<String> {
        let template = self.environment.get_template(PROMPT).expect("it was added when it was read");
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort();
        names
    }

    /// The prompt of every row of a frame, none where it is skipped.
    pub(super) fn render(&self, frame: &Frame<'_>, column: &str, skipped: &[bool]) -> Result<Vec<Option<String>>> {
        let columns: Result<Vec<ArrayRef>> = self.slots.iter().map(|(_, source)| frame.read_plain(*source)).collect();
        let columns: Result<Vec<Slot>> = columns?.iter().map(Slot::of).collect();
        let columns = columns?;
        let failed = |message| EngineError::Column {
            table: frame.described().name.clone(),
            column: column.to_owned(),
            message: format!("its prompt cannot be made: {message}"),
        };
        let one = |row: usize| match skipped[row] {
            true => Ok(None),
            false => self.fill(&columns, (row, frame.rows.at(row))).map(Some).map_err(failed),
        };
        (0..frame.len()).map(one).collect()
    }

    /// The prompt of one row: its position in the columns, and its number in the table.
    fn fill(&self, columns: &[Slot], (at, row): (usize, u64)) -> std::result::Result<String, String> {
        let mut own: BTreeMap<&str, Value> = BTreeMap::new();
        let mut related: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        for ((name, _), column) in self.slots.iter().zip(columns) {
            match name.split_once('.') {
                None => own.insert(name, column.at(at)),
                Some((table, name)) => related.entry(table).or_default().insert(name, column.at(at)),
            };
        }
        for varied in &self.varied {
            related.entry(VARY).or_default().insert(&varied.name, Value::from(varied.of(row)));
        }
        own.extend(related.into_iter().map(|(table, columns)| (table, Value::from_pairs(columns))));
        let template = self.environment.get_template(PROMPT).expect("it was added when it was read");
        template.render(Value::from_pairs(own)).map_err(|error| said(&error))
    }
}

impl Varied {
    fn of(&self, row: u64) -> &str {
        &self.values[self.key.below(row, self.values.len() as u64) as usize]
    }
}

/// A column as a template sees it.
enum Slot {
    Integers(ArrayRef),
    Floats(ArrayRef),
    Flags(ArrayRef),
    Structs(ArrayRef),
    /// Text, times and exact numbers, as they are written.
    Texts(ArrayRef),
}

impl Slot {
    fn of(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Int64 => Self::Integers(Arc::clone(array)),
            DataType::Float64 => Self::Floats(Arc::clone(array)),
            DataType::Boolean => Self::Flags(Arc::clone(array)),
            DataType::Struct(_) => Self::Structs(Arc::clone(array)),
            _ => Self::Texts(cast(array, &DataType::Utf8)?),
        })
    }

    fn at(&self, row: usize) -> Value {
        let (Self::Integers(array)
        | Self::Floats(array)
        | Self::Flags(array)
        | Self::Structs(array)
        | Self::Texts(array)) = self;
        if array.is_null(row) {
            return Value::from(());
        }
        match self {
            Self::Integers(array) => Value::from(array.as_primitive::<Int64Type>().value(row)),
            Self::Floats(array) => Value::from(array.as_primitive::<Float64Type>().value(row)),
            Self::Flags(array) => Value::from(array.as_boolean().value(row)),
            Self::Structs(array) => Value::from_object(Record(value_at(array.as_ref(), row))),
            Self::Texts(array) => Value::from(array.as_string::<i32>().value(row)),
        }
    }
}

/// A struct in a template: its fields by name, and as a whole the JSON text of it.
#[derive(Debug)]
struct Record(serde_json::Value);

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let field = self.0.get(key)?;
        Some(if field.is_object() { Value::from_object(Self(field.clone())) } else { Value::from(Serde(field)) })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a template's error says, without the lines around.
fn said(error: &minijinja::Error) -> String {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    error.line().map_or_else(|| detail.clone(), |line| format!("{detail} (line {line} of the prompt)"))
}
