//! A vault with its reading room in this process, and what their logs say.

use crate::support::{TestVault, rules, start};
use knik::access::Actor;
use knik::ledger::{Entry, EntryKind};
use knik::model::{ActorId, GrantId, Role};
use knik::reading_room::{ReaderClaims, ReadingRoom};
use knik::store::inbox::{Inbox, InboxWriter};
use knik::store::room::Room;
use knik::vault::grants::{Approval, approve};
use std::sync::Arc;
use uuid::Uuid;

pub const ISSUER: &str = knik::http::token::DEMO_ISSUER;

/// Someone who works for an organisation.
pub fn actor(number: u128, role: Role, organisation: &str) -> Actor {
    Actor {
        id: ActorId::from_uuid(Uuid::from_u128(number)),
        role,
        organisation: organisation.parse().unwrap(),
    }
}

/// Someone who reads, as a token says.
pub fn reader(subject: &str, role: Role, organisation: &str) -> ReaderClaims {
    ReaderClaims {
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        role,
        organisation: organisation.parse().unwrap(),
    }
}

/// A day of reading for `subject`.
pub async fn grant(vault: &TestVault, organisation: &str, subject: &str) -> GrantId {
    let approval = Approval {
        organisation: organisation.parse().unwrap(),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        purpose: "research".to_owned(),
        legal_basis: "woo-request".parse().unwrap(),
        channels: Vec::new(),
        plan: "researcher".to_owned(),
        until: start().plus_seconds(86_400),
    };
    let granted = approve(&vault.archive, &vault.rules, approval, None).await.unwrap();
    vault.round().await;
    granted.id
}

/// The reading room over what a vault published, under the vault's clock.
pub fn reading_room(vault: &TestVault) -> ReadingRoom {
    reading_room_later(vault, 0)
}

/// The same, when the vault's clock is so many seconds further.
pub fn reading_room_later(vault: &TestVault, seconds: i64) -> ReadingRoom {
    let (rules, clock) = (rules(), vault.archive.sources.clone());
    ReadingRoom::new(
        Room::new(vault.room.clone()),
        InboxWriter::start(Inbox::new(vault.inbox.clone())),
        Arc::clone(&rules.access),
        Arc::clone(&rules.plans),
        Arc::clone(&rules.exemptions),
        Arc::clone(&rules.research),
        move || clock.now().plus_seconds(seconds),
    )
}

/// Refusals that stand in the vault's log, oldest first.
pub async fn denials(vault: &TestVault) -> Vec<Entry> {
    knik::vault::sequence::number(&vault.archive).await.unwrap();
    let log = vault.archive.logs.vault_origin();
    let leaves = vault.archive.journal.leaves(log, 0, u32::MAX).await.unwrap();
    let entries = leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap());
    entries.filter(|entry| entry.kind() == EntryKind::AccessDenied).collect()
}

/// Refusals that the reading room told, oldest first, as JSON.
pub async fn room_denials(vault: &TestVault) -> Vec<serde_json::Value> {
    let arrived = Inbox::new(vault.inbox.clone()).after(0, 10_000).await.unwrap();
    let denied = arrived.iter().filter(|message| message.kind == "denied");
    denied.map(|message| serde_json::from_str(&message.payload).unwrap()).collect()
}
