//! One line of the table: what was measured, the bar, and what came out.

use std::fmt;

/// A measured figure beside its bar.
pub(crate) struct Row {
    what: String,
    bar: Bar,
    values: Vec<f64>,
    unit: &'static str,
}

/// What a figure must reach.
pub(crate) enum Bar {
    /// The median is at least this.
    AtLeast(f64),
    /// The median is at most this.
    AtMost(f64),
    /// For information.
    None,
}

impl Row {
    /// A row from the values of several rounds.
    pub(crate) fn new(what: impl Into<String>, bar: Bar, unit: &'static str, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { what: what.into(), bar, values, unit }
    }

    fn median(&self) -> f64 {
        self.values.get(self.values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Whether the bar is met.
    pub(crate) fn is_met(&self) -> bool {
        match self.bar {
            Bar::AtLeast(bar) => self.median() >= bar,
            Bar::AtMost(bar) => self.median() <= bar,
            Bar::None => true,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit;
        let show =
            |value: f64| if value.abs() >= 100.0 { format!("{value:.0}{unit}") } else { format!("{value:.2}{unit}") };
        let bar = match self.bar {
            Bar::AtLeast(bar) => format!("≥ {bar}{unit}"),
            Bar::AtMost(bar) => format!("≤ {bar}{unit}"),
            Bar::None => "-".to_owned(),
        };
        let range = match (self.values.first(), self.values.last()) {
            (Some(least), Some(greatest)) => format!("{} to {}", show(*least), show(*greatest)),
            _ => String::new(),
        };
        let met = if matches!(self.bar, Bar::None) {
            ""
        } else if self.is_met() {
            "yes"
        } else {
            "NO"
        };
        write!(f, "| {} | {bar} | {} | {range} | {met} |", self.what, show(self.median()))
    }
}
