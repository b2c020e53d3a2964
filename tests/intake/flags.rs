//! A flagged record is read by nobody until a reviewer has judged it; a judgement stands in the ledger or does not stand.

use super::disclosure::{actor, disclose, entries, official};
use crate::support::{DemoChannel, TestVault};
use knik::access::Actor;
use knik::ledger::{Entry, EntryKind, Thing};
use knik::model::{ActorId, FlagKind, ReviewReason, Role, VersionId};
use knik::store::catalogue::{Channel, QueueState, RecordSummary, ReviewItem};
use knik::vault::VaultError;
use knik::vault::review::{self, Judging, QueueSelection};
use serde_json::json;
use sqlx::Row;
use uuid::Uuid;

/// Told of the writer, with a name in it; invented.
const FLAGGED: &str = "Ik heb diabetes, hoe laat opent de balie? Groet, Balthasar Kwispelaar";
const PLAIN: &str = "Hoe laat opent de balie?";

fn dwv(channels: &[DemoChannel]) -> &Channel {
    &channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap().channel
}

/// A page with one post, as X's API v2 gives it.
fn page(id: &str, text: &str, edits: &[&str]) -> Vec<u8> {
    json!({
        "data": [{
            "id": id, "text": text, "author_id": "77", "conversation_id": edits[0], "lang": "nl",
            "created_at": "2026-04-05T10:00:00.000Z", "edit_history_tweet_ids": edits,
        }],
        "includes": {"users": [
            {"id": "77", "username": "balievraag", "name": "Balie Vraag", "protected": false}
        ]},
    })
    .to_string()
    .into_bytes()
}

async fn flagged() -> (TestVault, Vec<DemoChannel>) {
    let (vault, channels) = TestVault::demo(1).await;
    let report = vault.ingest_bytes(dwv(&channels), &page("8001", FLAGGED, &["8001"])).await.unwrap();
    assert_eq!((report.new_records, report.flagged), (1, 1));
    vault.round().await;
    (vault, channels)
}

async fn records(vault: &TestVault) -> Vec<RecordSummary> {
    vault.archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 100).await.unwrap()
}

/// What the reading room holds of a record.
async fn document(vault: &TestVault, record: &RecordSummary) -> Option<String> {
    vault.archive.room.document(record.projection).await.unwrap()
}

fn reviewer(organisation: &str) -> Actor {
    actor(Role::Reviewer, organisation)
}

async fn queue(vault: &TestVault, state: QueueState) -> Vec<ReviewItem> {
    let asked = QueueSelection { state, after: None, most: 100 };
    review::list(&vault.archive, &vault.rules, &reviewer("dwv"), &asked).await.unwrap()
}

async fn judge(
    vault: &TestVault,
    actor: &Actor,
    id: VersionId,
    reason: ReviewReason,
) -> Result<ReviewItem, VaultError> {
    let judging = Judging { kinds: Vec::new(), verdict: reason.verdict(), reason };
    review::judge(&vault.archive, &vault.rules, actor, id, &judging).await
}

#[tokio::test]
async fn a_flagged_record_is_withheld_until_it_is_judged_and_then_read() {
    let (vault, _) = flagged().await;
    let record = &records(&vault).await[0];
    assert_eq!(document(&vault, record).await, None, "nobody judged it");
    let items = queue(&vault, QueueState::Open).await;
    let kinds: Vec<_> = items[0].flags.iter().collect();
    assert_eq!((items.len(), items[0].record, kinds), (1, record.id, vec![(FlagKind::Health, None)]));
    // Another look changes nothing.
    knik::vault::publish::refresh(&vault.archive, &vault.rules, record.conversation).await.unwrap();
    vault.round().await;
    assert_eq!(document(&vault, record).await, None, "computed anew, still judged by nobody");
    assert_eq!(queue(&vault, QueueState::Open).await.len(), 1);

    let shown = review::show(&vault.archive, &vault.rules, &reviewer("dwv"), items[0].id).await.unwrap();
    let passage = &shown.passages[0];
    let text: Vec<char> = passage.text.expose().chars().collect();
    assert_eq!(passage.text.expose(), FLAGGED);
    let flag = &passage.flags[0];
    assert_eq!(text[flag.start..flag.end].iter().collect::<String>(), "Ik heb diabetes");

    let judged =
        judge(&vault, &reviewer("dwv"), items[0].id, ReviewReason::NobodyIdentifiable).await.unwrap();
    assert!(!judged.flags.withheld());
    assert!(queue(&vault, QueueState::Open).await.is_empty());
    vault.round().await;
    let seen = document(&vault, record).await.expect("released, and so published");
    assert!(seen.contains("diabetes") && !seen.contains("Kwispelaar"), "redacted as ever: {seen}");

    // A judgement that was a mistake is changed: gone at once, before anything is computed anew.
    judge(&vault, &reviewer("dwv"), items[0].id, ReviewReason::FlagHolds).await.unwrap();
    knik::vault::publish::take_down(&vault.archive).await.unwrap();
    assert_eq!(document(&vault, record).await, None);
    vault.round().await;
    assert_eq!(document(&vault, record).await, None);
}

