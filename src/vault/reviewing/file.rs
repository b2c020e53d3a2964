//! The file in which an external agency hands over what its people assessed: CSV with a heading, or a JSON object a line. A line
//! says one thing of one item by one person at one moment. Pure: bytes in, lines or every fault out.

use crate::model::{EntityType, ExemptionCode, FindingVerdict, PrivateText, Timestamp, VersionId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Which form the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// A table with a heading, separated by `,` or `;`.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl FromStr for FileForm {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err("the form of the file must be csv or jsonl".to_owned()),
        }
    }
}

/// One thing that one person said.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Where in the file, from 1; of a table the heading is row 1.
    pub row: usize,
    /// Of which item.
    pub item: VersionId,
    /// The issuer of the person's tokens; that of the whole file when none is named.
    pub issuer: Option<String>,
    /// Who, as the subject of their tokens.
    pub reviewer: String,
    /// When they said it.
    pub at: Timestamp,
    /// What.
    pub said: LineSaid,
    /// Why, in words.
    pub reason: PrivateText,
    /// The weighing of interests.
    pub weighing: PrivateText,
    /// How many seconds the whole item took, if that is told.
    pub seconds: Option<u32>,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub enum LineSaid {
    /// An answer to a step: `yes`, `no` or `unsure`.
    Step {
        /// Which step.
        step: String,
        /// The answer.
        answer: String,
    },
    /// A verdict on a finding that is there.
    Finding {
        /// Its id.
        id: String,
        /// `confirm` or `reject`.
        verdict: FindingVerdict,
        /// Under which exemption, when it is another one than the recogniser's.
        exemption: Option<ExemptionCode>,
    },
    /// Every finding that is not named is confirmed.
    Rest,
    /// A redaction that was missed.
    Added {
        /// As the words themselves; or
        words: Option<PrivateText>,
        /// in which passage, from and to which code point.
        at: Option<(usize, usize, usize)>,
        /// What it is.
        entity: EntityType,
        /// Why it is redacted.
        exemption: ExemptionCode,
    },
    /// The item was looked at, and nothing is missing.
    NothingMissed,
}

/// What is wrong with a file, where, and the mend. Holds no free text of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The row, from 1.
    pub row: usize,
    /// The column; none when the row as a whole cannot be read.
    pub column: Option<&'static str>,
    /// What is wrong, and the mend.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "row {}, column `{column}`: {}", self.row, self.what),
            None => write!(f, "row {}: {}", self.row, self.what),
        }
    }
}

/// Columns, in the order of the documentation.
pub const COLUMNS: [&str; 16] = [
    "item",
    "issuer",
    "reviewer",
    "at",
    "asked",
    "answer",
    "finding",
    "passage",
    "start",
    "end",
    "words",
    "type",
    "exemption",
    "reason",
    "weighing",
    "seconds",
];

/// Most lines of one file.
pub const LINES_MAX: usize = 20_000;
/// Most faults that are told at once.
pub const FAULTS_MAX: usize = 100;

/// Reads a file whole: every line, or every fault (the first hundred).
///
/// # Errors
/// The faults, in the order of the file.
pub fn read(form: FileForm, bytes: &[u8]) -> Result<Vec<Line>, Vec<Fault>> {
    let whole = |what: &str| vec![Fault { row: 1, column: None, what: what.to_owned() }];
    let text = std::str::from_utf8(bytes).map_err(|_| whole("the file is not UTF-8; save it as UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = match form {
        FileForm::Csv => table(text)?,
        FileForm::Jsonl => objects(text)?,
    };
    if rows.is_empty() {
        return Err(whole("the file holds no assessment"));
    }
    if rows.len() > LINES_MAX {
        return Err(whole("the file holds too many lines; split it into files of 20000 at the most"));
    }
    let (mut lines, mut faults) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let mut reader = Reader { row, faults: &mut faults };
        lines.extend(reader.line());
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

/// A row: where it stands, and its values by column. Empty values are not there.
struct Row {
    number: usize,
    values: BTreeMap<&'static str, String>,
}

fn column(name: &str) -> Option<&'static str> {
    COLUMNS.into_iter().find(|column| *column == name)
}

fn table(text: &str) -> Result<Vec<Row>, Vec<Fault>> {
    let first = text.lines().next().unwrap_or_default();
    let mark = if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' };
    let mut records = records(text, mark).into_iter();
    let fault = |row, what: String| vec![Fault { row, column: None, what }];
    let (_, heading) = records.next().ok_or_else(|| fault(1, "the file is empty".to_owned()))?;
    let mut names = Vec::with_capacity(heading.len());
    for name in &heading {
        let known = column(name.trim()).ok_or_else(|| {
            let name: String = name.trim().chars().take(40).collect();
            fault(1, format!("column `{name}` is not known; the columns are: {}", COLUMNS.join(", ")))
        })?;
        if names.contains(&known) {
            return Err(fault(1, format!("column `{known}` stands twice; remove one")));
        }
        names.push(known);
    }
    let mut rows = Vec::new();
    for (number, fields) in records {
        if fields.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        if fields.len() > names.len() {
            let what = format!(
                "{} values under a heading of {}; quote values that hold `{mark}`",
                fields.len(),
                names.len()
            );
            return Err(fault(number, what));
        }
        let values = names.iter().zip(fields).filter(|(_, value)| !value.trim().is_empty());
        rows.push(Row { number, values: values.map(|(name, value)| (*name, value)).collect() });
    }
    Ok(rows)
}

/// The records of a table (RFC 4180), each with the number of its first line.
fn records(text: &str, mark: char) -> Vec<(usize, Vec<String>)> {
    let (mut all, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut began, mut line) = (false, 1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '\n' | '\r' if !quoted => {
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                fields.push(std::mem::take(&mut field));
                all.push((began, std::mem::take(&mut fields)));
                line += 1;
                began = line;
            }
            c if c == mark && !quoted => fields.push(std::mem::take(&mut field)),
            c => {
                line += usize::from(c == '\n');
                field.push(c);
            }
        }
    }
    if !field.is_empty() || !fields.is_empty() {
        fields.push(field);
        all.push((began, fields));
    }
    all
}

