//! What the download archives of Facebook and Instagram have in common: texts with broken characters, threads
//! of messages, and items without an id.
//!
//! The archives write each byte of UTF-8 as a character of its own (`\u00c3\u00ab` for ë), in most years and
//! fields and not in all. A text is repaired only when that is what it is.

use super::attachment;
use super::gather::{self, Gathered, private};
use super::item::{Account, DeletedBy, Item, MediaKind, Passage, PassageRole, Removal};
use super::json::Value;
use super::unit::{ActKind, PartRole};
use crate::model::{ItemKind, Platform, PrivateText, Timestamp, Visibility};
use std::borrow::Cow;

/// A thread's name longer than this is cut off: it stands in every message of the thread.
const THREAD_BYTES_MAX: usize = 512;

/// The text behind bytes that were written as characters; the text itself when it is no such thing.
///
/// It is one when every character fits a byte and the bytes are UTF-8 with at least one character of several
/// bytes. The platform cuts some texts off between two bytes; what is left of the last character stays.
pub(super) fn repaired(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().any(|character| u32::from(character) > 0xFF) {
        return text;
    }
    let bytes: Vec<u8> = text.chars().map(|character| u32::from(character) as u8).collect();
    match String::from_utf8(bytes) {
        Ok(whole) => Cow::Owned(whole),
        Err(fault) => {
            let end = fault.utf8_error();
            let good = fault.as_bytes().get(..end.valid_up_to()).unwrap_or_default();
            let left = fault.as_bytes().get(end.valid_up_to()..).unwrap_or_default();
            // One byte alone at the end may be a letter that is right.
            if end.error_len().is_some() || good.is_ascii() || left.len() < 2 {
                return text;
            }
            let left: String = left.iter().map(|byte| char::from(*byte)).collect();
            Cow::Owned(format!("{}{left}", String::from_utf8_lossy(good)))
        }
    }
}

/// A text field, repaired.
pub(super) fn text(value: Option<Value<'_>>) -> Option<PrivateText> {
    value.and_then(Value::text).map(|text| PrivateText::new(repaired(text).into_owned()))
}

/// A text field, repaired; empty ones are none.
pub(super) fn said(value: Option<Value<'_>>) -> Option<PrivateText> {
    text(value).filter(|text| !text.is_empty())
}

/// The body of an item, empty when nothing was said.
pub(super) fn body(said: Option<PrivateText>) -> Passage {
    Passage { role: PassageRole::Body, text: said.unwrap_or_default() }
}

/// A time as a number since 1970, in seconds or milliseconds, or as text.
pub(super) fn moment(value: Option<Value<'_>>) -> Option<Timestamp> {
    let text = value?.id()?;
    super::dates::epoch(&text).or_else(|| text.parse().ok())
}

/// Who is known by a name only: it stands for the handle too, as it is all there is to tell people apart.
pub(super) fn named(name: Option<Value<'_>>) -> Option<Account> {
    let name = said(name)?;
    Some(gather::account(None, Some(private(name.expose())), Some(name)))
}

/// The name of an item that has no id: all that tells it from others of its kind.
pub(super) fn composed(parts: &[&str]) -> PrivateText {
    PrivateText::new(parts.join("\u{1f}"))
}

/// Text of an id, number or string, for composing names.
pub(super) fn word(value: Option<Value<'_>>) -> Cow<'_, str> {
    value.and_then(Value::id).map(repaired).unwrap_or_default()
}

/// What a file is, by the ending of its name.
pub(super) fn kind_of_file(address: &str) -> MediaKind {
    let ending = address.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "jpg" | "jpeg" | "png" | "webp" | "heic" => MediaKind::Image,
        "mp4" | "mov" | "gif" => MediaKind::Video,
        "aac" | "m4a" | "mp3" | "wav" | "ogg" => MediaKind::Audio,
        _ => MediaKind::Other,
    }
}

/// An object with messages, in any of the layouts.
pub(super) fn is_thread(object: Value<'_>) -> bool {
    let [people, messages, conversation] = object.fields(["participants", "messages", "conversation"]);
    people.is_some_and(Value::is_array) && messages.or(conversation).is_some_and(Value::is_array)
}

