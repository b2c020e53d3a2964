//! Rows of finished files: read back from every form, and looked at beside the original of each.

use super::needles::{Needles, Value, fold, is_word_of};
use crate::capture::{Account, Item};
use crate::detect::Participants;
use crate::model::PrivateText;
use crate::redact::copy::{COLUMNS, Cell, CopyRow};
use crate::redact::{Assessed, Said, covered};
use crate::store::catalogue::ExportFacts;
use crate::vault::Rules;
use crate::vault::cores::on_every_core;
use crate::vault::derive::source;
use crate::vault::stored_findings::stored_findings;
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::{BTreeSet, HashSet};

/// Lines that are read at a time on one core.
const LINES_AT_ONCE: usize = 1_000;
/// Stands between texts that are searched at once: no text has it in one case and without marks, and it is part of no word.
const BETWEEN: &str = "\u{200b}";

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows.
    pub rows: u64,
    /// Originals that were opened.
    pub opened: u64,
    /// Rows that no grant names any more.
    pub gone: u64,
    /// Rows whose original could not be read.
    pub unread: u64,
    /// Redacted values that stand in the row of their own record.
    pub in_own_row: u64,
    /// Rows that are not as they are published, or stand there twice.
    pub different: u64,
    /// Texts in which the detector finds something for certain.
    pub detected: u64,
    /// Characters of the originals' texts, and of those that stand in the rows as they were written.
    original_chars: u64,
    verbatim_chars: u64,
}

impl Tally {
    /// What share of the originals' texts stands in the rows as it was written, in percent.
    pub(super) fn verbatim_percent(&self) -> u64 {
        (100 * self.verbatim_chars).checked_div(self.original_chars).unwrap_or(0)
    }

    /// Counts what was seen of one row.
    pub(super) fn add(&mut self, seen: &Seen) {
        self.unread += u64::from(seen.unread);
        self.detected += seen.detected;
        self.original_chars += seen.original_chars;
        self.verbatim_chars += seen.verbatim_chars;
    }
}

/// What was seen of one row and its original.
#[derive(Default)]
pub(super) struct Seen {
    /// What is redacted, with repeats.
    redacted: Vec<(String, Value)>,
    /// What stays readable because it is an office-holder's.
    readable: Vec<String>,
    /// What of the redacted stands in the row.
    in_row: Vec<String>,
    /// What is redacted could not be told.
    unread: bool,
    detected: u64,
    original_chars: u64,
    verbatim_chars: u64,
}

impl Seen {
    fn redacts(&mut self, value: &str) {
        let value = fold(value);
        if let Some(how) = Value::of(&value) {
            self.redacted.push((value, how));
        }
    }
}

/// The redacted values of the selection.
#[derive(Default)]
pub(super) struct Selected {
    telling: HashSet<String>,
    long_words: HashSet<String>,
    /// What stays readable somewhere because it is an office-holder's.
    readable: HashSet<String>,
    values: u64,
}

impl Selected {
    /// What is to be looked for everywhere.
    pub(super) fn needles(&self) -> Needles {
        let without = |of: &HashSet<String>| of.difference(&self.readable).cloned().collect();
        Needles::of(&without(&self.telling)).and_words(&without(&self.long_words))
    }

    /// How many values there were, with repeats.
    pub(super) const fn len(&self) -> u64 {
        self.values
    }

    /// How many of them are left out because they are readable elsewhere.
    pub(super) fn readable_elsewhere(&self) -> u64 {
        self.telling.intersection(&self.readable).count() as u64
    }

    /// Takes what was seen of one row, and tells how many redacted values stand in it: of rows in their order, since what stays
    /// readable in an earlier one is no leak in it.
    pub(super) fn add(&mut self, seen: Seen) -> u64 {
        self.values += seen.redacted.len() as u64;
        for (value, how) in seen.redacted {
            match how {
                Value::Telling => self.telling.insert(value),
                Value::LongWord => self.long_words.insert(value),
                Value::Own => false,
            };
        }
        self.readable.extend(seen.readable);
        seen.in_row.iter().filter(|value| !self.readable.contains(*value)).count() as u64
    }
}

