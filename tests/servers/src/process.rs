//! A server as a child process: it ends with its owner, however the owner ends.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How long a server may take until it answers.
const START_TRIES: u32 = 600;
const TRY_EVERY: Duration = Duration::from_millis(100);

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
}

/// A port that nobody listens on now.
///
/// # Errors
/// When the machine has none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// How often a server is started whose port was taken.
const STARTS: usize = 3;

/// Starts a server, on other ports when it ends at once: one that was free may be taken before the server has it.
///
/// # Errors
/// The last one, when it never comes up.
pub(crate) fn start_on_free_ports<T>(start: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut started = start();
    for _ in 1..STARTS {
        match &started {
            Err(error) if error.kind() == io::ErrorKind::Other => started = start(),
            _ => break,
        }
    }
    started
}

impl Server {
    /// Starts `command`; its output goes to `log`. The kernel kills it when the thread that started it ends, so that a
    /// test that is killed leaves no server behind.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &Command, log: &Path) -> io::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let mut tied = Command::new("setpriv");
        tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => tied.env(name, value),
                None => tied.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            tied.current_dir(folder);
        }
        let child = tied.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { child })
    }

    /// Waits until `is_up` says so.
    ///
    /// # Errors
    /// When the server ends before, or does not come up within a minute.
    pub fn wait_until(&mut self, mut is_up: impl FnMut() -> bool) -> io::Result<()> {
        for _ in 0..START_TRIES {
            if is_up() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status} before it was up")));
            }
            sleep(TRY_EVERY);
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the server did not come up within a minute"))
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// When that cannot be asked.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The id of the process that was started.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn ask_to_end(&self) -> io::Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().map(drop)
    }

    /// SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// When it cannot be sent or waited for.
    pub fn terminate(&mut self) -> io::Result<std::process::ExitStatus> {
        self.ask_to_end()?;
        self.child.wait()
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.kill();
    }
}

/// Whether something listens on a local port.
pub fn listens(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}
