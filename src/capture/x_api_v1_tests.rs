//! Every field of the format, on invented posts.

use crate::capture::reading_tests::read_as;
use crate::capture::{ActKind, Format, Item, MediaKind, PassageRole, Unit};
use crate::model::{ItemKind, PrivateText, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            r#"[{"created_at":"Mon May 04 09:30:00 +0000 2026","id":100,"id_str":"100","text":"Hoi &amp; dag","user":{"id_str":"7","screen_name":"fenna","name":"Fenna","protected":false}},"#,
            "\n ",
            r#"{"created_at":"Mon May 04 09:31:00 +0000 2026","id_str":"101","text":"RT @bo: a","user":{"id_str":"7","screen_name":"fenna","protected":false},"#,
            r#""retweeted_status":{"created_at":"Mon May 04 09:00:00 +0000 2026","id_str":"99","full_text":"a","user":{"id_str":"8","screen_name":"bo","protected":true}}}]"#
        ),
        [2, 1, 0, 1],
    ),
    (
        concat!(
            r#"{"created_at":"Mon May 04 09:30:00 +0000 2026","id_str":"100","text":"z","truncated":false,"user":{"id_str":"7","screen_name":"f","protected":false}}"#,
            "\r\n\r\n",
            r#"{"delete":{"status":{"id":100,"id_str":"100","user_id":7,"user_id_str":"7"},"timestamp_ms":"1777887000000"}}"#,
            "\r\n",
            r#"{"limit":{"track":3,"timestamp_ms":"1777887000000"}}"#,
            "\r\n"
        ),
        [1, 0, 1, 0],
    ),
    (
        r#"{"events":[{"type":"message_create","id":"5","created_timestamp":"1777887000000","message_create":{"target":{"recipient_id":"8"},"sender_id":"7","message_data":{"text":"dag","entities":{"urls":[]}}}}]}"#,
        [1, 0, 0, 1],
    ),
    (
        r#"[{"id":7,"id_str":"7","screen_name":"fenna","name":"Fenna","protected":false,"status":{"created_at":"Mon May 04 09:30:00 +0000 2026","id_str":"100","text":"x"}}]"#,
        [1, 0, 0, 0],
    ),
];

fn read(text: &str) -> Vec<Unit> {
    read_as(Format::XApiV1, text)
}

fn only(text: &str) -> Item {
    let mut items: Vec<Item> = read(text).into_iter().flat_map(|unit| unit.items).collect();
    assert_eq!(items.len(), 1, "{text}");
    items.remove(0)
}

fn exposed(texts: &[PrivateText]) -> Vec<&str> {
    texts.iter().map(PrivateText::expose).collect()
}

#[test]
fn a_post_is_read_field_by_field() {
    let item = only(concat!(
        r#"{"created_at":"Mon May 04 11:30:00 +0200 2026","id":9007199254740993,"id_str":"9007199254740993","full_text":"Dag &lt;3 https://t.co/a","#,
        r#""in_reply_to_status_id_str":"98","in_reply_to_user_id_str":"8","quoted_status_id_str":"97","lang":"nl","#,
        r#""entities":{"urls":[{"url":"https://t.co/a","expanded_url":"https://x.example/lang","display_url":"x.example/l…"}],"#,
        r#""user_mentions":[{"screen_name":"bo","name":"Bo","id_str":"8"}],"media":[{"type":"photo"}]},"#,
        r#""extended_entities":{"media":[{"type":"photo","ext_alt_text":"Een hond"},{"type":"animated_gif"}]},"#,
        r#""user":{"id":7,"id_str":"7","screen_name":"fenna","name":"Fenna","protected":false}}"#
    ));
    assert_eq!(exposed(&item.names), ["9007199254740993"]);
    assert_eq!(item.kind, ItemKind::Reaction);
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.in_reply_to.unwrap().expose(), "98");
    assert_eq!(item.quotes.unwrap().expose(), "97");
    assert_eq!(item.visibility, Visibility::Public);
    assert_eq!(item.language.as_deref(), Some("nl"));
    assert_eq!(exposed(&item.links), ["https://x.example/lang", "x.example/l…"]);
    assert_eq!(item.media, [MediaKind::Image, MediaKind::Video]);
    let author = item.author.unwrap();
    assert_eq!(author.native_id.unwrap().expose(), "7");
    assert_eq!((author.handle.expose(), author.display_name.expose()), ("fenna", "Fenna"));
    assert_eq!(item.mentions[0].handle.expose(), "bo");
    let said: Vec<_> = item.passages.iter().map(|p| (p.role, p.text.expose())).collect();
    assert_eq!(said, [(PassageRole::Body, "Dag <3 https://t.co/a"), (PassageRole::AltText, "Een hond")]);
}

#[test]
fn a_long_post_in_a_stream_is_read_whole() {
    let item = only(concat!(
        r#"{"created_at":"Mon May 04 09:30:00 +0000 2026","id_str":"1","text":"kort…","truncated":true,"user":{"id_str":"7","screen_name":"f"},"#,
        r#""extended_tweet":{"full_text":"kort en lang","entities":{"urls":[{"expanded_url":"https://b.example"}]}},"entities":{"urls":[{"expanded_url":"https://a.example"}]}}"#
    ));
    assert_eq!(item.passages[0].text.expose(), "kort en lang");
    assert_eq!(exposed(&item.links), ["https://b.example"]);
    // An account cut down to its name does not say whether it is protected.
    assert_eq!(item.visibility, Visibility::Unknown);
}

#[test]
fn messages_are_direct_and_name_both_sides() {
    let old = only(
        r#"[{"id_str":"5","text":"dag","created_at":"Mon May 04 09:30:00 +0000 2026","sender":{"id_str":"7","screen_name":"f"},"recipient":{"id_str":"8","screen_name":"b"}}]"#,
    );
    let new = only(FIXTURES[2].0);
    for item in [old, new] {
        assert_eq!((item.kind, item.visibility), (ItemKind::Message, Visibility::Direct));
        assert_eq!(item.passages[0].text.expose(), "dag");
        assert_eq!(item.author.unwrap().native_id.unwrap().expose(), "7");
        assert_eq!(item.mentions[0].native_id.as_ref().unwrap().expose(), "8");
        assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    }
}

#[test]
fn a_like_in_a_stream_is_an_act_and_its_post_a_record() {
    let units = read(
        r#"{"event":"favorite","source":{"id_str":"7","screen_name":"f"},"target":{"id_str":"8","screen_name":"b"},"created_at":"Mon May 04 09:30:00 +0000 2026","target_object":{"id_str":"1","text":"x","created_at":"Mon May 04 09:30:00 +0000 2026","user":{"id_str":"8","protected":false}}}"#,
    );
    assert_eq!(units[0].acts[0].kind, ActKind::Like);
    assert_eq!(units[0].acts[0].name.expose(), "1 7");
    assert_eq!(units[0].items.len(), 1);
}

#[test]
fn answers_without_posts_are_known() {
    for text in [
        r#"{"statuses":[],"search_metadata":{"count":15}}"#,
        r#"{"users":[],"next_cursor":0,"next_cursor_str":"0"}"#,
        r#"{"disconnect":{"code":4,"reason":""}}"#,
        r#"{"friends":[1,2]}"#,
        r#"{"events":[]}"#,
    ] {
        assert!(read(text).iter().all(|unit| unit.items.is_empty() && unit.refused.is_empty()), "{text}");
    }
}