/// What is known of the original behind a row, and not asked of the row.
pub(super) struct Behind<'a> {
    /// Of the record.
    pub facts: &'a ExportFacts,
    /// The original.
    pub item: &'a Item,
    /// Whether a citizen wrote it.
    pub by_citizen: bool,
    /// What people said of places in it.
    pub assessed: &'a [Assessed],
    /// The channel's own account, whose name is no personal data.
    pub own: &'a Participants,
}

/// Looks at one row beside its original.
pub(super) fn look(rules: &Rules, row: &CopyRow, behind: &Behind<'_>) -> Seen {
    let Behind { facts, item, .. } = *behind;
    let mut seen = Seen::default();
    let findings = stored_findings(&facts.findings).unwrap_or_default();
    let source = source(item, &findings);
    match covered(&source, rules.projection.redaction()) {
        Ok(covered) => {
            for one in &covered {
                // An account called by a common word is hidden with its `@`; the word is everyone's.
                match one.entity.as_str() == "USERNAME" && is_plain(one.value) {
                    true => seen.redacts(&format!("@{}", one.value.trim_start_matches('@'))),
                    false => seen.redacts(one.value),
                }
            }
        }
        Err(_) => seen.unread = true,
    }
    for (passage, found) in item.passages.iter().zip(&findings) {
        let readable = found.iter().filter(|one| rules.projection.redaction().is_readable(&one.entity));
        let values = readable.filter_map(|one| one.span.of(passage.text.expose()));
        seen.readable.extend(values.map(fold));
    }
    // The organisation's own names are public.
    if behind.by_citizen {
        unprojected(item, &mut |value| seen.redacts(value));
    }
    let told: BTreeSet<&String> = seen.redacted.iter().map(|(value, _)| value).collect();
    let texts = texts_of(row);
    seen.in_row = told.into_iter().filter(|value| is_word_of(&texts, value)).cloned().collect();
    measure(rules, row, behind, &mut seen);
    seen
}

