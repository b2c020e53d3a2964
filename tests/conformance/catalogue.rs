//! What is known: together or not at all, by date, and never less than before.

use super::fixture::*;
use super::stage::Stage;
use crate::support::start;
use knik::model::{
    ChannelId, ConversationId, ItemKind, Outcome, RecordId, SegmentId, SubjectRef, VersionId, Visibility,
};
use knik::store::StoreError;
use knik::store::catalogue::{
    Batch, CaptureState, Catalogue, ChannelFact, Counts, Fact, NameRow, RecordRow, SubjectRow, VersionRow,
    Withheld,
};
use knik::store::database::Plane;
use knik::store::journal::Journal;

fn record(n: u128) -> RecordId {
    RecordId::from_uuid(id(n))
}

fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(id(n))
}

async fn committed(catalogue: &Catalogue, batch: Batch) {
    let pending = batch.pending.len();
    assert_eq!(catalogue.commit(&log(), batch).await.unwrap().len(), pending);
}

pub async fn organisations_and_channels_keep_what_was_declared_first(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    assert!(!organised(&catalogue, &organisation(), "Another name").await);
    assert!(organised(&catalogue, &"rws".parse().unwrap(), "Rijkswaterstaat").await);
    let known = catalogue.organisations().await.unwrap();
    assert_eq!(known[0], (organisation(), "Binnenlandse Zaken".to_owned()));
    assert_eq!(known.len(), 2);
    let mut other = channel();
    other.account = "Changed".to_owned();
    assert!(!declared(&catalogue, &other, &[]).await.unwrap());
    assert_eq!(catalogue.channel(&channel().id).await.unwrap(), Some(channel()));
    let of = |name: &str| name.parse().unwrap();
    assert_eq!(catalogue.channels(Some(&of("rws"))).await.unwrap(), []);
    assert_eq!(catalogue.channels(Some(&organisation())).await.unwrap(), [channel()]);
    other.id = "nobody-s".parse().unwrap();
    other.organisation = of("unknown");
    assert!(declared(&catalogue, &other, &[]).await.is_err(), "a channel of nobody's");
    assert_eq!(catalogue.channel(&other.id).await.unwrap(), None);
}

pub async fn facts_hold_by_date(stage: &Stage) {
    let catalogue = Catalogue::new(stage.open(Plane::Vault).await);
    assert!(organised(&catalogue, &organisation(), "Binnenlandse Zaken").await);
    let fact = |fact, value: &str, from, until: Option<i64>| ChannelFact {
        fact,
        value: value.to_owned(),
        from: at(from),
        until: until.map(at),
        reason: "decided; \"quoted\" 'twice' %_".to_owned(),
    };
    let given = [
        fact(Fact::Official, "no", 0, Some(100)),
        fact(Fact::Official, "yes", 100, None),
        fact(Fact::Tree, "scenario-b", 50, Some(60)),
        fact(Fact::Successor, "bzk-mastodon", 500, None),
    ];
    assert!(declared(&catalogue, &channel(), &given).await.unwrap());
    let read = catalogue.channel_facts(&channel().id).await.unwrap();
    let mut expected = given.to_vec();
    expected.sort_by_key(|fact| fact.from);
    assert_eq!(read, expected);
    let held = |what, seconds| {
        let held: Vec<&str> = read
            .iter()
            .filter(|f| f.fact == what && f.held_at(at(seconds)))
            .map(|f| f.value.as_str())
            .collect();
        held
    };
    assert_eq!(held(Fact::Official, -1), Vec::<&str>::new());
    assert_eq!(held(Fact::Official, 0), ["no"]);
    assert_eq!(held(Fact::Official, 99), ["no"]);
    assert_eq!(held(Fact::Official, 100), ["yes"]);
    assert_eq!(held(Fact::Tree, 59), ["scenario-b"]);
    assert_eq!(held(Fact::Tree, 60), Vec::<&str>::new());
    let none: ChannelId = "other".parse().unwrap();
    assert_eq!(catalogue.channel_facts(&none).await.unwrap(), []);
}

