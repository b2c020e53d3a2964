//! Decisions with their commitments, formal messages, letters, counts: together with the ledger or not at all.

use super::fixture::*;
use super::stage::Stage;
use jiff::civil::date;
use knik::decide::Sentiment;
use knik::ledger::{EntryId, Hash};
use knik::model::{ActorId, ConversationId, ItemDigest, Outcome, ProjectionId, RecordId, Role, VersionId};
use knik::store::catalogue::{
    Anew, Batch, Catalogue, Confirmation, DecisionChange, DecisionRow, DecisionSetRow, FormalHandled,
    FormalRow, LetterRow, SentimentRow, StepAnswered, VersionRow,
};
use knik::store::database::Plane;

fn record(n: u128) -> RecordId {
    RecordId::from_uuid(id(n))
}

fn set(n: u128, hashes: &[u8]) -> DecisionSetRow {
    let commitments = hashes.iter().map(|byte| Hash::from_bytes([*byte; 32])).collect();
    DecisionSetRow {
        entry: EntryId::from_uuid(id(n)),
        decided_at: at(i64::try_from(n).unwrap()),
        commitments,
    }
}

pub async fn decisions_stand_with_what_the_ledger_committed_to(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let first = Batch { decision_set: Some(set(1, &[1, 2])), ..batch(1) };
    catalogue.commit(&log(), first).await.unwrap();
    let known = catalogue.decision_sets(at(1)).await.unwrap();
    assert_eq!((known.len(), known[0].commitments.len(), known[0].entry), (1, 2, EntryId::from_uuid(id(1))));
    assert!(catalogue.decision_sets(at(2)).await.unwrap().is_empty());
    let otherwise = |version: u128| DecisionChange {
        record: record(1),
        projection: ProjectionId::from_uuid(id(1001)),
        conversation: ConversationId::from_uuid(id(1)),
        decision: DecisionRow {
            outcome: Outcome::Refer,
            salt: vec![8; 16],
            decided_at: at(3),
            ..decision(1, version)
        },
        set: set(3, &[3]),
    };
    let change = async |version, n| {
        catalogue.change_decision(&log(), &otherwise(version), step(n), at(3)).await.unwrap().is_some()
    };
    assert!(!change(9, 20).await, "another version is in force");
    assert!(catalogue.decision_sets(at(3)).await.unwrap().is_empty(), "nothing of it stands");
    assert!(change(1, 21).await);
    let made = catalogue.decisions_made(record(1)).await.unwrap();
    let told: Vec<_> = made.iter().map(|row| (row.outcome, row.salt[0])).collect();
    assert_eq!(told, [(Outcome::Refer, 8), (Outcome::Archive, 7)], "newest first, with its own salt each");
    assert_eq!(catalogue.decision_sets(at(3)).await.unwrap()[0].commitments.len(), 1);
}

fn handled(n: u128, done: &'static str) -> FormalHandled {
    FormalHandled {
        record: record(n),
        received_at: at(60),
        due_at: at(120),
        done,
        case: (done == "registered").then(|| ("zaken".to_owned(), digest(40))),
        forwarded_to: (done == "forwarded").then(|| "Gemeente".to_owned()),
        actor: ActorId::from_uuid(id(900)),
        role: Role::RecordsManager,
        sender_told_at: None,
    }
}

