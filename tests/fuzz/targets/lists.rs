//! Any word list, or thresholds, in place of a shipped one; the first byte says which.

#![no_main]

use knik_fuzz::{invariants, shipped};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, text)) = data.split_first() else { return };
    let mut files = shipped::few().clone();
    let replaceable: Vec<usize> = (0..files.len())
        .filter(|n| files[*n].0.starts_with("lists/") || files[*n].0 == "thresholds.yaml")
        .collect();
    let place = replaceable[usize::from(*which) % replaceable.len()];
    files[place].1 = String::from_utf8_lossy(text).into_owned();
    if let Ok(ruleset) = shipped::load(&files) {
        invariants::check(
            &ruleset,
            "Volgens mevrouw J. de Vries-Bakker woont Jan op Kerkstraat 12a. Groet, Fatima",
            &[],
        );
    }
});
