//! Canaries in every field of every form, in names and attributes, in every form of bytes: found by the gate, of those planted.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use knik::redact::copy::{COLUMNS, DICTIONARY, MANIFEST, README};
use knik::redact::folded;
use knik::vault::release::Needles;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

/// What was redacted: a name, a number, an address, a handle, an account, one with marks, one in other letters.
const VALUES: [&str; 7] = [
    "Sanne Kwinkelaar",
    "0612345678",
    "sanne.kwinkelaar@voorbeeld.example",
    "burger_17_zz",
    "NL91ABNA0417164300",
    "Zoë Vermaatkamp-Öström",
    "Иван Петров",
];

/// As mail has it: lines of 76 characters.
fn in_lines(encoded: &str) -> Vec<u8> {
    encoded.as_bytes().chunks(76).collect::<Vec<_>>().join(b"\r\n".as_slice())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Every form of bytes of a value, with its name; among other text where that moves its alignment.
fn forms(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let units = || value.encode_utf16();
    let base64 = |before: &str| STANDARD.encode(format!("{before}{value} en meer")).into_bytes();
    vec![
        ("UTF-8", value.as_bytes().to_vec()),
        ("upper case", value.to_uppercase().into_bytes()),
        ("UTF-16LE", units().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", units().flat_map(u16::to_be_bytes).collect()),
        ("JSON escapes", units().map(|unit| format!("\\u{unit:04x}")).collect::<String>().into_bytes()),
        ("HTML decimal", value.chars().map(|c| format!("&#{};", c as u32)).collect::<String>().into_bytes()),
        (
            "HTML hexadecimal",
            value.chars().map(|c| format!("&#x{:X};", c as u32)).collect::<String>().into_bytes(),
        ),
        ("percent", value.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().into_bytes()),
        ("base64 at 0", base64("")),
        ("base64 at 1", base64(" ")),
        ("base64 at 2", base64("  ")),
        ("base64 of addresses", URL_SAFE_NO_PAD.encode(format!("??>{value}")).into_bytes()),
        (
            "base64 of UTF-16",
            STANDARD.encode(units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).into_bytes(),
        ),
        ("base64 behind a word", format!("records{}", STANDARD.encode(value)).into_bytes()),
        ("base64 in lines", in_lines(&STANDARD.encode(format!("{}{value} en meer", "woord ".repeat(9))))),
        ("hexadecimal in lines", in_lines(&hex::encode(format!("{}{value}", "woord ".repeat(6))))),
        ("members of gzip", [gzip(b"niets"), gzip(value.as_bytes())].concat()),
        ("hexadecimal", hex::encode(value).into_bytes()),
        ("hexadecimal, upper case", hex::encode_upper(value).into_bytes()),
        ("gzip", gzip(format!("in een bestand {value} ").as_bytes())),
        ("base64 of gzip", STANDARD.encode(gzip(value.as_bytes())).into_bytes()),
    ]
}

const MARK: &[u8] = b"@@HIER@@";

fn planted(in_file: &[u8], what: &[u8]) -> Vec<u8> {
    let at = in_file.windows(MARK.len()).position(|window| window == MARK).unwrap();
    [&in_file[..at], what, &in_file[at + MARK.len()..]].concat()
}

/// A row of JSON with a mark in one field.
fn line(column: &str) -> Vec<u8> {
    let fields = COLUMNS.iter().map(|one| {
        let value = if one.name == column { "@@HIER@@" } else { "iets" };
        format!("\"{}\":\"{value}\"", one.name)
    });
    format!("{{{}}}\n", fields.collect::<Vec<_>>().join(",")).into_bytes()
}

fn table(column: &str) -> Vec<u8> {
    let heading: Vec<&str> = COLUMNS.iter().map(|one| one.name).collect();
    let row = COLUMNS.iter().map(|one| if one.name == column { "@@HIER@@" } else { "iets" });
    format!("{}\n{}\n", heading.join(","), row.collect::<Vec<_>>().join(",")).into_bytes()
}

/// Columns with these bytes as a value, or as an attribute of the file.
fn columns(value: &[u8], attribute: Option<&str>) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message knik { REQUIRED BYTE_ARRAY text; }").unwrap());
    let about = attribute.map(|text| vec![KeyValue::new("note".to_owned(), text.to_owned())]);
    let properties = Arc::new(WriterProperties::builder().set_key_value_metadata(about).build());
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, schema, properties).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(value.to_vec())], None, None).unwrap();
    column.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();
    out
}

