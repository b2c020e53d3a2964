//! The original of an item: an opening under redaction quality control.

use super::{ShownFinding, shown, spans, waiting};
use crate::access::Actor;
use crate::capture::Format;
use crate::model::{DisclosureId, Finding, FlagKind, PrivateText, VersionId};
use crate::store::catalogue::{FlagPlace, QueueItem};
use crate::vault::conversation::role_word;
use crate::vault::publish::read_item;
use crate::vault::{Archive, Rules, VaultError, disclose, review, stored_findings};
use serde::Serialize;
use serde_json::{Value, json};

/// An item as it was opened for one reviewer.
#[derive(Debug)]
pub struct OpenedItem {
    /// What the queue says of it.
    pub item: QueueItem,
    /// The opening that this was.
    pub disclosure: DisclosureId,
    /// Its texts, in order.
    passages: Vec<OpenedPassage>,
}

#[derive(Debug)]
struct OpenedPassage {
    role: &'static str,
    text: PrivateText,
    findings: Vec<PlacedFinding>,
    flags: Vec<PlacedFlag>,
}

/// A finding with its place: code points, the end not included.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlacedFinding {
    #[serde(flatten)]
    finding: ShownFinding,
    start: usize,
    end: usize,
}

#[derive(Debug, Serialize)]
struct PlacedFlag {
    kind: FlagKind,
    start: usize,
    end: usize,
}

impl OpenedItem {
    /// The item as it is answered: with its texts, for the one who opened it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let passage = |one: &OpenedPassage| json!({ "role": one.role, "text": one.text.expose(), "findings": one.findings, "flags": one.flags });
        let mut shown = json!(self.item);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("disclosure".to_owned(), json!(self.disclosure));
            fields.insert("passages".to_owned(), self.passages.iter().map(passage).collect());
        }
        shown
    }
}

/// Opens the original of one item that waits for this reviewer.
///
/// # Errors
/// [`VaultError::Absent`] for an item that is not there, waits no longer, or is not in the reviewer's own queue;
/// [`VaultError::Refused`] for staff who may not, or when as many were opened as one day allows; storage and seal errors.
pub async fn open(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
) -> Result<OpenedItem, VaultError> {
    let found = waiting(archive, rules, actor, id).await?;
    // What does not wait is asked about all the same, under an id that no record has when there is none.
    let record = match &found.item {
        Some(item) => item.record,
        None => record_behind(archive, id).await?,
    };
    let setting = (&found.organisation, found.assigned);
    let opened = review::open_queued(archive, rules, actor, record, setting).await?;
    match passages(archive, rules, id, found.item.as_ref(), &opened).await {
        Ok(passages) => {
            opened.serving.handed_over().await?;
            Ok(OpenedItem { item: found.item()?, disclosure: opened.id, passages })
        }
        Err(error) => {
            opened.serving.broken_off().await?;
            Err(error)
        }
    }
}

async fn record_behind(archive: &Archive, id: VersionId) -> Result<crate::model::RecordId, VaultError> {
    let known = archive.catalogue.queueable(id).await?;
    Ok(known.map_or_else(|| crate::model::RecordId::from_uuid(id.uuid()), |item| item.record))
}

/// The texts of an original with what was found in each. It is that of the version in force: of an item that was edited meanwhile
/// nothing is shown.
async fn passages(
    archive: &Archive,
    rules: &Rules,
    id: VersionId,
    item: Option<&QueueItem>,
    opened: &disclose::Opened,
) -> Result<Vec<OpenedPassage>, VaultError> {
    let absent = || VaultError::Absent { what: "the item" };
    let item = item.ok_or_else(absent)?;
    let format: Format = opened.format.parse().map_err(|_| absent())?;
    let members = archive.catalogue.members(item.conversation).await?;
    let member = members.iter().find(|member| member.record == item.record && member.version == id);
    let member = member.ok_or_else(absent)?;
    let stored = stored_findings::read(&member.findings)?;
    let flags = archive.catalogue.flag_places(id).await?;
    let read = read_item(format, &opened.original)?;
    let texts = read.passages.into_iter().enumerate();
    Ok(texts
        .map(|(number, passage)| {
            let found = stored.get(number).into_iter().flatten();
            let found: Vec<Finding> = found.filter_map(stored_findings::StoredFinding::finding).collect();
            let text = passage.text.expose();
            let findings = found.iter().filter_map(|finding| {
                let (start, end) = spans::in_code_points(text, finding.span)?;
                Some(PlacedFinding { finding: shown(archive, rules, id, number, finding), start, end })
            });
            OpenedPassage {
                role: role_word(passage.role),
                findings: findings.collect(),
                flags: flags_in(text, number, &flags),
                text: passage.text,
            }
        })
        .collect())
}

fn flags_in(text: &str, passage: usize, flags: &[(FlagKind, Vec<FlagPlace>)]) -> Vec<PlacedFlag> {
    let places = flags.iter().flat_map(|(kind, places)| places.iter().map(move |place| (*kind, place)));
    let here = places.filter(|(_, place)| place.passage == passage);
    here.filter_map(|(kind, place)| {
        let span = crate::model::Span::new(place.start, place.end)?;
        let (start, end) = spans::in_code_points(text, span)?;
        Some(PlacedFlag { kind, start, end })
    })
    .collect()
}
