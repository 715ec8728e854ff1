//! The engine measured: ratios within one run, interleaved pairs, processor time of one thread. Printed as a Markdown
//! table; with `--check` the bars decide the exit code. `cargo xtask bench engine` runs it.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark prints and reads clocks")]

use std::process::ExitCode;

mod clock;
mod encode;
mod peers;
mod process;
mod row;
mod specs;
mod text;
mod tpch;

use row::Row;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = arguments.iter().find(|argument| !argument.starts_with("--"));
    let wanted = |group: &str| only.is_none_or(|only| only == group);
    let mut rows: Vec<Row> = Vec::new();
    if wanted("encode") {
        rows.extend(encode::rows()?);
    }
    if wanted("text") {
        rows.extend(text::rows()?);
    }
    if wanted("peers") {
        rows.extend(peers::rows()?);
    }
    if wanted("tpch") {
        rows.extend(tpch::rows()?);
    }
    if wanted("process") {
        rows.extend(process::rows()?);
    }
    println!("| what | bar | median | range | met |\n|---|---|---|---|---|");
    rows.iter().for_each(|row| println!("{row}"));
    let missed = rows.iter().filter(|row| !row.is_met()).count();
    if arguments.iter().any(|argument| argument == "--check") && missed > 0 {
        println!("{missed} bars are missed");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