pub async fn a_batch_is_visible_as_a_whole(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    committed(&catalogue, batch(2)).await;
    let expected = Counts {
        records: 1,
        versions: 1,
        captures: 1,
        segments: 1,
        fragments: 1,
        stale_conversations: 1,
        outbox: 1,
    };
    assert_eq!(catalogue.counts().await.unwrap(), expected);
    let summary = catalogue.record(record(2)).await.unwrap().unwrap();
    assert_eq!(
        (summary.kind, summary.outcome, summary.withheld),
        (ItemKind::Reaction, Outcome::Archive, None)
    );
    assert_eq!(catalogue.decisions(record(2)).await.unwrap().len(), 1);
    assert_eq!(catalogue.outcomes(&organisation()).await.unwrap(), [(Outcome::Archive, 1)]);
    let places = catalogue.originals(&[record(2), record(9)]).await.unwrap();
    assert_eq!(places.len(), 1, "a record that is not there is absent");
    assert_eq!((places[0].format.as_str(), places[0].parts.as_slice()), ("x_api_v2", [1, 0, 0].as_slice()));
    let segment = catalogue.segment(SegmentId::from_uuid(id(2))).await.unwrap().unwrap();
    assert_eq!((segment.size_bytes, segment.digest, segment.organisation), (1000, [2; 32], organisation()));
    assert_eq!(catalogue.fragments_of_segment(segment.id).await.unwrap().len(), 1);
    let page = catalogue.records(&organisation(), None, None, 10).await.unwrap();
    assert_eq!(page.iter().map(|summary| summary.id).collect::<Vec<_>>(), [record(2)]);
    assert!(catalogue.records(&organisation(), Some(Outcome::Refer), None, 10).await.unwrap().is_empty());
    assert!(catalogue.records(&organisation(), None, Some(record(2)), 10).await.unwrap().is_empty());
}

pub async fn a_batch_that_fails_anywhere_leaves_nothing(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    committed(&catalogue, batch(2)).await;
    let tables = [
        "segment",
        "fragment",
        "record",
        "name",
        "version",
        "decision",
        "subject",
        "stale_conversation",
        "outbox",
        "flag",
        "journal_pending",
    ];
    let before = dump(&db, &tables).await;
    type Break = fn(&mut Batch);
    let table: [(&str, Break); 6] = [
        ("the segment is there already", |b| b.segment.as_mut().unwrap().id = SegmentId::from_uuid(id(2))),
        ("a fragment of a segment that is not there", |b| {
            b.fragments.push(fragment(8, SegmentId::from_uuid(id(99))))
        }),
        ("the record is there already", |b| b.records[0].id = RecordId::from_uuid(id(2))),
        ("the projection is another record's", |b| {
            b.records[0].projection = super::fixture::batch(2).records[0].projection
        }),
        ("the version is there already", |b| b.versions[0].id = VersionId::from_uuid(id(2))),
        ("the last ledger entry is there already", |b| b.pending.push(step(2))),
    ];
    for (what, break_it) in table {
        let mut broken = batch(3);
        broken.names.push(NameRow { withheld: Some("deleted"), ..name(2, None, None) });
        broken.merged = vec![(conversation(3), conversation(2))];
        break_it(&mut broken);
        assert!(catalogue.commit(&log(), broken).await.is_err(), "{what}");
        assert_eq!(dump(&db, &tables).await, before, "{what}");
    }
    committed(&catalogue, batch(3)).await;
    let numbered = Journal::new(db.clone()).sequence(&log_key("vault")).await.unwrap();
    assert_eq!(numbered, 2, "the entries of the two batches that were committed, and no other");
}

