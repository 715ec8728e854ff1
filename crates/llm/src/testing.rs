//! A provider that says what a test wants, and doors that write down what passes through them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use shardmill_shared::job::{Name, NanoUsd};
use shardmill_shared::process::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::address::{Address, HoldId};
use crate::config::{Kind, ProviderConfig};
use crate::doors::{
    Answer, Broke, Heard, Held, Journal, JournalError, MemoryJournal, Need, Pace, Permit, Purse, Stopped,
};
use crate::gateway::{Gateway, Parts};
use crate::price::{PriceConfig, Prices};
use crate::prompts::Prompts;

/// The key that the providers of tests are asked with.
pub(crate) const KEY: &str = "sk-test-0123456789";

/// What a provider does with one call.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Answers with a status, headers and a body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Promises a body, sends a half of it, and hangs up.
    Half(Vec<u8>),
    /// Hangs up without a word.
    HangUp,
    /// Says nothing.
    Silence,
}

impl Step {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
    }

    /// A good answer of Chat Completions that used 10 tokens of input and 5 of output.
    pub(crate) fn chat(text: &str) -> Self {
        Self::json(200, &chat(text, "stop"))
    }
}

pub(crate) fn chat(text: &str, finish: &str) -> Value {
    json!({"model": "m-1", "choices": [{"message": {"content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
}

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The first line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// A server that does its steps one after the other, and answers `done` when there are none left.
pub(crate) struct Script {
    pub(crate) url: String,
    steps: Arc<Mutex<VecDeque<Step>>>,
    calls: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    pub(crate) async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let steps: Arc<Mutex<VecDeque<Step>>> = Arc::new(Mutex::new(steps.into_iter().collect()));
        let calls: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (left, heard) = (Arc::clone(&steps), Arc::clone(&calls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&left), Arc::clone(&heard)));
            }
        });
        Self { url, steps, calls }
    }

    pub(crate) fn calls(&self) -> Vec<Asked> {
        self.calls.lock().expect("no panic").clone()
    }

    pub(crate) fn then(&self, step: Step) {
        self.steps.lock().expect("no panic").push_back(step);
    }
}

async fn serve(mut stream: TcpStream, steps: Arc<Mutex<VecDeque<Step>>>, calls: Arc<Mutex<Vec<Asked>>>) {
    while let Some(call) = read(&mut stream).await {
        calls.lock().expect("no panic").push(call);
        let step = steps.lock().expect("no panic").pop_front().unwrap_or_else(|| Step::chat("done"));
        match step {
            Step::Answer(status, headers, body) => {
                let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
                // A client that has read enough may have gone.
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
            }
            Step::Half(body) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() * 2);
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
                return;
            }
            Step::HangUp => return,
            Step::Silence => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            let length: usize = length.trim().parse().ok()?;
            if bytes.len() >= end + length {
                let body = serde_json::from_slice(&bytes[end..end + length]).ok()?;
                return Some(Asked { head, body });
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        // What begins like this is TLS, which is not spoken here.
        if bytes.first() == Some(&0x16) {
            return None;
        }
    }
}

/// A clock on which every wait is over at once, and is written down.
#[derive(Debug, Default)]
pub(crate) struct LeapingClock {
    now_ms: AtomicU64,
}

