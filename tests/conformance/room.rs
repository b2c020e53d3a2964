//! The way down: what is published, under which names, for whom.

use super::fixture::*;
use super::stage::Stage;
use knik::model::{ActorId, ChannelId, ConversationId, GrantId, ProjectionId, RecordRef, SubjectRef};
use knik::store::database::{Database, Plane};
use knik::store::room::{
    PublishedConversation, PublishedGrant, PublishedProjection, Query, Room, RoomWriter,
};
use serde_json::json;
use sqlx::Row;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

pub const TABLES: &[&str] = &[
    "projection",
    "frame",
    "posting",
    "reader",
    "reading_grant",
    "grant_record",
    "grant_conversation",
    "grant_subject",
];

/// Draws that never repeat and do not tell their order.
pub fn draw() -> impl Fn() -> Option<u128> + Sync {
    let count = AtomicU64::new(1);
    move || {
        Some(
            u128::from(count.fetch_add(1, Ordering::SeqCst))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        )
    }
}

pub fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(id(n))
}

pub fn grant_id(n: u128) -> GrantId {
    GrantId::from_uuid(id(n))
}

/// A projection by a person, in which another may be named.
pub fn projection(n: u128, author: u32, named: Option<u32>) -> PublishedProjection {
    let placeholder = |subject: u32| json!({"placeholder": {"entity": "PERSON", "subject": subject, "exemption": "woo-5.1.2e", "status": "provisional"}});
    let pieces: Vec<_> =
        [json!({"text": format!("text {n} ")})].into_iter().chain(named.map(placeholder)).collect();
    let document = json!({
        "passages": [{"role": "body", "text": pieces}],
        "metadata": {"authorSubject": author},
        "ruleset": "r1",
    });
    PublishedProjection {
        id: ProjectionId::from_uuid(id(n)),
        organisation: organisation(),
        channel: channel().id,
        day: "2026-05-04".to_owned(),
        position: u32::try_from(n).unwrap(),
        document: document.to_string(),
        words: vec!["text".to_owned(), format!("w{n}")],
        only_for: None,
        subjects: [author].into_iter().chain(named).map(SubjectRef::from_u32).collect(),
    }
}

pub fn grant(n: u128) -> PublishedGrant {
    PublishedGrant {
        id: grant_id(n),
        reader: ActorId::from_uuid(id(n)),
        issuer: "https://issuer.example".to_owned(),
        subject: format!("reader-{n}"),
        organisation: organisation(),
        channels: vec![channel().id],
        plan: "researcher".to_owned(),
        until: at(1_000),
        selection: None,
        team: Vec::new(),
        export: false,
        needs_values: false,
    }
}

async fn publish(
    writer: &RoomWriter,
    n: u128,
    projections: Vec<PublishedProjection>,
    draw: &(impl Fn() -> Option<u128> + Sync),
) {
    let published = PublishedConversation { conversation: conversation(n), projections };
    writer.conversation(&published, at(0), draw).await.unwrap();
}

/// Words of the index, in their order; what else projections are found by is left out.
pub async fn words(db: &Database) -> Vec<String> {
    let rows = sqlx::query("SELECT word FROM posting ORDER BY word").fetch_all(db.read()).await.unwrap();
    let words = rows.iter().map(|row| String::from_utf8_lossy(&row.get::<Vec<u8>, _>("word")).into_owned());
    words.filter(|word| !word.starts_with('\u{1}')).collect()
}

async fn opened(stage: &Stage) -> (Database, RoomWriter, Room) {
    let db = stage.open(Plane::Room).await;
    (db.clone(), RoomWriter::new(db.clone()), Room::new(db))
}

async fn all(room: &Room, grant: u128) -> Vec<RecordRef> {
    let found = room.find(grant_id(grant), &Query::default(), None, 1_000).await.unwrap();
    found.iter().map(|record| record.reference).collect()
}

