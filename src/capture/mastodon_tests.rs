//! Every field of the format, on invented statuses.

use crate::capture::reading_tests::{items_of, names, read, said};
use crate::capture::{
    Act, ActKind, DeletedBy, Format, Item, Limits, MediaKind, PassageRole, Reader, Removal,
};
use crate::model::{ItemKind, Platform, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            "[",
            r#"{"id":"1","uri":"https://s.example/1","created_at":"2026-05-04T09:30:00.000Z","visibility":"public","#,
            r#""content":"<p>Hoi</p>","account":{"id":"7","acct":"fenna","display_name":"Fenna"},"reblog":null}"#,
            " ,\n",
            r#"{"id":"2","uri":"https://s.example/2","created_at":"2026-05-04T09:31:00.000Z","content":"","#,
            r#""account":{"id":"8","acct":"bo@b.example"},"reblog":{"id":"3","uri":"https://s.example/3","#,
            r#""content":"<p>x</p>","created_at":"2026-05-04T09:00:00.000Z","visibility":"private","#,
            r#""account":{"id":"9","acct":"y"}}}"#,
            "]\r\n"
        ),
        [2, 1, 0, 1],
    ),
    (
        concat!(
            r#"{"ancestors":[{"id":"1","content":"a","created_at":"2026-05-04T09:30:00Z","visibility":"direct","account":{"id":"7","acct":"f"}}],"#,
            "\n",
            r#""descendants": [ {"id":"2","content":"b","in_reply_to_id":"1","created_at":"2026-05-04T09:30:00Z","visibility":"unlisted","account":{"id":"7","acct":"f"}} ] }"#
        ),
        [2, 0, 0, 1],
    ),
    (
        concat!(
            ":)\nevent: update\ndata: ",
            r#"{"id":"1","content":"a","created_at":"2026-05-04T09:30:00Z","visibility":"public","account":{"id":"7","acct":"f"}}"#,
            "\n\nevent: delete\ndata: 1\n\n:"
        ),
        [1, 0, 1, 0],
    ),
];

fn items(text: &str) -> Vec<Item> {
    items_of(read(text))
}

fn meaning(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::new();
    item.write_meaning(&mut |part| bytes.extend_from_slice(part));
    bytes
}

const FULL: &str = r#"{"id":"20","uri":"https://s.example/users/fenna/statuses/20","created_at":"2026-05-04T09:30:00.000Z",
"in_reply_to_id":"19","visibility":"unlisted","language":"nl","edited_at":"2026-05-04T10:00:00.000Z","spoiler_text":"over m\u00e9",
"content":"<p>Dag <a href=\"https://b.example/@bo\">@<span>bo</span></a></p><p>tweede</p>","favourites_count":5,
"account":{"id":"7","username":"fenna","acct":"fenna","display_name":"Fenna de V.","followers_count":3},
"media_attachments":[{"type":"image","description":"een sluis"},{"type":"gifv","description":null},{"type":"unknown"}],
"mentions":[{"id":"8","username":"bo","acct":"bo@b.example"}],
"quote":{"state":"accepted","quoted_status":{"id":"5","uri":"https://s.example/5","content":"<p>oud</p>","visibility":"public",
"created_at":"2026-05-03T09:30:00.000Z","account":{"id":"9","acct":"min"}}},
"poll":{"id":"1","options":[{"title":"ja","votes_count":1},{"title":"nee"}]},"reblog":null}"#;

