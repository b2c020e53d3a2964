//! What breaks off goes on; what was changed is found.

use super::stage::{Stage, content, posts, reader, unpack};
use knik::model::ExportState;
use knik::redact::copy::{ManifestFile, README};
use knik::vault::exports;
use knik::vault::verify::verify_export;
use std::pin::pin;
use std::task::Poll;

/// Polls a future so often and then drops it where it stands, as a killed process would.
async fn polled<T>(times: u32, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut left) = (pin!(work), times);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_build_that_is_killed_goes_on_after_its_last_whole_part() {
    let stage = Stage::new(921, &posts(60), 7).await;
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let id = stage.ask("onderzoeker-1", grant).await;
    exports::work(archive, rules).await.unwrap();
    stage.vault.round().await;
    assert_eq!(stage.job(id).await.state, ExportState::Building);
    let mut kills = 0;
    while polled(8 + 4 * kills, stage.room().build_exports()).await.is_none() {
        kills += 1;
        assert!(kills < 500, "it goes on");
    }
    stage.settle().await;
    let job = stage.job(id).await;
    assert_eq!(job.state, ExportState::Waiting, "{}", job.report);
    assert_eq!(stage.rows(id).await.len(), 60);
    assert!(kills > 3, "only {kills} kills");
    // The same as one under the same grant that nobody killed.
    let parts = |files: Vec<ManifestFile>| -> Vec<ManifestFile> {
        files.into_iter().filter(|file| file.name.starts_with("records")).collect()
    };
    let killed = parts(stage.manifest(id).await.files);
    stage.release(&stage.approver("directeur-1").await, id).await;
    stage.fetch("onderzoeker-1", id).await;
    let whole = stage.ask("onderzoeker-1", grant).await;
    exports::work(archive, rules).await.unwrap();
    stage.vault.round().await;
    stage.room().build_exports().await.unwrap();
    stage.settle().await;
    assert_eq!(parts(stage.manifest(whole).await.files), killed);
    println!("exports: a build killed {kills} times is the same as one that was not");
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed_and_what_was_changed_is_found() {
    let stage = Stage::new(922, &posts(48), 20).await;
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    stage.release(&stage.approver("directeur-1").await, job.id).await;
    let room = stage.room();
    let mut package = Vec::new();
    // A kilobyte at a time, each on a connection of its own.
    loop {
        let from = package.len() as u64;
        let download = room.offer(&reader("onderzoeker-1"), job.id).await.unwrap().begin(from).await.unwrap();
        let piece = download.piece(from).await.unwrap().unwrap();
        let piece = &piece[..piece.len().min(16_384)];
        package.extend_from_slice(piece);
        let until = package.len() as u64;
        download.sent(from, until).await.unwrap();
        assert!(until <= download.content_bytes(), "what is handed on ends where the last file does");
        if until == download.content_bytes() {
            // Zeros follow, and nothing else.
            package.resize(usize::try_from(download.size_bytes()).unwrap(), 0);
            break;
        }
    }
    assert!(room.offer(&reader("onderzoeker-1"), job.id).await.is_err(), "consumed at once");
    stage.vault.round().await;
    assert_eq!(stage.job(job.id).await.state, ExportState::Fetched);
    let parts = stage.told().await.iter().filter(|(_, outcome)| outcome == "part").count();
    assert!(parts > 2, "each part is recorded: {parts}");
    let begun = stage.told().await.iter().filter(|(_, outcome)| outcome == "begun").count();
    assert_eq!(begun, parts + 1, "and each beginning, before it");
    let folder = tempfile::tempdir().unwrap();
    unpack(&package, folder.path());
    let keys = stage.vault.verifiers();
    assert_eq!(verify_export(folder.path(), &keys).unwrap().first_wrong, None);
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in &names {
        let path = folder.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(verify_export(folder.path(), &keys).unwrap().first_wrong.is_some(), "{name} was changed");
        std::fs::remove_file(&path).unwrap();
        assert!(verify_export(folder.path(), &keys).unwrap().first_wrong.is_some(), "{name} is gone");
        std::fs::write(&path, &whole).unwrap();
    }
    std::fs::write(folder.path().join("more.csv"), "x").unwrap();
    assert!(verify_export(folder.path(), &keys).unwrap().first_wrong.is_some(), "one file more");
    std::fs::remove_file(folder.path().join("more.csv")).unwrap();
    assert!(
        verify_export(folder.path(), &[]).unwrap().first_wrong.is_some(),
        "without a key nothing is proven"
    );
    assert!(folder.path().join(README).exists());
}
