//! What a provider remembers between calls, within bounds: schemas, prompts in its cache, requests that met a fault. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::{PREFIX_MS, PREFIXES, REPEATS, SCHEMAS};
use crate::schema::{Schema, SchemaError, Strictness};

/// Compiled schemas by their text.
#[derive(Debug, Default)]
pub(crate) struct Schemas(HashMap<([u8; 32], Strictness), Arc<Schema>>);

impl Schemas {
    /// The schema that a text stands for.
    pub(crate) fn compile(&mut self, text: &str, strictness: Strictness) -> Result<Arc<Schema>, SchemaError> {
        let key = (*blake3::hash(text.as_bytes()).as_bytes(), strictness);
        if let Some(known) = self.0.get(&key) {
            return Ok(Arc::clone(known));
        }
        let wrong = |error: serde_json::Error| SchemaError { path: "#".to_owned(), message: error.to_string() };
        let document = serde_json::from_str(text).map_err(wrong)?;
        let schema = Arc::new(Schema::compile(&document, strictness)?);
        make_room(&mut self.0, SCHEMAS);
        self.0.insert(key, Arc::clone(&schema));
        Ok(schema)
    }
}

/// Beginnings of prompts that are cached, each with the time when it is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Prefixes(HashMap<([u8; 32], usize), u64>);

impl Prefixes {
    /// Whether the model at `place` has it in its cache.
    pub(crate) fn knows(&self, digest: [u8; 32], place: usize, now_ms: u64) -> bool {
        self.0.get(&(digest, place)).is_some_and(|until_ms| now_ms < *until_ms)
    }

    /// Keeps it from now on.
    pub(crate) fn keep(&mut self, digest: [u8; 32], place: usize, now_ms: u64) {
        make_room(&mut self.0, PREFIXES);
        self.0.insert((digest, place), now_ms.saturating_add(PREFIX_MS));
    }
}

/// How often each request has met a fault, so that its repetition draws anew.
#[derive(Debug, Default)]
pub(crate) struct Repeats(HashMap<u64, u64>);

impl Repeats {
    /// How often the request with this number has met a fault.
    pub(crate) fn of(&self, request: u64) -> u64 {
        self.0.get(&request).copied().unwrap_or(0)
    }

    /// It has met another.
    pub(crate) fn count(&mut self, request: u64) {
        make_room(&mut self.0, REPEATS);
        *self.0.entry(request).or_default() += 1;
    }
}

/// Forgets everything once there is no more room: simpler than to choose, and as right.
fn make_room<K, V>(map: &mut HashMap<K, V>, most: usize) {
    if map.len() >= most {
        map.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_forgotten_after_a_while_and_known_to_one_model() {
        let mut prefixes = Prefixes::default();
        prefixes.keep([1; 32], 0, 100);
        assert!(prefixes.knows([1; 32], 0, 100 + PREFIX_MS - 1));
        assert!(!prefixes.knows([1; 32], 0, 100 + PREFIX_MS));
        assert!(!prefixes.knows([1; 32], 1, 100) && !prefixes.knows([2; 32], 0, 100));
    }

    #[test]
    fn a_schema_is_compiled_once_for_each_strictness() {
        let mut schemas = Schemas::default();
        let open = r#"{"type": "object"}"#;
        let first = schemas.compile(open, Strictness::Lenient).expect("right");
        assert!(Arc::ptr_eq(&first, &schemas.compile(open, Strictness::Lenient).expect("right")));
        assert!(schemas.compile(open, Strictness::Closed).is_err());
        assert!(schemas.compile("{", Strictness::Lenient).is_err());
    }

    #[test]
    fn room_is_made() {
        let mut repeats = Repeats::default();
        repeats.count(1);
        repeats.count(1);
        assert_eq!((repeats.of(1), repeats.of(2)), (2, 0));
        let mut map = HashMap::from([(1, 1), (2, 2)]);
        make_room(&mut map, 3);
        assert_eq!(map.len(), 2);
        make_room(&mut map, 2);
        assert_eq!(map.len(), 0);
    }
}
