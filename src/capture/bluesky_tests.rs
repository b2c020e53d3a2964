//! Every field of the format, on invented posts.

use crate::capture::reading_tests::{items_of, names, read, said};
use crate::capture::{ActKind, DeletedBy, Format, Item, Limits, MediaKind, PassageRole, Reader};
use crate::model::{ItemKind, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            r#"{"feed":[{"post":{"uri":"at://did:plc:fenna/app.bsky.feed.post/3aa","author":{"did":"did:plc:fenna","handle":"fenna.example"},"#,
            r#""record":{"$type":"app.bsky.feed.post","text":"Hoi","createdAt":"2026-05-04T09:30:00Z"}},"reason":{"$type":"app.bsky.feed.defs#reasonRepost","by":{"did":"did:plc:bo"}}},"#,
            "\n",
            r#"{"post":{"uri":"at://did:plc:fenna/app.bsky.feed.post/3bb","record":{"text":"x"}},"reply":{"parent":{"uri":"at://did:plc:bo/app.bsky.feed.post/3cc","notFound":true}}}]}"#
        ),
        [2, 1, 1, 0],
    ),
    (
        concat!(
            r#"{"accounts":[],"messages":[{"drop":false,"frame":"#,
            r##"{"header":{"op":1,"t":"#commit"},"body":{"repo":"did:plc:fenna","time":"2026-05-04T09:30:01Z","ops":[{"action":"create","path":"app.bsky.feed.post/3aa","cid":{"$link":"bafyreiddaiv6bwv2xqxeuzwag7spto4fquy7yoxzd3k56i7lhfr7xty7ua"}},"##,
            r#"{"action":"delete","path":"app.bsky.feed.post/3zz","cid":null},{"action":"create","path":"app.bsky.feed.like/3ll","cid":null}],"#,
            r#""blocks":{"$bytes":"OqJlcm9vdHOB2CpYJQABcRIgYwIr4Nq6vC5KZsA35Pm7hYUx/Dr5HtXfI+s5Y/vPH6BndmVyc2lvbgHmAQFxEiBjAivg2rq8LkpmwDfk+buFhTH8Ovke1d8j6zlj+88foKVkdGV4dG9EYWcgQGJvLCB6aWUgw6llJHR5cGVyYXBwLmJza3kuZmVlZC5wb3N0ZWxhbmdzgWJubGZmYWNldHOBomVpbmRleKJnYnl0ZUVuZAdpYnl0ZVN0YXJ0BGhmZWF0dXJlc4GiY2RpZGpkaWQ6cGxjOmJvZSR0eXBleB9hcHAuYnNreS5yaWNodGV4dC5mYWNldCNtZW50aW9uaWNyZWF0ZWRBdHgYMjAyNi0wNS0wNFQwOTozMDowMC4wMDBa"}}}"#,
            r##"},{"drop":true,"frame":{"header":{"t":"#account"},"body":{"did":"did:plc:bo","active":false,"status":"deleted"}}}]}"##
        ),
        [1, 1, 1, 0],
    ),
    (
        concat!(
            r#"{"did":"did:plc:fenna","time_us":1,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"3aa","record":{"$type":"app.bsky.feed.post","text":"a"}}}"#,
            "\n",
            r#"{"did":"did:plc:fenna","time_us":2,"kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"3aa"}}"#,
            "\r\n",
            r#"{"did":"did:plc:bo","time_us":3,"kind":"account","account":{"active":false,"did":"did:plc:bo","status":"takendown"}}"#,
            "\n",
            r#"{"did":"did:plc:bo","time_us":4,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.like","rkey":"3dd","record":{"$type":"app.bsky.feed.like"}}}"#
        ),
        [1, 1, 2, 0],
    ),
    (
        r#"{"messages":[{"$type":"chat.bsky.convo.defs#messageView","id":"3m","rev":"1","sender":{"did":"did:plc:bo"},"text":"stil","sentAt":"2026-05-04T09:30:00Z"},{"$type":"chat.bsky.convo.defs#deletedMessageView","id":"3n","rev":"1","sender":{"did":"did:plc:bo"},"sentAt":"2026-05-04T09:30:00Z"}]}"#,
        [1, 0, 1, 1],
    ),
];

fn items(text: &str) -> Vec<Item> {
    items_of(read(text))
}

