//! What people answer decides anew; what other trees would mean is told without changing anything.

use super::disclosure::{actor, entries, official};
use super::minimised::status;
use crate::support::TestVault;
use knik::decide::Answer;
use knik::ledger::{EntryKind, Hash};
use knik::model::{Outcome, PolicyKind, RecordId, Role};
use knik::store::catalogue::{ChannelFact, Fact, PolicyVersion};
use knik::vault::VaultError;
use knik::vault::channels;
use knik::vault::compare::{Comparison, REACTIONS_OFF, Report, compare, compare_for};
use knik::vault::policies::{self, StatedPolicy};
use knik::vault::queue;
use knik::vault::verify::{self, Trust};

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
        plans: vec!["public".to_owned()],
        redetect: false,
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
    let shown =
        |column: &knik::vault::compare::Column| column.shown.values().flat_map(|by| by.values()).sum::<u64>();
    assert!(shown(whole) > 0 && shown(advice) < shown(whole), "{report:?}");
    let people = |column: &knik::vault::compare::Column| column.people.values().sum::<u64>();
    assert!(people(whole) > 0 && people(advice) <= people(whole), "{report:?}");
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
    let (vault, _) = TestVault::loaded(1).await;
    with(&vault, &[status(31, "burger", "public", "Serieus?", &["minlow"])]).await;
    vault
}

