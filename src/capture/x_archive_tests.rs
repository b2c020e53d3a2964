//! The shapes of an account archive, on invented captures.

use crate::capture::reading_tests::read_as;
use crate::capture::{
    Act, ActKind, CutKind, DeletedBy, Format, Item, Limits, MediaKind, PartRole, PassageRole, Reader, Unit,
};
use crate::model::{ItemKind, PrivateText, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            "window.YTD.tweets.part0 = [\n  {\n    \"tweet\" : ",
            r#"{"edit_info":{"initial":{"editTweetIds":["7","8"]}},"id_str":"7","id":"7","truncated":"false","#,
            r#""created_at":"Mon May 04 09:30:00 +0000 2026","full_text":"Dag @bo &amp; co https://t.co/x","lang":"nl","#,
            r#""in_reply_to_status_id_str":"5","in_reply_to_user_id":"2","entities":{"user_mentions":[{"name":"Bo B.","#,
            r#""screen_name":"bo","indices":["4","7"],"id_str":"2","id":"2"}],"urls":[{"url":"https://t.co/x","#,
            r#""expanded_url":"https://twitter.com/bo/status/44?s=20","display_url":"twitter.com/bo/status/44"}],"#,
            r#""media":[{"type":"photo"}]},"extended_entities":{"media":[{"type":"photo","ext_alt_text":"een sluis"},{"type":"animated_gif"}]}}}"#,
            ",\n  { \"tweet\" : ",
            r#"{"id_str":"9","full_text":"RT @fenna_v: hoi","created_at":"Mon May 04 09:31:00 +0000 2026"} },"#,
            r#"{"tweet":{"id_str":"10","full_text":"RT @fenna zegt: hoi","created_at":"?"}}"#,
            "\n];\nwindow.YTD.tweets.part1 = [ ]"
        ),
        [2, 1, 0, 0],
    ),
    (
        concat!(
            "\u{feff}window.YTD.direct_messages.part0 = [ {\n",
            r#"  "dmConversation" : { "conversationId" : "1-2", "messages" : [ "#,
            r#"{"messageCreate":{"recipientId":"2","reactions":[{"senderId":"2","reactionKey":"like","eventId":"88","createdAt":"2026-05-04T10:00:00.000Z"}],"#,
            r#""urls":[{"url":"u","expanded":"https://b.example/","display":"b"}],"text":"Hoi &lt;3","mediaUrls":["m"],"senderId":"1","id":"30","createdAt":"2026-05-04T09:30:00.000Z"}},"#,
            r#"{"joinConversation":{"initiatingUserId":"1"}},"#,
            r#"{"messageCreate":{"text":"ja","senderId":"2","id":"31","createdAt":"2026-05-04T09:31:00.000Z"}} ] } } ]"#
        ),
        [2, 1, 0, 2],
    ),
    (
        concat!(
            "window.YTD.deleted_tweets.part0 = [\r\n",
            r#"{"tweet":{"id_str":"40","full_text":"weg","created_at":"Mon May 04 09:30:00 +0000 2026","deleted_at":"Tue May 05 09:30:00 +0000 2026"}},"#,
            r#"{"tweet":{"tweet_id":"41","user_id":"1","created_at":"Mon May 04 09:30:00 +0000 2026","deleted_at":"Tue May 05 09:30:00 +0000 2026"}}]"#
        ),
        [1, 0, 2, 0],
    ),
    (
        concat!(
            r#"[{"noteTweet":{"noteTweetId":"50","createdAt":"2026-05-04T09:30:00.000Z","core":{"text":"lang verhaal","#,
            r#""urls":[{"expandedUrl":"https://b.example/"}],"mentions":[{"screenName":"bo"}]}}},"#,
            r#"{"like":{"tweetId":"60","fullText":"van een ander","expandedUrl":"https://x.com/i/web/status/60"}}]"#
        ),
        [1, 1, 0, 0],
    ),
    (
        concat!(
            "Grailbird.data.tweets_2013_04 = \n [ ",
            r#"{"id":70,"id_str":"70","text":"RT @bo: ja","created_at":"2013-04-01 09:30:00 +0000","user":{"id":1,"screen_name":"fenna","name":"Fenna","protected":false},"#,
            r#""retweeted_status":{"id":69,"id_str":"69","text":"ja","created_at":"2013-04-01 09:00:00 +0000","user":{"id":2,"screen_name":"bo","protected":true}}}]"#
        ),
        [1, 1, 0, 1],
    ),
];

