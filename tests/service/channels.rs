//! Channels on the command line: declared once, changed from a date with a reason, and never changed unsaid.

use super::fixture::{Ran, channel_arguments, knik, temp};
use serde_json::{Value, json};

fn of<'v>(listed: &'v Value, fact: &str) -> Vec<&'v Value> {
    listed[0]["facts"].as_array().unwrap().iter().filter(|of| of["fact"] == fact).collect()
}

#[test]
fn a_channel_that_is_there_changes_by_dated_declarations_only() {
    let temp = temp();
    let dir = temp.path().join("data");
    let run = |arguments: &[&str]| -> Ran { knik(&dir, arguments) };
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    let add = |more: &[&'static str]| run(&channel_arguments("low-mastodon", more));
    add(&["--tree", "scenario-b", "--json"]).ok();
    let again = add(&["--tree", "scenario-b", "--json"]).ok().json();
    assert_eq!(again, json!({"channel": "low-mastodon", "added": false}));

    let otherwise = add(&["--tree", "scenario-a", "--profile", "questions-only"]);
    assert_eq!(otherwise.code, 1);
    otherwise.refused(&[
        "tree `scenario-a`",
        "tree `scenario-b`",
        "profile `questions-only`",
        "knik channel declare low-mastodon",
    ]);
    add(&["--tree", "scenario-b", "--kind", "hybrid"]).refused(&["kind `hybrid`", "`corporate`"]);
    let before = run(&["channel", "list", "--json"]).ok().json();
    assert_eq!(of(&before, "tree").len(), 1);

    let dated = ["--from", "2097-01-01", "--reason", "besluit 2026-114"];
    let declare = |more: &[&str]| run(&[&["channel", "declare"], more, &dated[..]].concat());
    declare(&["low-mastodon"]).refused(&["nothing", "--tree"]);
    declare(&["low-mastodon", "--tree", "scenario-z"]).refused(&["scenario-z", "scenario-b"]);
    declare(&["low-mastodon", "--profile", "none-such"]).refused(&["none-such", "questions-only"]);
    declare(&["low-mastodon", "--successor", "low-mastodon"]).refused(&["successor", "channel list"]);
    declare(&["no-such-channel", "--official", "no"]).refused(&["no-such-channel", "channel add"]);
    declare(&["low-mastodon", "--official", "no", "--until", "2026-01-01"]).refused(&["--until"]);
    assert_eq!(run(&["channel", "list", "--json"]).ok().json(), before);

    declare(&["low-mastodon", "--tree", "scenario-a", "--official", "no", "--reactions", "yes"]).ok();
    let after = run(&["channel", "list", "--json"]).ok().json();
    let expected = json!({
        "fact": "tree", "value": "scenario-a", "from": "2097-01-01T00:00:00Z", "until": null,
        "reason": "besluit 2026-114",
    });
    assert_eq!(of(&after, "tree"), [of(&before, "tree")[0], &expected]);
    assert_eq!(of(&after, "official")[1]["value"], "no");
    let table = run(&["channel", "list"]).ok().out;
    assert!(table.contains("besluit 2026-114") && table.contains("2097-01-01"), "{table}");
    // What holds from a date is not what was declared first.
    add(&["--tree", "scenario-b"]).refused(&["tree `scenario-a` from 2097-01-01T00:00:00Z"]);
    run(&["verify"]).ok();
}
