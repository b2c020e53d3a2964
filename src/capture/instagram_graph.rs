//! The Instagram Graph API: media with comments and replies, and messages. Source of the fields:
//! developers.facebook.com/docs/instagram-platform/reference.
//!
//! Quirks that matter: a comment has a `username` only when it was asked for; the pictures of a carousel have
//! the shape of media and are not posts; what a comment stands under it does not say.

use super::gather::{self, Context, JsonReading, id, passage, text};
use super::graph;
use super::item::{Account, Item, MediaKind, Passage, PassageRole};
use super::json::Value;
use crate::model::{ItemKind, Platform, PrivateText, Visibility};

pub(super) const READING: JsonReading = JsonReading {
    name: "instagram_graph",
    platform: Platform::Instagram,
    recognises,
    gather: |json, _: &mut Context| graph::gather(json, item),
    reread: |json, shared| graph::reread(json, shared, item),
    event_of_deletion: None,
};

fn recognises(root: Value<'_>) -> bool {
    let page = root.fields(["data", "paging"]).iter().all(Option::is_some);
    page || graph::is_failure(root) || graph::marked(root, is_marked)
}

/// Whether an object is one of this network's and not of Facebook's.
pub(super) fn is_marked(object: Value<'_>) -> bool {
    let [at, said, caption, kind, from] =
        object.fields(["timestamp", "text", "caption", "media_type", "from"]);
    let said = said.or(caption).or(kind).is_some_and(Value::is_text);
    let of_media = kind.and_then(Value::text).is_some_and(|kind| MEDIA.contains(&&*kind));
    let sender = from.is_some_and(|from| from.field("username").is_some() && from.field("name").is_none());
    let sent = graph::is_time(object.field("created_time"));
    (graph::is_time(at) && said) || of_media || (sender && sent)
}

/// Words of `media_type`.
const MEDIA: [&str; 4] = ["IMAGE", "VIDEO", "CAROUSEL_ALBUM", "REELS"];

fn item(object: Value<'_>, under: Option<Value<'_>>) -> Option<Item> {
    let [own, said, at, caption, kind, sent, permalink, said_of @ ..] = object.fields([
        "id",
        "text",
        "timestamp",
        "caption",
        "media_type",
        "created_time",
        "permalink",
        "hidden",
        "parent_id",
        "media",
        "from",
        "username",
        "owner",
        "user",
    ]);
    let [hidden, parent, of, people @ ..] = said_of;
    let is_text = |value: Option<Value<'_>>| value.is_some_and(Value::is_text);
    let told = own.or(at).is_some();
    let mut item = if is_text(kind) && (is_text(caption) || is_text(at) || is_text(permalink)) {
        media(object, caption.or(said))
    } else if is_text(said) && told {
        comment(said, [hidden, parent, of], under)
    } else if is_text(caption) && told {
        media(object, caption)
    } else if is_text(sent) && is_text(own) {
        message(object, under)?
    } else {
        return None;
    };
    item.author = author_of(people);
    (item.posted_at, item.posted_as) = gather::stated(at.or(sent));
    item.names = names_of(own, permalink, &item);
    Some(item)
}

fn names_of(own: Option<Value<'_>>, permalink: Option<Value<'_>>, item: &Item) -> Vec<PrivateText> {
    let mut names: Vec<PrivateText> = id(own).into_iter().chain(id(permalink)).collect();
    if names.is_empty() {
        let who = item.author.as_ref().map_or("", Account::identity);
        let at = item.posted_at.map_or_else(String::new, |at| at.to_string());
        let said = item.passages.first().map_or("", |passage| passage.text.expose());
        names.push(gather::unnamed(&[who, &at, said]));
    }
    names
}

fn new(kind: ItemKind, visibility: Visibility, body: Option<Value<'_>>) -> Item {
    let mut item = Item::new(Platform::Instagram, kind);
    item.visibility = visibility;
    item.passages.push(Passage { role: PassageRole::Body, text: text(body).unwrap_or_default() });
    item
}

fn media(object: Value<'_>, caption: Option<Value<'_>>) -> Item {
    let mut item = new(ItemKind::Post, Visibility::Public, caption);
    let children: Vec<_> = graph::members(object, "children").collect();
    for part in if children.is_empty() { vec![object] } else { children } {
        let [kind, alt] = part.fields(["media_type", "alt_text"]);
        let kind = kind.and_then(Value::text).and_then(|word| graph::media_kind(&word));
        item.media.push(kind.unwrap_or(MediaKind::Other));
        item.passages.extend(passage(PassageRole::AltText, text(alt)));
    }
    item
}

fn comment(
    said: Option<Value<'_>>,
    [hidden, parent, media]: [Option<Value<'_>>; 3],
    under: Option<Value<'_>>,
) -> Item {
    // A hidden comment is shown to who wrote it only.
    let hidden = hidden.is_some_and(Value::is_true);
    let visibility = if hidden { Visibility::Unknown } else { Visibility::Public };
    let mut item = new(ItemKind::Reaction, visibility, said);
    let media = media.and_then(|media| id(media.field("id")).or_else(|| id(Some(media))));
    item.in_reply_to = id(parent).or_else(|| id(under)).or(media);
    item
}

/// A direct message; its sender, its text or what is attached must be there.
fn message(object: Value<'_>, under: Option<Value<'_>>) -> Option<Item> {
    let [said, from, to] = object.fields(["message", "from", "to"]);
    let attached: Vec<_> = graph::members(object, "attachments").collect();
    if said.or(from).or(to).is_none() && attached.is_empty() {
        return None;
    }
    let mut item = new(ItemKind::Message, Visibility::Direct, said);
    item.media = attached.into_iter().map(attached_kind).collect();
    item.conversation = id(under);
    Some(item)
}

/// Kind of what is attached to a message.
pub(super) fn attached_kind(attachment: Value<'_>) -> MediaKind {
    let [mime, image, video] = attachment.fields(["mime_type", "image_data", "video_data"]);
    match (mime.and_then(Value::text).as_deref().and_then(|mime| mime.split('/').next()), image, video) {
        (Some("image"), ..) | (None, Some(_), _) => MediaKind::Image,
        (Some("video"), ..) | (None, _, Some(_)) => MediaKind::Video,
        (Some("audio"), ..) => MediaKind::Audio,
        _ => MediaKind::Other,
    }
}

fn author_of([from, username, owner, user]: [Option<Value<'_>>; 4]) -> Option<Account> {
    let of = [from, user, owner].into_iter().flatten().find_map(graph::account_of);
    let handle = id(username);
    match (of, handle) {
        (Some(account), handle) if account.handle.is_empty() => {
            Some(Account { handle: handle.unwrap_or_default(), ..account })
        }
        (Some(account), _) => Some(account),
        (None, handle) => handle.map(|handle| gather::account(None, Some(handle), None)),
    }
}

#[cfg(test)]
#[path = "instagram_graph_tests.rs"]
pub(super) mod tests;
