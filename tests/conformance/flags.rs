//! Flags, the queue of what waits for a reviewer, judgements: together with the ledger or not at all.

use super::fixture::*;
use super::stage::Stage;
use knik::model::{
    ActorId, ConversationId, FlagKind, OrganisationId, Outcome, ReviewReason, Verdict, VersionId, Visibility,
};
use knik::store::catalogue::{
    Batch, Catalogue, FlagPlace, FlagRow, Judgement, OutboxRow, QueueScope, QueueState, Refreshed,
    ReviewItem, Withheld,
};
use knik::store::database::{Database, Mode, Plane};
use sqlx::AssertSqlSafe;

fn version(n: u128) -> VersionId {
    VersionId::from_uuid(id(n))
}

fn flag(n: u128, kind: FlagKind) -> FlagRow {
    let place = FlagPlace { passage: 0, start: 3, end: 19, rule: "health-condition".parse().unwrap() };
    FlagRow { version: version(n), kind, places: vec![place] }
}

/// Record `n` as [`batch`] makes it, flagged for these.
fn flagged(n: u128, kinds: &[FlagKind]) -> Batch {
    Batch { flags: kinds.iter().map(|kind| flag(n, *kind)).collect(), ..batch(n) }
}

async fn committed(catalogue: &Catalogue, batch: Batch) {
    catalogue.commit(&log(), batch).await.unwrap();
}

async fn queue(catalogue: &Catalogue, state: QueueState) -> Vec<VersionId> {
    let items = catalogue.review_items(&[QueueScope::whole(organisation())], state, None, 100).await.unwrap();
    items.into_iter().map(|item| item.id).collect()
}

async fn item(catalogue: &Catalogue, n: u128) -> ReviewItem {
    catalogue.review_item(version(n)).await.unwrap().unwrap()
}

/// Judges with the ledger entry `entry`.
async fn judge(
    catalogue: &Catalogue,
    item: &ReviewItem,
    kinds: &[FlagKind],
    reason: ReviewReason,
    entry: u128,
) -> Result<bool, knik::store::StoreError> {
    let actor = ActorId::from_uuid(id(77));
    let judgement = Judgement { item, kinds, verdict: reason.verdict(), reason, actor };
    Ok(catalogue.judge(&log(), &judgement, step(entry), at(5)).await?.is_some())
}

/// Computes conversation `n` anew with these flags.
async fn refreshed(catalogue: &Catalogue, n: u128, flags: &[FlagRow], entry: u128) {
    let anew = Refreshed {
        conversation: ConversationId::from_uuid(id(n)),
        ruleset: "r2",
        findings: &[],
        flags,
        doubtful: &[],
        found_by: &[],
        subjects: &[],
        missed: &[],
        outbox: vec![OutboxRow { kind: "conversation", payload: "{}".to_owned() }],
    };
    let _recorded = catalogue.refreshed(&log(), anew, step(entry), at(6)).await.unwrap();
}

pub async fn flags_come_with_their_batch_and_wait_in_the_queue(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    committed(&catalogue, flagged(3, &[FlagKind::Minor])).await;
    committed(&catalogue, flagged(2, &[FlagKind::Health, FlagKind::Minor])).await;
    committed(&catalogue, batch(4)).await;
    assert_eq!(queue(&catalogue, QueueState::Open).await, [version(2), version(3)]);
    assert_eq!(queue(&catalogue, QueueState::Judged).await, []);
    let first = item(&catalogue, 2).await;
    let known: Vec<_> = first.flags.iter().collect();
    assert_eq!(known, [(FlagKind::Health, None), (FlagKind::Minor, None)]);
    assert_eq!((first.channel, first.day.as_deref()), (channel().id, Some("2026-05-04")));
    assert!(catalogue.review_item(version(4)).await.unwrap().is_none(), "it has no flag");
    let places = catalogue.flag_places(version(2)).await.unwrap();
    assert_eq!(places[0], (FlagKind::Health, flag(2, FlagKind::Health).places));
    let member = &catalogue.members(ConversationId::from_uuid(id(2))).await.unwrap()[0];
    assert!(member.verdicts.withheld() && !member.verdicts.withhold([]));
    // Page by page.
    let page = catalogue
        .review_items(&[QueueScope::whole(organisation())], QueueState::Open, Some(version(2)), 1)
        .await
        .unwrap();
    assert_eq!(page.iter().map(|item| item.id).collect::<Vec<_>>(), [version(3)]);
    // A batch that fails leaves no flag either.
    let before = dump(&db, &["flag"]).await;
    let mut broken = flagged(5, &[FlagKind::Union]);
    broken.pending.push(step(2));
    assert!(catalogue.commit(&log(), broken).await.is_err());
    assert_eq!(dump(&db, &["flag"]).await, before);
}

