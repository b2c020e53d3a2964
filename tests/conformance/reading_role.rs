//! The database role of the reading room on a server: taken over, it can read what is published and add to its
//! inbox. On SQLite, where there are no roles, the process opens its files for reading only.

use super::fixture::*;
use super::inbox::message;
use super::room::{conversation, draw, grant, grant_id, projection};
use super::stage::Stage;
use knik::model::ExportId;
use knik::store::airlock::Airlock;
use knik::store::database::{Database, Dialect, Mode, Plane};
use knik::store::inbox::Inbox;
use knik::store::room::{PublishedConversation, Query, Room, RoomWriter};
use sqlx::Row;

const CHANGES: &[&str] = &[
    "INSERT INTO posting (block, word, numbers) VALUES (0, '', '')",
    "UPDATE projection SET passages = ''",
    "UPDATE reading_grant SET revoked = 0",
    "DELETE FROM projection",
    "DELETE FROM grant_record",
    "DELETE FROM revoked",
    "DELETE FROM export_chunk",
    "UPDATE export_view SET state = 'released'",
    "INSERT INTO grant_value (projection, reading_grant, content) VALUES (1, '', '')",
    "DROP TABLE posting",
    "ALTER TABLE projection ADD COLUMN x TEXT",
    "CREATE TABLE more (x TEXT)",
];

pub async fn the_reading_room_reads_projections_and_appends_to_the_inbox_and_nothing_else(stage: &Stage) {
    let owner = stage.open(Plane::Room).await;
    let inbox_owner = stage.open(Plane::Inbox).await;
    let vault = stage.open(Plane::Vault).await;
    let (writer, draw) = (RoomWriter::new(owner.clone()), draw());
    writer.grant(&grant(1), &draw).await.unwrap();
    let published =
        PublishedConversation { conversation: conversation(1), projections: vec![projection(1, 7, None)] };
    writer.conversation(&published, at(0), &draw).await.unwrap();
    let role = stage.role();
    if stage.dialect() == Dialect::Postgres {
        stage.on_server(format!("CREATE ROLE {role} LOGIN")).await;
    }
    for (db, plane) in [(&owner, Plane::Room), (&inbox_owner, Plane::Inbox), (&vault, Plane::Vault)] {
        db.grant_to_reading_room(plane, &role).await.unwrap();
    }
    reads_projections(stage, &role, &owner).await;
    appends_to_the_inbox(stage, &role, &inbox_owner).await;
    if stage.dialect() == Dialect::Postgres {
        sees_nothing_of_the_vault(stage, &role).await;
    }
}

async fn reads_projections(stage: &Stage, role: &str, owner: &Database) {
    let db = Database::open(&stage.url(Plane::Room, role), Plane::Room, Mode::Reader).await.unwrap();
    let room = Room::new(db.clone());
    assert_eq!(room.find(grant_id(1), &Query::default(), None, 10).await.unwrap().len(), 1);
    assert_eq!(room.pseudonyms(grant_id(1), conversation(1)).await.unwrap().len(), 1);
    assert!(!room.is_revoked(&[[1; 32]]).await.unwrap());
    let before = dump(owner, super::room::TABLES).await;
    for statement in CHANGES {
        refused(&db, statement).await;
        if stage.dialect() == Dialect::Postgres {
            // Also for one who turns the session's own protection off.
            let mut connection = db.write().acquire().await.unwrap();
            sqlx::query("SET default_transaction_read_only = off").execute(&mut *connection).await.unwrap();
            let why = sqlx::query(*statement).execute(&mut *connection).await.unwrap_err().to_string();
            assert!(why.contains("permission denied") || why.contains("must be owner"), "{statement}: {why}");
        }
    }
    assert_eq!(dump(owner, super::room::TABLES).await, before);
}

async fn appends_to_the_inbox(stage: &Stage, role: &str, owner: &Database) {
    let db = Database::open(&stage.url(Plane::Inbox, role), Plane::Inbox, Mode::Writer).await.unwrap();
    Inbox::new(db.clone()).append(&[message(1), message(2)]).await.unwrap();
    assert_eq!(rows(owner, "inbox").await, 2);
    let export = ExportId::from_uuid(id(1));
    let airlock = Airlock::new(db.clone());
    for piece in [vec![1], vec![2]] {
        airlock.add(export, "a", 0, piece).await.unwrap();
    }
    assert_eq!(Airlock::new(owner.clone()).piece(export, "a", 0).await.unwrap(), Some(vec![1]));
    refused(&db, "UPDATE airlock SET file = 'b'").await;
    for statement in ["UPDATE inbox SET payload = ''", "DELETE FROM inbox"] {
        refused(&db, statement).await;
    }
    if stage.dialect() == Dialect::Postgres {
        for statement in [
            "SELECT * FROM inbox",
            "SELECT COUNT(*) FROM inbox",
            "SELECT * FROM airlock",
            "DELETE FROM airlock",
            "INSERT INTO inbox (kind, payload, created_at) VALUES ('x', '', 0) RETURNING payload",
            "TRUNCATE inbox",
            "DROP TABLE inbox",
            "ALTER TABLE inbox DISABLE TRIGGER ALL",
            "SELECT setval('inbox_seq_seq', 1)",
            "CREATE TABLE more (x TEXT)",
        ] {
            let why = refused(&db, statement).await;
            assert!(why.contains("permission denied") || why.contains("must be owner"), "{statement}: {why}");
        }
    }
    assert_eq!(rows(owner, "inbox").await, 2);
}

async fn sees_nothing_of_the_vault(stage: &Stage, role: &str) {
    let Ok(db) = Database::open(&stage.url(Plane::Vault, role), Plane::Vault, Mode::Reader).await else {
        return;
    };
    let tables = "SELECT tablename::text AS tablename FROM pg_tables WHERE schemaname = 'public'";
    let tables = sqlx::query(tables).fetch_all(db.read()).await.unwrap();
    assert!(tables.len() > 20, "only {} tables", tables.len());
    for table in tables {
        let name: String = table.get("tablename");
        let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM {name}"));
        assert!(sqlx::query(sql).fetch_all(db.read()).await.is_err(), "{name} can be read");
    }
}
