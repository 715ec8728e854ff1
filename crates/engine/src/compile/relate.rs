//! Which row of another table a row is related to: by parentage, by role, or by value. Pure.

use shardmill_shared::spec::Place;

use super::site::Site;
use crate::frame::Source;
use crate::generators::Nature;
use crate::generators::choice::skew;
use crate::link::{Among, First, INDEX_ROWS_MAX, Index, Link, Pick, Way};
use crate::random::rank::Skew;
use crate::value::Type;

impl Site<'_, '_> {
    /// The link of a lookup without a join: a parent or ancestor, an earlier row of the same table, or a drawn row.
    pub fn relate(&self, place: &Place<'_>, target: usize, role: Option<&str>, skew: Option<Skew>) -> Option<usize> {
        let target_name = self.builder.drafts.tables[target].name.clone();
        if role.is_none() {
            if target == self.table {
                let key = self.role(&format!("earlier:{target_name}"));
                let nullable = self.column.is_some_and(|column| {
                    self.builder.drafts.tables[self.table].columns[column].nullable == Some(true)
                });
                let (first, name) =
                    if nullable { (First::Nothing, "earlier") } else { (First::Itself, "earlier or itself") };
                return Some(self.add(self.table, name, || Link { target, way: Way::Earlier { key, first } }));
            }
            if let Some(link) = self.ancestor(self.table, target) {
                if skew.is_some() {
                    return place.problem(
                        "a parent is not chosen, so it has no skew",
                        "no `skew`, or a role of its own (`as`)",
                    );
                }
                return Some(link);
            }
        }
        let (role, shared) = match role {
            Some(role) => (role.to_owned(), self.role_skew(target, Some(role))),
            None => match self.chosen(target) {
                Some((role, skew)) => (role, Some(skew)),
                None => (target_name, self.role_skew(target, None)),
            },
        };
        if let (Some(mine), Some(other)) = (skew, shared)
            && mine != other
        {
            return place.problem(
                format!("role `{role}` is drawn with two different skews"),
                "one skew for each role; name another role with `as`",
            );
        }
        self.pick(place, target, &role, skew.or(shared).unwrap_or(Skew::Uniform))
    }

    /// The link of a role: a row of `target` drawn with a skew.
    pub fn pick(&self, place: &Place<'_>, target: usize, role: &str, skew: Skew) -> Option<usize> {
        let drafts = self.builder.drafts;
        let target_draft = &drafts.tables[target];
        if drafts.rows_between(target).is_some_and(|(least, _)| least == 0 && target_draft.fanout.is_none()) {
            return place.problem("the table has no rows to choose from", "a table with rows");
        }
        let name = format!("pick:{}:{role}", target_draft.name);
        let key = self.role(&name);
        // A vocabulary is written in the order of its popularity; elsewhere popularity is scattered over the rows.
        let scatter =
            (target_draft.kind != super::draft::Kind::Vocab).then(|| drafts.root.key(&target_draft.name, "popularity"));
        Some(self.add(self.table, &name, || Link {
            target,
            way: Way::Pick(Box::new(Pick { key, skew, scatter, rank: Default::default() })),
        }))
    }

    /// The link to the parent, or through it to a table above.
    fn ancestor(&self, table: usize, target: usize) -> Option<usize> {
        let parent = self.parent_of(table)?;
        let to_parent = self.add(table, "parent", || Link { target: parent, way: Way::Parent });
        if parent == target {
            return Some(to_parent);
        }
        let onward = self.ancestor(parent, target)?;
        let name = format!("ancestor:{target}");
        Some(self.add(table, &name, || Link { target, way: Way::Through(to_parent, onward) }))
    }

