//! The reviewer's queue: flagged records, withheld until a person has judged them.
//!
//! An item is one version of a record; a later version is another item. Seeing its text is the opening of an original,
//! under the standing grant that reviewers hold for what stands in their queue (redaction quality control), recorded
//! before it happens. A judgement is written with its ledger entry or not at all. What waits for other reasons, such
//! as doubtful findings, can join the queue later: an item says by its flags why it is there.

use super::conversation::role_word;
use super::disclose::{self, DisclosureRequest, Setting};
use super::publish::read_item;
use super::read::{self, nobody};
use super::{Archive, Rules, VaultError, appointments};
use crate::access::{Action, Actor, Assignment, Denial, Request, Resource};
use crate::capture::{Format, Item};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{
    AppointmentKind, ChannelId, DisclosureId, FlagKind, OrganisationId, PrivateText, RecogniserId, RecordId,
    ReviewReason, Role, Verdict, VersionId,
};
use crate::store::StoreError;
use crate::store::catalogue::{FlagPlace, Judgement, QueueScope, QueueState, ReviewItem};
use serde::Serialize;
use serde_json::{Value, json};

/// What to list.
#[derive(Debug, Default, Clone)]
pub struct QueueSelection {
    /// Open or judged.
    pub state: QueueState,
    /// After this item.
    pub after: Option<VersionId>,
    /// How many at the most.
    pub most: u32,
}

/// An item with its text, as opened for one reviewer.
#[derive(Debug)]
pub struct ShownItem {
    /// What the queue says of it.
    pub item: ReviewItem,
    /// The opening that this was.
    pub disclosure: DisclosureId,
    /// The texts of the record, in order.
    pub passages: Vec<ShownPassage>,
}

impl ShownItem {
    /// The item as it is answered: with its text, for the one who opened it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let passage = |passage: &ShownPassage| json!({ "role": passage.role, "text": passage.text.expose(), "flags": passage.flags });
        let mut shown = json!(self.item);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("disclosure".to_owned(), json!(self.disclosure));
            fields.insert("passages".to_owned(), self.passages.iter().map(passage).collect());
        }
        shown
    }
}

/// One text of a record, with its flags.
#[derive(Debug)]
pub struct ShownPassage {
    /// What part it is: `body`, `content-warning`, `poll-option`, `alt-text`.
    pub role: &'static str,
    /// The text, as posted.
    pub text: PrivateText,
    /// Its flags in the order of the text.
    pub flags: Vec<ShownFlag>,
}

/// A flag in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownFlag {
    /// What it is a sign of.
    pub kind: FlagKind,
    /// First Unicode code point in the text, from 0.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// The rule that saw it.
    pub rule: RecogniserId,
}

/// What a reviewer says.
#[derive(Debug, Clone)]
pub struct Judging {
    /// Of which flags; of all that the item has when empty.
    pub kinds: Vec<FlagKind>,
    /// What.
    pub verdict: Verdict,
    /// Why; goes with the verdict.
    pub reason: ReviewReason,
}

/// The case under which a review opens originals: the standing grant, not a case of its own.
const STANDING_CASE: &str = "review-queue";

/// Why it does.
const STANDING_MOTIVATION: &str = "redaction quality control of a record in the review queue";

/// The legal basis of the standing grant.
pub(super) const STANDING_BASIS: &str = "quality-control";

/// The actor's queue: no text. It is that of the own organisation, and for a reviewer of an external agency the channels of
/// every assignment that runs. Recorded before it is answered.
///
/// # Errors
/// [`VaultError::Refused`] for roles that may not, or storage errors.
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &QueueSelection,
) -> Result<Vec<ReviewItem>, VaultError> {
    let scopes = scopes(archive, rules, actor).await?;
    let items = archive.catalogue.review_items(&scopes, asked.state, asked.after, asked.most).await?;
    read::viewed(archive, actor, items.iter().map(|item| item.record)).await?;
    Ok(items)
}

/// Opens one item of the reviewer's queue, as long as it waits: what was judged is seen again when a flag of it waits again.
///
/// # Errors
/// [`VaultError::Absent`] for an item that is not there, was judged, is no longer in force, or that this caller may not know of;
/// [`VaultError::Refused`] for staff who may not open it; storage and seal errors.
pub async fn show(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
) -> Result<ShownItem, VaultError> {
    let mut known = archive.catalogue.review_item(id).await?;
    let whose = known.as_ref().map(|item| (&item.organisation, &item.channel));
    let (mut organisation, mut assigned) = standing(archive, actor, whose).await?;
    // Judged: to who might open it as long as it waited it is not there. Whoever may not open any is refused as ever.
    if assigned.is_some() && known.as_ref().is_some_and(|item| !item.waits()) {
        (known, organisation, assigned) = (None, nobody(), None);
    }
    // What is not there is asked about all the same, under an id that no record has.
    let record = known.as_ref().map_or_else(|| RecordId::from_uuid(id.uuid()), |item| item.record);
    let opened = open_queued(archive, rules, actor, record, (&organisation, assigned)).await?;
    match shown(archive, id, &opened).await {
        Ok((item, passages)) => {
            opened.serving.handed_over().await?;
            Ok(ShownItem { item, disclosure: opened.id, passages })
        }
        Err(error) => {
            opened.serving.broken_off().await?;
            Err(error)
        }
    }
}

