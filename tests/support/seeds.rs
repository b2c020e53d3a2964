//! Time and chance from a seed: the same seed gives the same moments and the same bytes, in the same order.

use super::start;
use aws_lc_rs::digest::{SHA256, digest};
use knik::model::Timestamp;
use knik::vault::Sources;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that moves one millisecond each time it is looked at, and bytes drawn from `seed`.
pub fn seeded(seed: u64) -> Sources {
    let now = AtomicI64::new(start().micros());
    let drawn = Mutex::new((seeded_bytes(seed), 0_u64));
    Sources::new(
        move || Timestamp::from_micros(now.fetch_add(1_000, Ordering::SeqCst)).unwrap(),
        move |to| {
            let mut drawn = drawn.lock().unwrap();
            for chunk in to.chunks_mut(32) {
                let (seed, count) = *drawn;
                let block = digest(&SHA256, &[seed.as_slice(), &count.to_be_bytes()].concat());
                chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
                drawn.1 += 1;
            }
            true
        },
    )
}

/// Thirty-two bytes of a seed.
pub fn seeded_bytes(seed: u64) -> [u8; 32] {
    digest(&SHA256, &seed.to_be_bytes()).as_ref().try_into().unwrap()
}