pub async fn publishing_twice_is_publishing_once(stage: &Stage) {
    let (db, writer, room) = opened(stage).await;
    let draw = draw();
    let both = || vec![projection(1, 7, Some(8)), projection(2, 8, None)];
    publish(&writer, 1, both(), &draw).await;
    writer.grant(&grant(1), &draw).await.unwrap();
    let once = dump(&db, TABLES).await;
    // Of the index: text, w1, w2, the day, the channel, the grant.
    assert_eq!(once.len(), 2 + 1 + 6 + 1 + 1 + 2 + 1 + 2, "{once:#?}");
    publish(&writer, 1, both(), &draw).await;
    writer.grant(&grant(1), &draw).await.unwrap();
    assert_eq!(dump(&db, TABLES).await, once);
    assert_eq!(writer.count().await.unwrap(), 2);
    assert_eq!(room.count(grant_id(1), &Query::default()).await.unwrap(), 2);
    assert_eq!(room.reader("https://issuer.example", "reader-1").await.unwrap(), Some(grant(1).reader));
    assert_eq!(room.reader("https://issuer.example", "reader-2").await.unwrap(), None);
    // New words take the place of the old.
    let changed =
        PublishedProjection { words: vec!["new".to_owned(), "new".to_owned()], ..projection(1, 7, Some(8)) };
    publish(&writer, 1, vec![changed, projection(2, 8, None)], &draw).await;
    assert_eq!(words(&db).await, ["new", "text", "w2"]);
}

pub async fn what_is_no_longer_published_is_withdrawn(stage: &Stage) {
    let (db, writer, room) = opened(stage).await;
    let draw = draw();
    writer.grant(&grant(1), &draw).await.unwrap();
    publish(&writer, 1, vec![projection(1, 7, None), projection(2, 8, None)], &draw).await;
    publish(&writer, 2, vec![projection(3, 7, None)], &draw).await;
    let before = room.find(grant_id(1), &Query::default(), None, 10).await.unwrap();
    assert_eq!(before.len(), 3);
    publish(&writer, 1, vec![projection(2, 8, None)], &draw).await;
    assert_eq!(writer.document(ProjectionId::from_uuid(id(1))).await.unwrap(), None);
    assert!(writer.document(ProjectionId::from_uuid(id(2))).await.unwrap().is_some());
    let gone = before.iter().find(|record| record.projection == ProjectionId::from_uuid(id(1))).unwrap();
    assert!(room.record(grant_id(1), gone.reference).await.unwrap().is_none());
    publish(&writer, 1, vec![], &draw).await;
    assert_eq!(writer.count().await.unwrap(), 1, "another conversation stays");
    assert_eq!(
        (rows(&db, "grant_record").await, words(&db).await),
        (1, vec!["text".to_owned(), "w3".to_owned()])
    );
    assert_eq!(
        (rows(&db, "posting").await, rows(&db, "frame").await, rows(&db, "grant_conversation").await),
        (5, 1, 1)
    );
    assert!(room.conversation(grant_id(1), gone.conversation_reference).await.unwrap().is_empty());
    let left = room.find(grant_id(1), &Query::default(), None, 10).await.unwrap();
    assert_eq!(left[0].conversation, conversation(2));
}

pub async fn names_are_drawn_for_each_grant(stage: &Stage) {
    let (_, writer, room) = opened(stage).await;
    let draw = draw();
    writer.grant(&grant(1), &draw).await.unwrap();
    publish(&writer, 1, vec![projection(1, 7, None), projection(2, 8, None)], &draw).await;
    writer.grant(&grant(2), &draw).await.unwrap();
    let of = |n| {
        let room = room.clone();
        async move { room.find(grant_id(n), &Query::default(), None, 10).await.unwrap() }
    };
    let (first, second) = (of(1).await, of(2).await);
    let names = |found: &[knik::store::room::RoomRecord]| -> BTreeSet<RecordRef> {
        found.iter().flat_map(|record| [record.reference, record.conversation_reference]).collect()
    };
    assert_eq!(
        (names(&first).len(), names(&second).len()),
        (3, 3),
        "one for each record, one for the conversation"
    );
    assert!(names(&first).is_disjoint(&names(&second)));
    let vault: BTreeSet<_> = [id(1), id(2)].into();
    assert!(
        names(&first).iter().all(|name| !vault.contains(&name.uuid())),
        "the vault's own names stay there"
    );
    for record in &first {
        assert!(
            room.record(grant_id(2), record.reference).await.unwrap().is_none(),
            "a name is of one grant"
        );
        assert!(room.conversation(grant_id(2), record.conversation_reference).await.unwrap().is_empty());
        assert_eq!(
            room.record(grant_id(1), record.reference).await.unwrap().unwrap().projection,
            record.projection
        );
    }
    let thread = room.conversation(grant_id(1), first[0].conversation_reference).await.unwrap();
    let order: Vec<_> = thread.iter().map(|record| record.projection.uuid()).collect();
    assert_eq!(order, [id(1), id(2)]);
}