/// Opens the original of an item under the standing grant, within what one person may open on one day.
///
/// # Errors
/// [`VaultError::Refused`] when that is reached, recorded as any refusal; as [`disclose::disclose`].
pub(super) async fn open_queued(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    (organisation, assigned): (&OrganisationId, Option<Assignment>),
) -> Result<disclose::Opened, VaultError> {
    // One at a time, so that two do not both see the last place that is left.
    let _one_at_a_time = archive.intake.lock().await;
    let today = archive.sources.now().day();
    let midnight = format!("{today}T00:00:00Z").parse().map_err(|_| VaultError::Random)?;
    let most = u64::from(rules.reviewing.openings_a_day());
    if assigned.is_some() && archive.catalogue.opened_since(actor.id, STANDING_BASIS, midnight).await? >= most
    {
        let text = format!("at most {most} originals may be opened for redaction quality control on one day");
        return Err(disclose::refuse(archive, actor, &Denial::by_rule("review#openings-a-day", text)).await?);
    }
    let asked = DisclosureRequest {
        record,
        basis: STANDING_BASIS.parse().map_err(|_| VaultError::Absent { what: "the legal basis" })?,
        case_number: PrivateText::from(STANDING_CASE),
        motivation: PrivateText::from(STANDING_MOTIVATION),
        recipient: None,
    };
    let setting = Setting { organisation, assigned, under: None, counts: false };
    disclose::open(archive, rules, actor, &asked, &setting).await
}

/// What is shown of an item that was opened. The original is of the version in force: an edit that came in meanwhile is
/// another item. One that was judged meanwhile is not shown.
async fn shown(
    archive: &Archive,
    id: VersionId,
    opened: &disclose::Opened,
) -> Result<(ReviewItem, Vec<ShownPassage>), VaultError> {
    let waits = archive.catalogue.review_item(id).await?.filter(ReviewItem::waits);
    let item = waits.ok_or(VaultError::Absent { what: "the review item" })?;
    let format: Format =
        opened.format.parse().map_err(|_| VaultError::Absent { what: "the format of a capture" })?;
    let places = archive.catalogue.flag_places(id).await?;
    Ok((item, passages(read_item(format, &opened.original)?, &places)?))
}

/// Judges flags of one item. What was released is published with the next round, what is kept is withdrawn at once.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`] as for [`show`]; [`VaultError::Input`] for a reason that does not go
/// with the verdict or a flag that the item does not have. When the ledger cannot be written nothing is judged.
pub async fn judge(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
    judging: &Judging,
) -> Result<ReviewItem, VaultError> {
    // What is computed anew meanwhile would not know of the judgement.
    let _one_at_a_time = archive.intake.lock().await;
    let known = archive.catalogue.review_item(id).await?;
    let whose = known.as_ref().map(|item| (&item.organisation, &item.channel));
    let (organisation, assigned) = standing(archive, actor, whose).await?;
    let resource = Resource::VaultRecord { organisation, assigned };
    read::authorise(archive, rules, actor, Action::ReviewRedaction, &resource).await?;
    let absent = VaultError::Absent { what: "the review item" };
    let Some(item) = known else { return Err(absent) };
    let kinds = kinds(&item, judging)?;
    let (verdict, reason, now) = (judging.verdict, judging.reason, archive.sources.now());
    let judgement = Judgement { item: &item, kinds: &kinds, verdict, reason, actor: actor.id };
    let pending = Pending::event(entry(archive, actor, &judgement)?)?;
    let judged = archive.catalogue.judge(archive.logs.vault_origin(), &judgement, pending, now).await?;
    let Some(_recorded) = judged else { return Err(absent) };
    archive.journal.wake();
    archive.catalogue.review_item(id).await?.ok_or(absent)
}

/// What the actor's queue holds. The own organisation's must be permitted; each assignment that is not (because it has
/// ended) is left out.
pub(super) async fn scopes(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
) -> Result<Vec<QueueScope>, VaultError> {
    let own = actor.organisation.clone();
    let assigned = (actor.role == Role::Reviewer).then_some(Assignment::OWN);
    let resource = Resource::ReviewQueue { organisation: own.clone(), assigned };
    read::authorise(archive, rules, actor, Action::ListReviewItems, &resource).await?;
    let mut scopes = vec![QueueScope::whole(own)];
    if actor.role != Role::Reviewer {
        return Ok(scopes);
    }
    let now = archive.sources.now();
    for given in archive.catalogue.appointments_of(actor.id, AppointmentKind::Assignment).await? {
        let assigned = Some(Assignment { until: Some(given.holds_until()) });
        let resource = Resource::ReviewQueue { organisation: given.organisation.clone(), assigned };
        let request =
            Request { actor, action: Action::ListReviewItems, resource: &resource, grant: None, now };
        if rules.access.authorise(&request).is_ok() {
            scopes.push(QueueScope { organisation: given.organisation, channels: given.channels });
        }
    }
    Ok(scopes)
}

