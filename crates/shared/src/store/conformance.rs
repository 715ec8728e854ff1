//! The law of stores: what every adapter must do, run against each. It panics where the law is broken.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::future::join_all;

use super::{Entry, PAGE_ENTRIES, Put, Store, StoreError};
use crate::job::ObjectPath;

/// How many objects the suite writes at once.
const AT_ONCE: usize = 32;

/// Runs the whole suite against an empty store.
pub async fn all(store: &dyn Store) {
    a_read_returns_what_was_put(store).await;
    of_rivals_one_creates(store).await;
    an_upload_appears_whole(store).await;
    an_abandoned_upload_leaves_nothing(store).await;
    a_large_upload_appears_whole(store).await;
    a_listing_is_ordered_and_paged(store).await;
    a_listing_of_a_folder_stays_inside(store).await;
    a_listing_goes_on_where_it_was_left(store).await;
    parts_make_the_whole(store).await;
    puts_and_deletes_side_by_side_do_not_disturb(store).await;
}

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).expect("the suite's paths are allowed")
}

/// All objects below `folder`, over all pages.
pub async fn list_all(store: &dyn Store, folder: Option<&ObjectPath>) -> Vec<Entry> {
    let mut listing = store.list(folder).await.expect("lists");
    let mut entries = Vec::new();
    loop {
        let page = listing.next_page().await.expect("lists");
        assert!(page.len() <= PAGE_ENTRIES, "a page of {} objects", page.len());
        if page.is_empty() {
            assert_eq!(listing.next_page().await, Ok(Vec::new()), "a listing that ended goes on");
            return entries;
        }
        entries.extend(page);
    }
}

async fn a_read_returns_what_was_put(store: &dyn Store) {
    let key = path("one/two/three.json");
    assert!(matches!(store.read(&key).await, Err(StoreError::NotFound { .. })));
    store.link(&key, 60).await.expect("a link asks nothing of the object");
    store.put(&key, Bytes::from_static(b"old")).await.expect("puts");
    store.put(&key, Bytes::from_static(b"new")).await.expect("replaces");
    assert_eq!(store.read(&key).await.expect("reads"), "new");
    store.delete(&key).await.expect("deletes");
    store.delete(&key).await.expect("is deleted already");
    assert!(matches!(store.read(&key).await, Err(StoreError::NotFound { .. })));
}

async fn parts_make_the_whole(store: &dyn Store) {
    let key = path("parts/one.bin");
    assert!(matches!(store.read_part(&key, 0, 4).await, Err(StoreError::NotFound { .. })));
    store.put(&key, Bytes::from_static(b"0123456789")).await.expect("puts");
    for (start, most, part) in [(0, 4, "0123"), (4, 4, "4567"), (8, 4, "89"), (10, 4, ""), (99, 4, ""), (3, 0, "")] {
        let read = store.read_part(&key, start, most).await.expect("reads");
        assert_eq!((&read.bytes[..], read.of), (part.as_bytes(), 10), "{most} bytes from {start}");
    }
    store.delete(&key).await.expect("deletes");
}

async fn a_listing_goes_on_where_it_was_left(store: &dyn Store) {
    let names = ["seek/a", "seek/b-1", "seek/b/1", "seek/b/2", "seek/c", "seeks/d"];
    for name in names {
        store.put(&path(name), Bytes::new()).await.expect("puts");
    }
    let folder = path("seek");
    for (after, rest) in [("seek/0", 0), ("seek/a", 1), ("seek/b", 1), ("seek/b/1", 3), ("seek/bb", 4), ("seek/c", 5)] {
        let mut listing = store.list_after(&folder, &path(after)).await.expect("lists");
        let mut listed = Vec::new();
        loop {
            let page = listing.next_page().await.expect("lists");
            if page.is_empty() {
                break;
            }
            listed.extend(page.into_iter().map(|entry| entry.path.to_string()));
        }
        assert_eq!(listed, names[rest..5], "after {after}");
    }
    for name in names {
        store.delete(&path(name)).await.expect("deletes");
    }
}

async fn of_rivals_one_creates(store: &dyn Store) {
    let key = path("claims/1.json");
    let rivals = [Bytes::from_static(b"a"), Bytes::from_static(b"b"), Bytes::from_static(b"c")];
    let (a, b, c) = tokio::join!(
        store.put_once(&key, rivals[0].clone()),
        store.put_once(&key, rivals[1].clone()),
        store.put_once(&key, rivals[2].clone()),
    );
    let ends = [a.expect("puts"), b.expect("puts"), c.expect("puts")];
    let winners: Vec<usize> = (0..3).filter(|at| ends[*at] == Put::Created).collect();
    assert_eq!(winners.len(), 1, "{ends:?}");
    assert_eq!(store.read(&key).await.expect("reads"), rivals[winners[0]]);
    let again = store.put_once(&key, rivals[winners[0]].clone()).await.expect("puts");
    assert_eq!(again, Put::AlreadyExists, "the winner's own retry is told as much");
    store.delete(&key).await.expect("deletes");
    assert_eq!(store.put_once(&key, rivals[0].clone()).await.expect("puts"), Put::Created);
    store.delete(&key).await.expect("deletes");
}