pub async fn pseudonyms_stay_with_a_person_in_a_grant(stage: &Stage) {
    let (_, writer, room) = opened(stage).await;
    let draw = draw();
    writer.grant(&grant(1), &draw).await.unwrap();
    writer.grant(&grant(2), &draw).await.unwrap();
    publish(&writer, 1, vec![projection(1, 7, Some(8))], &draw).await;
    publish(&writer, 2, vec![projection(3, 7, None)], &draw).await;
    let of = |grant, n| {
        let room = room.clone();
        async move { room.pseudonyms(grant_id(grant), conversation(n)).await.unwrap() }
    };
    let (before, other) = (of(1, 1).await, of(2, 1).await);
    let (seven, eight) = (SubjectRef::from_u32(7), SubjectRef::from_u32(8));
    assert_eq!(before.len(), 2);
    assert_ne!(before[&seven], before[&eight]);
    assert_ne!(before[&seven], other[&seven], "projects cannot be joined by pseudonyms");
    assert_ne!(before[&seven], of(1, 2).await[&seven], "a reference is of one conversation");
    publish(&writer, 1, vec![projection(1, 7, Some(8)), projection(2, 9, Some(7))], &draw).await;
    let after = of(1, 1).await;
    assert_eq!((&after[&seven], &after[&eight], after.len()), (&before[&seven], &before[&eight], 3));
    assert!(after.values().all(|name| name.len() == 6), "{after:?}");
}

pub async fn a_revoked_grant_has_no_names_left(stage: &Stage) {
    let (db, writer, room) = opened(stage).await;
    let draw = draw();
    publish(&writer, 1, vec![projection(1, 7, Some(8))], &draw).await;
    writer.grant(&grant(1), &draw).await.unwrap();
    writer.grant(&grant(2), &draw).await.unwrap();
    let known = all(&room, 1).await;
    writer.revoke(grant_id(1)).await.unwrap();
    writer.revoke(grant_id(1)).await.unwrap();
    assert!(all(&room, 1).await.is_empty());
    assert!(room.record(grant_id(1), known[0]).await.unwrap().is_none());
    assert!(room.pseudonyms(grant_id(1), conversation(1)).await.unwrap().is_empty());
    assert!(room.grants(grant(1).reader).await.unwrap()[0].revoked);
    let left = dump(&db, &["grant_record", "grant_subject"]).await;
    assert!(!left.is_empty());
    assert!(left.iter().all(|row| row.contains(&format!("reading_grant={}", id(2).simple()))), "{left:#?}");
    // Neither what is published later nor the grant coming down once more brings names back.
    publish(&writer, 1, vec![projection(1, 7, Some(8)), projection(2, 9, None)], &draw).await;
    writer.grant(&grant(1), &draw).await.unwrap();
    assert!(all(&room, 1).await.is_empty());
    assert!(room.grants(grant(1).reader).await.unwrap()[0].revoked);
    assert_eq!(all(&room, 2).await.len(), 2);
}

