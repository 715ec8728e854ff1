//! What a user may choose about the files. Pure.

use std::fmt;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy (Parquet only).
    Snappy,
    /// LZ4: raw blocks in Parquet, frames in Arrow files.
    Lz4,
    /// Zstandard with its level, 1 to 22.
    Zstd(i32),
}

impl Compression {
    /// Reads `none`, `snappy`, `lz4`, `zstd` (level 1) or `zstd:LEVEL`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" | "uncompressed" => Some(Self::None),
            "snappy" => Some(Self::Snappy),
            "lz4" => Some(Self::Lz4),
            "zstd" => Some(Self::Zstd(1)),
            _ => {
                let level = text.strip_prefix("zstd:")?.parse().ok()?;
                (1..=22).contains(&level).then_some(Self::Zstd(level))
            }
        }
    }
}

impl fmt::Display for Compression {
    /// The text that `parse` reads.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::Snappy => out.write_str("snappy"),
            Self::Lz4 => out.write_str("lz4"),
            Self::Zstd(1) => out.write_str("zstd"),
            Self::Zstd(level) => write!(out, "zstd:{level}"),
        }
    }
}

/// The dialect of CSV files. Lines end with a line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// One ASCII character between fields.
    pub delimiter: u8,
    /// One ASCII character around fields that need it; inside, it is doubled.
    pub quote: u8,
    /// Whether the first line names the columns.
    pub header: bool,
    /// What stands, unquoted, for a null. The same text as a value is quoted.
    pub null: String,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', header: true, null: String::new() }
    }
}

/// Everything about a file that is not in its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// How the file is compressed.
    pub compression: Compression,
    /// Parquet closes a row group at this many encoded bytes.
    pub row_group_bytes: usize,
    /// Pairs for the file's own metadata (Parquet and Arrow; text formats have no place for them). Nothing that differs
    /// between two runs of one spec may stand here.
    pub metadata: Vec<(String, String)>,
    /// The dialect of CSV files.
    pub csv: CsvOptions,
}

/// Encoded bytes of a row group: large enough for a scan, small enough to hold one per thread while it is written.
const ROW_GROUP_BYTES: usize = 64 << 20;

impl WriteOptions {
    /// The defaults with `compression`.
    pub fn new(compression: Compression) -> Self {
        Self { compression, row_group_bytes: ROW_GROUP_BYTES, metadata: Vec::new(), csv: CsvOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_reads_back_its_own_text() {
        for compression in
            [Compression::None, Compression::Snappy, Compression::Lz4, Compression::Zstd(1), Compression::Zstd(9)]
        {
            assert_eq!(Compression::parse(&compression.to_string()), Some(compression));
        }
        for bad in ["", "gzip", "zstd:", "zstd:0", "zstd:23", "ZSTD"] {
            assert_eq!(Compression::parse(bad), None, "{bad}");
        }
    }
}
