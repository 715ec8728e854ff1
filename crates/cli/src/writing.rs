//! How the rows of a spec are written: format, compression, and who the writer is.

use shardmill_scheduler::plan::tables::Writer;
use shardmill_shared::spec::{Problem, Severity, Spec};
use shardmill_worker::formats::{self, Compression, Format, WriteOptions};

/// Who this program is as a writer: of one spec, programs that call themselves the same write identical bytes. What else
/// they depend on (engine version, format, compression) is in the spec.
pub(crate) const WRITER: &str = concat!("shardmill ", env!("CARGO_PKG_VERSION"));

/// A format with its options.
pub(crate) struct Writing {
    pub(crate) format: &'static dyn Format,
    pub(crate) options: WriteOptions,
}

impl Writing {
    /// What the output section of a spec asks for.
    ///
    /// # Errors
    /// The problem, when format and compression do not go together.
    pub(crate) fn of(spec: &Spec) -> Result<Self, Problem> {
        let output = &spec.output;
        let format = formats::format(&output.format).expect("the format was checked when the spec was read");
        let compression = match &output.compression {
            Some(text) => Compression::parse(text).ok_or_else(|| {
                problem(
                    spec,
                    format!("`{text}` is no compression"),
                    "zstd, zstd:LEVEL (1 to 22), snappy, lz4 or none".to_owned(),
                )
            })?,
            None => format.default_compression(),
        };
        if !format.accepts(compression) {
            let message = format!("{} files cannot be compressed with {compression}", format.name());
            return Err(problem(spec, message, accepted(format)));
        }
        let mut options = WriteOptions::new(compression);
        options.csv.delimiter = output.delimiter;
        options.csv.header = output.header;
        options.metadata = vec![
            ("shardmill.spec_digest".to_owned(), spec.digest()),
            ("shardmill.engine".to_owned(), spec.engine.to_string()),
            ("shardmill.seed".to_owned(), spec.seed.to_string()),
        ];
        Ok(Self { format, options })
    }

    /// Who writes: part of the plan, because equal bytes are promised only among equal writers.
    pub(crate) fn writer(&self) -> Writer {
        let compression = self.options.compression;
        // Measured on the example specs: text formats are about as large as the rows in memory, or twice.
        let percent = match (self.format.name(), compression) {
            ("parquet", Compression::None) => 60,
            ("parquet", _) => 35,
            ("jsonl" | "json", _) => 220,
            _ => 110,
        };
        Writer { id: WRITER.to_owned(), extension: self.format.extension_with(compression), percent }
    }
}

fn problem(spec: &Spec, message: String, expected: String) -> Problem {
    let line = spec.document.get("output").and_then(|output| output.get("compression")).map_or(0, |node| node.line);
    let path = "output.compression".to_owned();
    Problem { severity: Severity::Error, line, path, message, expected: Some(expected), nearest: None }
}

fn accepted(format: &dyn Format) -> String {
    let all = [Compression::Zstd(1), Compression::Snappy, Compression::Lz4, Compression::None];
    let names: Vec<String> = all.into_iter().filter(|c| format.accepts(*c)).map(|c| c.to_string()).collect();
    names.join(", ")
}
