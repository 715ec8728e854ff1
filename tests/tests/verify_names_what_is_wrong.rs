//! A dataset as it was made is good in every format; each way of spoiling it fails the checks that are about it, and
//! no others.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};
use shardmill_engine::Tables;
use shardmill_engine::check::report::Report;
use shardmill_shared::job::{
    Account, Block, BlockEntry, Commit, Digest, FileEntry, Key, Layout, Manifest, Name, ObjectPath, ShardId, StageId,
    Success, TableEntry, encode,
};
use shardmill_shared::spec::{Report as Problems, Spec, document};
use shardmill_tests::engine::{KNOWN, batch, tables};
use shardmill_worker::formats::{self, WriteOptions};
use shardmill_worker::verify::{VerifyError, VerifyOptions, verify};
use tempfile::TempDir;

/// Tables of several files, with rows in the middle of a file that no sample compares with the engine.
const SHOP: &str = r#"
shardmill: 1
name: shop
timeframe: {start: 2024-01-01, end: 2024-12-31, freq: H}
output: {format: FORMAT, shard_rows: 4000}
tables:
  users:
    rows: 3000
    columns:
      id: {sequence: {start: 100, step: 3}}
      code: {type: string, unique: true, uuid: 4}
      tier: {choice: {choices: [free, pro], weights: [6, 3]}}
  orders:
    parent: users
    fanout: {distribution: uniform, min: 0, max: 8}
    columns:
      id: {sequence: 1}
      user_id: {lookup: users.id}
      user_code: {lookup: users.code}
      user_tier: {lookup: users.tier}
      at: {datetime_series: {pattern: {dimension: dow, weights: [1, 1, 1, 1, 1, 2, 2]}}}
      amount: {type: float, distribution: {type: uniform, params: {min: 1, max: 9}}}
      note: {type: string, nullable: true, null_rate: 0.5, choice: {choices: ["", a1, "b,2"]}}
constraints:
  foreign_keys: [{from: orders.user_code, to: users.code}]
  ranges: [{attr: orders.amount, min: 1, max: 9}]
  pattern: [{attr: orders.note, regex: "|[a-z],?[0-9]"}]
  enum: [{attr: users.tier, values: [free, pro]}, {attr: orders.user_tier, enum_ref: users.tier}]
targets:
  weekend_share: {table: orders, timestamp: at, min: 0.4, max: 0.5}
  mean_in_range: {table: orders, column: amount, min: 4.5, max: 5.5}
  composite_effect: {table: orders, influences: [{kind: seasonality, dimension: dow, weights: [1, 1, 1, 1, 1, 2, 2]}]}
"#;

fn text(format: &str) -> String {
    SHOP.replace("FORMAT", format)
}

/// Writes the dataset of the spec, with the rows of each table's first file as `change` leaves them.
fn write(dir: &Path, format: &str, change: impl Fn(&str, RecordBatch) -> RecordBatch) {
    write_spec(dir, &text(format), change);
}

fn write_spec(dir: &Path, text: &str, change: impl Fn(&str, RecordBatch) -> RecordBatch) {
    let problems = Problems::strict();
    let spec = document::parse(text, &problems).unwrap();
    let spec = Spec::read(&spec, &KNOWN, &problems).unwrap();
    let format = spec.output.format.as_str();
    let made: Tables = tables(text);
    let (mut commits, mut entries) = (Vec::new(), Vec::new());
    for table in ["users", "orders"] {
        let at = made.find(table).unwrap();
        let mut entry = TableEntry::new(Name::new(table).unwrap());
        let planned: Vec<u64> = (0..made.rows(at).unwrap()).step_by(4000).collect();
        for (index, first) in planned.iter().enumerate() {
            let end = (first + 4000).min(made.rows(at).unwrap());
            let rows = if index == 0 {
                change(table, batch(&made, table, *first..end))
            } else {
                batch(&made, table, *first..end)
            };
            let key = format!("{table}/part-{index:05}.{}", formats::format(format).unwrap().extension());
            let bytes = file(format, &made.schema(at), &rows);
            put(dir, &key, &bytes);
            let commit = Commit {
                shard: ShardId { stage: StageId::new(table).unwrap(), index: index as u64 },
                rows: rows.num_rows() as u64,
                files: vec![FileEntry {
                    key: ObjectPath::new(key).unwrap(),
                    rows: rows.num_rows() as u64,
                    bytes: bytes.len() as u64,
                    blake3: Digest::of(&bytes),
                }],
                account: Account::written(rows.num_rows() as u64),
                counted: None,
            };
            entry.add(&commit);
            commits.push(commit);
        }
        entries.push(entry);
    }
    seal(dir, &spec, commits, entries);
}

