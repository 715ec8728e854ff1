//! Processor time of this thread, which leaves out waiting for other programs.

use std::time::Instant;

/// Seconds this thread has been on a processor, from the kernel's scheduler statistics; wall time where there are none.
fn thread_seconds(start: Instant) -> f64 {
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos =
        on_processor.and_then(|text| text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok()));
    nanos.map_or_else(|| start.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

/// The processor seconds of `work` on this thread.
pub(super) fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    let before = thread_seconds(start);
    work();
    thread_seconds(start) - before
}
