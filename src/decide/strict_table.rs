//! A table that another system made (CSV), read strictly: what is wrong is told with row, column and mend, and nothing of the
//! table is used then. What stands in a field is never repeated in a fault.

use std::fmt;

/// What is wrong in a table, and the mend.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TableFault {
    /// Which row, as a spreadsheet counts: the heading is 1.
    pub row: usize,
    /// Which column, by its name; empty when it is the row as a whole.
    pub column: String,
    /// What is wrong and what to do.
    pub mend: String,
}

impl TableFault {
    /// A fault in a column of a row.
    pub fn new(row: usize, column: &str, mend: impl Into<String>) -> Self {
        Self { row, column: column.to_owned(), mend: mend.into() }
    }
}

impl fmt::Display for TableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column.as_str() {
            "" => write!(f, "row {}: {}", self.row, self.mend),
            column => write!(f, "row {}, column `{column}`: {}", self.row, self.mend),
        }
    }
}

/// One row: its number, and its fields in the order that was asked for; what is not there is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Which row, as a spreadsheet counts.
    pub number: usize,
    /// The fields, without white space around them.
    pub fields: Vec<String>,
}

/// Larger tables are refused: split them.
pub const TABLE_BYTES_MAX: usize = 8 << 20;
/// More rows are refused.
pub const TABLE_ROWS_MAX: usize = 50_000;
/// So many faults are told; a table that is wrong everywhere has one cause.
const FAULTS_MAX: usize = 100;
/// Separators that are looked for in the heading.
const DELIMITERS: [char; 3] = [';', ',', '\t'];