    /// The role and skew of the only `choices_ref` of this table that chooses from `target`.
    fn chosen(&self, target: usize) -> Option<(String, Skew)> {
        let drafts = self.builder.drafts;
        let mut found = None;
        for column in &drafts.tables[self.table].columns {
            let Some((info, place)) = &column.generator else { continue };
            let Some(reference) = place.node.get("choices_ref").filter(|_| info.name == "choice") else { continue };
            if !names_table(reference, &drafts.tables[target].name) {
                continue;
            }
            if found.is_some() {
                return None;
            }
            let fields = place.fields()?;
            let role =
                fields.get("as").and_then(|role| role.text().map(str::to_owned)).unwrap_or_else(|| column.name.clone());
            found = Some((role, skew(&fields, "weights_kind")?.unwrap_or(Skew::Uniform)));
        }
        found
    }

    /// The skew that some lookup of this role is written with.
    fn role_skew(&self, target: usize, role: Option<&str>) -> Option<Skew> {
        let drafts = self.builder.drafts;
        drafts.tables[self.table].columns.iter().find_map(|column| {
            let (info, place) = column.generator.as_ref()?;
            let from = place.node.get("from").filter(|_| info.name == "lookup")?;
            if place.node.get("on").is_some() || !names_table(from, &drafts.tables[target].name) {
                return None;
            }
            let fields = place.fields()?;
            let named = fields.get("as").and_then(|place| place.text());
            if named != role { None } else { skew(&fields, "skew")? }
        })
    }

    /// The link of a join by value, found in one of the ways that need no stored table.
    pub fn join(&self, on: &Place<'_>, target: usize) -> Option<usize> {
        let pairs = on.entries()?;
        let mut columns = Vec::new();
        for (theirs, ours) in &pairs {
            let own = self.own(ours, ours.text()?)?;
            let tables = &self.builder.drafts.tables;
            let named = |name: &str| tables[target].columns.iter().position(|column| column.name == name);
            // The reference language allows any marker on the left and joins on the column of the same name as ours.
            let their = match named(theirs).or_else(|| named(&tables[self.table].columns[own].name)) {
                Some(their) => their,
                None => self.column_named(ours, target, theirs)?,
            };
            columns.push((own, their));
        }
        self.join_columns(on, target, &columns)
    }

    /// The link of a join of our columns with theirs.
    pub fn join_columns(&self, on: &Place<'_>, target: usize, columns: &[(usize, usize)]) -> Option<usize> {
        if columns.is_empty() {
            return on.problem("nothing is joined on", "{their column: our column}");
        }
        if let [(own, their)] = columns
            && let Some(link) = self.by_key(*own, target, *their)
        {
            return Some(link);
        }
        if self.rows_most_of(target) <= INDEX_ROWS_MAX {
            return self.by_index(target, columns);
        }
        let among = self.among(on, target, columns)?;
        Some(self.add(self.table, &format!("among:{target}:{columns:?}"), || Link {
            target,
            way: Way::Among(Box::new(among)),
        }))
    }

    /// The few rows of a table of any size that one of the keys leads to; the others are compared there.
    pub fn among(&self, on: &Place<'_>, target: usize, columns: &[(usize, usize)]) -> Option<Among> {
        let leads = |pair: &(usize, usize)| Some((*pair, self.by_key(pair.0, target, pair.1)?));
        let Some((key, link)) = columns.iter().find_map(leads) else {
            let name = &self.builder.drafts.tables[target].name;
            let rows = self.rows_most_of(target);
            return on.problem(
                format!("table `{name}` has up to {rows} rows, too many to be searched by value, and no key was made from it"),
                format!("a key that is itself a `lookup` of `{name}` or of its parent, a `sequence` there, or a table of at most {INDEX_ROWS_MAX} rows"),
            );
        };
        let others = columns.iter().filter(|pair| **pair != key);
        let equal = others.map(|(own, their)| Some((Source::Own(*own), *their, self.type_of(target, *their)?)));
        Some(Among { link, equal: equal.collect::<Option<_>>()? })
    }

    /// The link that follows from how the values of a column were made, without looking at any row.
    fn by_key(&self, own: usize, target: usize, their: usize) -> Option<usize> {
        self.by_origin(own, target, their)
            .or_else(|| self.by_sequence(own, target, their))
            .or_else(|| self.by_first_child(own, target, their))
    }

