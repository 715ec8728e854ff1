//! Requests of HTTP/1.1, one to a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::{Fault, Switch};

/// More than any head of a request that a client of S3 sends.
const LONGEST_HEAD_BYTES: u64 = 64 * 1024;

/// The lines before a request's body, without their ends.
struct Head {
    lines: Vec<String>,
    body_bytes: u64,
}

/// Answers one request, as the fault of the moment has it.
pub(super) fn connection(client: TcpStream, switch: &Arc<Switch>) -> io::Result<()> {
    let mut request = BufReader::new(client.try_clone()?);
    let Some(head) = read_head(&mut request)? else { return Ok(()) };
    let number = switch.requests.fetch_add(1, Ordering::SeqCst);
    match switch.wait_for_light()? {
        Fault::Unavailable { per_cent, seed } if mix(seed.wrapping_add(number)) % 100 < per_cent => {
            switch.faults.fetch_add(1, Ordering::SeqCst);
            refuse(&mut request, client, &head, (503, "SlowDown"))
        }
        Fault::Answer { status, code } => {
            switch.faults.fetch_add(1, Ordering::SeqCst);
            refuse(&mut request, client, &head, (status, code))
        }
        Fault::CutBody { after_bytes, times } if head.body_bytes > after_bytes && switch.claims(times) => {
            let mut server = switch.to_target()?;
            send_head(&mut server, &head, None)?;
            io::copy(&mut request.take(after_bytes), &mut server)?;
            server.shutdown(Shutdown::Both)?;
            client.shutdown(Shutdown::Both)
        }
        Fault::LoseAnswer { line_has, times } if head.lines[0].contains(line_has) && switch.claims(times) => {
            pass(&mut request, io::sink(), &head, (switch, None))?;
            client.shutdown(Shutdown::Both)
        }
        Fault::DropHeader(name) => {
            let has_it = head.lines.iter().any(|line| is_header(line, name));
            switch.faults.fetch_add(u64::from(has_it), Ordering::SeqCst);
            pass(&mut request, client, &head, (switch, Some(name)))
        }
        Fault::Delay(delay) => {
            thread::sleep(delay);
            pass(&mut request, client, &head, (switch, None))
        }
        _ => pass(&mut request, client, &head, (switch, None)),
    }
}

/// The head of the next request; none when the client has ended.
fn read_head(request: &mut BufReader<TcpStream>) -> io::Result<Option<Head>> {
    let mut lines = Vec::new();
    let mut limited = request.take(LONGEST_HEAD_BYTES);
    loop {
        let mut line = String::new();
        if limited.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let length = lines.iter().find(|line| is_header(line, "content-length")).and_then(|line| line.split_once(':'));
    let body_bytes = length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);
    Ok((!lines.is_empty()).then_some(Head { lines, body_bytes }))
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

/// Sends a head on, without the header to drop, and asks for an end after the answer.
fn send_head(server: &mut TcpStream, head: &Head, without: Option<&str>) -> io::Result<()> {
    let is_dropped = |line: &str| is_header(line, "connection") || without.is_some_and(|name| is_header(line, name));
    let mut text = String::new();
    for line in head.lines.iter().filter(|line| !is_dropped(line)) {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("connection: close\r\n\r\n");
    server.write_all(text.as_bytes())
}

/// Passes a request on and its answer back.
fn pass(
    request: &mut BufReader<TcpStream>,
    mut answer_to: impl Write,
    head: &Head,
    (switch, without): (&Switch, Option<&str>),
) -> io::Result<()> {
    let mut server = switch.to_target()?;
    send_head(&mut server, head, without)?;
    io::copy(&mut request.take(head.body_bytes), &mut server)?;
    let mut answer = BufReader::new(&server);
    loop {
        let length = answer.fill_buf()?.len();
        if length == 0 {
            answer_to.flush()?;
            return server.shutdown(Shutdown::Both);
        }
        switch.wait_for_light()?;
        answer_to.write_all(answer.buffer())?;
        answer.consume(length);
    }
}

/// Takes the request in, so that the client hears the answer, and answers with an error of S3.
fn refuse(
    request: &mut BufReader<TcpStream>,
    mut client: TcpStream,
    head: &Head,
    (status, code): (u16, &str),
) -> io::Result<()> {
    io::copy(&mut request.take(head.body_bytes), &mut io::sink())?;
    let body = format!("<Error><Code>{code}</Code><Message>the proxy says so</Message></Error>");
    write!(
        client,
        "HTTP/1.1 {status} Refused\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    client.shutdown(Shutdown::Write)
}

/// A well mixed number from a number.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
