//! A schedule fires on real servers: versions are built and the oldest removed, a leader dies, a webhook hears of every job.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use shardmill_scheduler::herald::SigningKey;
use shardmill_tests::cluster::Cluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{SCHEDULER, WORKER};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const SMALL: &str = "
shardmill: 1
name: small
tables: {users: {rows: 100, columns: {id: {sequence: 1}, city: {faker: city}}}}
";

/// A request to the webhook: its headers by their small names, and its body.
#[derive(Clone, Debug)]
struct Letter {
    headers: BTreeMap<String, String>,
    body: String,
}

/// A receiver of webhooks that is out of order for its first request.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<Letter>>>);

impl Receiver {
    /// Starts to listen, and answers where.
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let letters = Arc::clone(&self.0);
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(letter) = receive(&mut stream).await else { continue };
                let status = if number == 0 { "503 Service Unavailable" } else { "204 No Content" };
                letters.lock().unwrap().push(letter);
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}/hook")
    }

    fn letters(&self) -> Vec<Letter> {
        self.0.lock().unwrap().clone()
    }

    /// The states that were told of each job.
    fn told(&self) -> BTreeMap<String, String> {
        let of = |letter: &Letter| {
            let body: Value = serde_json::from_str(&letter.body).unwrap();
            (body["data"]["job"].as_str().unwrap().to_owned(), body["type"].as_str().unwrap().to_owned())
        };
        self.letters().iter().map(of).collect()
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Letter> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: BTreeMap<String, String> = head.lines().filter_map(header).collect();
        if headers["content-length"].parse::<usize>().unwrap() <= body.len() {
            return Some(Letter { headers, body: body.to_owned() });
        }
    }
}

fn json(output: &str) -> Value {
    serde_json::from_str(output).unwrap_or_else(|error| panic!("{error}: {output}"))
}

/// The jobs of the schedule that are there, by state.
fn jobs(cluster: &Cluster, api: &str) -> BTreeMap<String, String> {
    let list = json(&cluster.client(api, &["job", "list", "--json", "--limit", "100"]).1);
    let jobs = list["jobs"].as_array().unwrap().iter();
    jobs.map(|job| (job["id"].as_str().unwrap().to_owned(), job["state"].as_str().unwrap().to_owned())).collect()
}

fn versions(cluster: &Cluster, api: &str) -> Vec<u64> {
    let list = json(&cluster.client(api, &["dataset", "versions", "small", "--json"]).1);
    list["versions"].as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_schedule_builds_versions_and_tells_of_them() {
    let receiver = Receiver::default();
    let url = receiver.listen().await;
    let mut cluster = Cluster::start();
    let webhooks = format!("[webhooks.team]\nurl = \"{url}\"\nsecret_file = \"secret\"\ntenants = [\"default\"]\n");
    cluster.write("shardmill.toml", &webhooks);
    cluster.write("secret", SECRET);
    cluster.write("small.yaml", SMALL);
    cluster.role("scheduler", SCHEDULER);
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("api", &["--role", "api"]);
    let api = cluster.api();
    let create =
        ["schedule", "create", "often", "small.yaml", "--cron", "* * * * *", "--keep", "2", "--notify", "team"];
    let (code, output) = cluster.client(&api, &create);
    assert_eq!(code, Some(0), "{output}");
    let run_now = |cluster: &Cluster| cluster.client(&api, &["schedule", "run-now", "often", "--watch"]);
    let (code, output) = run_now(&cluster);
    assert_eq!(code, Some(0), "{output}\n{}", cluster.logs());
    cluster.kill("scheduler");
    let (code, output) = run_now(&cluster);
    assert_eq!(code, Some(0), "{output}\n{}", cluster.logs());
    let shown = || json(&cluster.client(&api, &["schedule", "show", "often", "--json"]).1);
    cluster.until("the schedule fires", 150, async || !shown()["fires"].as_array().unwrap().is_empty()).await;
    assert_eq!(shown()["fires"][0]["outcome"], "job");
    let (code, output) = cluster.client(&api, &["schedule", "pause", "often"]);
    assert!(code == Some(0) && output.contains("paused"), "{output}");
    let are_over = async || jobs(&cluster, &api).values().all(|state| state == "succeeded");
    cluster.until("all jobs are over", 120, are_over).await;
    let all = jobs(&cluster, &api);
    assert!(all.len() >= 3, "{all:?}");
    let newest = all.len() as u64;
    cluster.until("two versions are left", 120, async || versions(&cluster, &api) == [newest, newest - 1]).await;
    assert_eq!(cluster.client(&api, &["dataset", "files", "small@1"]).0, Some(1), "it is removed");
    let files = cluster.client(&api, &["dataset", "files", "small@latest"]);
    assert!(files.0 == Some(0) && files.1.contains("part-00000"), "{files:?}");

    let told = || receiver.told();
    cluster.until("the webhook was told of every job", 120, async || told().len() == all.len()).await;
    assert!(told().iter().all(|(job, event)| all.contains_key(job) && event == "job.succeeded"), "{:?}", told());
    let key = SigningKey::new(SECRET).unwrap();
    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    for Letter { headers, body } in receiver.letters() {
        let (id, timestamp) = (&headers["webhook-id"], headers["webhook-timestamp"].parse().unwrap());
        assert_eq!(headers["webhook-signature"], key.sign(id, timestamp, &body));
        let first = bodies.entry(id.clone()).or_insert_with(|| body.clone());
        assert_eq!(*first, body, "one id is one message");
    }
    assert_eq!(bodies.len(), all.len(), "what was refused came again under its own id");
}

#[test]
fn bad_schedules_say_what_was_expected() {
    let mut alone = Cluster::alone();
    alone.write("small.yaml", SMALL);
    alone.role("all", &["--slots", "1"]);
    let api = alone.api();
    let create = |cron: &str, zone: &str, webhook: &str| {
        let arguments = ["schedule", "create", "bad", "small.yaml", "--cron", cron, "--time-zone", zone];
        alone.client(&api, &[arguments.as_slice(), &["--notify", webhook]].concat())
    };
    let (code, output) = create("0 25 * * *", "Europe/Berln", "team");
    assert_eq!(code, Some(2), "{output}");
    for expected in [
        "error: cron: `0 25 * * *` is no cron line",
        "expected five fields: minute, hour",
        "error: time_zone: there is no time zone `Europe/Berln`",
        "did you mean `Europe/Berlin`?",
        "error: notify[0]: there is no webhook `team`; expected nothing: no webhook is configured for this tenant",
    ] {
        assert!(output.contains(expected), "{expected}\n{output}");
    }
    let (code, output) = alone.client(&api, &["schedule", "show", "bad"]);
    assert!(code == Some(1) && output.contains("there is no schedule `bad`"), "{output}");
    assert_eq!(alone.client(&api, &["schedule", "list"]), (Some(0), "none\n".to_owned()));
}