#[tokio::test]
async fn what_others_said_in_the_same_thread_is_read_all_the_same() {
    let (vault, channels) = flagged().await;
    let mut answer: serde_json::Value = serde_json::from_slice(&page("8002", PLAIN, &["8002"])).unwrap();
    answer["data"][0]["conversation_id"] = json!("8001");
    answer["data"][0]["referenced_tweets"] = json!([{"type": "replied_to", "id": "8001"}]);
    vault.ingest_bytes(dwv(&channels), answer.to_string().as_bytes()).await.unwrap();
    vault.round().await;
    let mut readable = Vec::new();
    for record in records(&vault).await {
        readable.push(document(&vault, &record).await.is_some());
    }
    readable.sort_unstable();
    assert_eq!(readable, [false, true]);
}

#[tokio::test]
async fn a_new_version_asks_for_a_new_judgement() {
    let (vault, channels) = flagged().await;
    let first = queue(&vault, QueueState::Open).await.remove(0);
    judge(&vault, &reviewer("dwv"), first.id, ReviewReason::MadePublic).await.unwrap();
    vault.round().await;
    let record = records(&vault).await.remove(0);
    assert!(document(&vault, &record).await.is_some());
    // Edited: X gives it a new id; what took its place is flagged by itself.
    let edited = FLAGGED.replace("de balie", "de nieuwe balie");
    vault.ingest_bytes(dwv(&channels), &page("8002", &edited, &["8001", "8002"])).await.unwrap();
    vault.round().await;
    for record in records(&vault).await {
        assert_eq!(document(&vault, &record).await, None, "{:?}", record.withheld);
    }
    let open = queue(&vault, QueueState::Open).await;
    assert_eq!(open.len(), 1);
    assert_ne!(open[0].id, first.id);
    let gone = judge(&vault, &reviewer("dwv"), first.id, ReviewReason::MadePublic).await;
    assert!(matches!(gone, Err(VaultError::Absent { .. })), "an item that is no longer in force: {gone:?}");
    judge(&vault, &reviewer("dwv"), open[0].id, ReviewReason::MadePublic).await.unwrap();
    vault.round().await;
    let mut readable = 0;
    for record in records(&vault).await {
        readable += u32::from(document(&vault, &record).await.is_some());
    }
    assert_eq!(readable, 1);
}

/// On Mastodon an edit is another version of the same record.
#[tokio::test]
async fn a_new_version_of_the_same_record_asks_for_a_new_judgement_too() {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    let file =
        demo.captures.iter().find(|capture| capture.path.ends_with("low-mastodon-6-review.json")).unwrap();
    vault.ingest(&demo.channel, &file.path).await.unwrap();
    vault.round().await;
    let list = |state| {
        let asked = QueueSelection { state, after: None, most: 9 };
        let vault = &vault;
        async move { review::list(&vault.archive, &vault.rules, &reviewer("min-low"), &asked).await.unwrap() }
    };
    let minors = |items: Vec<ReviewItem>| {
        let of = |item: &ReviewItem| item.flags.iter().any(|(kind, _)| kind == FlagKind::Minor);
        items.into_iter().filter(of).collect::<Vec<_>>()
    };
    let first = minors(list(QueueState::Open).await).remove(0);
    judge(&vault, &reviewer("min-low"), first.id, ReviewReason::NobodyIdentifiable).await.unwrap();
    vault.round().await;
    let shown = |item: &ReviewItem| {
        let (vault, projection) = (&vault, item.projection);
        async move { vault.archive.room.document(projection).await.unwrap() }
    };
    assert!(shown(&first).await.is_some());

    let mut context: serde_json::Value = serde_json::from_slice(&std::fs::read(&file.path).unwrap()).unwrap();
    for status in context["descendants"].as_array_mut().unwrap() {
        let content = status["content"].as_str().unwrap().replace("een gezin", "ons gezin");
        status["content"] = json!(content);
        status["edited_at"] = json!("2026-03-11T12:00:00.000Z");
    }
    let report = vault.ingest_bytes(&demo.channel, context.to_string().as_bytes()).await.unwrap();
    assert!(report.new_versions > 0, "{report:?}");
    vault.round().await;
    assert_eq!(shown(&first).await, None, "the new version was judged by nobody");
    let second = minors(list(QueueState::Open).await).remove(0);
    assert_eq!(second.record, first.record);
    assert_ne!(second.id, first.id);
    judge(&vault, &reviewer("min-low"), second.id, ReviewReason::NobodyIdentifiable).await.unwrap();
    vault.round().await;
    assert!(shown(&first).await.unwrap().contains("ons gezin"));
}

