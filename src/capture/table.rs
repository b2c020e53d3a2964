//! Tables: rows of fields under a heading (RFC 4180 and what programs make of it).
//!
//! A row ends at a line end outside quotes, be it LF, CR LF or CR. Quotes count at the beginning of a field only;
//! doubled they stand for one, and in some exports a backslash does it too. A row is read as the JSON object
//! that its heading makes of it, so that formats of tables are written like the others.

use super::Format;
use super::json::{Json, Kind, Node};
use super::json_parse::narrow;
use super::members::Member;
use super::unit::RefusalReason;
use crate::model::ByteRange;
use std::sync::Arc;

/// The marks of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    /// Whether a backslash takes the meaning away from what follows it.
    pub(super) backslash: bool,
}

impl Dialect {
    /// Whether a byte may mean something inside a row.
    const fn is_mark(self, byte: u8) -> bool {
        byte == b'"' || byte == self.delimiter || (byte == b'\\' && self.backslash)
    }
}

/// The separators looked for, in this order.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// A heading longer than this is none.
pub(super) const HEADING_BYTES_MAX: usize = 64 << 10;

/// The heading of a table that a format knows.
pub(super) struct Heading {
    pub(super) format: Format,
    pub(super) dialect: Dialect,
    /// Its exact bytes, without the line end.
    pub(super) bytes: Arc<[u8]>,
    /// Names of the columns in lower case, one after the other in quotes, and the node of each.
    names: String,
    columns: Vec<Node>,
}

/// A row as the object that its heading makes of it: a text and where in it the object, its names and values stand. The
/// values stand decoded, so that the text is no JSON, but its nodes say where each ends.
pub(super) struct Row {
    text: String,
    nodes: Vec<Node>,
}

impl Row {
    /// The object.
    pub(super) fn json(&mut self) -> Json<'_> {
        Json::of(&self.text, std::mem::take(&mut self.nodes))
    }

    /// Adds a value in quotes, the first of which stands already.
    fn value(&mut self, from: usize) {
        self.text.push('"');
        let next = self.nodes.len() + 1;
        self.nodes.push(text_node(from - 1, self.text.len(), next));
    }
}

fn text_node(start: usize, end: usize, next: usize) -> Node {
    Node { start: narrow(start), end: narrow(end), next: narrow(next), kind: Kind::Text }
}

impl Heading {
    /// The heading at the beginning of `head`, if a format (of one, when `named`) knows it: it, and how many
    /// rows it takes. A line `sep=;`, which spreadsheet programs put first, is passed over.
    pub(super) fn at(head: &[u8], named: Option<Format>) -> Option<(Self, usize)> {
        let mut rows = 1;
        let mut rest = head;
        if let [b's', b'e', b'p', b'=', _, tail @ ..] = head {
            rest = tail.strip_prefix(b"\r\n").or_else(|| tail.strip_prefix(b"\n"))?;
            rows = 2;
        }
        DELIMITERS
            .into_iter()
            .find_map(|delimiter| Self::with(rest, delimiter, named))
            .map(|found| (found, rows))
    }

    fn with(head: &[u8], delimiter: u8, named: Option<Format>) -> Option<Self> {
        let mut dialect = Dialect { delimiter, backslash: false };
        let (used, _) = RowEnd::new(dialect).scan(head);
        let bytes = without_end(head.get(..used)?);
        let line = std::str::from_utf8(bytes).ok()?;
        let mut names: Vec<String> = Vec::new();
        fields(line, dialect, &mut String::new(), &mut |field| {
            names.push(field.trim().to_lowercase());
            field.clear();
        });
        let again =
            |(n, name): (usize, &String)| !name.is_empty() && names.iter().skip(n + 1).any(|m| m == name);
        if names.len() > 1_000 || names.iter().enumerate().any(again) {
            return None;
        }
        let candidates = Format::ALL.iter().filter(|format| named.is_none_or(|named| named == **format));
        let (format, backslash) =
            candidates.filter_map(|format| Some((*format, format.knows_heading(&names)?))).next()?;
        dialect.backslash = backslash;
        let (mut text, mut columns) = (String::from("\""), Vec::with_capacity(names.len()));
        for name in &names {
            let start = text.len() - 1;
            text.push_str(name);
            text.push('"');
            columns.push(text_node(start, text.len(), 2 * columns.len() + 2));
        }
        Some(Self { format, dialect, bytes: bytes.into(), names: text, columns })
    }

