//! The YouTube Data API, version 3: threads of comments, comments, videos. Source of the fields:
//! developers.google.com/youtube/v3/docs.
//!
//! Quirks that matter: the first comment of a thread has the thread's id; replies in a thread are only some of
//! them; `textDisplay` is HTML and shortens links, `textOriginal` is what was written, but only who may edit the
//! comment is given it; whether a comment can be seen stands in part on its thread.

use super::gather::{self, Context, Copies, Gathered, JsonReading, id, passage, private, text, time};
use super::html;
use super::item::{Account, Item, Passage, PassageRole};
use super::json::{Json, Value};
use super::unit::PartRole;
use crate::model::{ItemKind, Platform, PrivateText, Visibility};

pub(super) const READING: JsonReading = JsonReading {
    name: "youtube",
    platform: Platform::YouTube,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

fn recognises(root: Value<'_>) -> bool {
    let marked = |object: Value<'_>| {
        let [kind, snippet] = object.fields(["kind", "snippet"]);
        let [shown, comment] =
            snippet.map_or([None; 2], |snippet| snippet.fields(["textDisplay", "topLevelComment"]));
        kind.and_then(Value::text).is_some_and(|kind| kind.starts_with("youtube#"))
            || shown.or(comment).is_some()
    };
    let failed = root.field("error").is_some_and(|error| {
        let [code, errors] = error.fields(["code", "errors"]);
        code.is_some() && errors.is_some_and(Value::is_array)
    });
    failed || root.within().take(50).any(marked)
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    let mut copies = Copies::of(json);
    // Where the thread ends that the next comments stand in, and what it says of who can see them.
    let mut thread = (0, None);
    for object in json.objects() {
        let [snippet, own] = object.fields(["snippet", "id"]);
        let [first, public] =
            snippet.map_or([None; 2], |snippet| snippet.fields(["topLevelComment", "isPublic"]));
        if first.is_some() && own.is_some() {
            thread = (object.range().end, public.filter(|public| public.is_false()));
            continue;
        }
        let closed = thread.1.filter(|_| object.range().start < thread.0);
        if let Some(mut item) = item(object, closed) {
            if let Some(closed) = closed.filter(|closed| copies.take(*closed)) {
                item.shared.push(gathered.part(PartRole::Audience, closed.range()));
            }
            gathered.items.push((item, object.range()));
        }
    }
    gathered.excessive = copies.spent();
    gathered
}

fn reread(json: &Json<'_>, shared: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let closed = shared.iter().find(|(role, _)| *role == PartRole::Audience).map(|(_, value)| *value);
    item(json.root(), closed)
}

/// A comment or a video. `closed`: that its thread says it is not public.
fn item(object: Value<'_>, closed: Option<Value<'_>>) -> Option<Item> {
    let [own, snippet, status, kind, file] =
        object.fields(["id", "snippet", "status", "kind", "fileDetails"]);
    let snippet = snippet.filter(|snippet| snippet.is_object())?;
    let name = id(own)?;
    let [shown, written] = snippet.fields(["textDisplay", "textOriginal"]);
    let mut item = if shown.or(written).is_some_and(Value::is_text) {
        comment(snippet, shown, written)
    } else if kind.and_then(Value::text).as_deref() == Some("youtube#video") {
        let mut video = video(snippet, status);
        video.media_size_bytes.extend(gather::size_bytes(file.and_then(|file| file.field("fileSize"))));
        video
    } else {
        return None;
    };
    item.names = vec![name];
    (item.posted_at, item.posted_as) = gather::stated(snippet.field("publishedAt"));
    if closed.is_some() {
        item.visibility = Visibility::Unknown;
    }
    Some(item)
}

fn comment(snippet: Value<'_>, shown: Option<Value<'_>>, written: Option<Value<'_>>) -> Item {
    let [published, updated, parent, video] =
        snippet.fields(["publishedAt", "updatedAt", "parentId", "videoId"]);
    let mut item = Item::new(Platform::YouTube, ItemKind::Reaction);
    let reading = shown.and_then(Value::text).map(|shown| html::reading(&shown));
    let (reading, links) = reading.map_or_else(Default::default, |reading| (reading.text, reading.links));
    let body = text(written).filter(|body| !body.is_empty()).unwrap_or_else(|| PrivateText::new(reading));
    item.passages.push(Passage { role: PassageRole::Body, text: body });
    item.links = links.into_iter().map(PrivateText::new).collect();
    item.author = author_of(snippet);
    item.edited_at = time(updated).filter(|at| time(published) != Some(*at));
    item.in_reply_to = id(parent).or_else(|| id(video));
    // A comment that is held, or that the channel rejected, is shown to the channel only.
    let moderated = snippet.field("moderationStatus").and_then(Value::text);
    let shown = moderated.is_none_or(|status| status == "published");
    item.visibility = if shown { Visibility::Public } else { Visibility::Unknown };
    item
}

/// A name shown that begins with `@` is the account's handle.
fn author_of(snippet: Value<'_>) -> Option<Account> {
    let [name, channel, address] =
        snippet.fields(["authorDisplayName", "authorChannelId", "authorChannelUrl"]);
    let of_address = |address: Value<'_>| {
        let address = address.text()?;
        let (_, native) = address.split_once("/channel/")?;
        Some(private(native.trim_end_matches('/'))).filter(|native| !native.is_empty())
    };
    let native = channel.and_then(|channel| id(channel.field("value"))).or_else(|| of_address(address?));
    let name = text(name).filter(|name| !name.is_empty());
    let handle = name.as_ref().and_then(|name| name.expose().strip_prefix('@')).map(private);
    (native.is_some() || name.is_some()).then(|| gather::account(native, handle, name))
}

fn video(snippet: Value<'_>, status: Option<Value<'_>>) -> Item {
    let [title, description, channel, name, language] =
        snippet.fields(["title", "description", "channelId", "channelTitle", "defaultAudioLanguage"]);
    let mut item = Item::new(Platform::YouTube, ItemKind::Post);
    item.passages.push(Passage { role: PassageRole::Body, text: text(title).unwrap_or_default() });
    item.passages.extend(passage(PassageRole::Body, text(description)));
    item.author = id(channel).map(|channel| gather::account(Some(channel), None, text(name)));
    item.language = gather::language(language);
    item.media.push(super::item::MediaKind::Video);
    let privacy = status.and_then(|status| status.field("privacyStatus")?.text());
    item.visibility = match privacy.as_deref() {
        None | Some("public") => Visibility::Public,
        Some("unlisted") => Visibility::Unlisted,
        Some("private") => Visibility::Direct,
        Some(_) => Visibility::Unknown,
    };
    item
}

#[cfg(test)]
#[path = "youtube_tests.rs"]
pub(super) mod tests;