pub async fn a_grant_covers_its_channels_until_its_time(stage: &Stage) {
    let (_, writer, room) = opened(stage).await;
    let draw = draw();
    let elsewhere: ChannelId = "bzk-mastodon".parse().unwrap();
    let other = |n| PublishedProjection { channel: elsewhere.clone(), ..projection(n, 7, None) };
    let foreign = |n| PublishedProjection { organisation: "rws".parse().unwrap(), ..projection(n, 7, None) };
    publish(&writer, 1, vec![projection(1, 7, None), other(2), foreign(3)], &draw).await;
    writer.grant(&grant(1), &draw).await.unwrap();
    let over = PublishedGrant { until: at(-1), ..grant(2) };
    writer.grant(&over, &draw).await.unwrap();
    publish(&writer, 2, vec![projection(4, 7, None), other(5), foreign(6)], &draw).await;
    let of = |n| {
        let room = room.clone();
        async move {
            let found = room.find(grant_id(n), &Query::default(), None, 10).await.unwrap();
            found.iter().map(|record| record.projection.uuid()).collect::<BTreeSet<_>>()
        }
    };
    assert_eq!(of(1).await, [id(1), id(4)].into());
    assert!(!of(2).await.contains(&id(4)), "a grant that is over covers nothing new");
    let read = room.grants(grant(1).reader).await.unwrap();
    assert_eq!((read.len(), read[0].until, read[0].plan.as_str()), (1, at(1_000), "researcher"));
    assert_eq!(read[0].channels, [channel().id]);
}

pub async fn the_names_of_a_grant_that_is_over_go_and_nothing_is_found_by_them(stage: &Stage) {
    let (db, writer, room) = opened(stage).await;
    let draw = draw();
    publish(&writer, 1, vec![projection(1, 7, Some(8)), projection(2, 8, None)], &draw).await;
    let asked = PublishedGrant { needs_values: true, ..grant(1) };
    writer.grant(&asked, &draw).await.unwrap();
    let reader = asked.reader;
    let found = room.find(grant_id(1), &Query::default(), None, 10).await.unwrap();
    let names: BTreeSet<_> = [found[0].conversation_reference].into();
    let running = writer.conversations_named(reader, &names, at(999)).await.unwrap();
    assert_eq!(running, [conversation(1)].into());
    assert_eq!(writer.grants_wanting(at(999)).await.unwrap().len(), 1);
    // From its end on, whether that was taken up or not.
    assert!(writer.conversations_named(reader, &names, at(1_000)).await.unwrap().is_empty());
    assert!(writer.grants_wanting(at(1_000)).await.unwrap().is_empty());
    for _twice in 0..2 {
        writer.lapse(grant_id(1)).await.unwrap();
    }
    for table in ["grant_record", "grant_conversation", "grant_subject", "grant_value"] {
        assert_eq!(rows(&db, table).await, 0, "{table}");
    }
    assert_eq!(room.count(grant_id(1), &Query::default()).await.unwrap(), 0, "nor does the index know it");
    assert!(writer.conversations_named(reader, &names, at(0)).await.unwrap().is_empty());
    assert!(writer.grants_wanting(at(0)).await.unwrap().is_empty());
    // It was not revoked, has its end still, and gets no names any more, whatever comes down late.
    writer.grant_until(grant_id(1), at(9_000)).await.unwrap();
    writer.grant(&asked, &draw).await.unwrap();
    publish(&writer, 2, vec![projection(3, 7, None)], &draw).await;
    let known = room.grants(reader).await.unwrap();
    assert_eq!((known[0].revoked, known[0].until), (false, at(1_000)));
    assert_eq!(rows(&db, "grant_record").await, 0);
    // Revoked after that it is revoked, and stays so.
    writer.revoke(grant_id(1)).await.unwrap();
    writer.lapse(grant_id(1)).await.unwrap();
    assert!(room.grants(reader).await.unwrap()[0].revoked);
}

