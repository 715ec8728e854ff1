//! Keys of providers: never printed, and taken out of what others print. Pure.

use std::fmt;
use std::sync::Arc;

use crate::limits::MESSAGE_CHARS_MAX;

/// A key. It prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Arc<str>);

impl ApiKey {
    /// A key without the blanks and line ends that files leave around it; nothing when nothing is left, or when it has
    /// characters that no header may have.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_sendable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_sendable.then(|| Self(text.into()))
    }

    /// The key itself, to be sent and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What begins the keys that are in use out there.
const KEY_BEGINNINGS: [&str; 6] = ["sk-", "sk_", "AKIA", "ASIA", "gsk_", "xai-"];

/// A foreign text as it may be shown: in one line, without control characters, without keys, bounded.
pub fn presentable(text: &str, key: Option<&ApiKey>) -> String {
    let masked = key.map_or_else(|| text.to_owned(), |key| text.replace(key.expose(), "***"));
    let mut shown = String::new();
    let mut characters = 0;
    for word in masked.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let bare = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let word = if KEY_BEGINNINGS.iter().any(|beginning| bare.starts_with(beginning)) { "***" } else { word };
        let room = MESSAGE_CHARS_MAX.saturating_sub(characters + 1);
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.extend(word.chars().take(room));
        characters += word.chars().count() + 1;
        if characters > MESSAGE_CHARS_MAX {
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_printed() {
        let key = ApiKey::new(" secret-1234\n").expect("a key");
        assert_eq!(format!("{key:?}"), "***");
        assert_eq!(key.expose(), "secret-1234");
        assert!(ApiKey::new(" \n").is_none() && ApiKey::new("a\nb").is_none());
    }

    #[test]
    fn foreign_texts_lose_keys_control_characters_and_length() {
        let key = ApiKey::new("secret-1234").expect("a key");
        let shown = presentable("bad key:\u{7} secret-1234,\n\n \"sk-abc***def\" \u{1b}[31m", Some(&key));
        assert_eq!(shown, "bad key: ***, *** [31m");
        let long = presentable(&"x".repeat(5_000), None);
        assert!(long.chars().count() <= MESSAGE_CHARS_MAX + 1 && long.ends_with('…'));
        assert!(presentable(&"word ".repeat(5_000), None).chars().count() <= MESSAGE_CHARS_MAX + 2);
    }
}
