//! Decisions have receipts; formal messages and letters are followed until they are where they belong.

use super::deciding::with;
use super::disclosure::{actor, entries, official};
use super::minimised::status;
use crate::keys::fixture::destroyed;
use crate::support::TestVault;
use knik::access::Actor;
use knik::decide::Answer;
use knik::ledger::{EntryKind, LogKey, ReceiptError};
use knik::model::{Outcome, PrivateText, RecordId, Role};
use knik::store::catalogue::RecordSummary;
use knik::vault::decision_receipt::{receipt, verify_decision};
use knik::vault::formal::{self, FormalSelection};
use knik::vault::letters::{self, Confirmed, LetterCase, NewLink};
use knik::vault::periodic::{self, Period};
use knik::vault::{VaultError, queue};
use serde_json::{Value, json};

const LOW: &str = "min-low";

pub fn registrar() -> Actor {
    actor(Role::RecordsManager, LOW)
}

pub fn case(number: &str) -> LetterCase {
    LetterCase { system: "brieven".to_owned(), number: PrivateText::new(number.to_owned()) }
}

pub fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

async fn records(vault: &TestVault, outcome: Option<Outcome>) -> Vec<RecordSummary> {
    vault.archive.catalogue.records(&LOW.parse().unwrap(), outcome, None, 10_000).await.unwrap()
}

/// A vault with one more reaction, and that reaction.
async fn with_reaction(text: &str) -> (TestVault, RecordId) {
    let (vault, _) = TestVault::loaded(1).await;
    let before: Vec<RecordId> = records(&vault, None).await.iter().map(|record| record.id).collect();
    with(&vault, &[status(31, "burger", "public", text, &["minlow"])]).await;
    let all = records(&vault, None).await;
    let new = all.iter().find(|record| !before.contains(&record.id)).unwrap().id;
    (vault, new)
}

#[tokio::test]
async fn every_decision_has_a_receipt_that_holds_offline_and_says_nothing_of_the_text() {
    let (vault, _) = TestVault::loaded(1).await;
    let _numbering = vault.numbering();
    let key = vault.archive.logs.vault.verifier();
    let all = records(&vault, None).await;
    assert!(all.len() > 20);
    for record in &all {
        let given = receipt(&vault.archive, &vault.rules, &official(LOW), record.id, 0).await.unwrap();
        let text = serde_json::to_string(&given).unwrap();
        let verified = verify_decision(&text, key).unwrap();
        assert_eq!(verified.statement["record"], json!(record.id));
        assert_eq!(verified.statement["outcome"], json!(record.outcome));
        assert_eq!(verified.entry.entry.kind(), EntryKind::DecisionMade);
        assert!(verified.statement.get("decidedBy").is_none());
    }
    let given = receipt(&vault.archive, &vault.rules, &official(LOW), all[0].id, 0).await.unwrap();
    let mut changed = json!(given);
    changed["statement"]["outcome"] = json!("do_not_archive");
    assert_eq!(verify_decision(&changed.to_string(), key), Err(ReceiptError::NotStated));
    changed = json!(given);
    changed["statement"]["decidedBy"] = json!(official(LOW).id);
    assert_eq!(verify_decision(&changed.to_string(), key), Err(ReceiptError::NotStated));
    let other = LogKey::from_seed(key.origin().clone(), &[9; 32]).unwrap();
    assert!(verify_decision(&json!(given).to_string(), other.verifier()).is_err());
    assert_eq!(verify_decision("{}", key), Err(ReceiptError::Malformed));
}

#[tokio::test]
async fn a_persons_decision_and_the_one_before_are_both_proved() {
    let (vault, record) = with_reaction("Serieus?").await;
    let _numbering = vault.numbering();
    let (key, reviewer) = (vault.archive.logs.vault.verifier(), actor(Role::Reviewer, LOW));
    queue::answer(&vault.archive, &vault.rules, &reviewer, record, "question", Answer::No).await.unwrap();
    let proved = async |before| {
        let given = receipt(&vault.archive, &vault.rules, &official(LOW), record, before).await?;
        Ok::<_, VaultError>(verify_decision(&json!(given).to_string(), key).unwrap())
    };
    let (now, was) = (proved(0).await.unwrap(), proved(1).await.unwrap());
    assert_eq!(now.entry.entry.kind(), EntryKind::DecisionChanged);
    assert_eq!(now.statement["decidedBy"], json!(reviewer.id));
    assert_eq!(
        (&now.statement["outcome"], &was.statement["outcome"]),
        (&json!("do_not_archive"), &json!("unsure"))
    );
    assert!(matches!(proved(2).await, Err(VaultError::Absent { .. })));
    let stranger = receipt(&vault.archive, &vault.rules, &official("dwv"), record, 0).await;
    assert!(matches!(stranger, Err(VaultError::Absent { .. })));
}

