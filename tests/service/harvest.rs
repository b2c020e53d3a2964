//! `knik harvest` on a watch folder: what is laid there comes in, and is moved aside with a report.

use super::captures::{alone, capture, reaction, served};
use super::fixture::{PROGRAM, Ran, knik, sample, temp, wait_for, without_settings};
use super::refusals::{Folder, questions};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A watch folder of a data folder.
struct Watched {
    data: Folder,
    laid: PathBuf,
    channel: &'static str,
}

impl Watched {
    fn new() -> Self {
        let data = Folder::new();
        let laid = data.temp.path().join("laid");
        fs::create_dir(&laid).unwrap();
        Self { data, laid, channel: "low-mastodon" }
    }

    fn lay(&self, name: &str, bytes: &[u8]) {
        fs::write(self.laid.join(name), bytes).unwrap();
    }

    /// One round; what it said of each capture.
    fn once(&self, more: &[&str]) -> (i32, Vec<Value>) {
        let ran = self.data.run(&[&self.asked(), &["--once", "--json"][..], more].concat());
        (ran.code, lines(&ran))
    }

    fn asked(&self) -> Vec<&str> {
        let laid = self.laid.to_str().unwrap();
        vec!["harvest", "--channel", self.channel, "--settle-seconds", "1", "--folder", laid]
    }

    fn report(&self, place: &str) -> Value {
        serde_json::from_slice(&fs::read(self.laid.join(format!("{place}.report.json"))).unwrap()).unwrap()
    }
}

pub fn lines(ran: &Ran) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {}", ran.said()));
    ran.out.lines().map(read).collect()
}

/// Starts `knik harvest` in the background.
pub fn start(dir: &Path, arguments: &[&str], set: &[(&str, &str)]) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--dir").arg(dir).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    without_settings(&mut command).envs(set.iter().copied()).spawn().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != ".knik-harvest.lock");
    names.sort();
    names
}

#[test]
fn what_is_laid_comes_in_by_name_and_is_moved_aside_with_a_report() {
    let watched = Watched::new();
    watched.lay("b.json", &questions(2));
    watched.lay("a.json", &capture(&[reaction("116400000000000001", "Wanneer is de brug weer open?")]));
    watched.lay("c.json", b"{");
    watched.lay("d.json.part", &questions(3));
    watched.lay(".e.json", &questions(3));
    // What lies there already is never overwritten.
    fs::create_dir(watched.laid.join("done")).unwrap();
    fs::write(watched.laid.join("done/a.json"), b"of yesterday").unwrap();
    let (code, said) = watched.once(&[]);
    assert_ne!(code, 0, "one was refused");
    let places: Vec<&str> = said.iter().map(|line| line["movedTo"].as_str().unwrap()).collect();
    assert_eq!(places, ["done/a-2.json", "done/b.json", "failed/c.json"]);
    assert_eq!(names(&watched.laid), [".e.json", "d.json.part", "done", "failed"]);
    let done = ["a-2.json", "a-2.json.report.json", "a.json", "b.json", "b.json.report.json"];
    assert_eq!(names(&watched.laid.join("done")), done);
    assert_eq!(names(&watched.laid.join("failed")), ["c.json", "c.json.report.json"]);
    assert_eq!(fs::read(watched.laid.join("done/a.json")).unwrap(), b"of yesterday");
    assert_eq!(fs::read(watched.laid.join("done/b.json")).unwrap(), questions(2));
    let report = watched.report("done/b.json");
    assert_eq!((&report["report"]["newRecords"], &report["state"]), (&json!(2), &json!("done")), "{report}");
    assert_eq!(report["report"]["newByKind"], json!({ "reaction": 2 }), "{report}");
    let refused = watched.report("failed/c.json");
    assert!(refused["reason"].as_str().unwrap().contains("cut short"), "{refused}");
    assert_eq!(watched.data.counts()["records"], 3);

    watched.lay("b.json", &questions(2));
    let (code, said) = watched.once(&[]);
    assert_eq!((code, &said[0]["movedTo"]), (0, &json!("done/b-2.json")), "{said:?}");
    assert_eq!(said[0]["report"]["sameCapture"], true, "{said:?}");
    assert_eq!(watched.data.counts()["records"], 3, "the same capture again adds nothing");
    watched.data.run(&["verify"]).ok();
    assert_eq!(fs::read_dir(watched.data.dir.join("spool")).unwrap().count(), 0);
}

