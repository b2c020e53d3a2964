//! Every field of the format, on invented posts.

use crate::capture::reading_tests::{items_of, names, read_as};
use crate::capture::{Format, Item, MediaKind};
use crate::model::{ItemKind, PrivateText, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            r#"{"data":[{"id":"1_2","message":"Hoi","created_time":"2026-05-04T09:30:00+0000","reactions":{"data":[{"id":"7","name":"Bo","type":"LOVE"}]},"#,
            r#""comments":{"data":[{"created_time":"2026-05-04T09:31:00+0000","message":"a","id":"2_3"},"#,
            "\n",
            r#"{"id":"2_4","message":"b","created_time":"2026-05-04T09:32:00+0000","comments":{"data":[{"id":"2_5","message":"c"}]}}]}},"#,
            r#"{"created_time":"2026-05-04T09:30:00+0000","message":"zonder naam"}],"paging":{"cursors":{}}}"#
        ),
        [5, 1, 0, 0],
    ),
    (
        r#"[{"id":"t_1","snippet":"stil","message_count":2,"updated_time":"2026-05-04T09:30:00+0000"},
{"id":"t_2","updated_time":"2026-05-04T09:30:00+0000","messages":{"data":[{"id":"m_1","created_time":"2026-05-04T09:30:00+0000","message":"dag","from":{"name":"Bo","email":"bo@s.example","id":"7"}},{"id":"m_2","created_time":"2026-05-04T09:30:00+0000"}]}}]"#,
        [1, 0, 0, 2],
    ),
];

fn items(text: &str) -> Vec<Item> {
    items_of(read_as(Format::FacebookGraph, text))
}

const FULL: &str = r#"{"created_time":"2026-05-04T09:30:00+0000","message":"Dag Fenna","from":{"name":"Bo B.","id":"7"},"can_comment":true,
"message_tags":[{"id":"8","name":"Fenna","type":"user","offset":4,"length":5}],"like_count":3,"is_private":false,"is_hidden":false,
"attachment":{"type":"photo","media":{"image":{"src":"u"}},"target":{"id":"9","url":"u"},"url":"u"},
"permalink_url":"https://www.facebook.com/1/posts/2/?comment_id=3&reply_comment_id=4"}"#;

#[test]
fn a_comment_is_read_field_by_field() {
    let item = items(FULL).remove(0);
    assert_eq!((item.kind, item.visibility), (ItemKind::Reaction, Visibility::Public));
    assert_eq!(names(&item.names)[0], "2_4");
    let author = item.author.as_ref().unwrap();
    assert_eq!((author.native_id.as_ref().unwrap().expose(), author.display_name.expose()), ("7", "Bo B."));
    assert_eq!(item.passages[0].text.expose(), "Dag Fenna");
    assert_eq!(item.mentions[0].display_name.expose(), "Fenna");
    assert_eq!(item.media, [MediaKind::Image]);
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "2_3");
    let first = items(&FULL.replace("&reply_comment_id=4", "")).remove(0);
    assert_eq!((names(&first.names)[0], first.in_reply_to.as_ref().unwrap().expose()), ("2_3", "1_2"));
}

#[test]
fn kinds_follow_from_the_fields_and_from_where_it_stands() {
    let items = items(FIXTURES[0].0);
    let kinds: Vec<_> = items
        .iter()
        .map(|item| (item.kind, item.in_reply_to.as_ref().map_or("", PrivateText::expose)))
        .collect();
    use ItemKind::{Post, Reaction};
    assert_eq!(kinds, [(Post, ""), (Reaction, "1_2"), (Reaction, "1_2"), (Reaction, "2_4"), (Post, "")]);
    assert!(items[4].names[0].expose().starts_with("unnamed  2026-05-04T09:30:00Z zonder"));
}

#[test]
fn visibility_follows_from_what_is_said_of_it() {
    for (said, visibility) in [
        (r#""privacy":{"value":"EVERYONE"}"#, Visibility::Public),
        (r#""privacy":{"value":""}"#, Visibility::Public),
        (r#""privacy":{"value":"ALL_FRIENDS"}"#, Visibility::Followers),
        (r#""privacy":{"value":"SELF"}"#, Visibility::Direct),
        (r#""privacy":{"value":"NEW_WORD"}"#, Visibility::Unknown),
        (r#""is_hidden":true"#, Visibility::Unknown),
        (r#""is_published":false"#, Visibility::Unknown),
        (r#""is_private":true"#, Visibility::Direct),
    ] {
        let text =
            format!(r#"{{"id":"1_2","message":"x","created_time":"2026-05-04T09:30:00+0000",{said}}}"#);
        assert_eq!(items(&text)[0].visibility, visibility, "{said}");
    }
}

#[test]
fn a_message_is_not_public_and_stands_in_its_conversation() {
    let message = items(FIXTURES[1].0).remove(0);
    assert_eq!((message.kind, message.visibility), (ItemKind::Message, Visibility::Direct));
    assert_eq!(message.conversation.as_ref().unwrap().expose(), "t_2");
}

#[test]
fn what_is_attached_is_media_or_a_link_and_no_item() {
    let text = r#"{"id":"1_2","story":"Min deelde iets","created_time":"2026-05-04T09:30:00+0000","attachments":{"data":[
{"type":"share","title":"t","description":"d","unshimmed_url":"https://s.example/"},
{"type":"album","subattachments":{"data":[{"type":"photo","target":{"id":"5"}},{"type":"video"}]}}]}}"#;
    let items = items(text);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].media, [MediaKind::Image, MediaKind::Video]);
    assert_eq!(names(&items[0].links), ["https://s.example/"]);
    assert_eq!(items[0].passages[0].text.expose(), "Min deelde iets");
}

#[test]
fn answers_without_anything_are_known() {
    for text in [
        r#"{"data":[],"paging":{"previous":"u"}}"#,
        r#"{"error":{"message":"(#100) no","type":"OAuthException","code":100,"fbtrace_id":"A"}}"#,
    ] {
        assert!(items(text).is_empty());
    }
}
