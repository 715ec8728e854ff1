//! A proxy that breaks what passes through it: any TCP connection, and requests of HTTP one by one.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

mod http;
mod relay;

/// What the proxy does to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: all passes as it is.
    None,
    /// Requests pass without this header. HTTP only, names in lower case.
    DropHeader(&'static str),
    /// This share of requests is answered by 503 and never passed on. HTTP only.
    Unavailable {
        /// How many of a hundred.
        per_cent: u64,
        /// Which ones: the same seed chooses the same.
        seed: u64,
    },
    /// Every request is answered with this status and never passed on. HTTP only.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The code of S3 in the answer's body, like `AccessDenied`.
        code: &'static str,
    },
    /// Requests (of TCP: pieces of up to 64 KiB, either way) wait before they pass.
    Delay(Duration),
    /// The next requests with longer bodies are cut off in their middle. HTTP only.
    CutBody {
        /// So much of the body passes.
        after_bytes: u64,
        /// So many requests; the ones after pass.
        times: u64,
    },
    /// The request passes, and its answer is lost: the next ones whose line contains the word. HTTP only.
    LoseAnswer {
        /// Part of the request's first line, like `uploadId` or `PUT`.
        line_has: &'static str,
        /// So many requests; the ones after pass.
        times: u64,
    },
    /// Connections stand, and nothing passes.
    Dark,
}

/// A proxy before one server. Its threads end with the process.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    switch: Arc<Switch>,
}

/// What is done with a client's connection.
type Handle = fn(TcpStream, &Arc<Switch>) -> io::Result<()>;

/// What the proxy's threads share.
#[derive(Debug)]
struct Switch {
    target: SocketAddr,
    fault: Mutex<Fault>,
    changed: Condvar,
    is_cut: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
    requests: AtomicU64,
    faults: AtomicU64,
}

impl Proxy {
    /// A proxy of any protocol over TCP.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        Self::serve(target, relay::connection)
    }

    /// A proxy of HTTP/1.1 without TLS, which may break single requests.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start_http(target: SocketAddr) -> io::Result<Self> {
        Self::serve(target, http::connection)
    }

    fn serve(target: SocketAddr, handle: Handle) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let switch = Arc::new(Switch {
            target,
            fault: Mutex::new(Fault::None),
            changed: Condvar::new(),
            is_cut: AtomicBool::new(false),
            connections: Mutex::default(),
            requests: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        });
        let shared = Arc::clone(&switch);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let switch = Arc::clone(&shared);
                thread::spawn(move || switch.connection(&client, handle));
            }
        });
        Ok(Self { address, switch })
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for clients of HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks what passes from now on; counts start again.
    pub fn set(&self, fault: Fault) {
        self.switch.requests.store(0, Ordering::SeqCst);
        self.switch.faults.store(0, Ordering::SeqCst);
        *self.switch.fault() = fault;
        self.switch.changed.notify_all();
    }

    /// Closes every connection, and every new one at once.
    pub fn cut(&self) {
        self.switch.is_cut.store(true, Ordering::SeqCst);
        self.switch.changed.notify_all();
        for connection in self.switch.connections().drain(..) {
            // It may be closed already, which is what is wanted.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Ends every fault and every cut.
    pub fn heal(&self) {
        self.set(Fault::None);
        self.switch.is_cut.store(false, Ordering::SeqCst);
    }

    /// How many requests of HTTP came since the fault was set.
    pub fn requests(&self) -> u64 {
        self.switch.requests.load(Ordering::SeqCst)
    }

    /// How many requests of HTTP were broken since the fault was set.
    pub fn faults(&self) -> u64 {
        self.switch.faults.load(Ordering::SeqCst)
    }
}

impl Switch {
    fn fault(&self) -> MutexGuard<'_, Fault> {
        self.fault.lock().expect("no holder of the lock panics")
    }

    fn connections(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.connections.lock().expect("no holder of the lock panics")
    }

    /// One connection from begin to end. One that ends in an error ends: that is all a proxy can say to its peers.
    fn connection(self: &Arc<Self>, client: &TcpStream, handle: Handle) {
        let _ = self.admit(client).and_then(|()| handle(client.try_clone()?, self));
        // The copy that is kept for a cut would hold the connection open.
        let _ = client.shutdown(Shutdown::Both);
    }

    /// Keeps a connection so that it can be cut; refuses it while everything is cut.
    fn admit(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut connections = self.connections();
        if self.is_cut.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        }
        connections.retain(|open| open.take_error().is_ok() && open.peer_addr().is_ok());
        connections.push(connection.try_clone()?);
        Ok(())
    }

    fn to_target(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.target)?;
        self.admit(&stream)?;
        Ok(stream)
    }

    /// The fault that holds now; while it is dark, waits.
    fn wait_for_light(&self) -> io::Result<Fault> {
        let is_dark = |fault: &mut Fault| *fault == Fault::Dark && !self.is_cut.load(Ordering::SeqCst);
        let fault = *self.changed.wait_while(self.fault(), is_dark).expect("no holder of the lock panics");
        if self.is_cut.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(fault) }
    }

    /// Counts a fault if fewer than `times` were made.
    fn claims(&self, times: u64) -> bool {
        self.faults.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |made| (made < times).then_some(made + 1)).is_ok()
    }
}

#[cfg(test)]
mod tests;