#[tokio::test]
async fn a_formal_message_waits_until_it_is_where_it_belongs() {
    let (vault, record) = with_reaction("Hierbij maak ik bezwaar tegen uw besluit van 3 maart.").await;
    let (archive, rules, registrar) = (&vault.archive, &vault.rules, registrar());
    let listed = async |which| formal::list(archive, rules, &registrar, which).await.unwrap();
    let waiting = listed(FormalSelection::Waiting).await;
    let message = waiting.iter().find(|message| message.record == record).unwrap();
    assert_eq!(message.received_at.to_string(), "2026-03-09T11:52:03.416Z", "the time of receipt is kept");
    assert_eq!(message.due_at.seconds() - message.received_at.seconds(), 14 * 86_400);
    let overdue = message.due_at <= archive.sources.now();
    assert_eq!(listed(FormalSelection::Overdue).await.iter().any(|of| of.record == record), overdue);
    let forward = async |to: &str, told| formal::forward(archive, rules, &registrar, record, to, told).await;
    assert!(matches!(forward(" ", None).await, Err(VaultError::Input(_))));
    let recorded = entries(&vault, 0).await.len();
    forward("Gemeente Voorbeeldstad", None).await.unwrap();
    let entry = entries(&vault, recorded).await.remove(0);
    assert_eq!((entry.kind(), entry.actor()), (EntryKind::FormalMessageHandled, Some(registrar.id)));
    assert_eq!(entry.outcome_code().unwrap().to_string(), "forwarded");
    let late = listed(FormalSelection::Overdue).await;
    assert!(late.iter().any(|of| of.record == record), "the sender was not told yet");
    formal::tell(archive, rules, &registrar, record, day("2026-03-11")).await.unwrap();
    assert!(!listed(FormalSelection::Overdue).await.iter().any(|of| of.record == record));
    forward("Gemeente Voorbeeldstad", None).await.unwrap();
    assert!(matches!(forward("Provincie Voorbeeld", None).await, Err(VaultError::Input(_))), "it stands");
    assert!(matches!(
        formal::register(archive, rules, &registrar, record, &case("Z-1"), None).await,
        Err(VaultError::Input(_))
    ));
    let official = official(LOW);
    assert!(matches!(
        formal::list(archive, rules, &official, FormalSelection::All).await,
        Err(VaultError::Refused(_))
    ));
}

#[tokio::test]
async fn a_message_that_a_person_finds_formal_is_followed_and_found_by_its_case() {
    let (vault, record) = with_reaction("Serieus?").await;
    let (archive, rules, registrar) = (&vault.archive, &vault.rules, registrar());
    let known = async || {
        let all = formal::list(archive, rules, &registrar, FormalSelection::All).await.unwrap();
        all.into_iter().find(|message| message.record == record)
    };
    assert!(known().await.is_none());
    formal::register(archive, rules, &registrar, record, &case("Z-1"), Some(day("2026-03-10")))
        .await
        .unwrap();
    assert_eq!(known().await.unwrap().state, "registered");
    let shown = formal::one(archive, rules, &registrar, record).await.unwrap();
    assert_eq!(shown["case"]["caseNumber"], "Z-1");
    let found = formal::find(archive, rules, &registrar, &case("Z-1")).await.unwrap();
    assert_eq!(found[0].record, record);
    assert!(formal::find(archive, rules, &registrar, &case("Z-2")).await.unwrap().is_empty());
    assert!(matches!(
        formal::register(archive, rules, &actor(Role::RecordsManager, "dwv"), record, &case("Z-1"), None)
            .await,
        Err(VaultError::Absent { .. })
    ));
}

fn link(record: RecordId, number: &str) -> NewLink {
    NewLink {
        record,
        case: case(number),
        registered_on: day("2026-03-09"),
        registrar: PrivateText::new("R. Voorbeeld".to_owned()),
        taken_over: "tekst".to_owned(),
        confirmed: None,
    }
}

