//! Ranges and inequalities become bounds on the column that can be drawn within them. Pure.
//!
//! Of two columns, the one that can be drawn is bounded by the other; of two that can, the later one. What cannot be
//! drawn at all (an expression, a lookup) is only checked, and the author is told.

use super::draft::Drafts;
use crate::check::rules::{Comparison, Field, Inequality, Rules};
use crate::column::{Bound, Column, Limit, Side};
use crate::frame::Source;
use crate::generators::Nature;
use crate::tables::Table;
use crate::value::Type;

/// Puts a bound on a column for every rule that can hold by construction.
pub(super) fn apply(tables: &mut [Table], rules: &Rules, drafts: &Drafts<'_>) -> Option<()> {
    let place = |field: Field| &drafts.tables[field.table].columns[field.column].place;
    let mut sound = Some(());
    for range in &rules.ranges {
        let field = range.field;
        let column = &mut tables[field.table].columns[field.column];
        let (low, high) = column.generator.range();
        let plain = column.modifiers.is_empty() && is_drawn(column.generator.nature());
        if plain && (range.min.is_some_and(|min| high < min) || range.max.is_some_and(|max| low > max)) {
            sound =
                place(field).problem("its values and its range do not meet", "a range that the generator can reach");
            continue;
        }
        if !is_drawn(column.generator.nature()) {
            place(field).warn(
                "its range is checked by `verify` but cannot hold by construction, because the values are computed",
            );
            continue;
        }
        let bound = |side, at: Option<f64>| at.map(|at| Bound { side, strict: false, at: Limit::Constant(at) });
        column.bounds.extend(bound(Side::Lower, range.min));
        column.bounds.extend(bound(Side::Upper, range.max));
    }
    for rule in &rules.inequalities {
        if inequality(tables, rule, drafts).is_none() {
            sound = None;
        }
    }
    // Each round carries a limit one column further.
    for _ in &rules.inequalities {
        let carried = rules.inequalities.iter().filter(|rule| leave_room(tables, rule)).count();
        if carried == 0 {
            break;
        }
    }
    sound
}

/// Where one column is bounded by another drawn one, keeps that one from where nothing would be left for the first. Answers
/// whether that is news.
fn leave_room(tables: &mut [Table], rule: &Inequality) -> bool {
    let columns = &mut tables[rule.left.table].columns;
    let Some((bounded, other, bound)) =
        roles(columns, rule).filter(|(_, other, _)| is_drawn(columns[*other].generator.nature()))
    else {
        return false;
    };
    let (side, limit) = match bound.side {
        Side::Lower => (Side::Upper, reach(&columns[bounded]).1),
        Side::Upper => (Side::Lower, reach(&columns[bounded]).0),
    };
    let room = Bound { side, strict: bound.strict, at: Limit::Constant(limit) };
    let (least, most) = reach(&columns[other]);
    let nearest = room.nearest(limit, columns[other].kind);
    let is_new = if side == Side::Upper { nearest < most } else { nearest > least };
    let is_news = limit.is_finite() && is_new;
    if is_news {
        columns[other].bounds.push(room);
    }
    is_news
}

/// The least and the greatest value that a column can have, as far as is known.
fn reach(column: &Column) -> (f64, f64) {
    let plain = column.modifiers.is_empty();
    let (mut least, mut most) = if plain { column.generator.range() } else { (f64::NEG_INFINITY, f64::INFINITY) };
    for side in [Side::Lower, Side::Upper] {
        let whole = Bound { side, strict: false, at: Limit::Constant(0.0) };
        match side {
            // A time of a day is rounded down to it.
            Side::Lower if column.kind != Type::Date => least = whole.nearest(least, column.kind),
            Side::Lower => {}
            Side::Upper => most = whole.nearest(most, column.kind),
        }
    }
    for bound in &column.bounds {
        let Limit::Constant(limit) = bound.at else { continue };
        match bound.side {
            Side::Lower => least = least.max(bound.nearest(limit, column.kind)),
            Side::Upper => most = most.min(bound.nearest(limit, column.kind)),
        }
    }
    (least, most)
}

/// Which column of a rule is bounded, which one bounds it, and how: of two that are drawn, the later one is bounded.
fn roles(columns: &[Column], rule: &Inequality) -> Option<(usize, usize, Bound)> {
    let drawn = |column: usize| is_drawn(columns[column].generator.nature());
    let bounded = match (drawn(rule.left.column), drawn(rule.right.column)) {
        (true, true) => rule.left.column.max(rule.right.column),
        (true, false) => rule.left.column,
        (false, true) => rule.right.column,
        (false, false) => return None,
    };
    let (strict, less) = match rule.op {
        Comparison::Less => (true, true),
        Comparison::LessOrEqual => (false, true),
        Comparison::Greater => (true, false),
        Comparison::GreaterOrEqual => (false, false),
        Comparison::Equal => return None,
    };
    let is_left = bounded == rule.left.column;
    let other = if is_left { rule.right.column } else { rule.left.column };
    let side = if is_left == less { Side::Upper } else { Side::Lower };
    (bounded != other).then_some((bounded, other, Bound { side, strict, at: Limit::Column(Source::Own(other)) }))
}

fn is_drawn(nature: Nature) -> bool {
    nature == Nature::Drawn
}

fn inequality(tables: &mut [Table], rule: &Inequality, drafts: &Drafts<'_>) -> Option<()> {
    let table = rule.left.table;
    let columns = &tables[table].columns;
    let (left, right) = (&columns[rule.left.column], &columns[rule.right.column]);
    let place = |column: usize| &drafts.tables[table].columns[column].place;
    if rule.left == rule.right {
        return match rule.op {
            Comparison::Less | Comparison::Greater => {
                place(rule.left.column).problem("a value is never less than itself", "two columns")
            }
            _ => Some(()),
        };
    }
    if rule.op == Comparison::Equal {
        place(rule.right.column)
            .warn("equality is checked by `verify`; to make it hold, compute one column from the other");
        return Some(());
    }
    let drawn = |column: usize| is_drawn(columns[column].generator.nature());
    if drawn(rule.left.column) && drawn(rule.right.column) {
        let (left, right) = (left.generator.range(), right.generator.range());
        let impossible = match rule.op {
            Comparison::Less => left.0 >= right.1,
            Comparison::LessOrEqual => left.0 > right.1,
            Comparison::Greater => left.1 <= right.0,
            _ => left.1 < right.0,
        };
        let plain = columns[rule.left.column].modifiers.is_empty() && columns[rule.right.column].modifiers.is_empty();
        if impossible && plain {
            let message = format!(
                "`{}` {} `{}` can never hold",
                columns[rule.left.column].name,
                rule.op.sign(),
                columns[rule.right.column].name
            );
            return place(rule.right.column).problem(message, "ranges of values that overlap the right way");
        }
    }
    match roles(columns, rule) {
        Some((bounded, _, bound)) => tables[table].columns[bounded].bounds.push(bound),
        None => place(rule.right.column).warn(
            "the inequality is checked by `verify` but cannot hold by construction, because both values are computed",
        ),
    }
    Some(())
}
