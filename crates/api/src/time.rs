//! Times as people and programs exchange them. Pure.

use chrono::{DateTime, SecondsFormat};

/// Milliseconds since 1970 as RFC 3339 in UTC; the last time there is when they are beyond it.
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis);
    time.unwrap_or(DateTime::<chrono::Utc>::MAX_UTC).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_with_milliseconds() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_793_000_000_123), "2026-10-26T07:33:20.123Z");
        assert!(rfc3339(u64::MAX).starts_with("+262142-12-31"));
    }
}