fn objects(text: &str) -> Result<Vec<Row>, Vec<Fault>> {
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fault = |what: String| vec![Fault { row: at + 1, column: None, what }];
        let read: Result<BTreeMap<String, Value>, _> = serde_json::from_str(line);
        let read = read.map_err(|_| fault("this is no JSON object; write one object a line".to_owned()))?;
        let mut values = BTreeMap::new();
        for (name, value) in read {
            let known = column(&name).ok_or_else(|| {
                let name: String = name.chars().take(40).collect();
                fault(format!("`{name}` is not known; the names are: {}", COLUMNS.join(", ")))
            })?;
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return Err(fault(format!("`{known}` must be a text or a number"))),
            };
            if !value.trim().is_empty() {
                values.insert(known, value);
            }
        }
        rows.push(Row { number: at + 1, values });
    }
    Ok(rows)
}

struct Reader<'f> {
    row: Row,
    faults: &'f mut Vec<Fault>,
}

impl Reader<'_> {
    fn line(&mut self) -> Option<Line> {
        let before = self.faults.len();
        let item: Option<VersionId> =
            self.needed("item", "the id of the item, as `knik queue list` gives it");
        let reviewer: Option<String> = self.needed("reviewer", "the subject of the reviewer's tokens");
        let at: Option<Timestamp> = self.needed("at", "a time such as 2026-03-09T10:15:00Z");
        let said = self.said();
        let seconds: Option<u32> = self.given("seconds", "a whole number of seconds");
        if self.faults.len() > before {
            return None;
        }
        Some(Line {
            row: self.row.number,
            item: item?,
            issuer: self.row.values.remove("issuer"),
            reviewer: reviewer?.trim().to_owned(),
            at: at?,
            said: said?,
            reason: PrivateText::new(self.row.values.remove("reason").unwrap_or_default()),
            weighing: PrivateText::new(self.row.values.remove("weighing").unwrap_or_default()),
            seconds,
        })
    }

    fn said(&mut self) -> Option<LineSaid> {
        let asked: String = self.needed("asked", "a step of the tree, `finding` or `missed`")?;
        match asked.trim() {
            "finding" => self.finding(),
            "missed" => match self.row.values.get("answer").map(|answer| answer.trim()) {
                Some("no") => Some(LineSaid::NothingMissed),
                _ => self.fault("answer", "must be `no`; what was missed is a `finding` with answer `add`"),
            },
            step => {
                let step = step.to_owned();
                let answer: String = self.needed("answer", "yes, no or unsure")?;
                if !["yes", "no", "unsure"].contains(&answer.trim()) {
                    return self.fault("answer", "must be yes, no or unsure");
                }
                Some(LineSaid::Step { step, answer: answer.trim().to_owned() })
            }
        }
    }

    fn finding(&mut self) -> Option<LineSaid> {
        let verdict: FindingVerdict = self.needed("answer", "confirm, reject or add")?;
        if verdict == FindingVerdict::Add {
            return self.added();
        }
        let id: String =
            self.needed("finding", "the id of a finding, or `rest` to confirm every other one")?;
        let id = id.trim().to_owned();
        if id == "rest" {
            return match verdict {
                FindingVerdict::Confirm => Some(LineSaid::Rest),
                _ => self.fault("finding", "`rest` can be confirmed only"),
            };
        }
        let exemption: Option<ExemptionCode> = self.given("exemption", "a code such as woo-5.1.2e");
        Some(LineSaid::Finding { id, verdict, exemption })
    }

    fn added(&mut self) -> Option<LineSaid> {
        let entity: Option<EntityType> = self.needed("type", "a type such as PERSON");
        let exemption: Option<ExemptionCode> = self.needed("exemption", "a code such as woo-5.1.2e");
        let words = self.row.values.remove("words").map(PrivateText::new);
        let number = "a whole number";
        let place: [Option<usize>; 3] = ["passage", "start", "end"].map(|column| self.given(column, number));
        let at = match place {
            [passage, Some(start), Some(end)] => Some((passage.unwrap_or(0), start, end)),
            _ => None,
        };
        if words.is_some() == at.is_some() {
            return self.fault(
                "words",
                "name either the words that were missed, or `start` and `end` (and `passage`)",
            );
        }
        Some(LineSaid::Added { words, at, entity: entity?, exemption: exemption? })
    }

    /// A value that must be there.
    fn needed<T: FromStr>(&mut self, column: &'static str, expected: &str) -> Option<T> {
        if !self.row.values.contains_key(column) {
            return self.fault(column, &format!("is missing; write {expected}"));
        }
        self.given(column, expected)
    }

    /// A value that may be there.
    fn given<T: FromStr>(&mut self, column: &'static str, expected: &str) -> Option<T> {
        let given = self.row.values.get(column)?;
        match given.trim().parse() {
            Ok(value) => Some(value),
            Err(_) => {
                let given: String = given.trim().chars().take(40).filter(|c| !c.is_control()).collect();
                self.fault(column, &format!("`{given}` cannot be used; write {expected}"))
            }
        }
    }

    fn fault<T>(&mut self, column: &'static str, what: &str) -> Option<T> {
        self.faults.push(Fault { row: self.row.number, column: Some(column), what: what.to_owned() });
        None
    }
}

