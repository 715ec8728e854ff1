//! `datetime_series`: moments in a window, with weights by hour, weekday and month. Pure.

use arrow::array::{ArrayRef, Float64Array};
use shardmill_shared::spec::Place;

use super::calendar::{Calendar, Pattern};
use super::window::{Grid, Window, within};
use super::{Generator, Info, Param, Read};
use crate::civil::SECOND_US;
use crate::compile::site::Site;
use crate::draw::{Draw, Inversion};
use crate::error::Result;
use crate::fanout::Children;
use crate::frame::Frame;
use crate::measure::{floor_whole, from_measure};
use crate::random::key::Key;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "datetime_series",
    about: "moments in a window; several patterns multiply, and so does a `seasonality` modifier of the column",
    params: &[
        Param {
            name: "within",
            takes: "timeframe, or {start, end}",
            default: "timeframe",
            about: "the first and last moment, both included",
        },
        Param {
            name: "freq",
            takes: "S, T, H, D, W, M, Q or Y, with a number before it if wanted",
            default: "that of the timeframe, else S",
            about: "values lie on this grid, counted from the start; M, Q and Y are last days",
        },
        Param {
            name: "pattern",
            takes: "{dimension: hour, dow or month, weights}, or a list of them",
            default: "none",
            about: "weights: 24 hours, 7 weekdays from Monday, 12 months",
        },
        Param {
            name: "order",
            takes: "random or ascending",
            default: "random",
            about: "ascending: later rows of a parent (or of a table without one) are not earlier",
        },
    ],
    bare: Some("within"),
    example: "{type: datetime, datetime_series: {within: {start: 2024-01-01, end: 2024-06-30}, pattern: {dimension: dow, weights: [1, 1, 1, 1, 1.5, 0.4, 0.2]}}}",
    build,
};

#[derive(Debug)]
struct Series {
    key: Key,
    window: Window,
    grid: Grid,
    calendar: Calendar,
    even: Option<Even>,
    order: Order,
}

/// Moments that are all alike and lie on a grid of equal steps: a multiplication finds the step.
#[derive(Clone, Copy, Debug)]
struct Even {
    start: f64,
    end: f64,
    step: f64,
    steps: f64,
}

/// How rows follow one another in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Random,
    /// Ascending over all rows of the table.
    Table,
    /// Ascending among the children of one parent.
    Siblings {
        table: usize,
    },
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let window = within(&fields, site);
    let grid = match fields.get("freq").or_else(|| site.timeframe_freq()) {
        Some(place) => Grid::read(&place),
        None => Some(Grid::Every(SECOND_US)),
    };
    let patterns = fields.get("pattern").map_or(Some(Vec::new()), |place| Pattern::read(&place));
    let order = fields.get("order").map_or(Some(0), |place| place.one_of("order", &["random", "ascending"]));
    fields.finish();
    let (window, grid, order) = (window?, grid?, order?);
    let mut patterns = patterns?;
    patterns.extend(site.seasonalities()?);
    let Some(calendar) = Calendar::new(grid.widen(window), &patterns) else {
        return place.problem("no moment of the window has any weight", "a wider window, or weights above 0 in it");
    };
    let order = match (order, site.parent()) {
        (0, _) => Order::Random,
        (_, Some(_)) => Order::Siblings { table: site.table },
        (_, None) => Order::Table,
    };
    let even = Even::of(window, grid, patterns.is_empty());
    Some(Box::new(Series { key: site.key(), window, grid, calendar, even, order }))
}

impl Even {
    fn of(window: Window, grid: Grid, is_even: bool) -> Option<Self> {
        let Grid::Every(step) = grid else { return None };
        let wide = grid.widen(window);
        let steps = (wide.end + 1 - wide.start) as f64 / step as f64;
        is_even.then_some(Self { start: window.start as f64, end: window.end as f64, step: step as f64, steps })
    }

    #[inline]
    fn quantile(self, unit: f64) -> f64 {
        (self.start + floor_whole(unit * self.steps) as f64 * self.step).min(self.end)
    }
}

impl Series {
    /// One uniform number in each of as many equal cells as there are rows that follow one another.
    fn ascending(&self, frame: &Frame<'_>, mut units: Vec<f64>) -> Result<Vec<f64>> {
        match self.order {
            Order::Random => {}
            Order::Table => {
                let rows = frame.tables.rows(frame.table)? as f64;
                units.iter_mut().enumerate().for_each(|(at, unit)| *unit = (frame.rows.at(at) as f64 + *unit) / rows);
            }
            Order::Siblings { table } => {
                let children = Children { tables: frame.tables, table, scratch: &frame.scratch };
                let mut siblings = 0..0;
                for (at, unit) in units.iter_mut().enumerate() {
                    let row = frame.rows.at(at);
                    if !siblings.contains(&row) {
                        siblings = children.of(children.parent_of(row)?)?;
                    }
                    *unit = ((row - siblings.start) as f64 + *unit) / (siblings.end - siblings.start) as f64;
                }
            }
        }
        Ok(units)
    }
}

impl Generator for Series {
    fn kind(&self) -> Type {
        Type::Time
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let mut values = Inversion::units(self, draw)?;
        match self.even {
            Some(even) => values.iter_mut().for_each(|value| *value = even.quantile(*value)),
            None => values.iter_mut().for_each(|value| *value = Inversion::quantile(self, *value)),
        }
        self.array(values)
    }

    fn reads(&self) -> Vec<Read> {
        match self.order {
            Order::Siblings { table } => vec![Read::Children { table, column: None }],
            _ => Vec::new(),
        }
    }

    fn inversion(&self) -> Option<&dyn Inversion> {
        Some(self)
    }

    fn range(&self) -> (f64, f64) {
        (self.window.start as f64, self.window.end as f64)
    }
}

impl Inversion for Series {
    fn quantile(&self, unit: f64) -> f64 {
        match self.even {
            Some(even) => even.quantile(unit),
            None => self.grid.round_line(self.calendar.quantile(unit), self.window),
        }
    }

    fn below(&self, value: f64) -> f64 {
        if value <= self.window.start as f64 {
            return 0.0;
        }
        if value > self.window.end as f64 {
            return 1.0;
        }
        self.calendar.cdf(self.grid.first(value.ceil() as i64, self.window) as f64)
    }

    fn up_to(&self, value: f64) -> f64 {
        self.below(value.floor() + 1.0)
    }

    fn units(&self, draw: &Draw<'_, '_>) -> Result<Vec<f64>> {
        self.ascending(draw.frame, draw.units(self.key, 0))
    }

    fn array(&self, values: Vec<f64>) -> Result<ArrayRef> {
        from_measure(&Float64Array::from(values), Type::Time)
    }
}
