//! Knik's own format, for anything else: one object a line, `docs/captures/knik.schema.json`. A line is a record,
//! an act or a deletion. It is checked strictly, and a fault names line and field; what Knik has no field for
//! goes under `extra`, which is sealed and not read.

use super::gather::{self, Context, Gathered, JsonReading, id, passage, text, time};
use super::item::{Account, DeletedBy, Item, MediaKind, Passage, PassageRole, Removal};
use super::json::{Json, Value};
use super::unit::{ActKind, PartRole, RefusalReason};
use crate::model::{ItemKind, Platform, PrivateText, Timestamp, Visibility};

pub(super) const READING: JsonReading = JsonReading {
    name: "knik",
    platform: Platform::Other,
    recognises: |root| root.field("knik").is_some() && !root.is_array(),
    gather,
    reread,
    event_of_deletion: None,
};

/// A field and what is wrong with it.
pub(super) type Fault = (&'static str, &'static str);

const RECORD: [&str; 23] = [
    "knik",
    "id",
    "also_named",
    "platform",
    "kind",
    "author",
    "text",
    "content_warning",
    "poll_options",
    "media",
    "links",
    "mentions",
    "posted_at",
    "edited_at",
    "in_reply_to",
    "quotes",
    "conversation",
    "visibility",
    "language",
    "supersedes",
    "superseded",
    "deleted",
    "extra",
];
const ACT: [&str; 4] = ["knik", "act", "id", "extra"];
const DELETION: [&str; 5] = ["knik", "deleted_id", "at", "by", "extra"];

const ID: &str = "must be a text that is not empty, or a whole number";
const TEXT: &str = "must be a text";
const TEXTS: &str = "must be a list of texts that are not empty";
const MOMENT: &str = "must be a time with a zone, such as 2026-05-04T09:30:00Z";
const BY: &str = "must be one of: author, platform, unknown";
const VERSION: &str = "must be 1, the version of the format";
const ACTED: &str = "must be one of: boost, like, vote";
const EXTRA: &str = "is the place for fields that this format does not have; one stands outside it";
const PLATFORM: &str = "must be a platform that Knik has a word for, or `other`";
const KIND: &str = "must be one of: post, reaction, message";
const VISIBILITY: &str = "must be one of: public, unlisted, followers, direct, unknown";
const LANGUAGE: &str = "must be a language tag, such as nl or nl-NL";
const BODY: &str = "must be a text, empty when nothing was said";
const MEDIUM: &str = "must have a `kind`: image, video, audio or other";
const ALT: &str = "must have a text as `alt`, or none";
const SIZE: &str = "must have a whole number as `size_bytes`, or none";
const ACCOUNT: &str = "must have a `handle` or an `id`, and may have a `name`: texts";
/// Every mend there is.
const MENDS: [&str; 17] = [
    ID, TEXT, TEXTS, MOMENT, BY, VERSION, ACTED, EXTRA, PLATFORM, KIND, VISIBILITY, LANGUAGE, BODY, MEDIUM,
    ALT, SIZE, ACCOUNT,
];

/// A fault out of its words; none when this format has no such fault.
pub(super) fn known_fault(field: &[u8], mend: &[u8]) -> Option<Fault> {
    let same = |word: &&&str, given: &[u8]| word.as_bytes() == given;
    let field = RECORD.iter().chain(&ACT).chain(&DELETION).find(|word| same(word, field));
    field.copied().zip(MENDS.iter().find(|word| same(word, mend)).copied())
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    let root = json.root();
    if let Err((field, mend)) = line(root, &mut gathered) {
        gathered = Gathered::default();
        gathered.fault = Some(RefusalReason::Field { field, mend });
    }
    gathered
}

fn reread(json: &Json<'_>, _: &[(PartRole, Value<'_>)]) -> Option<Item> {
    record(json.root()).ok()
}

fn line(root: Value<'_>, gathered: &mut Gathered) -> Result<(), Fault> {
    let [version, act, gone] = root.fields(["knik", "act", "deleted_id"]);
    if version.and_then(Value::id).as_deref() != Some("1") {
        return Err(("knik", VERSION));
    }
    if let Some(act) = act {
        known(root, &ACT)?;
        let kind = one_of(act, &ACTS).ok_or(("act", ACTED))?;
        let name = id(root.field("id")).ok_or(("id", ID))?;
        gathered.act(kind, name.expose().to_owned());
    } else if let Some(gone) = gone {
        known(root, &DELETION)?;
        let name = id(Some(gone)).ok_or(("deleted_id", ID))?;
        gathered.deletion(vec![name], removal(root)?);
    } else {
        let item = record(root)?;
        if let Some(removal) = item.deletion {
            gathered
                .deletion(item.names.iter().map(|name| gather::private(name.expose())).collect(), removal);
        }
        gathered.items.push((item, root.range()));
    }
    Ok(())
}

/// Refuses a field that is none of the format's: a slip in `visibility` must not make a message public or lost.
fn known(object: Value<'_>, names: &[&str]) -> Result<(), Fault> {
    let all = object.members().all(|(name, _)| name.text().is_some_and(|name| names.contains(&&*name)));
    all.then_some(()).ok_or(("extra", EXTRA))
}

const ACTS: [(&str, ActKind); 3] =
    [("boost", ActKind::Boost), ("like", ActKind::Like), ("vote", ActKind::Vote)];
const KINDS: [(&str, ItemKind); 3] =
    [("post", ItemKind::Post), ("reaction", ItemKind::Reaction), ("message", ItemKind::Message)];
