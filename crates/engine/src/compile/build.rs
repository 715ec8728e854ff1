//! Builds every column once, in whatever order their types need. Pure.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use shardmill_shared::spec::{Node, Place, Report, Value};

use super::columns::ColumnDraft;
use super::draft::Drafts;
use super::infer;
use super::site::Site;
use crate::column::{Column, Nulls};
use crate::duplicates::Duplicates;
use crate::fanout::{Counted, Fanout, Strata};
use crate::filling::Shape;
use crate::generators::{Generator, Nature};
use crate::link::Link;
use crate::modifiers::effect::Effect;
use crate::modifiers::{self, Modifier};
use crate::tables::{Parent, Table};
use crate::value::Type;

/// The state of building.
pub struct Builder<'a> {
    pub(crate) drafts: &'a Drafts<'a>,
    slots: RefCell<Vec<Vec<Slot>>>,
    pub(crate) links: RefCell<Vec<Links>>,
    /// Columns as `table.column` that the spec's constraints say are unique.
    unique: HashSet<&'a str>,
    /// Columns that are being built, one for the sake of another.
    depth: Cell<usize>,
}

/// The links of one table, each under the name of its role.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) names: Vec<String>,
    pub(crate) list: Vec<Link>,
}

enum Slot {
    Untouched,
    Building,
    Built(Option<Box<Column>>),
}

/// Builds all columns and fan-outs. Problems go to the report; `None` when there are any.
pub fn build(drafts: &Drafts<'_>, report: &Report) -> Option<Vec<Table>> {
    let slots = drafts.tables.iter().map(|table| table.columns.iter().map(|_| Slot::Untouched).collect()).collect();
    let links = drafts.tables.iter().map(|_| Links::default()).collect();
    let unique = drafts.constraints.as_ref().map(declared_unique).unwrap_or_default();
    let builder =
        Builder { drafts, slots: RefCell::new(slots), links: RefCell::new(links), unique, depth: Cell::new(0) };
    for table in 0..drafts.tables.len() {
        for column in 0..drafts.tables[table].columns.len() {
            builder.ensure(table, column);
        }
    }
    let parents: Vec<Option<Option<Parent>>> = (0..drafts.tables.len()).map(|table| builder.parent(table)).collect();
    if report.has_errors() {
        return None;
    }
    builder.finish(parents)
}

impl<'a> Builder<'a> {
    /// The type of a column, built now if need be. `None` when it cannot be built, or is being built: then its type
    /// depends on itself.
    pub fn ensure(&self, table: usize, column: usize) -> Option<Type> {
        match &self.slots.borrow()[table][column] {
            Slot::Built(built) => return built.as_ref().map(|column| column.kind),
            Slot::Building => {
                let draft = &self.drafts.tables[table].columns[column];
                return draft
                    .declared
                    .or_else(|| draft.place.problem("its values depend on themselves", "a `type`, or another source"));
            }
            Slot::Untouched => {}
        }
        let draft = &self.drafts.tables[table].columns[column];
        if draft.is_broken {
            self.slots.borrow_mut()[table][column] = Slot::Built(None);
            return draft.declared;
        }
        if self.depth.get() == super::COLUMN_DEPTH_MAX {
            return super::too_deep(&draft.place);
        }
        self.depth.set(self.depth.get() + 1);
        self.slots.borrow_mut()[table][column] = Slot::Building;
        let built = self.column(table, column);
        self.depth.set(self.depth.get() - 1);
        let kind = built.as_ref().map(|column| column.kind);
        self.slots.borrow_mut()[table][column] = Slot::Built(built.map(Box::new));
        kind
    }

    /// The type of a column as far as it shows without building one that is being built.
    pub fn type_hint(&self, table: usize, column: usize) -> Option<Type> {
        let draft = &self.drafts.tables[table].columns[column];
        if draft.declared.is_some() {
            return draft.declared;
        }
        if let Some((info, _)) = &draft.generator
            && matches!(info.name, "datetime_series" | "diffusion_curve")
        {
            return Some(Type::Time);
        }
        let building = matches!(self.slots.borrow()[table][column], Slot::Building);
        if building { None } else { self.ensure(table, column) }
    }

    /// What can be concluded from a built column: nothing when modifiers or nulls stand between.
    pub fn nature(&self, table: usize, column: usize) -> Nature {
        self.ensure(table, column);
        match &self.slots.borrow()[table][column] {
            Slot::Built(Some(column)) if column.modifiers.is_empty() && column.nulls.is_none() => {
                column.generator.nature()
            }
            _ => Nature::Derived,
        }
    }