#[async_trait]
impl Clock for LeapingClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn unix_ms(&self) -> u64 {
        self.now_ms()
    }

    async fn sleep_until(&self, due_ms: u64) {
        self.now_ms.fetch_max(due_ms, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

/// Doors that write down, in order, what passes through them.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) cap: u64,
    pub(crate) log: Mutex<Vec<String>>,
    pub(crate) journal: MemoryJournal,
    pub(crate) holds: Mutex<HashMap<HoldId, (NanoUsd, Option<NanoUsd>)>>,
    pub(crate) is_deaf: bool,
}

impl Scripted {
    pub(crate) fn with_cap(cap: u64) -> Self {
        Self { cap, ..Self::default() }
    }

    fn note(&self, what: String) {
        self.log.lock().expect("no panic").push(what);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("no panic").clone()
    }

    /// The settled part of the budget, and whether a hold is open.
    pub(crate) fn spent(&self) -> (u64, bool) {
        let holds = self.holds.lock().expect("no panic");
        let settled = holds.values().filter_map(|(_, settled)| *settled).map(|money| money.0).sum();
        (settled, holds.values().any(|(_, settled)| settled.is_none()))
    }

    /// Closes a hold as an attempt that died leaves it: spent at its worst case.
    pub(crate) fn bury(&self, id: HoldId, worst: u64) {
        self.holds.lock().expect("no panic").insert(id, (NanoUsd(worst), Some(NanoUsd(worst))));
    }
}

#[async_trait]
impl Purse for Scripted {
    async fn hold(&self, id: &HoldId, worst: NanoUsd) -> Result<Held, Broke> {
        self.note(format!("hold {} {}", id.attempt, worst.0));
        let mut holds = self.holds.lock().expect("no panic");
        if let Some((_, settled)) = holds.get(id) {
            return Ok(if settled.is_some() { Held::Known } else { Held::Go });
        }
        let taken: u64 = holds.values().map(|(held, settled)| settled.unwrap_or(*held).0).sum();
        if worst.0 > self.cap {
            return Err(Broke::Over { worst, cap: NanoUsd(self.cap) });
        }
        if taken + worst.0 > self.cap {
            return Err(Broke::Exhausted);
        }
        holds.insert(*id, (worst, None));
        Ok(Held::Go)
    }

    async fn settle(&self, id: &HoldId, actual: NanoUsd) {
        self.note(format!("settle {} {}", id.attempt, actual.0));
        if let Some((_, settled)) = self.holds.lock().expect("no panic").get_mut(id) {
            settled.get_or_insert(actual);
        }
    }
}

#[async_trait]
impl Pace for Scripted {
    async fn admit(&self, need: &Need<'_>) -> Result<Permit, Stopped> {
        self.note(format!("admit {}/{}", need.provider, need.model));
        Ok(Permit::free())
    }

    fn heard(&self, _: &Need<'_>, heard: &Heard<'_>) {
        self.note(format!("heard {} {:?}", heard.limits.len(), heard.retry_after_ms));
    }
}

#[async_trait]
impl Journal for Scripted {
    async fn find(&self, address: &Address) -> Result<Option<Answer>, JournalError> {
        self.note("find".to_owned());
        self.journal.find(address).await
    }

    async fn record(&self, id: &HoldId, answer: &Answer, raw: &Bytes) -> Result<(), JournalError> {
        self.note("record".to_owned());
        if self.is_deaf {
            return Err(JournalError("gone".to_owned()));
        }
        self.journal.record(id, answer, raw).await
    }
}

/// A price of a nano-dollar per token of input and two per token of output.
pub(crate) fn plain_price() -> PriceConfig {
    PriceConfig { input: "0.001".to_owned(), output: "0.002".to_owned(), ..PriceConfig::default() }
}

/// A gateway to compatible providers `a`, `b`, … at these addresses, whose models all have the plain price.
pub(crate) fn gateway_to(urls: &[&str]) -> Gateway {
    gateway_of(urls.iter().map(|url| ProviderConfig::at(Kind::OpenAiCompatible, url)).collect())
}

/// A gateway to providers `a`, `b`, … as configured, which have a key where they name a variable.
pub(crate) fn gateway_of(configs: Vec<ProviderConfig>) -> Gateway {
    let name = |at: usize| Name::new(&"abcdef"[at..=at]).expect("a letter");
    let providers: BTreeMap<Name, ProviderConfig> =
        configs.into_iter().enumerate().map(|(at, config)| (name(at), config)).collect();
    let own = providers.keys().map(|name| (format!("{name}/*"), plain_price())).collect();
    let parts = Parts { providers, prices: Prices::new(&own).expect("prices"), prompts: Prompts::shipped() };
    let variable = |name: &str| (!name.starts_with("ABSENT")).then(|| KEY.to_owned());
    Gateway::new(parts, Arc::new(LeapingClock::default()), variable).expect("a gateway")
}
