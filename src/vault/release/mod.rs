//! The leak gate: finished files are searched for what must not leave, as a recorded system act. It needs the originals of the
//! selection, and nothing of them leaves it: what it says are counts and codes.
//!
//! 1. **Rows**: every row of every part is read; it is the row that is written here from what is published for the grant, letter by
//!    letter, and the same in each form; each record of the preparation is there once or left out. The original behind it is
//!    opened (a permit and an entry a batch), and what is redacted in it is looked for in the row.
//! 2. **Words**: the page, the data dictionary and the manifest are as they are written here from the same facts.
//! 3. **Everything**: names and bytes of all files, in every form of bytes that [`forms`] knows, are searched for the
//!    values of the whole selection that are long enough to tell ([`needles`]).
//! 4. **The detector** looks at every text once more; **small groups** are counted anew.

mod around;
mod finder;
mod forms;
mod letters;
mod needles;
mod published;
mod rows;

pub use needles::{Hit, Needles, Value, Where};

use super::cores::on_every_core;
use super::exports::{airlock, people, plan_of};
use super::small_groups::{self, Standing};
use super::{Archive, Rules, VaultError, derive};
use crate::access::SystemActKind;
use crate::capture::Item;
use crate::detect::{Participant, Participants};
use crate::model::{ChannelId, ProjectionId, RecordId, RecordRef, SubjectRef, Timestamp, VersionId};
use crate::redact::copy::{
    About, CopyRow, DICTIONARY, FORMS, MANIFEST, Manifest, README, dictionary, is_part, part_name, readme,
    sha256_hex,
};
use crate::redact::{Assessed, Plan, SmallGroups};
use crate::store::catalogue::{ExportFacts, ExportJob};
use crate::store::room::{ExportRecord, NamedProjection};
use futures_util::future::join_all;
use rows::{Behind, Selected, Tally};
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Longest file that is looked at: a part and what goes with it is far shorter.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 30;

/// Rows whose originals are opened together.
const ROWS_AT_ONCE: usize = super::publish::BATCH_RECORDS;
/// Batches that are fetched side by side: the databases answer several as soon as one.
const BATCHES_AT_ONCE: usize = 3;

/// What the gate says.
#[derive(Debug)]
pub(super) struct Gate {
    /// Counts and codes, for the second person.
    pub report: Json,
    /// Why nothing may leave; empty when it may.
    pub stopped: Vec<&'static str>,
    /// Which projections are in the files.
    pub holds: Vec<ProjectionId>,
}

/// What is wrong with the files of an export as files: codes. They are as the reading room said that it made them, and nothing else
/// is there.
///
/// # Errors
/// When storage fails.
pub(super) async fn differs(
    archive: &Archive,
    export: &ExportJob,
) -> Result<BTreeSet<&'static str>, VaultError> {
    match Files::of(archive, export).await? {
        Some(files) => files.wrong().await,
        None => Ok(BTreeSet::from(["manifest-differs"])),
    }
}

/// Reads the manifest.
///
/// # Errors
/// When it is none of this version.
pub(super) fn manifest_of(bytes: &[u8]) -> Result<Manifest, VaultError> {
    serde_json::from_slice::<Manifest>(bytes)
        .map_err(|_| VaultError::Input("the manifest of the export is not understood".to_owned()))
}

/// What was looked at so far.
#[derive(Default)]
struct Looked {
    tally: Tally,
    selected: Selected,
    standings: Vec<Standing>,
    holds: Vec<ProjectionId>,
    names: HashSet<String>,
}

