//! `knik keys`: on a folder of its own, over the socket of a running service, and killed in the middle.

use super::captures::{capture, reaction};
use super::fixture::{Ran, Service, knik, temp, write};
use super::harvest::start;
use super::refusals::Folder;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub fn secret(folder: &Path, name: &str, text: &str) -> String {
    let file = write(folder, name, text.as_bytes());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

fn verify_opens(run: &dyn Fn(&[&str]) -> Ran) {
    run(&["verify"]).ok();
    let status = run(&["keys", "status", "--json"]).ok().json();
    assert_eq!(status["warnings"].as_array().unwrap().len(), 0, "{status}");
}

#[test]
fn keys_are_made_replaced_looked_at_kept_and_given_back() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| folder.run(arguments);
    let posts: Vec<_> =
        (0..5).map(|n| reaction(&format!("11620000000000090{n}"), "Wanneer komt er antwoord?")).collect();
    let file = folder.file("posts.json", &capture(&posts));
    run(&["ingest", "--channel", "low-mastodon", &file]).ok();
    let again = run(&["keys", "init", "--organisation", "min-low", "--json"]).ok().json();
    assert_eq!(again["newMasterKey"], false, "a second one would lose the archive");
    let other = run(&["keys", "init", "--organisation", "rws"]).ok().out;
    assert!(other.contains("keep a copy"), "{other}");

    let done = run(&["keys", "rotate", "--organisation", "min-low", "--json"]).ok().json();
    assert_eq!(
        (&done["turned"]["mastersDestroyed"][0], done["turned"]["segments"].as_u64() > Some(0)),
        (&1.into(), true)
    );
    let status = run(&["keys", "status", "--json"]).ok().json();
    let of = |organisation: &str| {
        status["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|keys| keys["organisation"] == organisation)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&of("min-low")["masters"][0]["version"], &of("rws")["masters"][0]["version"]),
        (&2.into(), &1.into())
    );
    assert_eq!(of("min-low")["masters"][0]["ageDays"], 0);
    let table = run(&["keys", "status"]).ok().out;
    assert!(table.contains("master 2") && table.contains("under master 2"), "{table}");
    run(&["keys", "rotate", "--organisation", "nobody-knows"]).refused(&["nobody-knows", "master key"]);

    // Kept under a passphrase, and in shares.
    let place = folder.dir.parent().unwrap().to_owned();
    let passphrase = secret(&place, "passphrase", "zes woorden voor in de kluis\n");
    let at = |name: &str| place.join(name).display().to_string();
    let (one, two, shares) = (at("one.escrow"), at("two.escrow"), at("shares"));
    let escrow =
        |rest: &[&str]| run(&[&["keys", "escrow", "--organisation", "min-low", "--out"], rest].concat());
    escrow(&[&one, "--passphrase-file", &passphrase]).ok();
    escrow(&[&one, "--passphrase-file", &passphrase]).refused(&["there already"]);
    let short = secret(&place, "short", "kort");
    escrow(&[&at("three.escrow"), "--passphrase-file", &short]).refused(&["15 characters"]);
    fs::set_permissions(&short, fs::Permissions::from_mode(0o644)).unwrap();
    escrow(&[&at("three.escrow"), "--passphrase-file", &short]).refused(&["chmod 600"]);
    escrow(&[&two, "--shares", "3", "--threshold", "2", "--shares-dir", &shares]).ok();
    assert_eq!(fs::metadata(&one).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&shares).unwrap().count(), 3);

    // Lost, and given back.
    let key = folder.dir.join("keys/master-min-low.2.key");
    let lost = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    run(&[
        "ingest",
        "--channel",
        "low-mastodon",
        &folder.file("more.json", &capture(&[reaction("116200000000000999", "En nu?")])),
    ])
    .refused(&["no master key", "min-low"]);
    let recover = |rest: &[&str]| run(&[&["keys", "recover", "--escrow"], rest].concat());
    let wrong = secret(&place, "wrong", "zes woorden voor in de kast\n");
    recover(&[&one, "--passphrase-file", &wrong]).refused(&["does not open"]);
    let share = |n: u8| at(&format!("shares/min-low-{n}.share"));
    recover(&[&two, "--share", &share(1)]).refused(&["1 different shares", "2 are needed"]);
    assert!(!key.exists());
    recover(&[&two, "--share", &share(1), "--share", &share(3)]).ok();
    assert_eq!(fs::read(&key).unwrap(), lost);
    fs::remove_file(&key).unwrap();
    let back = recover(&[&one, "--passphrase-file", &passphrase, "--json"]).ok().json();
    assert_eq!((&back["organisation"], &back["restored"][0]), (&"min-low".into(), &2.into()));
    assert_eq!(fs::read(&key).unwrap(), lost);
    verify_opens(&run);
    run(&[
        "ingest",
        "--channel",
        "low-mastodon",
        &folder.file("more.json", &capture(&[reaction("116200000000000999", "En nu?")])),
    ])
    .ok();
    let other = format!("knik-key-1 master min-low.2 {}=\n", "A".repeat(43));
    fs::write(&key, &other).unwrap();
    recover(&[&one, "--passphrase-file", &passphrase]).refused(&["there already", "never overwritten"]);
    assert_eq!(fs::read_to_string(&key).unwrap(), other);
}

