//! The room as a whole: the sample captures where they exist, and hostile changes to all of them.

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Captures, each with its counts: records, acts, deletions and what is not public.
type Fixtures = &'static [(&'static str, [u64; 4])];

/// Invented captures, one of each shape, so that nothing here depends on files from elsewhere.
const FIXTURES: &[(Format, Fixtures)] = &[
    (Format::XArchive, x_archive::tests::FIXTURES),
    (Format::InstagramDyi, instagram_dyi::tests::FIXTURES),
    (Format::FacebookDyi, facebook_dyi::tests::FIXTURES),
    (Format::LinkedIn, linkedin::tests::FIXTURES),
    (Format::Knik, knik::tests::FIXTURES),
    (Format::WebCare, webcare::tests::FIXTURES),
    (Format::ActivityPub, activitypub::tests::FIXTURES),
    (Format::Bluesky, bluesky::tests::FIXTURES),
    (Format::XApiV1, x_api_v1::tests::FIXTURES),
    (Format::YouTube, youtube::tests::FIXTURES),
    (Format::InstagramGraph, instagram_graph::tests::FIXTURES),
    (Format::FacebookGraph, facebook_graph::tests::FIXTURES),
    (Format::XApiV2, x_api_v2::tests::FIXTURES),
    (Format::MastodonApi, mastodon::tests::FIXTURES),
];

/// Broken tables with what other readers make of them.
const CASES: &str = "linkedin/malformed-csv-outcomes.json";

/// The folder of sample captures beside the repository, where there is one.
pub(super) fn captures() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("KNIK_SHARED").map_or_else(beside, PathBuf::from).join("captures");
    if !folder.is_dir() {
        println!("left out: {} (no ../shared)", std::thread::current().name().unwrap_or("captures"));
        return None;
    }
    Some(folder)
}

/// The sample captures, as `folder/name`, format and bytes.
pub(super) fn samples() -> Option<Vec<(String, Format, Vec<u8>)>> {
    let captures = captures()?;
    let mut found = Vec::new();
    for format in Format::ALL {
        // Containers have tests of their own.
        let container = matches!(format, Format::Warc | Format::Wacz | Format::Zip);
        let Ok(folder) = std::fs::read_dir(captures.join(format.as_str())) else { continue };
        for entry in folder.filter(|_| !container) {
            let path = entry.unwrap().path();
            // Cases of broken tables in one file, for a test of their own.
            if path.ends_with(CASES) {
                continue;
            }
            let name = format!("{format}/{}", path.file_name().unwrap().to_string_lossy());
            found.push((name, *format, std::fs::read(path).unwrap()));
        }
    }
    found.sort();
    Some(found)
}

pub(super) fn fixtures() -> Vec<(String, Format, Vec<u8>)> {
    FIXTURES
        .iter()
        .flat_map(|(format, fixtures)| {
            fixtures.iter().enumerate().map(move |(n, (text, _))| (format, n, text))
        })
        .map(|(format, n, text)| (format!("fixture {format} {n}"), *format, text.as_bytes().to_vec()))
        .collect()
}

fn read(bytes: &[u8], format: Option<Format>) -> Result<Vec<Unit>, CaptureError> {
    Reader::new(bytes, format, Limits::default())?.collect()
}

pub(super) fn tally(units: &[Unit]) -> [u64; 4] {
    let mut tally = Tally::default();
    units.iter().for_each(|unit| tally.add(unit).unwrap());
    let counts = tally.counts().unwrap();
    [counts.records, counts.acts, counts.deleted, counts.not_public]
}

/// Units join to the file, cuts and refusals part every unit, items lie where they say.
pub(super) fn assert_tiled(name: &str, bytes: &[u8], units: &[Unit], whole: bool) {
    let mut at = 0;
    for unit in units {
        assert_eq!(unit.offset, at, "{name}: units leave no gap");
        at += unit.bytes.len() as u64;
        assert!(bytes[unit.offset as usize..].starts_with(&unit.bytes), "{name}: units are the file's bytes");
        let mut ranges: Vec<_> = unit.cuts.iter().flat_map(|cut| cut.ranges.iter().copied()).collect();
        ranges.extend(unit.refused.iter().map(|refusal| refusal.range));
        ranges.sort();
        let mut end = unit.offset;
        for range in ranges {
            assert_eq!(range.start, end, "{name}: cuts part the unit");
            assert!(!range.is_empty(), "{name}: no cut is empty");
            end = range.end;
        }
        assert_eq!(end, at, "{name}: cuts cover the unit");
        assert_items(name, bytes, unit);
    }
    assert!(!whole || at == bytes.len() as u64, "{name}: units cover the file");
}

