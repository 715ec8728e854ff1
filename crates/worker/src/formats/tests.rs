//! What every format promises: what is written reads back, equal batches are equal bytes, and the bytes stay what they
//! are until someone means to change them.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ::arrow::array::{Array, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use ::arrow::compute::concat_batches;
use ::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use ::parquet::basic::{Encoding, LogicalType, Type};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;

use super::*;

mod structs;

const ALL: [Compression; 5] =
    [Compression::None, Compression::Snappy, Compression::Lz4, Compression::Zstd(1), Compression::Zstd(3)];

fn options(compression: Compression) -> WriteOptions {
    let metadata = vec![("spec.digest".to_owned(), "abc".to_owned()), ("engine".to_owned(), "1".to_owned())];
    WriteOptions { metadata, ..WriteOptions::new(compression) }
}

fn bytes(format: &dyn Format, options: &WriteOptions, schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = format.writer(Arc::clone(schema), options, Box::new(&mut out)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
    assert_eq!(writer.finish().unwrap(), rows, "{}", format.name());
    out
}

fn read(
    format: &dyn Format,
    options: &WriteOptions,
    schema: &SchemaRef,
    (columns, bytes): (Option<&[String]>, &[u8]),
) -> Result<Vec<RecordBatch>, FormatError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    format.open(file.path(), columns, Arc::clone(schema), options)?.collect()
}

/// What a reader must give back: one batch, whatever batches the file was read in, without dictionaries.
fn joined(schema: &SchemaRef, batches: &[RecordBatch]) -> RecordBatch {
    let plain = conform::plain_schema(schema);
    let batches: Vec<_> = batches.iter().map(|batch| conform::conform(batch, &plain).unwrap()).collect();
    concat_batches(&plain, &batches).unwrap()
}

fn for_all(check: impl Fn(&dyn Format, &WriteOptions)) {
    for format in FORMATS {
        for compression in ALL.into_iter().filter(|compression| format.accepts(*compression)) {
            check(*format, &options(compression));
        }
    }
}

#[test]
fn formats_are_found_by_their_names_and_say_how_they_compress() {
    for expected in FORMATS {
        assert_eq!(format(expected.name()).unwrap().extension(), expected.extension());
        assert!(expected.accepts(expected.default_compression()));
    }
    assert!(format("xlsx").is_none());
    assert_eq!(format("csv").unwrap().extension_with(Compression::Zstd(1)), "csv.zst");
    assert_eq!(format("csv").unwrap().extension_with(Compression::None), "csv");
    assert_eq!(format("parquet").unwrap().extension_with(Compression::Zstd(1)), "parquet");
}

#[test]
fn every_format_reads_back_every_type() {
    let schema = samples::schema();
    let batches = [samples::batch(0, 100), samples::batch(100, 0), samples::batch(100, 20_000)];
    for_all(|format, options| {
        let written = bytes(format, options, &schema, &batches);
        let found = read(format, options, &schema, (None, &written)).unwrap();
        assert!(found.iter().all(|batch| batch.schema() == schema && batch.num_rows() <= 20_000));
        assert!(joined(&schema, &found) == joined(&schema, &batches), "{} {}", format.name(), options.compression);
    });
}

#[test]
fn a_reader_returns_the_columns_asked_for_in_that_order() {
    let schema = samples::schema();
    let columns = ["price".to_owned(), "kind".to_owned(), "id".to_owned()];
    let expected = samples::batch(5, 30).project(&[7, 4, 0]).unwrap();
    for_all(|format, options| {
        let written = bytes(format, options, &schema, &[samples::batch(5, 30)]);
        let found = read(format, options, &schema, (Some(&columns), &written)).unwrap();
        assert_eq!(joined(&expected.schema(), &found), joined(&expected.schema(), std::slice::from_ref(&expected)));
        let missing = read(format, options, &schema, (Some(&["no".to_owned()]), &written)).unwrap_err();
        assert_eq!(missing.to_string(), "there is no column no");
    });
}

#[test]
fn an_empty_table_keeps_its_columns() {
    let schema = samples::schema();
    for_all(|format, options| {
        let written = bytes(format, options, &schema, &[]);
        let found = read(format, options, &schema, (None, &written)).unwrap();
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 0, "{}", format.name());
        assert_eq!(written, bytes(format, options, &schema, &[samples::batch(0, 0)]), "{}", format.name());
    });
}

#[test]
fn equal_batches_are_equal_bytes() {
    let schema = samples::schema();
    for_all(|format, options| {
        let write = || bytes(format, options, &schema, &[samples::batch(0, 3000), samples::batch(3000, 500)]);
        assert_eq!(write(), write(), "{} {}", format.name(), options.compression);
    });
}

#[test]
fn a_slice_is_written_like_a_batch_of_its_own() {
    let schema = samples::schema();
    let whole = samples::batch(0, 100);
    for_all(|format, options| {
        let sliced = bytes(format, options, &schema, &[whole.slice(40, 33)]);
        let found = read(format, options, &schema, (None, &sliced)).unwrap();
        assert_eq!(joined(&schema, &found), joined(&schema, &[samples::batch(40, 33)]), "{}", format.name());
    });
}

