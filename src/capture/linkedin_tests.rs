//! The tables of a LinkedIn export, on invented captures.

use crate::capture::{
    CaptureError, Format, Item, Limits, PassageRole, Precision, Reader, RefusalReason, StatedZone, Unit,
};
use crate::model::{ItemKind, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            "\u{feff}Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility\r\n",
            r#"2026-05-04 09:30:00,https://www.linkedin.com/feed/update/urn:li:share:1,"Zij zei ""dag""."""#,
            "\n",
            r#"""En ""tot"" ziens.",https://b.example/,,PUBLIC"#,
            "\n\r\n",
            "2026-02-30 09:30:00,https://www.linkedin.com/feed/update/urn%3Ali%3AugcPost%3A2,NULL,,https://b.example/m,CONNECTIONS\r",
            "2026-05-04 09:31:00 UTC,https://www.linkedin.com/feed/update/urn:li:share:3,\"a,\r\nb\",<NA>,,MEMBER_NETWORK"
        ),
        [3, 0, 0, 1],
    ),
    (
        concat!(
            "Date,Link,Message\n",
            r#"2026-05-04 09:30:00,https://www.linkedin.com/feed/update/urn:li:activity:1,"Zij zei \"dag\" \\o/"#,
            "\ntweede regel\"\n",
            "2026-05-04 09:30:00,https://www.linkedin.com/feed/update/urn:li:activity:1?commentUrn=urn%3Ali%3Acomment%3A%28activity%3A1%2C9%29,NA\n",
            "2026-05-04 09:30:00,https://www.linkedin.com/feed/update/urn:li:activity:1,\n"
        ),
        [3, 0, 0, 0],
    ),
    (
        concat!(
            "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,SUBJECT,CONTENT,FOLDER\n",
            r#"c1,,Fenna V.,https://www.linkedin.com/in/fenna/,Bo B.,"https://www.linkedin.com/in/bo,https://www.linkedin.com/in/k",2026-05-04 09:30:00 UTC,Hoi,"<p>Dag &amp; <a href=""https://b.example/"">hier</a></p>",INBOX"#,
            "\n",
            "c1,,Bo B.,,Fenna V.,,\"5/4/26, 9:31 AM\",,ja,INBOX\n"
        ),
        [2, 0, 0, 2],
    ),
    (
        "Date,Type,Link\n2026-05-04 09:30:00,LIKE,https://l.example/1\n2026-05-04 09:30:00,LIKE,https://l.example/2\n",
        [0, 2, 0, 0],
    ),
    ("Date,Link\n2026-05-04 09:30:00,https://l.example/1\n", [0, 1, 0, 0]),
    (
        "From,To,Sent At,Message,Direction\nFenna,Bo,\"5/4/26, 9:31 AM\",Dag Bo,OUTGOING\nFenna,K,\"5/4/26, 9:31 AM\",,OUTGOING\n",
        [1, 0, 0, 1],
    ),
    ("Date,Link,Message\n", [0, 0, 0, 0]),
];

fn units(text: &str) -> Result<Vec<Unit>, CaptureError> {
    Reader::new(text.as_bytes(), None, Limits::default())?.collect()
}

fn items(fixture: usize) -> Vec<Item> {
    units(FIXTURES[fixture].0).unwrap().into_iter().flat_map(|unit| unit.items).collect()
}

fn body(item: &Item) -> &str {
    item.passages[0].text.expose()
}

