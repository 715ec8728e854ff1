//! Keys and draws: where every random value comes from. Pure.
//!
//! A key is made from names, never from positions, so that adding a column or a table changes no other value. A draw
//! is an integer mix of key, row and draw number: any row can be drawn alone, in any order, on any machine.

/// The 128-bit key of one role: everything that shares a key shares its draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    a: u64,
    b: u64,
}

/// What all keys of one build have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The engine version: names all generators, word lists and arithmetic.
    pub engine: u32,
    /// The user's seed.
    pub seed: u64,
}

impl Root {
    /// The key of `role` in `table`: BLAKE3 over the length-prefixed parts (DESIGN §4).
    pub fn key(&self, table: &str, role: &str) -> Key {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.engine.to_le_bytes()[..], &self.seed.to_le_bytes()[..], table.as_bytes(), role.as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let bytes = hasher.finalize();
        let word = |at: usize| {
            u64::from_le_bytes(bytes.as_bytes()[at..at + 8].try_into().expect("a BLAKE3 hash has 32 bytes"))
        };
        Key { a: word(0), b: word(8) }
    }
}

/// The odd constant that separates draw numbers: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Key {
    /// A key straight from two words, for tests and for keys that are derived from a draw.
    pub const fn from_words(a: u64, b: u64) -> Self {
        Self { a, b }
    }

    /// The key for draw number `number`: two draws of one row that use different numbers are independent.
    #[inline]
    pub const fn number(self, number: u64) -> Self {
        Self { a: self.a, b: self.b.wrapping_add(number.wrapping_mul(GOLDEN)) }
    }

    /// 64 uniform bits for `row`. For one key this is a bijection of the row, so no two rows share a draw.
    #[inline]
    pub const fn draw(self, row: u64) -> u64 {
        let mut x = row ^ self.a;
        // Two rounds of the 64-bit finaliser family found by Stafford (mix 13) and Pelle Evensen (moremur).
        x = (x ^ (x >> 27)).wrapping_mul(0x3C79_AC49_2BA7_B653);
        x = (x ^ (x >> 33)).wrapping_mul(0x1C69_B3F7_4AC4_AE35);
        x = (x ^ (x >> 27)).wrapping_add(self.b);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A uniform number in the open interval (0, 1), with 52 bits.
    #[inline]
    pub const fn unit(self, row: u64) -> f64 {
        unit(self.draw(row))
    }

    /// A uniform integer below `bound` (which must not be 0), by multiplication: the bias is below `bound` / 2^64.
    #[inline]
    pub const fn below(self, row: u64, bound: u64) -> u64 {
        below(self.draw(row), bound)
    }
}

/// 64 bits to a number in the open interval (0, 1): the middle of one of 2^52 equal cells, never 0 and never 1.
#[inline]
pub const fn unit(bits: u64) -> f64 {
    // Signed, because processors convert only signed integers in one step.
    ((bits >> 12) as i64 as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// 64 bits to an integer below `bound`.
#[inline]
pub const fn below(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_test_vectors() {
        let key = Key::from_words(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210);
        let drawn = [key.draw(0), key.draw(1), key.draw(u64::MAX), key.number(1).draw(0)];
        assert_eq!(drawn, VECTORS, "{drawn:#x?}");
    }

    const VECTORS: [u64; 4] =
        [0x05EB_60FA_FA5B_1FBA, 0x4BE7_85F5_BCD5_3D0A, 0x0035_3672_0218_D0D6, 0x1986_002F_7CA6_3124];

    #[test]
    fn keys_depend_on_every_part_and_on_where_parts_end() {
        let root = Root { engine: 1, seed: 42 };
        let keys = [
            root.key("users", "email"),
            root.key("user", "semail"),
            root.key("users", "name"),
            Root { engine: 2, seed: 42 }.key("users", "email"),
            Root { engine: 1, seed: 43 }.key("users", "email"),
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn the_mean_and_every_bit_are_balanced() {
        let key = Root { engine: 1, seed: 7 }.key("t", "c");
        let rows = 200_000u64;
        let mut ones = [0u32; 64];
        let mut sum = 0.0;
        for row in 0..rows {
            let bits = key.draw(row);
            sum += unit(bits);
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += (bits >> bit & 1) as u32;
            }
        }
        assert!((sum / rows as f64 - 0.5).abs() < 0.003, "{sum}");
        assert!(ones.iter().all(|&n| (f64::from(n) / rows as f64 - 0.5).abs() < 0.006), "{ones:?}");
    }
}