pub async fn names_are_completed_and_never_lose_what_is_known(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let only = |names| Batch { names, ..empty() };
    // A reply comes before what it answers: the parent's name is known with its thread alone.
    committed(&catalogue, only(vec![name(5, None, Some(50))])).await;
    assert_eq!(catalogue.known(&[digest(5)]).await.unwrap()[&digest(5)].conversation, Some(conversation(50)));
    let mut parent = batch(7);
    parent.records[0].conversation = conversation(50);
    parent.names.clear();
    committed(&catalogue, parent).await;
    committed(&catalogue, only(vec![name(5, Some(7), None)])).await;
    let known = catalogue.known(&[digest(5), digest(6)]).await.unwrap();
    assert_eq!(known.len(), 1, "a name that is not known is absent");
    assert_eq!(
        (known[&digest(5)].record, known[&digest(5)].conversation),
        (Some(record(7)), Some(conversation(50)))
    );
    committed(&catalogue, only(vec![NameRow { withheld: Some("deleted"), ..name(5, None, None) }])).await;
    let merged = vec![(conversation(51), conversation(50))];
    committed(&catalogue, Batch { merged, ..only(vec![name(5, Some(8), Some(51))]) }).await;
    let known = catalogue.known(&[digest(5)]).await.unwrap()[&digest(5)];
    assert_eq!(known.record, Some(record(7)), "a name stays with its record");
    assert_eq!(known.conversation, Some(conversation(51)), "a thread may turn out to be another");
    assert_eq!(known.withheld, Some(Withheld::Deleted), "what was deleted stays deleted");
    let many: Vec<_> = (0..=255).map(digest).collect();
    assert_eq!(catalogue.known(&many).await.unwrap().len(), 1);
    assert!(catalogue.known(&[]).await.unwrap().is_empty());
}

pub async fn a_deletion_reaches_a_record_that_was_there_before(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    committed(&catalogue, batch(2)).await;
    committed(&catalogue, batch(3)).await;
    let gone = NameRow { withheld: Some("superseded"), ..name(2, None, None) };
    committed(&catalogue, Batch { names: vec![gone], ..empty() }).await;
    let withheld = |n| {
        let catalogue = catalogue.clone();
        async move { catalogue.record(record(n)).await.unwrap().unwrap().withheld }
    };
    assert_eq!(withheld(2).await.as_deref(), Some("superseded"));
    assert_eq!(withheld(3).await, None);
    assert!(catalogue.members(conversation(2)).await.unwrap()[0].withheld);
}

pub async fn versions_stand_beside_each_other_and_one_is_in_force(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    committed(&catalogue, batch(2)).await;
    let edited =
        VersionRow { replaces: true, edited_at: Some(at(90)), outcome: Outcome::Refer, ..version_row(12, 2) };
    let older = version_row(13, 2);
    let decided = vec![decision(2, 12), decision(2, 13)];
    committed(&catalogue, Batch { versions: vec![edited, older], decisions: decided, ..empty() }).await;
    // The same version once more is no version more.
    committed(
        &catalogue,
        Batch { versions: vec![VersionRow { digest: digest(12), ..version_row(14, 2) }], ..empty() },
    )
    .await;
    assert_eq!(catalogue.counts().await.unwrap().versions, 3);
    let known = catalogue.known_versions(&[record(2)]).await.unwrap();
    assert_eq!(known, [2, 12, 13].map(|n| (record(2), digest(n))).into());
    let in_force = catalogue.in_force(&[record(2)]).await.unwrap()[&record(2)];
    assert_eq!((in_force.edited_at, in_force.visibility), (Some(at(90)), Visibility::Public));
    let members = catalogue.members(conversation(2)).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!((members[0].version, members[0].versions), (VersionId::from_uuid(id(12)), 3));
    assert_eq!(catalogue.record(record(2)).await.unwrap().unwrap().outcome, Outcome::Refer);
    assert_eq!(catalogue.decisions(record(2)).await.unwrap().len(), 3);
}

