//! From asking for files to having them, under each plan.

use super::stage::{OWN_ACCOUNT, Stage, content, handle, name, posts, reader, stopped, unpack};
use knik::ledger::EntryKind;
use knik::model::{ExportState, ReportKind};
use knik::redact::Precision;
use knik::redact::copy::CopyRow;
use knik::vault::verify::verify_export;
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn files_are_built_checked_released_fetched_once_and_verified_offline() {
    let stage = Stage::new(901, &posts(60), 25).await;
    let decider = stage.approver("directeur-1").await;
    let second = stage.approver("directeur-2").await;
    let grant = stage
        .grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), Some(&decider))
        .await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!((job.state, stopped(&job)), (ExportState::Waiting, Vec::<String>::new()), "{}", job.report);
    assert_eq!(job.report["rows"], 60);
    assert_eq!(job.report["originalsOpened"], 60);
    assert!(job.report["valuesSearchedFor"].as_u64().unwrap() > 40, "{}", job.report);
    let names: Vec<String> = stage.manifest(job.id).await.files.into_iter().map(|file| file.name).collect();
    assert_eq!(names.len(), 3 * 3 + 2, "three parts in three forms, a page and a dictionary: {names:?}");
    let rows = stage.rows(job.id).await;
    assert_eq!(rows.len(), 60);
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    for row in &rows {
        assert!(row.author.is_some());
        assert_eq!(row.time_precision, Precision::Day, "as the plan tells, and no group is small");
        let text = row.text.as_deref().unwrap();
        assert!(!text.contains("Kwinkelaar") && !text.contains("06120"), "{text}");
        if let Some(answered) = &row.reply_to {
            assert!(ids.contains(answered.as_str()), "what is answered is named as the grant names it");
        }
    }
    assert!(rows.iter().filter(|row| row.reply_to.is_some()).count() >= 45);
    // Nobody fetches what nobody let go.
    assert!(stage.room().offer(&reader("onderzoeker-1"), job.id).await.is_err());
    stage.release(&second, job.id).await;
    assert_eq!(stage.job(job.id).await.state, ExportState::Released);
    let package = stage.fetch("onderzoeker-1", job.id).await;
    let folder = tempfile::tempdir().unwrap();
    unpack(&package, folder.path());
    let keys = stage.vault.verifiers();
    let found = verify_export(folder.path(), &keys).unwrap();
    assert_eq!(found.first_wrong, None);
    assert_eq!((found.files, found.rows), (11, 60));
    assert!(found.receipts >= 4, "{found:?}");
    let readme = std::fs::read_to_string(folder.path().join("README.md")).unwrap();
    for part in ["Kleine groepen", "Small groups", "min-low", "60 rijen", "60 rows"] {
        assert!(readme.contains(part), "{part}: {readme}");
    }
    // It is consumed, for whoever asks, and nothing of it stays.
    assert_eq!(stage.job(job.id).await.state, ExportState::Fetched);
    assert!(stage.room().offer(&reader("onderzoeker-1"), job.id).await.is_err());
    assert!(stage.airlock().files(job.id).await.unwrap().is_empty());
    let told: Vec<(EntryKind, String)> = stage.told().await;
    let said: Vec<&str> = told.iter().map(|(_, outcome)| outcome.as_str()).collect();
    assert_eq!(
        said,
        ["", "export-prepared", "", "nothing-found", "released", "export-offered", "begun", "whole"],
        "{told:?}"
    );
}

#[tokio::test]
async fn each_plan_tells_what_it_tells() {
    let stage = Stage::new(902, &posts(72), 1_000).await;
    let mut exports = Vec::new();
    for plan in ["generalised", "no-text"] {
        let subject = format!("onderzoeker-{plan}");
        let grant = stage.grant(&subject, content(plan, "export", "2026-03-01", "2026-03-31"), None).await;
        let job = stage.checked(&subject, grant).await;
        assert_eq!(job.state, ExportState::Waiting, "{plan}: {}", job.report);
        exports.push((stage.rows(job.id).await, job));
    }
    let (wide, without) = (&exports[0].0, &exports[1].0);
    // Three hours of one day with eight people each would be small: no hour is told, and years and postcodes are not either.
    assert!(wide.iter().all(|row| row.time_precision == Precision::Day), "{:?}", precisions(wide));
    assert!(wide.iter().all(|row| row.wider.is_empty()));
    let mut people: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
    for row in wide {
        let group = (row.time.as_deref(), row.channel.as_deref(), row.wider.as_str());
        people.entry(group).or_default().insert(writer_of(row));
    }
    assert!(people.values().all(|group| group.len() >= 10), "at least ten people in each group: {people:?}");
    assert!(wide.iter().any(|row| row.text.as_deref().is_some_and(|text| text.contains("Bericht"))));
    for row in without {
        assert_eq!(
            (&row.text, &row.content_warning, &row.alt_texts, &row.poll_options),
            (&None, &None, &None, &None)
        );
        assert!(row.outcome.is_some() && row.kind.is_some() && row.author.is_some());
    }
    assert!(without.iter().any(|row| !row.redactions.is_empty()), "kinds of what is redacted are structure");
    assert_eq!(exports[1].1.report["verbatimPercent"], 0);
    for (rows, _) in &exports {
        let all: String = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        for person in 0..24 {
            assert!(!all.contains(&name(person)) && !all.contains(&handle(person)), "{person}");
        }
        assert!(!all.contains("12-03-19") && !all.contains(" AB,"));
    }
}

