//! Every sample of every format, through the vault: its counts, its bytes back, and nothing planted in any field of it outside
//! the seals.

use super::bytes::check_rejoined;
use super::canaries::found_in;
use super::containers::{gzip, zip};
use crate::support::{TestVault, shared, start};
use aws_lc_rs::digest;
use knik::capture::Format;
use knik::model::{OrganisationId, Platform};
use knik::store::catalogue::{Channel, ChannelFact, Duty, Fact};
use knik::vault::channels::declare;
use knik::vault::ingest::IngestReport;
use knik::vault::{CaptureSource, InProcess, Survey, survey};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The samples with their rows of `counts.tsv`: name, path, and records, acts, deletions and what is not public.
fn samples(test: &str) -> Option<Vec<(String, PathBuf, [u64; 4])>> {
    let captures = shared(test)?.join("captures");
    let counts = std::fs::read_to_string(captures.join("counts.tsv")).unwrap();
    let rows = counts.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let number = |n: usize| cells[n].parse::<u64>().unwrap();
        (cells[0].to_owned(), captures.join(cells[0]), [number(2), number(3), number(4), number(5)])
    });
    Some(rows.filter(|(_, path, _)| path.is_file()).collect())
}

/// An empty vault with one channel of a platform.
async fn vault_of(platform: Platform) -> (TestVault, Channel) {
    let organisation: OrganisationId = "min-low".parse().unwrap();
    let vault =
        TestVault::new(1, &[(organisation.clone(), "Ministerie van Leefomgeving en Water".to_owned())]).await;
    let channel = Channel {
        id: "low-channel".parse().unwrap(),
        organisation,
        platform,
        instance: "social.leefomgeving.example".to_owned(),
        account: "minlow".to_owned(),
        kind: "corporate".to_owned(),
        purpose: "vragen beantwoorden".to_owned(),
        legal_basis: "AVG 6 lid 1 e".to_owned(),
        duty: Duty::Yes,
        duty_source: "selectielijst".to_owned(),
        dpia: "DPIA-2025-014".to_owned(),
    };
    let official = ChannelFact {
        fact: Fact::Official,
        value: "yes".to_owned(),
        from: "2005-01-01T00:00:00Z".parse().unwrap(),
        until: None,
        reason: "communicatieprotocol".to_owned(),
    };
    assert!(declare(&vault.archive, &vault.rules, &channel, &[official], None).await.unwrap());
    assert!(start() > "2005-01-01T00:00:00Z".parse().unwrap());
    (vault, channel)
}

/// What a file holds, and the platform whose channel takes it in; none for a file that is not sound.
fn looked(vault: &TestVault, file: &Path) -> Option<(Format, Platform, Survey)> {
    let source = CaptureSource::File(file.to_owned());
    let limits = vault.rules.limits;
    let (format, looked) = survey(&source, &InProcess, None, limits, None, &mut |_| {}).ok()?;
    let inside = looked.platforms.first().copied().filter(|_| format.is_container());
    Some((format, inside.unwrap_or(format.platform()), looked))
}

#[tokio::test]
async fn every_sample_comes_in_with_its_counts_and_gives_its_bytes_back() {
    let Some(samples) = samples("every sample comes in with its counts") else { return };
    let (any, _) = vault_of(Platform::Mastodon).await;
    let (mut taken, mut formats) = (0, std::collections::BTreeSet::new());
    for (name, file, [records, acts, deleted, not_public]) in samples {
        let Some((format, platform, holds)) = looked(&any, &file) else {
            assert_eq!((records, acts, deleted), (0, 0, 0), "{name} is refused as a whole");
            continue;
        };
        let counted = (holds.records, holds.acts, holds.deleted, holds.not_public);
        assert_eq!(counted, (records, acts, deleted, not_public), "{name}");
        let (vault, channel) = vault_of(platform).await;
        let report = vault.ingest(&channel, &file).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((report.acts, report.deleted), (acts, deleted), "{name}");
        let seen = report.new_records + report.new_versions + report.already_there;
        assert!(report.new_records <= records && seen >= records, "{name}: {report:?}");
        check_rejoined(&vault, &channel.organisation, &file).await;
        vault.round().await;
        let counts = vault.archive.catalogue.counts().await.unwrap();
        assert_eq!((counts.stale_conversations, counts.outbox), (0, 0), "{name}");
        assert!(vault.ingest(&channel, &file).await.unwrap().same_capture, "{name}");
        taken += 1;
        formats.insert(format);
    }
    assert!(taken > 90 && formats.len() > 11, "{taken} files of {} formats", formats.len());
}

