//! Finding: against a naive look at the same records.

use super::fixture::*;
use super::room::{conversation, draw, grant, grant_id, projection};
use super::stage::Stage;
use knik::model::{Day, ProjectionId, RecordRef};
use knik::store::database::Plane;
use knik::store::room::{PublishedConversation, PublishedProjection, Query, Room, RoomRecord, RoomWriter};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const DAYS: [&str; 4] = ["2026-05-01", "2026-05-02", "2026-05-03", ""];

/// Sixty records in twelve conversations; each word stands in its own part of them.
fn published() -> Vec<PublishedConversation> {
    let one = |n: u128| PublishedProjection {
        day: DAYS[usize::try_from(n % 4).unwrap()].to_owned(),
        channel: if n.is_multiple_of(5) { "bzk-mastodon".parse().unwrap() } else { channel().id },
        words: [(2, "twee"), (3, "drie"), (7, "zeven"), (60, "één"), (6, "100%"), (10, "a_b")]
            .into_iter()
            .filter(|(of, _)| n.is_multiple_of(*of))
            .map(|(_, word)| word.to_owned())
            .collect(),
        ..projection(n, 7, None)
    };
    (0..12_u128)
        .map(|c| PublishedConversation {
            conversation: conversation(c),
            projections: (c * 5 + 1..=c * 5 + 5).map(one).collect(),
        })
        .collect()
}

async fn filled(stage: &Stage) -> (Room, BTreeMap<Uuid, PublishedProjection>) {
    let db = stage.open(Plane::Room).await;
    let (writer, draw) = (RoomWriter::new(db.clone()), draw());
    let mut granted = grant(1);
    granted.channels.push("bzk-mastodon".parse().unwrap());
    writer.grant(&granted, &draw).await.unwrap();
    writer.grant(&grant(2), &draw).await.unwrap();
    let mut all = BTreeMap::new();
    for one in published() {
        writer.conversation(&one, at(0), &draw).await.unwrap();
        all.extend(one.projections.into_iter().map(|p| (p.id.uuid(), p)));
    }
    (Room::new(db), all)
}

/// Every page, `most` at a time.
async fn pages(room: &Room, query: &Query, most: u32) -> Vec<RoomRecord> {
    let mut found: Vec<RoomRecord> = Vec::new();
    loop {
        let after: Option<RecordRef> = found.last().map(|record| record.reference);
        let page = room.find(grant_id(1), query, after, most).await.unwrap();
        assert!(page.len() <= most as usize);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
        assert!(found.len() <= 100, "pages go round in a circle");
    }
}

/// What a query selects, told without SQL.
fn naive(all: &BTreeMap<Uuid, PublishedProjection>, query: &Query) -> BTreeSet<Uuid> {
    let selected = |p: &&PublishedProjection| {
        query.words.iter().all(|word| p.words.contains(word))
            && query.channel.as_ref().is_none_or(|channel| p.channel == *channel)
            && query.from_day.as_ref().is_none_or(|day| p.day.as_str() >= day.as_str())
            && query.until_day.as_ref().is_none_or(|day| !p.day.is_empty() && p.day.as_str() <= day.as_str())
    };
    all.values().filter(selected).map(|p| p.id.uuid()).collect()
}

fn ids(found: &[RoomRecord]) -> Vec<Uuid> {
    found.iter().map(|record| record.projection.uuid()).collect()
}

pub async fn every_page_together_gives_everything_once(stage: &Stage) {
    let (room, all) = filled(stage).await;
    let query = Query::default();
    let whole = pages(&room, &query, 1_000).await;
    assert_eq!(whole.len(), 60);
    for most in [1, 7, 59, 60] {
        let paged = pages(&room, &query, most).await;
        assert_eq!(ids(&paged), ids(&whole), "{most} at a time");
    }
    assert_eq!(ids(&whole).into_iter().collect::<BTreeSet<_>>(), all.keys().copied().collect());
    let order: Vec<(String, RecordRef, u32)> = whole
        .iter()
        .map(|r| {
            (
                all[&r.projection.uuid()].day.clone(),
                r.conversation_reference,
                all[&r.projection.uuid()].position,
            )
        })
        .collect();
    assert!(order.is_sorted(), "by day, conversation and place in it");
    // A cursor of another grant is no cursor here.
    let theirs = room.find(grant_id(2), &query, None, 1).await.unwrap();
    assert!(room.find(grant_id(1), &query, Some(theirs[0].reference), 10).await.unwrap().is_empty());
}

pub async fn words_days_and_channels_select_what_they_say(stage: &Stage) {
    let (room, all) = filled(stage).await;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let day = |day: &str| Some(day.parse::<Day>().unwrap());
    let mut queries = vec![Query::default()];
    for some in [
        &["twee"][..],
        &["twee", "drie"],
        &["drie", "zeven", "twee"],
        &["één"],
        &["niets"],
        &["twee", "niets"],
    ] {
        for (from_day, until_day) in [
            (None, None),
            (day(DAYS[1]), None),
            (None, day(DAYS[1])),
            (day(DAYS[1]), day(DAYS[1])),
            (day(DAYS[2]), day(DAYS[0])),
        ] {
            for channel in [None, Some("bzk-mastodon".parse().unwrap())] {
                let (from_day, until_day) = (from_day.clone(), until_day.clone());
                queries.push(Query { words: words(some), channel, from_day, until_day });
            }
        }
    }
    let mut hits = 0;
    for query in &queries {
        let found = pages(&room, query, 4).await;
        let selected: BTreeSet<Uuid> = ids(&found).into_iter().collect();
        assert_eq!(selected, naive(&all, query), "{query:?}");
        assert_eq!(
            (selected.len(), found.len() as u64),
            (found.len(), room.count(grant_id(1), query).await.unwrap())
        );
        hits += found.len();
    }
    assert!(hits > 150, "{hits}");
}

