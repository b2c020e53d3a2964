//! What a format reads out of one parsed piece, and small readings that formats share.

use super::item::{
    Account, Item, MediaKind, Passage, PassageRole, Precision, Removal, StatedTime, StatedZone,
};
use super::json::{Json, Value};
use super::unit::{Act, ActKind, Deletion, PartRole, RefusalReason};
use super::webcare_map::Mapping;
use crate::model::{Platform, PrivateText, Timestamp};
use std::collections::HashMap;
use std::ops::Range;

/// Reads one item with the shared parts that were sealed beside it.
type Reread = fn(&Json<'_>, &[(PartRole, Value<'_>)]) -> Option<Item>;

/// How a format of JSON pieces is read.
pub(super) struct JsonReading {
    /// The word as written on the command line and in answers.
    pub(super) name: &'static str,
    /// Whose format it is.
    pub(super) platform: Platform,
    /// Whether a parsed piece looks like this format.
    pub(super) recognises: fn(Value<'_>) -> bool,
    /// Reads everything out of a piece.
    pub(super) gather: fn(&Json<'_>, &mut Context) -> Gathered,
    /// Reads one sealed item, with the shared parts that were sealed beside it.
    pub(super) reread: Reread,
    /// Reads the data of a stream event that says an item is gone, if the format has such a stream.
    pub(super) event_of_deletion: Option<fn(&str) -> Gathered>,
}

/// A format that is not read as JSON pieces: what is in it is read by other means.
pub(super) const fn unread(name: &'static str, platform: Platform) -> JsonReading {
    JsonReading {
        name,
        platform,
        recognises: |_| false,
        gather: |_, _| Gathered::default(),
        reread: |_, _| None,
        event_of_deletion: None,
    }
}

/// Where the piece stands, as far as its meaning depends on it.
#[derive(Default)]
pub(super) struct Context {
    /// Whether it is an element of a top-level array.
    pub(super) element: bool,
    /// The list it is an element of, in an object that is taken apart.
    pub(super) list: Option<&'static str>,
    /// Whether an element follows it.
    pub(super) more: bool,
    /// What the columns of the table being read mean (web-care tools).
    pub(super) mapping: Option<&'static Mapping>,
    /// What the first version of the edit history being read is called, and when it was made.
    pub(super) history: Option<(PrivateText, Option<Timestamp>)>,
}

/// What was read. Ranges are within the parsed text.
#[derive(Default)]
pub(super) struct Gathered {
    /// Items with the ranges of their objects. Their `shared` are indices into `parts`.
    pub(super) items: Vec<(Item, Range<usize>)>,
    /// Parts that items refer to.
    pub(super) parts: Vec<(PartRole, Range<usize>)>,
    /// Where in `parts` a part is, by its role and where it starts.
    places: HashMap<(PartRole, usize), usize>,
    pub(super) acts: Vec<Act>,
    pub(super) deletions: Vec<Deletion>,
    /// Names of conversations of which there is no message.
    pub(super) stubs: Vec<PrivateText>,
    /// What is wrong with the piece as a whole: then nothing else was read.
    pub(super) fault: Option<RefusalReason>,
    /// Whether reading stopped copying shared parts because it would have taken too much memory.
    pub(super) excessive: bool,
}

/// How many bytes of shared parts one piece may have copied into its items: some freely, and some for each
/// byte of the piece. A real page stays far below; one that names a huge account in every post does not.
pub(super) struct Copies(usize);

impl Copies {
    const FREE: usize = 16 << 20;
    const PER_BYTE: usize = 4;

    /// What one piece may copy.
    pub(super) fn of(json: &Json<'_>) -> Self {
        Self(Self::FREE.saturating_add(Self::PER_BYTE.saturating_mul(json.root().range().len())))
    }

    /// Takes the bytes of a part; false once too many were asked for.
    pub(super) fn take(&mut self, part: Value<'_>) -> bool {
        self.0 = self.0.saturating_sub(part.range().len());
        !self.spent()
    }

    /// Whether too many were asked for.
    pub(super) const fn spent(&self) -> bool {
        self.0 == 0
    }
}

impl Gathered {
    /// The place of a part in `parts`, each added once.
    pub(super) fn part(&mut self, role: PartRole, range: Range<usize>) -> usize {
        let parts = &mut self.parts;
        *self.places.entry((role, range.start)).or_insert_with(|| {
            parts.push((role, range));
            parts.len() - 1
        })
    }

    /// The item that is the whole of `json`; for formats whose items need no shared parts.
    pub(super) fn outermost(self, json: &Json<'_>) -> Option<Item> {
        let outer = json.root().range();
        self.items.into_iter().find(|(_, range)| *range == outer).map(|(item, _)| item)
    }

    pub(super) fn act(&mut self, kind: ActKind, name: String) {
        self.acts.push(Act { kind, name: PrivateText::new(name) });
    }

    pub(super) fn deletion(&mut self, names: Vec<PrivateText>, removal: Removal) {
        self.deletions.push(Deletion { names, removal });
    }
}

/// A name for an item that has none: who said what when. Equal parts make equal names.
pub(super) fn unnamed(parts: &[&str]) -> PrivateText {
    PrivateText::new(format!("unnamed {}", parts.join(" ")))
}

pub(super) fn private(text: &str) -> PrivateText {
    PrivateText::from(text)
}

/// A text field, as it stands.
pub(super) fn text(value: Option<Value<'_>>) -> Option<PrivateText> {
    value.and_then(Value::text).map(|text| PrivateText::new(text.into_owned()))
}

/// An id field.
pub(super) fn id(value: Option<Value<'_>>) -> Option<PrivateText> {
    value.and_then(Value::id).map(|id| PrivateText::new(id.into_owned()))
}

/// A number of bytes, also one written as a text; none when it is no such number.
pub(super) fn size_bytes(value: Option<Value<'_>>) -> Option<u64> {
    value?.id()?.parse().ok()
}

/// A time field; none when it cannot be read.
pub(super) fn time(value: Option<Value<'_>>) -> Option<Timestamp> {
    value?.text()?.parse().ok()
}

/// A time field that may leave out its zone, or the time of day: then how it stands there is told too.
pub(super) fn stated(value: Option<Value<'_>>) -> (Option<Timestamp>, Option<StatedTime>) {
    let Some(text) = value.and_then(Value::text).filter(|text| text.len() <= 40) else { return (None, None) };
    let zone = StatedZone::AssumedUtc;
    if let Ok(at) = text.parse() {
        return (Some(at), None);
    }
    for (end, stated) in [
        ("Z", StatedTime { precision: Precision::Second, zone }),
        (":00Z", StatedTime { precision: Precision::Minute, zone }),
        ("T00:00:00Z", StatedTime { precision: Precision::Day, zone }),
    ] {
        if let Ok(at) = format!("{text}{end}").parse() {
            return (Some(at), Some(stated));
        }
    }
    (None, None)
}

/// A language tag; none when it does not look like one (a capture's own words must not pass for one).
pub(super) fn language(value: Option<Value<'_>>) -> Option<String> {
    let tag = value?.text()?;
    is_language(&tag).then(|| tag.into_owned())
}

/// Whether this looks like a language tag.
pub(super) fn is_language(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

pub(super) fn account(
    id: Option<PrivateText>,
    handle: Option<PrivateText>,
    name: Option<PrivateText>,
) -> Account {
    Account { native_id: id, handle: handle.unwrap_or_default(), display_name: name.unwrap_or_default() }
}

/// A passage, unless it is empty.
pub(super) fn passage(role: PassageRole, text: Option<PrivateText>) -> Option<Passage> {
    text.filter(|text| !text.is_empty()).map(|text| Passage { role, text })
}

pub(super) fn media_kind(word: &str) -> MediaKind {
    match word {
        "image" | "photo" => MediaKind::Image,
        "video" | "gifv" | "animated_gif" => MediaKind::Video,
        "audio" => MediaKind::Audio,
        _ => MediaKind::Other,
    }
}
