//! Destruction: what goes, what stays, and what old copies are worth.

use super::fixture::*;
use crate::intake::disclosure::{actor, entries};
use crate::support::TestVault;
use knik::detect::Participants;
use knik::ledger::EntryKind;
use knik::model::{OrganisationId, PrivateText, RecordId, Role, SegmentId};
use knik::seal::{KeyError, MasterKeyring, WrappedSegmentKey};
use knik::vault::formal::register;
use knik::vault::letters::{self, LetterCase, NewLink};
use knik::vault::verify::{Trust, verify};
use knik::vault::{VaultError, publish};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;
use std::fs;
use uuid::Uuid;

/// A place that is like no other number in a file.
const PLACE: i64 = 0x004a_3f9c_21d7_5e1b;

/// Puts something to look for wherever a place in a record, or a word on it, may stand.
async fn planted(vault: &TestVault, record: RecordId) {
    let id = record.uuid().simple();
    let of = format!("(SELECT id FROM version WHERE record = X'{id}')");
    let number = format!("(SELECT number FROM record_row WHERE id = X'{id}')");
    let path = |word: &str| format!(r#"[{{"step":"question","evidence":[{{"rule":"{word}"}}]}}]"#);
    let (now, before) = (path("kanarie-besluit"), path("kanarie-eerder"));
    for statement in [
        format!(
            "INSERT INTO correction (version, passage, start_at, end_at, act, entity, actor, made_at) \
             SELECT id, 0, {PLACE}, {PLACE} + 1, 'add', 'KANARIE_PLEK', X'00', 1 FROM version WHERE record = X'{id}'"
        ),
        format!(
            "INSERT INTO report (id, organisation, channel, record, version, access_grant, reporter, kind, passage, received_at) \
             SELECT X'01', 'min-low', 'low-mastodon', X'{id}', id, X'00', X'00', 'name-visible', {PLACE} + 2, 1 FROM version \
             WHERE record = X'{id}'"
        ),
        format!(
            "UPDATE version_row SET path = '{now}', salt = CAST('kanarie-zout' AS BLOB) WHERE record = {number}"
        ),
        format!(
            "INSERT INTO decision_before (record, version, outcome, tree, tree_version, path, decided_at, ending, salt, replaced_at) \
             SELECT X'{id}', id, 'archive', 't', '1', '{before}', 1, '', CAST('kanarie-korrel' AS BLOB), 2 FROM version \
             WHERE id IN {of}"
        ),
        format!(
            "INSERT INTO missed (projection, record, organisation, cause, found_at) \
             VALUES (X'02', X'{id}', 'min-low', 'kanarie-gemist', 1)"
        ),
    ] {
        let done =
            sqlx::query(AssertSqlSafe(statement)).execute(vault.archive.catalogue.database().write()).await;
        assert!(done.unwrap().rows_affected() > 0);
    }
}

#[tokio::test]
async fn what_people_and_trees_said_of_places_and_what_was_sealed_with_letters_goes_too() {
    let (vault, _) = TestVault::loaded(1).await;
    let (low, registrar) = (low(), actor(Role::RecordsManager, LOW));
    let all = vault.archive.catalogue.records(&low, None, None, 1_000).await.unwrap();
    let own: BTreeSet<Vec<u8>> =
        column(&vault, "SELECT id FROM record WHERE own = 1").await.into_iter().collect();
    let mut others = all.iter().map(|one| one.id).filter(|id| !own.contains(id.uuid().as_bytes().as_slice()));
    let (record, other) = (others.next().unwrap(), others.next().unwrap());
    let case = |number: &str| LetterCase { system: "brieven".to_owned(), number: PrivateText::from(number) };
    for (of, number) in [(record, "B-1"), (other, "B-2")] {
        let link = NewLink {
            record: of,
            case: case(number),
            registered_on: "2026-03-09".parse().unwrap(),
            registrar: PrivateText::from("R. Voorbeeld"),
            taken_over: "kanarie-overname".to_owned(),
            confirmed: None,
        };
        letters::link(&vault.archive, &vault.rules, &registrar, link).await.unwrap();
        register(&vault.archive, &vault.rules, &registrar, of, &case(number), None).await.unwrap();
    }
    vault.round().await;
    planted(&vault, record).await;
    let bodies = "SELECT b.body FROM ledger_body b JOIN (SELECT entry, record FROM letter UNION ALL SELECT entry, record \
                  FROM formal_message) e ON e.entry = b.id JOIN record r ON r.id = e.record ORDER BY e.record";
    let sealed = column(&vault, bodies).await;
    assert_eq!(sealed.len(), 4, "of both, as a letter and as a formal message");
    // Its end is the same under another epoch; the key before it is wrapped anew.
    let end = |body: &Vec<u8>| body[body.len() - 40..].to_vec();
    let whose = column(&vault, "SELECT record FROM letter ORDER BY record").await;
    let first = usize::from(whose[0] != record.uuid().as_bytes().as_slice()) * 2;
    let (gone, kept): (Vec<_>, Vec<_>) =
        sealed.iter().map(end).enumerate().partition(|(n, _)| (first..first + 2).contains(n));
    let mut canaries: Vec<Vec<u8>> = gone.into_iter().map(|(_, body)| body).collect();
    let words = [
        "KANARIE_PLEK",
        "kanarie-besluit",
        "kanarie-zout",
        "kanarie-eerder",
        "kanarie-korrel",
        "kanarie-gemist",
    ];
    canaries.extend(words.iter().map(|word| word.as_bytes().to_vec()));
    canaries.extend([PLACE, PLACE + 2].map(|place| place.to_be_bytes()[1..].to_vec()));
    for canary in &canaries {
        assert!(
            !holding(vault.folder(), canary).is_empty(),
            "{} is planted",
            String::from_utf8_lossy(canary)
        );
    }
    destroyed(&vault, &low, &[record]).await.unwrap();
    assert_eq!(turned(&vault).await, 1);
    for canary in &canaries {
        let left = holding(vault.folder(), canary);
        assert_eq!(left, Vec::<std::path::PathBuf>::new(), "{}", String::from_utf8_lossy(canary));
    }
    for (_, body) in &kept {
        assert!(!holding(vault.folder(), body).is_empty(), "what belongs to another record stays");
    }
    let sound = verify(&vault.archive, &Trust::of(&vault.archive), &|_, _| {}).await.unwrap();
    assert_eq!(sound.first_wrong, None, "the entries stand");
    assert!(vault.archive.catalogue.decisions(record).await.is_ok(), "that it was decided on can be read");
}

/// Fragments that one layout names. What stands around records is named by each of them, by an id that says nothing.
async fn named_once(vault: &TestVault) -> BTreeSet<Vec<u8>> {
    column(vault, "SELECT id FROM fragment WHERE kind <> 'around'").await.into_iter().collect()
}

/// Rows of the key table: fragment, wrapped key, segment.
async fn fragments(vault: &TestVault) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let ids = column(vault, "SELECT id FROM fragment ORDER BY id").await;
    let keys = column(vault, "SELECT wrapped_key FROM fragment ORDER BY id").await;
    let segments = column(
        vault,
        "SELECT s.id FROM fragment f JOIN segment s ON s.number = f.segment_number ORDER BY f.id",
    )
    .await;
    ids.into_iter().zip(keys).zip(segments).map(|((id, key), segment)| (id, key, segment)).collect()
}

