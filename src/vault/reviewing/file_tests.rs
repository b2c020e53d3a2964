//! The file of an agency: both forms, every fault with its place, and nothing of what stands there.

use super::*;
use proptest::prelude::*;

const ITEM: &str = "0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11";

fn faults(form: FileForm, text: &str) -> Vec<String> {
    read(form, text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn both_forms_say_the_same() {
    let csv = format!(
        "item;reviewer;at;asked;answer;finding;words;type;exemption;reason;seconds\r\n\
         {ITEM};jan;2026-03-09T10:15:00Z;question;yes;;;;;;40\r\n\
         {ITEM};jan;2026-03-09T10:15:00Z;finding;confirm;rest;;;;;\r\n\
         {ITEM};jan;2026-03-09T10:15:00Z;finding;add;;\"Vos; zei \"\"hij\"\"\";PERSON;woo-5.1.2e;\"een\nnaam\";\r\n"
    );
    let line = |rest: &str| {
        format!("{{\"item\":\"{ITEM}\",\"reviewer\":\"jan\",\"at\":\"2026-03-09T10:15:00Z\",{rest}}}\n")
    };
    let jsonl = line("\"asked\":\"question\",\"answer\":\"yes\",\"seconds\":40")
        + &line("\"asked\":\"finding\",\"answer\":\"confirm\",\"finding\":\"rest\"")
        + &line(
            "\"asked\":\"finding\",\"answer\":\"add\",\"words\":\"Vos; zei \\\"hij\\\"\",\"type\":\"PERSON\",\
             \"exemption\":\"woo-5.1.2e\",\"reason\":\"een\\nnaam\"",
        );
    let csv = read(FileForm::Csv, csv.as_bytes()).unwrap();
    let jsonl = read(FileForm::Jsonl, jsonl.as_bytes()).unwrap();
    assert_eq!(csv.iter().map(|line| line.row).collect::<Vec<_>>(), [2, 3, 4]);
    let strip = |lines: Vec<Line>| lines.into_iter().map(|line| Line { row: 0, ..line }).collect::<Vec<_>>();
    assert_eq!(strip(csv), strip(jsonl));
}

#[test]
fn every_fault_is_told_with_row_column_and_mend() {
    let csv = format!(
        "item,reviewer,at,asked,answer,finding,exemption,seconds\n\
         x,jan,2026-03-09T10:15:00Z,question,maybe,,,\n\
         {ITEM},,gisteren,question,yes,,,\n\
         {ITEM},jan,2026-03-09T10:15:00Z,finding,reject,rest,,\n\
         {ITEM},jan,2026-03-09T10:15:00Z,finding,add,,WOO,\n\
         {ITEM},jan,2026-03-09T10:15:00Z,finding,reject,Kwispelaar,,\n\
         {ITEM},jan,2026-03-09T10:15:00Z,question,yes,rest,,\n\
         {ITEM},jan,2026-03-09T10:15:00Z,missed,no,,,lang\n"
    );
    let told = faults(FileForm::Csv, &csv);
    for expected in [
        "row 2, column `item`: cannot be used; write the id of the item",
        "row 2, column `answer`: must be yes, no or unsure",
        "row 3, column `reviewer`: is missing",
        "row 3, column `at`: cannot be used; write a time such as",
        "row 4, column `finding`: `rest` can be confirmed only",
        "row 5, column `type`: is missing",
        "row 5, column `exemption`: cannot be used",
        "row 5, column `words`: name either",
        "row 6, column `finding`: is no id of a finding",
        "row 7, column `finding`: does not go with what is asked here",
        "row 8, column `seconds`: cannot be used",
    ] {
        assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
    }
    assert!(faults(FileForm::Csv, "item,reviewer,at,asked\n")[0].contains("no assessment"));
    assert!(
        faults(FileForm::Csv, "item,reviewer,at\n")[0].contains("column `asked`: this column is missing")
    );
    let twice = format!("{{\"item\":\"{ITEM}\",\"item\":\"{ITEM}\"}}");
    for (text, expected) in [
        ("{}\nnonsense\n[1]\n", "row 2: this is no JSON object"),
        ("{\"item\":[1]}", "row 1, column `item`: must be a text or a number"),
        (twice.as_str(), "row 1, column `item`: stands twice"),
        ("{\"item\":\"x\",\"naam\":\"x\"}", "row 1: name 2 is not known; the names are: item, reviewer"),
    ] {
        let told = faults(FileForm::Jsonl, text);
        assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
    }
    assert_eq!(faults(FileForm::Jsonl, "nonsense\nnonsense\n").len(), 2, "every line is told");
    assert!(read(FileForm::Jsonl, b"{}\n\xff").unwrap_err()[0].to_string().starts_with("row 2: not UTF-8"));
}

#[test]
fn no_row_is_swallowed() {
    let row = |rest: &str| format!("{ITEM},jan,2026-03-09T10:15:00Z,question,yes,{rest}\n");
    let heading = "item,reviewer,at,asked,answer,reason\n";
    let two = format!("{heading}{}{}", row(""), row(""));
    assert_eq!(read(FileForm::Csv, two.as_bytes()).unwrap().len(), 2);
    for (first, expected) in [
        ("\"open", "row 2: a quote is opened and not closed"),
        ("een \"woord\" meer", "row 2: a quote in the middle"),
        ("\"woord\" meer", "row 2: text behind a closing quote"),
        ("een, twee", "row 2: 7 fields where the heading has 6"),
    ] {
        let told = faults(FileForm::Csv, &format!("{heading}{}{}", row(first), row("")));
        assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
    }
    let short = format!("{heading}{ITEM},jan\n{}", row(""));
    assert_eq!(faults(FileForm::Csv, &short), ["row 2: 2 fields where the heading has 6"]);
}

#[test]
fn nothing_that_stands_in_a_file_is_in_a_fault() {
    let word = "Kwispelaar";
    for column in columns() {
        let csv = format!("item,reviewer,at,asked,answer,words\n{word},{word},{word},{word},{word},{word}\n");
        assert!(!faults(FileForm::Csv, &csv).join(" ").contains(word));
        for asked in ["question", "finding", "missed"] {
            let text = format!("{{\"{column}\":\"{word}\",\"asked\":\"{asked}\",\"answer\":\"add\"}}");
            assert!(!faults(FileForm::Jsonl, &text).join(" ").contains(word), "{column}, {asked}");
        }
    }
    assert!(!faults(FileForm::Csv, &format!("item,{word}\n")).join(" ").contains(word));
    assert!(!faults(FileForm::Jsonl, &format!("{{\"{word}\":1}}")).join(" ").contains(word));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let form = if json { FileForm::Jsonl } else { FileForm::Csv };
        if let Err(faults) = read(form, &bytes) {
            prop_assert!(!faults.is_empty());
        }
    }
}