#[test]
fn our_text_means_what_the_library_text_means() {
    let batch = samples::batch(0, 3000).project(&[0, 1, 2, 4, 6, 7, 8, 9]).unwrap();
    let json = {
        let mut writer = ::arrow::json::WriterBuilder::new()
            .with_explicit_nulls(true)
            .build::<_, ::arrow::json::writer::LineDelimited>(Vec::new());
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        writer.into_inner()
    };
    let mut csv = Vec::new();
    ::arrow::csv::WriterBuilder::new().build(&mut csv).write(&batch).unwrap();
    for (name, library) in [("jsonl", json), ("csv", csv)] {
        let (format, options, schema) = (format(name).unwrap(), options(Compression::None), batch.schema());
        let ours = bytes(format, &options, &schema, std::slice::from_ref(&batch));
        let read = |bytes: &[u8]| joined(&schema, &read(format, &options, &schema, (None, bytes)).unwrap());
        assert_eq!(read(&ours), read(&library), "{name}");
        assert_eq!(
            ours.iter().filter(|&&byte| byte == b'\n').count(),
            library.iter().filter(|&&byte| byte == b'\n').count()
        );
    }
}

/// The bytes of a small file are part of what a writer promises. When this fails, a version of the writer changed: every
/// resumed job would mix files of two kinds, so the writer id must change with it.
#[test]
fn golden_bytes() {
    let golden = [
        ("parquet none", "e476224d63a19a86"),
        ("parquet snappy", "772a2d37ba55d0e8"),
        ("parquet lz4", "784e101b1affe045"),
        ("parquet zstd", "70dbbd11dfbb68da"),
        ("parquet zstd:3", "2c4fdc6a2d19e4f2"),
        ("csv none", "e7fbf85d0524828b"),
        ("csv zstd", "f06ade29a3ff0b39"),
        ("csv zstd:3", "c5fbb2c161e9cc42"),
        ("jsonl none", "b3e44b13b3af3e71"),
        ("jsonl zstd", "548061c2b2f6474c"),
        ("jsonl zstd:3", "559b358004f8b5d4"),
        ("json none", "bc89cdd87b73a187"),
        ("json zstd", "7e29820c8e5b5cb2"),
        ("json zstd:3", "a9a015c39c8cf5aa"),
        ("arrow none", "4ffe86d60f69ce46"),
        ("arrow lz4", "e23c82abbc0146f7"),
        ("arrow zstd", "21c69597d7b758dd"),
        ("arrow zstd:3", "9642be377328f422"),
    ];
    let mut found = Vec::new();
    for format in FORMATS {
        for compression in ALL.into_iter().filter(|compression| format.accepts(*compression)) {
            let written = bytes(*format, &options(compression), &samples::schema(), &[samples::batch(0, 200)]);
            let hash = blake3::hash(&written).to_hex()[..16].to_owned();
            found.push((format!("{} {compression}", format.name()), hash));
        }
    }
    let expected: Vec<_> = golden.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect();
    assert_eq!(found, expected);
}

fn parquet_file(options: &WriteOptions, batches: &[RecordBatch]) -> SerializedFileReader<bytes::Bytes> {
    let schema = batches[0].schema();
    let written = bytes(&parquet::Parquet, options, &schema, batches);
    SerializedFileReader::new(bytes::Bytes::from(written)).unwrap()
}

#[test]
fn parquet_types_are_plain_and_metadata_is_ours_alone() {
    let file = parquet_file(&options(Compression::Zstd(1)), &[samples::batch(0, 5000)]);
    let metadata = file.metadata().file_metadata();
    assert_eq!(metadata.created_by(), Some("shardmill version 1.0.0"));
    let pairs = metadata.key_value_metadata().unwrap();
    assert_eq!(pairs.iter().map(|pair| pair.key.as_str()).collect::<Vec<_>>(), ["spec.digest", "engine"]);
    let of = |at: usize| metadata.schema_descr().column(at);
    assert_eq!((of(4).physical_type(), of(4).logical_type_ref()), (Type::BYTE_ARRAY, Some(&LogicalType::String)));
    assert!(matches!(of(5).logical_type_ref(), Some(LogicalType::Timestamp(time)) if time.is_adjusted_to_u_t_c));
    let physical: Vec<_> = (7..10).map(|at| of(at).physical_type()).collect();
    assert_eq!(physical, [Type::INT64, Type::INT32, Type::FIXED_LEN_BYTE_ARRAY]);
}