#[tokio::test]
async fn of_a_destroyed_record_nothing_is_left_and_every_other_opens() {
    let (vault, _) = TestVault::loaded(1).await;
    let low = low();
    let (before, closed) = originals(&vault, &low).await;
    assert!(before.len() > 20 && closed.is_empty());
    // A record that is read, with words of its own in its projection.
    let summaries = vault.archive.catalogue.records(&low, None, None, 1_000).await.unwrap();
    let mut chosen = None;
    for summary in &summaries {
        if let Some(document) = vault.archive.room.document(summary.projection).await.unwrap() {
            chosen = chosen.or(Some((summary.clone(), document)));
        }
    }
    let (chosen, document) = chosen.unwrap();
    // Its longest text as it is stored: between two signs that JSON writes otherwise.
    let said = document.split(['"', '\\']).max_by_key(|piece| piece.len()).unwrap();
    assert!(said.len() > 40, "{document}");
    let (keys_before, published) = (fragments(&vault).await, vault.archive.room.count().await.unwrap());
    let named_once = named_once(&vault).await;
    let segment_keys = segment_rows(&vault).await;
    let names = column(&vault, "SELECT digest FROM name ORDER BY digest").await;
    let sealed: Vec<_> = files(&vault.folder().join("segments"))
        .into_iter()
        .map(|file| (fs::read(&file).unwrap(), file))
        .collect();

    assert!(
        !holding(vault.folder(), said.as_bytes()).is_empty(),
        "what is looked for is found while it is there"
    );
    assert!(!holding(vault.folder(), &keys_before[0].1).is_empty());

    let done = destroyed(&vault, &low, &[chosen.id]).await.unwrap();
    assert!(done.records == 1 && done.fragments >= 1 && done.segments >= 1, "{done:?}");
    assert_eq!(turned(&vault).await, 1, "the epoch ends");
    assert_eq!(turned(&vault).await, 0, "once");

    let (after, closed) = originals(&vault, &low).await;
    assert_eq!(closed, [], "every surviving record opens");
    let mut expected = before.clone();
    expected.remove(&chosen.id);
    assert_eq!(after, expected, "byte for byte");
    for (bytes, file) in &sealed {
        assert_eq!(&fs::read(file).unwrap(), bytes, "no segment changes");
    }
    assert_eq!(vault.archive.room.document(chosen.projection).await.unwrap(), None);
    assert_eq!(vault.archive.room.count().await.unwrap(), published - 1);

    // Nothing of it in any file: neither its keys, nor the rows that had them, nor the words that were read.
    let left: BTreeSet<Vec<u8>> = fragments(&vault).await.into_iter().map(|(id, ..)| id).collect();
    let gone: Vec<_> = keys_before.iter().filter(|(id, ..)| !left.contains(id)).collect();
    assert_eq!(gone.len() as u64, done.fragments);
    let databases: Vec<_> =
        files(vault.folder()).into_iter().filter(|f| f.parent() == Some(vault.folder())).collect();
    assert!(databases.iter().any(|file| file.ends_with("vault.db")));
    for (id, wrapped, _) in &gone {
        assert_eq!(holding(vault.folder(), wrapped), Vec::<std::path::PathBuf>::new(), "a wrapped key");
        for file in databases.iter().filter(|_| named_once.contains(id)) {
            assert!(!find(&fs::read(file).unwrap(), id), "{} knows the fragment", file.display());
        }
    }
    let touched: BTreeSet<&Vec<u8>> = gone.iter().map(|(_, _, segment)| segment).collect();
    for (id, wrapped) in &segment_keys {
        // The turn wraps all of the organisation's anew; those touched are other keys besides.
        let found = holding(vault.folder(), wrapped.as_bytes());
        assert_eq!(found, Vec::<std::path::PathBuf>::new(), "the old key of segment {id}");
    }
    for (_, wrapped, segment) in keys_before.iter().filter(|(id, ..)| left.contains(id)) {
        let stays = !touched.contains(segment);
        assert_eq!(
            !holding(vault.folder(), wrapped).is_empty(),
            stays,
            "survivors of a segment are wrapped anew"
        );
    }
    let names_left = column(&vault, "SELECT digest FROM name ORDER BY digest").await;
    let removed: Vec<_> = names.iter().filter(|name| !names_left.contains(name)).collect();
    assert!(!removed.is_empty());
    for name in removed {
        assert_eq!(holding(vault.folder(), name), Vec::<std::path::PathBuf>::new(), "a name");
    }
    assert_eq!(holding(vault.folder(), said.as_bytes()), Vec::<std::path::PathBuf>::new(), "what was read");

    let said = entries(&vault, 0).await;
    let kinds: Vec<EntryKind> = said.iter().map(|entry| entry.kind()).collect();
    assert!(kinds.contains(&EntryKind::RecordsDestroyed) && kinds.contains(&EntryKind::KeyDestroyed));
    let sound = verify(&vault.archive, &Trust::of(&vault.archive), &|_, _| {}).await.unwrap();
    assert_eq!(sound.first_wrong, None);
}

