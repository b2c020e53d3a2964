//! What goes through comes out alike, and what is no reading of the file is refused.

use super::*;
use crate::capture::containers::tests::{repository, wrapped};
use crate::capture::tests::{fixtures, samples};
use crate::capture::{CaptureError, Format, Unit, open};

const LIMITS: Limits = Limits { unit_bytes_max: 1 << 20, depth_max: 64 };

fn sent(bytes: &[u8], format: Option<Format>, limits: Limits) -> Vec<u8> {
    let mut frames = Vec::new();
    send(bytes, &mut frames, format, limits).unwrap();
    frames
}

fn received(frames: &[u8], own: &[u8], limits: Limits) -> (Option<Format>, Vec<Unit>, Option<CaptureError>) {
    match Received::begin(frames, own, limits) {
        Ok(units) => gathered(Some(units.format()), units),
        Err(error) => (None, Vec::new(), Some(error)),
    }
}

fn gathered(
    format: Option<Format>,
    from: impl Iterator<Item = Result<Unit, CaptureError>>,
) -> (Option<Format>, Vec<Unit>, Option<CaptureError>) {
    let (mut units, mut error) = (Vec::new(), None);
    for unit in from {
        match unit {
            Ok(unit) => units.push(unit),
            Err(fault) => error = Some(fault),
        }
    }
    (format, units, error)
}

fn assert_alike(name: &str, bytes: &[u8], format: Option<Format>, limits: Limits) {
    let here = match open(bytes, format, limits) {
        Ok(opened) => gathered(Some(opened.format()), opened),
        Err(error) => (None, Vec::new(), Some(error)),
    };
    let there = received(&sent(bytes, format, limits), bytes, limits);
    assert_eq!(here.0, there.0, "{name}");
    let said = |error: &Option<CaptureError>| error.as_ref().map(ToString::to_string);
    assert_eq!(said(&here.2), said(&there.2), "{name}");
    assert_eq!(here.1.len(), there.1.len(), "{name}");
    for (a, b) in here.1.iter().zip(&there.1) {
        assert_eq!((a.format, &a.within, a.offset), (b.format, &b.within, b.offset), "{name}");
        assert!(a.bytes == b.bytes && a.heading == b.heading, "{name} at {}", a.offset);
        assert_eq!((&a.items, &a.acts, &a.deletions), (&b.items, &b.acts, &b.deletions), "{name}");
        assert_eq!((&a.stubs, &a.cuts, &a.refused), (&b.stubs, &b.cuts, &b.refused), "{name}");
    }
}

#[test]
fn every_capture_comes_out_as_it_is_read_here() {
    for (name, format, bytes) in fixtures() {
        for format in [None, Some(format), Some(Format::MastodonApi), Some(Format::Zip)] {
            assert_alike(&name, &bytes, format, LIMITS);
        }
        for (name, bytes) in wrapped(&name, &bytes) {
            assert_alike(&name, &bytes, None, LIMITS);
        }
    }
    assert_alike("repository", &repository(), None, LIMITS);
    for (name, _, bytes) in samples().unwrap_or_default() {
        assert_alike(&name, &bytes, None, Limits::default());
    }
}

#[test]
fn what_is_cut_short_too_long_or_broken_comes_out_alike() {
    for (name, _, bytes) in fixtures() {
        for part in 1..8 {
            let cut = &bytes[..bytes.len() * part / 8];
            assert_alike(&name, cut, None, LIMITS);
            for limit in [40, 200, 1000] {
                let limits = Limits { unit_bytes_max: limit, depth_max: 3 };
                assert_alike(&name, &bytes, None, limits);
            }
            let mut changed = bytes.clone();
            changed[bytes.len() * part / 8] = b'}';
            assert_alike(&name, &changed, None, LIMITS);
            for (name, bytes) in wrapped(&name, &bytes) {
                assert_alike(&name, &bytes[..bytes.len() * part / 8], None, LIMITS);
            }
        }
    }
    for nothing in ["", "\u{feff}", "\n\n", "no format", "{}", "[]"] {
        assert_alike(nothing, nothing.as_bytes(), None, LIMITS);
    }
    assert_alike("UTF-16", b"\xff\xfe[\0]\0", None, LIMITS);
}