pub async fn what_is_refused_is_looked_up_by_digest(stage: &Stage) {
    let (db, writer, room) = opened(stage).await;
    let (one, other) = ([1; 32], [2; 32]);
    assert!(!room.is_revoked(&[one, other]).await.unwrap());
    for _twice in 0..2 {
        writer.refuse_identity(&one, true).await.unwrap();
    }
    assert!(room.is_revoked(&[one]).await.unwrap() && room.is_revoked(&[other, one]).await.unwrap());
    assert!(!room.is_revoked(&[other]).await.unwrap() && !room.is_revoked(&[]).await.unwrap());
    assert_eq!(dump(&db, &["revoked"]).await.len(), 1);
    for _twice in 0..2 {
        writer.refuse_identity(&one, false).await.unwrap();
    }
    assert!(!room.is_revoked(&[one]).await.unwrap());
    // All of them at once: what is not among them is no longer refused.
    writer.refuse_identity(&one, true).await.unwrap();
    let many: Vec<[u8; 32]> = (2..=250).map(|n| [n; 32]).collect();
    writer.refuse_exactly(&many).await.unwrap();
    assert!(!room.is_revoked(&[one]).await.unwrap() && room.is_revoked(&[other]).await.unwrap());
    assert_eq!(dump(&db, &["revoked"]).await.len(), many.len());
    writer.refuse_exactly(&[]).await.unwrap();
    assert!(!room.is_revoked(&many[..3]).await.unwrap());
}

/// A room as it was before projections had numbers: its first migration, and rows as they were written then.
pub async fn what_was_published_before_numbers_is_carried_over(stage: &Stage) {
    let old = stage.first_schema(Plane::Room).await;
    let hex = |n: u128| stage.bytes(id(n).as_bytes());
    let run = |sql: String| {
        let old = old.clone();
        async move { sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&old).await.unwrap() }
    };
    let before = [projection(1, 7, Some(8)), projection(2, 8, None)];
    for p in &before {
        let (own, thread, document) = (hex(p.id.uuid().as_u128()), hex(101), &p.document);
        run(format!("INSERT INTO projection (id, conversation, organisation, channel, day, position, document) VALUES ({own}, {thread}, '{}', '{}', '{}', {}, '{document}')", p.organisation, p.channel, p.day, p.position)).await;
    }
    run(format!(
        "INSERT INTO reader (id, issuer, subject) VALUES ({}, 'https://issuer.example', 'reader-1')",
        hex(1)
    ))
    .await;
    run(format!("INSERT INTO reading_grant (id, reader, organisation, channels, plan, until_at, revoked) VALUES ({0}, {0}, '{1}', '{2}', 'researcher', {3}, 0)", hex(1), organisation(), channel().id, at(1_000).micros())).await;
    for n in [1, 2] {
        run(format!("INSERT INTO grant_record (reference, reading_grant, projection, conversation, conversation_reference, day, position) VALUES ({}, {}, {}, {}, {}, '2026-05-04', {n})", hex(50 + n), hex(1), hex(n), hex(101), hex(60))).await;
    }
    run(format!("INSERT INTO grant_subject (reading_grant, conversation, subject, pseudonym) VALUES ({}, {}, 7, 'ABCDEF')", hex(1), hex(101))).await;
    run(format!("INSERT INTO term (word, projection) VALUES ('text', {})", hex(1))).await;
    old.close().await;

    let (db, writer, room) = opened(stage).await;
    assert_eq!(writer.carry_over().await.unwrap(), 2);
    assert_eq!(writer.carry_over().await.unwrap(), 0);
    for table in ["projection_before", "grant_record_before"] {
        assert_eq!(rows(&db, table).await, 0, "{table}");
    }
    for p in &before {
        assert_eq!(writer.document(p.id).await.unwrap().as_ref(), Some(&p.document));
    }
    assert_eq!(words(&db).await, ["1", "2", "text"], "of the texts themselves");
    let query = Query { words: vec!["text".to_owned()], ..Query::default() };
    let found = room.find(grant_id(1), &query, None, 10).await.unwrap();
    let names: Vec<_> = found.iter().map(|record| record.reference.uuid()).collect();
    assert_eq!(names, [id(51), id(52)], "a grant's names are those it gave");
    assert!(found.iter().all(|record| record.conversation_reference.uuid() == id(60)));
    assert_eq!(room.count(grant_id(1), &query).await.unwrap(), 2);
    assert_eq!(room.pseudonyms(grant_id(1), conversation(101)).await.unwrap().len(), 1);
    // What is published of it next keeps its names.
    publish(&writer, 101, vec![projection(1, 7, None), projection(2, 8, None)], &draw()).await;
    assert_eq!(all(&room, 1).await.iter().map(|name| name.uuid()).collect::<Vec<_>>(), [id(51), id(52)]);
}
