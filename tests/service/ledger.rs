//! The ledger from the command line: exported while the service runs, verified by whoever has the files and the keys.

use super::fixture::{PROGRAM, Plane, Service, demo, knik, temp, wait_for, without_settings, write};
use crate::ledger::cosignatures::Witness;
use crate::ledger::timestamps::Tsa;
use knik::ledger::{Entry, EntryKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Where no data folder is.
fn nowhere() -> &'static Path {
    Path::new("/nonexistent/knik")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn what_a_running_service_exports_verifies_offline() {
    let service = demo();
    service.person("researcher").get(Plane::Room, "/v1/records").await.expect(200);
    wait_for("the reading room's log", || {
        let status = service.json(&["status"]);
        (status["logs"][1]["size"].as_u64()? > 0).then_some(())
    });
    let temp = temp();
    let (out, later) = (temp.path().join("out"), temp.path().join("later"));
    let keys = write(temp.path(), "keys.txt", &fs::read(service.dir.join("ledger-keys.txt")).unwrap());
    let exported = service.json(&["ledger", "export", text(&out)]);
    let sizes: u64 =
        exported["logs"].as_array().unwrap().iter().map(|log| log["size"].as_u64().unwrap()).sum();
    let verify = |folder: &Path, more: &[&str]| {
        let asked = ["verify", "--ledger", text(folder), "--key", &keys, "--json"];
        knik(nowhere(), &[&asked[..], more].concat())
    };
    let seen = verify(&out, &[]).ok().json();
    assert_eq!((&seen["firstWrong"], seen["entries"].as_u64()), (&Value::Null, Some(sizes)));
    service.run(&["ledger", "export", text(&out)]).refused(&["not empty"]);

    // Later: only what came since is looked at, against a folder or a file. That it was exported is an entry.
    wait_for("the export's entry", || {
        let status = service.json(&["status"]);
        let now: u64 = [0, 1].iter().filter_map(|n| status["logs"][n]["size"].as_u64()).sum();
        (now > sizes).then_some(())
    });
    service.json(&["ledger", "export", text(&later)]);
    let since = verify(&later, &["--since", text(&out)]).ok().json();
    assert!(since["entries"].as_u64().unwrap() < sizes, "{since}");
    let saved = out.join("vault/checkpoint");
    verify(&later, &["--since", text(&saved)]).ok();
    service.run(&["verify", "--since", text(&saved), "--key", &keys]).ok();
    assert_eq!(verify(&out, &["--since", text(&later)]).code, 1, "an older log than what was saved");

    // The one with the first entry, as wide as it is.
    let first =
        |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    let bundle = first(&out.join("vault/tile/entries"));
    let bundle = if bundle.is_dir() { first(&bundle) } else { bundle };
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[30] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let wrong = verify(&out, &[]);
    assert_eq!(wrong.code, 1, "{}", wrong.said());
    let seen = wrong.json();
    assert_eq!(seen["firstBad"]["index"], 0, "{seen}");
    knik(nowhere(), &["verify", "--ledger", text(&out)]).refused(&["--key"]);
    knik(nowhere(), &["verify", "--ledger", text(&out), "--key", "no key"]).refused(&["no key"]);
}

/// Only whom the machine trusts can read the bodies: what is exported holds no word of them. (A reason for a refusal may
/// be the code of a clause about motivations.)
#[test]
fn what_is_exported_holds_no_content() {
    let service = demo();
    let temp = temp();
    let out = temp.path().join("out");
    service.json(&["ledger", "export", text(&out)]);
    let all = Command::new("grep")
        .args(["-raliE", "ambtenaar|onderzoeker|\"motivation\":|caseNumber", text(&out)])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&all.stdout), "");
    let leaves = Command::new("grep").args(["-ral", "capture-ingested", text(&out)]).output().unwrap();
    assert_ne!(String::from_utf8_lossy(&leaves.stdout), "", "the search finds what is there");
}

/// A data folder with an organisation and these settings of the ledger.
fn folder(settings: &str) -> tempfile::TempDir {
    let temp = temp();
    fs::create_dir(temp.path().join("data")).unwrap();
    fs::write(temp.path().join("data/knik.toml"), format!("[ledger]\n{settings}")).unwrap();
    knik(&temp.path().join("data"), &["organisation", "add", "min-low", "--name", "LOW"]).ok();
    temp
}

fn cosign(dir: &Path, witness: &Witness, note: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["ledger", "cosign", "--witness", &witness.key.to_string(), "--dir", text(dir)]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut ran = without_settings(&mut command).spawn().unwrap();
    ran.stdin.take().unwrap().write_all(note.as_bytes()).unwrap();
    ran.wait_with_output().unwrap()
}

