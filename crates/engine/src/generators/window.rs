//! A span of time and the grid its values lie on. Pure.

use shardmill_shared::spec::{Fields, Place, Value};

use super::choice::time;
use crate::civil::{DAY_US, HOUR_US, SECOND_US, civil, days};
use crate::compile::site::Site;
use crate::measure::floor_whole;

/// From a first to a last moment, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub start: i64,
    /// The last moment, included.
    pub end: i64,
}

/// The moments that values are rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Every so many microseconds from the window's start.
    Every(i64),
    /// The last day of every so many months.
    MonthEnds(u32),
    /// The first day of every so many months.
    MonthStarts(u32),
}

/// The window written under `within`: `timeframe`, or a start and an end.
pub fn within(fields: &Fields<'_>, site: &Site<'_, '_>) -> Option<Window> {
    let Some(place) = fields.get("within") else { return site.timeframe(&fields.place) };
    if let Value::Text(text) = &place.node.value {
        if text == "timeframe" {
            return site.timeframe(&place);
        }
        return place.problem(format!("found `{text}`"), "`timeframe`, or {start, end}");
    }
    let window = place.fields()?;
    let (start, end) = (window.need("start"), window.need("end"));
    window.finish();
    span(&place, &start?, &end?)
}

/// A window from two places.
pub fn span(place: &Place<'_>, start: &Place<'_>, end: &Place<'_>) -> Option<Window> {
    let (first, last) = (time(start), time(end));
    let (start, end) = (first?, last?);
    if start > end {
        return place.problem("the start is after the end", "a start that is not after the end");
    }
    Some(Window { start, end })
}

impl Grid {
    /// The grid of a frequency: a number and one of the letters S, T, H, D, W, M, Q, Y.
    pub fn read(place: &Place<'_>) -> Option<Self> {
        let text = place.text()?;
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let count: i64 = if digits == 0 { 1 } else { text[..digits].parse().unwrap_or(0) };
        let expected = "S, T (or min), H, D, W, M, Q or Y, with a number before it if wanted: 15min";
        if !(1..=100_000).contains(&count) {
            return place.problem(format!("`{text}` is no frequency"), expected);
        }
        let months = |each: u32| count as u32 * each;
        Some(match &text[digits..] {
            "S" | "s" => Self::Every(count * SECOND_US),
            "T" | "min" => Self::Every(count * 60 * SECOND_US),
            "H" | "h" => Self::Every(count * HOUR_US),
            "D" | "d" => Self::Every(count * DAY_US),
            "W" | "w" => Self::Every(count * 7 * DAY_US),
            "M" | "ME" => Self::MonthEnds(months(1)),
            "MS" => Self::MonthStarts(months(1)),
            "Q" | "QE" => Self::MonthEnds(months(3)),
            "QS" => Self::MonthStarts(months(3)),
            "Y" | "YE" | "A" => Self::MonthEnds(months(12)),
            "YS" | "AS" => Self::MonthStarts(months(12)),
            _ => return place.problem(format!("`{text}` is no frequency"), expected),
        })
    }

    /// The moments just before which a value of this grid may have been drawn: the window widened to whole cells.
    pub fn widen(self, window: Window) -> Window {
        match self {
            Self::Every(step) => {
                Window { start: window.start, end: window.start + ((window.end - window.start) / step + 1) * step - 1 }
            }
            Self::MonthEnds(_) | Self::MonthStarts(_) => window,
        }
    }

    /// [`Self::round`] on the number line; without integer division where cells are equally long.
    #[inline]
    pub fn round_line(self, time: f64, window: Window) -> f64 {
        match self {
            Self::Every(step) => {
                let (start, step) = (window.start as f64, step as f64);
                (start + floor_whole((time - start) / step) as f64 * step).clamp(start, window.end as f64)
            }
            _ => self.round(time as i64, window) as f64,
        }
    }

    /// The moment of the grid that `time` is rounded to, within the window.
    pub fn round(self, time: i64, window: Window) -> i64 {
        let (begin, end) = self.cell(time, window);
        let rounded = if let Self::MonthEnds(_) = self { end - DAY_US } else { begin };
        rounded.clamp(window.start, window.end)
    }

    /// The first moment that is rounded to `time` or later.
    pub fn first(self, time: i64, window: Window) -> i64 {
        let (begin, end) = self.cell(time, window);
        if self.round(time, window) >= time { begin } else { end }
    }

    /// The moments around `time` that are rounded alike: from the first, to before the second.
    fn cell(self, time: i64, window: Window) -> (i64, i64) {
        let months = match self {
            Self::Every(step) => {
                let begin = window.start + (time - window.start).div_euclid(step) * step;
                return (begin, begin + step);
            }
            Self::MonthEnds(months) | Self::MonthStarts(months) => months.min(12),
        };
        let date = civil(time.div_euclid(DAY_US));
        let month = (date.month - 1) / months * months + 1;
        (days(date.year, month, 1) * DAY_US, days(date.year, month + months, 1) * DAY_US)
    }
}
