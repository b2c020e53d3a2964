//! Any bytes as a file of assessments of an external agency: lines that say where they stand, or faults that do; and no free
//! text in any fault.

#![no_main]

use knik_fuzz::assessments::{FAULTS_MAX, FileForm, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let form = if first % 2 == 0 { FileForm::Csv } else { FileForm::Jsonl };
    let rows = 1 + rest.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    match read(form, rest) {
        Ok(lines) => {
            assert!(!lines.is_empty(), "a file without a line is at fault");
            assert!(lines.iter().all(|line| (1..=rows).contains(&line.row)), "a line that stands nowhere");
        }
        Err(faults) => {
            assert!((1..=FAULTS_MAX).contains(&faults.len()), "no fault, or too many");
            assert!(faults.iter().all(|fault| (1..=rows).contains(&fault.row)), "a fault that stands nowhere");
        }
    }
});