const PLANTED: &str = "kanariegeelvogeltje";

/// Plants an address in every text of a JSON value, and in a field that no format knows in every object.
fn plant(value: &mut Value, key: &str, number: &mut u32, unknown: bool) {
    let mut address = || {
        *number += 1;
        format!("{PLANTED}{number}@voorbeeld.example")
    };
    match value {
        Value::String(text) => {
            let personal =
                ["name", "content", "text", "title", "caption", "descri", "note", "bio", "spoiler"];
            let names = personal.iter().any(|part| key.to_lowercase().contains(part));
            let date = text.chars().next().is_some_and(|c| c.is_ascii_digit());
            if !date && !text.starts_with("http") && (names || text.contains(' ')) && !key.starts_with('@') {
                *text = format!("{text} {}", address());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plant(item, key, number, unknown)),
        Value::Object(fields) => {
            let planted = address();
            fields.iter_mut().for_each(|(key, value)| plant(value, key, number, unknown));
            if unknown {
                add(fields, planted);
            }
        }
        _ => {}
    }
}

fn add(fields: &mut Map<String, Value>, planted: String) {
    fields.insert("onbekend_veld".to_owned(), Value::String(planted));
}

/// A sample with planted addresses: JSON documents and lines; none for what is neither.
fn planted(bytes: &[u8], unknown: bool) -> Option<(Vec<u8>, u32)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut number = 0;
    let mut one = |text: &str| {
        let mut value: Value = serde_json::from_str(text).ok()?;
        plant(&mut value, "", &mut number, unknown);
        Some(value.to_string())
    };
    let made = one(text).or_else(|| {
        let lines: Option<Vec<String>> =
            text.lines().filter(|line| !line.trim().is_empty()).map(one).collect();
        lines.map(|lines| lines.join("\n"))
    })?;
    Some((made.into_bytes(), number))
}

#[tokio::test]
async fn what_is_planted_in_any_field_of_any_format_stays_under_seal() {
    let Some(samples) = samples("what is planted in any field stays under seal") else { return };
    let (any, _) = vault_of(Platform::Mastodon).await;
    let (mut checked, mut addresses) = (0, 0);
    let mut published: BTreeMap<Format, u64> = BTreeMap::new();
    for (name, file, _) in samples.into_iter().filter(|(_, _, counts)| counts[0] > 0) {
        let original = std::fs::read(&file).unwrap();
        let before = looked(&any, &file);
        // A format that refuses fields it does not know gets the texts only.
        let made = [true, false].into_iter().find_map(|unknown| {
            let (bytes, number) = planted(&original, unknown)?;
            let path = any.folder().join("planted");
            std::fs::write(&path, bytes).unwrap();
            let format =
                |seen: &Option<(Format, Platform, Survey)>| seen.as_ref().map(|(format, ..)| *format);
            (format(&looked(&any, &path)) == format(&before)).then_some((path, number))
        });
        let (Some((path, number)), Some((format, platform, _))) = (made, before) else { continue };
        let (vault, channel) = vault_of(platform).await;
        let report = vault.ingest(&channel, &path).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(report.new_records > 0, "{name}: {report:?}");
        vault.round().await;
        *published.entry(format).or_default() += vault.archive.room.count().await.unwrap();
        assert_eq!(found_in(vault.folder(), &[PLANTED.to_owned()]), Vec::<String>::new(), "{name}");
        checked += 1;
        addresses += number;
    }
    let read = |format: Format| published.get(&format).copied().unwrap_or_default();
    let of_each =
        [Format::MastodonApi, Format::ActivityPub, Format::XApiV2, Format::Bluesky, Format::YouTube];
    let more = [Format::FacebookGraph, Format::InstagramGraph];
    assert!(of_each.into_iter().chain(more).all(|format| read(format) > 0), "{published:?}");
    assert!(checked > 50 && addresses > 2_000, "{checked} files, {published:?}, {addresses}");
}

