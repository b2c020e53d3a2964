//! On the command line: receipts of decisions that hold offline, lists of the letter system, reports, comparisons.

use super::backup::{Kept, opened};
use super::fixture::{canaries, demo, holds_no_canary, knik, temp, write};
use serde_json::{Value, json};
use std::fs;

const WHO: [&str; 4] = ["--organisation", "min-low", "--reviewer", "registrator-1"];

fn ask(arguments: &[&str]) -> Value {
    demo().json(&[arguments, WHO.as_slice()].concat())
}

/// A reaction that the ministry archives.
fn reaction() -> String {
    let decided = demo().json(&["decisions", "--organisation", "min-low", "--outcome", "archive"]);
    let records = decided["records"].as_array().unwrap().iter().map(|one| &one["record"]);
    let mut others = records.filter(|record| record["own"] == false && record["kind"] == "reaction");
    others.next_back().unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_receipt_of_a_decision_holds_where_nothing_else_of_the_archive_is() {
    let (service, folder) = (demo(), temp());
    let receipt = service.json(&["receipt", "--record", &reaction()]);
    let file = write(folder.path(), "receipt.json", receipt.to_string().as_bytes());
    let key = fs::read_to_string(service.dir.join("ledger-keys.txt")).unwrap();
    let keys = write(folder.path(), "keys.txt", key.as_bytes());
    let nowhere = folder.path().join("nowhere");
    let verified = knik(&nowhere, &["verify", "--receipt", &file, "--key", &keys, "--json"]).ok().json();
    assert_eq!(json!([verified["holds"], verified["statement"]["outcome"]]), json!([true, "archive"]));
    let told = knik(&nowhere, &["verify", "--receipt", &file, "--key", &keys]).ok().out;
    assert!(told.contains("commits to this decision") && told.contains("by rules alone"), "{told}");
    holds_no_canary(&receipt.to_string(), "a receipt of a decision");
    let mut forged = receipt;
    forged["statement"]["outcome"] = "do_not_archive".into();
    let file = write(folder.path(), "forged.json", forged.to_string().as_bytes());
    knik(&nowhere, &["verify", "--receipt", &file, "--key", &keys])
        .refused(&["does NOT hold", "does not commit to this statement"]);
    let absent = ["receipt", "--record", "0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11"];
    service.run(&absent).refused(&["is not there"]);
}

#[test]
fn a_list_of_the_letter_system_is_tried_told_its_faults_and_taken_in() {
    let (record, folder) = (reaction(), temp());
    let list =
        format!("record;system;case_number;registered_on;taken_over\n{record};post;P-1;2026-03-09;tekst\n");
    let good = write(folder.path(), "good.csv", list.as_bytes());
    let bad = write(folder.path(), "bad.csv", list.replace("2026-03-09", "gisteren").as_bytes());
    let refused = demo().run(&[["letter", "import", &bad].as_slice(), WHO.as_slice()].concat());
    refused.refused(&["row 2", "registered_on", "write one such as"]);
    let tried = ask(&["letter", "import", &good, "--dry-run"]);
    assert_eq!(json!([tried["rows"], tried["linked"], tried["dryRun"]]), json!([1, 1, true]));
    let taken = ask(&["letter", "import", &good]);
    assert_eq!(taken["linked"], 1, "{taken}");
    let found = ask(&["letter", "find", "--system", "post", "--case", "P-1"]);
    assert_eq!(found["letters"][0]["record"], record.as_str());
    let of_record = ask(&["letter", "find", "--record", &record]);
    assert_eq!(of_record["case"]["caseNumber"], "P-1", "{of_record}");
    let confirmed = ask(&["letter", "confirm", "--system", "post", "--case", "P-1", "--on", "2026-03-10"]);
    assert_eq!(confirmed["confirmed"], 1);
}

#[test]
fn formal_messages_are_listed_and_those_overdue() {
    for which in [["formal", "list", "--all"].as_slice(), ["formal", "overdue"].as_slice()] {
        let listed = ask(which);
        assert!(listed["messages"].is_array(), "{listed}");
        holds_no_canary(&listed.to_string(), "a list of formal messages");
    }
}

#[test]
fn reports_and_comparisons_tell_figures_and_nothing_else() {
    let (service, folder) = (demo(), temp());
    let page = folder.path().join("compare.html");
    let report = ["--organisation", "min-low", "--period", "2020-01-01..2030-01-01"];
    let figures = ["figures", "sentiment", "--organisation", "min-low", "--period"];
    let sentiment = service.json(&[figures.as_slice(), ["2026-03"].as_slice()].concat());
    assert!(sentiment["method"].as_str().unwrap().starts_with("knik-words"), "{sentiment}");
    assert!(sentiment["measured"]["texts"].as_u64().unwrap() >= 80);
    let acted = service.json(&[["figures", "acted-on"].as_slice(), report.as_slice()].concat());
    assert!(acted["questions"].as_u64().unwrap() > 0, "{acted}");
    let trees =
        ["compare", "--organisation", "min-low", "--trees", "archive-whole,reactions-off", "--plans", "all"];
    let written = [trees.as_slice(), ["--html", page.to_str().unwrap(), "--redetect"].as_slice()].concat();
    let compared = service.json(&written);
    assert_eq!(compared["redetected"]["records"], compared["records"], "{compared}");
    assert!(compared["columns"][0]["shown"]["researcher"].is_object(), "{compared}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("spans of personal data kept") && page.contains("shown by plan public"));
    assert!(!canaries().is_empty());
    for (text, what) in [
        (sentiment.to_string(), "sentiment"),
        (acted.to_string(), "acted on"),
        (compared.to_string(), "compare"),
        (page, "page"),
    ] {
        holds_no_canary(&text, what);
    }
    let refused = |period, why| service.run(&[figures.as_slice(), &[period]].concat()).refused(&[why]);
    refused("vorige maand", "write FROM..UNTIL");
    refused("2026-03-01..2026-03-20", "no whole month and no whole quarter");
}

#[tokio::test]
async fn what_waits_to_be_decided_when_a_process_ends_is_decided_when_the_folder_is_opened() {
    let kept = Kept::new();
    let folder = opened(&kept.folder.dir).await;
    let waits = "INSERT INTO decide_anew (record, cause) SELECT id, 'answered' FROM record_row";
    let database = folder.archive.catalogue.database().clone();
    assert!(sqlx::query(waits).execute(database.write()).await.unwrap().rows_affected() > 0);
    drop(folder);
    database.close().await;
    kept.folder.run(&["status"]).ok();
    let folder = opened(&kept.folder.dir).await;
    assert_eq!(folder.archive.catalogue.waiting_anew(None, 10).await.unwrap(), []);
}
