//! The reviewer's queue on the command line, beside a running service and without one.

use super::captures::{capture, reaction};
use super::fixture::{channel_arguments, knik, temp, write};
use serde_json::Value;

const FLAGGED: &str = "Ik heb epilepsie, wanneer komt er antwoord op mijn vraag?";
const REVIEWER: [&str; 4] = ["--organisation", "min-low", "--reviewer", "beoordelaar-1"];

#[test]
fn the_command_line_lists_opens_and_judges() {
    let temp = temp();
    let dir = temp.path().join("data");
    let run = |arguments: &[&str]| knik(&dir, arguments);
    let review = |arguments: &[&str]| run(&[&["review"], arguments, &REVIEWER[..]].concat());
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    run(&channel_arguments("low-mastodon", &[])).ok();
    let plain = reaction("116200000000000901", "Wanneer komt er antwoord op mijn vraag?");
    let file = write(temp.path(), "two.json", &capture(&[reaction("116200000000000902", FLAGGED), plain]));
    let report = run(&["ingest", "--channel", "low-mastodon", &file]).ok().out;
    assert!(report.contains("1 flagged") && report.contains("knik review list"), "{report}");
    let projections = || run(&["status", "--json"]).ok().json()["projections"].clone();
    assert_eq!(projections(), 1, "one of the two is withheld");

    let listed = review(&["list", "--json"]).ok().json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert!(!listed.to_string().contains("epilepsie"), "a list holds no text");
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let table = review(&["list"]).ok().out;
    assert!(table.contains(&id) && table.contains("health") && table.contains("low-mastodon"), "{table}");
    let shown = review(&["show", &id]).ok().out;
    assert!(shown.contains(FLAGGED) && shown.contains("health at 0 to 16"), "{shown}");

    let wrong = ["judge", &id, "--verdict", "release", "--reason", "flag-holds"];
    review(&wrong).refused(&["flag-holds", "release", "nobody-identifiable"]);
    review(&["judge", &id, "--verdict", "perhaps", "--reason", "in-doubt"])
        .refused(&["perhaps", "keep-withheld"]);
    let absent = "01890000-0000-7000-8000-000000000000";
    review(&["show", absent]).refused(&["not there"]);
    let other = ["review", "show", &id, "--organisation", "dwv", "--reviewer", "beoordelaar-1"];
    run(&other).refused(&["not there"]);
    assert_eq!(projections(), 1);

    review(&["judge", &id, "--verdict", "release", "--reason", "made-public-by-the-person"]).ok();
    assert_eq!(projections(), 2, "released, it is published");
    let judged = review(&["list", "--judged", "--json"]).ok().json();
    assert_eq!(judged["items"][0]["flags"][0]["verdict"], Value::from("release"));
    review(&["judge", &id, "--verdict", "keep-withheld", "--reason", "in-doubt", "--kind", "health"]).ok();
    assert_eq!(projections(), 1);
    run(&["verify"]).ok();
}
