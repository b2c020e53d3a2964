//! The reviewers' queue: what is seen first, what is opened, what a person says and what follows; samples by four eyes;
//! agreement.

use super::disclosure::entries;
use crate::support::{DemoChannel, TestVault, demo, judged_by_one, start};
use knik::access::Actor;
use knik::decide::Answer;
use knik::ledger::{EntryKind, Thing};
use knik::model::{ActorId, FindingVerdict, PrivateText, QueueKind, RecordId, Role, VersionId};
use knik::redact::Language;
use knik::store::catalogue::{Channel, Fact, FormalMessage, Queued};
use knik::vault::destroy::{Destruction, destroy};
use knik::vault::formal::{self, FormalSelection};
use knik::vault::reviewing::{self, Added, AskedRate, Assessing, Drawing, FindingSaid, Place, ShownItem};
use knik::vault::{Rules, VaultError, publish, queue};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Invented; the detector sees the address, and cannot know that the last word is a name.
pub const TEXT: &str = "Hoe laat opent de balie? Mail naar kwispelaar@voorbeeld.nl of vraag het zilverhoek";
const NAME: &str = "zilverhoek";
pub const REASON: &str = "in dit gesprek wijst het een persoon aan";
pub const WEIGHING: &str = "de persoonlijke levenssfeer weegt zwaarder dan dit ene woord";

fn dwv(channels: &[DemoChannel]) -> &Channel {
    &channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap().channel
}

fn post(id: u32, text: &str) -> Value {
    let id = id.to_string();
    json!({
        "id": id, "text": text, "author_id": "77", "conversation_id": id, "lang": "nl",
        "created_at": "2026-04-05T10:00:00.000Z", "edit_history_tweet_ids": [id],
    })
}

fn page(posts: &[Value]) -> Vec<u8> {
    let users = json!([{"id": "77", "username": "balievraag", "name": "Balie Vraag", "protected": false}]);
    json!({ "data": posts, "includes": { "users": users } }).to_string().into_bytes()
}

/// A vault with these posts, published.
pub async fn with(texts: &[&str]) -> TestVault {
    let (vault, channels) = TestVault::demo(1).await;
    let posts: Vec<Value> = (9_001..).zip(texts).map(|(id, text)| post(id, text)).collect();
    vault.ingest_bytes(dwv(&channels), &page(&posts)).await.unwrap();
    vault.round().await;
    vault
}

pub fn person(number: u128, role: Role) -> Actor {
    Actor { id: ActorId::from_uuid(Uuid::from_u128(number)), role, organisation: "dwv".parse().unwrap() }
}

pub fn reviewer(number: u128) -> Actor {
    person(number, Role::Reviewer)
}

pub fn manager() -> Actor {
    person(500, Role::RecordsManager)
}

/// Draws everything, so that `twofold_permille` of a thousand are judged by two people.
pub async fn sampled(vault: &TestVault, twofold_permille: u32) -> u64 {
    let rate = AskedRate { permille: Some(1_000), twofold_permille: Some(twofold_permille) };
    let drawing = Drawing { channels: vec!["dwv-x".parse().unwrap()], rate };
    let rules = Rules { reviewing: judged_by_one(), ..vault.rules.clone() };
    let drawn = reviewing::draw(&vault.archive, &rules, &manager(), &drawing).await.unwrap();
    drawn.iter().map(|row| row.drawn).sum()
}

pub async fn waiting(vault: &TestVault, actor: &Actor, kind: QueueKind) -> Vec<VersionId> {
    let asked = Queued { kind: Some(kind), most: 100, ..Queued::default() };
    let items = reviewing::list(&vault.archive, &vault.rules, actor, &asked).await.unwrap();
    items.iter().map(|item| item.id).collect()
}

pub async fn show(vault: &TestVault, actor: &Actor, id: VersionId) -> Result<ShownItem, VaultError> {
    reviewing::show(&vault.archive, &vault.rules, actor, id, Language::Dutch).await
}

async fn assess(
    vault: &TestVault,
    actor: &Actor,
    id: VersionId,
    asked: &Assessing,
) -> Result<Value, VaultError> {
    reviewing::assess(&vault.archive, &vault.rules, actor, id, asked).await
}