#[test]
fn parquet_encodings_follow_the_first_rows() {
    let file = parquet_file(&options(Compression::None), &[samples::batch(0, 5000)]);
    let group = file.metadata().row_group(0);
    let has = |at: usize, encoding| group.column(at).encodings().any(|found| found == encoding);
    for (column, encoding) in [
        (0, Encoding::DELTA_BINARY_PACKED),
        (2, Encoding::PLAIN),
        (3, Encoding::RLE_DICTIONARY),
        (4, Encoding::RLE_DICTIONARY),
        (5, Encoding::DELTA_BINARY_PACKED),
        (6, Encoding::DELTA_BINARY_PACKED),
        (9, Encoding::PLAIN),
    ] {
        assert!(has(column, encoding), "column {column}: {:?}", group.column(column).encodings().collect::<Vec<_>>());
    }
    assert!(!has(2, Encoding::RLE_DICTIONARY));
    assert!(
        (0..10).all(|at| group.column(at).statistics().is_some() && group.column(at).column_index_offset().is_some())
    );
}

#[test]
fn row_groups_close_by_encoded_bytes() {
    let numbers = |from: u64| {
        Int64Array::from_iter_values((from..from + 8192).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15)) as i64))
    };
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    let batches: Vec<_> = (0..32)
        .map(|at| RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers(at * 8192))]).unwrap())
        .collect();
    let small = WriteOptions { row_group_bytes: 512 << 10, ..options(Compression::None) };
    let file = parquet_file(&small, &batches);
    let sizes: Vec<i64> = file.metadata().row_groups().iter().map(|group| group.compressed_size()).collect();
    assert_eq!(sizes.len(), 5, "{sizes:?}");
    assert!(sizes[..4].iter().all(|&size| (480 << 10..600 << 10).contains(&size)), "{sizes:?}");
}

#[test]
fn what_a_format_cannot_do_is_refused_before_any_row() {
    // Also within what can be held.
    let list = Arc::new(Schema::new(vec![Field::new("tags", DataType::new_list(DataType::UInt8, true), true)]));
    let refusal = |format: &str, schema: &SchemaRef, options: &WriteOptions| {
        let out = Box::new(io::sink());
        super::format(format).unwrap().writer(Arc::clone(schema), options, out).err().map(|error| error.to_string())
    };
    for (format, text) in [("csv", "csv files"), ("jsonl", "jsonl files"), ("json", "json files")] {
        let error = refusal(format, &list, &options(Compression::None)).unwrap();
        assert!(error.starts_with(&format!("{text} cannot hold column tags of type List")), "{error}");
    }
    for format in FORMATS {
        for compression in ALL {
            let error = refusal(format.name(), &samples::schema(), &options(compression));
            assert_eq!(error.is_none(), format.accepts(compression), "{} {compression}", format.name());
        }
    }
}

/// An output that is full after `room` bytes.
struct Full {
    room: usize,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.room.min(bytes.len()) {
            0 => Err(io::ErrorKind::StorageFull.into()),
            taken => {
                self.room -= taken;
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_such() {
    for_all(|format, options| {
        let write = || {
            let mut writer = format.writer(samples::schema(), options, Box::new(Full { room: 3000 }))?;
            writer.write(&samples::batch(0, 50_000))?;
            writer.finish()
        };
        match write().unwrap_err() {
            FormatError::Io(error) => assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{}", format.name()),
            other => panic!("{} {}: {other:?}", format.name(), options.compression),
        }
    });
}

#[test]
fn a_file_that_is_not_there_or_not_ours_is_an_error() {
    let schema = samples::schema();
    for_all(|format, options| {
        let missing = format.open(Path::new("/nowhere/part"), None, Arc::clone(&schema), options);
        assert!(matches!(missing, Err(FormatError::Io(_))), "{}", format.name());
        let found = read(format, options, &schema, (None, b"this is, not\nour, file {"));
        assert!(found.is_err(), "{}", format.name());
    });
}

fn arbitrary_batch() -> impl Strategy<Value = RecordBatch> {
    let row = (any::<i64>(), any::<Option<f64>>(), proptest::option::of(any::<String>()));
    proptest::collection::vec(row, 1..40).prop_map(|rows| {
        let schema = Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int64, false),
            Field::new("x", DataType::Float64, true),
            Field::new("s", DataType::Utf8, true),
        ]));
        let numbers = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        let floats = Float64Array::from_iter(rows.iter().map(|row| row.1.filter(|value| value.is_finite())));
        let texts = StringArray::from_iter(rows.iter().map(|row| row.2.as_deref()));
        RecordBatch::try_new(schema, vec![Arc::new(numbers), Arc::new(floats), Arc::new(texts)]).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn anything_reads_back(batch in arbitrary_batch()) {
        let schema = batch.schema();
        for format in FORMATS {
            let options = options(Compression::None);
            let written = bytes(*format, &options, &schema, std::slice::from_ref(&batch));
            let found = read(*format, &options, &schema, (None, &written)).unwrap();
            let found = joined(&schema, &found);
            prop_assert_eq!(&found, &joined(&schema, std::slice::from_ref(&batch)), "{}", format.name());
            let bits = |batch: &RecordBatch| -> Vec<_> {
                let floats = batch.column(1).as_primitive::<::arrow::datatypes::Float64Type>();
                (0..floats.len()).map(|at| floats.is_valid(at).then(|| floats.value(at).to_bits())).collect()
            };
            prop_assert_eq!(bits(&found), bits(&batch), "{}", format.name());
        }
    }
}
