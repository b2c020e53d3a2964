//! Every field of the format, on invented comments.

use crate::capture::reading_tests::{items_of, names, read_as};
use crate::capture::{Format, Item, PassageRole};
use crate::model::{ItemKind, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            "{\n  \"kind\": \"youtube#commentThreadListResponse\",\n  \"items\": [\n",
            r#"{"kind":"youtube#commentThread","id":"U1","snippet":{"videoId":"v","isPublic":false,"topLevelComment":{"kind":"youtube#comment","id":"U1","snippet":{"textDisplay":"a","publishedAt":"2026-05-04T09:30:00Z"}}},"#,
            r#""replies":{"comments":[{"kind":"youtube#comment","id":"U1.r","snippet":{"textDisplay":"b","parentId":"U1"}}]}},"#,
            "\r\n",
            r#"{"kind":"youtube#commentThread","id":"U2","snippet":{"isPublic":true,"topLevelComment":{"id":"U2","snippet":{"textOriginal":"c"}}}}"#,
            "\n]}\n"
        ),
        [3, 0, 0, 0],
    ),
    (
        r#"{"kind":"youtube#videoListResponse","items":[{"kind":"youtube#video","id":"v","snippet":{"title":"Kop","description":"x"},"status":{"privacyStatus":"private"}}]}"#,
        [1, 0, 0, 1],
    ),
];

fn items(text: &str) -> Vec<Item> {
    items_of(read_as(Format::YouTube, text))
}

const FULL: &str = r#"{"kind":"youtube#comment","id":"U1.r","snippet":{"authorDisplayName":"@fenna-de-v","authorChannelId":{"value":"UCf"},
"authorChannelUrl":"http://www.youtube.com/@fenna-de-v","channelId":"UCmin","videoId":"v","textDisplay":"a &lt; b<br>zie <a href=\"https://s.example/?a=1&amp;b\">s.exa...</a>",
"textOriginal":"a < b\nzie https://s.example/?a=1&b","parentId":"U1","likeCount":3,"publishedAt":"2026-05-04T09:30:00Z","updatedAt":"2026-05-04T10:00:00Z"}}"#;

#[test]
fn a_comment_is_read_field_by_field() {
    let item = items(FULL).remove(0);
    assert_eq!((item.kind, item.visibility), (ItemKind::Reaction, Visibility::Public));
    assert_eq!(names(&item.names), ["U1.r"]);
    let author = item.author.as_ref().unwrap();
    assert_eq!(author.native_id.as_ref().unwrap().expose(), "UCf");
    assert_eq!((author.handle.expose(), author.display_name.expose()), ("fenna-de-v", "@fenna-de-v"));
    assert_eq!(item.passages[0].text.expose(), "a < b\nzie https://s.example/?a=1&b");
    assert_eq!(names(&item.links), ["https://s.example/?a=1&b"]);
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.edited_at.unwrap().to_string(), "2026-05-04T10:00:00Z");
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "U1");

    let shown = items(&FULL.replace("textOriginal", "textOther")).remove(0);
    assert_eq!(shown.passages[0].text.expose(), "a < b\nzie s.exa...");
    let unchanged = items(&FULL.replace("T10:00", "T09:30")).remove(0);
    assert_eq!(unchanged.edited_at, None);
    let first = items(&FULL.replace("parentId", "other")).remove(0);
    assert_eq!(first.in_reply_to.as_ref().unwrap().expose(), "v");
}

#[test]
fn an_old_account_is_known_by_its_address() {
    let old =
        FULL.replace("\"authorChannelId\":{\"value\":\"UCf\"},", "").replace("/@fenna-de-v", "/channel/UCg");
    let author = items(&old).remove(0).author.unwrap();
    assert_eq!(author.native_id.unwrap().expose(), "UCg");
}

#[test]
fn what_a_thread_or_a_moderator_closes_is_not_known_to_be_public() {
    let closed: Vec<_> = items(FIXTURES[0].0).iter().map(|item| item.visibility).collect();
    assert_eq!(closed, [Visibility::Unknown, Visibility::Unknown, Visibility::Public]);
    for (status, visibility) in [("heldForReview", Visibility::Unknown), ("published", Visibility::Public)] {
        let text = FULL.replace("\"likeCount\":3", &format!("\"moderationStatus\":\"{status}\""));
        assert_eq!(items(&text)[0].visibility, visibility);
    }
}

#[test]
fn a_video_is_a_post_with_title_and_description() {
    let video = items(FIXTURES[1].0).remove(0);
    let said: Vec<_> = video.passages.iter().map(|passage| (passage.role, passage.text.expose())).collect();
    assert_eq!(said, [(PassageRole::Body, "Kop"), (PassageRole::Body, "x")]);
    assert_eq!((video.kind, video.visibility), (ItemKind::Post, Visibility::Direct));
}

#[test]
fn answers_without_comments_are_known() {
    for text in [
        r#"{"kind":"youtube#commentListResponse","items":[]}"#,
        r#"{"error":{"code":403,"message":"disabled","errors":[{"domain":"youtube.commentThread","reason":"commentsDisabled"}]}}"#,
    ] {
        assert!(items(text).is_empty());
    }
}
