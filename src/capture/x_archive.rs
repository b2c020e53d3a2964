//! The archive of an account on X, as its owner downloads it: `tweets.js` and its shards, `note-tweet.js`,
//! `deleted-tweets.js` and headers, `direct-messages.js`, `like.js`, and the months of archives before 2019
//! (`Grailbird.data.…`). Each file is a script that assigns one array; the scanner passes over what stands
//! before it. No documentation exists; the fields are those of X's API v1.1 and of archives as they are.
//!
//! Quirks that matter: numbers and booleans may be strings; a retweet is known only by a text that begins with
//! `RT @name:`; the file does not say whose posts these are, nor whether the account was protected, so
//! visibility is not known; a deleted post has `deleted_at`; the list of edits may not hold the post itself.

use super::attachment;
use super::dates::{self, Habit};
use super::gather::{self, Context, Gathered, JsonReading, id, passage, text};
use super::html;
use super::item::{Account, DeletedBy, Item, Passage, PassageRole, Removal, StatedZone};
use super::json::{Json, Value};
use super::unit::{ActKind, PartRole};
use crate::model::{ItemKind, Platform, PrivateText, Timestamp, Visibility};

pub(super) const READING: JsonReading = JsonReading {
    name: "x_archive",
    platform: Platform::X,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

/// Parts of an archive that hold or name posts, by the one member their elements have.
const PARTS: [&str; 4] = ["tweet", "noteTweet", "dmConversation", "like"];

/// An element without the script around it, which names the archive surely.
fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_some_and(recognises);
    }
    let [full, id, user] = root.fields(["full_text", "id_str", "user"]);
    let wrapped = root.fields(PARTS).into_iter().flatten().next().is_some_and(Value::is_object);
    (wrapped && root.members().count() == 1) || (full.is_some() && id.is_some() && user.is_none())
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    let root = json.root();
    if root.is_array() {
        root.elements().for_each(|element| part(element, &mut gathered));
    } else {
        part(root, &mut gathered);
    }
    gathered
}

fn part(element: Value<'_>, gathered: &mut Gathered) {
    let [tweet, note, dialogue, like] = element.fields(PARTS);
    if let Some(note) = note.filter(|note| id(note.field("noteTweetId")).is_some()) {
        gathered.items.push((note_tweet(note), note.range()));
    }
    if let Some(dialogue) = dialogue {
        conversation(dialogue, gathered);
    }
    if let Some(name) = like.and_then(|like| like.field("tweetId")?.id()) {
        gathered.act(ActKind::Like, name.into_owned());
    }
    tweet_or_header(tweet.unwrap_or(element), gathered);
}

fn reread(json: &Json<'_>, parts: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let object = json.root();
    let thread = parts.iter().find(|(role, _)| *role == PartRole::Thread).map(|(_, value)| *value);
    match () {
        () if is_message(object) => Some(message(object, thread)),
        () if object.field("noteTweetId").is_some() => Some(note_tweet(object)),
        () if is_tweet(object) && !is_retweet(object) => Some(tweet(object)),
        () => None,
    }
}

fn tweet_or_header(object: Value<'_>, gathered: &mut Gathered) {
    let [native, header, deleted] = object.fields(["id_str", "tweet_id", "deleted_at"]);
    let name = id(native).or_else(|| id(object.field("id"))).or_else(|| id(header));
    if let (Some(name), Some(_)) = (name, deleted) {
        gathered.deletion(vec![name], removal(deleted));
    }
    if !is_tweet(object) {
        return;
    }
    if let Some(target) = object.field("retweeted_status").filter(|target| is_tweet(*target)) {
        gathered.items.push((tweet(target), target.range()));
    }
    if is_retweet(object) {
        let name = names_of(object).into_iter().next().unwrap_or_default();
        gathered.act(ActKind::Boost, name.expose().to_owned());
    } else {
        gathered.items.push((tweet(object), object.range()));
    }
}

fn is_tweet(object: Value<'_>) -> bool {
    let [full, short, native, plain] = object.fields(["full_text", "text", "id_str", "id"]);
    full.or(short).is_some_and(Value::is_text) && native.or(plain).and_then(Value::id).is_some()
}

