//! Requests of persons concerned (AVG articles 15 to 21): registered, the account proven theirs, everything of theirs found
//! on every platform without anyone browsing, answered within a month.
//!
//! Who handles a request sees how many records there are, never which: the records come together in the copy, which follows
//! the plan `data-subject`.

use super::four_eyes::{self, Person};
use super::names::Names;
use super::read::{self, nobody};
use super::{Archive, Rules, VaultError, bodies, find_index, openings, publish};
use crate::access::{Action, Actor, Denial, Resource};
use crate::capture::Account;
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    AccountProof, ItemDigest, Platform, PrivateText, RecordId, SubjectOutcome, SubjectRequestId,
    SubjectRequestKind, Timestamp,
};
use crate::store::StoreError;
use crate::store::catalogue::{FindToken, Sought};
use crate::store::subject_requests::{
    Restricted, SubjectChange, SubjectRecord, SubjectRequestRow, SubjectRequests,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use subtle::ConstantTimeEq;

/// What is registered.
#[derive(Debug)]
pub struct Registering {
    /// What is asked.
    pub kind: SubjectRequestKind,
    /// When it came in; now when absent.
    pub received_at: Option<Timestamp>,
    /// Who asks, and where they are answered.
    pub asker: PrivateText,
    /// What they said.
    pub text: PrivateText,
    /// The accounts that they say are theirs.
    pub accounts: Vec<StatedAccount>,
}

/// An account on a platform.
#[derive(Debug)]
pub struct StatedAccount {
    /// Which platform.
    pub platform: Platform,
    /// On which instance, where a platform has several.
    pub instance: Option<String>,
    /// The handle.
    pub handle: PrivateText,
}

/// A registered request, and the code that its account must show: told once, stored nowhere.
#[derive(Debug)]
pub struct Registered {
    /// The request.
    pub row: SubjectRequestRow,
    /// What the person concerned posts or sends from the account.
    pub code: String,
}

/// How much was found, by channel: authored and mentioned.
pub type FoundCounts = BTreeMap<String, (u64, u64)>;

impl Archive {
    /// The requests of persons concerned.
    #[must_use]
    pub fn subject_requests(&self) -> SubjectRequests {
        SubjectRequests::of(&self.catalogue)
    }
}

/// A request without who asks.
#[must_use]
pub fn summary(row: &SubjectRequestRow, now: Timestamp) -> Value {
    let overdue = row.closed_at.is_none() && row.due_at <= now;
    json!({
        "id": row.id, "organisation": row.organisation, "kind": row.kind, "registeredBy": row.registered_by,
        "receivedAt": row.received_at, "dueAt": row.due_at, "extendedAt": row.extended_at, "overdue": overdue,
        "proof": row.proof, "provenAt": row.proven_at, "provenBy": row.proven_by, "searchedAt": row.searched_at, "outcome": row.outcome,
        "closedAt": row.closed_at,
    })
}

/// Registers a request. The month in which it must be answered begins when it came in (article 12(3)).
///
/// # Errors
/// [`VaultError::Refused`] for who may not; [`VaultError::Input`] for what is missing.
pub async fn register(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: Registering,
) -> Result<Registered, VaultError> {
    handles(archive, rules, actor).await?;
    let now = archive.sources.now();
    let received_at = asked.received_at.unwrap_or(now);
    let accounts = accounts(archive, actor, &asked.accounts).await?;
    let mut faults = Vec::new();
    if asked.asker.expose().trim().is_empty() {
        faults.push("say who asks and where they are answered");
    }
    if asked.accounts.is_empty() {
        faults.push("name at least one account");
    }
    if accounts.is_empty() && !asked.accounts.is_empty() {
        faults.push("none of the accounts is on a platform that the organisation has a channel on");
    }
    if received_at > now {
        faults.push("`receivedAt` must not lie ahead");
    }
    if !faults.is_empty() {
        return Err(VaultError::Input(faults.join("; ")));
    }
    let id = SubjectRequestId::from_uuid(archive.sources.random_id()?);
    let code = code(archive)?;
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::SubjectRequestReceived, now)
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .about([Thing::SubjectRequest(id)])
        .outcome(asked.kind.as_str().parse()?);
    let row = SubjectRequestRow {
        id,
        organisation: actor.organisation.clone(),
        kind: asked.kind,
        entry: entry.id(),
        registered_by: actor.id,
        received_at,
        due_at: months_after(received_at, 1),
        extended_at: None,
        challenge: challenge(archive, id, &code),
        proof: None,
        proven_at: None,
        proven_by: None,
        searched_at: None,
        outcome: None,
        closed_at: None,
    };
    let text = json!({ "asker": asked.asker.expose(), "text": asked.text.expose(), "accounts": stated(&asked.accounts) });
    // An epoch does not end between the wrapping of the body's key and the commit.
    let _no_turn = archive.turning.read().await;
    let sealed = bodies::seal(archive, &row.organisation, entry.id(), &text)?;
    let pending = Pending::event(entry.committing(sealed.commitment))?;
    let log = archive.logs.vault_origin();
    let _recorded =
        archive.journal.register_subject_request(log, row.clone(), accounts, pending, sealed.body).await?;
    Ok(Registered { row, code })
}