/// Writes spec, manifest and `_SUCCESS`.
fn seal(dir: &Path, spec: &Spec, commits: Vec<Commit>, tables: Vec<TableEntry>) {
    let spec_digest = Digest::of(&spec.canonical());
    let path = |key: Key| Layout::Folder.path(&key).to_string();
    put(dir, &path(Key::Spec), &spec.canonical());
    let count = commits.len() as u64;
    let block = encode(&Block { commits });
    put(dir, &path(Key::Block(0)), &block);
    let manifest = encode(&Manifest {
        spec_digest,
        name: Name::new(&spec.name).unwrap(),
        seed: spec.seed,
        engine: spec.engine,
        writer: "test".to_owned(),
        tables,
        blocks: vec![BlockEntry {
            block: 0,
            stage: StageId::new("users").unwrap(),
            first: 0,
            commits: count,
            blake3: Digest::of(&block),
        }],
    });
    put(dir, &path(Key::Manifest), &manifest);
    put(dir, &path(Key::Success), &encode(&Success { manifest: Digest::of(&manifest), spec: spec_digest }));
}

fn put(dir: &Path, key: &str, bytes: &[u8]) {
    let path = dir.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// One data file. Its schema allows nulls, so that wrong ones can be written.
fn file(format: &str, schema: &SchemaRef, rows: &RecordBatch) -> Vec<u8> {
    let found = rows.schema();
    let fields = found.fields().iter().map(|field| schema.field_with_name(field.name()).unwrap().clone());
    let schema = Arc::new(Schema::new(fields.map(|field| field.with_nullable(true)).collect::<Vec<Field>>()));
    let plain = |array: &ArrayRef, field: &Arc<Field>| cast(array, field.data_type()).unwrap();
    let columns = rows.columns().iter().zip(schema.fields()).map(|(array, field)| plain(array, field)).collect();
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let format = formats::format(format).unwrap();
    let mut bytes = Vec::new();
    let options = WriteOptions::new(format.default_compression());
    let mut writer = format.writer(schema, &options, Box::new(&mut bytes)).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    bytes
}

/// `rows` with another column in place of that name.
fn with_column(rows: &RecordBatch, name: &str, array: ArrayRef) -> RecordBatch {
    let at = rows.schema().index_of(name).unwrap();
    let mut columns = rows.columns().to_vec();
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| Field::clone(field)).collect();
    fields[at] = Field::new(name, array.data_type().clone(), true);
    columns[at] = array;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// `rows` with `value` at one row of a text column.
fn with_text(rows: &RecordBatch, name: &str, at: usize, value: Option<&str>) -> RecordBatch {
    let array = cast(rows.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
    let texts = array.as_string::<i32>().iter().enumerate();
    let changed: StringArray = texts.map(|(row, text)| if row == at { value } else { text }).collect();
    with_column(rows, name, Arc::new(changed))
}

fn with_int(rows: &RecordBatch, name: &str, at: usize, value: i64) -> RecordBatch {
    let mut values = rows[name].as_primitive::<Int64Type>().values().to_vec();
    values[at] = value;
    with_column(rows, name, Arc::new(Int64Array::from(values)))
}

fn with_floats(rows: &RecordBatch, name: &str, change: impl Fn(usize, f64) -> f64) -> RecordBatch {
    let values = rows[name].as_primitive::<Float64Type>().values().iter().enumerate();
    let changed: Float64Array = values.map(|(row, value)| Some(change(row, *value))).collect();
    with_column(rows, name, Arc::new(changed))
}

fn report(dir: &Path) -> Report {
    verify(dir, &VerifyOptions::new(NonZeroUsize::new(2).unwrap())).unwrap()
}

fn failures(report: &Report) -> Vec<&str> {
    report.failures().map(|result| result.name.as_str()).collect()
}

/// The checks that fail when the rows of one table are changed.
fn spoiled(table: &str, change: impl Fn(RecordBatch) -> RecordBatch) -> Report {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "parquet", |name, rows| if name == table { change(rows) } else { rows });
    report(dir.path())
}

#[test]
fn what_was_made_is_good_in_every_format() {
    for format in ["parquet", "csv", "jsonl", "json", "arrow"] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), format, |_, rows| rows);
        let report = report(dir.path());
        let messages: Vec<String> = report.failures().map(|r| format!("{}: {}", r.name, r.message)).collect();
        assert_eq!(messages, Vec::<String>::new(), "{format}");
        assert_eq!(report.score(), 100.0);
        assert!(report.is_good(100.0) && report.counts().total > 30, "{:?}", report.counts());
        assert_eq!(report.metadata.dataset_name, "shop");
    }
}

