//! Bluesky: answers of its interface (threads, feeds, lists of posts, quotes, likes, notifications, messages),
//! frames of the firehose as JSON, and lines of Jetstream. Source of the fields: the lexicons `app.bsky`,
//! `chat.bsky` and `com.atproto` (github.com/bluesky-social/atproto).
//!
//! A post is known by its shape, wherever it stands. Quirks that matter: a view repeats what stands in its
//! record, so that only the view is an item; a frame of the firehose names a post and holds it apart, in CBOR,
//! in a slice of a repository in base64; an account that goes takes all its posts along and names none.

use super::bluesky_blocks::Blocks;
use super::bluesky_post as post;
use super::gather::{Context, Copies, Gathered, JsonReading, id, time};
use super::item::{DeletedBy, Item, Removal};
use super::json::{Json, Value};
use super::unit::{ActKind, PartRole};
use crate::model::{Platform, PrivateText};
use std::collections::HashSet;

pub(super) const READING: JsonReading = JsonReading {
    name: "bluesky",
    platform: Platform::Bluesky,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

/// How many objects are looked at for a mark of this format.
const LOOKED_AT: usize = 400;
/// Lists of which an empty answer consists.
const LISTS: [&str; 6] = ["feed", "posts", "likes", "repostedBy", "notifications", "convos"];

fn recognises(root: Value<'_>) -> bool {
    let [error, message] = root.fields(["error", "message"]);
    let failed = error.is_some_and(Value::is_text) && message.is_some_and(Value::is_text);
    let empty = root
        .fields(LISTS)
        .into_iter()
        .flatten()
        .any(|list| list.is_array() && list.elements().next().is_none());
    failed || empty || root.within().take(LOOKED_AT).any(is_marked)
}

/// A lexicon's type, an address of the protocol, or an account with its `did`.
fn is_marked(object: Value<'_>) -> bool {
    let [kind, uri, did, handle, commit] = object.fields(["$type", "uri", "did", "handle", "commit"]);
    let begins = |value: Option<Value<'_>>, marks: &[&str]| {
        value.and_then(Value::text).is_some_and(|text| marks.iter().any(|mark| text.starts_with(mark)))
    };
    let [active, seq] = object.fields(["active", "seq"]);
    let known = handle.or(commit).or(active).or(seq).is_some();
    begins(kind, &["app.bsky.", "chat.bsky.", "com.atproto."])
        || begins(uri, &["at://"])
        || (did.is_some_and(Value::is_text) && known)
        || (begins(object.field("repo"), &["did:"]) && object.field("ops").is_some())
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut found =
        Found { gathered: Gathered::default(), claimed: HashSet::new(), copies: Copies::of(json) };
    let mut passed = 0;
    for object in json.objects() {
        if object.range().start < passed {
            continue;
        }
        // A frame that the one who recorded it marked as one to drop.
        if object.field("drop").is_some_and(Value::is_true) && object.field("frame").is_some() {
            passed = object.range().end;
        } else {
            found.object(object);
        }
    }
    found.gathered.excessive = found.copies.spent();
    found.gathered
}

fn reread(json: &Json<'_>, shared: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let object = json.root();
    let of = |wanted| shared.iter().find(|(role, _)| *role == wanted).map(|(_, value)| *value);
    let op = Operation::of(object, of(PartRole::Account));
    match op.filter(|op| op.collection == post::POST) {
        Some(op) => Some(op.item(Blocks::read(of(PartRole::Blocks)).as_ref())),
        None => post::item(object),
    }
}

struct Found {
    gathered: Gathered,
    /// Where the records start that stand in a view, which is the item.
    claimed: HashSet<usize>,
    copies: Copies,
}

impl Found {
    fn object(&mut self, object: Value<'_>) {
        if self.claimed.contains(&object.range().start) {
            return;
        }
        if let Some(record) = post::record_of(object) {
            self.claimed.insert(record.range().start);
        }
        if let Some(item) = post::item(object) {
            self.gathered.items.push((item, object.range()));
            return;
        }
        self.act(object);
        self.deletion(object);
        self.commit(object);
    }

    /// A record of a like or a repost, someone in a list of them, or why a post stands in a feed.
    fn act(&mut self, object: Value<'_>) {
        if let (Some(kind), Some(name)) = (post::record_of(object).and_then(act_of), post::name_of(object)) {
            self.gathered.act(kind, name.expose().to_owned());
        }
        let [uri, liked, passed_on, post, reason] =
            object.fields(["uri", "likes", "repostedBy", "post", "reason"]);
        let did = |account: Option<Value<'_>>| Some(account?.field("did")?.id()?.into_owned());
        let of = uri.and_then(Value::id).unwrap_or_default();
        for account in liked.into_iter().flat_map(Value::elements) {
            if let Some(did) = did(account.field("actor")) {
                self.gathered.act(ActKind::Like, format!("{of} {did}"));
            }
        }
        for account in passed_on.into_iter().flat_map(Value::elements) {
            if let Some(did) = did(Some(account)) {
                self.gathered.act(ActKind::Boost, format!("{of} {did}"));
            }
        }
        let [by, own] = reason.map_or([None; 2], |reason| reason.fields(["by", "uri"]));
        if let (Some(post), Some(did)) = (post, did(by)) {
            let of = post.field("uri").and_then(Value::id).unwrap_or_default();
            let own = own.and_then(Value::id).map_or_else(|| format!("{of} {did}"), |own| own.into_owned());
            self.gathered.act(ActKind::Boost, own);
        }
    }

