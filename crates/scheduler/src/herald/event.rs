//! What webhooks are told. Pure.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shardmill_shared::job::{Ending, JobId, JobState, Name, Submission};

/// What happened to a job.
#[derive(Clone, Debug)]
pub(crate) enum Event<'a> {
    /// It has ended, after so many retries.
    Ended(u32, &'a Ending),
    /// It was paused for so many times, at some time in milliseconds since 1970; why, in a word.
    Paused(u32, u64, &'static str),
}

/// A message for a webhook that is not delivered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Announcement {
    /// Its id: the same at every attempt, so that receivers can drop doubles.
    pub(crate) id: Name,
    /// Who is told.
    pub(crate) webhook: Name,
    /// Of which job.
    pub(crate) job: JobId,
    /// Since when it is to be delivered, in milliseconds since 1970.
    pub(crate) created_ms: u64,
    /// What is sent: the same bytes at every attempt.
    pub(crate) body: String,
}

/// What came of an announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    /// Who was told.
    pub(crate) webhook: Name,
    /// Whether it took the message; else nobody tries any more.
    pub(crate) is_delivered: bool,
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// What went wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

impl Event<'_> {
    fn word(&self) -> &'static str {
        match self {
            Self::Ended(_, ending) => match ending.state {
                JobState::Succeeded => "job.succeeded",
                JobState::Cancelled => "job.cancelled",
                _ => "job.failed",
            },
            Self::Paused(..) => "job.paused",
        }
    }

    fn number(&self) -> u32 {
        match self {
            Self::Ended(number, _) | Self::Paused(number, ..) => *number,
        }
    }

    fn at_ms(&self) -> u64 {
        match self {
            Self::Ended(_, ending) => ending.ended_ms,
            Self::Paused(_, at_ms, _) => *at_ms,
        }
    }
}

/// The message for a webhook about what happened to a job and its version.
pub(crate) fn announcement(
    submission: &Submission,
    webhook: &Name,
    event: &Event<'_>,
    version: Option<u64>,
) -> Announcement {
    let Submission { job, tenant, dataset, afterwards, .. } = submission;
    let word = event.word();
    let hash = blake3::hash(format!("{tenant}\n{job}\n{webhook}\n{word}\n{}", event.number()).as_bytes());
    let id = Name::new(&format!("msg_{}", &hash.to_hex()[..32])).expect("letters and digits are allowed");
    let mut data = json!({
        "tenant": tenant,
        "job": job,
        "schedule": afterwards.schedule,
        "dataset": dataset,
        "version": version,
        "state": word.trim_start_matches("job."),
    });
    if let Event::Ended(_, ending) = event {
        data["rows"] = ending.made.rows.into();
        data["bytes"] = ending.made.bytes.into();
        data["message"] = ending.message.clone().into();
        data["manifest"] = ending.manifest.map(|digest| digest.to_string()).into();
        data["spent_usd"] = ending.spent.map(|spent| spent.to_string()).into();
    }
    if let Event::Paused(_, _, reason) = event {
        data["waits_for"] = (*reason).into();
    }
    let body = json!({"type": word, "timestamp": rfc3339(event.at_ms()), "data": data}).to_string();
    Announcement { id, webhook: webhook.clone(), job: job.clone(), created_ms: event.at_ms(), body }
}

fn rfc3339(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis);
    time.unwrap_or(DateTime::<Utc>::MAX_UTC).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use shardmill_shared::job::{Made, PRIORITY_USUAL};
    use shardmill_shared::schedule::Afterwards;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("allowed")
    }

    #[test]
    fn every_event_has_one_id_and_one_body() {
        let submission = Submission {
            job: JobId::new("j1").expect("allowed"),
            tenant: name("acme"),
            dataset: name("shop"),
            spec: "{}".to_owned(),
            priority: PRIORITY_USUAL,
            submitted_ms: 1,
            by: "schedule nightly".to_owned(),
            afterwards: Afterwards { schedule: Some(name("nightly")), ..Afterwards::default() },
            trace: None,
        };
        let made = Made { rows: 7, bytes: 70 };
        let ending =
            Ending { state: JobState::Succeeded, message: None, ended_ms: 1_000, made, manifest: None, spent: None };
        let told = announcement(&submission, &name("team"), &Event::Ended(0, &ending), Some(3));
        assert_eq!(
            told.body,
            r#"{"type":"job.succeeded","timestamp":"1970-01-01T00:00:01.000Z","data":{"tenant":"acme","job":"j1","schedule":"nightly","dataset":"shop","version":3,"state":"succeeded","rows":7,"bytes":70,"message":null,"manifest":null,"spent_usd":null}}"#
        );
        assert_eq!(told, announcement(&submission, &name("team"), &Event::Ended(0, &ending), Some(3)));
        let paused = announcement(&submission, &name("team"), &Event::Paused(1, 1_000, "budget"), None);
        assert!(paused.body.contains(r#""state":"paused","waits_for":"budget""#), "{}", paused.body);
        for (webhook, event) in [
            ("other", Event::Ended(0, &ending)),
            ("team", Event::Ended(1, &ending)),
            ("team", Event::Paused(0, 1_000, "user")),
            ("team", Event::Paused(1, 1_000, "user")),
        ] {
            assert_ne!(told.id, announcement(&submission, &name(webhook), &event, Some(3)).id, "{webhook} {event:?}");
        }
    }
}
