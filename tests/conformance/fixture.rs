//! Rows to begin with, and a look at tables as they are.

use crate::support::start;
use knik::ledger::{Entry, EntryId, EntryKind, LogKey, Origin, Pending};
use knik::model::{
    CaptureId, ConversationId, ItemDigest, ItemKind, OrganisationId, Outcome, ProjectionId, RecordId,
    SegmentId, Timestamp, VersionId, Visibility,
};
use knik::store::StoreError;
use knik::store::catalogue::{
    Batch, Catalogue, Channel, ChannelFact, DecisionRow, Duty, FragmentRow, NameRow, OutboxRow, RecordRow,
    SegmentRow, VersionRow,
};
use knik::store::database::Database;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Column, Row};
use uuid::Uuid;

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub fn digest(n: u8) -> ItemDigest {
    ItemDigest::from_bytes([n; 32])
}

pub fn organisation() -> OrganisationId {
    "bzk".parse().unwrap()
}

/// A moment so many seconds after the start.
pub fn at(seconds: i64) -> Timestamp {
    start().plus_seconds(seconds)
}

pub fn log_key(name: &str) -> LogKey {
    LogKey::from_seed(format!("knik.example/{name}").parse().unwrap(), &[7; 32]).unwrap()
}

pub fn log() -> Origin {
    log_key("vault").verifier().origin().clone()
}

/// A step that opens nothing, with the entry id `n`.
pub fn step(n: u128) -> Pending {
    Pending::event(Entry::new(EntryId::from_uuid(id(n)), EntryKind::ViewServed, start())).unwrap()
}

pub fn channel() -> Channel {
    Channel {
        id: "bzk-x".parse().unwrap(),
        organisation: organisation(),
        platform: "x".parse().unwrap(),
        instance: "x.com".to_owned(),
        account: "MinBZK".to_owned(),
        kind: "corporate".to_owned(),
        purpose: "answer questions".to_owned(),
        legal_basis: "AVG 6(1)(e)".to_owned(),
        duty: Duty::Contested,
        duty_source: "two advices".to_owned(),
        dpia: "DPIA-1".to_owned(),
    }
}

/// A catalogue with an organisation, a channel and an open capture 1.
pub async fn begun(db: &Database) -> Catalogue {
    let catalogue = Catalogue::new(db.clone());
    assert!(organised(&catalogue, &organisation(), "Binnenlandse Zaken").await);
    assert!(declared(&catalogue, &channel(), &[]).await.unwrap());
    let capture = CaptureId::from_uuid(id(1));
    catalogue.open_capture(capture, &organisation(), &channel().id, "x_api_v2", start()).await.unwrap();
    catalogue
}

/// A log beside the one that a test looks at.
fn registry() -> Origin {
    log_key("registry").verifier().origin().clone()
}

/// An organisation made known; `false` when it was.
pub async fn organised(catalogue: &Catalogue, id: &OrganisationId, name: &str) -> bool {
    catalogue.add_organisation(&registry(), id, name, fresh_step(), start()).await.unwrap()
}

/// A channel declared; `false` when it was.
pub async fn declared(
    catalogue: &Catalogue,
    channel: &Channel,
    facts: &[ChannelFact],
) -> Result<bool, StoreError> {
    catalogue.add_channel(&registry(), channel, facts, fresh_step(), start()).await
}

/// A step under an id that no other has.
fn fresh_step() -> Pending {
    step(Uuid::new_v4().as_u128())
}

/// A batch with nothing in it.
pub fn empty() -> Batch {
    Batch {
        now: start(),
        segment: None,
        fragments: Vec::new(),
        records: Vec::new(),
        versions: Vec::new(),
        sightings: Vec::new(),
        names: Vec::new(),
        decisions: Vec::new(),
        decision_set: None,
        answers_of: None,
        subjects: Vec::new(),
        merged: Vec::new(),
        closed: Vec::new(),
        stale: Vec::new(),
        outbox: Vec::new(),
        flags: Vec::new(),
        doubtful: Vec::new(),
        answers: Vec::new(),
        files: Vec::new(),
        attached: Vec::new(),
        formal: Vec::new(),
        sentiment: Vec::new(),
        minimised: Vec::new(),
        refused: Vec::new(),
        found_by: Vec::new(),
        pending: Vec::new(),
    }
}