/// Everything that a sample asks of an item: its steps answered, its findings confirmed.
async fn whole(vault: &TestVault, actor: &Actor, id: VersionId) -> Assessing {
    let shown = show(vault, actor, id).await.unwrap();
    Assessing {
        answers: shown.steps.iter().map(|step| (step.step.clone(), Answer::Yes)).collect(),
        rest_confirmed: true,
        weighing: PrivateText::from(WEIGHING),
        reason: PrivateText::from(REASON),
        seconds: Some(30),
        ..Assessing::default()
    }
}

fn missed(words: &str, exemption: &str) -> Added {
    Added {
        place: Place::Words(PrivateText::from(words)),
        entity: "PERSON".parse().unwrap(),
        exemption: exemption.parse().unwrap(),
    }
}

/// What readers may see of the only record.
async fn document(vault: &TestVault) -> Option<String> {
    let records = vault.archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 10).await.unwrap();
    vault.archive.room.document(records[0].projection).await.unwrap()
}

fn input(result: Result<Value, VaultError>) -> String {
    match result {
        Err(VaultError::Input(what)) => what,
        other => panic!("not refused for what was said: {other:?}"),
    }
}

#[tokio::test]
async fn what_a_person_says_holds_at_once_and_outlives_detection() {
    let vault = with(&[TEXT]).await;
    assert_eq!(sampled(&vault, 0).await, 1);
    let reviewer = reviewer(1);
    let id = waiting(&vault, &reviewer, QueueKind::Sample).await[0];
    let shown = json!(show(&vault, &reviewer, id).await.unwrap());
    assert!(!shown.to_string().contains("kwispelaar"), "the redacted view first: {shown}");
    assert!(shown["findings"][0].get("start").is_none(), "no place, and so no length");
    let address = shown["findings"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&shown["findings"][0]["type"], &shown["findings"][0]["assessed"]),
        (&json!("EMAIL_ADDRESS"), &json!(false))
    );

    let before = document(&vault).await.unwrap();
    assert!(before.contains(NAME) && before.contains("provisional"), "{before}");
    let mut said = whole(&vault, &reviewer, id).await;
    said.rest_confirmed = false;
    let reject =
        |id: &str| FindingSaid { id: id.to_owned(), verdict: FindingVerdict::Reject, exemption: None };
    said.findings = vec![reject(&address)];
    said.added = vec![missed("Zilverhoek", "woo-5.1.2e")];
    let told = assess(&vault, &reviewer, id, &said).await.unwrap();
    assert_eq!(told["settled"], json!(true));
    // In effect when it returns: what was added is gone, what was rejected can be read.
    let after = document(&vault).await.expect("published anew");
    assert!(!after.contains(NAME) && after.contains("kwispelaar@voorbeeld.nl"), "{after}");
    assert!(after.contains("assessed") && !after.contains("provisional"), "{after}");
    // A later look by the same detector undoes neither.
    let records = vault.archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 10).await.unwrap();
    publish::refresh(&vault.archive, &vault.rules, records[0].conversation).await.unwrap();
    vault.round().await;
    assert_eq!(document(&vault).await.as_deref(), Some(after.as_str()));
    // What readers saw before stays, sealed, with reason and weighing.
    let earlier = reviewing::earlier(&vault.archive, &vault.rules, &manager(), records[0].id).await.unwrap();
    let version = &earlier["versions"][0];
    assert_eq!((&version["reason"], &version["weighing"]), (&json!(REASON), &json!(WEIGHING)));
    assert_eq!(version["before"], serde_json::from_str::<Value>(&before).unwrap());
    // And is nowhere in the clear.
    let entry =
        entries(&vault, 0).await.into_iter().find(|entry| entry.kind() == EntryKind::ReviewDone).unwrap();
    assert!(entry.things().contains(&Thing::Record(records[0].id)));
    let leaf = format!("{entry:?}");
    assert!(!leaf.contains(NAME) && !leaf.contains("levenssfeer"), "{leaf}");
    // It was answered: it is not there any more.
    assert!(waiting(&vault, &reviewer, QueueKind::Sample).await.is_empty());
    assert!(matches!(show(&vault, &reviewer, id).await, Err(VaultError::Absent { .. })));
    let again = assess(&vault, &reviewer, id, &said).await;
    assert!(matches!(again, Err(VaultError::Absent { .. })), "{again:?}");
}