#[tokio::test]
async fn a_letter_is_due_until_confirmed_and_is_found_both_ways() {
    let (vault, record) = with_reaction("Wat een geweldig idee zeg").await;
    let (archive, rules, registrar) = (&vault.archive, &vault.rules, registrar());
    let low = LOW.parse().unwrap();
    let proposed = async || {
        let all = queue::proposals(archive, &low).await.unwrap();
        all.into_iter().find(|proposal| proposal.record.id == record)
    };
    let proposal = proposed().await.unwrap();
    assert!(proposal.thread.iter().any(|member| member.record == record), "with the thread it stands in");
    letters::link(archive, rules, &registrar, link(record, "B-17")).await.unwrap();
    assert!(proposed().await.is_none(), "what is not confirmed is not proposed for destruction");
    letters::link(archive, rules, &registrar, link(record, "B-17")).await.unwrap();
    assert!(matches!(
        letters::link(archive, rules, &registrar, link(record, "B-18")).await,
        Err(VaultError::Input(_))
    ));
    let due = async || letters::find(archive, rules, &registrar, None).await.unwrap();
    assert_eq!(due().await.len(), 1);
    let by_case = letters::find(archive, rules, &registrar, Some(&case("B-17"))).await.unwrap();
    assert_eq!(by_case[0].link.record, record);
    let of_record = letters::of_record(archive, rules, &registrar, record).await.unwrap();
    let told = of_record.case.unwrap();
    assert_eq!((&told["caseNumber"], &told["registrar"]), (&json!("B-17"), &json!("R. Voorbeeld")));
    let confirm = async |number: &str| {
        let asked = Confirmed { case: case(number), on: day("2026-03-10"), said: "ontvangen".to_owned() };
        letters::confirm(archive, rules, &registrar, &asked).await.unwrap()
    };
    assert_eq!((confirm("B-18").await, confirm("B-17").await), (0, 1));
    assert!(due().await.is_empty() && proposed().await.is_some());
    let linked = archive.catalogue.letter_of(record).await.unwrap().unwrap();
    assert_eq!(linked.confirmation.as_deref(), Some("ontvangen"));
    // The case number is nowhere but under a seal.
    let leaves: Vec<Vec<u8>> = entries(&vault, 0).await.iter().map(knik::ledger::Entry::leaf).collect();
    assert!(leaves.iter().all(|leaf| !String::from_utf8_lossy(leaf).contains("B-17")));
}

#[tokio::test]
async fn a_list_comes_in_whole_or_not_at_all() {
    let (vault, record) = with_reaction("Wat een geweldig idee zeg").await;
    let (archive, rules, registrar) = (&vault.archive, &vault.rules, registrar());
    let import = async |list: &str, dry_run| {
        letters::import(archive, rules, &registrar, list.as_bytes(), dry_run).await
    };
    let head = "record;system;case_number;registered_on;taken_over;confirmed_on;confirmation\n";
    let good =
        format!("{head}{record};brieven;B-17;09-03-2026;tekst;;\n;brieven;B-17;;;2026-03-10;ontvangen\n");
    let unknown = format!("{good}0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11;brieven;B-19;2026-03-09;tekst;;\n");
    let Err(VaultError::Faults(faults)) = import(&unknown, false).await else { panic!("refused") };
    assert!(faults[0].starts_with("row 4, column `record`"), "{faults:?}");
    assert!(archive.catalogue.letter_of(record).await.unwrap().is_none(), "nothing of it came in");
    let tried = import(&good, true).await.unwrap();
    assert_eq!((tried.rows, tried.linked), (2, 1));
    assert!(archive.catalogue.letter_of(record).await.unwrap().is_none(), "only tried");
    import(&good, false).await.unwrap();
    let linked = archive.catalogue.letter_of(record).await.unwrap().unwrap();
    assert!(linked.confirmed_at.is_some(), "{linked:?}");
    let again = import(&good, false).await.unwrap();
    assert_eq!((again.linked, again.confirmed, again.known), (0, 0, 2), "{again:?}");
    let other = good.replace("B-17", "B-20");
    let Err(VaultError::Faults(faults)) = import(&other, false).await else { panic!("refused") };
    assert!(faults[0].contains("another case"), "{faults:?}");
}

fn march() -> Period {
    Period::new(day("2026-03-01"), day("2026-04-01")).unwrap()
}

