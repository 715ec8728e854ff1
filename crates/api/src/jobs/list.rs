//! The list of jobs, newest first.

use axum::extract::State;
use axum::{Extension, Json};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shardmill_shared::job::{JobId, JobState};
use shardmill_shared::store::{JobRecords, Listed};
use utoipa::{IntoParams, ToSchema};

use super::{JobResource, Known};
use crate::auth::Caller;
use crate::input::{Asked, page};
use crate::limits::{JOBS_SCANNED, PAGE_MOST, READS};
use crate::problem::Problem;
use crate::shared::Shared;

/// Which jobs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only jobs in this state.
    state: Option<String>,
    /// Only jobs of this dataset.
    dataset: Option<String>,
    /// Jobs of a page, 1 to 200; 50 unless it is given.
    limit: Option<usize>,
    /// Where the page before said that the list goes on.
    cursor: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The jobs, newest first.
    jobs: Vec<JobResource>,
    /// Where the list goes on; null at its end. A page may have fewer jobs than were asked for and still go on.
    next: Option<String>,
}

/// The jobs of the caller's tenant, newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", operation_id = "list_jobs", params(ListQuery), responses(
    (status = 200, description = "A page of jobs", body = JobList),
    (status = 400, description = "A parameter cannot be read"),
))]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<JobList>, Problem> {
    let limit = page(query.limit, PAGE_MOST)?;
    let wanted = query.state.as_deref().map(state).transpose()?;
    let cursor = query.cursor.as_deref().map(cursor).transpose()?;
    let records = shared.records(&caller);
    let is_filtered = wanted.is_some() || query.dataset.is_some();
    let scanned = if is_filtered { JOBS_SCANNED } else { limit };
    // One more than wanted says whether the list goes on.
    let mut listed = records.list(cursor, scanned + 1).await?;
    let has_more = listed.len() > scanned;
    listed.truncate(scanned);
    let end = listed.last().map(|last| last.cursor.clone()).filter(|_| has_more);
    let mut rest = std::pin::pin!(
        futures::stream::iter(listed)
            .map(|listed| look(&shared, &records, listed, query.dataset.as_deref()))
            .buffered(READS)
            .try_filter_map(|job| std::future::ready(Ok(job)))
    );
    let mut jobs: Vec<JobResource> = Vec::new();
    while let Some((job, cursor)) = rest.try_next().await? {
        if wanted.is_none_or(|wanted| job.state == wanted) {
            jobs.push(job);
        }
        if jobs.len() == limit {
            let goes_on = end.is_some() || rest.try_next().await?.is_some();
            return Ok(Json(JobList { jobs, next: goes_on.then_some(cursor) }));
        }
    }
    Ok(Json(JobList { jobs, next: end }))
}

/// A listed job with its cursor, unless it is of another dataset.
async fn look(
    shared: &Shared,
    records: &JobRecords,
    listed: Listed,
    dataset: Option<&str>,
) -> Result<Option<(JobResource, String)>, Problem> {
    let Some(submission) = records.submission(&listed.job).await? else { return Ok(None) };
    if dataset.is_some_and(|dataset| submission.dataset.as_str() != dataset) {
        return Ok(None);
    }
    let known = Known::of(records.clone(), submission).await?;
    Ok(Some((super::shown(shared, &known).await, listed.cursor)))
}

fn state(text: &str) -> Result<JobState, Problem> {
    let words = JobState::ALL.map(JobState::as_str).join("`, `");
    let found = JobState::ALL.into_iter().find(|state| state.as_str() == text);
    found.ok_or_else(|| Problem::bad_value("state", text, &format!("one of `{words}`")))
}

/// A cursor is the time of a job, counted down in twenty digits, and its id.
fn cursor(text: &str) -> Result<&str, Problem> {
    let is_time = |digits: &str| digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_good = text.split_once('.').is_some_and(|(time, job)| is_time(time) && JobId::new(job).is_ok());
    let bad = || Problem::bad_value("cursor", text, "the `next` of an earlier page");
    is_good.then_some(text).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::Value;

    use crate::testing::{World, get, post, spec};

    fn ids(page: &Value) -> Vec<String> {
        let jobs = page["jobs"].as_array().expect("a list");
        jobs.iter().map(|job| job["id"].as_str().expect("an id").to_owned()).collect()
    }

    async fn submitted(world: &World, texts: &[&str]) -> Vec<String> {
        let mut made = Vec::new();
        for text in texts {
            world.clock.advance(1);
            let job = world.send(spec("/v1/jobs", text)).await.json();
            made.insert(0, job["id"].as_str().expect("an id").to_owned());
        }
        made
    }

    #[tokio::test]
    async fn pages_follow_each_other_newest_first() {
        let world = World::new().await;
        let made = submitted(&world, &["name: a", "name: b", "name: a", "name: b", "name: a"]).await;
        let mut path = "/v1/jobs?limit=2".to_owned();
        let mut seen = Vec::new();
        for jobs in [2, 2, 1] {
            let page = world.send(get(&path)).await.json();
            assert_eq!(ids(&page).len(), jobs, "{page}");
            seen.extend(ids(&page));
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/jobs?limit=2&cursor={next}"),
                None => assert_eq!(seen.len(), 5),
            }
        }
        assert_eq!(seen, made);
        let whole = world.send(get("/v1/jobs?limit=5")).await.json();
        assert_eq!(whole["next"], Value::Null, "a full last page ends the list");
    }

    #[tokio::test]
    async fn filters_choose_by_dataset_and_state() {
        let world = World::new().await;
        let made = submitted(&world, &["name: a", "name: b", "name: a"]).await;
        assert_eq!(ids(&world.send(get("/v1/jobs?dataset=b")).await.json()), [made[1].clone()]);
        world.send(post(&format!("/v1/jobs/{}/cancel", made[2]))).await;
        assert_eq!(ids(&world.send(get("/v1/jobs?state=cancelled")).await.json()), [made[2].clone()]);
        let first = world.send(get("/v1/jobs?dataset=a&limit=1")).await.json();
        assert_eq!(ids(&first), [made[0].clone()]);
        let next = first["next"].as_str().expect("goes on");
        let rest = world.send(get(&format!("/v1/jobs?dataset=a&limit=1&cursor={next}"))).await.json();
        assert_eq!((ids(&rest), &rest["next"]), (vec![made[2].clone()], &Value::Null));
    }

    #[tokio::test]
    async fn another_tenant_sees_none() {
        let world = World::new().await;
        submitted(&world, &["name: a"]).await;
        let stranger = world.stranger().await;
        assert!(ids(&world.send_as(Some(&stranger), get("/v1/jobs")).await.json()).is_empty());
    }

    #[tokio::test]
    async fn bad_parameters_say_what_is_expected() {
        let world = World::new().await;
        for (query, expected) in [
            ("state=done", "expected one of `queued`"),
            ("cursor=zzz", "expected the `next` of an earlier page"),
            ("cursor=18446744073709551610.../x", "expected the `next`"),
            ("limit=0", "expected 1 to 200"),
            ("limit=x", "limit"),
            ("colour=red", "unknown field `colour`"),
        ] {
            let refused = world.send(get(&format!("/v1/jobs?{query}"))).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
            let detail = refused.json()["detail"].as_str().expect("a text").to_owned();
            assert!(detail.contains(expected), "{query}: {detail}");
        }
    }
}