fn assert_items(name: &str, bytes: &[u8], unit: &Unit) {
    for (index, item) in unit.items.iter().enumerate() {
        let own = &unit.cuts[index];
        assert_eq!(own.kind, CutKind::Own { item: index }, "{name}");
        assert!(!own.ranges.is_empty() && own.ranges.iter().all(|range| item.range.covers(*range)), "{name}");
        let object = &bytes[item.range.start as usize..item.range.end as usize];
        let object =
            matches!((object.first(), object.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
        assert!(object || unit.heading.is_some(), "{name}: an item is an object, a list or a row");
        assert!(!item.names.is_empty(), "{name}: an item has a name");
        for &shared in &item.shared {
            assert!(matches!(unit.cuts[shared].kind, CutKind::Shared(_)), "{name}");
        }
    }
}

fn meaning(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::new();
    item.write_meaning(&mut |part| bytes.extend_from_slice(part));
    bytes
}

#[test]
fn counts_are_those_of_the_table() {
    let (Some(samples), Some(folder)) = (samples(), captures()) else { return };
    let table = std::fs::read_to_string(folder.join("counts.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let expected: BTreeMap<&str, [u64; 4]> = rows
        .filter(|row| row[1].parse::<Format>().is_ok() && !["warc", "wacz"].contains(&row[1]))
        .map(|row| (row[0], [2, 3, 4, 5].map(|column| row[column].parse().unwrap())))
        .collect();
    let mut wrong = Vec::new();
    for (name, format, bytes) in &samples {
        let reader = Reader::new(&bytes[..], None, Limits::default()).unwrap();
        assert_eq!(reader.format(), *format, "{name}");
        let units: Vec<Unit> = reader.map(Result::unwrap).collect();
        assert!(units.iter().all(|unit| unit.refused.is_empty()), "{name}: nothing is refused");
        if expected.get(name.as_str()) != Some(&tally(&units)) {
            wrong.push((name, expected.get(name.as_str()), tally(&units)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(samples.len() + 1, expected.len());
}

#[test]
fn broken_tables_are_refused_and_odd_ones_read() {
    let Some(folder) = captures() else { return };
    let cases: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join(CASES)).unwrap()).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let accepted = match read(case["csv"].as_str().unwrap().as_bytes(), None) {
            Ok(units) => units.iter().all(|unit| unit.refused.is_empty()),
            Err(_) => false,
        };
        assert_eq!(accepted, case["expected"]["python"] == "accepted", "{}", case["id"]);
    }
}

#[test]
fn units_tile_the_file_and_cuts_part_the_units() {
    for (name, _, bytes) in fixtures().into_iter().chain(samples().unwrap_or_default()) {
        assert_tiled(&name, &bytes, &read(&bytes, None).unwrap(), true);
    }
}

#[test]
fn what_is_sealed_can_be_read_again() {
    let mut seen = 0;
    for (name, format, bytes) in fixtures().into_iter().chain(samples().unwrap_or_default()) {
        for unit in read(&bytes, None).unwrap() {
            for item in &unit.items {
                let at = |range: &crate::model::ByteRange| &bytes[range.start as usize..range.end as usize];
                let shared: Vec<(PartRole, &[u8])> = item
                    .shared
                    .iter()
                    .map(|&cut| match unit.cuts[cut].kind {
                        CutKind::Shared(role) => (role, at(&unit.cuts[cut].ranges[0])),
                        _ => panic!("{name}: not a shared part"),
                    })
                    .collect();
                let shared: Vec<_> = shared
                    .into_iter()
                    .chain(unit.heading.as_deref().map(|heading| (PartRole::Heading, heading)))
                    .collect();
                let mut again = reread(format, at(&item.range), &shared)
                    .unwrap_or_else(|error| panic!("{name}: {:?}: {error}", item.range));
                let history = item.names[0].expose().starts_with("history");
                again.range = item.range;
                again.shared = item.shared.clone();
                assert!(history || again == *item, "{name}: reread gives the same item");
                assert!(history || meaning(&again) == meaning(item), "{name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn no_change_to_the_bytes_breaks_more_than_the_reading() {
    for (name, format, bytes) in fixtures().into_iter().chain(samples().unwrap_or_default()) {
        let step = if bytes.len() > 50_000 { 9_973 } else { 97 };
        let step = if name.starts_with("fixture") { 1 } else { step };
        for cut in (0..bytes.len()).step_by(step) {
            survives(&name, &bytes[..cut], format);
            let mut flipped = bytes.clone();
            for change in [0x01, 0x20, 0x80, 0x59] {
                flipped[cut] = bytes[cut] ^ change;
                survives(&name, &flipped, format);
            }
        }
    }
}

/// Reads until the end or an error; what was read by then must tile what it came from.
fn survives(name: &str, bytes: &[u8], format: Format) {
    for format in [None, Some(format)] {
        let Ok(reader) = Reader::new(bytes, format, Limits::default()) else { continue };
        let mut whole = true;
        let units: Vec<Unit> = reader.map_while(|unit| unit.map_err(|_| whole = false).ok()).collect();
        assert_tiled(name, bytes, &units, whole);
    }
}

#[test]
fn small_buffers_give_the_same_units() {
    for (name, format, bytes) in fixtures() {
        let wide = read(&bytes, None).unwrap();
        let narrow = std::io::BufReader::with_capacity(1, &bytes[..]);
        let narrow: Vec<Unit> =
            Reader::new(narrow, None, Limits::default()).unwrap().map(Result::unwrap).collect();
        assert_eq!(tally(&narrow), tally(&wide), "{name} ({format})");
        let pieces = |units: &[Unit]| {
            units.iter().map(|u| (u.offset, u.bytes.len(), u.cuts.clone())).collect::<Vec<_>>()
        };
        assert!(pieces(&narrow) == pieces(&wide), "{name}");
    }
}

#[test]
fn fixtures_are_recognised_and_count_as_written() {
    for (format, fixtures) in FIXTURES {
        for (n, (text, counts)) in fixtures.iter().enumerate() {
            let reader = Reader::new(text.as_bytes(), None, Limits::default()).unwrap();
            assert_eq!(reader.format(), *format, "{format} {n}");
            let units: Vec<Unit> = reader.map(Result::unwrap).collect();
            assert_eq!(tally(&units), *counts, "{format} {n}");
        }
    }
}

#[test]
fn refusals_say_what_where_and_the_mend() {
    let message = |text: &str| match read(text.as_bytes(), None) {
        Err(error) => error.to_string(),
        Ok(units) => units
            .iter()
            .flat_map(|unit| &unit.refused)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    };
    let post = r#"{"id":"1","text":"x","author_id":"2","secret":"Fenna"}"#;
    for (text, expected) in [
        (String::new(), "the file is empty"),
        ("\n \n".to_owned(), "the file is empty"),
        ("\u{feff}".to_owned(), "the file is empty"),
        ("hello".to_owned(), "the format is not recognised"),
        ("{\"a\":1}\n".to_owned(), "the format is not recognised"),
        (post[..20].to_owned(), "line 1, byte 20: the JSON ends in the middle of a value"),
        (format!("[{post},"), "line 1, byte 56: the JSON ends in the middle of a value"),
        (format!("[{post},]"), "line 1, byte 56: broken JSON, an unexpected character"),
        (format!("{post}\n{{\"id\"\n{post}"), "line 2, byte 60: the JSON ends in the middle of a value"),
        (format!("{post}\n\n5\n{post}"), "line 3, byte 56: not something this format knows"),
        (format!("[{post},7]"), "line 1, byte 56, element `/1`: not something this format knows"),
        (format!("[{post},{{\"a\":\u{1}}}]"), "line 1, byte 61, element `/1`: broken JSON"),
        (format!("{post}\n{}", "[".repeat(200)), "nested deeper than the limit"),
    ] {
        let message = message(&text);
        assert!(message.contains(expected), "{message} / {expected}");
        assert!(!message.contains("Fenna"), "no content in a message");
    }
}

#[test]
fn encodings_that_are_not_utf_8_are_refused() {
    for text in ["{\"id\":1}", "[1]"] {
        for marked in [true, false] {
            let units: Vec<u16> = marked.then_some(0xFEFF).into_iter().chain(text.encode_utf16()).collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            assert!(matches!(read(&little, None), Err(CaptureError::Utf16)));
            assert!(matches!(read(&big, None), Err(CaptureError::Utf16)));
        }
    }
    let line = b"{\"id\":\"1\",\"text\":\"\xff\",\"author_id\":\"2\"}\n{\"id\":\"2\",\"text\":\"x\",\"author_id\":\"2\"}\n";
    let units = read(line, None).unwrap();
    assert_eq!(units[0].refused[0].reason, RefusalReason::NotUtf8);
    assert_eq!(units[0].refused[0].place.offset, 18);
    assert_eq!(tally(&units), [1, 0, 0, 0]);
}

#[test]
fn a_line_over_the_limit_is_passed_over_and_an_element_ends_the_reading() {
    let limits = Limits { unit_bytes_max: 200, ..Limits::default() };
    let post = r#"{"id":"1","text":"x","author_id":"2"}"#;
    let long = format!(r#"{{"id":"3","text":"{}","author_id":"2"}}"#, "x".repeat(10_000));
    for text in [format!("{post}\n{long}\n{post}\n"), format!("{long}\n{post}\n")] {
        let units: Vec<Unit> =
            Reader::new(text.as_bytes(), None, limits).unwrap().map(Result::unwrap).collect();
        let refused: Vec<_> = units.iter().flat_map(|unit| &unit.refused).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].reason, RefusalReason::TooLong { limit: 200 });
        assert_eq!(refused[0].range.len(), long.len() as u64 + 1);
        assert_eq!(tally(&units)[0], 1);
    }
    let text = format!("[{post},{long}]");
    let outcome: Vec<_> = Reader::new(text.as_bytes(), None, limits).unwrap().collect();
    assert!(
        matches!(&outcome[1], Err(CaptureError::Refused(r)) if r.reason == RefusalReason::TooLong { limit: 200 })
    );
    assert_eq!(outcome.len(), 2);
}