#[tokio::test]
async fn an_old_copy_of_the_database_opens_nothing_with_todays_keys() {
    let (vault, _) = TestVault::loaded(1).await;
    let low = low();
    let record = records(&vault, &low).await[3];
    let (old_fragments, old_segments) = (fragments(&vault).await, segment_rows(&vault).await);
    destroyed(&vault, &low, &[record]).await.unwrap();
    let keyring = || vault.keys().keyring().unwrap();
    // Until the epoch has ended a copy still opens: that is why it ends.
    let (id, wrapped) = &old_segments[0];
    assert!(keyring().unwrap_segment_key(&low, *id, wrapped).is_ok());
    turned(&vault).await;
    let todays = keyring();
    for (id, wrapped) in &old_segments {
        let refused = todays.unwrap_segment_key(&low, *id, wrapped).unwrap_err();
        assert!(matches!(refused, KeyError::NoEpoch { .. }), "{refused}");
    }
    for (id, wrapped) in segment_rows(&vault).await {
        assert!(todays.unwrap_segment_key(&low, id, &wrapped).is_ok());
    }
    assert!(old_fragments.len() > fragments(&vault).await.len());
    // Whoever still has the old epoch's file opens the copy: so long as it is kept, nothing is destroyed.
    assert_eq!(vault.archive.keyring.epochs(&low).len(), 1);
}