/// Takes in more reactions on the ministry's channel.
pub async fn with(vault: &TestVault, statuses: &[serde_json::Value]) {
    let channel = vault.archive.catalogue.channel(&"low-mastodon".parse().unwrap()).await.unwrap().unwrap();
    vault.ingest_bytes(&channel, &serde_json::to_vec(statuses).unwrap()).await.unwrap();
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
async fn asked_to_detect_anew_it_opens_originals_which_is_recorded_and_timed_apart() {
    let (vault, _) = TestVault::loaded(1).await;
    let words = |of: &[&str]| of.iter().map(|word| (*word).to_owned()).collect();
    let asked = |redetect| Comparison {
        trees: words(&["archive-whole", "scenario-b"]),
        profiles: Vec::new(),
        plans: Vec::new(),
        organisation: LOW.parse().unwrap(),
        from: None,
        until: None,
        seconds_each: 60,
        samples: 0,
        redetect,
    };
    let stored = compare(&vault.archive, &vault.rules, &asked(false)).await.unwrap();
    assert!(stored.redetected.is_none());
    let recorded = entries(&vault, 0).await.len();
    let anew = compare(&vault.archive, &vault.rules, &asked(true)).await.unwrap();
    let redetected = anew.redetected.unwrap();
    // The rules are the same: nothing comes out otherwise.
    assert_eq!((redetected.records, redetected.changed), (anew.records, 0));
    let figures =
        |report: &Report| report.columns.iter().map(|of| (of.kept, of.to_people)).collect::<Vec<_>>();
    assert_eq!(figures(&stored), figures(&anew));
    let added = entries(&vault, recorded).await;
    let opened: std::collections::BTreeSet<RecordId> = added
        .iter()
        .filter(|entry| entry.kind() == EntryKind::SystemOpeningIntended)
        .flat_map(|entry| entry.records().collect::<Vec<_>>())
        .collect();
    assert_eq!(opened.len() as u64, anew.records, "each original that was opened stands in the ledger");
    assert!(matches!(added.last().map(|entry| entry.kind()), Some(EntryKind::SystemOpeningDone)));
    let unknown = Comparison { plans: words(&["x"]), ..asked(false) };
    assert!(
        compare(&vault.archive, &vault.rules, &unknown).await.unwrap_err().to_string().contains("plan `x`")
    );
}

#[tokio::test]
async fn people_of_the_organisation_compare_and_others_do_not() {
    let (vault, _) = TestVault::loaded(1).await;
    let asked = Comparison {
        trees: vec!["archive-whole".to_owned(), "legal-advice".to_owned()],
        profiles: Vec::new(),
        plans: Vec::new(),
        organisation: "dwv".parse().unwrap(),
        from: None,
        until: None,
        seconds_each: 60,
        samples: 3,
        redetect: true,
    };
    let language = knik::redact::Language::Dutch;
    let recorded = entries(&vault, 0).await.len();
    let report = compare_for(&vault.archive, &vault.rules, &official(LOW), &asked, language).await.unwrap();
    assert!(report.redetected.is_none() && report.records > 0, "of the own organisation, without opening");
    let kinds: Vec<EntryKind> = entries(&vault, recorded).await.iter().map(|entry| entry.kind()).collect();
    assert_eq!(kinds, [EntryKind::ViewServed], "which samples were shown is recorded");
    let researcher = actor(Role::Researcher, LOW);
    let refused = compare_for(&vault.archive, &vault.rules, &researcher, &asked, language).await;
    assert!(matches!(refused, Err(VaultError::Refused(_))));
}

#[tokio::test]
async fn a_tree_holds_from_its_date_and_the_one_before_it_until_then() {
    let (vault, _) = TestVault::demo(1).await;
    let id = "low-mastodon".parse().unwrap();
    let fact = |fact, value: &str| ChannelFact {
        fact,
        value: value.to_owned(),
        from: "2026-06-01T00:00:00Z".parse().unwrap(),
        until: None,
        reason: "besluit".to_owned(),
    };
    let amend = |facts: Vec<ChannelFact>| {
        let (vault, id) = (&vault, &id);
        async move { channels::amend(&vault.archive, &vault.rules, id, &facts, None).await }
    };
    for wrong in [vec![], vec![fact(Fact::Tree, "scenario-z")]] {
        assert!(matches!(amend(wrong).await, Err(VaultError::Input(_))));
    }
    let recorded = entries(&vault, 0).await.len();
    amend(vec![fact(Fact::Tree, "scenario-a")]).await.unwrap();
    // The later of two that overlap holds, also when both were declared at one moment of the clock.
    amend(vec![fact(Fact::Tree, "legal-advice"), fact(Fact::Official, "no")]).await.unwrap();
    let said = entries(&vault, 0).await.split_off(recorded);
    assert!(said.iter().all(|entry| entry.kind() == EntryKind::ChannelDeclared), "{said:?}");
    let codes = |n: usize| said[n].reasons().iter().map(|code| code.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        (codes(0), codes(1)),
        (vec!["tree".to_owned()], vec!["official".to_owned(), "tree".to_owned()])
    );

    let mut later = status(42, "burger", "public", "wanneer gaat de sluis open", &["minlow"]);
    later["created_at"] = "2026-06-02T08:00:00.000Z".into();
    let earlier = status(41, "burger", "public", "wanneer gaat de sluis open", &["minlow"]);
    with(&vault, &[earlier, later]).await;
    let records = vault.archive.catalogue.records(&LOW.parse().unwrap(), None, None, 10).await.unwrap();
    let mut trees = Vec::new();
    for record in &records {
        let decided = vault.archive.catalogue.decisions(record.id).await.unwrap();
        trees.push((record.day.clone().unwrap(), decided[0].tree.clone(), decided[0].outcome));
    }
    trees.sort();
    let expected = [
        ("2026-03-09".to_owned(), "scenario-b".to_owned(), Outcome::Archive),
        ("2026-06-02".to_owned(), "legal-advice".to_owned(), Outcome::DoNotArchive),
    ];
    assert_eq!(trees, expected);
}

#[tokio::test]
async fn what_a_version_of_a_policy_said_is_kept_and_committed_to() {
    let (vault, _) = TestVault::demo(1).await;
    let stated = |version: &str, content: u8| StatedPolicy {
        file: "trees/own.yaml".to_owned(),
        policy: PolicyVersion {
            kind: PolicyKind::Tree,
            id: "own".to_owned(),
            version: version.to_owned(),
            digest: Hash::from_bytes([content; 32]),
        },
    };
    let hold = async |now: &[StatedPolicy]| policies::hold(&vault.archive, "rules-1", now).await;
    let recorded = entries(&vault, 0).await.len();
    assert_eq!(hold(&[stated("1", 1), stated("2", 2)]).await.unwrap(), 2);
    assert_eq!(hold(&[stated("2", 2)]).await.unwrap(), 0);
    match hold(&[stated("3", 3), stated("2", 9)]).await {
        Err(VaultError::Input(why)) => assert!(why.contains("give it a new `version`"), "{why}"),
        other => panic!("held: {other:?}"),
    }
    let made = entries(&vault, recorded).await;
    assert_eq!(made.len(), 1, "what is known is said once, what is refused never: {made:?}");
    assert_eq!(made[0].kind(), EntryKind::RulesLoaded);
    let both = [stated("2", 2).policy, stated("1", 1).policy];
    assert_eq!(made[0].statements(), Some(policies::commitment(&both)));

    let verified = async || {
        let trust = Trust::of(&vault.archive);
        verify::verify(&vault.archive, &trust, &|_, _| {}).await.unwrap().first_wrong
    };
    assert_eq!(verified().await, None);
    let changed =
        "UPDATE policy_version SET digest = (SELECT digest FROM policy_version WHERE version = '2')";
    sqlx::query(changed).execute(vault.archive.catalogue.database().write()).await.unwrap();
    assert!(verified().await.unwrap().contains("versions of policies"));
}
