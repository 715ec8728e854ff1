//! The graph of columns, not of tables: every column must be computable before what reads it. Pure.

use std::collections::HashMap;

use shardmill_shared::spec::Place;

use super::COLUMN_DEPTH_MAX;
use super::draft::Drafts;
use crate::column::Limit;
use crate::fanout::Fanout;
use crate::frame::Source;
use crate::generators::Read;
use crate::link::Way;
use crate::tables::Tables;

/// A column: table and position.
type Vertex = (usize, usize);

/// Refuses columns whose values depend on themselves.
pub fn check(tables: &Tables, drafts: &Drafts<'_>) -> Option<()> {
    let mut walk = Walk { tables, state: HashMap::new(), path: Vec::new() };
    for table in 0..tables.list.len() {
        for column in 0..tables.list[table].columns.len() {
            match walk.visit((table, column)) {
                Ok(_) => {}
                Err(Fault::Deep) => return super::too_deep(&drafts.tables[table].columns[column].place),
                Err(Fault::Cycle(cycle)) => return refuse(&cycle, tables, drafts),
            }
        }
    }
    Some(())
}

fn refuse(cycle: &[Vertex], tables: &Tables, drafts: &Drafts<'_>) -> Option<()> {
    let name = |(table, column): &Vertex| {
        format!("{}.{}", tables.list[*table].name, tables.list[*table].columns[*column].name)
    };
    let names: Vec<String> = cycle.iter().map(name).collect();
    let (table, column) = cycle[0];
    drafts.tables[table].columns[column].place.problem(
        format!("its values depend on themselves: {}", names.join(" → ")),
        "columns that can be computed one after another",
    )
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    /// With the length of the longest chain below.
    Done(usize),
}

/// Why a column cannot be computed.
enum Fault {
    Cycle(Vec<Vertex>),
    Deep,
}

struct Walk<'t> {
    tables: &'t Tables,
    state: HashMap<Vertex, State>,
    path: Vec<Vertex>,
}

impl Walk<'_> {
    /// The length of the longest chain of columns below a vertex.
    fn visit(&mut self, vertex: Vertex) -> Result<usize, Fault> {
        match self.state.get(&vertex) {
            Some(State::Done(depth)) => return Ok(*depth),
            Some(State::Open) => {
                let start = self.path.iter().position(|other| *other == vertex).unwrap_or(0);
                let mut cycle = self.path[start..].to_vec();
                cycle.push(vertex);
                return Err(Fault::Cycle(cycle));
            }
            None => {}
        }
        self.state.insert(vertex, State::Open);
        self.path.push(vertex);
        // From its beginning a long chain shows before it is followed to its end.
        let mut depth = 0;
        for next in self.reads(vertex) {
            if self.path.len() > COLUMN_DEPTH_MAX {
                return Err(Fault::Deep);
            }
            depth = depth.max(1 + self.visit(next)?);
        }
        if depth >= COLUMN_DEPTH_MAX {
            return Err(Fault::Deep);
        }
        self.path.pop();
        self.state.insert(vertex, State::Done(depth));
        Ok(depth)
    }

    fn reads(&self, (table, column): Vertex) -> Vec<Vertex> {
        let described = &self.tables.list[table].columns[column];
        let mut reads = described.generator.reads();
        reads.extend(described.modifiers.iter().flat_map(|modifier| modifier.reads()));
        reads.extend(described.bounds.iter().filter_map(|bound| match bound.at {
            Limit::Column(source) => Some(Read::Column(source)),
            Limit::Constant(_) => None,
        }));
        let mut vertices = Vec::new();
        if self.tables.list[table].duplicates.is_some() {
            self.fanout(table, &mut vertices);
        }
        reads.into_iter().for_each(|read| self.read(table, read, &mut vertices));
        vertices
    }

    fn read(&self, table: usize, read: Read, vertices: &mut Vec<Vertex>) {
        match read {
            Read::Column(Source::Own(column)) => vertices.push((table, column)),
            Read::Column(Source::Linked { link, column }) => {
                vertices.push((self.tables.list[table].links[link].target, column));
                self.link(table, link, vertices);
            }
            Read::Children { table, column } => {
                vertices.extend(column.map(|column| (table, column)));
                self.fanout(table, vertices);
            }
            Read::Whole { table, column } => vertices.push((table, column)),
        }
    }

    fn link(&self, table: usize, link: usize, vertices: &mut Vec<Vertex>) {
        let link = &self.tables.list[table].links[link];
        match &link.way {
            Way::Parent => self.fanout(table, vertices),
            Way::Through(first, second) => {
                self.link(table, *first, vertices);
                self.link(self.tables.list[table].links[*first].target, *second, vertices);
            }
            Way::Pick(_) | Way::Earlier { .. } => {}
            Way::Sequence { source, .. } => self.read(table, Read::Column(*source), vertices),
            Way::FirstChild(above) => {
                self.link(table, *above, vertices);
                self.fanout(link.target, vertices);
            }
            Way::Index(index) => {
                index.sources.iter().for_each(|source| self.read(table, Read::Column(*source), vertices));
                vertices.extend(index.columns.iter().map(|(column, _)| (link.target, *column)));
            }
            Way::Among(among) => {
                self.link(table, among.link, vertices);
                among.equal.iter().for_each(|(own, _, _)| self.read(table, Read::Column(*own), vertices));
                vertices.extend(among.equal.iter().map(|(_, their, _)| (link.target, *their)));
            }
        }
    }

    /// What the number of rows of a child table depends on.
    fn fanout(&self, table: usize, vertices: &mut Vec<Vertex>) {
        if let Some(parent) = &self.tables.list[table].parent
            && let Fanout::Counted(counted) = &parent.fanout
        {
            let reads = counted.effects.iter().flat_map(|effect| effect.reads());
            reads.for_each(|read| self.read(parent.table, read, vertices));
        }
    }
}

/// Checks a written order of tables: each named once, parents in an earlier level. Nothing else depends on it.
pub fn check_dag(place: &Place<'_>, drafts: &Drafts<'_>) -> Option<()> {
    let mut level_of = HashMap::new();
    for (level, items) in place.list()?.iter().enumerate() {
        for item in items.list()? {
            let name = item.text()?;
            let Some(table) = drafts.tables.iter().position(|table| table.name == name) else {
                return item.unknown("table", name, drafts.tables.iter().map(|table| table.name.as_str()));
            };
            if level_of.insert(table, level).is_some() {
                return item.problem(format!("table `{name}` is named twice"), "each table once");
            }
        }
    }
    for (at, table) in drafts.tables.iter().enumerate() {
        let Some(level) = level_of.get(&at) else {
            return place.problem(format!("table `{}` is missing", table.name), "each table once");
        };
        for parent in &table.parents {
            if level_of.get(parent).is_none_or(|above| above >= level) {
                let parent = &drafts.tables[*parent].name;
                return place.problem(
                    format!("`{parent}` does not come before its child `{}`", table.name),
                    "parents in an earlier level",
                );
            }
        }
    }
    Some(())
}
