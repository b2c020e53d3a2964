//! What an official opened, to be read: the records of a request with their threads, times and receipts, as one page.
//!
//! The exact bytes are the original; this is how they read. Everything that came from a capture is escaped, and the page holds
//! no script and fetches nothing.

use super::disclose::{Disclosure, Serving, ToServe};
use super::openings::{self, StatedText, permitted};
use super::publish::read_item;
use super::rendition_html::{Page, Shown};
use super::{Archive, Rules, VaultError};
use crate::access::{Action, Actor};
use crate::capture::{Format, Item};
use crate::ledger::Receipt;
use crate::model::{ConversationId, GrantId, RecordId, Timestamp};
use crate::redact::Language;
use std::collections::BTreeMap;

/// A page that is about to be served, and how the serving of each original in it is recorded.
pub struct RenderedPage {
    /// The page, in HTML.
    pub html: zeroize::Zeroizing<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// One for each original in it.
    pub servings: Vec<Serving>,
}

/// One record as it was opened.
struct Opened {
    record: RecordId,
    conversation: ConversationId,
    item: Item,
    disclosure: crate::model::DisclosureId,
    receipt: Receipt,
}

/// Opens every original that a request reaches, and makes the page of them. Before each, `still` says whether whoever asked may
/// still come in.
///
/// # Errors
/// As for opening each, and as `still`; what was opened before is then recorded as not handed over.
pub async fn page(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    language: Language,
    still: &impl AsyncFn() -> Result<(), VaultError>,
) -> Result<RenderedPage, VaultError> {
    let row = permitted(archive, rules, actor, id, Action::JustifyOpening).await?;
    let records = openings::package(archive, rules, actor, id).await?;
    let (mut opened, mut servings, mut stated) = (Vec::new(), Vec::new(), None);
    for record in &records {
        let one = match still().await {
            Ok(()) => one(archive, rules, actor, id, *record).await,
            Err(error) => Err(error),
        };
        match one {
            Ok((one, serving, text)) => {
                opened.push(one);
                servings.push(serving);
                stated = Some(text);
            }
            // Destroyed meanwhile: the page says how many there were.
            Err(VaultError::Absent { .. }) => {}
            Err(error) => {
                for serving in servings {
                    serving.broken_off().await?;
                }
                return Err(error);
            }
        }
    }
    let stated = stated.ok_or(VaultError::Absent { what: "an original" })?;
    let basis = rules.bases.find(&row.basis);
    let page = Page {
        language,
        organisation: row.organisation.as_str(),
        request: id,
        basis: basis.map_or(row.basis.as_str(), |basis| match language {
            Language::Dutch => basis.label_nl(),
            Language::English => basis.label_en(),
        }),
        source: basis.map_or("", |basis| basis.source()),
        case_number: stated.case_number.expose(),
        recipient: stated.recipient.expose(),
        made_at: archive.sources.now(),
        asked: records.len(),
    };
    let threads = threads(&opened);
    Ok(RenderedPage { html: page.html(&threads), made_at: page.made_at, servings })
}

/// The records by thread, each in the order of posting; threads by their first.
fn threads(opened: &[Opened]) -> Vec<Vec<Shown<'_>>> {
    let mut threads: BTreeMap<ConversationId, Vec<Shown<'_>>> = BTreeMap::new();
    for one in opened {
        let shown = Shown {
            record: one.record,
            item: &one.item,
            disclosure: one.disclosure,
            log: one.receipt.origin().as_str(),
            place: one.receipt.index(),
        };
        threads.entry(one.conversation).or_default().push(shown);
    }
    let mut threads: Vec<Vec<Shown<'_>>> = threads.into_values().collect();
    let when = |shown: &Shown<'_>| (shown.item.posted_at.is_none(), shown.item.posted_at, shown.record);
    threads.iter_mut().for_each(|thread| thread.sort_by_key(when));
    let first = |thread: &Vec<Shown<'_>>| -> (bool, Option<Timestamp>) {
        thread.first().map_or((true, None), |shown| (shown.item.posted_at.is_none(), shown.item.posted_at))
    };
    threads.sort_by_key(first);
    threads
}

async fn one(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    record: RecordId,
) -> Result<(Opened, Serving, StatedText), VaultError> {
    let (opened, stated) = openings::open(archive, rules, actor, id, record).await?;
    let ToServe { disclosure: Disclosure { id: disclosure, original, receipt }, format, serving } = opened;
    let read = format.parse::<Format>().map_err(|_| VaultError::Absent { what: "the format of a capture" });
    let read = read.and_then(|format| read_item(format, &original));
    let known = archive.catalogue.record(record).await?;
    match (read, known) {
        (Ok(item), Some(known)) => {
            let conversation = known.conversation;
            Ok((Opened { record, conversation, item, disclosure, receipt }, serving, stated))
        }
        (read, _) => {
            serving.broken_off().await?;
            Err(read.err().unwrap_or(VaultError::Absent { what: "the record" }))
        }
    }
}
