//! The leak gate: finished files are searched for what must not leave, as a recorded system act. It needs the originals of the
//! selection, and nothing of them leaves it: what it says are counts and codes.
//!
//! 1. **Rows**: every row of every part is read; it must be of the grant, still published, and the same in each form. The
//!    original behind it is opened (a permit and an entry a batch), and what is redacted in it is looked for in the row.
//! 2. **Everything**: names and bytes of all files, in every form of bytes that [`forms`] knows, are searched for the
//!    values of the whole selection that are long enough to tell ([`needles`]).
//! 3. **The detector** looks at every text once more; **small groups** are counted anew.

mod forms;
mod needles;
mod rows;

pub use needles::{Hit, Needles, Value, Where};

use super::exports::{airlock, people};
use super::small_groups::{self, Standing};
use super::{Archive, Rules, VaultError, derive};
use crate::access::SystemActKind;
use crate::model::{ProjectionId, RecordRef};
use crate::redact::copy::{CopyRow, MANIFEST, Manifest, is_part, sha256_hex};
use crate::store::StoreError;
use crate::store::catalogue::ExportJob;
use rows::{Selected, Tally};
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};

/// Longest file that is looked at: a part and what goes with it is far shorter.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 30;

/// Rows whose originals are opened together.
const ROWS_AT_ONCE: usize = super::publish::BATCH_RECORDS;

/// What the gate says.
#[derive(Debug)]
pub(super) struct Gate {
    /// Counts and codes, for the second person.
    pub report: Json,
    /// Why nothing may leave; empty when it may.
    pub stopped: Vec<&'static str>,
}

/// Reads the manifest.
///
/// # Errors
/// When it is none of this version.
pub(super) fn manifest_of(bytes: &[u8]) -> Result<Manifest, VaultError> {
    serde_json::from_slice::<Manifest>(bytes)
        .map_err(|_| VaultError::Input("the manifest of the export is not understood".to_owned()))
}

/// Searches the finished files of an export.
///
/// # Errors
/// When storage fails or the originals may not be opened: it is done again later. What is wrong with the files is no error.
pub(super) async fn check(archive: &Archive, rules: &Rules, export: &ExportJob) -> Result<Gate, VaultError> {
    let began = archive.sources.now();
    let files = Files::of(archive, export).await?;
    let mut stopped: BTreeSet<&'static str> = files.wrong().await?;
    let mut tally = Tally::default();
    let mut selected = Selected::default();
    let mut standings = Vec::new();
    for part in files.parts() {
        let Some(rows) = files.rows(&part, &mut stopped).await? else { continue };
        for batch in rows.chunks(ROWS_AT_ONCE) {
            look_at(archive, rules, export, batch, (&mut tally, &mut selected, &mut standings), &mut stopped)
                .await?;
        }
    }
    let needles = selected.needles();
    let (wanted, values) = (needles.len(), selected.len());
    let mut hits = 0;
    for name in files.names().chain([MANIFEST]) {
        let Some(bytes) = files.bytes(name).await? else { continue };
        let (needles, name) = (needles.clone(), name.to_owned());
        hits += tokio::task::spawn_blocking(move || needles.in_file(&name, &bytes).len() as u64).await?;
    }
    let groups = rules.plans.small_groups();
    let small = small_groups::small(&standings, groups);
    for (code, found) in [
        ("redacted-value-in-files", hits),
        ("redacted-value-in-row", tally.in_own_row),
        ("detector-finds", tally.detected),
        ("small-groups", small),
        ("withdrawn-since", tally.gone),
        ("original-unreadable", tally.unread),
    ] {
        if found > 0 {
            stopped.insert(code);
        }
    }
    let stopped: Vec<&'static str> = stopped.into_iter().collect();
    let report = json!({
        "stopped": stopped, "rows": tally.rows, "files": files.manifest.files.len() + 1,
        "originalsOpened": tally.opened, "valuesRedacted": values, "valuesSearchedFor": wanted,
        "found": {
            "inFiles": hits, "inOwnRow": tally.in_own_row, "byDetector": tally.detected,
            "alsoReadableElsewhere": selected.readable_elsewhere(),
        },
        "verbatimPercent": tally.verbatim_percent(), "withdrawnSince": tally.gone,
        "smallGroups": {
            "k": groups.k, "over": groups.over, "found": small,
            "excluded": "free text: nothing counts how many people could have written a text",
        },
        "ruleset": rules.ruleset.version(),
        "seconds": (archive.sources.now().micros() - began.micros()) as f64 / 1e6,
    });
    Ok(Gate { report, stopped })
}