#[cfg(test)]
mod tests {
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
        let strip =
            |lines: Vec<Line>| lines.into_iter().map(|line| Line { row: 0, ..line }).collect::<Vec<_>>();
        assert_eq!(strip(csv), strip(jsonl));
    }

    #[test]
    fn every_fault_is_told_with_row_column_and_mend() {
        let csv = format!(
            "item,reviewer,at,asked,answer,finding,exemption\n\
             x,jan,2026-03-09T10:15:00Z,question,maybe,,\n\
             {ITEM},,gisteren,question,yes,,\n\
             {ITEM},jan,2026-03-09T10:15:00Z,finding,reject,rest,\n\
             {ITEM},jan,2026-03-09T10:15:00Z,finding,add,,WOO\n"
        );
        let told = faults(FileForm::Csv, &csv);
        for expected in [
            "row 2, column `item`: `x` cannot be used",
            "row 2, column `answer`: must be yes, no or unsure",
            "row 3, column `reviewer`: is missing",
            "row 3, column `at`: `gisteren` cannot be used; write a time such as",
            "row 4, column `finding`: `rest` can be confirmed only",
            "row 5, column `type`: is missing",
            "row 5, column `exemption`: `WOO` cannot be used",
            "row 5, column `words`: name either",
        ] {
            assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
        }
        assert_eq!(
            faults(FileForm::Csv, "item,nonsense\n"),
            [format!("row 1: column `nonsense` is not known; the columns are: {}", COLUMNS.join(", "))]
        );
        assert!(faults(FileForm::Csv, "item,item\n")[0].contains("twice"));
        assert!(faults(FileForm::Csv, "item\n")[0].contains("no assessment"));
        assert!(faults(FileForm::Csv, &format!("item\n{ITEM},x\n"))[0].contains("row 2: 2 values"));
        assert!(faults(FileForm::Jsonl, "{}\nnonsense\n")[0].contains("row 2: this is no JSON object"));
        assert!(faults(FileForm::Jsonl, "{\"item\":[1]}")[0].contains("must be a text or a number"));
        assert!(read(FileForm::Csv, &[0xff]).unwrap_err()[0].what.contains("UTF-8"));
    }

    #[test]
    fn free_text_is_in_no_fault() {
        let csv = "item,words,reason,weighing\nx,Kwispelaar,Kwispelaar,Kwispelaar\n";
        assert!(!faults(FileForm::Csv, csv).join(" ").contains("Kwispelaar"));
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
}
