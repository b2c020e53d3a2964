//! The download archive of an account on Instagram: comments, posts, stories, messages, likes and votes, in the
//! layouts of 2020 (lists of lists), of 2021 and later (`string_map_data` with labels in the owner's language)
//! and with names of parts before them (`comments_media_comments`). No documentation exists; the fields are
//! those of archives as they are.
//!
//! Quirks that matter: nothing has an id; a comment names whose post it stands under, never who wrote it (the
//! owner of the archive), and not which post; characters are broken from 2021 on; nothing says who could see it,
//! so visibility is not known but for messages. Annotated copies (Label Studio), whose text is the archive as
//! Python wrote it, are read as well.

use super::gather::{Context, Gathered, JsonReading};
use super::item::{Item, Passage, PassageRole};
use super::json::{Json, Value};
use super::meta_export::{self as meta, composed, moment, said, word};
use super::meta_labels as labels;
use super::python_repr;
use super::unit::{ActKind, PartRole};
use crate::model::{ItemKind, Platform, PrivateText};

pub(super) const READING: JsonReading = JsonReading {
    name: "instagram_dyi",
    platform: Platform::Instagram,
    recognises,
    gather,
    reread,
    event_of_deletion: None,
};

/// Members of a part that hold comments, posts, likes and votes. Of others with `_` prefixes the list is taken
/// by its beginning (see [`Part::of`]).
pub(super) const PARTS: [(&str, Part); 33] = [
    ("media_comments", Part::Comments),
    ("story_comments", Part::Comments),
    ("live_comments", Part::Comments),
    ("comments_media_comments", Part::Comments),
    ("comments_reels_comments", Part::Comments),
    ("comments_story_comments", Part::Comments),
    ("comments_live_comments", Part::Comments),
    ("media_likes", Part::Likes),
    ("comment_likes", Part::Likes),
    ("likes_media_likes", Part::Likes),
    ("likes_comment_likes", Part::Likes),
    ("story_likes", Part::Likes),
    ("story_activities_story_likes", Part::Likes),
    ("story_activities_reaction_sticker_reactions", Part::Likes),
    ("story_activities_emoji_quick_reactions", Part::Likes),
    ("emoji_quick_reactions", Part::Likes),
    ("polls", Part::Votes),
    ("emoji_sliders", Part::Votes),
    ("quizzes", Part::Votes),
    ("questions", Part::Votes),
    ("story_activities_polls", Part::Votes),
    ("story_activities_emoji_sliders", Part::Votes),
    ("story_activities_quizzes", Part::Votes),
    ("story_activities_questions", Part::Votes),
    ("photos", Part::Posts),
    ("videos", Part::Posts),
    ("stories", Part::Posts),
    ("ig_stories", Part::Posts),
    ("ig_reels_media", Part::Posts),
    ("ig_igtv_media", Part::Posts),
    ("ig_archived_post_media", Part::Posts),
    ("ig_other_media", Part::Posts),
    ("ig_recently_deleted_media", Part::Posts),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Comments,
    Likes,
    Votes,
    Posts,
}

fn recognises(root: Value<'_>) -> bool {
    if root.is_array() {
        return root.elements().next().is_some_and(recognises);
    }
    if let Some(text) = annotated(root) {
        return python_repr::json_of(text)
            .is_some_and(|plain| Json::parse(&plain.text, 128).is_ok_and(|json| recognises(json.root())));
    }
    meta::is_thread(root) && meta::is_instagram_thread(root)
        || labels::is_entry(root) && labels::is_instagram(root)
        || is_comment(root)
        || is_post(root)
        || parts(root).any(|(_, list)| list.elements().next().map_or(root.members().count() == 1, is_entry))
}

/// The parts a document has.
fn parts<'j>(root: Value<'j>) -> impl Iterator<Item = (Named, Value<'j>)> {
    root.members().filter_map(|(name, list)| {
        let name = name.text()?;
        let named = PARTS.iter().find(|(known, _)| *known == name)?;
        // Albums of Facebook have photos too.
        let old = matches!(&*name, "photos" | "videos" | "stories");
        let fits = !old || list.elements().next().is_none_or(|first| first.field("taken_at").is_some());
        (list.is_array() && fits).then_some((*named, list))
    })
}

