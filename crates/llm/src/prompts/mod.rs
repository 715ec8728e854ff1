//! Prompts: files with named slots, those that come with the program and those of a folder over them.

mod template;
mod library;
mod folder;

pub use folder::read_folder;
pub use library::{Prompt, Prompts};
pub use minijinja::{Value as SlotValue, context as slots};
pub use template::{PromptError, Template};
