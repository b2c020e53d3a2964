//! WARC files with something wrong with them.

use super::super::build::{answer, chunked, gzip, record};
use super::super::tests::{assert_tiled, read, refusals};
use crate::capture::tests::tally;
use crate::capture::{CutKind, Limits};

const POST: &str = r#"{"created_at":"Mon May 04 09:30:00 +0000 2026","id_str":"1","text":"Fenna","user":{"id_str":"7","screen_name":"f","protected":false}}"#;

fn other() -> Vec<u8> {
    answer("", POST.replace("\"1\"", "\"2\"").as_bytes())
}

/// Reads, checks the tiling, and gives the count of records with what was refused.
fn outcome(bytes: &[u8]) -> (u64, Vec<String>) {
    let units = read(bytes).unwrap();
    assert_tiled("warc", bytes, &units, true);
    let said = refusals(&units);
    assert!(said.iter().all(|said| !said.contains("Fenna")), "no content in a message");
    (tally(&units)[0], said)
}

fn assert_outcome(bytes: &[u8], records: u64, wrong: &[&str]) {
    let (found, said) = outcome(bytes);
    assert_eq!((found, said.len()), (records, wrong.len()), "{said:?}");
    assert!(said.iter().zip(wrong).all(|(said, wrong)| said.contains(wrong)), "{said:?}");
}

fn with_length(record: &[u8], change: i64) -> Vec<u8> {
    let text = String::from_utf8(record.to_vec()).unwrap();
    let at = text.find("Content-Length: ").unwrap() + 16;
    let length: i64 = text[at..].lines().next().unwrap().trim().parse().unwrap();
    text.replacen(&format!("Content-Length: {length}"), &format!("Content-Length: {}", length + change), 1)
        .into_bytes()
}

#[test]
fn a_wrong_length_costs_no_other_record() {
    const WRONG: &str = "Content-Length of the WARC record is wrong";
    let sized = answer(&format!("X: y\r\nContent-Length: {}\r\n", POST.len()), POST.as_bytes());
    // The head of the HTTP message says where its body ends; the record's length comes first in the text.
    let longer = sized.len() as i64;
    for record in [with_length(&sized, 40), with_length(&sized, longer)] {
        assert_outcome(&[record, other(), other()].concat(), 2, &[WRONG]);
    }
    let chunks = answer("Transfer-Encoding: chunked\r\n", &chunked(POST.as_bytes()));
    assert_outcome(&[with_length(&chunks, 100), other()].concat(), 2, &[WRONG]);
    let image = answer("Content-Type: image/png\r\n", b"12345678901234567890");
    assert_outcome(&[with_length(&image, -4), other()].concat(), 1, &[WRONG]);
}

#[test]
fn what_is_cut_short_is_told_with_its_place() {
    let whole = [other(), answer("", POST.as_bytes())].concat();
    let (records, said) = outcome(&whole[..whole.len() - 30]);
    assert_eq!(records, 1);
    assert!(
        said.iter().any(|said| said.starts_with("WARC record 2 at byte") && said.contains("cut short")),
        "{said:?}"
    );
    assert_outcome(&whole[..other().len() + 20], 1, &["the WARC record ends too soon"]);
    let packed = [gzip(&other()), gzip(&answer("", POST.as_bytes()))].concat();
    let (records, said) = outcome(&packed[..packed.len() - 12]);
    assert!(records >= 1 && said.iter().any(|said| said.contains("gzip data ends too soon")), "{said:?}");
}

#[test]
fn what_is_between_records_is_passed_over() {
    assert_outcome(&[other(), b"garbage\r\nmore\r\n".to_vec(), other()].concat(), 1, &["Content-Length"]);
    let headless = b"WARC/1.0\r\nWARC-Type: response\r\n\r\nx\r\n\r\n".to_vec();
    assert_outcome(&[headless, other()].concat(), 1, &["the header of the WARC record is broken"]);
}

#[test]
fn digests_are_checked_in_every_reading_that_writers_use() {
    use super::super::digest::Hash;
    let sum = |bytes: &[u8]| {
        let mut hash = Hash::named("sha256").unwrap();
        hash.update(bytes);
        hex::encode(hash.finish())
    };
    let (chunks, packed) = (chunked(POST.as_bytes()), gzip(POST.as_bytes()));
    let stated = |fields: &str, headers: &str, body: &[u8]| {
        let block = [b"HTTP/1.1 200 OK\r\n", headers.as_bytes(), b"\r\n", body].concat();
        record("response", &format!("{fields}Content-Type: application/http\r\n"), &block)
    };
    for (digest, headers, body) in [
        (sum(&chunks), "Transfer-Encoding: chunked\r\n", &chunks),
        (sum(POST.as_bytes()), "Transfer-Encoding: chunked\r\n", &chunks),
        (sum(&packed), "Content-Encoding: gzip\r\n", &packed),
        (sum(POST.as_bytes()), "Content-Encoding: gzip\r\n", &packed),
    ] {
        let field = format!("WARC-Payload-Digest: sha-256:{digest}\r\n");
        assert_outcome(&stated(&field, headers, body), 1, &[]);
        let other = field.replace(&digest, &sum(b"x"));
        assert_outcome(&stated(&other, headers, body), 1, &["WARC-Payload-Digest does not match"]);
    }
    let block = format!("WARC-Block-Digest: sha256:{}\r\n", sum(b"x"));
    assert_outcome(&stated(&block, "", POST.as_bytes()), 1, &["WARC-Block-Digest does not match"]);
    let unknown = "WARC-Block-Digest: blake3:00\r\n";
    assert_outcome(&stated(unknown, "", POST.as_bytes()), 1, &["an algorithm that is not known"]);
    // What a revisit states is of a payload that stands elsewhere.
    let revisit = "WARC-Payload-Digest: sha1:AAAA\r\nContent-Type: application/http\r\n";
    assert_outcome(&record("revisit", revisit, b"HTTP/1.1 200 OK\r\n\r\n"), 0, &[]);
}

