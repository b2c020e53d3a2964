//! Requests for redacted copies: what researchers hand in through the reading room is taken up here; approvers ask, approve
//! under a mandate, or refuse; the grant begins when its conditions are accepted, and ends with its term.
//!
//! Every step stands in the ledger (codes and ids), and what the researcher may see of it goes down in the transaction
//! that takes it.

mod letter;
mod steps;

pub use letter::{DecisionLetter, decision_letter};

use super::appointments::mandate_until;
use super::grants::channels_of;
use super::reach::{self, Reach};
use super::{Archive, Rules, VaultError, read};
use crate::access::grant_file::{Content, Form, Limits, Selection, after, is_researchers};
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{
    ActorId, ChannelId, OrganisationId, RequestId, RequestState, RequestStep, Role, Timestamp,
};
use crate::redact::{CopyForm, query_tokens};
use crate::store::StoreError;
use crate::store::catalogue::{RequestRow, RequestStepRow, Said};
use crate::store::inbox::{Arrived, HandedIn};
use crate::store::room::PublishedSelection;
use letter::letter_of;
use serde::Serialize;
use serde_json::json;
use steps::{Step, take};

/// A request with everything that happened to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestFile {
    /// The request.
    #[serde(flatten)]
    pub request: RequestRow,
    /// Its steps.
    pub steps: Vec<RequestStepRow>,
    /// The digest of what is decided on: an approval names it.
    pub digest: String,
}

/// A request in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedRequest {
    /// The request.
    #[serde(flatten)]
    pub request: RequestRow,
    /// The digest of what is decided on: an approval names it.
    pub digest: String,
}

/// A step that an approver takes.
#[derive(Debug, Clone)]
pub struct Deciding {
    /// Which.
    pub step: RequestStep,
    /// The question, the motivation, the reason.
    pub text: String,
    /// Conditions beside those of the basis.
    pub conditions: Vec<String>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// The digest of the request as it was read. It must be given to approve or extend, but by whoever holds the data folder; where
    /// it is given, nothing is decided on a request that says something else by now.
    pub digest: Option<String>,
}

/// Takes up a step that a researcher took in the reading room. One that does not follow on where the request stands by now,
/// or is of a request of somebody else, changes nothing but the cursor, and is an incident: the reading room had checked.
///
/// # Errors
/// When storage fails: it is taken up again later.
pub async fn take_up(archive: &Archive, rules: &Rules, message: &Arrived) -> Result<(), VaultError> {
    let taken = match serde_json::from_str::<HandedIn>(&message.payload) {
        Ok(step) => hand_in(archive, rules, &step, Some(message.seq)).await,
        Err(_) => Err(VaultError::Input("a step of a request that is not understood".to_owned())),
    };
    match taken {
        Ok(_) => Ok(()),
        Err(VaultError::Input(_) | VaultError::Absent { .. }) => {
            let entry = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentOpened, message.at)
                .outcome("request-step-refused".parse()?);
            let log = archive.logs.room_origin();
            Ok(archive.journal.take_up(log, vec![Pending::event(entry)?], &[], message.seq).await?)
        }
        Err(error) => Err(error),
    }
}

/// Takes a researcher's step: as it came from the reading room, or on their behalf on the command line.
///
/// # Errors
/// [`VaultError::Input`] when the step does not follow on where the request stands; [`VaultError::Absent`] when there is no
/// such request of this person.
pub async fn hand_in(
    archive: &Archive,
    rules: &Rules,
    handed: &HandedIn,
    message: Option<i64>,
) -> Result<RequestRow, VaultError> {
    let (catalogue, now) = (&archive.catalogue, archive.sources.now());
    let fresh = ActorId::from_uuid(archive.sources.random_id()?);
    let actor = catalogue.actor(&handed.issuer, &handed.subject, fresh, now).await?;
    let known = catalogue.request(handed.request).await?;
    if !is_researchers(handed.step) {
        return Err(VaultError::Input(format!("step `{}` is not the researcher's to take", handed.step)));
    }
    let before = known.as_ref().map(|known| known.state);
    let mut request = match (known, &handed.content) {
        (Some(known), _) if known.requester == actor => known,
        (Some(_), _) => return Err(VaultError::Absent { what: "a request of this person" }),
        (None, Some(content)) if handed.step == RequestStep::Write => RequestRow {
            id: handed.request,
            organisation: content.organisation.clone(),
            requester: actor,
            state: RequestState::Draft,
            content: content.clone(),
            grant: None,
            created_at: now,
            changed_at: now,
        },
        (None, _) => return Err(VaultError::Absent { what: "a request of this person" }),
    };
    request.state = next(request.state, handed.step)?;
    if let Some(content) = &handed.content {
        if content.organisation != request.organisation {
            return Err(VaultError::Input(
                "a request stays with the organisation that it was made to".to_owned(),
            ));
        }
        request.content = content.clone();
    }
    let said = Said { text: handed.text.clone(), until: handed.until, ..Said::default() };
    let who = (handed.issuer.clone(), handed.subject.clone());
    let actor = Some((actor, Role::Researcher));
    let step = Step { step: handed.step, actor, said, message, seen_at: None };
    take(archive, rules, request, before, step, who).await
}

