//! Reads the operator's prompts: files `NAME.j2` of one folder.

use std::fs;
use std::path::Path;

use crate::error::ConfigError;
use crate::limits::PROMPT_BYTES_MAX;

/// What the name of a prompt's file ends with.
const ENDING: &str = ".j2";

/// Name and text of every prompt in a folder, by name; other files are left alone.
///
/// # Errors
/// When the folder cannot be read, or a file is too large or no text; the message names it.
pub fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, ConfigError> {
    let problem = |path: &Path, what: &dyn std::fmt::Display| ConfigError(format!("{}: {what}", path.display()));
    let entries = fs::read_dir(folder).map_err(|error| problem(folder, &error))?;
    let mut prompts = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| problem(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(ENDING));
        let Some(name) = name else { continue };
        let size = fs::metadata(&path).map_err(|error| problem(&path, &error))?.len();
        if size > PROMPT_BYTES_MAX {
            return Err(problem(&path, &format!("is larger than {} KiB", PROMPT_BYTES_MAX >> 10)));
        }
        let text = fs::read_to_string(&path).map_err(|error| problem(&path, &error))?;
        prompts.push((name.to_owned(), text));
    }
    prompts.sort_unstable();
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_prompts_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("b.j2"), "B").expect("writes");
        fs::write(folder.path().join("a.j2"), "A").expect("writes");
        fs::write(folder.path().join("notes.txt"), "no").expect("writes");
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(read_folder(folder.path()), Ok(vec![pair("a", "A"), pair("b", "B")]));
        fs::write(folder.path().join("c.j2"), [0xff]).expect("writes");
        assert!(read_folder(folder.path()).expect_err("no text").to_string().contains("c.j2"));
        assert!(read_folder(&folder.path().join("absent")).is_err());
    }
}
