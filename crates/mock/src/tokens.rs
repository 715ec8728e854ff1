//! How many tokens a text is, by a rule that anybody can apply: a word counts one token for every four bytes it begins.
//! Pure.

/// Bytes in a token.
const TOKEN_BYTES: usize = 4;

/// The tokens of a text. A word is what stands between white space, so there is at least one for each.
pub fn count(text: &str) -> u64 {
    text.split_ascii_whitespace().map(|word| word.len().div_ceil(TOKEN_BYTES) as u64).sum()
}

/// The longest beginning of a text that is at most `tokens` tokens, without white space at its end.
pub fn cut(text: &str, tokens: u64) -> &str {
    let mut left = tokens;
    let mut end = 0;
    for word in text.split_ascii_whitespace() {
        let size = word.len().div_ceil(TOKEN_BYTES) as u64;
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        if size > left {
            let inside = boundary(word, left as usize * TOKEN_BYTES);
            return &text[..if inside == 0 { end } else { start + inside }];
        }
        left -= size;
        end = start + word.len();
    }
    text
}

/// The last place up to `end` where `word` may be cut.
fn boundary(word: &str, end: usize) -> usize {
    (0..=end).rev().find(|at| word.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_by_the_four_bytes_they_begin() {
        for (text, tokens) in
            [("", 0), ("  \n ", 0), ("a", 1), ("four", 1), ("fives", 2), ("a b  c\nd", 4), ("東京", 2)]
        {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn a_cut_text_is_a_beginning_of_that_many_tokens() {
        let text = "one seventeen  of them, Zoë\n";
        for tokens in 0..=count(text) {
            let cut = cut(text, tokens);
            assert!(text.starts_with(cut) && count(cut) == tokens, "{tokens}: {cut:?}");
        }
        assert_eq!(cut(text, 99), text);
        assert_eq!(count(cut("東京東京", 1)), 1, "a character is not cut in two");
    }
}
