//! Whether a schedule fires now. Pure.

use shardmill_shared::schedule::{Due, Fire, Overlap, Schedule, ScheduleState};

/// What is due of a schedule, after what was decided before.
pub fn due(schedule: &Schedule, last: Option<&Fire>, now_ms: u64) -> Option<Due> {
    if schedule.state != ScheduleState::Active {
        return None;
    }
    schedule.timing.due(decided_until(schedule, last), now_ms)
}

/// When to look at the schedule again, in milliseconds since 1970; never for one that does not fire.
pub fn next_ms(schedule: &Schedule, last: Option<&Fire>, now_ms: u64) -> Option<u64> {
    if schedule.state != ScheduleState::Active {
        return None;
    }
    schedule.timing.next_after(decided_until(schedule, last).max(now_ms))
}

fn decided_until(schedule: &Schedule, last: Option<&Fire>) -> u64 {
    last.map_or(0, |last| last.at_ms).max(schedule.since_ms)
}

/// What becomes of a fire that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It makes a job.
    Fire,
    /// It makes none.
    Skip,
    /// Nothing yet.
    Wait,
}

/// What becomes of a fire that is due, given how the job of the fire before it is.
pub fn verdict(overlap: Overlap, before: Before) -> Verdict {
    match (before, overlap) {
        (Before::Over, _) => Verdict::Fire,
        (Before::Open, Overlap::Skip) => Verdict::Skip,
        (Before::Open, Overlap::Queue) => Verdict::Wait,
    }
}

/// How the newest job of a schedule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// There is none, or nothing more happens to it.
    Over,
    /// It goes on.
    Open,
}

#[cfg(test)]
mod tests {
    use shardmill_shared::job::{JobId, Name, PRIORITY_USUAL};
    use shardmill_shared::schedule::{FireOutcome, Timing};

    use super::*;

    const MINUTE_MS: u64 = 60_000;

    fn schedule(state: ScheduleState, since_ms: u64) -> Schedule {
        Schedule {
            timing: Timing::new("*/10 * * * *", "UTC").expect("a timing"),
            dataset: Name::new("shop").expect("allowed"),
            spec: String::new(),
            priority: PRIORITY_USUAL,
            overlap: Overlap::Skip,
            keep: None,
            notify: Vec::new(),
            state,
            since_ms,
            changed_ms: since_ms,
            by: String::new(),
        }
    }

    fn fired(at_ms: u64) -> Fire {
        let outcome = FireOutcome::Job(JobId::new("j").expect("allowed"));
        Fire { at_ms, missed: 0, revision: 1, decided_ms: at_ms, outcome }
    }

    #[test]
    fn what_lies_before_a_schedule_or_its_last_fire_is_not_due() {
        let since = schedule(ScheduleState::Active, 15 * MINUTE_MS);
        assert_eq!(due(&since, None, 19 * MINUTE_MS), None);
        let first = Due { at_ms: 20 * MINUTE_MS, missed: 0 };
        assert_eq!(due(&since, None, 20 * MINUTE_MS), Some(first));
        assert_eq!(due(&since, Some(&fired(20 * MINUTE_MS)), 29 * MINUTE_MS), None);
        let newest = Due { at_ms: 50 * MINUTE_MS, missed: 2 };
        assert_eq!(due(&since, Some(&fired(20 * MINUTE_MS)), 59 * MINUTE_MS), Some(newest), "missed fires are one");
        let resumed = schedule(ScheduleState::Active, 45 * MINUTE_MS);
        let after_the_pause = Due { at_ms: 50 * MINUTE_MS, missed: 0 };
        assert_eq!(due(&resumed, Some(&fired(20 * MINUTE_MS)), 59 * MINUTE_MS), Some(after_the_pause));
    }

    #[test]
    fn a_schedule_that_does_not_fire_has_no_next_time() {
        for state in [ScheduleState::Paused, ScheduleState::Deleted] {
            assert_eq!(due(&schedule(state, 0), None, 50 * MINUTE_MS), None);
            assert_eq!(next_ms(&schedule(state, 0), None, 50 * MINUTE_MS), None);
        }
        let active = schedule(ScheduleState::Active, 0);
        assert_eq!(next_ms(&active, Some(&fired(20 * MINUTE_MS)), 35 * MINUTE_MS), Some(40 * MINUTE_MS));
    }

    #[test]
    fn an_open_job_holds_the_next_up_as_it_was_told() {
        for (overlap, before, wanted) in [
            (Overlap::Skip, Before::Over, Verdict::Fire),
            (Overlap::Queue, Before::Over, Verdict::Fire),
            (Overlap::Skip, Before::Open, Verdict::Skip),
            (Overlap::Queue, Before::Open, Verdict::Wait),
        ] {
            assert_eq!(verdict(overlap, before), wanted);
        }
    }
}
