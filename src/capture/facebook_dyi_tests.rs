//! The layouts of a Facebook archive, on invented captures.

use crate::capture::{Format, Item, Limits, MediaKind, PassageRole, Reader, Unit};
use crate::model::{ItemKind, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            r#"{"status_updates":[{"timestamp":1777887000,"title":"Zo\u00c3\u00ab de Vries updated her status.","data":[{"post":"Caf\u00c3\u00a9 open \u00e2\u0082\u00ac 3"},{"update_timestamp":1777890600}],"#,
            r#""attachments":[{"data":[{"media":{"uri":"posts/1.jpg","creation_timestamp":1777887000,"description":"een sluis"}},{"external_context":{"url":"https://b.example/"}}]}],"tags":["Bo B."]},"#,
            "\n  ",
            r#"{"timestamp":1777887001,"data":[{"post":"Ã© als het zo hoort é"}]}]}"#
        ),
        [2, 0, 0, 0],
    ),
    (
        concat!(
            r#"[{"timestamp":1777887000,"attachments":[{"data":[{"poll":{"question":"Waar?","options":[{"option":"Sneek","voted":true}]}}]}],"data":[{}]}, "#,
            r#"{"timestamp":1777887001,"title":"Fenna shared a memory.","attachments":[]}]"#
        ),
        [2, 0, 0, 0],
    ),
    (
        concat!(
            r#"{"comments_v2":[{"timestamp":1777887000,"title":"Fenna commented on Bo's post.","data":[{"comment":{"timestamp":1777887000,"comment":"Goed \u00c3\u00a9n wel","author":"Fenna V."}}]},"#,
            r#"{"timestamp":1777887002,"title":"x","data":[{"comment":{"timestamp":1777887002,"author":"Fenna V.","group":"Sluiswachters"}}],"attachments":[{"data":[{"media":{"uri":"a.mp4"}}]}]}]}"#
        ),
        [2, 0, 0, 0],
    ),
    (
        concat!(
            r#"{"reactions":[{"timestamp":1777887000,"title":"Fenna likes Bo's post.","data":[{"reaction":{"reaction":"LIKE","actor":"Fenna V."}}]}],"#,
            r#""poll_votes_v2":[{"timestamp":1777887000,"title":"t","data":[{"poll_vote":{"option":"a"}}]}]}"#
        ),
        [0, 2, 0, 0],
    ),
    (
        r#"[{"timestamp":1777887000,"data":[{"reaction":{"reaction":"LOVE","actor":"Fenna V."}}],"title":"t"}]"#,
        [0, 1, 0, 0],
    ),
    (
        concat!(
            r#"{"participants":[{"name":"Fenna V."},{"name":"Zo\u00c3\u00ab"}],"messages":[{"sender_name":"Zo\u00c3\u00ab","timestamp_ms":1777887000123,"content":"Dag","type":"Generic","reactions":[{"reaction":"x","actor":"Fenna V."}]},"#,
            r#"{"sender_name":"Fenna V.","timestamp_ms":1777887000124,"sticker":{"uri":"messages/stickers_used/1.png"},"type":"Generic"}],"title":"Zo\u00c3\u00ab","is_still_participant":true,"thread_type":"Regular","thread_path":"inbox/zoe_1"}"#
        ),
        [2, 1, 0, 2],
    ),
    (
        concat!(
            r#"{"participants":["Fenna V.","Zoë"],"threadName":"Zoë_2","messages":[{"isUnsent":false,"media":[{"uri":"./media/1.jpg"}],"reactions":[{"actor":"Zoë","reaction":"x"}],"senderName":"Fenna V.","text":"hé","timestamp":1777887000123,"type":"text"},"#,
            r#"{"isUnsent":true,"media":[],"reactions":[],"senderName":"Zoë","text":"","timestamp":1777887000124,"type":"text"}]}"#
        ),
        [2, 1, 1, 2],
    ),
    (
        concat!(
            r#"{"name":"Sneek","photos":[{"uri":"a/1.jpg","creation_timestamp":1777887000,"comments":[{"timestamp":1777887005,"comment":"Mooi","author":"Bo B."}]}],"#,
            r#""last_modified_timestamp":1777887000,"comments":[{"timestamp":1777887006,"comment":"Ja","author":"Bo B."}],"description":""}"#
        ),
        [2, 0, 0, 0],
    ),
    (
        r#"{"group_posts":{"activity_log_data":[{"timestamp":1777887000,"title":"t","data":[{"post":"In de groep"}]}]}}"#,
        [1, 0, 0, 0],
    ),
    (
        r#"[{"timestamp":1777887000,"media":[],"label_values":[{"label":"Reactie","value":"Leuk"}],"fbid":"1"}]"#,
        [0, 1, 0, 0],
    ),
    (
        concat!(
            r#"[{"timestamp":1777887000,"label_values":[{"label":"Message","value":"Gefeliciteerd Bo"},{"label":"Media","media":[{"uri":"p/1.jpg"}]},{"label":"Feeling/activity","value":"blij"}],"fbid":"400000000000001"},"#,
            r#"{"timestamp":1777887001,"label_values":[{"label":"Opmerking","value":"Mooi \u00c3\u00a9n wel"},{"label":"Auteur","value":"Fenna V."}],"fbid":"400000000000002"}]"#
        ),
        [2, 0, 0, 0],
    ),
];

