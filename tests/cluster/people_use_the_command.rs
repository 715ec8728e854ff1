//! What people do with the command and a running installation: log in, download, look for what failed, replay a shard.

use std::path::Path;

use shardmill_servers::proxy::{Fault, Proxy};
use shardmill_servers::s3::S3;
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, WORKER, id};

/// Some shards, quickly made; how many orders there are is counted first.
const SMALL: &str = "
shardmill: 1
name: small
output: {format: csv, shard_rows: 500}
tables:
  users: {rows: 2000, columns: {id: {sequence: 1}, name: {faker: name}}}
  orders: {parent: users, fanout: {distribution: poisson, lambda: 2, iid: true}, columns: {user_id: {lookup: users.id}}}
";

/// A spec whose later shards cannot be made.
const UNMADE: &str = "
shardmill: 1
name: unmade
output: {format: csv, shard_rows: 100}
tables:
  users:
    rows: 500
    columns: {id: {sequence: 1}, share: {type: int, expression: \"id * 36893488147419103\"}}
";

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("is a folder").map(|entry| entry.expect("lists").path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_stands_for_address_and_key_until_the_logout() {
    let mut alone = Cluster::alone();
    alone.role("all", &["--slots", "1"]);
    let api = alone.api();
    let key = std::fs::read_to_string(alone.folder().join("shardmill-admin.key")).unwrap();
    let (code, output) = alone.person(&["login", "--api", &api], "smk_0123456789012345678901234567890123456789");
    assert!(code == Some(1) && output.contains("valid") || output.contains("known"), "{code:?} {output}");
    assert_eq!(alone.person(&["login", "--api", "http://127.0.0.1:1"], &key).0, Some(4), "nobody is there");
    assert_eq!(alone.person(&["login", "--api", &api], "").0, Some(1), "no key is given");
    assert!(!alone.folder().join("home").exists(), "what was refused is not remembered");

    let (code, output) = alone.person(&["login", "--api", &api], &format!("{key}\n"));
    assert!(code == Some(0) && output.contains("role `admin`, tenant `default`"), "{code:?} {output}");
    assert!(!output.contains(key.trim()), "{output}");
    assert_eq!(alone.person(&["job", "list"], ""), (Some(0), "none\n".to_owned()));
    let (code, output) = alone.person(&["job", "list", "--api", &api.replace("127.0.0.1", "localhost")], "");
    assert!(code == Some(1) && output.contains("shardmill login"), "the key goes to no other address: {output}");
    assert_eq!(alone.person(&["logout"], "").0, Some(0));
    assert_ne!(alone.person(&["job", "list"], "").0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_downloaded_resumed_and_verified() {
    let mut alone = Cluster::alone();
    alone.write("spec.yaml", SMALL);
    alone.role("all", &["--slots", "1"]);
    let api = alone.api();
    let client = |words: &[&str]| alone.client(&api, words);
    assert_eq!(client(&["submit", "spec.yaml", "--watch"]).0, Some(0));
    let (code, output) = client(&["dataset", "download", "small@1", "-o", "copy"]);
    assert!(code == Some(0) && output.contains("0 were there"), "{code:?} {output}");
    let (code, output) = alone.person(&["verify", "copy"], "");
    assert_eq!(code, Some(0), "{output}");
    let (code, location) = client(&["dataset", "path", "small"]);
    let location = Path::new(location.trim());
    assert!(code == Some(0) && location.join("_SUCCESS").exists(), "{}", location.display());

    let copy = alone.folder().join("copy");
    let whole = std::fs::read(copy.join("users/part-00001.csv")).unwrap();
    std::fs::write(copy.join("users/part-00001.csv.partial"), &whole[..100]).unwrap();
    std::fs::remove_file(copy.join("users/part-00001.csv")).unwrap();
    std::fs::write(copy.join("users/part-00002.csv.partial"), b"of something else").unwrap();
    std::fs::write(copy.join("users/part-00002.csv"), b"damaged").unwrap();
    let (code, output) = client(&["dataset", "download", "small", "-o", "copy", "--json"]);
    assert!(code == Some(0) && output.contains("\"files\":2"), "{code:?} {output}");
    assert_eq!(std::fs::read(copy.join("users/part-00001.csv")).unwrap(), whole);
    assert_eq!(alone.person(&["verify", "copy"], "").0, Some(0));

    assert_eq!(client(&["dataset", "download", "small", "-o", "users", "--table", "users"]).0, Some(0));
    assert_eq!(files(&alone.folder().join("users")), 4, "four files of users, and nothing else");
    let (code, output) = client(&["dataset", "download", "small", "--table", "user"]);
    assert!(code == Some(1) && output.contains("it has users, orders"), "{code:?} {output}");
    std::fs::write(location.join("users/part-00003.csv"), b"tampered with").unwrap();
    std::fs::remove_file(copy.join("users/part-00003.csv")).unwrap();
    let (code, output) = client(&["dataset", "download", "small", "-o", "copy"]);
    assert!(code == Some(1) && output.contains("users/part-00003.csv is not what the manifest says"), "{output}");
    assert!(!copy.join("users/part-00003.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_a_version_is_downloaded_by_links_or_without() {
    let s3 = S3::start().unwrap();
    let mut cluster = Cluster::start_on_s3(&s3).await;
    let proxy = Proxy::start_http(s3.address()).unwrap();
    cluster.write("spec.yaml", SMALL);
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role_with("api", &["--role", "api"], &[("SHARDMILL_STORE__ENDPOINT", proxy.url())]);
    let api = cluster.api();
    assert_eq!(cluster.client(&api, &["submit", "spec.yaml", "--watch"]).0, Some(0), "{}", cluster.logs());
    // Links lead to the proxy, which cuts the body of nothing and refuses nothing: then it refuses each link's first half.
    let (code, output) = cluster.client(&api, &["dataset", "download", "small", "-o", "linked"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(proxy.requests() > 0);
    proxy.set(Fault::LoseAnswer { line_has: "X-Amz-Signature", times: 2 });
    let (code, output) = cluster.client(&api, &["dataset", "download", "small", "-o", "again"]);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(proxy.faults(), 2, "two answers to links were lost");
    for folder in ["linked", "again"] {
        assert_eq!(cluster.person(&["verify", folder], "").0, Some(0), "{folder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_after_the_end_and_shards_are_replayed() {
    let mut alone = Cluster::alone();
    alone.write("small.yaml", SMALL);
    alone.write("unmade.yaml", UNMADE);
    alone.role("all", &["--slots", "2"]);
    let api = alone.api();
    let client = |words: &[&str]| alone.client(&api, words);
    let (code, output) = client(&["submit", "unmade.yaml", "--watch"]);
    assert_eq!(code, Some(1), "{output}");
    let job = id(output.lines().last().unwrap()).to_string();
    let (code, output) = client(&["job", "failures", &job]);
    assert!(code == Some(0) && output.contains("3 shards: refused in users.share"), "{code:?} {output}");
    assert!(output.contains("users/2: ") && output.contains("change what the message names"), "{output}");
    let (code, output) = client(&["job", "replay", &job, "users/2"]);
    assert!(code == Some(1) && output.contains("overflows int"), "the same failure is met here: {output}");

    let (code, output) = client(&["submit", "small.yaml", "--watch"]);
    assert_eq!(code, Some(0), "{output}");
    let job = id(output.lines().find(|line| line.contains("succeeded")).unwrap()).to_string();
    for shard in ["users/3", "orders/1", "count-orders/0"] {
        let (code, output) = client(&["job", "replay", &job, shard]);
        assert!(code == Some(0) && output.contains("the same bytes were committed"), "{shard}: {output}");
    }
    let (code, output) = client(&["job", "replay", &job, "users/4"]);
    assert!(code == Some(1) && output.contains("has the shards 0 to 3"), "{output}");
    // A commit that says otherwise is noticed.
    let jobs = alone.folder().join("store/default/jobs").join(&job);
    let commit = jobs.join("commits/users/3.json");
    let text = std::fs::read_to_string(&commit).unwrap();
    let at = text.find("blake3").unwrap() + 10;
    std::fs::write(&commit, format!("{}{}{}", &text[..at], "0".repeat(8), &text[at + 8..])).unwrap();
    let (code, output) = client(&["job", "replay", &job, "users/3"]);
    assert!(code == Some(1) && output.contains("OTHER bytes were committed"), "{output}");
}