/// Nothing planted in a capture stands outside the seals, and the capture comes back byte for byte.
async fn stays_under_seal(name: &str, bytes: &[u8], platform: Platform) -> IngestReport {
    assert!(bytes.len() > 50, "{name}");
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join(format!("{PLANTED}-{name}"));
    std::fs::write(&file, bytes).unwrap();
    let (vault, channel) = vault_of(platform).await;
    let report = vault.ingest(&channel, &file).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    check_rejoined(&vault, &channel.organisation, &file).await;
    vault.round().await;
    assert_eq!(found_in(vault.folder(), &[PLANTED.to_owned()]), Vec::<String>::new(), "{name}");
    report
}

/// Two rows under a heading: one with an address in every column, one in which those that need a form have it.
fn table(heading: &[&str], formed: &[(&str, &str)], separator: char) -> Vec<u8> {
    let address = |n: usize| format!("\"zie {PLANTED}{n}@voorbeeld.example\"");
    let row = |formed: &[(&str, &str)]| {
        let cell = |(n, column): (usize, &&str)| {
            let given = formed.iter().find(|(name, _)| name == column);
            given.map_or_else(|| address(n), |(_, value)| (*value).to_owned())
        };
        heading.iter().enumerate().map(cell).collect::<Vec<_>>().join(&separator.to_string())
    };
    let heading = heading.join(&separator.to_string());
    format!("{heading}\n{}\n{}\n", row(formed), row(&[])).into_bytes()
}

#[tokio::test]
async fn what_is_planted_in_any_column_of_a_table_stays_under_seal() {
    let linkedin: [&[&str]; 7] = [
        &["Date", "ShareLink", "ShareCommentary", "SharedUrl", "MediaUrl", "Visibility", "Onbekend"],
        &[
            "CONVERSATION ID",
            "FROM",
            "TO",
            "DATE",
            "SUBJECT",
            "CONTENT",
            "SENDER PROFILE URL",
            "ATTACHMENTS",
            "X",
        ],
        &["From", "To", "Sent At", "Message", "Direction", "inviterProfileUrl", "inviteeProfileUrl"],
        &["Date", "Link", "Message"],
        &["Date", "Type", "Link"],
        &["Date", "OptionText", "Link"],
        &["Date", "Link"],
    ];
    let formed = [
        ("Date", "2026-05-04 10:00:00"),
        ("DATE", "2026-05-04 10:00:00 UTC"),
        ("Visibility", "MEMBER_NETWORK"),
    ];
    for (n, heading) in linkedin.into_iter().enumerate() {
        let report =
            stays_under_seal(&format!("linkedin-{n}.csv"), &table(heading, &formed, ','), Platform::LinkedIn)
                .await;
        assert!(report.new_records + report.acts > 0, "{n}: {report:?}");
    }
    let coosto = [
        "Datum",
        "Bron",
        "Auteur",
        "Titel",
        "Bericht tekst",
        "URL",
        "Type bron",
        "Sentiment",
        "Zoekopdracht",
        "Onbekend",
    ];
    let formed = [
        ("Datum", "04-05-2026 11:30"),
        ("Bron", "twitter.com"),
        ("Type bron", "Tweet"),
        ("URL", "https://x.com/f/status/1576994746135764992"),
    ];
    let bytes = table(&coosto, &formed, ';');
    let lone: Vec<u8> = bytes.split_inclusive(|byte| *byte == b'\n').take(2).flatten().copied().collect();
    assert_eq!(stays_under_seal("coosto.csv", &lone, Platform::X).await.new_records, 1);
}

