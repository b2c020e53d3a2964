//! Any pattern file beside shipped ones: a ruleset that works or faults that name the file, and no panic.

#![no_main]

use knik_fuzz::detect::RulesetError;
use knik_fuzz::{invariants, shipped};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut files = shipped::few().clone();
    files.push(("zz-given.yaml".to_owned(), String::from_utf8_lossy(data).into_owned()));
    match shipped::load(&files) {
        Ok(ruleset) => {
            let _failures = ruleset.check();
            invariants::check(
                &ruleset,
                "Bel 06-12345678 of mail jan@voorbeeld.nl, bsn 999990019.\nGroet, Jan ０é😀",
                &[],
            );
        }
        Err(RulesetError::Faults(faults)) => assert!(!faults.is_empty(), "refused without a fault"),
    }
});
