//! X API v2: pages with `data` and `includes` as twarc stores them, one a line; posts flattened out of such
//! pages; direct-message events; compliance lines. Source of the fields: docs.x.com, data dictionary.
//!
//! What a post refers to by id (accounts, media, poll, place) stands once under `includes`, for all posts of
//! the page: those bytes are shared parts. Quirks that matter: every edit has an id of its own; a retweet is a
//! post that refers to another as `retweeted` and holds only a cut-off copy of its text; `text` has `&amp;`,
//! `&lt;` and `&gt;` encoded; a long post has its whole text under `note_tweet`.

use super::gather::{self, Context, Gathered, JsonReading, id, passage, text, time};
use super::html;
use super::item::{Account, DeletedBy, Item, MediaKind, Passage, PassageRole, Removal};
use super::json::{Json, Value};
use super::unit::{ActKind, PartRole};
use crate::model::{ByteRange, ItemKind, Platform, PrivateText, Visibility};
use std::collections::HashMap;

/// How many bytes of shared parts one page may have copied into its items: some freely, and some for each
/// byte of the page. A real page stays far below; one that names a huge account in every post does not.
const COPIES_FREE: usize = 16 << 20;
const COPIES_PER_BYTE: usize = 4;

pub(super) const READING: JsonReading = JsonReading {
    name: "x_api_v2",
    platform: Platform::X,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_some_and(recognises);
    }
    let own = [
        "__twarc",
        "includes",
        "author_id",
        "edit_history_tweet_ids",
        "conversation_id",
        "dm_conversation_id",
    ];
    let own = root.fields(own).iter().flatten().next().is_some();
    let [data, meta, errors, account] = root.fields(["data", "meta", "errors", "account"]);
    let [id, action, username, metrics] = root.fields(["id", "action", "username", "public_metrics"]);
    let page = data.is_some_and(|data| data.is_object() || data.is_array());
    let empty = meta.is_some_and(Value::is_object) || errors.is_some_and(Value::is_array);
    let compliance = id.is_some() && action.is_some();
    let user = username.is_some() && metrics.is_some();
    account.is_none() && (own || page || empty || compliance || user)
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut gathered = Gathered::default();
    let mut parts = Parts::with_budget(COPIES_FREE + COPIES_PER_BYTE * json.root().range().len());
    if let Some(includes) = json.root().field("includes") {
        parts.add_all(PartRole::Account, includes.list("users"));
        parts.add_all(PartRole::Media, includes.list("media"));
        parts.add_all(PartRole::Poll, includes.list("polls"));
        parts.add_all(PartRole::Place, includes.list("places"));
    }
    for object in json.objects() {
        if !is_post(object) {
            continue;
        }
        match reference(object, "retweeted").and_then(|_| id(object.field("id"))) {
            Some(wrapper) => gathered.act(ActKind::Boost, wrapper.expose().to_owned()),
            None => gathered.items.push((post(object, &mut parts), object.range())),
        }
    }
    gathered.excessive = parts.budget == 0;
    gathered.parts = parts.used.into_iter().map(|(role, value)| (role, value.range())).collect();
    compliance(json.root(), &mut gathered);
    gathered
}

fn reread(json: &Json<'_>, shared: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let item = json.root();
    let mut parts = Parts::with_budget(usize::MAX);
    for &(role, part) in shared {
        parts.add(role, part);
    }
    let whole = is_post(item) && reference(item, "retweeted").is_none();
    whole.then(|| post(item, &mut parts))
}

/// Notices of deletion: a line of a compliance job, or an event of the compliance stream.
fn compliance(root: Value<'_>, gathered: &mut Gathered) {
    let [native, action, at, reason] = root.fields(["id", "action", "redacted_at", "reason"]);
    let action = action.and_then(Value::text);
    if let (Some(name), Some("delete")) = (id(native), action.as_deref()) {
        let at = time(at).or_else(|| time(root.field("created_at")));
        let by = match reason.and_then(Value::text).unwrap_or_default().as_ref() {
            "deleted" | "deactivated" | "protected" => DeletedBy::Author,
            "suspended" | "scrub_geo" | "bounced" => DeletedBy::Platform,
            _ => DeletedBy::Unknown,
        };
        gathered.deletion(vec![name], Removal { at, by });
    }
    let Some(event) = root.field("data").and_then(|data| data.field("delete")) else { return };
    let [tweet, at] = event.fields(["tweet", "event_at"]);
    if let Some(name) = id(tweet.and_then(|tweet| tweet.field("id"))) {
        gathered.deletion(vec![name], Removal { at: time(at), by: DeletedBy::Unknown });
    }
}

/// A post or a direct message: has an id and a text. Accounts, polls and places have no text.
fn is_post(object: Value<'_>) -> bool {
    let [id, text, username] = object.fields(["id", "text", "username"]);
    id.and_then(Value::id).is_some() && text.is_some_and(Value::is_text) && username.is_none()
}