/// Opens the originals behind some rows and looks at each row beside its own.
async fn look_at(
    archive: &Archive,
    rules: &Rules,
    export: &ExportJob,
    batch: &[CopyRow],
    (tally, selected, standings): (&mut Tally, &mut Selected, &mut Vec<Standing>),
    stopped: &mut BTreeSet<&'static str>,
) -> Result<(), VaultError> {
    let references: Vec<RecordRef> = batch.iter().filter_map(|row| row.id.parse().ok()).collect();
    let named = archive.room.named_so(export.grant, &references).await?;
    let ids: Vec<ProjectionId> = named.values().map(|named| named.id).collect();
    let facts = archive.catalogue.export_facts(&ids).await?;
    if facts.values().any(|facts| facts.organisation != export.organisation) {
        stopped.insert("another-organisation");
        return Ok(());
    }
    let items = derive::open(archive, rules, SystemActKind::CheckRelease, facts.values()).await?;
    let all: Vec<_> = named.into_values().collect();
    let people = people(archive, &all).await?;
    let by_reference: HashMap<String, _> =
        all.iter().map(|named| (named.reference.to_string(), named)).collect();
    for row in batch {
        tally.rows += 1;
        let Some(named) = by_reference.get(&row.id) else {
            tally.gone += 1;
            continue;
        };
        let known = facts.get(&named.id).and_then(|facts| Some((facts, items.get(&facts.record)?)));
        let Some((facts, item)) = known else {
            tally.unread += 1;
            continue;
        };
        tally.opened += 1;
        rows::look(rules, row, facts, item, tally, selected);
        standings.push(Standing {
            number: named.number,
            time: row.time.clone().unwrap_or_default(),
            channel: row.channel.clone().unwrap_or_default(),
            wider: row.wider.clone(),
            person: people.get(&named.id).copied().flatten(),
        });
    }
    Ok(())
}

/// The files of an export in the airlock.
struct Files<'a> {
    archive: &'a Archive,
    export: &'a ExportJob,
    manifest: Manifest,
    there: Vec<String>,
}

impl<'a> Files<'a> {
    async fn of(archive: &'a Archive, export: &'a ExportJob) -> Result<Files<'a>, VaultError> {
        let airlock = airlock(archive);
        let there = airlock.files(export.id).await?;
        let bytes = airlock.file(export.id, MANIFEST, FILE_BYTES_MAX).await?;
        let bytes = bytes.ok_or(StoreError::Busy("the manifest is not there yet".to_owned()))?;
        let manifest = manifest_of(&bytes)?;
        Ok(Self { archive, export, manifest, there })
    }

    /// What is wrong with the files as files.
    async fn wrong(&self) -> Result<BTreeSet<&'static str>, VaultError> {
        let mut wrong = BTreeSet::new();
        let said = self.export.built.get("manifest").and_then(Json::as_str).unwrap_or_default();
        let manifest = self.bytes(MANIFEST).await?.unwrap_or_default();
        let named: BTreeSet<&str> = self.names().chain([MANIFEST]).collect();
        let there: BTreeSet<&str> = self.there.iter().map(String::as_str).collect();
        let of = (self.manifest.export, self.manifest.grant, &self.manifest.organisation);
        if sha256_hex(&manifest) != said
            || of != (self.export.id, self.export.grant, &self.export.organisation)
        {
            wrong.insert("manifest-differs");
        }
        if named != there || named.iter().any(|name| crate::redact::copy::tar_header(name, 0, 0).is_none()) {
            wrong.insert("other-files");
        }
        for file in &self.manifest.files {
            let same = self.bytes(&file.name).await?.is_some_and(|bytes| {
                bytes.len() as u64 == file.size_bytes && sha256_hex(&bytes) == file.sha256
            });
            if !same {
                wrong.insert("file-differs");
            }
        }
        Ok(wrong)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.manifest.files.iter().map(|file| file.name.as_str())
    }

    /// The parts, by the beginning of their names.
    fn parts(&self) -> Vec<String> {
        let lines = self.names().filter(|name| is_part(name, "jsonl"));
        lines.filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned)).collect()
    }

    async fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(airlock(self.archive).file(self.export.id, name, FILE_BYTES_MAX).await?)
    }

    /// The rows of a part, which must be the same in every form; `None` where they are not.
    async fn rows(
        &self,
        part: &str,
        stopped: &mut BTreeSet<&'static str>,
    ) -> Result<Option<Vec<CopyRow>>, VaultError> {
        let mut forms = Vec::with_capacity(3);
        for form in crate::redact::copy::FORMS {
            forms.push(self.bytes(&format!("{part}.{form}")).await?.unwrap_or_default());
        }
        let read = tokio::task::spawn_blocking(move || {
            let [lines, table, columns] = <[Vec<u8>; 3]>::try_from(forms).unwrap_or_default();
            rows::agreed(&lines, &table, columns)
        });
        let rows = read.await?;
        if rows.is_none() {
            stopped.insert("forms-differ");
        }
        Ok(rows)
    }
}