pub async fn words_of_people_are_only_ever_values(stage: &Stage) {
    let (room, all) = filled(stage).await;
    for harmless in [
        "%",
        "_",
        "%%",
        "t%",
        "tw_e",
        "100_",
        "a%b",
        "' OR '1'='1",
        "'; DROP TABLE term; --",
        "\"",
        "\\",
        "$1",
        "?1",
        "*",
        "twee' --",
        "[a-z]%",
        "TWEE",
    ] {
        let query = Query { words: vec![harmless.to_owned()], ..Query::default() };
        assert!(room.find(grant_id(1), &query, None, 10).await.unwrap().is_empty(), "{harmless}");
        assert!(harmless.parse::<Day>().is_err(), "{harmless} as a day");
    }
    for word in ["100%", "a_b"] {
        let query = Query { words: vec![word.to_owned()], ..Query::default() };
        let found = room.find(grant_id(1), &query, None, 100).await.unwrap();
        let selected: BTreeSet<Uuid> = ids(&found).into_iter().collect();
        assert_eq!(selected, naive(&all, &query));
        assert!(!selected.is_empty(), "a word with a wildcard in it is a word");
    }
    assert_eq!(room.count(grant_id(1), &Query::default()).await.unwrap(), 60, "nothing was dropped");
    let absent = RecordRef::from_uuid(ProjectionId::from_uuid(id(5)).uuid());
    assert!(room.record(grant_id(1), absent).await.unwrap().is_none());
}

/// More records than stand in one block of the index, and words of which some are in more records than are looked up one
/// by one.
pub async fn many_answers_are_found_as_few_are(stage: &Stage) {
    const RECORDS: u128 = 9_000;
    let db = stage.open(Plane::Room).await;
    let (writer, draw) = (RoomWriter::new(db.clone()), draw());
    writer.grant(&grant(1), &draw).await.unwrap();
    let one = |n: u128| PublishedProjection {
        day: DAYS[usize::try_from(n % 3).unwrap()].to_owned(),
        words: [(1, "alle"), (2, "vaak"), (3, "soms"), (97, "zelden"), (8_999, "eens")]
            .into_iter()
            .filter(|(of, _)| n.is_multiple_of(*of))
            .map(|(_, word)| word.to_owned())
            .collect(),
        ..projection(n, 7, None)
    };
    let numbers: Vec<u128> = (1..=RECORDS).collect();
    let all: BTreeMap<Uuid, PublishedProjection> =
        numbers.iter().map(|n| one(*n)).map(|p| (p.id.uuid(), p)).collect();
    let published: Vec<PublishedConversation> = (0..)
        .zip(numbers.chunks(30))
        .map(|(c, of)| PublishedConversation {
            conversation: conversation(c),
            projections: of.iter().map(|n| one(*n)).collect(),
        })
        .collect();
    // By many and by few: of few, a word's numbers go behind those that stand there until they are many.
    let (by_many, by_few) = published.split_at(published.len() / 2);
    for some in by_many.chunks(40).chain(by_few.chunks(2)) {
        writer.conversations(some, at(0), &draw).await.unwrap();
    }
    let room = Room::new(db.clone());
    for words in
        [&["alle"][..], &["vaak"], &["soms", "vaak"], &["zelden"], &["eens"], &["vaak", "eens"], &["nooit"]]
    {
        for day in [None, Some(DAYS[1].parse::<Day>().unwrap())] {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            let query = Query { words, from_day: day.clone(), until_day: day, channel: None };
            let expected = naive(&all, &query);
            assert_eq!(room.count(grant_id(1), &query).await.unwrap(), expected.len() as u64, "{query:?}");
            let mut found: Vec<RoomRecord> = Vec::new();
            loop {
                let after = found.last().map(|record| record.reference);
                let page = room.find(grant_id(1), &query, after, 700).await.unwrap();
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(ids(&found).into_iter().collect::<BTreeSet<_>>(), expected, "{query:?}");
            assert_eq!(found.len(), expected.len(), "each once: {query:?}");
            let order: Vec<_> = found
                .iter()
                .map(|one| (&all[&one.projection.uuid()].day, one.conversation_reference))
                .collect();
            assert!(order.is_sorted(), "by day and conversation: {query:?}");
        }
    }
    // Nothing is left of what is withdrawn, under any key.
    let gone: Vec<ProjectionId> = all.values().map(|p| p.id).collect();
    assert_eq!(writer.withdraw(&gone, at(0)).await.unwrap(), u64::try_from(RECORDS).unwrap());
    assert_eq!(
        dump(&db, &["posting", "projection", "frame", "grant_record", "grant_conversation"]).await,
        [""; 0]
    );
}
