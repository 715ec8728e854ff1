//! How providers write times in their headers. Pure.

/// As OpenAI does: `6m0s`, `1.5s`, `12ms`.
pub(super) fn compact(ms: u64) -> String {
    let (hours, minutes, seconds, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    if ms < 1_000 {
        return format!("{ms}ms");
    }
    let fraction = format!(".{rest:03}");
    let fraction = if rest == 0 { "" } else { fraction.trim_end_matches('0') };
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, minutes) => format!("{minutes}m{seconds}{fraction}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

/// As Anthropic does: an instant by RFC 3339, to the second, not before it.
pub(super) fn instant(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms.div_ceil(1_000)).unwrap_or(i64::MAX);
    let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_providers_write_them() {
        for (ms, text) in
            [(0, "0ms"), (12, "12ms"), (1_000, "1s"), (1_500, "1.5s"), (360_000, "6m0s"), (3_661_050, "1h1m1.05s")]
        {
            assert_eq!(compact(ms), text);
        }
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(1_700_000_000_001), "2023-11-14T22:13:21Z");
    }
}
