//! Formal messages: an objection, an application or a complaint that came in on social media (Awb 2:3, 2:15, 6:15).
//!
//! It keeps its time of receipt until it is registered, or forwarded to the body that it is for and its sender was told.

use super::deciding::{Case, decide_after};
use super::letters::{LetterCase, digest, handles, one_line};
use super::periodic::beginning_of;
use super::{Archive, Rules, VaultError, bodies};
use crate::access::Actor;
use crate::decide::{Answer, Defined};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{OrganisationId, RecordId, Timestamp};
use crate::store::catalogue::{FormalFound, FormalHandled, FormalMessage, JudgedRecord};
use serde_json::{Value, json};

/// Which formal messages are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FormalSelection {
    /// All of them.
    All,
    /// Those with which nothing was done yet.
    #[default]
    Waiting,
    /// Those that wait beyond their time, or whose sender was not told where they went.
    Overdue,
}

impl std::str::FromStr for FormalSelection {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "all" => Ok(Self::All),
            "waiting" => Ok(Self::Waiting),
            "overdue" => Ok(Self::Overdue),
            other => Err(format!("`{other}` is no state; write all, waiting or overdue")),
        }
    }
}

/// When a message that was received then is due, by the definition that holds at `now`.
pub(super) fn due(
    rules: &Rules,
    organisation: &OrganisationId,
    received_at: Timestamp,
    now: Timestamp,
) -> Timestamp {
    let definitions = rules.definitions.in_force(Some(organisation), now);
    let days = definitions.of(Defined::Formal).map_or(14, |of| of.act_within_days());
    received_at.plus_seconds(i64::from(days) * 86_400)
}

/// What a person's answer to whether it is formal makes of a record.
pub(super) fn found(
    rules: &Rules,
    organisation: &OrganisationId,
    judged: &JudgedRecord,
    answer: Answer,
) -> FormalFound {
    // What the organisation posted itself is no message to it.
    if answer != Answer::Yes || judged.own {
        return FormalFound::No;
    }
    let (received_at, due_at) = times(rules, organisation, judged);
    FormalFound::Yes(received_at, due_at)
}

fn times(rules: &Rules, organisation: &OrganisationId, judged: &JudgedRecord) -> (Timestamp, Timestamp) {
    let received_at = judged.posted_at.unwrap_or(judged.captured_at);
    (received_at, due(rules, organisation, received_at, judged.captured_at))
}

/// The formal messages of the actor's organisation, the longest waiting first.
///
/// # Errors
/// As [`read::authorise`](super::read::authorise).
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: FormalSelection,
) -> Result<Vec<FormalMessage>, VaultError> {
    handles(archive, rules, actor).await?;
    let now = archive.sources.now();
    let mut found = archive.catalogue.formal_messages(&actor.organisation, None, now).await?;
    found.retain(|message| match asked {
        FormalSelection::All => true,
        FormalSelection::Waiting => message.state == "waiting",
        FormalSelection::Overdue => message.overdue,
    });
    Ok(found)
}

/// The formal messages that were registered under a case.
///
/// # Errors
/// As [`list`]; [`VaultError::Input`] when a field is empty.
pub async fn find(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    case: &LetterCase,
) -> Result<Vec<FormalMessage>, VaultError> {
    handles(archive, rules, actor).await?;
    let digest = digest(archive, &actor.organisation, case)?;
    Ok(archive.catalogue.formal_messages(&actor.organisation, Some(digest), archive.sources.now()).await?)
}

/// One formal message, with the case number under which it was registered.
///
/// # Errors
/// As [`list`]; [`VaultError::Absent`] when this organisation has no such message.
pub async fn one(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
) -> Result<Value, VaultError> {
    handles(archive, rules, actor).await?;
    let all = archive.catalogue.formal_messages(&actor.organisation, None, archive.sources.now()).await?;
    let message = all.into_iter().find(|message| message.record == record);
    let message = message.ok_or(VaultError::Absent { what: "the formal message" })?;
    let text = match archive.catalogue.formal_entry(record).await? {
        Some(entry) => bodies::read(archive, &actor.organisation, entry).await?,
        None => None,
    };
    let mut shown = json!(message);
    let case: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    if let (Some(fields), Some(case)) = (shown.as_object_mut(), case) {
        fields.insert("case".to_owned(), case);
    }
    Ok(shown)
}

/// Notes that a message was registered under a case, and that its sender was told, if that was done.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such record for this person; [`VaultError::Input`] when something was done with it
/// before, or a field is empty.
pub async fn register(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    case: &LetterCase,
    sender_told: Option<jiff::civil::Date>,
) -> Result<(), VaultError> {
    let to = Where::Registered(case);
    handle(archive, rules, actor, record, to, sender_told).await
}