#[test]
fn only_answers_are_read_and_what_is_not_known_is_no_fault() {
    let request = b"POST /1.1/statuses/update.json HTTP/1.1\r\nAuthorization: x\r\n\r\n{\"id_str\"";
    let missing = [b"HTTP/1.1 404 Not Found\r\n\r\n", POST.as_bytes()].concat();
    let http = "Content-Type: application/http\r\n";
    let all = [
        record("warcinfo", "Content-Type: application/warc-fields\r\n", b"software: x\r\n"),
        record("request", http, request),
        record("response", http, &missing),
        record("metadata", "Content-Type: application/json\r\n", POST.as_bytes()),
        answer("Content-Type: text/javascript\r\n", b"var x = {};"),
        answer("Content-Type: application/json\r\n", b"{\"ok\":true}"),
        answer("Content-Type: image/png\r\n", b"\x89PNG"),
        answer("", b""),
        record("conversion", "Content-Type: text/plain\r\n", b"Hoi"),
        record("resource", "Content-Type: application/json\r\n", POST.as_bytes()),
    ];
    assert_outcome(&all.concat(), 1, &[]);
    let segment = "WARC-Segment-Number: 1\r\nContent-Type: application/http\r\n";
    assert_outcome(&record("response", segment, &missing), 0, &["cut into segments"]);
    assert_outcome(
        &answer("Content-Encoding: zstd\r\n", b"(\xb5/\xfd"),
        0,
        &["a coding that is not supported"],
    );
    assert_outcome(&answer("Transfer-Encoding: chunked\r\n", b"5\r\nab"), 0, &["the HTTP message is broken"]);
    let broken = answer("Content-Type: application/json\r\n", &POST.as_bytes()[..60]);
    assert_outcome(&[broken, other()].concat(), 1, &["the JSON ends in the middle"]);
}

#[test]
fn heads_kept_from_a_body_that_was_stored_decoded_do_not_mislead() {
    let headers = "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    assert_outcome(&answer(headers, POST.as_bytes()), 1, &[]);
}

#[test]
fn a_bomb_is_not_read_on() {
    let zeros = vec![b' '; 96 << 20];
    let (records, said) = outcome(&answer("Content-Encoding: gzip\r\n", &gzip(&zeros)));
    assert_eq!(records, 0);
    assert!(said.is_empty() || said.iter().any(|said| said.contains("bomb")), "{said:?}");
    let lines = format!("{POST}\n{}\n", " ".repeat(96 << 20));
    let (records, said) = outcome(&answer("Content-Encoding: gzip\r\n", &gzip(lines.as_bytes())));
    assert_eq!(records, 1);
    assert!(said.iter().any(|said| said.contains("taken for a bomb")), "{said:?}");
}

#[test]
fn an_answer_with_items_has_a_key_of_its_own_and_the_others_have_not() {
    let packed = [
        gzip(&record("warcinfo", "", b"x")),
        gzip(&answer("", POST.as_bytes())),
        gzip(&record("metadata", "", b"y")),
    ];
    let bytes = packed.concat();
    let units = read(&bytes).unwrap();
    let own: Vec<_> = units.iter().filter(|unit| unit.within.is_none()).collect();
    let kinds: Vec<CutKind> = own.iter().flat_map(|unit| &unit.cuts).map(|cut| cut.kind).collect();
    assert_eq!(kinds, [CutKind::Residue, CutKind::Encoded, CutKind::Residue]);
    let within = units.iter().find_map(|unit| unit.within.as_ref()).unwrap();
    assert_eq!(within.offset(), packed[0].len() as u64);
    assert_eq!(own[1].offset, within.offset());
    // Where nothing is encoded, the item is cut out of the file.
    let units = read(&answer("", POST.as_bytes())).unwrap();
    assert!(units.iter().all(|unit| unit.within.is_none()));
    assert!(units.iter().flat_map(|unit| &unit.cuts).any(|cut| cut.kind == CutKind::Own { item: 0 }));
}

#[test]
fn a_long_line_in_a_body_is_passed_over_and_sealed() {
    let limits = Limits { unit_bytes_max: 400, ..Limits::default() };
    let lines = format!("{POST}\n{}\n{}\n", "x".repeat(5_000), POST.replace("\"1\"", "\"3\""));
    for bytes in [answer("", lines.as_bytes()), answer("Content-Encoding: gzip\r\n", &gzip(lines.as_bytes()))]
    {
        let units: Vec<_> =
            crate::capture::open(&bytes[..], None, limits).unwrap().map(Result::unwrap).collect();
        assert_tiled("long line", &bytes, &units, true);
        assert_eq!((tally(&units)[0], refusals(&units).len()), (2, 1), "{:?}", refusals(&units));
    }
}
