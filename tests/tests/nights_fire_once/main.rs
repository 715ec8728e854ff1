//! A thousand simulated nights on two continents, with both changes of their clocks, a store that fails and leaders that die
//! at any of its operations: no fire is missed, and none doubled.

mod luck;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, LocalResult, NaiveDate, TimeDelta, TimeZone};
use chrono_tz::Tz;
use luck::Luck;
use shardmill_scheduler::fire::Calendar;
use shardmill_shared::job::{Ending, JobId, JobState, Made, Name, PRIORITY_USUAL};
use shardmill_shared::process::{Clock, ManualClock};
use shardmill_shared::schedule::{Fire, FireOutcome, Overlap, Schedule, ScheduleState, Timing};
use shardmill_shared::store::{JobRecords, MemoryStore, ScheduleRecords, Store, open_jobs};
use store::Frail;

const NIGHTS: u64 = 1_000;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

fn name(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

/// The first night: in none of its zones does a clock change.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 10).expect("a day")
}

/// When 02:30 of every night is, found without the code under test.
fn expected(zone: Tz) -> Vec<u64> {
    let at = |day: NaiveDate| {
        let wall = day.and_hms_opt(2, 30, 0).expect("a time");
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time,
            // Both gaps end at 03:00.
            LocalResult::None => {
                let end = day.and_hms_opt(3, 0, 0).expect("a time");
                zone.from_local_datetime(&end).single().expect("the gap is over")
            }
        }
    };
    let nights = (0..NIGHTS).map(|night| at(first_day() + TimeDelta::days(i64::try_from(night).expect("small"))));
    nights.map(|time| u64::try_from(time.timestamp_millis()).expect("after 1970")).collect()
}

struct World {
    root: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    luck: Luck,
    frail: Frail,
    /// When each open job is to end.
    ends: BTreeMap<JobId, u64>,
    /// From when to when each job was open.
    spans: BTreeMap<JobId, (u64, u64)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let (store, luck, clock) = (MemoryStore::default(), Luck::of(seed), ManualClock::default());
        let start = first_day().and_hms_opt(0, 0, 0).expect("a time").and_utc() - TimeDelta::hours(6);
        clock.advance(u64::try_from(start.timestamp_millis()).expect("after 1970"));
        let root: Arc<dyn Store> = Arc::new(store.clone());
        let frail = Frail::new(store, luck.clone());
        let (ends, spans) = (BTreeMap::new(), BTreeMap::new());
        Self { root, clock: Arc::new(clock), luck, frail, ends, spans }
    }

    fn now_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    async fn schedule(&self, zone: Tz, overlap: Overlap) {
        let schedule = Schedule {
            timing: Timing::new("30 2 * * *", zone.name()).expect("a timing"),
            dataset: name("shop"),
            spec: "{}".to_owned(),
            priority: PRIORITY_USUAL,
            overlap,
            keep: None,
            notify: Vec::new(),
            state: ScheduleState::Active,
            since_ms: self.now_ms(),
            changed_ms: self.now_ms(),
            by: "test".to_owned(),
        };
        let records = ScheduleRecords::of(&self.root, &tenant(zone));
        records.revise(&name(overlap.as_str()), 1, &schedule).await.expect("puts");
    }

    fn leader(&self) -> Calendar {
        Calendar::new(Arc::new(self.frail.clone()), Arc::<ManualClock>::clone(&self.clock))
    }

    /// Ends what is to end, and decides how long new jobs take: most some minutes, some more than a day.
    async fn work(&mut self) {
        let now = self.now_ms();
        for open in open_jobs(&self.root).await.expect("lists") {
            let records = JobRecords::of(&self.root, &open.tenant);
            let hours = if self.luck.below(25) == 0 { 20 + self.luck.below(60) } else { self.luck.below(3) };
            let end = *self.ends.entry(open.job.clone()).or_insert(now + hours * HOUR_MS + 10 * MINUTE_MS);
            let span = self.spans.entry(open.job.clone()).or_insert((now, u64::MAX));
            if end <= now {
                span.1 = span.1.min(now);
                let (state, made) = (JobState::Succeeded, Made::default());
                let ending = Ending { state, message: None, ended_ms: now, made, manifest: None, spent: None };
                records.end(&open.job, 0, &ending).await.expect("ends");
                records.close(&open.job, 0).await.expect("closes");
            }
        }
    }

    /// Some time passes, in which a leader looks, two do at once, or nobody leads for hours.
    async fn step(&mut self, leader: &mut Calendar) {
        let minutes = if self.luck.below(60) == 0 { self.luck.below(9 * 60) } else { 1 + self.luck.below(100) };
        self.clock.advance(minutes * MINUTE_MS + self.luck.below(MINUTE_MS));
        let mut rival = self.leader();
        let has_rival = self.luck.below(10) == 0;
        let both = async {
            let rival = async { if has_rival { rival.look().await } else { Ok(()) } };
            let _ = tokio::join!(leader.look(), rival);
        };
        let is_dead = tokio::select! {
            biased;
            () = both => false,
            () = self.frail.died() => true,
        };
        if is_dead {
            *leader = self.leader();
        }
        self.work().await;
    }
}

fn tenant(zone: Tz) -> Name {
    name(&zone.name().replace('/', "-"))
}

