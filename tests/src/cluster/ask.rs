//! Requests to the roles of a cluster, byte by byte as a client that is not ours sends them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use super::Cluster;

impl Cluster {
    /// The body that an address answers a GET with.
    pub fn get(&self, address: &str, path: &str) -> String {
        answer(address, &format!("GET {path} HTTP/1.0\r\n\r\n"))
    }

    /// What the API answers a POST of a spec with, sent with the first admin key.
    pub fn post(&self, api: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
        let key = std::fs::read_to_string(self.folder.path().join("shardmill-admin.key")).unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "POST {path} HTTP/1.0\r\nauthorization: Bearer {key}\r\ncontent-type: application/yaml\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        serde_json::from_str(&answer(api.trim_start_matches("http://"), &request)).unwrap()
    }

    /// The log of the role that was started last.
    pub fn newest_log(&self) -> &Path {
        &self.newest_log
    }

    /// Everything that the role has said that was started last.
    pub fn whole_log(&self) -> String {
        std::fs::read_to_string(&self.newest_log).unwrap()
    }

    /// Makes a folder where the roles run.
    pub fn make_folder(&self, path: &str) {
        std::fs::create_dir_all(self.folder.path().join(path)).unwrap();
    }
}

fn answer(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}")).1.to_owned()
}
