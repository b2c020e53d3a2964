//! `knik ingest --dry-run`: what a file holds, counted; nothing is written.

use super::fixture::{knik, of_project, sample, temp, write};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn dry_run(file: &str) -> Value {
    let temp = temp();
    let dir = temp.path().join("data");
    let answer = knik(&dir, &["ingest", "--dry-run", "--json", file]).ok().json();
    assert!(!dir.exists(), "a dry run makes no folder");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    let fields: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let mut sorted = fields.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["acts", "deleted", "format", "notPublic", "records", "refused"]);
    answer
}

#[derive(Deserialize)]
struct Registry {
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
struct Channel {
    captures: Vec<Capture>,
}

#[derive(Deserialize)]
struct Capture {
    file: String,
    format: String,
    holds: Holds,
}

#[derive(Deserialize)]
struct Holds {
    records: u64,
    acts: u64,
    deleted: u64,
    not_public: u64,
}

#[test]
fn the_demos_captures_hold_what_their_registry_says() {
    let text = String::from_utf8(of_project("src/cli/demo/channels.yaml")).unwrap();
    let registry: Registry = serde_saphyr::from_str(&text).unwrap();
    let temp = temp();
    let mut tried = 0;
    for capture in registry.channels.iter().flat_map(|channel| &channel.captures) {
        let name = capture.file.rsplit('/').next().unwrap();
        let file = write(temp.path(), name, &sample(name));
        let holds = &capture.holds;
        let expected = json!({
            "format": capture.format, "records": holds.records, "acts": holds.acts, "deleted": holds.deleted,
            "notPublic": holds.not_public, "refused": [],
        });
        assert_eq!(dry_run(&file), expected, "{name}");
        tried += 1;
    }
    assert!(tried >= 9);
}

/// Where the shared samples are, when they are here.
fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("KNIK_SHARED").map_or_else(beside, PathBuf::from);
    folder.join("captures/counts.tsv").exists().then_some(folder)
}

#[test]
fn real_captures_hold_what_was_counted_by_other_means() {
    let Some(shared) = shared() else {
        println!(
            "left out: service::dry_run::real_captures_hold_what_was_counted_by_other_means (no ../shared)"
        );
        return;
    };
    let table = fs::read_to_string(shared.join("captures/counts.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        if !["mastodon", "x_api_v2"].contains(&cells[1]) {
            continue;
        }
        let number = |n: usize| cells[n].parse::<u64>().unwrap();
        let expected = json!({
            "format": cells[1], "records": number(2), "acts": number(3), "deleted": number(4), "notPublic": number(5),
        });
        let file = shared.join("captures").join(cells[0]);
        let mut counted = dry_run(file.to_str().unwrap());
        counted.as_object_mut().unwrap().remove("refused");
        if counted != expected {
            wrong.push(format!("{}: {counted} instead of {expected}", cells[0]));
        }
        tried += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tried, 29, "files in the table");
}

#[test]
fn what_cannot_be_read_is_refused_file_by_file() {
    let temp = temp();
    let dir = temp.path().join("data");
    let good = write(temp.path(), "good.json", &sample("low-mastodon-1-posts.json"));
    let bad = write(temp.path(), "bad.json", b"{\"ancestors\": [");
    let ran = knik(&dir, &["ingest", "--dry-run", "--json", &bad, &good]);
    assert_ne!(ran.code, 0);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "a line a file: {}", ran.out);
    assert_ne!(lines[0]["refused"], json!([]));
    assert_eq!(lines[1]["records"], 4);
    assert!(!dir.exists());
    let shown = knik(&dir, &["ingest", "--dry-run", &bad, &good]).refused(&[&bad, "cut short"]);
    assert!(shown.out.contains("not public"), "a table for people: {}", shown.out);
}