fn stated(accounts: &[StatedAccount]) -> Vec<Value> {
    let shown = |one: &StatedAccount| json!({ "platform": one.platform, "instance": one.instance, "handle": one.handle.expose() });
    accounts.iter().map(shown).collect()
}

/// The keyed digests of the accounts, as each channel of the organisation on their platform would know them.
async fn accounts(
    archive: &Archive,
    actor: &Actor,
    stated: &[StatedAccount],
) -> Result<Vec<ItemDigest>, VaultError> {
    let channels = archive.catalogue.channels(Some(&actor.organisation)).await?;
    let mut digests = BTreeSet::new();
    for one in stated {
        let handle = one.handle.expose().trim().trim_start_matches('@');
        if handle.is_empty() {
            continue;
        }
        for channel in channels.iter().filter(|channel| channel.platform == one.platform) {
            let elsewhere =
                one.instance.as_deref().filter(|host| !host.eq_ignore_ascii_case(&channel.instance));
            let known_as = match elsewhere {
                Some(host) if !handle.contains('@') => format!("{handle}@{host}"),
                _ => handle.to_owned(),
            };
            let account = Account { handle: PrivateText::new(known_as), ..Account::default() };
            digests.insert(Names::of_channel(&archive.digests, channel).person(&account));
        }
    }
    Ok(digests.into_iter().collect())
}

/// Twelve characters that nobody guesses: without those that are taken for each other.
fn code(archive: &Archive) -> Result<String, VaultError> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567899";
    let drawn = archive.sources.secret::<12>()?;
    let letter = |byte: &u8| char::from(LETTERS.get(usize::from(byte & 31)).copied().unwrap_or(b'a'));
    Ok(format!("knik-{}", drawn.iter().map(letter).collect::<String>()))
}

fn challenge(archive: &Archive, id: SubjectRequestId, code: &str) -> ItemDigest {
    let code = code.trim().to_ascii_lowercase();
    archive.digests.digest("subject-challenge", &[id.as_bytes(), code.as_bytes()])
}

/// The same moment so many months later; on the last day of a shorter month.
fn months_after(at: Timestamp, months: i64) -> Timestamp {
    let begins = at.date();
    let ends = begins.checked_add(jiff::Span::new().months(months)).unwrap_or(begins);
    let days = ends.since(begins).map_or(30 * months, |span| i64::from(span.get_days()));
    at.plus_seconds(days * 86_400)
}

/// How it was made sure that who asks holds the account.
#[derive(Debug)]
pub struct Proving {
    /// How.
    pub proof: AccountProof,
    /// The code that stood on the account, with [`AccountProof::CodeFromAccount`].
    pub code: Option<String>,
    /// For whom the one who says so stands in, if for anyone.
    pub stands_in_for: Option<Person>,
}

