//! One attempt's questions: for every row of the shard and every filled column, in groups of which each reads the answers before.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::ArrayRef;
use futures::{Stream, StreamExt, future, stream};
use shardmill_engine::{Asked, Rows, Scratch, Tables, Taken};
use shardmill_llm::structured::Rejection;
use shardmill_llm::{Ask, AskError, Asker, Class, Doors, Journal, Request, Source, Told};
use shardmill_shared::job::Name;
use tokio::time::timeout;

use super::journal::{Remembering, ShardJournal};
use super::models::Models;
use super::pace::JobPace;
use super::pack::Packs;
use super::purse::LeasePurse;
use super::seal::{Reject, RejectClass, Seal, SealedColumn};
use super::words::Words;
use crate::execute::tables::refused;
use crate::execute::{Assignment, ExecuteError, ShardSink};
use crate::limits::{ASKED_AT_ONCE, LAST_ANSWERS_MS, REJECTED_CHARS, REPAIRS, STOP_LOOK_MS};

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
    let fence = lease.fence.0;
    let (packs, journal) = work.runtime.block_on(remembered(work, fence))?;
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
    // Without it the next version buys these answers again.
    if let Err(error) = work.runtime.block_on(packs.put(fence, journal.wanted())) {
        tracing::warn!("what was answered is not kept for later versions: {error}");
    }
    Ok(seal)
}

/// What earlier versions and earlier attempts were answered for the rows of a shard.
async fn remembered(work: &Assignment, fence: u64) -> Result<(Packs, ShardJournal), ExecuteError> {
    let (job, shard) = (&work.job, &work.shard);
    let packs = Packs::find(&job.place, (&job.plan.name, &shard.id.stage), shard.rows.clone()).await?;
    let journal = ShardJournal::open(&job.place, &shard.id, fence, packs.answers().await).await?;
    Ok((packs, journal))
}

/// What was obtained so far.
#[derive(Default)]
struct Obtained {
    seal: Seal,
    /// The columns of the seal, by position in the table.
    columns: Vec<usize>,
    /// Rows that are rejected: nothing more is asked for them.
    lost: BTreeSet<u64>,
}

impl Obtained {
    fn reject(&mut self, reject: Reject) {
        self.lost.insert(reject.row);
        self.seal.rejects.push(reject);
    }

    /// The cells of the rows at some positions.
    fn cells(&self, positions: &[usize]) -> Vec<(usize, ArrayRef)> {
        self.columns.iter().zip(&self.seal.columns).map(|(at, sealed)| (*at, sealed.cells(positions))).collect()
    }
}

