//! A private Redis. It writes its log of changes, so that it comes back as it was.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::process::{Server, free_port, start_on_free_ports};

const PROGRAM: &str = "redis-server";
/// The folder of its log of changes.
const LOG: &str = "appendonlydir";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// When a change is safe on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// A second after it, the server's default.
    EverySecond,
    /// Before it is answered.
    Always,
}

/// A running Redis with a folder of its own.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    folder: TempDir,
    port: u16,
    fsync: Fsync,
}

impl Redis {
    /// Starts a server that flushes its log every second.
    ///
    /// # Errors
    /// When it is not installed or does not come up.
    pub fn start() -> io::Result<Self> {
        Self::start_with(Fsync::EverySecond)
    }

    /// Starts a server.
    ///
    /// # Errors
    /// When it is not installed or does not come up.
    pub fn start_with(fsync: Fsync) -> io::Result<Self> {
        start_on_free_ports(|| {
            let (folder, port) = (tempfile::tempdir()?, free_port()?);
            let server = serve(folder.path(), port, fsync)?;
            Ok(Self { server, folder, port, fsync })
        })
    }

    /// Lets the server speak TLS too, with that certificate, at the address that is returned.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn start_tls(&self, certificate: &Certificate) -> io::Result<String> {
        let port = free_port()?;
        self.config_set("tls-auth-clients", "no")?;
        let (file, key) = (certificate.file().display().to_string(), certificate.key_file().display().to_string());
        self.command(&["CONFIG", "SET", "tls-cert-file", &file, "tls-key-file", &key])?;
        self.config_set("tls-port", &port.to_string())?;
        Ok(format!("rediss://localhost:{port}"))
    }

    /// Where clients connect to.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where clients connect to with a user's name and password.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// The folder of its log and data.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.server.kill()
    }

    /// `kill -9`, then the same server again with what it wrote.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill()?;
        self.server = serve(self.folder.path(), self.port, self.fsync)?;
        Ok(())
    }

    /// SIGTERM, then the same server again with what it wrote.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart_gently(&mut self) -> io::Result<()> {
        self.server.terminate()?;
        self.server = serve(self.folder.path(), self.port, self.fsync)?;
        Ok(())
    }

    /// What it has written down, as it is now.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn copy(&self) -> io::Result<TempDir> {
        let copy = tempfile::tempdir()?;
        copy_files(&self.folder.path().join(LOG), &copy.path().join(LOG))?;
        Ok(copy)
    }

    /// `kill -9`, then the same server again as it was when the copy was made.
    ///
    /// # Errors
    /// When the copy cannot be put back, or the server does not come up.
    pub fn restart_with(&mut self, copy: &TempDir) -> io::Result<()> {
        self.kill()?;
        let log = self.folder.path().join(LOG);
        std::fs::remove_dir_all(&log)?;
        copy_files(&copy.path().join(LOG), &log)?;
        self.server = serve(self.folder.path(), self.port, self.fsync)?;
        Ok(())
    }

    /// Makes it forget everything.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn flush_all(&self) -> io::Result<()> {
        self.command(&["FLUSHALL"]).map(drop)
    }

    /// Changes one setting.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn config_set(&self, setting: &str, value: &str) -> io::Result<()> {
        self.command(&["CONFIG", "SET", setting, value]).map(drop)
    }

    /// Runs one command; the first line of its answer.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn command(&self, words: &[&str]) -> io::Result<String> {
        ask(self.port, words)
    }
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir(to)?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        std::fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

fn serve(folder: &Path, port: u16, fsync: Fsync) -> io::Result<Server> {
    let fsync = match fsync {
        Fsync::EverySecond => "everysec",
        Fsync::Always => "always",
    };
    let port_text = port.to_string();
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(["--bind", "127.0.0.1", "--port", &port_text, "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", fsync]);
    let mut server = Server::start(&command, &folder.join("redis.out"))?;
    server.wait_until(|| ask(port, &["PING"]).is_ok_and(|answer| answer == "+PONG"))?;
    Ok(server)
}

/// Sends one command and reads the first line of the answer.
fn ask(port: u16, words: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    let answer = answer.trim_end().to_owned();
    if answer.starts_with('-') || answer.is_empty() {
        return Err(io::Error::other(format!("{}: {answer}", words.first().unwrap_or(&""))));
    }
    Ok(answer)
}
