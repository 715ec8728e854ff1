//! Changes of schedules: each is a new revision under the next number, made from the one that it follows.

use shardmill_shared::job::Name;
use shardmill_shared::schedule::Schedule;
use shardmill_shared::store::{Put, ScheduleRecords};

use crate::auth::Caller;
use crate::limits::REVISION_TRIES;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// The schedules of the caller's tenant.
pub(super) fn records(shared: &Shared, caller: &Caller) -> ScheduleRecords {
    ScheduleRecords::of(&shared.api.root, &caller.tenant)
}

/// The name of a schedule in a path. What cannot be one names nothing.
pub(super) fn name(text: &str) -> Result<Name, Problem> {
    Name::new(text).map_err(|_| Problem::not_found("schedule", text))
}

/// The newest revision, with its number.
pub(super) async fn found(records: &ScheduleRecords, name: &Name) -> Result<(u64, Schedule), Problem> {
    records.find(name).await?.ok_or_else(|| Problem::not_found("schedule", name.as_str()))
}

/// Makes what `next` makes of the newest revision, even of a deleted one, the newest. Where it makes nothing, nothing is
/// changed. When another change was a moment earlier, it is asked again.
pub(super) async fn change(
    records: &ScheduleRecords,
    name: &Name,
    next: impl Fn(Option<&Schedule>) -> Result<Option<Schedule>, Problem>,
) -> Result<(), Problem> {
    for _ in 0..REVISION_TRIES {
        let newest = records.newest(name).await?;
        let Some(schedule) = next(newest.as_ref().map(|(_, schedule)| schedule))? else { return Ok(()) };
        let number = newest.map_or(1, |(number, _)| number + 1);
        if records.revise(name, number, &schedule).await? == Put::Created {
            return Ok(());
        }
    }
    Err(Problem::new(Kind::Conflict, format!("the schedule `{name}` is being changed by others: try again")))
}