const MEDIA: [(&str, MediaKind); 4] = [
    ("image", MediaKind::Image),
    ("video", MediaKind::Video),
    ("audio", MediaKind::Audio),
    ("other", MediaKind::Other),
];
const DELETERS: [(&str, DeletedBy); 3] =
    [("author", DeletedBy::Author), ("platform", DeletedBy::Platform), ("unknown", DeletedBy::Unknown)];

fn one_of<T: Copy>(value: Value<'_>, words: &[(&str, T)]) -> Option<T> {
    let word = value.text()?;
    words.iter().find(|(known, _)| *known == word).map(|(_, meant)| *meant)
}

fn record(root: Value<'_>) -> Result<Item, Fault> {
    known(root, &RECORD)?;
    let kind = root.field("kind").and_then(|kind| one_of(kind, &KINDS));
    let platform = match root.field("platform") {
        Some(platform) => platform.text().and_then(|word| word.parse().ok()),
        None => Some(Platform::Other),
    };
    let platform = platform.ok_or(("platform", PLATFORM))?;
    let mut item = Item::new(platform, kind.ok_or(("kind", KIND))?);
    item.names.push(id(root.field("id")).ok_or(("id", ID))?);
    item.names.extend(texts(root, "also_named")?);
    item.author = root.field("author").map(|author| account(author, "author")).transpose()?;
    passages(root, &mut item)?;
    item.links = texts(root, "links")?;
    item.mentions = root.list("mentions").map(|one| account(one, "mentions")).collect::<Result<_, _>>()?;
    item.posted_at = moment(root, "posted_at")?;
    item.edited_at = moment(root, "edited_at")?;
    item.in_reply_to = reference(root, "in_reply_to")?;
    item.quotes = reference(root, "quotes")?;
    item.conversation = reference(root, "conversation")?;
    item.visibility =
        match root.field("visibility").map(|word| word.text().and_then(|word| word.parse().ok())) {
            Some(Some(visibility)) => visibility,
            Some(None) => {
                return Err(("visibility", VISIBILITY));
            }
            None if item.kind == ItemKind::Message => Visibility::Direct,
            None => Visibility::Unknown,
        };
    let language = root.field("language");
    item.language = gather::language(language);
    if language.is_some() && item.language.is_none() {
        return Err(("language", LANGUAGE));
    }
    item.supersedes = texts(root, "supersedes")?;
    item.superseded = root.field("superseded").is_some_and(Value::is_true);
    item.deletion = root.field("deleted").map(removal).transpose()?;
    Ok(item)
}

fn passages(root: Value<'_>, item: &mut Item) -> Result<(), Fault> {
    let body = root.field("text").filter(|text| text.is_text());
    let body = body.ok_or(("text", BODY))?;
    item.passages.push(Passage { role: PassageRole::Body, text: text(Some(body)).unwrap_or_default() });
    let warning = root.field("content_warning");
    if warning.is_some_and(|warning| !warning.is_text()) {
        return Err(("content_warning", TEXT));
    }
    item.passages.extend(passage(PassageRole::ContentWarning, text(warning)));
    let options = texts(root, "poll_options")?;
    item.passages.extend(options.into_iter().map(|text| Passage { role: PassageRole::PollOption, text }));
    for medium in root.list("media") {
        let [kind, alt, size] = medium.fields(["kind", "alt", "size_bytes"]);
        let kind = kind.and_then(|kind| one_of(kind, &MEDIA));
        item.media.push(kind.ok_or(("media", MEDIUM))?);
        if alt.is_some_and(|alt| !alt.is_text()) {
            return Err(("media", ALT));
        }
        item.passages.extend(passage(PassageRole::AltText, text(alt)));
        if let Some(size) = size.map(|size| gather::size_bytes(Some(size)).filter(|_| !size.is_text())) {
            item.media_size_bytes.push(size.ok_or(("media", SIZE))?);
        }
    }
    Ok(())
}

fn account(value: Value<'_>, field: &'static str) -> Result<Account, Fault> {
    let [native, handle, name] = value.fields(["id", "handle", "name"]);
    let wrong = handle.is_some_and(|handle| !handle.is_text()) || name.is_some_and(|name| !name.is_text());
    let found = gather::account(id(native), text(handle), text(name));
    if wrong || (found.native_id.is_none() && found.handle.is_empty()) {
        return Err((field, ACCOUNT));
    }
    Ok(found)
}

fn texts(root: Value<'_>, field: &'static str) -> Result<Vec<PrivateText>, Fault> {
    match root.field(field) {
        None => Ok(Vec::new()),
        Some(list) if list.is_array() => {
            list.elements().map(|one| id(Some(one)).ok_or((field, TEXTS))).collect()
        }
        Some(_) => Err((field, TEXTS)),
    }
}

fn reference(root: Value<'_>, field: &'static str) -> Result<Option<PrivateText>, Fault> {
    root.field(field).map(|value| id(Some(value)).ok_or((field, ID))).transpose()
}

fn moment(root: Value<'_>, field: &'static str) -> Result<Option<Timestamp>, Fault> {
    root.field(field).map(|value| time(Some(value)).ok_or((field, MOMENT))).transpose()
}

/// When, and by whom.
fn removal(value: Value<'_>) -> Result<Removal, Fault> {
    let by = value.field("by").map_or(Some(DeletedBy::Unknown), |by| one_of(by, &DELETERS));
    Ok(Removal { at: moment(value, "at")?, by: by.ok_or(("by", BY))? })
}

#[cfg(test)]
#[path = "knik_tests.rs"]
pub(super) mod tests;
