//! ActivityPub: activities, objects and collections as servers send, answer and export them (a Mastodon
//! account's `outbox.json` too). Source of the fields: W3C Activity Vocabulary and ActivityPub, FEP-044f for
//! quotes, and what Mastodon, Pleroma, Lemmy, PeerTube and Friendica send.
//!
//! Quirks that matter: where a list is meant, one value may stand without its brackets, and where an object is
//! meant, only its address; who may see an object is told by `to` and `cc`, of the object or else of the
//! activity that carries it; an option of a poll is a `Note` too; undoing a boost is not a deletion of what was
//! boosted.

use super::activitypub_note::{self as note, named_by, type_of};
use super::gather::{Context, Copies, Gathered, JsonReading, time};
use super::item::{DeletedBy, Item, Removal};
use super::json::{Json, Value};
use super::unit::{ActKind, PartRole};
use crate::model::{Platform, PrivateText};

pub(super) const READING: JsonReading = JsonReading {
    name: "activitypub",
    platform: Platform::Mastodon,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

/// Types whose objects tell that something was said.
const SAID: &[&str] = &["Note", "Article", "Question", "Page", "Event", "ChatMessage"];
/// Types that tell it only when they stand on their own; else they are attachments.
const SHOWN: &[&str] = &["Video", "Audio", "Image", "Document"];
/// Activities that carry their object.
const CARRIES: &[&str] = &["Create", "Update"];
/// Activities and collections whose members matter, but not they.
const OTHER: &[&str] = &[
    "Collection",
    "OrderedCollection",
    "CollectionPage",
    "OrderedCollectionPage",
    "Tombstone",
    "Delete",
    "Undo",
    "Announce",
    "Like",
    "Dislike",
    "EmojiReact",
    "Follow",
    "Accept",
    "Reject",
    "Add",
    "Remove",
    "Block",
    "Flag",
    "Move",
    "Person",
    "Service",
    "Group",
    "Organization",
    "Application",
];
/// Members that hold nothing that was said on its own.
const NOT_SAID: &[&str] = &[
    "@context",
    "actor",
    "anyOf",
    "attachment",
    "attributedTo",
    "contentMap",
    "generator",
    "icon",
    "image",
    "instrument",
    "location",
    "oneOf",
    "publicKey",
    "signature",
    "source",
    "tag",
];

fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_some_and(recognises);
    }
    let [context, actor, object, author, said, to] =
        root.fields(["@context", "actor", "object", "attributedTo", "content", "to"]);
    let spoken = |value: Value<'_>| value.text().is_some_and(|text| text.contains("ns/activitystreams"));
    if context.is_some_and(|context| spoken(context) || context.elements().any(spoken)) {
        return true;
    }
    let of_a_collection =
        root.fields(["orderedItems", "items", "totalItems", "first"]).iter().any(Option::is_some);
    let of_an_object = [actor, object, author, said, to].iter().any(Option::is_some);
    let of_a_tombstone = root.field("id").is_some();
    type_of(root).is_some_and(|word| {
        let known = |words: &[&str]| words.contains(&&*word);
        (known(SAID) || known(SHOWN) || known(CARRIES) || known(OTHER))
            && (of_a_collection || of_an_object || (word == "Tombstone" && of_a_tombstone))
    })
}

fn gather(json: &Json<'_>, _: &mut Context) -> Gathered {
    let mut found = Found { gathered: Gathered::default(), copies: Copies::of(json) };
    found.visit(json.root(), None);
    found.gathered.excessive = found.copies.spent();
    found.gathered
}

fn reread(json: &Json<'_>, shared: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let object = json.root();
    let of =
        |wanted: PartRole| shared.iter().filter(move |(role, _)| *role == wanted).map(|(_, value)| *value);
    let audience: Vec<_> = of(PartRole::Audience).collect();
    is_said(object, &type_of(object)?).then(|| note::item(object, of(PartRole::Account).next(), &audience))
}

/// Whether an object is something said, and not only its address.
fn is_said(object: Value<'_>, word: &str) -> bool {
    let [author, published, to, name] = object.fields(["attributedTo", "published", "to", "name"]);
    let told = has_text(object) || author.or(published).or(to).or(name).is_some();
    (SAID.contains(&word) && told) || (SHOWN.contains(&word) && author.is_some())
}

fn has_text(object: Value<'_>) -> bool {
    object.fields(["content", "contentMap", "summary", "oneOf", "anyOf"]).iter().any(Option::is_some)
}

struct Found {
    gathered: Gathered,
    copies: Copies,
}

