//! Processor time of this thread: what other work on the machine takes does not count, so that two figures of one run can
//! be compared. On an idle machine it is the time on the wall.

use rustix::time::{ClockId, clock_gettime};

/// Processor time that `work` took, in seconds, and what it gave.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = seconds();
    let made = work();
    (seconds() - start, made)
}

fn seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// The middle of some figures; 0 of none.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