/// A part and the name that tells its acts from those of others.
type Named = (&'static str, Part);

/// What stands in a part: a list of time, words and account; or an object with strings or media.
fn is_entry(entry: Value<'_>) -> bool {
    let marks = [
        "string_map_data",
        "string_list_data",
        "label_values",
        "media",
        "uri",
        "path",
        "creation_timestamp",
        "taken_at",
    ];
    let timed = entry.elements().next().and_then(Value::text);
    timed.is_some_and(|time| time.len() >= 19 && time.starts_with("20"))
        || entry.fields(marks).into_iter().flatten().next().is_some()
}

/// The text of an annotated copy.
fn annotated(root: Value<'_>) -> Option<&str> {
    let [completions, annotations, data] = root.fields(["completions", "annotations", "data"]);
    let text = data.filter(|_| completions.or(annotations).is_some())?.field("text")?;
    text.is_text().then(|| text.raw())
}

fn gather(json: &Json<'_>, context: &mut Context) -> Gathered {
    let root = json.root();
    let part = context.list.and_then(|list| PARTS.iter().find(|(name, _)| *name == list));
    if let Some(part) = part {
        let mut gathered = Gathered::default();
        entry(root, Some(*part), &mut gathered);
        return gathered;
    }
    let text = annotated(root).and_then(|text| Some((python_repr::json_of(text)?, text)));
    let Some((plain, _)) = text else { return plainly(root) };
    let Ok(inner) = Json::parse(&plain.text, 128) else { return Gathered::default() };
    let mut gathered = plainly(inner.root());
    let text = root.field("data").and_then(|data| data.field("text"));
    let from = text.map_or(0, |text| text.range().start + 1);
    for range in
        gathered.items.iter_mut().map(|(_, range)| range).chain(gathered.parts.iter_mut().map(|(_, r)| r))
    {
        *range = from + plain.place(range.start)..from + plain.place(range.end);
    }
    gathered
}

fn plainly(root: Value<'_>) -> Gathered {
    let mut gathered = Gathered::default();
    if root.is_array() && !is_row(root) {
        root.elements().for_each(|element| entry(element, None, &mut gathered));
    } else {
        entry(root, None, &mut gathered);
    }
    gathered
}

/// One entry, of a part when it stands in one; a document of parts is opened.
fn entry(value: Value<'_>, part: Option<Named>, gathered: &mut Gathered) {
    match part {
        Some((name, Part::Likes)) => act(ActKind::Like, name, value, gathered),
        Some((name, Part::Votes)) => act(ActKind::Vote, name, value, gathered),
        _ if meta::is_thread(value) => meta::thread(value, Platform::Instagram, gathered),
        _ if labels::is_entry(value) => labels::gather(value, Platform::Instagram, gathered),
        _ => {
            if let Some(item) = item(value) {
                gathered.items.push((item, value.range()));
            } else if part.is_none() {
                for (part, list) in parts(value) {
                    list.elements().for_each(|value| entry(value, Some(part), gathered));
                }
            }
        }
    }
}

fn reread(json: &Json<'_>, parts: &[(PartRole, Value<'_>)]) -> Option<Item> {
    let root = json.root();
    item(root).or_else(|| meta::reread(root, Platform::Instagram, parts))
}

/// A comment or a post, by its shape.
fn item(value: Value<'_>) -> Option<Item> {
    match () {
        () if is_row(value) => Some(row_comment(value)),
        () if is_comment(value) => Some(comment(value)),
        () if is_post(value) => Some(post(value)),
        () => labels::item(value, Platform::Instagram),
    }
}

/// A like or vote: of whom, and when.
fn act(kind: ActKind, part: &str, value: Value<'_>, gathered: &mut Gathered) {
    let mut name = vec![part.to_owned()];
    name.extend(value.elements().map(|one| word(Some(one)).into_owned()));
    let title = value.field("title");
    let entries = value.list("string_list_data");
    name.extend(title.map(|title| word(Some(title)).into_owned()));
    name.extend(entries.flat_map(|entry| {
        let [href, at] = entry.fields(["href", "timestamp"]);
        [word(href).into_owned(), word(at).into_owned()]
    }));
    if value.is_object() {
        let fields = value.fields(["string_map_data", "label_values", "timestamp", "fbid"]);
        name.extend(fields.into_iter().flatten().map(|value| value.raw().to_owned()));
    }
    gathered.act(kind, name.join("\u{1f}"));
}

/// A comment of 2020: time, words, whose post.
fn is_row(value: Value<'_>) -> bool {
    let mut cells = value.elements();
    let [time, said, owner, more] = [cells.next(), cells.next(), cells.next(), cells.next()];
    let texts = [time, said, owner].iter().all(|cell| cell.is_some_and(Value::is_text));
    texts && more.is_none() && moment(time).is_some()
}

fn row_comment(value: Value<'_>) -> Item {
    let mut cells = value.elements();
    let [time, text, owner] = [cells.next(), cells.next(), cells.next()];
    comment_of(time, text, owner)
}