/// Says how it was made sure that who asks holds the account. With [`AccountProof::CodeFromAccount`] the code that stood
/// on the account is given, and must be the one that was told.
///
/// It is said by another person than the one who registered the request, and who was told the code: nobody proves by
/// themselves that an account is somebody's, and has what is theirs.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`]; [`VaultError::Input`] for another code, or when it was proven before.
pub async fn prove(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    proving: Proving,
) -> Result<SubjectRequestRow, VaultError> {
    let row = handled(archive, rules, actor, id).await?;
    if row.registered_by == actor.id {
        let text =
            "another person than the one who registered the request makes sure that the account is theirs";
        return openings::denied(archive, actor, &Denial::by_rule("subject-request#second-person", text))
            .await;
    }
    let Proving { proof, code, stands_in_for } = proving;
    let stands_in_for = four_eyes::stand_in(archive, row.registered_by, actor, stands_in_for).await?;
    if proof == AccountProof::CodeFromAccount {
        let given = challenge(archive, id, code.as_deref().unwrap_or_default());
        if !bool::from(given.as_bytes().ct_eq(row.challenge.as_bytes())) {
            return Err(VaultError::Input(
                "that is not the code that was told: look at the account again".to_owned(),
            ));
        }
    }
    let change = SubjectChange::Proven { proof, by: actor.id, stands_in_for };
    changed(archive, actor, &row, change, proof.as_str(), None).await
}

/// Finds everything of the person concerned on every platform. The answer is counts: nobody browses.
///
/// # Errors
/// [`VaultError::Input`] before the account is proven; else as [`prove`].
pub async fn search(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
) -> Result<FoundCounts, VaultError> {
    let row = proven(archive, rules, actor, id).await?;
    let log = archive.logs.vault_origin();
    let intended = entry(archive, EntryKind::SearchIntended, actor, &row)?;
    let _recorded = archive.journal.record(log, Pending::event(intended)?, None).await?;
    let found = everything_of(archive, &row).await?;
    let authored = found.iter().filter(|one| one.author).count() as u64;
    let searched = entry(archive, EntryKind::SearchServed, actor, &row)?
        .counting("authored".parse()?, authored)
        .counting("mentioned".parse()?, found.len() as u64 - authored);
    let (pending, now) = (Pending::event(searched)?, archive.sources.now());
    moved(archive.journal.found_of_subject(log, id, found, pending, now).await)?;
    counts(archive, id).await
}

async fn everything_of(archive: &Archive, row: &SubjectRequestRow) -> Result<Vec<SubjectRecord>, VaultError> {
    let channels = archive.catalogue.channels(Some(&row.organisation)).await?;
    let Some(first) = channels.first() else { return Ok(Vec::new()) };
    let people = archive.subject_requests().accounts(row.id).await?;
    let tokens = |made: fn(&Names<'_>, ItemDigest) -> FindToken| -> Vec<FindToken> {
        let names = Names::of_channel(&archive.digests, first);
        people.iter().map(|person| made(&names, *person)).collect()
    };
    let mut found: BTreeMap<RecordId, bool> = BTreeMap::new();
    for (author, any_of) in [(false, tokens(find_index::mentioned)), (true, tokens(find_index::author))] {
        let mut after = None;
        loop {
            let sought = Sought { all_of: vec![any_of.clone()], after, most: PAGE, ..Sought::default() };
            let page = archive.catalogue.find(&row.organisation, &sought).await?;
            after = page.last().copied();
            let last = page.len() < PAGE as usize;
            found.extend(page.into_iter().map(|record| (record, author)));
            if last {
                break;
            }
        }
    }
    Ok(found.into_iter().map(|(record, author)| SubjectRecord { record, author }).collect())
}

const PAGE: u32 = 1_000;

/// How much was found, by channel.
pub(super) async fn counts(archive: &Archive, id: SubjectRequestId) -> Result<FoundCounts, VaultError> {
    let mut counts = FoundCounts::new();
    for one in archive.subject_requests().records(id).await? {
        let Some(record) = archive.catalogue.record(one.record).await? else { continue };
        let (authored, mentioned) = counts.entry(record.channel.to_string()).or_default();
        if one.author { *authored += 1 } else { *mentioned += 1 }
    }
    Ok(counts)
}

