//! Documented commands that start a server (`shardmill … &`) and talk to it (`curl`). A server takes a free port in place of
//! the documented one, and curl is a few lines here: no test needs it, and no two tests meet at a port.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The servers that one document has started. They end with it.
#[derive(Default)]
pub(crate) struct Servers(Vec<Server>);

struct Server {
    child: Child,
    /// The address in the document.
    documented: String,
    /// The address that it has.
    real: String,
}

impl Servers {
    /// Starts a server whose arguments hold `--listen ADDRESS`; its first line tells its address.
    pub(crate) fn start(&mut self, folder: &Path, arguments: &[String]) -> Vec<String> {
        let at =
            arguments.iter().position(|word| word == "--listen").expect("a server that is told where to listen") + 1;
        let mut changed = arguments.to_vec();
        changed[at] = "127.0.0.1:0".to_owned();
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardmill"));
        command.args(changed).current_dir(folder).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("is piped")).read_line(&mut line).expect("says where it is");
        let real =
            line.split("http://").nth(1).and_then(|rest| rest.split([',', '/', '"']).next()).expect("an address");
        let server = Server { child, documented: arguments[at].clone(), real: real.to_owned() };
        let shown = line.trim_end().replace(&server.real, &server.documented);
        self.0.push(server);
        vec![shown]
    }

    /// What `curl` with these arguments (`-s`, `-H`, `-d` and an address) prints; times are all the same.
    pub(crate) fn curl(&self, arguments: &[String]) -> Vec<String> {
        let (mut url, mut head, mut body) = ("", String::new(), None);
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-s" => {}
                "-H" => head.push_str(&format!("{}\r\n", words.next().expect("a header"))),
                "-d" => body = words.next(),
                address => url = address,
            }
        }
        let (address, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("an address");
        let server = self.0.iter().find(|server| server.documented == address).expect("a server that was started");
        let (method, body) = body.map_or(("GET", ""), |body| ("POST", body.as_str()));
        let length = body.len();
        let request = format!(
            "{method} /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{head}\r\n{body}"
        );
        let mut stream = TcpStream::connect(&server.real).expect("connects");
        stream.write_all(request.as_bytes()).expect("asks");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("is answered");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        timeless(body).lines().map(|line| line.replace(&server.real, &server.documented)).collect()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in &mut self.0 {
            // It may have ended by itself, and then the test has failed already.
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
    }
}

/// The text with all times of creation the same.
fn timeless(text: &str) -> String {
    let mut parts = text.split("\"created");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(':').unwrap_or((part, ""));
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str(&format!("\"created{name}:1767225600{rest}"));
    }
    out
}
