//! Any text, any people: no panic, and findings as promised.

#![no_main]

use knik_fuzz::given::Conversation;
use knik_fuzz::{invariants, shipped};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let given = Conversation::of(data);
    invariants::check(shipped::ruleset(), &given.text, &given.participants());
});
