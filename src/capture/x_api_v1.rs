//! Twitter's API v1.1: timelines, searches, single posts, accounts with their latest post, direct messages, and the
//! streams with their notices; as harvesters stored them, one answer a document or one post a line. Source of the
//! fields: developer.twitter.com's data dictionary of v1.1, as archived.
//!
//! Quirks that matter: ids are read from `id_str`, as the number beside it was rounded by many tools; `text` is cut off
//! in "compatibility mode", the whole is `full_text`, or under `extended_tweet` in streams; a retweet holds the whole
//! post under `retweeted_status`, a quote under `quoted_status`; `text` has `&amp;`, `&lt;` and `&gt;` encoded; times
//! are written `Sat Apr 16 15:56:00 +0000 2016`; the latest post of an account stands in the account and names no
//! author.

use super::gather::{self, Context, Gathered, JsonReading, id, passage, text};
use super::html;
use super::item::{Account, DeletedBy, Item, MediaKind, Passage, PassageRole, Removal};
use super::json::{Json, Names, Value};
use super::unit::ActKind;
use crate::model::{ItemKind, Platform, PrivateText, Timestamp, Visibility};

pub(super) const READING: JsonReading = JsonReading {
    name: "x_api_v1",
    platform: Platform::X,
    recognises,
    gather: |json, _: &mut Context| gather(json),
    reread: |json, _| gather(json).outermost(json),
    event_of_deletion: None,
};

/// Notices of a stream that tell of no post: they are known, and there is nothing to read.
const NOTICES: [&str; 9] = [
    "limit",
    "disconnect",
    "warning",
    "friends",
    "friends_str",
    "for_user",
    "scrub_geo",
    "status_withheld",
    "user_withheld",
];

fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_some_and(recognises);
    }
    if !root.is_object() {
        return false;
    }
    let [native, name, searched, deleted, cursor] =
        root.fields(["id_str", "screen_name", "search_metadata", "delete", "next_cursor_str"]);
    let [events, event, source] = root.fields(["events", "event", "source"]);
    let account = native.is_some() && name.is_some();
    let deletion =
        deleted.is_some_and(|gone| gone.field("status").or(gone.field("direct_message")).is_some());
    let messages = events
        .is_some_and(|events| events.elements().next().is_none_or(|e| e.field("message_create").is_some()));
    let told = event.is_some_and(Value::is_text) && source.is_some_and(Value::is_object);
    let lone = root.field("message_create").is_some() || root.field("direct_message").is_some();
    Found::of(root).is_post()
        || account
        || searched.is_some()
        || deletion
        || (cursor.is_some() && root.field("next_cursor").is_some())
        || messages
        || told
        || lone
        || notice(root)
}

/// Whether an object has one member, and that is a notice.
fn notice(root: Value<'_>) -> bool {
    NOTICES.iter().any(|name| root.field(name).is_some_and(|value| value.is_object() || value.is_array()))
        && root.members_at_most(1)
}

fn gather(json: &Json<'_>) -> Gathered {
    let mut gathered = Gathered::default();
    for object in json.objects() {
        let found = Found::of(object);
        if found.is_post() {
            found.post(&mut gathered);
        } else if found.is_event_message() {
            gathered.items.push((event_message(object), object.range()));
        }
    }
    let root = json.root();
    if let Some(gone) = root.field("delete") {
        deletion(gone, &mut gathered);
    }
    favourite(root, &mut gathered);
    gathered
}

/// The members of an object that say what it is and what it says, looked up once.
struct Found<'j> {
    object: Value<'j>,
    members: [Option<Value<'j>>; MEMBERS],
}

const MEMBERS: usize = 20;
static NAMES: Names<MEMBERS> = Names::of([
    "id_str",
    "text",
    "full_text",
    "created_at",
    "id",
    "message_create",
    "retweeted_status",
    "lang",
    "quoted_status_id_str",
    "quoted_status",
    "user",
    "sender",
    "recipient",
    "recipient_id_str",
    "in_reply_to_status_id_str",
    "in_reply_to_user_id_str",
    "extended_tweet",
    "entities",
    "extended_entities",
    "screen_name",
]);