pub async fn conversations_that_turn_out_to_be_one_are_joined(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let person = |n| SubjectRow {
        conversation: conversation(n),
        digest: digest(200),
        reference: SubjectRef::from_u32(7),
    };
    for n in [2, 3, 4] {
        let RecordRow { posted_at, .. } = batch(n).records.remove(0);
        let mut one = Batch { subjects: vec![person(n)], ..batch(n) };
        // Posted in the opposite order: 4 first.
        one.records[0].posted_at = posted_at.map(|t| t.plus_seconds(-i64::try_from(n).unwrap()));
        committed(&catalogue, one).await;
    }
    committed(&catalogue, Batch { merged: vec![(conversation(3), conversation(2))], ..empty() }).await;
    let of = |n| {
        let catalogue = catalogue.clone();
        async move {
            let members = catalogue.members(conversation(n)).await.unwrap();
            members.into_iter().map(|member| member.record).collect::<Vec<_>>()
        }
    };
    assert_eq!(of(3).await, [record(3), record(2)], "in the order of posting");
    assert_eq!((of(2).await, of(4).await), (vec![], vec![record(4)]));
    assert_eq!(catalogue.known(&[digest(2)]).await.unwrap()[&digest(2)].conversation, Some(conversation(3)));
    assert!(
        catalogue.subjects(conversation(2)).await.unwrap().is_empty(),
        "references are of one conversation"
    );
    assert_eq!(catalogue.subjects(conversation(3)).await.unwrap().len(), 1);
    let mut stale = catalogue.stale_conversations(start(), 10).await.unwrap();
    stale.sort();
    assert_eq!(stale, [conversation(3), conversation(4)]);
    let later = catalogue.stale_conversations(start().plus_seconds(1), 10).await.unwrap();
    assert_eq!(later.last(), Some(&conversation(2)), "what was taken in is emptied last");
}

pub async fn captures_are_known_by_their_bytes_once_they_are_whole(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let capture = knik::model::CaptureId::from_uuid(id(1));
    let (there, read) = (channel().id, Some((digest(1), "default 1")));
    let same = |channel: &ChannelId, of: u8, under: &'static str| {
        let (catalogue, channel) = (&catalogue, channel.clone());
        async move { catalogue.same_capture(&channel, digest(of), under).await.unwrap() }
    };
    assert_eq!(same(&there, 1, "default 1").await, None);
    assert_eq!(catalogue.resume(at(0)).await.unwrap(), 1);
    assert_eq!(catalogue.resume(at(0)).await.unwrap(), 0);
    catalogue.close_capture(capture, CaptureState::Interrupted, read, 10).await.unwrap();
    assert_eq!(same(&there, 1, "default 1").await, None, "it was not whole");
    catalogue.close_capture(capture, CaptureState::Complete, read, 10).await.unwrap();
    assert_eq!(same(&there, 1, "default 1").await, Some(capture));
    assert_eq!(same(&there, 1, "default 2").await, None, "another version of the profile may let in more");
    assert_eq!(same(&there, 2, "default 1").await, None);
    assert_eq!(same(&"other".parse().unwrap(), 1, "default 1").await, None);
    let twice = catalogue.open_capture(capture, &organisation(), &channel().id, "x_api_v2", start()).await;
    assert!(matches!(twice, Err(StoreError::Database { .. })));
}

pub async fn what_was_put_off_is_due_after_a_restart_whatever_the_clock_says(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    committed(&catalogue, Batch { stale: vec![conversation(1)], ..batch(1) }).await;
    catalogue.postpone_stale(conversation(1), at(86_400)).await.unwrap();
    assert_eq!(catalogue.stale_conversations(at(60), 10).await.unwrap(), []);
    assert_eq!(catalogue.resume(at(0)).await.unwrap(), 1, "the capture of the batch is open");
    assert_eq!(catalogue.stale_conversations(at(60), 10).await.unwrap(), [conversation(1)]);
}

