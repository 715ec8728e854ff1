//! Names in any script to the letters of an e-mail address. Pure.

/// The Latin letters (a-z only) of `text`, lower case; `german` spells umlauts with two letters.
///
/// Scripts that cannot be read letter by letter (Chinese, Arabic) give nothing: their lists carry a spelling.
pub(super) fn login(text: &str, german: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.extend(letter.is_ascii_alphabetic().then(|| letter.to_ascii_lowercase()));
        } else if ('\u{AC00}'..='\u{D7A3}').contains(&letter) {
            hangul(letter, &mut out);
        } else {
            out.push_str(spelling(letter, german).unwrap_or_default());
        }
    }
    out
}

/// `text` for comparison: lower case, accents off, spaces kept; letters of other scripts stay as they are.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match spelling(letter, false) {
            None => out.push(letter),
            Some(plain) => out.push_str(plain),
        }
    }
    out
}

/// How one accented or Cyrillic letter is spelt.
fn spelling(letter: char, german: bool) -> Option<&'static str> {
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    if german && let Some((_, two)) = GERMAN.iter().find(|(from, _)| *from == lower) {
        return Some(two);
    }
    let found = LETTERS.iter().find(|(from, _)| from.contains(lower));
    found.map(|(_, to)| *to)
}

const GERMAN: [(char, &str); 3] = [('ä', "ae"), ('ö', "oe"), ('ü', "ue")];

const LETTERS: [(&str, &str); 55] = [
    ("áàâäãåāăą", "a"),
    ("çćčĉ", "c"),
    ("ďđð", "d"),
    ("éèêëēěę", "e"),
    ("ğĝģ", "g"),
    ("iíìîïīı", "i"),
    ("ķ", "k"),
    ("łľĺļ", "l"),
    ("ñńňņ", "n"),
    ("óòôöõøōő", "o"),
    ("řŕ", "r"),
    ("śšşș", "s"),
    ("ťţț", "t"),
    ("úùûüūůű", "u"),
    ("ýÿ", "y"),
    ("źžż", "z"),
    ("ß", "ss"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("þ", "th"),
    ("ŵ", "w"),
    ("\u{307}", ""),
    ("а", "a"),
    ("б", "b"),
    ("в", "v"),
    ("г", "g"),
    ("д", "d"),
    ("еэ", "e"),
    ("ё", "yo"),
    ("ж", "zh"),
    ("з", "z"),
    ("и", "i"),
    ("й", "y"),
    ("к", "k"),
    ("л", "l"),
    ("м", "m"),
    ("н", "n"),
    ("о", "o"),
    ("п", "p"),
    ("р", "r"),
    ("с", "s"),
    ("т", "t"),
    ("у", "u"),
    ("ф", "f"),
    ("х", "kh"),
    ("ц", "ts"),
    ("ч", "ch"),
    ("ш", "sh"),
    ("щ", "shch"),
    ("ъь", ""),
    ("ы", "y"),
    ("ю", "yu"),
    ("я", "ya"),
    ("і", "i"),
    ("ї", "yi"),
];

/// A Hangul syllable by its parts (revised romanisation, without sound changes between syllables).
fn hangul(syllable: char, out: &mut String) {
    let at = syllable as usize - 0xAC00;
    out.push_str(LEADS[at / 588]);
    out.push_str(VOWELS[at % 588 / 28]);
    out.push_str(TAILS[at % 28]);
}

const LEADS: [&str; 19] =
    ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"];
const VOWELS: [&str; 21] = [
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu",
    "ui", "i",
];
const TAILS: [&str; 28] = [
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng", "t",
    "t", "k", "t", "p", "t",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_letters() {
        let cases = [
            ("O'Brien", "obrien"),
            ("José", "jose"),
            ("Müller", "muller"),
            ("Świętosława", "swietoslawa"),
            ("Щукин", "shchukin"),
            ("İbrahim", "ibrahim"),
            ("민수", "minsu"),
            ("王", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(login(name, false), expected, "{name}");
        }
        assert_eq!(login("Müller-Groß", true), "muellergross");
    }
}