const FULL: &str = r##"{"thread":{"$type":"app.bsky.feed.defs#threadViewPost","post":{"uri":"at://did:plc:fenna/app.bsky.feed.post/3aa","cid":"b",
"author":{"did":"did:plc:fenna","handle":"fenna.example","displayName":"Fenna de V.","labels":[]},
"record":{"$type":"app.bsky.feed.post","text":"m\u00e9\ud83d\ude00 @bo zie s.example","createdAt":"2026-05-04T09:30:00.000Z","langs":["nl","en"],
"facets":[{"index":{"byteStart":8,"byteEnd":11},"features":[{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:bo"}]},
{"index":{"byteStart":16,"byteEnd":25},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://s.example/x"}]},
{"index":{"byteStart":1,"byteEnd":2000000000000000000000},"features":[{"did":"did:plc:cas"}]}],
"embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"$type":"app.bsky.embed.record","record":{"cid":"c","uri":"at://did:plc:cas/app.bsky.feed.post/3qq"}},
"media":{"$type":"app.bsky.embed.images","images":[{"alt":"een sluis","image":{"$type":"blob","mimeType":"image/jpeg","size":204800}},{"alt":"","image":{}}]}},
"reply":{"parent":{"uri":"at://did:plc:bo/app.bsky.feed.post/3pp","cid":"d"},"root":{"uri":"at://did:plc:bo/app.bsky.feed.post/3oo","cid":"e"}}},
"embed":{"$type":"app.bsky.embed.recordWithMedia#view","media":{"$type":"app.bsky.embed.images#view","images":[{"alt":"een sluis"},{"alt":""}]},
"record":{"record":{"$type":"app.bsky.embed.record#viewRecord","uri":"at://did:plc:cas/app.bsky.feed.post/3qq","author":{"did":"did:plc:cas","handle":"cas.example"},
"value":{"$type":"app.bsky.feed.post","text":"oud","createdAt":"2026-05-03T09:30:00Z","embed":{"$type":"app.bsky.embed.external","external":{"uri":"https://l.example","title":"t"}}}}}},
"likeCount":3},"replies":[{"$type":"app.bsky.feed.defs#blockedPost","uri":"at://did:plc:x/app.bsky.feed.post/3xx","blocked":true,"author":{"did":"did:plc:x"}},
{"$type":"app.bsky.feed.defs#notFoundPost","uri":"at://did:plc:x/app.bsky.feed.post/3yy","notFound":true}]}}"##;

#[test]
fn a_post_is_read_field_by_field() {
    let units = read(FULL);
    let [item, quoted] = units[0].items.as_slice() else { panic!("two items") };
    assert_eq!((item.kind, item.visibility), (ItemKind::Reaction, Visibility::Public));
    assert_eq!(names(&item.names), ["at://did:plc:fenna/app.bsky.feed.post/3aa"]);
    let author = item.author.as_ref().unwrap();
    assert_eq!(author.native_id.as_ref().unwrap().expose(), "did:plc:fenna");
    assert_eq!((author.handle.expose(), author.display_name.expose()), ("fenna.example", "Fenna de V."));
    assert_eq!(
        said(item),
        [(PassageRole::Body, "mé😀 @bo zie s.example"), (PassageRole::AltText, "een sluis")]
    );
    assert_eq!(names(&item.links), ["https://s.example/x"]);
    let mentions: Vec<_> =
        item.mentions.iter().map(|m| (m.native_id.as_ref().unwrap().expose(), m.handle.expose())).collect();
    assert_eq!(mentions, [("did:plc:bo", "bo"), ("did:plc:cas", "")]);
    assert_eq!(item.media, [MediaKind::Image, MediaKind::Image]);
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "at://did:plc:bo/app.bsky.feed.post/3pp");
    assert_eq!(item.conversation.as_ref().unwrap().expose(), "at://did:plc:bo/app.bsky.feed.post/3oo");
    assert_eq!(item.quotes.as_ref().unwrap().expose(), "at://did:plc:cas/app.bsky.feed.post/3qq");
    assert_eq!(item.language.as_deref(), Some("nl"));
    assert_eq!(said(quoted), [(PassageRole::Body, "oud")]);
    assert_eq!(names(&quoted.links), ["https://l.example"]);
    assert!(item.range.covers(quoted.range));
    let gone: Vec<_> = units[0].deletions.iter().map(|d| d.names[0].expose()).collect();
    assert_eq!(gone, ["at://did:plc:x/app.bsky.feed.post/3yy"]);
}

#[test]
fn a_post_in_a_frame_is_read_out_of_its_blocks() {
    let (text, _) = FIXTURES[1];
    let units = read(text);
    let item = &units[0].items[0];
    assert_eq!(said(item), [(PassageRole::Body, "Dag @bo, zie é")]);
    assert_eq!(names(&item.names), ["at://did:plc:fenna/app.bsky.feed.post/3aa"]);
    assert_eq!(item.mentions[0].handle.expose(), "bo");
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.shared.len(), 2);
    assert_eq!(units[0].acts[0].kind, ActKind::Like);
    let broken = text.replace(r#"$bytes":""#, r#"$bytes":"!"#);
    let item = items(&broken).remove(0);
    assert_eq!(said(&item), [(PassageRole::Body, "")]);
    assert!(item.posted_at.is_none());
}