/// Rows as they were before digests were cut and segments had numbers: nothing that was known is known no longer.
pub async fn what_was_known_before_digests_were_cut_is_known(stage: &Stage) {
    let old = stage.first_schema(Plane::Vault).await;
    let (uuid, bytes) = (|n: u8| stage.bytes(&[n; 16]), |n: u8| stage.bytes(&[n; 32]));
    let run = |sql: String| {
        let old = old.clone();
        async move { sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&old).await.unwrap() }
    };
    run("INSERT INTO organisation (id, name, created_at) VALUES ('bzk', 'BZK', 0)".to_owned()).await;
    run("INSERT INTO channel (id, organisation, platform, instance, account, kind, purpose, legal_basis, duty, duty_source, dpia, created_at) VALUES ('bzk-x', 'bzk', 'x', 'x.com', 'bzk', 'corporate', '', '', 'yes', '', '', 0)".to_owned()).await;
    run(format!("INSERT INTO capture (id, organisation, channel, format, state, digest, size_bytes, received_at) VALUES ({}, 'bzk', 'bzk-x', 'x_api_v2', 'complete', {}, 9, 0)", uuid(1), bytes(90))).await;
    run(format!("INSERT INTO segment (id, capture, wrapped_key, master_key, size_bytes, digest) VALUES ({}, {}, {}, 'bzk', 9, {})", uuid(2), uuid(1), bytes(91), bytes(92))).await;
    run(format!("INSERT INTO fragment (id, segment, kind, wrapped_key, place, size_bytes, ranges) VALUES ({}, {}, 'own', {}, 28, 61, {})", uuid(3), uuid(2), bytes(93), stage.bytes(&[0; 16]))).await;
    run(format!("INSERT INTO record (id, organisation, channel, conversation, kind, visibility, own, version, projection, outcome) VALUES ({}, 'bzk', 'bzk-x', {}, 'reaction', 'public', 0, {}, {}, 'archive')", uuid(4), uuid(5), uuid(6), uuid(7))).await;
    run(format!("INSERT INTO version (id, record, digest, capture, observed_at, parts, ruleset, findings) VALUES ({}, {}, {}, {}, 0, {}, '', '[]')", uuid(6), uuid(4), bytes(94), uuid(1), uuid(0))).await;
    for (digest, record) in [(95, uuid(4)), (96, uuid(4)), (97, "NULL".to_owned())] {
        run(format!(
            "INSERT INTO name (digest, record, conversation) VALUES ({}, {record}, {})",
            bytes(digest),
            uuid(5)
        ))
        .await;
    }
    run(format!(
        "INSERT INTO subject (conversation, digest, reference) VALUES ({}, {}, 3000000000)",
        uuid(5),
        bytes(98)
    ))
    .await;
    old.close().await;

    let catalogue = Catalogue::new(stage.open(Plane::Vault).await);
    let id = |n: u8| uuid::Uuid::from_bytes([n; 16]);
    let (record, thread) =
        (knik::model::RecordId::from_uuid(id(4)), knik::model::ConversationId::from_uuid(id(5)));
    let known = catalogue.known(&[digest(95), digest(96), digest(97)]).await.unwrap();
    for (name, of) in [(95, Some(record)), (96, Some(record)), (97, None)] {
        assert_eq!(
            (known[&digest(name)].record, known[&digest(name)].conversation),
            (of, Some(thread)),
            "{name}"
        );
    }
    assert!(catalogue.known_versions(&[record]).await.unwrap().contains(&(record, digest(94))));
    assert!(catalogue.same_capture(&channel().id, digest(90), "").await.unwrap().is_some());
    let people = catalogue.subjects(thread).await.unwrap();
    assert_eq!(people[&digest(98)].number(), 3_000_000_000);
    let fragment = knik::model::FragmentId::from_uuid(id(3));
    let place = catalogue.fragments(&[fragment]).await.unwrap().remove(&fragment).unwrap();
    assert_eq!((place.segment.uuid(), place.place, place.wrapped_key), (id(2), 28, vec![93; 32]));
    assert_eq!(catalogue.segment(place.segment).await.unwrap().unwrap().digest, [92; 32]);
    let doomed = catalogue.doomed(&organisation(), &[record]).await.unwrap();
    let names: Vec<_> =
        catalogue.names_of(&doomed).await.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [digest(95), digest(96)], "what its destruction takes along");
}
