//! The same work on many items, on a bounded number of threads.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Applies `work` to every item and returns what it gave, in the order of the items.
pub(super) fn each<T: Sync, R: Send>(threads: NonZeroUsize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..threads.get().min(items.len()) {
            scope.spawn(|| {
                while let Some((item, cell)) = at(items, &done, next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(item);
                    *cell.lock().expect("each cell is locked once") = Some(result);
                }
            });
        }
    });
    let result = |cell: Mutex<Option<R>>| cell.into_inner().expect("each cell is locked once");
    done.into_iter().map(|cell| result(cell).expect("the scope ends when every item is done")).collect()
}

fn at<'a, T, R>(items: &'a [T], done: &'a [R], position: usize) -> Option<(&'a T, &'a R)> {
    Some((items.get(position)?, done.get(position)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..100).collect();
        for threads in [1, 3, 200] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let squares = each(threads, &items, |item| item * item);
            assert!(squares.iter().zip(&items).all(|(square, item)| *square == item * item));
            assert!(each(threads, &[] as &[u64], |item| *item).is_empty());
        }
    }
}
