//! The socket: HTTP, the time an answer takes, and connections that end as no connection should.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming as Stream, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use shardmill_shared::process::Clock;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::control;
use crate::desk::{Call, Desk, Ending, Incoming, Verdict};
use crate::limits::{ACCEPT_PAUSE_MS, BACKLOG, BODY_BYTES, CONNECTIONS, HEAD_BYTES, NEVER_MS};
use crate::routes::{Route, route};
use crate::wire::{Head, Problem, Wire};

/// The connection ends here, in the middle of things.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, as asked")]
struct Cut;

/// A socket that listens, with room for many who come at once.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until it is dropped; then every connection ends.
pub(crate) async fn serve(desk: Arc<Desk>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&desk), stream));
                }
                Err(error) => {
                    tracing::warn!("a connection cannot be accepted: {error}");
                    pause(desk.options.clock.as_ref(), ACCEPT_PAUSE_MS).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn pause(clock: &dyn Clock, wait_ms: u64) {
    clock.sleep_until(clock.now_ms().saturating_add(wait_ms)).await;
}

async fn connection(desk: Arc<Desk>, stream: TcpStream) {
    // An answer is one piece: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let is_reset = Arc::new(AtomicBool::new(false));
    let marked = Arc::clone(&is_reset);
    // Boxed: a connection that waits for its next request holds no space for an answer.
    let service = service_fn(move |request| -> Pin<Box<dyn Future<Output = _> + Send>> {
        Box::pin(answer(Arc::clone(&desk), request, Arc::clone(&marked)))
    });
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD_BYTES);
    let mut served = http.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = poll_fn(|context| served.poll_without_shutdown(context)).await {
        tracing::debug!("a connection ended early: {error}");
    }
    if is_reset.load(Ordering::Relaxed) {
        // Dropped without lingering, a socket sends a reset.
        let _ = served.into_parts().io.into_inner().set_zero_linger();
    }
}

async fn answer(desk: Arc<Desk>, request: Request<Stream>, is_reset: Arc<AtomicBool>) -> Result<Response<Sent>, Cut> {
    let (head, body) = request.into_parts();
    let verdict = match route(&head.method, head.uri.path()) {
        Route::Call { wire, model } => {
            let head = Head { headers: &head.headers, query: head.uri.query().unwrap_or_default() };
            return called(&desk, (wire, model.as_deref(), head), body, &is_reset).await;
        }
        Route::Models(name) => control::models(&desk, name.as_deref(), &head.headers),
        Route::Control(asked) => match collect(body).await? {
            Some(body) => control::control(&desk, asked, &body),
            None => control::too_large(BODY_BYTES),
        },
        Route::Unknown => control::unknown(head.uri.path()),
        Route::WrongMethod => control::wrong_method(head.uri.path()),
    };
    Ok(response(verdict))
}

/// Answers a call to a model.
async fn called(
    desk: &Arc<Desk>,
    (wire, model, head): (&'static dyn Wire, Option<&str>, Head<'_>),
    body: Stream,
    is_reset: &AtomicBool,
) -> Result<Response<Sent>, Cut> {
    let mut call = Call::open(desk);
    let verdict = match collect(body).await? {
        Some(body) => desk.decide(&mut call, &Incoming { wire, model, head, body: &body }),
        None => desk.complaint(wire, &Problem::BodyTooLarge { most: BODY_BYTES }),
    };
    let clock = desk.options.clock.as_ref();
    if verdict.wait_ms > 0 {
        pause(clock, verdict.wait_ms).await;
    }
    match verdict.ending {
        Ending::Whole => call.close(verdict.status),
        Ending::Half => {}
        Ending::Reset => {
            is_reset.store(true, Ordering::Relaxed);
            return Err(Cut);
        }
        Ending::Never => {
            pause(clock, NEVER_MS).await;
            return Err(Cut);
        }
    }
    Ok(response(verdict))
}

fn response(verdict: Verdict) -> Response<Sent> {
    let left = if verdict.ending == Ending::Half { Left::Half } else { Left::Whole };
    let mut response = Response::new(Sent { bytes: verdict.body, left });
    *response.status_mut() = StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = verdict.headers;
    response
}

/// The whole body of a request; nothing where it is too long.
async fn collect(mut body: Stream) -> Result<Option<Bytes>, Cut> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(|_| Cut)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > BODY_BYTES {
            return Ok(None);
        }
        // Most bodies come in one piece, which then need not be copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(Some(if all.is_empty() { first } else { all.freeze() }))
}

/// The body of an answer, which may end before its time.
struct Sent {
    bytes: Bytes,
    left: Left,
}

/// What is still to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Whole,
    Half,
    /// Nothing, but what was sent must get out before the connection is cut.
    Flush,
    Cut,
    Nothing,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let now = self.left;
        self.left = match now {
            Left::Half => Left::Flush,
            Left::Flush => Left::Cut,
            _ => Left::Nothing,
        };
        match now {
            Left::Whole => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes))))),
            Left::Half => Poll::Ready(Some(Ok(Frame::data(self.bytes.slice(..self.bytes.len() / 2))))),
            Left::Flush => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Left::Cut => Poll::Ready(Some(Err(Cut))),
            Left::Nothing => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == Left::Nothing
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests;