/// `RT @name: …` is how the archive writes a retweet; a nested original says it outright.
fn is_retweet(object: Value<'_>) -> bool {
    let [full, short, target] = object.fields(["full_text", "text", "retweeted_status"]);
    let said = full.or(short).and_then(Value::text).unwrap_or_default();
    let name = said.strip_prefix("RT @").and_then(|rest| rest.split_once(':')).map(|(name, _)| name);
    let passed_on = name.is_some_and(|name| {
        !name.is_empty() && name.len() <= 50 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    passed_on || target.is_some_and(Value::is_object)
}

fn names_of(object: Value<'_>) -> Vec<PrivateText> {
    let [native, plain] = object.fields(["id_str", "id"]);
    id(native).or_else(|| id(plain)).into_iter().collect()
}

fn tweet(object: Value<'_>) -> Item {
    let [full, short, created, language] = object.fields(["full_text", "text", "created_at", "lang"]);
    let [answers_text, answers, answered_user, user] =
        object.fields(["in_reply_to_status_id_str", "in_reply_to_status_id", "in_reply_to_user_id", "user"]);
    let in_reply_to = id(answers_text).or_else(|| id(answers));
    let reaction = in_reply_to.is_some() || id(answered_user).is_some();
    let mut item = Item::new(Platform::X, if reaction { ItemKind::Reaction } else { ItemKind::Post });
    item.names = names_of(object);
    item.in_reply_to = in_reply_to;
    item.passages.push(body(full.or(short)));
    item.posted_at = moment(created);
    item.language = gather::language(language);
    if let Some(user) = user.filter(|user| user.is_object()) {
        item.author = Some(account_of(user));
        item.visibility = match user.field("protected").map(is_true) {
            Some(true) => Visibility::Followers,
            Some(false) => Visibility::Public,
            None => Visibility::Unknown,
        };
    }
    if let Some(entities) = object.field("entities") {
        item.mentions = entities.list("user_mentions").map(account_of).collect();
        links(entities.list("urls"), &mut item);
    }
    media(object, &mut item);
    edits(object, &mut item);
    if let Some(deleted) = object.field("deleted_at") {
        item.deletion = Some(removal(Some(deleted)));
    }
    item
}

/// Booleans and numbers may be strings.
fn is_true(value: Value<'_>) -> bool {
    value.is_true() || value.text().as_deref() == Some("true")
}

fn body(said: Option<Value<'_>>) -> Passage {
    let said = said.and_then(Value::text).unwrap_or_default();
    Passage { role: PassageRole::Body, text: PrivateText::new(html::decoded(&said)) }
}

fn moment(value: Option<Value<'_>>) -> Option<Timestamp> {
    let habit = Habit { zone: StatedZone::AssumedUtc, month_first: true };
    dates::read(&value?.id()?, habit).map(|(at, _)| at)
}

fn removal(at: Option<Value<'_>>) -> Removal {
    Removal { at: moment(at), by: DeletedBy::Author }
}

fn account_of(value: Value<'_>) -> Account {
    let [native, plain, handle, name] = value.fields(["id_str", "id", "screen_name", "name"]);
    gather::account(id(native).or_else(|| id(plain)), text(handle), text(name))
}

/// Addresses; one of a post at the end of the list is the post that is quoted.
fn links<'j>(urls: impl Iterator<Item = Value<'j>>, item: &mut Item) {
    let mut last = None;
    for url in urls {
        let [expanded, display] = url.fields(["expanded_url", "display_url"]);
        last = expanded.and_then(Value::text);
        item.links.extend([expanded, display].into_iter().filter_map(text).filter(|link| !link.is_empty()));
    }
    item.quotes = last.as_deref().and_then(status_id).map(gather::private);
}

/// The id in the address of a post.
pub(super) fn status_id(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let host = host.strip_prefix("www.").or_else(|| host.strip_prefix("mobile.")).unwrap_or(host);
    let (_, id) = path.split_once("/status/")?;
    let id = id.split(['/', '?', '#']).next()?;
    let digits = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    (matches!(host, "twitter.com" | "x.com") && digits).then_some(id)
}

/// `extended_entities` holds all media, `entities` only the first.
fn media(object: Value<'_>, item: &mut Item) {
    let [extended, plain] = object.fields(["extended_entities", "entities"]);
    let all = [extended, plain].into_iter().flatten().find(|list| list.list("media").next().is_some());
    for medium in all.into_iter().flat_map(|list| list.list("media")) {
        let [kind, description, address, video] =
            medium.fields(["type", "ext_alt_text", "media_url_https", "video_info"]);
        files(address, video, item);
        item.media.push(gather::media_kind(&kind.and_then(Value::text).unwrap_or_default()));
        item.passages.extend(passage(PassageRole::AltText, text(description)));
    }
}

/// The files of a medium in the archive: those of the post's id and the last part of the address of the picture, or of a film in one of
/// its qualities, in the folder of the archive's year.
fn files(address: Option<Value<'_>>, video: Option<Value<'_>>, item: &mut Item) {
    let variants = video.into_iter().flat_map(|video| video.list("variants")).map(|one| one.field("url"));
    for address in std::iter::once(address).chain(variants).flatten().filter_map(Value::text) {
        file(&address, &MEDIA_FOLDERS, item);
    }
}

fn file(address: &str, folders: &[&str], item: &mut Item) {
    let last = address.rsplit('/').next().unwrap_or_default();
    let last = last.split('?').next().unwrap_or_default();
    let Some(of) = item.names.first().filter(|_| !last.is_empty()) else { return };
    let named = folders.iter().map(|folder| format!("data/{folder}/{}-{last}", of.expose()));
    let named: Vec<PrivateText> = named.filter_map(|path| attachment::name_of(&path)).collect();
    item.attached.extend(named);
}

/// Where it keeps those of messages.
const MESSAGE_FOLDERS: [&str; 2] = ["direct_messages_media", "direct_messages_group_media"];

/// Where an archive keeps the files of posts, by its year and by what became of them.
const MEDIA_FOLDERS: [&str; 4] =
    ["tweets_media", "tweet_media", "deleted_tweets_media", "community_tweet_media"];

/// Each edit has an id of its own; the list stands under `initial`, or deeper in an edit.
fn edits(object: Value<'_>, item: &mut Item) {
    let Some(info) = object.field("edit_info") else { return };
    let [initial, edit] = info.fields(["initial", "edit"]);
    let list = initial.or_else(|| edit.and_then(|edit| edit.field("editControlInitial")));
    let chain: Vec<_> =
        list.into_iter().flat_map(|list| list.list("editTweetIds")).filter_map(Value::id).collect();
    let own = item.names.first().map_or("", PrivateText::expose);
    let Some(place) = chain.iter().position(|id| id == own) else { return };
    item.supersedes = chain.iter().take(place).map(|id| gather::private(id)).collect();
    item.superseded = place + 1 < chain.len();
    item.edited_at = item.posted_at.filter(|_| place > 0);
}

/// The whole text of a long post. It has an id of its own, and nothing says which post it belongs to.
fn note_tweet(note: Value<'_>) -> Item {
    let [native, created, core] = note.fields(["noteTweetId", "createdAt", "core"]);
    let mut item = Item::new(Platform::X, ItemKind::Post);
    item.names.extend(id(native));
    item.posted_at = moment(created);
    item.passages.push(body(core.and_then(|core| core.field("text"))));
    if let Some(core) = core {
        let address = |url: Value<'_>| text(url.field("expandedUrl"));
        item.links = core.list("urls").filter_map(address).filter(|link| !link.is_empty()).collect();
        let mention = |mention: Value<'_>| gather::account(None, text(mention.field("screenName")), None);
        item.mentions = core.list("mentions").map(mention).collect();
    }
    item
}

fn conversation(dialogue: Value<'_>, gathered: &mut Gathered) {
    let thread = dialogue.field("conversationId").filter(|thread| thread.id().is_some());
    let part = gathered.parts.len();
    let first = gathered.items.len();
    for event in dialogue.list("messages") {
        let Some(object) = event.field("messageCreate").filter(|object| is_message(*object)) else {
            continue;
        };
        let mut item = message(object, thread);
        item.shared.extend(thread.map(|_| part));
        reactions(object, gathered);
        gathered.items.push((item, object.range()));
    }
    if gathered.items.len() > first {
        gathered.parts.extend(thread.map(|thread| (PartRole::Thread, thread.range())));
    }
}

fn is_message(object: Value<'_>) -> bool {
    let [sender, said, native] = object.fields(["senderId", "text", "id"]);
    sender.is_some() && said.is_some_and(Value::is_text) && native.and_then(Value::id).is_some()
}

fn message(object: Value<'_>, thread: Option<Value<'_>>) -> Item {
    let [native, sender, recipient, created, said] =
        object.fields(["id", "senderId", "recipientId", "createdAt", "text"]);
    let mut item = Item::new(Platform::X, ItemKind::Message);
    item.names.extend(id(native));
    item.author = id(sender).map(|id| gather::account(Some(id), None, None));
    item.mentions = id(recipient).map(|id| gather::account(Some(id), None, None)).into_iter().collect();
    item.posted_at = moment(created);
    item.passages.push(body(said));
    let address = |url: Value<'_>| text(url.field("expanded"));
    item.links = object.list("urls").filter_map(address).filter(|link| !link.is_empty()).collect();
    item.media = object.list("mediaUrls").map(|_| gather::media_kind("")).collect();
    let addresses = object.list("mediaUrls").filter_map(Value::text);
    addresses.for_each(|address| file(&address, &MESSAGE_FOLDERS, &mut item));
    item.conversation = id(thread);
    item.visibility = Visibility::Direct;
    item
}

fn reactions(object: Value<'_>, gathered: &mut Gathered) {
    let message = object.field("id").and_then(Value::id).unwrap_or_default();
    for reaction in object.list("reactions") {
        let [event, sender] = reaction.fields(["eventId", "senderId"]);
        let sender = sender.and_then(Value::id).unwrap_or_default();
        let name = event.and_then(Value::id).map_or_else(|| format!("{message} {sender}"), Into::into);
        gathered.act(ActKind::Like, name);
    }
}

#[cfg(test)]
#[path = "x_archive_tests.rs"]
pub(super) mod tests;
