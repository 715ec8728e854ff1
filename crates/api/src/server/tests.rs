//! Clients that speak HTTP badly, over a real socket.

use std::net::SocketAddr;

use shardmill_shared::job::Name;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::Role;
use crate::limits::{BODY_BYTES, STRANGERS_BURST};
use crate::testing::World;

/// A head that is never finished closes its connection after so long.
const HEAD: Duration = Duration::from_millis(300);

/// An API on a socket, with a key of it.
async fn served(world: &World) -> (SocketAddr, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("is bound");
    tokio::spawn(serve_within(world.api.clone(), listener, HEAD));
    let secret = world.keys.create("raw", &Name::new("acme").expect("allowed"), Role::Submit).await.expect("creates");
    (address, secret.reveal().to_owned())
}

/// What comes back for these bytes until the connection is closed.
async fn say(address: SocketAddr, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    for part in parts {
        // A server that has answered already may have closed.
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(line: &str, key: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn a_head_that_does_not_end_closes_the_connection() {
    let world = World::new().await;
    let (address, key) = served(&world).await;
    let answer = say(address, &[b"GET /v1/jobs HTTP/1.1\r\nhost: x\r\nx-slow: "]).await;
    assert_eq!(answer, "", "an answer to half a request");
    let answer = say(address, &[head("GET /v1/jobs", &key, "").as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "others are served: {answer}");
}

#[tokio::test]
async fn what_is_no_http_or_too_long_is_refused() {
    let world = World::new().await;
    let (address, key) = served(&world).await;
    let long = format!("x-long: {}\r\n", "a".repeat(2 * HEAD_BYTES));
    for (what, bytes) in [
        ("a line of something else", "EHLO mail\r\n\r\n".to_owned()),
        ("a version of its own", "GET / HTTP/7.3\r\n\r\n".to_owned()),
        ("two lengths", head("POST /v1/jobs", &key, "content-length: 1\r\ncontent-length: 2\r\n")),
        ("a length that is none", head("POST /v1/jobs", &key, "content-length: -1\r\n")),
        ("a long head", head("GET /v1/jobs", &key, &long)),
    ] {
        let answer = say(address, &[bytes.as_bytes()]).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
    }
}

#[tokio::test]
async fn a_body_is_bounded_whatever_its_length_says() {
    let world = World::new().await;
    let (address, key) = served(&world).await;
    let yaml = "content-type: application/yaml\r\n";
    let declared = head("POST /v1/jobs", &key, &format!("{yaml}content-length: {}\r\n", BODY_BYTES + 1));
    let answer = say(address, &[declared.as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let chunked = head("POST /v1/jobs", &key, &format!("{yaml}transfer-encoding: chunked\r\n"));
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", BODY_BYTES + 1, " ".repeat(BODY_BYTES + 1));
    let answer = say(address, &[chunked.as_bytes(), chunk.as_bytes()]).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    let smuggled = format!("{yaml}content-length: 4\r\ntransfer-encoding: chunked\r\n");
    let smuggled = head("POST /v1/jobs", &key, &smuggled) + "0\r\n\r\nGET /v1/keys HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = say(address, &[smuggled.as_bytes()]).await;
    assert!(answer.matches("HTTP/1.1").count() <= 1, "one request had two answers: {answer}");
}

#[tokio::test]
async fn whoever_guesses_keys_waits_and_known_keys_do_not() {
    let world = World::new().await;
    let (address, key) = served(&world).await;
    let known = head("GET /v1/jobs", &key, "");
    assert!(say(address, &[known.as_bytes()]).await.starts_with("HTTP/1.1 200"));
    let guess = |number: u32| head("GET /v1/jobs", &format!("smk_{number:040}"), "");
    for number in 0..STRANGERS_BURST {
        let answer = say(address, &[guess(number).as_bytes()]).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "guess {number}: {answer}");
    }
    let answer = say(address, &[guess(STRANGERS_BURST).as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: "), "{answer}");
    assert!(say(address, &[known.as_bytes()]).await.starts_with("HTTP/1.1 200"), "a known key is served");
    world.clock.advance(1_000);
    assert!(say(address, &[guess(STRANGERS_BURST).as_bytes()]).await.starts_with("HTTP/1.1 401"), "it may go on");
}

#[test]
fn a_network_of_ipv6_is_one_peer() {
    let peer = |text: &str| Peer::of(text.parse().expect("an address"));
    assert_eq!(peer("2001:db8:1:2:3::4"), peer("2001:db8:1:2::9"));
    assert_ne!(peer("2001:db8:1:2::4"), peer("2001:db8:1:3::4"));
    assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
    assert_ne!(peer("10.0.0.1"), peer("10.0.0.2"));
}