/// Takes an approver's step; nobody decides on the command line but whoever holds the data folder.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`] for whoever may not; [`VaultError::Input`] when the step does not follow
/// on where the request stands, a text is missing, or the request does not hold together.
pub async fn decide(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: RequestId,
    deciding: Deciding,
) -> Result<RequestRow, VaultError> {
    let known = archive.catalogue.request(id).await?;
    authorise(archive, rules, by, known.as_ref(), Action::ApproveGrant).await?;
    let mut request = known.ok_or(VaultError::Absent { what: "the request" })?;
    if is_researchers(deciding.step) || deciding.step == RequestStep::End {
        return Err(VaultError::Input(format!("step `{}` is not an approver's to take", deciding.step)));
    }
    if deciding.text.trim().is_empty() {
        return Err(VaultError::Input(format!(
            "step `{}` needs a text: the question or the motivation",
            deciding.step
        )));
    }
    let (before, seen_at) = (request.state, request.changed_at);
    request.state = next(before, deciding.step)?;
    as_read(archive, &request, before, by, &deciding).await?;
    let mut said = Said {
        text: deciding.text,
        conditions: deciding.conditions,
        until: deciding.until,
        letter: String::new(),
    };
    match deciding.step {
        RequestStep::Approve => {
            if let Some(why) = request.content.selection.not_days().first() {
                let ask = "ask the researcher to write the request anew";
                return Err(VaultError::Input(format!("the selection covers nothing: {why}; {ask}")));
            }
            said.until = Some(approved_until(archive, rules, &request.content, said.until)?)
        }
        RequestStep::Extend => {
            still_runs(archive, &request).await?;
            let latest = approved_until(archive, rules, &request.content, None)?;
            let asked = asked_extension(archive, id).await?.and_then(|step| step.said.until);
            said.until = Some(said.until.or(asked).unwrap_or(latest).min(latest));
        }
        _ => {}
    }
    if matches!(deciding.step, RequestStep::Approve | RequestStep::Refuse) {
        said.letter = letter_of(archive, rules, &request, deciding.step, &said).await?;
    }
    let who = person(archive, request.requester).await?;
    let actor = by.map(|by| (by.id, by.role));
    let step = Step { step: deciding.step, actor, said, message: None, seen_at: Some(seen_at) };
    take(archive, rules, request, Some(before), step, who).await
}

/// What is decided on is what was read: a request may be written anew in answer to a question, and another time be asked for.
async fn as_read(
    archive: &Archive,
    request: &RequestRow,
    before: RequestState,
    by: Option<&Actor>,
    deciding: &Deciding,
) -> Result<(), VaultError> {
    let Some(given) = &deciding.digest else {
        let needed = by.is_some() && matches!(deciding.step, RequestStep::Approve | RequestStep::Extend);
        let step = deciding.step;
        let mend = "read the request, then decide on what you read, with the digest that it has there";
        return match needed {
            true => Err(VaultError::Input(format!("step `{step}` needs `digest`: {mend}"))),
            false => Ok(()),
        };
    };
    if digest(archive, request, before).await? == given.to_ascii_lowercase() {
        return Ok(());
    }
    Err(VaultError::Input(
        "the digest is not that of the request as it stands: it was changed since, or the digest is of another; read the \
         request anew, then decide on what you read"
            .to_owned(),
    ))
}

