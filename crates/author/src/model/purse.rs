//! The money of one spec: a cap, held before calls and counted after them, in this process alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use shardmill_llm::{Broke, Held, HoldId, Purse};
use shardmill_shared::job::NanoUsd;

/// A purse with a cap. Its calls are made one after another, so that nothing that is held by others could come back.
#[derive(Debug)]
pub struct SmallPurse {
    cap: NanoUsd,
    tries: Mutex<HashMap<HoldId, Money>>,
}

#[derive(Clone, Copy, Debug)]
enum Money {
    Held(NanoUsd),
    Spent(NanoUsd),
}

impl SmallPurse {
    /// A purse that spends at most `cap`.
    pub fn new(cap: NanoUsd) -> Self {
        Self { cap, tries: Mutex::default() }
    }

    /// What was spent, and what is held.
    pub fn spent(&self) -> NanoUsd {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let each = tries.values().map(|(Money::Held(money) | Money::Spent(money))| *money);
        each.fold(NanoUsd::ZERO, NanoUsd::saturating_add)
    }
}

#[async_trait]
impl Purse for SmallPurse {
    async fn hold(&self, id: &HoldId, worst: NanoUsd) -> Result<Held, Broke> {
        if worst > self.cap {
            return Err(Broke::Over { worst, cap: self.cap });
        }
        let spent = self.spent();
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        match tries.get(id) {
            Some(Money::Held(_)) => Ok(Held::Go),
            Some(Money::Spent(_)) => Ok(Held::Known),
            None if spent.saturating_add(worst) > self.cap => Err(Broke::Exhausted),
            None => {
                tries.insert(*id, Money::Held(worst));
                Ok(Held::Go)
            }
        }
    }

    async fn settle(&self, id: &HoldId, actual: NanoUsd) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(money @ Money::Held(_)) = tries.get_mut(id) {
            *money = Money::Spent(actual);
        }
    }
}

#[cfg(test)]
mod tests {
    use shardmill_llm::Address;
    use shardmill_shared::job::Digest;

    use super::*;

    #[tokio::test]
    async fn no_more_is_spent_than_the_cap() {
        let purse = SmallPurse::new(NanoUsd(100));
        let id = |attempt| HoldId { address: Address(Digest::of(b"a")), attempt };
        assert_eq!(purse.hold(&id(0), NanoUsd(101)).await, Err(Broke::Over { worst: NanoUsd(101), cap: NanoUsd(100) }));
        assert_eq!(purse.hold(&id(0), NanoUsd(60)).await, Ok(Held::Go));
        assert_eq!(purse.hold(&id(1), NanoUsd(60)).await, Err(Broke::Exhausted));
        purse.settle(&id(0), NanoUsd(30)).await;
        purse.settle(&id(0), NanoUsd(99)).await;
        assert_eq!((purse.spent(), purse.hold(&id(0), NanoUsd(60)).await), (NanoUsd(30), Ok(Held::Known)));
        assert_eq!(purse.hold(&id(1), NanoUsd(70)).await, Ok(Held::Go));
    }
}
