//! The reviewers' queue on the command line: what is seen first, what is said and holds at once, samples, figures, files.

use super::captures::{capture, reaction};
use super::fixture::{channel_arguments, knik, temp, write};
use super::trees::{copy, project};
use serde_json::{Value, json};
use std::fs;

/// Invented: the detector cannot know that the last word is a name.
const TEXT: &str = "Wanneer komt er antwoord? Mail kwispelaar@voorbeeld.nl of vraag het zilverhoek";
const REVIEWER: [&str; 4] = ["--organisation", "min-low", "--reviewer", "beoordelaar-1"];
const MANAGER: [&str; 4] = ["--organisation", "min-low", "--person", "beheerder-1"];

#[test]
fn the_command_line_draws_shows_assesses_and_tells() {
    let temp = temp();
    let dir = temp.path().join("data");
    let run = |arguments: &[&str]| knik(&dir, arguments);
    let queue = |arguments: &[&str]| run(&[&["queue"], arguments, &REVIEWER[..]].concat());
    let steer = |arguments: &[&str]| run(&[&["queue"], arguments, &MANAGER[..]].concat());
    // What is drawn is judged by one person: the policy says how many of them by two, at least.
    let policies = temp.path().join("policies");
    copy(&project("policies"), &policies);
    let sampling = policies.join("reviewing.yaml");
    let text = fs::read_to_string(&sampling).unwrap();
    let alone =
        text.replace("twofoldPermille: 200", "twofoldPermille: 0").replace("2026-11-26", "judged-by-one");
    fs::write(&sampling, alone).unwrap();
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("knik.toml"), format!("[rules]\npolicies = \"{}\"\n", policies.display())).unwrap();
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    run(&channel_arguments("low-mastodon", &[])).ok();
    let file = write(temp.path(), "one.json", &capture(&[reaction("116200000000000901", TEXT)]));
    run(&["ingest", "--channel", "low-mastodon", &file]).ok();

    steer(&["sample", "--permille", "0"]).refused(&["`permille` is 0", "never less"]);
    let drawn = steer(&["sample", "--permille", "1000", "--json"]).ok().json();
    assert_eq!((&drawn["samples"][0]["candidates"], &drawn["samples"][0]["drawn"]), (&json!(1), &json!(1)));
    assert_eq!(steer(&["samples", "--json"]).ok().json(), drawn);
    let listed = queue(&["list", "--kind", "sample", "--json"]).ok().json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let table = queue(&["list"]).ok().out;
    assert!(table.contains(&id) && table.contains("sample"), "{table}");
    let shown = queue(&["show", &id, "--json"]).ok();
    assert!(!shown.out.contains("kwispelaar@") && shown.out.contains("zilverhoek"), "{}", shown.out);
    let shown: Value = shown.json();
    let finding = shown["findings"][0]["id"].as_str().unwrap().to_owned();
    let opened = queue(&["open", &id]).ok().out;
    assert!(opened.contains("kwispelaar@voorbeeld.nl"), "{opened}");

    let why = ["--reason", "in dit gesprek wijst het een persoon aan"];
    let weighing = ["--weighing", "de persoonlijke levenssfeer weegt zwaarder"];
    let add = ["--add", "PERSON:woo-5.1.2e:zilverhoek"];
    let assess = |more: &[&str]| queue(&[&["assess", &id], more].concat());
    assess(&[&add[..], &["--rest-confirmed"], &why[..]].concat()).refused(&["weighing", "woo-5.1.2e"]);
    assess(&["--add", "zilverhoek"]).refused(&["TYPE:EXEMPTION"]);
    assess(&[&["--reject", &finding], &why[..], &["--answer", "nonsense=yes"]].concat())
        .refused(&["nonsense"]);
    let steps: Vec<String> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|step| ["--answer".to_owned(), format!("{}=yes", step["step"].as_str().unwrap())])
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let said = assess(
        &[&add[..], &["--rest-confirmed", "--seconds", "40"], &why[..], &weighing[..], &steps].concat(),
    );
    assert!(said.ok().out.contains("it holds"));
    let record = shown["record"].as_str().unwrap().to_owned();
    let earlier = steer(&["earlier", &record, "--json"]).ok().json();
    assert_eq!(earlier["versions"][0]["reason"], json!(why[1]));
    assert!(earlier["versions"][0]["before"].to_string().contains("zilverhoek"));
    queue(&["show", &id]).refused(&["not there"]);

    let standing = steer(&["standing", "--json"]).ok().json();
    assert_eq!((&standing["overdue"], &standing["work"][0]["fewerPeopleThan"]), (&json!(0), &json!(5)));
    let agreement = steer(&["agreement", "--json"]).ok().json();
    assert_eq!(agreement["steps"][0]["fewerThan"], json!(10));
    let status = run(&["status", "--json"]).ok().json();
    assert!(status["queue"].as_array().unwrap().len() > 5, "{status}");

    let rows = format!("item,reviewer,at,asked,answer\n{id},jan,2026-03-09T10:15:00Z,missed,perhaps\n");
    let bad = write(temp.path(), "bureau.csv", rows.as_bytes());
    steer(&["import", &bad, "--dry-run"]).refused(&["row 2", "answer", "must be `no`"]);
    let rows = format!("item,reviewer,at,asked,answer\n{id},jan,2026-03-09T10:15:00Z,missed,no\n");
    let stranger = write(temp.path(), "stranger.csv", rows.as_bytes());
    steer(&["import", &stranger, "--dry-run"]).refused(&["row 2", "reviewer", "assignment"]);
    run(&["verify"]).ok();
}

#[test]
fn on_the_command_line_nobody_judges_what_several_people_must() {
    let temp = temp();
    let dir = temp.path().join("data");
    let run = |arguments: &[&str]| knik(&dir, arguments);
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    run(&channel_arguments("low-mastodon", &[])).ok();
    let file = write(temp.path(), "one.json", &capture(&[reaction("116200000000000901", TEXT)]));
    run(&["ingest", "--channel", "low-mastodon", &file]).ok();
    let sample = ["queue", "sample", "--permille", "1000", "--twofold-permille", "1000", "--json"];
    assert_eq!(run(&[&sample[..], &MANAGER].concat()).ok().json()["samples"][0]["drawn"], json!(1));
    let listed = run(&[&["queue", "list", "--json"], &REVIEWER[..]].concat()).ok().json();
    let (id, record) = (&listed["items"][0]["id"], &listed["items"][0]["record"]);
    let (id, record) = (id.as_str().unwrap(), record.as_str().unwrap());
    for name in ["beoordelaar-1", "beoordelaar-2"] {
        let who = ["--organisation", "min-low", "--reviewer", name];
        run(&[&["queue", "assess", id, "--rest-confirmed"], &who[..]].concat())
            .refused(&["several people", "token of their own"]);
        run(&[&["queue", "answer", record, "--step", "question", "--answer", "yes"], &who[..]].concat())
            .refused(&["several people"]);
    }
    let waits = run(&[&["queue", "list", "--json"], &REVIEWER[..]].concat()).ok().json();
    assert_eq!(waits["items"][0]["id"].as_str(), Some(id), "it waits as before");
}
