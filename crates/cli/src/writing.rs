//! How the rows of a spec are written: format, compression, and who the writer is.

use shardmill_scheduler::plan::tables::Writer;
use shardmill_shared::spec::Spec;
use shardmill_worker::formats::{self, Compression, Format, WriteOptions};

/// A format with its options.
pub(crate) struct Writing {
    pub(crate) format: &'static dyn Format,
    pub(crate) options: WriteOptions,
}

impl Writing {
    /// What the output section of a spec asks for.
    ///
    /// # Errors
    /// When format and compression do not go together.
    pub(crate) fn of(spec: &Spec) -> anyhow::Result<Self> {
        let output = &spec.output;
        let format = formats::format(&output.format).expect("the format was checked when the spec was read");
        let compression = match &output.compression {
            Some(text) => Compression::parse(text).ok_or_else(|| {
                anyhow::anyhow!(
                    "output.compression: `{text}` is not known; expected zstd, zstd:LEVEL, snappy, lz4 or none"
                )
            })?,
            None => format.default_compression(),
        };
        if !format.accepts(compression) {
            anyhow::bail!(
                "output.compression: {} files cannot be compressed with {compression}; expected {}",
                format.name(),
                accepted(format)
            );
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
    pub(crate) fn writer(&self, spec: &Spec) -> Writer {
        let compression = self.options.compression;
        // Measured on the example specs: text formats are about as large as the rows in memory, or twice.
        let percent = match (self.format.name(), compression) {
            ("parquet", Compression::None) => 60,
            ("parquet", _) => 35,
            ("jsonl" | "json", _) => 220,
            _ => 110,
        };
        Writer {
            id: format!(
                "shardmill {} engine {} {} {compression}",
                env!("CARGO_PKG_VERSION"),
                spec.engine,
                self.format.name()
            ),
            extension: self.format.extension_with(compression),
            percent,
        }
    }
}

fn accepted(format: &dyn Format) -> String {
    let all = [Compression::Zstd(1), Compression::Snappy, Compression::Lz4, Compression::None];
    let names: Vec<String> = all.into_iter().filter(|c| format.accepts(*c)).map(|c| c.to_string()).collect();
    names.join(", ")
}
