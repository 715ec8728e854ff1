//! The tables as written, before anything is resolved: names, kinds, parents, and the places of the rest. Pure.

use shardmill_shared::spec::envelope::{ENVELOPE_KEYS, is_name};
use shardmill_shared::spec::{Fields, Place, Value};

use super::columns::{ColumnDraft, columns, modifier};
use super::size::{self, FanoutDraft};
use super::{COLUMNS_MAX, TABLES_MAX};
use crate::generators::window::{Window, span};
use crate::random::key::Root;

/// A spec's tables as written.
pub struct Drafts<'a> {
    /// The whole body.
    pub place: Place<'a>,
    /// Where keys come from.
    pub root: Root,
    /// The time that `within: timeframe` means.
    pub timeframe: Option<Window>,
    /// Where the timeframe's frequency is written.
    pub freq: Option<Place<'a>>,
    /// In the order written.
    pub tables: Vec<TableDraft<'a>>,
    /// Where constraints are written.
    pub constraints: Option<Place<'a>>,
    /// Where targets are written.
    pub targets: Option<Place<'a>>,
}

/// A table as written.
pub struct TableDraft<'a> {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place<'a>,
    /// What it is.
    pub kind: Kind,
    /// Its parents, by position; the first gives it its rows.
    pub parents: Vec<usize>,
    /// The rows of a table without parents.
    pub own_rows: u64,
    /// How many children each parent has.
    pub fanout: Option<FanoutDraft>,
    /// Table-level modifiers.
    pub effects: Vec<Place<'a>>,
    /// Its columns.
    pub columns: Vec<ColumnDraft<'a>>,
    /// The primary key, by position.
    pub key: Option<usize>,
    /// The share of rows that repeat an earlier one.
    pub duplicates: Option<f64>,
}

/// What a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Things of their own.
    Entity,
    /// What happens to, or belongs to, a parent.
    Fact,
    /// A fixed list.
    Vocab,
}

/// Behaviours that have keys in the reference language and are not built yet.
const LATER: [&str; 7] = [
    "segment_behavior",
    "vintage_behavior",
    "stage_config",
    "state_transition_model",
    "attribution_chain",
    "adoption_model",
    "lifecycle_model",
];
const DEFAULT_ROWS: u64 = 1_000;

/// Reads the body of a spec.
pub fn read<'a>(place: &Place<'a>, root: Root) -> Option<Drafts<'a>> {
    let fields = place.fields()?;
    let bare = fields.get("nodes").is_some();
    for key in ENVELOPE_KEYS {
        fields.present(key);
    }
    if bare {
        version(&fields);
        if let Some(metadata) = fields.get("metadata").and_then(|place| place.fields()) {
            metadata.get("name");
            metadata.get("version");
            metadata.finish();
        }
    }
    let (timeframe, freq) = match fields.get("timeframe") {
        Some(place) => timeframe(&place)?,
        None => (None, None),
    };
    let mut drafts = Drafts {
        place: place.clone(),
        root,
        timeframe,
        freq,
        tables: Vec::new(),
        constraints: fields.get("constraints"),
        targets: fields.get("targets"),
    };
    let dag = fields.get("dag");
    let written = match (fields.get("tables"), fields.get("nodes")) {
        (Some(tables), None) => tables.entries()?.into_iter().map(|(name, place)| (Some(name), place)).collect(),
        (None, Some(nodes)) => nodes.list()?.into_iter().map(|place| (None, place)).collect::<Vec<_>>(),
        (Some(_), Some(nodes)) => return nodes.problem("tables are written twice", "`tables` or `nodes`"),
        (None, None) => return fields.place.problem("there are no tables", "the key `tables`"),
    };
    fields.finish();
    if written.is_empty() {
        return place.problem("there are no tables", "at least one table");
    }
    if written.len() > TABLES_MAX {
        return place.problem(format!("there are {} tables", written.len()), format!("at most {TABLES_MAX} tables"));
    }
    let names = names(&written)?;
    for ((_, place), name) in written.iter().zip(&names) {
        let table = table(place, name, &names, &drafts)?;
        drafts.tables.push(table);
        if drafts.tables.iter().map(|table| table.columns.len()).sum::<usize>() > COLUMNS_MAX {
            return place.problem("there are too many columns", format!("at most {COLUMNS_MAX} in all tables"));
        }
    }
    parents_form_no_cycle(&drafts)?;
    if let Some(dag) = dag {
        super::graph::check_dag(&dag, &drafts);
    }
    size::check(&drafts);
    Some(drafts)
}

