//! Datasets and versions as a scheduler publishes them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use shardmill_shared::job::{
    Account, Block, BlockEntry, Commit, Digest, FileEntry, JobId, Key, Layout, Manifest, Name, ObjectPath, Placed,
    ShardId, StageId, Success, TableEntry, encode,
};
use shardmill_shared::store::Place;

use crate::testing::{SPEC, World, acme, get, plan};

/// Publishes a version of `shop` with two blocks of two files each, as a scheduler does.
async fn publish(world: &World, job: &JobId, version: u64) -> Place {
    let (records, dataset) = (world.records(), Name::new("shop").expect("allowed"));
    records.settle_place(job, &Placed { dataset: dataset.clone(), version }).await.expect("places");
    let place = records.place(job).await.expect("reads").expect("is placed");
    let claim = json!({"job": job, "spec": Digest::of(SPEC.as_bytes())});
    place.put(&Key::Version(dataset.clone(), version), &claim).await.expect("claims");
    let mut manifest = Manifest::of(&plan(&dataset, SPEC));
    let mut table = TableEntry::new(Name::new("users").expect("allowed"));
    let stage = StageId::new("users").expect("allowed");
    for number in 0..2 {
        let commits: Vec<Commit> = (number * 2..number * 2 + 2).map(|index| commit(&stage, index)).collect();
        commits.iter().for_each(|commit| table.add(commit));
        let block = Block { commits };
        place.put(&Key::Block(number), &block).await.expect("puts");
        let blake3 = Digest::of(&encode(&block));
        manifest.blocks.push(BlockEntry { block: number, stage: stage.clone(), first: number * 2, commits: 2, blake3 });
    }
    manifest.tables.push(table);
    place.put(&Key::Manifest, &manifest).await.expect("puts");
    let success = Success { manifest: Digest::of(&encode(&manifest)), spec: manifest.spec_digest };
    place.settle(&Key::Success, &success).await.expect("publishes");
    place
}

fn commit(stage: &StageId, index: u64) -> Commit {
    let key = ObjectPath::new(format!("users/part-{index:05}.csv")).expect("allowed");
    let file = FileEntry { key, rows: 10, bytes: 200, blake3: Digest::of(b"x") };
    let shard = ShardId { stage: stage.clone(), index };
    Commit { shard, rows: 10, files: vec![file], account: Account::written(10), counted: None }
}

/// Claims a version number without publishing it.
async fn claim(world: &World, version: u64) {
    let (job, dataset) = (JobId::new("other").expect("allowed"), Name::new("shop").expect("allowed"));
    let place = Place { store: std::sync::Arc::clone(world.records().store()), layout: Layout::Folder };
    place.put(&Key::Version(dataset, version), &json!({"job": job, "spec": Digest::of(b"")})).await.expect("claims");
}

