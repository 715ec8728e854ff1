//! Uniqueness, foreign keys and values of another column: passes over single columns, as many as memory demands.

use std::collections::BTreeMap;
use std::sync::Mutex;

use shardmill_engine::Type;
use shardmill_engine::check::ascent::Progression;
use shardmill_engine::check::cell::Form;
use shardmill_engine::check::keys::{Duplicates, KeySet, Partition, UniquePass};
use shardmill_engine::check::path;
use shardmill_engine::check::report::{CheckResult, Detail, Group};
use shardmill_engine::check::rules::{EnumValues, Field};
use shardmill_engine::check::table::TableChecks;
use shardmill_engine::check::tally::Tally;

use super::VerifyOptions;
use super::dataset::Dataset;
use super::parallel::each;
use super::stream;

/// A column whose values must stand in another.
#[derive(Clone, Copy)]
struct Reference {
    from: Field,
    to: Field,
    group: Group,
}

/// What the passes work with.
struct Passes<'d> {
    dataset: &'d Dataset,
    looks: &'d [TableChecks<'d>],
    options: &'d VerifyOptions,
}

/// The values that are referred to, as far as one pass keeps them.
enum Keys {
    All(Progression),
    Some(KeySet),
}

/// Checks all keys. `looks` are the checks of each table after all its rows were seen.
pub(super) fn check(dataset: &Dataset, looks: &[TableChecks<'_>], options: &VerifyOptions) -> Vec<CheckResult> {
    let passes = Passes { dataset, looks, options };
    let rules = &dataset.tables.rules;
    let mut results: Vec<CheckResult> = rules.unique.iter().map(|field| passes.unique(*field)).collect();
    let foreign =
        rules.foreign_keys.iter().map(|(from, to)| Reference { from: *from, to: *to, group: Group::Structural });
    let listed = rules.enums.iter().filter_map(|(from, values)| match values {
        EnumValues::Of(to) => Some(Reference { from: *from, to: *to, group: Group::Value }),
        EnumValues::Listed(_) => None,
    });
    // Columns that refer to one column alike share the passes over it.
    let mut shared: BTreeMap<(Field, bool), Vec<Reference>> = BTreeMap::new();
    for reference in foreign.chain(listed) {
        let alike = passes.kind(reference.from) == passes.kind(reference.to);
        shared.entry((reference.to, alike)).or_default().push(reference);
    }
    for ((to, alike), references) in shared {
        let form = if alike { Form::Native } else { Form::Text };
        results.extend(passes.references(to, form, &references));
    }
    results
}

impl Passes<'_> {
    fn kind(&self, field: Field) -> Type {
        self.dataset.tables.table(field.table).columns[field.column].kind
    }

    fn has(&self, field: Field) -> bool {
        self.looks[field.table].has(field.column)
    }

    fn unique(&self, field: Field) -> CheckResult {
        let is_key = self.dataset.tables.table(field.table).key == Some(field.column);
        let kind = if is_key { "primary_key" } else { "unique" };
        let rows = self.looks[field.table].rows();
        let mut result = CheckResult {
            name: format!("{kind}:{}", path(&self.dataset.tables, field)),
            group: Group::Structural,
            table: self.dataset.tables.table(field.table).name.clone(),
            passed: false,
            message: "the column cannot be judged".to_owned(),
            details: vec![("total", Detail::Count(rows))],
        };
        if !self.has(field) {
            return result;
        }
        let duplicates = self.duplicates(field, rows);
        let shown = |(earlier, later): &(u64, u64)| format!("rows {earlier} and {later}");
        result.passed = duplicates.count == 0;
        result.message = match duplicates.samples.first() {
            None => format!("{rows} rows, no value in two of them"),
            Some(first) => {
                format!("{} of {rows} rows repeat a value; the first are {}", duplicates.count, shown(first))
            }
        };
        let samples = duplicates.samples.iter().map(shown).collect();
        result.details.extend([("duplicates", Detail::Count(duplicates.count)), ("samples", Detail::List(samples))]);
        result
    }

    fn duplicates(&self, field: Field, rows: u64) -> Duplicates {
        let mut all = Duplicates::default();
        if self.looks[field.table].ascent(field.column).is_unique() {
            return all;
        }
        for partition in Partition::within(self.options.memory_bytes, rows) {
            let pass = Mutex::new(UniquePass::new(partition));
            each(self.options.threads, &self.dataset.files[field.table], |file| {
                let mut own = UniquePass::new(partition);
                stream::column(self.dataset, (field.table, field.column), file, |array, row| own.see(array, row));
                pass.lock().expect("merging does not panic").merge(own);
            });
            all.merge(pass.into_inner().expect("merging does not panic").finish());
        }
        all
    }

    /// The results of all references to one column.
    fn references(&self, to: Field, form: Form, references: &[Reference]) -> Vec<CheckResult> {
        let mut orphans = vec![Tally::default(); references.len()];
        if self.has(to) {
            let rows = self.looks[to.table].rows();
            let progression = self.looks[to.table].ascent(to.column).progression();
            match progression.filter(|_| form == Form::Native) {
                Some(progression) => self.find_orphans(&Keys::All(progression), references, &mut orphans),
                None => {
                    for partition in Partition::within(self.options.memory_bytes, rows) {
                        let keys = Keys::Some(self.key_set(to, partition, form));
                        self.find_orphans(&keys, references, &mut orphans);
                    }
                }
            }
        }
        references.iter().zip(orphans).map(|(reference, orphans)| self.result(reference, &orphans)).collect()
    }

    fn key_set(&self, to: Field, partition: Partition, form: Form) -> KeySet {
        let set = Mutex::new(KeySet::new(partition, form));
        each(self.options.threads, &self.dataset.files[to.table], |file| {
            let mut own = KeySet::new(partition, form);
            stream::column(self.dataset, (to.table, to.column), file, |array, _| own.see(array));
            set.lock().expect("merging does not panic").merge(own);
        });
        set.into_inner().expect("merging does not panic").sorted()
    }

    fn find_orphans(&self, keys: &Keys, references: &[Reference], orphans: &mut [Tally]) {
        for (reference, orphans) in references.iter().zip(orphans) {
            let from = reference.from;
            let found = each(self.options.threads, &self.dataset.files[from.table], |file| {
                let mut own = Tally::default();
                stream::column(self.dataset, (from.table, from.column), file, |array, row| match keys {
                    Keys::All(progression) => progression.find_orphans(array, row, &mut own),
                    Keys::Some(set) => set.find_orphans(array, row, &mut own),
                });
                own
            });
            found.into_iter().for_each(|own| orphans.merge(own));
        }
    }

    fn result(&self, reference: &Reference, orphans: &Tally) -> CheckResult {
        let tables = &self.dataset.tables;
        let (from, to) = (path(tables, reference.from), path(tables, reference.to));
        let kind = if reference.group == Group::Value { "enum" } else { "foreign_key" };
        let is_known = self.has(reference.from) && self.has(reference.to);
        CheckResult {
            name: format!("{kind}:{from} -> {to}"),
            group: reference.group,
            table: tables.table(reference.from.table).name.clone(),
            passed: is_known && orphans.violations == 0,
            message: match is_known {
                true => orphans.message(&format!("are not in {to}")),
                false => "one of the columns cannot be judged".to_owned(),
            },
            details: orphans.details(),
        }
    }
}
