//! How far a run has come: bars in a terminal, plain lines elsewhere, JSON Lines on request.

use std::sync::{Arc, Mutex};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use shardmill_shared::job::{Plan, Progress};
use shardmill_shared::process::Clock;

use crate::say;
use shardmill_cli::local::ProgressListener;

/// Between two plain lines or events, in milliseconds.
const LINE_EVERY_MS: u64 = 2_000;

/// Shows progress in the way that fits where it goes.
pub(crate) struct Bars {
    clock: Arc<dyn Clock>,
    expected: Vec<u64>,
    show: Show,
}

enum Show {
    Terminal { all: MultiProgress, bars: Vec<ProgressBar> },
    Lines { last_ms: Mutex<u64>, as_json: bool },
}

impl Bars {
    /// Bars for the stages of a plan.
    pub(crate) fn new(plan: &Plan, clock: Arc<dyn Clock>, as_json: bool) -> Self {
        let expected: Vec<u64> = plan.stages.iter().map(|stage| stage.rows.most()).collect();
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        if as_json || !is_terminal {
            return Self { clock, expected, show: Show::Lines { last_ms: Mutex::new(0), as_json } };
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let template = "{prefix:<20} {wide_bar} {human_pos:>13}/{human_len} rows  {per_sec}  {msg}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let bars = plan
            .stages
            .iter()
            .map(|stage| {
                let bar = all.add(ProgressBar::new(stage.rows.most()).with_style(style.clone()));
                bar.set_prefix(stage.id.to_string());
                bar
            })
            .collect();
        Self { clock, expected, show: Show::Terminal { all, bars } }
    }

    /// Takes the bars away, so that what follows stands alone.
    pub(crate) fn end(&self) {
        if let Show::Terminal { all, .. } = &self.show {
            let _ = all.clear();
        }
    }

    fn line(&self, progress: &Progress, as_json: bool) {
        let made = progress.made();
        let elapsed_ms = self.clock.now_ms().max(1);
        if as_json {
            let event = json!({ "event": "progress", "elapsed_ms": elapsed_ms, "stages": progress.stages });
            say::result(&event.to_string());
            return;
        }
        let expected: u64 = self.expected.iter().fold(0, |sum, rows| sum.saturating_add(*rows));
        let rate = made.rows * 1_000 / elapsed_ms;
        let left = expected.saturating_sub(made.rows).checked_div(rate).map_or("?".to_owned(), |s| format!("{s} s"));
        say::error(&format!(
            "{} of {} rows, {}, {} rows/s, {left} left",
            say::count(made.rows),
            say::count(expected),
            say::bytes(made.bytes),
            say::count(rate)
        ));
    }
}

impl ProgressListener for Bars {
    fn progress(&self, progress: &Progress) {
        match &self.show {
            Show::Terminal { bars, .. } => {
                for (bar, stage) in bars.iter().zip(&progress.stages) {
                    bar.set_position(stage.made.rows);
                    bar.set_message(say::bytes(stage.made.bytes));
                    if stage.shards_total == Some(stage.shards_done) {
                        bar.set_length(stage.made.rows);
                        bar.finish();
                    }
                }
            }
            Show::Lines { last_ms, as_json } => {
                let now = self.clock.now_ms();
                let mut last = last_ms.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if now >= *last + LINE_EVERY_MS {
                    *last = now;
                    self.line(progress, *as_json);
                }
            }
        }
    }
}
