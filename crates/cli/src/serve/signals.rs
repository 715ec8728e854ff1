//! SIGTERM and SIGINT: the first says to end, the second to end at once.

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

/// The orders of whoever runs this process.
pub(crate) struct Orders {
    terminate: Mutex<Signal>,
    interrupt: Mutex<Signal>,
}

impl Orders {
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| Ok::<_, std::io::Error>(Mutex::new(signal(kind)?));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    pub(crate) async fn first(&self) {
        let (mut terminate, mut interrupt) = (self.terminate.lock().await, self.interrupt.lock().await);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }

    pub(crate) async fn second(&self) {
        self.first().await;
    }
}