fn post(object: Value<'_>, parts: &mut Parts<'_>) -> Item {
    let mut shared = Vec::new();
    let [native, created, language, conversation] =
        object.fields(["id", "created_at", "lang", "conversation_id"]);
    let dialogue = object.field("dm_conversation_id");
    let (author, visibility) = author_of(object, dialogue.is_some(), parts, &mut shared);
    let mut passages = vec![body_of(object)];
    let media = media_of(object, parts, &mut shared, &mut passages);
    polls_of(object, parts, &mut shared, &mut passages);
    let place = object.field("geo").and_then(|geo| geo.field("place_id"));
    parts.find(PartRole::Place, place, &mut shared);
    let mentions = mentions_of(object, parts, &mut shared);
    let posted_at = time(created);
    let (supersedes, superseded) = edits_of(object);
    shared.sort_unstable();
    shared.dedup();
    Item {
        platform: Platform::X,
        kind: kind_of(object),
        names: id(native).into_iter().collect(),
        range: ByteRange { start: 0, end: 0 },
        shared,
        author,
        passages,
        links: links_of(object),
        mentions,
        media,
        media_size_bytes: Vec::new(),
        attached: Vec::new(),
        file_sha256: None,
        posted_at,
        posted_as: None,
        edited_at: posted_at.filter(|_| !supersedes.is_empty()),
        in_reply_to: reference(object, "replied_to"),
        quotes: reference(object, "quoted"),
        conversation: id(conversation.or(dialogue)),
        visibility,
        language: gather::language(language),
        supersedes,
        superseded,
        deletion: None,
    }
}

/// The id of the first post this one refers to in the way `kind` says.
fn reference(object: Value<'_>, kind: &str) -> Option<PrivateText> {
    let mut references = object.list("referenced_tweets").map(|r| r.fields(["type", "id"]));
    let [_, found] = references.find(|[is, _]| is.and_then(Value::text).as_deref() == Some(kind))?;
    id(found)
}

/// A reaction answers someone or stands in a conversation that another post began.
fn kind_of(object: Value<'_>) -> ItemKind {
    let [dialogue, own, conversation, answers] =
        object.fields(["dm_conversation_id", "id", "conversation_id", "in_reply_to_user_id"]);
    if dialogue.is_some() {
        return ItemKind::Message;
    }
    let began = conversation.and_then(Value::id);
    let foreign = began.as_ref().is_some_and(|began| {
        let is_began = |value: Value<'_>| value.id().as_ref() == Some(began);
        !own.is_some_and(is_began) && !object.list("edit_history_tweet_ids").any(is_began)
    });
    let answers = answers.and_then(Value::id).is_some() || reference(object, "replied_to").is_some();
    if foreign || answers { ItemKind::Reaction } else { ItemKind::Post }
}

/// The author, and who can see what they post. Without the account's object the capture does not say.
fn author_of(
    object: Value<'_>,
    direct: bool,
    parts: &mut Parts<'_>,
    shared: &mut Vec<usize>,
) -> (Option<Account>, Visibility) {
    let [flat, author, sender] = object.fields(["author", "author_id", "sender_id"]);
    let named = author.or(sender);
    let user = flat.filter(|flat| flat.is_object()).or_else(|| parts.find(PartRole::Account, named, shared));
    let visibility = match user {
        _ if direct => Visibility::Direct,
        Some(user) if user.field("protected").is_some_and(Value::is_true) => Visibility::Followers,
        Some(_) => Visibility::Public,
        None => Visibility::Unknown,
    };
    let account = user.map(account_of).or_else(|| id(named).map(|id| gather::account(Some(id), None, None)));
    (account, visibility)
}

fn account_of(user: Value<'_>) -> Account {
    let [native, username, name] = user.fields(["id", "username", "name"]);
    gather::account(id(native), text(username), text(name))
}

/// What was said, whole: a long post's text is under `note_tweet`.
fn body_of(object: Value<'_>) -> Passage {
    let [short, note] = object.fields(["text", "note_tweet"]);
    let long = note.and_then(|note| note.field("text")).filter(|text| text.is_text());
    let said = long.or(short).and_then(Value::text).unwrap_or_default();
    Passage { role: PassageRole::Body, text: PrivateText::new(html::decoded(&said)) }
}

/// Everything listed under `entities` and `note_tweet.entities`.
fn entities<'j>(object: Value<'j>, kind: &'static str) -> impl Iterator<Item = Value<'j>> {
    let [own, note] = object.fields(["entities", "note_tweet"]);
    let note = note.and_then(|note| note.field("entities"));
    own.into_iter().chain(note).flat_map(move |entities| entities.list(kind))
}

fn links_of(object: Value<'_>) -> Vec<PrivateText> {
    let mut links: Vec<PrivateText> = Vec::new();
    for url in entities(object, "urls") {
        let forms = url.fields(["expanded_url", "unwound_url", "display_url"]);
        links.extend(forms.into_iter().filter_map(text).filter(|link| !link.is_empty()));
    }
    links
}

