//! What headers say of limits: when to ask again, and how much is left. Pure.

use chrono::DateTime;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Requests.
    Requests,
    /// Tokens of prompts.
    InputTokens,
    /// Tokens of answers.
    OutputTokens,
    /// Tokens of both.
    Tokens,
}

/// What a provider says of one limit; what it does not say is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What it counts.
    pub axis: Axis,
    /// The most there may be in a minute.
    pub limit: Option<u64>,
    /// What is left of it.
    pub remaining: Option<u64>,
    /// In how many milliseconds it is whole again.
    pub reset_ms: Option<u64>,
}

/// Anthropic's headers.
pub(super) fn observe_anthropic(headers: &HeaderMap, now_ms: u64) -> Vec<Observed> {
    let axes = [
        (Axis::Requests, "requests"),
        (Axis::InputTokens, "input-tokens"),
        (Axis::OutputTokens, "output-tokens"),
        (Axis::Tokens, "tokens"),
    ];
    let name = |axis: &str, part: &str| format!("anthropic-ratelimit-{axis}-{part}");
    observed(headers, now_ms, axes.map(|(axis, of)| (axis, ["limit", "remaining", "reset"].map(|part| name(of, part)))))
}

/// The headers of OpenAI and of those that do as it does.
pub(super) fn observe_openai(headers: &HeaderMap, now_ms: u64) -> Vec<Observed> {
    let axes = [(Axis::Requests, "requests"), (Axis::Tokens, "tokens")];
    let name = |axis: &str, part: &str| format!("x-ratelimit-{part}-{axis}");
    observed(headers, now_ms, axes.map(|(axis, of)| (axis, ["limit", "remaining", "reset"].map(|part| name(of, part)))))
}

fn observed<const N: usize>(headers: &HeaderMap, now_ms: u64, axes: [(Axis, [String; 3]); N]) -> Vec<Observed> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let all = axes.iter().filter_map(|(axis, [limit, remaining, reset])| {
        let limit = value(limit).and_then(count).filter(|limit| *limit > 0);
        let remaining = value(remaining).and_then(count);
        // Azure says 0 and -1 where it does not know; nothing left of an unknown limit says nothing.
        let remaining = remaining.filter(|remaining| *remaining > 0 || limit.is_some());
        let reset_ms = value(reset).and_then(|text| until(text, now_ms));
        let says_something = limit.is_some() || remaining.is_some();
        says_something.then_some(Observed { axis: *axis, limit, remaining, reset_ms })
    });
    all.collect()
}

/// A count; `-1` and texts are unknown.
fn count(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// After how many milliseconds a provider wants to be asked again.
pub(super) fn retry_after_ms(headers: &HeaderMap, now_ms: u64) -> Option<u64> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let exact = value("retry-after-ms").and_then(|text| milliseconds(text, 1.0));
    exact.or_else(|| value("retry-after").and_then(|text| until(text, now_ms)))
}

/// Milliseconds from `now_ms` to what a text says: seconds, `6m0s`, `12ms`, or a date.
fn until(text: &str, now_ms: u64) -> Option<u64> {
    milliseconds(text, 1_000.0).or_else(|| duration(text)).or_else(|| {
        let date = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok()?;
        // A date that has passed, by a clock that may be off, is now.
        Some(u64::try_from(date.timestamp_millis()).unwrap_or(0).saturating_sub(now_ms))
    })
}

/// A number of some unit, as milliseconds, rounded up; negative numbers are unknown.
fn milliseconds(text: &str, unit_ms: f64) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    let whole = (number * unit_ms).ceil();
    (whole.is_finite() && (0.0..9e15).contains(&whole)).then_some(whole as u64)
}

/// A text like `1h2m3.5s` or `12ms`.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit_ms = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        total = total.checked_add(milliseconds(number, unit_ms)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    /// 2026-11-21T20:00:00Z.
    const NOW_MS: u64 = 1_795_291_200_000;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn anthropic_says_dates() {
        let found = observe_anthropic(
            &headers(&[
                ("anthropic-ratelimit-requests-limit", "1000"),
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "2026-11-21T20:00:01Z"),
                ("anthropic-ratelimit-output-tokens-limit", "400000"),
                ("anthropic-ratelimit-output-tokens-remaining", "399000"),
                ("anthropic-ratelimit-output-tokens-reset", "2026-11-21T19:59:00Z"),
            ]),
            NOW_MS,
        );
        let requests = Observed { axis: Axis::Requests, limit: Some(1_000), remaining: Some(0), reset_ms: Some(1_000) };
        let output =
            Observed { axis: Axis::OutputTokens, limit: Some(400_000), remaining: Some(399_000), reset_ms: Some(0) };
        assert_eq!(found, [requests, output]);
    }

    #[test]
    fn openai_says_durations_and_azure_says_what_it_does_not_know() {
        let openai = headers(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "6m0s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "12ms"),
        ]);
        let found = observe_openai(&openai, NOW_MS);
        assert_eq!(found.iter().map(|one| one.reset_ms).collect::<Vec<_>>(), [Some(360_000), Some(12)]);
        assert_eq!(found[1].remaining, Some(0));
        let azure = headers(&[
            ("x-ratelimit-limit-requests", "-1"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-remaining-tokens", "-1"),
        ]);
        assert_eq!(observe_openai(&azure, NOW_MS), []);
    }

    #[test]
    fn every_way_to_say_when_is_read() {
        for (name, value, wanted) in [
            ("retry-after", "2", Some(2_000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after", "Sat, 21 Nov 2026 20:00:30 GMT", Some(30_000)),
            ("retry-after", "2026-11-21T20:00:30.5Z", Some(30_500)),
            ("retry-after", "1h2m3.5s", Some(3_723_500)),
            ("retry-after-ms", "1500.2", Some(1_501)),
            ("retry-after", "-5", None),
            ("retry-after", "soon", None),
            ("retry-after", "NaN", None),
            ("retry-after", "1e300", None),
            ("retry-after", "", None),
        ] {
            assert_eq!(retry_after_ms(&headers(&[(name, value)]), NOW_MS), wanted, "{name}: {value}");
        }
        let both = headers(&[("retry-after", "9"), ("retry-after-ms", "10")]);
        assert_eq!(retry_after_ms(&both, NOW_MS), Some(10));
    }
}