#[tokio::test]
async fn a_relative_exemption_is_weighed_and_an_absolute_one_is_not() {
    let vault = with(&[TEXT]).await;
    sampled(&vault, 0).await;
    let reviewer = reviewer(1);
    let id = waiting(&vault, &reviewer, QueueKind::Sample).await[0];
    let before = document(&vault).await;
    let said = |exemption: &str, weighing: &str, reason: &str| {
        let added = vec![missed(NAME, exemption)];
        let (weighing, reason) = (PrivateText::from(weighing), PrivateText::from(reason));
        Assessing { added, weighing, reason, ..Assessing::default() }
    };
    for (asked, word) in [
        (said("woo-5.1.2e", "", REASON), "weighing"),
        (said("woo-5.1.1d", "", "kort"), "reason"),
        (said("woo-9.9", WEIGHING, REASON), "exemptions.yaml"),
        (
            Assessing {
                added: vec![missed("staat er niet", "avg-9")],
                reason: PrivateText::from(REASON),
                ..Assessing::default()
            },
            "does not stand",
        ),
        (
            Assessing { answers: vec![("nonsense".to_owned(), Answer::Yes)], ..Assessing::default() },
            "nonsense",
        ),
        (
            Assessing {
                findings: vec![FindingSaid {
                    id: "x".to_owned(),
                    verdict: FindingVerdict::Confirm,
                    exemption: None,
                }],
                ..Assessing::default()
            },
            "read the item again",
        ),
        // A sample is judged whole.
        (said("woo-5.1.1d", "", REASON), "judged whole"),
    ] {
        let what = input(assess(&vault, &reviewer, id, &asked).await);
        assert!(what.contains(word) && !what.contains(NAME), "{what} lacks {word}");
    }
    assert_eq!(document(&vault).await, before, "nothing of it was taken");
    let mut absolute = whole(&vault, &reviewer, id).await;
    absolute.rest_confirmed = false;
    absolute.weighing = PrivateText::default();
    let shown = show(&vault, &reviewer, id).await.unwrap();
    absolute.findings = shown
        .findings
        .iter()
        .map(|finding| FindingSaid {
            id: finding.id.clone(),
            verdict: FindingVerdict::Confirm,
            exemption: Some("woo-5.1.1d".parse().unwrap()),
        })
        .collect();
    absolute.added = vec![missed(NAME, "woo-5.1.1d")];
    assess(&vault, &reviewer, id, &absolute).await.unwrap();
    let after = document(&vault).await.unwrap();
    assert!(after.contains("woo-5.1.1d") && !after.contains("provisional"), "{after}");
}

