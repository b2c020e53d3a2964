//! `knik policy`: policies tried before they are used.

use super::fixture::{Ran, knik, of_project, temp, write};
use std::fs;
use std::path::Path;

fn policy(arguments: &[&str]) -> Ran {
    let nowhere = Path::new("/nonexistent/knik-needs-no-folder-for-this");
    knik(nowhere, &[&["policy"], arguments].concat())
}

fn explain(who: &str, what: &str, thing: &str, more: &[&str]) -> Ran {
    policy(&[&["explain", "--as", who, "--do", what, "--on", thing], more].concat())
}

#[test]
fn an_explanation_names_the_policies_that_decided_and_what_they_say() {
    let allowed = explain("official@min-low", "read-vault-view", "vault-record@min-low", &[]).ok().out;
    for words in
        ["allowed, by", "official-reads-own-organisation", "of the own organisation", "plan `official`"]
    {
        assert!(allowed.contains(words), "{allowed}");
    }
    let absent = explain("official@min-low", "read-vault-view", "vault-record@dwv", &[]).ok().out;
    for words in
        ["as if it did not exist (404)", "organisations-are-apart", "must be of the own organisation"]
    {
        assert!(absent.contains(words), "{absent}");
    }
    let refused = explain("administrator@min-low", "list-vault-records", "registry@min-low", &[]).ok().out;
    for words in ["(403)", "administrator-sees-no-content", "sees no content"] {
        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn an_explanation_is_given_in_dutch_too() {
    let dutch = |who: &str, what: &str, thing: &str, more: &[&str]| {
        explain(who, what, thing, &[&["--language", "nl"], more].concat()).ok()
    };
    let allowed = dutch("official@min-low", "read-vault-view", "vault-record@min-low", &[]).out;
    assert!(allowed.contains("toegestaan, door") && allowed.contains("een ambtenaar leest"), "{allowed}");
    let absent = dutch("official@min-low", "read-vault-view", "vault-record@dwv", &[]).out;
    for words in ["alsof het niet bestaat (404)", "gaat niet op:", "niets uit de kluis van een organisatie"] {
        assert!(absent.contains(words), "{absent}");
    }
    let grounds = ["--basis", "criminal-procedure"];
    let refused = dutch("official@min-low", "open-original", "original@min-low", &grounds).out;
    for words in ["(403)", "een zaaknummer van 1 tot 64 tekens", "een tweede persoon"] {
        assert!(refused.contains(words), "{refused}");
    }
    // Whatever is asked for, no sentence that comes with the program is in English only.
    for (who, what, thing) in [
        ("administrator@min-low", "list-vault-records", "registry@min-low"),
        ("researcher@universiteit", "read-record", "record@min-low"),
        ("public@burger", "search-records", "collection@min-low"),
        ("approver@min-low", "approve-grant", "grant-file@min-low"),
        ("harvester@min-low", "verify-ledger", "ledger"),
    ] {
        let of = |language: &str| {
            let said = explain(who, what, thing, &["--json", "--language", language]).ok().json();
            let because = said["because"].as_array().unwrap().clone();
            because.into_iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (english, dutch) = (of("en"), of("nl"));
        assert_eq!(english.len(), dutch.len());
        assert!(english.iter().zip(&dutch).all(|(one, other)| one != other), "{english:?}\n{dutch:?}");
    }
    explain("official@min-low", "read-vault-view", "service", &["--language", "fr"]).refused(&["nl, en"]);
}

#[test]
fn facts_can_be_given_and_each_of_them_decides() {
    let allowed = |ran: Ran| ran.ok().json()["allowed"].as_bool().unwrap();
    let reads = |more: &[&str]| {
        allowed(explain(
            "researcher@universiteit",
            "read-record",
            "record@min-low",
            &[&["--json"], more].concat(),
        ))
    };
    let at = ["--at", "2026-05-04T10:00:00Z"];
    let (later, now) = ("2026-05-04T10:00:01Z", "2026-05-04T10:00:00Z");
    assert!(!reads(&at));
    assert!(reads(&[&at[..], &["--grant-until", later]].concat()));
    assert!(!reads(&[&at[..], &["--grant-until", now]].concat()));
    assert!(!reads(&[&at[..], &["--grant-until", later, "--grant-revoked"]].concat()));
    assert!(!reads(&[&at[..], &["--grant-until", later, "--not-selected"]].concat()));
    assert!(!reads(&[&at[..], &["--grant-until", later, "--grant-export"]].concat()));
    let public = |more: &[&str]| {
        allowed(explain("public@burger", "read-record", "record@min-low", &[&["--json"], more].concat()))
    };
    assert!(!public(&[]) && public(&["--published"]));
    let reviews = |more: &[&str]| {
        let more = [&["--json"], &at[..], more].concat();
        allowed(explain("reviewer@bureau", "review-redaction", "vault-record@min-low", &more))
    };
    assert!(!reviews(&[]) && reviews(&["--assigned-until", later]) && !reviews(&["--assigned-until", now]));
    let approves = |more: &[&str]| {
        let more = [&["--json"], &at[..], more].concat();
        allowed(explain("approver@min-low", "approve-grant", "grant-file@min-low", &more))
    };
    assert!(!approves(&[]) && approves(&["--mandate-until", later]));
    assert!(!approves(&["--mandate-until", now]) && !approves(&["--mandate-until", later, "--own"]));
    let opens = |more: &[&str]| {
        let grounds = ["--json", "--case-number", "Z-1", "--motivation", "demanded by the court"];
        allowed(explain(
            "official@min-low",
            "open-original",
            "original@min-low",
            &[&grounds[..], more].concat(),
        ))
    };
    assert!(opens(&["--basis", "woo-request"]) && !opens(&["--basis", "because"]));
    assert!(!opens(&["--basis", "criminal-procedure"]));
    assert!(opens(&["--basis", "criminal-procedure", "--approved-by", "approver@min-low"]));
    assert!(!opens(&["--basis", "criminal-procedure", "--approved-by", "official@dwv"]));
}

#[test]
fn what_cannot_be_asked_is_named_with_what_can() {
    explain("official", "read-vault-view", "service", &[]).refused(&["official@min-low"]);
    explain("chief@min-low", "read-vault-view", "service", &[])
        .refused(&["chief", "data-protection-officer"]);
    explain("official@min-low", "peek", "service", &[]).refused(&["peek", "open-original"]);
    explain("official@min-low", "read-vault-view", "cellar@min-low", &[])
        .refused(&["cellar", "vault-record"]);
    explain("official@min-low", "read-vault-view", "vault-record", &[]).refused(&["--on vault-record@"]);
    explain("official@min-low", "open-original", "original@min-low", &[]).refused(&["--basis"]);
}

/// The shipped policies in a folder, with one file changed.
fn changed(folder: &Path, file: &str, from: &str, to: &str) -> String {
    for name in [
        "access/schema.cedarschema",
        "access/existence.cedar",
        "access/reading-room.cedar",
        "access/separation.cedar",
        "access/stewardship.cedar",
        "access/system.cedar",
        "access/vault.cedar",
        "access/openings.cedar",
        "redaction-plans.yaml",
        "exemptions.yaml",
        "legal-bases.yaml",
        "research-bases.yaml",
    ] {
        let mut text = String::from_utf8(of_project(&format!("policies/{name}"))).unwrap();
        if name == file {
            assert!(text.contains(from), "{file} has no `{from}`");
            text = text.replace(from, to);
        }
        fs::create_dir_all(folder.join("access")).unwrap();
        write(folder, name, text.as_bytes());
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn shipped_policies_hold_and_loosened_ones_are_found() {
    let shipped = policy(&["check"]).ok().out;
    assert!(shipped.contains("allow nothing that must never be allowed"), "{shipped}");
    let temp = temp();
    let same = changed(temp.path(), "", "", "");
    assert_eq!(policy(&["check", &same]).ok().out, shipped);
    let cases = [
        (
            "access/stewardship.cedar",
            "when { context.now < resource.mandateUntil }",
            "when { true }",
            "without a mandate that runs",
        ),
        ("access/reading-room.cedar", "when { !context.grant.revoked }", "when { true }", "active grant"),
    ];
    for (file, from, to, said) in cases {
        let folder = changed(temp.path(), file, from, to);
        policy(&["check", &folder]).refused(&[said, "that must never be"]);
        let told = knik(temp.path(), &["policy", "check", &folder, "--json"]);
        assert_eq!((told.code, told.json()["ok"].as_bool()), (1, Some(false)));
    }
    let faults = [
        ("access/vault.cedar", "permit (", "permitt (", "vault.cedar"),
        ("access/vault.cedar", "@clause_1(", "@clause_one(", "@clause_1"),
        ("access/vault.cedar", "resource.assigned }", "resource.assignd }", "reviewer"),
        ("access/vault.cedar", "@plan(\"reviewer\")", "@plan(\"everything\")", "everything"),
        ("access/schema.cedarschema", "entity Ledger;", "", "Ledger"),
    ];
    for (file, from, to, said) in faults {
        let folder = changed(temp.path(), file, from, to);
        policy(&["check", &folder]).refused(&[said]);
    }
    policy(&["check", "/nonexistent/policies"]).refused(&["/nonexistent/policies"]);
}

#[test]
fn mandates_and_reviewers_are_appointed_listed_and_ended() {
    let temp = temp();
    let dir = temp.path().join("data");
    let run = |arguments: &[&str]| knik(&dir, arguments);
    run(&["organisation", "add", "min-low", "--name", "Ministerie"]).ok();
    for command in ["mandate", "reviewer"] {
        let add = |more: &[&str]| {
            let asked = [command, "add", "--organisation", "min-low", "--issuer", "https://login.example"];
            run(&[&asked[..], &["--subject", "directeur-1"], more].concat())
        };
        let whole = ["--document", "besluit 2026-12", "--until", "2099-01-01T00:00:00Z"];
        let made = add(&[&whole[..], &["--json"]].concat()).ok().json();
        let id = made["id"].as_str().unwrap().to_owned();
        assert!(
            !made.to_string().contains("directeur-1"),
            "the catalogue's answer knows a pseudonym: {made}"
        );
        assert!(add(&whole).ok().out.contains("holds until 2099-01-01"));
        add(&["--document", "x", "--until", "2001-01-01T00:00:00Z"]).refused(&["2001-01-01", "past"]);
        add(&["--document", " ", "--until", "2099-01-01T00:00:00Z"]).refused(&["--document"]);
        add(&[&whole[..], &["--channel", "no-such-channel"]].concat()).refused(&["no-such-channel"]);
        let listed = run(&[command, "list"]).ok().out;
        assert!(listed.contains(&id) && listed.contains("besluit 2026-12"), "{listed}");
        run(&[command, "end", &id]).ok();
        run(&[command, "end", &id]).refused(&["not there"]);
        let listed = run(&[command, "list", "--json"]).ok().json();
        let ended = listed.as_array().unwrap().iter().find(|one| one["id"] == id.as_str()).unwrap();
        assert!(ended["endedAt"].is_string(), "{listed}");
    }
    run(&["verify"]).ok();
}
