//! Any bytes as a list of the letter system: lines that are whole, or faults that name a row and never say what stands there.

#![no_main]

use knik_fuzz::decide::{LETTER_COLUMNS, LETTER_COLUMNS_OPTIONAL, read_letters};
use libfuzzer_sys::fuzz_target;

/// With a heading before it half of the time: else nearly all would end at the columns.
fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let heading = [LETTER_COLUMNS, LETTER_COLUMNS_OPTIONAL].concat().join(if first % 4 == 1 { ";" } else { "," });
    let list = if first % 2 == 0 { data.to_vec() } else { [heading.as_bytes(), b"\n", rest].concat() };
    match read_letters(&list) {
        Ok(lines) => {
            for line in &lines {
                assert!(line.row > 1 && !line.system.is_empty() && !line.case_number.expose().is_empty());
                assert!(line.record.is_some() || line.confirmed_on.is_some(), "neither a link nor a confirmation");
                assert!(line.record.is_none() || line.registered_on.is_some());
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= 101);
            assert!(faults.iter().all(|fault| fault.row > 0 && !fault.mend.is_empty()));
        }
    }
});