fn version(fields: &Fields<'_>) -> Option<()> {
    let place = fields.need("version")?;
    match &place.node.value {
        Value::Text(text) if text == "1.0" => Some(()),
        Value::Float(float) if *float == 1.0 => Some(()),
        _ => place.problem("this version is not known", "\"1.0\""),
    }
}

/// The window of a timeframe and where its frequency is written.
type Timeframe<'a> = (Option<Window>, Option<Place<'a>>);

fn timeframe<'a>(place: &Place<'a>) -> Option<Timeframe<'a>> {
    let fields = place.fields()?;
    let (start, end, freq) = (fields.need("start"), fields.need("end"), fields.get("freq"));
    fields.finish();
    let window = span(place, &start?, &end?)?;
    Some((Some(window), freq))
}

fn names(written: &[(Option<&str>, Place<'_>)]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut sound = Some(());
    for (name, place) in written {
        let name = match name {
            Some(name) => Some((*name).to_owned()),
            None => place.fields().and_then(|fields| fields.need("id")).and_then(|id| id.text().map(str::to_owned)),
        };
        let Some(name) = name else {
            sound = None;
            continue;
        };
        if !is_name(&name) || name.contains('.') {
            sound = place.problem(
                format!("`{name}` cannot name a table"),
                "letters, digits, `_` or `-`, not beginning with `_`",
            );
        } else if names.contains(&name) {
            sound = place.problem(format!("table `{name}` is written twice"), "each table once");
        }
        names.push(name);
    }
    sound.map(|()| names)
}

/// What is wrong with a table is reported, and the rest of it is still read: one report names everything.
fn table<'a>(place: &Place<'a>, name: &str, names: &[String], drafts: &Drafts<'a>) -> Option<TableDraft<'a>> {
    let fields = place.fields()?;
    fields.present("id");
    for key in LATER {
        fields.refuse(key, "behaviours come in a later version");
    }
    let parents = parents(&fields, names);
    let kind = kind(&fields, &parents);
    let columns = columns(&fields).unwrap_or_default();
    let rows = fields.get("rows");
    let fanout = fields.get("fanout");
    let effects = effects(&fields).unwrap_or_default();
    let key = fields.get_any(&["pk", "key"]);
    let duplicates = fields.get("duplicates").and_then(|place| place.share());
    fields.finish();
    if kind != Kind::Fact && fanout.is_some() {
        place.problem::<()>("only facts have a fan-out", "`kind: fact` with `parents`");
    }
    if kind != Kind::Fact && !parents.is_empty() {
        place.problem::<()>("only facts have parents", "`kind: fact`");
    }
    let own_rows = own_rows(place, rows.as_ref(), kind, (&parents, &columns)).unwrap_or(DEFAULT_ROWS);
    let key = key_column(key.as_ref(), &columns);
    let fanout = match parents.first() {
        Some(_) => {
            let key = drafts.root.key(name, "fanout");
            size::fanout(place, fanout.as_ref(), key).or_else(|| size::fanout(place, None, key))
        }
        None => None,
    };
    Some(TableDraft {
        name: name.to_owned(),
        place: place.clone(),
        kind,
        parents,
        own_rows,
        fanout,
        effects,
        columns,
        key,
        duplicates,
    })
}

fn kind(fields: &Fields<'_>, parents: &[usize]) -> Kind {
    let inferred = if parents.is_empty() { Kind::Entity } else { Kind::Fact };
    let written = fields.get("kind").and_then(|place| place.one_of("kind of table", &["entity", "fact", "vocab"]));
    written.map_or(inferred, |at| [Kind::Entity, Kind::Fact, Kind::Vocab][at])
}

fn own_rows(
    place: &Place<'_>,
    rows: Option<&Place<'_>>,
    kind: Kind,
    (parents, columns): (&[usize], &[ColumnDraft<'_>]),
) -> Option<u64> {
    match (rows, kind) {
        (Some(rows), Kind::Vocab) => rows.problem("a vocabulary has one row for each of its values", "no `rows`"),
        (None, Kind::Vocab) => vocab_rows(place, columns),
        (Some(rows), _) if !parents.is_empty() => {
            rows.problem("the rows of a child table follow from its parents", "`fanout`, or no parents")
        }
        (Some(rows), _) => match rows.count()? {
            0 => rows.problem("0 rows make no table", "at least 1"),
            count => Some(count),
        },
        (None, _) => Some(DEFAULT_ROWS),
    }
}

fn key_column(place: Option<&Place<'_>>, columns: &[ColumnDraft<'_>]) -> Option<usize> {
    let Some(place) = place else { return columns.iter().position(|column| column.name == "id") };
    let text = place.text()?;
    match columns.iter().position(|column| column.name == text) {
        Some(at) => Some(at),
        None => place.unknown("column", text, columns.iter().map(|column| column.name.as_str())),
    }
}

fn parents(fields: &Fields<'_>, names: &[String]) -> Vec<usize> {
    let Some(place) = fields.get_any(&["parents", "parent"]) else { return Vec::new() };
    let items = match &place.node.value {
        Value::Text(_) => vec![place],
        _ => place.list().unwrap_or_default(),
    };
    let known = |item: &Place<'_>| {
        let text = item.text()?;
        match names.iter().position(|name| name == text) {
            Some(at) => Some(at),
            None => item.unknown("table", text, names.iter().map(String::as_str)),
        }
    };
    items.iter().filter_map(known).collect()
}

fn effects<'a>(fields: &Fields<'a>) -> Option<Vec<Place<'a>>> {
    let Some(list) = fields.get("modifiers") else { return Some(Vec::new()) };
    let mut effects = Vec::new();
    for item in list.list()? {
        let (name, args) = modifier(&item)?;
        if name != "effect" {
            return item.problem(format!("`{name}` cannot change a table"), "`effect`");
        }
        effects.push(args);
    }
    Some(effects)
}

fn vocab_rows(place: &Place<'_>, columns: &[ColumnDraft<'_>]) -> Option<u64> {
    let lists = columns.iter().filter_map(|column| column.generator.as_ref());
    for (info, place) in lists.filter(|(info, _)| info.name == "enum_list") {
        if let Some(Value::List(items)) = place.node.get("values").map(|values| &values.value) {
            debug_assert_eq!(info.name, "enum_list");
            return Some(items.len() as u64);
        }
    }
    place.problem("a vocabulary needs values", "a column with `enum_list`")
}

fn parents_form_no_cycle(drafts: &Drafts<'_>) -> Option<()> {
    for (start, table) in drafts.tables.iter().enumerate() {
        let mut names = vec![table.name.as_str()];
        let mut at = start;
        while let Some(parent) = drafts.tables[at].parents.first() {
            at = *parent;
            names.push(&drafts.tables[at].name);
            if at == start {
                return table.place.problem(
                    format!("the parents form a cycle: {}", names.join(" → ")),
                    "a table without parents at the top",
                );
            }
            if names.len() > drafts.tables.len() + 1 {
                break;
            }
        }
    }
    Some(())
}
