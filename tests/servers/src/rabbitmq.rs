//! A private RabbitMQ node: own ports, data folder and cookie, and an `epmd` of its own, so that nothing of it outlives
//! its owner or meets another node.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Server, free_port, listens, start_on_free_ports};

/// Where packages put the server's own script. The one on the search path is another: it changes the user.
const SCRIPTS: [&str; 3] = [
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
];

/// The node's name. Its `epmd` knows no other.
const NODE: &str = "private@localhost";

/// The variable with the address of a RabbitMQ that tests may share.
const SHARED: &str = "SHARDMILL_TEST_RABBITMQ";

/// Two threads that sleep when there is nothing to do.
const ERLANG: &str = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none";

/// What is to be different from the defaults of a private node.
#[derive(Clone, Debug, Default)]
pub struct RabbitMqSetup {
    /// After how many milliseconds an unacknowledged delivery closes its channel. Looked at every second, not every minute.
    pub consumer_timeout_ms: Option<u64>,
    /// More lines for the server's configuration, each without its line end.
    pub lines: Vec<String>,
    /// Plugins to enable, like `rabbitmq_management`.
    pub plugins: Vec<String>,
}

/// A private node. Dropped, it is killed and its data is gone.
#[derive(Debug)]
pub struct RabbitMq {
    /// Killed before the folder goes.
    node: Server,
    _epmd: Server,
    folder: TempDir,
    ports: Ports,
    arguments: String,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    amqp: u16,
    nodes: u16,
    epmd: u16,
}

impl RabbitMq {
    /// Starts a node with defaults; it takes connections when this returns.
    ///
    /// # Errors
    /// When RabbitMQ is not installed or does not come up within a minute.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&RabbitMqSetup::default())
    }

    /// Starts a node that differs from the defaults.
    ///
    /// # Errors
    /// When RabbitMQ is not installed or does not come up within a minute.
    pub fn start_with(setup: &RabbitMqSetup) -> io::Result<Self> {
        start_on_free_ports(|| Self::start_once(setup))
    }

    fn start_once(setup: &RabbitMqSetup) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ports = Ports { amqp: free_port()?, nodes: free_port()?, epmd: free_port()? };
        write_files(&folder, &ports, setup)?;
        let mut command = Command::new("epmd");
        command.args(["-port", &ports.epmd.to_string(), "-address", "127.0.0.1"]);
        let mut epmd = Server::start(&command, &folder.path().join("epmd.log"))?;
        epmd.wait_until(|| listens(ports.epmd))?;
        let mut arguments = ERLANG.to_owned();
        if setup.consumer_timeout_ms.is_some() {
            arguments.push_str(" -rabbit channel_tick_interval 1000");
        }
        let node = start_node(&folder, ports, &arguments)?;
        Ok(Self { node, _epmd: epmd, folder, ports, arguments })
    }

    /// The address of the node, with its default user.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// The port that clients connect to.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// Whether a quorum queue would survive a kill. RabbitMQ 3.10 writes down that a new queue exists some seconds later than
    /// it says so; killed before, it comes back with a queue that has lost its messages and gets no leader.
    ///
    /// # Errors
    /// When the node's files cannot be read.
    pub fn has_written_down(&self, queue: &str) -> io::Result<bool> {
        let folder = self.folder.path().join("data").join(NODE).join("quorum").join(NODE);
        let names = fs::read(folder.join("names.dets"))?;
        Ok(names.windows(queue.len()).any(|part| part == queue.as_bytes()))
    }

    /// `kill -9`. The data stays.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.node.kill()
    }

    /// Lets the node hang: its connections stand and nothing answers.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Ends a [`RabbitMq::freeze`].
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let status = Command::new("kill").args([signal, &self.node.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill {signal} ended with {status}"))) }
    }

    /// Starts a killed node again with its ports and data.
    ///
    /// # Errors
    /// When it does not come up within a minute.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill()?;
        self.node = start_node(&self.folder, self.ports, &self.arguments)?;
        Ok(())
    }

    /// Kills the node, removes all it knew and starts it again with its ports.
    ///
    /// # Errors
    /// When the data cannot be removed or the node does not come up within a minute.
    pub fn wipe_and_restart(&mut self) -> io::Result<()> {
        self.kill()?;
        fs::remove_dir_all(self.folder.path().join("data"))?;
        self.restart()
    }

    /// What the node wrote so far: for the report of a test that failed.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> io::Result<String> {
        fs::read_to_string(self.folder.path().join("node.log"))
    }
}

/// The address of a node that tests may share, if there is one.
#[expect(clippy::disallowed_methods, reason = "a developer says so by a variable; this package has no configuration")]
pub fn shared() -> Option<String> {
    std::env::var(SHARED).ok().filter(|url| !url.is_empty())
}

fn script() -> io::Result<PathBuf> {
    SCRIPTS.iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("RabbitMQ is not installed: none of {SCRIPTS:?} is there"))
    })
}

fn write_files(folder: &TempDir, ports: &Ports, setup: &RabbitMqSetup) -> io::Result<()> {
    let path = |name: &str| folder.path().join(name);
    let plugins = setup.plugins.join(",");
    fs::write(path("plugins"), format!("[{plugins}].\n"))?;
    let mut lines = vec![
        format!("listeners.tcp.default = 127.0.0.1:{}", ports.amqp),
        "vm_memory_high_watermark.absolute = 1GB".to_owned(),
        "disk_free_limit.absolute = 50MB".to_owned(),
        "log.console = true".to_owned(),
        "log.file = false".to_owned(),
    ];
    lines.extend(setup.consumer_timeout_ms.map(|limit_ms| format!("consumer_timeout = {limit_ms}")));
    lines.extend(setup.lines.iter().cloned());
    fs::write(path("rabbitmq.conf"), lines.join("\n") + "\n")?;
    let cookie = path(".erlang.cookie");
    // The name of the folder is random, which is all that a cookie has to be here.
    fs::write(&cookie, folder.path().to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), ""))?;
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))
}

fn start_node(folder: &TempDir, ports: Ports, arguments: &str) -> io::Result<Server> {
    let path = |name: &str| folder.path().join(name);
    let mut command = Command::new(script()?);
    command
        .env("HOME", folder.path())
        .env("RABBITMQ_NODENAME", NODE)
        .env("RABBITMQ_NODE_PORT", ports.amqp.to_string())
        .env("RABBITMQ_DIST_PORT", ports.nodes.to_string())
        .env("RABBITMQ_MNESIA_BASE", path("data"))
        .env("RABBITMQ_LOG_BASE", path("log"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"))
        .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
        .env("RABBITMQ_PID_FILE", path("pid"))
        // With this the script becomes the server, instead of starting it as a child that would outlive a kill.
        .env("RUNNING_UNDER_SYSTEMD", "yes")
        .env("ERL_CRASH_DUMP", path("erl_crash.dump"))
        .env("ERL_EPMD_PORT", ports.epmd.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", arguments);
    let mut node = Server::start(&command, &path("node.log"))?;
    node.wait_until(|| listens(ports.amqp))?;
    Ok(node)
}