#[test]
fn a_status_is_read_field_by_field() {
    let items = items(FULL);
    let [item, quoted] = items.as_slice() else { panic!("two items") };
    assert_eq!(
        (item.platform, item.kind, item.visibility),
        (Platform::Mastodon, ItemKind::Reaction, Visibility::Unlisted)
    );
    assert_eq!(names(&item.names), ["https://s.example/users/fenna/statuses/20", "20"]);
    let author = item.author.as_ref().unwrap();
    assert_eq!(author.native_id.as_ref().unwrap().expose(), "7");
    assert_eq!((author.handle.expose(), author.display_name.expose()), ("fenna", "Fenna de V."));
    assert_eq!(
        said(item),
        [
            (PassageRole::Body, "Dag @bo\n\ntweede"),
            (PassageRole::ContentWarning, "over mé"),
            (PassageRole::AltText, "een sluis"),
            (PassageRole::PollOption, "ja"),
            (PassageRole::PollOption, "nee"),
        ]
    );
    assert_eq!(names(&item.links), ["https://b.example/@bo"]);
    assert_eq!(item.mentions[0].handle.expose(), "bo@b.example");
    assert_eq!(item.media, [MediaKind::Image, MediaKind::Video, MediaKind::Other]);
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.edited_at.unwrap().to_string(), "2026-05-04T10:00:00Z");
    assert_eq!(item.in_reply_to.as_ref().unwrap().expose(), "19");
    assert_eq!(item.quotes.as_ref().unwrap().expose(), "https://s.example/5");
    assert_eq!(item.language.as_deref(), Some("nl"));
    assert_eq!((item.superseded, item.deletion), (false, None));
    assert_eq!(said(quoted), [(PassageRole::Body, "oud")]);
    assert_eq!(quoted.kind, ItemKind::Post);
}

#[test]
fn an_embedded_status_has_its_own_bytes() {
    let units = read(&format!("[{FULL}]"));
    let unit = &units[0];
    assert!(unit.items[0].range.covers(unit.items[1].range));
    assert_eq!(unit.cuts[0].ranges.len(), 2);
    assert_eq!(unit.cuts[1].ranges, [unit.items[1].range]);
}

