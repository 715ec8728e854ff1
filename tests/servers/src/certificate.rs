//! A certificate for this machine that no CA of the world signed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A certificate for `localhost` that is its own CA, with its key, in a folder of their own.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// Makes one with `openssl`.
    ///
    /// # Errors
    /// When it is not installed or refuses.
    pub fn make() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
        command.args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]);
        command.args(["-keyout", "key.pem", "-out", "certificate.pem"]).current_dir(folder.path());
        let made = command.output()?;
        if !made.status.success() {
            return Err(io::Error::other(format!("openssl: {}", String::from_utf8_lossy(&made.stderr))));
        }
        Ok(Self { folder })
    }

    /// The certificate's file.
    pub fn file(&self) -> PathBuf {
        self.path("certificate.pem")
    }

    /// The key's file.
    pub fn key_file(&self) -> PathBuf {
        self.path("key.pem")
    }

    /// The certificate as PEM.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pem(&self) -> io::Result<String> {
        std::fs::read_to_string(self.file())
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
