//! Requests to open originals: asked under a legal basis, seen by a second person where that asks for one, opened within
//! their time, ended at once.
//!
//! A request does not change: what was asked is held together by a keyed digest, which the second person approves, and
//! which is computed anew from what is stored each time something is done under it.

use super::disclose::{self, DisclosureRequest, Opened, Setting, ToServe};
use super::read::{self, nobody};
use super::{Archive, Rules, VaultError, bodies};
use crate::access::{Action, Actor, Denial, OpeningFile, Policies, Resource, SecondPerson, Stated};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    ActorId, GrantId, ItemDigest, LegalBasisCode, OpeningScope, OrganisationId, PrivateText, RecordId,
    Timestamp,
};
use crate::store::StoreError;
use crate::store::openings::{OpeningRow, OpeningSelection, OpeningState, Openings, ReachedRecord};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What an official asks to open, and why.
#[derive(Debug)]
pub struct Asking {
    /// Under which legal basis.
    pub basis: LegalBasisCode,
    /// What it is to reach.
    pub scope: OpeningScope,
    /// The records; none with scope `find`.
    pub records: Vec<RecordId>,
    /// In which case.
    pub case_number: PrivateText,
    /// Why.
    pub motivation: PrivateText,
    /// Who gets the copy.
    pub recipient: PrivateText,
    /// Until when; as long as the legal basis lasts when absent.
    pub until: Option<Timestamp>,
    /// At once, in an emergency.
    pub break_glass: bool,
}

/// What an official stated in a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedText {
    /// In which case.
    pub case_number: PrivateText,
    /// Why.
    pub motivation: PrivateText,
    /// Who gets the copy.
    pub recipient: PrivateText,
}

/// A request as it is shown to who may read it.
#[derive(Debug)]
pub struct ShownOpening {
    /// How it stands.
    pub row: OpeningRow,
    /// The records that it reaches, with how often each was opened.
    pub records: Vec<ReachedRecord>,
    /// What was stated; `None` when that was erased.
    pub stated: Option<StatedText>,
    /// Why it was opened at once, when that was said.
    pub justification: Option<PrivateText>,
}

impl ShownOpening {
    /// As it is answered.
    #[must_use]
    pub fn to_json(&self, now: Timestamp) -> Value {
        let mut shown = summary(&self.row, now);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("digest".to_owned(), json!(hex::encode(self.row.digest.as_bytes())));
            fields.insert("records".to_owned(), json!(self.records));
            if let Some(stated) = &self.stated {
                fields.insert("caseNumber".to_owned(), json!(stated.case_number.expose()));
                fields.insert("motivation".to_owned(), json!(stated.motivation.expose()));
                fields.insert("recipient".to_owned(), json!(stated.recipient.expose()));
            }
            if let Some(text) = &self.justification {
                fields.insert("justification".to_owned(), json!(text.expose()));
            }
        }
        shown
    }
}

/// A request without what was stated in it.
#[must_use]
pub fn summary(row: &OpeningRow, now: Timestamp) -> Value {
    let state = match row.state {
        OpeningState::Waiting | OpeningState::Open if now >= row.until => "expired",
        state => state.as_str(),
    };
    json!({
        "id": row.id, "organisation": row.organisation, "requester": row.requester, "legalBasis": row.basis,
        "scope": row.scope, "breakGlass": row.break_glass, "state": state, "askedAt": row.asked_at,
        "until": row.until, "secondPerson": row.decided.as_ref().map(|by| by.actor),
        "decidedAt": row.decided.as_ref().map(|by| by.at), "endedAt": row.ended_at,
        "justifyUntil": row.justify_until, "justifiedAt": row.justified_at, "searches": row.searches,
    })
}

impl Archive {
    /// The requests to open originals.
    #[must_use]
    pub fn openings(&self) -> Openings {
        Openings::new(self.catalogue.database().clone())
    }
}

