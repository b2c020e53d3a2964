//! `knik tree`: trees that come with the program, and trees of one's own.

use super::captures::{capture, reaction};
use super::fixture::{Ran, channel_arguments, knik, knik_reading, temp, write};
use std::fs;
use std::path::{Path, PathBuf};

fn run(arguments: &[&str]) -> Ran {
    knik_reading(arguments, b"")
}

pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A copy of the policies that may be changed.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

#[test]
fn what_comes_with_the_program_holds_its_examples() {
    let checked = run(&["tree", "check", "--json"]).ok().json();
    assert_eq!(checked["ok"], true, "{checked}");
    let trees: Vec<&str> =
        checked["trees"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(trees, ["archive-whole", "legal-advice", "scenario-a", "scenario-b", "scenario-c"]);
}

#[test]
fn a_tree_without_its_definition_or_with_a_wrong_example_is_refused_with_file_and_line() {
    let folder = temp();
    let policies = folder.path().join("policies");
    copy(&project("policies"), &policies);
    let at = policies.to_str().unwrap();
    run(&["tree", "check", "--policies", at]).ok();
    fs::remove_file(policies.join("burgerbrief/default.yaml")).unwrap();
    run(&["tree", "check", "--policies", at]).refused(&[
        "trees/scenario-b.yaml",
        "line",
        "burgerbrief",
        "write one",
    ]);
    copy(&project("policies/burgerbrief"), &policies.join("burgerbrief"));
    let tree = policies.join("trees/legal-advice.yaml");
    let text =
        fs::read_to_string(&tree).unwrap().replacen("expected: do_not_archive", "expected: archive", 1);
    fs::write(&tree, text).unwrap();
    run(&["tree", "check", "--policies", at]).refused(&["trees/legal-advice.yaml", "line", "mend"]);
}

#[test]
fn a_version_of_a_tree_is_one_content_for_ever() {
    let folder = temp();
    let (dir, policies) = (folder.path().join("data"), folder.path().join("policies"));
    copy(&project("policies"), &policies);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("knik.toml"), format!("[rules]\npolicies = \"{}\"\n", policies.display())).unwrap();
    let run = |arguments: &[&str]| knik(&dir, arguments);
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    run(&channel_arguments("low-mastodon", &["--tree", "scenario-b"])).ok();
    let file = |n: u32| {
        let text = format!("Hoe laat gaat brug {n} open?");
        write(
            folder.path(),
            &format!("{n}.json"),
            &capture(&[reaction(&format!("11620000000000090{n}"), &text)]),
        )
    };
    let ingest = |n| run(&["ingest", "--channel", "low-mastodon", &file(n)]);
    ingest(1).ok();

    let tree = policies.join("trees/scenario-b.yaml");
    let text = fs::read_to_string(&tree).unwrap();
    fs::write(&tree, format!("# Looked at again.\n{text}")).unwrap();
    ingest(2).ok();

    // The examples hold all the same: nothing but its version tells it from the one before.
    let other = text.replace("source: \"Minutes", "source: \"Other minutes");
    assert_ne!(other, text);
    fs::write(&tree, &other).unwrap();
    let refused = ["trees/scenario-b.yaml", "version `2`", "give it a new `version`"];
    ingest(3).refused(&refused);
    let who = ["--organisation", "min-low", "--person", "beheerder-1"];
    run(&[["queue", "sample"].as_slice(), &who].concat()).refused(&refused);
    run(&["status"]).ok();
    run(&["verify"]).ok();
    let decided = run(&["decisions", "--organisation", "min-low", "--json"]).ok();
    assert!(decided.out.contains("scenario-b"), "{}", decided.out);

    fs::write(&tree, other.replace("version: \"2\"", "version: \"3\"")).unwrap();
    ingest(3).ok();
    fs::write(&tree, &text).unwrap();
    ingest(4).ok();
    run(&["verify"]).ok();

    // Yes and no of a step, the other way round: its own examples tell.
    let turned = text
        .replace("{yes: official_channel, no: sentiment,", "{yes: sentiment, no: official_channel,")
        .replace("version: \"2\"", "version: \"4\"");
    fs::write(&tree, turned).unwrap();
    ingest(5).refused(&["trees/scenario-b.yaml", "line", "mend the example or the tree"]);
}

#[test]
fn a_tree_is_shown_drawn_and_followed() {
    let folder = temp();
    let picture = folder.path().join("tree.svg");
    let shown = run(&["tree", "show", "scenario-b", "--language", "en"]).ok();
    assert!(shown.out.contains("├─ yes: official_channel [fact official_channel]"), "{}", shown.out);
    run(&["tree", "show", "scenario-b", "--svg", picture.to_str().unwrap()]).ok();
    assert!(fs::read_to_string(&picture).unwrap().starts_with("<svg "));
    let again = run(&["tree", "show", "scenario-b", "--svg", picture.to_str().unwrap()]);
    again.refused(&["is there already"]);
    let explained = ["tree", "explain", "scenario-b", "wanneer gaat de brug open", "--json", "--fact"];
    let decided = |fact: &str| run(&[explained.as_slice(), &[fact]].concat()).ok().json();
    assert_eq!(decided("official_channel=yes")["outcome"], "archive");
    assert_eq!(decided("official_channel=yes")["keep"]["valuation"], "V");
    assert_eq!(decided("official_channel=no")["outcome"], "refer");
    run(&["tree", "explain", "scenario-b", "a", "--fact", "weather=yes"])
        .refused(&["is no fact", "official_channel"]);
    run(&["tree", "show", "scenario-x"]).refused(&["scenario-x", "archive-whole"]);
}
