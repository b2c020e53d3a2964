//! The layouts of an Instagram archive, on invented captures.

use crate::capture::reading_tests::read_as;
use crate::capture::{CutKind, Format, Item, MediaKind, PartRole, PassageRole, Unit, reread};
use crate::model::{ItemKind, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        r#"{"media_comments": [["2020-10-19T16:39:30+00:00", "Mooi, @bo!", "fenna_v"], ["2020-10-19T16:39:31+00:00", "", "bo"]]}"#,
        [2, 0, 0, 0],
    ),
    (
        r#"{"media_likes": [["2020-10-19T16:39:30+00:00", "fenna_v"]], "comment_likes": [["2020-10-19T16:39:30+00:00", "fenna_v"]]}"#,
        [0, 2, 0, 0],
    ),
    (
        r#"{"polls": [["2020-10-19T06:22:12+00:00", "bo"]], "emoji_sliders": [], "quizzes": [["2020-10-19T06:22:12+00:00", "bo2"]]}"#,
        [0, 2, 0, 0],
    ),
    (
        concat!(
            r#"[{"participants": ["fenna_v", "bo"], "conversation": ["#,
            r#"{"sender": "bo", "created_at": "2020-10-20T08:06:45.249753+00:00", "text": "Dag", "likes": [{"username": "fenna_v", "date": "2020-10-20T09:06:45+00:00"}]},"#,
            r#"{"sender": "bo", "created_at": "2020-10-20T08:06:46.249753+00:00", "heart": "\u2764"},"#,
            r#"{"sender": "fenna_v", "created_at": "2020-10-20T08:06:47.249753+00:00", "text": "", "media_owner": "k", "media_share_caption": "een sluis", "media_share_url": "https://b.example/p"}]}]"#
        ),
        [3, 1, 0, 3],
    ),
    (
        concat!(
            r#"[{"media_list_data":[{"uri":""}],"string_map_data":{"Comment":{"value":"Zo\u00c3\u00ab \u00f0\u009f\u0098\u0080"},"#,
            r#""Media Owner":{"value":"fenna_v"},"Time":{"timestamp":1777887000}}},"#,
            "\n",
            r#"{"media_list_data":[{"uri":"media/x.jpg"}],"string_map_data":{"Tijd":{"timestamp":1777887001},"Eigenaar":{"value":"bo"},"Opmerking":{"value":"Hé"}}},"#,
            r#"{"media_list_data":[],"string_map_data":{"Uj megjegyz\u00c3\u00a9s":{"value":"Szia"},"Ido":{"timestamp":1777887002}}}]"#
        ),
        [3, 0, 0, 0],
    ),
    (
        r#"{"comments_reels_comments":[{"string_map_data":{"Comment":{"value":"a"},"Time":{"timestamp":1777887000}}}]}"#,
        [1, 0, 0, 0],
    ),
    (
        r#"{"likes_media_likes":[{"title":"bo","string_list_data":[{"href":"https://www.instagram.com/p/x/","value":"\u00f0\u009f\u0091\u008d","timestamp":1777887000}]}]}"#,
        [0, 1, 0, 0],
    ),
    (
        concat!(
            r#"[{"media":[{"uri":"media/posts/202605/1.jpg","creation_timestamp":1777887000,"media_metadata":{},"title":"Bij de sluis"}]},"#,
            r#"{"media":[{"uri":"media/posts/202605/2.jpg","creation_timestamp":1777887001,"title":""},{"uri":"media/posts/202605/3.mp4","creation_timestamp":1777887001,"title":"golf"}],"title":"Twee","creation_timestamp":1777887005}]"#
        ),
        [2, 0, 0, 0],
    ),
    (
        r#"{"ig_stories":[{"uri":"media/stories/1.jpg","creation_timestamp":1777887000,"title":""}]}"#,
        [1, 0, 0, 0],
    ),
    (
        r#"{"photos":[{"caption":"Sneek","taken_at":"2019-01-01T10:00:00+00:00","path":"photos/1.jpg"}],"profile":[{"caption":"","taken_at":"2019-01-01T10:00:00+00:00","is_active_profile":true,"path":"profile/1.jpg"}]}"#,
        [1, 0, 0, 0],
    ),
    (
        concat!(
            r#"{"participants":[{"name":"Zo\u00c3\u00ab"},{"name":"Bo"}],"messages":[{"sender_name":"Zo\u00c3\u00ab","timestamp_ms":1777887000123,"content":"Kijk","#,
            r#""share":{"link":"https://www.instagram.com/p/x/","share_text":"van k","original_content_owner":"k"},"reactions":[{"reaction":"\u00e2\u009d\u00a4","actor":"Bo"}],"is_geoblocked_for_viewer":false},"#,
            r#"{"sender_name":"Bo","timestamp_ms":1777887000124,"is_unsent":true,"photos":[{"uri":"your_instagram_activity/messages/inbox/x_1/photos/1.jpg","creation_timestamp":1}]}],"#,
            r#""title":"Bo","is_still_participant":true,"thread_path":"inbox/x_1","magic_words":[]}"#
        ),
        [2, 1, 1, 2],
    ),
    (
        concat!(
            r#"{"completions":[{"id":1}],"data":{"file":"messages","text":"[{'participants': ['fenna_v', \"o'b\"], 'conversation': [{'sender': \"o'b\", "#,
            r#"'created_at': '2020-10-20T08:06:45.249753+00:00', 'text': 'H\\u00e9 \"jij\"\\n', 'likes': None}]}]"},"id":66}"#
        ),
        [1, 0, 0, 1],
    ),
];

