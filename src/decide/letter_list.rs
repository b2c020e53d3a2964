//! Links to the letter system and its confirmations, as that system exports them (CSV).

use super::strict_table::{TableFault, TableRow, read_table};
use crate::model::{PrivateText, RecordId};
use std::collections::HashSet;
use std::fmt;

/// Columns that must be there.
pub const LETTER_COLUMNS: &[&str] = &["system", "case_number"];
/// Columns that may be there. A row with a record links it; a row without one confirms a case that is linked already.
pub const LETTER_COLUMNS_OPTIONAL: &[&str] =
    &["record", "registered_on", "registrar", "taken_over", "confirmed_on", "confirmation"];

/// The longest text in a field, in characters.
const CHARS_MAX: usize = 500;

/// One row of the list.
pub struct LetterLine {
    /// Which row.
    pub row: usize,
    /// Which record is linked; none: the case is confirmed only.
    pub record: Option<RecordId>,
    /// Which letter system.
    pub system: String,
    /// Its case number.
    pub case_number: PrivateText,
    /// The day it was registered there.
    pub registered_on: Option<jiff::civil::Date>,
    /// Who registered it there.
    pub registrar: PrivateText,
    /// What was taken over.
    pub taken_over: String,
    /// When that system confirmed.
    pub confirmed_on: Option<jiff::civil::Date>,
    /// What it said.
    pub confirmation: String,
}

impl fmt::Debug for LetterLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LetterLine({} {:?})", self.row, self.record)
    }
}

/// Reads a list.
///
/// # Errors
/// Every fault with row, column and mend; then nothing of the list is to be used.
pub fn read_letters(bytes: &[u8]) -> Result<Vec<LetterLine>, Vec<TableFault>> {
    let rows = read_table(bytes, LETTER_COLUMNS, LETTER_COLUMNS_OPTIONAL)?;
    let (mut lines, mut faults, mut linked) = (Vec::new(), Vec::new(), HashSet::new());
    for row in rows {
        let found = faults.len();
        let line = line(row, &mut faults);
        if faults.len() > found {
            continue;
        }
        if line.record.is_some_and(|record| !linked.insert(record)) {
            faults.push(TableFault::new(
                line.row,
                "record",
                "linked in an earlier row too; keep one of them",
            ));
        }
        lines.push(line);
    }
    faults.truncate(100);
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

fn line(row: TableRow, faults: &mut Vec<TableFault>) -> LetterLine {
    let number = row.number;
    let mut fields = row.fields.into_iter();
    let mut next = || fields.next().unwrap_or_default();
    let (system, case_number, record) = (next(), next(), next());
    let (registered_on, registrar, taken_over) = (next(), next(), next());
    let (confirmed_on, confirmation) = (next(), next());
    let mut fault = |column: &str, mend: &str| faults.push(TableFault::new(number, column, mend));
    for (column, field) in [("system", &system), ("case_number", &case_number)] {
        if field.is_empty() {
            fault(column, "empty; fill it in");
        }
    }
    let all = [
        ("system", &system),
        ("case_number", &case_number),
        ("registrar", &registrar),
        ("taken_over", &taken_over),
        ("confirmation", &confirmation),
    ];
    for (column, field) in all {
        if field.chars().count() > CHARS_MAX || field.chars().any(char::is_control) {
            fault(column, "longer than 500 characters, or with a line end or control character; shorten it");
        }
    }
    let linked = !record.is_empty();
    let record = record.parse::<RecordId>().ok();
    if linked && record.is_none() {
        fault(
            "record",
            "no id of a record; write the id as Knik shows it, or leave it empty to confirm a case",
        );
    }
    let mut day = |column: &str, given: &str| {
        let read = read_day(given);
        if read.is_none() && !given.is_empty() {
            fault(column, "no date; write one such as 2026-03-09 or 09-03-2026");
        }
        read
    };
    let (registered, confirmed) = (day("registered_on", &registered_on), day("confirmed_on", &confirmed_on));
    if linked && registered_on.is_empty() {
        fault("registered_on", "empty; a link names the day on which it was registered");
    }
    if linked && taken_over.is_empty() {
        fault("taken_over", "empty; say what was taken over, such as `text and sender`");
    }
    if !linked && confirmed_on.is_empty() {
        fault("confirmed_on", "empty; a row without a record confirms a case, and names the day");
    }
    LetterLine {
        row: number,
        record,
        system,
        case_number: PrivateText::new(case_number),
        registered_on: registered,
        registrar: PrivateText::new(registrar),
        taken_over,
        confirmed_on: confirmed,
        confirmation,
    }
}

/// `2026-03-09`, or as Dutch spreadsheets write it `09-03-2026`.
fn read_day(given: &str) -> Option<jiff::civil::Date> {
    if let Ok(day) = given.parse::<jiff::civil::Date>() {
        return Some(day);
    }
    let mut parts = given.split(['-', '/']);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let sound = parts.next().is_none() && year.len() == 4;
    jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok().filter(|_| sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11";

    #[test]
    fn links_and_confirmations_are_read() {
        let list = format!(
            "record;system;case_number;registered_on;registrar;taken_over;confirmed_on;confirmation\n\
             {RECORD};brieven;B-17;09-03-2026;R. Voorbeeld;tekst;;\n;brieven;B-18;;;;2026-03-10;ontvangen\n"
        );
        let lines = read_letters(list.as_bytes()).unwrap();
        let [link, confirmed] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(link.record.unwrap().to_string(), RECORD);
        assert_eq!(link.registered_on.unwrap().to_string(), "2026-03-09");
        assert_eq!(link.case_number.expose(), "B-17");
        assert!(confirmed.record.is_none() && confirmed.confirmed_on.is_some());
        assert_eq!(confirmed.confirmation, "ontvangen");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let list = format!(
            "system,case_number,record,registered_on,taken_over\n,B-1,{RECORD},2026-03-09,tekst\n\
             b,,x,2026-13-01,\nb,B-3,,,\nb,B-4,{RECORD},,tekst\nb,B-5,{RECORD},2026-03-09,tekst\n\
             b,B-6,{RECORD},2026-03-09,tekst\n"
        );
        let faults = read_letters(list.as_bytes()).unwrap_err();
        let at: Vec<(usize, &str)> = faults.iter().map(|fault| (fault.row, fault.column.as_str())).collect();
        assert_eq!(
            at,
            [
                (2, "system"),
                (3, "case_number"),
                (3, "record"),
                (3, "registered_on"),
                (3, "taken_over"),
                (4, "confirmed_on"),
                (5, "registered_on"),
                (7, "record"),
            ]
        );
        assert!(faults.iter().all(|fault| !fault.to_string().contains("B-")), "{faults:?}");
    }
}