async fn an_upload_appears_whole(store: &dyn Store) {
    let key = path("data/part-00000.bin");
    for content in ["first", "the second, longer"] {
        let before = store.read(&key).await.ok();
        let mut upload = store.upload(&key).await.expect("starts");
        let (head, tail) = content.split_at(2);
        upload.write(Bytes::from(head.to_owned())).await.expect("writes");
        upload.write(Bytes::from(tail.to_owned())).await.expect("writes");
        assert_eq!(store.read(&key).await.ok(), before, "the object changed before the end");
        assert_eq!(list_all(store, None).await.len(), before.map_or(0, |_| 1), "an unfinished upload is listed");
        assert_eq!(upload.finish().await.expect("finishes"), content.len() as u64);
        assert_eq!(store.read(&key).await.expect("reads"), content);
    }
    let empty = store.upload(&key).await.expect("starts");
    assert_eq!(empty.finish().await.expect("finishes"), 0);
    assert_eq!(store.read(&key).await.expect("reads"), "");
    store.delete(&key).await.expect("deletes");
}

async fn an_abandoned_upload_leaves_nothing(store: &dyn Store) {
    let key = path("data/part-00001.bin");
    let mut upload = store.upload(&key).await.expect("starts");
    upload.write(Bytes::from_static(b"lost")).await.expect("writes");
    upload.abort().await.expect("aborts");
    let mut dropped = store.upload(&key).await.expect("starts");
    dropped.write(Bytes::from_static(b"lost")).await.expect("writes");
    drop(dropped);
    assert!(matches!(store.read(&key).await, Err(StoreError::NotFound { .. })));
    assert_eq!(list_all(store, None).await, []);
}

async fn a_large_upload_appears_whole(store: &dyn Store) {
    let key = path("data/part-00002.bin");
    // Uneven pieces of more than two parts, as stores of parts have them, so that pieces lie across their borders.
    let pieces: Vec<Bytes> = (0..=u8::MAX).map(|piece| Bytes::from(vec![piece; 70_001])).collect();
    let whole: Vec<u8> = pieces.concat();
    store.put(&key, Bytes::from_static(b"old")).await.expect("puts");
    for is_kept in [false, true] {
        let mut upload = store.upload(&key).await.expect("starts");
        for piece in &pieces {
            upload.write(piece.clone()).await.expect("writes");
        }
        assert_eq!(store.read(&key).await.expect("reads"), "old", "the object changed before the end");
        if is_kept {
            assert_eq!(upload.finish().await, Ok(whole.len() as u64));
        } else {
            upload.abort().await.expect("aborts");
        }
    }
    assert!(store.read(&key).await.expect("reads") == whole, "other bytes came back");
    store.delete(&key).await.expect("deletes");
}

async fn a_listing_is_ordered_and_paged(store: &dyn Store) {
    // The names are chosen so that the order of folders and the order of whole paths differ: `-` < `.` < `/` < `0`.
    let mut expected: BTreeSet<String> = (0..1_001).map(|number| format!("many/{number:04}")).collect();
    expected.extend(["many-b", "many.c", "many0", "a/z", "a/b/c", "a-b/c"].map(str::to_owned));
    let keys: Vec<ObjectPath> = expected.iter().map(|key| path(key)).collect();
    for some in keys.chunks(AT_ONCE) {
        let puts = join_all(some.iter().map(|key| store.put(key, Bytes::from_static(b"12")))).await;
        assert!(puts.iter().all(Result::is_ok), "{puts:?}");
    }
    let entries = list_all(store, None).await;
    assert!(entries.iter().all(|entry| entry.bytes == 2));
    let found: Vec<String> = entries.into_iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(found, expected.iter().cloned().collect::<Vec<_>>());
    for some in keys.chunks(AT_ONCE) {
        let deletes = join_all(some.iter().map(|key| store.delete(key))).await;
        assert!(deletes.iter().all(Result::is_ok), "{deletes:?}");
    }
    assert_eq!(list_all(store, None).await, []);
}

async fn a_listing_of_a_folder_stays_inside(store: &dyn Store) {
    for key in ["users/1", "users/deep/2", "users2/3", "users.csv", "other/users/4"] {
        store.put(&path(key), Bytes::new()).await.expect("puts");
    }
    let found = list_all(store, Some(&path("users"))).await;
    let found: Vec<String> = found.into_iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(found, ["users/1", "users/deep/2"]);
    assert_eq!(list_all(store, Some(&path("absent/folder"))).await, []);
    for key in ["users/1", "users/deep/2", "users2/3", "users.csv", "other/users/4"] {
        store.delete(&path(key)).await.expect("deletes");
    }
}

async fn puts_and_deletes_side_by_side_do_not_disturb(store: &dyn Store) {
    let lives = |number: usize| async move {
        let key = path(&format!("side/by/side/{number}"));
        for _ in 0..5 {
            store.put(&key, Bytes::from_static(b"here")).await?;
            assert_eq!(store.read(&key).await?, "here");
            store.delete(&key).await?;
        }
        Ok::<_, StoreError>(())
    };
    let ends = join_all((0..AT_ONCE).map(lives)).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    assert_eq!(list_all(store, None).await, []);
}
