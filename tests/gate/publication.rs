//! The public sees no record until the organisation publishes it by decision, and none after that was withdrawn.

use super::fixture::{knik, temp};
use super::stage::{actor, denials, grant, reader, reading_room, reading_room_later};
use crate::support::{TestVault, start};
use knik::access::Actor;
use knik::ledger::{Entry, EntryKind};
use knik::model::{GrantId, Role};
use knik::reading_room::{ReaderClaims, ReadingError, ReadingRoom, SearchRequest, Selection};
use knik::redact::Language;
use knik::store::room::EVERYONE;
use knik::vault::publications::{self, Publishing};
use knik::vault::{VaultError, grants};
use serde_json::{Value, json};

fn everything(organisation: &str) -> Publishing {
    Publishing {
        organisation: organisation.parse().unwrap(),
        document: "besluit openbaarmaking 2026-7".to_owned(),
        legal_basis: "woo-publication".parse().unwrap(),
        channels: Vec::new(),
        from_day: None,
        until_day: None,
        until: start().plus_seconds(86_400),
    }
}

async fn publish(vault: &TestVault, asked: Publishing, by: Option<&Actor>) -> Result<GrantId, VaultError> {
    let made = publications::publish(&vault.archive, &vault.rules, asked, by).await?;
    vault.round().await;
    Ok(made.id)
}

async fn withdraw(vault: &TestVault, id: GrantId, by: Option<&Actor>) -> Result<(), VaultError> {
    publications::withdraw(&vault.archive, &vault.rules, id, by).await?;
    vault.round().await;
    Ok(())
}

/// Everything that stands under `text`.
fn texts_of(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "text" => into.push_str(&format!(" {text}")),
                    field => texts_of(field, into),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| texts_of(one, into)),
        _ => {}
    }
}

/// How many records a list shows; `None` where there is nothing that the reader may know of.
async fn seen(room: &ReadingRoom, who: &ReaderClaims) -> Option<usize> {
    let all = Selection { most: 100, ..Selection::default() };
    match room.list(who, &all).await {
        Ok(page) => Some(page.views.len()),
        Err(ReadingError::Absent) => None,
        Err(other) => panic!("{other:?}"),
    }
}

async fn all_entries(vault: &TestVault, kind: EntryKind) -> Vec<Entry> {
    knik::vault::sequence::number(&vault.archive).await.unwrap();
    let leaves = vault.archive.journal.leaves(vault.archive.logs.vault_origin(), 0, u32::MAX).await.unwrap();
    let entries = leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap());
    entries.filter(|entry| entry.kind() == kind).collect()
}

/// Those of what is published to everyone.
async fn entries(vault: &TestVault, kind: EntryKind) -> Vec<Entry> {
    let mut entries = all_entries(vault, kind).await;
    entries.retain(|entry| entry.outcome_code().is_some_and(|code| code.to_string() == "to-everyone"));
    entries
}

