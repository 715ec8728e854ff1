//! Embeddings: every word has a few places in the vector, so that texts with the same words lie near each other. Pure.

use shardmill_engine::random::key::{Key, below};

/// Places of a word.
const PLACES: u64 = 8;

/// The vector of a text, of length 1.
pub(crate) fn embed(key: Key, text: &str, dimensions: u64) -> Vec<f32> {
    let mut vector = vec![0.0f32; dimensions as usize];
    for word in text.split_ascii_whitespace() {
        let row = word_number(word);
        for place in 0..PLACES {
            let bits = key.number(place).draw(row);
            let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
            vector[below(bits, dimensions) as usize] += sign;
        }
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length == 0.0 {
        // A text without words lies somewhere as well.
        vector[0] = 1.0;
        return vector;
    }
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}

/// A number of a word that does not depend on capitals: FNV-1a.
fn word_number(word: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01B3);
    word.bytes().fold(0xCBF2_9CE4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearness(a: &str, b: &str) -> f32 {
        let vector = |text| embed(Key::from_words(1, 2), text, 256);
        vector(a).iter().zip(vector(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_with_the_same_words_are_near() {
        let text = "the red fox jumps over one lazy dog";
        assert!((nearness(text, text) - 1.0).abs() < 1e-5);
        assert!(nearness(text, "The red fox jumps over one lazy cat") > 0.7);
        assert!(nearness(text, "invoices are due within thirty days of delivery").abs() < 0.5);
        assert!((nearness("", " ") - 1.0).abs() < 1e-5);
    }
}