/// Whose item it is, and what puts it in the actor's own queue: that the reviewer works for the organisation, or an
/// assignment of the reviewer's agency.
pub(super) async fn standing(
    archive: &Archive,
    actor: &Actor,
    whose: Option<(&OrganisationId, &ChannelId)>,
) -> Result<(OrganisationId, Option<Assignment>), VaultError> {
    let organisation = whose.map_or_else(nobody, |(organisation, _)| organisation.clone());
    if actor.role == Role::Reviewer && actor.organisation == organisation {
        return Ok((organisation, Some(Assignment::OWN)));
    }
    // Asked about what is not there too, so that both go the same way.
    let channel = whose.map(|(_, channel)| channel);
    let assigned = appointments::assignment(archive, actor.id, &organisation, channel).await?;
    Ok((organisation, assigned.filter(|_| actor.role == Role::Reviewer)))
}

/// The flags that are judged: those named, which the item must have, or all.
fn kinds(item: &ReviewItem, judging: &Judging) -> Result<Vec<FlagKind>, VaultError> {
    let words = |kinds: &[FlagKind]| kinds.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", ");
    let reason = judging.reason;
    if reason.verdict() != judging.verdict {
        let fit = ReviewReason::ALL.iter().filter(|fit| fit.verdict() == judging.verdict);
        let fit: Vec<&str> = fit.map(|fit| fit.as_str()).collect();
        let (verdict, fit) = (judging.verdict, fit.join(", "));
        return Err(VaultError::Input(format!(
            "reason `{reason}` does not go with `{verdict}`; use one of: {fit}"
        )));
    }
    let has: Vec<FlagKind> = item.flags.iter().map(|(kind, _)| kind).collect();
    if judging.kinds.is_empty() {
        return Ok(has);
    }
    if let Some(other) = judging.kinds.iter().find(|kind| !has.contains(kind)) {
        return Err(VaultError::Input(format!(
            "the item is not flagged for `{other}`; it is for: {}",
            words(&has)
        )));
    }
    let mut kinds = judging.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// Codes only: which record, what was said of which kinds of flags, why, by which pseudonym.
fn entry(archive: &Archive, actor: &Actor, judgement: &Judgement<'_>) -> Result<Entry, VaultError> {
    let kinds = judgement.kinds.iter().map(|kind| format!("flag.{kind}").parse::<Code>());
    let reasons = kinds.chain([judgement.reason.as_str().parse::<Code>()]).collect::<Result<Vec<_>, _>>()?;
    Ok(Entry::new(archive.sources.entry_id()?, EntryKind::ReviewDone, archive.sources.now())
        .of(judgement.item.organisation.clone())
        .by(actor.id, actor.role)
        .on(STANDING_BASIS.parse().map_err(|_| VaultError::Absent { what: "the legal basis" })?)
        .about([Thing::Record(judgement.item.record)])
        .outcome(judgement.verdict.as_str().parse()?)
        .because(reasons))
}

/// The texts of an item with the flags that stand in each.
fn passages(item: Item, places: &[(FlagKind, Vec<FlagPlace>)]) -> Result<Vec<ShownPassage>, VaultError> {
    let texts = item.passages.into_iter().enumerate();
    texts
        .map(|(number, passage)| {
            let here =
                places.iter().flat_map(|(kind, places)| places.iter().map(move |place| (*kind, place)));
            let here = here.filter(|(_, place)| place.passage == number);
            let text = passage.text.expose();
            let mut flags = here
                .map(|(kind, place)| flag_in(kind, place, text))
                .collect::<Result<Vec<_>, StoreError>>()?;
            flags.sort_by_key(|flag| (flag.start, flag.kind));
            Ok(ShownPassage { role: role_word(passage.role), text: passage.text, flags })
        })
        .collect()
}

/// A place in code points; one that does not lie in the text is damage.
fn flag_in(kind: FlagKind, place: &FlagPlace, text: &str) -> Result<ShownFlag, StoreError> {
    let chars = |upto: usize| text.get(..upto).map(|before| before.chars().count());
    match (chars(place.start), chars(place.end)) {
        (Some(start), Some(end)) => Ok(ShownFlag { kind, start, end, rule: place.rule.clone() }),
        _ => Err(StoreError::Corrupt { what: "place of a flag" }),
    }
}
