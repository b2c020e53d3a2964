//! The data export of a member on LinkedIn, as tables: `Shares.csv`, `Comments.csv`, `messages.csv`,
//! `Reactions.csv`, `Votes.csv`, `InstantReposts.csv`, `Invitations.csv`. No documentation exists; the columns
//! are those of exports as they are.
//!
//! Quirks that matter: times name no zone (they are UTC) and may not exist; comments escape quotes with a
//! backslash where the other tables double them; in shares each line of a text of several lines stands in quotes
//! of its own; programs that handled the export leave marks for nothing (`NULL`, `<NA>`); the author of shares
//! and comments is the owner, who is not named.

use super::dates::{self, Habit};
use super::gather::{self, Context, Gathered, JsonReading, private};
use super::html;
use super::item::{Account, Item, MediaKind, Passage, PassageRole, StatedZone};
use super::json::{Json, Value};
use super::meta_export::composed;
use super::unit::{ActKind, PartRole};
use super::webcare;
use crate::model::{ItemKind, Platform, PrivateText, Visibility};
use std::borrow::Cow;

pub(super) const READING: JsonReading = JsonReading {
    name: "linkedin",
    platform: Platform::LinkedIn,
    recognises: |_| false,
    gather,
    reread,
    event_of_deletion: None,
};

/// Which table a row is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Shares,
    Comments,
    Messages,
    Reactions,
    Votes,
    Reposts,
    Invitations,
}

/// Tables by the columns they must have.
const TABLES: [(Table, &[&str]); 7] = [
    (Table::Shares, &["date", "sharelink", "sharecommentary"]),
    (Table::Messages, &["from", "to", "date", "content"]),
    (Table::Invitations, &["from", "to", "sent at", "message", "direction"]),
    (Table::Comments, &["date", "link", "message"]),
    (Table::Reactions, &["date", "type", "link"]),
    (Table::Votes, &["date", "optiontext", "link"]),
    (Table::Reposts, &["date", "link"]),
];

impl Table {
    fn of(names: &[String]) -> Option<Self> {
        let fits = |(table, needed): &&(Self, &[&str])| {
            let has = needed.iter().all(|column| names.iter().any(|name| name == column));
            // Others have such columns too: these stand here in this order, and beside acts there are none.
            let alone = match table {
                Self::Shares | Self::Messages | Self::Invitations => true,
                Self::Comments => {
                    names.len() == needed.len() || names.iter().zip(*needed).all(|(a, b)| a == b)
                }
                Self::Reactions | Self::Votes | Self::Reposts => names.len() == needed.len(),
            };
            has && alone
        };
        TABLES.iter().find(fits).map(|(table, _)| *table)
    }

    /// Of a row under a heading that is known.
    fn of_row(row: Value<'_>) -> Option<Self> {
        let has = |(_, needed): &&(Self, &[&str])| needed.iter().all(|column| row.field(column).is_some());
        TABLES.iter().find(has).map(|(table, _)| *table)
    }
}

/// Whether this is the heading of one of the tables, and if so whether a backslash escapes.
pub(super) fn knows_heading(names: &[String]) -> Option<bool> {
    let table = Table::of(names)?;
    if names.len() > 3 && table == Table::Comments && webcare::knows_heading(names).is_some() {
        return None;
    }
    Some(table == Table::Comments)
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    let row = json.root();
    let kind = match Table::of_row(row) {
        Some(Table::Reactions) => Some(ActKind::Like),
        Some(Table::Votes) => Some(ActKind::Vote),
        Some(Table::Reposts) => Some(ActKind::Boost),
        _ => None,
    };
    if let Some(kind) = kind {
        gathered.act(kind, row.raw().to_owned());
    } else if let Some(item) = item(row) {
        gathered.items.push((item, row.range()));
    }
    gathered
}

fn reread(json: &Json<'_>, _: &[(PartRole, Value<'_>)]) -> Option<Item> {
    item(json.root())
}

