//! How many rows each table has, as far as the spec alone tells. Pure.

use shardmill_shared::spec::{Fields, Place, Value};

use super::draft::Drafts;
use crate::fanout::{BLOCK, Fanout, Strata};
use crate::random::key::Key;
use crate::random::weighted::Counts;

/// The most children a parent may have on average: more would make one block larger than a shard can hold.
const CHILDREN_MAX: u64 = 1_000_000;
/// Where effects scale a fan-out without a written maximum: so many times the greatest drawn number.
const SCALE_MAX: u64 = 64;
/// Quantiles that a parent draws from where each draws for itself: far finer than any test of a table could tell.
const INDEPENDENT_PARTS: u64 = 1 << 16;
/// The most rows of one table: row indexes and sums of them stay far from 2^64.
const ROWS_MAX: u64 = 1 << 62;

/// A fan-out as written.
#[derive(Debug)]
pub struct FanoutDraft {
    /// Orders each block.
    pub key: Key,
    /// The number of children at each of [`BLOCK`] quantiles, or of more where each parent draws for itself; clipped.
    pub quantiles: Vec<u64>,
    /// Whether each parent draws for itself.
    pub independent: bool,
    /// The least and the greatest number after scaling.
    pub clip: (u64, u64),
}

/// Reads a fan-out; without one every parent has one child.
pub fn fanout(table: &Place<'_>, place: Option<&Place<'_>>, key: Key) -> Option<FanoutDraft> {
    let constant = |each: u64| FanoutDraft {
        key,
        quantiles: vec![each; BLOCK as usize],
        independent: false,
        clip: (0, each * SCALE_MAX),
    };
    let Some(place) = place else { return Some(constant(1)) };
    if let Value::Int(_) = place.node.value {
        return match place.count()? {
            0 => place.problem("a fan-out of 0 makes no rows", "at least 1"),
            each if each > CHILDREN_MAX => place
                .problem(format!("{each} children for each parent are too many"), format!("at most {CHILDREN_MAX}")),
            each => Some(constant(each)),
        };
    }
    let fields = place.fields()?;
    let kind =
        fields.need_any(&["distribution", "type"])?.one_of("fan-out distribution", &["poisson", "uniform", "constant"]);
    let independent = fields.get("iid").map_or(Some(false), |place| place.bool());
    let parts = if independent == Some(true) { INDEPENDENT_PARTS } else { BLOCK };
    let quantiles = kind.and_then(|kind| match kind {
        0 => poisson(&fields, parts),
        1 => uniform(&fields, parts),
        _ => fields.need_any(&["value", "count"])?.count().map(|each| vec![each; BLOCK as usize]),
    });
    // A uniform fan-out names its least and greatest number by the words that clip the others.
    let clip = if kind == Some(1) { clamp(&fields) } else { clip(&fields) };
    if kind.is_some() {
        fields.finish();
    }
    let (mut quantiles, (least, most)) = (quantiles?, clip?);
    quantiles.iter_mut().for_each(|number| *number = (*number).clamp(least, most));
    let greatest = quantiles.iter().copied().max().unwrap_or_default();
    if greatest == 0 {
        return table.problem("no parent would ever have a child", "a fan-out that gives rows");
    }
    if greatest > CHILDREN_MAX {
        return place
            .problem(format!("{greatest} children for one parent are too many"), format!("at most {CHILDREN_MAX}"));
    }
    let most = if most == u64::MAX { greatest * SCALE_MAX } else { most };
    Some(FanoutDraft { key, quantiles, independent: independent?, clip: (least, most) })
}

fn poisson(fields: &Fields<'_>, parts: u64) -> Option<Vec<u64>> {
    let place = fields.need_any(&["lambda", "mean"])?;
    let lambda = place.float_where("a number above 0 and at most 1000000", |x| x > 0.0 && x <= 1e6)?;
    match Counts::poisson(lambda) {
        Ok(counts) => Some(counts.quantiles(parts as usize)),
        Err(error) => place.problem(error.to_string(), "a smaller number"),
    }
}