    /// A placeholder of a post that is gone, an account that is gone, a message that is gone.
    fn deletion(&mut self, object: Value<'_>) {
        let [gone, uri, active, did] = object.fields(["notFound", "uri", "active", "did"]);
        let [status, at, kind, own] = object.fields(["status", "time", "$type", "id"]);
        let kind = kind.and_then(Value::text).unwrap_or_default();
        if gone.is_some_and(Value::is_true) {
            self.gone(id(uri), Removal { at: None, by: DeletedBy::Unknown });
        } else if kind == "chat.bsky.convo.defs#deletedMessageView" {
            self.gone(id(own), Removal { at: None, by: DeletedBy::Author });
        } else if active.is_some_and(|active| active.is_false()) && did.is_some() {
            let by = match status.and_then(Value::text).unwrap_or_default().as_ref() {
                // It is not gone, its server is behind or slow.
                "desynchronized" | "throttled" => return,
                "deleted" | "deactivated" => DeletedBy::Author,
                "takendown" | "suspended" => DeletedBy::Platform,
                _ => DeletedBy::Unknown,
            };
            self.gone(id(did), Removal { at: time(at), by });
        }
    }

    fn gone(&mut self, name: Option<PrivateText>, removal: Removal) {
        if let Some(name) = name {
            self.gathered.deletion(vec![name], removal);
        }
    }

    /// A frame of the firehose, or a line of Jetstream.
    fn commit(&mut self, object: Value<'_>) {
        let [repo, ops, blocks, at] = object.fields(["repo", "ops", "blocks", "time"]);
        if let (Some(repo), Some(ops)) = (repo.filter(|repo| repo.is_text()), ops) {
            let blocks_read = Blocks::read(blocks);
            for op in ops.elements() {
                if let Some(read) = Operation::of(op, Some(repo)) {
                    self.operation(&read, time(at));
                    if read.action != "delete" && read.collection == post::POST {
                        self.in_blocks(&read, op, repo, blocks, blocks_read.as_ref());
                    }
                }
            }
        }
        let [did, commit] = object.fields(["did", "commit"]);
        if let Some(read) = commit.and_then(|commit| Operation::of_jetstream(commit, did)) {
            self.operation(&read, None);
        }
    }

    fn operation(&mut self, op: &Operation, at: Option<crate::model::Timestamp>) {
        let kind = act_kind(&op.collection);
        match (&*op.action, kind) {
            ("delete", kind) if kind.is_some() || op.collection == post::POST => {
                let removal = Removal { at, by: DeletedBy::Author };
                self.gathered.deletion(vec![op.name()], removal);
            }
            ("create" | "update", Some(kind)) => self.gathered.act(kind, op.name().expose().to_owned()),
            _ => {}
        }
    }

    fn in_blocks(
        &mut self,
        read: &Operation,
        op: Value<'_>,
        repo: Value<'_>,
        blocks: Option<Value<'_>>,
        blocks_read: Option<&Blocks>,
    ) {
        if !blocks.is_none_or(|blocks| self.copies.take(blocks)) {
            return;
        }
        let mut item = read.item(blocks_read);
        item.shared.push(self.gathered.part(PartRole::Account, repo.range()));
        if let Some(blocks) = blocks {
            item.shared.push(self.gathered.part(PartRole::Blocks, blocks.range()));
        }
        self.gathered.items.push((item, op.range()));
    }
}

/// What a commit does to one record.
struct Operation {
    action: String,
    repo: String,
    collection: String,
    key: String,
    cid: Option<String>,
}

impl Operation {
    /// From the firehose: the record stands in the blocks of the commit.
    fn of(op: Value<'_>, repo: Option<Value<'_>>) -> Option<Self> {
        let [action, path, cid] = op.fields(["action", "path", "cid"]);
        let path = path?.text()?;
        let (collection, key) = path.split_once('/')?;
        let cid = cid.and_then(|cid| cid.text().or_else(|| cid.field("$link")?.text()));
        Some(Self {
            action: action?.text()?.into_owned(),
            repo: repo?.text()?.into_owned(),
            collection: collection.to_owned(),
            key: key.to_owned(),
            cid: cid.map(std::borrow::Cow::into_owned),
        })
    }

    /// From Jetstream: the record stands beside it.
    fn of_jetstream(commit: Value<'_>, did: Option<Value<'_>>) -> Option<Self> {
        let [action, collection, key] = commit.fields(["operation", "collection", "rkey"]);
        Some(Self {
            action: action?.text()?.into_owned(),
            repo: did?.text()?.into_owned(),
            collection: collection?.text()?.into_owned(),
            key: key?.text()?.into_owned(),
            cid: None,
        })
    }

    fn name(&self) -> PrivateText {
        PrivateText::new(format!("at://{}/{}/{}", self.repo, self.collection, self.key))
    }

    /// The post, with as much as the blocks hold of it.
    fn item(&self, blocks: Option<&Blocks>) -> Item {
        let record = blocks.zip(self.cid.as_deref()).and_then(|(blocks, cid)| blocks.record(cid));
        let depth = super::Limits::default().depth_max;
        let record = record.as_deref().and_then(|record| Json::parse(record, depth).ok());
        post::of_record(self.name(), record.as_ref().map(Json::root))
    }
}

fn act_of(record: Value<'_>) -> Option<ActKind> {
    act_kind(&record.field("$type")?.text()?)
}

fn act_kind(collection: &str) -> Option<ActKind> {
    match collection {
        "app.bsky.feed.like" => Some(ActKind::Like),
        "app.bsky.feed.repost" => Some(ActKind::Boost),
        _ => None,
    }
}

#[cfg(test)]
#[path = "bluesky_tests.rs"]
pub(super) mod tests;
