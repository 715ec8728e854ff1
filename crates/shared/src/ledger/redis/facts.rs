//! What a server says of itself, and what is wrong with it. Pure.

use std::collections::HashMap;

use crate::ledger::{Finding, Severity};

/// The first version whose scripts and bitmaps do what ours need.
const OLDEST: (u32, u32) = (6, 0);
/// Milliseconds that this machine's clock may differ from the server's.
const CLOCK_MS: u64 = 2_000;

/// What is known of a server.
#[derive(Debug)]
pub(super) struct Facts {
    info: HashMap<String, String>,
    /// When it takes snapshots; nothing if it does not tell.
    save: Option<String>,
    /// How far this machine's clock is from the server's, in milliseconds.
    clock_ms: u64,
}

impl Facts {
    /// From the answer to `INFO`, the setting `save` and the difference of the clocks.
    pub(super) fn new(info: &str, save: Option<String>, clock_ms: u64) -> Self {
        let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        Self { info: info.lines().filter_map(pair).collect(), save, clock_ms }
    }

    fn text(&self, name: &str) -> &str {
        self.info.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let all = [
            self.version(),
            self.role(),
            self.cluster(),
            self.eviction(),
            self.memory(),
            self.persistence(),
            self.clock(),
        ];
        all.into_iter().flatten().collect()
    }

    fn version(&self) -> Option<Finding> {
        let version = self.text("redis_version");
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        let version_is = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let what = || format!("the server is version {version}, older than {}.{}", OLDEST.0, OLDEST.1);
        (version_is < OLDEST).then(|| Finding::new(Severity::Error, what(), "upgrade to Redis 6.2 or later, or Valkey"))
    }

    fn role(&self) -> Option<Finding> {
        let role = self.text("role");
        let what = || format!("the server is a {role}, which takes no writes");
        (role != "master").then(|| Finding::new(Severity::Error, what(), "give the address of the primary"))
    }

    fn cluster(&self) -> Option<Finding> {
        let what = "the server is one of a Redis Cluster, and other nodes hold other jobs";
        let remedy = "use a single primary, or a proxy that hides the cluster";
        (self.text("cluster_enabled") == "1").then(|| Finding::new(Severity::Error, what, remedy))
    }

    fn eviction(&self) -> Option<Finding> {
        let policy = self.text("maxmemory_policy");
        let what = || format!("the server may drop keys when it is full: maxmemory-policy is {policy}");
        let remedy = "set maxmemory-policy to noeviction";
        (policy != "noeviction").then(|| Finding::new(Severity::Warning, what(), remedy))
    }

    fn memory(&self) -> Option<Finding> {
        let (used, most) = (self.number("used_memory"), self.number("maxmemory"));
        let is_full = most > 0 && used > most / 10 * 8;
        let what = || format!("the server uses {used} of {most} bytes of memory");
        is_full.then(|| {
            Finding::new(Severity::Warning, what(), "raise maxmemory, or move other users of the server elsewhere")
        })
    }

    fn persistence(&self) -> Option<Finding> {
        let remedy = "set appendonly to yes; a ledger that is lost is rebuilt from the store, which takes time";
        match (self.text("aof_enabled"), self.save.as_deref()) {
            ("1", _) => None,
            (_, None) => {
                let what = "the server writes no log of changes, and does not tell whether it takes snapshots";
                Some(Finding::new(Severity::Note, what, remedy))
            }
            (_, Some("")) => Some(Finding::new(
                Severity::Warning,
                "the server keeps nothing on disk: a restart forgets every job",
                remedy,
            )),
            (_, Some(_)) => {
                let what = "the server takes snapshots only: a restart forgets the changes since the last";
                Some(Finding::new(Severity::Note, what, remedy))
            }
        }
    }

    fn clock(&self) -> Option<Finding> {
        let what = || format!("this machine's clock and the server's differ by {} ms", self.clock_ms);
        (self.clock_ms > CLOCK_MS).then(|| Finding::new(Severity::Warning, what(), "synchronise both with NTP"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\n# Replication\r\nrole:master\r\ncluster_enabled:0\r\n\
        maxmemory_policy:noeviction\r\nmaxmemory:100\r\nused_memory:10\r\naof_enabled:1\r\n";

    #[test]
    fn a_good_server_has_no_findings() {
        assert_eq!(Facts::new(GOOD, None, 5).findings(), []);
    }

    #[test]
    fn each_fault_is_found_alone() {
        let faults = [
            ("redis_version:7.0.15", "redis_version:5.0.14", Severity::Error, "5.0.14"),
            ("role:master", "role:slave", Severity::Error, "slave"),
            ("cluster_enabled:0", "cluster_enabled:1", Severity::Error, "Cluster"),
            ("noeviction", "allkeys-lru", Severity::Warning, "allkeys-lru"),
            ("used_memory:10\r", "used_memory:90\r", Severity::Warning, "90 of 100"),
            ("aof_enabled:1", "aof_enabled:0", Severity::Note, "does not tell"),
        ];
        for (good, bad, severity, word) in faults {
            let findings = Facts::new(&GOOD.replace(good, bad), None, 0).findings();
            let [finding] = findings.as_slice() else { panic!("{bad}: {findings:?}") };
            assert_eq!(finding.severity, severity, "{bad}");
            assert!(finding.what.contains(word), "{bad}: {}", finding.what);
        }
        assert_eq!(Facts::new(GOOD, None, 3_000).findings().len(), 1);
    }

    #[test]
    fn persistence_is_judged_by_what_a_restart_forgets() {
        let without_log = GOOD.replace("aof_enabled:1", "aof_enabled:0");
        let severity = |save: &str| Facts::new(&without_log, Some(save.to_owned()), 0).findings()[0].severity;
        assert_eq!((severity(""), severity("3600 1")), (Severity::Warning, Severity::Note));
    }
}
