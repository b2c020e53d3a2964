//! The Facebook Graph API: posts, comments, conversations with messages. Source of the fields:
//! developers.facebook.com/docs/graph-api/reference.
//!
//! Quirks that matter: which fields are there depends on what was asked for; a comment of a public page has no
//! author, and without `id` only `permalink_url` names it and tells a reply; `updated_time` moves with every
//! comment and tells no edit; a conversation may be there without a message.

use super::gather::{self, Context, JsonReading, id, passage, text};
use super::instagram_graph::{self, attached_kind};
use super::item::{Account, Item, MediaKind, Passage, PassageRole};
use super::json::Value;
use super::{graph, html};
use crate::model::{ItemKind, Platform, PrivateText, Visibility};
use std::borrow::Cow;

pub(super) const READING: JsonReading = JsonReading {
    name: "facebook_graph",
    platform: Platform::Facebook,
    recognises,
    gather: |json, _: &mut Context| graph::gather(json, item),
    reread: |json, shared| graph::reread(json, shared, item),
    event_of_deletion: None,
};

/// What the two networks answer alike (a failure, an empty page) counts as Facebook's.
fn recognises(root: Value<'_>) -> bool {
    if graph::marked(root, instagram_graph::is_marked) {
        return false;
    }
    let [data, paging] = root.fields(["data", "paging"]);
    let page = data.is_some_and(Value::is_array) && paging.is_some_and(Value::is_object);
    page || graph::is_failure(root) || graph::marked(root, is_marked)
}

fn is_marked(object: Value<'_>) -> bool {
    let [created, count, snippet, updated] =
        object.fields(["created_time", "message_count", "snippet", "updated_time"]);
    graph::is_time(created) || (count.or(snippet).is_some() && graph::is_time(updated))
}

/// Members that only a comment has, and that only a post has.
const OF_A_COMMENT: [&str; 9] = [
    "attachment",
    "can_comment",
    "can_hide",
    "can_like",
    "can_remove",
    "can_reply_privately",
    "comment_count",
    "is_private",
    "parent",
];
const OF_A_POST: [&str; 9] = [
    "actions",
    "attachments",
    "full_picture",
    "is_published",
    "privacy",
    "shares",
    "status_type",
    "story",
    "updated_time",
];

fn item(object: Value<'_>, under: Option<Value<'_>>) -> Option<Item> {
    let [own, said, story, created, permalink] =
        object.fields(["id", "message", "story", "created_time", "permalink_url"]);
    let is_text = |value: Option<Value<'_>>| value.is_some_and(Value::is_text);
    let [from, sticker, error] = object.fields(["from", "sticker", "code"]);
    let told = is_text(said) || is_text(story);
    let dated = is_text(created)
        && (from.or(sticker).or(permalink).is_some()
            || has(object, &OF_A_COMMENT)
            || has(object, &OF_A_POST));
    let named = own.or(created).or(permalink).is_some();
    if !((told && named && error.is_none()) || dated) {
        return None;
    }
    let address = permalink.and_then(Value::text).unwrap_or_default();
    let address = if address.contains('&') { Cow::Owned(html::decoded(&address)) } else { address };
    let place = Permalink::of(&address);
    let begins = |value: Option<Value<'_>>, with: &str| {
        value.and_then(Value::text).is_some_and(|text| text.starts_with(with))
    };
    let kind = if begins(own, "m_") || begins(under, "t_") {
        ItemKind::Message
    } else if is_comment(object, &place, under) {
        ItemKind::Reaction
    } else {
        ItemKind::Post
    };
    let mut item = Item::new(Platform::Facebook, kind);
    let body = text(said).or_else(|| text(story)).unwrap_or_default();
    item.passages.push(Passage { role: PassageRole::Body, text: body });
    if is_text(said) {
        item.passages.extend(passage(PassageRole::Body, text(story)));
    }
    item.visibility = visibility_of(object, kind);
    item.author = from.and_then(graph::account_of);
    (item.posted_at, item.posted_as) = gather::stated(created);
    attachments(object, &mut item);
    let tags = object.field("message_tags").into_iter().flat_map(tags_of);
    item.mentions = tags.filter_map(graph::account_of).collect();
    if kind == ItemKind::Message {
        item.conversation = id(under);
    } else if kind == ItemKind::Reaction {
        let parent = object.field("parent").and_then(|parent| id(parent.field("id")));
        item.in_reply_to = parent.or_else(|| id(under)).or_else(|| place.answers());
    }
    item.names = names_of(object, &place, &item);
    Some(item)
}

/// Tags stand in a list, or keyed by where they begin.
fn tags_of(tags: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    tags.elements().chain(tags.members().flat_map(|(_, tag)| tag.many()))
}

fn has(object: Value<'_>, names: &[&str]) -> bool {
    object.members().any(|(name, _)| name.text().is_some_and(|name| names.contains(&&*name)))
}

