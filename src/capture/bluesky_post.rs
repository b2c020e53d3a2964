//! One post or message of Bluesky, read field by field.

use super::gather::{self, id, passage, private, text, unnamed};
use super::item::{Account, Item, MediaKind, Passage, PassageRole};
use super::json::Value;
use crate::model::{ItemKind, Platform, PrivateText, Visibility};

/// The collection that posts stand in, and the type of their records.
pub(super) const POST: &str = "app.bsky.feed.post";

/// The record that stands in a view (`record`, or `value` in an embed and a list) or a line of Jetstream.
pub(super) fn record_of(object: Value<'_>) -> Option<Value<'_>> {
    let [uri, record, value, did, commit] = object.fields(["uri", "record", "value", "did", "commit"]);
    let in_a_view = uri.filter(|uri| uri.is_text()).and_then(|_| record.or(value));
    let in_a_line = || did.filter(|did| did.is_text()).and(commit)?.field("record");
    in_a_view.or_else(in_a_line).filter(|record| record.is_object())
}

/// The address of the record that stands in a view or a line of Jetstream.
pub(super) fn name_of(object: Value<'_>) -> Option<PrivateText> {
    let [uri, did, commit] = object.fields(["uri", "did", "commit"]);
    if let Some(commit) = commit.filter(|commit| commit.is_object()) {
        let [collection, key] = commit.fields(["collection", "rkey"]).map(|part| part.and_then(Value::text));
        return Some(PrivateText::new(format!("at://{}/{}/{}", did?.text()?, collection?, key?)));
    }
    id(uri)
}

/// Reads a view of a post, a line of Jetstream with one, a bare record, or a message; else nothing.
pub(super) fn item(object: Value<'_>) -> Option<Item> {
    let Some(record) = record_of(object) else {
        return if is_post(object, false) { Some(bare(object)) } else { message(object) };
    };
    if !is_post(record, true) {
        return None;
    }
    let [author, embed] = object.fields(["author", "embed"]);
    let mut item = of_record(name_of(object)?, Some(record));
    let of_record = item.media.is_empty();
    if let Some(embed) = embed.filter(|_| of_record) {
        embedded(embed, &mut item);
    }
    if let Some(author) = author.filter(|author| author.is_object()) {
        item.author = Some(account_of(author));
        let hidden = |label: Value<'_>| label.field("val")?.text().map(|val| val == "!no-unauthenticated");
        if author.list("labels").any(|label| hidden(label) == Some(true)) {
            item.visibility = Visibility::Unknown;
        }
    }
    Some(item)
}

/// Reads the record of a post that has this address; without one only the address and the author are known.
pub(super) fn of_record(name: PrivateText, record: Option<Value<'_>>) -> Item {
    let author = name.expose().strip_prefix("at://").and_then(|rest| rest.split('/').next());
    let author = author.map(|author| match author.starts_with("did:") {
        true => gather::account(Some(private(author)), None, None),
        false => gather::account(None, Some(private(author)), None),
    });
    let mut item = record.map_or_else(|| Item::new(Platform::Bluesky, ItemKind::Post), said);
    if item.passages.is_empty() {
        item.passages.push(Passage { role: PassageRole::Body, text: PrivateText::default() });
    }
    item.author = author;
    if item.conversation.is_none() && record.is_some() {
        item.conversation = Some(private(name.expose()));
    }
    item.names = vec![name];
    item.visibility = Visibility::Public;
    item
}

/// A record without an address.
fn bare(record: Value<'_>) -> Item {
    let mut item = said(record);
    let [created, text] = record.fields(["createdAt", "text"]).map(|value| value.and_then(Value::text));
    item.names = vec![unnamed(&[&created.unwrap_or_default(), &text.unwrap_or_default()])];
    item.visibility = Visibility::Public;
    item
}

/// Whether a record is a post; one in a view may leave out its type.
fn is_post(record: Value<'_>, in_a_view: bool) -> bool {
    let [kind, said] = record.fields(["$type", "text"]);
    match kind.and_then(Value::text) {
        Some(kind) => kind == POST,
        None => in_a_view && said.is_some_and(Value::is_text),
    }
}

/// What stands in the record itself.
fn said(record: Value<'_>) -> Item {
    let [said, created, reply, embed, languages] =
        record.fields(["text", "createdAt", "reply", "embed", "langs"]);
    let body = said.and_then(Value::text).unwrap_or_default();
    let address = |of: Option<Value<'_>>| id(of?.field("uri"));
    let [parent, root] = reply.map_or([None; 2], |reply| reply.fields(["parent", "root"]));
    let in_reply_to = address(parent);
    let kind = if in_reply_to.is_some() { ItemKind::Reaction } else { ItemKind::Post };
    let mut item = Item::new(Platform::Bluesky, kind);
    (item.posted_at, item.posted_as) = gather::stated(created);
    item.passages.push(Passage { role: PassageRole::Body, text: private(&body) });
    item.in_reply_to = in_reply_to;
    item.conversation = address(root);
    item.language = gather::language(languages.and_then(|languages| languages.elements().next()));
    for facet in record.list("facets") {
        marked(facet, &body, &mut item);
    }
    if let Some(embed) = embed {
        embedded(embed, &mut item);
    }
    item
}

/// A mention or a link in the text. Its place counts bytes of UTF-8; one that does not fit is left without words.
fn marked(facet: Value<'_>, body: &str, item: &mut Item) {
    let [start, end] = facet.field("index").map_or([None; 2], |index| index.fields(["byteStart", "byteEnd"]));
    let place = |value: Option<Value<'_>>| value?.id()?.parse::<usize>().ok();
    let words =
        place(start).zip(place(end)).and_then(|(start, end)| body.get(start..end)).unwrap_or_default();
    for feature in facet.list("features") {
        let [uri, did] = feature.fields(["uri", "did"]);
        if let Some(did) = id(did) {
            let handle = private(words.trim_start_matches('@'));
            item.mentions.push(gather::account(Some(did), Some(handle), None));
        }
        item.links.extend(id(uri));
    }
}

/// Images with their descriptions, a video, a link, a quoted post; an embed may hold a post beside media.
fn embedded(embed: Value<'_>, item: &mut Item) {
    let [media, record, external, video] = embed.fields(["media", "record", "external", "video"]);
    let [kind, playlist] = embed.fields(["$type", "playlist"]);
    if let Some(media) = media.filter(|media| media.is_object() && media.field("media").is_none()) {
        embedded(media, item);
    }
    let images = embed.list("images").map(|image| (MediaKind::Image, image));
    let of_video = video.is_some() || playlist.is_some();
    let videos = of_video.then_some((MediaKind::Video, embed)).into_iter();
    for (kind, of) in images.chain(videos) {
        item.media.push(kind);
        // Of a record what was uploaded, of a view its address.
        let uploaded = of.field(if kind == MediaKind::Image { "image" } else { "video" });
        item.media_size_bytes.extend(gather::size_bytes(uploaded.and_then(|blob| blob.field("size"))));
        item.passages.extend(passage(PassageRole::AltText, text(of.field("alt"))));
    }
    item.links.extend(id(external.and_then(|external| external.field("uri"))));
    let view = kind.and_then(Value::text).is_some_and(|kind| kind.ends_with("#view"));
    let inner = record.and_then(|record| record.field("record")).filter(|inner| inner.is_object());
    let quoted = id(inner.or(record).and_then(|record| record.field("uri")));
    let other = |uri: &PrivateText| uri.expose().contains("/app.bsky.") && !uri.expose().contains(POST);
    if item.quotes.is_none() && !view {
        item.quotes = quoted.filter(|uri| !other(uri));
    }
}

fn account_of(author: Value<'_>) -> Account {
    let [did, handle, name] = author.fields(["did", "handle", "displayName"]);
    gather::account(id(did), text(handle), text(name))
}

/// A direct message (`chat.bsky.convo`).
fn message(object: Value<'_>) -> Option<Item> {
    let [own, sender, sent, said] = object.fields(["id", "sender", "sentAt", "text"]);
    let (own, said) = (id(own)?, said.filter(|said| said.is_text())?);
    let did = sender?.field("did")?;
    sent?;
    let mut item = Item::new(Platform::Bluesky, ItemKind::Message);
    let body = said.text().unwrap_or_default();
    item.passages.push(Passage { role: PassageRole::Body, text: private(&body) });
    object.list("facets").for_each(|facet| marked(facet, &body, &mut item));
    item.names = vec![own];
    item.author = Some(gather::account(id(Some(did)), None, None));
    (item.posted_at, item.posted_as) = gather::stated(sent);
    item.visibility = Visibility::Direct;
    Some(item)
}
