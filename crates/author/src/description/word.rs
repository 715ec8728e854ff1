//! A description as words: small, without the marks around them, and where one sense ends and the next begins. Pure.

use crate::limits::{DESCRIPTION_WORDS_MAX, WORD_CHARS_MAX};

/// One word, number or date of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// In small letters.
    pub text: String,
    /// The same without the ending of a plural.
    pub stem: String,
    /// Whether a comma, a colon or the end of a sentence stands before it.
    pub is_apart: bool,
}

/// The words of a text.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut is_apart = true;
    let mut characters = text.chars().map(plain).peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        if c.is_alphanumeric() || joins(before, c, next) {
            word.extend(c.to_lowercase());
        } else {
            end(&mut found, &mut word, &mut is_apart);
            is_apart |= matches!(c, ',' | ';' | ':' | '.' | '!' | '?' | '(' | ')' | '&' | '\n');
        }
        before = c;
        if found.len() == DESCRIPTION_WORDS_MAX {
            return found;
        }
    }
    end(&mut found, &mut word, &mut is_apart);
    found
}

fn end(found: &mut Vec<Word>, word: &mut String, is_apart: &mut bool) {
    if word.is_empty() {
        return;
    }
    let text: String = word.chars().take(WORD_CHARS_MAX).collect();
    found.push(Word { stem: stem(&text), text, is_apart: *is_apart });
    word.clear();
    *is_apart = false;
}

/// Dashes and apostrophes that word processors write, as keyboards have them.
fn plain(c: char) -> char {
    match c {
        '–' | '—' | '‐' | '‑' => '-',
        '’' => '\'',
        _ => c,
    }
}

/// Whether a mark belongs to the word around it: `10,000`, `1.2`, `e-commerce`, `order_items`.
fn joins(before: char, mark: char, after: char) -> bool {
    match mark {
        ',' | '.' => before.is_ascii_digit() && after.is_ascii_digit(),
        '-' | '_' | '\'' => before.is_alphanumeric() && after.is_alphanumeric(),
        _ => false,
    }
}

/// A word without the ending of a plural. It need not be a word: both sides of a comparison pass through here.
pub fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let longer = |ending: &str| word.len() > ending.len() + 2;
    if word == "diagnoses" || word == "series" || word == "analytics" {
        return match word {
            "diagnoses" => "diagnosis",
            "analytics" => "analytic",
            _ => word,
        }
        .to_owned();
    }
    if let Some(front) = word.strip_suffix("ies").filter(|_| longer("ies")) {
        return format!("{front}y");
    }
    let hisses = ["sses", "xes", "ches", "shes"].iter().any(|ending| word.ends_with(ending));
    if hisses && longer("es") {
        return word[..word.len() - 2].to_owned();
    }
    let stays = ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    match word.strip_suffix('s').filter(|front| !stays && front.len() > 1) {
        Some(front) => front.to_owned(),
        None => word.to_owned(),
    }
}

/// How many words from `at` on are the phrase; nothing when they are not.
pub fn phrase(words: &[Word], at: usize, phrase: &str) -> Option<usize> {
    let parts = phrase.split(' ');
    let mut count = 0;
    for part in parts {
        let word = words.get(at + count)?;
        if (count > 0 && word.is_apart) || (word.stem != part && word.text != part) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).iter().map(|word| format!("{}{}", if word.is_apart { "|" } else { "" }, word.text)).collect()
    }

    #[test]
    fn numbers_and_joined_words_stay_whole() {
        assert_eq!(
            texts("E-commerce: 10,000 users,1.2 M orders (2023-01–2024) {{ x }}."),
            ["|e-commerce", "|10,000", "users", "|1.2", "m", "orders", "|2023-01-2024", "|x"]
        );
        assert_eq!(texts("\u{0}\u{1b}a\u{7}b"), ["|a", "b"]);
    }

    #[test]
    fn plurals_and_their_singular_are_the_same() {
        for (plural, singular) in [
            ("users", "user"),
            ("companies", "company"),
            ("classes", "class"),
            ("diagnoses", "diagnosis"),
            ("boxes", "box"),
            ("matches", "match"),
            ("warehouses", "warehouse"),
            ("houses", "house"),
            ("buses", "buse"),
            ("status", "status"),
            ("aircraft", "aircraft"),
            ("ads", "ad"),
            ("likes", "like"),
            ("analysis", "analysis"),
        ] {
            assert_eq!(stem(plural), singular);
            assert_eq!(stem(singular), singular);
        }
    }

    #[test]
    fn a_phrase_does_not_cross_a_comma() {
        let found = words("order items, order, items");
        assert_eq!([phrase(&found, 0, "order item"), phrase(&found, 2, "order item")], [Some(2), None]);
    }
}