/// Asks to open originals. Open at once where the legal basis asks for no second person, or in an emergency where it
/// allows that; else it waits for one.
///
/// # Errors
/// [`VaultError::Refused`] for who may not ask; [`VaultError::Input`] with everything that does not fit the legal basis;
/// [`VaultError::Absent`] for a record that is not there or not the organisation's.
pub async fn request(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asking: Asking,
) -> Result<ShownOpening, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::RequestOpening, &resource).await?;
    let now = archive.sources.now();
    let Some(basis) = rules.bases.find(&asking.basis) else {
        return Err(VaultError::Input(
            "the legal basis is not one of the list in legal-bases.yaml".to_owned(),
        ));
    };
    let records = reached(archive, rules, actor, &asking).await?;
    let until = asking.until.unwrap_or_else(|| now.plus_seconds(i64::from(basis.lasts_days()) * 86_400));
    let stated = Stated {
        scope: asking.scope,
        records: records.len(),
        case_number: &asking.case_number,
        motivation: &asking.motivation,
        recipient: &asking.recipient,
        until,
        break_glass: asking.break_glass,
    };
    let faults = Policies::faults_of(&stated, basis, actor, now);
    if !faults.is_empty() {
        return Err(VaultError::Input(faults.join("; ")));
    }
    let id = GrantId::from_uuid(archive.sources.random_id()?);
    let hours = basis.break_glass_hours().filter(|_| asking.break_glass);
    let text = body_of(&asking);
    let entry_id = archive.sources.entry_id()?;
    let mut row = OpeningRow {
        id,
        organisation: actor.organisation.clone(),
        requester: actor.id,
        basis: asking.basis.clone(),
        scope: asking.scope,
        break_glass: asking.break_glass,
        digest: ItemDigest::from_bytes([0; 32]),
        entry: entry_id,
        state: if basis.four_eyes() && hours.is_none() { OpeningState::Waiting } else { OpeningState::Open },
        asked_at: now,
        until,
        decided: None,
        ended_at: None,
        justify_until: hours.map(|hours| now.plus_seconds(i64::from(hours) * 3_600)),
        justified_at: None,
        justification: None,
        searches: 0,
    };
    row.digest = digest(archive, &row, &records, &text.to_string());
    write(archive, actor, &row, &records, &text).await?;
    shown(archive, row).await
}

/// Records the request with its sealed text.
async fn write(
    archive: &Archive,
    actor: &Actor,
    row: &OpeningRow,
    records: &[RecordId],
    text: &Value,
) -> Result<(), VaultError> {
    let log = archive.logs.vault_origin();
    let mut alarm = None;
    if row.break_glass {
        alarm = Some(archive.sources.random_id()?);
        let incident = entry(archive, EntryKind::IncidentOpened, row, actor)?.outcome("break-glass".parse()?);
        let _recorded = archive.journal.record(log, Pending::event(incident)?, None).await?;
    }
    // An epoch does not end between the wrapping of the body's key and the commit.
    let _no_turn = archive.turning.read().await;
    let sealed = bodies::seal(archive, &row.organisation, row.entry, text)?;
    let outcome = if row.break_glass { "break-glass" } else { row.state.as_str() };
    let asked = Entry::new(row.entry, EntryKind::GrantRequested, row.asked_at)
        .of(row.organisation.clone())
        .by(actor.id, actor.role)
        .on(row.basis.clone())
        .about([Thing::Grant(row.id)])
        .about(records.iter().map(|record| Thing::Record(*record)))
        .outcome(outcome.parse()?)
        .committing(sealed.commitment);
    let (pending, records) = (Pending::event(asked)?, records.to_vec());
    let _recorded =
        archive.journal.ask_opening(log, row.clone(), records, alarm, pending, sealed.body).await?;
    Ok(())
}

fn body_of(asking: &Asking) -> Value {
    json!({
        "caseNumber": asking.case_number.expose(), "motivation": asking.motivation.expose(),
        "recipient": asking.recipient.expose(),
    })
}

/// The records that a request reaches: each must be there and the organisation's; threads are written out, as they stand, with the files
/// that are attached to them.
async fn reached(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asking: &Asking,
) -> Result<Vec<RecordId>, VaultError> {
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for record in &asking.records {
        let known = archive.catalogue.record(*record).await?;
        let organisation = known.as_ref().map_or_else(nobody, |known| known.organisation.clone());
        let resource = Resource::VaultRecord { organisation: organisation.clone(), assigned: None };
        read::authorise(archive, rules, actor, Action::ReadDecision, &resource).await?;
        let absent = VaultError::Absent { what: "the record" };
        let known = known.filter(|known| known.withheld.as_deref() != Some("destroyed")).ok_or(absent)?;
        if seen.insert(*record) {
            all.push(*record);
        }
        if asking.scope == OpeningScope::Thread {
            let members = archive.catalogue.members(known.conversation).await?;
            let own = members.iter().filter(|member| member.organisation == organisation);
            all.extend(own.map(|member| member.record).filter(|record| seen.insert(*record)));
        }
    }
    if asking.scope == OpeningScope::Thread {
        let files = archive.catalogue.attached_to(&all).await?.into_values().flatten();
        all.extend(files.map(|one| one.file).filter(|record| seen.insert(*record)));
    }
    Ok(all)
}