async fn segment_rows(vault: &TestVault) -> Vec<(SegmentId, WrappedSegmentKey)> {
    let of = "SELECT s.id FROM segment s JOIN capture c ON c.id = s.capture WHERE c.organisation = 'min-low' ORDER BY s.id";
    let keys = "SELECT s.wrapped_key FROM segment s JOIN capture c ON c.id = s.capture \
                WHERE c.organisation = 'min-low' ORDER BY s.id";
    let ids =
        column(vault, of).await.into_iter().map(|id| SegmentId::from_uuid(Uuid::from_slice(&id).unwrap()));
    let keys = column(vault, keys).await;
    ids.zip(keys)
        .filter(|(_, key)| !key.is_empty())
        .map(|(id, key)| (id, WrappedSegmentKey::from_bytes(&key).unwrap()))
        .collect()
}

#[tokio::test]
async fn only_records_that_are_there_and_ones_own_are_destroyed() {
    let (vault, _) = TestVault::loaded(1).await;
    let low = low();
    let (own, others) = (records(&vault, &low).await[0], records(&vault, &"dwv".parse().unwrap()).await[0]);
    let before = vault.archive.catalogue.counts().await.unwrap();
    for wrong in [vec![], vec![own, others], vec![own, RecordId::from_uuid(Uuid::from_u128(1))]] {
        let refused = destroyed(&vault, &low, &wrong).await.unwrap_err();
        assert!(matches!(refused, VaultError::Absent { .. }), "{refused}");
    }
    assert_eq!(vault.archive.catalogue.counts().await.unwrap(), before, "nothing was destroyed");
    destroyed(&vault, &low, &[own]).await.unwrap();
    let twice = destroyed(&vault, &low, &[own]).await.unwrap_err();
    assert!(matches!(twice, VaultError::Absent { .. }), "what is destroyed is not there");
}

#[tokio::test]
async fn with_the_last_record_of_a_batch_everything_of_it_goes() {
    let (vault, channels) = TestVault::demo(1).await;
    let low = low();
    let demo = channels.iter().find(|demo| demo.channel.organisation == low).unwrap();
    vault.ingest(&demo.channel, &demo.captures[0].path).await.unwrap();
    let all = records(&vault, &low).await;
    destroyed(&vault, &low, &all).await.unwrap();
    turned(&vault).await;
    assert_eq!(fragments(&vault).await, [], "no fragment has a key");
    let counts = vault.archive.catalogue.counts().await.unwrap();
    assert!(counts.segments > 0 && counts.records == all.len() as u64, "that there were is known");
    assert!(column(&vault, "SELECT wrapped_key FROM segment").await.iter().all(Vec::is_empty));
    assert_eq!(column(&vault, "SELECT digest FROM capture WHERE digest IS NOT NULL").await.len(), 0);
    assert_eq!(column(&vault, "SELECT digest FROM subject").await.len(), 0, "nobody is known any more");
    let sound = verify(&vault.archive, &Trust::of(&vault.archive), &|_, _| {}).await.unwrap();
    assert_eq!(sound.first_wrong, None);
    // Computing what is left anew fails on nothing.
    publish::refresh_stale(&vault.archive, &vault.rules).await.unwrap();
}