#[test]
fn each_wrong_value_fails_its_own_check() {
    let orphan = Some("00000000-0000-4000-8000-000000000000");
    let enum_ref = "enum:orders.user_tier -> users.tier";
    let cases: [(&str, Report); 7] = [
        (
            "foreign_key:orders.user_code -> users.code",
            spoiled("orders", |rows| with_text(&rows, "user_code", 1500, orphan)),
        ),
        ("foreign_key:orders.user_id -> users.id", spoiled("orders", |rows| with_int(&rows, "user_id", 1500, 101))),
        (enum_ref, spoiled("orders", |rows| with_text(&rows, "user_tier", 1500, Some("gold")))),
        ("pattern:orders.note", spoiled("orders", |rows| with_text(&rows, "note", 1500, Some("!")))),
        ("not_null:users.tier", spoiled("users", |rows| with_text(&rows, "tier", 1500, None))),
        (
            "mean_in_range:orders.amount",
            spoiled("orders", |rows| {
                with_floats(&rows, "amount", |row, value| if (1000..3000).contains(&row) { 9.0 } else { value })
            }),
        ),
        (
            "range:orders.amount",
            spoiled("orders", |rows| with_floats(&rows, "amount", |row, value| if row == 1500 { 9.5 } else { value })),
        ),
    ];
    for (expected, report) in &cases {
        assert_eq!(failures(report), [*expected]);
    }
    assert!(!cases[0].1.is_good(80.0), "an orphan is not weighed");
    let range = &cases[6].1;
    assert!(range.is_good(80.0), "a value is weighed");
    assert!(range.failures().all(|result| result.message.ends_with("the first is 9.5 in row 1500")));
}

#[test]
fn a_repeated_key_and_the_orphans_it_leaves_are_named() {
    let report = spoiled("users", |rows| {
        let code = cast(rows.column_by_name("code").unwrap(), &DataType::Utf8).unwrap();
        let code = code.as_string::<i32>().value(1400).to_owned();
        with_text(&with_int(&rows, "id", 1500, 100 + 3 * 1400), "code", 1500, Some(&code))
    });
    let found = failures(&report);
    assert!(found.starts_with(&["primary_key:users.id", "unique:users.code"]), "{found:?}");
    assert!(found[2..].iter().all(|name| name.starts_with("foreign_key:orders.user_")), "{found:?}");
    let first = report.failures().next().unwrap();
    assert_eq!(first.message, "1 of 3000 rows repeat a value; the first are rows 1400 and 1500");
    assert!(!report.is_good(0.0));
}

#[test]
fn little_memory_means_more_passes_with_the_same_findings() {
    let dir = TempDir::new().unwrap();
    let many = text("parquet").replace("rows: 3000", "rows: 150000").replace("max: 8", "max: 1");
    write_spec(dir.path(), &many, |table, rows| {
        let code = cast(rows.column(1), &DataType::Utf8).unwrap();
        let code = code.as_string::<i32>().value(1400).to_owned();
        if table == "users" { with_text(&rows, "code", 1500, Some(&code)) } else { rows }
    });
    let options = VerifyOptions { memory_bytes: 0, ..VerifyOptions::new(NonZeroUsize::MIN) };
    let found = verify(dir.path(), &options).unwrap();
    assert_eq!(failures(&found)[0], "unique:users.code");
    assert_eq!(found, report(dir.path()));
}