/// A grant is extended before its end: after that what it named is gone, and copies are asked for anew.
async fn still_runs(archive: &Archive, request: &RequestRow) -> Result<(), VaultError> {
    let now = archive.sources.now();
    if let Some(grant) = request.grant
        && archive.catalogue.grant_in_force(grant, now).await?
    {
        return Ok(());
    }
    Err(VaultError::Input(
        "the grant is over, and what it named is gone: have the researcher make a new request".to_owned(),
    ))
}

/// The keyed digest of what is decided on: who asks, what the request says, and the time that is asked for where that waits.
async fn digest(archive: &Archive, request: &RequestRow, state: RequestState) -> Result<String, VaultError> {
    let content =
        serde_json::to_string(&request.content).map_err(|_| StoreError::Corrupt { what: "request" })?;
    let asked = match state {
        RequestState::ExtensionAsked => asked_extension(archive, request.id).await?,
        _ => None,
    };
    let asked = asked.map(|step| json!([step.number, step.said]).to_string()).unwrap_or_default();
    let parts: [&[u8]; 5] = [
        request.id.as_bytes(),
        request.organisation.as_str().as_bytes(),
        request.requester.as_bytes(),
        content.as_bytes(),
        asked.as_bytes(),
    ];
    Ok(hex::encode(archive.digests.digest("access-request", &parts).as_bytes()))
}

/// One request with its steps, for those who may see it.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn file(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: RequestId,
) -> Result<RequestFile, VaultError> {
    let known = archive.catalogue.request(id).await?;
    authorise(archive, rules, by, known.as_ref(), Action::ReadGrantFile).await?;
    let request = known.ok_or(VaultError::Absent { what: "the request" })?;
    let digest = digest(archive, &request, request.state).await?;
    Ok(RequestFile { steps: archive.catalogue.request_steps(id).await?, request, digest })
}

/// What a request would touch, for those who may see it.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn reach(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: RequestId,
) -> Result<Reach, VaultError> {
    let known = archive.catalogue.request(id).await?;
    authorise(archive, rules, by, known.as_ref(), Action::ReadGrantFile).await?;
    reach::of(archive, rules, &known.ok_or(VaultError::Absent { what: "the request" })?).await
}

/// The requests to an organisation that are handed in, those that changed last first.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
) -> Result<Vec<ListedRequest>, VaultError> {
    if let Some(actor) = by {
        let registry = Resource::Registry { organisation: actor.organisation.clone() };
        read::authorise(archive, rules, actor, Action::ListGrants, &registry).await?;
    }
    let mut all = archive.catalogue.requests(by.map(|actor| &actor.organisation)).await?;
    // A draft is the researcher's own.
    all.retain(|request| request.state != RequestState::Draft);
    let mut listed = Vec::with_capacity(all.len());
    for request in all {
        let digest = digest(archive, &request, request.state).await?;
        listed.push(ListedRequest { request, digest });
    }
    Ok(listed)
}

/// Ends the requests whose grant is over or was revoked. Returns how many.
///
/// # Errors
/// When storage fails; the next round goes on.
pub async fn lapse(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    let (now, mut done) = (archive.sources.now(), 0);
    let running = archive.catalogue.requests_with_grant().await?;
    for request in running {
        let Some(id) = request.grant else { continue };
        let holds = archive.catalogue.grant_in_force(id, now).await?;
        if holds {
            continue;
        }
        let before = request.state;
        let mut ended = request;
        ended.state = next(before, RequestStep::End)?;
        let who = person(archive, ended.requester).await?;
        let said = Said::default();
        let step = Step { step: RequestStep::End, actor: None, said, message: None, seen_at: None };
        take(archive, rules, ended, Some(before), step, who).await?;
        done += 1;
    }
    Ok(done)
}

fn next(state: RequestState, step: RequestStep) -> Result<RequestState, VaultError> {
    after(state, step).map_err(|not_now| VaultError::Input(not_now.to_string()))
}