/// Reads a table whose first row names its columns, in any order; `required` must be among them, `optional` may be.
///
/// # Errors
/// Every fault, at most a hundred: bytes that are no UTF-8, a column that is missing, unknown or named twice, a quote that is
/// not closed or stands in the middle of a field, a row with more or fewer fields than the heading.
pub fn read_table(
    bytes: &[u8],
    required: &[&str],
    optional: &[&str],
) -> Result<Vec<TableRow>, Vec<TableFault>> {
    if bytes.len() > TABLE_BYTES_MAX {
        return Err(vec![TableFault::new(1, "", format!("larger than {TABLE_BYTES_MAX} bytes; split it"))]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let row = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        vec![TableFault::new(row, "", "not UTF-8; save the table as CSV UTF-8")]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let delimiter = delimiter(text);
    let mut rows = Rows { rest: text.chars().peekable(), delimiter, number: 1 };
    let heading = rows.row().map_err(|fault| vec![fault])?.unwrap_or_default();
    let order = columns(&heading.fields, required, optional)?;
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    loop {
        match rows.row() {
            Ok(None) => break,
            Ok(Some(row)) if row.fields.iter().all(String::is_empty) => {}
            Ok(Some(row)) if row.fields.len() != heading.fields.len() => faults.push(TableFault::new(
                row.number,
                "",
                format!("{} fields where the heading has {}", row.fields.len(), heading.fields.len()),
            )),
            Ok(Some(row)) => {
                let field =
                    |at: &Option<usize>| at.and_then(|at| row.fields.get(at)).cloned().unwrap_or_default();
                read.push(TableRow { number: row.number, fields: order.iter().map(field).collect() });
            }
            // Where a quote is wrong nothing behind it can be told apart.
            Err(fault) => {
                faults.push(fault);
                break;
            }
        }
        if read.len() > TABLE_ROWS_MAX || faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if read.len() > TABLE_ROWS_MAX {
        faults.push(TableFault::new(1, "", format!("more than {TABLE_ROWS_MAX} rows; split it")));
    }
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// The separator that the heading has most of.
fn delimiter(text: &str) -> char {
    let heading = text.lines().next().unwrap_or_default();
    let count = |wanted: char| heading.chars().filter(|c| *c == wanted).count();
    DELIMITERS
        .into_iter()
        .max_by_key(|wanted| count(*wanted))
        .filter(|wanted| count(*wanted) > 0)
        .unwrap_or(',')
}

/// Where each wanted column stands.
fn columns(
    heading: &[String],
    required: &[&str],
    optional: &[&str],
) -> Result<Vec<Option<usize>>, Vec<TableFault>> {
    let names: Vec<String> =
        heading.iter().map(|name| name.to_lowercase().replace([' ', '-'], "_")).collect();
    let known = required.iter().chain(optional);
    let mut faults = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if !known.clone().any(|known| known == name) {
            let all: Vec<&str> = known.clone().copied().collect();
            let mend = format!("column {} is not known; the columns are {}", at + 1, all.join(", "));
            faults.push(TableFault::new(1, "", mend));
        } else if names.iter().take(at).any(|before| before == name) {
            faults.push(TableFault::new(1, name, "named twice"));
        }
    }
    let place = |wanted: &&str| names.iter().position(|name| name == wanted);
    for missing in required.iter().filter(|wanted| place(wanted).is_none()) {
        faults.push(TableFault::new(1, missing, "this column is missing; add it"));
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(known.map(place).collect()) } else { Err(faults) }
}

#[derive(Default)]
struct Row {
    number: usize,
    fields: Vec<String>,
}

struct Rows<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    delimiter: char,
    number: usize,
}

impl Rows<'_> {
    fn row(&mut self) -> Result<Option<Row>, TableFault> {
        if self.rest.peek().is_none() {
            return Ok(None);
        }
        let mut row = Row { number: self.number, fields: Vec::new() };
        loop {
            row.fields.push(self.field(row.number)?);
            match self.rest.next() {
                Some(c) if c == self.delimiter => {}
                Some('\r') => {
                    let _line_feed = self.rest.next_if_eq(&'\n');
                    break;
                }
                _ => break,
            }
        }
        self.number += 1;
        Ok(Some(row))
    }

    /// A field, up to what ends it, which is left.
    fn field(&mut self, row: usize) -> Result<String, TableFault> {
        let mut field = String::new();
        if self.rest.next_if_eq(&'"').is_some() {
            loop {
                match self.rest.next() {
                    Some('"') if self.rest.next_if_eq(&'"').is_some() => field.push('"'),
                    Some('"') => break,
                    Some(c) => field.push(c),
                    None => return Err(TableFault::new(row, "", "a quote is opened and not closed")),
                }
            }
            let ends = self.rest.peek().is_none_or(|c| *c == self.delimiter || matches!(c, '\r' | '\n'));
            let mend = "text behind a closing quote; double a quote that belongs to the text";
            return if ends { Ok(field.trim().to_owned()) } else { Err(TableFault::new(row, "", mend)) };
        }
        let delimiter = self.delimiter;
        while let Some(c) = self.rest.next_if(|c| *c != delimiter && !matches!(c, '\r' | '\n')) {
            if c == '"' {
                let mend = "a quote in the middle of a field; put the whole field in quotes";
                return Err(TableFault::new(row, "", mend));
            }
            field.push(c);
        }
        Ok(field.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<TableRow>, Vec<TableFault>> {
        read_table(text.as_bytes(), &["a", "b"], &["c"])
    }

    fn told(text: &str) -> String {
        read(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn columns_stand_in_any_order_and_either_separator() {
        let expected =
            [TableRow { number: 2, fields: vec!["1".into(), "2, \"x\"\ny".into(), String::new()] }];
        for text in [
            "b,a\n\"2, \"\"x\"\"\ny\",1\n",
            "\u{feff}B;A\r\n\"2, \"\"x\"\"\ny\";1\r\n\r\n",
            "a\tb\n 1 \t\"2, \"\"x\"\"\ny\"",
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        assert_eq!(read("a,b,c\n").unwrap(), []);
    }

    #[test]
    fn faults_name_row_column_and_mend_and_never_what_stands_there() {
        for (text, expected) in [
            ("", "row 1, column `a`: this column is missing"),
            ("a;c\n", "row 1, column `b`: this column is missing"),
            ("a,b,b\n", "row 1, column `b`: named twice"),
            ("a,b,geheim\n", "row 1: column 3 is not known; the columns are a, b, c"),
            ("a,b\n1,2\n1\ngeheim,2,3\n", "row 3: 1 fields where the heading has 2; row 4: 3 fields"),
            ("a,b\n\"geheim,2\n", "row 2: a quote is opened and not closed"),
            ("a,b\n\"geheim\"x,2\n", "row 2: text behind a closing quote"),
            ("a,b\n1,2\nge\"heim,2\n", "row 3: a quote in the middle"),
        ] {
            let told = told(text);
            assert!(told.contains(expected) && !told.contains("geheim"), "{text}: {told}");
        }
        let told = read_table(b"a,b\n1,\xff\n", &["a", "b"], &[]).unwrap_err();
        assert_eq!((told[0].row, told.len()), (2, 1), "{told:?}");
    }

    #[test]
    fn what_is_too_much_is_refused_and_faults_are_bounded() {
        let many = format!("a,b\n{}", "1,2\n".repeat(TABLE_ROWS_MAX + 1));
        assert!(told(&many).contains("split it"));
        assert_eq!(read(&format!("a,b\n{}", "1\n".repeat(1_000))).unwrap_err().len(), FAULTS_MAX);
    }
}
