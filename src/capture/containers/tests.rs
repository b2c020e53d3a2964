//! Containers: the samples where they exist, and invented ones with everything wrong with them.

use super::*;
use crate::capture::tests::{captures, fixtures, tally};
use crate::capture::unit::CutKind;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::collections::BTreeMap;
use std::io::Write;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Unit>, CaptureError> {
    open(bytes, None, Limits::default())?.collect()
}

/// The file's own units join to it and are parted by their cuts; derived ones are parted by theirs.
pub(super) fn assert_tiled(name: &str, bytes: &[u8], units: &[Unit], whole: bool) {
    let mut at = 0;
    for unit in units {
        let end = unit.offset + unit.bytes.len() as u64;
        if unit.within.is_none() {
            assert_eq!(unit.offset, at, "{name}: units leave no gap");
            assert!(bytes[at as usize..].starts_with(&unit.bytes), "{name}: units are the file's bytes");
            at = end;
        }
        let mut ranges: Vec<_> = unit.cuts.iter().flat_map(|cut| cut.ranges.iter().copied()).collect();
        ranges.extend(unit.refused.iter().map(|refusal| refusal.range).filter(|range| !range.is_empty()));
        ranges.sort();
        let mut reached = unit.offset;
        for range in ranges {
            assert_eq!(range.start, reached, "{name}: cuts part the unit");
            assert!(!range.is_empty(), "{name}: no cut is empty");
            reached = range.end;
        }
        let passed_over = unit.within.is_some() && unit.bytes.is_empty();
        assert!(reached == end || passed_over, "{name}: cuts cover the unit");
        for (index, item) in unit.items.iter().enumerate() {
            assert_eq!(unit.cuts[index].kind, CutKind::Own { item: index }, "{name}");
            assert!(item.range.start >= unit.offset && item.range.end <= end, "{name}");
            assert!(unit.format.is_some() && !item.names.is_empty(), "{name}");
        }
    }
    assert!(!whole || at == bytes.len() as u64, "{name}: units cover the file, {at} of {}", bytes.len());
}

pub(super) fn refusals(units: &[Unit]) -> Vec<String> {
    units.iter().flat_map(|unit| &unit.refused).map(ToString::to_string).collect()
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = captures() else { return Vec::new() };
    let files = ["warc", "wacz"].into_iter().flat_map(|format| std::fs::read_dir(folder.join(format)).unwrap());
    let named = |path: std::path::PathBuf| {
        let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        (format!("{folder}/{}", path.file_name().unwrap().to_string_lossy()), std::fs::read(path).unwrap())
    };
    let mut samples: Vec<_> = files.map(|entry| named(entry.unwrap().path())).collect();
    samples.sort();
    samples
}

#[test]
fn samples_count_as_the_table_says() {
    let Some(folder) = captures() else { return };
    let table = std::fs::read_to_string(folder.join("counts.tsv")).unwrap();
    let expected: BTreeMap<&str, [u64; 4]> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|row| (row[0], [2, 3, 4, 5].map(|column| row[column].parse().unwrap())))
        .collect();
    for (name, bytes) in samples() {
        let opened = open(&bytes[..], None, Limits::default()).unwrap();
        assert!(name.starts_with(opened.format().as_str()), "{name}: {}", opened.format());
        let units: Result<Vec<Unit>, _> = opened.collect();
        let said = units.as_ref().map_or_else(|error| vec![error.to_string()], |units| refusals(units));
        println!("{name}: {said:?}");
        let Ok(units) = units else { continue };
        assert_tiled(&name, &bytes, &units, true);
        assert_eq!(expected.get(name.as_str()), Some(&tally(&units)), "{name}");
    }
}