#[tokio::test]
async fn a_quote_stays_as_long_as_a_record_that_embeds_it() {
    let (vault, channels) = TestVault::demo(1).await;
    let low = low();
    let demo = channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    // A post that quotes another: both are records, and the quote's bytes stand in the other's.
    let text = fs::read_to_string(&demo.captures[0].path).unwrap();
    let statuses: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut plain =
        statuses.into_iter().find(|s| s["reblog"].is_null() && s["visibility"] == "public").unwrap();
    let mut quoted = plain.clone();
    let named = |status: &mut serde_json::Value, id: &str, words: &str| {
        status["id"] = id.into();
        status["uri"] = format!("https://social.example/statuses/{id}").into();
        status["url"] = status["uri"].clone();
        status["content"] = format!("<p>{words}</p>").into();
        status["in_reply_to_id"] = serde_json::Value::Null;
    };
    named(&mut quoted, "9001", "woorden van het citaat");
    named(&mut plain, "9002", "woorden eromheen");
    plain["reblog"] = serde_json::Value::Null;
    let mut boost = plain.clone();
    named(&mut boost, "9003", "");
    boost["account"]["display_name"] = "Wie Het Doorgaf".into();
    boost["reblog"] = quoted.clone();
    let file = serde_json::to_vec(&serde_json::json!([plain, boost])).unwrap();
    vault.ingest_bytes(&demo.channel, &file).await.unwrap();
    vault.round().await;
    assert_eq!(records(&vault, &low).await.len(), 2);
    // What the boost says around the post it passes on goes with that post.
    let around = column(&vault, "SELECT id FROM fragment WHERE kind = 'around'").await;
    assert_eq!(around.len(), 1);
    let quote = record_with(&vault, &low, "woorden van het citaat").await;
    destroyed(&vault, &low, &[quote]).await.unwrap();
    assert!(column(&vault, "SELECT id FROM fragment WHERE kind = 'around'").await.is_empty());
    let (left, closed) = originals(&vault, &low).await;
    assert_eq!((left.len(), closed.len()), (1, 0));
    assert!(
        !column(&vault, "SELECT id FROM fragment WHERE kind = 'residue'").await.is_empty(),
        "a record is left"
    );
}

/// A post of one conversation, as X's API v2 gives it. The names are invented, and in no list.
fn post(id: &str, author: (&str, &str, &str), text: &str) -> Vec<u8> {
    let (native, handle, name) = author;
    serde_json::json!({
        "data": [{
            "id": id, "text": text, "author_id": native, "conversation_id": "8001", "lang": "nl",
            "created_at": format!("2026-04-05T10:00:0{}.000Z", &id[3..]), "edit_history_tweet_ids": [id],
        }],
        "includes": {"users": [{"id": native, "username": handle, "name": name, "protected": false}]},
    })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn a_name_that_only_a_destroyed_record_told_is_not_read_in_what_others_said() {
    let (vault, channels) = TestVault::demo(1).await;
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap().channel;
    // No recogniser knows it for a name: that it is one is told by its being the author's alone.
    let first = ("77", "qwoltarp", "qwoltarp zwemvlies");
    let said = "qwoltarp zwemvlies heeft gelijk, hoe laat opent de balie?";
    let nobody = Participants::of(&[]);
    assert_eq!(vault.rules.ruleset.detect_among(said, &nobody), []);
    for capture in [
        post("8001", first, "Hoe laat opent de balie?"),
        post("8002", ("78", "regenton", "Regenton Omega"), said),
    ] {
        vault.ingest_bytes(channel, &capture).await.unwrap();
    }
    vault.round().await;
    let dwv: OrganisationId = "dwv".parse().unwrap();
    let read = async || {
        let mut read = Vec::new();
        for record in vault.archive.catalogue.records(&dwv, None, None, 10).await.unwrap() {
            read.extend(vault.archive.room.document(record.projection).await.unwrap());
        }
        read
    };
    let before = read().await;
    assert_eq!(before.len(), 2);
    assert!(before.iter().any(|document| document.contains("heeft gelijk")));
    assert!(!before.concat().contains("qwoltarp"), "{before:?}");

    let opened = originals(&vault, &dwv).await.0;
    let is_first = |bytes: &[u8]| !String::from_utf8_lossy(bytes).contains("heeft gelijk");
    let doomed: Vec<RecordId> =
        opened.iter().filter(|(_, bytes)| is_first(bytes)).map(|(record, _)| *record).collect();
    assert_eq!(doomed.len(), 1);
    destroyed(&vault, &dwv, &doomed).await.unwrap();
    turned(&vault).await;
    // Someone else answers: the conversation is computed anew, without the destroyed record's author.
    let later = post("8003", ("79", "grindpad", "Grindpad Sigma"), "Wanneer opent de balie dan?");
    vault.ingest_bytes(channel, &later).await.unwrap();
    for _ in 0..2 {
        vault.round().await;
        let after = read().await;
        assert!(!after.concat().contains("qwoltarp"), "{after:?}");
        assert_eq!(after.len(), 1, "what names somebody unknown is withheld, the rest is read: {after:?}");
        assert!(after[0].contains("Wanneer opent de balie dan?"));
        let stale = vault.archive.catalogue.records(&dwv, None, None, 1).await.unwrap()[0].conversation;
        publish::refresh(&vault.archive, &vault.rules, stale).await.unwrap();
    }
}
