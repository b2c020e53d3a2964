//! Mastodon's client API: statuses wherever they stand (timelines, contexts, conversations, notifications,
//! searches, boosted and quoted ones), edit histories, sources, answers to a deletion, lists of who liked,
//! and stream events. Source of the fields: docs.joinmastodon.org/entities.
//!
//! A status is known by its shape, not by where it stands. Quirks that matter: a direct message differs from
//! a post only in `visibility`; the answer to a DELETE has `text` where a status has `content`; a version in
//! an edit history has no id and no visibility; a boost is a status whose `reblog` is another.

use super::gather::{self, Context, Gathered, JsonReading, id, passage, private, text, time};
use super::html;
use super::item::{Account, DeletedBy, Item, MediaKind, Passage, PassageRole, Removal};
use super::json::{Json, Names, Value};
use super::unit::ActKind;
use crate::model::{ByteRange, ItemKind, Platform, PrivateText, Visibility};

pub(super) const READING: JsonReading = JsonReading {
    name: "mastodon",
    platform: Platform::Mastodon,
    recognises,
    gather,
    reread: |json, _| gather(json, &mut Context::default()).outermost(json),
    event_of_deletion: Some(deleted),
};

fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_none_or(recognises);
    }
    let known = root.fields(["account", "acct", "last_status", "notification_groups", "spoiler_text"]);
    let lists =
        root.fields(["ancestors", "descendants", "statuses", "accounts", "votes_count", "preview_url"]);
    known.iter().flatten().next().is_some() || lists.iter().flatten().next().is_some()
}

fn gather(json: &Json<'_>, context: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    for object in json.objects() {
        let found = Found::of(object);
        if let Some(shape) = Shape::of(&found) {
            shape.gather(&found, context, &mut gathered);
        }
    }
    if context.element {
        liked_by(json.root(), &mut gathered);
    }
    gathered
}

/// A stream event that says an item is gone: its data is the bare id.
fn deleted(id: &str) -> Gathered {
    let mut gathered = Gathered::default();
    gathered.deletion(vec![private(id)], Removal { at: None, by: DeletedBy::Unknown });
    gathered
}

/// What an object is.
enum Shape {
    /// A status, also one of a history (no id) or one just deleted (`text`).
    Status,
    /// A status that only passes another on.
    Boost,
    /// The source of a status: id and texts.
    Source,
    /// Somebody did something.
    Notification,
    /// Several did the same.
    NotificationGroup,
}

/// The members of an object that say what it is and what it says, looked up once.
struct Found<'j> {
    object: Value<'j>,
    members: [Option<Value<'j>>; MEMBERS],
}

const MEMBERS: usize = 20;
static NAMES: Names<MEMBERS> = Names::of([
    "id",
    "content",
    "text",
    "account",
    "created_at",
    "reblog",
    "spoiler_text",
    "type",
    "group_key",
    "sample_account_ids",
    "visibility",
    "edited_at",
    "in_reply_to_id",
    "poll",
    "mentions",
    "media_attachments",
    "quote",
    "language",
    "uri",
    "status",
]);

impl<'j> Found<'j> {
    fn of(object: Value<'j>) -> Self {
        Self { object, members: object.named(&NAMES) }
    }

    /// The names of a status: `uri` first, then the instance's id.
    fn names(&self) -> Vec<PrivateText> {
        let [local, .., uri, _] = self.members;
        let uri = id(uri);
        let local = id(local).filter(|local| uri.as_ref() != Some(local));
        uri.into_iter().chain(local).collect()
    }
}

impl Shape {
    fn of(found: &Found<'_>) -> Option<Self> {
        let [id, content, text, account, created, reblog, spoiler, kind, group, samples, ..] = found.members;
        let said = content.or(text).is_some_and(Value::is_text);
        let dated = account.is_some_and(Value::is_object) && created.is_some_and(Value::is_text);
        if dated && reblog.is_some_and(Value::is_object) && id.is_some() {
            return Some(Self::Boost);
        }
        if dated && said {
            return Some(Self::Status);
        }
        if account.is_none() && said && id.is_some() && content.is_none() && spoiler.is_some() {
            return Some(Self::Source);
        }
        if dated && kind.is_some_and(Value::is_text) {
            return Some(Self::Notification);
        }
        let grouped = group.is_some() && samples.is_some() && kind.is_some();
        grouped.then_some(Self::NotificationGroup)
    }

    fn gather(self, found: &Found<'_>, context: &mut Context, gathered: &mut Gathered) {
        match self {
            Self::Status | Self::Source => {
                let item = status(found, context);
                if let Some(removal) = item.deletion {
                    gathered.deletion(found.names(), removal);
                }
                gathered.items.push((item, found.object.range()));
            }
            Self::Boost => {
                let name = found.names().into_iter().next().unwrap_or_default();
                gathered.act(ActKind::Boost, name.expose().to_owned());
            }
            Self::Notification => notification(found, gathered),
            Self::NotificationGroup => notification_group(found.object, gathered),
        }
    }
}

/// Who liked or boosted, as a notification tells.
fn notification(found: &Found<'_>, gathered: &mut Gathered) {
    let [_, _, _, account, _, _, _, kind, .., status] = found.members;
    let [status, account] = [status, account].map(|value| value.and_then(|value| value.field("id")?.id()));
    if let Some(kind) = kind.and_then(act_kind) {
        gathered.act(kind, format!("{} {}", status.unwrap_or_default(), account.unwrap_or_default()));
    }
}