/// A page with an address in its text and in every attribute and hiding place.
fn page() -> Vec<u8> {
    let parts = [
        "<html lang=\"nl\" data-x=\"#\"><head><title>#</title><meta name=\"description\" content=\"#\"><style>/*#*/</style>",
        "<script>var x = '#';</script></head><body class=\"#\"><!-- # --><p title='#'>Schrijf naar #</p>",
        "<a href=\"mailto:#\">mail</a><img src=\"https://b.example/#.png\" alt=\"#\" srcset=\"#\"><input value=\"#\" placeholder=#>",
        "<svg><desc>#</desc></svg><textarea>#</textarea><iframe srcdoc=\"&lt;p&gt;#\"></iframe><template>#</template></body></html>",
    ];
    let mut number = 0;
    let text: String = parts
        .concat()
        .split('#')
        .map(|part| {
            number += 1;
            format!("{part}{PLANTED}{number}@voorbeeld.example")
        })
        .collect();
    text.into_bytes()
}

/// A status with an address in every text and in fields that no format knows.
fn status() -> Vec<u8> {
    let status = serde_json::json!({
        "id": "116200000000000077", "uri": "https://polder.example/users/f/statuses/116200000000000077",
        "created_at": "2026-05-04T09:30:00Z", "visibility": "public", "language": "nl", "spoiler_text": "let op",
        "content": "<p title=\"x y\">Wanneer is de sluis weer open?</p>", "mentions": [], "tags": [],
        "media_attachments": [{"id": "1", "type": "image", "description": "een foto van mij"}],
        "account": {"id": "7", "acct": "fenna", "username": "fenna", "display_name": "Fenna de V.", "note": "mijn bio"},
    });
    planted(status.to_string().as_bytes(), true).unwrap().0
}

fn warc(kind: &str, content: &str, body: &[u8]) -> Vec<u8> {
    let block = [
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content}\r\nX-Door: {PLANTED}0@voorbeeld.example\r\n\r\n")
            .as_bytes(),
        body,
    ]
    .concat();
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://low.example/{PLANTED}\r\nWARC-Date: 2026-05-04T09:30:00Z\r\nContent-Type: application/http; msgtype={kind}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), &block, b"\r\n\r\n"].concat()
}

#[tokio::test]
async fn what_is_planted_in_a_container_stays_under_seal() {
    let (page, status) = (page(), status());
    let request = warc("request", "text/plain", PLANTED.as_bytes());
    let archive = [
        request,
        warc("response", "text/html; charset=utf-8", &page),
        warc("response", "application/json", &status),
    ]
    .concat();
    for (name, bytes) in [("a.warc", archive.clone()), ("a.warc.gz", gzip(&archive))] {
        let report = stays_under_seal(name, &bytes, Platform::Mastodon).await;
        assert_eq!((report.new_records, report.new_pages), (1, 1), "{name}: {report:?}");
    }
    let names = [
        format!("{PLANTED}1/mijn.json"),
        format!("foto van {PLANTED}2@voorbeeld.example.png"),
        format!("{PLANTED}3.warc.gz"),
    ];
    let picture = [b"\x89PNG\r\n\x1a\n".as_slice(), PLANTED.as_bytes()].concat();
    let entries: [(&str, &[u8]); 3] =
        [(&names[0], &status), (&names[1], &picture), (&names[2], &gzip(&archive))];
    for deflated in [false, true] {
        let report = stays_under_seal("a.zip", &zip(&entries, deflated), Platform::Mastodon).await;
        let taken_in = (report.new_records, report.new_pages, report.new_attachments);
        assert_eq!(taken_in, (1, 1, 0), "{report:?}");
    }
}