/// Restricts the processing of everything that was found (article 18), or lifts that: projections are withdrawn at once,
/// and originals open under few legal bases until then. Returns how many records are restricted.
///
/// # Errors
/// [`VaultError::Input`] before everything was found; else as [`prove`].
pub async fn restrict(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    lift: bool,
) -> Result<u64, VaultError> {
    let row = handled(archive, rules, actor, id).await?;
    if !lift && (row.proof.is_none() || row.searched_at.is_none()) {
        return Err(VaultError::Input("prove the account and find what is theirs first".to_owned()));
    }
    // What is computed anew meanwhile would not know of the restriction.
    let one_at_a_time = archive.intake.lock().await;
    let mut records = Vec::new();
    for found in archive.subject_requests().records(id).await? {
        let Some(known) = archive.catalogue.record(found.record).await? else { continue };
        let (conversation, projection) = (known.conversation, known.projection);
        records.push(Restricted { record: found.record, conversation, projection });
    }
    let kind = if lift { EntryKind::RestrictionLifted } else { EntryKind::RestrictionPlaced };
    for some in records.chunks(RECORDS_AN_ENTRY) {
        let placed = entry(archive, kind, actor, &row)?
            .about(some.iter().map(|one| Thing::Record(one.record)))
            .counting("records".parse()?, some.len() as u64);
        let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
        let pending = Pending::event(placed)?;
        let _recorded = archive.journal.restrict(log, id, some.to_vec(), lift, pending, now).await?;
    }
    drop(one_at_a_time);
    publish::take_down(archive).await?;
    Ok(archive.subject_requests().restricted(id).await?)
}

const RECORDS_AN_ENTRY: usize = 500;

/// Restricts a record again, or lifts that again, after a backup was put back. `false` when it is not here.
pub(super) async fn restrict_again(
    archive: &Archive,
    id: SubjectRequestId,
    record: RecordId,
    lift: bool,
) -> Result<bool, VaultError> {
    let Some(known) = archive.catalogue.record(record).await? else { return Ok(false) };
    let kind = if lift { EntryKind::RestrictionLifted } else { EntryKind::RestrictionPlaced };
    let again = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(known.organisation)
        .about([Thing::SubjectRequest(id), Thing::Record(record)])
        .because(["restored-backup".parse()?]);
    let one = Restricted { record, conversation: known.conversation, projection: known.projection };
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let _recorded = archive.journal.restrict(log, id, vec![one], lift, Pending::event(again)?, now).await?;
    Ok(true)
}

/// Puts the answer off by two months, once, with a reason (article 12(3)).
///
/// # Errors
/// [`VaultError::Input`] without a reason, or when it was put off before or is overdue; else as [`prove`].
pub async fn extend(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    reason: &PrivateText,
) -> Result<SubjectRequestRow, VaultError> {
    let row = handled(archive, rules, actor, id).await?;
    said(reason)?;
    let change = SubjectChange::Extended { until: months_after(row.due_at, 2) };
    changed(archive, actor, &row, change, "extended", Some(reason)).await
}

/// Closes a request with its outcome and what is answered.
///
/// # Errors
/// [`VaultError::Input`] without an answer, when it was closed before, or when it is granted to who did not prove the
/// account; else as [`prove`].
pub async fn close(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    outcome: SubjectOutcome,
    answer: &PrivateText,
) -> Result<SubjectRequestRow, VaultError> {
    let row = handled(archive, rules, actor, id).await?;
    said(answer)?;
    let grants = matches!(outcome, SubjectOutcome::Granted | SubjectOutcome::PartlyGranted);
    if grants && row.proof.is_none() {
        return Err(VaultError::Input(
            "the account was not proven to be theirs: nothing is granted".to_owned(),
        ));
    }
    changed(archive, actor, &row, SubjectChange::Closed { outcome }, outcome.as_str(), Some(answer)).await
}

fn said(text: &PrivateText) -> Result<(), VaultError> {
    let long = text.expose().trim().chars().count();
    if (10..=4_000).contains(&long) {
        return Ok(());
    }
    Err(VaultError::Input("say it in 10 to 4000 characters".to_owned()))
}

/// The requests to the actor's organisation.
///
/// # Errors
/// [`VaultError::Refused`] for who may not, or storage errors.
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    most: u32,
) -> Result<Vec<SubjectRequestRow>, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::ReadSubjectRequests, &resource).await?;
    Ok(archive.subject_requests().requests(&actor.organisation, most).await?)
}

