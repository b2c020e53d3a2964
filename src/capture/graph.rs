//! What Meta's Graph APIs have in common: things that were said stand under each other in edges
//! (`"comments": {"data": […]}`), lists of them may be keyed by their ids, and what stands in an edge does not
//! say what it stands under: the id of that is a shared part of it. Source: developers.facebook.com/docs/graph-api.

use super::gather::{Copies, Gathered, id};
use super::item::{Account, Item, MediaKind};
use super::json::{Json, Value};
use super::unit::{ActKind, PartRole};
use crate::model::PrivateText;
use std::collections::{HashMap, HashSet};

/// How many objects are looked at for a mark of a format.
pub(super) const LOOKED_AT: usize = 200;

/// One network's reading of an object; the second value is the id of what it stands under.
pub(super) type ReadItem = fn(Value<'_>, Option<Value<'_>>) -> Option<Item>;

/// What is looked for in every object, so that one look finds it all: its id; three edges whose members stand under
/// it, three whose members are parts of it and not said on their own; what tells a reaction and a conversation; edges
/// with people who liked it.
const LOOKED_FOR: [&str; 22] = [
    "id",
    "comments",
    "replies",
    "messages",
    "children",
    "attachments",
    "subattachments",
    "type",
    "name",
    "created_time",
    "message_count",
    "snippet",
    "link",
    "updated_time",
    "likes",
    "reactions",
    "like",
    "love",
    "wow",
    "haha",
    "sad",
    "angry",
];
/// Words of a reaction, as the lists of reactions write them.
const REACTIONS: [&str; 10] =
    ["LIKE", "LOVE", "WOW", "HAHA", "SAD", "SORRY", "ANGRY", "CARE", "THANKFUL", "PRIDE"];

pub(super) fn gather(json: &Json<'_>, read: ReadItem) -> Gathered {
    let mut gathered = Gathered::default();
    let mut copies = Copies::of(json);
    let mut stands_under: HashMap<usize, Value<'_>> = HashMap::new();
    let mut passed: HashSet<usize> = HashSet::new();
    for object in json.objects() {
        let [own, comments, replies, messages, children, attached, within, rest @ ..] =
            object.fields(LOOKED_FOR);
        let [kind, name, created, count, snippet, link, updated, liking @ ..] = rest;
        let own = own.filter(|own| own.id().is_some());
        passed.extend([children, attached, within].into_iter().flat_map(at).map(|part| part.range().start));
        if let Some(own) = own {
            let under = [comments, replies, messages].into_iter().flat_map(at);
            stands_under.extend(under.map(|member| (member.range().start, own)));
        }
        let start = object.range().start;
        if passed.contains(&start) {
            continue;
        }
        let under = stands_under.get(&start).copied();
        if let Some(mut item) = read(object, under) {
            if let Some(under) = under.filter(|under| copies.take(*under)) {
                item.shared.push(gathered.part(PartRole::Thread, under.range()));
            }
            gathered.items.push((item, object.range()));
        }
        passed.extend(liked(own, [kind, name, created], &liking, &mut gathered));
        if count.or(snippet).or(updated).is_some() && at(messages).next().is_none() {
            stub(own, count.is_some(), link, &mut gathered);
        }
    }
    gathered.excessive = copies.spent();
    gathered
}

pub(super) fn reread(json: &Json<'_>, shared: &[(PartRole, Value<'_>)], read: ReadItem) -> Option<Item> {
    let under = shared.iter().find(|(role, _)| *role == PartRole::Thread).map(|(_, value)| *value);
    read(json.root(), under)
}

/// Whether any of the first objects has a mark.
pub(super) fn marked(root: Value<'_>, mark: fn(Value<'_>) -> bool) -> bool {
    root.within().take(LOOKED_AT).any(mark)
}

/// A time as the Graph APIs write it.
pub(super) fn is_time(value: Option<Value<'_>>) -> bool {
    value.and_then(Value::text).is_some_and(|text| text.len() < 40 && text.get(10..11) == Some("T"))
}

/// The body of an answer that failed.
pub(super) fn is_failure(root: Value<'_>) -> bool {
    root.field("error").is_some_and(|error| {
        let [kind, code, trace, message] = error.fields(["type", "code", "fbtrace_id", "message"]);
        trace.is_some() || (kind.is_some() && code.is_some() && message.is_some())
    })
}

/// What stands in an edge: `{"data": […]}`, or a bare array.
pub(super) fn members<'j>(object: Value<'j>, edge: &'static str) -> impl Iterator<Item = Value<'j>> {
    at(object.field(edge))
}

fn at(edge: Option<Value<'_>>) -> impl Iterator<Item = Value<'_>> {
    let data = edge.filter(|edge| edge.is_object()).and_then(|edge| edge.field("data"));
    data.or(edge).into_iter().flat_map(Value::elements).filter(|member| member.is_object())
}

/// An account, where one is named by `id`, `name` or `username`.
pub(super) fn account_of(value: Value<'_>) -> Option<Account> {
    let [own, name, username] = value.fields(["id", "name", "username"]);
    let account = super::gather::account(id(own), id(username), id(name));
    let named = account.native_id.is_some() || !account.handle.is_empty() || !account.display_name.is_empty();
    named.then_some(account)
}

/// Kind of an attachment, by the word the API has for it; none for a link.
pub(super) fn media_kind(word: &str) -> Option<MediaKind> {
    let word = word.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    match () {
        () if has(&["share", "link", "fallback", "note", "event"]) && !has(&["image", "video"]) => None,
        () if has(&["video", "reel"]) => Some(MediaKind::Video),
        () if has(&["photo", "image", "sticker", "album", "carousel", "cover"]) => Some(MediaKind::Image),
        () if has(&["audio"]) => Some(MediaKind::Audio),
        () => Some(MediaKind::Other),
    }
}

/// Counts who liked it; gives where they stand. Someone in a list of reactions without the post is one too.
fn liked(
    own: Option<Value<'_>>,
    [kind, name, created]: [Option<Value<'_>>; 3],
    edges: &[Option<Value<'_>>],
    gathered: &mut Gathered,
) -> Vec<usize> {
    let of = own.and_then(Value::id).unwrap_or_default();
    let mut seen = Vec::new();
    for member in edges.iter().copied().flat_map(at) {
        if let Some(who) = member.field("id").and_then(Value::id) {
            gathered.act(ActKind::Like, format!("{of} {who}"));
        }
        seen.push(member.range().start);
    }
    let reaction = kind.and_then(Value::text).is_some_and(|word| REACTIONS.contains(&&*word));
    if reaction && name.is_some() && created.is_none() && !of.is_empty() {
        gathered.act(ActKind::Like, of.into_owned());
    }
    seen
}

/// A conversation of which no message is there, if it is one: by its id, or by the count of its messages. What is said
/// about it may quote one.
fn stub(own: Option<Value<'_>>, counted: bool, link: Option<Value<'_>>, gathered: &mut Gathered) {
    let is_thread = own.and_then(Value::text).is_some_and(|own| own.starts_with("t_"));
    if is_thread || counted {
        let name: Option<PrivateText> = id(own).or_else(|| id(link));
        gathered.stubs.push(name.unwrap_or_default());
    }
}
