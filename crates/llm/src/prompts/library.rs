//! All prompts by name: those that come with the program, and over them those of the operator. Pure.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use shardmill_shared::job::Digest;

use super::template::{PromptError, Template};
use crate::near::nearest;

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../prompts/", $name, ".j2")))),+]
    };
}

/// The prompts that come with the program.
const SHIPPED: [(&str, &str); 22] = shipped![
    "json_schema",
    "judge",
    "records_coherent",
    "records_edge_cases",
    "records_examples",
    "records_general",
    "records_system",
    "records_texts",
    "repair",
    "requirements_ambiguities",
    "requirements_check",
    "requirements_extract",
    "requirements_patterns",
    "requirements_questions",
    "requirements_refine",
    "requirements_schema",
    "requirements_summary",
    "requirements_system",
    "spec_questions",
    "spec_repair",
    "spec_system",
    "spec_user",
];

/// A prompt.
#[derive(Debug)]
pub struct Prompt {
    /// Its text and slots.
    pub template: Template,
    /// What it is for: the comment that it begins with.
    pub about: String,
    /// Whether it is the operator's, in place of one that comes with the program.
    pub is_own: bool,
}

/// All prompts.
#[derive(Debug)]
pub struct Prompts {
    prompts: BTreeMap<String, Prompt>,
}

impl Prompts {
    /// The prompts that come with the program.
    pub fn shipped() -> Self {
        let read = |(name, text): &(&str, &str)| {
            let template = Template::new(name, text).expect("a test reads the shipped prompts");
            ((*name).to_owned(), Prompt { about: about(text), template, is_own: false })
        };
        Self { prompts: SHIPPED.iter().map(read).collect() }
    }

    /// The same, with some of them replaced.
    ///
    /// # Errors
    /// The first text that is no template, has the name of no prompt, or a slot that this prompt is not given.
    pub fn with(mut self, own: impl IntoIterator<Item = (String, String)>) -> Result<Self, PromptError> {
        for (name, text) in own {
            let shipped = self.get(&name)?;
            let template = Template::new(&name, &text)?;
            template.check(shipped.template.slots().iter().map(String::as_str))?;
            self.prompts.insert(name, Prompt { about: about(&text), template, is_own: true });
        }
        Ok(self)
    }

    /// A prompt.
    ///
    /// # Errors
    /// When none has the name; the message has the nearest that does.
    pub fn get(&self, name: &str) -> Result<&Prompt, PromptError> {
        self.prompts.get(name).ok_or_else(|| {
            let near = nearest(name, self.prompts.keys().map(String::as_str));
            let near = near.map_or_else(|| ";".to_owned(), |near| format!("; did you mean `{near}`?"));
            PromptError::Unknown { name: name.to_owned(), near }
        })
    }

    /// A prompt with its slots filled.
    ///
    /// # Errors
    /// As [`Self::get`] and [`Template::fill`].
    pub fn fill(&self, name: &str, values: &Value) -> Result<String, PromptError> {
        self.get(name)?.template.fill(values)
    }

    /// A prompt with its slots filled by the parts of what can be serialized as a map.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn fill_from(&self, name: &str, values: &impl Serialize) -> Result<String, PromptError> {
        self.fill(name, &Value::from(Serde(values)))
    }

    /// The digest of a prompt's text.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn digest(&self, name: &str) -> Result<Digest, PromptError> {
        Ok(Digest::of(self.get(name)?.template.text().as_bytes()))
    }

    /// All prompts, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Prompt> {
        self.prompts.values()
    }
}

/// The comment that a prompt begins with, in one line.
fn about(text: &str) -> String {
    let comment = text.strip_prefix("{#").and_then(|rest| rest.split("#}").next()).unwrap_or_default();
    comment.trim_matches(['-', ' ', '\n']).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    #[test]
    fn every_shipped_prompt_is_read_and_says_what_it_is_for() {
        let prompts = Prompts::shipped();
        assert_eq!(prompts.iter().count(), SHIPPED.len());
        for prompt in prompts.iter() {
            let slots = prompt.template.slots();
            let said = if slots.is_empty() { "none".to_owned() } else { slots.join(", ") };
            assert!(prompt.about.ends_with(&format!("Slots: {said}.")), "{}: {said}", prompt.template.name());
            // A list of maps can be shown, gone through and looked into.
            let value = vec![context! { name => "n", count => 1, description => "d", overrides => "o" }];
            let values: BTreeMap<String, Value> =
                slots.iter().map(|slot| (slot.clone(), Value::from(value.clone()))).collect();
            let filled = prompt.template.fill(&Value::from(values)).expect("fills");
            assert!(!filled.contains("{#") && filled.len() > 100, "{filled}");
        }
    }

    #[test]
    fn an_own_prompt_replaces_and_may_use_the_same_slots_only() {
        let own = |name: &str, text: &str| Prompts::shipped().with([(name.to_owned(), text.to_owned())]);
        let prompts = own("repair", "{# ours #}Wrong: {{ problems|join(' ') }}").expect("is taken");
        assert!(prompts.get("repair").expect("is there").is_own);
        let filled = prompts.fill("repair", &context! { problems => ["a", "b"] }).expect("fills");
        assert_eq!(filled, "Wrong: a b");
        assert_ne!(prompts.digest("repair"), Prompts::shipped().digest("repair"));
        let error = own("repair", "{{ problem }}").expect_err("no such slot").to_string();
        assert!(error.ends_with("did you mean `problems`?"), "{error}");
        let error = own("repairs", "").expect_err("no such prompt").to_string();
        assert!(error.contains("did you mean `repair`?"), "{error}");
    }
}