pub async fn a_formal_message_is_handled_once_and_keeps_its_time_of_receipt(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let row = |n| FormalRow { record: record(n), received_at: at(60), due_at: at(120) };
    catalogue.commit(&log(), Batch { formal: vec![row(1)], ..batch(1) }).await.unwrap();
    catalogue.commit(&log(), batch(2)).await.unwrap();
    let all = async |catalogue: &Catalogue, now| {
        catalogue.formal_messages(&organisation(), None, at(now)).await.unwrap()
    };
    let known = all(&catalogue, 119).await;
    assert_eq!((known.len(), known[0].overdue, known[0].state.as_str()), (1, false, "waiting"));
    assert!(all(&catalogue, 120).await[0].overdue);
    let handle = async |n, done, entry| {
        catalogue
            .handle_formal(&log(), &handled(n, done), step(entry), None, at(130))
            .await
            .unwrap()
            .is_some()
    };
    assert!(handle(1, "registered", 30).await);
    assert!(!handle(1, "forwarded", 31).await, "once");
    assert!(handle(2, "forwarded", 32).await, "one that was not known as formal");
    let known = all(&catalogue, 500).await;
    let told: Vec<_> = known.iter().map(|of| (of.state.as_str(), of.overdue)).collect();
    assert_eq!(told, [("registered", false), ("forwarded", true)], "the sender was not told");
    assert_eq!(known[0].received_at, at(60));
    let tell =
        async |entry| catalogue.tell_sender(&log(), record(2), at(140), step(entry)).await.unwrap().is_some();
    assert!(tell(33).await && !tell(34).await);
    assert!(!all(&catalogue, 500).await[1].overdue);
    let by_case = catalogue.formal_messages(&organisation(), Some(digest(40)), at(500)).await.unwrap();
    assert_eq!(by_case.iter().map(|of| of.record).collect::<Vec<_>>(), [record(1)]);
}

fn registrar() -> (ActorId, Role) {
    (ActorId::from_uuid(id(900)), Role::RecordsManager)
}

fn letter(n: u128, case: u8) -> LetterRow {
    LetterRow {
        record: record(n),
        system: "brieven".to_owned(),
        case: digest(case),
        registered_on: "2026-03-09".to_owned(),
        registrar: ActorId::from_uuid(id(900)),
        taken_over: "tekst".to_owned(),
        confirmed: None,
    }
}

pub async fn letters_are_written_all_or_none_and_confirmed_by_case(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    for n in [1, 2] {
        catalogue.commit(&log(), batch(n)).await.unwrap();
    }
    let due = async || catalogue.letters(&organisation(), None).await.unwrap();
    let link = async |letters: Vec<(LetterRow, u128)>| {
        let links = letters.into_iter().map(|(row, entry)| (row, step(entry), None)).collect();
        catalogue
            .write_letters(&log(), &organisation(), links, Vec::new(), (registrar(), at(10)))
            .await
            .unwrap()
    };
    assert!(link(vec![(letter(1, 50), 40)]).await.is_some());
    assert!(link(vec![(letter(2, 50), 41), (letter(1, 51), 42)]).await.is_none());
    assert_eq!(due().await.len(), 1, "none of the two came in");
    assert!(link(vec![(letter(2, 50), 43)]).await.is_some());
    let confirm = async |case: ItemDigest, entry| {
        let said = "ontvangen".to_owned();
        let confirmation = Confirmation { case, at: at(20), said, by: ActorId::from_uuid(id(900)) };
        let steps = vec![(confirmation, step(entry), None)];
        catalogue
            .write_letters(&log(), &organisation(), Vec::new(), steps, (registrar(), at(20)))
            .await
            .unwrap()
            .unwrap()
            .len()
    };
    assert_eq!((confirm(digest(51), 44).await, confirm(digest(50), 45).await), (0, 2));
    assert!(due().await.is_empty());
    let of_case = catalogue.letters(&organisation(), Some(digest(50))).await.unwrap();
    assert!(of_case.iter().all(|link| link.confirmation.as_deref() == Some("ontvangen")));
    assert_eq!(
        catalogue.letter_of(record(1)).await.unwrap().unwrap().entry,
        Some(EntryId::from_uuid(id(40)))
    );
}

