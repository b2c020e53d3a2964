//! Any bytes as a capture: units, refusals or one error. The units tile what was read, and their cuts and refusals cover
//! every byte once.

#![no_main]

use knik_fuzz::capture::{Limits, Reader, Unit};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { unit_bytes_max: 16 << 10, depth_max: 64 };

fuzz_target!(|data: &[u8]| {
    let Ok(reader) = Reader::new(data, None, LIMITS) else { return };
    let mut read = 0;
    for unit in reader.map_while(Result::ok) {
        assert_eq!(unit.offset, read, "a gap or an overlap between units");
        read = check(&unit, data);
    }
});

/// Where the unit ends.
fn check(unit: &Unit, data: &[u8]) -> u64 {
    let cuts = unit.cuts.iter().flat_map(|cut| &cut.ranges);
    let mut ranges: Vec<(u64, u64)> =
        cuts.chain(unit.refused.iter().map(|refusal| &refusal.range)).map(|r| (r.start, r.end)).collect();
    ranges.sort_unstable();
    let mut covered = unit.offset;
    for (start, end) in ranges {
        assert_eq!(start, covered, "a byte in no cut, or in two");
        covered = end;
    }
    let end = unit.offset + unit.bytes.len() as u64;
    assert!(covered >= end && covered <= data.len() as u64, "bytes in no cut, or cuts outside the file");
    let bytes = data.get(usize::try_from(unit.offset).unwrap()..usize::try_from(end).unwrap());
    assert_eq!(bytes, Some(&unit.bytes[..]), "not the bytes of the file");
    covered
}
