//! Every field of the format, on invented media.

use crate::capture::reading_tests::{items_of, read_as};
use crate::capture::{Format, Item, MediaKind, PassageRole};
use crate::model::{ItemKind, PrivateText, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            r#"{"data":[{"id":"1","caption":"Hoi","media_type":"CAROUSEL_ALBUM","timestamp":"2026-05-04T09:30:00+0000","children":{"data":[{"id":"11","media_type":"IMAGE","timestamp":"2026-05-04T09:30:00+0000"}]},"#,
            r#""comments":{"data":[{"id":"2","text":"a","timestamp":"2026-05-04T09:31:00+0000","replies":{"data":[{"id":"3","text":"b","timestamp":"2026-05-04T09:32:00+0000"}]}}]}}]}"#
        ),
        [3, 0, 0, 0],
    ),
    (
        r#"{"id":"aWdf","updated_time":"2026-05-04T09:30:00+0000","messages":{"data":[{"id":"aWdm","created_time":"2026-05-04T09:30:00+0000","from":{"username":"bo","id":"7"},"message":"stil"}]}}"#,
        [1, 0, 0, 1],
    ),
];

fn items(text: &str) -> Vec<Item> {
    items_of(read_as(Format::InstagramGraph, text))
}

fn under(item: &Item) -> &str {
    item.in_reply_to.as_ref().map_or("", PrivateText::expose)
}

#[test]
fn a_comment_is_read_field_by_field() {
    let text = r#"{"17":{"id":"17","text":"@min dag","timestamp":"2026-05-04T09:30:00+0000","username":"bo","from":{"id":"7","username":"bo"},"like_count":3,"hidden":true,"parent_id":"16","media":{"id":"1"}}}"#;
    let item = items(text).remove(0);
    assert_eq!((item.kind, item.visibility, under(&item)), (ItemKind::Reaction, Visibility::Unknown, "16"));
    let author = item.author.as_ref().unwrap();
    assert_eq!((author.native_id.as_ref().unwrap().expose(), author.handle.expose()), ("7", "bo"));
    assert_eq!(item.passages[0].text.expose(), "@min dag");
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    let other = items(&text.replace("\"parent_id\":\"16\",", "").replace("\"hidden\":true,", "")).remove(0);
    assert_eq!((other.visibility, under(&other)), (Visibility::Public, "1"));
}

#[test]
fn media_have_pictures_and_not_posts_in_them() {
    let items = items(FIXTURES[0].0);
    let kinds: Vec<_> = items.iter().map(|item| (item.kind, under(item))).collect();
    assert_eq!(kinds, [(ItemKind::Post, ""), (ItemKind::Reaction, "1"), (ItemKind::Reaction, "2")]);
    assert_eq!(items[0].media, [MediaKind::Image]);
}

#[test]
fn a_description_is_a_passage_and_the_permalink_a_name() {
    let text = r#"{"id":"1","media_type":"VIDEO","caption":"Hoi","alt_text":"een sluis","username":"min","permalink":"https://www.instagram.com/p/x/","timestamp":"2026-05-04T09:30:00+0000"}"#;
    let item = items(text).remove(0);
    let said: Vec<_> = item.passages.iter().map(|passage| (passage.role, passage.text.expose())).collect();
    assert_eq!(said, [(PassageRole::Body, "Hoi"), (PassageRole::AltText, "een sluis")]);
    assert_eq!(item.media, [MediaKind::Video]);
    assert_eq!(
        item.names.iter().map(PrivateText::expose).collect::<Vec<_>>(),
        ["1", "https://www.instagram.com/p/x/"]
    );
    assert_eq!(item.author.unwrap().handle.expose(), "min");
}

#[test]
fn a_message_is_not_public() {
    let message = items(FIXTURES[1].0).remove(0);
    assert_eq!((message.kind, message.visibility), (ItemKind::Message, Visibility::Direct));
    assert_eq!(message.conversation.as_ref().unwrap().expose(), "aWdf");
}