/// The keyed digest of all that was asked: of each part with its length, so that nothing can be moved or changed.
fn digest(archive: &Archive, row: &OpeningRow, records: &[RecordId], text: &str) -> ItemDigest {
    let (until, asked) = (row.until.micros().to_be_bytes(), row.asked_at.micros().to_be_bytes());
    let justify = row.justify_until.map_or(0, Timestamp::micros).to_be_bytes();
    let mut parts: Vec<&[u8]> = vec![
        row.id.as_bytes(),
        row.organisation.as_str().as_bytes(),
        row.requester.as_bytes(),
        row.basis.as_str().as_bytes(),
        row.scope.as_str().as_bytes(),
        if row.break_glass { b"at once" } else { b"" },
        &asked,
        &until,
        &justify,
        text.as_bytes(),
    ];
    parts.extend(records.iter().map(|record| record.as_bytes().as_slice()));
    archive.digests.digest("opening", &parts)
}

/// A request that is, word for word, what was asked; with what was stated in it.
pub(super) struct Verified {
    pub row: OpeningRow,
    pub file: OpeningFile,
    pub stated: StatedText,
}

/// Reads a request and makes sure that nothing of it was changed.
///
/// # Errors
/// [`VaultError::Input`] when what was stated was erased; a damaged row, which is recorded as an incident.
pub(super) async fn verified(archive: &Archive, row: OpeningRow) -> Result<Verified, VaultError> {
    let reached = archive.openings().reached(row.id).await?;
    let records: Vec<RecordId> = reached.iter().map(|one| one.record).collect();
    let Some(text) = bodies::read(archive, &row.organisation, row.entry).await? else {
        return Err(VaultError::Input(
            "what was stated in the request was erased: make a new one".to_owned(),
        ));
    };
    let stated = serde_json::from_str::<StatedText>(&text).ok();
    let (Some(stated), true) = (stated, digest(archive, &row, &records, &text) == row.digest) else {
        return Err(altered(archive, &row).await?);
    };
    let file = OpeningFile {
        id: row.id,
        organisation: row.organisation.clone(),
        holder: row.requester,
        basis: row.basis.clone(),
        scope: row.scope,
        records: records.into_iter().collect(),
        until: row.until,
        ended: matches!(row.state, OpeningState::Refused | OpeningState::Revoked),
        break_glass: row.break_glass,
        justify_until: row.justify_until.filter(|_| row.justified_at.is_none()),
        approval: second_person(&row),
    };
    Ok(Verified { row, file, stated })
}

fn second_person(row: &OpeningRow) -> Option<SecondPerson> {
    let by = row.decided.as_ref().filter(|_| row.state == OpeningState::Open)?;
    let approver = Actor { id: by.actor, role: by.role, organisation: row.organisation.clone() };
    Some(SecondPerson { approver, at: by.at })
}

async fn altered(archive: &Archive, row: &OpeningRow) -> Result<VaultError, VaultError> {
    let incident = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentOpened, archive.sources.now())
        .of(row.organisation.clone())
        .about([Thing::Grant(row.id)])
        .outcome("request-altered".parse()?);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(incident)?, None).await?;
    Ok(StoreError::Corrupt { what: "request to open originals" }.into())
}

/// Requests of the actor's organisation, newest first, without what was stated.
///
/// # Errors
/// [`VaultError::Refused`] for roles that may not, or storage errors.
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &OpeningSelection,
) -> Result<Vec<OpeningRow>, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::ListOpenings, &resource).await?;
    Ok(archive.openings().openings(&actor.organisation, asked).await?)
}

/// One request with what was stated.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`], or storage errors.
pub async fn read(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
) -> Result<ShownOpening, VaultError> {
    let row = permitted(archive, rules, actor, id, Action::ReadOpening).await?;
    shown(archive, row).await
}

/// Looks up and decides in one go: a request that is not there is asked about as one of nobody's.
pub(super) async fn permitted(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    action: Action,
) -> Result<OpeningRow, VaultError> {
    let known = archive.openings().opening(id).await?;
    let (organisation, requester) = whose(known.as_ref());
    let resource = Resource::GrantFile { organisation, requester, mandate_until: None };
    read::authorise(archive, rules, actor, action, &resource).await?;
    known.ok_or(VaultError::Absent { what: "the request" })
}

pub(super) fn whose(known: Option<&OpeningRow>) -> (OrganisationId, ActorId) {
    let stranger = || (nobody(), ActorId::from_uuid(Uuid::nil()));
    known.map_or_else(stranger, |row| (row.organisation.clone(), row.requester))
}

pub(super) async fn shown(archive: &Archive, row: OpeningRow) -> Result<ShownOpening, VaultError> {
    let records = archive.openings().reached(row.id).await?;
    let text = bodies::read(archive, &row.organisation, row.entry).await?;
    let stated = text.and_then(|text| serde_json::from_str(&text).ok());
    let justification = match row.justification {
        Some(entry) => bodies::read(archive, &row.organisation, entry).await?,
        None => None,
    };
    let said = justification.and_then(|text| serde_json::from_str::<Justification>(&text).ok());
    Ok(ShownOpening { row, records, stated, justification: said.map(|said| said.justification) })
}

