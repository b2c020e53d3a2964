//! The copy for a person concerned: what they wrote, and what mentions them, under the plan `data-subject`: their own data
//! can be read, that of others is redacted. And who received it, from the ledger (AVG 15(1)(c)).

use super::disclose::{self, DisclosureRequest, Serving, Setting};
use super::publish::{read_item, sizes_of_files};
use super::stored_findings::{self, StoredFinding};
use super::subject_requests::{entry, proven};
use super::{Archive, Rules, VaultError, sequence};
use crate::access::Actor;
use crate::capture::{Format, Item};
use crate::ledger::{EntryKind, Pending};
use crate::model::{
    Finding, ItemDigest, LegalBasisCode, PrivateText, ProjectionId, RecordId, SubjectRef, SubjectRequestId,
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

/// How a copy is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Copying {
    /// In which language what is redacted is named.
    pub language: Language,
    /// Which part, from 1, when it is more than one copy holds.
    pub part: Option<usize>,
}

/// Makes the copy. Each original is opened under the legal basis `avg-15`, recorded before and after; before each, `still`
/// says whether whoever asked may still come in.
///
/// One person copies as many records of one request as the basis covers (`recordsMax`): what is more is copied in parts,
/// each by another person.
///
/// # Errors
/// [`VaultError::Input`] before the account is proven or before everything was found, or for a part that there is not;
/// [`VaultError::Refused`] for more than one person may copy, before anything is opened; what else stops an opening.
pub async fn copy(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    asked: Copying,
    still: &impl AsyncFn() -> Result<(), VaultError>,
) -> Result<Value, VaultError> {
    let row = proven(archive, rules, actor, id).await?;
    if row.searched_at.is_none() {
        return Err(VaultError::Input("find what is theirs first".to_owned()));
    }
    let own: HashSet<ItemDigest> = archive.subject_requests().accounts(id).await?.into_iter().collect();
    let found = archive.subject_requests().records(id).await?;
    let basis: LegalBasisCode = BASIS.parse().map_err(|_| NO_BASIS)?;
    let most = rules.bases.find(&basis).ok_or(NO_BASIS)?.covers().records_max;
    let (part, parts) = part(found.len(), most, asked.part)?;
    let copied: Vec<SubjectRecord> =
        found.iter().skip((part - 1) * most as usize).take(most as usize).copied().collect();
    one_person(archive, actor, (id, &basis, most), &copied).await?;
    let shown_as = (&own, asked.language);
    let records = of_records(archive, rules, actor, id, &copied, shown_as, still).await?;
    let recipients = recipients(archive, rules, &found).await?;
    let copied = entry(archive, EntryKind::SubjectRequestChanged, actor, &row)?
        .outcome("copied".parse()?)
        .counting("records".parse()?, records.len() as u64);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(copied)?, None).await?;
    Ok(json!({
        "request": id, "plan": PLAN, "part": part, "parts": parts, "records": records, "recipients": recipients,
    }))
}

const NO_BASIS: VaultError = VaultError::Absent { what: "the legal basis" };

/// Which part is copied, of how many.
fn part(found: usize, most: u32, asked: Option<usize>) -> Result<(usize, usize), VaultError> {
    let parts = found.div_ceil(most.max(1) as usize).max(1);
    match asked {
        None if parts == 1 => Ok((1, 1)),
        None => Err(VaultError::Input(format!(
            "there are {found} records, and a copy holds at most {most} (`recordsMax` of legal basis `{BASIS}`): ask for \
             its parts, `part` 1 to {parts}, each made by another person"
        ))),
        Some(part) if (1..=parts).contains(&part) => Ok((part, parts)),
        Some(_) => Err(VaultError::Input(format!("the copy has parts 1 to {parts}"))),
    }
}

/// Nothing is opened when it would be more than one person may copy: what they copied before counts, each record once.
async fn one_person(
    archive: &Archive,
    actor: &Actor,
    (id, basis, most): (SubjectRequestId, &LegalBasisCode, u32),
    copied: &[SubjectRecord],
) -> Result<(), VaultError> {
    let case = disclose::case_digest(archive, actor, basis, &case_number(id));
    let mut opened = archive.openings().opened_in_case(case).await?;
    opened.extend(copied.iter().map(|one| one.record));
    if opened.len() <= most as usize {
        return Ok(());
    }
    Err(disclose::too_many(archive, actor, most).await?)
}

