//! What people answer decides anew; what other trees would mean is told without changing anything.

use super::disclosure::{actor, entries, official};
use super::minimised::status;
use crate::support::TestVault;
use knik::decide::Answer;
use knik::ledger::EntryKind;
use knik::model::{Outcome, PrivateText, RecordId, Role};
use knik::vault::VaultError;
use knik::vault::compare::{Comparison, REACTIONS_OFF, Report, compare};
use knik::vault::queue::{self, Case};

const LOW: &str = "min-low";

async fn compared(vault: &TestVault, trees: &[&str], profiles: &[&str]) -> Result<Report, VaultError> {
    let words = |of: &[&str]| of.iter().map(|word| (*word).to_owned()).collect();
    let asked = Comparison {
        trees: words(trees),
        profiles: words(profiles),
        organisation: LOW.parse().unwrap(),
        from: None,
        until: None,
        seconds_each: 60,
        samples: 3,
    };
    compare(&vault.archive, &vault.rules, &asked).await
}

#[tokio::test]
async fn trees_are_compared_over_an_archive_that_stays_as_it_is() {
    let (vault, _) = TestVault::loaded(1).await;
    let before = (vault.archive.catalogue.counts().await.unwrap(), entries(&vault, 0).await.len());
    let report =
        compared(&vault, &["archive-whole", "scenario-b", "legal-advice", REACTIONS_OFF], &[]).await.unwrap();
    assert_eq!((vault.archive.catalogue.counts().await.unwrap(), entries(&vault, 0).await.len()), before);
    let [whole, scenario, advice, off] = report.columns.as_slice() else { panic!("{report:?}") };
    assert!(whole.reactions > 10 && report.without_answers == 0, "{report:?}");
    for column in &report.columns {
        let sum = column.kept
            + column.kept_elsewhere
            + column.referred
            + column.proposed_for_destruction
            + column.not_taken_in
            + column.to_people;
        assert_eq!((sum, column.questions), (whole.reactions, whole.questions), "{column:?}");
    }
    assert_eq!((whole.kept, whole.questions_lost), (whole.reactions, 0));
    assert_eq!((advice.kept, advice.questions_lost), (0, advice.questions));
    assert_eq!((off.not_taken_in, off.questions_lost), (off.reactions, off.questions));
    assert!(scenario.kept > 0 && scenario.proposed_for_destruction > 0, "{scenario:?}");
    assert!((scenario.hours_of_work - scenario.to_people as f64 / 60.0).abs() < 1e-9);
    assert!(advice.unanswered_no_longer_provable > 0, "{advice:?}");
    let data = |column: &knik::vault::compare::Column| column.personal_data.values().sum::<u64>();
    assert!(data(advice) < data(whole), "the organisation's own posts are left: {report:?}");
    assert_eq!(report.samples.len(), 3);
    // What the trees say of the channels that follow one is what was decided on them.
    let decided = vault.archive.catalogue.outcomes(&LOW.parse().unwrap()).await.unwrap();
    let of = |outcome: Outcome| decided.iter().find(|(known, _)| *known == outcome).map_or(0, |(_, n)| *n);
    assert_eq!(of(Outcome::DoNotArchive), scenario.proposed_for_destruction, "{decided:?} {scenario:?}");
    assert_eq!(of(Outcome::Unsure), scenario.to_people);
}

