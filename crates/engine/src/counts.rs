//! What a counting stage found: how many children the blocks of parents have, paged in as they are needed. Pure.
//!
//! In memory stay one number per page and the pages used lately, so a table of any size can be read with a bounded memory
//! (DESIGN §4).

use std::collections::HashMap;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::{EngineError, Result};

/// Blocks of parents per page: 8 KiB.
pub const PAGE_BLOCKS: u64 = 1024;
/// Pages that are kept, at most: 32 MiB, the counts of 4 billion parents.
const PAGES_KEPT: usize = 4096;

/// Where pages come from.
pub trait Pages: Send + Sync + Debug {
    /// The number of children in each block of one page, in order. Asked again, it answers the same.
    ///
    /// # Errors
    /// A reason, where the page cannot be had.
    fn page(&self, page: u64) -> std::result::Result<Vec<u64>, String>;
}

/// The children of all blocks of one table's parents.
#[derive(Debug)]
pub struct Counts {
    /// The first child of each page, and at last the total.
    starts: Vec<u64>,
    pages: Box<dyn Pages>,
    kept: RwLock<HashMap<u64, Page>>,
    most: usize,
}

/// The first child of each block in a page, counted from the page's own start, and at last its end.
type Page = Arc<[u64]>;

/// Pages that were counted here.
#[derive(Debug)]
struct Held(Vec<Vec<u64>>);

impl Pages for Held {
    fn page(&self, page: u64) -> std::result::Result<Vec<u64>, String> {
        Ok(self.0[page as usize].clone())
    }
}

impl Counts {
    /// Counts whose pages have these `sums`; nothing when they add up to more rows than can be numbered.
    pub fn paged(sums: impl IntoIterator<Item = u64>, pages: Box<dyn Pages>) -> Option<Self> {
        let mut total = 0u64;
        let mut starts = vec![0];
        for sum in sums {
            total = total.checked_add(sum)?;
            starts.push(total);
        }
        Some(Self { starts, pages, kept: RwLock::default(), most: PAGES_KEPT })
    }

    /// Counts that are all in memory: the children of every block, page by page.
    pub fn held(pages: Vec<Vec<u64>>) -> Option<Self> {
        let sums: Option<Vec<u64>> = pages.iter().map(|page| page.iter().try_fold(0, checked_add)).collect();
        Self::paged(sums?, Box::new(Held(pages)))
    }

    /// All children.
    pub fn total(&self) -> u64 {
        self.starts[self.starts.len() - 1]
    }

    /// The first child of a block.
    pub fn start(&self, block: u64) -> Result<u64> {
        let page = block / PAGE_BLOCKS;
        Ok(self.starts[page as usize] + self.page(page)?[(block % PAGE_BLOCKS) as usize])
    }

    /// The block that holds a child.
    pub fn block_of(&self, child: u64) -> Result<u64> {
        let page = last_at_most(&self.starts, child);
        let within = child - self.starts[page as usize];
        Ok(page * PAGE_BLOCKS + last_at_most(&self.page(page)?, within))
    }

    fn page(&self, page: u64) -> Result<Page> {
        if let Some(kept) = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(&page) {
            return Ok(Arc::clone(kept));
        }
        // Two threads may fetch one page at once; they find the same.
        let counts = self.pages.page(page).map_err(|reason| EngineError::Counts { page, reason })?;
        let fetched = self.checked(page, &counts)?;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= self.most {
            kept.clear();
        }
        kept.insert(page, Arc::clone(&fetched));
        Ok(fetched)
    }

    /// The page with its starts, when it adds up to what is known of it.
    fn checked(&self, page: u64, counts: &[u64]) -> Result<Page> {
        let at = page as usize;
        let expected = self.starts[at + 1] - self.starts[at];
        let mut starts = Vec::with_capacity(counts.len() + 1);
        starts.push(0);
        for count in counts {
            starts.push(starts[starts.len() - 1] + count);
        }
        let found = starts[starts.len() - 1];
        if found == expected {
            return Ok(starts.into());
        }
        let reason = format!("it has {found} children where {expected} were counted");
        Err(EngineError::Counts { page, reason })
    }
}

fn checked_add(sum: u64, more: &u64) -> Option<u64> {
    sum.checked_add(*more)
}

/// The position of the last number that is at most `limit`; the first number is.
fn last_at_most(numbers: &[u64], limit: u64) -> u64 {
    numbers.partition_point(|number| *number <= limit) as u64 - 1
}

/// The blocks of one page, of `blocks` altogether.
pub fn blocks_of(page: u64, blocks: u64) -> Range<u64> {
    page * PAGE_BLOCKS..((page + 1) * PAGE_BLOCKS).min(blocks)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Pages in which block b has b % 3 children.
    #[derive(Debug, Default)]
    struct Thirds {
        asked: Arc<AtomicU64>,
    }

    fn third(page: u64) -> Vec<u64> {
        blocks_of(page, 9 * PAGE_BLOCKS + 100).map(|block| block % 3).collect()
    }

    impl Pages for Thirds {
        fn page(&self, page: u64) -> std::result::Result<Vec<u64>, String> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(third(page))
        }
    }

    #[test]
    fn few_pages_answer_as_all_do() {
        let all = Counts::held((0..10).map(third).collect()).expect("fits");
        let source = Thirds::default();
        let asked = Arc::clone(&source.asked);
        let sums = (0..10).map(|page| third(page).iter().sum());
        let paged = Counts { most: 2, ..Counts::paged(sums, Box::new(source)).expect("fits") };
        assert_eq!(paged.total(), all.total());
        let children = (0..all.total()).step_by(7).chain((0..all.total()).rev().step_by(1_009));
        for child in children {
            let block = paged.block_of(child).expect("there");
            assert_eq!(block, all.block_of(child).expect("there"));
            assert_ne!(block % 3, 0, "block {block} has no children");
            assert_eq!(paged.start(block).expect("there"), all.start(block).expect("there"));
            assert!((paged.start(block).expect("there")..).take(2).any(|one| one == child));
            assert!(paged.kept.read().expect("whole").len() <= 2);
        }
        // In order, each page is fetched once; backwards, once more.
        assert!((10..40).contains(&asked.load(Ordering::Relaxed)), "{asked:?}");
    }

    #[test]
    fn a_page_that_does_not_add_up_is_an_error() {
        let paged = Counts::paged([1_000, 1_023], Box::new(Thirds::default())).expect("fits");
        let error = paged.start(5).expect_err("page 0 has 1023 children").to_string();
        assert!(error.contains("1023") && error.contains("1000"), "{error}");
        assert!(Counts::paged([u64::MAX, 1], Box::new(Thirds::default())).is_none());
    }
}