#[test]
fn an_account_that_goes_is_told_with_who_did_it() {
    for (status, expected) in [
        (r#""deleted""#, Some(DeletedBy::Author)),
        (r#""takendown""#, Some(DeletedBy::Platform)),
        (r#""throttled""#, None),
        ("null", Some(DeletedBy::Unknown)),
    ] {
        let units = read(&format!(
            r#"{{"did":"did:plc:bo","active":false,"status":{status},"seq":1,"time":"2026-05-04T09:30:00Z"}}"#
        ));
        let by: Vec<_> = units[0].deletions.iter().map(|deletion| deletion.removal.by).collect();
        assert_eq!(by, expected.into_iter().collect::<Vec<_>>(), "{status}");
    }
}

#[test]
fn acts_are_counted_wherever_they_are_told() {
    for (text, kind, expected) in [
        (
            r#"{"uri":"at://x","likes":[{"actor":{"did":"did:plc:bo","handle":"bo.example"}}]}"#,
            ActKind::Like,
            "at://x did:plc:bo",
        ),
        (
            r#"{"uri":"at://x","repostedBy":[{"did":"did:plc:bo","handle":"bo.example"}]}"#,
            ActKind::Boost,
            "at://x did:plc:bo",
        ),
        (
            r#"{"records":[{"uri":"at://d/app.bsky.feed.repost/1","value":{"$type":"app.bsky.feed.repost"}}]}"#,
            ActKind::Boost,
            "at://d/app.bsky.feed.repost/1",
        ),
        (
            r#"{"notifications":[{"uri":"at://d/app.bsky.feed.like/1","reason":"like","record":{"$type":"app.bsky.feed.like"}}]}"#,
            ActKind::Like,
            "at://d/app.bsky.feed.like/1",
        ),
    ] {
        let units = read(text);
        assert_eq!(units[0].items.len(), 0, "{text}");
        let acts: Vec<_> = units[0].acts.iter().map(|act| (act.kind, act.name.expose())).collect();
        assert_eq!(acts, [(kind, expected)], "{text}");
    }
}

#[test]
fn a_bare_record_counts_and_one_who_hides_from_visitors_is_not_projected() {
    let record = r#"{"$type":"app.bsky.feed.post","text":"x","createdAt":"2026-05-04T09:30:00Z"}"#;
    assert_eq!(items(record)[0].names[0].expose(), "unnamed 2026-05-04T09:30:00Z x");
    let hidden = format!(
        r#"{{"posts":[{{"uri":"at://did:plc:a/app.bsky.feed.post/1","author":{{"did":"did:plc:a","handle":"a.example","labels":[{{"val":"!no-unauthenticated"}}]}},"record":{record}}}]}}"#
    );
    assert_eq!(items(&hidden)[0].visibility, Visibility::Unknown);
}

#[test]
fn answers_without_anything_are_known() {
    for text in [r#"{"feed":[],"cursor":"x"}"#, r#"{"error":"NotFound","message":"Post not found"}"#] {
        let reader = Reader::new(text.as_bytes(), None, Limits::default()).unwrap();
        assert_eq!(reader.format(), Format::Bluesky);
        assert!(reader.map(Result::unwrap).all(|unit| unit.items.is_empty() && unit.refused.is_empty()));
    }
}

#[test]
fn a_commit_that_would_swell_in_memory_is_refused() {
    let ops = vec![r#"{"action":"create","path":"app.bsky.feed.post/3aa"}"#; 2_000].join(",");
    let text =
        format!(r#"{{"repo":"did:plc:a","ops":[{ops}],"blocks":{{"$bytes":"{}"}}}}"#, "A".repeat(400_000));
    let units = read(&text);
    assert_eq!((units[0].items.len(), units[0].refused.len()), (0, 1));
}

#[test]
fn the_size_of_what_was_uploaded_is_read_and_makes_no_version() {
    let meaning = |item: &Item| {
        let mut fed = Vec::new();
        item.write_meaning(&mut |bytes| fed.extend_from_slice(bytes));
        fed
    };
    let (told, untold) = (items(FULL), items(&FULL.replace(r#","size":204800"#, "")));
    assert_eq!((told[0].media_size_bytes.as_slice(), untold[0].media_size_bytes.len()), (&[204_800][..], 0));
    assert_eq!(meaning(&told[0]), meaning(&untold[0]));
    let film = r#"{"uri":"at://did:plc:a/app.bsky.feed.post/3v","value":{"$type":"app.bsky.feed.post","text":"x",
        "embed":{"$type":"app.bsky.embed.video","alt":"film","video":{"$type":"blob","mimeType":"video/mp4","size":9}}}}"#;
    assert_eq!(items(film)[0].media_size_bytes, [9]);
}