/// The case of a request, as its openings name it.
fn case_number(id: SubjectRequestId) -> PrivateText {
    PrivateText::new(format!("AVG-{id}"))
}

/// Every record of a copy. When one of them cannot be had there is no copy, and that is recorded of those that were opened.
async fn of_records(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    copied: &[SubjectRecord],
    (own, language): (&HashSet<ItemDigest>, Language),
    still: &impl AsyncFn() -> Result<(), VaultError>,
) -> Result<Vec<Value>, VaultError> {
    let (mut records, mut servings) = (Vec::with_capacity(copied.len()), Vec::new());
    for one in copied {
        let Some(known) = archive.catalogue.record(one.record).await? else { continue };
        let made = match still().await {
            Ok(()) => of_record(archive, rules, actor, id, *one, &known, own, language).await,
            Err(error) => Err(error),
        };
        match made {
            Ok((shown, serving)) => {
                records.push(shown);
                servings.push(serving);
            }
            Err(error) => {
                for serving in servings {
                    serving.broken_off().await?;
                }
                return Err(error);
            }
        }
    }
    for serving in servings {
        serving.handed_over().await?;
    }
    Ok(records)
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
) -> Result<(Value, Serving), VaultError> {
    let asked = DisclosureRequest {
        record: found.record,
        basis: BASIS.parse().map_err(|_| NO_BASIS)?,
        case_number: case_number(id),
        motivation: "copy of their own data for the person concerned, account proven".into(),
        recipient: Some("the person concerned".into()),
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
    let mut shown = json!({
        "channel": known.channel, "kind": known.kind, "postedAt": posted, "written": found.author,
        "disclosure": opened.id,
    });
    // What others attached may show others.
    let files = if found.author { sizes_of_files(archive, &[found.record]).await? } else { BTreeMap::new() };
    if let Some(fields) = shown.as_object_mut() {
        for sizes in files.into_values() {
            let files: Vec<Value> = sizes.into_iter().map(|size| json!({ "sizeBytes": size })).collect();
            fields.insert("attachments".to_owned(), json!(files));
        }
        match view {
            Some(view) => fields.insert("passages".to_owned(), json!(view.passages)),
            None => fields.insert("withheld".to_owned(), json!("it could not be redacted with certainty")),
        };
    }
    Ok((shown, opened.serving))
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

/// Who received what is theirs: openings by their legal basis, and the grants under which views were read or went out in
/// files. Legal bases that are secret are left out, and it says that there may be some.
async fn recipients(archive: &Archive, rules: &Rules, found: &[SubjectRecord]) -> Result<Value, VaultError> {
    let records: Vec<RecordId> = found.iter().map(|one| one.record).collect();
    let mut projections: Vec<ProjectionId> = Vec::with_capacity(records.len());
    for record in &records {
        projections.extend(archive.catalogue.record(*record).await?.map(|known| known.projection));
    }
    let mut openings = Vec::new();
    for (basis, organisation, count) in archive.openings().opened_by_basis(&records).await? {
        let Some(known) = rules.bases.find(&basis).filter(|known| !known.secret()) else { continue };
        let label = json!({ "nl": known.label_nl(), "en": known.label_en() });
        openings.push(
            json!({ "legalBasis": basis, "label": label, "organisation": organisation, "openings": count }),
        );
    }
    // What the reading room said is taken up first: it may be of one more reader.
    sequence::take_up(archive, rules).await?;
    let shown = archive.catalogue.shown_under(&projections).await?;
    let known = archive.catalogue.grants().await?;
    let read: Vec<Value> = known
        .iter()
        .filter_map(|grant| {
            let how = shown.get(&grant.id)?;
            Some(json!({ "purpose": grant.purpose, "legalBasis": grant.legal_basis, "until": grant.until, "how": how }))
        })
        .collect();
    Ok(json!({ "openings": openings, "readUnderGrants": read, "leavesOutSecretBases": true }))
}
