//! One ActivityPub object that says something, read field by field.

use super::attachment;
use super::gather::{self, id, passage, private, text, unnamed};
use super::html;
use super::item::{Account, Item, MediaKind, Passage, PassageRole};
use super::json::Value;
use crate::model::{ItemKind, Platform, PrivateText, Visibility};
use std::borrow::Cow;

const VOCABULARY: &str = "https://www.w3.org/ns/activitystreams#";

/// The type of an object as a bare word; of several the first that begins with a capital.
pub(super) fn type_of(object: Value<'_>) -> Option<Cow<'_, str>> {
    let [plain, at] = object.fields(["type", "@type"]);
    let word = plain.or(at)?.many().find_map(Value::text)?;
    let bare = word.strip_prefix("as:").or_else(|| word.strip_prefix(VOCABULARY)).map(str::to_owned);
    Some(bare.map_or(word, Cow::Owned))
}

/// The addresses an object has under these names, each once.
pub(super) fn named_by(object: Value<'_>, fields: &[&str]) -> Vec<PrivateText> {
    let mut names: Vec<PrivateText> = Vec::new();
    for name in fields.iter().filter_map(|field| address(object.field(field)?)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The address of a value that is one, or of an object or link that has one; the first of several.
fn address(value: Value<'_>) -> Option<PrivateText> {
    value.many().find_map(|value| {
        let [own, url, href] = value.fields(["id", "url", "href"]);
        id(Some(value)).or_else(|| id(own)).or_else(|| id(href)).or_else(|| id(url))
    })
}

/// Reads an object. `actor` and `audience` (values of `to` and `cc`, in that order) are what the activity that
/// carries it says where it says nothing itself.
pub(super) fn item(object: Value<'_>, actor: Option<Value<'_>>, audience: &[Value<'_>]) -> Item {
    let [author, published, updated, answers] =
        object.fields(["attributedTo", "published", "updated", "inReplyTo"]);
    let [conversation, context] = object.fields(["conversation", "context"]);
    let author = author_of(author, actor);
    let Texts { mut passages, mut links, language } = texts_of(object);
    let media = attachments(object, &mut passages, &mut links);
    let options = ["oneOf", "anyOf"].into_iter().flat_map(|field| object.list(field));
    passages
        .extend(options.filter_map(|option| passage(PassageRole::PollOption, text(option.field("name")))));
    let visibility = visibility_of(object, audience);
    let in_reply_to = answers.and_then(address);
    let (posted_at, posted_as) = gather::stated(published);
    let mut names = named_by(object, &["id", "atomUri", "url"]);
    if names.is_empty() {
        let author = author.as_ref().map_or("", Account::identity);
        let said = passages.first().map_or("", |passage| passage.text.expose());
        names.push(unnamed(&[author, &published.and_then(Value::text).unwrap_or_default(), said]));
    }
    let direct = visibility == Visibility::Direct || type_of(object).as_deref() == Some("ChatMessage");
    let kind = match (direct, &in_reply_to) {
        (true, _) => ItemKind::Message,
        (false, Some(_)) => ItemKind::Reaction,
        (false, None) => ItemKind::Post,
    };
    Item {
        names,
        author,
        passages,
        links: links.into_iter().map(PrivateText::new).collect(),
        mentions: mentions_of(object),
        media,
        media_size_bytes: sizes(object),
        attached: files(object),
        posted_at,
        posted_as,
        edited_at: gather::stated(updated).0.filter(|at| posted_at != Some(*at)),
        in_reply_to,
        quotes: quoted(object),
        conversation: conversation.or(context).and_then(address),
        visibility,
        language,
        ..Item::new(Platform::Mastodon, kind)
    }
}

struct Texts {
    passages: Vec<Passage>,
    links: Vec<String>,
    language: Option<String>,
}

/// Title and text as one body, the text in further languages as more, and the warning in front. A summary is
/// a warning whether or not `sensitive` says so: that is how it is shown.
fn texts_of(object: Value<'_>) -> Texts {
    let [media_type, name, summary, content, map] =
        object.fields(["mediaType", "name", "summary", "content", "contentMap"]);
    let plain = media_type.and_then(Value::text).is_some_and(|kind| !kind.starts_with("text/html"));
    let mut links = Vec::new();
    let mut read = |said: Cow<'_, str>| {
        if plain {
            return said.into_owned();
        }
        let reading = html::reading(&said);
        links.extend(reading.links);
        reading.text
    };
    let mut by_language = map.into_iter().flat_map(Value::members).filter_map(|(k, v)| Some((k, v.text()?)));
    let (mut language, mut body) = (None, content.and_then(Value::text));
    let mut further = Vec::new();
    for (key, said) in &mut by_language {
        if body.as_ref().is_none_or(|body| *body == said) {
            language = language.or_else(|| gather::language(Some(key)));
            body = Some(said);
        } else {
            further.push(said);
        }
    }
    let first_of = |field: &str| object.field(field)?.members().find_map(|(_, value)| value.text());
    let title = name.and_then(Value::text).or_else(|| first_of("nameMap")).unwrap_or_default();
    let body = body.map(&mut read).unwrap_or_default();
    let body = [&*title, &body].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    let mut passages = vec![Passage { role: PassageRole::Body, text: PrivateText::new(body) }];
    passages.extend(
        further.into_iter().filter_map(|said| passage(PassageRole::Body, Some(PrivateText::new(read(said))))),
    );
    let summary = summary.and_then(Value::text).or_else(|| first_of("summaryMap")).map(&mut read);
    passages.extend(passage(PassageRole::ContentWarning, summary.map(PrivateText::new)));
    Texts { passages, links, language }
}

/// Who wrote it, with what the activity's actor adds: they are the same (ActivityPub 6.2).
fn author_of(author: Option<Value<'_>>, actor: Option<Value<'_>>) -> Option<Account> {
    let read = |value: Value<'_>| value.many().map(account_of).find(|account| !account.identity().is_empty());
    let (own, actor) = (author.and_then(read), actor.and_then(read));
    let Some(own) = own else { return actor };
    let actor = actor.unwrap_or_default();
    Some(Account {
        native_id: own.native_id.or(actor.native_id),
        handle: if own.handle.is_empty() { actor.handle } else { own.handle },
        display_name: if own.display_name.is_empty() { actor.display_name } else { own.display_name },
    })
}

fn account_of(value: Value<'_>) -> Account {
    let native = address(value);
    let [username, name] = value.fields(["preferredUsername", "name"]);
    let handle = native.as_ref().and_then(|address| handle_of(address.expose(), text(username)));
    gather::account(native, handle.or_else(|| text(username)), text(name))
}

/// The handle behind the address of an account, `name@host`, where addresses are seen to hold it.
fn handle_of(address: &str, username: Option<PrivateText>) -> Option<PrivateText> {
    const BEFORE_A_NAME: &[&str] =
        &["users", "user", "u", "profile", "profiles", "accounts", "author", "c", "channel", "@"];
    let (_, rest) = address.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let mut steps = path.split(['/', '?', '#']).filter(|step| !step.is_empty());
    let name = match (username, steps.next()?) {
        (Some(name), _) => name.expose().to_owned(),
        (None, step) if step.starts_with('@') => step.trim_start_matches('@').to_owned(),
        (None, step) if BEFORE_A_NAME.contains(&step) => steps.next()?.to_owned(),
        _ => return None,
    };
    let whole = name.contains('@') || host.is_empty() || name.is_empty();
    Some(if whole { private(&name) } else { PrivateText::new(format!("{name}@{host}")) })
}

fn mentions_of(object: Value<'_>) -> Vec<Account> {
    let tags = object.field("tag").into_iter().flat_map(Value::many);
    tags.filter(|tag| type_of(*tag).as_deref() == Some("Mention"))
        .map(|tag| {
            let [href, name] = tag.fields(["href", "name"]);
            let name = name.and_then(Value::text).unwrap_or_default();
            gather::account(id(href), Some(private(name.trim_start_matches('@'))), None)
        })
        .collect()
}

fn quoted(object: Value<'_>) -> Option<PrivateText> {
    let fields = ["quote", "quoteUrl", "quoteUri", "_misskey_quote"];
    object.fields(fields).into_iter().flatten().find_map(address)
}

/// Public in `to` is public, elsewhere unlisted; a list of followers means followers; else those named.
/// Nobody named says nothing.
fn visibility_of(object: Value<'_>, audience: &[Value<'_>]) -> Visibility {
    let [to, cc, group, bto, bcc] = object.fields(["to", "cc", "audience", "bto", "bcc"]);
    let (to, cc) = match (to, cc, audience) {
        (None, None, [to]) => (Some(*to), None),
        (None, None, [to, cc, ..]) => (Some(*to), Some(*cc)),
        _ => (to, cc),
    };
    let mut seen = Visibility::Unknown;
    for (list, public) in
        [(to, Visibility::Public), (cc, Visibility::Unlisted), (group, Visibility::Unlisted)]
            .into_iter()
            .chain([(bto, Visibility::Unlisted), (bcc, Visibility::Unlisted)])
    {
        for named in list.into_iter().flat_map(Value::many).filter_map(address) {
            match named.expose() {
                "as:Public" | "Public" => return public,
                named if named.strip_prefix(VOCABULARY) == Some("Public") => return public,
                named if named.trim_end_matches('/').ends_with("/followers") => seen = Visibility::Followers,
                _ if seen == Visibility::Unknown => seen = Visibility::Direct,
                _ => {}
            }
        }
    }
    seen
}

/// Sizes of what is attached, of which an object says so.
fn sizes(object: Value<'_>) -> Vec<u64> {
    let attached = object.fields(["attachment", "image"]).into_iter().flatten().flat_map(Value::many);
    attached.filter_map(|attachment| gather::size_bytes(attachment.field("size"))).collect()
}

/// The files of what is attached, in an archive that holds them.
fn files(object: Value<'_>) -> Vec<PrivateText> {
    let attached = object.fields(["attachment", "image"]).into_iter().flatten().flat_map(Value::many);
    let addresses = attached.filter_map(|attachment| attachment.field("url")?.text());
    addresses.filter_map(|address| attachment::name_of(&address)).collect()
}

/// Kinds of what is attached; descriptions become passages, links links.
fn attachments(object: Value<'_>, passages: &mut Vec<Passage>, links: &mut Vec<String>) -> Vec<MediaKind> {
    let mut kinds = Vec::new();
    let [attached, image] = object.fields(["attachment", "image"]);
    for attachment in attached.into_iter().chain(image).flat_map(Value::many).filter(|a| a.is_object()) {
        let [kind, name, summary, href] = attachment.fields(["mediaType", "name", "summary", "href"]);
        let word = type_of(attachment).unwrap_or_default();
        passages.extend(passage(PassageRole::AltText, text(name)));
        passages.extend(passage(PassageRole::AltText, text(summary)));
        if word == "Link" {
            links.extend(href.and_then(Value::text).map(Cow::into_owned));
        } else if word != "PropertyValue" {
            let kind = kind.and_then(Value::text).unwrap_or_default();
            let kind = kind.split('/').next().filter(|kind| !kind.is_empty());
            kinds.push(gather::media_kind(kind.unwrap_or(&word.to_ascii_lowercase())));
        }
    }
    kinds
}
