//! What turns out to have been missed in something that was exported names who has the export, and nobody else.

use super::stage::{Stage, content, posts, reader};
use knik::model::{ExportState, GrantId, ReportId};
use knik::redact::copy::CopyRow;
use knik::store::catalogue::ExportJob;
use knik::vault::incidents;
use serde_json::{Value, json};

/// A word that stands in every fourth text, and that nothing is found in.
const WORD: &str = "waterbijdrage";

async fn released(seed: u64) -> (Stage, GrantId, ExportJob, CopyRow) {
    let stage = Stage::new(seed, &posts(24), 1_000).await;
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!(job.state, ExportState::Waiting, "{}", job.report);
    let rows = stage.rows(job.id).await;
    let row = rows.into_iter().find(|row| row.text.as_deref().unwrap().contains(WORD)).unwrap();
    stage.release(&stage.approver("directeur-1").await, job.id).await;
    (stage, grant, job, row)
}

/// That the word was missed in a record becomes known, and everything that follows from it.
async fn found_missed(stage: &Stage, id: ReportId) -> Vec<Value> {
    stage.vault.round().await;
    stage.confirm(id, WORD).await;
    for _ in 0..3 {
        stage.vault.round().await;
    }
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    let mut shown = Vec::new();
    for incident in incidents::list(archive, rules, None).await.unwrap() {
        let id = incident["id"].as_str().unwrap().parse().unwrap();
        shown.push(incidents::show(archive, rules, None, id).await.unwrap());
    }
    shown
}

#[track_caller]
fn one_holder(incidents: &[Value]) {
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let holders = incidents[0]["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 1, "{holders:?}");
    let told = (&holders[0]["how"], &holders[0]["person"]["subject"], &holders[0]["records"]);
    assert_eq!(told, (&json!("exported"), &json!("onderzoeker-1"), &json!(1)));
    assert_eq!(incidents[0]["recalled"][0]["records"], 1);
}

#[tokio::test]
async fn who_fetched_an_export_has_what_was_missed_in_it() {
    let (stage, grant, job, row) = released(941).await;
    let projection = stage.projection(&job, &row).await;
    stage.fetch("onderzoeker-1", job.id).await;
    assert_eq!(stage.job(job.id).await.state, ExportState::Fetched);
    // Somebody else has a grant for the same, and fetched nothing.
    stage.grant("onderzoeker-2", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let report = stage.report(&job, projection).await;
    one_holder(&found_missed(&stage, report).await);
    let notices = knik::store::room::Room::new(stage.vault.room.clone());
    let notices = notices.notices(knik::http::token::DEMO_ISSUER, "onderzoeker-1").await.unwrap();
    assert_eq!(notices.len(), 1, "they are told");
    assert!(
        stage.vault.archive.catalogue.grant_in_force(grant, stage.vault.archive.sources.now()).await.unwrap()
    );
}

#[tokio::test]
async fn who_began_to_fetch_has_it_whatever_became_of_the_download() {
    let (stage, _, job, row) = released(942).await;
    let projection = stage.projection(&job, &row).await;
    let download =
        stage.room().offer(&reader("onderzoeker-1"), job.id).await.unwrap().begin(0).await.unwrap();
    assert!(download.piece(0).await.unwrap().is_some());
    drop(download);
    let report = stage.report(&job, projection).await;
    one_holder(&found_missed(&stage, report).await);
}

#[tokio::test]
async fn what_nobody_began_to_fetch_nobody_has() {
    let (stage, _, job, row) = released(943).await;
    let projection = stage.projection(&job, &row).await;
    let held = stage.vault.archive.catalogue.export_holds(job.id).await.unwrap();
    assert_eq!(held, 24, "it is known what is in it");
    let report = stage.report(&job, projection).await;
    assert_eq!(found_missed(&stage, report).await, Vec::<Value>::new());
    assert_eq!(stage.job(job.id).await.state, ExportState::Stopped);
    assert!(stage.room().offer(&reader("onderzoeker-1"), job.id).await.is_err());
}