    /// The links by which the values of a column came from `(target, column)`, one after another.
    fn origin(&self, table: usize, column: usize, target: (usize, usize)) -> Option<usize> {
        let Nature::Copied { link, column } = self.builder.nature(table, column) else { return None };
        let next = self.builder.links.borrow()[table].list[link].target;
        if (next, column) == target {
            return Some(link);
        }
        let onward = self.origin(next, column, target)?;
        Some(self.add(table, &format!("through:{link}:{onward}"), || Link {
            target: target.0,
            way: Way::Through(link, onward),
        }))
    }

    fn by_origin(&self, own: usize, target: usize, their: usize) -> Option<usize> {
        self.origin(self.table, own, (target, their))
    }

    fn by_sequence(&self, own: usize, target: usize, their: usize) -> Option<usize> {
        let Nature::Sequence { start, step } = self.builder.nature(target, their) else { return None };
        let kinds = (self.type_of(self.table, own)?, self.type_of(target, their)?);
        if kinds != (Type::Int, Type::Int) {
            return None;
        }
        let source = Source::Own(own);
        Some(self.add(self.table, &format!("sequence:{target}:{own}"), || Link {
            target,
            way: Way::Sequence { source, start, step },
        }))
    }

    fn by_first_child(&self, own: usize, target: usize, their: usize) -> Option<usize> {
        let above = self.parent_of(target)?;
        let Nature::Copied { link, column } = self.builder.nature(target, their) else { return None };
        let leads_up = matches!(self.builder.links.borrow()[target].list[link].way, Way::Parent);
        // Where several parents share a value, children of another one may stand before this one's.
        if !leads_up || !self.builder.is_unique(above, column) {
            return None;
        }
        let link = self.origin(self.table, own, (above, column))?;
        Some(
            self.add(self.table, &format!("first child:{target}:{link}"), || Link {
                target,
                way: Way::FirstChild(link),
            }),
        )
    }

    fn by_index(&self, target: usize, columns: &[(usize, usize)]) -> Option<usize> {
        let kinds: Option<Vec<(usize, Type)>> =
            columns.iter().map(|(_, their)| Some((*their, self.type_of(target, *their)?))).collect();
        let index = Index {
            sources: columns.iter().map(|(own, _)| Source::Own(*own)).collect(),
            columns: kinds?,
            rows: Default::default(),
        };
        Some(self.add(self.table, &format!("index:{target}:{columns:?}"), || Link {
            target,
            way: Way::Index(Box::new(index)),
        }))
    }

    /// Whether a link can lead nowhere.
    pub fn may_miss(&self, link: usize) -> bool {
        self.misses(self.table, link)
    }

    fn misses(&self, table: usize, link: usize) -> bool {
        let onward = match &self.builder.links.borrow()[table].list[link] {
            Link { way: Way::Parent | Way::Pick(_) | Way::Earlier { first: First::Itself, .. }, .. } => return false,
            Link { way: Way::Through(first, second), .. } => (*first, *second),
            _ => return true,
        };
        let next = self.builder.links.borrow()[table].list[onward.0].target;
        self.misses(table, onward.0) || self.misses(next, onward.1)
    }

    /// Whether a column of any table can hold nulls.
    pub fn may_be_null(&self, table: usize, column: usize) -> bool {
        self.builder.may_be_null(table, column)
    }

    /// The link of a name, made now if there is none.
    fn add(&self, table: usize, name: &str, make: impl FnOnce() -> Link) -> usize {
        let links = &mut self.builder.links.borrow_mut()[table];
        if let Some(at) = links.names.iter().position(|known| known == name) {
            return at;
        }
        links.names.push(name.to_owned());
        links.list.push(make());
        links.list.len() - 1
    }
}

fn names_table(node: &shardmill_shared::spec::Node, table: &str) -> bool {
    match &node.value {
        shardmill_shared::spec::Value::Text(text) => text.split_once('.').is_some_and(|(name, _)| name == table),
        _ => false,
    }
}
