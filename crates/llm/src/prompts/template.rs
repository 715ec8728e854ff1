//! A text with named slots. A slot that is not filled is an error, and what fills it is never read as a template. Pure.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::limits::RENDER_FUEL;
use crate::near::nearest;

/// What minijinja offers to every template.
const FUNCTIONS: [&str; 4] = ["range", "dict", "debug", "namespace"];
const ONLY: &str = "template";

/// A text with named slots, ready to be filled.
#[derive(Debug)]
pub struct Template {
    name: String,
    text: String,
    slots: Vec<String>,
    environment: Environment<'static>,
}

/// Why a prompt cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// The text is no template.
    #[error("the prompt `{name}` cannot be read: line {line}: {what}")]
    Unreadable {
        /// The template.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A slot is not there.
    #[error("the prompt `{name}` has the slot `{slot}`, which is not there{near}")]
    Absent {
        /// The template.
        name: String,
        /// The slot.
        slot: String,
        /// The nearest that is there, in words.
        near: String,
    },
    /// It could not be filled.
    #[error("the prompt `{name}` cannot be filled: line {line}: {what}")]
    Unfilled {
        /// The template.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// No prompt has the name.
    #[error("there is no prompt `{name}`{near} `shardmill prompt list` shows all")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest that is there, in words.
        near: String,
    },
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When it is none, with the line.
    pub fn new(name: &str, text: &str) -> Result<Self, PromptError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters can be told apart"));
        environment.set_fuel(Some(RENDER_FUEL));
        environment.add_template_owned(ONLY, text.to_owned()).map_err(|error| PromptError::Unreadable {
            name: name.to_owned(),
            line: error.line().unwrap_or(1),
            what: said(&error),
        })?;
        let template = environment.get_template(ONLY).expect("it was just added");
        let mut slots: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        slots.retain(|slot| !FUNCTIONS.contains(&slot.as_str()));
        slots.sort_unstable();
        Ok(Self { name: name.to_owned(), text: text.to_owned(), slots, environment })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it must be given, in alphabetical order.
    pub fn slots(&self) -> &[String] {
        &self.slots
    }

    /// What it must be given, with the parts that it looks at: `customer.name`.
    pub fn paths(&self) -> Vec<String> {
        let template = self.environment.get_template(ONLY).expect("it was added when this was made");
        let mut paths: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        paths.retain(|path| !FUNCTIONS.contains(&path.split('.').next().unwrap_or_default()));
        paths.sort_unstable();
        paths
    }

    /// Whether everything that it must be given is among `available`.
    ///
    /// # Errors
    /// The first slot that is not, and the nearest that is.
    pub fn check<'a>(&self, available: impl IntoIterator<Item = &'a str> + Clone) -> Result<(), PromptError> {
        let absent = self.slots.iter().find(|slot| !available.clone().into_iter().any(|name| name == slot.as_str()));
        match absent {
            None => Ok(()),
            Some(slot) => Err(self.absent(slot, available)),
        }
    }

    fn absent<'a>(&self, slot: &str, available: impl IntoIterator<Item = &'a str>) -> PromptError {
        let near = nearest(slot, available).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        PromptError::Absent { name: self.name.clone(), slot: slot.to_owned(), near }
    }

    /// The text with its slots filled by the parts of `values`.
    ///
    /// # Errors
    /// When a slot is not there, or a value does not fit what the template does with it.
    pub fn fill(&self, values: &Value) -> Result<String, PromptError> {
        for slot in &self.slots {
            if values.get_attr(slot).is_ok_and(|value| value.is_undefined()) {
                let keys: Vec<String> = values.try_iter().into_iter().flatten().map(|key| key.to_string()).collect();
                return Err(self.absent(slot, keys.iter().map(String::as_str)));
            }
        }
        let template = self.environment.get_template(ONLY).expect("it was added when this was made");
        template.render(values.clone()).map_err(|error| PromptError::Unfilled {
            name: self.name.clone(),
            line: error.line().unwrap_or(1),
            what: said(&error),
        })
    }
}

fn said(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()))
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn template(text: &str) -> Template {
        Template::new("test", text).expect("reads")
    }

    #[test]
    fn slots_are_named_and_filled() {
        let greeting = template("{% for name in names %}Hello {{ name }} of {{ shop.city }}!\n{% endfor %}");
        assert_eq!(greeting.slots(), ["names", "shop"]);
        assert_eq!(greeting.paths(), ["names", "shop.city"]);
        let filled = greeting.fill(&context! { names => ["Ann", "Bo"], shop => context! { city => "Bonn" } });
        assert_eq!(filled.expect("fills"), "Hello Ann of Bonn!\nHello Bo of Bonn!\n");
    }

    #[test]
    fn an_absent_slot_is_named_with_the_nearest() {
        let template = template("{{ custmer }}");
        let error = template.fill(&context! { customer => "x" }).expect_err("is absent").to_string();
        assert_eq!(error, "the prompt `test` has the slot `custmer`, which is not there; did you mean `customer`?");
        assert_eq!(template.check(["customer"]).expect_err("is absent").to_string(), error);
        assert!(template.check(["custmer", "x"]).is_ok());
    }

    #[test]
    fn what_fills_a_slot_stays_data() {
        let row = "{{ secret }} {% for x in y %} <b>&";
        assert_eq!(template("[{{ row }}]").fill(&context! { row }).expect("fills"), format!("[{row}]"));
    }

    #[test]
    fn errors_name_the_line_and_endless_work_ends() {
        let error = Template::new("test", "fine\n{{ a").expect_err("is no template").to_string();
        assert!(error.starts_with("the prompt `test` cannot be read: line 2"), "{error}");
        let error =
            template("x\n{{ row.absent }}").fill(&context! { row => context! {} }).expect_err("absent").to_string();
        assert!(error.contains("line 2"), "{error}");
        let endless =
            template("{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}");
        assert!(matches!(endless.fill(&context! {}), Err(PromptError::Unfilled { .. })));
    }
}
