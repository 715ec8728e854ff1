//! What `shardmill login` remembers: one API and a key of it, in a file that nobody else reads. Nothing here is `Debug`.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// The file, in the folder of [`folder`].
const FILE: &str = "login.json";
/// Bits of a file's mode that let others in.
const OTHERS: u32 = 0o077;

/// An API, and a key of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// The API's address.
    pub(crate) api: String,
    /// The key; it is sent to that address and no other.
    pub(crate) key: String,
}

impl Session {
    /// The session of the last login, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read, others may read it, or it is none of ours.
    pub(crate) fn load() -> Result<Option<Self>> {
        let Some(folder) = folder() else { return Ok(None) };
        Self::load_from(&folder.join(FILE))
    }

    /// Remembers the session in place of an earlier one; answers where.
    ///
    /// # Errors
    /// When there is no such folder, or it cannot be written.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let folder = folder().context("there is no place for the key: set HOME or XDG_CONFIG_HOME")?;
        self.save_to(&folder)
    }

    /// Forgets the session; answers whether there was one.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn forget() -> Result<bool> {
        let Some(folder) = folder() else { return Ok(false) };
        let file = folder.join(FILE);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            end => end.map(|()| true).with_context(|| format!("cannot remove {}", file.display())),
        }
    }

    fn load_from(file: &Path) -> Result<Option<Self>> {
        let unreadable = || format!("cannot read {}", file.display());
        let metadata = match std::fs::metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            end => end.with_context(unreadable)?,
        };
        if metadata.permissions().mode() & OTHERS != 0 {
            bail!("others may read the key in {0}: run `chmod 600 {0}`, or log in again", file.display());
        }
        let text = std::fs::read_to_string(file).with_context(unreadable)?;
        // The parser's own message could show a part of the key.
        let session = serde_json::from_str(&text).ok();
        session.map(Some).with_context(|| format!("{} is damaged: log in again", file.display()))
    }

    fn save_to(&self, folder: &Path) -> Result<PathBuf> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let (file, beside) = (folder.join(FILE), folder.join(format!("{FILE}.{}", std::process::id())));
        let written = (|| {
            let mut new = std::fs::File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
            new.write_all(&serde_json::to_vec_pretty(self)?)?;
            new.sync_all()?;
            std::fs::rename(&beside, &file)
        })();
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written.with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// The user's folder for our settings.
#[expect(clippy::disallowed_methods, reason = "this is the configuration of a client")]
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var(name).ok().map(PathBuf::from).filter(|path| path.is_absolute());
    let settings = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    settings.map(|settings| settings.join("shardmill"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: &str) -> Session {
        Session { api: "https://mill.example.com".to_owned(), key: key.to_owned() }
    }

    #[test]
    fn a_session_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("makes");
        let inner = folder.path().join("a/shardmill");
        let file = session("smk_1").save_to(&inner).expect("saves");
        assert_eq!(std::fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&inner).expect("is there").permissions().mode() & 0o777, 0o700);
        session("smk_2").save_to(&inner).expect("replaces");
        assert!(Session::load_from(&file).expect("reads") == Some(session("smk_2")));
        assert_eq!(std::fs::read_dir(&inner).expect("lists").count(), 1, "nothing lies beside it");
    }

    #[test]
    fn a_file_that_others_read_or_that_is_none_is_refused_without_its_key() {
        let folder = tempfile::tempdir().expect("makes");
        let file = session("smk_hush").save_to(folder.path()).expect("saves");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("changes");
        let told = Session::load_from(&file).err().expect("is refused").to_string();
        assert!(told.contains("chmod 600") && !told.contains("hush"), "{told}");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("changes");
        std::fs::write(&file, "{\"api\": 1, \"key\": \"smk_hush\"}").expect("writes");
        let told = format!("{:#}", Session::load_from(&file).err().expect("is refused"));
        assert!(told.contains("log in again") && !told.contains("hush"), "{told}");
        assert!(Session::load_from(&folder.path().join("nothing")).expect("is none").is_none());
    }
}
