//! Where a generator or modifier is being built: what it may ask about its column, its table and the others. Pure.

use shardmill_shared::spec::Place;

use super::build::Builder;
use crate::filling::Shape;
use crate::generators::ANSWERED;
use crate::generators::calendar::Pattern;
use crate::generators::window::Window;
use crate::random::key::Key;
use crate::value::Type;

/// The column (or fan-out) that is being built.
pub struct Site<'b, 'a> {
    pub(crate) builder: &'b Builder<'a>,
    /// The table, by position.
    pub table: usize,
    /// The column, by position; `None` when the table's fan-out is being built for its children.
    pub(crate) column: Option<usize>,
    /// The column's declared type.
    pub declared: Option<Type>,
    /// Whether values must differ.
    pub unique: bool,
    /// How many modifiers of the same name stand before this one.
    pub(crate) ordinal: usize,
}

impl<'a> Site<'_, 'a> {
    fn draft(&self) -> &super::draft::TableDraft<'a> {
        &self.builder.drafts.tables[self.table]
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        self.column.map_or("", |column| &self.draft().columns[column].name)
    }

    /// The same site for a value that is not the column's own, as a magnitude.
    pub fn undeclared(&self) -> Site<'_, 'a> {
        Site { declared: None, unique: false, ..*self }
    }

    /// The key of the column's own role.
    pub fn key(&self) -> Key {
        self.role(&format!("column:{}", self.name()))
    }

    /// The key of a modifier's role.
    pub fn modifier_key(&self, name: &str) -> Key {
        self.role(&format!("modifier:{}:{name}:{}", self.name(), self.ordinal))
    }

    /// The key of a role of this table.
    pub fn role(&self, role: &str) -> Key {
        self.builder.drafts.root.key(&self.draft().name, role)
    }

    /// The time that the whole spec is about; a problem when it names none.
    pub fn timeframe(&self, place: &Place<'_>) -> Option<Window> {
        match self.builder.drafts.timeframe {
            Some(window) => Some(window),
            None => {
                place.problem("the spec has no timeframe", "`timeframe: {start, end}` at the top, or a window here")
            }
        }
    }

    /// Where the timeframe's frequency is written.
    pub fn timeframe_freq(&self) -> Option<Place<'a>> {
        self.builder.drafts.freq.clone()
    }

    /// The patterns of the column's `seasonality` modifiers.
    pub fn seasonalities(&self) -> Option<Vec<Pattern>> {
        let Some(column) = self.column else { return Some(Vec::new()) };
        let modifiers = &self.draft().columns[column].modifiers;
        modifiers
            .iter()
            .filter(|(name, _)| name == "seasonality")
            .map(|(_, place)| Pattern::fields(&place.fields()?))
            .collect()
    }

    /// The most rows this table can have.
    pub fn rows_most(&self) -> u64 {
        self.rows_most_of(self.table)
    }

    /// The most rows a table can have.
    pub fn rows_most_of(&self, table: usize) -> u64 {
        self.builder.drafts.rows_most(table)
    }

    /// Refuses a domain of `values` that is too small for different values in every row.
    pub fn enough(&self, place: &Place<'_>, values: u64) -> Option<()> {
        let rows = self.rows_most();
        if values >= rows {
            return Some(());
        }
        place.problem(
            format!("{values} different values are too few for {rows} rows"),
            format!("a domain of at least {rows} values"),
        )
    }

    /// The table's first parent.
    pub fn parent(&self) -> Option<usize> {
        self.parent_of(self.table)
    }

    /// The first parent of a table.
    pub fn parent_of(&self, table: usize) -> Option<usize> {
        self.builder.drafts.tables[table].parents.first().copied()
    }

    /// Whether a fan-out is being built.
    pub fn is_fanout(&self) -> bool {
        self.column.is_none()
    }

    /// The name of the column's generator.
    pub fn generator_name(&self) -> Option<&'static str> {
        self.draft().columns[self.column?].generator.as_ref().map(|(info, _)| info.name)
    }

    /// A table by name.
    pub fn table_named(&self, place: &Place<'_>, name: &str) -> Option<usize> {
        let tables = &self.builder.drafts.tables;
        match tables.iter().position(|table| table.name == name) {
            Some(at) => Some(at),
            None => place.unknown("table", name, tables.iter().map(|table| table.name.as_str())),
        }
    }

    /// A column of a table by name.
    pub fn column_named(&self, place: &Place<'_>, table: usize, name: &str) -> Option<usize> {
        let draft = &self.builder.drafts.tables[table];
        match draft.columns.iter().position(|column| column.name == name) {
            Some(at) => Some(at),
            None => {
                let names = draft.columns.iter().map(|column| column.name.as_str());
                place.unknown(&format!("column of `{}` named", draft.name), name, names)
            }
        }
    }

    /// The names of the row's columns.
    pub fn column_names(&self) -> Vec<&str> {
        self.draft().columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The parameters of the row's other unique columns with a generator.
    pub fn unique_nodes(&self, generator: &str) -> Vec<&shardmill_shared::spec::Node> {
        let draft = self.draft();
        let others = draft.columns.iter().enumerate().filter(|(at, _)| Some(*at) != self.column);
        others
            .filter(|(at, column)| self.builder.is_unique(self.table, *at) && column.generator.is_some())
            .filter_map(|(_, column)| column.generator.as_ref().filter(|(info, _)| info.name == generator))
            .map(|(_, place)| place.node)
            .collect()
    }

    /// Whether the document is one of the reference language, which says less and forgives more.
    pub fn is_bare(&self) -> bool {
        self.builder.drafts.place.node.get("nodes").is_some()
    }

    /// Whether a table has a column of this name.
    pub fn has_column_in(&self, table: usize, name: &str) -> bool {
        self.builder.drafts.tables[table].columns.iter().any(|column| column.name == name)
    }

    /// Whether the row has a column of this name.
    pub fn has_column(&self, name: &str) -> bool {
        self.draft().columns.iter().any(|column| column.name == name)
    }

    /// A column of the row by name.
    pub fn own(&self, place: &Place<'_>, name: &str) -> Option<usize> {
        self.column_named(place, self.table, name)
    }

    /// A column of times of the row, as named at a place.
    pub fn own_time(&self, place: &Place<'_>) -> Option<usize> {
        let column = self.own(place, place.text()?)?;
        match self.type_of(self.table, column)? {
            kind if kind.is_temporal() => Some(column),
            kind => place.problem(format!("the column has type {kind}"), "a datetime or date column"),
        }
    }

    /// The row's first column of times, other than this one.
    pub fn first_time(&self) -> Option<usize> {
        (0..self.draft().columns.len())
            .filter(|column| Some(*column) != self.column)
            .find(|column| self.builder.type_hint(self.table, *column).is_some_and(Type::is_temporal))
    }

    /// `table.column`, as written at a place.
    pub fn target(&self, place: &Place<'_>) -> Option<(usize, usize)> {
        let text = place.text()?;
        let Some((table, column)) = text.split_once('.') else {
            return place.problem(format!("`{text}` names no column"), "table.column");
        };
        let table = self.table_named(place, table)?;
        Some((table, self.column_named(place, table, column)?))
    }

    /// The type of a column of any table; a problem when its values are structs, which few can read.
    pub fn type_of(&self, table: usize, column: usize) -> Option<Type> {
        let kind = self.builder.ensure(table, column)?;
        if kind != Type::Struct {
            return Some(kind);
        }
        let name = &self.builder.drafts.tables[table].columns[column].name;
        let reader = self.column.map_or(&self.draft().place, |column| &self.draft().columns[column].place);
        reader.problem(
            format!("it reads `{name}`, whose values are structs"),
            format!("a field of it, in an expression or a prompt: `{name}.field`"),
        )
    }

    /// The column of the row of this name and its shape, if its values are structs.
    pub(crate) fn struct_named(&self, name: &str) -> Option<(usize, Shape)> {
        let columns = &self.draft().columns;
        let column = columns.iter().position(|column| column.name == name)?;
        // Others are not built for it: a column may have the name of a table, and its fields are columns then.
        let is_answered = columns[column].generator.as_ref().is_some_and(|(info, _)| ANSWERED.contains(&info.name));
        Some((column, is_answered.then(|| self.builder.shape_of(self.table, column))??))
    }
}
