//! The proxy against a small echoing server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::*;

/// A server that sends back what it gets.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = listener.local_addr().expect("has an address");
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || io::copy(&mut &client, &mut &client));
        }
    });
    address
}

fn answers(proxy: &Proxy) -> io::Result<()> {
    let mut client = TcpStream::connect(proxy.address())?;
    says(&mut client)
}

fn says(client: &mut TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_millis(500)))?;
    client.write_all(b"hello")?;
    let mut heard = [0; 5];
    client.read_exact(&mut heard)?;
    assert_eq!(&heard, b"hello");
    Ok(())
}

#[test]
fn a_cut_closes_what_is_open_and_refuses_what_comes() {
    let proxy = Proxy::start(echo()).expect("starts");
    let mut open = TcpStream::connect(proxy.address()).expect("connects");
    says(&mut open).expect("passes");
    proxy.cut();
    assert!(says(&mut open).is_err(), "an open connection survived the cut");
    assert!(answers(&proxy).is_err(), "a new connection passed the cut");
    proxy.heal();
    answers(&proxy).expect("passes again");
}

#[test]
fn in_the_dark_connections_stand_and_nothing_passes() {
    let proxy = Proxy::start(echo()).expect("starts");
    let mut open = TcpStream::connect(proxy.address()).expect("connects");
    says(&mut open).expect("passes");
    proxy.set(Fault::Dark);
    let silence = says(&mut open).expect_err("something passed in the dark");
    assert!(matches!(silence.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{silence}");
    proxy.heal();
    let mut heard = [0; 5];
    open.read_exact(&mut heard).expect("what was sent in the dark passes in the light");
}

/// One request with a body of ten bytes; the whole answer.
fn request(proxy: &Proxy) -> String {
    let mut client = TcpStream::connect(proxy.address()).expect("connects");
    let sent = "PUT /a HTTP/1.1\r\nIf-None-Match: *\r\nContent-Length: 10\r\n\r\n0123456789";
    client.write_all(sent.as_bytes()).expect("sends");
    client.shutdown(Shutdown::Write).expect("ends");
    let mut answer = Vec::new();
    // A cut connection may end in an error, after which nothing more comes.
    let _ = client.read_to_end(&mut answer);
    String::from_utf8(answer).expect("text")
}

/// A server whose answer is the request it got; of a request without its whole body, nothing.
fn mirror() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = listener.local_addr().expect("has an address");
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut heard = Vec::new();
            let mut piece = [0; 1024];
            while !heard.ends_with(b"0123456789") {
                match client.read(&mut piece) {
                    Ok(length) if length > 0 => heard.extend_from_slice(&piece[..length]),
                    _ => break,
                }
            }
            if heard.ends_with(b"0123456789") {
                client.write_all(&heard).expect("answers");
            }
        }
    });
    address
}

#[test]
fn single_requests_are_broken_and_counted() {
    let proxy = Proxy::start_http(mirror()).expect("starts");
    assert!(request(&proxy).contains("If-None-Match"));
    proxy.set(Fault::DropHeader("if-none-match"));
    let without = request(&proxy);
    assert!(without.ends_with("0123456789") && !without.contains("If-None-Match"), "{without}");
    proxy.set(Fault::Answer { status: 403, code: "AccessDenied" });
    assert!(request(&proxy).contains("<Code>AccessDenied</Code>"));
    proxy.set(Fault::CutBody { after_bytes: 4, times: 1 });
    assert_eq!(request(&proxy), "");
    assert!(request(&proxy).ends_with("0123456789"), "only one was to be cut");
    proxy.set(Fault::LoseAnswer { line_has: "PUT", times: 1 });
    assert_eq!(request(&proxy), "");
    assert!(request(&proxy).ends_with("0123456789"), "only one was to be lost");
}

#[test]
fn a_seed_chooses_the_refused_ones() {
    let proxy = Proxy::start_http(mirror()).expect("starts");
    let round = |seed| {
        proxy.set(Fault::Unavailable { per_cent: 30, seed });
        let refused: Vec<bool> = (0..100).map(|_| request(&proxy).contains("503")).collect();
        assert_eq!(proxy.faults(), refused.iter().filter(|is_refused| **is_refused).count() as u64);
        refused
    };
    let (one, again, other) = (round(1), round(1), round(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert!((15..=45).contains(&proxy.faults()), "{}", proxy.faults());
}
