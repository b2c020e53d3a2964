//! The download archive of a profile or page on Facebook: posts, comments, messages, reactions and votes, in the
//! layouts of 2018 (`status_updates`, `comments`), of later years (`…_v2`, or a list without a name) and of
//! encrypted chats (`senderName`). Fields: SamuelePilleri/facebook-schemas and archives as they are.
//!
//! Quirks that matter: nothing has an id; people are known by their names only; the title is a sentence in the
//! owner's language and is not read; characters are broken, and repaired text by text; nothing says who could
//! see it, so visibility is not known but for messages.

use super::gather::{Context, Gathered, JsonReading};
use super::item::{Item, Passage, PassageRole};
use super::json::{Json, Value};
use super::meta_export::{self as meta, composed, moment, named, said, word};
use super::meta_labels as labels;
use super::unit::{ActKind, PartRole};
use crate::model::{ItemKind, Platform, PrivateText};

pub(super) const READING: JsonReading = JsonReading {
    name: "facebook_dyi",
    platform: Platform::Facebook,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

/// Members that hold lists of posts, comments or reactions.
pub(super) const LISTS: [&str; 16] = [
    "status_updates",
    "status_updates_v2",
    "comments",
    "comments_v2",
    "group_comments",
    "group_comments_v2",
    "group_posts",
    "group_posts_v2",
    "wall_posts_sent_to_you",
    "activity_log_data",
    "reactions",
    "reactions_v2",
    "poll_votes",
    "poll_votes_v2",
    "other_photos_v2",
    "videos_v2",
];

fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_some_and(recognises);
    }
    if meta::is_thread(root) {
        return !meta::is_instagram_thread(root);
    }
    let alone = root.members().count() == 1;
    let listed = root.fields(LISTS).into_iter().flatten().any(|list| {
        let list = list.field("activity_log_data").unwrap_or(list);
        list.is_array() && list.elements().next().map_or(alone, |first| is_entry(first) || is_photo(first))
    });
    listed || is_entry(root) || is_album(root)
}

/// What posts, comments and reactions share: a time, and what it is about in `data` or `attachments`.
fn is_entry(value: Value<'_>) -> bool {
    let [at, data, attachments, title] = value.fields(["timestamp", "data", "attachments", "title"]);
    let listed = data.or(attachments).or(value.field("tags")).is_some_and(Value::is_array);
    let labelled = labels::is_entry(value);
    at.is_some_and(|at| !at.is_text())
        && moment(at).is_some()
        && (listed || labelled || title.is_some_and(Value::is_text))
}

fn is_photo(value: Value<'_>) -> bool {
    value.fields(["uri", "creation_timestamp"]).iter().all(Option::is_some)
}

fn is_album(value: Value<'_>) -> bool {
    let [photos, name, changed] = value.fields(["photos", "name", "last_modified_timestamp"]);
    photos.is_some_and(Value::is_array) && name.is_some() && changed.is_some()
}

fn gather(json: &Json<'_>, context: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    let root = json.root();
    if context.list.is_some() && is_remark(root) {
        gathered.items.push((comment(root, root), root.range()));
    } else if root.is_array() {
        root.elements().for_each(|element| entry(element, &mut gathered));
    } else {
        entry(root, &mut gathered);
    }
    gathered
}

/// One element of a list, or a document with lists, which is opened.
fn entry(value: Value<'_>, gathered: &mut Gathered) {
    if meta::is_thread(value) {
        meta::thread(value, Platform::Facebook, gathered);
    } else if is_entry(value) {
        act_or_item(value, gathered);
    } else {
        for list in value.fields(LISTS).into_iter().flatten() {
            let list = list.field("activity_log_data").unwrap_or(list);
            list.elements().for_each(|element| nested(element, gathered));
        }
        if is_album(value) {
            value.list("photos").for_each(|photo| nested(photo, gathered));
        }
        remarks(value, gathered);
    }
}

/// An element of a list inside a document.
fn nested(value: Value<'_>, gathered: &mut Gathered) {
    if is_entry(value) {
        act_or_item(value, gathered);
    } else {
        remarks(value, gathered);
    }
}

/// Comments under a photo or album.
fn remarks(value: Value<'_>, gathered: &mut Gathered) {
    for remark in value.list("comments").filter(|remark| is_remark(*remark)) {
        gathered.items.push((comment(remark, remark), remark.range()));
    }
}

fn is_remark(value: Value<'_>) -> bool {
    let [at, author, said] = value.fields(["timestamp", "author", "comment"]);
    at.is_some() && author.is_some() && said.is_some_and(Value::is_text)
}