#[tokio::test]
async fn an_original_is_opened_of_what_waits_recorded_and_so_many_a_day() {
    let mut vault = with(&[TEXT, "Waar kan ik parkeren?", "Is de brug dicht?"]).await;
    let policy = (*vault.rules.reviewing).clone().with_openings_a_day(2);
    vault.rules.reviewing = Arc::new(policy);
    sampled(&vault, 0).await;
    let _numbering = vault.numbering();
    let first = reviewer(1);
    let ids = waiting(&vault, &first, QueueKind::Sample).await;
    assert_eq!(ids.len(), 3);
    let open =
        async |actor: &Actor, id: VersionId| reviewing::open(&vault.archive, &vault.rules, actor, id).await;
    let before = entries(&vault, 0).await.len();
    let opened = open(&first, ids[0]).await.unwrap().to_json();
    assert!(opened["passages"][0]["text"].as_str().is_some());
    let kinds: Vec<EntryKind> = entries(&vault, before).await.iter().map(|entry| entry.kind()).collect();
    let place = |kind| kinds.iter().position(|one| *one == kind).unwrap();
    assert!(place(EntryKind::DisclosureIntended) < place(EntryKind::DisclosureServed), "{kinds:?}");
    // Roles that check or keep do not open; what is not theirs is not there for others.
    for (role, known) in [(Role::Official, true), (Role::RecordsManager, true), (Role::Researcher, false)] {
        match open(&person(7, role), ids[1]).await {
            Err(VaultError::Refused(_)) => assert!(known, "{role}"),
            Err(VaultError::Absent { .. }) => assert!(!known, "{role}"),
            other => panic!("{role}: {other:?}"),
        }
    }
    let elsewhere = Actor { organisation: "min-low".parse().unwrap(), ..reviewer(2) };
    assert!(matches!(open(&elsewhere, ids[1]).await, Err(VaultError::Absent { .. })));
    // What was answered is not opened.
    let said = whole(&vault, &first, ids[2]).await;
    assess(&vault, &first, ids[2], &said).await.unwrap();
    assert!(matches!(open(&first, ids[2]).await, Err(VaultError::Absent { .. })));
    // Two a day, and each person their own.
    open(&first, ids[1]).await.unwrap();
    match open(&first, ids[1]).await {
        Err(VaultError::Refused(denial)) => assert!(denial.codes().contains("review#openings-a-day")),
        other => panic!("{other:?}"),
    }
    open(&reviewer(2), ids[1]).await.unwrap();
    let denied = entries(&vault, before).await;
    assert!(denied.iter().any(|entry| entry.kind() == EntryKind::AccessDenied));
}

#[tokio::test]
async fn two_people_judge_without_seeing_each_other_and_a_third_says_where_they_differ() {
    let vault = with(&[TEXT]).await;
    sampled(&vault, 1_000).await;
    let (one, two, three) = (reviewer(1), reviewer(2), reviewer(3));
    let id = waiting(&vault, &one, QueueKind::Sample).await[0];
    let first = show(&vault, &two, id).await.unwrap();
    assert_eq!(first.people, 2);
    let mut missing = whole(&vault, &one, id).await;
    missing.added = vec![missed(NAME, "woo-5.1.2e")];
    assert_eq!(assess(&vault, &one, id, &missing).await.unwrap()["settled"], json!(false));
    // Somebody saw a name: nobody reads it until it is settled, whatever is computed meanwhile.
    assert_eq!(document(&vault).await, None);
    vault.round().await;
    assert_eq!(document(&vault).await, None);
    // The first does not judge it again; the second sees it as if nobody had.
    assert!(waiting(&vault, &one, QueueKind::Sample).await.is_empty());
    assert!(matches!(assess(&vault, &one, id, &missing).await, Err(VaultError::Absent { .. })));
    let second = show(&vault, &two, id).await.unwrap();
    assert_eq!(json!(second.findings), json!(first.findings));
    assert_eq!(json!(second.view), json!(first.view));
    let nothing = whole(&vault, &two, id).await;
    assert_eq!(assess(&vault, &two, id, &nothing).await.unwrap()["settled"], json!(false), "they differ");
    assert_eq!(show(&vault, &three, id).await.unwrap().people, 3);
    assert_eq!(document(&vault).await, None);
    let mut third = whole(&vault, &three, id).await;
    third.added = vec![missed(NAME, "woo-5.1.2e")];
    assert_eq!(assess(&vault, &three, id, &third).await.unwrap()["settled"], json!(true));
    let document = document(&vault).await.expect("settled, and so published");
    assert!(!document.contains(NAME) && document.contains("assessed"), "{document}");
    assert!(waiting(&vault, &reviewer(4), QueueKind::Sample).await.is_empty());
}

