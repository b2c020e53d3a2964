//! A vault to destroy in, and what can still be opened of it.

use crate::intake::disclosure::{disclose, official};
use crate::support::TestVault;
use aho_corasick::AhoCorasick;
use knik::model::{OrganisationId, RecordId};
use knik::vault::destroy::{Destroyed, Destruction, destroy};
use knik::vault::{VaultError, keys};
use sqlx::Row;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub const LOW: &str = "min-low";

pub fn low() -> OrganisationId {
    LOW.parse().unwrap()
}

/// Destroys records of an organisation.
pub async fn destroyed(
    vault: &TestVault,
    organisation: &OrganisationId,
    records: &[RecordId],
) -> Result<Destroyed, VaultError> {
    let asked = Destruction {
        organisation: organisation.clone(),
        records: records.iter().copied().collect(),
        by: None,
        reasons: vec!["selection-list".parse().unwrap()],
    };
    destroy(&vault.archive, &asked).await
}

/// Records of an organisation that are not destroyed, in the order they came in.
pub async fn records(vault: &TestVault, organisation: &OrganisationId) -> Vec<RecordId> {
    let all = vault.archive.catalogue.records(organisation, None, None, 10_000).await.unwrap();
    let left = all.into_iter().filter(|summary| summary.withheld.as_deref() != Some("destroyed"));
    left.map(|summary| summary.id).collect()
}

/// Every original of an organisation that opens, as an official sees it; and those that do not.
pub async fn originals(
    vault: &TestVault,
    organisation: &OrganisationId,
) -> (BTreeMap<RecordId, Vec<u8>>, Vec<RecordId>) {
    let _numbering = vault.numbering();
    let (mut opened, mut closed) = (BTreeMap::new(), Vec::new());
    let actor = official(organisation.as_str());
    for record in records(vault, organisation).await {
        match disclose(vault, &actor, record, "avg-15", "2026-0042", "the person concerned asked to see it")
            .await
        {
            Ok(one) => drop(opened.insert(record, one.original.item().to_vec())),
            Err(_) => closed.push(record),
        }
    }
    (opened, closed)
}

/// The record whose original holds these words.
pub async fn record_with(vault: &TestVault, organisation: &OrganisationId, words: &str) -> RecordId {
    let (opened, closed) = originals(vault, organisation).await;
    assert_eq!(closed, []);
    let holds = |bytes: &[u8]| find(bytes, words.as_bytes());
    let found: Vec<RecordId> =
        opened.iter().filter(|(_, bytes)| holds(bytes)).map(|(record, _)| *record).collect();
    assert_eq!(found.len(), 1, "`{words}` stands in one record");
    found[0]
}

pub fn find(bytes: &[u8], wanted: &[u8]) -> bool {
    AhoCorasick::new([wanted]).unwrap().is_match(bytes)
}

/// Does what the service does within seconds of a destruction.
pub async fn turned(vault: &TestVault) -> u64 {
    keys::turn_due(&vault.archive).await.unwrap()
}

/// Every blob of a column, in the order of the table's keys.
pub async fn column(vault: &TestVault, statement: &'static str) -> Vec<Vec<u8>> {
    let rows = sqlx::query(statement).fetch_all(vault.archive.catalogue.database().read()).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The files below a folder that hold these bytes.
pub fn holding(folder: &Path, wanted: &[u8]) -> Vec<PathBuf> {
    let wanted = AhoCorasick::new([wanted]).unwrap();
    files(folder).into_iter().filter(|file| wanted.is_match(&std::fs::read(file).unwrap())).collect()
}
