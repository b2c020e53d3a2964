//! Containers: the samples where they exist, and everything the other formats read, wrapped.

use super::build::{PACKS, Pack, answer, chunked, deflate, gzip, record, stored_brotli, zip, zlib};
use super::*;
use crate::capture::tests::{captures, fixtures, tally};
use crate::capture::unit::{CutKind, PartRole};
use crate::capture::{Tally, reread};
use std::collections::BTreeMap;

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
        let passed_over = unit.bytes.is_empty();
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
    let files =
        ["warc", "wacz"].into_iter().flat_map(|format| std::fs::read_dir(folder.join(format)).unwrap());
    let named = |path: std::path::PathBuf| {
        let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        (format!("{folder}/{}", path.file_name().unwrap().to_string_lossy()), std::fs::read(path).unwrap())
    };
    let mut samples: Vec<_> = files.map(|entry| named(entry.unwrap().path())).collect();
    samples.sort();
    samples
}

#[test]
fn samples_count_as_the_table_says_and_what_is_wrong_with_them_is_told() {
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
        let wrong = match name.split('/').nth(1).unwrap().split(['-', '.']).nth(1).unwrap() {
            _ if name.contains("/sfm_0d30") => &["WARC-Block-Digest"][..],
            _ if name.contains("/sfm_0f81") => &["WARC-Block-Digest"; 4],
            _ if name.contains("/invalid_") => &["is not in the WACZ"],
            _ if name.contains("pages_invalid") => &["broken JSON"],
            "digest" => &["WARC-Payload-Digest"],
            "trunc" => &["Content-Length", "broken or cut short"],
            _ => &[],
        };
        assert_eq!(said.len(), wrong.len(), "{name}: {said:?}");
        assert!(said.iter().zip(wrong).all(|(said, wrong)| said.contains(wrong)), "{name}: {said:?}");
        let Ok(units) = units else { continue };
        assert_tiled(&name, &bytes, &units, true);
        assert_eq!(expected.get(name.as_str()), Some(&tally(&units)), "{name}");
    }
}

pub(in crate::capture) use super::car::tests::repository;

/// Everything in which a capture may come, with what was wrapped.
pub(in crate::capture) fn wrapped(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let half = bytes.len() / 2;
    let plain = answer("", bytes);
    let mut all = vec![
        ("gzip", gzip(bytes)),
        ("two members", [gzip(&bytes[..half]), gzip(&bytes[half..])].concat()),
        ("warc", plain.clone()),
        ("warc of a resource", record("resource", "Content-Type: application/json\r\n", bytes)),
        ("warc with a length", answer(&format!("Content-Length: {}\r\n", bytes.len()), bytes)),
        ("warc, chunked", answer("Transfer-Encoding: chunked\r\n", &chunked(bytes))),
        ("warc, gzip", answer("Content-Encoding: gzip\r\n", &gzip(bytes))),
        ("warc, deflate", answer("Content-Encoding: deflate\r\n", &deflate(bytes))),
        ("warc, zlib", answer("Content-Encoding: deflate\r\n", &zlib(bytes))),
        ("warc, br", answer("Content-Encoding: br\r\n", &stored_brotli(bytes))),
        (
            "warc, all",
            answer("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", &chunked(&gzip(bytes))),
        ),
        ("warc.gz", [gzip(&record("warcinfo", "", b"a: b\r\n")), gzip(&plain)].concat()),
        ("warc in one member", gzip(&[record("request", "", b"x"), plain.clone()].concat())),
        ("zip in gzip", gzip(&zip(&[("a/b.json", bytes, Pack::Deflated)]))),
        ("warc.gz in a zip", zip(&[("x.warc.gz", &gzip(&plain), Pack::Stored)])),
        ("zip in a warc", answer("", &zip(&[("b", bytes, Pack::Stored)]))),
    ];
    all.extend(
        PACKS.map(|pack| {
            ("zip", zip(&[("leeg/", b"", pack), ("b", bytes, pack), ("c.png", b"\x89PNG", pack)]))
        }),
    );
    all.into_iter().map(|(way, bytes)| (format!("{name}, {way}"), bytes)).collect()
}

