//! Reports of readers: “wrongly redacted”, or “I see a name”. They come up from the reading room, stand in the queue of the
//! reviewers, and what a reviewer corrects is published anew.
//!
//! A record in which somebody sees a name is withheld from the moment the report is taken up until it is judged. A report
//! holds no words, so that nothing about anyone stands in the inbox, which is append-only.

use super::conversation::role_word;
use super::disclose;
use super::publish::read_item;
use super::review::{self, STANDING_BASIS};
use super::reviewing::spans;
use super::stored_findings::stored_findings;
use super::{Archive, Rules, VaultError, read};
use crate::access::{Action, Actor, Assignment, Resource};
use crate::capture::{Format, Item};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    DisclosureId, EntityType, Finding, PrivateText, ReportId, ReportKind, ReportOutcome, Role, Span,
};
use crate::store::StoreError;
use crate::store::catalogue::{Correction, CorrectionAct, ReportJudgement, ReportRow, Reported};
use crate::store::inbox::{Arrived, ReaderReport};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Takes a report up. One about a view that is no longer there changes nothing but the cursor; one that cannot be read is an
/// incident, as any message is.
///
/// # Errors
/// When storage fails: it is taken up again later.
pub async fn take_up(archive: &Archive, message: &Arrived) -> Result<(), VaultError> {
    let log = archive.logs.room_origin();
    let Ok(report) = serde_json::from_str::<ReaderReport>(&message.payload) else {
        let entry = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentOpened, message.at)
            .outcome("inbox-unreadable".parse()?);
        return Ok(archive.journal.take_up(log, vec![Pending::event(entry)?], &[], message.seq).await?);
    };
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::ReportReceived, message.at)
        .by(report.reporter, Role::Researcher)
        .about([Thing::Report(report.id), Thing::Grant(report.grant), Thing::Projection(report.projection)])
        .outcome(report.kind.as_str().parse()?);
    let Some((record, version, conversation, organisation, channel)) =
        archive.catalogue.behind(report.projection).await?
    else {
        return Ok(archive.journal.take_up(log, vec![Pending::event(entry)?], &[], message.seq).await?);
    };
    let pending = Pending::event(entry.of(organisation.clone()))?;
    let row = ReportRow {
        id: report.id,
        organisation,
        channel,
        record,
        version,
        grant: report.grant,
        reporter: report.reporter,
        kind: report.kind,
        passage: report.passage,
        received_at: message.at,
        outcome: None,
        judged_at: None,
    };
    let at = Reported { projection: report.projection, conversation };
    archive.catalogue.take_report(log, &row, at, pending, message.seq).await?;
    archive.journal.wake();
    Ok(())
}

/// Which reports, and how many at the most.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportSelection {
    /// Those that were judged; else those that wait.
    pub judged: bool,
    /// How many at the most.
    pub most: u32,
}

/// The reports on the records of the actor's organisation, oldest first; no text. Recorded before it is answered.
///
/// # Errors
/// [`VaultError::Refused`] for roles that may not, or storage errors.
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: ReportSelection,
) -> Result<Vec<ReportRow>, VaultError> {
    let organisation = actor.organisation.clone();
    let assigned = (actor.role == Role::Reviewer).then_some(Assignment::OWN);
    let queue = Resource::ReviewQueue { organisation: organisation.clone(), assigned };
    read::authorise(archive, rules, actor, Action::ListReviewItems, &queue).await?;
    let reports = archive.catalogue.reports(&organisation, asked.judged, asked.most).await?;
    read::viewed(archive, actor, reports.iter().map(|report| report.record)).await?;
    Ok(reports)
}

/// A report with the text of its record, as opened for one reviewer.
#[derive(Debug)]
pub struct ShownReport {
    report: ReportRow,
    disclosure: DisclosureId,
    passages: Vec<(&'static str, PrivateText, Vec<Value>)>,
}

impl ShownReport {
    /// As it is answered: with its text, for the one who opened it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let passage = |(role, text, findings): &(&str, PrivateText, Vec<Value>)| json!({ "role": role, "text": text.expose(), "findings": findings });
        let mut shown = json!(self.report);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("disclosure".to_owned(), json!(self.disclosure));
            fields.insert("passages".to_owned(), self.passages.iter().map(passage).collect());
        }
        shown
    }
}

/// Opens the record of a report, with what is redacted in it. The opening is recorded before it happens.
///
/// # Errors
/// [`VaultError::Absent`] for a report that is not there, was judged, or that this caller may not know of;
/// [`VaultError::Refused`]; storage and seal errors.
pub async fn show(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ReportId,
) -> Result<ShownReport, VaultError> {
    let (report, disclosure, item) = opened(archive, rules, actor, id).await?;
    let stored = found_in_force(archive, &report).await?;
    let passages = item.passages.into_iter().enumerate().map(|(place, passage)| {
        let here = stored.get(place).map(Vec::as_slice).unwrap_or_default();
        let findings = here.iter().filter_map(|finding| shown(passage.text.expose(), finding)).collect();
        (role_word(passage.role), passage.text, findings)
    });
    Ok(ShownReport { passages: passages.collect(), report, disclosure })
}