    /// What the values of a built column consist of, when they are structs.
    pub fn shape_of(&self, table: usize, column: usize) -> Option<Shape> {
        self.ensure(table, column);
        match &self.slots.borrow()[table][column] {
            Slot::Built(Some(column)) => column.generator.shape().cloned(),
            _ => None,
        }
    }

    /// Whether a column can hold nulls.
    pub fn may_be_null(&self, table: usize, column: usize) -> bool {
        self.ensure(table, column);
        match &self.slots.borrow()[table][column] {
            Slot::Built(Some(column)) => column.nullable,
            _ => true,
        }
    }

    fn column(&self, table: usize, at: usize) -> Option<Column> {
        let draft = &self.drafts.tables[table].columns[at];
        let is_key = self.drafts.tables[table].key == Some(at);
        let unique = self.is_unique(table, at);
        let site = Site { builder: self, table, column: Some(at), declared: draft.declared, unique, ordinal: 0 };
        let generator = match &draft.generator {
            Some((info, place)) => (info.build)(place, &site)?,
            None => infer::generator(draft, is_key, &site)?,
        };
        let mut kind = generator.kind();
        if kind == Type::Struct {
            stays_struct(draft)?;
        }
        let mut modifiers: Vec<Box<dyn Modifier>> = Vec::new();
        for (position, (name, place)) in draft.modifiers.iter().enumerate() {
            let ordinal = draft.modifiers[..position].iter().filter(|(before, _)| before == name).count();
            let info = modifiers::find(name).expect("modifiers are checked when drafts are read");
            let site = Site { ordinal, ..site };
            if let Some(modifier) = (info.build)(place, &site, kind)? {
                kind = modifier.kind(kind);
                modifiers.push(modifier);
            }
        }
        let natural = if kind == Type::Float && generator.kind() == Type::Int { Type::Int } else { kind };
        let kind = draft.declared.unwrap_or(natural);
        fits(draft, natural, kind)?;
        let nullable = generator.may_be_null();
        let nulls = self.nulls(draft, is_key, &site)?;
        if unique {
            self.stays_unique(draft, generator.as_ref(), &modifiers, &site)?;
        }
        Some(Column {
            name: draft.name.clone(),
            made_by: draft
                .generator
                .as_ref()
                .map_or_else(|| infer::describes(draft, is_key, self.drafts), |(info, _)| info.name.to_owned()),
            kind,
            nullable: draft.nullable.unwrap_or(nullable),
            generator,
            modifiers,
            bounds: Vec::new(),
            nulls,
        })
    }

    /// Whether a column's values must differ: declared so, or the primary key.
    pub fn is_unique(&self, table: usize, at: usize) -> bool {
        let described = &self.drafts.tables[table];
        let column = &described.columns[at];
        column.unique || described.key == Some(at) || self.is_declared_unique(table, &column.name)
    }

    fn is_declared_unique(&self, table: usize, column: &str) -> bool {
        self.unique.contains(format!("{}.{column}", self.drafts.tables[table].name).as_str())
    }

    fn nulls(&self, draft: &ColumnDraft<'_>, is_key: bool, site: &Site<'_, 'a>) -> Option<Option<Nulls>> {
        if draft.null_rate <= 0.0 {
            return Some(None);
        }
        if is_key {
            return draft.place.problem("a key is never null", "no `null_rate` on the primary key");
        }
        Some(Some(Nulls { key: site.role(&format!("null:{}", draft.name)), rate: draft.null_rate }))
    }

    /// Refuses a unique column whose values could repeat.
    fn stays_unique(
        &self,
        draft: &ColumnDraft<'_>,
        generator: &dyn Generator,
        modifiers: &[Box<dyn Modifier>],
        site: &Site<'_, '_>,
    ) -> Option<()> {
        if !modifiers.is_empty() && generator.is_unique() {
            let (name, place) = &draft.modifiers[0];
            return place.problem(
                format!("`{name}` can make two values equal in a unique column"),
                "no modifiers where values are unique",
            );
        }
        if generator.is_unique() {
            return Some(());
        }
        if let Nature::Copied { link, column } = generator.nature() {
            let draft = &self.drafts.tables[site.table];
            let single = draft.fanout.as_ref().is_some_and(|fanout| fanout.ends(draft.effects.len()).1 <= 1);
            let is_parent = self.links.borrow()[site.table].names[link] == "parent";
            let parent_key =
                draft.parents.first().is_some_and(|parent| self.drafts.tables[*parent].key == Some(column));
            if single && is_parent && parent_key {
                return Some(());
            }
        }
        let name = draft.generator.as_ref().map_or("this", |(info, _)| info.name);
        draft.place.problem(
            format!("values of `{name}` can repeat, and the column is unique (declared so, or a primary key)"),
            "`sequence`, `uuid`, `id`, `choice` without weights, `distribution` of whole numbers (uniform), or `faker` with an identifying method",
        )
    }

