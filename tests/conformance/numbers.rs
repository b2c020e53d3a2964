//! Rows that name each other by number: what stood there before reads as it did, and what is said alike stands once.

use super::fixture::{at, batch, begun, decision, empty, id, log, organisation, rows, shown};
use super::stage::Stage;
use knik::model::{Outcome, RecordId};
use knik::store::catalogue::{AnswerRow, Batch, DecisionRow, FindRow, FindToken, Sought, VersionRow};
use knik::store::database::{Database, Mode, Plane};
use sqlx::{AssertSqlSafe, Row};

/// What is read, table by table.
const READ: [(&str, &str); 6] = [
    (
        "record",
        "id, organisation, channel, conversation, kind, visibility, posted_at, edited_at, own, withheld, version, projection, \
         outcome, destroyed_at, answers",
    ),
    (
        "version",
        "id, record, digest, capture, observed_at, parts, ruleset, findings, destroyed_at, names, profile, left_out",
    ),
    ("decision", "record, version, outcome, tree, tree_version, path, decided_at, ending, keep, salt"),
    ("answer", "version, asked, answer, answered_by, by_what, permille"),
    ("name", "digest, record, conversation, withheld"),
    ("subject", "conversation, digest, reference"),
];

async fn read(db: &Database) -> Vec<String> {
    let mut all = Vec::new();
    for (table, columns) in READ {
        let sql = AssertSqlSafe(format!("SELECT {columns} FROM {table}"));
        let found = sqlx::query(sql).fetch_all(db.read()).await.unwrap();
        let mut found: Vec<String> = found.iter().map(|row| format!("{table}: {}", shown(row))).collect();
        found.sort();
        all.extend(found);
    }
    all
}

/// Two records of one conversation, the second not archived, not public, and decided on for what stands in its text.
pub async fn what_was_there_before_rows_had_numbers_reads_the_same(stage: &Stage) {
    let old = stage.schema_before(Plane::Vault, "0012").await;
    let b = |n: u8| stage.bytes(&[n; 16]);
    let run = |sql: String| {
        let old = old.clone();
        async move { sqlx::query(AssertSqlSafe(sql)).execute(&old).await.unwrap() }
    };
    let found = r#"[{"step":"a","evidence":[{"rule":"r","span":{"start":1,"end":2}}]}]"#;
    for (n, own, visibility, outcome, path, keep, profile, at) in [
        (1_u8, 0, "public", "archive", "[]", "'{\"category\":\"c\"}'", "NULL", 7),
        (2, 0, "direct", "unsure", found, "NULL", "'no-likes 2'", 8),
        (3, 1, "public", "archive", "[]", "'{\"category\":\"c\"}'", "NULL", 7),
    ] {
        let (record, version, thread) = (b(n), b(n + 10), b(20 + n / 3));
        let answers = if n == 2 { b(71) } else { "NULL".to_owned() };
        run(format!("INSERT INTO record (id, organisation, channel, conversation, kind, visibility, posted_at, own, version, projection, outcome, answers) VALUES ({record}, 'bzk', 'bzk-x', {thread}, 'reaction', '{visibility}', {n}, {own}, {version}, {}, '{outcome}', {answers})", b(n + 30))).await;
        run(format!("INSERT INTO version (id, record, digest, capture, observed_at, parts, ruleset, findings, names, profile) VALUES ({version}, {record}, {}, {}, 7, {}, 'r{}', '[]', {}, {profile})", b(n + 40), b(1), b(n + 50), n % 2, b(70 + n))).await;
        run(format!("INSERT INTO decision (record, version, outcome, tree, tree_version, path, decided_at, ending, keep, salt) VALUES ({record}, {version}, '{outcome}', 'tree', '1', '{path}', {at}, 'end', {keep}, {})", b(n + 60))).await;
        for asked in ["question", "letter"] {
            let permille = 100 * u32::from(n % 2);
            run(format!("INSERT INTO answer (version, asked, answer, answered_by, by_what, permille) VALUES ({version}, '{asked}', 'no', 'detector', 'd 1', {permille})")).await;
        }
        run(format!("INSERT INTO name (digest, record) VALUES ({}, {record})", b(70 + n))).await;
        run(format!(
            "INSERT INTO subject (conversation, digest, reference) VALUES ({thread}, {}, {n})",
            b(80 + n)
        ))
        .await;
        for token in [5, i64::from(n) - 2] {
            run(format!("INSERT INTO find_token (token, record) VALUES ({token}, {record})")).await;
        }
    }
    run(format!("UPDATE record SET destroyed_at = 9, withheld = 'destroyed' WHERE id = {}", b(3))).await;
    run(format!(
        "INSERT INTO name (digest, conversation, withheld) VALUES ({}, {}, 'deleted')",
        b(79),
        b(20)
    ))
    .await;
    old.close().await;

    let url = stage.url(Plane::Vault, "postgres");
    let before = Database::open(&url, Plane::Vault, Mode::Writer).await.unwrap();
    let read_before = read(&before).await;
    before.close().await;
    assert_eq!(read_before.len(), 3 + 3 + 3 + 6 + 4 + 3);
    let after = Database::open(&url, Plane::Vault, Mode::Owner).await.unwrap();
    assert_eq!(read(&after).await, read_before);
    assert_eq!((rows(&after, "shelf").await, rows(&after, "ruling").await), (2, 2));
    assert_eq!((rows(&after, "answer_set").await, rows(&after, "given_answer").await), (2, 4));

    let catalogue = begun(&after).await;
    let record = |n: u8| RecordId::from_uuid(uuid::Uuid::from_bytes([n; 16]));
    let by = |token: i64| Sought {
        all_of: vec![vec![FindToken::from_bytes(token.to_be_bytes())]],
        most: 10,
        ..Sought::default()
    };
    for (token, found) in
        [(5, vec![record(2), record(1)]), (-1, vec![record(1)]), (0, vec![record(2)]), (9, vec![])]
    {
        assert_eq!(catalogue.find(&organisation(), &by(token)).await.unwrap(), found, "{token}");
    }
    let unsure = catalogue.records(&organisation(), Some(Outcome::Unsure), None, 10).await.unwrap();
    assert_eq!(unsure.iter().map(|one| one.id).collect::<Vec<_>>(), [record(2)]);
    // What comes in next goes on from there.
    catalogue.commit(&log(), batch(1)).await.unwrap();
    assert_eq!(rows(catalogue.database(), "record").await, 4);
}

