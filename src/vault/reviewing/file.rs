//! The file in which an external agency hands over what its people assessed: CSV with a heading, or a JSON object a line. A line
//! says one thing of one item by one person at one moment. Pure: bytes in, lines or every fault out.

use crate::decide::{TableFault, TableRow, read_table};
use crate::model::{EntityType, ExemptionCode, FindingVerdict, PrivateText, Timestamp, VersionId};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Which form the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// A table with a heading, separated by `,`, `;` or tabs.
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

/// Columns that every file has.
pub const COLUMNS: [&str; 4] = ["item", "reviewer", "at", "asked"];
/// Columns that it may have, in the order of the documentation.
pub const COLUMNS_OPTIONAL: [&str; 12] = [
    "issuer",
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

/// Reads a file whole: every line, or every fault (the first hundred). A fault says where and what to write, never what stands
/// there.
///
/// # Errors
/// The faults, in the order of the file. A value that does not go with what its row says is one too: nothing is passed over.
pub fn read(form: FileForm, bytes: &[u8]) -> Result<Vec<Line>, Vec<TableFault>> {
    let whole = |mend: &str| vec![TableFault::new(1, "", mend)];
    let rows = match form {
        FileForm::Csv => table(bytes)?,
        FileForm::Jsonl => objects(bytes)?,
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

fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().chain(COLUMNS_OPTIONAL)
}

fn table(bytes: &[u8]) -> Result<Vec<Row>, Vec<TableFault>> {
    let rows = read_table(bytes, &COLUMNS, &COLUMNS_OPTIONAL)?;
    let row = |row: TableRow| {
        let values = columns().zip(row.fields).filter(|(_, value)| !value.is_empty());
        Row { number: row.number, values: values.collect() }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// The members of an object as they stand: one that stands twice is there twice.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Each)
    }
}

fn objects(bytes: &[u8]) -> Result<Vec<Row>, Vec<TableFault>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let row = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        vec![TableFault::new(row, "", "not UTF-8; save the file as UTF-8")]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines {
        match object(number, line) {
            Ok(row) => rows.push(row),
            Err(fault) => faults.push(fault),
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

fn object(number: usize, line: &str) -> Result<Row, TableFault> {
    let fault = |column: &str, mend: &str| Err(TableFault::new(number, column, mend));
    let Ok(Members(members)) = serde_json::from_str(line) else {
        return fault("", "this is no JSON object; write one object a line");
    };
    let mut values = BTreeMap::new();
    for (at, (name, value)) in (1..).zip(members) {
        let Some(known) = columns().find(|column| *column == name) else {
            let all = columns().collect::<Vec<_>>().join(", ");
            return fault("", &format!("name {at} is not known; the names are: {all}"));
        };
        let value = match value {
            Value::Null => String::new(),
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return fault(known, "must be a text or a number"),
        };
        if values.insert(known, value).is_some() {
            return fault(known, "stands twice; write it once");
        }
    }
    values.retain(|_, value| !value.is_empty());
    Ok(Row { number, values })
}

struct Reader<'f> {
    row: Row,
    faults: &'f mut Vec<TableFault>,
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
        let [issuer, reason, weighing] =
            ["issuer", "reason", "weighing"].map(|column| self.row.values.remove(column));
        if self.faults.len() == before {
            let beside: Vec<&'static str> = self.row.values.keys().copied().collect();
            for column in beside {
                let _none: Option<()> =
                    self.fault(column, "does not go with what is asked here; leave it empty");
            }
        }
        if self.faults.len() > before {
            return None;
        }
        Some(Line {
            row: self.row.number,
            item: item?,
            issuer,
            reviewer: reviewer?,
            at: at?,
            said: said?,
            reason: PrivateText::new(reason.unwrap_or_default()),
            weighing: PrivateText::new(weighing.unwrap_or_default()),
            seconds,
        })
    }

    fn said(&mut self) -> Option<LineSaid> {
        let asked: String = self.needed("asked", "a step of the tree, `finding` or `missed`")?;
        match asked.as_str() {
            "finding" => self.finding(),
            "missed" => match self.row.values.remove("answer").as_deref() {
                Some("no") => Some(LineSaid::NothingMissed),
                _ => self.fault("answer", "must be `no`; what was missed is a `finding` with answer `add`"),
            },
            _ => {
                let answer: String = self.needed("answer", "yes, no or unsure")?;
                if !["yes", "no", "unsure"].contains(&answer.as_str()) {
                    return self.fault("answer", "must be yes, no or unsure");
                }
                Some(LineSaid::Step { step: asked, answer })
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
        if id == "rest" {
            return match verdict {
                FindingVerdict::Confirm => Some(LineSaid::Rest),
                _ => self.fault("finding", "`rest` can be confirmed only"),
            };
        }
        if id.len() != FINDING_DIGITS || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return self.fault("finding", "is no id of a finding; copy it from the item, or write `rest`");
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
        let placed = place.iter().any(Option::is_some);
        let at = match place {
            [passage, Some(start), Some(end)] => Some((passage.unwrap_or(0), start, end)),
            _ => None,
        };
        if words.is_some() == placed || placed != at.is_some() {
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

    /// A value that may be there. It is taken: what is left in the end belongs to nothing.
    fn given<T: FromStr>(&mut self, column: &'static str, expected: &str) -> Option<T> {
        let given = self.row.values.remove(column)?;
        match given.parse() {
            Ok(value) => Some(value),
            Err(_) => self.fault(column, &format!("cannot be used; write {expected}")),
        }
    }

    fn fault<T>(&mut self, column: &'static str, mend: &str) -> Option<T> {
        self.faults.push(TableFault::new(self.row.number, column, mend));
        None
    }
}

/// Length of the id of a finding.
const FINDING_DIGITS: usize = 32;

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
