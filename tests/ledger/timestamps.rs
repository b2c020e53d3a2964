//! Time-stamps: a local authority (`openssl ts` behind a few lines of Python) stamps checkpoints; away, nothing stops.

use super::log::Log;
use knik::ledger::Authorities;
use knik::store::tsa::TimestampServer;
use knik::vault::standing;
use knik::vault::timestamps::{Authority, stamp, stamp_when_due};
use knik::vault::verify::{Trust, verify_exported, verify_ledger};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

const SERVER: &str = "tests/servers/tsa.py";

/// An authority with a certificate of its own root, and its server when it runs.
pub struct Tsa {
    folder: TempDir,
    server: Option<Child>,
}

impl Tsa {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("python3").args([SERVER, "make"]).arg(folder.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder, server: None }
    }

    /// Starts the server on a port, or a free one; gives the port.
    pub fn start(&mut self, port: u16) -> u16 {
        let mut server = Command::new("python3")
            .args([SERVER, "serve"])
            .arg(self.folder.path())
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.server = Some(server);
        line.trim().parse().unwrap()
    }

    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    pub fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn trusted(&self) -> Authorities {
        Authorities::from_pem(&fs::read_to_string(self.root()).unwrap()).unwrap()
    }
}

impl Drop for Tsa {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn stamped(entries: u64, tsa: &Tsa, port: u16) -> Log {
    let mut log = Log::of(entries, entries, &[]).await;
    let server = TimestampServer::new(&format!("http://127.0.0.1:{port}/tsa")).unwrap();
    let logs = Arc::get_mut(&mut log.0.archive.logs).unwrap();
    logs.authority = Some(Authority::new(server, tsa.trusted(), 3_600));
    log
}

fn openssl_holds(folder: &Path, size: u64, root: &Path) -> bool {
    let file = |name: String| folder.join("timestamped").join(name);
    let checked = Command::new("openssl")
        .args(["ts", "-verify", "-data"])
        .arg(file(size.to_string()))
        .arg("-in")
        .arg(file(format!("{size}.tsr")))
        .arg("-CAfile")
        .arg(root)
        .output()
        .unwrap();
    checked.status.success()
}

#[tokio::test]
async fn a_checkpoint_is_stamped_and_the_stamp_is_checked() {
    let (mut tsa, other) = (Tsa::new(), Tsa::new());
    let port = tsa.start(0);
    let log = stamped(30, &tsa, port).await;
    assert_eq!(stamp(&log.0.archive).await.unwrap(), 1);
    assert_eq!(stamp(&log.0.archive).await.unwrap(), 0, "what did not move is not stamped again");
    log.add(30..50, 50).await;
    let seen = log.look(None).await;
    assert_eq!((seen.first_wrong.as_deref(), seen.timestamps), (None, 1));
    let standing = standing::of(&log.0.archive).await.unwrap();
    assert_eq!(
        (standing.logs[0].timestamped, standing.warnings.len()),
        (Some(30), 0),
        "{:?}",
        standing.warnings
    );
    let stranger = Trust { authorities: Some(other.trusted()), ..log.trust() };
    let seen = verify_ledger(&log.0.archive, &stranger, &[]).await.unwrap();
    assert!(seen.first_wrong.unwrap().contains("not signed by a trusted"), "another authority");

    let folder = log.export("out").await;
    assert!(openssl_holds(&folder, 30, &tsa.root()), "openssl says so too");
    let trust = Trust { keys: log.trust().keys, authorities: Some(tsa.trusted()), ..Trust::default() };
    let seen = verify_exported(&folder, &trust, &[]).await.unwrap();
    assert_eq!((seen.first_wrong.as_deref(), seen.timestamps), (None, 1));
    let unchecked = log.look_at(&folder, None).await;
    assert_eq!(unchecked.first_wrong, None);
    assert!(
        unchecked.warnings.iter().any(|warning| warning.contains("not checked")),
        "{:?}",
        unchecked.warnings
    );
    let file = folder.join("timestamped/30.tsr");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    let seen = verify_exported(&folder, &trust, &[]).await.unwrap();
    assert!(seen.first_wrong.unwrap().contains("time-stamp"), "a stamp that was changed");
}

#[tokio::test]
async fn a_log_is_stamped_as_often_as_is_configured() {
    let mut tsa = Tsa::new();
    let port = tsa.start(0);
    for (every_seconds, again) in [(i64::from(i32::MAX), 0), (i64::from(i32::MIN), 1)] {
        let mut log = stamped(10, &tsa, port).await;
        Arc::get_mut(&mut log.0.archive.logs).unwrap().authority.as_mut().unwrap().every_seconds =
            every_seconds;
        assert_eq!(stamp_when_due(&log.0.archive).await.unwrap(), 1, "the first time at once");
        log.add(10..20, 20).await;
        // The other log is empty and never stamped: that hastens nothing.
        assert_eq!(stamp_when_due(&log.0.archive).await.unwrap(), again, "every {every_seconds} seconds");
    }
}

#[tokio::test]
async fn a_rollback_is_found_against_a_stamped_checkpoint() {
    let mut tsa = Tsa::new();
    let port = tsa.start(0);
    let log = stamped(40, &tsa, port).await;
    stamp(&log.0.archive).await.unwrap();
    let row = log.0.archive.journal.timestamps(log.origin()).await.unwrap().remove(0);
    let back = stamped(30, &tsa, port).await;
    back.0.archive.journal.keep_timestamp(back.origin(), &row).await.unwrap();
    let bad = back.look(None).await.first_bad.unwrap();
    assert_eq!(bad.index, 30);
    assert!(bad.what.contains("rolled back") && bad.what.contains("time-stamped at"), "{}", bad.what);
}

#[tokio::test]
async fn without_the_authority_numbering_goes_on_and_it_is_asked_again() {
    let mut tsa = Tsa::new();
    let port = tsa.start(0);
    let log = stamped(10, &tsa, port).await;
    tsa.stop();
    assert!(stamp(&log.0.archive).await.is_err());
    log.add(10..20, 20).await;
    let standing = standing::of(&log.0.archive).await.unwrap();
    assert_eq!(standing.logs[0].size, 20);
    let told = standing.warnings.join("; ");
    assert!(told.contains("not time-stamped") && told.contains("cannot be reached"), "{told}");
    tsa.start(port);
    assert_eq!(stamp(&log.0.archive).await.unwrap(), 1);
    assert!(standing::of(&log.0.archive).await.unwrap().warnings.is_empty());
}

/// What answers something else than a time-stamp over this checkpoint is not kept.
#[tokio::test]
async fn an_authority_that_answers_nonsense_is_not_believed() {
    let mut tsa = Tsa::new();
    let port = tsa.start(0);
    let log = stamped(10, &tsa, port).await;
    for wrong in ["nonsense", "old", "refuse"] {
        fs::write(tsa.folder.path().join("mode"), wrong).unwrap();
        assert!(stamp(&log.0.archive).await.is_err(), "{wrong}");
        assert!(log.0.archive.journal.timestamps(log.origin()).await.unwrap().is_empty(), "{wrong}");
    }
    fs::remove_file(tsa.folder.path().join("mode")).unwrap();
    assert_eq!(stamp(&log.0.archive).await.unwrap(), 1);
}
