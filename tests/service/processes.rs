//! Two processes, one data folder, and commands beside them.

use super::fixture::{Plane, Service, demo, knik, sample, temp, wait_for, write};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[tokio::test]
async fn the_reading_room_has_no_environment_no_key_and_nothing_of_the_vault() {
    let service = demo();
    // It has worked, so that what it opens while working is open now.
    service.person("researcher").get(Plane::Room, "/v1/records").await.expect(200);
    let pid = service.reading_room_pid();
    assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"", "an empty environment");
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(
        String::from_utf8_lossy(&command).ends_with("reading-room\0"),
        "nothing is told on its command line"
    );
    let folder = fs::canonicalize(&service.dir).unwrap();
    let opened = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let opened: Vec<PathBuf> = opened.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect();
    let of_the_folder: Vec<&PathBuf> = opened.iter().filter(|path| path.starts_with(&folder)).collect();
    assert!(!of_the_folder.is_empty(), "its own database is open: {opened:?}");
    for path in of_the_folder {
        assert!(path.starts_with(folder.join("room")), "{} is open in the reading room", path.display());
    }
    let mapped = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let inside = |name: &str| mapped.contains(folder.join(name).to_str().unwrap());
    assert!(!inside("keys") && !inside("vault"), "mapped into the reading room");
}

#[test]
fn nothing_in_the_data_folder_is_open_to_other_users() {
    let service = demo();
    let mode = |name: &str| fs::metadata(service.dir.join(name)).unwrap().permissions().mode() & 0o777;
    for folder in ["", "keys", "vault", "room", "spool", "tls"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    let keys: Vec<_> = fs::read_dir(service.dir.join("keys")).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(keys.len() >= 5, "two masters, a digest key, two logs, the demo's issuer");
    for key in keys {
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", key.path().display());
    }
    for key in ["tls/vault.key", "room/tls/room.key"] {
        assert_eq!(mode(key), 0o600, "{key}");
    }
    let socket = fs::metadata(service.dir.join("control.sock")).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600, "who may give orders");
}

#[test]
fn a_second_service_on_the_same_folder_is_refused() {
    let service = demo();
    let refused = service.run(&["serve"]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("in use by another process"), "{}", refused.said());
    assert!(refused.err.contains(service.dir.to_str().unwrap()), "names the folder: {}", refused.said());
    service.run(&["demo", "--check"]).refused(&["in use by another process"]);
    service.run(&["status"]).ok();
}

#[test]
fn commands_beside_a_running_service_are_carried_out_by_it() {
    let service = demo();
    // The lock on the folder is the service's: what works here went through its socket.
    let channels = service.json(&["channel", "list"]);
    let ids: Vec<&str> =
        channels.as_array().unwrap().iter().map(|channel| channel["id"].as_str().unwrap()).collect();
    for id in ["low-mastodon", "low-campagne-x", "dwv-x"] {
        assert!(ids.contains(&id), "{ids:?}");
        assert!(service.run(&["channel", "list"]).ok().out.contains(id), "in the table for people");
    }
    let temp = temp();
    let file = write(temp.path(), "posts.json", &sample("low-mastodon-1-posts.json"));
    let again = service.json(&["ingest", "--channel", "low-mastodon", &file]);
    assert_eq!(again["report"]["sameCapture"], true, "{again}");
    let verified = service.json(&["verify"]);
    assert_eq!(verified["firstWrong"], serde_json::Value::Null);
    assert!(
        verified["entries"].as_u64().unwrap() > 0 && verified["segments"].as_u64().unwrap() > 0,
        "{verified}"
    );
    assert!(service.json(&["status"])["projections"].as_u64().unwrap() > 5);
    service.run(&["channel", "list", "--no-such-flag"]).refused(&["--no-such-flag"]);
    service.run(&["grant", "revoke", "01890000-0000-7000-8000-000000000000"]).refused(&[]);
}

#[test]
fn after_it_stopped_commands_open_the_folder_themselves_and_it_serves_again_as_it_was() {
    let place = temp();
    let mut service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    let (vault, room) = (service.pid, service.reading_room_pid());
    let channels = service.json(&["channel", "list"]);
    let counts = service.json(&["status"])["counts"].clone();
    service.stop();
    for pid in [vault, room] {
        let gone = || (!PathBuf::from(format!("/proc/{pid}")).exists()).then_some(());
        wait_for("both processes to be gone", gone);
    }
    assert_eq!(service.json(&["channel", "list"]), channels);
    assert_eq!(service.json(&["status"])["counts"]["records"], counts["records"]);
    let verified = service.json(&["verify"]);
    assert_eq!(verified["firstWrong"], serde_json::Value::Null);
    drop(service);

    // Started again as a demo it takes nothing in twice.
    let again = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    assert_eq!(again.json(&["status"])["counts"]["records"], counts["records"]);
    assert_eq!(again.json(&["grant", "list"]).as_array().unwrap().len(), 2);

    // Killed without warning it loses nothing, and the next one takes the folder over.
    let killed = Command::new("kill").args(["-9", &again.pid.to_string()]).status().unwrap();
    assert!(killed.success());
    wait_for("the end", || again.ended());
    let status = || Some(knik(&again.dir, &["status", "--json"])).filter(|ran| ran.code == 0);
    let after = wait_for("the lock to be free", status).json();
    assert_eq!(after["counts"]["records"], counts["records"]);
}

