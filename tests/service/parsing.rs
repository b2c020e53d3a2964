//! Captures are read in a process of their own: what it has, what it has not, and what becomes of one that dies.

use super::captures::{capture, reaction};
use super::fixture::{PROGRAM, Ran, Service, knik, temp, wait_for, without_settings, write};
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A dry run of a capture that does not come: its reading process waits, confined, for the first byte.
struct Waiting {
    program: Child,
    parser: u32,
    /// Nothing is written; closing it ends the capture.
    capture: File,
    path: PathBuf,
}

impl Waiting {
    fn start(folder: &Path) -> Self {
        let path = folder.join("pipe.json");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut command = Command::new(PROGRAM);
        command.args(["ingest", "--dry-run", "--json"]).arg(&path).stdin(Stdio::null());
        // Something that a careless process would hand on.
        without_settings(&mut command).env("KNIK_LOG", "warn").env("SECRET", "do-not-hand-on");
        let program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let capture = OpenOptions::new().write(true).open(&path).unwrap();
        let parser = wait_for("the reading process to be confined", || confined_child(program.id()));
        Self { program, parser, capture, path }
    }

    fn kill(&self, signal: &str) {
        let parser = self.parser.to_string();
        assert!(Command::new("kill").args(["-s", signal, &parser]).status().unwrap().success());
    }

    fn end(self) -> Ran {
        drop(self.capture);
        let output = self.program.wait_with_output().unwrap();
        fs::remove_file(self.path).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A child of that process that has a filter on its system calls.
fn confined_child(parent: u32) -> Option<u32> {
    fs::read_dir("/proc").unwrap().find_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field =
            |name: &str| Some(status.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned());
        (field("PPid:")? == parent.to_string() && field("Seccomp:")? == "2").then_some(pid)
    })
}

#[test]
fn it_has_its_two_pipes_and_nothing_else() {
    let place = temp();
    let waiting = Waiting::start(place.path());
    let of = |name: &str| PathBuf::from(format!("/proc/{}/{name}", waiting.parser));
    let status = fs::read_to_string(of("status")).unwrap();
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(field("Threads:"), "1");
    assert_eq!(field("NoNewPrivs:"), "1");
    let said = fs::read(of("cmdline")).unwrap();
    assert!(String::from_utf8_lossy(&said).contains("parse-capture"));
    // Who is not root is not even told: then nobody of the same user can look into it either.
    match fs::read(of("environ")) {
        Ok(environment) => assert_eq!(String::from_utf8_lossy(&environment), "", "the environment is empty"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied),
    }
    match fs::read_dir(of("fd")) {
        Ok(open) => {
            let mut open: Vec<(String, PathBuf)> = open
                .map(|entry| entry.unwrap())
                .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_link(entry.path()).unwrap()))
                .collect();
            open.sort();
            let [input, output, errors] = &open[..] else { panic!("{open:?}") };
            assert_eq!((&*input.0, &input.1), ("0", &waiting.path));
            assert!(output.0 == "1" && output.1.to_string_lossy().starts_with("pipe:"), "{open:?}");
            assert_eq!((&*errors.0, &*errors.1), ("2", Path::new("/dev/null")));
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied),
    }
    let limits = fs::read_to_string(of("limits")).unwrap();
    for (name, limit) in [
        ("Max core file size", "0"),
        ("Max file size", "0"),
        ("Max processes", "0"),
        ("Max open files", "3"),
        ("Max cpu time", "60"),
        ("Max address space", "3489660928"),
    ] {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        assert_eq!(line.split_whitespace().next(), Some(limit), "{name}");
    }
    waiting.end().refused(&["the file is empty"]);
}

#[test]
fn one_that_is_stopped_refuses_the_capture_and_says_why() {
    let place = temp();
    for (signal, said) in [
        ("KILL", "was killed (signal 9); deliver the capture again"),
        ("XCPU", "took more than 60 seconds"),
        ("ABRT", "took more than 3489660928 bytes of memory"),
    ] {
        let waiting = Waiting::start(place.path());
        waiting.kill(signal);
        waiting.end().refused(&[said]);
    }
}

#[test]
fn one_whose_parent_is_killed_goes_too() {
    let place = temp();
    let mut waiting = Waiting::start(place.path());
    waiting.program.kill().unwrap();
    waiting.program.wait().unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", waiting.parser));
    let gone = || {
        let status = fs::read_to_string(&status).unwrap_or_default();
        (status.is_empty() || status.contains("State:\tZ")).then_some(())
    };
    wait_for("the reading process to go", gone);
}

/// One value of far more nodes than its bytes let expect.
fn swollen() -> Vec<u8> {
    let zeros = "0,".repeat(12 << 20);
    format!(r#"{{"ancestors":[],"descendants":[{{"id":"1","content":[{zeros}0]}}]}}"#).into_bytes()
}

#[tokio::test]
async fn a_capture_that_takes_too_much_memory_is_refused_and_the_service_lives() {
    let place = temp();
    let set = [("KNIK_INGEST__PARSER_MEMORY_BYTES_MAX", "134217728")];
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &set);
    let before = service.json(&["status"])["counts"].clone();
    let hostile = swollen();
    let file = write(place.path(), "hostile.json", &hostile);
    let said = ["took more than 134217728 bytes of memory", "ingest.parser-memory-bytes-max"];
    service.run(&["ingest", "--channel", "low-mastodon", &file]).refused(&said);
    let answer = service.person("harvester").deliver("low-mastodon", &hostile).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains(said[0]), "{}", answer.text());
    assert_eq!(service.json(&["status"])["counts"], before, "nothing of it was taken in");
    let sound = write(place.path(), "sound.json", &capture(&[reaction("116300000000000099", "Dank u wel.")]));
    service.run(&["ingest", "--channel", "low-mastodon", &sound]).ok();
    assert_eq!(service.ended(), None);
}

#[test]
fn the_same_capture_within_its_limits_is_only_refused_for_what_it_is() {
    let place = temp();
    let file = write(place.path(), "swollen.json", &swollen());
    let ran = knik(&place.path().join("data"), &["ingest", "--dry-run", "--json", &file]);
    assert!(!ran.said().contains("memory"), "{}", ran.said());
}
