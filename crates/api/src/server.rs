//! The socket: connections with a bound on their number and on how long a request's head may take, each with the address of
//! its peer.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::limits::{ACCEPT_PAUSE_MS, CONNECTIONS, HEAD_BYTES, HEAD_MS};
use crate::{Api, router};

/// Who is at the other end of a connection: an address, or a network of IPv6, for those are given to one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Peer {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            address => Self(address),
        }
    }
}

/// Answers requests until it is told to stop; those under way are answered to their end, and event streams end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(api: Api, listener: TcpListener) -> io::Result<()> {
    serve_within(api, listener, Duration::from_millis(HEAD_MS)).await
}

async fn serve_within(api: Api, listener: TcpListener, head: Duration) -> io::Result<()> {
    let (stop, clock) = (api.stop.clone(), Arc::clone(&api.clock));
    let router = router(api);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(HEAD_BYTES);
    let (open, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    loop {
        let (stream, address, permit) = tokio::select! {
            () = stop.wait() => break,
            (accepted, permit) = accept(&listener, &room) => match accepted {
                Ok((stream, address)) => (stream, address, permit),
                // Too many open files, or a client that is gone already: others may be served.
                Err(error) => {
                    tracing::warn!("a connection cannot be accepted: {error}");
                    clock.sleep_until(clock.now_ms().saturating_add(ACCEPT_PAUSE_MS)).await;
                    continue;
                }
            },
        };
        let (router, peer) = (router.clone(), Peer::of(address.ip()));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended early: {error}");
            }
            drop(permit);
        });
    }
    open.shutdown().await;
    Ok(())
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (io::Result<(TcpStream, std::net::SocketAddr)>, OwnedSemaphorePermit) {
    let permit = Arc::clone(room).acquire_owned().await.expect("nobody closes the semaphore");
    (listener.accept().await, permit)
}

#[cfg(test)]
mod tests;
