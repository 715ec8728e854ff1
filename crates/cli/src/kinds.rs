//! What this program can make, for the roles that are given it: plans for schedulers, executors for workers.

use std::fmt;
use std::sync::Arc;

use shardmill_api::{Accepted, Checked, Specs};
use shardmill_engine::Tables;
use shardmill_scheduler::Planner;
use shardmill_scheduler::plan::tables;
use shardmill_shared::job::{Plan, PlanError, Pool};
use shardmill_shared::spec::{Report, Spec, document};
use shardmill_worker::Compile;
use shardmill_worker::execute::fill::{FillTable, Models};
use shardmill_worker::execute::tables::{CountTable, WriteTable};
use shardmill_worker::execute::{ByWork, Execute};

use crate::input::compiled_from;
use crate::writing::Writing;

/// Every kind of dataset this program knows.
#[derive(Clone, Default)]
pub(crate) struct Kinds {
    /// Whom workers ask; nobody in roles that run no shards.
    pub(crate) models: Option<Arc<Models>>,
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kinds").finish_non_exhaustive()
    }
}

/// What runs the shards of compiled tables.
pub(crate) fn executor(tables: Tables, writing: &Writing, models: Option<Arc<Models>>) -> Arc<dyn Execute> {
    let tables = Arc::new(tables);
    let table = || WriteTable { tables: Arc::clone(&tables), format: writing.format, options: writing.options.clone() };
    let fill = Arc::new(FillTable { table: table(), models });
    Arc::new(ByWork {
        table: Arc::new(table()),
        fill: Some(fill),
        count: Arc::new(CountTable { tables: Arc::clone(&tables) }),
    })
}

/// Reads a canonical spec. It was accepted once, so what another release would only warn of does not stop it.
fn read(spec: &[u8]) -> Result<(Spec, Tables, Writing), String> {
    let text = std::str::from_utf8(spec).map_err(|error| format!("the spec is no text: {error}"))?;
    let report = Report::lenient();
    let compiled = document::parse(text, &report).and_then(|tree| compiled_from(&tree, &report));
    compiled.ok_or_else(|| report.into_problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

impl Specs for Kinds {
    fn read(&self, text: &str) -> Checked {
        let report = Report::strict();
        let compiled = document::parse(text, &report).and_then(|tree| compiled_from(&tree, &report));
        let accepted = compiled.and_then(|compiled| accepted(compiled, &report));
        Checked { problems: report.into_problems(), accepted }
    }
}

fn accepted((spec, compiled, writing): (Spec, Tables, Writing), report: &Report) -> Option<Accepted> {
    let refuse = |error: PlanError| report.fatal(0, error.to_string(), "a plan that can be run".to_owned());
    let plan = tables::plan(&spec, &compiled, &writing.writer()).map_err(refuse).ok()?;
    if plan.stages.iter().any(|stage| stage.pool == Pool::Llm) {
        let message = "a cluster does not ask models yet".to_owned();
        report.fatal(0, message, "a spec without filled columns, or `shardmill run`".to_owned());
        return None;
    }
    let dataset = plan.name.clone();
    let spec = String::from_utf8(spec.canonical()).expect("JSON is text");
    Some(Accepted { dataset, spec, plan })
}

impl Planner for Kinds {
    fn plan(&self, spec: &[u8]) -> Result<Plan, String> {
        let (spec, compiled, writing) = read(spec)?;
        tables::plan(&spec, &compiled, &writing.writer()).map_err(|error| error.to_string())
    }
}

impl Compile for Kinds {
    fn executor(&self, spec: &[u8]) -> Result<Arc<dyn Execute>, String> {
        let (_, tables, writing) = read(spec)?;
        Ok(executor(tables, &writing, self.models.clone()))
    }
}