/// A batch with record `n` and everything that belongs to one, in conversation `n`.
pub fn batch(n: u128) -> Batch {
    let byte = u8::try_from(n).unwrap();
    let (record, version) = (RecordId::from_uuid(id(n)), VersionId::from_uuid(id(n)));
    let conversation = ConversationId::from_uuid(id(n));
    let segment = SegmentId::from_uuid(id(n));
    Batch {
        segment: Some(SegmentRow {
            id: segment,
            capture: CaptureId::from_uuid(id(1)),
            wrapped_key: vec![byte; 61],
            master_key: "bzk".to_owned(),
            epoch: None,
            size_bytes: 1000,
            digest: [byte; 32],
        }),
        fragments: vec![fragment(n, segment)],
        records: vec![RecordRow {
            id: record,
            organisation: organisation(),
            channel: channel().id,
            conversation,
            kind: ItemKind::Reaction,
            visibility: Visibility::Public,
            posted_at: Some(at(60)),
            edited_at: None,
            own: false,
            withheld: None,
            version,
            projection: ProjectionId::from_uuid(id(n + 1000)),
            outcome: Outcome::Archive,
            answers: None,
        }],
        versions: vec![version_row(n, n)],
        names: vec![name(byte, Some(n), Some(n))],
        decisions: vec![decision(n, n)],
        stale: vec![conversation],
        outbox: vec![OutboxRow { kind: "conversation", payload: "{}".to_owned() }],
        pending: vec![step(n)],
        ..empty()
    }
}

pub fn fragment(n: u128, segment: SegmentId) -> FragmentRow {
    FragmentRow {
        id: knik::model::FragmentId::from_uuid(id(n)),
        segment,
        kind: "own".to_owned(),
        wrapped_key: vec![1; 61],
        place: 8,
        size_bytes: 100,
        ranges: vec![0; 16],
    }
}

pub fn version_row(n: u128, record: u128) -> VersionRow {
    VersionRow {
        id: VersionId::from_uuid(id(n)),
        record: RecordId::from_uuid(id(record)),
        digest: digest(u8::try_from(n).unwrap()),
        capture: CaptureId::from_uuid(id(1)),
        observed_at: start(),
        names: vec![digest(u8::try_from(record).unwrap())],
        parts: vec![1, 0, 0],
        ruleset: "r1".to_owned(),
        findings: "[]".to_owned(),
        replaces: false,
        edited_at: None,
        visibility: Visibility::Public,
        outcome: Outcome::Archive,
        profile: None,
        left_out: None,
    }
}

pub fn decision(record: u128, version: u128) -> DecisionRow {
    DecisionRow {
        record: RecordId::from_uuid(id(record)),
        version: VersionId::from_uuid(id(version)),
        outcome: Outcome::Archive,
        tree: "archive-whole".to_owned(),
        tree_version: "1".to_owned(),
        path: "[]".to_owned(),
        ending: "archive".to_owned(),
        keep: None,
        salt: vec![7; 16],
        decided_at: start(),
    }
}

pub fn name(digest_of: u8, record: Option<u128>, conversation: Option<u128>) -> NameRow {
    NameRow {
        digest: digest(digest_of),
        record: record.map(|n| RecordId::from_uuid(id(n))),
        conversation: conversation.map(|n| ConversationId::from_uuid(id(n))),
        withheld: None,
    }
}

/// Every row of these tables as text, sorted: two databases that give the same hold the same.
pub async fn dump(db: &Database, tables: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables {
        let sql = AssertSqlSafe(format!("SELECT * FROM {table}"));
        let rows = sqlx::query(sql).fetch_all(db.read()).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{table}: {}", shown(row))).collect();
        rows.sort();
        all.extend(rows);
    }
    all
}

/// A row as text.
pub fn shown(row: &AnyRow) -> String {
    let cell = |n: usize| {
        let bytes = || row.try_get::<Option<Vec<u8>>, _>(n).map(|v| v.map(hex::encode));
        let text = || row.try_get::<Option<String>, _>(n);
        let number = || row.try_get::<Option<i64>, _>(n).map(|v| v.map(|v| v.to_string()));
        let value = text().or_else(|_| number()).or_else(|_| bytes()).unwrap();
        format!("{}={}", row.column(n).name(), value.unwrap_or_else(|| "null".to_owned()))
    };
    (0..row.len()).map(cell).collect::<Vec<_>>().join(" ")
}

/// How many rows a table has.
pub async fn rows(db: &Database, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {table}"));
    sqlx::query(sql).fetch_one(db.read()).await.unwrap().get("n")
}

/// The message that a statement is refused with; panics when it is not.
pub async fn refused(db: &Database, statement: &'static str) -> String {
    match sqlx::query(statement).execute(db.write()).await {
        Ok(done) => panic!("not refused, {} rows changed: {statement}", done.rows_affected()),
        Err(error) => error.to_string(),
    }
}