/// Who may see or decide: of a request that is not there it is asked as of one to an organisation that owns nothing.
async fn authorise(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    known: Option<&RequestRow>,
    action: Action,
) -> Result<(), VaultError> {
    let Some(actor) = by else { return Ok(()) };
    let organisation = known.map_or_else(OrganisationId::nobody, |request| request.organisation.clone());
    let mut requester = known.map_or(ActorId::from_uuid(uuid::Uuid::nil()), |request| request.requester);
    // Who reads under it approves it as little as who asked.
    if action == Action::ApproveGrant
        && let Some(request) = known
        && is_of_team(archive, request, actor.id).await?
    {
        requester = actor.id;
    }
    let named: Vec<ChannelId> =
        known.map(|request| request.content.selection.channels.iter().cloned().collect()).unwrap_or_default();
    let channels = channels_of(archive, &organisation, &named).await.unwrap_or(named);
    let mandate_until = mandate_until(archive, actor.id, &organisation, &channels).await?;
    let resource = Resource::GrantFile { organisation, requester, mandate_until };
    read::authorise(archive, rules, actor, action, &resource).await.map(drop)
}

/// Whether somebody made a request, or is of the team for which it was made.
pub(super) async fn is_of_team(
    archive: &Archive,
    request: &RequestRow,
    actor: ActorId,
) -> Result<bool, VaultError> {
    if request.requester == actor {
        return Ok(true);
    }
    let known = archive.catalogue.person_behind(actor).await?;
    let is = |(issuer, subject): &(String, String)| {
        request.content.team.iter().any(|member| member.issuer == *issuer && member.subject == *subject)
    };
    Ok(known.as_ref().is_some_and(is))
}

/// Until when a grant may run: as asked or approved, and no longer than the basis allows. What was asked must hold together
/// now, by the lists in force.
fn approved_until(
    archive: &Archive,
    rules: &Rules,
    content: &Content,
    wanted: Option<Timestamp>,
) -> Result<Timestamp, VaultError> {
    let now = archive.sources.now();
    let form = copy_form(content.form);
    let plans = |plan: &str| rules.plans.offers(plan, form);
    let without_end = Content { until: None, ..content.clone() };
    let problems = without_end.problems(&rules.research, &plans, Limits::default(), now);
    if !problems.is_empty() {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Err(VaultError::Input(format!("the request does not hold together: {}", told.join("; "))));
    }
    let days = rules.research.find(&content.legal_basis).map_or(0, |basis| basis.lasts_days());
    let latest = now.plus_seconds(i64::from(days) * 86_400);
    match wanted.or(content.until) {
        Some(until) if until <= now => {
            Err(VaultError::Input(format!("it would end at {until}, which is past")))
        }
        Some(until) if until > latest => Err(VaultError::Input(format!(
            "`{}` allows {days} days: until {latest} at most",
            content.legal_basis
        ))),
        Some(until) => Ok(until),
        None => Ok(latest),
    }
}

/// The step with which more time was asked for last.
async fn asked_extension(archive: &Archive, id: RequestId) -> Result<Option<RequestStepRow>, VaultError> {
    let steps = archive.catalogue.request_steps(id).await?;
    Ok(steps.into_iter().rfind(|step| step.step == RequestStep::AskExtension))
}

async fn person(archive: &Archive, actor: ActorId) -> Result<(String, String), VaultError> {
    let known = archive.catalogue.person_behind(actor).await?;
    known.ok_or(VaultError::Absent { what: "the person who asks" })
}

/// A selection as the reading room applies it: words by its own rule, conversations by their own ids. A name of a
/// conversation that no grant of the researcher has now selects nothing.
pub(super) async fn selection(
    archive: &Archive,
    requester: ActorId,
    asked: &Selection,
) -> Result<PublishedSelection, VaultError> {
    let (named, now) = (&asked.conversations, archive.sources.now());
    let mut conversations = archive.room.conversations_named(requester, named, now).await?;
    if conversations.is_empty() && !asked.conversations.is_empty() {
        conversations.insert(crate::model::ConversationId::from_uuid(uuid::Uuid::nil()));
    }
    Ok(PublishedSelection {
        from: asked.from.clone(),
        until: asked.until.clone(),
        conversations,
        words: asked.words.iter().flat_map(|word| query_tokens(word)).collect(),
    })
}

/// The form of a request, as redaction plans name it.
#[must_use]
pub const fn copy_form(form: Form) -> CopyForm {
    match form {
        Form::View => CopyForm::View,
        Form::Export => CopyForm::Export,
    }
}
