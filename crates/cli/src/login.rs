//! `shardmill login` and `logout`: a key is checked against its API and remembered, so that no other command needs it.

use std::io::{IsTerminal, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use serde_json::json;

use crate::client::{Client, DEFAULT_URL};
use crate::jobs::ended;
use crate::session::Session;
use crate::{exit, say};

/// More than the longest key.
const KEY_BYTES: u64 = 4_096;

#[derive(Debug, clap::Args)]
pub(crate) struct LoginArgs {
    /// The API's address
    #[arg(long, value_name = "URL", env = "SHARDMILL_API_URL", default_value = DEFAULT_URL)]
    api: String,
    /// A file with the API key; without it, it is asked for, or read from standard input
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LogoutArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks a key and remembers it.
pub(crate) fn login(args: &LoginArgs) -> Result<ExitCode> {
    let api = address(&args.api)?;
    if is_open(&api) {
        say::error("warning: this address is not https, and the key goes over the network as it is");
    }
    let api = api.as_str().trim_end_matches('/').to_owned();
    let session = Session { key: key(args)?, api };
    let client = Client::of(&session)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    ended(runtime.block_on(async {
        let known = client.get("/v1/keys/self", &[]).await?;
        let file = session.save()?;
        if args.json {
            say::result(&json!({"api": session.api, "key": known, "file": file}).to_string());
        } else {
            let word = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
            let (name, role, tenant) = (word("name"), word("role"), word("tenant"));
            say::result(&format!("logged in to {}: key `{name}`, role `{role}`, tenant `{tenant}`", session.api));
            say::result(&format!("the key is in {}; `shardmill logout` removes it", file.display()));
        }
        Ok(exit::OK)
    }))
}

/// Forgets the key. It goes on working until it is deleted.
pub(crate) fn logout(args: &LogoutArgs) -> Result<ExitCode> {
    let was_in = Session::forget()?;
    match (args.json, was_in) {
        (true, _) => say::result(&json!({"was_logged_in": was_in}).to_string()),
        (false, true) => say::result("logged out; the key works until it is deleted"),
        (false, false) => say::result("nobody was logged in"),
    }
    Ok(exit::OK)
}

/// An address without anything that does not belong there.
fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else { bail!("the API's address cannot be read; expected https://host[:port]") };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    ensure!(is_plain, "the API's address has more than host, port and path; give the key by itself");
    Ok(url)
}

/// Whether others on the way may read what is sent.
fn is_open(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    url.scheme() == "http" && !is_here
}

fn key(args: &LoginArgs) -> Result<String> {
    let text = match &args.key_file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        None if std::io::stdin().is_terminal() => {
            say::error(&format!("the API key for {} (it is not shown):", args.api));
            console::Term::stderr().read_secure_line().context("cannot read the key")?
        }
        None => {
            let mut text = String::new();
            std::io::stdin().take(KEY_BYTES).read_to_string(&mut text).context("cannot read the key")?;
            text
        }
    };
    let key = text.trim();
    let is_key = !key.is_empty() && key.chars().all(|character| character.is_ascii_graphic());
    ensure!(is_key, "no key was given; expected one line that begins with `smk_`");
    Ok(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_open_ones_are_told() {
        for (text, open) in [
            ("https://mill.example.com", false),
            ("http://127.0.0.1:8080", false),
            ("http://[::1]:8080/", false),
            ("http://localhost", false),
            ("http://10.0.0.1:8080", true),
        ] {
            assert_eq!(is_open(&address(text).expect("is read")), open, "{text}");
        }
        for text in ["", "mill.example.com", "ftp://x", "https://me:hush@x", "https://x/?key=hush"] {
            let told = address(text).expect_err("is refused").to_string();
            assert!(!told.contains("hush"), "{told}");
        }
    }
}
