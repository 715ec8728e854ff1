//! Nights with 23, 24 and 25 hours, against the wall clock of two continents.

use chrono::Utc;
use proptest::prelude::*;

use super::*;

fn ms(text: &str) -> u64 {
    let time: DateTime<Utc> = text.parse().expect("a time");
    u64::try_from(time.timestamp_millis()).expect("after 1970")
}

fn shown(at_ms: u64) -> String {
    let time = DateTime::from_timestamp_millis(i64::try_from(at_ms).expect("a time")).expect("a time");
    time.format("%dT%H:%M").to_string()
}

fn fires(line: &str, zone: &str, (after, until): (&str, &str)) -> Vec<String> {
    let timing = Timing::new(line, zone).expect("a timing");
    timing.fires_between(ms(after), ms(until)).map(shown).collect()
}

#[test]
fn a_time_that_does_not_exist_fires_at_the_end_of_the_gap() {
    // Berlin has no 02:00 to 03:00 on 29 March 2026, New York none on 8 March.
    let nights = ("2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z");
    assert_eq!(fires("30 2 * * *", "Europe/Berlin", nights), ["28T01:30", "29T01:00", "30T00:30"]);
    let nights = ("2026-03-06T12:00:00Z", "2026-03-09T12:00:00Z");
    assert_eq!(fires("30 2 * * *", "America/New_York", nights), ["07T07:30", "08T07:00", "09T06:30"]);
    // All that lies in the gap, and what lies at its end, is one.
    let night = ("2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z");
    assert_eq!(fires("*/15 * * * *", "Europe/Berlin", night)[..3], ["29T00:45", "29T01:00", "29T01:15"]);
}

#[test]
fn a_time_that_comes_twice_fires_the_first_time() {
    // Berlin has 02:00 to 03:00 twice on 25 October 2026, New York 01:00 to 02:00 on 1 November.
    let nights = ("2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z");
    assert_eq!(fires("30 2 * * *", "Europe/Berlin", nights), ["24T00:30", "25T00:30", "26T01:30"]);
    let nights = ("2026-10-30T12:00:00Z", "2026-11-02T12:00:00Z");
    assert_eq!(fires("30 1 * * *", "America/New_York", nights), ["31T05:30", "01T05:30", "02T06:30"]);
    let night = ("2026-10-25T00:20:00Z", "2026-10-25T02:10:00Z");
    assert_eq!(fires("*/30 * * * *", "Europe/Berlin", night), ["25T00:30", "25T02:00"]);
}

#[test]
fn a_skipped_day_fires_at_the_next() {
    // Samoa had no 30 December 2011.
    let days = ("2011-12-28T12:00:00Z", "2012-01-01T00:00:00Z");
    assert_eq!(fires("0 6 * * *", "Pacific/Apia", days), ["28T16:00", "29T16:00", "30T10:00", "30T16:00", "31T16:00"]);
}

#[test]
fn of_what_was_missed_the_newest_is_due() {
    let timing = Timing::new("0 2 * * *", "Europe/Berlin").expect("a timing");
    let after = ms("2026-10-23T00:00:00Z");
    assert_eq!(timing.due(after, after), None);
    let due = timing.due(after, ms("2026-10-27T12:00:00Z")).expect("is due");
    assert_eq!((due.at_ms, due.missed), (ms("2026-10-27T01:00:00Z"), 3));
    let minutes = Timing::new("* * * * *", "UTC").expect("a timing");
    assert_eq!(minutes.due(0, ms("2026-01-01T00:00:30Z")).expect("is due").missed, MISSED_MOST);
}

#[test]
fn bad_lines_and_zones_say_what_was_expected() {
    for (line, expected) in [
        ("61 2 * * *", "`61 2 * * *` is no cron line: number out of bounds"),
        ("0 2 * *", "`0 2 * *` is no cron line: it has 4 fields"),
        ("0 0 2 * * *", "`0 0 2 * * *` is no cron line: it has 6 fields"),
        ("@daily", "`@daily` is no cron line: it has 1 fields"),
        ("", "`` is no cron line: it has 0 fields"),
        ("0 2 30 2 *", "`0 2 30 2 *` never fires: there is no such day"),
    ] {
        assert_eq!(Timing::new(line, "UTC").expect_err("is refused").to_string(), expected);
    }
    assert!(Timing::new("a b c d e", "UTC").is_err());
    for (zone, wanted) in [
        ("Europe/Berln", Some("Europe/Berlin")),
        ("europe/berlin", Some("Europe/Berlin")),
        ("Berlin", Some("Europe/Berlin")),
        ("+02:00", None),
    ] {
        let Err(TimingError::Zone { nearest, .. }) = Timing::new("0 2 * * *", zone) else { panic!("{zone} passed") };
        assert_eq!(nearest.as_deref(), wanted, "{zone}");
    }
}

#[test]
fn a_timing_reads_what_it_writes() {
    let timing = Timing::new(" 0  2 * * MON-FRI ", "America/New_York").expect("a timing");
    let text = serde_json::to_string(&timing).expect("writes");
    assert_eq!(text, r#"{"cron":"0 2 * * MON-FRI","time_zone":"America/New_York"}"#);
    assert_eq!(serde_json::from_str::<Timing>(&text).expect("reads"), timing);
    assert!(serde_json::from_str::<Timing>(r#"{"cron":"0 2 * * *","time_zone":"Mars"}"#).is_err());
}

proptest! {
    /// What is due by looking back is what looking forward finds last, however the time is cut.
    #[test]
    fn looking_back_finds_what_looking_forward_found(
        (minute, step) in (0_u32..60, 1_u32..24),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        (start_hours, hours) in (0_u64..24 * 730, 0_u64..72),
        seconds in 0_u64..3_600,
    ) {
        let timing = Timing::new(&format!("{minute} */{step} * * *"), zone).expect("a timing");
        let after = ms("2026-01-01T00:00:00Z") + (start_hours * 3_600 + seconds) * 1_000 + 250;
        let until = after + hours * 3_600_000;
        let fires: Vec<u64> = timing.fires_between(after, until).collect();
        prop_assert!(fires.windows(2).all(|pair| pair[0] < pair[1]), "{fires:?}");
        let due = timing.due(after, until);
        prop_assert_eq!(due.map(|due| due.at_ms), fires.last().copied());
        prop_assert_eq!(due.map_or(0, |due| due.missed + 1), fires.len() as u64);
    }
}
