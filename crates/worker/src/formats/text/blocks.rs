//! Short copies. Pure.
//!
//! A copy of constant size is one or two moves, a copy of variable size is a call. So a short text is appended as a
//! whole block and then cut to its length.

/// Appends the first `used` bytes of `block`.
#[inline]
pub(super) fn append_block<const SIZE: usize>(block: &[u8; SIZE], used: usize, out: &mut Vec<u8>) {
    let end = out.len() + used;
    out.extend_from_slice(block);
    out.truncate(end);
}

/// One text within the buffer of its column, where more bytes usually follow it.
#[derive(Clone, Copy)]
pub(in crate::formats) struct Span<'a> {
    /// The whole buffer.
    pub(super) bytes: &'a [u8],
    /// Where the text begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl<'a> Span<'a> {
    /// The text alone.
    #[inline]
    pub(in crate::formats) fn text(self) -> &'a [u8] {
        &self.bytes[self.start..self.end]
    }

    /// Appends the text.
    #[inline]
    pub(in crate::formats) fn append(self, out: &mut Vec<u8>) {
        let (rest, length) = (&self.bytes[self.start..], self.end - self.start);
        if length <= 16
            && let Some(block) = rest.first_chunk::<16>()
        {
            append_block(block, length, out);
        } else if length <= 48
            && let Some(block) = rest.first_chunk::<48>()
        {
            append_block(block, length, out);
        } else {
            out.extend_from_slice(&rest[..length]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_appends_its_text_and_nothing_after_it() {
        let bytes: Vec<u8> = (0..100).collect();
        for start in [0, 1, 50, 84, 100] {
            for end in start..=100 {
                let mut out = vec![7];
                Span { bytes: &bytes, start, end }.append(&mut out);
                assert_eq!(out[1..], bytes[start..end]);
            }
        }
    }
}
