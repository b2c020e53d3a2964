//! Every field of the format, on invented objects.

use crate::capture::reading_tests::{items_of, names, read, said};
use crate::capture::{
    CutKind, DeletedBy, Format, Item, Limits, MediaKind, PartRole, PassageRole, Precision, Reader,
    StatedZone, reread,
};
use crate::model::{ItemKind, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            r#"{"@context":"https://www.w3.org/ns/activitystreams","id":"outbox.json","type":"OrderedCollection","orderedItems":["#,
            r#"{"id":"https://s.example/1/activity","type":"Create","actor":"https://s.example/users/fenna","to":["as:Public"],"#,
            r#""object":{"id":"https://s.example/1","type":"Note","content":"<p>Hoi</p>","published":"2026-05-04T09:30:00Z"}},"#,
            r#"{"id":"https://s.example/2","type":"Announce","actor":"https://s.example/users/fenna","object":"https://b.example/5"},"#,
            "\n",
            r#"{"type":"Delete","actor":"https://s.example/users/fenna","object":{"id":"https://s.example/0","type":"Tombstone"}}]}"#
        ),
        [1, 1, 1, 0],
    ),
    (
        concat!(
            r#"[ {"type":"Note","id":"https://s.example/3","content":"a","to":"https://b.example/users/bo","attributedTo":"https://s.example/users/fenna"},"#,
            r#"{"type":"Undo","actor":"https://s.example/users/fenna","object":{"type":"Like","id":"https://s.example/l/1"}},"#,
            "\r\n",
            r#"{"type":"Undo","actor":"https://s.example/users/fenna","object":{"type":"Follow","id":"https://s.example/f/1"}},"#,
            r#"{"type":"Create","actor":{"id":"https://s.example/users/fenna","name":"Fenna"},"cc":[],"to":"https://s.example/users/fenna/followers","#,
            r#""object":{"type":"Question","content":"?","oneOf":[{"type":"Note","name":"ja"}]}} ]"#
        ),
        [2, 0, 1, 2],
    ),
];

fn items(text: &str) -> Vec<Item> {
    items_of(read(text))
}

const FULL: &str = r#"{"@context":["https://www.w3.org/ns/activitystreams",{"sensitive":"as:sensitive"}],"id":"https://s.example/users/fenna/statuses/20",
"type":"Note","summary":"over m\u00e9","inReplyTo":"https://b.example/19","published":"2026-05-04T09:30:00Z","updated":"2026-05-04T10:00:00Z",
"url":"https://s.example/@fenna/20","attributedTo":"https://s.example/users/fenna","to":["https://s.example/users/fenna/followers"],
"cc":["https://www.w3.org/ns/activitystreams#Public","https://b.example/users/bo"],"conversation":"tag:s.example,2026:1",
"content":"<p>Dag <a href=\"https://b.example/@bo\">@<span>bo</span></a></p>","contentMap":{"nl":"<p>Dag <a href=\"https://b.example/@bo\">@<span>bo</span></a></p>","en":"<p>Hello</p>"},
"attachment":[{"type":"Document","mediaType":"image/jpeg","name":"een sluis"},{"type":"Video","name":null},{"type":"Link","href":"https://l.example/"}],
"tag":[{"type":"Mention","href":"https://b.example/users/bo","name":"@bo@b.example"},{"type":"Hashtag","name":"\u0023sluis"}],
"quote":"https://s.example/5","source":{"content":"Dag @bo"},"likes":{"type":"Collection","totalItems":3},
"replies":{"type":"Collection","first":{"type":"CollectionPage","items":[{"type":"Note","id":"https://b.example/30","attributedTo":"https://b.example/@bo",
"content":"terug","to":"as:Public"}]}}}"#;