#[test]
fn a_capture_reads_alike_in_every_container() {
    for (name, _, bytes) in fixtures() {
        let plain = read(&bytes).unwrap();
        let sound = refusals(&plain).len();
        for (name, wrapped) in wrapped(&name, &bytes) {
            // A bad line in the first piece of a stream hides what the stream is from whoever is not told.
            let units = read(&wrapped).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_tiled(&name, &wrapped, &units, true);
            assert_eq!(tally(&units), tally(&plain), "{name}: {:?}", refusals(&units));
            assert_eq!(refusals(&units).len(), sound, "{name}: {:?}", refusals(&units));
            assert_items_are_exact(&name, &wrapped, &units);
        }
    }
}

#[test]
fn every_sample_of_every_format_reads_alike_in_an_archive() {
    for (name, _, bytes) in crate::capture::tests::samples().unwrap_or_default() {
        let (Ok(plain), wrapped) = (read(&bytes), gzip(&answer("Content-Encoding: gzip\r\n", &gzip(&bytes))))
        else {
            panic!("{name}");
        };
        for wrapped in [wrapped, zip(&[("a", &bytes, Pack::DeflatedThenDescribed)])] {
            let units = read(&wrapped).unwrap();
            assert_tiled(&name, &wrapped, &units, true);
            assert_eq!(tally(&units), tally(&plain), "{name}");
            assert_items_are_exact(&name, &wrapped, &units);
        }
    }
}

/// An item's bytes, in the file or in the derived unit, read as that item again.
fn assert_items_are_exact(name: &str, file: &[u8], units: &[Unit]) {
    for unit in units {
        let at = |range: &ByteRange| match unit.within {
            None => &file[range.start as usize..range.end as usize],
            Some(_) => &unit.bytes[(range.start - unit.offset) as usize..(range.end - unit.offset) as usize],
        };
        for item in &unit.items {
            let shared: Vec<(PartRole, &[u8])> = item
                .shared
                .iter()
                .map(|&cut| match unit.cuts[cut].kind {
                    CutKind::Shared(role) => (role, at(&unit.cuts[cut].ranges[0])),
                    _ => panic!("{name}: not a shared part"),
                })
                .chain(unit.heading.as_deref().map(|heading| (PartRole::Heading, heading)))
                .collect();
            let again = reread(unit.format.unwrap(), at(&item.range), &shared).unwrap();
            assert!(again.passages == item.passages && again.author == item.author, "{name}");
        }
    }
}

#[test]
fn no_change_to_the_bytes_breaks_more_than_the_reading() {
    let mut all: Vec<(String, Vec<u8>)> =
        fixtures().into_iter().take(3).flat_map(|(name, _, bytes)| wrapped(&name, &bytes)).collect();
    all.extend(samples());
    for (name, bytes) in all {
        let step = if name.starts_with('w') { (bytes.len() / 40).max(1) } else { 5 };
        for cut in (0..bytes.len()).step_by(step) {
            survives(&name, &bytes[..cut]);
            let mut flipped = bytes.clone();
            for change in [0x01, 0x20, 0x80] {
                flipped[cut] = bytes[cut] ^ change;
                survives(&name, &flipped);
            }
        }
    }
}

fn survives(name: &str, bytes: &[u8]) {
    let Ok(opened) = open(bytes, None, Limits::default()) else { return };
    let mut whole = true;
    let units: Vec<Unit> = opened.map_while(|unit| unit.map_err(|_| whole = false).ok()).collect();
    assert_tiled(name, bytes, &units, whole);
}

#[test]
fn small_buffers_give_the_same_units() {
    for (name, _, bytes) in fixtures() {
        for (name, bytes) in wrapped(&name, &bytes) {
            let narrow = std::io::BufReader::with_capacity(1, &bytes[..]);
            let narrow: Vec<Unit> =
                open(narrow, None, Limits::default()).unwrap().map(Result::unwrap).collect();
            let wide = read(&bytes).unwrap();
            assert_tiled(&name, &bytes, &narrow, true);
            assert_eq!(tally(&narrow), tally(&wide), "{name}");
        }
    }
}

#[test]
fn a_page_is_an_item_and_no_record() {
    let page = b"<html><body title='Bo'>Hoi <b>Fenna</b></body></html>";
    let units = read(&answer("Content-Type: text/html\r\n", page)).unwrap();
    let mut tally = Tally::default();
    units.iter().for_each(|unit| tally.add(unit).unwrap());
    let counts = tally.counts().unwrap();
    assert_eq!((counts.pages, counts.records), (1, 0));
    let item = units.iter().flat_map(|unit| &unit.items).next().unwrap();
    assert_eq!(item.range.len(), page.len() as u64);
    assert_eq!(item.passages.len(), 2);
}