/// Searches the finished files of an export.
///
/// # Errors
/// When storage fails or the originals may not be opened: it is done again later. What is wrong with the files is no error.
pub(super) async fn check(archive: &Archive, rules: &Rules, export: &ExportJob) -> Result<Gate, VaultError> {
    let began = archive.sources.now();
    let Some(files) = Files::of(archive, export).await? else {
        let stopped = vec!["manifest-differs"];
        return Ok(Gate { report: json!({ "stopped": stopped }), stopped, holds: Vec::new() });
    };
    let plan = plan_of(archive, rules, export).await?;
    let mut stopped: BTreeSet<&'static str> = files.wrong().await?;
    let mut looked = Looked::default();
    let own = own_accounts(archive, export).await?;
    for part in files.parts() {
        let Some(rows) = files.rows(&part, &mut stopped).await? else { continue };
        for some in rows.chunks(ROWS_AT_ONCE * BATCHES_AT_ONCE) {
            let fetching =
                some.chunks(ROWS_AT_ONCE).map(|batch| fetch(archive, rules, (export, plan), batch));
            // Each is seen to its end, so that each opening has its outcome.
            let fetched = join_all(fetching).await;
            for (batch, fetched) in some.chunks(ROWS_AT_ONCE).zip(fetched) {
                match fetched? {
                    Some(fetched) => look_at(rules, &own, batch, &fetched, &mut looked),
                    None => _ = stopped.insert("another-organisation"),
                }
            }
        }
    }
    let Looked { tally, selected, standings, holds, .. } = looked;
    let (members, left_out) = archive.room.prepared_count(export.id).await?;
    if tally.rows + left_out != members {
        stopped.insert("rows-missing");
    }
    stopped.extend(files.words_differ(plan, rules.plans.small_groups(), (tally.rows, left_out)).await?);
    let rows_looked_at = archive.sources.now();
    let (needles, selected) = tokio::task::spawn_blocking(move || (selected.needles(), selected)).await?;
    let (wanted, values) = (needles.len(), selected.len());
    let mut hits = 0;
    for name in files.names().chain([MANIFEST]) {
        let Some(bytes) = files.bytes(name).await? else { continue };
        let (needles, name) = (needles.clone(), name.to_owned());
        hits += tokio::task::spawn_blocking(move || needles.in_file(&name, &bytes).len() as u64).await?;
    }
    let searched = archive.sources.now();
    let groups = rules.plans.small_groups();
    let small = small_groups::small(&standings, groups);
    for (code, found) in [
        ("redacted-value-in-files", hits),
        ("redacted-value-in-row", tally.in_own_row),
        ("detector-finds", tally.detected),
        ("small-groups", small),
        ("withdrawn-since", tally.gone),
        ("original-unreadable", tally.unread),
        ("row-differs", tally.different),
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
            "rowsThatDiffer": tally.different, "alsoReadableElsewhere": selected.readable_elsewhere(),
        },
        "verbatimPercent": tally.verbatim_percent(), "withdrawnSince": tally.gone,
        "smallGroups": {
            "k": groups.k, "over": groups.over, "found": small,
            "excluded": "free text: nothing counts how many people could have written a text",
        },
        "ruleset": rules.ruleset.version(),
        "seconds": seconds(began, archive.sources.now()),
        "secondsFor": { "rows": seconds(began, rows_looked_at), "files": seconds(rows_looked_at, searched) },
    });
    Ok(Gate { report, stopped, holds })
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to.micros() - from.micros()) as f64 / 1e6
}

/// The own account of each channel of the organisation, as a detector knows it.
async fn own_accounts(
    archive: &Archive,
    export: &ExportJob,
) -> Result<HashMap<ChannelId, Participants>, VaultError> {
    let channels = archive.catalogue.channels(Some(&export.organisation)).await?;
    let own = channels.iter().map(|channel| {
        let account = Participant {
            subject: SubjectRef::from_u32(0),
            handle: &channel.account,
            display_name: "",
            organisation: true,
        };
        (channel.id.clone(), Participants::of(&[account]))
    });
    Ok(own.collect())
}

/// What stands behind the rows of a batch.
struct Fetched {
    named: Vec<NamedProjection>,
    facts: HashMap<ProjectionId, ExportFacts>,
    items: HashMap<RecordId, Item>,
    assessed: HashMap<VersionId, Vec<Assessed>>,
    people: HashMap<ProjectionId, Option<u64>>,
    expected: HashMap<String, CopyRow>,
}

/// Opens the originals behind some rows; `None` when one of them is another organisation's.
async fn fetch(
    archive: &Archive,
    rules: &Rules,
    (export, plan): (&ExportJob, &Plan),
    batch: &[CopyRow],
) -> Result<Option<Fetched>, VaultError> {
    let references: Vec<RecordRef> = batch.iter().filter_map(|row| row.id.parse().ok()).collect();
    let members = archive.room.members_so(export.id, export.grant, &references).await?;
    let (named, records): (Vec<NamedProjection>, Vec<ExportRecord>) = members.into_values().unzip();
    let ids: Vec<ProjectionId> = named.iter().map(|named| named.id).collect();
    let facts = archive.catalogue.export_facts(&ids).await?;
    if facts.values().any(|facts| facts.organisation != export.organisation) {
        return Ok(None);
    }
    let items = derive::open(archive, rules, SystemActKind::CheckRelease, facts.values()).await?;
    let versions: Vec<VersionId> = facts.values().map(|facts| facts.version).collect();
    let assessed = archive.catalogue.assessed_of(&versions).await?;
    let people = people(archive, &named).await?;
    let expected = published::rows(archive, rules, (export.grant, plan), records).await?;
    Ok(Some(Fetched { named, facts, items, assessed, people, expected }))
}