impl<'j> Found<'j> {
    fn of(object: Value<'j>) -> Self {
        Self { object, members: object.named(&NAMES) }
    }

    /// A post, or a direct message of the older kind: both name themselves by `id_str` and hold a text.
    fn is_post(&self) -> bool {
        let [native, short, full, created, ..] = self.members;
        let said = short.or(full).is_some_and(Value::is_text);
        said && created.is_some_and(Value::is_text) && native.and_then(Value::id).is_some()
    }

    /// A direct message as an event.
    fn is_event_message(&self) -> bool {
        let [_, _, _, _, native, created, ..] = self.members;
        created.is_some_and(Value::is_object) && native.and_then(Value::id).is_some()
    }

    fn post(&self, gathered: &mut Gathered) {
        let [native, _, _, _, _, _, retweeted, ..] = self.members;
        let wrapped = retweeted.is_some_and(Value::is_object);
        match id(native).filter(|_| wrapped) {
            Some(wrapper) => gathered.act(ActKind::Boost, wrapper.expose().to_owned()),
            None => gathered.items.push((self.item(), self.object.range())),
        }
    }

    fn item(&self) -> Item {
        let [native, short, full, created, _, _, _, language, quoted, embedded, ..] = self.members;
        let [.., user, sender, recipient, recipient_id, answers, answers_whom, extended, entities, all, _] =
            self.members;
        let direct = sender.is_some() || recipient_id.is_some();
        let extended = extended.filter(|extended| extended.is_object());
        let author = user.or(sender).filter(|author| author.is_object());
        let mut passages = vec![body(short, full, extended)];
        let (media, listed) =
            match extended.map(|extended| extended.fields(["extended_entities", "entities"])) {
                Some([all, listed]) => (all.or(listed), listed.or(entities)),
                None => (all.or(entities), entities),
            };
        let media = media_of(media, &mut passages);
        let addressed = recipient.filter(|_| direct).map(account).into_iter();
        let in_reply_to = id(answers);
        let reaction = in_reply_to.is_some() || id(answers_whom).is_some();
        Item {
            kind: match (direct, reaction) {
                (true, _) => ItemKind::Message,
                (false, true) => ItemKind::Reaction,
                (false, false) => ItemKind::Post,
            },
            author: author.map(account),
            passages,
            links: links_of(listed),
            mentions: mentions_of(listed).chain(addressed).collect(),
            media,
            posted_at: time(created),
            in_reply_to,
            quotes: id(quoted).or_else(|| id(embedded.and_then(|quoted| quoted.field("id_str")))),
            visibility: visibility(author, direct),
            language: gather::language(language).filter(|tag| tag != "und"),
            names: id(native).into_iter().collect(),
            ..Item::new(Platform::X, ItemKind::Post)
        }
    }
}

/// A direct message as an event: sender and addressee are ids only.
fn event_message(event: Value<'_>) -> Item {
    let [native, at, created] = event.fields(["id", "created_timestamp", "message_create"]);
    let [sender, target, data] =
        created.map_or([None; 3], |created| created.fields(["sender_id", "target", "message_data"]));
    let by_id = |native: PrivateText| gather::account(Some(native), None, None);
    let recipient = id(target.and_then(|target| target.field("recipient_id"))).map(by_id);
    let mut message = Item::new(Platform::X, ItemKind::Message);
    message.names.extend(id(native));
    message.visibility = Visibility::Direct;
    message.author = id(sender).map(by_id);
    message.posted_at = at
        .and_then(Value::id)
        .and_then(|millis| Timestamp::from_micros(millis.parse::<i64>().ok()?.checked_mul(1_000)?));
    let Some(data) = data else { return message };
    let [short, full, entities] = data.fields(["text", "full_text", "entities"]);
    message.passages.push(body(short, full, None));
    let attached = data.field("attachment").and_then(|attached| attached.field("media"));
    message.media.extend(attached.map(|media| one_medium(media, &mut message.passages)));
    message.links = links_of(entities);
    message.mentions = mentions_of(entities).chain(recipient).collect();
    message
}

