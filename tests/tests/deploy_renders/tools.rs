//! Tools that judge manifests, where they are installed.

use std::io::ErrorKind;
use std::process::Command;

use crate::files::root;

/// What the tool prints, started in the repository; nothing where there is no such tool.
pub(crate) fn output(tool: &str, arguments: &[&str]) -> Option<String> {
    let finished = match Command::new(tool).args(arguments).current_dir(root()).output() {
        Ok(finished) => finished,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("cannot start {tool}: {error}"),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(finished.status.success(), "{tool} {arguments:?}\n{}{}", text(&finished.stdout), text(&finished.stderr));
    Some(text(&finished.stdout))
}