#[tokio::test]
async fn how_reactions_sounded_is_counted_and_small_counts_are_not_told() {
    let (vault, _) = TestVault::loaded(1).await;
    let glad: Vec<Value> = (0..12)
        .map(|n| status(100 + n, "burger", "public", "Prachtig, complimenten!", &["minlow"]))
        .collect();
    let sad: Vec<Value> =
        (0..3).map(|n| status(200 + n, "burger", "public", "Wat een schande", &["minlow"])).collect();
    with(&vault, &[glad, sad].concat()).await;
    let report =
        periodic::sentiment(&vault.archive, &vault.rules, &LOW.parse().unwrap(), march()).await.unwrap();
    assert_eq!(report.counted_with.iter().collect::<Vec<_>>(), [&report.method]);
    let told = json!(report);
    let post =
        told["threads"].as_array().unwrap().iter().max_by_key(|post| post["reactions"].as_u64()).unwrap();
    assert_eq!(post["reactions"].as_u64().unwrap() % 10, 0, "{post}");
    assert_eq!(post["sentiment"]["negative"], "<10", "{post}");
    // With one count told and the sum known, the other would be too.
    let hidden = post["sentiment"].as_object().unwrap().values().filter(|count| *count == "<10").count();
    assert!(hidden >= 2, "{post}");
    for shares in [&told, post] {
        for (table, keys) in [("question", 3), ("answered", 2), ("sentiment", 4)] {
            let counts = shares[table].as_object().unwrap();
            assert_eq!(counts.len(), keys, "every key stands there: {shares}");
            let in_tens = |count: &Value| count == "<10" || count.as_u64().unwrap().is_multiple_of(10);
            assert!(counts.values().all(in_tens), "{shares}");
        }
    }
    let days = Period::new(day("2026-03-01"), day("2026-03-20")).unwrap();
    let refused = periodic::sentiment(&vault.archive, &vault.rules, &LOW.parse().unwrap(), days).await;
    assert!(matches!(refused, Err(VaultError::Input(why)) if why.contains("quarter")), "of some days");
    let empty = Period::new(day("1999-01-01"), day("1999-02-01")).unwrap();
    let report =
        periodic::sentiment(&vault.archive, &vault.rules, &LOW.parse().unwrap(), empty).await.unwrap();
    assert!(report.posts.is_empty());
    assert!(Period::new(day("2026-02-01"), day("2026-01-01")).is_err());
}

#[tokio::test]
async fn what_was_acted_on_and_what_was_not_is_told_and_recorded() {
    let (vault, _) = TestVault::loaded(1).await;
    let mut answer = status(51, "minlow", "public", "Vanaf maandag.", &["burger"]);
    answer["in_reply_to_id"] = json!("41");
    answer["created_at"] = json!("2026-03-09T16:52:03.416Z");
    with(
        &vault,
        &[
            status(41, "burger", "public", "Wanneer gaat de sluis weer open?", &["minlow"]),
            status(42, "burger", "public", "Hoe laat gaat de brug open?", &["minlow"]),
            answer,
        ],
    )
    .await;
    let recorded = entries(&vault, 0).await.len();
    let report = periodic::acted_on(&vault.archive, &LOW.parse().unwrap(), march(), None).await.unwrap();
    assert_eq!(report.answered + report.unanswered, report.questions);
    assert!(report.unanswered >= 1, "{report:?}");
    assert!(report.items.iter().any(|item| item.answer.is_some() && item.hours == Some(5)), "{report:?}");
    let entry = entries(&vault, recorded).await.remove(0);
    assert_eq!(entry.kind(), EntryKind::ActedOnReported);
    assert_eq!(entry.counts().values().copied().collect::<Vec<_>>(), [report.answered, report.unanswered]);
}

#[tokio::test]
async fn nothing_is_registered_linked_or_told_of_what_was_destroyed() {
    let (vault, record) = with_reaction("Hierbij maak ik bezwaar tegen uw besluit van 3 maart.").await;
    let (archive, rules, registrar) = (&vault.archive, &vault.rules, registrar());
    formal::forward(archive, rules, &registrar, record, "Gemeente Voorbeeldstad", None).await.unwrap();
    destroyed(&vault, &LOW.parse().unwrap(), &[record]).await.unwrap();
    let count = async || {
        let mut rows = Vec::new();
        for table in ["letter", "formal_message", "journal_pending", "ledger_body"] {
            let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {table}"));
            let row = sqlx::query(sql).fetch_one(archive.catalogue.database().read()).await.unwrap();
            rows.push(sqlx::Row::get::<i64, _>(&row, "n"));
        }
        rows
    };
    let before = count().await;
    let absent =
        |done: Result<(), VaultError>| assert!(matches!(done, Err(VaultError::Absent { .. })), "{done:?}");
    absent(letters::link(archive, rules, &registrar, link(record, "B-17")).await);
    absent(formal::register(archive, rules, &registrar, record, &case("Z-1"), None).await);
    absent(formal::forward(archive, rules, &registrar, record, "Provincie Voorbeeld", None).await);
    absent(formal::tell(archive, rules, &registrar, record, day("2026-03-11")).await);
    let list = format!(
        "record;system;case_number;registered_on;taken_over\n{record};brieven;B-17;09-03-2026;tekst\n"
    );
    match letters::import(archive, rules, &registrar, list.as_bytes(), false).await {
        Err(VaultError::Faults(told)) => assert!(told[0].contains("row 2, column `record`"), "{told:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(count().await, before, "nothing of it was written, and nothing sealed");
    assert!(
        formal::list(archive, rules, &registrar, FormalSelection::All)
            .await
            .unwrap()
            .iter()
            .all(|m| m.record != record)
    );
}
