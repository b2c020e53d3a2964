//! The copy for a person concerned: what they wrote, and what mentions them, under the plan `data-subject`: their own data
//! can be read, that of others is redacted. And who received it, from the ledger (AVG 15(1)(c)).

use super::disclose::{self, DisclosureRequest, Setting};
use super::publish::read_item;
use super::stored_findings::{self, StoredFinding};
use super::subject_requests::{entry, proven};
use super::{Archive, Rules, VaultError};
use crate::access::Actor;
use crate::capture::{Format, Item};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    Finding, GrantId, ItemDigest, PrivateText, ProjectionId, RecordId, SubjectRef, SubjectRequestId,
};
use crate::redact::{Language, NoPseudonyms, Source, SourcePassage, View, project, render};
use crate::store::catalogue::RecordSummary;
use crate::store::subject_requests::SubjectRecord;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The plan of the copy.
const PLAN: &str = "data-subject";
/// The legal basis under which the originals are opened for it.
const BASIS: &str = "avg-15";

/// In what someone wrote themselves, these are taken to be their own. Names and handles of others never are; nor is any of
/// these in what somebody else wrote.
const OWN: &[&str] = &[
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "IBAN_CODE",
    "CREDIT_CARD",
    "ADDRESS",
    "NL_POSTCODE",
    "LOCATION",
    "DATE_OF_BIRTH",
    "NL_BSN",
    "NL_V_NUMBER",
    "NL_A_NUMBER",
    "NL_PASSPORT",
    "NL_LICENSE_PLATE",
    "URL",
];

/// Makes the copy. Each original is opened under the legal basis `avg-15`, recorded before and after.
///
/// # Errors
/// [`VaultError::Input`] before the account is proven or before everything was found; what else stops an opening.
pub async fn copy(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    language: Language,
) -> Result<Value, VaultError> {
    let row = proven(archive, rules, actor, id).await?;
    if row.searched_at.is_none() {
        return Err(VaultError::Input("find what is theirs first".to_owned()));
    }
    let own: HashSet<ItemDigest> = archive.subject_requests().accounts(id).await?.into_iter().collect();
    let found = archive.subject_requests().records(id).await?;
    let mut records = Vec::with_capacity(found.len());
    let mut projections = BTreeSet::new();
    for one in &found {
        let Some(known) = archive.catalogue.record(one.record).await? else { continue };
        projections.insert(known.projection);
        records.push(of_record(archive, rules, actor, id, *one, &known, &own, language).await?);
    }
    let recipients = recipients(archive, rules, &found, &projections).await?;
    let copied = entry(archive, EntryKind::SubjectRequestChanged, actor, &row)?
        .outcome("copied".parse()?)
        .counting("records".parse()?, records.len() as u64);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(copied)?, None).await?;
    Ok(json!({ "request": id, "plan": PLAN, "records": records, "recipients": recipients }))
}

#[expect(clippy::too_many_arguments, reason = "one record with everything that decides how it is shown")]
async fn of_record(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    found: SubjectRecord,
    known: &RecordSummary,
    own: &HashSet<ItemDigest>,
    language: Language,
) -> Result<Value, VaultError> {
    let asked = DisclosureRequest {
        record: found.record,
        basis: BASIS.parse().map_err(|_| VaultError::Absent { what: "the legal basis" })?,
        case_number: PrivateText::new(format!("AVG-{id}")),
        motivation: "copy of their own data for the person concerned, account proven".into(),
    };
    let opened = disclose::open(archive, rules, actor, &asked, &Setting::of(&known.organisation)).await?;
    let format = opened.format.parse::<Format>().ok();
    let item = format.and_then(|format| read_item(format, &opened.original).ok());
    let view = match &item {
        Some(item) => view(archive, rules, found, known, item, own, language).await?,
        None => None,
    };
    // What others posted is dated to the day: an exact time names its author.
    let posted = item.as_ref().and_then(|item| item.posted_at);
    let posted = posted.map(|at| if found.author { at.to_string() } else { at.day() });
    opened.serving.handed_over().await?;
    let mut shown = json!({
        "channel": known.channel, "kind": known.kind, "postedAt": posted, "written": found.author,
        "disclosure": opened.id,
    });
    if let Some(fields) = shown.as_object_mut() {
        match view {
            Some(view) => fields.insert("passages".to_owned(), json!(view.passages)),
            None => fields.insert("withheld".to_owned(), json!("it could not be redacted with certainty")),
        };
    }
    Ok(shown)
}

