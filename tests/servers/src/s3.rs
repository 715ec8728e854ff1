//! A private S3 server: moto, which keeps everything in memory and checks no signature. Its version and those of all it
//! stands on are pinned in `requirements.txt` beside this package.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Server, free_port, listens, start_on_free_ports};

/// The variable with the python of the environment that moto is installed in.
const PYTHON: &str = "SHARDMILL_TEST_S3_PYTHON";
/// The variable with the address, like `http://127.0.0.1:5000`, of a server that tests may share.
const SHARED: &str = "SHARDMILL_TEST_S3";

/// How long a request of this helper may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A server. A private one is killed when it is dropped, and its data is gone.
#[derive(Debug)]
pub struct S3 {
    private: Option<Private>,
    address: SocketAddr,
    buckets: AtomicU64,
}

#[derive(Debug)]
struct Private {
    server: Server,
    folder: TempDir,
    python: PathBuf,
}

impl S3 {
    /// The server that tests may share if one is named by `SHARDMILL_TEST_S3`, else a private one.
    ///
    /// # Errors
    /// When no server is named and a private one cannot be started.
    pub fn start() -> io::Result<Self> {
        let Some(url) = variable(SHARED) else { return Self::start_private() };
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let address = host.to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("no address in {url}")))?;
        Ok(Self { private: None, address, buckets: AtomicU64::new(0) })
    }

    /// Starts a server of its own, for tests that kill it.
    ///
    /// # Errors
    /// When `SHARDMILL_TEST_S3_PYTHON` names no python with moto, or moto does not come up within a minute.
    pub fn start_private() -> io::Result<Self> {
        let python = variable(PYTHON).map(PathBuf::from).ok_or_else(|| {
            io::Error::other(format!("{PYTHON} is not set: name the python of an environment with moto"))
        })?;
        Self::start_with(python)
    }

    fn start_with(python: PathBuf) -> io::Result<Self> {
        start_on_free_ports(|| {
            let (folder, port) = (tempfile::tempdir()?, free_port()?);
            let server = start_moto(&python, &folder, port)?;
            let private = Private { server, folder, python: python.clone() };
            Ok(Self { private: Some(private), address: ([127, 0, 0, 1], port).into(), buckets: AtomicU64::new(0) })
        })
    }

    /// The address of the server, like `http://127.0.0.1:5000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes an empty bucket whose name begins with `name` and is nobody else's; returns the whole name.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn bucket(&self, name: &str) -> io::Result<String> {
        let number = self.buckets.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{}-{number}", std::process::id(), self.address.port());
        self.ask("PUT", &format!("/{name}"))?;
        Ok(name)
    }

    /// How many multipart uploads are open in `bucket`.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn open_uploads(&self, bucket: &str) -> io::Result<usize> {
        Ok(self.get(&format!("/{bucket}?uploads"))?.matches("<UploadId>").count())
    }

    /// What anybody gets who asks for `target`, like `/bucket/key?signature`: the answer's head and body.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn get(&self, target: &str) -> io::Result<String> {
        self.ask("GET", target)
    }

    /// `kill -9`. All buckets and objects are gone with it.
    ///
    /// # Errors
    /// When the server is a shared one or cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.own()?.server.kill()
    }

    /// Kills the server and starts it again at its address, with no bucket and no object: it keeps all in memory.
    ///
    /// # Errors
    /// When the server is a shared one or does not come up within a minute.
    pub fn restart(&mut self) -> io::Result<()> {
        let port = self.address.port();
        let private = self.own()?;
        private.server.kill()?;
        private.server = start_moto(&private.python, &private.folder, port)?;
        Ok(())
    }

    fn own(&mut self) -> io::Result<&mut Private> {
        self.private.as_mut().ok_or_else(|| io::Error::other("a shared server is not ours to kill"))
    }

    /// One request without a body; returns the answer's text.
    fn ask(&self, method: &str, target: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let host = self.address;
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let is_well = answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
        if is_well { Ok(answer) } else { Err(io::Error::other(format!("{method} {target} was answered: {answer}"))) }
    }
}

fn start_moto(python: &PathBuf, folder: &TempDir, port: u16) -> io::Result<Server> {
    let mut command = Command::new(python);
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
    let mut server = Server::start(&command, &folder.path().join("moto.log"))?;
    server.wait_until(|| listens(port))?;
    Ok(server)
}

#[expect(clippy::disallowed_methods, reason = "a developer says so by a variable; this package has no configuration")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