/// What was said, whole.
fn body(short: Option<Value<'_>>, full: Option<Value<'_>>, extended: Option<Value<'_>>) -> Passage {
    let whole = extended.and_then(|extended| extended.field("full_text"));
    let said = whole.or(full).or(short).and_then(Value::text).unwrap_or_default();
    Passage { role: PassageRole::Body, text: PrivateText::new(html::decoded(&said)) }
}

fn account(user: Value<'_>) -> Account {
    let [native, number, handle, name] = user.fields(["id_str", "id", "screen_name", "name"]);
    gather::account(id(native).or_else(|| id(number)), text(handle), text(name))
}

/// A whole account says whether its posts are protected; one trimmed to its id does not.
fn visibility(author: Option<Value<'_>>, direct: bool) -> Visibility {
    match author.and_then(|author| author.field("protected")) {
        _ if direct => Visibility::Direct,
        Some(protected) if protected.is_true() => Visibility::Followers,
        Some(_) => Visibility::Public,
        None => Visibility::Unknown,
    }
}

/// Accounts listed under `entities`.
fn mentions_of(entities: Option<Value<'_>>) -> impl Iterator<Item = Account> {
    entities.into_iter().flat_map(|entities| entities.list("user_mentions")).map(account)
}

fn links_of(entities: Option<Value<'_>>) -> Vec<PrivateText> {
    let urls = entities.into_iter().flat_map(|entities| entities.list("urls"));
    let links = urls.flat_map(|url| url.fields(["expanded_url", "display_url"])).filter_map(text);
    links.filter(|link| !link.is_empty()).collect()
}

/// Kinds of the media; `entities` lists the first only, `extended_entities` all. Descriptions become passages.
fn media_of(entities: Option<Value<'_>>, passages: &mut Vec<Passage>) -> Vec<MediaKind> {
    let media = entities.into_iter().flat_map(|entities| entities.list("media"));
    media.map(|medium| one_medium(medium, passages)).collect()
}

fn one_medium(medium: Value<'_>, passages: &mut Vec<Passage>) -> MediaKind {
    let [kind, description] = medium.fields(["type", "ext_alt_text"]);
    passages.extend(passage(PassageRole::AltText, text(description)));
    gather::media_kind(&kind.and_then(Value::text).unwrap_or_default())
}

/// A notice that a post or a direct message is gone. The stream does not say who took it away.
fn deletion(gone: Value<'_>, gathered: &mut Gathered) {
    let [status, message, millis] = gone.fields(["status", "direct_message", "timestamp_ms"]);
    let named = status.or(message).and_then(|gone| id(gone.field("id_str")).or_else(|| id(gone.field("id"))));
    let at = millis
        .and_then(Value::id)
        .and_then(|ms| Timestamp::from_micros(ms.parse::<i64>().ok()?.checked_mul(1_000)?));
    if let Some(name) = named {
        gathered.deletion(vec![name], Removal { at, by: DeletedBy::Unknown });
    }
}

/// A stream's event that somebody liked a post.
fn favourite(root: Value<'_>, gathered: &mut Gathered) {
    let [event, source, target] = root.fields(["event", "source", "target_object"]);
    if event.and_then(Value::text).as_deref() != Some("favorite") {
        return;
    }
    let [who, what] = [source, target].map(|value| value.and_then(|value| value.field("id_str")?.id()));
    gathered.act(ActKind::Like, format!("{} {}", what.unwrap_or_default(), who.unwrap_or_default()));
}

/// `Sat Apr 16 15:56:00 +0000 2016`.
fn time(value: Option<Value<'_>>) -> Option<Timestamp> {
    let written = value?.text()?;
    let at = jiff::Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", written.as_ref()).ok()?;
    Timestamp::from_micros(at.as_microsecond())
}

#[cfg(test)]
#[path = "x_api_v1_tests.rs"]
pub(super) mod tests;
