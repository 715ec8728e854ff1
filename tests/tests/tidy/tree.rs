//! Reads the repository for the rules.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// What people write; all else (fixtures, data, lock files) is nobody's prose or code.
const EXTENSIONS: [&str; 8] = ["rs", "toml", "md", "yaml", "yml", "py", "sh", "lua"];
/// Build output and results, and what is not the project's.
const SKIPPED_FOLDERS: [&str; 4] = ["target", "shardmill-data", ".git", "node_modules"];

/// Every file the rules look at.
pub(crate) struct Tree {
    pub(crate) sources: Vec<Source>,
}

impl Tree {
    /// Reads the whole repository this test was started in.
    pub(crate) fn read() -> Self {
        let root = root();
        let mut paths = Vec::new();
        collect(&root, &mut paths);
        paths.sort();
        let sources = paths.iter().map(|path| load(&root, path)).collect();
        Self { sources }
    }

    /// The manifests of the members; the root's own holds what they inherit.
    pub(crate) fn member_manifests(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.path.ends_with("/Cargo.toml"))
    }
}

/// Asked at run time: a path baked in at compile time would be another clone's where clones share a target folder.
#[expect(clippy::disallowed_methods, reason = "the test runner names the package folder in the environment")]
fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo and nextest set it for every test");
    Path::new(&package).parent().expect("the package lies in the workspace").to_path_buf()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the repository can be read") {
        let path = entry.expect("the repository can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_foreign = SKIPPED_FOLDERS.contains(&name.as_str()) || path.join("CACHEDIR.TAG").exists();
            if !is_foreign && !path.is_symlink() {
                collect(&path, paths);
            }
        } else if EXTENSIONS.contains(&name.rsplit('.').next().unwrap_or_default()) || name == "run" {
            paths.push(path);
        }
    }
}

fn load(root: &Path, path: &Path) -> Source {
    let inside = path.strip_prefix(root).expect("found below the root");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    Source { path: inside.to_string_lossy().replace('\\', "/"), text }
}
