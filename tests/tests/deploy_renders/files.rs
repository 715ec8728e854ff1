//! The files of `deploy/`, read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shardmill_shared::spec::{Report, document};

/// One object of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// The file, or the overlay it was rendered from.
    pub(crate) file: String,
    pub(crate) object: Value,
}

impl Manifest {
    /// How a fault names it.
    pub(crate) fn name(&self) -> String {
        let part = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        format!("{}: {} {}", self.file, part(&self.object["kind"]), part(&self.object["metadata"]["name"]))
    }
}

/// The repository.
#[expect(clippy::disallowed_methods, reason = "the test runner names the package folder in the environment")]
pub(crate) fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo and nextest set it for every test");
    Path::new(&package).parent().expect("the package lies in the workspace").to_path_buf()
}

/// A file's text; `path` is relative to the repository, as all paths here.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Whether there is such a file or folder.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The files below a folder, sorted.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("cannot list {folder}: {error}")) {
        let entry = entry.expect("the repository can be listed");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with("/.env") {
            // The one file of secrets is each developer's own.
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The files of YAML below a folder.
pub(crate) fn yaml_files(folder: &str) -> Vec<String> {
    files(folder).into_iter().filter(|path| path.ends_with(".yaml")).collect()
}

/// The documents of a file of YAML.
pub(crate) fn documents(path: &str) -> Vec<Value> {
    parse(&read(path), path).into_iter().map(|manifest| manifest.object).collect()
}

/// The documents of a text that `file` holds.
pub(crate) fn parse(text: &str, file: &str) -> Vec<Manifest> {
    let one = |part: &str| {
        let report = Report::strict();
        let object = document::parse(part, &report).map(|node| node.to_json());
        let problems: Vec<String> =
            report.into_problems().iter().map(|problem| format!("{file}: {problem}\n{part}")).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        Manifest { file: file.to_owned(), object: object.expect("without a problem there is a document") }
    };
    text.split("\n---\n").map(one).collect()
}

/// The elements of a list; none of anything else.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The kustomizations, each with its folder as the file's name.
pub(crate) fn kustomizations() -> Vec<Manifest> {
    let paths = yaml_files("deploy/k8s").into_iter().filter(|path| path.ends_with("/kustomization.yaml"));
    let read = |path: String| {
        let folder = path.trim_end_matches("/kustomization.yaml").to_owned();
        Manifest { file: folder, object: documents(&path).remove(0) }
    };
    paths.map(read).collect()
}

/// The paths that a kustomization names.
pub(crate) fn named(kustomization: &Manifest) -> Vec<String> {
    let object = &kustomization.object;
    let texts = |value: &Value| items(value).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let mut paths = texts(&object["resources"]);
    paths.extend(texts(&object["components"]));
    paths.extend(items(&object["patches"]).iter().filter_map(|patch| patch["path"].as_str()).map(str::to_owned));
    paths.extend(items(&object["configMapGenerator"]).iter().flat_map(|generator| texts(&generator["files"])));
    paths.iter().map(|path| resolved(&kustomization.file, path)).collect()
}

/// `../` taken away.
fn resolved(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Every object that is deployed: what kustomizations list as resources, and the examples. Patches are not whole.
pub(crate) fn manifests() -> Vec<Manifest> {
    let resources = kustomizations().into_iter().flat_map(|kustomization| {
        let listed = items(&kustomization.object["resources"]).iter().filter_map(Value::as_str);
        listed.map(|path| resolved(&kustomization.file, path)).collect::<Vec<_>>()
    });
    let paths = resources.filter(|path| path.ends_with(".yaml")).chain(yaml_files("deploy/k8s/examples"));
    paths.flat_map(|path| parse(&read(&path), &path)).collect()
}