fn read(text: &str) -> Vec<Unit> {
    read_as(Format::XArchive, text)
}

fn words(texts: &[PrivateText]) -> Vec<&str> {
    texts.iter().map(PrivateText::expose).collect()
}

fn passages(item: &Item) -> Vec<(PassageRole, &str)> {
    item.passages.iter().map(|passage| (passage.role, passage.text.expose())).collect()
}

#[test]
fn a_post_is_read_whole() {
    let units = read(FIXTURES[0].0);
    let item = &units[0].items[0];
    assert_eq!(words(&item.names), ["7"]);
    assert_eq!(item.kind, ItemKind::Reaction);
    assert_eq!(item.visibility, Visibility::Unknown);
    assert!(item.author.is_none());
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(
        passages(item),
        [(PassageRole::Body, "Dag @bo & co https://t.co/x"), (PassageRole::AltText, "een sluis")]
    );
    assert_eq!(item.media, [MediaKind::Image, MediaKind::Video]);
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "5");
    assert_eq!(item.quotes.as_ref().unwrap().expose(), "44");
    assert_eq!(item.mentions[0].display_name.expose(), "Bo B.");
    assert_eq!(item.language.as_deref(), Some("nl"));
    assert!(item.superseded && item.supersedes.is_empty());
}

#[test]
fn a_retweet_is_an_act_and_a_quoted_rt_is_a_post() {
    let units = read(FIXTURES[0].0);
    assert_eq!(units[1].acts, [Act { kind: ActKind::Boost, name: "9".into() }]);
    assert_eq!(words(&units[2].items[0].names), ["10"]);
    assert_eq!(units[2].items[0].posted_at, None);
}

#[test]
fn messages_are_direct_and_share_their_conversation() {
    let units = read(FIXTURES[1].0);
    let items = &units[0].items;
    assert!(items.iter().all(|item| item.visibility == Visibility::Direct && item.kind == ItemKind::Message));
    assert!(items.iter().all(|item| item.conversation.as_ref().unwrap().expose() == "1-2"));
    assert_eq!(items[0].passages[0].text.expose(), "Hoi <3");
    assert_eq!(units[0].cuts[items[1].shared[0]].kind, CutKind::Shared(PartRole::Thread));
}

#[test]
fn a_deleted_post_says_by_whom_and_when() {
    let units = read(FIXTURES[2].0);
    let removal = units[0].items[0].deletion.unwrap();
    assert_eq!((removal.by, removal.at.unwrap().day()), (DeletedBy::Author, "2026-05-05".to_owned()));
    assert!(units[1].items.is_empty());
    assert_eq!(words(&units[1].deletions[0].names), ["41"]);
}

#[test]
fn parts_without_posts_are_kept_and_count_nothing() {
    for text in [
        r#"window.YTD.account.part0 = [{"account":{"email":"a@b.example","accountId":"1"}}]"#,
        "window.YTD.follower.part0 = [ ]",
        r#"window.__THAR_CONFIG = {"userInfo":{"accountId":"1"}}"#,
    ] {
        let units = read(text);
        assert!(units.iter().all(|unit| unit.items.is_empty() && unit.refused.is_empty()), "{text}");
    }
}

#[test]
fn a_script_that_is_cut_off_or_something_else_is_refused() {
    for (text, expected) in [
        ("window.YTD.tweets.part0 = ", "ends in the middle"),
        ("window.YTD.tweets.part0", "ends in the middle"),
        ("window.YTD.tweets.part0 = [{\"tweet\":{}}", "ends in the middle"),
        ("window.YTD.tweets.part0 = alert(1)", "unexpected character"),
        ("window.YTD.tweets['part0'] = []", "unexpected character"),
    ] {
        let reader = Reader::new(text.as_bytes(), None, Limits::default()).unwrap();
        let error = reader.filter_map(Result::err).next().unwrap().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