/// Looks at each row beside its original, and beside the row that is published.
fn look_at(
    rules: &Rules,
    own: &HashMap<ChannelId, Participants>,
    batch: &[CopyRow],
    fetched: &Fetched,
    looked: &mut Looked,
) {
    let Fetched { named, facts, items, assessed, people, expected } = fetched;
    let nobody = Participants::default();
    let by_reference: HashMap<String, _> =
        named.iter().map(|named| (named.reference.to_string(), named)).collect();
    let mut opened = Vec::with_capacity(batch.len());
    for row in batch {
        looked.tally.rows += 1;
        let Some(named) = by_reference.get(&row.id) else {
            looked.tally.gone += 1;
            continue;
        };
        let as_published = expected.get(&row.id).is_some_and(|expected| expected == row);
        // A row that stands twice counts one record for another.
        let once = looked.names.insert(row.id.clone());
        looked.tally.different += u64::from(!as_published || !once);
        let known = facts.get(&named.id).and_then(|facts| Some((facts, items.get(&facts.record)?)));
        let Some((facts, item)) = known else {
            looked.tally.unread += 1;
            continue;
        };
        let person = people.get(&named.id).copied().flatten();
        looked.tally.opened += 1;
        looked.holds.push(named.id);
        let behind = Behind {
            facts,
            item,
            by_citizen: person.is_some(),
            assessed: assessed.get(&facts.version).map_or(&[], Vec::as_slice),
            own: own.get(&facts.channel).unwrap_or(&nobody),
        };
        opened.push((row, behind));
        looked.standings.push(Standing {
            number: named.number,
            conversation: named.conversation,
            time: row.time.clone().unwrap_or_default(),
            channel: row.channel.clone().unwrap_or_default(),
            wider: row.wider.clone(),
            person,
        });
    }
    for seen in on_every_core(&opened, |(row, behind)| rows::look(rules, row, behind)) {
        looked.tally.add(&seen);
        looked.tally.in_own_row += looked.selected.add(seen);
    }
}

/// The files of an export in the airlock.
struct Files<'a> {
    archive: &'a Archive,
    export: &'a ExportJob,
    manifest: Manifest,
    there: Vec<String>,
}

impl<'a> Files<'a> {
    /// `None` when there is no manifest that can be read.
    async fn of(archive: &'a Archive, export: &'a ExportJob) -> Result<Option<Files<'a>>, VaultError> {
        let airlock = airlock(archive);
        let there = airlock.files(export.id).await?;
        let bytes = airlock.file(export.id, MANIFEST, FILE_BYTES_MAX).await?;
        // It is said to be built after every piece went up: what is not there then does not come.
        let manifest = bytes.and_then(|bytes| manifest_of(&bytes).ok());
        Ok(manifest.map(|manifest| Self { archive, export, manifest, there }))
    }

    /// What is wrong with the files as files.
    async fn wrong(&self) -> Result<BTreeSet<&'static str>, VaultError> {
        let mut wrong = BTreeSet::new();
        let said = self.export.built.get("manifest").and_then(Json::as_str).unwrap_or_default();
        let manifest = self.bytes(MANIFEST).await?.unwrap_or_default();
        let named: BTreeSet<String> = self.names().chain([MANIFEST]).map(str::to_owned).collect();
        let there: BTreeSet<String> = self.there.iter().cloned().collect();
        let of = (self.manifest.export, self.manifest.grant, &self.manifest.organisation);
        if sha256_hex(&manifest) != said
            || of != (self.export.id, self.export.grant, &self.export.organisation)
        {
            wrong.insert("manifest-differs");
        }
        if named != there || named != self.expected() {
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

    /// The names that the files of an export with so many parts have.
    fn expected(&self) -> BTreeSet<String> {
        let parts = 1..=self.parts().len() as u64;
        let forms = parts.flat_map(|part| FORMS.iter().map(move |form| part_name(part, form)));
        forms.chain([README, DICTIONARY, MANIFEST].map(str::to_owned)).collect()
    }

    /// What of the words that go with the rows is not as it is written here from the same facts: nothing can hide in it.
    async fn words_differ(
        &self,
        plan: &Plan,
        groups: &SmallGroups,
        (rows, left_out): (u64, u64),
    ) -> Result<BTreeSet<&'static str>, VaultError> {
        let mut differ = BTreeSet::new();
        let manifest = &self.manifest;
        let (organisation, built_at) = (self.export.organisation.as_str(), manifest.built_at.to_string());
        let about = About { organisation, plan, built_at: &built_at, rows, left_out, groups };
        for (name, expected) in [(README, readme(&about)), (DICTIONARY, dictionary())] {
            if self.bytes(name).await?.as_deref() != Some(expected.as_bytes()) {
                differ.insert("words-differ");
            }
        }
        let written = serde_json::to_vec_pretty(manifest).ok();
        let same = self.bytes(MANIFEST).await? == written;
        if !same || (manifest.version, manifest.rows, manifest.plan.as_str()) != (1, rows, plan.id()) {
            differ.insert("manifest-differs");
        }
        Ok(differ)
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
        for form in FORMS {
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
