//! What is withdrawn, corrected or tampered with after the leak gate does not leave; what fails is alone in that, and nothing of what
//! is over stays.

use super::stage::{Stage, content, name, posts, reader, stopped};
use knik::access::grant_file::Content;
use knik::model::{ExportId, ExportState, GrantId};
use knik::reading_room::ReadingError;
use knik::redact::copy::MANIFEST;
use knik::store::catalogue::ExportJob;
use knik::store::inbox::{ExportAct, ExportStep, Message};
use knik::vault::VaultError;
use knik::vault::{exports, grants, sequence};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

fn files() -> Content {
    content("researcher", "export", "2026-03-01", "2026-03-31")
}

/// An export of everything, that waits for a second person.
async fn waiting(seed: u64) -> (Stage, GrantId, ExportJob) {
    let stage = Stage::new(seed, &posts(48), 1_000).await;
    let grant = stage.grant("onderzoeker-1", files(), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!(job.state, ExportState::Waiting, "{}", job.report);
    (stage, grant, job)
}

/// Reports the first record of an export.
async fn report_one(stage: &Stage, job: &ExportJob) {
    let rows = stage.rows(job.id).await;
    let projection = stage.projection(job, &rows[0]).await;
    stage.report(job, projection).await;
}

#[track_caller]
fn unfit<T: std::fmt::Debug>(outcome: Result<T, VaultError>, part: &str) {
    match outcome {
        Err(VaultError::Input(words)) => assert!(words.contains(part), "{words}"),
        other => panic!("{other:?} does not say `{part}`"),
    }
}

async fn nothing_is_left(stage: &Stage, id: ExportId) {
    assert!(stage.airlock().files(id).await.unwrap().is_empty(), "files in the airlock");
    assert_eq!(stage.pieces().await, 0, "pieces in the reading room");
    for table in ["export_member", "export_row"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT export FROM {table}"));
        assert!(sqlx::query(sql).fetch_all(stage.vault.room.read()).await.unwrap().is_empty(), "{table}");
    }
}

#[tokio::test]
async fn what_is_withdrawn_while_it_waits_is_not_let_go_and_is_made_anew() {
    let (stage, grant, job) = waiting(951).await;
    let second = stage.approver("directeur-1").await;
    report_one(&stage, &job).await;
    stage.vault.round().await;
    unfit(stage.let_go(&second, job.id).await, "made anew");
    let over = stage.job(job.id).await;
    assert_eq!((over.state, stopped(&over)), (ExportState::Stopped, vec!["changed-since-built".to_owned()]));
    stage.vault.round().await;
    nothing_is_left(&stage, job.id).await;
    let seen = stage.room().export(&reader("onderzoeker-1"), job.id).await.unwrap();
    assert_eq!(seen["stoppedFor"], json!(["changed-since-built"]));
    // Made anew it is without that record, and goes.
    let anew = stage.checked("onderzoeker-1", grant).await;
    assert_eq!((anew.state, &anew.report["rows"]), (ExportState::Waiting, &json!(47)), "{}", anew.report);
    stage.release(&second, anew.id).await;
    assert!(!stage.fetch("onderzoeker-1", anew.id).await.is_empty());
}

#[tokio::test]
async fn what_is_on_its_way_down_is_waited_for() {
    let (stage, _, job) = waiting(952).await;
    let second = stage.approver("directeur-1").await;
    report_one(&stage, &job).await;
    // Taken up, and not yet withdrawn in the reading room.
    sequence::take_up(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    assert!(!stage.vault.archive.room.export_changed(job.id).await.unwrap());
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        knik::vault::publish::take_down(&stage.vault.archive).await.unwrap();
        sequence::round(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(stage.let_go(&second, job.id), later);
    assert!(outcome.is_err(), "it does not go");
    assert_eq!(stage.job(job.id).await.state, ExportState::Stopped);
}

#[tokio::test]
async fn what_is_withdrawn_after_it_was_let_go_is_not_handed_down() {
    let (stage, _, job) = waiting(953).await;
    report_one(&stage, &job).await;
    stage.let_go(&stage.approver("directeur-1").await, job.id).await.unwrap();
    sequence::take_up(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    let _numbers = stage.vault.numbering();
    exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    assert_eq!(stage.job(job.id).await.state, ExportState::Releasing, "a withdrawal waits to go down");
    stage.vault.round().await;
    exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    assert_eq!(stage.job(job.id).await.state, ExportState::Stopped);
    nothing_is_left(&stage, job.id).await;
}

#[tokio::test]
async fn a_grant_that_ends_after_it_was_let_go_is_not_handed_down() {
    let (stage, _, job) = waiting(954).await;
    stage.let_go(&stage.approver("directeur-1").await, job.id).await.unwrap();
    stage.vault.tamper("UPDATE access_grant SET until_at = 1").await;
    let _numbers = stage.vault.numbering();
    exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    assert_eq!(stage.job(job.id).await.state, ExportState::Lapsed);
    nothing_is_left(&stage, job.id).await;
}

#[tokio::test]
async fn a_released_package_goes_in_the_moment_in_which_something_in_it_is_withdrawn() {
    let (stage, _, job) = waiting(955).await;
    let rows = stage.rows(job.id).await;
    let projection = stage.projection(&job, &rows[0]).await;
    stage.release(&stage.approver("directeur-1").await, job.id).await;
    assert!(stage.pieces().await > 0);
    let offered = stage.room().offer(&reader("onderzoeker-1"), job.id).await.unwrap();
    let under_way = offered.begin(0).await.unwrap();
    assert!(under_way.piece(0).await.unwrap().is_some());
    let now = stage.vault.archive.sources.now();
    stage.vault.archive.room.withdraw(&[projection], now).await.unwrap();
    assert_eq!(stage.pieces().await, 0);
    assert!(under_way.piece(0).await.unwrap().is_none(), "also for who fetches it now");
    match stage.room().offer(&reader("onderzoeker-1"), job.id).await.map(drop) {
        Err(ReadingError::Input(words)) => assert!(words.contains("anew"), "{words}"),
        other => panic!("{other:?}"),
    }
    stage.vault.round().await;
    assert_eq!(stage.job(job.id).await.state, ExportState::Stopped);
    nothing_is_left(&stage, job.id).await;
}

#[tokio::test]
async fn a_package_of_which_nothing_was_withdrawn_stays() {
    let (stage, _, job) = waiting(956).await;
    stage.release(&stage.approver("directeur-1").await, job.id).await;
    // Everything is published anew with the same words.
    stage.vault.tamper("INSERT INTO stale_conversation (conversation, since) SELECT DISTINCT conversation, 0 FROM record").await;
    for _ in 0..3 {
        stage.vault.round().await;
    }
    assert_eq!(stage.job(job.id).await.state, ExportState::Released);
    assert!(!stage.fetch("onderzoeker-1", job.id).await.is_empty());
}

#[tokio::test]
async fn files_that_are_not_those_that_were_checked_do_not_go() {
    for (seed, after) in [(957, false), (958, true)] {
        let (stage, _, job) = waiting(seed).await;
        let second = stage.approver("directeur-1").await;
        if after {
            stage.let_go(&second, job.id).await.unwrap();
        }
        // The reading room adds to the airlock after the gate: to a file, as it may.
        stage.airlock().add(job.id, "README.md", 1, b"meer".to_vec()).await.unwrap();
        if after {
            let _numbers = stage.vault.numbering();
            exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
        } else {
            unfit(stage.let_go(&second, job.id).await, "file-differs");
        }
        let over = stage.job(job.id).await;
        assert_eq!((over.state, stopped(&over)), (ExportState::Stopped, vec!["file-differs".to_owned()]));
        nothing_is_left(&stage, job.id).await;
    }
    let (stage, _, job) = waiting(959).await;
    stage.let_go(&stage.approver("directeur-1").await, job.id).await.unwrap();
    stage.airlock().add(job.id, "more.csv", 0, b"meer".to_vec()).await.unwrap();
    let _numbers = stage.vault.numbering();
    exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    assert_eq!(stage.job(job.id).await.state, ExportState::Stopped, "a file more");
}

#[tokio::test]
async fn a_piece_that_is_not_as_it_was_put_down_is_not_sent() {
    let (stage, _, job) = waiting(960).await;
    stage.release(&stage.approver("directeur-1").await, job.id).await;
    sqlx::query("UPDATE export_chunk SET bytes = x'00' WHERE place = 0")
        .execute(stage.vault.room.write())
        .await
        .unwrap();
    let download =
        stage.room().offer(&reader("onderzoeker-1"), job.id).await.unwrap().begin(0).await.unwrap();
    assert!(matches!(download.piece(0).await, Err(ReadingError::Store(_))));
}

#[tokio::test]
async fn one_export_that_cannot_be_made_keeps_no_other() {
    let stage = Stage::new(961, &posts(24), 1_000).await;
    let first = stage.grant("onderzoeker-1", files(), None).await;
    let second = stage.grant("onderzoeker-2", files(), None).await;
    let third = stage.grant("onderzoeker-3", files(), None).await;
    let broken = stage.built("onderzoeker-1", first).await;
    sqlx::query("DELETE FROM airlock WHERE file = $1")
        .bind(MANIFEST)
        .execute(stage.vault.inbox.write())
        .await
        .unwrap();
    stage.airlock().add(broken, MANIFEST, 0, b"{".to_vec()).await.unwrap();
    let unknown = stage.ask("onderzoeker-2", second).await;
    let sound = stage.ask("onderzoeker-3", third).await;
    exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    stage.vault.round().await;
    // Of the second the reading room does not know the plan any more.
    sqlx::query("UPDATE reading_grant SET plan = 'weg' WHERE id = $1")
        .bind(second.uuid().as_bytes().to_vec())
        .execute(stage.vault.room.write())
        .await
        .unwrap();
    stage.settle().await;
    let (broken, unknown, sound) =
        (stage.job(broken).await, stage.job(unknown).await, stage.job(sound).await);
    assert_eq!((broken.state, stopped(&broken)), (ExportState::Stopped, vec!["manifest-differs".to_owned()]));
    assert_eq!((unknown.state, stopped(&unknown)), (ExportState::Stopped, vec!["not-built".to_owned()]));
    assert_eq!(sound.state, ExportState::Waiting, "{}", sound.report);
    assert_eq!(stage.refused_steps().await, 0);
}

#[tokio::test]
async fn what_comes_late_of_an_export_that_is_over_is_no_incident_and_does_not_stay() {
    let stage = Stage::new(962, &posts(24), 1_000).await;
    let grant = stage.grant("onderzoeker-1", files(), None).await;
    let id = stage.ask("onderzoeker-1", grant).await;
    exports::work(&stage.vault.archive, &stage.vault.rules).await.unwrap();
    stage.vault.round().await;
    assert_eq!(stage.job(id).await.state, ExportState::Building);
    // The grant ends in the vault while the reading room still builds.
    grants::revoke(&stage.vault.archive, grant, None).await.unwrap();
    exports::lapse(&stage.vault.archive).await.unwrap();
    assert_eq!(stage.job(id).await.state, ExportState::Lapsed);
    stage.vault.tamper("DELETE FROM outbox").await;
    // As if it had not been cleared: what was prepared is there until the next sweep.
    stage.vault.archive.room.prepare_export(id, grant).await.unwrap();
    assert_eq!(stage.room().build_exports().await.unwrap(), 1);
    assert!(!stage.airlock().files(id).await.unwrap().is_empty());
    stage.vault.round().await;
    nothing_is_left(&stage, id).await;
    assert_eq!(stage.refused_steps().await, 0, "no incident");
    // Files that nobody knows of go too.
    let nobodys = ExportId::from_uuid(Uuid::from_u128(7));
    stage.airlock().add(nobodys, "a", 0, vec![1]).await.unwrap();
    stage.vault.round().await;
    nothing_is_left(&stage, nobodys).await;
}

#[tokio::test]
async fn what_is_said_twice_is_said_once_and_what_does_not_follow_is_an_incident() {
    let stage = Stage::new(963, &posts(24), 1_000).await;
    let grant = stage.grant("onderzoeker-1", files(), None).await;
    let id = stage.built("onderzoeker-1", grant).await;
    let say = async |act: ExportAct, actor| {
        let step = ExportStep { export: id, grant, actor, act };
        let at = stage.vault.archive.sources.now();
        stage.vault.archive.inbox.append(&[Message::export(&step, at)]).await.unwrap();
        stage.vault.round().await;
    };
    let job = stage.job(id).await;
    let manifest = job.built["manifest"].as_str().unwrap().to_owned();
    say(ExportAct::Built { manifest, rows: 24, left_out: 0 }, None).await;
    assert_eq!(stage.refused_steps().await, 0, "as it was said before");
    say(ExportAct::Built { manifest: "ff".to_owned(), rows: 24, left_out: 0 }, None).await;
    assert_eq!(stage.refused_steps().await, 1, "another manifest");
    say(ExportAct::Begun { from: 0 }, Some(job.requester)).await;
    assert_eq!(stage.refused_steps().await, 2, "nothing of it was ever put down");
    // Somebody who is not of the team asks.
    let outsider = stage.person("onderzoeker-9", knik::model::Role::Researcher, "universiteit").await;
    let asked = ExportStep {
        export: ExportId::from_uuid(Uuid::from_u128(8)),
        grant,
        actor: Some(outsider.id),
        act: ExportAct::Asked,
    };
    let at = stage.vault.archive.sources.now();
    stage.vault.archive.inbox.append(&[Message::export(&asked, at)]).await.unwrap();
    stage.vault.round().await;
    assert_eq!(stage.refused_steps().await, 3);
    assert!(stage.vault.archive.catalogue.export(asked.export).await.unwrap().is_none());
    // Two who ask at one moment: the second is told so, which is no incident.
    let twice = ExportStep {
        export: ExportId::from_uuid(Uuid::from_u128(9)),
        actor: Some(job.requester),
        ..asked.clone()
    };
    stage.vault.archive.inbox.append(&[Message::export(&twice, at)]).await.unwrap();
    stage.vault.round().await;
    let second = stage.job(twice.export).await;
    assert_eq!((second.state, stopped(&second)), (ExportState::Stopped, vec!["one-at-a-time".to_owned()]));
    assert_eq!((stage.job(id).await.state, stage.refused_steps().await), (ExportState::Held, 3));
}

#[tokio::test]
async fn rows_are_those_that_are_published_letter_by_letter() {
    let (stage, _, job) = waiting(964).await;
    let rows = stage.rows(job.id).await;
    assert!(rows.iter().all(|row| !row.text.as_deref().unwrap().contains(&name(0))));
    let (members, left_out) = stage.vault.archive.room.prepared_count(job.id).await.unwrap();
    assert_eq!((rows.len() as u64, members, left_out), (48, 48, 0));
    assert_eq!(job.report["found"]["rowsThatDiffer"], 0);
    // What stands in a row is otherwise published: for one of them, by a single place.
    let grant = stage.grant("onderzoeker-2", files(), None).await;
    let id = stage.built("onderzoeker-2", grant).await;
    let changed = "UPDATE grant_record SET position = position + 1 WHERE reference = (SELECT MIN(reference) FROM grant_record \
                   WHERE reading_grant = $1)";
    let changed = sqlx::query(changed).bind(grant.uuid().as_bytes().to_vec());
    assert_eq!(changed.execute(stage.vault.room.write()).await.unwrap().rows_affected(), 1);
    stage.settle().await;
    let over = stage.job(id).await;
    assert_eq!((over.state, stopped(&over)), (ExportState::Stopped, vec!["row-differs".to_owned()]));
    assert_eq!(over.report["found"]["rowsThatDiffer"], 1);
}

#[tokio::test]
async fn rows_that_the_reading_room_leaves_out_by_itself_are_missed() {
    let stage = Stage::new(965, &posts(48), 1_000).await;
    let grant = stage.grant("onderzoeker-1", files(), None).await;
    let id = stage.built("onderzoeker-1", grant).await;
    let more = "INSERT INTO export_member (export, reference, projection) VALUES ($1, $1, 0)";
    sqlx::query(more).bind(id.uuid().as_bytes().to_vec()).execute(stage.vault.room.write()).await.unwrap();
    stage.settle().await;
    let over = stage.job(id).await;
    assert_eq!((over.state, stopped(&over)), (ExportState::Stopped, vec!["rows-missing".to_owned()]));
}
