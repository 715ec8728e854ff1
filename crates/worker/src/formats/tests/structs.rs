//! Structs and lists in every format: nested where a format nests, else JSON.

use ::arrow::array::{ArrayRef, ListArray, StructArray};
use ::arrow::buffer::{NullBuffer, OffsetBuffer};
use ::arrow::datatypes::Fields;

use super::*;

const TEXTS: [Option<&str>; 3] = [Some("comma, \"quote\"\nline"), None, Some("")];

fn item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

fn fields() -> Fields {
    let tags = Field::new("tags", DataType::List(item()), true);
    let inner = vec![Field::new("x", DataType::Float64, true), tags];
    let place = Field::new("odd \"place\"", DataType::Struct(Fields::from(inner)), true);
    vec![Field::new("size", DataType::Int64, true), Field::new("name", DataType::Utf8, true), place].into()
}

/// `rows` rows, of which every fifth is null; `alone` leaves out the key beside the struct.
fn batch(rows: usize, alone: bool) -> RecordBatch {
    let there = |at: usize| at % 5 != 4;
    let (fields, some) = (fields(), NullBuffer::from_iter((0..rows).map(there)));
    let DataType::Struct(inner) = fields[2].data_type().clone() else { panic!("is a struct") };
    let has_place = |at: usize| there(at) && at % 4 != 3;
    let lengths = (0..rows).map(|at| if has_place(at) { at % 3 } else { 0 });
    let items: StringArray = lengths.clone().flat_map(|length| (0..length).map(|at| TEXTS[at])).collect();
    let lists = NullBuffer::from_iter((0..rows).map(has_place));
    let tags = ListArray::new(item(), OffsetBuffer::from_lengths(lengths), Arc::new(items), Some(lists.clone()));
    let x = Float64Array::from_iter((0..rows).map(|at| has_place(at).then_some(at as f64 / 4.0)));
    let place = StructArray::new(inner, vec![Arc::new(x), Arc::new(tags)], Some(lists));
    let size = Int64Array::from_iter((0..rows).map(|at| there(at).then_some(at as i64 - 3)));
    let name = StringArray::from_iter((0..rows).map(|at| if there(at) { TEXTS[at % 3] } else { None }));
    let parts: Vec<ArrayRef> = vec![Arc::new(size), Arc::new(name), Arc::new(place)];
    let facts: ArrayRef = Arc::new(StructArray::new(fields.clone(), parts, Some(some)));
    let facts = (Field::new("facts", DataType::Struct(fields), true), facts);
    let id =
        (Field::new("id", DataType::Int64, false), Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef);
    let columns = if alone { vec![facts] } else { vec![id, facts] };
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

#[test]
fn every_format_reads_structs_back() {
    for alone in [false, true] {
        let batch = batch(20_000, alone);
        let schema = batch.schema();
        for_all(|format, options| {
            // In pieces, so that slices of structs are written, too.
            let pieces = [batch.slice(0, 7), batch.slice(7, 9_000), batch.slice(9_007, 10_993)];
            let bytes = bytes(format, options, &schema, &pieces);
            let found = read(format, options, &schema, (None, &bytes)).unwrap();
            assert_eq!(concat_batches(&schema, &found).unwrap(), batch, "{} alone {alone}", format.name());
        });
    }
}

#[test]
fn text_holds_structs_as_json() {
    let batch = batch(5, false);
    let text = |name: &str| {
        let options = options(Compression::None);
        String::from_utf8(bytes(format(name).unwrap(), &options, &batch.schema(), std::slice::from_ref(&batch)))
            .unwrap()
    };
    let lines = text("jsonl");
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place = serde_json::json!({"x": 0.5, "tags": [TEXTS[0], null]});
    assert_eq!(lines[2], serde_json::json!({"id": 2, "facts": {"size": -1, "name": "", "odd \"place\"": place}}));
    assert_eq!(lines[4], serde_json::json!({"id": 4, "facts": null}));
    let csv = text("csv");
    let expected = r#"3,"{""size"":0,""name"":""comma, \""quote\""\nline"",""odd \""place\"""":null}""#;
    assert_eq!(csv.lines().nth(4), Some(expected));
    assert_eq!(csv.lines().nth(5), Some("4,"));
}

#[test]
fn damaged_structs_in_csv_are_errors() {
    let batch = batch(3, false);
    let options = options(Compression::None);
    for damaged in ["{", "{}}", "{\"size\":\"x\"}", "1", "{}\\n{}"] {
        let bytes = format!("id,facts\n0,\"{}\"\n", damaged.replace('"', "\"\"").replace("\\n", "\n"));
        let found = read(format("csv").unwrap(), &options, &batch.schema(), (None, bytes.as_bytes()));
        assert!(found.is_err(), "{damaged}: {found:?}");
    }
}
