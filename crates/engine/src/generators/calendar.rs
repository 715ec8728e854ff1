//! A density over time: weights by hour, weekday and month as an inverse distribution over days times hours. Pure.

use shardmill_shared::spec::{Fields, Place, Value};

use super::window::Window;
use crate::civil::{DAY_US, Dimension, HOUR_US};

/// Weights for one part of the calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Which part.
    pub dimension: Dimension,
    /// One weight for each value of it.
    pub weights: Vec<f64>,
}

/// The distribution of moments in a window.
#[derive(Debug)]
pub struct Calendar {
    window: Window,
    first_day: i64,
    /// The share of all moments that lie before each day, and at last 1. Empty when all moments are alike.
    before: Vec<f64>,
    /// For each of as many equal parts of 0 to 1 as there are days, the first day that can lie in it.
    guide: Vec<u32>,
    hours: [f64; 24],
    /// The weight of a whole day before each hour, and at last of the whole day.
    day: Hours,
}

/// The weight of a day before each of its hours, and at last of the day.
type Hours = [f64; 25];

impl Pattern {
    /// Reads one pattern or a list of them.
    pub fn read(place: &Place<'_>) -> Option<Vec<Self>> {
        match &place.node.value {
            Value::List(_) => place.list()?.iter().map(|item| Self::fields(&item.fields()?)).collect(),
            _ => Some(vec![Self::fields(&place.fields()?)?]),
        }
    }

    /// Reads one pattern and finishes its map.
    pub fn fields(fields: &Fields<'_>) -> Option<Self> {
        let dimension = fields.need("dimension").and_then(|place| place.one_of("dimension", &Dimension::NAMES));
        let weights = fields.need("weights");
        fields.finish();
        let (dimension, place) = (Dimension::nth(dimension?), weights?);
        let weights: Option<Vec<f64>> = place.list()?.iter().map(Place::float).collect();
        let weights = weights?;
        if weights.len() != dimension.parts() {
            return place
                .problem(format!("{} weights are given", weights.len()), format!("{} weights", dimension.parts()));
        }
        if weights.iter().any(|weight| *weight < 0.0) || weights.iter().sum::<f64>() <= 0.0 {
            return place.problem("the weights give no share", "weights that are not negative, one of them above 0");
        }
        Some(Self { dimension, weights })
    }
}

impl Calendar {
    /// The distribution of `patterns`, multiplied, over a window; `None` when no moment of it has any weight.
    pub fn new(window: Window, patterns: &[Pattern]) -> Option<Self> {
        let first_day = window.start.div_euclid(DAY_US);
        let mut hours = [1.0; 24];
        for pattern in patterns.iter().filter(|pattern| pattern.dimension == Dimension::Hour) {
            hours.iter_mut().zip(&pattern.weights).for_each(|(hour, weight)| *hour *= weight);
        }
        let mut day = [0.0; 25];
        for (hour, weight) in hours.iter().enumerate() {
            day[hour + 1] = day[hour] + weight * HOUR_US as f64;
        }
        let mut made = Self { window, first_day, before: Vec::new(), guide: Vec::new(), hours, day };
        if patterns.is_empty() {
            return Some(made);
        }
        let last_day = window.end.div_euclid(DAY_US);
        let mut before = Vec::with_capacity((last_day - first_day) as usize + 2);
        let mut sum = 0.0;
        before.push(0.0);
        for day in first_day..=last_day {
            let weight: f64 = patterns
                .iter()
                .filter(|pattern| pattern.dimension != Dimension::Hour)
                .map(|pattern| pattern.weights[pattern.dimension.of(day * DAY_US)])
                .product();
            sum += weight * made.of_day(day)[24];
            before.push(sum);
        }
        if sum <= 0.0 {
            return None;
        }
        before.iter_mut().for_each(|share| *share /= sum);
        let days = before.len() - 1;
        let first =
            |part: usize| before.partition_point(|before| *before <= part as f64 / days as f64).clamp(1, days) - 1;
        made.guide = (0..days).map(|part| first(part) as u32).collect();
        made.before = before;
        Some(made)
    }

    /// The weights within a day; days at the ends of the window may lie in it only in part.
    fn of_day(&self, day: i64) -> Hours {
        let (begin, end) = (day * DAY_US, (day + 1) * DAY_US);
        if self.window.start <= begin && end <= self.window.end + 1 {
            return self.day;
        }
        let mut weights = [0.0; 25];
        for hour in 0..24 {
            let begin = begin + hour as i64 * HOUR_US;
            let inside = (begin + HOUR_US).min(self.window.end + 1) - begin.max(self.window.start);
            weights[hour + 1] = weights[hour] + self.hours[hour] * inside.max(0) as f64;
        }
        weights
    }

