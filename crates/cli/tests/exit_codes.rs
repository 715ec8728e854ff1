//! Exit codes that scripts rely on: 2 for what is refused, 130 for Ctrl-C, and what is there stays untouched.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const SPEC: &str = "
shardmill: 1
name: codes
output: {shard_rows: 20000}
tables: {t: {rows: 4000000, columns: {id: {sequence: 1}, name: {faker: name}, email: {faker: email}}}}
";

fn shardmill(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardmill"));
    command.current_dir(folder).args(arguments);
    command
}

fn ran(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = shardmill(folder, arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn what_is_refused_ends_with_2_and_touches_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    std::fs::write(folder.join("spec.yaml"), SPEC).unwrap();
    std::fs::create_dir(folder.join("photos")).unwrap();
    std::fs::write(folder.join("photos/cat.jpg"), "meow").unwrap();
    let (code, message) = ran(folder, &["run", "spec.yaml", "-o", "photos"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("not a dataset of shardmill (it has `cat.jpg`)"), "{message}");
    assert_eq!(std::fs::read_to_string(folder.join("photos/cat.jpg")).unwrap(), "meow");
    assert_eq!(std::fs::read_dir(folder.join("photos")).unwrap().count(), 1);

    let (code, message) = ran(folder, &["run", "spec.yaml", "-o", "photos/cat.jpg/out"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("the output folder photos/cat.jpg/out cannot be used"), "{message}");

    let (code, message) = ran(folder, &["run", "spec.yaml", "--format", "csv", "--set", "output.compression=snappy"]);
    assert_eq!(code, Some(2));
    assert!(
        message.contains("output.compression: csv files cannot be compressed with snappy; expected zstd"),
        "{message}"
    );
    let (code, message) = ran(folder, &["run", "spec.yaml", "--set", "tables.t.rows=0", "-o", "out"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("tables.t.rows: 0 rows make no table"), "{message}");
    assert!(!folder.join("out").exists());
}

#[test]
fn an_interrupt_ends_with_130_and_the_next_run_goes_on() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    std::fs::write(folder.join("spec.yaml"), SPEC).unwrap();
    let run = ["run", "spec.yaml", "-o", "out", "--threads", "1"];
    let mut child = shardmill(folder, &run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let commits = folder.join("out/_shardmill/job/commits/t");
    while std::fs::read_dir(&commits).map_or(0, Iterator::count) < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(2));
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!folder.join("out/_SUCCESS").exists());
    let before = std::fs::read_dir(&commits).unwrap().count();
    assert!(before < 200, "{before}");
    let (code, message) = ran(folder, &["run", "spec.yaml", "-o", "out", "--set", "tables.t.rows=5"]);
    assert_eq!(code, Some(2), "another spec does not go on here");
    assert!(message.contains("tables.t.rows: 4000000 there, 5 wanted"), "{message}");
    assert_eq!(ran(folder, &run).0, Some(0));
    assert!(folder.join("out/_SUCCESS").exists());
}
