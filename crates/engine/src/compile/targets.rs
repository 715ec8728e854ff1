//! Targets: figures over the finished dataset that are checked, never steered. Pure.

use shardmill_shared::spec::{Fields, Place, Value};

use super::constraints::Names;
use crate::check::rules::{Field, Rules, Target};
use crate::generators::calendar::Pattern;

/// Reads the targets; each name may stand once or as a list.
pub(super) fn read(place: &Place<'_>, names: &Names<'_>, rules: &mut Rules) -> Option<()> {
    let fields = place.fields()?;
    let mut targets = Vec::new();
    for item in items(&fields, "weekend_share") {
        targets.extend(share(&item, names));
    }
    for item in items(&fields, "mean_in_range") {
        targets.extend(mean(&item, names));
    }
    for item in items(&fields, "composite_effect") {
        targets.extend(composite(&item, names));
    }
    fields.finish();
    rules.targets.extend(targets);
    Some(())
}

fn items<'a>(fields: &Fields<'a>, name: &'static str) -> Vec<Place<'a>> {
    match fields.get(name) {
        Some(place) if matches!(place.node.value, Value::List(_)) => place.list().unwrap_or_default(),
        Some(place) => vec![place],
        None => Vec::new(),
    }
}

fn bounded(fields: &Fields<'_>) -> Option<(f64, f64)> {
    let (min, max) = (fields.need("min").and_then(|p| p.float()), fields.need("max").and_then(|p| p.float()));
    let (min, max) = (min?, max?);
    if min > max {
        return fields.place.problem(format!("min {min} is above max {max}"), "min at most max");
    }
    Some((min, max))
}

fn time_column(place: &Place<'_>, field: Field, names: &Names<'_>) -> Option<Field> {
    match names.kind(field) {
        kind if kind.is_temporal() => Some(field),
        kind => place.problem(format!("the column has type {kind}"), "a datetime or date column"),
    }
}

fn share(item: &Place<'_>, names: &Names<'_>) -> Option<Target> {
    let fields = item.fields()?;
    let (table, column) = (fields.need("table"), fields.need("timestamp"));
    let ends = bounded(&fields);
    fields.finish();
    let column = column?;
    let field = names.column(&column, names.table(&table?)?)?;
    let (min, max) = ends?;
    Some(Target::WeekendShare { field: time_column(&column, field, names)?, min, max })
}

fn mean(item: &Place<'_>, names: &Names<'_>) -> Option<Target> {
    let fields = item.fields()?;
    let (table, column) = (fields.need("table"), fields.need("column"));
    let ends = bounded(&fields);
    fields.finish();
    let column = column?;
    let field = names.column(&column, names.table(&table?)?)?;
    if !names.kind(field).is_number() {
        return column.problem(format!("the column has type {}", names.kind(field)), "a numeric column");
    }
    let (min, max) = ends?;
    Some(Target::MeanInRange { field, min, max })
}

fn composite(item: &Place<'_>, names: &Names<'_>) -> Option<Target> {
    let fields = item.fields()?;
    let table = fields.need("table").and_then(|place| names.table(&place));
    fields.get("metric");
    let influences = fields.need("influences");
    let tolerance = fields.get("tolerance");
    let timestamp = fields.get("timestamp");
    fields.finish();
    let table = table?;
    let field = match timestamp {
        Some(place) => time_column(&place, names.column(&place, table)?, names)?,
        None => {
            let column = names.tables[table].columns.iter().position(|column| column.kind.is_temporal());
            match column {
                Some(column) => Field { table, column },
                None => return item.problem("the table has no datetime column", "a table with one"),
            }
        }
    };
    let mut patterns = Vec::new();
    for influence in influences?.list()? {
        let fields = influence.fields()?;
        match fields.need("kind")?.one_of("influence", &["seasonality", "effect", "outliers"])? {
            0 => patterns.push(Pattern::fields(&fields)?),
            // Effects and outliers change values, not when rows occur, so they have no share of the histogram.
            _ => influence.warn("only seasonality influences when rows occur; this influence is not compared"),
        }
    }
    let (mut mae, mut mape) = (0.05, 10.0);
    if let Some(place) = tolerance {
        let fields = place.fields()?;
        mae = fields.float_or(&["mae"], mae)?;
        mape = fields.float_or(&["mape"], mape)?;
        fields.finish();
    }
    Some(Target::CompositeEffect { field, patterns, mae, mape })
}