#[test]
fn a_witness_cosigns_what_the_command_prints() {
    let (own, stranger) = (Witness::new("witness.example", 2), Witness::new("witness.example", 3));
    let temp = folder(&format!("witnesses = [\"{}\"]\nwitnesses-required = 1\n", own.key));
    let dir = temp.path().join("data");
    let told = knik(&dir, &["status", "--json"]).ok().json();
    assert!(told["warnings"].to_string().contains("cosigned"), "{told}");
    knik(&dir, &["verify"]).refused(&[]);
    let note = knik(&dir, &["ledger", "checkpoint", "vault"]).ok().out;
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let cosigned = |witness: &Witness| witness.cosign(&note, i64::try_from(seconds).unwrap());
    let refused = cosign(&dir, &stranger, &cosigned(&stranger));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ledger.witnesses"), "{refused:?}");
    let taken = cosign(&dir, &own, &cosigned(&own));
    assert!(taken.status.success(), "{taken:?}");
    assert!(!cosign(&dir, &own, &cosigned(&own)).status.success(), "the same once more is stale");
    let seen = knik(&dir, &["verify", "--json"]).ok().json();
    assert_eq!(seen["cosignatures"], 1, "{seen}");
    let told = knik(&dir, &["status", "--json"]).ok().json();
    assert_eq!(told["warnings"].as_array().unwrap().len(), 0, "{told}");
}

#[test]
fn a_configured_authority_stamps_checkpoints() {
    let mut tsa = Tsa::new();
    let port = tsa.start(0);
    let settings = format!("tsa-url = \"http://127.0.0.1:{port}\"\ntsa-ca = \"{}\"\n", text(&tsa.root()));
    let temp = folder(&settings);
    let dir = temp.path().join("data");
    assert_eq!(knik(&dir, &["ledger", "timestamp", "--json"]).ok().json()["stamped"], 1);
    let seen = knik(&dir, &["verify", "--json"]).ok().json();
    assert_eq!(seen["timestamps"], 1, "{seen}");
    let (out, keys) = (temp.path().join("out"), dir.join("ledger-keys.txt"));
    knik(&dir, &["ledger", "export", text(&out)]).ok();
    let asked = ["verify", "--ledger", text(&out), "--key", text(&keys), "--json"];
    let authority = tsa.root();
    let seen = knik(nowhere(), &[&asked[..], &["--tsa-ca", text(&authority)]].concat()).ok().json();
    assert_eq!(seen["timestamps"], 1, "{seen}");
    tsa.stop();
    knik(&dir, &["ledger", "timestamp"]).refused(&["cannot be reached"]);
    knik(&dir, &["organisation", "add", "min-dwv", "--name", "DWV"]).ok();
    knik(&dir, &["verify"]).ok();
}

/// What a service does of itself stands in the ledger, and what its people do.
#[tokio::test]
async fn every_step_of_a_day_is_in_the_log() {
    let temp = temp();
    let mut service = Service::start(temp.path(), None, &["demo", "--port", "0"], &[]);
    service.person("researcher").get(Plane::Room, "/v1/records").await.expect(200);
    service.person("researcher").search("trein").await.expect(200);
    service.person("researcher").get(Plane::Vault, "/v1/status").await.expect(403);
    let channels = service.json(&["channel", "list"]);
    let channel = channels[0]["id"].as_str().unwrap();
    let broken = write(temp.path(), "broken.json", b"{\"data\": [");
    assert_ne!(service.run(&["ingest", "--channel", channel, &broken]).code, 0);
    let grant = service.grant_of("min-low");
    service.json(&["grant", "revoke", &grant]);
    service.run(&["verify"]).ok();
    wait_for("the reading room's log", || {
        (service.json(&["status"])["logs"][1]["size"].as_u64()? >= 2).then_some(())
    });
    service.stop();
    let dir = temp.path().join("data");
    let out = temp.path().join("out");
    // The first command after a service numbers what it left.
    knik(&dir, &["status"]).ok();
    knik(&dir, &["ledger", "export", text(&out)]).ok();
    let (vault, room) = (kinds(&out.join("vault")), kinds(&out.join("reading-room")));
    for kind in [
        EntryKind::ServiceStarted,
        EntryKind::RulesLoaded,
        EntryKind::ServiceStopped,
        EntryKind::KeyCreated,
        EntryKind::ChannelDeclared,
        EntryKind::CaptureIngested,
        EntryKind::CaptureRefused,
        EntryKind::DecisionMade,
        EntryKind::GrantApproved,
        EntryKind::GrantRevoked,
        EntryKind::AccessDenied,
        EntryKind::VerificationRun,
    ] {
        assert!(vault.contains(&kind), "{} is missing: {vault:?}", kind.as_str());
    }
    for kind in [EntryKind::ViewServed, EntryKind::SearchServed] {
        assert!(room.contains(&kind), "{} is missing: {room:?}", kind.as_str());
    }
}

/// The kinds of entries in an exported log.
fn kinds(log: &Path) -> BTreeSet<EntryKind> {
    let mut kinds = BTreeSet::new();
    let mut folders = vec![log.join("tile/entries")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bundle = fs::read(entry.path()).unwrap();
            let leaves = knik::ledger::entry_bundle_leaves(&bundle).unwrap();
            kinds.extend(leaves.into_iter().map(|leaf| Entry::parse(leaf).unwrap().kind()));
        }
    }
    kinds
}
