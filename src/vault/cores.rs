//! Work that is done on every core that this process may use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// More than this are never started, however many cores there are: others work here too.
const THREADS_MAX: usize = 8;

/// What `work` makes of each of these, in their order.
pub(super) fn on_every_core<T: Sync, R: Send>(of: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(of.len());
    if cores <= 1 {
        return of.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = of.get(place) else { return done };
            done.push((place, work(one)));
        }
    };
    let mut all = thread::scope(|scope| {
        // Where there can be no other thread, this one does it all.
        let others: Vec<_> =
            (1..cores).filter_map(|_| thread::Builder::new().spawn_scoped(scope, some).ok()).collect();
        let mut all = some();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_and_stands_in_its_order() {
        let many: Vec<usize> = (0..1_000).collect();
        assert_eq!(on_every_core(&many, |n| n * 2), (0..2_000).step_by(2).collect::<Vec<_>>());
        assert_eq!(on_every_core(&[] as &[usize], |n| *n), Vec::<usize>::new());
    }

    #[test]
    #[should_panic(expected = "the fifth")]
    fn a_panic_is_not_swallowed() {
        on_every_core(&[1, 2, 3, 4, 5], |n| assert!(*n != 5, "the fifth"));
    }
}
