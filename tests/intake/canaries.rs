//! Nothing that was planted stands anywhere outside the seals.

use super::disclosure::{disclose, official};
use crate::support::{TestVault, canaries, start};
use aho_corasick::AhoCorasick;
use knik::redact::leaks;
use knik::vault::grants::{Approval, approve, revoke};
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// A value as bytes: UTF-8, UTF-16 of both orders, and their hexadecimal forms.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let wide = |bytes: fn(u16) -> [u8; 2]| value.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let plain = vec![value.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    let digits: Vec<Vec<u8>> = plain.iter().map(|form| hex::encode(form).into_bytes()).collect();
    plain.into_iter().chain(digits).collect()
}

/// What of the planted values stands in a file, with the file's name.
pub fn found_in(folder: &Path, planted: &[String]) -> Vec<String> {
    let needles: Vec<(String, Vec<u8>)> = planted
        .iter()
        .flat_map(|value| forms(value).into_iter().map(move |form| (value.clone(), form)))
        .collect();
    let search = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(needles.iter().map(|(_, form)| form))
        .unwrap();
    let values: Vec<&str> = planted.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for file in files(folder) {
        let bytes = fs::read(&file).unwrap();
        let name = file.strip_prefix(folder).unwrap().display().to_string();
        found.extend(
            search.find_iter(&bytes).map(|hit| format!("{name}: {}", needles[hit.pattern().as_usize()].0)),
        );
        let text = String::from_utf8_lossy(&bytes);
        found.extend(leaks(&text, &values).map(|n| format!("{name}: {} in another form", values[n])));
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_search_finds_what_is_planted() {
    let folder = tempfile::tempdir().unwrap();
    let planted = ["Karabıyıkoğlu".to_owned(), "999990019".to_owned()];
    let utf16: Vec<u8> = "Karabıyıkoğlu".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let table: [(&str, Vec<u8>); 5] = [
        ("plain", "\u{0}x999990019y".into()),
        ("upper", "mr KARABıYıKOğLU".into()),
        ("wide", [&[0xff, 0xfe][..], &utf16].concat()),
        ("base64", "\"OTk5OTkwMDE5\"".into()),
        ("escaped", r#"{"t":"Karab\u0131y\u0131ko\u011flu"}"#.into()),
    ];
    for (name, bytes) in table {
        fs::write(folder.path().join("file"), bytes).unwrap();
        assert!(!found_in(folder.path(), &planted).is_empty(), "{name}");
    }
    fs::write(folder.path().join("file"), "999990018 Karabiyikoglu").unwrap();
    assert_eq!(found_in(folder.path(), &planted), Vec::<String>::new());
}

#[tokio::test]
async fn no_file_of_the_data_folder_holds_a_planted_value() {
    let planted = canaries();
    assert!(planted.len() > 90, "only {} planted values", planted.len());
    let (vault, channels) = TestVault::loaded(1).await;
    let read: Vec<u8> =
        channels.iter().flat_map(|demo| &demo.captures).flat_map(|c| fs::read(&c.path).unwrap()).collect();
    let text = String::from_utf8_lossy(&read);
    for value in &planted {
        let escaped = serde_json::to_string(value).unwrap();
        let ascii: String = value
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) })
            .collect();
        let there =
            [value.as_str(), escaped.trim_matches('"'), &ascii].iter().any(|form| text.contains(form));
        assert!(there, "`{value}` is planted in no capture: it tests nothing");
    }
    use_it(&vault).await;
    assert_eq!(
        found_in(vault.folder(), &planted),
        Vec::<String>::new(),
        "while it runs, write-ahead logs included"
    );
    for db in [vault.archive.catalogue.database(), &vault.room, &vault.inbox] {
        db.close().await;
    }
    assert!(files(vault.folder()).len() > 10);
    assert_eq!(found_in(vault.folder(), &planted), Vec::<String>::new(), "after it was closed");
}

/// A grant, a disclosure with planted values in its motivation, a revocation.
async fn use_it(vault: &TestVault) {
    let organisation = "min-low".parse().unwrap();
    let asked = Approval {
        organisation,
        issuer: "https://issuer.example".to_owned(),
        subject: "reader".to_owned(),
        purpose: "research".to_owned(),
        legal_basis: "woo-request".parse().unwrap(),
        channels: Vec::new(),
        plan: "researcher".to_owned(),
        until: start().plus_seconds(86_400),
    };
    let granted = approve(&vault.archive, &vault.rules, asked, None).await.unwrap();
    vault.round().await;
    let actor = official("min-low");
    let record = vault.archive.catalogue.records(&actor.organisation, None, None, 1).await.unwrap()[0].id;
    let _numbering = vault.numbering();
    let motivation = "Orlando Kromosoeto (999990019) asked to see what he wrote";
    disclose(vault, &actor, record, "avg-15", "KEESOPDEFIETS-1", motivation).await.unwrap();
    revoke(&vault.archive, granted.id, None).await.unwrap();
    vault.round().await;
}
