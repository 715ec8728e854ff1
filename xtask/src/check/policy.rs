//! The part of deny.toml that our own check understands: allowed licences and banned crates. Pure.

/// What deny.toml asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    /// Licences by their SPDX names.
    pub(super) licences: Vec<String>,
    /// Names of crates that must not come in.
    pub(super) banned: Vec<String>,
}

impl Policy {
    /// Reads `[licenses] allow` and `[bans] deny`: lists with one entry a line, as deny.toml is written here.
    pub(super) fn read(text: &str) -> Self {
        let mut policy = Self::default();
        let (mut section, mut key) = ("", "");
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                (section, key) = (name, "");
            } else if let Some((name, _)) = line.split_once(" = [") {
                key = name;
            } else if line.starts_with(']') {
                key = "";
            } else if let Some(entry) = quoted(line) {
                match (section, key) {
                    ("licenses", "allow") => policy.licences.push(entry.to_owned()),
                    ("bans", "deny") => policy.banned.push(entry.to_owned()),
                    _ => {}
                }
            }
        }
        policy
    }
}

/// The first quoted text of a line: `"MIT",` or `{ crate = "openssl", reason = "…" },`.
fn quoted(line: &str) -> Option<&str> {
    line.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_from_their_own_sections() {
        let text = "[licenses]\nconfidence-threshold = 0.9\nallow = [\n    \"MIT\",\n    # why\n    \"ISC\",\n]\n\
                    [bans]\nallow = [\n    \"spare\",\n]\ndeny = [\n    { crate = \"openssl\", reason = \"tls\" },\n]\n";
        let policy = Policy::read(text);
        assert_eq!(policy.licences, ["MIT", "ISC"]);
        assert_eq!(policy.banned, ["openssl"]);
    }

    #[test]
    fn our_own_policy_is_not_read_as_empty() {
        let policy = Policy::read(include_str!("../../../deny.toml"));
        assert!(policy.licences.iter().any(|name| name == "Apache-2.0"));
        assert!(policy.banned.iter().any(|name| name == "openssl-sys"));
    }
}