    /// The row as an object: a member for each column, in order.
    pub(super) fn row(&self, row: &str) -> Result<Row, RefusalReason> {
        let mut made = Row {
            text: String::with_capacity(self.names.len() + row.len() + self.columns.len() + 8),
            nodes: Vec::with_capacity(2 * self.columns.len() + 1),
        };
        made.nodes.push(Node { start: 0, end: 0, next: 0, kind: Kind::Object });
        let mut text = std::mem::take(&mut made.text);
        text.push_str(&self.names);
        let (mut found, mut extra, mut from) = (0, 0, text.len());
        fields(row, self.dialect, &mut text, &mut |text| {
            found += 1;
            if let Some(column) = self.columns.get(found - 1) {
                made.nodes.push(*column);
                std::mem::swap(&mut made.text, text);
                made.value(from);
                std::mem::swap(&mut made.text, text);
            } else if text.len() > from {
                extra = found;
            }
            from = text.len();
        });
        made.text = text;
        // A short row lacks its last fields: they are empty.
        for column in self.columns.iter().skip(found) {
            made.nodes.push(*column);
            made.value(made.text.len());
        }
        let (end, next) = (narrow(made.text.len()), narrow(made.nodes.len()));
        made.nodes.first_mut().into_iter().for_each(|outer| (outer.end, outer.next) = (end, next));
        if extra > 0 {
            Err(RefusalReason::Fields { found: extra, expected: self.columns.len() })
        } else {
            Ok(made)
        }
    }
}

/// Fields of a row that are wanted, by the name of their column (in lower case) and by place: each with its quotes and without its
/// separators, so that what is left has as many fields as before. `None` when the heading is none of this format.
#[must_use]
pub fn columns(
    heading: &[u8],
    format: Format,
    row: &str,
    wanted: &dyn Fn(&str, usize) -> bool,
) -> Option<Vec<Member>> {
    let (heading, _) = Heading::at(heading, Some(format))?;
    let line = std::str::from_utf8(&heading.bytes).ok()?;
    let mut names: Vec<String> = Vec::new();
    fields(line, heading.dialect, &mut String::new(), &mut |field| {
        names.push(field.trim().to_lowercase());
        field.clear();
    });
    let ranges = field_ranges(without_end(row.as_bytes()), heading.dialect);
    let filled = names.into_iter().zip(ranges).filter(|(_, range)| !range.is_empty());
    let found = filled.filter(|(name, range)| wanted(name, range.start));
    let member = |(name, range): (String, std::ops::Range<usize>)| Member {
        name,
        range: ByteRange { start: range.start as u64, end: range.end as u64 },
    };
    Some(found.map(member).collect())
}

/// Where the fields of a row stand, between its separators.
fn field_ranges(row: &[u8], dialect: Dialect) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut start, mut state) = (Vec::new(), 0, State::FieldStart);
    for (at, &byte) in row.iter().enumerate() {
        state = match (state, byte) {
            (State::Escaped(true), _) => State::Quoted,
            (State::Escaped(false), _) => State::Plain,
            (State::Quoted, b'\\') if dialect.backslash => State::Escaped(true),
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) | (State::FieldStart | State::Quote, b'"') => State::Quoted,
            (_, b'\\') if dialect.backslash => State::Escaped(false),
            (_, byte) if byte == dialect.delimiter => {
                ranges.push(start..at);
                start = at + 1;
                State::FieldStart
            }
            _ => State::Plain,
        };
    }
    ranges.push(start..row.len());
    ranges
}

/// A row without its line end.
pub(super) fn without_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// Finds where a row ends, over any number of buffers.
pub(super) struct RowEnd {
    dialect: Dialect,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end of them, or the first of two.
    Quote,
    /// After a backslash; the flag: inside quotes.
    Escaped(bool),
    /// After a carriage return outside quotes.
    Return,
}

impl RowEnd {
    pub(super) const fn new(dialect: Dialect) -> Self {
        Self { dialect, state: State::FieldStart }
    }

    /// Whether the file may end here.
    pub(super) fn at_rest(&self) -> bool {
        !matches!(self.state, State::Quoted | State::Escaped(_))
    }

    /// How much of `buffer` belongs to the row, and whether the row ends there.
    pub(super) fn scan(&mut self, buffer: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = buffer.get(at) {
            // Most bytes mean nothing; they are passed over without a look at the state.
            let skipped = self.plain(buffer.get(at..).unwrap_or_default());
            if skipped > 0 {
                at += skipped;
                continue;
            }
            if self.state == State::Return {
                return (at + usize::from(byte == b'\n'), true);
            }
            self.state = match (self.state, byte) {
                (State::Escaped(true), _) => State::Quoted,
                (State::Escaped(false), _) => State::Plain,
                (State::Quoted, b'\\') if self.dialect.backslash => State::Escaped(true),
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) | (State::FieldStart | State::Quote, b'"') => State::Quoted,
                (_, b'\n') => return (at + 1, true),
                (_, b'\r') => State::Return,
                (_, b'\\') if self.dialect.backslash => State::Escaped(false),
                (_, byte) if byte == self.dialect.delimiter => State::FieldStart,
                _ => State::Plain,
            };
            at += 1;
        }
        (buffer.len(), false)
    }

    /// How many bytes come before one that may mean something here.
    fn plain(&self, rest: &[u8]) -> usize {
        let Dialect { delimiter, backslash } = self.dialect;
        let found = match self.state {
            State::Quoted => memchr::memchr2(b'"', if backslash { b'\\' } else { b'"' }, rest),
            State::Plain if backslash => {
                rest.iter().position(|&byte| self.dialect.is_mark(byte) || matches!(byte, b'\n' | b'\r'))
            }
            State::Plain => memchr::memchr3(delimiter, b'\n', b'\r', rest),
            _ => Some(0),
        };
        found.unwrap_or(rest.len())
    }
}

