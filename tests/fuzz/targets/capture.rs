//! Any bytes as a capture, in a container or not: units, refusals or one error. The file's own units tile what was read,
//! and the cuts and refusals of every unit cover each of its bytes once.

#![no_main]

use knik_fuzz::capture::{Limits, Unit, open};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { unit_bytes_max: 16 << 10, depth_max: 64 };

fuzz_target!(|data: &[u8]| {
    let Ok(opened) = open(data, None, LIMITS) else { return };
    let mut read = 0;
    for unit in opened.map_while(Result::ok) {
        if unit.within.is_some() {
            cut(&unit);
            continue;
        }
        assert_eq!(unit.offset, read, "a gap or an overlap between units");
        read = check(&unit, data);
    }
});

/// Where the cuts and refusals of a unit end.
fn cut(unit: &Unit) -> u64 {
    let cuts = unit.cuts.iter().flat_map(|cut| &cut.ranges);
    let refused = unit.refused.iter().map(|refusal| &refusal.range).filter(|range| !range.is_empty());
    let mut ranges: Vec<(u64, u64)> = cuts.chain(refused).map(|range| (range.start, range.end)).collect();
    ranges.sort_unstable();
    let mut covered = unit.offset;
    for (start, end) in ranges {
        assert_eq!(start, covered, "a byte in no cut, or in two");
        covered = end;
    }
    let end = unit.offset + unit.bytes.len() as u64;
    assert!(covered == end || (unit.bytes.is_empty() && covered > end), "bytes in no cut");
    covered
}

/// Where a unit of the file's own bytes ends.
fn check(unit: &Unit, data: &[u8]) -> u64 {
    let covered = cut(unit);
    assert!(covered <= data.len() as u64, "cuts outside the file");
    let end = unit.offset + unit.bytes.len() as u64;
    let bytes = data.get(usize::try_from(unit.offset).unwrap()..usize::try_from(end).unwrap());
    assert_eq!(bytes, Some(&unit.bytes[..]), "not the bytes of the file");
    covered
}
