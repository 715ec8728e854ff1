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

/// Engine versions of this build, newest last.
pub const ENGINES: &[u32] = &[1];

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
    (!report.has_errors()).then_some(tables)
}
