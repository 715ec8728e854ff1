//! Prompts, skipped rows, answers in a form, and the columns that they become.

use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use serde_json::json;
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec, document};

use crate::compile::{ENGINES, compile};
use crate::tables::{Asked, Tables};
use crate::{EngineError, Rows, Scratch, Taken};

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
    tables_of(SPEC)
}

fn tables_of(spec: &str) -> Tables {
    let known = Known { kinds: &["tables"], formats: &["parquet"], compressions: &["zstd"], engines: ENGINES };
    let report = Report::strict();
    let spec = document::parse(spec, &report).and_then(|document| Spec::read(&document, &known, &report));
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
        let asked = Asked { table: 1, rows: Rows::Range(1..3), given };
        tables.prompts(&asked, column, &scratch).map(|prompts| prompts.into_iter().flatten().collect::<Vec<_>>())
    };
    assert_eq!(rows(&[], 1).expect("renders"), ["Praise Ulm.", "Praise Ulm loudly."]);
    let unanswered = rows(&[], 2);
    assert!(matches!(unanswered, Err(EngineError::Unanswered { .. })), "{unanswered:?}");
    let mut given = vec![(1, texts(&["nice", "great"]))];
    assert_eq!(rows(&given, 2).expect("renders"), ["Answer nice", "Answer great"]);
    given.push((2, texts(&["ok", "thanks"])));
    let batch =
        tables.filled_batch(&Asked { table: 1, rows: Rows::Range(1..3), given: &given }, &scratch).expect("makes rows");
    let lengths: &Int64Array = batch.column_by_name("length").expect("is there").as_primitive();
    assert_eq!(lengths.values(), &[2, 6]);
    assert!(tables.batch(1, 0..1, &scratch).is_err(), "without answers there is no row");
}

