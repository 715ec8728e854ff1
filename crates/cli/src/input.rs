//! A spec from a file: read, changed by the command line, compiled, with every problem found on the way.

use anyhow::Context;
use shardmill_engine::{ENGINES, Tables, compile};
use shardmill_shared::spec::document::DOCUMENT_BYTES_MAX;
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Node, Problem, Report, Spec, document, set};

use crate::args::SpecArgs;
use crate::say;
use crate::writing::Writing;

/// What this build can make and write.
pub(crate) const KNOWN: Known<'static> = Known {
    kinds: &["tables"],
    formats: &["parquet", "csv", "jsonl", "json", "arrow"],
    compressions: &["zstd", "snappy", "lz4", "none"],
    engines: ENGINES,
};

/// What reading a spec gave.
pub(crate) struct Input {
    /// The file's name, for messages.
    pub(crate) file: String,
    /// The spec, its tables and how they are written, when nothing is wrong.
    pub(crate) compiled: Option<(Spec, Tables, Writing)>,
    /// Everything found.
    pub(crate) problems: Vec<Problem>,
}

/// Reads and compiles a spec.
///
/// # Errors
/// When the file cannot be read, or `--set` does not fit it. Problems of the spec itself are part of the result.
pub(crate) fn read(args: &SpecArgs) -> anyhow::Result<Input> {
    read_with(args, &[])
}

/// Like [`read`], with assignments that come after the user's own.
pub(crate) fn read_with(args: &SpecArgs, assignments: &[String]) -> anyhow::Result<Input> {
    let file = args.spec.display().to_string();
    let report = if args.lenient { Report::lenient() } else { Report::strict() };
    let bytes = std::fs::metadata(&args.spec).with_context(|| format!("cannot read {file}"))?.len();
    // The size is refused before the text is held in memory.
    let text = if bytes > 4 * DOCUMENT_BYTES_MAX as u64 {
        report.fatal(0, format!("the document has {bytes} bytes"), format!("at most {DOCUMENT_BYTES_MAX} bytes"));
        None
    } else {
        Some(std::fs::read_to_string(&args.spec).with_context(|| format!("cannot read {file} as text"))?)
    };
    let mut compiled = None;
    if let Some(mut tree) = text.and_then(|text| document::parse(&text, &report)) {
        let seed = args.seed.map(|seed| format!("seed={seed}"));
        for assignment in args.set.iter().chain(&seed).chain(assignments) {
            set::set(&mut tree, assignment).map_err(anyhow::Error::msg)?;
        }
        compiled = compiled_from(&tree, &report);
    }
    Ok(Input { file, compiled, problems: report.into_problems() })
}

/// A spec, its tables and how they are written; nothing when the report has errors.
pub(crate) fn compiled_from(tree: &Node, report: &Report) -> Option<(Spec, Tables, Writing)> {
    let spec = Spec::read(tree, &KNOWN, report)?;
    let writing = Writing::of(&spec).map_err(|problem| report.add(problem)).ok();
    let tables = compile(&spec, report);
    if report.has_errors() { None } else { Some((spec, tables?, writing?)) }
}

/// Prints the findings as `file:line: severity: text`.
pub(crate) fn print_problems(input: &Input) {
    for problem in &input.problems {
        say::error(&line(&input.file, problem));
    }
}

/// One finding as a line.
pub(crate) fn line(file: &str, problem: &Problem) -> String {
    let word = severity(problem);
    match problem.line {
        0 => format!("{file}: {word}: {problem}"),
        line => format!("{file}:{line}: {word}: {problem}"),
    }
}

/// `error` or `warning`.
pub(crate) fn severity(problem: &Problem) -> &'static str {
    match problem.severity {
        shardmill_shared::spec::Severity::Error => "error",
        shardmill_shared::spec::Severity::Warning => "warning",
    }
}