fn precisions(rows: &[CopyRow]) -> BTreeSet<Precision> {
    rows.iter().map(|row| row.time_precision).collect()
}

/// The number of the post of a row, with which its text ends.
fn post_of(row: &CopyRow) -> u32 {
    let text = row.text.as_deref().unwrap();
    text.rsplit(' ').next().unwrap().trim_end_matches('.').parse().unwrap()
}

/// Who wrote a row, as the forum knows.
fn writer_of(row: &CopyRow) -> u32 {
    post_of(row) % 24
}

#[tokio::test]
async fn the_order_of_rows_tells_no_time() {
    // Twelve people on each of two days, and six of the first on a third: too few to tell the day of.
    let mut all = posts(48);
    for post in &mut all {
        let day = if post.person % 2 == 0 { 4 } else { 5 };
        post.at = post.at.replace("2026-03-04", &format!("2026-03-{day:02}"));
    }
    let more = posts(96).into_iter().filter(|post| post.id >= 84 && post.person % 2 == 0);
    all.extend(more.map(|mut post| {
        post.at = post.at.replace("2026-03-04", "2026-03-20");
        post
    }));
    let stage = Stage::new(904, &all, 20).await;
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!(job.state, ExportState::Waiting, "{}", job.report);
    let rows = stage.rows(job.id).await;
    assert!(precisions(&rows).contains(&Precision::Month), "the third day is too small to be told");
    let mut threads: BTreeMap<&str, BTreeSet<Precision>> = BTreeMap::new();
    for row in &rows {
        threads.entry(&row.conversation).or_default().insert(row.time_precision);
    }
    assert!(threads.values().all(|told| told.len() == 1), "a conversation is told alike: its order is told");
    assert!(rows.iter().all(|row| !row.time.as_deref().unwrap_or_default().contains("2026-03-20")));
    assert!(rows.is_sorted_by_key(|row| &row.id), "by the names that the grant drew, through all parts");
    // Whatever place a row has, it could be of any day.
    let of_third: Vec<usize> = (0..rows.len()).filter(|n| post_of(&rows[*n]) >= 84).collect();
    let spread = of_third.iter().max().unwrap() - of_third.iter().min().unwrap();
    assert!(spread > of_third.len(), "what was posted on one day stands apart: {of_third:?}");
}

#[tokio::test]
async fn wider_values_are_the_vaults_and_reach_views_too() {
    let stage = Stage::new(903, &posts(24), 1_000).await;
    let grant =
        stage.grant("onderzoeker-1", content("generalised", "view", "2026-03-01", "2026-03-31"), None).await;
    let room = stage.room();
    let selection = || knik::reading_room::Selection { grant: Some(grant), most: 100, ..Default::default() };
    let text = async || {
        let page = room.list(&reader("onderzoeker-1"), &selection()).await.unwrap();
        assert_eq!(page.views.len(), 24);
        page.views
            .iter()
            .flat_map(|view| view.view.passages.iter().map(|p| p.text.clone()))
            .collect::<String>()
    };
    let before = text().await;
    assert!(!before.contains("geboortedatum 19"), "nothing is derived in the reading room: {before}");
    stage.settle().await;
    let after = text().await;
    assert!(after.contains("[geboortedatum 1952]"), "{after}");
    assert!(after.contains("1002]"), "four digits of a postcode: {after}");
    assert!(!after.contains("1002 AB") && !after.contains("12-03-1952"), "{after}");
}

#[tokio::test]
async fn what_is_rightly_readable_stops_no_export() {
    let mut posts = posts(48);
    for post in &mut posts {
        if post.id.is_multiple_of(6) {
            post.person = OWN_ACCOUNT;
            post.text = "Vragen over de dijk? Stel ze hier.".to_owned();
        } else {
            post.text.push_str(" @minlow");
        }
    }
    posts[7].text = "Het meldpunt voor de dijk is 06-12345678.".to_owned();
    let stage = Stage::new(905, &posts, 1_000).await;
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!(job.state, ExportState::Waiting, "the organisation's own account is public: {}", job.report);
    let rows = stage.rows(job.id).await;
    let with = |rows: &[CopyRow], words: &str| {
        rows.iter().filter(|row| row.text.as_deref().is_some_and(|text| text.contains(words))).count()
    };
    assert_eq!((with(&rows, "@minlow"), with(&rows, "06-12345678")), (39, 0));
    let covered =
        rows.iter().find(|row| row.text.as_deref().is_some_and(|text| text.contains("meldpunt"))).unwrap();
    // A reviewer says that the number of the office need not be redacted: then the detector, which finds it anew, has no say.
    let projection = stage.projection(&job, covered).await;
    let report = stage.reported(&job, projection, ReportKind::WronglyRedacted).await;
    stage.settle().await;
    stage.confirm(report, "06-12345678").await;
    stage.settle().await;
    let again = stage.checked("onderzoeker-1", grant).await;
    assert_eq!(
        again.state,
        ExportState::Waiting,
        "a person said that it need not be redacted: {}",
        again.report
    );
    assert_eq!(with(&stage.rows(again.id).await, "06-12345678"), 1);
}
