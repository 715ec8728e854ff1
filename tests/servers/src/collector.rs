//! A collector of traces: takes OTLP over HTTP, and keeps every span for the test to look at.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message;

/// The collector. Its thread ends with the process.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A span that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The attribute `shardmill.role` of its process.
    pub role: String,
    /// What it is called.
    pub name: String,
    /// The id of its trace, in hexadecimal digits, as all ids here.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The id of the span above; empty where there is none.
    pub parent: String,
    /// The ids of the traces that it points to.
    pub links: Vec<String>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// What it says of itself, as texts.
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let collector = Self { address: listener.local_addr()?, seen: Arc::default() };
        let seen = Arc::clone(&collector.seen);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || answer_all(&connection, &seen));
            }
        });
        Ok(collector)
    }

    /// What a process is told of it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span that came until now.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }
}

/// Answers the requests of one connection until it ends.
fn answer_all(connection: &TcpStream, seen: &Mutex<Vec<Seen>>) {
    let mut reader = BufReader::new(connection);
    while let Ok(Some(body)) = next_body(&mut reader) {
        let is_good = match ExportTraceServiceRequest::decode(body.as_slice()) {
            Ok(request) => {
                lock(seen).extend(spans_of(&request));
                true
            }
            Err(_) => false,
        };
        let status = if is_good { "200 OK" } else { "400 Bad Request" };
        let mut writer = connection;
        if write!(writer, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// The body of the next request; nothing at the end.
fn next_body(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(length) = header.strip_prefix("content-length:") {
            bytes = length.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body)?;
    Ok(Some(body))
}

fn spans_of(request: &ExportTraceServiceRequest) -> Vec<Seen> {
    let mut found = Vec::new();
    for process in &request.resource_spans {
        let of_process = process.resource.as_ref().map(|resource| texts(&resource.attributes)).unwrap_or_default();
        let role = of_process.get("shardmill.role").cloned().unwrap_or_default();
        let spans = process.scope_spans.iter().flat_map(|scope| &scope.spans);
        found.extend(spans.map(|span| seen(span, role.clone())));
    }
    found
}

fn seen(span: &Span, role: String) -> Seen {
    let failed = span.status.as_ref().filter(|status| status.code() == StatusCode::Error);
    Seen {
        role,
        name: span.name.clone(),
        trace: digits(&span.trace_id),
        id: digits(&span.span_id),
        parent: digits(&span.parent_span_id),
        links: span.links.iter().map(|link| digits(&link.trace_id)).collect(),
        failure: failed.map(|status| status.message.clone()),
        attributes: texts(&span.attributes),
    }
}

fn digits(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
