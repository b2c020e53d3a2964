//! `knik tree`: trees that come with the program, and trees of one's own.

use super::fixture::{Ran, knik_reading, temp};
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