#[tokio::test]
async fn other_roles_and_other_organisations_are_refused_and_that_is_recorded() {
    let (vault, _) = flagged().await;
    let id = queue(&vault, QueueState::Open).await[0].id;
    let nowhere = VersionId::from_uuid(Uuid::from_u128(404));
    let mut from = entries(&vault, 0).await.len();
    for role in Role::ALL {
        for organisation in ["dwv", "min-low"] {
            let actor = actor(*role, organisation);
            let mine = *role == Role::Reviewer && organisation == "dwv";
            for (what, id) in [("the item", id), ("no item", nowhere)] {
                if mine && what == "the item" {
                    continue;
                }
                let said = format!("{role} of {organisation}: {what}");
                let shown = review::show(&vault.archive, &vault.rules, &actor, id).await.unwrap_err();
                let judged = judge(&vault, &actor, id, ReviewReason::FlagDoesNotHold).await.unwrap_err();
                let staff = matches!(
                    role,
                    Role::Official
                        | Role::ChannelManager
                        | Role::RecordsManager
                        | Role::DataProtectionOfficer
                );
                let may_know = staff && organisation == "dwv" && what == "the item";
                for refused in [&shown, &judged] {
                    let right = match refused {
                        VaultError::Refused(_) => {
                            may_know || (*role == Role::Approver && organisation == "dwv")
                        }
                        VaultError::Absent { .. } => !may_know,
                        _ => false,
                    };
                    assert!(right, "{said}: {refused:?}");
                }
                let new = entries(&vault, from).await;
                assert_eq!(new.len(), 2, "{said}: both refusals are recorded");
                assert!(new.iter().all(|entry| entry.kind() == EntryKind::AccessDenied), "{said}");
                from += 2;
            }
        }
    }
    assert_eq!(document(&vault, &records(&vault).await[0]).await, None, "nobody released anything");
    // Listing: the reviewer and the FG of the organisation; another organisation's reviewer sees its own queue.
    let list = |actor: Actor| {
        let vault = &vault;
        async move {
            review::list(
                &vault.archive,
                &vault.rules,
                &actor,
                &QueueSelection { most: 9, ..Default::default() },
            )
            .await
        }
    };
    assert_eq!(list(actor(Role::DataProtectionOfficer, "dwv")).await.unwrap().len(), 1);
    assert_eq!(list(reviewer("min-low")).await.unwrap().len(), 0);
    for role in Role::ALL.iter().filter(|r| !matches!(r, Role::Reviewer | Role::DataProtectionOfficer)) {
        let refused = list(actor(*role, "dwv")).await.unwrap_err();
        assert!(matches!(refused, VaultError::Refused(_)), "{role}: {refused:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_the_mend() {
    let (vault, _) = flagged().await;
    let id = queue(&vault, QueueState::Open).await[0].id;
    for (kinds, verdict, reason, words) in [
        (vec![], ReviewReason::FlagHolds.verdict(), ReviewReason::MadePublic, "flag-holds, in-doubt"),
        (vec![FlagKind::Minor], ReviewReason::MadePublic.verdict(), ReviewReason::MadePublic, "health"),
    ] {
        let judging = Judging { kinds, verdict, reason };
        let said = review::judge(&vault.archive, &vault.rules, &reviewer("dwv"), id, &judging).await;
        let VaultError::Input(said) = said.unwrap_err() else { panic!("{words}") };
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(queue(&vault, QueueState::Open).await.len(), 1);
}

/// What was judged is closed to all, until a flag of it waits again.
#[tokio::test]
async fn what_was_judged_is_not_opened_again_from_the_queue() {
    let (vault, _) = flagged().await;
    let item = queue(&vault, QueueState::Open).await.remove(0);
    let colleague = Actor { id: ActorId::from_uuid(Uuid::from_u128(99)), ..reviewer("dwv") };
    let show = async |by: &Actor| review::show(&vault.archive, &vault.rules, by, item.id).await;
    show(&colleague).await.unwrap();
    judge(&vault, &reviewer("dwv"), item.id, ReviewReason::FlagHolds).await.unwrap();
    let from = entries(&vault, 0).await.len();
    for by in [&reviewer("dwv"), &colleague] {
        let said = show(by).await.unwrap_err();
        assert!(matches!(said, VaultError::Absent { .. }), "{said}");
    }
    let told = entries(&vault, from).await;
    assert!(told.iter().all(|entry| entry.kind() == EntryKind::AccessDenied), "nothing is opened");
    assert_eq!(told.len(), 2);
    assert_eq!(queue(&vault, QueueState::Judged).await.len(), 1, "it is listed, without text");
    let now = vault.archive.sources.now();
    assert_eq!(vault.archive.catalogue.unjudge(&[item.record], now).await.unwrap(), 1);
    assert!(!show(&colleague).await.unwrap().passages.is_empty());
}

#[tokio::test]
async fn opening_and_judging_stand_in_the_ledger_with_codes_only() {
    let (vault, _) = flagged().await;
    let item = queue(&vault, QueueState::Open).await.remove(0);
    let from = entries(&vault, 0).await.len();
    let actor = reviewer("dwv");
    review::show(&vault.archive, &vault.rules, &actor, item.id).await.unwrap();
    judge(&vault, &actor, item.id, ReviewReason::InDoubt).await.unwrap();
    let new = entries(&vault, from).await;
    let kinds: Vec<EntryKind> = new.iter().map(Entry::kind).collect();
    assert_eq!(kinds, [EntryKind::DisclosureIntended, EntryKind::DisclosureServed, EntryKind::ReviewDone]);
    for entry in &new {
        assert_eq!((entry.actor(), entry.role()), (Some(actor.id), Some(Role::Reviewer)));
        assert_eq!(entry.legal_basis().unwrap().as_str(), "quality-control");
        assert!(entry.things().contains(&Thing::Record(item.record)));
    }
    let judged = &new[2];
    let reasons: Vec<&str> = judged.reasons().iter().map(|code| code.as_str()).collect();
    assert_eq!(judged.outcome_code().unwrap().as_str(), "keep-withheld");
    assert_eq!(reasons, ["flag.health", "in-doubt"]);
}

/// Nothing is opened and nothing judged that the ledger did not take.
#[tokio::test]
async fn without_a_ledger_nothing_is_opened_and_nothing_judged() {
    let (vault, _) = flagged().await;
    let id = queue(&vault, QueueState::Open).await[0].id;
    vault.tamper("CREATE TRIGGER full BEFORE INSERT ON journal_pending BEGIN SELECT RAISE(ABORT, 'disk full'); END").await;
    assert!(review::show(&vault.archive, &vault.rules, &reviewer("dwv"), id).await.is_err());
    assert!(judge(&vault, &reviewer("dwv"), id, ReviewReason::MadePublic).await.is_err());
    let asked = QueueSelection { most: 9, ..Default::default() };
    assert!(review::list(&vault.archive, &vault.rules, &reviewer("dwv"), &asked).await.is_err());
    vault.tamper("DROP TRIGGER full").await;
    vault.round().await;
    let open = queue(&vault, QueueState::Open).await;
    assert_eq!(open.len(), 1);
    assert!(open[0].flags.withheld());
    assert_eq!(document(&vault, &records(&vault).await[0]).await, None);
    let judged = sqlx::query("SELECT COUNT(*) AS n FROM judgement");
    let judged: i64 = judged.fetch_one(vault.archive.catalogue.database().read()).await.unwrap().get("n");
    assert_eq!(judged, 0);
}

/// Stopped between a judgement and its publication: what was judged is published by whoever comes next.
#[tokio::test]
async fn a_stop_between_judging_and_publishing_loses_nothing() {
    let (vault, _) = flagged().await;
    let record = records(&vault).await.remove(0);
    let id = queue(&vault, QueueState::Open).await[0].id;
    judge(&vault, &reviewer("dwv"), id, ReviewReason::MadePublic).await.unwrap();
    assert_eq!(document(&vault, &record).await, None, "not yet taken down");
    // The round stops after the conversation was computed anew and before anything went down.
    knik::vault::publish::refresh_stale(&vault.archive, &vault.rules).await.unwrap();
    assert_eq!(document(&vault, &record).await, None);
    assert_eq!(vault.archive.catalogue.counts().await.unwrap().outbox, 1);
    let reopened = vault.reopened().await;
    reopened.round().await;
    assert!(document(&reopened, &record).await.is_some());
    // And a stop right after a judgement that keeps it: it is withdrawn by the next round.
    judge(&reopened, &reviewer("dwv"), id, ReviewReason::FlagHolds).await.unwrap();
    let again = reopened.reopened().await;
    again.round().await;
    assert_eq!(document(&again, &record).await, None);
}

/// The reading room learns nothing of flags: no kind, no rule, no count, not that there are any.
#[tokio::test]
async fn nothing_of_a_flag_goes_to_the_reading_room() {
    let (vault, channels) = TestVault::loaded(1).await;
    vault.ingest_bytes(dwv(&channels), &page("8001", FLAGGED, &["8001"])).await.unwrap();
    vault.round().await;
    let waiting: Vec<ReviewItem> = {
        let mut all = queue(&vault, QueueState::Open).await;
        let asked = QueueSelection { most: 100, ..Default::default() };
        all.extend(review::list(&vault.archive, &vault.rules, &reviewer("min-low"), &asked).await.unwrap());
        all
    };
    assert!(waiting.len() >= 3, "two of the demo and the one above: {}", waiting.len());
    for item in waiting.iter().skip(1) {
        let actor = reviewer(item.organisation.as_str());
        judge(&vault, &actor, item.id, ReviewReason::NobodyIdentifiable).await.unwrap();
    }
    vault.round().await;
    for db in [&vault.room, &vault.inbox] {
        db.close().await;
    }
    let rules: Vec<&str> = vault.rules.ruleset.flag_rules().map(|rule| rule.id().as_str()).collect();
    let words = FlagKind::ALL.iter().map(|kind| kind.as_str()).chain(rules);
    let words =
        words.filter(|word| word.contains('-')).chain(["flag", "verdict", "keep-withheld", "judgement"]);
    let words: Vec<&str> = words.collect();
    for name in ["room.db", "inbox.db"] {
        let bytes = std::fs::read(vault.folder().join(name)).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let found: Vec<&&str> = words.iter().filter(|word| text.contains(**word)).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
        assert!(!text.contains("kwispelaar"), "{name}");
    }
    // Nor do officials see it in what the vault lists.
    let summary = serde_json::to_string(&records(&vault).await).unwrap();
    assert!(!summary.contains("health") && !summary.contains("flag"), "{summary}");
}

/// Of what may not be read anyway nothing is derived: it waits for no reviewer.
#[tokio::test]
async fn what_is_withheld_for_another_reason_is_not_looked_at() {
    let (vault, channels) = TestVault::demo(1).await;
    let mut closed: serde_json::Value = serde_json::from_slice(&page("8001", FLAGGED, &["8001"])).unwrap();
    closed["includes"]["users"][0]["protected"] = json!(true);
    let report = vault.ingest_bytes(dwv(&channels), closed.to_string().as_bytes()).await.unwrap();
    vault.round().await;
    assert_eq!((report.not_public, report.flagged), (1, 0));
    let flags = sqlx::query("SELECT COUNT(*) AS n FROM flag");
    let flags: i64 = flags.fetch_one(vault.archive.catalogue.database().read()).await.unwrap().get("n");
    assert_eq!(flags, 0);
    assert!(queue(&vault, QueueState::Open).await.is_empty());
    // Opened to everyone later, it is looked at before it is read.
    vault
        .ingest_bytes(dwv(&channels), &[page("8001", FLAGGED, &["8001"]), b"\n".into()].concat())
        .await
        .unwrap();
    vault.round().await;
    assert_eq!(queue(&vault, QueueState::Open).await.len(), 1);
    assert_eq!(document(&vault, &records(&vault).await[0]).await, None);
}

/// An official opens a flagged record under a legal basis as any other: flags are about readers.
#[tokio::test]
async fn an_official_opens_a_flagged_original_under_a_legal_basis() {
    let (vault, _) = flagged().await;
    let _numbering = vault.numbering();
    let record = records(&vault).await.remove(0);
    let opened =
        disclose(&vault, &official("dwv"), record.id, "avg-15", "2026-0042", "the person asked to see it")
            .await;
    assert!(String::from_utf8_lossy(opened.unwrap().original.item()).contains("diabetes"));
}