/// Whether a thread comes from Instagram, which writes the same layout as Facebook: by marks that only one of
/// them has. Without any it is Facebook's.
pub(super) fn is_instagram_thread(thread: Value<'_>) -> bool {
    let [kind, conversation, name] = thread.fields(["thread_type", "conversation", "threadName"]);
    if kind.is_some() || name.is_some() {
        return false;
    }
    let facebook =
        ["type", "sticker", "gifs", "is_unsent_image_by_messenger_kid_parent", "bumped_message_metadata"];
    let mut instagram = conversation.is_some();
    for message in thread.list("messages").take(200) {
        if message.fields(facebook).into_iter().flatten().next().is_some() {
            return false;
        }
        let [share, photos, videos, geo] =
            message.fields(["share", "photos", "videos", "is_geoblocked_for_viewer"]);
        let link = share.and_then(|share| share.field("link")?.text()).unwrap_or_default();
        let first = photos.or(videos).and_then(|list| list.elements().next());
        let uri = first.and_then(|medium| medium.field("uri")?.text()).unwrap_or_default();
        let marked = link.contains("instagram.com/") || uri.contains("instagram");
        instagram |=
            marked || geo.is_some() || share.is_some_and(|s| s.field("original_content_owner").is_some());
    }
    instagram
}

/// Reads every message of a thread.
pub(super) fn thread(thread: Value<'_>, platform: Platform, gathered: &mut Gathered) {
    let [path, people, messages, conversation] =
        thread.fields(["thread_path", "participants", "messages", "conversation"]);
    let mark = path.filter(|path| path.id().is_some()).or(people);
    let name = mark.map(thread_name);
    let part = gathered.parts.len();
    let first = gathered.items.len();
    for object in messages.or(conversation).into_iter().flat_map(Value::elements) {
        if !is_message(object) {
            continue;
        }
        let mut item = message(object, platform, name.as_ref());
        item.shared.extend(mark.map(|_| part));
        if let Some(removal) = item.deletion {
            gathered.deletion(item.names.iter().map(|name| private(name.expose())).collect(), removal);
        }
        acts(object, &item, gathered);
        gathered.items.push((item, object.range()));
    }
    if gathered.items.len() > first {
        gathered.parts.extend(mark.map(|mark| (PartRole::Thread, mark.range())));
    }
}

/// Reads one message again, with what its thread says of itself.
pub(super) fn reread(object: Value<'_>, platform: Platform, parts: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let mark = parts.iter().find(|(role, _)| *role == PartRole::Thread).map(|(_, value)| *value);
    is_message(object).then(|| message(object, platform, mark.map(thread_name).as_ref()))
}

/// The path, or who takes part.
fn thread_name(mark: Value<'_>) -> PrivateText {
    let mut name = String::new();
    let mut add = |word: Cow<'_, str>| {
        for character in word.chars().chain(['\u{1f}']) {
            if name.len() < THREAD_BYTES_MAX {
                name.push(character);
            }
        }
    };
    if mark.is_array() {
        mark.elements().for_each(|one| add(word(one.field("name").or(Some(one)))));
    } else {
        add(word(Some(mark)));
    }
    PrivateText::new(name)
}

fn is_message(object: Value<'_>) -> bool {
    let [sender, plain, camel] = object.fields(["sender_name", "sender", "senderName"]);
    let [millis, created, at] = object.fields(["timestamp_ms", "created_at", "timestamp"]);
    sender.or(plain).or(camel).is_some() && millis.or(created).or(at).is_some()
}

fn message(object: Value<'_>, platform: Platform, thread: Option<&PrivateText>) -> Item {
    let [sender, plain, camel] = object.fields(["sender_name", "sender", "senderName"]);
    let [millis, created, at] = object.fields(["timestamp_ms", "created_at", "timestamp"]);
    let [content, said_text, heart, action, unsent, unsent_camel] =
        object.fields(["content", "text", "heart", "action", "is_unsent", "isUnsent"]);
    let sender = sender.or(plain).or(camel);
    let created = millis.or(created).or(at);
    let what = said(content).or_else(|| said(said_text)).or_else(|| said(heart)).or_else(|| said(action));
    let mut item = Item::new(platform, ItemKind::Message);
    let thread_word = thread.map_or("", PrivateText::expose);
    item.visibility = Visibility::Direct;
    item.author = named(sender);
    item.posted_at = moment(created);
    item.conversation = thread.map(|thread| private(thread.expose()));
    let uri = media(object, &mut item);
    let parts =
        [thread_word, &word(created), &word(sender), what.as_ref().map_or("", PrivateText::expose), &uri];
    item.names.push(composed(&[&["message"], &parts[..]].concat()));
    item.passages.insert(0, body(what));
    shares(object, &mut item);
    let gone = unsent.or(unsent_camel).is_some_and(Value::is_true);
    item.deletion = gone.then_some(Removal { at: None, by: DeletedBy::Author });
    item
}