fn uniform(fields: &Fields<'_>, parts: u64) -> Option<Vec<u64>> {
    if let Some(lambda) = fields.get("lambda") {
        lambda.warn("`lambda` means nothing beside `uniform`");
    }
    let (low, high) = (fields.need("min"), fields.need("max"));
    let (low, high) = (low?.count()?, high?.count()?);
    if low > high {
        return fields.place.problem(format!("min {low} is above max {high}"), "min at most max");
    }
    if high > CHILDREN_MAX {
        return fields
            .place
            .problem(format!("{high} children for one parent are too many"), format!("at most {CHILDREN_MAX}"));
    }
    let span = high - low + 1;
    Some((0..parts).map(|at| low + (2 * at + 1) * span / (2 * parts)).collect())
}

fn clamp(fields: &Fields<'_>) -> Option<(u64, u64)> {
    let Some(place) = fields.get("clamp") else { return Some((0, u64::MAX)) };
    let list: Option<Vec<u64>> = place.list()?.iter().map(Place::count).collect();
    match list?.as_slice() {
        [min, max] => ordered(&place, (*min, *max)),
        _ => place.problem("this is no pair", "[min, max]"),
    }
}

fn clip(fields: &Fields<'_>) -> Option<(u64, u64)> {
    let (mut least, mut most) = clamp(fields)?;
    if let Some(place) = fields.get("min") {
        least = least.max(place.count()?);
    }
    if let Some(place) = fields.get("max") {
        most = most.min(place.count()?);
    }
    ordered(&fields.place, (least, most))
}

fn ordered(place: &Place<'_>, (min, max): (u64, u64)) -> Option<(u64, u64)> {
    if min > max {
        return place.problem(format!("min {min} is above max {max}"), "min at most max");
    }
    Some((min, max))
}

impl FanoutDraft {
    /// Whether only a counting stage can tell how many children there are.
    pub fn is_counted(&self, effects: usize) -> bool {
        self.independent || effects > 0
    }

    /// The fewest and the most children that one parent can have.
    pub fn ends(&self, effects: usize) -> (u64, u64) {
        if effects > 0 {
            return self.clip;
        }
        // Quantiles rise.
        (self.quantiles.first().copied().unwrap_or_default(), self.quantiles.last().copied().unwrap_or_default())
    }

    /// The rule without effects.
    pub fn plain(&self) -> Fanout {
        match self.quantiles.first() {
            Some(each) if self.quantiles.iter().all(|number| number == each) => Fanout::Constant(*each),
            _ => Fanout::Stratified(Strata { key: self.key, quantiles: self.quantiles.clone() }),
        }
    }
}

impl Drafts<'_> {
    /// The fewest and the most rows of a table; `None` when they do not fit.
    pub fn rows_between(&self, table: usize) -> Option<(u64, u64)> {
        let draft = &self.tables[table];
        let (Some(parent), Some(fanout)) = (draft.parents.first(), &draft.fanout) else {
            return (draft.own_rows <= ROWS_MAX).then_some((draft.own_rows, draft.own_rows));
        };
        let (least, most) = self.rows_between(*parent)?;
        let rows = if fanout.is_counted(draft.effects.len()) {
            let ends = fanout.ends(draft.effects.len());
            (least.checked_mul(ends.0)?, most.checked_mul(ends.1)?)
        } else {
            let plain = fanout.plain();
            (plain.total(least)?, plain.total(most)?)
        };
        (rows.1 <= ROWS_MAX).then_some(rows)
    }

    /// The most rows a table can have; a table that is too large has been refused before.
    pub fn rows_most(&self, table: usize) -> u64 {
        self.rows_between(table).map_or(ROWS_MAX, |(_, most)| most)
    }
}

/// Refuses tables with no rows or more than can be numbered.
pub fn check(drafts: &Drafts<'_>) -> Option<()> {
    let mut sound = Some(());
    for (at, table) in drafts.tables.iter().enumerate() {
        match drafts.rows_between(at) {
            None => {
                sound = table
                    .place
                    .problem("rows times fan-out are more than can be numbered", format!("at most {ROWS_MAX} rows"));
            }
            Some((_, 0)) => sound = table.place.problem("the table would have no rows", "a fan-out that gives rows"),
            Some(_) => {}
        }
    }
    sound
}
