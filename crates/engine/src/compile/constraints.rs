//! Constraints become rules for the checker and, where values can be drawn so, bounds that hold by construction. Pure.

use regex::Regex;
use shardmill_shared::spec::{Fields, Place, Report, Value};

use super::draft::Drafts;
use super::targets;
use super::{CONSTRAINTS_MAX, bounds};
use crate::check::rules::{Comparison, EnumValues, Field, Inequality, RangeRule, Rules};
use crate::generators::Nature;
use crate::generators::choice::time;
use crate::tables::{Table, Tables};
use crate::value::Type;

/// Reads constraints and targets and applies what can hold by construction.
pub fn apply(mut tables: Vec<Table>, drafts: &Drafts<'_>, report: &Report) -> Option<Tables> {
    let mut rules = Rules::default();
    implied(&tables, drafts, &mut rules);
    let names = Names { tables: &tables };
    if let Some(place) = &drafts.constraints {
        global(place, &names, &mut rules);
    }
    for (table, draft) in drafts.tables.iter().enumerate() {
        for (column, draft) in draft.columns.iter().enumerate() {
            if let Some(place) = &draft.constraints {
                if names.kind(Field { table, column }) == Type::Struct {
                    place.problem::<()>("its values are structs", "no constraints; its schema says what fits");
                    continue;
                }
                own(place, Field { table, column }, &names, &mut rules);
            }
        }
    }
    if let Some(place) = &drafts.targets {
        targets::read(place, &names, &mut rules);
    }
    if report.has_errors() {
        return None;
    }
    bounds::apply(&mut tables, &rules, drafts)?;
    let whole = tables.iter().map(|table| table.columns.iter().map(|_| Default::default()).collect()).collect();
    Some(Tables { list: tables, rules, whole })
}

/// What follows from the structure: keys are unique, and columns copied from a key are foreign keys.
fn implied(tables: &[Table], drafts: &Drafts<'_>, rules: &mut Rules) {
    for (at, table) in tables.iter().enumerate() {
        for (column, described) in table.columns.iter().enumerate() {
            let field = Field { table: at, column };
            if table.key == Some(column) || drafts.tables[at].columns[column].unique {
                rules.unique.push(field);
            }
            if let (Nature::Copied { link, column }, true) =
                (described.generator.nature(), described.modifiers.is_empty())
            {
                let target = table.links[link].target;
                if tables[target].key == Some(column) {
                    rules.foreign_keys.push((field, Field { table: target, column }));
                }
            }
        }
    }
}

/// Finds columns by `table.column`.
pub(super) struct Names<'t> {
    pub(super) tables: &'t [Table],
}

impl Names<'_> {
    /// The table named at a place.
    pub(super) fn table(&self, place: &Place<'_>) -> Option<usize> {
        let name = place.text()?;
        match self.tables.iter().position(|table| table.name == name) {
            Some(at) => Some(at),
            None => place.unknown("table", name, self.tables.iter().map(|table| table.name.as_str())),
        }
    }

    /// The column of a table named at a place.
    pub(super) fn column(&self, place: &Place<'_>, table: usize) -> Option<Field> {
        self.named(place, table, place.text()?)
    }

    fn named(&self, place: &Place<'_>, table: usize, name: &str) -> Option<Field> {
        let columns = &self.tables[table].columns;
        match columns.iter().position(|column| column.name == name) {
            Some(column) if columns[column].kind == Type::Struct => {
                place.problem(format!("`{name}` is a struct"), "a column of single values")
            }
            Some(column) => Some(Field { table, column }),
            None => {
                let what = format!("column of `{}` named", self.tables[table].name);
                place.unknown(&what, name, columns.iter().map(|column| column.name.as_str()))
            }
        }
    }

    /// The column written as `table.column` at a place.
    pub(super) fn field(&self, place: &Place<'_>) -> Option<Field> {
        let text = place.text()?;
        let Some((table, column)) = text.split_once('.') else {
            return place.problem(format!("`{text}` names no column"), "table.column");
        };
        match self.tables.iter().position(|known| known.name == table) {
            Some(at) => self.named(place, at, column),
            None => place.unknown("table", table, self.tables.iter().map(|table| table.name.as_str())),
        }
    }

    /// The type of a column.
    pub(super) fn kind(&self, field: Field) -> Type {
        self.tables[field.table].columns[field.column].kind
    }
}