#[test]
fn a_strict_harvest_refuses_what_another_takes_in_with_a_piece_skipped() {
    let watched = Watched { channel: "low-x", ..Watched::new() };
    let channel = "channel add low-x --organisation min-low --platform x --account minlow --official --reason x \
                   --from 2023-01-01T00:00:00Z --purpose x --legal-basis x --duty yes --duty-source x --dpia x";
    watched.data.run(&channel.split_whitespace().collect::<Vec<_>>()).ok();
    watched.lay("posts.jsonl", &[b"{\"data\": [x]}\n", &sample("dwv-x-2-edited.jsonl")[..]].concat());
    let (code, said) = watched.once(&["--strict"]);
    assert_ne!(code, 0);
    assert_eq!(said[0]["movedTo"], "failed/posts.jsonl", "{said:?}");
    let skipped = said[0]["skipped"].as_array().unwrap();
    assert!(skipped.len() == 1 && skipped[0].as_str().unwrap().contains("line 1"), "{said:?}");
    assert_eq!(watched.data.counts()["records"], 0);
    // Moved back by hand it is tried again.
    fs::rename(watched.laid.join("failed/posts.jsonl"), watched.laid.join("posts.jsonl")).unwrap();
    let (code, said) = watched.once(&[]);
    assert_eq!((code, &said[0]["movedTo"]), (0, &json!("done/posts.jsonl")), "{said:?}");
    assert_eq!(said[0]["report"]["refused"].as_array().unwrap().len(), 1, "{said:?}");
    assert_eq!(watched.data.counts()["records"], 3);
}

#[test]
fn links_pipes_and_names_that_steer_a_terminal_are_refused_and_never_opened() {
    let watched = Watched::new();
    let secret = watched.data.file("elsewhere.json", &questions(2));
    symlink(&secret, watched.laid.join("link.json")).unwrap();
    symlink("/nowhere", watched.laid.join("dangling.json")).unwrap();
    assert!(Command::new("mkfifo").arg(watched.laid.join("pipe.json")).status().unwrap().success());
    watched.lay("a\u{1b}[2J.json", &questions(2));
    fs::create_dir(watched.laid.join("folder")).unwrap();
    fs::write(watched.laid.join("folder/deeper.json"), questions(2)).unwrap();
    let (code, said) = watched.once(&[]);
    assert_ne!(code, 0);
    let places: Vec<&str> = said.iter().map(|line| line["movedTo"].as_str().unwrap()).collect();
    assert_eq!(places, ["failed/a_[2J.json", "failed/dangling.json", "failed/link.json", "failed/pipe.json"]);
    assert!(fs::symlink_metadata(watched.laid.join("failed/link.json")).unwrap().is_symlink());
    assert_eq!(watched.data.counts()["records"], 0);
    assert!(watched.laid.join("folder/deeper.json").exists(), "folders are left alone");
}

#[test]
fn a_done_folder_that_leads_elsewhere_is_refused() {
    let watched = Watched::new();
    let elsewhere = temp();
    symlink(elsewhere.path(), watched.laid.join("done")).unwrap();
    watched.lay("a.json", &questions(1));
    let asked = [&watched.asked(), &["--once"][..]].concat();
    watched.data.run(&asked).refused(&["done", "link"]);
    assert!(watched.laid.join("a.json").exists());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(watched.data.counts()["records"], 0);
}

