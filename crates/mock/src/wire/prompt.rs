//! Counts the tokens of a prompt without keeping it: every text in it counts, names of fields and roles do not. Pure.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::tokens;

/// A prompt that is being counted.
#[derive(Debug, Default)]
pub(crate) struct Prompt {
    /// So far.
    pub(crate) tokens: u64,
    /// Up to the last place where the request wants it cached.
    pub(crate) prefix: Option<Prefix>,
    /// Of all texts so far, where that is needed.
    digest: Option<blake3::Hasher>,
}

/// A beginning of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) tokens: u64,
    pub(crate) digest: [u8; 32],
}

impl Prompt {
    /// A prompt of which prefixes may be cached.
    pub(crate) fn with_prefixes() -> Self {
        Self { digest: Some(blake3::Hasher::new()), ..Self::default() }
    }

    /// Counts every text in a piece of JSON.
    pub(crate) fn read(&mut self, json: &RawValue) -> Result<(), serde_json::Error> {
        Part(self).deserialize(&mut serde_json::Deserializer::from_str(json.get()))
    }

    /// Counts a text as it is.
    pub(crate) fn add(&mut self, text: &str) {
        self.tokens += tokens::count(text);
        if let Some(digest) = &mut self.digest {
            digest.update(&(text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        }
    }

    /// Notes that all so far may be cached.
    pub(crate) fn mark(&mut self) {
        let digest = self.digest.as_ref().map(|digest| *digest.finalize().as_bytes());
        self.prefix = digest.map(|digest| Prefix { tokens: self.tokens, digest });
    }
}

struct Part<'p>(&'p mut Prompt);

/// What a field of a prompt is to the count.
enum Field {
    Counts,
    Marks,
    IsSilent,
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a prompt")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.add(text);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        while parts.next_element_seed(Part(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut is_marked = false;
        while let Some(field) = fields.next_key_seed(FieldName)? {
            match field {
                Field::Counts => fields.next_value_seed(Part(self.0))?,
                Field::Marks => is_marked = fields.next_value::<Option<IgnoredAny>>()?.is_some(),
                Field::IsSilent => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        // Wherever in its block the mark stands, the block is part of the prefix.
        if is_marked {
            self.0.mark();
        }
        Ok(())
    }
}

struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Field;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "cache_control" | "cachePoint" => Field::Marks,
            "role" | "type" | "id" | "tool_use_id" | "toolUseId" | "tool_call_id" | "media_type" => Field::IsSilent,
            _ => Field::Counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(json: &str) -> Prompt {
        let mut prompt = Prompt::with_prefixes();
        prompt.read(&RawValue::from_string(json.to_owned()).expect("JSON")).expect("a prompt");
        prompt
    }

    #[test]
    fn every_text_counts_and_roles_do_not() {
        for (json, tokens) in [
            (r#""two words""#, 3),
            (r#"[{"role": "user", "content": "two words"}]"#, 3),
            (r#"[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b c"}]}]"#, 3),
            (r#"[{"content": null, "n": 3, "x": true, "y": -1.5, "z": "\u0061\n b"}]"#, 2),
            ("[]", 0),
        ] {
            assert_eq!(counted(json).tokens, tokens, "{json}");
        }
    }

    #[test]
    fn a_mark_keeps_all_before_it_and_its_own_block() {
        let first = counted(r#"[{"cache_control": {"type": "ephemeral"}, "text": "a b"}, {"text": "c"}]"#);
        let other = counted(r#"[{"text": "a b", "cache_control": {"type": "ephemeral"}}, {"text": "d"}]"#);
        assert_eq!((first.tokens, first.prefix.map(|prefix| prefix.tokens)), (3, Some(2)));
        assert_eq!(first.prefix, other.prefix);
        assert_eq!(counted(r#"[{"text": "a b", "cache_control": null}]"#).prefix, None);
    }
}