/// What is sealed with a justification.
#[derive(Deserialize)]
struct Justification {
    justification: PrivateText,
}

/// An entry about a request, by the actor.
pub(super) fn entry(
    archive: &Archive,
    kind: EntryKind,
    row: &OpeningRow,
    actor: &Actor,
) -> Result<Entry, VaultError> {
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(row.organisation.clone())
        .by(actor.id, actor.role)
        .on(row.basis.clone())
        .about([Thing::Grant(row.id)]))
}

/// Opens one original under a request, for a caller that serves it.
///
/// # Errors
/// As [`disclose::disclose`]; a request that was changed opens nothing.
pub async fn open(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    record: RecordId,
) -> Result<(ToServe, StatedText), VaultError> {
    let (opened, stated) = open_under(archive, rules, actor, id, record).await?;
    Ok((opened.with_receipt(archive).await?, stated))
}

pub(super) async fn open_under(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    record: RecordId,
) -> Result<(Opened, StatedText), VaultError> {
    let known = archive.openings().opening(id).await?;
    let Some(row) = known.filter(|row| row.organisation == actor.organisation) else {
        return Err(unknown(archive, rules, actor, record).await);
    };
    let Verified { row, file, stated } = verified(archive, row).await?;
    let whose = archive.catalogue.record(record).await?.map_or_else(nobody, |known| known.organisation);
    let asked = DisclosureRequest {
        record,
        basis: row.basis,
        case_number: PrivateText::from(stated.case_number.expose()),
        motivation: PrivateText::from(stated.motivation.expose()),
        recipient: None,
    };
    let setting = Setting { organisation: &whose, assigned: None, under: Some(&file), counts: false };
    Ok((disclose::open(archive, rules, actor, &asked, &setting).await?, stated))
}

/// The refusal of an opening under a request that is not there, or is another organisation's: recorded, and as absent.
async fn unknown(archive: &Archive, rules: &Rules, actor: &Actor, record: RecordId) -> VaultError {
    let Ok(basis) = "no-request".parse() else { return VaultError::Absent { what: "the request" } };
    let (case_number, motivation) = (PrivateText::default(), PrivateText::default());
    let asked = DisclosureRequest { record, basis, case_number, motivation, recipient: None };
    match disclose::open(archive, rules, actor, &asked, &Setting::of(&nobody())).await {
        Ok(_) => VaultError::Absent { what: "the request" },
        Err(error) => error,
    }
}

/// Ends a request at once: what is asked under it from then on is refused. Ending it twice changes nothing.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`], or storage errors.
pub async fn revoke(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
) -> Result<ShownOpening, VaultError> {
    let row = permitted(archive, rules, actor, id, Action::RevokeOpening).await?;
    if matches!(row.state, OpeningState::Waiting | OpeningState::Open) {
        let revoked = entry(archive, EntryKind::GrantRevoked, &row, actor)?;
        let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
        match archive.journal.revoke_opening(log, id, Pending::event(revoked)?, now).await {
            // Somebody ended it meanwhile: it has ended.
            Ok(_) | Err(StoreError::Moved) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let row = archive.openings().opening(id).await?.ok_or(VaultError::Absent { what: "the request" })?;
    shown(archive, row).await
}

/// Revokes a request again that was revoked after a backup. `false` when it is not here, or has ended.
pub(super) async fn revoke_again(archive: &Archive, id: GrantId) -> Result<bool, VaultError> {
    let Some(row) = archive.openings().opening(id).await? else { return Ok(false) };
    let revoked = Entry::new(archive.sources.entry_id()?, EntryKind::GrantRevoked, archive.sources.now())
        .of(row.organisation)
        .on(row.basis)
        .about([Thing::Grant(id)])
        .because(["restored-backup".parse()?]);
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    match archive.journal.revoke_opening(log, id, Pending::event(revoked)?, now).await {
        Ok(_recorded) => Ok(true),
        Err(StoreError::Moved) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A refusal, recorded.
pub(super) async fn denied<T>(archive: &Archive, actor: &Actor, denial: &Denial) -> Result<T, VaultError> {
    Err(disclose::refuse(archive, actor, denial).await?)
}

/// The records of a request, for its holder, to be opened one after the other.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`]; [`VaultError::Input`] when nothing can be opened under it now.
pub async fn package(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
) -> Result<Vec<RecordId>, VaultError> {
    // Only who asked, as for saying why.
    let row = permitted(archive, rules, actor, id, Action::JustifyOpening).await?;
    let ready = row.state == OpeningState::Open && archive.sources.now() < row.until;
    if !ready || row.scope == OpeningScope::Find {
        return Err(VaultError::Input(
            "the request opens nothing: it waits, has ended, or has scope `find`".to_owned(),
        ));
    }
    Ok(archive.openings().reached(id).await?.into_iter().map(|one| one.record).collect())
}