#[test]
fn an_object_is_read_field_by_field() {
    let items = items(FULL);
    let [item, reply] = items.as_slice() else { panic!("two items") };
    assert_eq!((item.kind, item.visibility), (ItemKind::Reaction, Visibility::Unlisted));
    assert_eq!(
        names(&item.names),
        ["https://s.example/users/fenna/statuses/20", "https://s.example/@fenna/20"]
    );
    let author = item.author.as_ref().unwrap();
    assert_eq!(author.native_id.as_ref().unwrap().expose(), "https://s.example/users/fenna");
    assert_eq!(author.handle.expose(), "fenna@s.example");
    assert_eq!(
        said(item),
        [
            (PassageRole::Body, "Dag @bo"),
            (PassageRole::Body, "Hello"),
            (PassageRole::ContentWarning, "over mé"),
            (PassageRole::AltText, "een sluis"),
        ]
    );
    assert_eq!(names(&item.links), ["https://b.example/@bo", "https://l.example/"]);
    assert_eq!(item.mentions.len(), 1);
    assert_eq!(item.mentions[0].handle.expose(), "bo@b.example");
    assert_eq!(item.media, [MediaKind::Image, MediaKind::Video]);
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.edited_at.unwrap().to_string(), "2026-05-04T10:00:00Z");
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "https://b.example/19");
    assert_eq!(item.quotes.as_ref().unwrap().expose(), "https://s.example/5");
    assert_eq!(item.conversation.as_ref().unwrap().expose(), "tag:s.example,2026:1");
    assert_eq!(item.language.as_deref(), Some("nl"));
    assert_eq!((said(reply), reply.visibility), (vec![(PassageRole::Body, "terug")], Visibility::Public));
    assert_eq!(reply.author.as_ref().unwrap().handle.expose(), "bo@b.example");
}

#[test]
fn what_only_the_activity_says_is_sealed_beside_the_object() {
    let text = r#"{"type":"Create","id":"a","actor":{"type":"Person","id":"https://s.example/u/f","preferredUsername":"f","name":"Fenna"},
"to":["https://s.example/u/f/followers"],"object":{"type":"Note","id":"n","attributedTo":"https://s.example/u/f","content":"x"}}"#;
    let units = read(text);
    let item = &units[0].items[0];
    assert_eq!(item.visibility, Visibility::Followers);
    assert_eq!(item.author.as_ref().unwrap().display_name.expose(), "Fenna");
    let of = |range: &crate::model::ByteRange| &text.as_bytes()[range.start as usize..range.end as usize];
    let parts: Vec<_> = item
        .shared
        .iter()
        .map(|&n| match units[0].cuts[n].kind {
            CutKind::Shared(role) => (role, of(&units[0].cuts[n].ranges[0])),
            _ => panic!("not a shared part"),
        })
        .collect();
    assert_eq!(
        parts.iter().map(|(role, _)| *role).collect::<Vec<_>>(),
        [PartRole::Account, PartRole::Audience]
    );
    let again = reread(Format::ActivityPub, of(&item.range), &parts).unwrap();
    assert_eq!((again.visibility, &again.author), (item.visibility, &item.author));
    let alone = reread(Format::ActivityPub, of(&item.range), &[]).unwrap();
    assert_eq!(alone.visibility, Visibility::Unknown);
}

