//! What a job may spend on models, and has spent.

use serde::Serialize;
use shardmill_shared::job::{Key, NanoUsd, Plan};
use shardmill_shared::ledger::budget::{BudgetView, CAP_MAX, Scope};
use utoipa::ToSchema;

use super::Known;
use crate::problem::{Kind, Problem};
use crate::shared::Inner;

/// The money of a job; amounts are dollars, as decimal texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct BudgetResource {
    /// The most that it may spend; null once it is over.
    #[schema(example = "5.00")]
    cap_usd: Option<String>,
    /// What it has spent. Calls whose worker was killed count in full.
    #[schema(example = "1.27")]
    spent_usd: String,
    /// What calls under way may cost.
    #[schema(example = "0.04")]
    held_usd: String,
}

impl From<BudgetView> for BudgetResource {
    fn from(view: BudgetView) -> Self {
        let BudgetView { cap, spent, held, .. } = view;
        Self { cap_usd: Some(cap.to_string()), spent_usd: spent.to_string(), held_usd: held.to_string() }
    }
}

impl BudgetResource {
    /// What a job spent that is over.
    fn of_spent(spent: NanoUsd) -> Self {
        Self { cap_usd: None, spent_usd: spent.to_string(), held_usd: NanoUsd::ZERO.to_string() }
    }
}

/// The money of a job; nothing of one that asks no models, or when the ledger does not say.
pub(super) async fn of(shared: &Inner, known: &Known) -> Option<BudgetResource> {
    match &known.ending {
        Some(ending) => ending.spent.map(BudgetResource::of_spent),
        None => Some(view(shared, known).await?.into()),
    }
}

async fn view(shared: &Inner, known: &Known) -> Option<BudgetView> {
    known.place.as_ref()?;
    let (tenant, scope) = (&known.submission.tenant, Scope::Job(known.submission.job.clone()));
    shared.asked(shared.api.budgets.view_budget(Some(tenant), &scope)).await?
}

/// Refuses a budget that the job cannot have.
pub(super) async fn check(shared: &Inner, known: &Known, cap: NanoUsd) -> Result<(), Problem> {
    let job = &known.submission.job;
    let conflict = |detail| Err(Problem::new(Kind::Conflict, detail));
    if cap > CAP_MAX {
        return Err(Problem::new(Kind::BadRequest, format!("`usd`: at most {CAP_MAX} dollars, not {cap}")));
    }
    let plan: Option<Plan> = match &known.place {
        Some(place) => place.find(&Key::Plan).await?,
        None => None,
    };
    match plan {
        None if known.ending.is_none() => {
            return conflict(format!("job `{job}` is not planned yet: try again in a moment"));
        }
        Some(Plan { budget: None, .. }) => return conflict(format!("job `{job}` asks no models: it needs no budget")),
        _ => {}
    }
    match view(shared, known).await {
        Some(now) if cap < now.spent.saturating_add(now.held) => {
            let least = now.spent.saturating_add(now.held);
            conflict(format!("job `{job}` has spent and holds ${least} already: its budget cannot be ${cap}"))
        }
        _ => Ok(()),
    }
}

/// Tells the ledger of a budget that was changed. Without the ledger the scheduler reads it in the store, a little later.
pub(super) async fn tell(shared: &Inner, known: &Known) {
    let Some(cap) = known.orders.cap else { return };
    let (tenant, job) = (&known.submission.tenant, &known.submission.job);
    let told = shared.asked(shared.api.budgets.set_cap(Some(tenant), &Scope::Job(job.clone()), cap)).await;
    if told.is_none() {
        tracing::warn!(job.id = %job, "the ledger could not be told of a budget: the scheduler will find it");
    }
}

/// Why a job waits that is parked, and what to do.
pub(super) fn parked(known: &Known) -> Option<String> {
    let is_parked = known.ending.is_none() && known.orders.is_parked;
    is_parked.then(|| {
        let job = &known.submission.job;
        format!("its budget is spent: raise it with `shardmill job budget {job} --raise-to USD`, and it goes on")
    })
}
