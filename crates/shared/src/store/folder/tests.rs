//! What a folder adds to the law of stores: hidden files, locks, permissions.

use super::super::conformance;
use super::*;

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).expect("allowed")
}

#[tokio::test]
async fn keeps_the_law_of_stores() {
    let folder = tempfile::tempdir().expect("makes");
    conformance::all(&FolderStore::at(folder.path()).with_durability(Durability::Unsynced)).await;
}

#[tokio::test]
async fn folders_go_with_their_last_file() {
    let folder = tempfile::tempdir().expect("makes");
    let store = FolderStore::at(folder.path());
    for name in ["a/b/c/1", "a/b/2"] {
        store.put(&path(name), Bytes::new()).await.expect("puts");
    }
    store.delete(&path("a/b/c/1")).await.expect("deletes");
    assert!(!folder.path().join("a/b/c").exists() && folder.path().join("a/b").exists());
    store.delete(&path("a/b/2")).await.expect("deletes");
    assert!(!folder.path().join("a").exists() && folder.path().exists());
}

#[tokio::test]
async fn what_killed_attempts_left_is_swept() {
    let folder = tempfile::tempdir().expect("makes");
    let store = FolderStore::at(folder.path());
    store.put(&path("users/part-00000.csv"), Bytes::from_static(b"kept")).await.expect("puts");
    let leftover = folder.path().join("users").join(".shardmill-1-1");
    std::fs::write(&leftover, b"half").expect("writes");
    // While others may be writing, only what is old goes.
    assert_eq!(store.sweep_unfinished(Duration::from_secs(86_400)).await.expect("sweeps"), 0);
    let old = std::fs::File::options().write(true).open(&leftover).expect("opens");
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("is old");
    assert_eq!(store.sweep_unfinished(Duration::from_secs(86_400)).await.expect("sweeps"), 1);
    std::fs::write(&leftover, b"half").expect("writes");
    let guard = store.prepare().await.expect("prepares");
    assert!(!leftover.exists());
    assert_eq!(conformance::list_all(&store, None).await.len(), 1);
    drop(guard);
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().expect("makes");
    let store = FolderStore::at(folder.path().join("new/folder"));
    let guard = store.prepare().await.expect("prepares");
    assert!(matches!(store.prepare().await, Err(StoreError::Locked { .. })));
    drop(guard);
    store.prepare().await.expect("is free again");
}

#[tokio::test]
async fn a_file_in_the_way_is_told() {
    let folder = tempfile::tempdir().expect("makes");
    std::fs::write(folder.path().join("users"), b"a file").expect("writes");
    let store = FolderStore::at(folder.path());
    let refused = store.put(&path("users/part-00000.csv"), Bytes::new()).await.expect_err("in the way");
    assert!(refused.to_string().contains("users"), "{refused}");
}

#[tokio::test]
async fn a_full_disk_leaves_the_rest_intact() {
    let full = FolderStore::at("/dev");
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let end = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let error = std::io::Write::write_all(&mut end.expect("opens"), b"x").expect_err("is full");
    let error = files::fault(&full.place(&path("full")))(error);
    assert_eq!(
        error.to_string(),
        "no space left to write `/dev/full`: free some space and start again, what is finished is kept"
    );
}