fn item(row: Value<'_>) -> Option<Item> {
    match Table::of_row(row)? {
        Table::Shares => Some(share(row)),
        Table::Comments => Some(comment(row)),
        Table::Messages => Some(message(row, "date", "content")),
        Table::Invitations => cell(row, "message").map(|_| message(row, "sent at", "message")),
        Table::Reactions | Table::Votes | Table::Reposts => None,
    }
}

/// A cell; none when it is empty or says that there is nothing.
fn cell<'j>(row: Value<'j>, column: &str) -> Option<Cow<'j, str>> {
    const NOTHING: [&str; 6] = ["NULL", "N/A", "#N/A", "<NA>", "1.#QNAN", "#N/A N/A"];
    let text = row.field(column)?.text()?;
    let bare = text.trim();
    (!bare.is_empty() && !NOTHING.contains(&bare)).then_some(text)
}

/// A cell as it stands, for composing a name.
fn word<'j>(row: Value<'j>, column: &str) -> Cow<'j, str> {
    row.field(column).and_then(Value::text).unwrap_or_default()
}

fn timed(item: &mut Item, row: Value<'_>, column: &str) {
    let habit = Habit { zone: StatedZone::AssumedUtc, month_first: true };
    let read = row.field(column).and_then(Value::text).and_then(|text| dates::read(&text, habit));
    item.posted_at = read.map(|(at, _)| at);
    item.posted_as = read.map(|(_, stated)| stated);
}

fn share(row: Value<'_>) -> Item {
    let mut item = Item::new(Platform::LinkedIn, ItemKind::Post);
    let link = word(row, "sharelink");
    let said = cell(row, "sharecommentary").map(|text| unwrapped(&text)).unwrap_or_default();
    item.names.push(match cell(row, "sharelink") {
        Some(link) => urn(&link).map_or_else(|| private(&link), PrivateText::new),
        None => composed(&["share", &word(row, "date"), &link, &said]),
    });
    timed(&mut item, row, "date");
    item.passages.push(Passage { role: PassageRole::Body, text: PrivateText::new(said) });
    item.links =
        ["sharedurl", "mediaurl"].into_iter().filter_map(|c| cell(row, c)).map(|l| private(&l)).collect();
    item.media.extend(cell(row, "mediaurl").map(|_| MediaKind::Other));
    item.visibility = match cell(row, "visibility").unwrap_or_default().trim() {
        "PUBLIC" | "ANYONE" => Visibility::Public,
        // Every member, and anyone may become one.
        "MEMBER_NETWORK" | "LOGGED_IN" => Visibility::Unlisted,
        "CONNECTIONS" => Visibility::Followers,
        _ => Visibility::Unknown,
    };
    item
}

/// A text whose every line but the outer ends stands in quotes, without those. Others as they are.
fn unwrapped(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let last = lines.len() - 1;
    let inner = |(n, line): (usize, &&str)| {
        let (open, close) = (n > 0, n < last);
        let line = if open { line.strip_prefix('"')? } else { line };
        let line = if close { line.strip_suffix('"')? } else { line };
        Some(line.to_owned())
    };
    let stripped: Option<Vec<String>> = lines.iter().enumerate().map(inner).collect();
    match stripped {
        Some(lines) if last > 0 => lines.join("\n"),
        _ => text.to_owned(),
    }
}

/// The name LinkedIn gives a post in its address, decoded: `urn:li:share:1`.
fn urn(address: &str) -> Option<String> {
    let plain = decoded(address);
    let (_, found) = plain.split_once("commentUrn=").or_else(|| plain.split_once("urn:li:"))?;
    let found = found.strip_prefix("urn:li:").unwrap_or(found);
    let end =
        found.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '(' | ')' | ',' | '_' | '-')));
    let found = found.get(..end.unwrap_or(found.len()))?;
    (found.len() > 2).then(|| ["urn:li:", found].concat())
}