const FORMS: &str = "
shardmill: 1
name: a
tables:
  reviews:
    rows: 400
    columns:
      n: {sequence: 1}
      mood:
        llm_choice:
          model: p/m
          prompt: '{{ vary.tone }} {{ n }}'
          choices: [good, bad]
          skip_if: n == 2
          vary: {tone: [calm, loud, dry]}
          examples: [{input: 'calm 0', output: bad}]
      facts:
        llm_json:
          model: p/m
          prompt: 'Of {{ mood }}'
          schema:
            properties:
              size: {type: integer, minimum: 1}
              name: {type: [string, null], description: what it is called}
              place: {type: object, properties: {town: {type: string, enum: [Ulm, Bonn]}, x: {type: number}}, required: [town]}
              tags: {type: array, items: {type: string}, maxItems: 3}
      verdict:
        llm_judge:
          model: p/m
          prompt: '{{ facts.place.town }}:{% for tag in facts.tags %} {{ tag }}{% endfor %} {{ facts }}'
          rubric: {clear: {about: how clear it is}, kind: {about: how kind it is, from: 0, to: 3}}
          keep_if: clear >= 3 and kind > 0
          examples: [{input: x, output: {clear: 2, kind: 1, clear_reason: a, kind_reason: b}}]
      twice: {type: int, expression: 'facts.size * 2 + verdict.clear'}
      east: {expression: \"facts.place.town == 'Ulm'\"}
";

/// The filling of a column of the one table.
fn with_filling<T>(tables: &Tables, name: &str, see: impl FnOnce(&crate::Filling) -> T) -> T {
    let column = tables.table(0).columns.iter().find(|column| column.name == name).expect("is there");
    see(column.filling().expect("is filled"))
}

#[test]
fn answers_in_a_form_are_cells_or_said_to_be_none() {
    let tables = tables_of(FORMS);
    let take = |column: &str, value: serde_json::Value| {
        with_filling(&tables, column, |filling| filling.take(value.to_string(), Some(&value)))
    };
    assert_eq!(take("mood", json!({"choice": "bad"})), Taken::Cell("bad".to_owned()));
    assert_eq!(take("mood", json!({"choice": "worse"})), Taken::Unfit("$.choice: is none of the choices".to_owned()));
    let facts = json!({"tags": [], "place": {"town": "Ulm"}, "size": 2.0, "name": null});
    let whole = r#"{"size":2,"name":null,"place":{"town":"Ulm","x":null},"tags":[]}"#;
    assert_eq!(take("facts", facts), Taken::Cell(whole.to_owned()));
    let huge = json!({"tags": [], "place": {"town": "Ulm"}, "size": 1e300, "name": null});
    assert!(
        matches!(take("facts", huge), Taken::Unfit(reason) if reason.starts_with("$.size: expected a whole number"))
    );
    let scores = |clear: i64, kind: i64| json!({"clear_reason": "r", "clear": clear, "kind_reason": "s", "kind": kind});
    let cell = r#"{"clear":3,"clear_reason":"r","kind":1,"kind_reason":"s"}"#;
    assert_eq!(take("verdict", scores(3, 1)), Taken::Cell(cell.to_owned()));
    let dropped = "`clear >= 3 and kind > 0` does not hold: clear is 2, kind is 1";
    assert_eq!(take("verdict", scores(2, 1)), Taken::Dropped(dropped.to_owned()));
    assert!(matches!(take("verdict", scores(9, 1)), Taken::Unfit(_)));
}

#[test]
fn a_model_is_given_schemas_that_require_every_field_and_examples_that_fit_them() {
    let tables = tables_of(FORMS);
    let schema = |column: &str| {
        with_filling(&tables, column, |filling| {
            let (name, schema) = filling.schema().expect("has one");
            (name, schema.clone(), filling.examples.clone())
        })
    };
    let (name, facts, _) = schema("facts");
    assert_eq!(name, "record");
    assert_eq!(facts["required"], json!(["size", "name", "place", "tags"]));
    assert_eq!(facts["properties"]["name"], json!({"type": ["string", "null"], "description": "what it is called"}));
    let place = &facts["properties"]["place"];
    assert_eq!((&place["required"], &place["additionalProperties"]), (&json!(["town", "x"]), &json!(false)));
    assert_eq!(place["properties"]["x"]["type"], json!(["number", "null"]));
    let (_, judge, examples) = schema("verdict");
    let keys: Vec<&String> = judge["properties"].as_object().expect("is one").keys().collect();
    assert_eq!(keys, ["clear_reason", "clear", "kind_reason", "kind"], "the reason comes first");
    assert_eq!(judge["properties"]["kind"]["enum"], json!([0, 1, 2, 3]));
    let shown = r#"{"clear_reason":"a","clear":2,"kind_reason":"b","kind":1}"#;
    assert_eq!(examples, [("x".to_owned(), shown.to_owned())]);
    let (_, _, examples) = schema("mood");
    assert_eq!(examples, [("calm 0".to_owned(), r#"{"choice":"bad"}"#.to_owned())]);
    let criteria = with_filling(&tables, "verdict", |filling| filling.criteria().map(<[String]>::to_vec));
    assert_eq!(criteria.expect("is judged")[1], "kind, a whole number from 0 to 3: how kind it is");
}

#[test]
fn structs_are_read_by_field_and_skipped_rows_are_null() {
    let (tables, scratch) = (tables_of(FORMS), Rc::new(Scratch::default()));
    let names: Vec<Vec<usize>> =
        tables.fillings(0).iter().map(|group| group.iter().map(|(at, _)| *at).collect()).collect();
    assert_eq!(names, [vec![1], vec![2], vec![3]]);
    let rows = || Rows::Picked(vec![0, 1, 3]);
    let moods = tables.prompts(&Asked { table: 0, rows: rows(), given: &[] }, 1, &scratch).expect("renders");
    assert!(moods[0].is_some() && moods[1].is_none() && moods[2].is_some(), "{moods:?}");
    let fact = r#"{"size":4,"name":null,"place":{"town":"Ulm","x":0.5},"tags":["a","b"]}"#;
    let verdict = r#"{"clear":3,"clear_reason":"r","kind":1,"kind_reason":"s"}"#;
    let given = [
        (1, Arc::new(StringArray::from(vec![Some("good"), None, Some("bad")])) as ArrayRef),
        (2, texts(&[fact, fact, fact])),
        (3, texts(&[verdict, verdict, verdict])),
    ];
    let asked = Asked { table: 0, rows: rows(), given: &given };
    let prompts = tables.prompts(&asked, 3, &scratch).expect("renders");
    assert_eq!(prompts[0].as_deref(), Some(format!("Ulm: a b {fact}").as_str()));
    let batch = tables.filled_batch(&asked, &scratch).expect("makes rows");
    let twice: &Int64Array = batch.column_by_name("twice").expect("is there").as_primitive();
    assert_eq!(twice.values(), &[11, 11, 11]);
    let mood = batch.column_by_name("mood").expect("is there");
    assert_eq!((mood.null_count(), mood.is_null(1)), (1, true));
    assert!(batch.column_by_name("east").expect("is there").as_boolean().value(2));
    let plain = arrow::compute::cast(mood, &arrow::datatypes::DataType::Utf8).expect("is text");
    assert_eq!(plain.as_string::<i32>().value(2), "bad");
    let schema = tables.schema(0);
    for name in ["facts", "verdict"] {
        let column = batch.column_by_name(name).expect("is there");
        assert_eq!(column.data_type(), schema.field_with_name(name).expect("is there").data_type());
    }
    let bad = [(1, texts(&["neither", "good", "good"])), given[1].clone(), given[2].clone()];
    let error =
        tables.filled_batch(&Asked { table: 0, rows: rows(), given: &bad }, &scratch).expect_err("is no choice");
    assert_eq!(error.to_string(), "column `reviews.mood`: an answer is none of the choices");
}

#[test]
fn what_varies_is_drawn_for_every_row_alike_in_any_split() {
    let (tables, scratch) = (tables_of(FORMS), Rc::new(Scratch::default()));
    let prompts = |rows| tables.prompts(&Asked { table: 0, rows, given: &[] }, 1, &scratch).expect("renders");
    let all = prompts(Rows::Range(0..400));
    assert_eq!(prompts(Rows::Range(100..200)), all[100..200]);
    assert_eq!(prompts(Rows::Picked(vec![399, 7])), [all[399].clone(), all[7].clone()]);
    for tone in ["calm", "loud", "dry"] {
        let count = all.iter().flatten().filter(|prompt| prompt.starts_with(tone)).count();
        assert!((90..180).contains(&count), "{tone}: {count}");
    }
}