/// Both posts and comments may come with hardly a field: then one with an author is a comment, as only there
/// the API gives it unasked.
fn is_comment(object: Value<'_>, place: &Permalink<'_>, under: Option<Value<'_>>) -> bool {
    let author = object.field("from").is_some();
    place.comment.is_some()
        || under.is_some()
        || has(object, &OF_A_COMMENT)
        || (author && !has(object, &OF_A_POST) && place.post.is_none())
}

fn names_of(object: Value<'_>, place: &Permalink<'_>, item: &Item) -> Vec<PrivateText> {
    let [own, permalink] = object.fields(["id", "permalink_url"]);
    let own = id(own).or_else(|| place.own());
    let mut names: Vec<PrivateText> = own.into_iter().chain(id(permalink)).collect();
    if names.is_empty() {
        let who = item.author.as_ref().map_or("", Account::identity);
        let at = item.posted_at.map_or_else(String::new, |at| at.to_string());
        let said = item.passages.first().map_or("", |passage| passage.text.expose());
        names.push(gather::unnamed(&[who, &at, said]));
    }
    names
}

/// What an address of the form `/PAGE/posts/POST/?comment_id=COMMENT&reply_comment_id=REPLY` tells.
#[derive(Default)]
struct Permalink<'a> {
    page: Option<&'a str>,
    post: Option<&'a str>,
    comment: Option<&'a str>,
    reply: Option<&'a str>,
}

impl<'a> Permalink<'a> {
    fn of(address: &'a str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let mut steps = path.split('/').rev().filter(|step| !step.is_empty());
        let number =
            |text: &'a str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text);
        let query = |name: &str| {
            query.split(['&', '#']).find_map(|pair| number(pair.strip_prefix(name)?.strip_prefix('=')?))
        };
        let post = steps.next().and_then(number);
        let page = steps.next().filter(|step| *step == "posts").and_then(|_| number(steps.next()?));
        Self { page, post, comment: query("comment_id"), reply: query("reply_comment_id") }
    }

    /// The id of what it leads to, as the API writes it.
    fn own(&self) -> Option<PrivateText> {
        let last = self.reply.or(self.comment);
        last.map_or_else(|| joined(self.page, self.post), |last| joined(self.post, Some(last)))
    }

    /// The id of what that answers.
    fn answers(&self) -> Option<PrivateText> {
        self.comment?;
        if self.reply.is_some() { joined(self.post, self.comment) } else { joined(self.page, self.post) }
    }
}

fn joined(first: Option<&str>, second: Option<&str>) -> Option<PrivateText> {
    Some(PrivateText::new([first?, "_", second?].concat()))
}

/// A page's posts and comments are public unless something says otherwise.
fn visibility_of(object: Value<'_>, kind: ItemKind) -> Visibility {
    let [private, hidden, published, privacy] =
        object.fields(["is_private", "is_hidden", "is_published", "privacy"]);
    let is = |value: Option<Value<'_>>| value.is_some_and(Value::is_true);
    if kind == ItemKind::Message || is(private) {
        return Visibility::Direct;
    }
    if is(hidden) || published.is_some_and(Value::is_false) {
        return Visibility::Unknown;
    }
    let privacy = privacy.and_then(|privacy| privacy.field("value").unwrap_or(privacy).text());
    match privacy.as_deref() {
        None | Some("" | "EVERYONE") => Visibility::Public,
        Some("ALL_FRIENDS" | "FRIENDS_OF_FRIENDS") => Visibility::Followers,
        Some("SELF" | "CUSTOM") => Visibility::Direct,
        Some(_) => Visibility::Unknown,
    }
}

/// Kinds of what is attached, also inside albums; addresses of shared pages are links.
fn attachments(object: Value<'_>, item: &mut Item) {
    let [single, link] = object.fields(["attachment", "link"]);
    let single = single.filter(|single| single.is_object()).into_iter();
    for attachment in graph::members(object, "attachments").chain(single) {
        if item.kind == ItemKind::Message {
            item.media.push(attached_kind(attachment));
            continue;
        }
        let [wide, narrow, plain, address] =
            attachment.fields(["media_type", "type", "unshimmed_url", "url"]);
        let inside: Vec<_> = graph::members(attachment, "subattachments").collect();
        for part in if inside.is_empty() { vec![attachment] } else { inside } {
            let [kind, alt] = part.fields(["type", "alt_text"]);
            let word = kind.or(wide).or(narrow).and_then(Value::text).unwrap_or_default();
            match graph::media_kind(&word) {
                Some(kind) => item.media.push(kind),
                None => item.links.extend(id(plain).or_else(|| id(address))),
            }
            item.passages.extend(passage(PassageRole::AltText, text(alt)));
        }
    }
    if item.kind != ItemKind::Message {
        item.links.extend(id(link));
    }
    if object.field("sticker").is_some_and(Value::is_text) {
        item.media.push(MediaKind::Image);
    }
}

#[cfg(test)]
#[path = "facebook_graph_tests.rs"]
pub(super) mod tests;