pub async fn how_reactions_sounded_is_added_up_by_thread(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let row = |thread, month, said, amount| SentimentRow {
        conversation: ConversationId::from_uuid(id(thread)),
        channel: channel().id,
        month,
        method: "words 1".to_owned(),
        said,
        amount,
    };
    let (march, april) = (date(2026, 3, 9), date(2026, 4, 1));
    let sentiment = vec![
        row(1, march, Sentiment::Positive, 2),
        row(1, date(2026, 3, 31), Sentiment::Positive, 3),
        row(1, march, Sentiment::Mixed, 1),
        row(1, april, Sentiment::Positive, 9),
        row(2, march, Sentiment::Negative, 4),
    ];
    catalogue.commit(&log(), Batch { sentiment, ..batch(1) }).await.unwrap();
    let counted = async || {
        let counted = catalogue.sentiment(&organisation(), date(2026, 3, 1), april).await.unwrap();
        counted.iter().map(|row| (row.conversation, row.said, row.amount)).collect::<Vec<_>>()
    };
    let [first, second] = [1, 2].map(|n| ConversationId::from_uuid(id(n)));
    let told =
        [(first, Sentiment::Positive, 5), (first, Sentiment::Mixed, 1), (second, Sentiment::Negative, 4)];
    assert_eq!(counted().await, told);
    // What comes later is added; of threads that turn out to be one the counts are too.
    let sentiment = vec![row(1, march, Sentiment::Mixed, 2)];
    catalogue.commit(&log(), Batch { sentiment, merged: vec![(second, first)], ..empty() }).await.unwrap();
    let told = [(first, Sentiment::Mixed, 2), (second, Sentiment::Positive, 5)];
    assert_eq!(counted().await[..2], told);
    let told = [(second, Sentiment::Negative, 4), (second, Sentiment::Mixed, 1)];
    assert_eq!(counted().await[2..], told);
}

pub async fn what_was_counted_by_day_is_carried_over_by_month(stage: &Stage) {
    let old = stage.schema_before(Plane::Vault, "0035").await;
    for (thread, day, said, amount) in [
        (1, "2026-03-09", "positive", 2),
        (1, "2026-03-31", "positive", 3),
        (1, "2026-03-31", "mixed", 1),
        (1, "2026-04-01", "neutral", 9),
        (2, "2026-03-01", "negative", 4),
    ] {
        let (thread, channel) = (stage.bytes(id(thread).as_bytes()), channel().id);
        let sql = format!(
            "INSERT INTO sentiment (conversation, channel, day, method, said, amount) \
             VALUES ({thread}, '{channel}', '{day}', 'words 1', '{said}', {amount})"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&old).await.unwrap();
    }
    old.close().await;

    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let told = async |from, until| {
        let counted = catalogue.sentiment(&organisation(), from, until).await.unwrap();
        let told =
            counted.iter().map(|row| (row.conversation.uuid(), row.method.as_str(), row.said, row.amount));
        told.map(|(thread, method, said, amount)| format!("{thread} {method} {said:?} {amount}"))
            .collect::<Vec<_>>()
    };
    let (march, april, may) = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1));
    let of = |thread, said, amount| format!("{} words 1 {said:?} {amount}", id(thread));
    let (glad, mixed) = (of(1, Sentiment::Positive, 5), of(1, Sentiment::Mixed, 1));
    assert_eq!(told(march, april).await, [glad, mixed, of(2, Sentiment::Negative, 4)]);
    assert_eq!(told(april, may).await, [of(1, Sentiment::Neutral, 9)]);
}

/// Another decision on a version of record 1.
fn otherwise(version: u128, n: u128) -> DecisionChange {
    let decided_at = at(i64::try_from(n).unwrap());
    DecisionChange {
        record: record(1),
        projection: ProjectionId::from_uuid(id(1001)),
        conversation: ConversationId::from_uuid(id(1)),
        decision: DecisionRow { outcome: Outcome::Refer, decided_at, ..decision(1, version) },
        set: set(n, &[3]),
    }
}