fn notification_group(object: Value<'_>, gathered: &mut Gathered) {
    let [kind, status] = object.fields(["type", "status_id"]);
    let status = status.and_then(Value::id).unwrap_or_default();
    let Some(kind) = kind.and_then(act_kind) else { return };
    for account in object.list("sample_account_ids").filter_map(Value::id) {
        gathered.act(kind, format!("{status} {account}"));
    }
}

fn act_kind(kind: Value<'_>) -> Option<ActKind> {
    match kind.text()?.as_ref() {
        "favourite" => Some(ActKind::Like),
        "reblog" => Some(ActKind::Boost),
        _ => None,
    }
}

/// An account that is an element of a top-level array: someone in a liked-by list. Which post they liked
/// stood only in the address the list was fetched from.
fn liked_by(element: Value<'_>, gathered: &mut Gathered) {
    let [acct, id, username] = element.fields(["acct", "id", "username"]);
    if let (Some(_), Some(id), Some(_)) = (acct, id.and_then(Value::id), username) {
        gathered.act(ActKind::Like, id.into_owned());
    }
}

fn status(found: &Found<'_>, context: &mut Context) -> Item {
    let [_, content, plain, author, created, _, spoiler, ..] = found.members;
    let [.., visibility, edited, answers, poll, mentions, attached, quote, language, _, _] = found.members;
    let (body, links) = match content.and_then(Value::text) {
        Some(content) => {
            let reading = html::reading(&content);
            (PrivateText::new(reading.text), reading.links)
        }
        None => (text(plain).unwrap_or_default(), Vec::new()),
    };
    let mut passages = vec![Passage { role: PassageRole::Body, text: body }];
    passages.extend(passage(PassageRole::ContentWarning, text(spoiler)));
    let media = attachments(attached, &mut passages);
    let poll = poll.into_iter().flat_map(|poll| poll.list("options"));
    passages.extend(poll.filter_map(|option| passage(PassageRole::PollOption, text(option.field("title")))));
    let deleted = content.is_none() && author.is_some();
    let visibility = visibility_of(visibility);
    let in_reply_to = id(answers);
    let mut item = Item {
        platform: Platform::Mastodon,
        kind: kind_of(visibility, in_reply_to.is_some()),
        names: found.names(),
        range: ByteRange { start: 0, end: 0 },
        shared: Vec::new(),
        author: author.map(account_of),
        passages,
        links: links.into_iter().map(PrivateText::new).collect(),
        mentions: mentions.into_iter().flat_map(Value::elements).map(account_of).collect(),
        media,
        media_size_bytes: Vec::new(),
        attached: Vec::new(),
        file_sha256: None,
        posted_at: time(created),
        posted_as: None,
        edited_at: time(edited),
        in_reply_to,
        quotes: quote.and_then(quoted),
        conversation: None,
        visibility,
        language: gather::language(language),
        supersedes: Vec::new(),
        superseded: false,
        deletion: deleted.then_some(Removal { at: None, by: DeletedBy::Author }),
    };
    if item.names.is_empty() {
        place_in_history(&mut item, context);
    }
    item
}

/// Names a version of an edit history after its first version, and says whether a later one follows.
fn place_in_history(item: &mut Item, context: &mut Context) {
    let author = item.author.as_ref().and_then(|author| author.native_id.as_ref());
    let author = author.map_or("", PrivateText::expose);
    let name = || {
        let at = item.posted_at.map_or_else(String::new, |at| at.to_string());
        PrivateText::new(format!("history {author} {at}"))
    };
    let first = context.history.is_none();
    let (name, posted_at) = context.history.get_or_insert_with(|| (name(), item.posted_at));
    item.names = vec![private(name.expose())];
    if !first {
        item.edited_at = item.posted_at;
        item.posted_at = *posted_at;
    }
    item.superseded = context.more;
}

fn kind_of(visibility: Visibility, answers: bool) -> ItemKind {
    match (visibility, answers) {
        (Visibility::Direct, _) => ItemKind::Message,
        (_, true) => ItemKind::Reaction,
        (_, false) => ItemKind::Post,
    }
}

/// Unknown words, also of forks (`local`, `mutuals_only`), are not known to be public.
fn visibility_of(word: Option<Value<'_>>) -> Visibility {
    match word.and_then(Value::text).unwrap_or_default().as_ref() {
        "public" => Visibility::Public,
        "unlisted" => Visibility::Unlisted,
        "private" => Visibility::Followers,
        "direct" => Visibility::Direct,
        _ => Visibility::Unknown,
    }
}

/// The item a quote names: the embedded status, or only its id.
fn quoted(quote: Value<'_>) -> Option<PrivateText> {
    let [embedded, shallow] = quote.fields(["quoted_status", "quoted_status_id"]);
    let embedded = embedded.and_then(|status| Found::of(status).names().into_iter().next());
    embedded.or_else(|| id(shallow))
}

fn account_of(value: Value<'_>) -> Account {
    let [native, acct, username, name] = value.fields(["id", "acct", "username", "display_name"]);
    gather::account(id(native), text(acct).or_else(|| text(username)), text(name))
}

/// Kinds of the attachments; their descriptions become passages.
fn attachments(attached: Option<Value<'_>>, passages: &mut Vec<Passage>) -> Vec<MediaKind> {
    let mut kinds = Vec::new();
    for attachment in attached.into_iter().flat_map(Value::elements) {
        let [kind, description] = attachment.fields(["type", "description"]);
        kinds.push(gather::media_kind(&kind.and_then(Value::text).unwrap_or_default()));
        passages.extend(passage(PassageRole::AltText, text(description)));
    }
    kinds
}

#[cfg(test)]
#[path = "mastodon_tests.rs"]
pub(super) mod tests;
