//! Every sample of every format, through the vault: its counts, its bytes back, and nothing planted in any field of it outside
//! the seals.

use super::bytes::check_rejoined;
use super::canaries::found_in;
use crate::support::{TestVault, shared, start};
use knik::capture::Format;
use knik::model::{OrganisationId, Platform};
use knik::store::catalogue::{Channel, ChannelFact, Duty, Fact};
use knik::vault::channels::declare;
use knik::vault::{CaptureSource, InProcess, Survey, survey};
use serde_json::{Map, Value};
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
    let (mut checked, mut published, mut addresses) = (0, 0, 0);
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
        let (Some((path, number)), Some((_, platform, _))) = (made, before) else { continue };
        let (vault, channel) = vault_of(platform).await;
        let report = vault.ingest(&channel, &path).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(report.new_records > 0, "{name}: {report:?}");
        vault.round().await;
        published += vault.archive.room.count().await.unwrap();
        assert_eq!(found_in(vault.folder(), &[PLANTED.to_owned()]), Vec::<String>::new(), "{name}");
        checked += 1;
        addresses += number;
    }
    assert!(
        checked > 50 && published > 100 && addresses > 2_000,
        "{checked} files, {published} published, {addresses}"
    );
}