#[test]
fn every_mend_of_the_own_format_is_known_at_the_other_end() {
    let record = r#"{"knik":1,"id":"a","kind":"post","text":"x"}"#;
    for wrong in [
        r#"{"knik":2}"#,
        r#"{"knik":1,"act":"hug","id":"a"}"#,
        r#"{"knik":1,"act":"like"}"#,
        r#"{"knik":1,"deleted_id":""}"#,
        r#"{"knik":1,"deleted_id":"a","by":"me"}"#,
        r#"{"knik":1,"deleted_id":"a","at":"then"}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","else":1}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","platform":"p"}"#,
        r#"{"knik":1,"id":"a","kind":"p","text":"x"}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":1}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","content_warning":1}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","visibility":"v"}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","language":"?"}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","links":[""]}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","media":[{}]}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","media":[{"kind":"image","alt":1}]}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","media":[{"kind":"image","size_bytes":"1"}]}"#,
        r#"{"knik":1,"id":"a","kind":"post","text":"x","author":{}}"#,
    ] {
        let lines = format!("{record}\n{wrong}\n");
        let units = received(&sent(lines.as_bytes(), None, LIMITS), lines.as_bytes(), LIMITS);
        assert!(units.2.is_none() && units.1.iter().any(|unit| !unit.refused.is_empty()), "{wrong}");
        assert_alike(wrong, lines.as_bytes(), None, LIMITS);
    }
}

#[test]
fn a_reading_of_another_file_or_of_part_of_one_is_refused() {
    for (name, _, bytes) in fixtures() {
        let frames = sent(&bytes, None, LIMITS);
        let longer = [&bytes[..], b"\n"].concat();
        for own in [&bytes[..bytes.len() - 1], &longer] {
            let error = received(&frames, own, LIMITS).2;
            assert!(matches!(error, Some(CaptureError::Parser(ParserFault::Nonsense))), "{name}: {error:?}");
        }
        for part in 0..8 {
            let error = received(&frames[..frames.len() * part / 8], &bytes, LIMITS).2;
            assert!(matches!(error, Some(CaptureError::Parser(ParserFault::Ended))), "{name}: {error:?}");
        }
    }
}

/// Every byte changed, in several ways: an error, or units that are sound all the same and hold the file's own bytes.
#[test]
fn what_was_tampered_with_is_refused_or_does_no_harm() {
    let mut refused = 0;
    for (name, _, bytes) in fixtures().into_iter().step_by(3) {
        let wrapped = wrapped(&name, &bytes);
        for (name, bytes) in std::iter::once((name, bytes)).chain(wrapped.into_iter().step_by(7)) {
            let frames = sent(&bytes, None, LIMITS);
            let step = (frames.len() / 400).max(1);
            for at in (0..frames.len()).step_by(step) {
                for flip in [1, 0x80, 0xff] {
                    let mut changed = frames.clone();
                    changed[at] ^= flip;
                    let (_, units, error) = received(&changed, &bytes, LIMITS);
                    refused += usize::from(error.is_some());
                    let own: Vec<u8> = units
                        .iter()
                        .filter(|unit| unit.within.is_none())
                        .flat_map(|unit| unit.bytes.iter().copied())
                        .collect();
                    assert!(bytes.starts_with(&own), "{name}: {at}");
                    assert!(error.is_some() || own.len() == bytes.len(), "{name}: {at}");
                }
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn what_is_announced_and_does_not_come_takes_no_memory() {
    let mut head = vec![BEGUN];
    head.extend_from_slice(&fields_max(Limits::default()).to_le_bytes());
    head.extend_from_slice(&0_u64.to_le_bytes());
    let error = Received::begin(&head[..], &b""[..], Limits::default()).err().unwrap();
    assert!(matches!(error, CaptureError::Parser(ParserFault::Ended)), "{error:?}");
    for too_long in [fields_max(Limits::default()) + 1, u64::MAX] {
        head.truncate(1);
        head.extend_from_slice(&too_long.to_le_bytes());
        head.extend_from_slice(&0_u64.to_le_bytes());
        let error = Received::begin(&head[..], &b""[..], Limits::default()).err().unwrap();
        assert!(matches!(error, CaptureError::Parser(ParserFault::Nonsense)), "{error:?}");
    }
}
