//! Numbers in a description with what they count: `5k users`, `1.2 million orders`, `3 orders per customer`. Pure.

use super::word::Word;

/// Words between a number and what it counts.
const NOUN_WITHIN: usize = 4;
/// Words that end the search for what a number counts.
const ENDS: &[&str] =
    &["and", "with", "from", "in", "over", "during", "between", "since", "that", "who", "which", "or"];
/// Words that stand between a count and whom it is for.
const EACH: &[&str] = &["per", "each", "every"];

/// A number that counts something.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// How many.
    pub count: f64,
    /// The words of the number itself, by position.
    pub number: std::ops::Range<usize>,
    /// The words after it among which the thing is, by position.
    pub nouns: std::ops::Range<usize>,
    /// The words after `per`, when it counts the children of each parent.
    pub each: Option<std::ops::Range<usize>>,
}

/// The amounts of a description; `taken` are words that mean a time.
pub(super) fn amounts(words: &[Word], taken: &[bool]) -> Vec<Amount> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let number = if taken[at] { None } else { number(words, at) };
        let Some((count, end)) = number else {
            at += 1;
            continue;
        };
        let nouns = end..nouns_end(words, end, taken);
        let each = each(words, nouns.end, taken);
        found.push(Amount { count, number: at..end, nouns, each });
        at = end;
    }
    found
}

/// A number at a position, and where it ends.
pub(super) fn number(words: &[Word], at: usize) -> Option<(f64, usize)> {
    let text = words.get(at)?.text.as_str();
    let (mut count, mut end) = match (figure(text), spelled(text)) {
        (Some(count), _) => (count, at + 1),
        (None, Some(count)) => (count, at + 1),
        // `a million`, `a dozen`: an article counts only before a multiple.
        (None, None) if matches!(text, "a" | "an" | "one") => {
            let next = words.get(at + 1).filter(|word| !word.is_apart)?;
            (multiple(&next.text)?, at + 2)
        }
        (None, None) => return None,
    };
    while let Some(times) = words.get(end).filter(|word| !word.is_apart).and_then(|word| multiple(&word.text)) {
        // `m` alone may be metres; after a figure without a unit it is millions.
        count *= times;
        end += 1;
    }
    Some((count, end))
}

/// `5000`, `5,000`, `5_000`, `1.2`, `5k`, `1.2m`, `2bn`.
fn figure(text: &str) -> Option<f64> {
    let digits_end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.' | '_'))).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let groups: Vec<&str> = digits.split([',', '_']).collect();
    let is_grouped = groups.len() > 1;
    if is_grouped && groups[1..].iter().any(|group| group.split('.').next().is_none_or(|part| part.len() != 3)) {
        return None;
    }
    let count: f64 = groups.concat().parse().ok()?;
    let unit = unit.strip_prefix('-').unwrap_or(unit);
    if unit.is_empty() { Some(count) } else { multiple(unit).map(|times| count * times) }
}

fn multiple(text: &str) -> Option<f64> {
    Some(match text {
        "dozen" | "dozens" => 12.0,
        "hundred" | "hundreds" => 100.0,
        "k" | "thousand" | "thousands" => 1e3,
        "m" | "mm" | "mio" | "mln" | "million" | "millions" => 1e6,
        "b" | "bn" | "billion" | "billions" => 1e9,
        _ => return None,
    })
}

fn spelled(text: &str) -> Option<f64> {
    const SMALL: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let small = SMALL.iter().position(|word| *word == text).filter(|at| *at != 1).map(|at| at as f64);
    small.or(match text {
        "hundreds" => Some(500.0),
        "thousands" => Some(5e3),
        "millions" => Some(2e6),
        "twenty" => Some(20.0),
        "thirty" => Some(30.0),
        "fifty" => Some(50.0),
        _ => None,
    })
}

/// Where the words end among which the counted thing is.
fn nouns_end(words: &[Word], from: usize, taken: &[bool]) -> usize {
    let most = words.len().min(from + NOUN_WITHIN);
    let ends = |at: &usize| {
        let word = &words[*at];
        let is_next = (word.is_apart || number(words, *at).is_some()) && *at > from;
        let text = word.text.as_str();
        is_next || taken[*at] || ENDS.contains(&text) || EACH.contains(&text) || figure(text).is_some()
    };
    (from..most).find(ends).unwrap_or(most)
}

fn each(words: &[Word], at: usize, taken: &[bool]) -> Option<std::ops::Range<usize>> {
    let word = words.get(at).filter(|word| !word.is_apart)?;
    if !EACH.contains(&word.text.as_str()) {
        return None;
    }
    let from = at + 1;
    let end = nouns_end(words, from, taken);
    (end > from).then_some(from..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::word::words;

    fn read(text: &str) -> Vec<(f64, String, String)> {
        let words = words(text);
        let said = |range: std::ops::Range<usize>| {
            words[range].iter().map(|word| word.text.clone()).collect::<Vec<_>>().join(" ")
        };
        let taken = vec![false; words.len()];
        let amount = |amount: Amount| (amount.count, said(amount.nouns), amount.each.map(&said).unwrap_or_default());
        amounts(&words, &taken).into_iter().map(amount).collect()
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, count) in [
            ("5k users", 5e3),
            ("5 K users", 5e3),
            ("10,000 users", 1e4),
            ("10_000 users", 1e4),
            ("1.2 million users", 1.2e6),
            ("1.5m users", 1.5e6),
            ("2bn users", 2e9),
            ("a million users", 1e6),
            ("a hundred thousand users", 1e5),
            ("two dozen users", 24.0),
            ("twelve users", 12.0),
            ("thousands of users", 5e3),
            ("0 users", 0.0),
        ] {
            let found = read(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].0 == count && found[0].1.ends_with("users"), "{text}: {found:?}");
        }
        for text in ["users", "a user", "one-off", "3d", "1,2,3", "v2"] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    #[test]
    fn a_number_counts_what_follows_it() {
        let found = read("5k active users with 3 orders per customer, 20 products and 7 shops");
        let nouns: Vec<(&str, &str)> = found.iter().map(|(_, noun, each)| (noun.as_str(), each.as_str())).collect();
        assert_eq!(nouns, [("active users", ""), ("orders", "customer"), ("products", ""), ("shops", "")]);
    }
}