fn global(place: &Place<'_>, names: &Names<'_>, rules: &mut Rules) -> Option<()> {
    let fields = place.fields()?;
    each(&fields, "unique", |item| {
        let field = names.field(item)?;
        if !rules.unique.contains(&field) {
            rules.unique.push(field);
        }
        Some(())
    });
    each(&fields, "foreign_keys", |item| {
        let pair = item.fields()?;
        let (from, to) = (pair.need("from"), pair.need("to"));
        pair.finish();
        let (from, to) = (names.field(&from?)?, names.field(&to?)?);
        if !rules.foreign_keys.contains(&(from, to)) {
            rules.foreign_keys.push((from, to));
        }
        Some(())
    });
    each(&fields, "ranges", |item| {
        let range = item.fields()?;
        let field = range.need("attr").and_then(|place| names.field(&place));
        let rule = ends(&range, field?, names);
        range.finish();
        rules.ranges.push(rule?);
        Some(())
    });
    each(&fields, "inequalities", |item| {
        rules.inequalities.push(inequality(item, names)?);
        Some(())
    });
    each(&fields, "pattern", |item| {
        let fields = item.fields()?;
        let (attr, regex) = (fields.need("attr"), fields.need("regex"));
        fields.finish();
        rules.patterns.push((names.field(&attr?)?, pattern(&regex?)?));
        Some(())
    });
    each(&fields, "enum", |item| {
        let fields = item.fields()?;
        let attr = fields.need("attr").and_then(|place| names.field(&place));
        let values = enum_values(&fields, names);
        fields.finish();
        rules.enums.push((attr?, values?));
        Some(())
    });
    fields.finish();
    Some(())
}

fn own(place: &Place<'_>, field: Field, names: &Names<'_>, rules: &mut Rules) -> Option<()> {
    let fields = place.fields()?;
    if let Some(regex) = fields.get("pattern") {
        rules.patterns.push((field, pattern(&regex)?));
    }
    if let Some(values) = fields.get("enum") {
        rules.enums.push((field, EnumValues::Listed(texts(&values)?)));
    }
    if let Some(reference) = fields.get("enum_ref") {
        rules.enums.push((field, EnumValues::Of(names.field(&reference)?)));
    }
    let range = ends(&fields, field, names)?;
    if range.min.is_some() || range.max.is_some() {
        rules.ranges.push(range);
    }
    fields.finish();
    Some(())
}

fn each(fields: &Fields<'_>, name: &'static str, mut read: impl FnMut(&Place<'_>) -> Option<()>) -> Option<()> {
    let place = fields.get(name)?;
    let items = place.list()?;
    if items.len() > CONSTRAINTS_MAX {
        return place.problem(format!("there are {} of them", items.len()), format!("at most {CONSTRAINTS_MAX}"));
    }
    items.iter().for_each(|item| {
        read(item);
    });
    Some(())
}

fn ends(fields: &Fields<'_>, field: Field, names: &Names<'_>) -> Option<RangeRule> {
    let kind = names.kind(field);
    let end = |name: &'static str| match fields.get(name) {
        None => Some(None),
        Some(place) if kind.is_temporal() => time(&place).map(|time| Some(time as f64)),
        Some(place) if kind.is_number() => place.float().map(Some),
        Some(place) => place.problem(format!("values of type {kind} have no range"), "a numeric or datetime column"),
    };
    let (min, max) = (end("min"), end("max"));
    let (min, max) = (min?, max?);
    if let (Some(least), Some(greatest)) = (min, max)
        && least > greatest
    {
        return fields.place.problem(format!("min {least} is above max {greatest}"), "min at most max");
    }
    Some(RangeRule { field, min, max })
}

fn inequality(item: &Place<'_>, names: &Names<'_>) -> Option<Inequality> {
    let fields = item.fields()?;
    let (left, op, right) = (fields.need("left"), fields.need("op"), fields.need("right"));
    fields.finish();
    let left = names.field(&left?);
    let op = op?.one_of("comparison", &Comparison::SIGNS);
    let right_place = right?;
    let (left, op, right) = (left?, Comparison::ALL[op?], names.field(&right_place)?);
    if left.table != right.table {
        return right_place.problem(
            "the columns stand in different tables",
            "two columns of one table; a `lookup` brings the other one here",
        );
    }
    let ordered = |field: Field| names.kind(field).is_number() || names.kind(field).is_temporal();
    if op != Comparison::Equal && !(ordered(left) && ordered(right)) {
        return item.problem("one of the columns has no order", "numeric or datetime columns");
    }
    Some(Inequality { left, op, right })
}

fn pattern(place: &Place<'_>) -> Option<Regex> {
    let text = place.text()?;
    // A pattern describes the whole value, as validators of other tools take it.
    match Regex::new(&format!("^(?:{text})$")) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or("it cannot be compiled").trim().to_owned();
            place.problem(format!("`{text}` is no regular expression: {reason}"), "a regular expression (RE2 syntax)")
        }
    }
}

fn enum_values(fields: &Fields<'_>, names: &Names<'_>) -> Option<EnumValues> {
    match (fields.get("values"), fields.get("enum_ref")) {
        (Some(values), None) => Some(EnumValues::Listed(texts(&values)?)),
        (None, Some(reference)) => Some(EnumValues::Of(names.field(&reference)?)),
        _ => fields.place.problem("the allowed values are not given", "exactly one of `values` and `enum_ref`"),
    }
}

fn texts(place: &Place<'_>) -> Option<Vec<String>> {
    place
        .list()?
        .iter()
        .map(|item| match &item.node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Int(int) => Some(int.to_string()),
            Value::Float(float) => Some(float.to_string()),
            Value::Bool(bool) => Some(bool.to_string()),
            _ => item.problem("this is no single value", "text, a number, true or false"),
        })
        .collect()
}