#[tokio::test]
async fn a_drawing_can_be_done_again_and_takes_nothing_twice() {
    let vault = with(&["Hoe laat?", "Waar dan?", "Wanneer precies?"]).await;
    assert_eq!(sampled(&vault, 0).await, 3);
    assert_eq!(sampled(&vault, 0).await, 0, "nothing was decided since");
    let rows = reviewing::drawings(&vault.archive, &vault.rules, &manager()).await.unwrap();
    assert_eq!((rows.len(), rows[0].candidates, rows[0].drawn, rows[0].seed.len()), (1, 3, 3, 32));
    let drawn = entries(&vault, 0).await;
    let entry = drawn.iter().find(|entry| entry.kind() == EntryKind::ReviewSampleDrawn).unwrap();
    assert!(format!("{entry:?}").contains(&rows[0].seed), "the seed stands in the ledger");
    for role in [Role::Reviewer, Role::DataProtectionOfficer, Role::Official] {
        let refused =
            reviewing::draw(&vault.archive, &vault.rules, &person(9, role), &Drawing::default()).await;
        assert!(matches!(refused, Err(VaultError::Refused(_))), "{role}");
    }
    let other = Drawing { channels: vec!["low-mastodon".parse().unwrap()], ..Drawing::default() };
    let refused = reviewing::draw(&vault.archive, &vault.rules, &manager(), &other).await;
    assert!(matches!(refused, Err(VaultError::Input(_))), "another organisation's channel");
}

#[tokio::test]
async fn nobody_keeps_decisions_out_of_the_sample_by_drawing_less() {
    let vault = with(&["Hoe laat?", "Waar dan?"]).await;
    for (permille, twofold_permille) in [(Some(0), None), (Some(9), None), (Some(1_000), Some(0))] {
        let asked = Drawing { rate: AskedRate { permille, twofold_permille }, ..Drawing::default() };
        match reviewing::draw(&vault.archive, &vault.rules, &manager(), &asked).await {
            Err(VaultError::Input(why)) => assert!(why.contains("never less"), "{why}"),
            other => panic!("drawn: {other:?}"),
        }
    }
    assert!(reviewing::drawings(&vault.archive, &vault.rules, &manager()).await.unwrap().is_empty());
    assert_eq!(sampled(&vault, 0).await, 2, "both can be drawn still");
}

#[tokio::test]
async fn what_comes_in_while_a_sample_is_drawn_is_decided_after_it() {
    let vault = with(&["Hoe laat?"]).await;
    let channel = vault.archive.catalogue.channel(&"dwv-x".parse().unwrap()).await.unwrap().unwrap();
    let drawing = vault.archive.intake.lock().await;
    let bytes = page(&[post(9_500, "Waar dan?")]);
    let mut taken = std::pin::pin!(vault.ingest_bytes(&channel, &bytes));
    let waits = tokio::time::timeout(std::time::Duration::from_millis(400), &mut taken).await;
    assert!(waits.is_err(), "it waits for the intake");
    let drawn_at = vault.archive.sources.now();
    drop(drawing);
    taken.await.unwrap();
    let records = vault.archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 10).await.unwrap();
    let mut after = 0;
    for record in &records {
        let made = vault.archive.catalogue.decisions_made(record.id).await.unwrap();
        after += usize::from(made[0].decided_at > drawn_at);
    }
    assert_eq!((records.len(), after), (2, 1));
}