/// Writes each field of a row, decoded, behind what stands in `out`, and says when it ended. The row is one that
/// [`RowEnd`] found.
fn fields(row: &str, dialect: Dialect, out: &mut String, ended: &mut dyn FnMut(&mut String)) {
    let delimiter = char::from(dialect.delimiter);
    let escape = if dialect.backslash { b'\\' } else { b'"' };
    let mut state = State::FieldStart;
    let mut rest = row;
    while let Some(mark) = match state {
        State::Quoted => memchr::memchr2(b'"', escape, rest.as_bytes()),
        _ => memchr::memchr3(b'"', escape, dialect.delimiter, rest.as_bytes()),
    } {
        let (plain, tail) = rest.split_at(mark);
        out.push_str(plain);
        if !plain.is_empty() && state == State::FieldStart {
            state = State::Plain;
        }
        let mut chars = tail.chars();
        match (state, chars.next()) {
            (_, Some('\\')) => {
                out.extend(chars.next());
                state = if state == State::FieldStart { State::Plain } else { state };
            }
            (State::FieldStart, Some('"')) => state = State::Quoted,
            (State::Quoted, Some('"')) if chars.as_str().starts_with('"') => out.extend(chars.next()),
            (State::Quoted, Some('"')) => state = State::Plain,
            (State::FieldStart | State::Plain, Some(character)) if character == delimiter => {
                ended(out);
                state = State::FieldStart;
            }
            (_, character) => out.extend(character),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    ended(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(row: &str, backslash: bool) -> Vec<String> {
        let mut all = Vec::new();
        let dialect = Dialect { delimiter: b',', backslash };
        fields(row, dialect, &mut String::new(), &mut |field| all.push(std::mem::take(field)));
        all
    }

    #[test]
    fn fields_are_decoded() {
        for (row, expected) in [
            ("a,b", vec!["a", "b"]),
            ("", vec![""]),
            (",", vec!["", ""]),
            (r#""a,""b""",c"#, vec![r#"a,"b""#, "c"]),
            ("\"a\nb\",c", vec!["a\nb", "c"]),
            (r#"a "b" c,"#, vec![r#"a "b" c"#, ""]),
            (r#"a ""b"""#, vec![r#"a ""b"""#]),
            (r#""a"b,c"#, vec!["ab", "c"]),
            (r"c:\,d", vec![r"c:\", "d"]),
            (r#""c:\",d"#, vec![r"c:\", "d"]),
        ] {
            assert_eq!(split(row, false), expected, "{row}");
        }
        assert_eq!(split(r#""a \"b\" ""c"" \\",d\,e"#, true), [r#"a "b" "c" \"#, "d,e"]);
    }

    #[test]
    fn fields_of_named_columns_are_taken_out_and_the_others_stay_in_their_place() {
        let heading = "Datum;Auteur;Bericht";
        let dialect = Dialect { delimiter: b';', backslash: false };
        for row in ["1;\"Jan; \"\"de\"\" Vries\";hallo\r\n", "1;Jan;\"a;b\"", "1;;x", ";\"a\nb\";", ";;"] {
            let ranges = field_ranges(without_end(row.as_bytes()), dialect);
            assert_eq!(ranges.len(), 3, "{row}");
            // Without its fields only the separators of a row are left.
            let left: String = (0..without_end(row.as_bytes()).len())
                .filter(|at| !ranges.iter().any(|range| range.contains(at)))
                .map(|at| row.as_bytes()[at] as char)
                .collect();
            assert_eq!(left, ";;", "{row}");
        }
        assert_eq!(columns(heading.as_bytes(), Format::MastodonApi, "1;2;3", &|_, _| true), None);
    }

    fn rows(text: &str, backslash: bool) -> (Vec<usize>, bool) {
        let dialect = Dialect { delimiter: b',', backslash };
        let (mut rest, mut lengths, mut sound) = (text.as_bytes(), Vec::new(), true);
        while !rest.is_empty() {
            let mut end = RowEnd::new(dialect);
            let (used, _) = end.scan(rest);
            sound = end.at_rest();
            lengths.push(used);
            rest = &rest[used..];
        }
        (lengths, sound)
    }

    #[test]
    fn rows_end_at_any_line_end_outside_quotes() {
        assert_eq!(rows("a,b\nc\r\nd\re", false), (vec![4, 3, 2, 1], true));
        assert_eq!(rows("\"a\nb\"\"\n\",c\nd", false), (vec![11, 1], true));
        assert_eq!(rows("a \"b\nc", false), (vec![5, 1], true));
        assert_eq!(rows("\"a\\\"\nb\"\nc", true), (vec![8, 1], true));
        assert_eq!(rows("\"a\\\"\nb", false), (vec![5, 1], true));
        assert!(!rows("a,\"b\nc", false).1);
        assert!(!rows("a\\", true).1);
    }
}
