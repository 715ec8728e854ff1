//! What the ledger in memory knows of workers and leaders. Pure.

use std::collections::{BTreeMap, HashMap};

use super::{Epoch, LEAD_MS, PRESENT_MS, WorkerId};
use crate::job::Pool;

#[derive(Debug, Default)]
pub(super) struct Crew {
    workers: HashMap<(Pool, WorkerId), Living>,
    leads: HashMap<String, Lead>,
}

#[derive(Debug)]
struct Living {
    writer: String,
    slots: u32,
    until_ms: u64,
}

#[derive(Debug)]
struct Lead {
    holder: WorkerId,
    epoch: Epoch,
    until_ms: u64,
}

impl Crew {
    pub(super) fn present(&mut self, (worker, writer): (&WorkerId, &str), pool: Pool, slots: u32, now_ms: u64) {
        let until_ms = now_ms.saturating_add(PRESENT_MS);
        self.workers.insert((pool, worker.clone()), Living { writer: writer.to_owned(), slots, until_ms });
    }

    pub(super) fn gone(&mut self, worker: &WorkerId) {
        self.workers.retain(|(_, living), _| living != worker);
    }

    pub(super) fn writers(&mut self, pool: Pool, now_ms: u64) -> BTreeMap<String, u64> {
        self.workers.retain(|_, living| living.until_ms > now_ms);
        let mut writers = BTreeMap::new();
        for (_, living) in self.workers.iter().filter(|((of, _), _)| *of == pool) {
            *writers.entry(living.writer.clone()).or_default() += u64::from(living.slots);
        }
        writers
    }

    pub(super) fn lead(&mut self, name: &str, holder: &WorkerId, now_ms: u64) -> Option<Epoch> {
        let before = self.leads.get(name);
        let epoch = match before.filter(|lead| lead.until_ms > now_ms) {
            Some(lead) if lead.holder != *holder => return None,
            Some(lead) => lead.epoch,
            None => Epoch(before.map_or(0, |lead| lead.epoch.0) + 1),
        };
        let until_ms = now_ms.saturating_add(LEAD_MS);
        self.leads.insert(name.to_owned(), Lead { holder: holder.clone(), epoch, until_ms });
        Some(epoch)
    }

    pub(super) fn resign(&mut self, name: &str, holder: &WorkerId) {
        if let Some(lead) = self.leads.get_mut(name).filter(|lead| lead.holder == *holder) {
            lead.until_ms = 0;
        }
    }
}
