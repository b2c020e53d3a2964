//! The letter system: which record was registered there, what was taken over, and whether that system confirmed it.
//!
//! A link is due until it is confirmed, and until then its record is not proposed for destruction. The case number is kept
//! twice: as a keyed digest, by which a case finds its records, and in the sealed body of the link's entry, by which a record
//! finds its case.

use super::deciding::decide_after;
use super::periodic::beginning_of;
use super::{Archive, Rules, VaultError, bodies, read};
use crate::access::{Action, Actor, Resource};
use crate::decide::{LetterLine, read_letters};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ItemDigest, OrganisationId, PrivateText, RecordId};
use crate::store::catalogue::{Confirmation, LetterLink, LetterRow, LetterStep};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A case of another system, as it is named there.
#[derive(Debug)]
pub struct LetterCase {
    /// Which system.
    pub system: String,
    /// Its number: kept as a keyed digest, and sealed.
    pub number: PrivateText,
}

/// A link that is to be made.
#[derive(Debug)]
pub struct NewLink {
    /// Which record.
    pub record: RecordId,
    /// The case there.
    pub case: LetterCase,
    /// The day it was registered there.
    pub registered_on: jiff::civil::Date,
    /// Who registered it there; sealed with the case number.
    pub registrar: PrivateText,
    /// What was taken over.
    pub taken_over: String,
    /// The day on which that system confirmed it, and what it said, if it did.
    pub confirmed: Option<(jiff::civil::Date, String)>,
}

/// A confirmation that is to be noted.
#[derive(Debug)]
pub struct Confirmed {
    /// The case there.
    pub case: LetterCase,
    /// The day on which that system confirmed it.
    pub on: jiff::civil::Date,
    /// What it said.
    pub said: String,
}

/// A link with its case, for who handles correspondence.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownLink {
    /// The link.
    #[serde(flatten)]
    pub link: LetterLink,
    /// Its case number and who registered it there, `None` when the body was erased.
    pub case: Option<Value>,
}

/// What came of a list.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Rows read.
    pub rows: usize,
    /// Links that were made, or would be.
    pub linked: usize,
    /// Records whose case was confirmed, or would be.
    pub confirmed: usize,
    /// Rows that say what was known already.
    pub known: usize,
    /// Whether it was only tried.
    pub dry_run: bool,
}

/// Links a record to a case: it is due until that system confirms. A link that is there already stays as it is.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such record for this person; [`VaultError::Input`] when it is linked to another
/// case or a field is empty.
pub async fn link(archive: &Archive, rules: &Rules, actor: &Actor, asked: NewLink) -> Result<(), VaultError> {
    handles(archive, rules, actor).await?;
    let case = digest(archive, &actor.organisation, &asked.case)?;
    // The record is not destroyed meanwhile.
    let _one_at_a_time = archive.intake.lock().await;
    let owner = archive.catalogue.holder(asked.record).await?;
    owner.filter(|of| of == &actor.organisation).ok_or(VaultError::Absent { what: "the record" })?;
    if archive.catalogue.letter_of(asked.record).await?.is_some_and(|link| link.case == case) {
        return Ok(());
    }
    let no_turn = archive.turning.read().await;
    let step = link_step(archive, actor, asked, case)?;
    write(archive, rules, actor, no_turn, vec![step], Vec::new())
        .await?
        .map(|_| ())
        .ok_or_else(|| VaultError::Input("the record is linked to another case already".to_owned()))
}

/// Notes that the letter system confirmed a case. How many records that concerned.
///
/// # Errors
/// [`VaultError::Input`] when a field is empty; when storage fails.
pub async fn confirm(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &Confirmed,
) -> Result<usize, VaultError> {
    handles(archive, rules, actor).await?;
    let step = confirm_step(archive, actor, asked)?;
    let _one_at_a_time = archive.intake.lock().await;
    let no_turn = archive.turning.read().await;
    let written = write(archive, rules, actor, no_turn, Vec::new(), vec![step]).await?;
    Ok(written.map_or(0, |confirmed| confirmed.len()))
}