#[test]
fn visibility_is_never_guessed() {
    for (word, visibility, kind) in [
        (r#""public""#, Visibility::Public, ItemKind::Post),
        (r#""unlisted""#, Visibility::Unlisted, ItemKind::Post),
        (r#""private""#, Visibility::Followers, ItemKind::Post),
        (r#""direct""#, Visibility::Direct, ItemKind::Message),
        (r#""local""#, Visibility::Unknown, ItemKind::Post),
        ("null", Visibility::Unknown, ItemKind::Post),
    ] {
        let text =
            format!(r#"{{"id":"1","content":"","created_at":"x","account":{{}},"visibility":{word}}}"#);
        let item = items(&text).remove(0);
        assert_eq!((item.visibility, item.kind), (visibility, kind), "{word}");
    }
}

#[test]
fn a_deletion_is_seen_in_its_answer_and_in_the_stream() {
    let answer = r#"{"id":"1","uri":"u","text":"weg <b>ermee</b>","created_at":"2026-05-04T09:30:00Z","account":{"id":"7"},"visibility":"public"}"#;
    let units = read(answer);
    let removal = Removal { at: None, by: DeletedBy::Author };
    assert_eq!(units[0].items[0].deletion, Some(removal));
    assert_eq!(said(&units[0].items[0]), [(PassageRole::Body, "weg <b>ermee</b>")]);
    assert_eq!(
        (names(&units[0].deletions[0].names), units[0].deletions[0].removal),
        (vec!["u", "1"], removal)
    );

    let units =
        read("event: delete\ndata: 117\n\nevent: announcement.delete\ndata: 5\n\nevent: delete\ndata: ?\n\n");
    let gone: Vec<_> = units.iter().flat_map(|unit| &unit.deletions).map(|d| names(&d.names)).collect();
    assert_eq!(gone, [["117"]]);
    assert_eq!(units.iter().map(|unit| unit.refused.len()).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn the_source_of_a_status_is_not_a_deletion() {
    let units = read(r#"{"id":"1","text":"bron","spoiler_text":""}"#);
    assert_eq!((units[0].items.len(), units[0].deletions.len()), (1, 0));
    assert!(units[0].items[0].author.is_none());
    assert_eq!(units[0].items[0].visibility, Visibility::Unknown);
}

#[test]
fn a_history_is_one_name_and_ends_with_what_holds() {
    let version = |content: &str, at: u32| {
        format!(
            r#"{{"content":"{content}","spoiler_text":"","created_at":"2026-05-04T09:3{at}:00Z","account":{{"id":"7","acct":"f"}}}}"#
        )
    };
    let history = format!("[{},{},{}]", version("a", 0), version("b", 1), version("c", 2));
    let items = items(&format!("{history}\n{history}"));
    assert_eq!(
        items.iter().map(|item| item.superseded).collect::<Vec<_>>(),
        [true, true, false, true, true, false]
    );
    assert!(items.iter().all(|item| names(&item.names) == names(&items[0].names)));
    assert!(items.iter().all(|item| item.posted_at == items[0].posted_at));
    assert_eq!(items[0].edited_at, None);
    assert_eq!(items[2].edited_at.unwrap().to_string(), "2026-05-04T09:32:00Z");
}

#[test]
fn acts_are_counted_wherever_they_are_told() {
    let account = r#"{"id":"7","username":"f","acct":"f"}"#;
    let boost = format!(
        r#"{{"id":"2","uri":"b","content":"","created_at":"x","account":{account},"reblog":{{"id":"3","content":"x","created_at":"x","account":{account}}}}}"#
    );
    let liked = format!(
        r#"{{"id":"16","type":"favourite","created_at":"x","account":{account},"status":{{"id":"3","content":"x","created_at":"x","account":{account}}}}}"#
    );
    let group = r#"{"accounts":[],"notification_groups":[{"group_key":"g","type":"favourite","sample_account_ids":["7","8"],"status_id":"3"},{"group_key":"m","type":"mention","sample_account_ids":["9"],"status_id":"4"}]}"#;
    for (text, kind, expected, items) in [
        (boost, ActKind::Boost, vec!["b"], 1),
        (liked, ActKind::Like, vec!["3 7"], 1),
        (group.to_owned(), ActKind::Like, vec!["3 7", "3 8"], 0),
        (format!("[{account}]"), ActKind::Like, vec!["7"], 0),
        (account.to_owned(), ActKind::Like, vec![], 0),
    ] {
        let units = read(&text);
        let acts: Vec<&Act> = units.iter().flat_map(|unit| &unit.acts).collect();
        assert_eq!(acts.iter().map(|act| act.name.expose()).collect::<Vec<_>>(), expected, "{text}");
        assert!(acts.iter().all(|act| act.kind == kind), "{text}");
        assert_eq!(units.iter().map(|unit| unit.items.len()).sum::<usize>(), items, "{text}");
    }
}

#[test]
fn only_what_carries_meaning_makes_a_version() {
    let first = meaning(&items(FULL)[0]);
    for (was, is) in [
        (r#""favourites_count":5"#, r#""favourites_count":6"#),
        (r#""followers_count":3"#, r#""followers_count":4,"avatar":"x""#),
        ("Fenna de V.", "Fenna"),
        (r#""votes_count":1"#, r#""votes_count":2"#),
    ] {
        assert!(meaning(&items(&FULL.replace(was, is))[0]) == first, "{is} is volatile");
    }
    for (was, is) in [
        ("tweede", "derde"),
        ("over m", "onder m"),
        ("een sluis", "een brug"),
        (r#""title":"ja""#, r#""title":"graag""#),
        ("unlisted", "private"),
        ("T10:00", "T10:01"),
        (r#""id":"7""#, r#""id":"77""#),
        ("https://s.example/5", "https://s.example/6"),
    ] {
        assert!(meaning(&items(&FULL.replace(was, is))[0]) != first, "{is} is not");
    }
}

#[test]
fn conversations_and_lone_statuses_are_read_as_documents_too() {
    let pretty = r#"[
  {
    "id": "15",
    "accounts": [],
    "last_status": {"id": "1", "content": "<p>x</p>", "created_at": "x", "visibility": "direct", "account": {"id": "7"}}
  },
  {"id": "16", "accounts": [], "last_status": null}
]
"#;
    assert_eq!(items(pretty).len(), 1);
    assert_eq!(items(&FULL.replace(",\n", ",\n  ")).len(), 2);
    assert_eq!(Reader::new("[]".as_bytes(), None, Limits::default()).unwrap().format(), Format::MastodonApi);
}