/// An address whose colons, brackets and commas stand as they are.
fn decoded(address: &str) -> Cow<'_, str> {
    let mut parts = address.split('%');
    let first = parts.next().unwrap_or_default();
    if first.len() == address.len() {
        return Cow::Borrowed(address);
    }
    let mut plain = String::with_capacity(address.len());
    plain.push_str(first);
    for part in parts {
        let mark = match part.as_bytes() {
            [b'3', b'A' | b'a', ..] => ':',
            [b'2', b'8', ..] => '(',
            [b'2', b'9', ..] => ')',
            [b'2', b'C' | b'c', ..] => ',',
            _ => '%',
        };
        plain.push(mark);
        plain.push_str(part.get(if mark == '%' { 0 } else { 2 }..).unwrap_or_default());
    }
    Cow::Owned(plain)
}

fn comment(row: Value<'_>) -> Item {
    let mut item = Item::new(Platform::LinkedIn, ItemKind::Reaction);
    let (link, said) = (word(row, "link"), word(row, "message"));
    let named = urn(&link);
    let post = link.split_once("commentUrn=").map_or_else(|| named.clone(), |(before, _)| urn(before));
    let own = named.filter(|urn| urn.starts_with("urn:li:comment:"));
    item.names
        .push(own.map_or_else(|| composed(&["comment", &word(row, "date"), &link, &said]), PrivateText::new));
    item.in_reply_to = post.map(PrivateText::new).or_else(|| cell(row, "link").map(|link| private(&link)));
    timed(&mut item, row, "date");
    item.passages.push(Passage { role: PassageRole::Body, text: private(&said) });
    item
}

fn message(row: Value<'_>, date: &str, content: &str) -> Item {
    let mut item = Item::new(Platform::LinkedIn, ItemKind::Message);
    let thread = cell(row, "conversation id");
    let said = word(row, content);
    let words =
        [&*word(row, "conversation id"), &word(row, date), &word(row, "from"), &word(row, "to"), &said];
    item.names.push(composed(&[&["message"], &words[..]].concat()));
    item.conversation = thread.map(|thread| private(&thread));
    timed(&mut item, row, date);
    let sender = cell(row, "sender profile url").or_else(|| cell(row, "inviterprofileurl"));
    item.author = account(cell(row, "from"), sender.as_deref());
    let others =
        cell(row, "recipient profile urls").or_else(|| cell(row, "inviteeprofileurl")).unwrap_or_default();
    let mut profiles = others.split(',').map(str::trim).filter(|profile| !profile.is_empty());
    let named = cell(row, "to");
    item.mentions.extend(account(named, profiles.next()));
    item.mentions.extend(profiles.filter_map(|profile| account(None, Some(profile))));
    let said = cell(row, content).unwrap_or_default();
    let reading = said.contains("</").then(|| html::reading(&said));
    let text = reading.as_ref().map_or_else(|| private(&said), |reading| private(&reading.text));
    item.passages.push(Passage { role: PassageRole::Body, text });
    item.links =
        reading.map(|reading| reading.links).unwrap_or_default().into_iter().map(PrivateText::new).collect();
    let subject = cell(row, "subject").map(|subject| private(&subject));
    item.passages.extend(gather::passage(PassageRole::ContentWarning, subject));
    item.media.extend(cell(row, "attachments").map(|_| MediaKind::Other));
    item.visibility = Visibility::Direct;
    item
}

/// The last part of a profile's address is the handle; without one the name is all there is.
fn account(name: Option<Cow<'_, str>>, profile: Option<&str>) -> Option<Account> {
    let handle = profile.and_then(|profile| profile.trim_end_matches('/').rsplit('/').next());
    let handle = handle.filter(|handle| !handle.is_empty()).or(name.as_deref())?;
    Some(gather::account(None, Some(private(handle)), name.as_deref().map(private)))
}

#[cfg(test)]
#[path = "linkedin_tests.rs"]
pub(super) mod tests;
