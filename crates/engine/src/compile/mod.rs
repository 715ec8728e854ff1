//! A spec becomes typed, checked columns: read, resolve, build, constrain, order. Pure.

use shardmill_shared::spec::{Place, Report, Spec};

use crate::random::key::Root;
use crate::tables::Tables;

pub mod desugar;
pub mod draft;
pub mod columns;
pub mod size;
pub mod site;
pub mod relate;
pub mod build;
pub mod infer;
pub mod constraints;
pub mod targets;
pub mod bounds;
pub mod graph;
pub mod filled;

/// Engine versions of this build, newest last.
pub const ENGINES: &[u32] = &[1];

/// The longest chain of columns, each of which needs the next for its values: what is followed one by one takes stack.
const COLUMN_DEPTH_MAX: usize = 200;
/// The most tables of a spec.
const TABLES_MAX: usize = 1_000;
/// The most columns of a spec, in all its tables.
const COLUMNS_MAX: usize = 10_000;
/// The most constraints of one sort.
const CONSTRAINTS_MAX: usize = 2_000;

fn too_deep<T>(place: &Place<'_>) -> Option<T> {
    place.problem(
        format!("its values follow from more than {COLUMN_DEPTH_MAX} columns, one after another"),
        "columns that are computed from fewer others",
    )
}

/// Compiles the body of a spec of kind `tables`. Every problem goes to `report`; `None` when there is any.
pub fn compile(spec: &Spec, report: &Report) -> Option<Tables> {
    let document = desugar::long_form(&spec.document);
    let place = Place::root(&document, report);
    let root = Root { engine: spec.engine, seed: spec.seed };
    let drafts = draft::read(&place, root)?;
    let built = build::build(&drafts, report)?;
    if report.has_errors() {
        return None;
    }
    let tables = constraints::apply(built, &drafts, report)?;
    graph::check(&tables, &drafts)?;
    filled::check(&tables, &drafts)?;
    (!report.has_errors()).then_some(tables)
}