pub async fn the_queue_holds_what_may_be_read_but_for_its_flags(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    for n in 2..=6 {
        let mut one = flagged(n, &[FlagKind::Religion]);
        let record = &mut one.records[0];
        match n {
            2 => record.outcome = Outcome::Refer,
            3 => record.visibility = Visibility::Direct,
            4 => record.withheld = Some(Withheld::Deleted.as_str()),
            5 => record.visibility = Visibility::Unlisted,
            _ => {}
        }
        committed(&catalogue, one).await;
    }
    assert_eq!(queue(&catalogue, QueueState::Open).await, [version(5), version(6)]);
    for n in [2, 3, 4] {
        assert!(catalogue.review_item(version(n)).await.unwrap().is_none(), "{n}");
    }
    let other: OrganisationId = "other".parse().unwrap();
    assert!(
        catalogue
            .review_items(&[QueueScope::whole(other.clone())], QueueState::Open, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    // A later version takes the place of the flagged one: that is no item any more.
    let edited = knik::store::catalogue::VersionRow { replaces: true, ..version_row(16, 6) };
    let decisions = vec![decision(6, 16)];
    committed(&catalogue, Batch { versions: vec![edited], decisions, ..empty() }).await;
    assert_eq!(queue(&catalogue, QueueState::Open).await, [version(5)]);
    assert!(catalogue.review_item(version(6)).await.unwrap().is_none());
}

pub async fn a_judgement_stands_with_its_entry_or_not_at_all(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let kinds = [FlagKind::Health, FlagKind::Minor];
    committed(&catalogue, flagged(2, &kinds)).await;
    refreshed(&catalogue, 2, &kinds.map(|kind| flag(2, kind)), 40).await;
    let tables = ["flag", "judgement", "stale_conversation", "outbox", "journal_pending"];
    let before = dump(&db, &tables).await;
    let known = item(&catalogue, 2).await;
    assert!(
        judge(&catalogue, &known, &kinds, ReviewReason::InDoubt, 40).await.is_err(),
        "the entry is there already"
    );
    assert_eq!(dump(&db, &tables).await, before, "nothing was judged");
    let gone = [FlagKind::Health, FlagKind::Union];
    assert!(!judge(&catalogue, &known, &gone, ReviewReason::FlagHolds, 41).await.unwrap(), "no such flag");
    assert_eq!(dump(&db, &tables).await, before, "not half of it was judged");

    assert!(judge(&catalogue, &known, &kinds[..1], ReviewReason::MadePublic, 42).await.unwrap());
    assert_eq!(rows(&db, "judgement").await, 1);
    assert_eq!(rows(&db, "stale_conversation").await, 1, "it is to be computed anew");
    let known = item(&catalogue, 2).await;
    assert!(known.flags.withheld(), "nobody judged the other flag");
    assert_eq!(queue(&catalogue, QueueState::Open).await, [version(2)]);
    let outbox = rows(&db, "outbox").await;
    assert!(judge(&catalogue, &known, &kinds[1..], ReviewReason::FlagHolds, 43).await.unwrap());
    assert_eq!(rows(&db, "outbox").await, outbox + 1, "what is kept is withdrawn at once");
    assert_eq!(queue(&catalogue, QueueState::Judged).await, [version(2)]);
    assert!(item(&catalogue, 2).await.flags.withheld());
    // A judgement can be changed; both stay known.
    assert!(judge(&catalogue, &known, &kinds, ReviewReason::FlagDoesNotHold, 44).await.unwrap());
    assert!(!item(&catalogue, 2).await.flags.withheld());
    assert_eq!(rows(&db, "judgement").await, 4);
    let said = dump(&db, &["judgement"]).await.join("\n");
    assert!(
        said.contains("reason=flag-holds") && said.contains("reason=made-public-by-the-person"),
        "{said}"
    );
}

pub async fn a_flag_found_anew_keeps_its_verdict_and_one_that_is_gone_goes(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let kinds = [FlagKind::Health, FlagKind::Minor, FlagKind::Religion];
    committed(&catalogue, flagged(2, &kinds)).await;
    let known = item(&catalogue, 2).await;
    assert!(judge(&catalogue, &known, &kinds[..1], ReviewReason::NobodyIdentifiable, 41).await.unwrap());
    assert!(judge(&catalogue, &known, &kinds[2..], ReviewReason::FlagHolds, 42).await.unwrap());
    // Under a new ruleset: health at another place, a new kind, no minor and no religion any more.
    let mut health = flag(2, FlagKind::Health);
    health.places[0].start = 4;
    refreshed(&catalogue, 2, &[health.clone(), flag(2, FlagKind::Union)], 43).await;
    let verdicts: Vec<_> = item(&catalogue, 2).await.flags.iter().collect();
    assert_eq!(
        verdicts,
        [
            (FlagKind::Health, Some(Verdict::Release)),
            (FlagKind::Religion, Some(Verdict::KeepWithheld)),
            (FlagKind::Union, None)
        ],
        "what a person said stays, what nobody judged and is not found goes"
    );
    assert_eq!(catalogue.flag_places(version(2)).await.unwrap()[0].1, health.places);
    assert_eq!(rows(&db, "stale_conversation").await, 0);
}

/// A database with the first schema only, and a record in it.
async fn made_before(stage: &Stage) {
    let pool = stage.first_schema(Plane::Vault).await;
    let bytes = |n: u8| stage.bytes(&[n; 16]);
    let record = format!(
        "INSERT INTO record (id, organisation, channel, conversation, kind, visibility, own, version, projection, outcome) \
         VALUES ({}, 'bzk', 'bzk-x', {}, 'reaction', 'public', 0, {}, {}, 'archive')",
        bytes(1),
        bytes(2),
        bytes(3),
        bytes(4)
    );
    sqlx::query(AssertSqlSafe(record)).execute(&pool).await.unwrap();
    pool.close().await;
}

pub async fn a_database_made_before_flags_is_looked_through_anew(stage: &Stage) {
    made_before(stage).await;
    let db = Database::open(&stage.url(Plane::Vault, "postgres"), Plane::Vault, Mode::Owner).await.unwrap();
    assert_eq!((rows(&db, "record").await, rows(&db, "flag").await), (1, 0));
    let stale = Catalogue::new(db.clone()).stale_conversations(at(0), 10).await.unwrap();
    assert_eq!(stale, [ConversationId::from_uuid(uuid::Uuid::from_bytes([2; 16]))]);
    db.close().await;
    // And opens once more.
    let again =
        Database::open(&stage.url(Plane::Vault, "postgres"), Plane::Vault, Mode::Owner).await.unwrap();
    assert_eq!(rows(&again, "stale_conversation").await, 1);
}