impl Found {
    /// Reads a value; `carrier` is the activity it is the object of, if that adds to it.
    fn visit(&mut self, value: Value<'_>, carrier: Option<Value<'_>>) {
        if value.is_array() {
            value.elements().for_each(|element| self.visit(element, carrier));
        }
        if !value.is_object() {
            return;
        }
        let word = type_of(value).unwrap_or_default();
        match &*word {
            "Create" | "Update" => self.visit_member(value, "object", Some(value)),
            "Announce" => self.act(value, ActKind::Boost),
            "Like" | "Dislike" | "EmojiReact" => self.act(value, ActKind::Like),
            "Delete" => self.delete(value),
            "Undo" => self.undo(value),
            "Tombstone" => {
                let at = time(value.field("deleted"));
                self.gone(value, Removal { at, by: DeletedBy::Unknown });
            }
            word => {
                if is_said(value, word) {
                    self.said(value, carrier);
                }
                for (name, member) in value.members() {
                    if name.text().is_some_and(|name| !NOT_SAID.contains(&&*name)) {
                        self.visit(member, None);
                    }
                }
            }
        }
    }

    fn visit_member(&mut self, value: Value<'_>, name: &str, carrier: Option<Value<'_>>) {
        if let Some(member) = value.field(name) {
            self.visit(member, carrier);
        }
    }

    /// What the activity says of the object and the object does not is a shared part of it.
    fn said(&mut self, object: Value<'_>, carrier: Option<Value<'_>>) {
        let [actor, to, cc] = carrier.map_or([None; 3], |carrier| carrier.fields(["actor", "to", "cc"]));
        let addressed = object.fields(["to", "cc"]).iter().any(Option::is_some);
        let actor = actor.filter(|actor| actor.is_object() || object.field("attributedTo").is_none());
        let audience: Vec<_> = [to, cc].into_iter().flatten().filter(|_| !addressed).collect();
        let mut item = note::item(object, actor, &audience);
        let parts = actor.map(|actor| (PartRole::Account, actor)).into_iter();
        for (role, part) in parts.chain(audience.into_iter().map(|part| (PartRole::Audience, part))) {
            if self.copies.take(part) {
                item.shared.push(self.gathered.part(role, part.range()));
            }
        }
        self.gathered.items.push((item, object.range()));
    }

    fn act(&mut self, activity: Value<'_>, kind: ActKind) {
        self.gathered.act(kind, act_name(activity));
        self.visit_member(activity, "object", None);
    }

    fn delete(&mut self, activity: Value<'_>) {
        let [object, actor, at, reason] = activity.fields(["object", "actor", "published", "summary"]);
        let reason = reason.and_then(Value::text).is_some_and(|reason| !reason.is_empty());
        let by = match (reason, actor) {
            (true, _) => DeletedBy::Platform,
            (false, Some(_)) => DeletedBy::Author,
            (false, None) => DeletedBy::Unknown,
        };
        for object in object.into_iter().flat_map(Value::many) {
            let deleted = time(object.field("deleted")).or_else(|| time(at));
            self.gone(object, Removal { at: deleted, by });
            if has_text(object) {
                self.visit(object, None);
            }
        }
    }

    /// Undoing anything but a wish to follow takes something away: the activity, not what it was about.
    fn undo(&mut self, activity: Value<'_>) {
        let [object, at] = activity.fields(["object", "published"]);
        for object in object.into_iter().flat_map(Value::many) {
            let word = type_of(object).unwrap_or_default();
            if word == "Follow" {
                continue;
            }
            let name = object.text().map_or_else(|| act_name(object), std::borrow::Cow::into_owned);
            let removal = Removal { at: time(at), by: DeletedBy::Author };
            self.gathered.deletion(vec![PrivateText::new(name)], removal);
            self.visit_member(object, "object", None);
        }
    }

    fn gone(&mut self, object: Value<'_>, removal: Removal) {
        let names = match object.text() {
            Some(name) => vec![PrivateText::new(name.into_owned())],
            None => named_by(object, &["id", "atomUri", "url"]),
        };
        if !names.is_empty() {
            self.gathered.deletion(names, removal);
        }
    }
}

/// What tells an act apart: its address, or who did it to what.
fn act_name(activity: Value<'_>) -> String {
    let name = |value: Value<'_>| named_by(value, &["id", "url"]).into_iter().next();
    let part = |field: &str| {
        let value = activity.field(field)?;
        value.id().map(std::borrow::Cow::into_owned).or_else(|| Some(name(value)?.expose().to_owned()))
    };
    if let Some(name) = name(activity) {
        return name.expose().to_owned();
    }
    let word = type_of(activity).unwrap_or_default();
    format!("{word} {} {}", part("actor").unwrap_or_default(), part("object").unwrap_or_default())
}

#[cfg(test)]
#[path = "activitypub_tests.rs"]
pub(super) mod tests;