    /// The moment before which the share `unit` lies.
    pub fn quantile(&self, unit: f64) -> f64 {
        let (start, end) = (self.window.start as f64, self.window.end as f64);
        if self.before.is_empty() {
            return (start + unit * (end + 1.0 - start)).min(end);
        }
        let days = self.guide.len();
        let mut day = self.guide[((unit * days as f64) as usize).min(days - 1)] as usize;
        while day + 1 < days && self.before[day + 1] <= unit {
            day += 1;
        }
        let share = (unit - self.before[day]) / (self.before[day + 1] - self.before[day]).max(f64::MIN_POSITIVE);
        let day = self.first_day + day as i64;
        let weights = self.of_day(day);
        let rest = share.clamp(0.0, 1.0) * weights[24];
        let mut hour = 0;
        while hour < 23 && weights[hour + 1] <= rest {
            hour += 1;
        }
        // Rounding can lead past the last hour that has any weight.
        while hour > 0 && weights[hour + 1] == weights[hour] {
            hour -= 1;
        }
        let begin = (day * DAY_US + hour as i64 * HOUR_US).max(self.window.start);
        let until = (day * DAY_US + (hour as i64 + 1) * HOUR_US).min(self.window.end + 1);
        let part = (rest - weights[hour]) / (weights[hour + 1] - weights[hour]).max(f64::MIN_POSITIVE);
        (begin as f64 + (until - begin) as f64 * part).min((until - 1) as f64)
    }

    /// The share of moments before `time`.
    pub fn cdf(&self, time: f64) -> f64 {
        let (start, end) = (self.window.start as f64, self.window.end as f64 + 1.0);
        if time <= start {
            return 0.0;
        }
        if time >= end {
            return 1.0;
        }
        if self.before.is_empty() {
            return (time - start) / (end - start);
        }
        let day = (time as i64).div_euclid(DAY_US);
        let weights = self.of_day(day);
        let hour = ((time as i64).rem_euclid(DAY_US) / HOUR_US) as usize;
        let begin = (day * DAY_US + hour as i64 * HOUR_US).max(self.window.start);
        let until = (day * DAY_US + (hour as i64 + 1) * HOUR_US).min(self.window.end + 1);
        let part = ((time - begin as f64) / (until - begin).max(1) as f64).clamp(0.0, 1.0);
        let passed = weights[hour] + (weights[hour + 1] - weights[hour]) * part;
        let at = (day - self.first_day) as usize;
        let within = if weights[24] > 0.0 { passed / weights[24] } else { 0.0 };
        self.before[at] + (self.before[at + 1] - self.before[at]) * within
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civil::{parse_time, show_time};

    fn window(start: &str, end: &str) -> Window {
        Window { start: parse_time(start).unwrap(), end: parse_time(end).unwrap() }
    }

    #[test]
    fn quantile_and_cdf_are_inverse_and_monotone() {
        let mut hours = vec![1.0; 24];
        hours[..6].fill(0.0);
        let patterns = [
            Pattern { dimension: Dimension::Hour, weights: hours },
            Pattern { dimension: Dimension::Dow, weights: vec![1.0, 1.0, 1.0, 1.0, 2.0, 0.0, 0.5] },
            Pattern { dimension: Dimension::Month, weights: (1..=12).map(f64::from).collect() },
        ];
        for patterns in [&patterns[..], &[]] {
            let calendar = Calendar::new(window("2024-01-01T13:20:00Z", "2025-03-02T07:10:00Z"), patterns).unwrap();
            let mut last = f64::NEG_INFINITY;
            for i in 0..5_000 {
                let unit = (f64::from(i) + 0.5) / 5_000.0;
                let time = calendar.quantile(unit);
                assert!(time >= last, "{i}");
                assert!(
                    (calendar.cdf(time) - unit).abs() < 1e-9,
                    "{i}: {} at {}",
                    calendar.cdf(time),
                    show_time(time as i64)
                );
                last = time;
            }
        }
    }

    #[test]
    fn what_has_no_weight_never_comes() {
        let weights = vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        let patterns = [Pattern { dimension: Dimension::Dow, weights }];
        let calendar = Calendar::new(window("2024-01-01", "2024-12-31"), &patterns).unwrap();
        for i in 0..10_000 {
            let time = calendar.quantile((f64::from(i) + 0.5) / 10_000.0) as i64;
            assert!(Dimension::Dow.of(time) >= 5, "{}", show_time(time));
        }
        assert!(Calendar::new(window("2024-01-01", "2024-01-02"), &patterns).is_none());
    }
}
