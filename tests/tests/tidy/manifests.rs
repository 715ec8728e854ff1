//! Rules 36 and 38: versions, lints and package facts stand in the root manifest only. Pure.

use crate::source::{Source, Violation};

/// What every member takes from the root.
const INHERITED: [(&str, &str); 5] = [
    ("lints", "workspace = true"),
    ("package", "version.workspace = true"),
    ("package", "edition.workspace = true"),
    ("package", "rust-version.workspace = true"),
    ("package", "license.workspace = true"),
];

/// One `name = …` line of a dependency section.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency<'a> {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) name: &'a str,
    value: &'a str,
}

/// Objects to a version of one's own and to a missing inheritance.
pub(crate) fn inherits(source: &Source) -> Vec<Violation> {
    let own_versions =
        dependencies(&source.text).into_iter().filter(|dependency| !dependency.is_inherited()).map(|found| {
            source.violation(found.line, format!("rule 38: `{}` has its version here, not in the root", found.name))
        });
    let lines = sections(&source.text);
    let missing = INHERITED
        .iter()
        .filter(|(section, wanted)| !lines.iter().any(|(_, of, line)| of == section && line == wanted))
        .map(|(section, wanted)| source.violation(1, format!("rule 36: [{section}] lacks `{wanted}`")));
    own_versions.chain(missing).collect()
}

/// The dependencies of a manifest, of every kind and platform.
pub(crate) fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let lines = sections(text).into_iter().filter(|(_, section, _)| section.ends_with("dependencies"));
    let split = lines.filter_map(|(line, _, entry)| {
        let (key, value) = entry.split_once('=')?;
        let (name, field) = key.trim().split_once('.').unwrap_or((key.trim(), ""));
        // `a.workspace = true` and `a = { workspace = true }` are the same.
        let value = if field == "workspace" { "workspace = true" } else { value.trim() };
        Some(Dependency { line, name, value })
    });
    split.collect()
}

impl Dependency<'_> {
    fn is_inherited(&self) -> bool {
        self.value.contains("workspace = true")
    }
}

/// The lines of a manifest that say something, each with its number from 1 and the section it stands in.
fn sections(text: &str) -> Vec<(usize, &str, &str)> {
    let mut section = "";
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if !line.is_empty() && !line.starts_with('#') {
            lines.push((index + 1, section, line));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
                        license.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\na.workspace = true\n\
                        b = { workspace = true, features = [\"c\"] }\n";

    fn check(text: &str) -> Vec<Violation> {
        inherits(&Source { path: "crates/a/Cargo.toml".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_manifest_that_inherits_everything_is_fine() {
        assert_eq!(check(GOOD), []);
    }

    #[test]
    fn versions_of_its_own_are_found_in_every_section() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            for entry in ["c = \"1\"", "c = { version = \"1\" }", "c = { path = \"../c\" }"] {
                let found = check(&format!("{GOOD}\n[{section}]\n{entry}\n"));
                assert_eq!(found.iter().map(|violation| violation.line).collect::<Vec<_>>(), [15], "{section} {entry}");
            }
        }
    }

    #[test]
    fn each_missing_inheritance_is_named() {
        for (_, wanted) in INHERITED {
            assert_eq!(check(&GOOD.replacen(&format!("\n{wanted}\n"), "\n", 1)).len(), 1, "{wanted}");
        }
    }
}