/// Takes in a list that the letter system exported (CSV): all of it, or with any fault nothing. A row that says what is known
/// already adds nothing, so that a list can be given again.
///
/// # Errors
/// [`VaultError::Faults`] with every fault by row, column and mend.
pub async fn import(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    list: &[u8],
    dry_run: bool,
) -> Result<ImportReport, VaultError> {
    handles(archive, rules, actor).await?;
    let lines = read_letters(list).map_err(VaultError::faults)?;
    let _one_at_a_time = archive.intake.lock().await;
    let no_turn = archive.turning.read().await;
    let mut report = ImportReport { rows: lines.len(), dry_run, ..ImportReport::default() };
    let (mut links, mut confirmations, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut cases = BTreeSet::new();
    for line in lines {
        match planned(archive, actor, line, &mut cases).await? {
            Planned::Known => report.known += 1,
            Planned::Link(link, case) => links.push((*link, case)),
            Planned::Confirm(confirmed, records) => {
                report.confirmed += records;
                confirmations.push(confirmed);
            }
            Planned::Fault(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(VaultError::faults(faults));
    }
    report.linked = links.len();
    report.confirmed += links.iter().filter(|(link, _)| link.confirmed.is_some()).count();
    if dry_run {
        return Ok(report);
    }
    let links = links
        .into_iter()
        .map(|(link, case)| link_step(archive, actor, link, case))
        .collect::<Result<Vec<_>, _>>()?;
    let confirmations = confirmations
        .iter()
        .map(|confirmed| confirm_step(archive, actor, confirmed))
        .collect::<Result<Vec<_>, _>>()?;
    let written = write(archive, rules, actor, no_turn, links, confirmations).await?;
    written.ok_or_else(|| {
        VaultError::Input(
            "a record was linked by somebody else meanwhile: nothing came in; give the list again".to_owned(),
        )
    })?;
    Ok(report)
}

/// Links of a case; or, without one, those that no system confirmed yet: the due list.
///
/// # Errors
/// As [`read::authorise`]; [`VaultError::Input`] when a field is empty.
pub async fn find(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    case: Option<&LetterCase>,
) -> Result<Vec<ShownLink>, VaultError> {
    handles(archive, rules, actor).await?;
    let digest = case.map(|case| digest(archive, &actor.organisation, case)).transpose()?;
    let mut shown = Vec::new();
    for link in archive.catalogue.letters(&actor.organisation, digest).await? {
        shown.push(with_case(archive, &actor.organisation, link).await?);
    }
    Ok(shown)
}

/// The link of a record, with its case number.
///
/// # Errors
/// As [`read::authorise`]; [`VaultError::Absent`] when this organisation has no such link.
pub async fn of_record(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
) -> Result<ShownLink, VaultError> {
    handles(archive, rules, actor).await?;
    let absent = || VaultError::Absent { what: "the letter" };
    let owner = archive.catalogue.owner(record).await?;
    owner.filter(|of| of == &actor.organisation).ok_or_else(absent)?;
    let link = archive.catalogue.letter_of(record).await?.ok_or_else(absent)?;
    with_case(archive, &actor.organisation, link).await
}

async fn with_case(
    archive: &Archive,
    organisation: &OrganisationId,
    link: LetterLink,
) -> Result<ShownLink, VaultError> {
    let text = match link.entry {
        Some(entry) => bodies::read(archive, organisation, entry).await?,
        None => None,
    };
    let case = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(ShownLink { link, case })
}

/// The keyed digest of a case of an organisation.
///
/// # Errors
/// [`VaultError::Input`] when a field is empty.
pub(super) fn digest(
    archive: &Archive,
    organisation: &OrganisationId,
    case: &LetterCase,
) -> Result<ItemDigest, VaultError> {
    let number = case.number.expose().trim();
    if number.is_empty() || case.system.trim().is_empty() {
        return Err(VaultError::Input("name the letter system and the case number".to_owned()));
    }
    let parts = [organisation.as_str().as_bytes(), case.system.trim().as_bytes(), number.as_bytes()];
    Ok(archive.digests.digest("letter-case", &parts))
}

/// Who handles correspondence: a records manager, or a reviewer of the own organisation.
///
/// # Errors
/// As [`read::authorise`].
pub(super) async fn handles(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<(), VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::HandleCorrespondence, &resource).await?;
    Ok(())
}

/// A text that people wrote: not empty, of one line.
///
/// # Errors
/// [`VaultError::Input`] otherwise.
pub(super) fn one_line(what: &str, given: &str) -> Result<String, VaultError> {
    let given = given.trim();
    let sound = !given.is_empty() && given.chars().count() <= 500 && !given.chars().any(char::is_control);
    let mend = || VaultError::Input(format!("{what} must be 1 to 500 characters in one line"));
    sound.then(|| given.to_owned()).ok_or_else(mend)
}

enum Planned {
    Known,
    Link(Box<NewLink>, ItemDigest),
    Confirm(Confirmed, usize),
    Fault(crate::decide::TableFault),
}

/// What a row of a list asks, on what is there now.
async fn planned(
    archive: &Archive,
    actor: &Actor,
    line: LetterLine,
    cases: &mut BTreeSet<ItemDigest>,
) -> Result<Planned, VaultError> {
    let fault =
        |column: &str, mend: &str| Ok(Planned::Fault(crate::decide::TableFault::new(line.row, column, mend)));
    let case = LetterCase { system: line.system, number: line.case_number };
    let digest = digest(archive, &actor.organisation, &case)?;
    let Some((record, registered_on)) = line.record.zip(line.registered_on) else {
        let Some(on) = line.confirmed_on else { return fault("confirmed_on", "empty") };
        let known = archive.catalogue.letters(&actor.organisation, Some(digest)).await?;
        let waiting = known.iter().filter(|link| link.confirmed_at.is_none()).count();
        if known.is_empty() && !cases.contains(&digest) {
            return fault(
                "case_number",
                "no record is linked to this case; link it first, or check system and number",
            );
        }
        if waiting == 0 && !cases.contains(&digest) {
            return Ok(Planned::Known);
        }
        return Ok(Planned::Confirm(Confirmed { case, on, said: line.confirmation }, waiting));
    };
    let owner = archive.catalogue.holder(record).await?;
    if owner.is_none_or(|of| of != actor.organisation) {
        return fault("record", "no record of this organisation has this id, or it was destroyed");
    }
    let confirmed = line.confirmed_on.map(|on| (on, line.confirmation.clone()));
    match archive.catalogue.letter_of(record).await? {
        Some(link) if link.case != digest => fault("record", "linked to another case already"),
        Some(link) if link.confirmed_at.is_some() || confirmed.is_none() => Ok(Planned::Known),
        Some(_) => Ok(match confirmed {
            Some((on, said)) => Planned::Confirm(Confirmed { case, on, said }, 1),
            None => Planned::Known,
        }),
        None => {
            cases.insert(digest);
            let (registrar, taken_over) = (line.registrar, line.taken_over);
            let link = NewLink { record, case, registered_on, registrar, taken_over, confirmed };
            Ok(Planned::Link(Box::new(link), digest))
        }
    }
}

fn link_step(
    archive: &Archive,
    actor: &Actor,
    asked: NewLink,
    case: ItemDigest,
) -> Result<LetterStep<LetterRow>, VaultError> {
    let confirmed =
        asked.confirmed.map(|(on, said)| Ok::<_, VaultError>((beginning_of(on)?, said))).transpose()?;
    let row = LetterRow {
        record: asked.record,
        system: one_line("the letter system", &asked.case.system)?,
        case,
        registered_on: asked.registered_on.to_string(),
        registrar: actor.id,
        taken_over: one_line("what was taken over", &asked.taken_over)?,
        confirmed,
    };
    let entry = entry(archive, actor, EntryKind::LetterLinked)?.about([Thing::Record(asked.record)]);
    let body = json!({ "caseNumber": asked.case.number.expose(), "registrar": asked.registrar.expose() });
    let sealed = bodies::seal(archive, &actor.organisation, entry.id(), &body)?;
    Ok((row, Pending::event(entry.committing(sealed.commitment))?, Some(sealed.body)))
}

fn confirm_step(
    archive: &Archive,
    actor: &Actor,
    asked: &Confirmed,
) -> Result<LetterStep<Confirmation>, VaultError> {
    let case = digest(archive, &actor.organisation, &asked.case)?;
    let confirmation =
        Confirmation { case, at: beginning_of(asked.on)?, said: asked.said.clone(), by: actor.id };
    let entry = entry(archive, actor, EntryKind::LetterConfirmed)?;
    Ok((confirmation, Pending::event(entry)?, None))
}

fn entry(archive: &Archive, actor: &Actor, kind: EntryKind) -> Result<Entry, VaultError> {
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role))
}

/// Writes all of it, and decides anew what is registered elsewhere now. The caller holds the intake, so that no record is
/// destroyed meanwhile; keys do not turn until the bodies are written.
async fn write(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    no_turn: tokio::sync::RwLockReadGuard<'_, ()>,
    links: Vec<LetterStep<LetterRow>>,
    confirmations: Vec<LetterStep<Confirmation>>,
) -> Result<Option<BTreeSet<RecordId>>, VaultError> {
    let (log, by) = (archive.logs.vault_origin(), (actor.id, actor.role));
    let noted = (by, archive.sources.now());
    let written =
        archive.catalogue.write_letters(log, &actor.organisation, links, confirmations, noted).await?;
    drop(no_turn);
    let Some(confirmed) = written else { return Ok(None) };
    archive.journal.wake();
    decide_after(archive, rules).await;
    Ok(Some(confirmed))
}