#[test]
fn a_canary_is_found_wherever_and_however_it_is_planted() {
    let needles = Needles::of(&VALUES.iter().map(|value| folded(value)).collect::<HashSet<_>>());
    let (mut tried, mut missed) = (0, Vec::new());
    let mut look = |what: String, name: &str, bytes: &[u8]| {
        tried += 1;
        if needles.in_file(name, bytes).is_empty() {
            missed.push(what);
        }
    };
    for value in VALUES {
        for (form, bytes) in forms(value) {
            for column in COLUMNS {
                let at = format!("{value} as {form} in {}", column.name);
                look(format!("{at} of lines"), "records-00001.jsonl", &planted(&line(column.name), &bytes));
                look(format!("{at} of a table"), "records-00001.csv", &planted(&table(column.name), &bytes));
            }
            look(format!("{value} as {form} in columns"), "records-00001.parquet", &columns(&bytes, None));
            for name in [README, DICTIONARY, MANIFEST] {
                let text = [b"Tekst vooraf, ".as_slice(), &bytes, b" en tekst erna.\n"].concat();
                look(format!("{value} as {form} in {name}"), name, &text);
            }
            if let Ok(text) = std::str::from_utf8(&bytes) {
                look(format!("{value} as {form} in a name"), &format!("records-{text}.csv"), b"niets");
                look(
                    format!("{value} as {form} in an attribute"),
                    "a.parquet",
                    &columns(b"niets", Some(text)),
                );
            }
        }
    }
    println!("leak canaries: {} found of {tried} planted", tried - missed.len());
    assert!(
        missed.is_empty(),
        "{} of {tried} missed, such as {:?}",
        missed.len(),
        &missed[..missed.len().min(12)]
    );
    assert!(tried > 5_000, "only {tried} planted");
}

#[test]
fn what_is_not_there_is_not_found() {
    let needles = Needles::of(&VALUES.iter().map(|value| folded(value)).collect::<HashSet<_>>());
    for name in [README, "records-00001.csv"] {
        for column in COLUMNS {
            let other = planted(&table(column.name), b"Sanne Kwinkelhuis 0612345679 burger_18_zz");
            assert!(needles.in_file(name, &other).is_empty());
        }
    }
    assert!(needles.in_file("a.parquet", &columns(b"niets", Some("knik"))).is_empty());
}

#[test]
fn a_long_word_is_a_leak_where_it_is_hidden_and_none_where_people_say_it() {
    let none = HashSet::new();
    let needles = Needles::of(&none).and_words(&HashSet::from(["kwinkelaar".to_owned()]));
    let plain = planted(&line("text"), b"De familie Kwinkelaar\\nKwinkelaar zegt iets");
    assert!(needles.in_file("records-00001.jsonl", &plain).is_empty(), "other people may say it");
    assert!(!needles.in_file("records-kwinkelaar.csv", b"niets").is_empty(), "in a name");
    let (mut tried, mut missed) = (0, Vec::new());
    let hidden = [
        "UTF-16LE",
        "UTF-16BE",
        "HTML decimal",
        "percent",
        "base64 at 0",
        "base64 at 1",
        "base64 at 2",
        "hexadecimal",
        "gzip",
    ];
    for (form, bytes) in forms("Kwinkelaar") {
        if hidden.contains(&form) {
            tried += 1;
            let text = [b"Tekst vooraf, ".as_slice(), &bytes, b" en tekst erna.\n"].concat();
            if needles.in_file("records-00001.jsonl", &text).is_empty() {
                missed.push(form);
            }
        }
    }
    assert!(tried == hidden.len() && missed.is_empty(), "{missed:?} of {tried} missed");
}

#[test]
fn what_is_compressed_is_found_however_long_it_is() {
    let needles = Needles::of(&VALUES.iter().map(|value| folded(value)).collect::<HashSet<_>>());
    // Noise that does not get smaller, so that the member is longer than what is read at a time.
    let mut state = 7_u64;
    let noise: String = (0..900_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
        })
        .collect();
    let member = gzip(format!("{noise} Sanne Kwinkelaar ").as_bytes());
    assert!(member.len() > 1 << 19, "{}", member.len());
    assert!(!needles.in_file("a.bin", &member).is_empty());
    assert!(needles.in_file("a.bin", &gzip(noise.as_bytes())).is_empty());
}