/// One request with who asks, and how much was found.
///
/// # Errors
/// As [`list`]; [`VaultError::Absent`] for another organisation's.
pub async fn read(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
) -> Result<Value, VaultError> {
    let row = permitted(archive, rules, actor, id, Action::ReadSubjectRequests).await?;
    let mut shown = summary(&row, archive.sources.now());
    let text = bodies::read(archive, &row.organisation, row.entry).await?;
    let stated: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    let restricted = archive.subject_requests().restricted(id).await?;
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("stated".to_owned(), stated.unwrap_or(Value::Null));
        fields.insert("found".to_owned(), found_json(&counts(archive, id).await?));
        fields.insert("restricted".to_owned(), json!(restricted));
    }
    Ok(shown)
}

/// How much was found, as answered.
#[must_use]
pub fn found_json(counts: &FoundCounts) -> Value {
    let one = |(channel, (authored, mentioned)): (&String, &(u64, u64))| json!({ "channel": channel, "authored": authored, "mentioned": mentioned });
    counts.iter().map(one).collect()
}

async fn handles(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<(), VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::HandleSubjectRequest, &resource).await.map(drop)
}

/// The request, for who handles it; absent for another organisation's.
pub(super) async fn handled(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
) -> Result<SubjectRequestRow, VaultError> {
    permitted(archive, rules, actor, id, Action::HandleSubjectRequest).await
}

async fn permitted(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
    action: Action,
) -> Result<SubjectRequestRow, VaultError> {
    let own = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, action, &own).await?;
    let known = archive.subject_requests().request(id).await?;
    let absent = VaultError::Absent { what: "the request" };
    let Some(row) = known.filter(|row| row.organisation == actor.organisation) else {
        // Recorded as a refusal: it is not there, or not theirs.
        let resource = Resource::GrantFile {
            organisation: nobody(),
            requester: crate::model::ActorId::from_uuid(uuid::Uuid::nil()),
            mandate_until: None,
        };
        read::authorise(archive, rules, actor, Action::ReadOpening, &resource).await?;
        return Err(absent);
    };
    Ok(row)
}

/// The request, once the account was proven.
pub(super) async fn proven(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: SubjectRequestId,
) -> Result<SubjectRequestRow, VaultError> {
    let row = handled(archive, rules, actor, id).await?;
    if row.closed_at.is_some() {
        return Err(VaultError::Input("the request is closed".to_owned()));
    }
    if row.proof.is_none() {
        return Err(VaultError::Input("make sure first that the account is theirs".to_owned()));
    }
    Ok(row)
}

pub(super) fn entry(
    archive: &Archive,
    kind: EntryKind,
    actor: &Actor,
    row: &SubjectRequestRow,
) -> Result<Entry, VaultError> {
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(row.organisation.clone())
        .by(actor.id, actor.role)
        .about([Thing::SubjectRequest(row.id)]))
}

async fn changed(
    archive: &Archive,
    actor: &Actor,
    row: &SubjectRequestRow,
    change: SubjectChange,
    word: &str,
    text: Option<&PrivateText>,
) -> Result<SubjectRequestRow, VaultError> {
    let kind = match change {
        SubjectChange::Closed { .. } => EntryKind::SubjectRequestClosed,
        _ => EntryKind::SubjectRequestChanged,
    };
    // An epoch does not end between the wrapping of the body's key and the commit.
    let no_turn = archive.turning.read().await;
    let mut made = entry(archive, kind, actor, row)?.outcome(word.parse()?);
    let mut body = None;
    let mut words = text.map(|text| json!({ "text": text.expose() }));
    if let SubjectChange::Proven { stands_in_for: Some(person), .. } = change {
        made = made.because(["as-stand-in".parse()?]);
        words = Some(json!({ "standsInFor": person }));
    }
    if let Some(words) = words {
        let sealed = bodies::seal(archive, &row.organisation, made.id(), &words)?;
        made = made.committing(sealed.commitment);
        body = Some(sealed.body);
    }
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let pending = Pending::event(made)?;
    let written = archive.journal.change_subject_request(log, row.id, change, pending, body, now).await;
    drop(no_turn);
    moved(written)?;
    archive.subject_requests().request(row.id).await?.ok_or(VaultError::Absent { what: "the request" })
}

fn moved<T>(written: Result<T, StoreError>) -> Result<(), VaultError> {
    match written {
        Ok(_) => Ok(()),
        Err(StoreError::Moved) => Err(VaultError::Input(
            "the request is closed, overdue, or this was done before: read it again".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}