#[tokio::test]
async fn what_is_not_known_or_nothing_to_compare_is_refused() {
    let (vault, _) = TestVault::demo(1).await;
    for (trees, profiles, expected) in [
        (vec!["scenario-b"], vec![], "at least two"),
        (vec!["scenario-b", "scenario-x"], vec![], "reactions-off"),
        (vec!["scenario-b"], vec!["default", "x"], "profile `default`"),
    ] {
        let error = compared(&vault, &trees, &profiles).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The demo, and one reaction that is doubtful.
async fn with_doubt() -> TestVault {
    let (vault, channels) = TestVault::loaded(1).await;
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap().channel;
    let page = serde_json::json!([status(31, "burger", "public", "Serieus?", &["minlow"])]);
    vault.ingest_bytes(channel, &serde_json::to_vec(&page).unwrap()).await.unwrap();
    vault
}

async fn doubtful(vault: &TestVault) -> Vec<RecordId> {
    let reviewer = actor(Role::Reviewer, LOW);
    let found = queue::doubtful(&vault.archive, &vault.rules, &reviewer).await.unwrap();
    found.into_iter().map(|record| record.id).collect()
}

#[tokio::test]
async fn a_persons_answer_decides_anew_and_is_recorded_with_who_and_when() {
    let vault = with_doubt().await;
    let waiting = doubtful(&vault).await;
    let [first] = waiting.as_slice() else { panic!("{waiting:?}") };
    let reviewer = actor(Role::Reviewer, LOW);
    let recorded = entries(&vault, 0).await.len();
    let say = |answer| queue::answer(&vault.archive, &vault.rules, &reviewer, *first, "question", answer);
    let decision = say(Answer::No).await.unwrap();
    assert_eq!(decision.outcome, Outcome::DoNotArchive);
    assert!(!doubtful(&vault).await.contains(first));
    let record = vault.archive.catalogue.record(*first).await.unwrap().unwrap();
    assert_eq!(record.outcome, Outcome::DoNotArchive);
    let stored = vault.archive.catalogue.decisions(*first).await.unwrap();
    assert_eq!(stored[0].path[0]["answeredBy"], "person");
    let entry = entries(&vault, recorded).await.remove(0);
    assert_eq!((entry.kind(), entry.actor()), (EntryKind::DecisionChanged, Some(reviewer.id)));
    assert_eq!(entry.records().collect::<Vec<_>>(), [*first]);
    let proposals = queue::proposals(&vault.archive, &LOW.parse().unwrap()).await.unwrap();
    let proposal = proposals.iter().find(|proposal| proposal.record.id == *first).unwrap();
    assert!(proposal.thread.iter().any(|member| member.record == *first));
    // Another answer takes its place: it is a question after all, and readers get to see it.
    let decision = say(Answer::Yes).await.unwrap();
    assert_eq!(decision.outcome, Outcome::Archive, "{decision:?}");
    vault.round().await;
    if record.withheld.is_none() && record.visibility.is_public() {
        assert!(vault.archive.room.document(record.projection).await.unwrap().is_some());
    }
    say(Answer::No).await.unwrap();
    vault.round().await;
    assert!(vault.archive.room.document(record.projection).await.unwrap().is_none());
}

#[tokio::test]
async fn the_queue_is_for_reviewers_of_the_organisation() {
    let vault = with_doubt().await;
    let record = doubtful(&vault).await.remove(0);
    let answer = async |actor| {
        queue::answer(&vault.archive, &vault.rules, &actor, record, "question", Answer::No).await
    };
    assert!(matches!(answer(official(LOW)).await, Err(VaultError::Refused(_))));
    assert!(matches!(answer(actor(Role::Reviewer, "dwv")).await, Err(VaultError::Absent { .. })));
    let reviewer = actor(Role::Reviewer, LOW);
    let error = queue::answer(&vault.archive, &vault.rules, &reviewer, record, "weather", Answer::No)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no step `weather`"), "{error}");
    assert!(doubtful(&vault).await.contains(&record), "nothing changed");
}

#[tokio::test]
async fn a_letter_is_found_by_its_case_and_due_until_it_is_confirmed() {
    let vault = with_doubt().await;
    let record = doubtful(&vault).await.remove(0);
    let (registrar, low) = (actor(Role::Reviewer, LOW), LOW.parse().unwrap());
    let case =
        |number: &str| Case { system: "brieven".to_owned(), number: PrivateText::new(number.to_owned()) };
    let link = |day: &'static str| {
        let (vault, registrar) = (&vault, &registrar);
        async move {
            queue::link_letter(&vault.archive, &vault.rules, registrar, record, &case("B-17"), day, "tekst")
                .await
        }
    };
    assert!(matches!(link("soon").await, Err(VaultError::Input(_))));
    link("2026-03-09").await.unwrap();
    assert!(matches!(link("2026-03-09").await, Err(VaultError::Input(_))), "once");
    let letters =
        async |case: Option<Case>| queue::letters(&vault.archive, &low, case.as_ref()).await.unwrap();
    assert_eq!(letters(None).await.len(), 1);
    assert_eq!(letters(Some(case("B-17"))).await[0].record, record);
    assert!(letters(Some(case("B-18"))).await.is_empty());
    let confirm =
        async |number| queue::confirm_letter(&vault.archive, &vault.rules, &registrar, &case(number)).await;
    assert_eq!((confirm("B-18").await.unwrap(), confirm("B-17").await.unwrap()), (0, 1));
    assert!(letters(None).await.is_empty(), "nothing is due");
    assert!(letters(Some(case("B-17"))).await[0].confirmed_at.is_some());
}
