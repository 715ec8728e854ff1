//! Where text goes and comes from: plain, or one Zstandard frame around the whole file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use crate::formats::{Compression, FormatError, Output};

/// An output that may compress.
pub(super) enum Sink<'a> {
    Plain(Output<'a>),
    Zstd(zstd::stream::write::Encoder<'static, Output<'a>>),
}

impl<'a> Sink<'a> {
    /// # Errors
    /// A compression that text does not have.
    pub(super) fn new(format: &'static str, compression: Compression, out: Output<'a>) -> Result<Self, FormatError> {
        match compression {
            Compression::None => Ok(Self::Plain(out)),
            Compression::Zstd(level) => Ok(Self::Zstd(zstd::stream::write::Encoder::new(out, level)?)),
            Compression::Snappy | Compression::Lz4 => Err(FormatError::UnsupportedCompression { format, compression }),
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Ends the frame, if there is one, and flushes.
    pub(super) fn finish(self) -> io::Result<()> {
        let mut out = match self {
            Self::Plain(out) => out,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        out.flush()
    }
}

/// The bytes that begin a Zstandard frame. No text begins with them, they are not UTF-8.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Opens a text file; whether it is compressed is read from its first bytes.
///
/// # Errors
/// A file that cannot be read.
pub(in crate::formats) fn open_text(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    const BUFFER_BYTES: usize = 256 << 10;
    let mut plain = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    if !plain.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        return Ok(Box::new(plain));
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(plain)?;
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)))
}