#[test]
fn visibility_follows_from_whom_it_is_addressed_to() {
    for (to, visibility, kind) in [
        (r#""to":"https://www.w3.org/ns/activitystreams#Public""#, Visibility::Public, ItemKind::Post),
        (r#""to":["Public"],"cc":[]"#, Visibility::Public, ItemKind::Post),
        (r#""to":[],"cc":["as:Public"]"#, Visibility::Unlisted, ItemKind::Post),
        (r#""to":["https://s.example/u/f/followers"]"#, Visibility::Followers, ItemKind::Post),
        (
            r#""to":["https://b.example/u/b"],"cc":["https://s.example/u/f/followers"]"#,
            Visibility::Followers,
            ItemKind::Post,
        ),
        (r#""to":[{"type":"Person","id":"https://b.example/u/b"}]"#, Visibility::Direct, ItemKind::Message),
        (r#""to":[],"cc":[]"#, Visibility::Unknown, ItemKind::Post),
        (r#""sensitive":true"#, Visibility::Unknown, ItemKind::Post),
    ] {
        let item = items(&format!(r#"{{"type":"Note","id":"1","content":"x",{to}}}"#)).remove(0);
        assert_eq!((item.visibility, item.kind), (visibility, kind), "{to}");
    }
}

#[test]
fn acts_and_deletions_are_told_apart_from_what_they_are_about() {
    for (text, counts, gone) in [
        (r#"{"type":"Like","actor":"a","object":{"type":"Note","id":"n","content":"x"}}"#, [1, 1, 0], vec![]),
        (
            r#"{"type":"Undo","actor":"a","object":{"type":"Announce","actor":"a","object":"n"}}"#,
            [0, 0, 1],
            vec!["Announce a n"],
        ),
        (
            r#"{"type":"Undo","actor":"a","object":"https://s.example/like/1"}"#,
            [0, 0, 1],
            vec!["https://s.example/like/1"],
        ),
        (r#"{"type":"Undo","actor":"a","object":{"type":"Follow","id":"f"}}"#, [0, 0, 0], vec![]),
        (r#"{"type":"Delete","actor":"a","object":"n"}"#, [0, 0, 1], vec!["n"]),
        (r#"{"type":"Delete","actor":"a","object":{"type":"Note","id":"n"}}"#, [0, 0, 1], vec!["n"]),
        (r#"{"type":"Tombstone","id":"n","deleted":"2026-05-04T09:30:00Z"}"#, [0, 0, 1], vec!["n"]),
        (r#"{"type":"Follow","actor":"a","object":"b"}"#, [0, 0, 0], vec![]),
        (
            r#"{"type":"Note","id":"n","attributedTo":"a","attachment":[{"type":"Image","url":"u"}],"oneOf":[{"type":"Note","name":"x"}]}"#,
            [1, 0, 0],
            vec![],
        ),
        (
            r#"{"type":"Announce","id":"b","object":{"type":"Article","name":"Kop","content":"<p>x</p>"}}"#,
            [1, 1, 0],
            vec![],
        ),
    ] {
        let units = read(text);
        assert_eq!(
            Reader::new(text.as_bytes(), None, Limits::default()).unwrap().format(),
            Format::ActivityPub
        );
        let unit = &units[0];
        assert_eq!([unit.items.len(), unit.acts.len(), unit.deletions.len()], counts, "{text}");
        assert_eq!(unit.deletions.iter().map(|d| d.names[0].expose()).collect::<Vec<_>>(), gone, "{text}");
        assert!(unit.refused.is_empty());
    }
    let delete = |more: &str| {
        read(&format!(r#"{{"type":"Delete","object":"n"{more}}}"#)).remove(0).deletions.remove(0).removal.by
    };
    assert_eq!(delete(r#","actor":"a""#), DeletedBy::Author);
    assert_eq!(delete(r#","actor":"a","summary":"spam""#), DeletedBy::Platform);
    assert_eq!(delete(r#","to":"as:Public""#), DeletedBy::Unknown);
}

#[test]
fn a_title_stands_above_the_text_and_an_item_without_a_name_gets_one() {
    let text = r#"{"type":"Article","attributedTo":[{"type":"Person","name":"Bo","url":"https://b.example/bo"}],"name":"Kop","mediaType":"text/markdown","content":"a < b","published":"2026-05-04T09:30:00"}"#;
    let item = items(text).remove(0);
    assert_eq!(said(&item), [(PassageRole::Body, "Kop\n\na < b")]);
    assert!(item.names[0].expose().starts_with("unnamed https://b.example/bo 2026"));
    let stated = item.posted_as.unwrap();
    assert_eq!((stated.precision, stated.zone), (Precision::Second, StatedZone::AssumedUtc));
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
}

#[test]
fn thousands_of_objects_do_not_copy_a_large_actor() {
    let object = r#"{"type":"Note","content":"x"}"#;
    let actor = format!(r#"{{"id":"a","summary":"{}"}}"#, "x".repeat(200_000));
    let text = format!(r#"{{"type":"Create","actor":{actor},"object":[{}]}}"#, vec![object; 2_000].join(","));
    let units = read(&text);
    assert_eq!((units[0].items.len(), units[0].refused.len()), (0, 1));
}

#[test]
fn the_size_of_what_is_attached_is_read() {
    let note = r#"{"type":"Note","id":"https://s.example/9","content":"x","attachment":[{"type":"Document","mediaType":"image/png","size":70},{"type":"Image","size":"groot"}]}"#;
    assert_eq!(items(note)[0].media_size_bytes, [70]);
}
