//! The way up: append only, in order, durable before the answer.

use super::fixture::*;
use super::stage::Stage;
use crate::support::start;
use knik::model::{ActorId, Role};
use knik::store::database::{Database, Dialect, Plane};
use knik::store::inbox::{Inbox, InboxWriter, Message, RoomEvent, RoomEventKind};
use sqlx::Row;
use std::collections::BTreeSet;

/// A message that tells itself apart by its count.
pub fn message(n: u64) -> Message {
    let event = RoomEvent {
        kind: RoomEventKind::View,
        actor: Some(ActorId::from_uuid(id(1))),
        role: Role::Researcher,
        grant: None,
        organisation: Some(organisation()),
        projections: Vec::new(),
        count: n,
        reasons: Vec::new(),
    };
    Message::of(&event, start())
}

async fn counts(inbox: &Inbox) -> Vec<u64> {
    let arrived = inbox.after(0, 100_000).await.unwrap();
    assert!(arrived.is_sorted_by(|a, b| a.seq < b.seq));
    arrived.iter().map(|m| serde_json::from_str::<RoomEvent>(&m.payload).unwrap().count).collect()
}

pub async fn messages_keep_their_order(stage: &Stage) {
    let inbox = Inbox::new(stage.open(Plane::Inbox).await);
    assert!(inbox.after(0, 10).await.unwrap().is_empty());
    inbox.append(&[]).await.unwrap();
    inbox.append(&[message(1), message(2)]).await.unwrap();
    inbox.append(&[message(3)]).await.unwrap();
    assert_eq!(counts(&inbox).await, [1, 2, 3]);
    let first = inbox.after(0, 1).await.unwrap().remove(0);
    assert_eq!((first.kind.as_str(), first.at), ("view", start()));
    let rest = inbox.after(first.seq, 10).await.unwrap();
    assert_eq!(rest.len(), 2);
    assert!(inbox.after(rest[1].seq, 10).await.unwrap().is_empty());
}

pub async fn nothing_is_changed_or_removed(stage: &Stage) {
    let db = stage.open(Plane::Inbox).await;
    let inbox = Inbox::new(db.clone());
    inbox.append(&[message(1), message(2)]).await.unwrap();
    let before = dump(&db, &["inbox"]).await;
    let mut statements = vec![
        "UPDATE inbox SET payload = ''",
        "UPDATE inbox SET created_at = 0 WHERE seq = 1",
        "DELETE FROM inbox WHERE seq = 2",
        "DELETE FROM inbox",
    ];
    match stage.dialect() {
        Dialect::Postgres => statements.push("TRUNCATE inbox"),
        Dialect::Sqlite => statements
            .push("INSERT OR REPLACE INTO inbox (seq, kind, payload, created_at) VALUES (1, 'x', '', 0)"),
    }
    for statement in statements {
        let why = refused(&db, statement).await;
        assert!(why.contains("append-only"), "{statement}: {why}");
        assert_eq!(dump(&db, &["inbox"]).await, before, "{statement}");
    }
}

pub async fn a_thousand_at_once_are_all_kept(stage: &Stage) {
    let db = stage.open(Plane::Inbox).await;
    let inbox = Inbox::new(db.clone());
    let writer = InboxWriter::start(inbox.clone());
    let appends: Vec<_> = (0..1_000)
        .map(|n| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.append(message(n)).await })
        })
        .collect();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    let kept = counts(&inbox).await;
    assert_eq!(kept.len(), 1_000);
    assert_eq!(kept.into_iter().collect::<BTreeSet<_>>(), (0..1_000).collect());
    if stage.dialect() == Dialect::Postgres {
        let shared = commits(&db).await;
        assert!(shared < 500, "{shared} commits for a thousand messages");
    }
}

/// How many transactions wrote the inbox.
async fn commits(db: &Database) -> i64 {
    let row =
        sqlx::query("SELECT COUNT(DISTINCT xmin::text) AS n FROM inbox").fetch_one(db.read()).await.unwrap();
    row.get("n")
}