async fn json_of(world: &World, path: &str) -> Value {
    let answer = world.send(get(path)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {:?}", answer.json());
    answer.json()
}

#[tokio::test]
async fn a_dataset_is_listed_once_it_has_a_version() {
    let world = World::new().await;
    let job = world.submit().await;
    assert_eq!(json_of(&world, "/v1/datasets").await, json!({"datasets": [], "next": null}));
    publish(&world, &job, 1).await;
    let shop = json!({"name": "shop", "latest": 1, "versions": "/v1/datasets/shop/versions"});
    assert_eq!(json_of(&world, "/v1/datasets").await, json!({"datasets": [shop], "next": null}));
    let stranger = world.stranger().await;
    let theirs = world.send_as(Some(&stranger), get("/v1/datasets")).await.json();
    assert_eq!(theirs["datasets"], json!([]));
}

#[tokio::test]
async fn datasets_have_pages() {
    let world = World::new().await;
    for name in ["c", "a", "b"] {
        let records = world.records();
        let mark = Layout::Folder.path(&Key::Dataset(Name::new(name).expect("allowed")));
        records.store().put(&mark, "".into()).await.expect("puts");
    }
    let names = world.records().datasets(Some("a"), 1).await.expect("lists");
    assert_eq!(names.iter().map(Name::as_str).collect::<Vec<_>>(), ["b"]);
    let page = json_of(&world, "/v1/datasets?limit=2").await;
    assert_eq!(page["next"], "b");
    assert_eq!(json_of(&world, "/v1/datasets?limit=2&cursor=b").await["next"], Value::Null);
    for query in ["cursor=../x", "limit=201", "limit=0"] {
        let refused = world.send(get(&format!("/v1/datasets?{query}"))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn only_published_versions_are_there() {
    let world = World::new().await;
    for version in [1, 2, 4] {
        world.clock.advance(1);
        let job = world.submit().await;
        publish(&world, &job, version).await;
    }
    claim(&world, 3).await;
    claim(&world, 5).await;
    let numbers = |page: &Value| -> Vec<u64> {
        let versions = page["versions"].as_array().expect("a list");
        versions.iter().map(|version| version["version"].as_u64().expect("a number")).collect()
    };
    let first = json_of(&world, "/v1/datasets/shop/versions?limit=2").await;
    assert_eq!((numbers(&first), &first["next"]), (vec![4, 2], &json!("2")));
    let rest = json_of(&world, "/v1/datasets/shop/versions?limit=2&cursor=2").await;
    assert_eq!((numbers(&rest), &rest["next"]), (vec![1], &Value::Null));
    assert_eq!(json_of(&world, "/v1/datasets/shop/versions/latest").await["version"], 4);
    let stranger = world.stranger().await;
    for path in ["shop/versions/3", "shop/versions/5", "shop/versions/x", "none/versions/latest", "none/versions"] {
        let path = format!("/v1/datasets/{path}");
        assert_eq!(world.send(get(&path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["versions", "versions/4", "versions/latest"] {
        let path = format!("/v1/datasets/shop/{path}");
        assert_eq!(world.send_as(Some(&stranger), get(&path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_version_has_tables_and_pages_of_files() {
    let world = World::new().await;
    let job = world.submit().await;
    publish(&world, &job, 1).await;
    let whole = json_of(&world, "/v1/datasets/shop/versions/1").await;
    assert_eq!(whole["tables"], json!([{"table": "users", "files": 4, "rows": 40, "bytes": 800}]));
    assert_eq!((&whole["made"], &whole["job"]), (&json!({"rows": 40, "bytes": 800}), &json!(job.to_string())));
    let file = json!({"path": "users/part-00000.csv", "rows": 10, "bytes": 200,
        "blake3": Digest::of(b"x").to_string(), "link": null});
    assert_eq!((&whole["files"][0], whole["files"].as_array().map(Vec::len)), (&file, Some(4)));
    let mut path = "/v1/datasets/shop/versions/1?limit=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = json_of(&world, &path).await;
        seen.extend(page["files"].as_array().expect("a list").clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/datasets/shop/versions/1?limit=3&cursor={next}");
    }
    assert_eq!(Some(&seen), whole["files"].as_array(), "pages are the whole");
    let refused = world.send(get("/v1/datasets/shop/versions/1?cursor=x")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_version_that_was_removed_is_not_there_and_the_newest_goes_on() {
    let world = World::new().await;
    for version in [1, 2] {
        world.clock.advance(1);
        let job = world.submit().await;
        let place = publish(&world, &job, version).await;
        if version == 1 {
            // Half-way: the mark is gone, the rest is not, or not yet.
            place.store.delete(&place.path(&Key::Success)).await.expect("deletes");
            place.store.delete(&place.path(&Key::Block(1))).await.expect("deletes");
        }
    }
    let removed = world.send(get("/v1/datasets/shop/versions/1")).await;
    assert_eq!(removed.status, StatusCode::NOT_FOUND);
    assert_eq!(removed.json()["detail"], "there is no published version `shop@1`");
    assert_eq!(json_of(&world, "/v1/datasets/shop/versions/latest").await["version"], 2);
    let versions = json_of(&world, "/v1/datasets/shop/versions").await;
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_manifest_is_given_byte_for_byte_and_never_a_changed_one() {
    let world = World::new().await;
    let job = world.submit().await;
    let path = format!("/v1/jobs/{job}/manifest");
    assert_eq!(world.send(get(&path)).await.status, StatusCode::NOT_FOUND, "nothing is published");
    let place = publish(&world, &job, 1).await;
    let manifest = world.send(get(&path)).await;
    assert_eq!(manifest.header("etag"), format!("\"{}\"", Digest::of(&manifest.body)));
    place.store.put(&place.path(&Key::Manifest), "{}".into()).await.expect("is tampered with");
    for path in [path.as_str(), "/v1/datasets/shop/versions/1"] {
        assert_eq!(world.send(get(path)).await.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
}

#[tokio::test]
async fn a_version_of_a_tenant_is_below_its_own_folder() {
    let world = World::new().await;
    let job = world.submit().await;
    publish(&world, &job, 1).await;
    let path = ObjectPath::new(format!("{}/datasets/shop/1/_SUCCESS", acme())).expect("allowed");
    world.root.read(&path).await.expect("is there");
}

#[tokio::test]
async fn a_file_is_given_whole_or_from_a_byte_on() {
    let world = World::new().await;
    let job = world.submit().await;
    let place = publish(&world, &job, 1).await;
    let large: Vec<u8> = (0..crate::limits::PART_BYTES + 7).map(|byte| byte as u8).collect();
    let path = place.layout.file(&ObjectPath::new("users/part-00000.csv").expect("allowed"));
    place.store.put(&path, large.clone().into()).await.expect("puts");
    let file = "/v1/datasets/shop/versions/latest/files/users/part-00000.csv";
    let whole = world.send(get(file)).await;
    assert_eq!((whole.status, whole.header("content-length")), (StatusCode::OK, large.len().to_string().as_str()));
    assert!(whole.body == large, "the file has other bytes");
    let from = async |range: &str| {
        let mut request = get(file);
        request.headers_mut().insert("range", range.parse().expect("a header"));
        world.send(request).await
    };
    let rest = from("bytes=5-").await;
    assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(rest.header("content-range"), format!("bytes 5-{}/{}", large.len() - 1, large.len()));
    assert!(rest.body == large[5..], "the rest has other bytes");
    assert_eq!(from(&format!("bytes={}-", large.len())).await.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(from("bytes=5-9").await.status, StatusCode::OK, "other ranges are answered with the whole");
    assert_eq!(world.send(get("/v1/datasets/shop/versions/1/files/_SUCCESS")).await.status, StatusCode::OK);
    for missing in ["1/files/users/nothing", "1/files/../1/_SUCCESS", "1/files/.hidden", "2/files/_SUCCESS", "1/files/"]
    {
        let answer = world.send(get(&format!("/v1/datasets/shop/versions/{missing}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
    }
    let stranger = world.stranger().await;
    assert_eq!(world.send_as(Some(&stranger), get(file)).await.status, StatusCode::NOT_FOUND);
    let location = json_of(&world, "/v1/datasets/shop/versions/1").await["location"].clone();
    assert_eq!(location, "s3://bucket/data/acme/datasets/shop/1");
}
