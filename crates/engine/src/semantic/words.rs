//! Word lists that no country owns, and the plain-data format of all lists. Pure.

use std::sync::LazyLock;

/// One `key: value` file. Values are read as a line or as a comma-separated list; lines after `cities:` are rows.
pub(super) struct File {
    text: &'static str,
}

impl File {
    /// The file whose text is `text`.
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text }
    }

    /// The value of `key`, if the file has it.
    pub(super) fn find(&self, key: &str) -> Option<&'static str> {
        self.text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    }

    /// The value of `key`.
    pub(super) fn line(&self, key: &str) -> &'static str {
        self.find(key).expect("a test reads every key of every file")
    }

    /// The items of `key`; none where the file has no such key.
    pub(super) fn list(&self, key: &str) -> Vec<&'static str> {
        self.find(key).map_or_else(Vec::new, |line| line.split(", ").collect())
    }

    /// The rows below `cities:`, split into fields.
    pub(super) fn cities(&self) -> impl Iterator<Item = Vec<&'static str>> {
        self.text.lines().skip_while(|line| *line != "cities:").skip(1).map(|line| line.split('|').collect())
    }
}

/// The lists that all locales share.
static COMMON: File = File::new(include_str!("data/common.txt"));

macro_rules! common {
    ($($name:ident)*) => {
        /// The lists that all locales share, split once.
        pub(super) struct Common {
            $(pub(super) $name: Vec<&'static str>,)*
        }

        /// The shared lists.
        pub(super) static LISTS: LazyLock<Common> =
            LazyLock::new(|| Common { $($name: COMMON.list(stringify!($name)),)* });

        /// Every shared list with its name, for the test that pins them.
        #[cfg(test)]
        pub(super) fn all() -> Vec<(&'static str, &'static [&'static str])> {
            vec![$((stringify!($name), &LISTS.$name),)*]
        }
    };
}

common! {
    words jobs departments categories brands materials adjectives products colors languages nationalities countries
    currency_codes currency_names currency_symbols prefixes_female prefixes_male suffixes statuses mime_types extensions
    directories file_words tlds http_methods emojis months days free_domains safe_domains providers platforms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_full_and_free_of_twins() {
        for (name, list) in all() {
            assert!(list.len() >= 2, "{name}");
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), list.len(), "{name} has a word twice");
            assert!(list.iter().all(|word| !word.is_empty() && word.trim() == *word), "{name}");
        }
        assert_eq!(LISTS.currency_codes.len(), LISTS.currency_names.len());
        assert!(LISTS.countries.iter().all(|country| country.contains('=')));
    }
}
