//! Who the server is: the first frame it sends, before anyone logs in. The library reads that frame and keeps nothing.

use futures::{AsyncReadExt, AsyncWriteExt};
use lapin::protocol::constants::FRAME_METHOD;
use lapin::tcp::AMQPUriTcpExt;
use lapin::types::parsing::parse_field_table;
use lapin::types::{AMQPValue, FieldTable};

use super::address::Address;
use super::fault::{of_connection, transient};
use super::limits::{GREETING, GREETING_BYTES};
use crate::queue::QueueError;

/// What a client of AMQP 0-9-1 says first.
const HELLO: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Kind, channel and length of a frame.
const HEAD_BYTES: usize = 7;
/// Class and method of `connection.start`, and the version of the protocol.
const START: [u8; 4] = [0, 10, 0, 10];
const BEFORE_TABLE_BYTES: usize = 6;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// The product's name, like `RabbitMQ`; empty where the server does not say.
    pub product: String,
    /// Its version, like `3.10.8`; empty where the server does not say.
    pub version: String,
}

impl ServerInfo {
    /// Whether the server is RabbitMQ of this version or newer. One whose version cannot be read is not.
    pub fn is_rabbitmq(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().ok());
        let (Some(Some(own_major)), Some(Some(own_minor))) = (parts.next(), parts.next()) else { return false };
        self.product == "RabbitMQ" && (own_major, own_minor) >= (major, minor)
    }
}

/// Asks a server who it is, on a connection of its own.
pub(super) async fn greet(address: &Address) -> Result<ServerInfo, QueueError> {
    let greeting = tokio::time::timeout(GREETING, read_greeting(address));
    let bytes = greeting
        .await
        .map_err(|_| transient(format!("{address} does not answer")))?
        .map_err(|error| of_connection(&format!("connect to {address}"), &error.to_string()))?;
    parse(&bytes).ok_or_else(|| transient(format!("{address} does not speak AMQP 0-9-1")))
}

async fn read_greeting(address: &Address) -> std::io::Result<Vec<u8>> {
    let runtime = lapin::runtime::default_runtime().map_err(std::io::Error::other)?;
    let tls = address.tls();
    let mut stream = address.uri.connect_with_config_async(tls.as_ref(), &runtime).await?;
    stream.write_all(HELLO).await?;
    stream.flush().await?;
    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    let bytes = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    if head[0] != FRAME_METHOD || bytes > GREETING_BYTES {
        return Ok(Vec::new());
    }
    let mut payload = vec![0; usize::try_from(bytes).map_err(std::io::Error::other)?];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

/// The payload of `connection.start`; nothing if it is none.
fn parse(payload: &[u8]) -> Option<ServerInfo> {
    if !payload.starts_with(&START) {
        return None;
    }
    let (_, table) = parse_field_table(payload.get(BEFORE_TABLE_BYTES..)?).ok()?;
    Some(ServerInfo { product: text(&table, "product"), version: text(&table, "version") })
}

fn text(table: &FieldTable, name: &str) -> String {
    match table.inner().get(name) {
        Some(AMQPValue::LongString(value)) => value.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: &str) -> ServerInfo {
        ServerInfo { product: "RabbitMQ".to_owned(), version: version.to_owned() }
    }

    #[test]
    fn a_greeting_tells_product_and_version() {
        let mut payload = b"\x00\x0a\x00\x0a\x00\x09".to_vec();
        let table = b"\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8";
        payload.extend_from_slice(&u32::try_from(table.len()).expect("is short").to_be_bytes());
        payload.extend_from_slice(table);
        assert_eq!(parse(&payload), Some(server("3.10.8")));
        for length in 0..payload.len() {
            assert_eq!(parse(&payload[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        for (version, is_new) in [("4.3.0", true), ("4.10", true), ("5.0.1", true), ("3.10.8", false), ("x", false)] {
            assert_eq!(server(version).is_rabbitmq(4, 3), is_new, "{version}");
        }
    }
}
