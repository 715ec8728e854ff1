//! What this program can make, for the roles that are given it: plans for schedulers, executors for workers.

use std::fmt;
use std::sync::Arc;

use anyhow::Context;
use shardmill_api::{Accepted, Checked, Specs};
use shardmill_engine::Tables;
use shardmill_llm::{Gateway, Route};
use shardmill_scheduler::Planner;
use shardmill_scheduler::plan::tables;
use shardmill_shared::job::{Name, NanoUsd, Plan, PlanError, Pool};
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
    /// Who could be asked, for roles that check specs; they need no keys.
    pub(crate) gateway: Option<Arc<Gateway>>,
    /// What a job may spend on models that names no budget.
    pub(crate) default_job: NanoUsd,
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

/// A spec, what it compiles to, and how its files are written.
type Compiled = (Spec, Tables, Writing);

/// Reads a canonical spec. It was accepted once, so what another release would only warn of does not stop it.
fn read(spec: &[u8]) -> Result<Compiled, String> {
    let text = std::str::from_utf8(spec).map_err(|error| format!("the spec is no text: {error}"))?;
    let report = Report::lenient();
    let compiled = document::parse(text, &report).and_then(|tree| compiled_from(&tree, &report));
    compiled.ok_or_else(|| report.into_problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

impl Specs for Kinds {
    fn read(&self, text: &str, tenant: &Name) -> Checked {
        let report = Report::strict();
        let compiled = document::parse(text, &report).and_then(|tree| compiled_from(&tree, &report));
        let accepted = compiled.and_then(|compiled| self.accepted(compiled, tenant, &report));
        Checked { problems: report.into_problems(), accepted }
    }
}

impl Kinds {
    fn accepted(&self, (spec, compiled, writing): Compiled, tenant: &Name, report: &Report) -> Option<Accepted> {
        let refuse = |error: PlanError| report.fatal(0, error.to_string(), "a plan that can be run".to_owned());
        let plan = self.planned(&spec, &compiled, &writing).map_err(refuse).ok()?;
        if let Some(gateway) = &self.gateway
            && let Err(error) = check(gateway, &compiled, tenant)
        {
            let expected = "a model of a provider in [providers] that is yours, with a price (docs/models.md)";
            report.fatal(0, format!("{error:#}"), expected.to_owned());
            return None;
        }
        if plan.budget == Some(NanoUsd::ZERO) {
            let message = "the job would ask models and may spend nothing".to_owned();
            report.fatal(0, message, "a budget, like `budget: {usd: 5}`".to_owned());
            return None;
        }
        let dataset = plan.name.clone();
        let spec = String::from_utf8(spec.canonical()).expect("JSON is text");
        Some(Accepted { dataset, spec, plan })
    }

    /// The plan, with what the job may spend where it asks models.
    fn planned(&self, spec: &Spec, tables: &Tables, writing: &Writing) -> Result<Plan, PlanError> {
        let plan = tables::plan(spec, tables, &writing.writer())?;
        let asks = plan.stages.iter().any(|stage| stage.pool == Pool::Llm);
        Ok(Plan { budget: asks.then(|| spec.budget.unwrap_or(self.default_job)), ..plan })
    }
}

/// Refuses, before anything is spent, a model that the tenant cannot ask under a budget.
pub(crate) fn check(gateway: &Gateway, tables: &Tables, tenant: &Name) -> anyhow::Result<()> {
    for (table, described) in tables.list.iter().enumerate() {
        for (column, filling) in tables.fillings(table).into_iter().flatten() {
            let name = &described.columns[column].name;
            let route: Route = format!("{}/{}", filling.provider, filling.model).parse()?;
            gateway.check(&[route], tenant).with_context(|| format!("column `{}.{name}`", described.name))?;
        }
    }
    Ok(())
}

impl Planner for Kinds {
    fn plan(&self, spec: &[u8]) -> Result<Plan, String> {
        let (spec, compiled, writing) = read(spec)?;
        self.planned(&spec, &compiled, &writing).map_err(|error| error.to_string())
    }
}

impl Compile for Kinds {
    fn executor(&self, spec: &[u8]) -> Result<Arc<dyn Execute>, String> {
        let (_, tables, writing) = read(spec)?;
        Ok(executor(tables, &writing, self.models.clone()))
    }
}