/// The record as its subject may read it; `None` when what is others' cannot be redacted with certainty.
async fn view(
    archive: &Archive,
    rules: &Rules,
    found: SubjectRecord,
    known: &RecordSummary,
    item: &Item,
    own: &HashSet<ItemDigest>,
    language: Language,
) -> Result<Option<View>, VaultError> {
    let members = archive.catalogue.members(known.conversation).await?;
    let Some(member) = members.iter().find(|member| member.record == found.record) else { return Ok(None) };
    let stored = stored_findings::read(&member.findings)?;
    let subjects = archive.catalogue.subjects(known.conversation).await?;
    let theirs: BTreeSet<SubjectRef> =
        subjects.iter().filter(|(digest, _)| own.contains(digest)).map(|(_, subject)| *subject).collect();
    let none = Vec::new();
    let redacted: Vec<Vec<Finding>> = (0..item.passages.len())
        .map(|n| {
            let of = stored.get(n).unwrap_or(&none);
            of.iter()
                .filter(|one| !is_own(one, &theirs, found.author))
                .filter_map(StoredFinding::finding)
                .collect()
        })
        .collect();
    let passages = item.passages.iter().zip(&redacted);
    let source = Source {
        passages: passages
            .map(|(passage, findings)| SourcePassage {
                role: super::conversation::role_word(passage.role),
                text: passage.text.expose(),
                findings,
            })
            .collect(),
        metadata: BTreeMap::new(),
    };
    let Some(plan) = rules.plans.plan(PLAN) else { return Ok(None) };
    let projection = project(&source, &rules.projection, rules.ruleset.version()).ok();
    Ok(projection.map(|one| render(&one, plan, &rules.exemptions, &NoPseudonyms, language)))
}

/// Whether a finding is about the person concerned; in doubt it is not.
fn is_own(finding: &StoredFinding, theirs: &BTreeSet<SubjectRef>, author: bool) -> bool {
    match finding.subject {
        Some(subject) => theirs.contains(&SubjectRef::from_u32(subject)),
        None => author && OWN.contains(&finding.entity.as_str()),
    }
}

/// Entries of the reading room's log that are looked through at a time.
const LEAVES: u32 = 4_096;

/// Who received what is theirs: openings by their legal basis, and the grants under which views were read. Legal bases that
/// are secret are left out, and it says that there may be some.
async fn recipients(
    archive: &Archive,
    rules: &Rules,
    found: &[SubjectRecord],
    projections: &BTreeSet<ProjectionId>,
) -> Result<Value, VaultError> {
    let records: Vec<RecordId> = found.iter().map(|one| one.record).collect();
    let mut openings = Vec::new();
    for (basis, organisation, count) in archive.openings().opened_by_basis(&records).await? {
        let Some(known) = rules.bases.find(&basis).filter(|known| !known.secret()) else { continue };
        let label = json!({ "nl": known.label_nl(), "en": known.label_en() });
        openings.push(
            json!({ "legalBasis": basis, "label": label, "organisation": organisation, "openings": count }),
        );
    }
    let grants = readers(archive, projections).await?;
    let known = archive.catalogue.grants().await?;
    let of = known.iter().filter(|grant| grants.contains(&grant.id));
    let read: Vec<Value> =
        of.map(|grant| json!({ "purpose": grant.purpose, "legalBasis": grant.legal_basis, "until": grant.until })).collect();
    Ok(json!({ "openings": openings, "readUnderGrants": read, "leavesOutSecretBases": true }))
}

/// The grants under which any of these was shown.
async fn readers(
    archive: &Archive,
    projections: &BTreeSet<ProjectionId>,
) -> Result<BTreeSet<GrantId>, VaultError> {
    let (log, mut from) = (archive.logs.room_origin(), 0);
    let mut grants = BTreeSet::new();
    loop {
        let leaves = archive.journal.leaves(log, from, LEAVES).await?;
        let Some((last, _)) = leaves.last() else { return Ok(grants) };
        from = last + 1;
        for (_, leaf) in &leaves {
            let Ok(entry) = Entry::parse(leaf) else { continue };
            let shows = |thing: &Thing| matches!(thing, Thing::Projection(id) if projections.contains(id));
            if entry.things().iter().any(shows) {
                grants.extend(entry.things().iter().filter_map(|thing| match thing {
                    Thing::Grant(grant) => Some(*grant),
                    _ => None,
                }));
            }
        }
    }
}
