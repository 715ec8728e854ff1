//! What a model answers: text or JSON, of how many tokens, and how it ends. A function of a key and of what was asked for.
//! Pure.

use std::sync::Arc;

use shardmill_engine::random::key::Key;

use crate::fault::Fault;
use crate::limits::{HUGE_BYTES, TEXT_TOKENS};
use crate::schema::{Draws, Schema, Truth, sentences};
use crate::spread::Spread;
use crate::tokens;

/// What a model refuses with.
const REFUSAL: &str = "I cannot help with that.";
/// The least tokens of a free text.
const TEXT_TOKENS_LEAST: u64 = 1;
/// Words between two control characters.
const CONTROL_EVERY: usize = 4;

/// What an answer must look like.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// This text.
    Told(String),
    /// Any JSON object.
    Object,
    /// JSON that satisfies a schema.
    Schema(Arc<Schema>),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Finish {
    #[default]
    /// The model had no more to say.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The model refused; the text says so.
    Refusal,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) finish: Finish,
    /// What is charged: the tokens of the text, or where it is blown up by [`Fault::Huge`] of what it was before.
    pub(crate) tokens: u64,
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) form: Form,
    /// Tokens of the answer, at most.
    pub(crate) most: u64,
    /// How long a free text is, in tokens.
    pub(crate) length: Spread,
}

impl Wanted {
    /// The answer for a key, changed by a fault.
    pub(crate) fn answer(&self, key: Key, fault: Option<Fault>) -> Answer {
        if fault == Some(Fault::Refusal) {
            let text = tokens::cut(REFUSAL, self.most).to_owned();
            return Answer { tokens: tokens::count(&text), text, finish: Finish::Refusal };
        }
        let mut draws = Draws::new(key);
        let (text, ends_early) = self.text(&mut draws, fault);
        let mut answer = self.limited(disguised(text, fault), ends_early);
        if fault == Some(Fault::Truncated) {
            let half = tokens::cut(&answer.text, (answer.tokens / 2).max(1)).len();
            answer.text.truncate(half);
            answer = Answer { tokens: tokens::count(&answer.text), finish: Finish::Length, ..answer };
        }
        if fault == Some(Fault::Huge) {
            let more = sentences(draws.key(), 1_000);
            while answer.text.len() < HUGE_BYTES {
                answer.text.push(' ');
                answer.text.push_str(&more);
            }
        }
        answer
    }

    /// The right text, and whether it would have been longer than it may be.
    fn text(&self, draws: &mut Draws, fault: Option<Fault>) -> (String, bool) {
        let truth = if fault == Some(Fault::WrongJson) { Truth::Wrong } else { Truth::Right };
        match &self.form {
            Form::Schema(schema) => (schema.write(draws.key(), truth), false),
            Form::Told(text) => (text.clone(), false),
            Form::Object => (format!(r#"{{"text": "{}"}}"#, sentences(draws.key(), 12)), false),
            Form::Text => {
                let wanted = self.length.draw(draws.unit(), TEXT_TOKENS).max(TEXT_TOKENS_LEAST);
                (sentences(draws.key(), wanted.min(self.most)), wanted > self.most)
            }
        }
    }

    /// The text cut to what it may be.
    fn limited(&self, mut text: String, ends_early: bool) -> Answer {
        let count = tokens::count(&text);
        if count <= self.most {
            return Answer { text, finish: if ends_early { Finish::Length } else { Finish::Stop }, tokens: count };
        }
        let end = tokens::cut(&text, self.most).len();
        text.truncate(end);
        Answer { tokens: tokens::count(&text), text, finish: Finish::Length }
    }
}

/// The text as a fault has it.
fn disguised(text: String, fault: Option<Fault>) -> String {
    match fault {
        Some(Fault::Fenced) => format!("```json\n{text}\n```"),
        Some(Fault::Prose) => format!("Here is what you asked for:\n\n{text}\n\nSay if it should be shorter."),
        Some(Fault::InvalidJson) => {
            let end = text.char_indices().next_back().map_or(0, |(at, _)| at);
            format!("{},]", &text[..end])
        }
        Some(Fault::Control) => {
            let words = text.split(' ').enumerate();
            words
                .map(
                    |(at, word)| {
                        if at % CONTROL_EVERY == 0 { format!("{word}\u{0}\u{7}\u{1b}") } else { word.to_owned() }
                    },
                )
                .collect::<Vec<_>>()
                .join(" ")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Strictness;
    use serde_json::{Value, json};

    fn wanted(form: Form, most: u64) -> Wanted {
        Wanted { form, most, length: Spread::Even { least: 20, most: 60 } }
    }

    fn key(number: u64) -> Key {
        Key::from_words(number, 3)
    }

    fn object() -> Form {
        let schema = json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}});
        Form::Schema(Arc::new(Schema::compile(&schema, Strictness::Lenient).expect("compiles")))
    }

    #[test]
    fn free_text_has_as_many_tokens_as_were_drawn() {
        for number in 0..200 {
            let answer = wanted(Form::Text, 1_000).answer(key(number), None);
            assert!((20..=60).contains(&answer.tokens) && answer.finish == Finish::Stop, "{answer:?}");
            assert_eq!(answer.tokens, tokens::count(&answer.text));
            assert_eq!(answer, wanted(Form::Text, 1_000).answer(key(number), None), "the same for the same key");
        }
        assert_ne!(wanted(Form::Text, 99).answer(key(1), None).text, wanted(Form::Text, 99).answer(key(2), None).text);
    }

    #[test]
    fn no_answer_is_longer_than_it_may_be() {
        for fault in [None].into_iter().chain(Fault::ALL.iter().copied().map(Some)) {
            for form in [Form::Text, Form::Object, object()] {
                let answer = wanted(form, 4).answer(key(1), fault);
                assert!(answer.tokens <= 4 && answer.tokens > 0, "{fault:?} {answer:?}");
                assert_eq!(answer.finish == Finish::Refusal, fault == Some(Fault::Refusal));
            }
        }
        assert_eq!(wanted(Form::Text, 4).answer(key(1), None).finish, Finish::Length);
    }

    #[test]
    fn each_fault_does_to_the_text_what_it_says() {
        let answer = |fault| wanted(object(), 1_000).answer(key(5), Some(fault)).text;
        let right = wanted(object(), 1_000).answer(key(5), None).text;
        let json = |text: &str| serde_json::from_str::<Value>(text);
        assert!(json(&right).is_ok());
        assert_eq!(answer(Fault::Fenced), format!("```json\n{right}\n```"));
        assert!(answer(Fault::Prose).contains(&right) && json(&answer(Fault::Prose)).is_err());
        assert!(json(&answer(Fault::InvalidJson)).is_err() && json(&answer(Fault::Control)).is_err());
        assert!(json(&answer(Fault::WrongJson)).expect("JSON")["a"].is_object());
        assert!(answer(Fault::Control).contains('\u{1b}'));
        assert!(right.starts_with(&answer(Fault::Truncated)) && answer(Fault::Truncated).len() < right.len());
        assert!(answer(Fault::Huge).len() >= HUGE_BYTES);
        assert_eq!(answer(Fault::Refusal), REFUSAL);
        assert_eq!(answer(Fault::Slow), right);
    }
}