fn mentions_of(object: Value<'_>, parts: &mut Parts<'_>, shared: &mut Vec<usize>) -> Vec<Account> {
    let mention = |mention: Value<'_>| {
        let [native, username] = mention.fields(["id", "username"]);
        let found = parts.find(PartRole::Account, native, shared);
        let found = found.or_else(|| parts.find(PartRole::Account, username, shared));
        let known = found.map(account_of).unwrap_or_default();
        let own = account_of(mention);
        Account {
            native_id: own.native_id.or(known.native_id),
            handle: if own.handle.is_empty() { known.handle } else { own.handle },
            display_name: if own.display_name.is_empty() { known.display_name } else { own.display_name },
        }
    };
    entities(object, "mentions").map(mention).collect()
}

/// Kinds of the media, by their objects or else by their keys (`3_…` is a photo); descriptions become
/// passages.
fn media_of(
    object: Value<'_>,
    parts: &mut Parts<'_>,
    shared: &mut Vec<usize>,
    passages: &mut Vec<Passage>,
) -> Vec<MediaKind> {
    let Some(attachments) = object.field("attachments") else { return Vec::new() };
    let mut embedded = Parts::with_budget(object.range().len().saturating_mul(COPIES_PER_BYTE));
    embedded.add_all(PartRole::Media, attachments.list("media"));
    let mut kinds = Vec::new();
    for key in attachments.list("media_keys") {
        let found = embedded.find(PartRole::Media, Some(key), &mut Vec::new());
        let found = found.or_else(|| parts.find(PartRole::Media, Some(key), shared));
        let [kind, description] = found.map_or([None; 2], |media| media.fields(["type", "alt_text"]));
        let by_key = match key.text().unwrap_or_default().split('_').next() {
            Some("3") => MediaKind::Image,
            Some("7" | "13" | "16") => MediaKind::Video,
            _ => MediaKind::Other,
        };
        kinds.push(kind.and_then(Value::text).map_or(by_key, |word| gather::media_kind(&word)));
        passages.extend(passage(PassageRole::AltText, text(description)));
    }
    kinds
}

fn polls_of(object: Value<'_>, parts: &mut Parts<'_>, shared: &mut Vec<usize>, passages: &mut Vec<Passage>) {
    let Some(attachments) = object.field("attachments") else { return };
    let named =
        attachments.list("poll_ids").filter_map(|poll| parts.find(PartRole::Poll, Some(poll), shared));
    let embedded = attachments.field("poll").filter(|poll| poll.is_object());
    for option in named.chain(embedded).collect::<Vec<_>>().into_iter().flat_map(|poll| poll.list("options"))
    {
        passages.extend(passage(PassageRole::PollOption, text(option.field("label"))));
    }
}

/// The ids before this one in its chain of edits, and whether one comes after.
fn edits_of(object: Value<'_>) -> (Vec<PrivateText>, bool) {
    let own = object.field("id").and_then(Value::id);
    let chain: Vec<_> = object.list("edit_history_tweet_ids").filter_map(Value::id).collect();
    let Some(place) = chain.iter().position(|id| Some(id) == own.as_ref()) else {
        return (Vec::new(), false);
    };
    let earlier = chain.iter().take(place).map(|id| gather::private(id)).collect();
    (earlier, place + 1 < chain.len())
}

/// What stands under `includes`, found by id, and which of it was used.
#[derive(Default)]
struct Parts<'j> {
    known: HashMap<(PartRole, String), Value<'j>>,
    /// In the order of first use, with the places in that order.
    used: Vec<(PartRole, Value<'j>)>,
    places: HashMap<usize, usize>,
    /// Bytes that may still be copied; 0 once too many were asked for.
    budget: usize,
}

impl<'j> Parts<'j> {
    fn with_budget(budget: usize) -> Self {
        Self { budget, ..Self::default() }
    }

    fn add_all(&mut self, role: PartRole, values: impl Iterator<Item = Value<'j>>) {
        values.for_each(|value| self.add(role, value));
    }

    /// Makes a part known under its id, and an account also under its handle (`@` keeps the two apart).
    fn add(&mut self, role: PartRole, value: Value<'j>) {
        let [id, key, username] = value.fields(["id", "media_key", "username"]);
        let id = if role == PartRole::Media { key } else { id };
        if let Some(id) = id.and_then(Value::id) {
            self.known.insert((role, id.into_owned()), value);
        }
        if let Some(username) = username.and_then(Value::text) {
            self.known.insert((role, format!("@{}", username.to_lowercase())), value);
        }
    }

    /// Finds a part by its id or handle, and notes in `shared` that it is used.
    fn find(&mut self, role: PartRole, id: Option<Value<'_>>, shared: &mut Vec<usize>) -> Option<Value<'j>> {
        let id = id?.id()?;
        let found = self.known.get(&(role, id.clone().into_owned()));
        let found = found.or_else(|| self.known.get(&(role, format!("@{}", id.to_lowercase()))));
        let value = *found.filter(|value| value.is_object())?;
        self.budget = self.budget.saturating_sub(value.range().len());
        if self.budget == 0 {
            return None;
        }
        let used = &mut self.used;
        let place = *self.places.entry(value.range().start).or_insert_with(|| {
            used.push((role, value));
            used.len() - 1
        });
        shared.push(place);
        Some(value)
    }
}

#[cfg(test)]
#[path = "x_api_v2_tests.rs"]
pub(super) mod tests;
