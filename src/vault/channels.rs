//! The registry: organisations with their keys, channels with their facts.

use super::{Archive, Rules, VaultError};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, OrganisationId, Role};
use crate::store::catalogue::{Channel, ChannelFact, Fact};

/// Declares a channel. `false` when one of that name is there already, which stays as it is.
///
/// # Errors
/// [`VaultError::Input`] when the organisation or the tree is not known, or something that must be stated is not.
pub async fn declare(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    facts: &[ChannelFact],
    by: Option<(ActorId, Role)>,
) -> Result<bool, VaultError> {
    check(archive, rules, channel, facts).await?;
    let now = archive.sources.now();
    let mut entry = Entry::new(archive.sources.entry_id()?, EntryKind::ChannelDeclared, now)
        .of(channel.organisation.clone())
        .about([Thing::Channel(channel.id.clone())]);
    if let Some((actor, role)) = by {
        entry = entry.by(actor, role);
    }
    let (log, pending) = (archive.logs.vault_origin(), Pending::event(entry)?);
    let added = archive.catalogue.add_channel(log, channel, facts, pending, now).await?;
    archive.journal.wake();
    Ok(added)
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