fn comment_of(time: Option<Value<'_>>, text: Option<Value<'_>>, owner: Option<Value<'_>>) -> Item {
    let mut item = Item::new(Platform::Instagram, ItemKind::Reaction);
    let body = said(text);
    let words = body.as_ref().map_or("", PrivateText::expose);
    item.names.push(composed(&["comment", &word(time), &word(owner), words]));
    item.posted_at = moment(time);
    item.mentions.extend(meta::named(owner));
    item.passages.push(meta::body(body));
    item
}

/// Labels of the words of a comment, in the languages seen; of others the first text is taken.
const COMMENT_LABELS: [&str; 11] = [
    "Comment",
    "Opmerking",
    "Reactie",
    "Kommentar",
    "Commentaire",
    "Comentario",
    "Comentário",
    "Commento",
    "Komentarz",
    "Yorum",
    "Comments",
];

fn is_comment(value: Value<'_>) -> bool {
    let [map, media] = value.fields(["string_map_data", "media_list_data"]);
    let Some(map) = map else { return false };
    let labelled = map.members().any(|(label, _)| is_comment_label(label));
    let texts = map.members().filter(|(_, entry)| entry.field("value").is_some_and(Value::is_text)).count();
    let times = map.members().filter(|(_, entry)| entry.field("timestamp").is_some()).count();
    labelled || (media.is_some() && (1..=2).contains(&texts) && times == 1)
}

fn is_comment_label(label: Value<'_>) -> bool {
    label.text().is_some_and(|label| COMMENT_LABELS.contains(&&*meta::repaired(label)))
}

fn comment(value: Value<'_>) -> Item {
    let map = value.field("string_map_data");
    let (mut time, mut text, mut others) = (None, None, Vec::new());
    for (label, entry) in map.into_iter().flat_map(Value::members) {
        let [words, at] = entry.fields(["value", "timestamp"]);
        match words.filter(|words| words.is_text()) {
            Some(words) if text.is_none() && is_comment_label(label) => text = Some(words),
            Some(words) if said(Some(words)).is_some() => others.push(words),
            _ => time = at.or(time),
        }
    }
    let mut others = others.into_iter();
    let text = text.or_else(|| others.next());
    let mut item = comment_of(time, text, others.next());
    item.media =
        value.list("media_list_data").filter(|one| said(one.field("uri")).is_some()).map(kind_of).collect();
    item.attached = value.list("media_list_data").flat_map(meta::files_of).collect();
    item
}

/// A post, story or reel: media with a time and a caption, each outside or inside the list of media.
fn is_post(value: Value<'_>) -> bool {
    let [media, uri, created, path, taken] =
        value.fields(["media", "uri", "creation_timestamp", "path", "taken_at"]);
    let listed = media.is_some_and(|media| {
        media
            .elements()
            .next()
            .is_some_and(|one| one.fields(["uri", "creation_timestamp"]).iter().all(Option::is_some))
    });
    let own = value.fields(["data", "attachments", "string_map_data", "label_values"]);
    (listed || uri.and(created).is_some() || path.and(taken).is_some()) && own.iter().all(Option::is_none)
}

fn post(value: Value<'_>) -> Item {
    let first = value.list("media").next();
    let one = first.unwrap_or(value);
    let [title, caption, created, taken] =
        value.fields(["title", "caption", "creation_timestamp", "taken_at"]);
    let [inner_title, inner_created, uri, path] = one.fields(["title", "creation_timestamp", "uri", "path"]);
    let time = created.or(taken).or(inner_created);
    let mut item = Item::new(Platform::Instagram, ItemKind::Post);
    let address = word(uri.or(path));
    let file = address.rsplit('/').next().unwrap_or_default();
    item.names.push(composed(&["post", &word(time), file]));
    item.posted_at = moment(time);
    let body = said(title).or_else(|| said(caption));
    let inherited = body.is_none();
    item.passages.push(meta::body(body.or_else(|| said(inner_title))));
    for (n, medium) in value.list("media").enumerate() {
        item.media.push(kind_of(medium));
        item.attached.extend(meta::files_of(medium));
        let text = said(medium.field("title")).filter(|_| n > 0 || !inherited);
        item.passages.extend(text.map(|text| Passage { role: PassageRole::AltText, text }));
    }
    if first.is_none() {
        item.media.push(kind_of(value));
        item.attached.extend(meta::files_of(value));
    }
    item
}

/// By the ending of its file.
fn kind_of(medium: Value<'_>) -> super::item::MediaKind {
    let [uri, path] = medium.fields(["uri", "path"]);
    meta::kind_of_file(&word(uri.or(path)))
}

#[cfg(test)]
#[path = "instagram_dyi_tests.rs"]
pub(super) mod tests;