#[tokio::test]
async fn agreement_and_work_are_told_when_there_are_enough_of_them() {
    let texts: Vec<String> = (0..13).map(|n| format!("Hoe laat opent balie {n}?")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vault = with(&texts).await;
    sampled(&vault, 0).await;
    let reviewer = reviewer(1);
    let ids = waiting(&vault, &reviewer, QueueKind::Sample).await;
    let span = (start().plus_seconds(-1_000_000), start().plus_seconds(100_000_000));
    let agreement =
        async || reviewing::agreement(&vault.archive, &vault.rules, &manager(), span).await.unwrap();
    let missed = |told: &Value| {
        let steps = told["steps"].as_array().unwrap();
        steps.iter().find(|row| row["asked"] == "missed").cloned().unwrap()
    };
    for id in &ids[..9] {
        let said = whole(&vault, &reviewer, *id).await;
        assess(&vault, &reviewer, *id, &said).await.unwrap();
    }
    let few = missed(&agreement().await);
    assert_eq!((few.get("count"), &few["fewerThan"]), (None, &json!(10)), "{few}");
    let standing =
        async || reviewing::standing(&vault.archive, &vault.rules, &manager(), span).await.unwrap();
    assert_eq!(
        standing().await["work"][0],
        json!({ "kind": "sample", "fewerPeopleThan": 5 }),
        "one person's pace"
    );
    for (other, id) in (2..).zip(&ids[9..]) {
        let other = self::reviewer(other);
        let said = whole(&vault, &other, *id).await;
        assess(&vault, &other, *id, &said).await.unwrap();
    }
    let told = missed(&agreement().await);
    assert_eq!(
        (&told["count"], &told["agreement"], &told["differFewerThan"]),
        (&json!(10), &Value::Null, &json!(10)),
        "neither how many of thirteen differ nor that none does: {told}"
    );
    let standing = standing().await;
    let work = &standing["work"][0];
    assert_eq!(
        (&work["kind"], &work["judged"], &work["timed"], &work["secondsEach"]),
        (&json!("sample"), &json!(10), &json!(10), &json!(30.0))
    );
    assert_eq!(standing["overdue"], json!(0));
    let refused = reviewing::agreement(&vault.archive, &vault.rules, &reviewer, span).await;
    assert!(matches!(refused, Err(VaultError::Refused(_))), "reviewers do not see figures of each other");
}

#[tokio::test]
async fn a_destroyed_record_takes_what_was_said_of_its_places_along() {
    let vault = with(&[TEXT]).await;
    sampled(&vault, 0).await;
    let reviewer = reviewer(1);
    let id = waiting(&vault, &reviewer, QueueKind::Sample).await[0];
    let said = whole(&vault, &reviewer, id).await;
    assess(&vault, &reviewer, id, &said).await.unwrap();
    let count = async |sql: &'static str| {
        let row = sqlx::query(sql).fetch_one(vault.archive.catalogue.database().read()).await.unwrap();
        sqlx::Row::get::<i64, _>(&row, "n")
    };
    let placed = "SELECT COUNT(*) AS n FROM assessment WHERE start_at IS NOT NULL";
    assert!(count(placed).await > 0);
    let records = vault.archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 10).await.unwrap();
    let record: RecordId = records[0].id;
    let organisation = "dwv".parse().unwrap();
    let earlier = vault.archive.catalogue.assessments_of(&organisation, record).await.unwrap();
    assert!(vault.archive.journal.body(earlier[0].entry).await.unwrap().is_some());
    let records = std::collections::BTreeSet::from([record]);
    let asked = Destruction { organisation, records, by: None, reasons: vec!["test".parse().unwrap()] };
    destroy(&vault.archive, &asked).await.unwrap();
    assert_eq!(count(placed).await, 0);
    assert!(vault.archive.journal.body(earlier[0].entry).await.unwrap().is_none());
}

/// A vault with these posts, on a channel that follows another tree.
async fn following(tree: &str, texts: &[&str]) -> TestVault {
    let (organisations, mut channels) = demo();
    for fact in
        channels.iter_mut().flat_map(|channel| &mut channel.facts).filter(|fact| fact.fact == Fact::Tree)
    {
        fact.value = tree.to_owned();
    }
    let vault = TestVault::new(1, &organisations).await;
    vault.declare(&channels).await;
    let posts: Vec<Value> = (9_001..).zip(texts).map(|(id, text)| post(id, text)).collect();
    vault.ingest_bytes(dwv(&channels), &page(&posts)).await.unwrap();
    vault.round().await;
    vault
}

async fn formal_messages(vault: &TestVault) -> Vec<FormalMessage> {
    formal::list(&vault.archive, &vault.rules, &manager(), FormalSelection::All).await.unwrap()
}

