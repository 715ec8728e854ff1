//! One attempt's questions: for every row of the shard and every filled column, in groups of which each reads the answers before.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, future, stream};
use shardmill_engine::{Asked, Filling, Scratch, Tables};
use shardmill_llm::{Ask, AskError, Asker, Doors, Parameters, Request, Route, Source, Told};
use tokio::time::timeout;

use super::journal::ShardJournal;
use super::models::Models;
use super::pace::JobPace;
use super::purse::LeasePurse;
use super::seal::{Reject, Seal, SealedColumn};
use crate::execute::tables::refused;
use crate::execute::{Assignment, ExecuteError, ShardSink};
use crate::limits::{ASKED_AT_ONCE, LAST_ANSWERS_MS, REPAIRS, STOP_LOOK_MS};

/// An attempt that asks.
struct Attempt<'a> {
    models: &'a Models,
    work: &'a Assignment,
    purse: LeasePurse<'a>,
    pace: Arc<JobPace>,
    journal: &'a ShardJournal,
}

/// What is asked for one row.
struct Question {
    row: u64,
    request: Request,
}

/// Asks for every row of a shard, and says what was obtained.
pub(super) fn ask_all(
    models: &Models,
    work: &Assignment,
    (tables, table): (&Tables, usize),
    sink: &mut dyn ShardSink,
) -> Result<Seal, ExecuteError> {
    let Some(lease) = work.lease.clone() else {
        return Err(ExecuteError::Model("its answers are not sealed yet, and this may not buy any".to_owned()));
    };
    let _entered = work.runtime.enter();
    let journal = work.runtime.block_on(ShardJournal::open(&work.job.place, &work.shard.id, lease.fence.0))?;
    let purse = LeasePurse::new(models.cashier(work.job.tenant.as_ref()), &journal, lease);
    let pace = models.pace(work.job.tenant.as_ref(), &work.job.id);
    let attempt = Attempt { models, work, purse, pace, journal: &journal };
    let end = attempt.ask_groups(tables, table, sink);
    // Whatever became of the rows: what was paid is told.
    let closed = work.runtime.block_on(attempt.purse.close());
    // A disk that is full is told as such, not as a model that does not answer.
    if let Some(fault) = journal.fault() {
        return Err(ExecuteError::Read(fault));
    }
    let seal = end?;
    closed.map_err(|error| ExecuteError::Unanswered(error.to_string()))?;
    Ok(seal)
}

