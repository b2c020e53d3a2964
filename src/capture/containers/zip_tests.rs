//! ZIP archives with something wrong with them.

use super::super::build::{PACKS, Pack, answer, gzip, zip};
use super::super::tests::{assert_tiled, read, refusals};
use crate::capture::tests::tally;
use crate::capture::{CaptureError, CutKind, Format, Limits, open};

const POST: &str = r#"{"created_at":"Mon May 04 09:30:00 +0000 2026","id_str":"1","text":"Fenna","user":{"id_str":"7","screen_name":"f","protected":false}}"#;

fn outcome(bytes: &[u8]) -> (u64, Vec<String>) {
    let units = read(bytes).unwrap();
    assert_tiled("zip", bytes, &units, true);
    let said = refusals(&units);
    assert!(
        said.iter().all(|said| !said.contains("Fenna") && !said.contains("passwd")),
        "no content in a message"
    );
    (tally(&units)[0], said)
}

fn assert_outcome(bytes: &[u8], records: u64, wrong: &[&str]) {
    let (found, said) = outcome(bytes);
    assert_eq!((found, said.len()), (records, wrong.len()), "{said:?}");
    assert!(said.iter().zip(wrong).all(|(said, wrong)| said.contains(wrong)), "{said:?}");
}

/// Changes bytes where `find` stands, everywhere.
fn changed(bytes: &[u8], find: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        bytes.windows(find.len()).enumerate().filter(|(_, w)| *w == find).map(|(n, _)| n).collect();
    for place in places {
        bytes[place + at..place + at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused_and_not_told() {
    for name in
        ["../a.json", "a/../../b", "/etc/passwd", "C:\\a.json", "a\\..\\b", "\\\\server\\a", "", "a\0b"]
    {
        for pack in PACKS {
            let two = zip(&[(name, POST.as_bytes(), pack), ("b.json", POST.as_bytes(), pack)]);
            assert_outcome(&two, 1, &["ZIP entry 1 at byte 0: the ZIP entry has a path"]);
        }
    }
    assert_outcome(&zip(&[("a..b/...json", POST.as_bytes(), Pack::Stored)]), 1, &[]);
}

#[test]
fn a_file_is_an_item_and_one_that_is_too_long_stays_with_the_archive() {
    let film: Vec<u8> = b"\0\0\0\x20ftypisom"
        .iter()
        .copied()
        .chain((0..5_000_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8))
        .collect();
    for pack in PACKS {
        let archive = zip(&[("a.json", POST.as_bytes(), pack), ("film.mp4", &film, pack)]);
        let units = read(&archive).unwrap();
        assert_tiled("zip", &archive, &units, true);
        let files: Vec<_> =
            units.iter().flat_map(|unit| &unit.items).filter(|item| !item.kind.is_said()).collect();
        assert_eq!((files.len(), files[0].names[0].expose()), (1, "film.mp4"));
        assert_eq!((files[0].media_size_bytes[0], refusals(&units).len()), (film.len() as u64, 0));

        let limits = Limits { unit_bytes_max: 3 << 20, ..Limits::default() };
        let units: Vec<_> = open(archive.as_slice(), None, limits).unwrap().map(Result::unwrap).collect();
        assert_tiled("zip", &archive, &units, true);
        assert!(units.iter().flat_map(|unit| &unit.items).all(|item| item.kind.is_said()));
        let said = refusals(&units);
        assert!(said.len() == 1 && said[0].contains("longer than"), "{said:?}");
        // Where nothing stands encoded, nothing goes with a record.
        let film_at = archive.windows(8).position(|bytes| bytes == b"film.mp4").unwrap() as u64;
        let of_film = units.iter().filter(|unit| unit.within.is_none() && unit.offset >= film_at);
        assert!(of_film.flat_map(|unit| &unit.cuts).all(|cut| cut.kind == CutKind::Residue));
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_the_next_entry_read() {
    let two =
        zip(&[("a.json", POST.as_bytes(), Pack::Deflated), ("b.json", POST.as_bytes(), Pack::Deflated)]);
    let first = two.windows(4).skip(1).position(|window| window == b"PK\x03\x04").unwrap() + 1;
    let with = |at: usize, to: &[u8]| {
        let mut bytes = two.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    assert_outcome(&with(6, &[1, 0]), 1, &["encrypted"]);
    assert_outcome(&with(8, &[99, 0]), 1, &["compressed in a way"]);
    assert_outcome(&with(14, &[1, 2, 3, 4]), 1, &["checksum or size"]);
    let stored = changed(&zip(&[("a.json", POST.as_bytes(), Pack::Stored)]), b"Fenna", 0, b"Henna");
    assert_outcome(&stored, 1, &["checksum or size", "directory of the ZIP archive"]);
    // Encrypted, with its lengths before the data and again after it.
    let described = zip(&[
        ("a.json", POST.as_bytes(), Pack::DeflatedThenDescribed),
        ("b", POST.as_bytes(), Pack::Stored),
    ]);
    let mut described = changed(&described, b"PK\x03\x04", 6, &[9, 0]);
    let second = described.windows(4).rposition(|window| window == b"PK\x03\x04").unwrap();
    described[second + 6] = 0;
    let packed = (second - 16 - 36) as u32;
    described[18..22].copy_from_slice(&packed.to_le_bytes());
    assert_outcome(&described, 1, &["encrypted"]);
    let twice = zip(&[("a.json", POST.as_bytes(), Pack::Stored), ("a.json", POST.as_bytes(), Pack::Stored)]);
    assert_outcome(&twice, 1, &["came before"]);
    assert_outcome(&with(first, b"XXXX"), 1, &["the ZIP archive is broken here"]);
    for cut in [first + 10, first + 60, two.len() - 60] {
        let (records, said) = outcome(&two[..cut]);
        assert!(records >= 1 && said.last().unwrap().contains("ends too soon"), "{cut}: {said:?}");
    }
}

#[test]
fn an_archive_that_shows_other_readers_other_files_is_refused() {
    let sound = zip(&[("a.json", POST.as_bytes(), Pack::Stored), ("b.txt", b"x", Pack::Stored)]);
    assert_outcome(&sound, 1, &[]);
    let named = changed(&sound, b"PK\x01\x02", 46, b"c");
    assert_outcome(&named, 1, &["the directory of the ZIP archive does not agree"]);
    let sized = changed(&sound, b"PK\x01\x02", 24, &[9, 9, 9, 9]);
    assert_outcome(&sized, 1, &["the directory of the ZIP archive does not agree"]);
    // An entry that the directory leaves out.
    let other = zip(&[("a.json", POST.as_bytes(), Pack::Stored)]);
    let data = other.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let hidden =
        [&sound[..sound.windows(4).position(|w| w == b"PK\x01\x02").unwrap()], &other[data..]].concat();
    assert_outcome(&hidden, 1, &["the directory of the ZIP archive does not agree"]);
}

#[test]
fn a_stored_entry_may_hold_what_looks_like_its_end() {
    let tricky = format!("{POST}\n").into_bytes();
    let inner = [&tricky[..], b"PPK\x07\x08PK\x07\x08PK\x07\x08aaaabbbbccccPK\x07\x07"].concat();
    let two =
        [("x", &inner[..], Pack::StoredThenDescribed), ("y", tricky.as_slice(), Pack::StoredThenDescribed)];
    let (records, said) = outcome(&zip(&two));
    assert_eq!((records, said.len()), (1, 1), "the second line is no JSON: {said:?}");
    let nested = zip(&[("z", POST.as_bytes(), Pack::StoredThenDescribed)]);
    assert_outcome(&zip(&[("n.zip", &nested, Pack::StoredThenDescribed)]), 1, &[]);
}

#[test]
fn bombs_and_nesting_are_refused_with_a_reason() {
    let lines = format!("{POST}\n{}\n", " ".repeat(96 << 20));
    let (records, said) = outcome(&zip(&[("a", lines.as_bytes(), Pack::Deflated)]));
    assert_eq!(records, 1);
    assert!(said.iter().any(|said| said.contains("taken for a bomb")), "{said:?}");
    // Many entries, each within bounds.
    let blank = " ".repeat(24 << 20);
    let names = ["a", "b", "c", "d", "e"];
    let many: Vec<_> = names.iter().map(|name| (*name, blank.as_bytes(), Pack::Deflated)).collect();
    let (_, said) = outcome(&zip(&many));
    assert!(said.last().unwrap().contains("taken for a bomb"), "{said:?}");
    let mut deep = POST.as_bytes().to_vec();
    for _ in 0..4 {
        deep = zip(&[("a", &deep, Pack::Deflated)]);
    }
    assert_outcome(&deep, 1, &[]);
    assert_outcome(&zip(&[("a", &deep, Pack::Deflated)]), 0, &["containers nested deeper than 4"]);
    assert!(matches!(read(&gzip(&gzip(&gzip(&gzip(&gzip(b"{}")))))), Err(CaptureError::Refused(_))));
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let cut = &POST.as_bytes()[..60];
    let all = zip(&[
        ("a.json", cut, Pack::Deflated),
        ("b.json", POST.as_bytes(), Pack::Deflated),
        ("c.warc", &answer("", POST.replace("\"1\"", "\"2\"").as_bytes()), Pack::Stored),
        ("d.txt", b"hoi", Pack::Stored),
        ("e.html", b"<!doctype html><p>Hoi", Pack::Deflated),
        ("f.utf16", b"\xff\xfe{\0}\0", Pack::Stored),
        ("__MACOSX/._b.json", POST.as_bytes(), Pack::Stored),
    ]);
    assert_outcome(&all, 2, &["the JSON ends in the middle of a value", "not valid UTF-8"]);
    assert_eq!(open(&all[..], None, Limits::default()).unwrap().format(), Format::Zip);
    assert_outcome(&zip(&[]), 0, &[]);
}
