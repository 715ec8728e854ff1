//! What a model is asked for the rows of a filled column: a prompt over other columns of the row and of related rows. Pure.
//!
//! The engine only asks. What was answered is given to it, and is then a column like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};

use crate::error::{EngineError, Result};
use crate::frame::{Frame, Source};

/// The name of the one template.
const PROMPT: &str = "prompt";
/// Steps of a template: a prompt is not a program.
const FUEL: u64 = 100_000;

/// What a model is asked for every row of a column.
#[derive(Debug)]
pub struct Filling {
    /// The provider, as the operator's configuration names it.
    pub provider: String,
    /// The model, as the provider names it.
    pub model: String,
    /// What the model is told before the prompt.
    pub system: Option<String>,
    /// The most tokens of an answer.
    pub max_output_tokens: u32,
    /// How much answers vary, from 0 to 2; the model's own default when it is not given.
    pub temperature: Option<f64>,
    pub(crate) prompt: Prompt,
}

/// A template and the columns it reads.
#[derive(Debug)]
pub(crate) struct Prompt {
    environment: Environment<'static>,
    /// The name in the template, `column` or `table.column`, and where its value is.
    pub(crate) slots: Vec<(String, Source)>,
}

impl Prompt {
    /// Reads a template; its slots are not known yet.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_template_owned(PROMPT, text.to_owned()).map_err(|error| said(&error))?;
        Ok(Self { environment, slots: Vec::new() })
    }

    /// The names that the template asks for, in order: `column`, or `table.column`.
    pub(crate) fn names(&self) -> Vec<String> {
        let template = self.environment.get_template(PROMPT).expect("it was added when it was read");
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort();
        names
    }

    /// The prompt of every row of a frame.
    fn render(&self, frame: &Frame<'_>, column: &str) -> Result<Vec<String>> {
        let columns: Result<Vec<ArrayRef>> = self.slots.iter().map(|(_, source)| frame.read_plain(*source)).collect();
        let columns: Result<Vec<Slot>> = columns?.iter().map(Slot::of).collect();
        let columns = columns?;
        let template = self.environment.get_template(PROMPT).expect("it was added when it was read");
        let one = |row: usize| {
            let mut own: BTreeMap<&str, Value> = BTreeMap::new();
            let mut related: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
            for ((name, _), column) in self.slots.iter().zip(&columns) {
                match name.split_once('.') {
                    None => own.insert(name, column.at(row)),
                    Some((table, name)) => related.entry(table).or_default().insert(name, column.at(row)),
                };
            }
            own.extend(related.into_iter().map(|(table, columns)| (table, Value::from_pairs(columns))));
            template.render(Value::from_pairs(own)).map_err(|error| said(&error))
        };
        let failed = |message| EngineError::Column {
            table: frame.described().name.clone(),
            column: column.to_owned(),
            message: format!("its prompt cannot be made: {message}"),
        };
        (0..frame.len()).map(|row| one(row).map_err(failed)).collect()
    }
}

/// A column as a template sees it.
enum Slot {
    Integers(ArrayRef),
    Floats(ArrayRef),
    Flags(ArrayRef),
    /// Text, times and exact numbers, as they are written.
    Texts(ArrayRef),
}

impl Slot {
    fn of(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Int64 => Self::Integers(Arc::clone(array)),
            DataType::Float64 => Self::Floats(Arc::clone(array)),
            DataType::Boolean => Self::Flags(Arc::clone(array)),
            _ => Self::Texts(cast(array, &DataType::Utf8)?),
        })
    }

    fn at(&self, row: usize) -> Value {
        let (Self::Integers(array) | Self::Floats(array) | Self::Flags(array) | Self::Texts(array)) = self;
        if array.is_null(row) {
            return Value::from(());
        }
        match self {
            Self::Integers(array) => Value::from(array.as_primitive::<Int64Type>().value(row)),
            Self::Floats(array) => Value::from(array.as_primitive::<Float64Type>().value(row)),
            Self::Flags(array) => Value::from(array.as_boolean().value(row)),
            Self::Texts(array) => Value::from(array.as_string::<i32>().value(row)),
        }
    }
}

impl Filling {
    /// The prompt for every row of a frame; `column` is what it fills.
    pub(crate) fn prompts(&self, frame: &Frame<'_>, column: &str) -> Result<Vec<String>> {
        self.prompt.render(frame, column)
    }
}

/// What a template's error says, without the lines around.
fn said(error: &minijinja::Error) -> String {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    error.line().map_or_else(|| detail.clone(), |line| format!("{detail} (line {line} of the prompt)"))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
    use shardmill_shared::spec::envelope::Known;
    use shardmill_shared::spec::{Report, Spec, document};

    use crate::compile::{ENGINES, compile};
    use crate::tables::{Asked, Tables};
    use crate::{EngineError, Scratch};

    const SPEC: &str = "
shardmill: 1
name: a
tables:
  shops: {rows: 2, columns: {id: {sequence: 1}, town: {choice: {choices: [Ulm]}}}}
  reviews:
    parent: shops
    fanout: 2
    columns:
      stars: {sequence: {start: 2}}
      praise: {llm_text: {model: p/m, prompt: 'Praise {{ shops.town }}{% if stars > 3 %} loudly{% endif %}.'}}
      answer: {llm_text: {model: p/m, prompt: 'Answer {{ praise }}', system: You are short., max_output_tokens: 9, temperature: 0.5}}
      length: {type: int, expression: 'length(answer)'}
";

    fn tables() -> Tables {
        let known = Known { kinds: &["tables"], formats: &["parquet"], compressions: &["zstd"], engines: ENGINES };
        let report = Report::strict();
        let spec = document::parse(SPEC, &report).and_then(|document| Spec::read(&document, &known, &report));
        let tables = spec.and_then(|spec| compile(&spec, &report));
        tables.unwrap_or_else(|| panic!("{:?}", report.into_problems()))
    }

    fn texts(texts: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(texts.to_vec()))
    }

    #[test]
    fn prompts_are_asked_in_groups_and_answers_are_columns() {
        let (tables, scratch) = (tables(), Rc::new(Scratch::default()));
        let groups = tables.fillings(1);
        let names: Vec<Vec<usize>> = groups.iter().map(|group| group.iter().map(|(at, _)| *at).collect()).collect();
        assert_eq!(names, [vec![1], vec![2]]);
        let rows = |given: &[(usize, ArrayRef)], column| {
            tables.prompts(&Asked { table: 1, rows: 1..3, given }, column, &scratch)
        };
        assert_eq!(rows(&[], 1).expect("renders"), ["Praise Ulm.", "Praise Ulm loudly."]);
        let unanswered = rows(&[], 2);
        assert!(matches!(unanswered, Err(EngineError::Unanswered { .. })), "{unanswered:?}");
        let mut given = vec![(1, texts(&["nice", "great"]))];
        assert_eq!(rows(&given, 2).expect("renders"), ["Answer nice", "Answer great"]);
        given.push((2, texts(&["ok", "thanks"])));
        let batch = tables.filled_batch(&Asked { table: 1, rows: 1..3, given: &given }, &scratch).expect("makes rows");
        let lengths: &Int64Array = batch.column_by_name("length").expect("is there").as_primitive();
        assert_eq!(lengths.values(), &[2, 6]);
        assert!(tables.batch(1, 0..1, &scratch).is_err(), "without answers there is no row");
    }
}
