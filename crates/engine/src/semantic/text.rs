//! Words, sentences and what is made of them. Pure.

use super::cell::Cell;
use super::locale::Locale;
use super::method::Method;
use super::words::LISTS;
use crate::random::key::{Key, below};
use fake::locales::{Data, EN};

/// The words of the locale's texts: English, or the Latin filler that printers use.
pub(super) fn words(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::EnUs | Locale::EnGb | Locale::EnCa | Locale::EnAu | Locale::EnIn => &LISTS.words,
        _ => EN::LOREM_WORD,
    }
}

/// Draws words one after the other.
struct Source {
    words: &'static [&'static str],
    key: Key,
    row: u64,
    next: u64,
}

impl Source {
    fn new(cell: &Cell<'_>) -> Self {
        Self { words: words(cell.semantic.locale()), key: cell.slots.own, row: cell.row, next: 0 }
    }

    fn bits(&mut self) -> u64 {
        self.next += 1;
        self.key.number(self.next).draw(self.row)
    }

    fn word(&mut self) -> &'static str {
        let bits = self.bits();
        self.words[below(bits, self.words.len() as u64) as usize]
    }

    /// `count` words with `divider` between them.
    fn join(&mut self, count: usize, divider: char, out: &mut String) {
        for at in 0..count {
            if at > 0 {
                out.push(divider);
            }
            out.push_str(self.word());
        }
    }

    /// About `words` words, with a capital and a full stop.
    fn sentence(&mut self, words: usize, out: &mut String) {
        let spread = words as u64 * 2 / 5;
        let count = words - (spread / 2) as usize + below(self.bits(), spread + 1) as usize;
        let start = out.len();
        self.join(count, ' ', out);
        capitalise(start, out);
        out.push('.');
    }
}

/// Makes the letter at `start` a capital where it is ASCII, as all first letters of the lists are.
fn capitalise(start: usize, out: &mut String) {
    if let Some(first) = out[start..].chars().next().filter(char::is_ascii_lowercase) {
        out.replace_range(start..=start, first.to_ascii_uppercase().encode_utf8(&mut [0; 4]));
    }
}

/// The last place up to `end` where `text` may be cut.
fn boundary(text: &str, end: usize) -> usize {
    (0..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Words in a sentence of a paragraph.
const SENTENCE_WORDS: usize = 9;

/// Writes a text made of words.
pub(super) fn write(method: Method, cell: &Cell<'_>, out: &mut String) {
    let count = cell.semantic.settings.count;
    let mut source = Source::new(cell);
    match method {
        Method::WordList => source.join(count, ' ', out),
        Method::Sentence => source.sentence(count, out),
        Method::Paragraph => paragraph(&mut source, count, out),
        Method::Text => limited(&mut source, count, out),
        Method::Title => {
            for at in 0..count {
                out.push_str(if at > 0 { " " } else { "" });
                let start = out.len();
                out.push_str(source.word());
                capitalise(start, out);
            }
        }
        Method::Hashtag => {
            out.push('#');
            out.push_str(source.word());
            if source.bits() >> 63 == 0 {
                let start = out.len();
                out.push_str(source.word());
                capitalise(start, out);
            }
        }
        Method::UriPath => {
            out.push('/');
            source.join(2, '/', out);
        }
        _ => {
            let start = out.len();
            source.join(count, '-', out);
            out[start..].make_ascii_lowercase();
        }
    }
}

/// Two words as the path of a page.
pub(super) fn path(cell: &Cell<'_>, out: &mut String) {
    Source::new(cell).join(2, '/', out);
}

fn paragraph(source: &mut Source, sentences: usize, out: &mut String) {
    for at in 0..sentences {
        if at > 0 {
            out.push(' ');
        }
        source.sentence(SENTENCE_WORDS, out);
    }
}

/// Whole sentences while they fit into `bytes` letters; a limit too small for one ends inside a word.
fn limited(source: &mut Source, bytes: usize, out: &mut String) {
    let start = out.len();
    loop {
        let before = out.len();
        if before > start {
            out.push(' ');
        }
        source.sentence(SENTENCE_WORDS, out);
        if out.len() - start > bytes {
            let cut = if before > start { before } else { boundary(out, start + bytes) };
            out.truncate(cut);
            return;
        }
    }
}