/// Kinds of what is attached; the address of the first.
fn media<'j>(object: Value<'j>, item: &mut Item) -> Cow<'j, str> {
    let [photos, videos, sound, files, gifs, sticker] =
        object.fields(["photos", "videos", "audio_files", "files", "gifs", "sticker"]);
    let [old, old_address, moving, both] =
        object.fields(["media", "media_url", "animated_media_images", "voice_media"]);
    let mut first = Cow::Borrowed("");
    for (word, list) in [("image", photos), ("video", videos), ("audio", sound), ("", files), ("gifv", gifs)]
    {
        for medium in list.into_iter().flat_map(Value::elements) {
            item.media.push(gather::media_kind(word));
            item.attached.extend(files_of(medium));
            first = if first.is_empty() { self::word(medium.field("uri")) } else { first };
        }
    }
    let old_list = old.into_iter().flat_map(Value::elements).count();
    let single = [sticker, old.filter(|old| old.is_text()), old_address].into_iter().flatten().count();
    item.media.extend((0..single + old_list).map(|_| gather::media_kind("")));
    item.media.extend(moving.map(|_| gather::media_kind("gifv")));
    item.media.extend(both.map(|_| gather::media_kind("audio")));
    first
}

/// The files of a medium in the archive: itself, and the still of a film.
pub(super) fn files_of(medium: Value<'_>) -> impl Iterator<Item = PrivateText> {
    let [uri, path, still] = medium.fields(["uri", "path", "thumbnail"]);
    let still = still.and_then(|still| still.field("uri"));
    [uri.or(path), still].into_iter().filter_map(|address| attachment::name_of(&word(address)))
}

/// What a message passes on: addresses, and the text of the post it shows.
fn shares(object: Value<'_>, item: &mut Item) {
    let [share, link, address, caption, owner, mentioned] = object.fields([
        "share",
        "link",
        "media_share_url",
        "media_share_caption",
        "media_owner",
        "mentioned_username",
    ]);
    let [inner, shown] = share.map_or([None; 2], |share| share.fields(["link", "share_text"]));
    item.links.extend([inner, link, address].into_iter().filter_map(said));
    let shown = [shown, caption].into_iter().filter_map(said);
    item.passages.extend(shown.map(|text| Passage { role: PassageRole::AltText, text }));
    item.mentions.extend([owner, mentioned].into_iter().filter_map(named));
}

/// Signs that others put under a message.
fn acts(object: Value<'_>, item: &Item, gathered: &mut Gathered) {
    let message = item.names.first().map_or("", PrivateText::expose);
    for reaction in object.list("reactions").chain(object.list("likes")) {
        let [actor, user] = reaction.fields(["actor", "username"]);
        gathered.act(ActKind::Like, format!("{message}\u{1f}{}", word(actor.or(user))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_broken_is_repaired() {
        for (text, expected) in [
            ("Zo\u{c3}\u{ab}", "Zoë"),
            ("\u{f0}\u{9f}\u{98}\u{80}!", "😀!"),
            ("Zoë", "Zoë"),
            ("é", "é"),
            ("Ã", "Ã"),
            ("gewoon", "gewoon"),
            ("😀 \u{c3}\u{ab}", "😀 \u{c3}\u{ab}"),
            ("\u{c3}\u{ab} \u{f0}\u{9f}", "ë \u{f0}\u{9f}"),
            ("\u{c3}\u{ab} \u{e9} en", "\u{c3}\u{ab} \u{e9} en"),
        ] {
            assert_eq!(repaired(Cow::Borrowed(text)), expected, "{text:?}");
        }
    }
}