impl Attempt<'_> {
    fn ask_groups(&self, tables: &Tables, table: usize, sink: &mut dyn ShardSink) -> Result<Seal, ExecuteError> {
        let mut obtained = Obtained::default();
        for group in tables.fillings(table) {
            for (at, filling) in group {
                let name = tables.table(table).columns[at].name.clone();
                let prompts = self.prompts((tables, table, at), &obtained)?;
                let words = Words::of(self.models, &name, filling)?;
                self.may_ask(&words)?;
                let sealed = self.ask_column(&words, prompts, &mut obtained, sink)?;
                obtained.seal.columns.push(sealed);
                obtained.columns.push(at);
            }
        }
        let mut seal = obtained.seal;
        seal.rejects.sort_by_key(|reject| reject.row);
        seal.paid = self.journal.paid();
        Ok(seal)
    }

    /// Whether the tenant may ask this model: the configuration may have changed since the job was accepted.
    fn may_ask(&self, words: &Words<'_>) -> Result<(), ExecuteError> {
        // A local run is that of an installation without tenants.
        let nobody = || Name::new("default").expect("letters are allowed in names");
        let tenant = self.work.job.tenant.clone().unwrap_or_else(nobody);
        self.models.gateway.check(&words.chain, &tenant).map_err(|error| ExecuteError::Model(error.to_string()))
    }

    /// The prompt of every row that is not lost; none where it is skipped.
    fn prompts(
        &self,
        (tables, table, column): (&Tables, usize, usize),
        obtained: &Obtained,
    ) -> Result<Vec<(u64, Option<String>)>, ExecuteError> {
        let rows = self.work.shard.rows.clone();
        let live: Vec<u64> = rows.clone().filter(|row| !obtained.lost.contains(row)).collect();
        if live.is_empty() {
            return Ok(Vec::new());
        }
        let positions: Vec<usize> = live.iter().map(|row| (row - rows.start) as usize).collect();
        let given = obtained.cells(&positions);
        let asked = Asked { table, rows: Rows::Picked(live.clone()), given: &given };
        let prompts = tables.prompts(&asked, column, &Rc::new(Scratch::default())).map_err(refused)?;
        Ok(live.into_iter().zip(prompts).collect())
    }

    /// Asks for one column of every row that has a prompt.
    fn ask_column(
        &self,
        words: &Words<'_>,
        prompts: Vec<(u64, Option<String>)>,
        obtained: &mut Obtained,
        sink: &mut dyn ShardSink,
    ) -> Result<SealedColumn, ExecuteError> {
        let rows: Range<u64> = self.work.shard.rows.clone();
        let mut answers = vec![None; (rows.end - rows.start) as usize];
        let (mut questions, mut skipped) = (Vec::new(), Vec::new());
        for (row, prompt) in prompts {
            match prompt {
                Some(prompt) => questions.push(Question { row, request: words.request(&prompt)? }),
                None => skipped.push(row - rows.start),
            }
        }
        let is_over = Cell::new(false);
        let asking = questions.iter().map(|question| self.ask(words, question, &is_over));
        let mut told = stream::iter(asking).buffer_unordered(ASKED_AT_ONCE).filter_map(future::ready).boxed_local();
        self.work.runtime.block_on(async {
            loop {
                // Between answers it may be told to stop, however long the next one takes.
                let Ok(next) = timeout(Duration::from_millis(STOP_LOOK_MS), told.next()).await else {
                    sink.made(0)?;
                    continue;
                };
                let Some((row, end)) = next else { return Ok(()) };
                match took(words, row, end, obtained) {
                    Ok(cell) => answers[(row - rows.start) as usize] = cell,
                    Err(error) => {
                        is_over.set(true);
                        // Without this, answers under way would be paid for and lost.
                        let _ = timeout(Duration::from_millis(LAST_ANSWERS_MS), last_answers(told, sink)).await;
                        return Err(error);
                    }
                }
                sink.made(0)?;
            }
        })?;
        Ok(SealedColumn { column: words.column.to_owned(), answers, skipped })
    }

    /// Nothing once it is over: what was not asked by then is not asked.
    async fn ask(
        &self,
        words: &Words<'_>,
        question: &Question,
        is_over: &Cell<bool>,
    ) -> Option<(u64, Result<Told, AskError>)> {
        if is_over.get() {
            return None;
        }
        let key = format!("{}.{}#{}", self.work.shard.id.stage, words.column, question.row);
        let remembering = Remembering(self.journal);
        let journal: &dyn Journal = if words.filling.reuses { &remembering } else { self.journal };
        let doors = Doors { purse: Some(&self.purse), pace: &*self.pace, journal };
        let asker = Asker { row_key: key.as_bytes(), draw: 0 };
        let ask = Ask { doors, chain: &words.chain, request: &question.request, asker, repairs: REPAIRS };
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

/// The cell that an answer is, or none where the row is rejected.
fn took(
    words: &Words<'_>,
    row: u64,
    end: Result<Told, AskError>,
    obtained: &mut Obtained,
) -> Result<Option<String>, ExecuteError> {
    let column = words.column.to_owned();
    let told = match end {
        Ok(told) => told,
        Err(AskError::Rejected(rejection)) => {
            let Rejection { class, reasons, calls, paid, raw, .. } = *rejection;
            obtained.seal.calls += u64::from(calls);
            let class = RejectClass::Answer(class);
            obtained.reject(Reject { row, column, class, reasons, calls, paid, answer: raw });
            return Ok(None);
        }
        Err(error) => return Err(failure(error)),
    };
    obtained.seal.calls += u64::from(told.calls);
    obtained.seal.known += u64::from(told.source == Source::Known);
    let answer: String = told.text.chars().take(REJECTED_CHARS).collect();
    let (class, reason) = match words.filling.take(told.text, told.value.as_ref()) {
        Taken::Cell(text) => return Ok(Some(text)),
        Taken::Dropped(reason) => (RejectClass::KeepIf, reason),
        Taken::Unfit(reason) => (RejectClass::Answer(Class::Invalid), reason),
    };
    let (calls, paid) = (told.calls, told.paid);
    obtained.reject(Reject { row, column, class, reasons: vec![reason], calls, paid, answer });
    Ok(None)
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