fn items(fixture: usize) -> Vec<Item> {
    let reader = Reader::new(FIXTURES[fixture].0.as_bytes(), None, Limits::default()).unwrap();
    assert_eq!(reader.format(), Format::FacebookDyi);
    let units: Vec<Unit> = reader.map(Result::unwrap).collect();
    units.into_iter().flat_map(|unit| unit.items).collect()
}

fn passages(item: &Item) -> Vec<(PassageRole, &str)> {
    item.passages.iter().map(|passage| (passage.role, passage.text.expose())).collect()
}

#[test]
fn a_post_is_read_whole_and_repaired() {
    let items = items(0);
    let post = &items[0];
    assert_eq!(passages(post), [(PassageRole::Body, "Café open € 3"), (PassageRole::AltText, "een sluis")]);
    assert_eq!((post.kind, post.visibility), (ItemKind::Post, Visibility::Unknown));
    assert_eq!(post.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(post.edited_at.unwrap().to_string(), "2026-05-04T10:30:00Z");
    assert_eq!(post.links[0].expose(), "https://b.example/");
    assert_eq!(post.mentions[0].display_name.expose(), "Bo B.");
    assert_eq!(post.media, [MediaKind::Image]);
    assert_eq!(passages(&items[1])[0].1, "Ã© als het zo hoort é", "a text that is right stays as it is");
}

#[test]
fn a_comment_has_its_author_and_may_have_no_words() {
    let items = items(2);
    assert_eq!(passages(&items[0]), [(PassageRole::Body, "Goed én wel")]);
    assert_eq!(items[0].author.as_ref().unwrap().display_name.expose(), "Fenna V.");
    assert_eq!(items[0].kind, ItemKind::Reaction);
    assert_eq!((passages(&items[1])[0].1, items[1].media.as_slice()), ("", &[MediaKind::Video][..]));
}

#[test]
fn polls_and_messages() {
    assert_eq!(
        passages(&items(1)[0]),
        [(PassageRole::Body, ""), (PassageRole::PollOption, "Waar?"), (PassageRole::PollOption, "Sneek")]
    );
    for fixture in [5, 6] {
        let items = items(fixture);
        assert!(
            items.iter().all(|item| item.visibility == Visibility::Direct && item.conversation.is_some())
        );
        assert_eq!(items.iter().filter(|item| !item.media.is_empty()).count(), 1);
        assert!(items[0].author.is_some() && items[0].posted_at.is_some());
    }
    assert!(items(6)[1].deletion.is_some());
}
