//! Exports of web-care tools (Coosto, OBI4wan, Hootsuite and the like): tables of messages from several
//! networks. Which column means what stands in `policies/webcare/*.yaml`; what no file names is sealed and not
//! read.
//!
//! Quirks that matter: semicolons, since the comma is the decimal sign; a byte order mark and a line `sep=;`
//! for spreadsheets; times on the Dutch clock, to the minute; a private message differs from a reaction only by
//! a word in a column, so an unknown word is not taken to be public.

use super::dates::{self, Habit};
use super::gather::{self, Context, Gathered, JsonReading, private};
use super::item::{Item, Passage, PassageRole, StatedZone};
use super::json::{Json, Value};
use super::meta_export::composed;
use super::unit::PartRole;
use super::webcare_map::{self as map, Mapping};
use super::x_archive::status_id;
use crate::model::{ItemKind, Platform, PrivateText};
use std::borrow::Cow;

pub(super) const READING: JsonReading = JsonReading {
    name: "webcare",
    platform: Platform::Other,
    recognises: |_| false,
    gather,
    reread,
    event_of_deletion: None,
};

/// Whether this is the heading of a tool that is known. None escapes with a backslash.
pub(super) fn knows_heading(names: &[String]) -> Option<bool> {
    map::mapping_of(&|column| names.iter().any(|name| name == column)).map(|_| false)
}

fn gather(json: &Json<'_>, context: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    gathered.items.extend(item(json.root(), &mut context.mapping).map(|item| (item, json.root().range())));
    gathered
}

fn reread(json: &Json<'_>, _: &[(PartRole, Value<'_>)]) -> Option<Item> {
    item(json.root(), &mut None)
}

/// The cells of a row with the names of their columns.
type Row<'j> = [(Cow<'j, str>, Value<'j>)];

/// The message of a row; none when it says nothing at all. What its columns mean is looked up once a table.
fn item(object: Value<'_>, known: &mut Option<&'static Mapping>) -> Option<Item> {
    let row: Vec<_> = object.members().filter_map(|(name, value)| Some((name.text()?, value))).collect();
    let row = row.as_slice();
    *known = known.or_else(|| map::mapping_of(&|column| row.iter().any(|(name, _)| name == column)));
    let mapping = (*known)?;
    let columns = &mapping.columns;
    let cell = |names: &[String]| cell(row, names);
    let (url, text, title) = (cell(&columns.url), cell(&columns.text), cell(&columns.title));
    if url.or(text).or(title).is_none() && cell(&columns.id).is_none() {
        return None;
    }
    let platform = map::platform(&word(cell(&columns.network)));
    let answers = cell(&columns.reply_to);
    let stated =
        map::kind(&word(cell(&columns.kind))).or_else(|| private_network(&word(cell(&columns.network))));
    let kind = stated.unwrap_or(if answers.is_some() { ItemKind::Reaction } else { ItemKind::Post });
    let mut item = Item::new(platform, kind);
    item.names = names(row, mapping, platform);
    item.visibility = mapping.visibility(&word(cell(&columns.visibility)), stated);
    timed(&mut item, row, mapping);
    let (author, handle) = (cell(&columns.author), cell(&columns.handle));
    if author.or(handle).is_some() {
        let bare = word(handle.or(author));
        let bare = bare.trim().trim_start_matches('@');
        item.author = Some(gather::account(None, Some(private(bare)), gather::text(author)));
    }
    item.passages.push(Passage { role: PassageRole::Body, text: gather::text(text).unwrap_or_default() });
    item.passages.extend(gather::passage(PassageRole::ContentWarning, gather::text(title)));
    item.in_reply_to = answers.map(|answers| named(platform, &word(Some(answers))));
    item.conversation = gather::text(cell(&columns.conversation));
    item.language = gather::language(cell(&columns.language));
    Some(item)
}

/// The first of these columns that holds something.
fn cell<'j>(row: &Row<'j>, names: &[String]) -> Option<Value<'j>> {
    let filled = |value: &Value<'_>| value.text().is_some_and(|text| !text.trim().is_empty());
    let named = |wanted: &String| row.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
    names.iter().filter_map(named).find(filled)
}

fn word(value: Option<Value<'_>>) -> Cow<'_, str> {
    value.and_then(Value::text).unwrap_or_default()
}

/// A network that carries nothing but private messages (WhatsApp, Messenger) says the kind too.
fn private_network(word: &str) -> Option<ItemKind> {
    map::kind(word).filter(|kind| *kind == ItemKind::Message)
}

/// What the platform calls a post: on X the id in its address, elsewhere the address. A tool's own number is
/// known to that tool only.
fn named(platform: Platform, given: &str) -> PrivateText {
    let id = status_id(given.trim()).filter(|_| platform == Platform::X);
    private(id.unwrap_or(given.trim()))
}

fn names(row: &Row<'_>, mapping: &Mapping, platform: Platform) -> Vec<PrivateText> {
    let columns = &mapping.columns;
    let (url, id) = (cell(row, &columns.url), cell(row, &columns.id));
    let mut names: Vec<PrivateText> = url.map(|url| named(platform, &word(Some(url)))).into_iter().collect();
    names.extend(id.map(|id| composed(&["webcare", &mapping.name, word(Some(id)).trim()])));
    if names.is_empty() {
        let rest = [&columns.time, &columns.author, &columns.text, &columns.title]
            .map(|names| word(cell(row, names)));
        let rest: Vec<&str> = rest.iter().map(|word| &**word).collect();
        names.push(composed(&[&["webcare", &*mapping.name], &rest[..]].concat()));
    }
    names
}

fn timed(item: &mut Item, row: &Row<'_>, mapping: &Mapping) {
    let read =
        |names: &[String], zone| dates::read(&word(cell(row, names)), Habit { zone, month_first: false });
    let utc = read(&mapping.columns.time_utc, StatedZone::AssumedUtc);
    // A column that says UTC in its name states the zone.
    let utc = utc.map(|(at, stated)| (at, super::item::StatedTime { zone: StatedZone::Stated, ..stated }));
    let found = utc.or_else(|| read(&mapping.columns.time, mapping.zone()));
    item.posted_at = found.map(|(at, _)| at);
    item.posted_as = found.map(|(_, stated)| stated);
}

#[cfg(test)]
#[path = "webcare_tests.rs"]
pub(super) mod tests;
