//! The reference sections of the documentation, as Markdown. Pure.

use shardmill_shared::spec::envelope::Known;

use super::keys::DISTRIBUTIONS;
use super::sample::{first_rows, spec_of};
use super::schema::group;
use crate::expression::FUNCTIONS;
use crate::generators::{ANSWERED, GENERATORS, Param};
use crate::modifiers::MODIFIERS;
use crate::random::key::Root;
use crate::semantic::{Locale, METHODS, MethodInfo, Semantic, Shares, Slots};

/// The longest sample of a semantic type, in characters: tables stay readable.
const SAMPLE_CHARS_MAX: usize = 44;

/// The section of a name: `generators`, `modifiers`, `distributions`, `functions`, `methods`, `locales`, or `keys GROUP`.
///
/// # Errors
/// When there is no such section, or an example does not run.
pub fn section(name: &str, known: &Known<'_>) -> Result<String, String> {
    match name {
        "generators" => generators(known),
        "modifiers" => modifiers(known),
        "distributions" => Ok(distributions()),
        "functions" => Ok(functions()),
        "methods" => Ok(methods()),
        "locales" => Ok(locales()),
        _ => {
            let group = name.strip_prefix("keys ").and_then(group);
            group.map(|group| keys(group.keys)).ok_or_else(|| format!("there is no section `{name}`"))
        }
    }
}

/// One generator or modifier.
struct Entry {
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
    bare: Option<&'static str>,
    example: &'static str,
}

fn generators(known: &Known<'_>) -> Result<String, String> {
    let entries = GENERATORS.iter().map(|info| Entry {
        name: info.name,
        about: info.about,
        params: info.params,
        bare: info.bare,
        example: info.example,
    });
    entries.map(|entry| described(&entry, known)).collect()
}

fn modifiers(known: &Known<'_>) -> Result<String, String> {
    let entries = MODIFIERS.iter().map(|info| Entry {
        name: info.name,
        about: info.about,
        params: info.params,
        bare: info.bare,
        example: info.example,
    });
    entries.map(|entry| described(&entry, known)).collect()
}

fn described(entry: &Entry, known: &Known<'_>) -> Result<String, String> {
    let Entry { name, about, params, bare, example } = entry;
    let spec = spec_of(name, example);
    let rows = if ANSWERED.contains(name) {
        "(what a model answers)\n".to_owned()
    } else {
        first_rows(&spec, &["examples"], known).map_err(|error| format!("example of `{name}`: {error}"))?
    };
    let short = bare.map(|bare| format!(" A bare value is `{bare}`.")).unwrap_or_default();
    Ok(format!(
        "### `{name}`\n\n{}.{short}\n\n{}\n```yaml\nvalue: {example}\n```\n\n```text\n{rows}```\n\n",
        capital(about),
        keys(params)
    ))
}

/// A table of keys; aliases stand beside what they mean.
fn keys(keys: &[Param]) -> String {
    let mut text = "| key | takes | default | what it does |\n|---|---|---|---|\n".to_owned();
    for key in keys.iter().filter(|key| alias_of(key).is_none()) {
        let names: Vec<String> = std::iter::once(key.name)
            .chain(keys.iter().filter(|other| alias_of(other) == Some(key.name)).map(|other| other.name))
            .map(|name| format!("`{name}`"))
            .collect();
        let default = if key.default.is_empty() { "must be given" } else { key.default };
        text.push_str(&row(&[&names.join(", "), key.takes, default, key.about]));
    }
    text
}

pub(super) fn alias_of(key: &Param) -> Option<&'static str> {
    key.about.strip_prefix("the same as `")?.strip_suffix('`')
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn distributions() -> String {
    let mut text = "| type | parameters |\n|---|---|\n".to_owned();
    for group in DISTRIBUTIONS {
        let of = |key: &Param| {
            let aliases: String = group
                .keys
                .iter()
                .filter(|other| alias_of(other) == Some(key.name))
                .map(|other| format!(" or `{}`", other.name))
                .collect();
            format!("`{}`{aliases} ({}; default {}): {}", key.name, key.takes, key.default, key.about)
        };
        let params: Vec<String> = group.keys.iter().filter(|key| alias_of(key).is_none()).map(of).collect();
        text.push_str(&row(&[&format!("`{}`", group.name), &params.join("<br>")]));
    }
    text
}

fn functions() -> String {
    let mut text = String::new();
    for (group, functions) in FUNCTIONS {
        text.push_str(&format!("### {}\n\n| function | gives | example |\n|---|---|---|\n", capital(group)));
        for function in functions {
            let example = format!("`{}` → `{}`", function.example, function.result);
            text.push_str(&row(&[&format!("`{}`", function.signature), function.describes, &example]));
        }
        text.push('\n');
    }
    text
}

fn methods() -> String {
    let groups = [
        ("The row's person", Shares::Person),
        ("The row's place", Shares::Place),
        ("The row's company", Shares::Company),
        ("The person's card", Shares::Card),
        ("On their own", Shares::Own),
    ];
    let mut text = String::new();
    for (title, shares) in groups {
        text.push_str(&format!("### {title}\n\n| method | what | en_US | de_DE |\n|---|---|---|---|\n"));
        for info in METHODS.iter().filter(|info| info.shares == shares) {
            text.push_str(&method(info));
        }
        text.push('\n');
    }
    text
}

fn method(info: &MethodInfo) -> String {
    let mut names = format!("`{}`", info.name);
    if !info.aliases.is_empty() {
        let aliases: Vec<String> = info.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        names.push_str(&format!(" ({})", aliases.join(", ")));
    }
    let mut what = info.describes.to_owned();
    if !info.parameters.is_empty() {
        let parameters: Vec<String> = info.parameters.iter().map(|name| format!("`{name}`")).collect();
        what.push_str(&format!("; takes {}", parameters.join(", ")));
    }
    let samples = [Locale::EnUs, Locale::DeDe].map(|locale| sample(info, locale));
    row(&[&names, &what, &samples[0], &samples[1]])
}

/// The value of the first row of a table `users` of seed 42, in code marks.
fn sample(info: &MethodInfo, locale: Locale) -> String {
    let key = |role: &str| Root { engine: 1, seed: 42 }.key("users", role);
    let slots = Slots { person: key("person"), place: key("place"), company: key("company"), own: key(info.name) };
    let mask = [("text".to_owned(), crate::semantic::Argument::Text("##-??-%%".to_owned()))];
    let needs_mask = info.parameters == ["text"];
    let Ok(semantic) = Semantic::new(info.method, locale, if needs_mask { &mask } else { &[] }) else {
        return String::new();
    };
    let mut value = String::new();
    semantic.write(&slots, 0, &mut value);
    let value = value.replace(['\n', '`'], " ");
    match value.char_indices().nth(SAMPLE_CHARS_MAX) {
        Some((end, _)) => format!("`{}…`", &value[..end]),
        None => format!("`{value}`"),
    }
}

fn locales() -> String {
    let names: Vec<String> = Locale::ALL.iter().map(|locale| format!("`{}`", locale.name())).collect();
    format!("{}\n", names.join(", "))
}