#[test]
fn a_dropped_row_moves_all_that_follow() {
    let report = spoiled("orders", |rows| {
        concat_batches(&rows.schema(), [&rows.slice(0, 1500), &rows.slice(1501, 2499)]).unwrap()
    });
    assert!(failures(&report).starts_with(&["rows:orders", "recomputed:orders"]), "{:?}", failures(&report));
    assert!(!report.is_good(80.0));
}

#[test]
fn rows_in_another_order_are_not_what_the_engine_makes() {
    let report = spoiled("orders", |rows| {
        let order: UInt64Array = (0..rows.num_rows() as u64).map(|row| row ^ 1).collect();
        take_record_batch(&rows, &order).unwrap()
    });
    assert!(failures(&report).contains(&"recomputed:orders"));
}

#[test]
fn a_missing_column_fails_all_that_look_at_it() {
    let report = spoiled("orders", |rows| {
        let at = rows.schema().index_of("amount").unwrap();
        rows.project(&(0..rows.num_columns()).filter(|column| *column != at).collect::<Vec<_>>()).unwrap()
    });
    assert_eq!(failures(&report), ["column:orders.amount", "range:orders.amount", "mean_in_range:orders.amount"]);
}

#[test]
fn a_flipped_byte_fails_the_digest() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "csv", |_, rows| rows);
    let path = dir.path().join("orders/part-00001.csv");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let report = report(dir.path());
    assert_eq!(failures(&report)[0], "digests:orders");
    assert!(report.failures().next().unwrap().message.contains("orders/part-00001.csv"));
    assert!(!report.is_good(0.0));
}

#[test]
fn no_flipped_byte_goes_unnoticed_or_stops_the_verification() {
    for format in ["parquet", "arrow"] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), format, |_, rows| rows);
        let path = dir.path().join(format!("users/part-00000.{}", formats::format(format).unwrap().extension()));
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).rev().step_by((bytes.len() / 40).max(1)) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).unwrap();
            assert_eq!(failures(&report(dir.path()))[0], "digests:users", "{format} {at}");
        }
    }
}

#[test]
fn missing_and_foreign_files_are_named() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "csv", |_, rows| rows);
    fs::remove_file(dir.path().join("orders/part-00000.csv")).unwrap();
    put(dir.path(), "users/extra.csv", b"id\n");
    let report = report(dir.path());
    let found = failures(&report);
    assert_eq!(&found[..4], ["files:users", "files:orders", "readable:orders", "rows:orders"]);
}

#[test]
fn a_torn_file_is_unreadable_not_a_panic() {
    for format in ["parquet", "arrow", "json"] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), format, |_, rows| rows);
        let path = dir.path().join(format!("users/part-00000.{}", formats::format(format).unwrap().extension()));
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let report = report(dir.path());
        assert_eq!(&failures(&report)[..2], ["files:users", "readable:users"], "{format}");
    }
}

#[test]
fn records_that_were_touched_are_named() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "csv", |_, rows| rows);
    let manifest = dir.path().join("_shardmill/manifest.json");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace("\"test\"", "\"other\"")).unwrap();
    let touched = report(dir.path());
    assert_eq!(failures(&touched), ["digests:_shardmill"]);
    let lines = fs::read_to_string(&manifest).unwrap().replace("\"made\": 3000", "\"made\": 3001");
    fs::write(&manifest, lines).unwrap();
    let message = report(dir.path()).failures().next().unwrap().message.clone();
    assert!(message.starts_with("2 records are damaged"), "{message}");
    let spec = dir.path().join("_shardmill/spec.json");
    fs::write(&spec, fs::read_to_string(&spec).unwrap().replace("\"rows\":3000", "\"rows\":2999")).unwrap();
    let found = report(dir.path());
    assert!(failures(&found).starts_with(&["digests:_shardmill", "rows:users"]), "{:?}", failures(&found));
}

#[test]
fn what_is_not_finished_is_not_judged() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "csv", |_, rows| rows);
    fs::remove_file(dir.path().join("_SUCCESS")).unwrap();
    let options = VerifyOptions::new(NonZeroUsize::MIN);
    assert!(matches!(verify(dir.path(), &options), Err(VerifyError::NotFinished { .. })));
    fs::write(dir.path().join("_SUCCESS"), "{").unwrap();
    assert!(matches!(verify(dir.path(), &options), Err(VerifyError::Damaged { .. })));
}
