//! Every field of the format, on invented posts.

use crate::capture::reading_tests::{names, read, said};
use crate::capture::{CutKind, DeletedBy, Item, MediaKind, PartRole, PassageRole, RefusalReason, Unit};
use crate::model::{ItemKind, Platform, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[(
    concat!(
        "\u{feff}",
        r#"{"data":[{"id":"10","text":"a &amp; b","author_id":"1","conversation_id":"9","created_at":"2026-05-04T09:30:00.000Z"},"#,
        r#"{"id":"11","text":"RT","author_id":"2","referenced_tweets":[{"type":"retweeted","id":"12"}]}],"#,
        r#""includes":{"users":[{"id":"1","username":"ab","name":"A","protected":true},{"id":"3","username":"c"}],"tweets":[{"id":"12","text":"t","author_id":"1"}]}}"#,
        "\r\n\r\n",
        r#"{"id":"13","action":"delete","reason":"deleted"}"#,
        "\n{\"data\": oops\n",
        r#"{"id":"14","text":"z","author":{"id":"1","username":"ab"},"author_id":"1","conversation_id":"14"}"#
    ),
    [3, 1, 1, 2],
)];

fn one(text: &str) -> Unit {
    let mut units = read(text);
    assert_eq!((units.len(), units[0].refused.len()), (1, 0), "{text}");
    units.remove(0)
}

fn meaning(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::new();
    item.write_meaning(&mut |part| bytes.extend_from_slice(part));
    bytes
}

const PAGE: &str = concat!(
    r#"{"data":[{"id":"20","text":"Dag @Bo &amp; co https://t.co/x","author_id":"1","conversation_id":"9","lang":"nl","#,
    r#""created_at":"2026-05-04T09:30:00.000Z","in_reply_to_user_id":"3","edit_history_tweet_ids":["18","20","22"],"#,
    r#""referenced_tweets":[{"type":"replied_to","id":"10"},{"type":"quoted","id":"5"}],"geo":{"place_id":"pl"},"#,
    r#""attachments":{"media_keys":["3_1","7_2","16_9"],"poll_ids":["p"]},"public_metrics":{"like_count":5},"#,
    r#""entities":{"mentions":[{"start":4,"end":7,"username":"Bo"}],"#,
    r#""urls":[{"url":"https://t.co/x","expanded_url":"https://b.example/x","display_url":"b.example/x"}]}}],"#,
    r#""includes":{"users":[{"id":"1","username":"fenna","name":"Fenna","protected":false},"#,
    r#"{"id":"2","username":"bo","name":"Bo B."},{"id":"4","username":"niemand","name":"N"}],"#,
    r#""media":[{"media_key":"3_1","type":"photo","alt_text":"een sluis"},{"media_key":"7_2","type":"animated_gif"}],"#,
    r#""polls":[{"id":"p","options":[{"position":1,"label":"ja","votes":3}]}],"places":[{"id":"pl","full_name":"Sneek"}]}}"#
);

#[test]
fn a_post_is_read_field_by_field() {
    let unit = one(PAGE);
    let item = &unit.items[0];
    assert_eq!(
        (item.platform, item.kind, item.visibility),
        (Platform::X, ItemKind::Reaction, Visibility::Public)
    );
    assert_eq!(names(&item.names), ["20"]);
    let author = item.author.as_ref().unwrap();
    assert_eq!(author.native_id.as_ref().unwrap().expose(), "1");
    assert_eq!((author.handle.expose(), author.display_name.expose()), ("fenna", "Fenna"));
    assert_eq!(
        said(item),
        [
            (PassageRole::Body, "Dag @Bo & co https://t.co/x"),
            (PassageRole::AltText, "een sluis"),
            (PassageRole::PollOption, "ja"),
        ]
    );
    assert_eq!(names(&item.links), ["https://b.example/x", "b.example/x"]);
    let bo = &item.mentions[0];
    assert_eq!(bo.native_id.as_ref().unwrap().expose(), "2");
    assert_eq!((bo.handle.expose(), bo.display_name.expose()), ("Bo", "Bo B."));
    assert_eq!(item.media, [MediaKind::Image, MediaKind::Video, MediaKind::Video]);
    assert_eq!(item.posted_at, item.edited_at);
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "10");
    assert_eq!(item.quotes.as_ref().unwrap().expose(), "5");
    assert_eq!(item.conversation.as_ref().unwrap().expose(), "9");
    assert_eq!((names(&item.supersedes), item.superseded), (vec!["18"], true));
    assert_eq!(item.language.as_deref(), Some("nl"));
}