impl Attempt<'_> {
    fn ask_groups(&self, tables: &Tables, table: usize, sink: &mut dyn ShardSink) -> Result<Seal, ExecuteError> {
        let (mut seal, mut given) = (Seal::default(), Vec::new());
        let mut lost = BTreeSet::new();
        for group in tables.fillings(table) {
            let mut filled = Vec::new();
            for (column, filling) in group {
                let asked = Asked { table, rows: self.work.shard.rows.clone(), given: &given };
                let prompts = tables.prompts(&asked, column, &Rc::new(Scratch::default())).map_err(refused)?;
                let name = tables.table(table).columns[column].name.clone();
                let answers = self.ask_column(&name, (filling, prompts), (&mut seal, &mut lost), sink)?;
                filled.push((column, SealedColumn { column: name, answers }));
            }
            for (column, sealed) in filled {
                given.push((column, sealed.texts()));
                seal.columns.push(sealed);
            }
        }
        seal.rejects.sort_by_key(|reject| reject.row);
        seal.paid = self.journal.paid();
        Ok(seal)
    }

    /// Asks for one column of every row that is not lost.
    fn ask_column(
        &self,
        name: &str,
        (filling, prompts): (&Filling, Vec<String>),
        (seal, lost): (&mut Seal, &mut BTreeSet<u64>),
        sink: &mut dyn ShardSink,
    ) -> Result<Vec<Option<String>>, ExecuteError> {
        let route: Route = format!("{}/{}", filling.provider, filling.model).parse().map_err(misconfigured)?;
        let chain = [route];
        let rows: Range<u64> = self.work.shard.rows.clone();
        let mut answers = vec![None; prompts.len()];
        let questions = rows.clone().zip(prompts).filter(|(row, _)| !lost.contains(row));
        let questions: Vec<Question> =
            questions.map(|(row, prompt)| Question { row, request: request(filling, prompt) }).collect();
        let is_over = Cell::new(false);
        let asking = questions.iter().map(|question| self.ask(name, &chain, question, &is_over));
        let mut told = stream::iter(asking).buffer_unordered(ASKED_AT_ONCE).filter_map(future::ready).boxed_local();
        self.work.runtime.block_on(async {
            loop {
                // Between answers it may be told to stop, however long the next one takes.
                let Ok(next) = timeout(Duration::from_millis(STOP_LOOK_MS), told.next()).await else {
                    sink.made(0)?;
                    continue;
                };
                match next {
                    None => return Ok(()),
                    Some((row, Ok(told))) => {
                        seal.calls += u64::from(told.calls);
                        seal.known += u64::from(told.source == Source::Known);
                        answers[(row - rows.start) as usize] = Some(told.text);
                    }
                    Some((row, Err(AskError::Rejected(rejection)))) => {
                        seal.calls += u64::from(rejection.calls);
                        lost.insert(row);
                        seal.rejects.push(Reject {
                            row,
                            column: name.to_owned(),
                            class: rejection.class,
                            reasons: rejection.reasons,
                            calls: rejection.calls,
                            paid: rejection.paid,
                            answer: rejection.raw,
                        });
                    }
                    Some((_, Err(error))) => {
                        is_over.set(true);
                        // Without this, answers under way would be paid for and lost.
                        let _ = timeout(Duration::from_millis(LAST_ANSWERS_MS), last_answers(told, sink)).await;
                        return Err(failure(error));
                    }
                }
                sink.made(0)?;
            }
        })?;
        Ok(answers)
    }

    /// Nothing once it is over: what was not asked by then is not asked.
    async fn ask(
        &self,
        column: &str,
        chain: &[Route],
        question: &Question,
        is_over: &Cell<bool>,
    ) -> Option<(u64, Result<Told, AskError>)> {
        if is_over.get() {
            return None;
        }
        let key = format!("{}.{column}#{}", self.work.shard.id.stage, question.row);
        let doors = Doors { purse: Some(&self.purse), pace: &*self.pace, journal: self.journal };
        let asker = Asker { row_key: key.as_bytes(), draw: 0 };
        let ask = Ask { doors, chain, request: &question.request, asker, repairs: REPAIRS };
        Some((question.row, self.models.gateway.ask(ask).await))
    }
}

/// Waits for what was asked already; the journal keeps it for the next attempt.
async fn last_answers<T>(mut told: impl Stream<Item = T> + Unpin, sink: &mut dyn ShardSink) {
    loop {
        match timeout(Duration::from_millis(STOP_LOOK_MS), told.next()).await {
            Ok(None) => return,
            Ok(Some(_)) | Err(_) if sink.made(0).is_err() => return,
            Ok(Some(_)) | Err(_) => {}
        }
    }
}

fn request(filling: &Filling, prompt: String) -> Request {
    let parameters =
        Parameters { temperature: filling.temperature, ..Parameters::with_at_most(filling.max_output_tokens) };
    let request = Request::of(prompt, parameters);
    match &filling.system {
        Some(system) => request.with_system(system.as_str()),
        None => request,
    }
}

fn misconfigured(error: impl ToString) -> ExecuteError {
    ExecuteError::Model(error.to_string())
}

/// Why the shard goes no further, by what can be done about it.
fn failure(error: AskError) -> ExecuteError {
    match error {
        AskError::Exhausted | AskError::Over { .. } => ExecuteError::Budget(error.to_string()),
        AskError::Misconfigured(_) => ExecuteError::Model(error.to_string()),
        AskError::Stopped(_) | AskError::Unavailable { .. } | AskError::Journal(_) | AskError::Rejected(_) => {
            ExecuteError::Unanswered(error.to_string())
        }
    }
}