pub async fn what_a_changed_fact_decides_waits_in_the_transaction_that_changed_it(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let waiting = async || catalogue.waiting_anew(None, 10).await.unwrap();
    let answered = || Anew { record: record(1), cause: "answered".to_owned(), by: None };
    // Record 2 answers record 1, whichever comes first.
    let mut answer = Batch { answers_of: Some(organisation()), ..batch(2) };
    (answer.records[0].own, answer.records[0].answers) = (true, Some(digest(1)));
    catalogue.commit(&log(), answer).await.unwrap();
    assert_eq!(waiting().await, []);
    catalogue.commit(&log(), Batch { answers_of: Some(organisation()), ..batch(1) }).await.unwrap();
    assert_eq!(waiting().await, [answered()]);
    let mut again = Batch { answers_of: Some(organisation()), ..batch(3) };
    (again.records[0].own, again.records[0].answers) = (true, Some(digest(1)));
    let mut broken = batch(4);
    (broken.records[0].own, broken.records[0].answers) = (true, Some(digest(2)));
    broken.answers_of = Some(organisation());
    broken.pending.push(step(2));
    assert!(catalogue.commit(&log(), broken).await.is_err());
    catalogue.settle_anew(record(1)).await.unwrap();
    assert_eq!(waiting().await, [], "of what failed nothing waits");
    catalogue.commit(&log(), again).await.unwrap();
    assert_eq!(waiting().await, [answered()]);
    assert_eq!(catalogue.waiting_anew(Some(record(1)), 10).await.unwrap(), []);
    // The last fact is the one that is told.
    let handled = catalogue.handle_formal(&log(), &handled(1, "forwarded"), step(30), None, at(130)).await;
    assert!(handled.unwrap().is_some());
    let by = Some(registrar());
    assert_eq!(waiting().await, [Anew { record: record(1), cause: "forwarded".to_owned(), by }]);
    assert!(catalogue.change_decision(&log(), &otherwise(9, 40), step(40), at(3)).await.unwrap().is_none());
    assert_eq!(waiting().await.len(), 1, "nothing was decided");
    assert!(catalogue.change_decision(&log(), &otherwise(1, 41), step(41), at(3)).await.unwrap().is_some());
    assert_eq!(waiting().await, []);
    let letter = LetterRow { confirmed: Some((at(20), "ontvangen".to_owned())), ..letter(2, 50) };
    let links = vec![(letter, step(42), None)];
    let noted = (registrar(), at(20));
    catalogue.write_letters(&log(), &organisation(), links, Vec::new(), noted).await.unwrap().unwrap();
    assert_eq!(waiting().await, [Anew { record: record(2), cause: "letter-confirmed".to_owned(), by }]);
}

/// A person's answer on a version of record 1, in entry `n`.
fn answered(version: u128, n: u128) -> StepAnswered {
    StepAnswered {
        asked: "question".to_owned(),
        answer: "no",
        actor: ActorId::from_uuid(id(900)),
        formal: None,
        change: otherwise(version, n),
    }
}

fn edit_of_record_1() -> Batch {
    let versions = vec![VersionRow { replaces: true, edited_at: Some(at(90)), ..version_row(12, 1) }];
    Batch { versions, decisions: vec![decision(1, 12)], ..empty() }
}

pub async fn an_answer_is_of_one_version_and_the_decision_in_force_comes_first(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    catalogue.commit(&log(), batch(1)).await.unwrap();
    let heard = async || {
        let judged = catalogue.judged_record(&organisation(), record(1)).await.unwrap().unwrap();
        judged.people.len()
    };
    let _one = catalogue.answer_step(&log(), &answered(1, 50), step(50), at(50)).await.unwrap().unwrap();
    assert_eq!(heard().await, 1);
    catalogue.commit(&log(), edit_of_record_1()).await.unwrap();
    assert_eq!(heard().await, 0, "the edit was judged by nobody");
    let _other = catalogue.answer_step(&log(), &answered(12, 60), step(60), at(60)).await.unwrap().unwrap();
    assert_eq!(heard().await, 1);
    // A version that comes in later and is older.
    let older = DecisionRow { decided_at: at(500), ..decision(1, 13) };
    let late = Batch { versions: vec![version_row(13, 1)], decisions: vec![older], ..empty() };
    catalogue.commit(&log(), late).await.unwrap();
    let made = catalogue.decisions_made(record(1)).await.unwrap();
    let versions: Vec<_> = made.iter().map(|row| (row.version, row.outcome)).collect();
    let of = |n, outcome| (VersionId::from_uuid(id(n)), outcome);
    let (refer, archive) = (Outcome::Refer, Outcome::Archive);
    assert_eq!(versions, [of(12, refer), of(12, archive), of(13, archive), of(1, refer), of(1, archive)]);
    let told = catalogue.decisions(record(1)).await.unwrap();
    assert_eq!((told.len(), told[0].decided_at), (3, at(60)), "that of the version in force first");
}