/// A WACZ with something planted in the names of its entries and in whatever its lists say.
fn wacz(archive: &[u8], status: &[u8]) -> Vec<u8> {
    let address = |n: u32| format!("{PLANTED}{n}@voorbeeld.example");
    let pages = format!(
        "{{\"format\":\"json-pages-1.0\",\"id\":\"pages\",\"title\":\"{}\"}}\n{{\"id\":\"{}\",\"url\":\"https://low.example/{PLANTED}\",\"title\":\"{}\",\"text\":\"{}\",\"ts\":\"2026-05-04T09:30:00Z\"}}\n",
        address(41),
        address(42),
        address(43),
        address(44),
    );
    let index = format!(
        "example,low)/{PLANTED} 20260504093000 {{\"url\":\"https://low.example/{}\"}}\n",
        address(45)
    );
    let path = format!("archive/{PLANTED}46.warc.gz");
    let gzipped = gzip(archive);
    let hash = |bytes: &[u8]| hex::encode(digest::digest(&digest::SHA256, bytes));
    let package = serde_json::json!({
        "profile": "data-package", "wacz_version": "1.1.1", "title": address(47), "description": address(48),
        "software": address(49), "mainPageUrl": format!("https://low.example/{PLANTED}"), "onbekend": {"x": address(50)},
        "resources": [
            {"name": address(51), "path": path, "hash": format!("sha256:{}", hash(&gzipped)), "bytes": gzipped.len()},
            {"name": "pages.jsonl", "path": "pages/pages.jsonl", "hash": format!("sha256:{}", hash(pages.as_bytes())), "bytes": pages.len()},
        ],
    })
    .to_string();
    zip(
        &[
            (&path, &gzipped),
            ("pages/pages.jsonl", pages.as_bytes()),
            ("indexes/index.cdx", index.as_bytes()),
            (&format!("fuzzy/{PLANTED}52.json"), status),
            ("datapackage.json", package.as_bytes()),
        ],
        false,
    )
}

#[tokio::test]
async fn what_is_planted_in_a_wacz_stays_under_seal() {
    let (page, status) = (page(), status());
    let archive = [
        warc("request", "text/plain", PLANTED.as_bytes()),
        warc("response", "text/html; charset=utf-8", &page),
        warc("response", "application/json", &status),
    ]
    .concat();
    let bytes = wacz(&archive, &status);
    let report = stays_under_seal("a.wacz", &bytes, Platform::Mastodon).await;
    assert_eq!((report.new_records, report.new_pages, report.refused.len()), (1, 1, 0), "{report:?}");
    // One that is refused leaves nothing of it either: not in the reason, not in the folder.
    let mut broken = bytes.clone();
    broken[gzip_at(&bytes)] ^= 1;
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join(format!("{PLANTED}.wacz"));
    std::fs::write(&file, broken).unwrap();
    let (vault, channel) = vault_of(Platform::Mastodon).await;
    let report = vault.ingest(&channel, &file).await.unwrap();
    assert_eq!((report.new_records, report.refused.is_empty()), (0, false), "{report:?}");
    let refused = report.refused.join("; ");
    assert!(!refused.contains(PLANTED), "{refused}");
    assert_eq!(found_in(vault.folder(), &[PLANTED.to_owned()]), Vec::<String>::new());
}

/// A byte in the middle of the first gzip member.
fn gzip_at(bytes: &[u8]) -> usize {
    bytes.windows(3).position(|three| three == [0x1F, 0x8B, 8]).unwrap() + 60
}

#[tokio::test]
async fn a_repository_of_bluesky_comes_in_and_its_posts_are_read() {
    let bytes = include_bytes!("repository.car");
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("repository.car");
    std::fs::write(&file, bytes).unwrap();
    let (vault, channel) = vault_of(Platform::Bluesky).await;
    let report = vault.ingest(&channel, &file).await.unwrap();
    assert_eq!((report.new_records, report.acts, report.refused.len()), (2, 2, 0), "{report:?}");
    check_rejoined(&vault, &channel.organisation, &file).await;
    vault.round().await;
    assert_eq!(vault.archive.room.count().await.unwrap(), 2);
    assert_eq!(found_in(vault.folder(), &["did:plc:fenna".to_owned()]), Vec::<String>::new());
}