/// Every night is exactly one fire or was passed over by exactly one, and every fire made exactly its job.
async fn check(world: &World, zone: Tz, overlap: Overlap, seed: u64) -> usize {
    let nights = expected(zone);
    let records = ScheduleRecords::of(&world.root, &tenant(zone));
    let mut fires: Vec<Fire> =
        records.fires(&name(overlap.as_str()), 5_000).await.expect("reads").into_iter().map(|(_, fire)| fire).collect();
    fires.reverse();
    let mut covered = 0;
    let mut skipped = 0;
    for fire in &fires {
        covered += usize::try_from(fire.missed).expect("few");
        assert_eq!(
            nights.get(covered),
            Some(&fire.at_ms),
            "seed {seed}, {zone}, {overlap:?}: fire {covered}: {fire:?}"
        );
        covered += 1;
        if overlap == Overlap::Skip {
            assert_eq!(fire.missed, 0, "seed {seed}, {zone}: no outage is as long as a day: {fire:?}");
        }
        match &fire.outcome {
            FireOutcome::Job(job) => {
                assert!(world.spans.contains_key(job), "seed {seed}, {zone}, {overlap:?}: {job} never ran");
            }
            FireOutcome::Skipped(open) => {
                skipped += 1;
                let (from, to) = world.spans[open];
                let is_open = from <= fire.decided_ms && fire.decided_ms <= to;
                assert!(overlap == Overlap::Skip && is_open, "seed {seed}, {zone}, {overlap:?}: {fire:?}");
            }
        }
    }
    assert_eq!(covered, nights.len(), "seed {seed}, {zone}, {overlap:?}: the last fire is {:?}", fires.last());
    let mut spans: Vec<(u64, u64)> = jobs_of(&fires).iter().map(|job| world.spans[job]).collect();
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "seed {seed}, {zone}, {overlap:?}: two jobs at once");
    skipped
}

fn jobs_of(fires: &[Fire]) -> BTreeSet<JobId> {
    let job = |fire: &Fire| match &fire.outcome {
        FireOutcome::Job(job) => Some(job.clone()),
        FireOutcome::Skipped(_) => None,
    };
    fires.iter().filter_map(job).collect()
}

async fn nights(seed: u64) {
    let schedules = [(Tz::Europe__Berlin, Overlap::Skip), (Tz::America__New_York, Overlap::Queue)];
    let mut world = World::new(seed);
    for (zone, overlap) in schedules {
        world.schedule(zone, overlap).await;
    }
    let last =
        schedules.map(|(zone, _)| *expected(zone).last().expect("many nights")).into_iter().max().expect("two zones");
    let mut leader = world.leader();
    while world.now_ms() < last {
        world.step(&mut leader).await;
    }
    world.frail.heal();
    // Nothing new comes within so many hours, and what waits for a long job gets its turn.
    let no_more = last + 16 * HOUR_MS;
    leader = world.leader();
    while world.now_ms() < no_more {
        leader.look().await.expect("nothing fails any more");
        world.ends.values_mut().for_each(|end| *end = (*end).min(last));
        world.clock.advance(30 * MINUTE_MS);
        world.work().await;
    }
    for (zone, overlap) in schedules {
        let skipped = check(&world, zone, overlap, seed).await;
        assert_eq!(skipped > 0, overlap == Overlap::Skip, "seed {seed}, {zone}: {skipped} jobs were in the way");
        let jobs = JobRecords::of(&world.root, &tenant(zone)).list(None, 5_000).await.expect("lists");
        let listed: BTreeSet<JobId> = jobs.iter().map(|listed| listed.job.clone()).collect();
        assert_eq!(listed.len(), jobs.len(), "seed {seed}, {zone}: a job is listed twice");
        let fires = ScheduleRecords::of(&world.root, &tenant(zone)).fires(&name(overlap.as_str()), 5_000).await;
        let fired = jobs_of(&fires.expect("reads").into_iter().map(|(_, fire)| fire).collect::<Vec<_>>());
        assert_eq!(listed, fired, "seed {seed}, {zone}: every job is a fire's");
    }
    assert!(open_jobs(&world.root).await.expect("lists").is_empty());
}

#[tokio::test]
async fn a_thousand_nights_fire_once_each() {
    let seed = 1;
    println!("seed {seed}");
    nights(seed).await;
}

#[test]
fn the_nights_have_every_change_of_the_clocks() {
    for zone in [Tz::Europe__Berlin, Tz::America__New_York] {
        let nights = expected(zone);
        let hours: BTreeSet<u64> = nights.windows(2).map(|pair| (pair[1] - pair[0]) / (HOUR_MS / 2)).collect();
        // A night whose time lies in the gap is half an hour late; the next one is half an hour less far away.
        let wanted = [47, 48, 49, 50];
        let seen: Vec<u64> = hours.into_iter().collect();
        assert!(seen.iter().all(|half_hours| wanted.contains(half_hours)) && seen.len() >= 3, "{zone}: {seen:?}");
        let first = DateTime::from_timestamp_millis(i64::try_from(nights[0]).expect("a time")).expect("a time");
        assert_eq!(first.with_timezone(&zone).date_naive(), first_day());
    }
}