/// What is found in the version that a report is judged by.
async fn found_in_force(archive: &Archive, report: &ReportRow) -> Result<Vec<Vec<Finding>>, VaultError> {
    let json = archive.catalogue.findings(report.version).await?;
    Ok(stored_findings(&json).ok_or(StoreError::Corrupt { what: "findings" })?)
}

/// A finding as a reviewer sees it, in code points; `None` when it does not lie in the text.
fn shown(text: &str, finding: &Finding) -> Option<Value> {
    let (start, end) = spans::in_code_points(text, finding.span)?;
    Some(json!({ "start": start, "end": end, "entity": finding.entity, "recogniser": finding.recogniser }))
}

/// A place that a reviewer points at, in Unicode code points.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Place {
    /// In which text of the record, from 0.
    pub passage: usize,
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// What kind of personal data stands there; `PERSON` when left out.
    #[serde(default)]
    pub entity: Option<EntityType>,
}

/// A reviewer's word.
#[derive(Debug, Clone)]
pub struct ReportJudging {
    /// Whether it is so.
    pub outcome: ReportOutcome,
    /// Where: what must be hidden, or what must not be.
    pub places: Vec<Place>,
}

/// Most places in one judgement.
const PLACES_MAX: usize = 100;

/// Judges a report. What is confirmed is corrected at the places named: the record is computed anew and published with
/// the next round, and what others read of it before opens an incident. The record of a report that is unfounded is published
/// as it was.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`] as for [`show`]; [`VaultError::Input`] for one that was judged, or
/// places that do not lie in the text. When the ledger cannot be written nothing is judged.
pub async fn judge(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ReportId,
    judging: &ReportJudging,
) -> Result<ReportRow, VaultError> {
    let absent = || VaultError::Absent { what: "the report" };
    let confirmed = judging.outcome == ReportOutcome::Confirmed;
    if confirmed == judging.places.is_empty() {
        return Err(VaultError::Input(
            "name the places with a report that is confirmed, and none with one that is unfounded".to_owned(),
        ));
    }
    if judging.places.len() > PLACES_MAX {
        return Err(VaultError::Input(format!("name {PLACES_MAX} places at the most")));
    }
    let known = permitted(archive, rules, actor, id).await?;
    if known.outcome.is_some() {
        return Err(VaultError::Input("the report was judged before".to_owned()));
    }
    let (report, corrections) = if confirmed {
        let (report, _disclosure, item) = opened(archive, rules, actor, id).await?;
        let found = found_in_force(archive, &report).await?;
        let corrections = corrections(rules, &item, (&report, &found), &judging.places)?;
        (report, corrections)
    } else {
        (known, Vec::new())
    };
    // What is computed anew meanwhile would not know of the judgement.
    let _one_at_a_time = archive.intake.lock().await;
    let known = archive.catalogue.record(report.record).await?.ok_or_else(absent)?;
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::ReviewDone, archive.sources.now())
        .of(report.organisation.clone())
        .by(actor.id, actor.role)
        .on(STANDING_BASIS.parse().map_err(|_| VaultError::Absent { what: "the legal basis" })?)
        .about([Thing::Report(report.id), Thing::Record(report.record), Thing::Grant(report.grant)])
        .outcome(judging.outcome.as_str().parse()?)
        .because([format!("report.{}", report.kind).parse()?])
        .counting("places".parse()?, corrections.len() as u64);
    let judgement = ReportJudgement {
        report: &report,
        conversation: known.conversation,
        outcome: judging.outcome,
        corrections: &corrections,
        actor: actor.id,
    };
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let judged = archive.catalogue.judge_report(log, &judgement, Pending::event(entry)?, now).await?;
    if judged.is_none() {
        return Err(VaultError::Input("the report was judged before".to_owned()));
    }
    archive.journal.wake();
    archive.catalogue.report(id).await?.ok_or_else(absent)
}

/// A report that the actor may judge, without its text.
async fn permitted(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ReportId,
) -> Result<ReportRow, VaultError> {
    let known = archive.catalogue.report(id).await?;
    let of = known.as_ref().map(|report| (&report.organisation, &report.channel));
    let (organisation, assigned) = review::standing(archive, actor, of).await?;
    let resource = Resource::VaultRecord { organisation, assigned };
    read::authorise(archive, rules, actor, Action::ReviewRedaction, &resource).await?;
    known.ok_or(VaultError::Absent { what: "the report" })
}

