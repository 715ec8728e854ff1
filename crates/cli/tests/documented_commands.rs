//! Every command that the documentation shows is run, and prints what the documentation says.
//!
//! In a block marked `console`, a line that begins with `$ ` is a command and what follows is its output: first what goes
//! to standard error, then standard output, then `exit code N` unless it is 0. A last line `…` stands for the rest.
//! A server is started with `&`, and `curl` talks to it. Figures that differ from machine to machine (times, sizes) are not compared. `SHARDMILL_BLESS=1` writes what is
//! printed into the documents.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::disallowed_methods, reason = "the test runner names the package folder in the environment")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

mod rehearsal;

use rehearsal::Servers;

const DOCUMENTS: [&str; 4] = ["README.md", "docs/commands.md", "docs/create.md", "docs/mock-provider.md"];
const REST: &str = "…";

fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    Path::new(&package).ancestors().nth(2).unwrap().to_path_buf()
}

/// The arguments of a command line of the documentation; nothing when it is not ours to run.
fn arguments(line: &str) -> Option<Vec<String>> {
    let command = line.strip_prefix("$ ")?;
    let rest = command.strip_prefix("shardmill ").or_else(|| command.strip_prefix("cargo run --release -- "))?;
    Some(split(rest.split(" #").next().unwrap_or_default()))
}

/// The words of a command line, some of them in quotes.
fn split(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts.flat_map(|(at, part)| if at % 2 == 1 { vec![part.to_owned()] } else { words(part) }).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn output(folder: &Path, arguments: &[String]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardmill"));
    // A shell's width would wrap the help in another way.
    let output = command.args(arguments).current_dir(folder).env_remove("COLUMNS").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let results = String::from_utf8(output.stdout).unwrap();
    let is_progress = |line: &&str| line.ends_with(" left");
    let mut lines: Vec<String> = errors.lines().filter(|line| !is_progress(line)).map(str::to_owned).collect();
    lines.extend(results.lines().map(|line| line.trim_end().to_owned()));
    if !output.status.success() {
        lines.push(format!("exit code {}", output.status.code().unwrap_or(-1)));
    }
    lines
}

/// A line without what may differ: sizes, seconds, rates, and the blanks that align them.
fn masked(line: &str) -> String {
    if let Some(border) = line.chars().next().filter(|c| "┌╞└".contains(*c)) {
        return border.to_string();
    }
    let mut words: Vec<&str> = Vec::new();
    for word in line.split_whitespace() {
        let parts = match word.trim_end_matches(',') {
            "s" | "B" | "KiB" | "MiB" | "GiB" => 1,
            "rows/s)" => 4,
            _ => 0,
        };
        let is_number = |word: &&&str| word.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit());
        let numbers = words.iter().rev().take(parts).take_while(is_number).count();
        words.truncate(words.len() - numbers);
        words.push(word);
    }
    words.join(" ")
}

fn agree(documented: &[String], printed: &[String]) -> bool {
    let has_rest = documented.last().is_some_and(|line| line == REST);
    let compared = if has_rest { documented.len() - 1 } else { documented.len() };
    let enough = if has_rest { printed.len() > compared } else { printed.len() == compared };
    enough && documented[..compared].iter().zip(printed).all(|(a, b)| masked(a) == masked(b))
}

/// What a command line of the documentation prints; nothing when it is not ours to run. One that ends with `&` goes on
/// while the rest of the document talks to it.
fn printed(line: &str, folder: &Path, servers: &mut Servers) -> Option<Vec<String>> {
    if let Some(rest) = line.strip_prefix("$ curl ") {
        return Some(servers.curl(&split(rest)));
    }
    let arguments = arguments(line)?;
    Some(match arguments.split_last() {
        Some((last, arguments)) if last == "&" => servers.start(folder, arguments),
        _ => output(folder, &arguments),
    })
}

/// The document with what its commands print, where that differs from what it says.
fn rewritten(text: &str, folder: &Path) -> String {
    let mut lines = text.lines().map(str::to_owned).peekable();
    let mut written = Vec::new();
    let mut in_console = false;
    let mut servers = Servers::default();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            in_console = line == "```console";
        }
        let outcome = if in_console { printed(&line, folder, &mut servers) } else { None };
        written.push(line);
        let Some(mut printed) = outcome else { continue };
        let mut documented = Vec::new();
        while let Some(next) = lines.next_if(|next| !next.starts_with("$ ") && !next.starts_with("```")) {
            documented.push(next);
        }
        if agree(&documented, &printed) {
            printed = documented;
        } else if documented.last().is_some_and(|line| line == REST) {
            printed.truncate((documented.len() - 1).max(1));
            printed.push(REST.to_owned());
        }
        written.extend(printed);
    }
    written.join("\n") + "\n"
}

/// Lines that are not the same, each beside what it should be.
fn differences(text: &str, wanted: &str) -> String {
    let (mut old, mut new) = (text.lines(), wanted.lines());
    let mut found = String::new();
    loop {
        match (old.next(), new.next()) {
            (None, None) => return found,
            (a, b) if a == b => {}
            (a, b) => found.push_str(&format!("- {}\n+ {}\n", a.unwrap_or_default(), b.unwrap_or_default())),
        }
    }
}

#[test]
fn documented_commands_print_what_the_documents_say() {
    for document in DOCUMENTS {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("examples")).unwrap();
        for entry in fs::read_dir(root().join("examples")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join("examples").join(path.file_name().unwrap())).unwrap();
        }
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        for (name, spec) in named_specs(&text) {
            fs::write(folder.path().join(name), spec).unwrap();
        }
        let wanted = rewritten(&text, folder.path());
        if text != wanted && std::env::var("SHARDMILL_BLESS").is_ok() {
            fs::write(&path, &wanted).unwrap();
        } else {
            assert!(text == wanted, "{document} (SHARDMILL_BLESS=1 mends it):\n{}", differences(&text, &wanted));
        }
    }
}

/// Specs of a document that begin with a comment `# NAME.yaml`.
fn named_specs(text: &str) -> Vec<(String, String)> {
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let named = blocks.filter_map(|block| {
        let name = block.lines().next()?.strip_prefix("# ")?;
        name.ends_with(".yaml").then(|| (name.to_owned(), block.to_owned()))
    });
    named.collect()
}

#[test]
fn every_command_has_an_example() {
    let help = output(&std::env::temp_dir(), &["--help".to_owned()]);
    let listed = help.iter().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    assert!(commands.len() > 4, "{help:?}");
    let text = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    for command in commands.iter().filter(|command| **command != "help") {
        let shown = text.lines().any(|line| {
            line.strip_prefix("$ shardmill ")
                .is_some_and(|rest| words(rest).first().is_some_and(|word| word == command))
        });
        assert!(shown, "docs/commands.md has no example of `shardmill {command}`");
    }
}