#[tokio::test]
async fn the_public_sees_what_is_published_as_long_as_it_is_and_nothing_else() {
    let (vault, _) = TestVault::loaded(61).await;
    let room = reading_room(&vault);
    let public = reader("iemand", Role::Public, "burgers");
    assert_eq!(seen(&room, &public).await, None, "nothing is public of itself");
    // A grant of somebody's shows the public nothing, whoever they say they are.
    grant(&vault, "min-low", "reads").await;
    let researcher = reader("reads", Role::Researcher, "universiteit");
    let there = seen(&room, &researcher).await.unwrap();
    assert!(there > 3);
    assert_eq!(seen(&room, &reader("reads", Role::Public, "universiteit")).await, None);

    let published = publish(&vault, everything("min-low"), None).await.unwrap();
    assert_eq!(seen(&room, &public).await, Some(there));
    let page = room.list(&public, &Selection { most: 100, ..Selection::default() }).await.unwrap();
    let told = json!(page.views).to_string();
    assert!(told.contains("[persoon]") && !told.contains("\"pseudonym\""), "kinds only: {told}");
    let view = &page.views[0];
    room.record(&public, None, view.id, Language::Dutch).await.unwrap();
    let conversation = room.conversation(&public, None, view.conversation, Language::Dutch).await.unwrap();
    assert!(!conversation.is_empty());
    let mut texts = String::new();
    texts_of(&json!(page.views), &mut texts);
    let word = texts.split(|c: char| !c.is_alphabetic()).find(|word| word.len() > 6).unwrap().to_owned();
    let selection = Selection { most: 100, ..Selection::default() };
    let words = SearchRequest { words: word, selection, ..SearchRequest::default() };
    let found = room.search(&public, &words).await.unwrap().page.views.len();
    assert!(found > 0);
    assert_eq!(found, room.search(&researcher, &words).await.unwrap().page.views.len());
    // Its names are of the publication alone.
    let other = room.record(&researcher, None, view.id, Language::Dutch).await;
    assert!(matches!(other, Err(ReadingError::Absent)), "{other:?}");
    // Nobody is everyone in another role.
    let borrowed = ReaderClaims {
        issuer: EVERYONE.0.to_owned(),
        ..reader(EVERYONE.1, Role::Researcher, "universiteit")
    };
    assert_eq!(seen(&room, &borrowed).await, None);

    withdraw(&vault, published, None).await.unwrap();
    assert_eq!(seen(&room, &public).await, None);
    let gone = room.record(&public, None, view.id, Language::Dutch).await;
    assert!(matches!(gone, Err(ReadingError::Absent)), "{gone:?}");
    let gone = room.record(&public, Some(published), view.id, Language::Dutch).await;
    assert!(matches!(gone, Err(ReadingError::Absent)), "{gone:?}");
    let twice = withdraw(&vault, published, None).await;
    assert!(matches!(twice, Err(VaultError::Absent { .. })), "{twice:?}");
    assert_eq!(seen(&room, &researcher).await, Some(there), "a grant is another matter");
    assert_eq!(entries(&vault, EntryKind::RecordsPublished).await.len(), 1);
    assert_eq!(entries(&vault, EntryKind::RecordsWithdrawn).await.len(), 1);
}

#[tokio::test]
async fn a_publication_ends_covers_its_days_and_stands_beside_another_organisations() {
    let (vault, _) = TestVault::loaded(62).await;
    let room = reading_room(&vault);
    let public = reader("iemand", Role::Public, "burgers");
    let never = Publishing { until_day: Some("1999-12-31".parse().unwrap()), ..everything("min-low") };
    publish(&vault, never, None).await.unwrap();
    assert_eq!(seen(&room, &public).await, Some(0), "nothing was posted within these days");
    let hour = Publishing { until: start().plus_seconds(90_000), ..everything("dwv") };
    let theirs = publish(&vault, hour, None).await.unwrap();
    let page = room.list(&public, &Selection { most: 100, ..Selection::default() }).await.unwrap();
    assert!(!page.views.is_empty(), "the one that runs longest is shown");
    publish(&vault, everything("min-low"), None).await.unwrap();
    // Of another organisation's, too, by its name alone.
    let first = &page.views[0];
    room.record(&public, None, first.id, Language::Dutch).await.unwrap();
    room.conversation(&public, None, first.conversation, Language::Dutch).await.unwrap();
    room.record(&public, Some(theirs), first.id, Language::Dutch).await.unwrap();
    let room = reading_room_later(&vault, 90_000);
    assert_eq!(seen(&room, &public).await, None, "all of them have ended");
    let over = room.record(&public, None, first.id, Language::Dutch).await;
    assert!(matches!(over, Err(ReadingError::Absent)), "{over:?}");
}

#[tokio::test]
async fn a_publication_from_before_days_had_one_form_shows_nothing_and_is_revoked() {
    let (vault, _) = TestVault::loaded(64).await;
    let room = reading_room(&vault);
    let public = reader("iemand", Role::Public, "burgers");
    let asked = Publishing { until_day: Some("1999-12-31".parse().unwrap()), ..everything("min-low") };
    let old = publications::publish(&vault.archive, &vault.rules, asked, None).await.unwrap().id;
    // As it was stored: compared as text, nearly every day of the year is before it.
    vault.tamper("UPDATE access_grant SET selection = REPLACE(selection, '1999-12-31', '20261231')").await;
    vault.tamper("UPDATE outbox SET payload = REPLACE(payload, '1999-12-31', '20261231')").await;
    vault.round().await;
    assert_eq!(seen(&room, &public).await, Some(0), "what is no day covers nothing");
    assert_eq!(grants::revoke_not_days(&vault.archive).await.unwrap(), 1);
    assert_eq!(grants::revoke_not_days(&vault.archive).await.unwrap(), 0);
    vault.round().await;
    assert_eq!(seen(&room, &public).await, None);
    let revoked = all_entries(&vault, EntryKind::GrantRevoked).await;
    assert!(revoked.iter().any(|entry| String::from_utf8(entry.leaf()).unwrap().contains(&old.to_string())));
}

