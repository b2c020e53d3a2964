//! The registry: organisations with their keys, channels with their facts.

use super::{Archive, Rules, VaultError};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ChannelId, OrganisationId, Role};
use crate::store::catalogue::{Channel, ChannelFact, Fact};

/// Declares a channel. `false` when it is there already, just so.
///
/// # Errors
/// [`VaultError::Input`] when the organisation or the tree is not known, or something that must be stated is
/// not; and when a channel of that name is there that is declared otherwise: it stays as it is, and the error
/// names what differs.
pub async fn declare(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    facts: &[ChannelFact],
    by: Option<(ActorId, Role)>,
) -> Result<bool, VaultError> {
    check(archive, rules, channel, facts).await?;
    let now = archive.sources.now();
    let (log, pending) = (archive.logs.vault_origin(), entry(archive, channel, &[], by)?);
    let added = archive.catalogue.add_channel(log, channel, facts, pending, now).await?;
    archive.journal.wake();
    if !added {
        same(archive, channel, facts).await?;
    }
    Ok(added)
}

/// Declares facts of a channel that is there, each from its date on: what was declared before holds until
/// then, and behind the end of one that ends. What was decided stays as it was until it is decided anew.
///
/// # Errors
/// [`VaultError::Input`] when there is no such channel, nothing is declared or no reason given, or the tree,
/// the profile or the successor is not there; nothing is then changed.
pub async fn amend(
    archive: &Archive,
    rules: &Rules,
    id: &ChannelId,
    facts: &[ChannelFact],
    by: Option<(ActorId, Role)>,
) -> Result<(), VaultError> {
    let unknown = || {
        VaultError::Input(format!("channel `{id}` is not known; declare it with: knik channel add {id} …"))
    };
    let channel = archive.catalogue.channel(id).await?.ok_or_else(unknown)?;
    if facts.is_empty() {
        return Err(VaultError::Input(format!(
            "nothing of channel `{id}` is declared; name a fact, such as --tree scenario-b"
        )));
    }
    if facts.iter().any(|fact| fact.reason.trim().is_empty()) {
        return Err(VaultError::Input(format!("channel `{id}`: say why with --reason")));
    }
    check_facts(rules, id, facts)?;
    check_successor(archive, id, facts).await?;
    let (log, pending) = (archive.logs.vault_origin(), entry(archive, &channel, facts, by)?);
    let now = archive.sources.now();
    if !archive.catalogue.declare_facts(log, id, facts, pending, now).await? {
        return Err(unknown());
    }
    archive.journal.wake();
    Ok(())
}

/// The entry that says that a channel was declared, or which of its facts were.
fn entry(
    archive: &Archive,
    channel: &Channel,
    facts: &[ChannelFact],
    by: Option<(ActorId, Role)>,
) -> Result<Pending, VaultError> {
    let named: Result<Vec<Code>, _> = facts.iter().map(|fact| fact.fact.as_str().parse()).collect();
    let sources = &archive.sources;
    let mut entry = Entry::new(sources.entry_id()?, EntryKind::ChannelDeclared, sources.now())
        .of(channel.organisation.clone())
        .about([Thing::Channel(channel.id.clone())])
        .because(named?);
    if let Some((actor, role)) = by {
        entry = entry.by(actor, role);
    }
    Ok(Pending::event(entry)?)
}

/// Fails unless a channel that is there is declared just so: whoever declares it otherwise must not believe
/// that it holds.
async fn same(archive: &Archive, asked: &Channel, facts: &[ChannelFact]) -> Result<(), VaultError> {
    let id = &asked.id;
    let Some(there) = archive.catalogue.channel(id).await? else { return Ok(()) };
    let known = archive.catalogue.channel_facts(id).await?;
    let differs: Vec<String> = stated_otherwise(asked, &there)
        .into_iter()
        .chain(facts.iter().filter_map(|fact| held_otherwise(fact, &known)))
        .collect();
    if differs.is_empty() {
        return Ok(());
    }
    Err(VaultError::Input(format!(
        "channel `{id}` is there already, and declared otherwise: {}; nothing was changed; to declare a fact from a date: knik \
         channel declare {id} … --from DATE --reason TEXT",
        differs.join("; ")
    )))
}