#[tokio::test]
async fn what_the_queue_finds_formal_is_followed_as_by_the_older_way() {
    const QUESTION: &str = "Hoe laat gaat de balie morgen open?";
    let (by_queue, older) =
        (following("scenario-a", &[QUESTION]).await, following("scenario-a", &[QUESTION]).await);
    // Of a sample that two people judge nothing is followed before both say so.
    sampled(&by_queue, 1_000).await;
    let id = waiting(&by_queue, &reviewer(1), QueueKind::Sample).await[0];
    for (person, settled) in [(1, false), (2, true)] {
        assert!(formal_messages(&by_queue).await.is_empty());
        let said = whole(&by_queue, &reviewer(person), id).await;
        assert!(said.answers.iter().any(|(step, _)| step == "formal"), "{said:?}");
        assert_eq!(assess(&by_queue, &reviewer(person), id, &said).await.unwrap()["settled"], json!(settled));
    }
    let record =
        older.archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 10).await.unwrap()[0].id;
    let answer = async |answer| {
        queue::answer(&older.archive, &older.rules, &reviewer(1), record, "formal", answer).await.unwrap();
    };
    answer(Answer::Yes).await;
    let (found, expected) = (formal_messages(&by_queue).await, formal_messages(&older).await);
    assert_eq!((found.len(), expected.len()), (1, 1));
    assert_eq!(found[0].received_at, "2026-04-05T10:00:00Z".parse().unwrap(), "the time of receipt is kept");
    assert_eq!((found[0].received_at, found[0].due_at), (expected[0].received_at, expected[0].due_at));
    assert_eq!((found[0].state.as_str(), &found[0].state), ("waiting", &expected[0].state));
    answer(Answer::No).await;
    assert!(formal_messages(&older).await.is_empty(), "it was none after all");
}

#[tokio::test]
async fn one_person_does_not_judge_what_two_must() {
    let vault = with(&[TEXT]).await;
    sampled(&vault, 1_000).await;
    let (catalogue, now) = (&vault.archive.catalogue, vault.archive.sources.now());
    let named = async |issuer: &str, subject: &str| {
        let fresh = ActorId::from_uuid(Uuid::new_v4());
        let id = catalogue.actor(issuer, subject, fresh, now).await.unwrap();
        Actor { id, ..reviewer(1) }
    };
    let one = named("https://login.example", "piet").await;
    let id = waiting(&vault, &one, QueueKind::Sample).await[0];
    assert!(reviewing::is_of_several(&vault.archive, id).await.unwrap());
    let said = whole(&vault, &one, id).await;
    assert_eq!(assess(&vault, &one, id, &said).await.unwrap()["settled"], json!(false));
    // It waits for another reason too, and so it is in the queue of the first person still.
    let doubt = "INSERT INTO review_task (version, kind, since, people, held) \
                 SELECT version, 'doubtful-finding', 1, 1, 0 FROM review_task WHERE kind = 'sample'";
    assert_eq!(vault.tamper(doubt).await, 1);
    assert_eq!(waiting(&vault, &one, QueueKind::DoubtfulFinding).await, [id]);
    let confirmed =
        Assessing { rest_confirmed: true, weighing: PrivateText::from(WEIGHING), ..Assessing::default() };
    // Nor under another issuer, as on the command line, or written otherwise; nor in another role.
    for again in
        [one.clone(), named("command-line", "piet").await, named("https://other.example", " Piet").await]
    {
        let what = input(assess(&vault, &again, id, &whole(&vault, &again, id).await).await);
        assert!(what.contains("another person"), "{what}");
    }
    let what = input(assess(&vault, &one, id, &confirmed).await);
    assert!(what.contains("another person"), "{what}");
    for role in [Role::RecordsManager, Role::Official] {
        let other = Actor { role, ..one.clone() };
        assert!(matches!(assess(&vault, &other, id, &said).await, Err(VaultError::Refused(_))), "{role}");
    }
    // Nor by the older way, of a step alone.
    let record = catalogue.queueable(id).await.unwrap().unwrap().record;
    let older =
        queue::answer(&vault.archive, &vault.rules, &reviewer(9), record, "question", Answer::Yes).await;
    assert!(matches!(&older, Err(VaultError::Input(what)) if what.contains("several people")), "{older:?}");
    assert!(catalogue.assessed_of(&[id]).await.unwrap().is_empty(), "nothing holds yet");
    assert_eq!(waiting(&vault, &reviewer(9), QueueKind::Sample).await, [id]);
    let two = named("https://login.example", "marie").await;
    let said = whole(&vault, &two, id).await;
    assert_eq!(assess(&vault, &two, id, &said).await.unwrap()["settled"], json!(true));
    assert!(!reviewing::is_of_several(&vault.archive, id).await.unwrap());
}