#[test]
fn what_a_post_refers_to_is_cut_out_and_what_nobody_refers_to_is_not() {
    let unit = one(PAGE);
    let roles: Vec<_> = unit.items[0].shared.iter().map(|&cut| unit.cuts[cut].kind).collect();
    let shared = [
        PartRole::Account,
        PartRole::Media,
        PartRole::Media,
        PartRole::Poll,
        PartRole::Place,
        PartRole::Account,
    ];
    assert_eq!(roles, shared.map(CutKind::Shared));
    assert_eq!(unit.cuts.len(), 8);
    let residue = unit.cuts.last().unwrap();
    assert_eq!(residue.kind, CutKind::Residue);
    let bytes: Vec<&str> = residue.ranges.iter().map(|r| &PAGE[r.start as usize..r.end as usize]).collect();
    assert!(bytes.concat().contains("niemand") && !bytes.concat().contains("Fenna"));
}

#[test]
fn kinds_and_visibility_follow_from_the_fields() {
    let user = r#""author":{"id":"1","username":"f"}"#;
    for (fields, kind, visibility) in [
        (format!(r#""conversation_id":"20",{user}"#), ItemKind::Post, Visibility::Public),
        (format!(r#""conversation_id":"19",{user}"#), ItemKind::Reaction, Visibility::Public),
        (
            format!(r#""conversation_id":"18","edit_history_tweet_ids":["18","20"],{user}"#),
            ItemKind::Post,
            Visibility::Public,
        ),
        (
            format!(r#""referenced_tweets":[{{"type":"replied_to","id":"1"}}],{user}"#),
            ItemKind::Reaction,
            Visibility::Public,
        ),
        (
            format!(r#""referenced_tweets":[{{"type":"quoted","id":"1"}}],{user}"#),
            ItemKind::Post,
            Visibility::Public,
        ),
        (r#""author_id":"1""#.to_owned(), ItemKind::Post, Visibility::Unknown),
        (
            r#""author_id":"1","author":{"id":"1","protected":true}"#.to_owned(),
            ItemKind::Post,
            Visibility::Followers,
        ),
        (r#""dm_conversation_id":"1-2","sender_id":"1""#.to_owned(), ItemKind::Message, Visibility::Direct),
    ] {
        let unit = one(&format!(r#"{{"id":"20","text":"x","__twarc":{{}},{fields}}}"#));
        let item = &unit.items[0];
        assert_eq!((item.kind, item.visibility), (kind, visibility), "{fields}");
        assert_eq!(item.author.as_ref().unwrap().native_id.as_ref().unwrap().expose(), "1", "{fields}");
    }
}

#[test]
fn a_retweet_is_an_act_and_what_it_passes_on_is_an_item() {
    let line = concat!(
        r#"{"id":"21","text":"RT @f: hal","author_id":"2","referenced_tweets":[{"type":"retweeted","id":"20","#,
        r#""text":"hallo","author":{"id":"1","username":"f"},"author_id":"1"}]}"#
    );
    let unit = one(line);
    assert_eq!((unit.acts.len(), unit.items.len()), (1, 1));
    assert_eq!(unit.acts[0].name.expose(), "21");
    assert_eq!(said(&unit.items[0]), [(PassageRole::Body, "hallo")]);
    assert_eq!(unit.cuts.len(), 2);
}

#[test]
fn a_long_post_is_read_whole() {
    let line = concat!(
        r#"{"id":"20","author_id":"1","text":"begin\u2026","note_tweet":{"text":"begin en einde @bo","#,
        r#""entities":{"mentions":[{"username":"bo"}]}}}"#
    );
    let unit = one(line);
    assert_eq!(said(&unit.items[0]), [(PassageRole::Body, "begin en einde @bo")]);
    assert_eq!(unit.items[0].mentions[0].handle.expose(), "bo");
}

#[test]
fn deletions_are_told_by_jobs_and_streams() {
    for (line, by, at) in [
        (
            r#"{"id":"1","action":"delete","created_at":"2026-05-04T09:30:00Z","reason":"deleted"}"#,
            DeletedBy::Author,
            true,
        ),
        (
            r#"{"id":"1","action":"delete","redacted_at":"2026-05-04T09:30:00Z","reason":"suspended"}"#,
            DeletedBy::Platform,
            true,
        ),
        (r#"{"id":"1","action":"delete","reason":"iets"}"#, DeletedBy::Unknown, false),
        (
            r#"{"data":{"delete":{"tweet":{"id":"1","author_id":"2"},"event_at":"2026-05-04T09:30:00Z"}}}"#,
            DeletedBy::Unknown,
            true,
        ),
    ] {
        let unit = one(line);
        assert_eq!(names(&unit.deletions[0].names), ["1"], "{line}");
        assert_eq!(
            (unit.deletions[0].removal.by, unit.deletions[0].removal.at.is_some()),
            (by, at),
            "{line}"
        );
    }
    assert!(one(r#"{"id":"1","action":"scrub_geo","created_at":"x"}"#).deletions.is_empty());
}

#[test]
fn a_fuller_harvest_of_the_same_post_is_the_same_version() {
    let first = meaning(&one(PAGE).items[0]);
    for (was, is) in [
        (r#""like_count":5"#, r#""like_count":6"#),
        (r#""alt_text":"een sluis""#, r#""width":1"#),
        (r#""name":"Fenna""#, r#""name":"Fenna de V.""#),
        (r#""polls":["#, r#""pols":["#),
        (r#"["18","20","22"]"#, r#"["18","20"]"#),
    ] {
        assert!(PAGE.contains(was) && meaning(&one(&PAGE.replace(was, is)).items[0]) == first, "{is}");
    }
    for (was, is) in
        [("Dag", "Doei"), (r#""id":"20""#, r#""id":"22""#), ("\"protected\":false", "\"protected\":true")]
    {
        assert!(PAGE.contains(was) && meaning(&one(&PAGE.replace(was, is)).items[0]) != first, "{is}");
    }
}

#[test]
fn a_page_on_several_lines_is_one_document() {
    let pretty = PAGE.replace("},{", "},\n  {").replace("{\"data\"", "{\n \"data\"");
    let unit = one(&pretty);
    assert_eq!(said(&unit.items[0]), said(&one(PAGE).items[0]));
    assert_eq!(one(r#"{"data":{"id":"1","text":"x"},"includes":{}}"#).items.len(), 1);
    for known in [
        r#"{"meta":{"result_count":0}}"#,
        r#"{"errors":[{"title":"x"}]}"#,
        r#"{"id":"1","username":"f","public_metrics":{}}"#,
    ] {
        assert!(one(known).items.is_empty());
    }
}

#[test]
fn a_page_that_would_swell_in_memory_is_refused() {
    let post = r#"{"id":"1","text":"x","author_id":"1"}"#;
    let posts = vec![post; 20_000].join(",");
    let page = format!(
        r#"{{"data":[{posts}],"includes":{{"users":[{{"id":"1","username":"{}"}}]}}}}"#,
        "x".repeat(100_000)
    );
    let units = read(&page);
    assert_eq!(units[0].refused[0].reason, RefusalReason::Excessive);
    assert!(units[0].items.is_empty());
    assert_eq!(one(&page.replace(&"x".repeat(100_000), "x")).items.len(), 20_000);
}