/// Answers from before they were of a version: of the one that was decided on with them, or else of the one in force.
pub async fn answers_from_before_are_of_the_version_that_was_decided_on_with_them(stage: &Stage) {
    let old = stage.schema_before(Plane::Vault, "0030").await;
    let b = |n: u8| stage.bytes(&[n; 16]);
    let run = |sql: String| {
        let old = old.clone();
        async move { sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&old).await.unwrap() }
    };
    run("INSERT INTO shelf (number, organisation, channel, kind, own) VALUES (1, 'bzk', 'bzk-x', 'reaction', 0)".to_owned()).await;
    run(format!("INSERT INTO conversation (number, id) VALUES (1, {})", b(5))).await;
    run(format!("INSERT INTO delivery (number, capture, observed_at, profile) VALUES (1, {}, 3, '')", b(6)))
        .await;
    run("INSERT INTO ruling (number, outcome, tree, tree_version, ending, keep, path) VALUES (1, 'refer', 't', '1', 'e', '', '[]')".to_owned()).await;
    for (n, destroyed) in [(1_u8, "NULL"), (2, "9")] {
        run(format!("INSERT INTO record_row (number, id, shelf, conversation, version, projection, destroyed_at) VALUES ({n}, {}, 1, 1, {}, {}, {destroyed})", b(n), n * 10 + 1, b(n + 60))).await;
        // Two versions: the first was decided on at 30, and before that at 20; the second is in force, decided on at 40.
        for (version, at) in [(n * 10, 30), (n * 10 + 1, 40)] {
            run(format!("INSERT INTO version_row (number, id, record, digest, delivery, parts, ruleset, findings, ruling, decided_at) VALUES ({version}, {}, {n}, {}, 1, {}, 1, '[]', 1, {at})", b(version), b(version + 100), b(0))).await;
        }
        run(format!("INSERT INTO decision_before (record, version, outcome, tree, tree_version, path, decided_at, ending, replaced_at) VALUES ({}, {}, 'unsure', 't', '1', '[]', 20, 'e', 30)", b(n), b(n * 10))).await;
    }
    for (entry, at) in [(31_u8, 20), (32, 30), (33, 40)] {
        run(format!(
            "INSERT INTO decision_set (entry, decided_at, commitments) VALUES ({}, {at}, {})",
            b(entry),
            b(0)
        ))
        .await;
    }
    for (entry, record) in [(31_u8, 1), (32, 1), (33, 1), (34, 1), (35, 2)] {
        run(format!("INSERT INTO step_answer (entry, record, asked, answer, actor, answered_at) VALUES ({}, {}, 'question', 'no', {}, {entry})", b(entry), b(record), b(9))).await;
    }
    old.close().await;
    let db = stage.open(Plane::Vault).await;
    let rows = sqlx::query("SELECT entry, version FROM step_answer ORDER BY entry")
        .fetch_all(db.read())
        .await
        .unwrap();
    let cell = |row: &sqlx::any::AnyRow, name| sqlx::Row::get::<Vec<u8>, _>(row, name)[0];
    let told: Vec<(u8, u8)> = rows.iter().map(|row| (cell(row, "entry"), cell(row, "version"))).collect();
    assert_eq!(told, [(31, 10), (32, 10), (33, 11), (34, 11)], "those of what was destroyed are gone");
}
