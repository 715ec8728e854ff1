//! The columns of a table as written: what is wrong with one is reported, and the others are still read. Pure.

use shardmill_shared::spec::{Fields, Place, Value};

use super::COLUMNS_MAX;
use crate::generators::{self, GENERATORS};
use crate::value::{TYPE_NAMES, Type};

/// A column as written.
pub struct ColumnDraft<'a> {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place<'a>,
    /// Its type, if written.
    pub declared: Option<Type>,
    /// Whether it may be null, if written.
    pub nullable: Option<bool>,
    /// The share of nulls.
    pub null_rate: f64,
    /// Whether values must differ.
    pub unique: bool,
    /// The generator and its parameters, if written.
    pub generator: Option<(&'static generators::Info, Place<'a>)>,
    /// Names and arguments of its modifiers.
    pub modifiers: Vec<(String, Place<'a>)>,
    /// Where its own constraints are written.
    pub constraints: Option<Place<'a>>,
    /// Whether something of it could not be read: that has been reported, and nothing more is said of it.
    pub is_broken: bool,
}

/// Reads the columns of a table, in either form.
pub(super) fn columns<'a>(fields: &Fields<'a>) -> Option<Vec<ColumnDraft<'a>>> {
    let place = fields.need("columns")?;
    let named: Vec<(Option<&str>, Place<'a>)> = match &place.node.value {
        Value::List(_) => place.list()?.into_iter().map(|place| (None, place)).collect(),
        _ => place.entries()?.into_iter().map(|(name, place)| (Some(name), place)).collect(),
    };
    if named.is_empty() {
        return place.problem("there are no columns", "at least one column");
    }
    if named.len() > COLUMNS_MAX {
        return place.problem(format!("there are {} columns", named.len()), format!("at most {COLUMNS_MAX}"));
    }
    let mut columns: Vec<ColumnDraft<'a>> = Vec::new();
    for (name, place) in named {
        let Some(column) = column(name, &place) else { continue };
        if columns.iter().any(|other| other.name == column.name) {
            place.problem::<()>(format!("column `{}` is written twice", column.name), "each column once");
        }
        columns.push(column);
    }
    Some(columns)
}

fn column<'a>(name: Option<&str>, place: &Place<'a>) -> Option<ColumnDraft<'a>> {
    let fields = place.fields()?;
    let name = match name {
        Some(name) => {
            fields.present("name");
            name.to_owned()
        }
        None => fields.need("name")?.text()?.to_owned(),
    };
    if name.is_empty() || name.chars().any(char::is_control) {
        return place.problem(format!("`{name}` cannot name a column"), "text without control characters");
    }
    let declared = declared(&fields);
    let null_rate = fields.get("null_rate").map_or(Some(0.0), |place| place.share());
    let nullable = fields.get("nullable").map_or(Some(None), |place| place.bool().map(Some));
    let unique = fields.get("unique").map_or(Some(false), |place| place.bool());
    let generator = generator(&fields, place);
    let modifiers = match fields.get("modifiers") {
        Some(list) => list.list()?.iter().map(modifier).collect(),
        None => Some(Vec::new()),
    };
    let constraints = fields.get("constraints");
    fields.finish();
    let null_rate_or = null_rate.unwrap_or(0.0);
    if nullable == Some(Some(false)) && null_rate_or > 0.0 {
        place.problem::<()>(
            "nulls are asked for in a column that is not nullable",
            "`nullable: true`, or no `null_rate`",
        );
    }
    let broken = [
        null_rate.is_none(),
        nullable.is_none(),
        unique.is_none(),
        declared.is_none(),
        generator.is_none(),
        modifiers.is_none(),
    ];
    Some(ColumnDraft {
        name,
        place: place.clone(),
        declared: declared.flatten(),
        nullable: nullable.flatten().or((null_rate_or > 0.0).then_some(true)),
        null_rate: null_rate_or,
        unique: unique.unwrap_or(false),
        generator: generator.flatten(),
        modifiers: modifiers.unwrap_or_default(),
        constraints,
        is_broken: broken.contains(&true),
    })
}

/// The type as written: `None` when it is wrong, `Some(None)` when there is none.
fn declared(fields: &Fields<'_>) -> Option<Option<Type>> {
    let Some(place) = fields.get("type") else { return Some(None) };
    let text = place.text()?;
    match Type::from_name(text) {
        Some(kind) => Some(Some(kind)),
        None => place.unknown("type", text, TYPE_NAMES),
    }
}

/// A generator as written and where its parameters stand.
type Written<'a> = Option<(&'static generators::Info, Place<'a>)>;

fn generator<'a>(fields: &Fields<'a>, column: &Place<'a>) -> Option<Written<'a>> {
    let mut found: Vec<(&'static generators::Info, Place<'a>)> = Vec::new();
    for info in GENERATORS {
        if let Some(place) = fields.present(info.name) {
            found.push((info, place));
        }
    }
    if let Some(place) = fields.get("generator") {
        let entries = place.entries()?;
        let [(name, params)] = entries.as_slice() else {
            return place.problem(format!("{} generators are given", entries.len()), "exactly one");
        };
        match generators::find(name) {
            Some(info) => found.push((info, params.clone())),
            None => return place.unknown("generator", name, GENERATORS.iter().map(|info| info.name)),
        }
    }
    if let [(first, _), (second, _), ..] = found.as_slice() {
        return column
            .problem(format!("both `{}` and `{}` would make its values", first.name, second.name), "one generator");
    }
    Some(found.into_iter().next())
}

/// Reads the name of a modifier and where its arguments stand.
pub(super) fn modifier<'a>(item: &Place<'a>) -> Option<(String, Place<'a>)> {
    let fields = item.fields()?;
    let name = fields.need("transform");
    let args = fields.present("args");
    fields.finish();
    let place = name?;
    let name = place.text()?;
    if crate::modifiers::find(name).is_none() {
        return place.unknown("modifier", name, crate::modifiers::MODIFIERS.iter().map(|info| info.name));
    }
    match args {
        Some(args) => Some((name.to_owned(), args)),
        None => item.problem(format!("`{name}` has no arguments"), "the key `args`"),
    }
}
