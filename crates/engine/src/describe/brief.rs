//! The spec language as briefly as a model needs it to write specs, from the tables that the engine itself reads. Pure.

use shardmill_shared::spec::envelope::Known;

use super::keys::{self, DISTRIBUTIONS, Group};
use super::reference::alias_of;
use crate::expression::FUNCTIONS;
use crate::generators::{ANSWERED, GENERATORS, Param};
use crate::modifiers::MODIFIERS;
use crate::semantic::METHODS;

/// The maps that are described; what is left out (bare documents, targets, budgets) no new spec needs.
const DESCRIBED: &[Group] = &[
    keys::SPEC,
    keys::TIMEFRAME,
    keys::TABLE,
    keys::FANOUT,
    keys::COLUMN,
    keys::CONSTRAINTS,
    keys::FOREIGN_KEY,
    keys::RANGE,
    keys::INEQUALITY,
    keys::PATTERN_RULE,
    keys::ENUM_RULE,
];
/// Keys of a spec that no new spec needs.
const LEFT_OUT: &[&str] = &["kind", "engine", "output", "budget", "targets", "dag"];

/// The whole language: keys, generators, distributions, modifiers, semantic types, functions.
pub fn brief(known: &Known<'_>) -> String {
    let mut text = "## Keys: name (what it takes; default): meaning\n".to_owned();
    for group in DESCRIBED {
        text.push_str(&format!("{}:\n", group.name));
        let wanted = |key: &&Param| alias_of(key).is_none() && !LEFT_OUT.contains(&key.name);
        group.keys.iter().filter(wanted).for_each(|key| text.push_str(&format!("- {}\n", described(key))));
    }
    let types = "int, float, string, bool, datetime, date, decimal(p,s)";
    text.push_str(&format!("\n## Types\n{types}\n\n## Generators: exactly one in a column\n"));
    for info in GENERATORS.iter().filter(|info| !ANSWERED.contains(&info.name)) {
        text.push_str(&entry(info.name, info.about, info.params, info.example));
    }
    text.push_str("\n## Distributions, for `distribution` with `type` and `params`\n");
    for group in DISTRIBUTIONS {
        let params =
            group.keys.iter().filter(|key| alias_of(key).is_none()).map(|key| format!("{} ({})", key.name, key.about));
        text.push_str(&format!("- {}: {}\n", group.name, params.collect::<Vec<_>>().join(", ")));
    }
    text.push_str("\n## Modifiers: `modifiers: [{NAME: {KEY: VALUE}}]`, in this order\n");
    for info in MODIFIERS {
        text.push_str(&entry(info.name, info.about, info.params, info.example));
    }
    text.push_str(&format!(
        "\n## Semantic types, for `faker: NAME` or `faker: {{method: NAME, locale: de_DE}}`\n{}\n",
        methods()
    ));
    text.push_str(&format!("\n## Functions, for `expression`\n{}\n", functions()));
    text.push_str(&format!("\n## Formats, for `output: {{format: NAME}}`\n{}\n", known.formats.join(", ")));
    text
}

fn described(key: &Param) -> String {
    let default = if key.default.is_empty() { "must be given".to_owned() } else { key.default.to_owned() };
    format!("{} ({}; {default}): {}", key.name, key.takes, key.about)
}

fn entry(name: &str, about: &str, params: &[Param], example: &str) -> String {
    let wanted = params.iter().filter(|key| alias_of(key).is_none());
    let keys: Vec<String> =
        wanted.map(|key| format!("{} ({}; {})", key.name, key.takes, or_given(key.default))).collect();
    format!("- {name}: {about}. Keys: {}. Example: {example}\n", keys.join(", "))
}

fn or_given(default: &str) -> &str {
    if default.is_empty() { "must be given" } else { default }
}

fn methods() -> String {
    let one = |info: &crate::semantic::MethodInfo| match info.parameters {
        [] => info.name.to_owned(),
        parameters => format!("{}({})", info.name, parameters.join(", ")),
    };
    METHODS.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn functions() -> String {
    let all = FUNCTIONS.iter().flat_map(|(_, functions)| functions.iter()).map(|function| function.signature);
    all.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::ENGINES;

    /// The longest that it may be: a model is told it with every question, and each byte is paid for.
    const BYTES_MAX: usize = 20_000;

    #[test]
    fn everything_that_a_new_spec_may_say_is_in_it() {
        let known = Known { kinds: &["tables"], formats: &["parquet"], compressions: &["zstd"], engines: ENGINES };
        let text = brief(&known);
        let generators = GENERATORS.iter().map(|info| info.name).filter(|name| !ANSWERED.contains(name));
        let names = generators
            .chain(MODIFIERS.iter().map(|info| info.name))
            .chain(DISTRIBUTIONS.iter().map(|group| group.name));
        for name in names {
            assert!(text.contains(&format!("- {name}: ")), "{name}");
        }
        for info in METHODS {
            assert!(text.contains(info.name), "{}", info.name);
        }
        for function in FUNCTIONS.iter().flat_map(|(_, functions)| functions.iter()) {
            assert!(text.contains(function.signature), "{}", function.signature);
        }
        assert!(!text.contains("llm_text"), "what needs a model of its own is left out");
        assert!(text.len() < BYTES_MAX, "{} bytes", text.len());
    }
}
