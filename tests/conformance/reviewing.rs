//! The reviewers' queue on every database: what waits, drawings, what people said; together with the ledger or not at all.

use super::fixture::*;
use super::stage::Stage;
use knik::model::{
    ActorId, ConversationId, FlagKind, Outcome, ProjectionId, QueueKind, RecordId, Span, VersionId,
};
use knik::redact::Said;
use knik::store::catalogue::{
    AssessedItem, AssessmentRow, Batch, Catalogue, DrawRow, FindingPlace, FlagRow, GivenRow, OutboxRow,
    QueueItem, QueueScope, Queued, Refreshed, VersionRow,
};
use knik::store::database::Plane;
use knik::store::journal::SealedBody;

fn version(n: u128) -> VersionId {
    VersionId::from_uuid(id(n))
}

fn person(n: u128) -> ActorId {
    ActorId::from_uuid(id(700 + n))
}

async fn queue(catalogue: &Catalogue, kind: Option<QueueKind>, actor: ActorId) -> Vec<QueueItem> {
    let asked = Queued { kind, most: 100, ..Queued::default() };
    catalogue.queue_items(&[QueueScope::whole(organisation())], actor, &asked).await.unwrap()
}

async fn ids(catalogue: &Catalogue, kind: QueueKind) -> Vec<VersionId> {
    queue(catalogue, Some(kind), person(1)).await.iter().map(|item| item.id).collect()
}

/// Record `n` with this outcome.
fn decided(n: u128, outcome: Outcome) -> Batch {
    let mut batch = batch(n);
    batch.records[0].outcome = outcome;
    batch.decisions[0].outcome = outcome;
    batch
}

async fn committed(catalogue: &Catalogue, batch: Batch) {
    catalogue.commit(&log(), batch).await.unwrap();
}

/// What person `by` said of record `n` as a sample: a finding at 3 to 9, redacted or not.
fn said(n: u128, by: u128, entry: u128, round: u32, answer: &str, in_force: bool) -> AssessedItem {
    let place = FindingPlace {
        passage: 0,
        span: Span::new(3, 9).unwrap(),
        entity: "PERSON".parse().unwrap(),
        exemption: "woo-5.1.2e".parse().unwrap(),
    };
    let row = |asked: &str, answer: &str, place: Option<FindingPlace>| AssessmentRow {
        kind: QueueKind::Sample,
        asked: asked.to_owned(),
        answer: answer.to_owned(),
        place,
        automatic: Some("redacted".to_owned()),
        by_what: "ruleset r1".to_owned(),
    };
    AssessedItem {
        version: version(n),
        record: RecordId::from_uuid(id(n)),
        conversation: ConversationId::from_uuid(id(n)),
        projection: ProjectionId::from_uuid(id(n + 1000)),
        rows: vec![row(AssessmentRow::FINDING, answer, Some(place)), row("question", "yes", None)],
        given: GivenRow {
            actor: person(by),
            appointment: None,
            said_at: at(100 + i64::from(round)),
            seconds: Some(40),
            round,
            in_force,
        },
        decision: None,
        settled: if in_force { vec![QueueKind::Sample] } else { Vec::new() },
        people: None,
        hold: !in_force,
        withdraw: !in_force,
        pending: step(entry),
        body: SealedBody(vec![1, 2, 3]),
    }
}

async fn draw(catalogue: &Catalogue, drawn: &[(VersionId, u32)], entry: u128) -> bool {
    let row = DrawRow {
        id: id(entry + 5_000),
        organisation: organisation(),
        channel: channel().id,
        seed: "00ff".to_owned(),
        permille: 10,
        twofold_permille: 500,
        from: at(-1),
        until: at(10),
        candidates: 3,
        drawn: drawn.len() as u64,
        made_at: at(10),
    };
    catalogue.add_draw(&log(), &row, drawn, step(entry)).await.is_ok()
}