#[tokio::test]
async fn a_records_manager_of_the_organisation_publishes_and_nobody_else_does() {
    let (vault, _) = TestVault::loaded(63).await;
    let manager = actor(1, Role::RecordsManager, "min-low");
    let published = publish(&vault, everything("min-low"), Some(&manager)).await.unwrap();
    let stands = entries(&vault, EntryKind::RecordsPublished).await;
    assert_eq!(stands.len(), 1);
    let told = String::from_utf8(stands[0].leaf()).unwrap();
    assert!(told.contains("records-manager") && told.contains(&published.to_string()), "{told}");
    assert!(!told.contains("besluit"), "the document's name is not in the ledger: {told}");
    for (role, organisation) in [
        (Role::Official, "min-low"),
        (Role::DataProtectionOfficer, "min-low"),
        (Role::ChannelManager, "min-low"),
        (Role::Approver, "min-low"),
        (Role::Administrator, "min-low"),
        (Role::Researcher, "min-low"),
        (Role::Public, "min-low"),
        (Role::RecordsManager, "dwv"),
    ] {
        let other = actor(2, role, organisation);
        let before = denials(&vault).await.len();
        for refused in [
            publish(&vault, everything("min-low"), Some(&other)).await.map(drop),
            withdraw(&vault, published, Some(&other)).await,
        ] {
            let known = matches!(refused, Err(VaultError::Refused(_)));
            let absent = matches!(refused, Err(VaultError::Absent { .. }));
            assert!(known || absent, "{role} of {organisation}: {refused:?}");
            assert!(organisation == "min-low" || absent, "another organisation's cannot be known");
        }
        assert_eq!(denials(&vault).await.len(), before + 2, "both are recorded");
    }
    withdraw(&vault, published, Some(&manager)).await.unwrap();
    for wrong in [
        Publishing { until: start(), ..everything("min-low") },
        Publishing { document: " ".to_owned(), ..everything("min-low") },
        Publishing {
            from_day: Some("2026-05-04".parse().unwrap()),
            until_day: Some("2026-05-03".parse().unwrap()),
            ..everything("min-low")
        },
        Publishing { channels: vec!["no-such-channel".parse().unwrap()], ..everything("min-low") },
    ] {
        let refused = publish(&vault, wrong, Some(&manager)).await;
        assert!(matches!(refused, Err(VaultError::Input(_))), "{refused:?}");
    }
}

#[test]
fn publications_are_made_listed_and_withdrawn_on_the_command_line() {
    let temp = temp();
    let dir = temp.path().join("data");
    let run = |arguments: &[&str]| knik(&dir, arguments);
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    let add = |more: &[&str]| {
        let asked = ["publication", "add", "--organisation", "min-low", "--legal-basis", "woo-publication"];
        run(&[&asked[..], more].concat())
    };
    let whole = ["--document", "besluit 2026-7", "--until", "2099-01-01T00:00:00Z"];
    let id = add(&[&whole[..], &["--json"]].concat()).ok().json()["id"].as_str().unwrap().to_owned();
    assert!(add(&whole).ok().out.contains("is public until 2099-01-01"));
    add(&["--document", "x", "--until", "2001-01-01T00:00:00Z"]).refused(&["2001-01-01", "past"]);
    for other in ["20260306", "2026-3-6", "4 mei"] {
        add(&[&whole[..], &["--until-day", other]].concat()).refused(&["--until-day", other, "2026-05-04"]);
    }
    let listed = run(&["publication", "list"]).ok().out;
    assert!(listed.contains(&id) && listed.contains("besluit 2026-7"), "{listed}");
    assert!(run(&["publication", "withdraw", &id]).ok().out.contains(&id));
    run(&["publication", "withdraw", &id]).refused(&["not there"]);
    run(&["verify"]).ok();
}
