//! A matter told from the logs: a request for copies, a request to open originals, a request of a person concerned.
//!
//! Read from the vault's own logs or from exported ones: the same entries give the same story, and it cites them by number.

use super::verify::plane_of;
use super::{Archive, Rules, VaultError, read, sequence};
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Matter, Pending, Placed, Sentence, Thing, story};
use crate::model::{GrantId, OrganisationId, RequestId, SubjectRequestId};
use crate::store::log_source::{LogSource, StoredLog};
use serde_json::{Value, json};
use uuid::Uuid;

/// A story, and whose it is.
#[derive(Debug)]
pub struct Told {
    /// The organisations that its entries name.
    pub of: Vec<OrganisationId>,
    /// Its sentences, in the order of time.
    pub sentences: Vec<Sentence>,
}

impl Told {
    /// As it is answered: each sentence in both languages, with the entries it was made of.
    #[must_use]
    pub fn to_json(&self, id: Uuid) -> Value {
        let sentence = |one: &Sentence| {
            let entries: Vec<Value> = one
                .entries
                .iter()
                .map(|(log, first, last)| json!({ "log": log, "first": first, "last": last }))
                .collect();
            json!({ "at": one.at, "text": { "nl": one.nl, "en": one.en }, "entries": entries, "cited": one.cited() })
        };
        json!({ "id": id, "sentences": self.sentences.iter().map(sentence).collect::<Vec<_>>() })
    }
}

/// Leaves read at a time.
const LEAVES_AT_ONCE: u32 = 4_096;

/// The story of a grant, a request for copies, a request to open originals, or a request of a person concerned: whichever
/// has this id. `logs` are planes and where each log lies.
///
/// # Errors
/// [`VaultError::Absent`] when no entry is about it; when a log cannot be read.
pub async fn of_logs(logs: &[(&str, &dyn LogSource)], id: Uuid) -> Result<Told, VaultError> {
    let mut matter = Matter::of([
        Thing::Grant(GrantId::from_uuid(id)),
        Thing::Request(RequestId::from_uuid(id)),
        Thing::SubjectRequest(SubjectRequestId::from_uuid(id)),
    ]);
    // In the first round it is learnt what belongs together, in the second the entries are gathered.
    let mut found = Vec::new();
    for round in 0..2 {
        for (plane, log) in logs {
            let mut from = 0;
            loop {
                let leaves = log.leaves(from, LEAVES_AT_ONCE).await?;
                let Some((last, _)) = leaves.last() else { break };
                from = last + 1;
                for (place, leaf) in &leaves {
                    let may = std::str::from_utf8(leaf).is_ok_and(|text| matter.may_hold(text));
                    let Some(entry) = may.then(|| Entry::parse(leaf).ok()).flatten() else { continue };
                    matter.learn(&entry);
                    if round == 1 && matter.holds(&entry) {
                        found.push(Placed { log: (*plane).to_owned(), place: *place, entry });
                    }
                }
            }
        }
    }
    if found.is_empty() {
        return Err(VaultError::Absent { what: "an entry about it" });
    }
    let mut of: Vec<OrganisationId> =
        found.iter().filter_map(|placed| placed.entry.organisation().cloned()).collect();
    of.sort();
    of.dedup();
    Ok(Told { of, sentences: story(found) })
}

/// The story of a matter from the vault's own logs: what is recorded by now is numbered first.
///
/// # Errors
/// As [`of_logs`].
pub async fn of(archive: &Archive, rules: &Rules, id: Uuid) -> Result<Told, VaultError> {
    sequence::take_up(archive, rules).await?;
    sequence::number(archive).await?;
    let origins = archive.logs.keys().map(|key| key.verifier().origin());
    let stored = origins.map(|origin| StoredLog { journal: &archive.journal, origin });
    let logs: Vec<(&str, &dyn LogSource)> =
        stored.iter().map(|log| (plane_of(log.origin), log as &dyn LogSource)).collect();
    of_logs(&logs, id).await
}

/// The story of a matter of the own organisation, for the officer who checks. That it was told is recorded.
///
/// # Errors
/// [`VaultError::Absent`] also for a matter of another organisation; [`VaultError::Refused`] for who may not.
pub async fn for_officer(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: Uuid,
) -> Result<Told, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::ReadRegister, &resource).await?;
    let told = of(archive, rules, id).await?;
    if told.of.iter().any(|of| *of != actor.organisation) {
        return Err(VaultError::Absent { what: "an entry about it" });
    }
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::ViewServed, archive.sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .counting("story".parse()?, 1);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(told)
}