/// Notes that a message was forwarded to another body, and that its sender was told, if that was done.
///
/// # Errors
/// As [`register`].
pub async fn forward(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    to: &str,
    sender_told: Option<jiff::civil::Date>,
) -> Result<(), VaultError> {
    handle(archive, rules, actor, record, Where::Forwarded(to), sender_told).await
}

/// Notes that the sender was told where a message went; the first time stands.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such record for this person; [`VaultError::Input`] when nothing was done with it
/// yet.
pub async fn tell(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    on: jiff::civil::Date,
) -> Result<(), VaultError> {
    handles(archive, rules, actor).await?;
    let _one_at_a_time = archive.intake.lock().await;
    let owner = archive.catalogue.holder(record).await?;
    owner.filter(|of| of == &actor.organisation).ok_or(VaultError::Absent { what: "the record" })?;
    let pending = Pending::event(entry(archive, actor, record, "sender-told")?)?;
    let log = archive.logs.vault_origin();
    let done = archive.catalogue.tell_sender(log, record, beginning_of(on)?, pending).await?;
    if done.is_some() {
        archive.journal.wake();
        return Ok(());
    }
    let known = archive.catalogue.formal_messages(&actor.organisation, None, archive.sources.now()).await?;
    let told = known.iter().any(|message| message.record == record && message.sender_told_at.is_some());
    told.then_some(()).ok_or_else(|| VaultError::Input("register or forward the message first".to_owned()))
}

enum Where<'a> {
    Registered(&'a LetterCase),
    Forwarded(&'a str),
}

async fn handle(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    to: Where<'_>,
    sender_told: Option<jiff::civil::Date>,
) -> Result<(), VaultError> {
    handles(archive, rules, actor).await?;
    // The record is not destroyed meanwhile. The intake comes before the keys in the order of locks.
    let _one_at_a_time = archive.intake.lock().await;
    let case = Case::of(archive, &actor.organisation, record).await?;
    if case.judged.own {
        return Err(VaultError::Input(
            "the organisation posted this itself; it is no message to it".to_owned(),
        ));
    }
    let (received_at, due_at) = times(rules, &actor.organisation, &case.judged);
    let (done, registered, forwarded_to) = match to {
        Where::Registered(case) => {
            let digest = digest(archive, &actor.organisation, case)?;
            ("registered", Some((one_line("the system", &case.system)?, digest)), None)
        }
        Where::Forwarded(to) => ("forwarded", None, Some(one_line("to whom it was forwarded", to)?)),
    };
    let handled = FormalHandled {
        record,
        received_at,
        due_at,
        done,
        case: registered,
        forwarded_to,
        actor: actor.id,
        role: actor.role,
        sender_told_at: sender_told.map(beginning_of).transpose()?,
    };
    let no_turn = archive.turning.read().await;
    let mut entry = entry(archive, actor, record, done)?;
    let mut body = None;
    if let Where::Registered(case) = to {
        let text = json!({ "caseNumber": case.number.expose() });
        let sealed = bodies::seal(archive, &actor.organisation, entry.id(), &text)?;
        entry = entry.committing(sealed.commitment);
        body = Some(sealed.body);
    }
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let written = archive.catalogue.handle_formal(log, &handled, Pending::event(entry)?, body, now).await?;
    drop(no_turn);
    if written.is_none() {
        return same_as_before(archive, actor, &handled).await;
    }
    archive.journal.wake();
    decide_after(archive, rules).await;
    Ok(())
}

/// What was done before and is said once more changes nothing; anything else is refused.
async fn same_as_before(archive: &Archive, actor: &Actor, handled: &FormalHandled) -> Result<(), VaultError> {
    let case = handled.case.as_ref().map(|(_, digest)| *digest);
    let now = archive.sources.now();
    let known = archive.catalogue.formal_messages(&actor.organisation, case, now).await?;
    let same = known.iter().any(|message| {
        message.record == handled.record
            && message.state == handled.done
            && message.forwarded_to == handled.forwarded_to
    });
    let mend = || VaultError::Input("the message was registered or forwarded before; that stands".to_owned());
    same.then_some(()).ok_or_else(mend)
}

fn entry(archive: &Archive, actor: &Actor, record: RecordId, outcome: &str) -> Result<Entry, VaultError> {
    let (sources, kind) = (&archive.sources, EntryKind::FormalMessageHandled);
    Ok(Entry::new(sources.entry_id()?, kind, sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .about([Thing::Record(record)])
        .outcome(outcome.parse()?))
}
