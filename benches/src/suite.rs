//! Groups of measurements, run one after the other and printed as one Markdown table.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::row::Row;

/// Some rows of the table.
pub(crate) struct Group {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// Measures.
    pub(crate) rows: fn() -> Result<Vec<Row>>,
}

/// Measures the groups that `arguments` name, or all; with `--check` a missed bar fails.
pub(crate) fn run(groups: &[Group], arguments: &[String]) -> Result<ExitCode> {
    let (flags, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    for name in &names {
        let known: Vec<&str> = groups.iter().map(|group| group.name).collect();
        ensure!(known.contains(&name.as_str()), "there is no group `{name}`; expected one of {}", known.join(", "));
    }
    for flag in &flags {
        ensure!(*flag == "--check", "there is no option `{flag}`; expected --check");
    }
    let mut rows = Vec::new();
    for group in groups.iter().filter(|group| names.is_empty() || names.iter().any(|name| *name == group.name)) {
        eprintln!("==> {}", group.name);
        rows.extend((group.rows)()?);
    }
    println!("| what | bar | median | range | met |\n|---|---|---|---|---|");
    rows.iter().for_each(|row| println!("{row}"));
    let missed = rows.iter().filter(|row| !row.is_met()).count();
    if !flags.is_empty() && missed > 0 {
        println!("{missed} bars are missed");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