fn act_or_item(value: Value<'_>, gathered: &mut Gathered) {
    let [at, title] = value.fields(["timestamp", "title"]);
    let mut acts = false;
    for data in value.list("data") {
        let [reaction, poll] = data.fields(["reaction", "poll_vote"]);
        let kind = if reaction.is_some() { ActKind::Like } else { ActKind::Vote };
        if let Some(act) = reaction.or(poll).filter(|act| act.is_object()) {
            let name = [&word(at), &word(title), act.raw()].map(|word: &str| word.to_owned());
            gathered.act(kind, name.join("\u{1f}"));
            acts = true;
        }
    }
    if value.field("label_values").is_some() {
        labels::gather(value, Platform::Facebook, gathered);
    } else if !acts && let Some(item) = item(value) {
        gathered.items.push((item, value.range()));
    }
}

fn reread(json: &Json<'_>, parts: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let root = json.root();
    if is_remark(root) {
        return Some(comment(root, root));
    }
    // A message in an encrypted chat has a time called `timestamp` as well, and who sent it.
    let sent = root.fields(["sender_name", "senderName"]).into_iter().flatten().next().is_some();
    if sent { meta::reread(root, Platform::Facebook, parts) } else { item(root) }
}

/// A comment or a post.
fn item(value: Value<'_>) -> Option<Item> {
    if value.field("label_values").is_some() {
        return labels::item(value, Platform::Facebook);
    }
    if !is_entry(value) {
        return None;
    }
    let remark =
        value.list("data").find_map(|data| data.field("comment")).filter(|remark| remark.is_object());
    Some(remark.map_or_else(|| post(value), |remark| comment(value, remark)))
}

/// `outer` has time and attachments, `remark` words and author; they may be one.
fn comment(outer: Value<'_>, remark: Value<'_>) -> Item {
    let [at, title] = outer.fields(["timestamp", "title"]);
    let [words, author, group, inner_at] = remark.fields(["comment", "author", "group", "timestamp"]);
    let mut item = Item::new(Platform::Facebook, ItemKind::Reaction);
    let body = said(words);
    let at = inner_at.or(at);
    let text = body.as_ref().map_or("", PrivateText::expose);
    item.names.push(composed(&["comment", &word(at), &word(author), &word(group), &word(title), text]));
    item.author = named(author);
    item.posted_at = moment(at);
    item.passages.push(meta::body(body));
    attachments(outer, &mut item);
    item
}

fn post(value: Value<'_>) -> Item {
    let [at, title] = value.fields(["timestamp", "title"]);
    let mut item = Item::new(Platform::Facebook, ItemKind::Post);
    let mut edited = None;
    let mut body = None;
    for data in value.list("data") {
        let [words, update] = data.fields(["post", "update_timestamp"]);
        body = body.or_else(|| said(words));
        edited = edited.or_else(|| moment(update));
    }
    item.posted_at = moment(at);
    item.edited_at = edited.filter(|edited| Some(*edited) != item.posted_at);
    item.passages.push(meta::body(body));
    let first = attachments(value, &mut item);
    for tag in value.list("tags") {
        item.mentions.extend(named(tag.field("name").or(Some(tag))));
    }
    // Not the words: an edited post is another version of the same.
    item.names.push(composed(&["post", &word(at), &word(title), &first]));
    item
}

/// What hangs on a post or comment: media with descriptions, addresses, polls. Gives the address of the first
/// medium or page.
fn attachments(value: Value<'_>, item: &mut Item) -> String {
    let mut first = String::new();
    let data = value.list("attachments").flat_map(|attachment| attachment.list("data"));
    for data in data {
        let [media, page, poll, words] = data.fields(["media", "external_context", "poll", "text"]);
        if let Some(media) = media {
            let [uri, description] = media.fields(["uri", "description"]);
            let uri = word(uri);
            item.media.push(meta::kind_of_file(&uri));
            item.attached.extend(meta::files_of(media));
            passage(PassageRole::AltText, said(description), item);
            note(&mut first, &uri);
        }
        if let Some(page) = page {
            let [url, name] = page.fields(["url", "name"]);
            note(&mut first, &word(url));
            item.links.extend(said(url));
            passage(PassageRole::AltText, said(name), item);
        }
        if let Some(poll) = poll {
            passage(PassageRole::PollOption, said(poll.field("question")), item);
            for option in poll.list("options") {
                passage(PassageRole::PollOption, said(option.field("option")), item);
            }
        }
        passage(PassageRole::AltText, said(words), item);
    }
    first
}

fn note(first: &mut String, address: &str) {
    if first.is_empty() {
        address.clone_into(first);
    }
}

fn passage(role: PassageRole, text: Option<PrivateText>, item: &mut Item) {
    let body = item.passages.first().map_or("", |body| body.text.expose());
    // A photo posted alone has the post's words as its description.
    let text = text.filter(|text| text.expose() != body);
    item.passages.extend(text.map(|text| Passage { role, text }));
}

#[cfg(test)]
#[path = "facebook_dyi_tests.rs"]
pub(super) mod tests;