#[test]
fn when_the_reading_room_is_killed_the_service_stops_and_says_so() {
    let place = temp();
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    let room = service.reading_room_pid();
    assert!(Command::new("kill").args(["-9", &room.to_string()]).status().unwrap().success());
    let code = wait_for("the service to stop", || service.ended());
    assert_ne!(code, 0);
    assert!(service.output().contains("the reading room stopped"), "{}", service.output());
}

#[test]
fn when_the_vault_is_killed_the_reading_room_goes_too() {
    let place = temp();
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    let room = service.reading_room_pid();
    assert!(Command::new("kill").args(["-9", &service.pid.to_string()]).status().unwrap().success());
    let gone = || {
        let status = fs::read_to_string(format!("/proc/{room}/status")).unwrap_or_default();
        (status.is_empty() || status.contains("State:\tZ")).then_some(())
    };
    wait_for("the reading room to go", gone);
}

#[tokio::test]
async fn the_demo_prints_what_is_needed_to_try_it() {
    let service = demo();
    let said =
        wait_for("the instructions", || Some(service.output()).filter(|said| said.contains("until stopped")));
    for word in
        [&service.vault, &service.room, "RESEARCHER=", "OFFICIAL=", "RECORDS_MANAGER=", "authority.pem"]
    {
        assert!(said.contains(word), "{word}:\n{said}");
    }
    // The first line to paste, as it would go out: the authority's file is there and the token is taken.
    let line = said.lines().find(|line| line.starts_with("curl ") && line.contains("$RESEARCHER")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 1];
    assert!(PathBuf::from(after("--cacert")).is_file(), "{line}");
    assert_eq!(*words.last().unwrap(), format!("{}/v1/records", service.room), "{line}");
    for (role, plane, path) in [
        ("RESEARCHER=", Plane::Room, "/v1/records"),
        ("OFFICIAL=", Plane::Vault, "/v1/records?outcome=archive"),
        ("RECORDS_MANAGER=", Plane::Vault, "/v1/records?outcome=refer"),
    ] {
        let token = said.lines().find_map(|line| line.strip_prefix(role)).unwrap();
        let answer = service.bearing(Some(token)).get(plane, path).await.expect(200).json();
        assert_ne!(answer["records"], json!([]), "{role}: {answer}");
    }
}

#[test]
fn the_demos_issuer_exists_in_the_demo_only_and_the_demo_says_so() {
    let running = demo();
    assert!(running.output().contains("DEMO"), "{}", running.output());
    assert!(running.json(&["status"])["warnings"].to_string().contains("this is the demo"));

    let place = temp();
    let dir = place.path().join("data");
    knik(&dir, &["demo", "--check"]);
    knik(&dir, &["serve"]).refused(&["no issuer of tokens", "knik demo"]);
    let config = fs::read_to_string(dir.join("knik.toml")).unwrap();
    let issuer = "https://knik.invalid/demo-issuer";
    fs::write(dir.join("demo.jwks"), "{\"keys\":[]}").unwrap();
    let named = format!(
        "{config}\n[[issuers]]\nissuer = \"{issuer}\"\naudience = \"a\"\njwks = \"demo.jwks\"\nalgorithm = \"EdDSA\"\n"
    );
    fs::write(dir.join("knik.toml"), named).unwrap();
    knik(&dir, &["serve"]).refused(&["demo's issuer", "anyone can mint"]);
}

/// What a disk did not confirm may be durable or not, and what it confirms later says nothing of it.
#[test]
fn a_service_whose_disk_confirms_nothing_stops_and_says_so() {
    let place = temp();
    let mut service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    let counts = service.json(&["status"])["counts"].clone();
    let inject = "inject=fsync,fdatasync:error=EIO";
    let pid = service.pid.to_string();
    let asked = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject, "-p", &pid];
    let Ok(mut strace) = Command::new("strace").args(asked).stderr(Stdio::null()).spawn() else {
        println!("left out: a service whose disk confirms nothing (strace is not here)");
        return;
    };
    let code = wait_for("the service to stop", || {
        // Every order that writes is one that the disk does not confirm.
        let _refused = service.run(&["grant", "list"]);
        let _refused = service.run(&["verify"]);
        service.ended()
    });
    let _ended_with_it = strace.kill();
    strace.wait().unwrap();
    assert_ne!(code, 0);
    assert!(service.output().contains("did not confirm a write"), "{}", service.output());
    service.stop();
    let again = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    assert_eq!(again.json(&["status"])["counts"], counts, "nothing is lost");
}