/// What a channel states otherwise than it is asked to.
fn stated_otherwise(asked: &Channel, there: &Channel) -> Vec<String> {
    let words = |of: &Channel| {
        [
            ("organisation", of.organisation.to_string()),
            ("platform", of.platform.to_string()),
            ("instance", of.instance.clone()),
            ("account", of.account.clone()),
            ("kind", of.kind.clone()),
            ("purpose", of.purpose.clone()),
            ("legal basis", of.legal_basis.clone()),
            ("duty to archive", of.duty.as_str().to_owned()),
            ("source of the duty to archive", of.duty_source.clone()),
            ("DPIA reference", of.dpia.clone()),
        ]
    };
    let pairs = words(asked).into_iter().zip(words(there));
    pairs
        .filter(|(asked, there)| asked != there)
        .map(|((what, asked), (_, there))| format!("{what} `{asked}`, where `{there}` stands"))
        .collect()
}

/// Says it when a fact is not what holds in its time: the latest declaration that touches it.
fn held_otherwise(asked: &ChannelFact, known: &[ChannelFact]) -> Option<String> {
    let there = known.iter().rev().find(|known| known.fact == asked.fact && known.overlaps(asked));
    match there {
        Some(there) if there == asked => None,
        Some(there) => Some(format!("{asked}, where it is {there}")),
        None => Some(format!("{asked}, where there is none")),
    }
}

async fn check(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    facts: &[ChannelFact],
) -> Result<(), VaultError> {
    let known = archive.catalogue.organisations().await?;
    if !known.iter().any(|(id, _)| *id == channel.organisation) {
        let organisation = &channel.organisation;
        return Err(VaultError::Input(format!(
            "organisation `{organisation}` is not known; add it with: knik organisation add {organisation} --name NAME"
        )));
    }
    for (what, text) in [
        ("purpose", &channel.purpose),
        ("legal basis", &channel.legal_basis),
        ("source of the duty to archive", &channel.duty_source),
        ("DPIA reference", &channel.dpia),
        ("instance", &channel.instance),
        ("account", &channel.account),
    ] {
        if text.trim().is_empty() {
            return Err(VaultError::Input(format!("channel `{}` states no {what}", channel.id)));
        }
    }
    check_facts(rules, &channel.id, facts)
}

/// Trees and profiles must be there, and what ends must have begun.
fn check_facts(rules: &Rules, channel: &ChannelId, facts: &[ChannelFact]) -> Result<(), VaultError> {
    for fact in facts {
        if let Some(until) = fact.until.filter(|until| *until <= fact.from) {
            return Err(VaultError::Input(format!(
                "channel `{channel}`: {} ends at {until}, before it begins at {}; give a later --until",
                fact.fact, fact.from
            )));
        }
    }
    for fact in facts.iter().filter(|fact| fact.fact == Fact::Tree) {
        if !rules.trees.contains_key(&fact.value) {
            let known: Vec<&str> = rules.trees.keys().map(String::as_str).collect();
            return Err(VaultError::Input(format!(
                "tree `{}` is not known; there are: {}",
                fact.value,
                known.join(", ")
            )));
        }
    }
    for fact in facts.iter().filter(|fact| fact.fact == Fact::Profile && !rules.profiles.is_empty()) {
        if !rules.profiles.ids().any(|id| id == fact.value) {
            let known: Vec<&str> = rules.profiles.ids().collect();
            return Err(VaultError::Input(format!(
                "minimisation profile `{}` is not known; there are: {}",
                fact.value,
                known.join(", ")
            )));
        }
    }
    Ok(())
}

/// A successor is another channel that is there.
async fn check_successor(archive: &Archive, id: &ChannelId, facts: &[ChannelFact]) -> Result<(), VaultError> {
    for fact in facts.iter().filter(|fact| fact.fact == Fact::Successor) {
        let there = archive.catalogue.channels(None).await?;
        if !there.iter().any(|channel| channel.id != *id && channel.id.as_str() == fact.value) {
            return Err(VaultError::Input(format!(
                "channel `{id}`: successor `{}` is no other channel that is known; see: knik channel list",
                fact.value
            )));
        }
    }
    Ok(())
}

/// Makes an organisation known, once it has a master key; recorded as that. Nothing changes when it is known already.
///
/// # Errors
/// When storage fails.
pub async fn add_organisation(
    archive: &Archive,
    organisation: &OrganisationId,
    name: &str,
) -> Result<(), VaultError> {
    let now = archive.sources.now();
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::KeyCreated, now).of(organisation.clone());
    let (log, pending) = (archive.logs.vault_origin(), Pending::event(entry)?);
    archive.catalogue.add_organisation(log, organisation, name, pending, now).await?;
    archive.journal.wake();
    Ok(())
}
