//! Masks: `(212) ^##-####` is literal text with holes, and numbers its own values. Pure.
//!
//! `#` is a digit, `%` a digit but 0, `^` a digit from 2, `@` a capital letter that is hard to misread, `~` a small
//! letter, `*` a hexadecimal digit. A text with n values numbers them 0 to n-1, which is what makes them unique.

use crate::random::key::Key;

/// What one character of a mask may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Literal(char),
    Hole(&'static [u8]),
}

/// A compiled mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mask {
    parts: Box<[Part]>,
}

/// After so many holes, 64 bits are too few to choose the next one evenly.
const REFRESH: u32 = 8;
/// Makes more bits out of bits.
const REFILL: Key = Key::from_words(0x5EED_0F0A_5C11_AB00, 0x00DD_B175_0F5E_ED00);
/// A prime that no size has as a factor, so that multiplying by it only reorders the values.
const SCATTER: u64 = (1 << 61) - 1;
/// Where the first index lands: not on a row of noughts.
const START: u128 = 0x6A09_E667_F3BC_C908_B2FB_1366_EA95;

const DIGITS: &[u8] = b"0123456789";
/// All letters: what `?` of `bothify` and `lexify` means.
pub(super) const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CAPITALS: &[u8] = b"ABCEGHJKLMNPRSTVWXYZ";
const SMALL: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const HEX: &[u8] = b"0123456789abcdef";
const HEX_CAPITALS: &[u8] = b"0123456789ABCDEF";

impl Mask {
    /// The mask of `text` in the language of the locale files.
    pub(super) fn new(text: &str) -> Self {
        Self::with(text, |letter| match letter {
            '#' => Some(DIGITS),
            '%' => Some(&DIGITS[1..]),
            '^' => Some(&DIGITS[2..]),
            '@' => Some(CAPITALS),
            '~' => Some(SMALL),
            '*' => Some(HEX),
            _ => None,
        })
    }

    /// The mask of `text` in Faker's language: `#` digit, `%` digit but 0, `?` letter of `letters`, `^` hexadecimal
    /// digit where `hex`. Characters that are not switched on stand for themselves.
    pub(super) fn faker(text: &str, holes: Holes) -> Self {
        let digits = matches!(holes, Holes::Digits | Holes::Both);
        let letters = matches!(holes, Holes::Letters | Holes::Both);
        Self::with(text, |letter| match letter {
            '#' if digits => Some(DIGITS),
            '%' if digits => Some(&DIGITS[1..]),
            '?' if letters => Some(LETTERS),
            '^' if holes == Holes::Hex => Some(HEX_CAPITALS),
            _ => None,
        })
    }

    /// `count` holes that each take one of `set`, after `start`.
    pub(super) fn repeat(start: &str, set: &'static [u8], count: usize) -> Self {
        let holes = std::iter::repeat_n(Part::Hole(set), count);
        Self { parts: start.chars().map(Part::Literal).chain(holes).collect() }
    }

    /// This mask after the literal text `start`.
    pub(super) fn after(&self, start: &str) -> Self {
        Self { parts: start.chars().map(Part::Literal).chain(self.parts.iter().copied()).collect() }
    }

    fn with(text: &str, hole: impl Fn(char) -> Option<&'static [u8]>) -> Self {
        Self { parts: text.chars().map(|letter| hole(letter).map_or(Part::Literal(letter), Part::Hole)).collect() }
    }

    /// How many values there are, at most 2^63.
    pub(super) fn size(&self) -> u64 {
        let mut size = 1u64;
        for part in &self.parts {
            if let Part::Hole(set) = part {
                size = size.saturating_mul(set.len() as u64).min(1 << 63);
            }
        }
        size
    }

    /// Writes the value that 64 uniform bits choose.
    #[inline]
    pub(super) fn draw(&self, bits: u64, out: &mut String) {
        let (mut rest, mut holes) = (bits, 0);
        for part in &self.parts {
            match part {
                Part::Literal(letter) => out.push(*letter),
                Part::Hole(set) => {
                    if holes == REFRESH {
                        (rest, holes) = (REFILL.draw(bits ^ rest), 0);
                    }
                    holes += 1;
                    let wide = u128::from(rest) * set.len() as u128;
                    out.push(char::from(set[(wide >> 64) as usize]));
                    rest = wide as u64;
                }
            }
        }
    }

    /// Writes value `index` (below [`Mask::size`]): different indexes give different texts, and neighbours do not
    /// look alike.
    pub(super) fn at(&self, index: u64, out: &mut String) {
        let size = self.size();
        let mut rest = ((u128::from(index) * u128::from(SCATTER) + START) % u128::from(size)) as u64;
        let mut room = size;
        let mut spare = REFILL.draw(index);
        let mut tail: Vec<char> = Vec::with_capacity(self.parts.len());
        for part in self.parts.iter().rev() {
            match part {
                Part::Literal(letter) => tail.push(*letter),
                Part::Hole(set) => {
                    let count = set.len() as u64;
                    // Holes beyond 2^63 values carry no part of the index: any function of it will do.
                    let source = if room == 0 { &mut spare } else { &mut rest };
                    tail.push(char::from(set[(*source % count) as usize]));
                    *source /= count;
                    room /= count;
                    if *source == 0 && room == 0 {
                        spare = REFILL.draw(spare ^ index ^ tail.len() as u64);
                    }
                }
            }
        }
        out.extend(tail.iter().rev());
    }

    /// Whether some text is a value of both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let meet = |pair: (&Part, &Part)| match pair {
            (Part::Literal(a), Part::Literal(b)) => a == b,
            (Part::Literal(letter), Part::Hole(set)) | (Part::Hole(set), Part::Literal(letter)) => {
                set.iter().any(|&byte| char::from(byte) == *letter)
            }
            (Part::Hole(a), Part::Hole(b)) => a.iter().any(|byte| b.contains(byte)),
        };
        self.parts.len() == other.parts.len() && self.parts.iter().zip(&other.parts).all(meet)
    }
}

/// Which characters of a Faker mask are holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holes {
    /// `numerify`.
    Digits,
    /// `lexify`.
    Letters,
    /// `bothify`.
    Both,
    /// `hexify`.
    Hex,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_values() {
        let mask = Mask::new("é%#-@");
        assert_eq!(mask.size(), 9 * 10 * 20);
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..mask.size() {
            let mut out = String::from("x");
            mask.at(index, &mut out);
            assert!(out.starts_with("xé") && out.len() == 7, "{out}");
            assert!(seen.insert(out));
        }
        assert_eq!(Mask::new(&"#".repeat(40)).size(), 1 << 63);
    }

    #[test]
    fn long_masks_stay_distinct_and_lively() {
        let mask = Mask::repeat("", HEX, 64);
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..20_000 {
            let mut out = String::new();
            mask.at(index, &mut out);
            assert!(!out.contains("0000000"), "{out}");
            assert!(seen.insert(out));
        }
    }

    #[test]
    fn draws_fill_every_hole() {
        let mut out = String::new();
        Mask::faker("A-##-??", Holes::Both).draw(0x9E37_79B9_7F4A_7C15, &mut out);
        assert_eq!(out.len(), 7);
        assert!(out.starts_with("A-") && !out.contains(['#', '?']), "{out}");
    }

    #[test]
    fn overlap_is_seen() {
        assert!(!Mask::new("0##").overlaps(&Mask::new("%##")));
        assert!(Mask::new("1##").overlaps(&Mask::new("%5#")));
        assert!(!Mask::new("1##").overlaps(&Mask::new("1#")));
    }
}