/// Kills of a rotation: so many, and more until one came after its beginning.
const KILLS: u32 = 12;
const KILLS_MOST: u32 = 60;

#[test]
fn a_rotation_that_is_killed_is_gone_on_with() {
    let folder = Folder::new();
    let posts: Vec<_> =
        (0..200).map(|n| reaction(&format!("1162000000000{n:05}"), "Wanneer komt er antwoord?")).collect();
    let file = folder.file("posts.json", &capture(&posts));
    let small = ("KNIK_INGEST__BATCH_RECORDS", "2");
    super::fixture::knik_with(&folder.dir, &["ingest", "--channel", "low-mastodon", &file], &[small]).ok();
    let masters = |folder: &Folder| {
        let status = folder.run(&["keys", "status", "--json"]).ok().json();
        assert_eq!(status["warnings"].as_array().unwrap().len(), 0, "{status}");
        let keys = status["keys"].as_array().unwrap().clone();
        let low = keys.into_iter().find(|keys| keys["organisation"] == "min-low").unwrap();
        (low["masters"].as_array().unwrap().len(), low["masters"][0]["version"].as_u64().unwrap())
    };
    let began = std::time::Instant::now();
    folder.run(&["keys", "rotate", "--organisation", "min-low"]).ok();
    let whole = began.elapsed();
    let (mut version, mut in_the_middle) = (2, 0);
    for n in 0..KILLS_MOST {
        if n >= KILLS && version > 2 {
            break;
        }
        let mut child = start(&folder.dir, &["keys", "rotate", "--organisation", "min-low"], &[]);
        // Most of it is starting: the keys are turned in the last part. On a machine that became busy, later and later.
        std::thread::sleep(whole.mul_f64(0.4 + 0.05 * f64::from(n)));
        in_the_middle += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        // The next command does what is left of the turn.
        folder.run(&["status"]).ok();
        let (count, newest) = masters(&folder);
        assert_eq!(count, 1, "what was broken off was gone on with");
        assert!(newest == version || newest == version + 1, "{newest} after {version}");
        version = newest;
    }
    assert!(in_the_middle > 0 && version > 2, "{in_the_middle} kills in the middle, version {version}");
    folder.run(&["verify"]).ok();
    // Everything opens: an intake into the same conversations computes them anew from their originals.
    let reply: Vec<_> = (0..200)
        .map(|n| {
            let mut status = reaction(&format!("1163000000000{n:05}"), "Dank voor het antwoord.");
            status["in_reply_to_id"] = serde_json::json!(format!("1162000000000{n:05}"));
            status
        })
        .collect();
    let file = folder.file("replies.json", &capture(&reply));
    folder.run(&["ingest", "--channel", "low-mastodon", &file]).ok();
    assert_eq!(folder.run(&["status", "--json"]).ok().json()["projections"], 400);
}

#[test]
fn a_running_service_does_it_over_its_socket() {
    let temp = temp();
    let service = Service::start(temp.path(), None, &["demo", "--port", "0"], &[]);
    let run = |arguments: &[&str]| knik(&service.dir, arguments);
    let before = run(&["keys", "status", "--json"]).ok().json();
    let done = run(&["keys", "rotate", "--organisation", "min-low", "--json"]).ok().json();
    assert!(done["turned"]["segments"].as_u64() > Some(3), "{done}");
    let after = run(&["keys", "status", "--json"]).ok().json();
    assert_ne!(before["keys"], after["keys"]);
    let passphrase = secret(temp.path(), "passphrase", "zes woorden voor in de kluis\n");
    let out = temp.path().join("low.escrow").display().to_string();
    run(&["keys", "escrow", "--organisation", "min-low", "--out", &out, "--passphrase-file", &passphrase])
        .ok();
    run(&["keys", "recover", "--escrow", &out, "--passphrase-file", &passphrase]).refused(&["in use"]);
    verify_opens(&run);
    let said = service.output();
    assert!(!said.contains("kluis") && !said.contains("knik-key-1"), "{said}");
}
