//! Licences, bans and sources of every dependency, against deny.toml, where cargo-deny is not installed.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::expression;
use super::policy::Policy;
use crate::say;
use crate::workspace::Workspace;

/// The registry every foreign crate must come from, as cargo names it.
const SOURCE_PREFIX: &str = "registry+";

/// Fails with one line for each crate that deny.toml does not admit.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let policy = Policy::read(&fs::read_to_string(workspace.root.join("deny.toml")).context("cannot read deny.toml")?);
    let output = workspace.cargo(&["metadata", "--format-version", "1", "--locked"]).output()?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cannot read what cargo metadata says")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let objections: Vec<String> = packages.iter().filter_map(|package| object(package, &policy)).collect();
    if !objections.is_empty() {
        bail!("deny.toml does not admit\n{}", objections.join("\n"));
    }
    say::line(&format!("    {} crates: fine", packages.len()));
    Ok(())
}

/// Why a package may not be here, if it may not.
fn object(package: &Value, policy: &Policy) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    let licence = package["license"].as_str().unwrap_or_default();
    if policy.banned.iter().any(|banned| banned == name) {
        return Some(format!("{name} {version}: is banned"));
    }
    if !expression::is_satisfied(licence, &|wanted| policy.licences.iter().any(|allowed| allowed == wanted)) {
        return Some(format!("{name} {version}: licence `{licence}`"));
    }
    // A crate of this workspace has no source.
    let source = package["source"].as_str()?;
    (!source.starts_with(SOURCE_PREFIX)).then(|| format!("{name} {version}: source `{source}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objection(name: &str, licence: Option<&str>, source: Option<&str>) -> Option<String> {
        let policy = Policy { licences: vec!["MIT".to_owned()], banned: vec!["openssl".to_owned()] };
        object(&serde_json::json!({"name": name, "version": "1.0.0", "license": licence, "source": source}), &policy)
    }

    #[test]
    fn an_admitted_crate_raises_no_objection() {
        assert_eq!(objection("ours", Some("MIT"), None), None);
        assert_eq!(objection("theirs", Some("MIT OR GPL-3.0"), Some("registry+https://example.com")), None);
    }

    #[test]
    fn bans_licences_and_sources_are_objected_to() {
        let cases = [
            (objection("openssl", Some("MIT"), None), "openssl 1.0.0: is banned"),
            (objection("a", Some("GPL-3.0"), None), "a 1.0.0: licence `GPL-3.0`"),
            (objection("a", None, None), "a 1.0.0: licence ``"),
            (
                objection("a", Some("MIT"), Some("git+https://example.com/a")),
                "a 1.0.0: source `git+https://example.com/a`",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found.as_deref(), Some(expected));
        }
    }
}