pub async fn what_waits_is_listed_by_kind_and_counted(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    committed(&catalogue, decided(2, Outcome::Unsure)).await;
    let mut own = decided(3, Outcome::Unsure);
    own.records[0].own = true;
    committed(&catalogue, own).await;
    let flag = |n, kind| FlagRow { version: version(n), kind, places: Vec::new() };
    let flags = vec![flag(4, FlagKind::Minor), flag(4, FlagKind::Health)];
    committed(&catalogue, Batch { flags, ..batch(4) }).await;
    committed(&catalogue, Batch { doubtful: vec![version(5)], ..batch(5) }).await;
    committed(&catalogue, batch(6)).await;
    for (kind, expected) in [
        (QueueKind::DoubtfulQuestion, vec![version(2)]),
        (QueueKind::AccountPost, vec![version(3)]),
        (QueueKind::Minor, vec![version(4)]),
        (QueueKind::SpecialCategory, vec![version(4)]),
        (QueueKind::DoubtfulFinding, vec![version(5)]),
        (QueueKind::Sample, vec![]),
        (QueueKind::ReaderReport, vec![]),
        (QueueKind::Restored, vec![]),
    ] {
        assert_eq!(ids(&catalogue, kind).await, expected, "{kind}");
    }
    let all = queue(&catalogue, None, person(1)).await;
    assert_eq!(all.iter().map(|item| item.id).collect::<Vec<_>>(), [2, 3, 4, 5].map(version));
    let both = &all[2];
    assert!(both.waits_for(QueueKind::Minor) && both.waits_for(QueueKind::SpecialCategory));
    // A page at a time, and an item with two reasons is whole.
    let mut after = None;
    for n in [2, 3, 4, 5] {
        let asked = Queued { after, most: 1, ..Queued::default() };
        let page =
            catalogue.queue_items(&[QueueScope::whole(organisation())], person(1), &asked).await.unwrap();
        assert_eq!(
            (page.len(), page[0].id, page[0].reasons.len()),
            (1, version(n), if n == 4 { 2 } else { 1 })
        );
        after = Some(page[0].id);
    }
    // Another organisation's queue, and one of other channels, hold none of it.
    let others = [
        QueueScope::whole("other".parse().unwrap()),
        QueueScope { organisation: organisation(), channels: vec!["elsewhere".parse().unwrap()] },
    ];
    for scope in others {
        let asked = Queued { most: 100, ..Queued::default() };
        assert!(catalogue.queue_items(&[scope], person(1), &asked).await.unwrap().is_empty());
    }
    let tally = |now| catalogue.queue_tally(None, at(now), &|_| 1);
    let late = |tallies: Vec<knik::store::catalogue::QueueTally>| {
        tallies.iter().map(|one| (one.waiting, one.overdue)).collect::<Vec<_>>()
    };
    let now = late(tally(10).await.unwrap());
    assert_eq!(now, [(1, 0), (1, 0), (1, 0), (1, 0), (1, 0), (0, 0), (0, 0), (0, 0)]);
    let tomorrow = late(tally(90_000).await.unwrap());
    assert_eq!(tomorrow, [(1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (0, 0), (0, 0), (0, 0)]);
}

pub async fn doubts_wait_as_long_as_they_are_in_doubt(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    committed(&catalogue, Batch { doubtful: vec![version(2)], ..batch(2) }).await;
    let refreshed = async |doubtful: &[VersionId], entry| {
        let anew = Refreshed {
            conversation: ConversationId::from_uuid(id(2)),
            ruleset: "r2",
            findings: &[],
            flags: &[],
            doubtful,
            found_by: &[],
            subjects: &[],
            missed: &[],
            outbox: vec![OutboxRow { kind: "conversation", payload: "{}".to_owned() }],
        };
        let _recorded = catalogue.refreshed(&log(), anew, step(entry), at(6)).await.unwrap();
    };
    refreshed(&[version(2)], 40).await;
    assert_eq!(ids(&catalogue, QueueKind::DoubtfulFinding).await, [version(2)]);
    refreshed(&[], 41).await;
    assert!(ids(&catalogue, QueueKind::DoubtfulFinding).await.is_empty());
    refreshed(&[version(2)], 42).await;
    assert_eq!(ids(&catalogue, QueueKind::DoubtfulFinding).await, [version(2)], "in doubt anew");
}

pub async fn what_people_say_stands_with_its_entry_or_not_at_all(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    committed(&catalogue, batch(2)).await;
    committed(&catalogue, batch(3)).await;
    assert!(draw(&catalogue, &[(version(2), 2), (version(3), 1)], 40).await);
    assert!(!draw(&catalogue, &[(version(2), 2)], 40).await, "the entry is there already");
    let tables = ["assessment", "review_task", "stale_conversation", "outbox", "journal_pending", "decision"];
    let before = dump(&db, &tables).await;
    // The second of two items is of an entry that is there: nothing of the first is kept either.
    let two = vec![said(2, 1, 41, 1, "confirm", true), said(3, 1, 40, 1, "confirm", true)];
    assert!(catalogue.assess(&log(), two, None, at(20)).await.is_err());
    assert_eq!(dump(&db, &tables).await, before);
    let edited = AssessedItem { version: version(9), ..said(2, 1, 42, 1, "confirm", true) };
    assert!(catalogue.assess(&log(), vec![edited], None, at(20)).await.unwrap().is_none());
    assert_eq!(dump(&db, &tables).await, before, "it is no longer the version in force");

    // The first of two people: it does not hold, and withholds.
    let first = said(2, 1, 43, 1, "reject", false);
    assert!(catalogue.assess(&log(), vec![first], None, at(20)).await.unwrap().is_some());
    assert!(catalogue.assessed_of(&[version(2)]).await.unwrap().is_empty());
    assert!(catalogue.members(ConversationId::from_uuid(id(2))).await.unwrap()[0].withheld);
    assert!(!queue(&catalogue, Some(QueueKind::Sample), person(1)).await.iter().any(|i| i.id == version(2)));
    assert!(queue(&catalogue, Some(QueueKind::Sample), person(2)).await.iter().any(|i| i.id == version(2)));
    let opinions = catalogue.opinions(version(2)).await.unwrap();
    assert_eq!((opinions.len(), opinions[0].actor, opinions[0].said.len()), (1, person(1), 2));
    // The second, and it holds.
    let second = said(2, 2, 44, 2, "confirm", true);
    assert!(catalogue.assess(&log(), vec![second], None, at(21)).await.unwrap().is_some());
    let assessed = catalogue.assessed_of(&[version(2)]).await.unwrap();
    let one = &assessed[&version(2)][0];
    assert_eq!((one.passage, one.span), (0, Span::new(3, 9).unwrap()));
    assert!(matches!(one.said, Said::Redact { .. }));
    assert!(!catalogue.members(ConversationId::from_uuid(id(2))).await.unwrap()[0].withheld);
    assert_eq!(ids(&catalogue, QueueKind::Sample).await, [version(3)]);
    assert!(catalogue.has_assessed(version(2), person(2), at(102)).await.unwrap());
    assert!(!catalogue.has_assessed(version(2), person(2), at(103)).await.unwrap());
}

pub async fn what_a_restore_withholds_waits_and_no_edit_releases_it(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    committed(&catalogue, batch(2)).await;
    committed(&catalogue, batch(3)).await;
    let record = |n| RecordId::from_uuid(id(n));
    let here = catalogue.withdrawable(&[record(2), record(9)]).await.unwrap();
    assert_eq!(here.iter().map(|one| one.version).collect::<Vec<_>>(), [version(2)], "9 is not here");
    let withhold = async |entry| catalogue.withhold_restored(&log(), &here, step(entry), at(20)).await;
    assert!(withhold(40).await.is_ok());
    let tables = ["review_task", "stale_conversation", "outbox", "journal_pending"];
    let before = dump(&db, &tables).await;
    assert!(withhold(40).await.is_err(), "the entry is there already");
    assert_eq!(dump(&db, &tables).await, before);
    let withheld = async |n| catalogue.members(ConversationId::from_uuid(id(n))).await.unwrap()[0].withheld;
    assert_eq!((withheld(2).await, withheld(3).await), (true, false));
    assert_eq!(ids(&catalogue, QueueKind::Restored).await, [version(2)]);
    // An edit that is delivered again is of the same record: it stays out of sight and waits in the place of what it edits.
    let edited = VersionRow { replaces: true, ..version_row(12, 2) };
    let decisions = vec![decision(2, 12)];
    committed(&catalogue, Batch { versions: vec![edited], decisions, ..empty() }).await;
    assert_eq!(ids(&catalogue, QueueKind::Restored).await, [version(12)]);
    assert!(withheld(2).await);
    let settled = vec![QueueKind::Restored];
    let judged = AssessedItem { version: version(12), settled, ..said(2, 1, 43, 1, "confirm", true) };
    assert!(catalogue.assess(&log(), vec![judged], None, at(21)).await.unwrap().is_some());
    assert!(!withheld(2).await && ids(&catalogue, QueueKind::Restored).await.is_empty());
}

pub async fn judgements_are_paired_with_detectors_and_with_each_other(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    for n in 2..=4 {
        committed(&catalogue, batch(n)).await;
        let first = said(n, 1, 40 + n, 1, "confirm", false);
        assert!(catalogue.assess(&log(), vec![first], None, at(20)).await.unwrap().is_some());
        let answer = if n == 2 { "reject" } else { "confirm" };
        let second = said(n, 2, 50 + n, 2, answer, true);
        assert!(catalogue.assess(&log(), vec![second], None, at(21)).await.unwrap().is_some());
    }
    let span = (at(0), at(1_000));
    let found = |pairs: Vec<(knik::store::catalogue::Pairing, u64)>| {
        let mut told: Vec<_> = pairs
            .into_iter()
            .filter(|(pair, _)| pair.asked == "finding")
            .map(|(pair, n)| (pair.one.unwrap_or_default(), pair.other, n))
            .collect();
        told.sort();
        told
    };
    let detectors = found(catalogue.beside_detectors(&organisation(), span).await.unwrap());
    assert_eq!(detectors, [("redacted".to_owned(), "confirm".to_owned(), 3)]);
    let people = found(catalogue.beside_each_other(&organisation(), span).await.unwrap());
    let word = |text: &str| text.to_owned();
    assert_eq!(people, [(word("confirm"), word("confirm"), 2), (word("confirm"), word("reject"), 1)]);
    let work = catalogue.work_done(&organisation(), span).await.unwrap();
    assert_eq!(
        (work[0].kind, work[0].people, work[0].timed, work[0].seconds, work[0].judged),
        (QueueKind::Sample, 2, 6, 240, 6)
    );
    assert!(catalogue.work_done(&organisation(), (at(500), at(1_000))).await.unwrap().is_empty());
    // Drawings: candidates are what nobody touched, of that time, and no drawing held.
    let candidates = |from, until| {
        let (organisation, id) = (organisation(), channel().id);
        let catalogue = catalogue.clone();
        async move {
            let span = (at(from), at(until));
            catalogue.sample_candidates(&organisation, &id, span).await.unwrap().len()
        }
    };
    assert_eq!((candidates(-1, 10).await, candidates(0, 10).await), (3, 0));
    assert!(draw(&catalogue, &[(version(2), 1)], 90).await);
    assert_eq!(candidates(-1, 10).await, 2);
    let draws = catalogue.draws(&organisation(), Some(&channel().id), 5).await.unwrap();
    assert_eq!((draws.len(), draws[0].seed.as_str(), draws[0].drawn), (1, "00ff", 1));
    assert!(catalogue.channels_to_draw(at(1)).await.unwrap().is_empty(), "drawn after that");
}