/// The texts of a row in one case and without marks, one behind the other.
fn texts_of(row: &CopyRow) -> String {
    let cells = row.cells();
    let texts = cells.iter().filter_map(|cell| match cell {
        Cell::Text(Some(text)) if !text.is_empty() => Some(fold(text)),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(BETWEEN)
}

fn is_plain(value: &str) -> bool {
    value.trim_start_matches('@').chars().all(char::is_alphabetic)
}

/// What no projection tells of a citizen's item: the account, its names, the exact time.
fn unprojected(item: &Item, see: &mut dyn FnMut(&str)) {
    let mut account = |of: &Account| {
        let handle = of.handle.expose();
        if is_plain(handle) {
            see(&format!("@{handle}"))
        } else {
            see(handle)
        }
        if of.display_name.expose().split_whitespace().count() > 1 {
            see(of.display_name.expose());
        }
        if let Some(id) = &of.native_id {
            see(id.expose());
        }
    };
    item.author.iter().for_each(&mut account);
    item.names.iter().chain(&item.in_reply_to).map(PrivateText::expose).for_each(&mut *see);
    if let Some(at) = item.posted_at {
        see(&at.to_string());
    }
}

/// How much of the original stands in the row, and what the detector says of that: as it would of a post of that time, without what
/// a person said need not be redacted.
fn measure(rules: &Rules, row: &CopyRow, behind: &Behind<'_>, seen: &mut Seen) {
    let passages = || behind.item.passages.iter();
    seen.original_chars += passages().map(|one| one.text.expose().chars().count() as u64).sum::<u64>();
    let read = behind.assessed.iter().filter(|one| one.said == Said::Read);
    let read: Vec<String> =
        read.filter_map(|one| Some(fold(one.span.of(passages().nth(one.passage)?.text.expose())?))).collect();
    let certain = rules.ruleset.thresholds().certain;
    let leaks = |value: &str| {
        let value = fold(value);
        Value::of(&value) == Some(Value::Telling) && !read.iter().any(|read| is_word_of(read, &value))
    };
    for text in row.texts() {
        let (bare, hidden) = without_placeholders(text);
        seen.verbatim_chars += (text.chars().count() as u64).saturating_sub(hidden);
        let found = rules.ruleset.detect_at(&bare, behind.own, behind.facts.posted_at);
        let leak = found.iter().any(|finding| {
            finding.score.value() >= certain
                && !rules.projection.redaction().is_readable(&finding.entity)
                && finding.span.of(&bare).is_some_and(leaks)
        });
        seen.detected += u64::from(leak);
    }
}

/// A text with an ellipsis in the place of each placeholder, and how many characters those took.
fn without_placeholders(text: &str) -> (String, u64) {
    let (mut bare, mut hidden, mut rest) = (String::with_capacity(text.len()), 0, text);
    while let Some((before, from)) = rest.split_once('[') {
        bare.push_str(before);
        if before.ends_with('\\') {
            bare.push('[');
            rest = from;
            continue;
        }
        match from.split_once(']') {
            Some((inside, after)) => {
                bare.push('…');
                hidden += inside.chars().count() as u64 + 2;
                rest = after;
            }
            None => {
                bare.push('[');
                rest = from;
            }
        }
    }
    bare.push_str(rest);
    (bare, hidden)
}

/// The rows of a part, when every form says the same and nothing else.
pub(super) fn agreed(lines: &[u8], table: &[u8], columns: Vec<u8>) -> Option<Vec<CopyRow>> {
    let text = std::str::from_utf8(lines).ok()?;
    let lines: Vec<&str> = text.lines().collect();
    let some: Vec<&[&str]> = lines.chunks(LINES_AT_ONCE).collect();
    let read = on_every_core(&some, |lines| {
        lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<Vec<CopyRow>, _>>().ok()
    });
    let rows: Vec<CopyRow> = read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let whole = text.is_empty() || text.ends_with('\n');
    let columns = Bytes::from(columns);
    let others: [&(dyn Fn() -> Option<bool> + Sync); 2] =
        [&|| in_table(table, &rows), &|| in_columns(columns.clone(), &rows)];
    let agree = on_every_core(&others, |agrees| agrees() == Some(true));
    (whole && agree.into_iter().all(|same| same)).then_some(rows)
}

fn in_table(table: &[u8], rows: &[CopyRow]) -> Option<bool> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    let mut records = reader.records();
    let heading = records.next()?.ok()?;
    if !heading.iter().eq(COLUMNS.iter().map(|column| column.name)) {
        return Some(false);
    }
    let mut rows = rows.iter();
    for record in records {
        let (record, row) = (record.ok()?, rows.next()?);
        let same = record.iter().zip(row.cells()).all(|(written, cell)| match cell {
            Cell::Text(text) => written == text.unwrap_or_default(),
            Cell::Number(number) => written == number.to_string(),
            Cell::Flag(flag) => written == flag.to_string(),
        });
        if !same || record.len() != COLUMNS.len() {
            return Some(false);
        }
    }
    Some(rows.next().is_none())
}

fn in_columns(columns: Bytes, rows: &[CopyRow]) -> Option<bool> {
    let reader = SerializedFileReader::new(columns).ok()?;
    let about = reader.metadata().file_metadata();
    let attributes = about.key_value_metadata().map_or(0, Vec::len);
    let named = about.schema_descr().columns().iter().map(|column| column.name());
    if attributes != 0 || !named.eq(COLUMNS.iter().map(|column| column.name)) {
        return Some(false);
    }
    let mut rows = rows.iter();
    for written in reader.get_row_iter(None).ok()? {
        let (written, row) = (written.ok()?, rows.next()?);
        let same = written.get_column_iter().zip(row.cells()).all(|((_, field), cell)| match (field, cell) {
            (Field::Str(text), Cell::Text(Some(told))) => text == told,
            (Field::Null, Cell::Text(None)) => true,
            (Field::Long(number), Cell::Number(told)) => *number == told,
            (Field::Bool(flag), Cell::Flag(told)) => *flag == told,
            _ => false,
        });
        if !same {
            return Some(false);
        }
    }
    Some(rows.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_text_and_brackets_of_people_are() {
        assert_eq!(
            without_placeholders("Dag [persoon VOS234], tot [datum]."),
            ("Dag …, tot ….".to_owned(), 23)
        );
        assert_eq!(without_placeholders("a \\[persoon] b [ c"), ("a \\[persoon] b [ c".to_owned(), 0));
    }
}