#[test]
fn a_file_that_grows_is_left_until_it_no_longer_does() {
    let watched = Watched::new();
    let whole = questions(40);
    let (path, bytes) = (watched.laid.join("slow.json"), whole.clone());
    fs::write(&path, b"").unwrap();
    let writing = std::thread::spawn(move || {
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        for piece in bytes.chunks(bytes.len() / 15) {
            file.write_all(piece).unwrap();
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    let (code, said) = watched.once(&[]);
    assert!(code == 0 && said.is_empty(), "left where it is: {said:?}");
    assert!(watched.laid.join("slow.json").exists());
    writing.join().unwrap();
    let (code, said) = watched.once(&[]);
    assert_eq!((code, &said[0]["report"]["newRecords"]), (0, &json!(40)), "{said:?}");
}

#[test]
fn killed_at_any_moment_and_started_again_it_ends_as_one_run() {
    let watched = Watched::new();
    for n in 0..6_u64 {
        let one = |m: u64| reaction(&format!("11650000000000{n:02}{m:02}"), "Wanneer komt er antwoord?");
        watched.lay(&format!("{n}.json"), &capture(&(0..50).map(one).collect::<Vec<_>>()));
    }
    for n in 0..14 {
        let mut child = start(&watched.data.dir, &[&watched.asked(), &["--once"][..]].concat(), &[]);
        std::thread::sleep(Duration::from_millis(1_050 + 130 * n));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (code, _) = watched.once(&[]);
    assert_eq!(code, 0);
    assert_eq!(names(&watched.laid), ["done", "failed"]);
    let done =
        (0..6).flat_map(|n| [format!("{n}.json"), format!("{n}.json.report.json")]).collect::<Vec<_>>();
    assert_eq!(names(&watched.laid.join("done")), done);
    assert_eq!(names(&watched.laid.join("failed")), Vec::<String>::new());
    assert_eq!(watched.data.counts()["records"], 300);
    watched.data.run(&["verify"]).ok();
}

/// The moments between the steps of a move, each laid out as a kill leaves it.
#[test]
fn a_move_that_was_broken_off_is_ended() {
    let watched = Watched::new();
    let aside = |name: &str| watched.laid.join("done").join(name);
    watched.lay("a.json", &questions(2));
    watched.once(&[]);
    // The capture was renamed, its report not.
    fs::rename(aside("a.json.report.json"), aside(".a.json.report.json.part")).unwrap();
    // The report was written, the capture not yet renamed.
    fs::copy(aside(".a.json.report.json.part"), aside(".b.json.report.json.part")).unwrap();
    watched.lay("b.json", &questions(2));
    // The report was cut short.
    fs::write(aside(".c.json.report.json.part"), b"{\"file\": \"c.js").unwrap();
    watched.lay("c.json", &questions(2));
    let (code, said) = watched.once(&[]);
    assert_eq!((code, said.len()), (0, 2), "{said:?}");
    let done = (["a", "b", "c"]).iter().flat_map(|n| [format!("{n}.json"), format!("{n}.json.report.json")]);
    assert_eq!(names(&watched.laid.join("done")), done.collect::<Vec<_>>());
    assert_eq!(watched.data.counts()["records"], 2);
}

#[test]
fn it_watches_until_it_is_told_to_stop_and_there_is_one_of_it() {
    let watched = Watched::new();
    let asked = [&watched.asked(), &["--every-seconds", "1"][..]].concat();
    let mut child = start(&watched.data.dir, &asked, &[]);
    wait_for("the lock", || watched.laid.join(".knik-harvest.lock").exists().then_some(()));
    wait_for("its folders", || watched.laid.join("failed").exists().then_some(()));
    watched.data.run(&[&watched.asked(), &["--once"][..]].concat()).refused(&["another harvest"]);
    for name in ["first.json", "second.json"] {
        watched.lay(name, &questions(2));
        let report = watched.laid.join(format!("done/{name}.report.json"));
        wait_for("the report", || report.exists().then_some(()));
    }
    let pid = child.id().to_string();
    // Between rounds the data folder is free for other commands.
    wait_for("the data folder to be free", || {
        (watched.data.run(&["status", "--json"]).code == 0).then_some(())
    });
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(watched.data.counts()["records"], 2);
}

#[tokio::test]
async fn beside_a_running_service_the_service_takes_it_in() {
    let _alone = alone().await;
    let (laid, service) = (temp(), served());
    let bytes = capture(&[reaction("116600000000000001", "Komt dit via de dienst binnen?")]);
    fs::write(laid.path().join("posts.json"), bytes).unwrap();
    fs::write(laid.path().join("rubbish.json"), b"Geachte mevrouw").unwrap();
    let folder = laid.path().to_str().unwrap();
    let asked = [
        "harvest",
        "--once",
        "--json",
        "--settle-seconds",
        "1",
        "--channel",
        "low-mastodon",
        "--folder",
        folder,
    ];
    let ran = knik(&service.dir, &asked);
    let said = lines(&ran);
    assert_eq!(said[0]["report"]["newRecords"], 1, "{}", ran.said());
    assert_eq!(said[1]["movedTo"], "failed/rubbish.json", "{}", ran.said());
    let spool = service.dir.join("spool");
    assert_eq!(fs::read_dir(spool).unwrap().count(), 0);
}

#[test]
fn what_is_not_the_fault_of_a_capture_leaves_it_where_it_is() {
    let watched = Watched::new();
    watched.lay("a.json", &questions(2));
    let laid = watched.laid.to_str().unwrap();
    let elsewhere =
        ["harvest", "--once", "--settle-seconds", "1", "--channel", "no-such-channel", "--folder", laid];
    watched.data.run(&elsewhere).refused(&["a.json", "no-such-channel", "channel add"]);
    assert!(watched.laid.join("a.json").exists());
    let absent = watched.data.temp.path().join("absent");
    knik(&absent, &[&watched.asked(), &["--once"][..]].concat()).refused(&["is not there"]);
    assert!(watched.laid.join("a.json").exists());
    for (asked, words) in [
        (&["harvest", "--channel", "c"][..], &["--folder"][..]),
        (&["harvest", "--channel", "c", "--folder", "/x", "--s3", "s3://b/p"], &["--s3"]),
        (&["harvest", "--channel", "c", "--s3", "https://b/p"], &["s3://bucket/prefix"]),
        (&["harvest", "--channel", "c", "--folder", "/nowhere/at/all"], &["/nowhere/at/all"]),
        (&["harvest", "--channel", "c", "--folder", "/x", "--format", "fax"], &["fax", "mastodon"]),
    ] {
        watched.data.run(asked).refused(words);
    }
}