fn answer(version: u128, permille: u16) -> AnswerRow {
    let version = knik::model::VersionId::from_uuid(id(version));
    AnswerRow {
        version,
        asked: "question",
        answer: "no",
        answered_by: "detector",
        by: "q 1".to_owned(),
        permille,
    }
}

pub async fn what_many_rows_say_alike_stands_once(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    for n in 1..=4 {
        let one = Batch { answers: vec![answer(n, 10 + u16::from(n == 4))], ..batch(n) };
        catalogue.commit(&log(), one).await.unwrap();
    }
    let db = catalogue.database();
    for (table, count) in
        [("shelf", 1), ("delivery", 1), ("ruleset", 2), ("ruling", 1), ("given_answer", 2), ("answer_set", 2)]
    {
        assert_eq!(rows(db, table).await, count, "{table}");
    }
    for (view, count) in [("record", 4), ("version", 4), ("decision", 4), ("answer", 4), ("name", 4)] {
        assert_eq!(rows(db, view).await, count, "{view}");
    }
    // A path that names places in the text stands with its version.
    let path = r#"[{"step":"a","evidence":[{"rule":"r","span":{"start":1,"end":2}}]}]"#;
    let edited = VersionRow { replaces: true, ..super::fixture::version_row(11, 1) };
    let decisions = vec![DecisionRow { path: path.to_owned(), decided_at: at(9), ..decision(1, 11) }];
    catalogue.commit(&log(), Batch { versions: vec![edited], decisions, ..empty() }).await.unwrap();
    let decided = catalogue.decisions(RecordId::from_uuid(id(1))).await.unwrap();
    let paths: Vec<&serde_json::Value> = decided.iter().map(|one| &one.path).collect();
    assert_eq!(paths, [&serde_json::from_str(path).unwrap(), &serde_json::json!([])]);
    assert_eq!(decided[0].decided_at, at(9));
    assert_eq!(rows(db, "ruling").await, 2);
}

pub async fn what_came_in_at_different_times_is_found_together(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let token = |n: u64| FindToken::from_bytes(n.to_be_bytes());
    let record = |n: u128| RecordId::from_uuid(id(n));
    let found_by =
        |n: u128, by: &[u64]| FindRow { record: record(n), tokens: by.iter().map(|by| token(*by)).collect() };
    let own = |n: u128| 100 + u64::try_from(n).unwrap();
    for n in 1..=200 {
        let by = if n % 2 == 0 { vec![1, 2, own(n)] } else { vec![1, own(n)] };
        catalogue.commit(&log(), Batch { found_by: vec![found_by(n, &by)], ..batch(n) }).await.unwrap();
    }
    // A new version of one that was there: by what it could be found by before, and by more; and a new one beside it, in two
    // versions.
    let edited = VersionRow { replaces: true, ..super::fixture::version_row(211, 11) };
    let found = vec![found_by(11, &[1, 2, own(11)]), found_by(201, &[2, 3]), found_by(201, &[2, 3])];
    let one = Batch { found_by: found, ..batch(201) };
    let versions = one.versions.into_iter().chain([edited]).collect();
    catalogue.commit(&log(), Batch { versions, ..one }).await.unwrap();
    let by = async |tokens: &[u64]| {
        let all_of = tokens.iter().map(|by| vec![token(*by)]).collect();
        let sought = Sought { all_of, most: 1_000, ..Sought::default() };
        let mut found = catalogue.find(&organisation(), &sought).await.unwrap();
        found.sort_unstable();
        found
    };
    assert_eq!(by(&[1]).await, (1..=200).map(record).collect::<Vec<_>>());
    let even = (1..=200).filter(|n| n % 2 == 0 || *n == 11).chain([201]).map(record).collect::<Vec<_>>();
    assert_eq!(by(&[2]).await, even);
    assert_eq!(by(&[2, 1]).await, even[..even.len() - 1]);
    assert_eq!(
        (by(&[3]).await, by(&[own(11)]).await, by(&[4]).await),
        (vec![record(201)], vec![record(11)], vec![])
    );
    // What was found by something already does not stand there twice.
    let size = async || {
        let sql = "SELECT CAST(length(records) AS BIGINT) AS size FROM find_posting";
        let rows = sqlx::query(sql).fetch_all(catalogue.database().read()).await.unwrap();
        rows.iter().map(|row| row.get::<i64, _>("size")).sum::<i64>()
    };
    let before = size().await;
    for _ in 0..3 {
        let again = vec![found_by(7, &[1, own(7)])];
        let same = Batch { found_by: again, versions: vec![super::fixture::version_row(7, 7)], ..empty() };
        catalogue.commit(&log(), same).await.unwrap();
    }
    assert_eq!(size().await, before);
}