fn read(text: &str) -> Vec<Unit> {
    read_as(Format::InstagramDyi, text)
}

fn items(fixture: usize) -> Vec<Item> {
    read(FIXTURES[fixture].0).into_iter().flat_map(|unit| unit.items).collect()
}

fn body(item: &Item) -> &str {
    item.passages[0].text.expose()
}

#[test]
fn a_comment_names_the_owner_of_the_post_and_no_author() {
    for (fixture, expected) in [(0, "Mooi, @bo!"), (4, "Zoë 😀"), (5, "a")] {
        let items = items(fixture);
        assert_eq!(body(&items[0]), expected);
        assert_eq!((items[0].kind, items[0].visibility), (ItemKind::Reaction, Visibility::Unknown));
        assert!(items[0].author.is_none() && items[0].posted_at.is_some());
    }
    assert_eq!(items(0)[0].mentions[0].handle.expose(), "fenna_v");
}

#[test]
fn labels_in_any_language_and_order() {
    let items = items(4);
    assert_eq!(items.iter().map(body).collect::<Vec<_>>(), ["Zoë 😀", "Hé", "Szia"]);
    assert_eq!(items[1].mentions[0].handle.expose(), "bo");
    assert_eq!(items[1].posted_at.unwrap().to_string(), "2026-05-04T09:30:01Z");
}

#[test]
fn messages_of_both_layouts() {
    let old = items(3);
    assert_eq!(old[0].author.as_ref().unwrap().handle.expose(), "bo");
    assert_eq!(old[0].posted_at.unwrap().to_string(), "2020-10-20T08:06:45.249753Z");
    assert_eq!(old[2].passages[1].text.expose(), "een sluis");
    assert_eq!(old[0].conversation, old[2].conversation);
    let new = items(10);
    assert_eq!(new[0].author.as_ref().unwrap().display_name.expose(), "Zoë");
    assert_eq!(new[0].conversation.as_ref().unwrap().expose(), "inbox/x_1\u{1f}");
    assert!(new[1].deletion.is_some() && new[1].media == [MediaKind::Image]);
    let unit = read(FIXTURES[10].0).remove(0);
    assert_eq!(unit.cuts[unit.items[0].shared[0]].kind, CutKind::Shared(PartRole::Thread));
}

#[test]
fn a_caption_stands_outside_or_inside_the_media() {
    let items = items(7);
    assert_eq!(body(&items[0]), "Bij de sluis");
    assert_eq!(items[0].passages.len(), 1);
    assert_eq!(body(&items[1]), "Twee");
    assert_eq!(
        (items[1].passages[1].role, items[1].passages[1].text.expose()),
        (PassageRole::AltText, "golf")
    );
    assert_eq!(items[1].media, [MediaKind::Image, MediaKind::Video]);
    assert_eq!(items[1].posted_at.unwrap().to_string(), "2026-05-04T09:30:05Z");
}

#[test]
fn an_annotated_copy_points_into_the_file() {
    let text = FIXTURES[11].0;
    let unit = read(text).remove(0);
    let item = &unit.items[0];
    assert_eq!(body(item), "Hé \"jij\"\n");
    let at = |range: crate::model::ByteRange| &text.as_bytes()[range.start as usize..range.end as usize];
    assert!(
        at(item.range).starts_with(b"{'sender': \\\"o'b\\\"") && at(item.range).ends_with(b"'likes': None}")
    );
    let thread = unit.cuts[item.shared[0]].ranges[0];
    assert_eq!(at(thread), br#"['fenna_v', \"o'b\"]"#);
    let again = reread(Format::InstagramDyi, at(item.range), &[(PartRole::Thread, at(thread))]).unwrap();
    assert_eq!(again.names, item.names);
}