    fn parent(&self, table: usize) -> Option<Option<Parent>> {
        let draft = &self.drafts.tables[table];
        let (Some(parent), Some(fanout)) = (draft.parents.first().copied(), &draft.fanout) else { return Some(None) };
        if !fanout.is_counted(draft.effects.len()) {
            return Some(Some(Parent { table: parent, fanout: fanout.plain() }));
        }
        let site = Site { builder: self, table: parent, column: None, declared: None, unique: false, ordinal: 0 };
        let effects: Option<Vec<Effect>> = draft.effects.iter().map(|place| Effect::read(place, &site)).collect();
        let counted = Counted {
            strata: Strata { key: fanout.key, quantiles: fanout.quantiles.clone() },
            independent: fanout.independent,
            effects: effects?,
            clip: fanout.ends(draft.effects.len()),
            counts: Default::default(),
        };
        Some(Some(Parent { table: parent, fanout: Fanout::Counted(counted) }))
    }

    fn finish(self, parents: Vec<Option<Option<Parent>>>) -> Option<Vec<Table>> {
        let unique: Vec<Vec<bool>> = self
            .drafts
            .tables
            .iter()
            .enumerate()
            .map(|(table, draft)| (0..draft.columns.len()).map(|column| self.is_unique(table, column)).collect())
            .collect();
        let links = self.links.into_inner();
        let slots = self.slots.into_inner();
        let mut tables = Vec::new();
        for (((draft, slots), links), parent) in self.drafts.tables.iter().zip(slots).zip(links).zip(parents) {
            let columns: Option<Vec<Column>> = slots
                .into_iter()
                .map(|slot| match slot {
                    Slot::Built(column) => column.map(|column| *column),
                    _ => None,
                })
                .collect();
            let kept = (0..draft.columns.len()).filter(|column| unique[tables.len()][*column]).collect();
            let duplicates = draft.duplicates.map(|rate| {
                let key = self.drafts.root.key(&draft.name, "duplicates");
                Duplicates { key, rate, kept }
            });
            tables.push(Table {
                name: draft.name.clone(),
                own_rows: draft.own_rows,
                parent: parent?,
                columns: columns?,
                links: links.list,
                key: draft.key,
                duplicates,
            });
        }
        Some(tables)
    }
}

fn declared_unique<'a>(constraints: &Place<'a>) -> HashSet<&'a str> {
    let items = match constraints.node.get("unique").map(|list| &list.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let text = |item: &'a Node| if let Value::Text(text) = &item.value { Some(text.as_str()) } else { None };
    items.iter().filter_map(text).collect()
}

/// Refuses what would change values that are structs.
fn stays_struct(draft: &ColumnDraft<'_>) -> Option<()> {
    if let Some((name, place)) = draft.modifiers.first() {
        return place.problem(format!("`{name}` cannot change structs"), "a column without modifiers");
    }
    match draft.declared {
        Some(kind) => draft.place.problem(
            format!("its values are structs, and its type is {kind}"),
            "no `type`; another column may read a field: `expression: 'column.field'`",
        ),
        None => Some(()),
    }
}

/// Refuses a column whose values can never become the declared type.
fn fits(draft: &ColumnDraft<'_>, natural: Type, declared: Type) -> Option<()> {
    let numeric = |kind: Type| kind.is_number() || kind == Type::Bool;
    let possible = natural == declared
        || declared == Type::Text
        || (numeric(natural) && numeric(declared))
        || (natural.is_temporal() && declared.is_temporal())
        || (natural == Type::Text
            && draft
                .generator
                .as_ref()
                .is_some_and(|(info, _)| matches!(info.name, "choice" | "constant" | "enum_list" | "lookup")));
    if possible {
        return Some(());
    }
    draft
        .place
        .problem(format!("its values have type {natural}"), format!("values that fit the column's type {declared}"))
}