/// Opens the record of a report under the standing grant of reviewers, as long as the report waits: one that was judged puts nothing in
/// anybody's queue. Its text is that of the version in force: of a
/// record that was edited meanwhile the report is of another text, and is judged as unfounded or by that.
async fn opened(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ReportId,
) -> Result<(ReportRow, DisclosureId, Item), VaultError> {
    let known = archive.catalogue.report(id).await?;
    let of = known.as_ref().map(|report| (&report.organisation, &report.channel));
    let (organisation, assigned) = review::standing(archive, actor, of).await?;
    let waits = known.as_ref().is_some_and(|report| report.outcome.is_none());
    let assigned = assigned.filter(|_| waits);
    // What is not there is asked about all the same, under an id that no record has.
    let record =
        known.as_ref().map_or_else(|| crate::model::RecordId::from_uuid(id.uuid()), |report| report.record);
    let opened = review::open_queued(archive, rules, actor, record, (&organisation, assigned)).await?;
    match read_opened(archive, known, &opened).await {
        Ok((report, item)) => {
            let disclosure = opened.id;
            opened.serving.handed_over().await?;
            Ok((report, disclosure, item))
        }
        Err(error) => {
            opened.serving.broken_off().await?;
            Err(error)
        }
    }
}

async fn read_opened(
    archive: &Archive,
    known: Option<ReportRow>,
    opened: &disclose::Opened,
) -> Result<(ReportRow, Item), VaultError> {
    let waits = known.filter(|report| report.outcome.is_none());
    let mut report = waits.ok_or(VaultError::Absent { what: "the report" })?;
    let format: Format =
        opened.format.parse().map_err(|_| VaultError::Absent { what: "the format of a capture" })?;
    let in_force = archive.catalogue.version_in_force(report.record).await?;
    report.version = in_force.ok_or(VaultError::Absent { what: "the record" })?;
    Ok((report, read_item(format, &opened.original)?))
}

/// What is corrected at the places that a reviewer names: what must be hidden there, or every finding that touches them and
/// need not be. Each place once.
fn corrections(
    rules: &Rules,
    item: &Item,
    (report, found): (&ReportRow, &[Vec<Finding>]),
    places: &[Place],
) -> Result<Vec<Correction>, VaultError> {
    let mut corrected: BTreeMap<(usize, Span), Correction> = BTreeMap::new();
    for place in places {
        let span = span_of(item, place)?;
        match report.kind {
            ReportKind::NameVisible => {
                let correction = added(rules, place, span)?;
                corrected.insert((place.passage, span), correction);
            }
            ReportKind::WronglyRedacted => {
                let here = found.get(place.passage).map(Vec::as_slice).unwrap_or_default();
                let covers = |finding: &&Finding| {
                    finding.span.overlaps(span) && !rules.projection.redaction().is_readable(&finding.entity)
                };
                let dropped: Vec<Correction> =
                    here.iter().filter(covers).map(|finding| dropped(place.passage, finding)).collect();
                if dropped.is_empty() {
                    let (passage, start, end) = (place.passage, place.start, place.end);
                    return Err(VaultError::Input(format!(
                        "nothing is redacted at place {start} to {end} of text {passage} of the record; name a place that is"
                    )));
                }
                corrected.extend(dropped.into_iter().map(|one| ((one.passage, one.span), one)));
            }
        }
    }
    Ok(corrected.into_values().collect())
}

fn added(rules: &Rules, place: &Place, span: Span) -> Result<Correction, VaultError> {
    let missing = || VaultError::Absent { what: "an exemption for what a reviewer added" };
    let entity = match &place.entity {
        Some(entity) => entity.clone(),
        None => "PERSON".parse::<EntityType>().map_err(|_| missing())?,
    };
    if rules.projection.redaction().is_readable(&entity) {
        return Err(VaultError::Input(format!("`{entity}` stays readable; name what is to be redacted")));
    }
    let known = rules.ruleset.recognisers().find(|recogniser| *recogniser.entity() == entity);
    let exemption = match known {
        Some(recogniser) => recogniser.exemption().clone(),
        None => PERSONAL_PRIVACY.parse().map_err(|_| missing())?,
    };
    Ok(Correction { passage: place.passage, span, act: CorrectionAct::Add, entity, exemption })
}

/// Personal privacy: the exemption of what no recogniser finds.
const PERSONAL_PRIVACY: &str = "woo-5.1.2e";

fn dropped(passage: usize, finding: &Finding) -> Correction {
    let Finding { span, entity, exemption, .. } = finding.clone();
    Correction { passage, span, act: CorrectionAct::Drop, entity, exemption }
}

/// Where a place lies, in bytes; a place of blanks is none.
fn span_of(item: &Item, place: &Place) -> Result<Span, VaultError> {
    let text = item.passages.get(place.passage).map(|passage| passage.text.expose());
    let span = text.and_then(|text| spans::of_code_points(text, place.start, place.end));
    let filled =
        |span: &Span| text.and_then(|text| span.of(text)).is_some_and(|value| !value.trim().is_empty());
    span.filter(filled).ok_or_else(|| {
        let (passage, start, end) = (place.passage, place.start, place.end);
        VaultError::Input(format!("place {start} to {end} does not lie in text {passage} of the record"))
    })
}