#[test]
fn a_share_is_read_whole() {
    let items = items(0);
    assert_eq!(
        items.iter().map(body).collect::<Vec<_>>(),
        ["Zij zei \"dag\".\nEn \"tot\" ziens.", "", "a,\r\nb"]
    );
    let names: Vec<_> = items.iter().map(|item| item.names[0].expose()).collect();
    assert_eq!(names, ["urn:li:share:1", "urn:li:ugcPost:2", "urn:li:share:3"]);
    assert_eq!(
        items.iter().map(|item| item.visibility).collect::<Vec<_>>(),
        [Visibility::Public, Visibility::Followers, Visibility::Unlisted]
    );
    assert_eq!(items[0].posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(items[0].posted_as.unwrap().zone, StatedZone::AssumedUtc);
    assert_eq!(items[2].posted_as.unwrap().zone, StatedZone::Stated);
    assert_eq!((items[1].posted_at, items[1].posted_as), (None, None), "30 February");
    assert_eq!((items[0].links[0].expose(), items[1].media.len()), ("https://b.example/", 1));
}

#[test]
fn a_comment_answers_its_post() {
    let items = items(1);
    assert_eq!(body(&items[0]), "Zij zei \"dag\" \\o/\ntweede regel");
    assert_eq!(body(&items[1]), "NA", "words are words");
    assert!(items.iter().all(|item| item.in_reply_to.as_ref().unwrap().expose() == "urn:li:activity:1"));
    assert_eq!(items[1].names[0].expose(), "urn:li:comment:(activity:1,9)");
    assert!(
        items.iter().all(|item| item.kind == ItemKind::Reaction && item.visibility == Visibility::Unknown)
    );
}

#[test]
fn a_message_has_both_sides_and_its_markup_is_read() {
    let items = items(2);
    assert_eq!(body(&items[0]), "Dag & hier");
    assert_eq!(items[0].passages[1].role, PassageRole::ContentWarning);
    assert_eq!(items[0].author.as_ref().unwrap().handle.expose(), "fenna");
    assert_eq!(items[0].author.as_ref().unwrap().display_name.expose(), "Fenna V.");
    let mentions: Vec<_> = items[0].mentions.iter().map(|one| one.handle.expose()).collect();
    assert_eq!(mentions, ["bo", "k"]);
    assert_eq!(items[1].author.as_ref().unwrap().handle.expose(), "Bo B.");
    assert_eq!(items[1].posted_at.unwrap().to_string(), "2026-05-04T09:31:00Z");
    assert_eq!(items[1].posted_as.unwrap().precision, Precision::Minute);
    assert!(items.iter().all(|item| item.visibility == Visibility::Direct));
}

#[test]
fn what_is_no_table_of_linkedin_is_refused() {
    for text in [
        ",,\n1,2,3\n",
        "Date, Date,ShareLink,ShareCommentary\na,b,c,d\n",
        "FROM,TO,DATE\nAda,Bob,2026-01-30 10:00:00 UTC\n",
        "Notes:\nSynthetic export metadata\n\n",
    ] {
        assert!(matches!(units(text), Err(CaptureError::UnknownFormat)), "{text}");
    }
}

#[test]
fn a_wide_row_is_left_out_and_open_quotes_end_the_reading() {
    let heading = "Date,ShareLink,ShareCommentary\n";
    let found = units(&format!("{heading}a,b,c,d\na,urn:li:share:1,c,,\n")).unwrap();
    assert_eq!(found[1].refused[0].reason, RefusalReason::Fields { found: 4, expected: 3 });
    assert_eq!(found[1].refused[0].place.line, 2);
    assert_eq!(found[2].items.len(), 1, "empty fields too many do not matter");
    let error = units(&format!("{heading}a,b,\"c\nd,e,f\n")).unwrap_err().to_string();
    assert!(error.starts_with("line 2, byte 31: the table ends inside quotes"), "{error}");
    let error = units("Date,Link,Message\na,b,c\\").unwrap_err().to_string();
    assert!(error.contains("ends inside quotes"), "{error}");
}

#[test]
fn a_table_can_be_named_only_when_it_is_one() {
    let named = |text: &str| Reader::new(text.as_bytes(), Some(Format::LinkedIn), Limits::default()).is_ok();
    assert!(named(FIXTURES[0].0));
    assert!(!named("naam;tekst\na;b\n"));
}

#[test]
fn comments_with_columns_of_a_later_export_are_comments() {
    let found =
        units("Date,Link,Message,Language\n2026-05-04 09:30:00,https://l.example/1,Dag,nl\n").unwrap();
    assert_eq!(found.iter().map(|unit| unit.items.len()).sum::<usize>(), 1);
    for text in ["Message,Date,Link,Language\na,b,c,d\n", "Date,Link,Title\na,b,c\n"] {
        assert!(matches!(units(text), Err(CaptureError::UnknownFormat)), "{text}");
    }
}
