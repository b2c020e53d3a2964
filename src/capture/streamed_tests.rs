use super::*;
use crate::capture::gather::Context;
use crate::capture::json::Json;
use crate::capture::tests::{assert_tiled, tally};
use crate::capture::{Act, Limits, PartRole, Reader, Unit, reread};

/// An object around so many copies of an element, each with `#` as its number.
fn large(before: &str, element: &str, after: &str) -> String {
    let copies: Vec<String> =
        (0..).map(|n| element.replace('#', &(100_000 + n).to_string())).take(9_000).collect();
    let text = format!("{before}{}{after}", copies.join(", \n"));
    assert!(text.len() > LARGE_BYTES_MIN);
    text
}

const NOTE: &str = r#"{"id":"https://gem.example/a/#","type":"Create","actor":"https://gem.example/u","published":"2026-05-04T09:30:00Z","to":["https://www.w3.org/ns/activitystreams#Public"],"object":{"id":"https://gem.example/n/#","type":"Note","content":"<p>Dag #</p>"}}"#;

fn samples() -> Vec<(Format, String)> {
    let head = r#"{"@context":"https://www.w3.org/ns/activitystreams","id":"outbox.json","type":"OrderedCollection","totalItems":9000,"#;
    let remark = r#"{"timestamp":1777#,"title":"Fenna reageerde","data":[{"comment":{"timestamp":1777#,"comment":"Goed \u00c3\u00a9n wel","author":"Fenna V."}}]}"#;
    let photo = r#"{"uri":"a/#.jpg","creation_timestamp":1777#,"comments":[{"timestamp":1777#,"comment":"Mooi #","author":"Bo B."}]}"#;
    let like = r#"{"title":"fenna","string_list_data":[{"href":"https://www.instagram.com/p/#/","value":"x","timestamp":1777#}]}"#;
    let said = r#"{"media_list_data":[{"uri":""}],"string_map_data":{"Comment":{"value":"Dag #"},"Media Owner":{"value":"bo"},"Time":{"timestamp":1777#}}}"#;
    let thread = r#"{"kind":"youtube#commentThread","id":"Ug#","snippet":{"videoId":"v","topLevelComment":{"kind":"youtube#comment","id":"Ug#","snippet":{"textOriginal":"Dag #","textDisplay":"Dag","authorDisplayName":"Fenna","publishedAt":"2026-05-04T09:30:00Z","updatedAt":"2026-05-04T09:30:00Z"}},"totalReplyCount":0}}"#;
    let thread = &thread.replace("youtube#c", "youtube\\u0023c");
    vec![
        (Format::ActivityPub, large(&format!("{head}\"orderedItems\":["), NOTE, "]}\n")),
        (
            Format::ActivityPub,
            large(
                &format!("{head}\"first\":{{\"type\":\"OrderedCollectionPage\",\"orderedItems\":["),
                NOTE,
                r#"],"next":null},"last":"x"}"#,
            ),
        ),
        (Format::FacebookDyi, large(r#"{"comments_v2":["#, remark, r#"],"x":{"y":[1]}}"#)),
        (Format::FacebookDyi, large(r#"{"group_posts":{"activity_log_data":["#, remark, "]}}")),
        (Format::FacebookDyi, large(r#"{"other_photos_v2":["#, photo, "]}")),
        (Format::InstagramDyi, large("{\n  \"likes_media_likes\": [\n", like, "]}")),
        (Format::InstagramDyi, large(r#"{"comments_media_comments":["#, said, "]}")),
        (Format::YouTube, large(r#"{"kind":"x","pageInfo":{"totalResults":9000},"items":["#, thread, "]}")),
    ]
}

fn names(acts: &[Act]) -> Vec<&str> {
    acts.iter().map(|act| act.name.expose()).collect()
}

#[test]
fn a_large_object_gives_what_it_would_give_at_once_and_no_unit_is_large() {
    for (format, text) in samples() {
        let reader =
            Reader::new(text.as_bytes(), None, Limits { unit_bytes_max: 4 << 10, ..Limits::default() });
        let reader = reader.unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(reader.format(), format);
        let units: Vec<Unit> =
            reader.map(|unit| unit.unwrap_or_else(|error| panic!("{format}: {error}"))).collect();
        assert_tiled(format.as_str(), text.as_bytes(), &units, true);
        assert!(units.iter().all(|unit| unit.refused.is_empty()), "{format}");
        let json = Json::parse(&text, 128).map_err(|(at, fault)| format!("{at}: {fault}")).unwrap();
        let whole = (format.reading().gather)(&json, &mut Context::default());
        let [records, acts, ..] = tally(&units);
        assert_eq!(records + acts, 9_000, "{format}");
        let items: Vec<_> = units.iter().flat_map(|unit| &unit.items).collect();
        assert_eq!(items.len(), whole.items.len(), "{format}");
        for (item, (expected, range)) in items.iter().zip(&whole.items) {
            assert_eq!(item.range.start..item.range.end, range.start as u64..range.end as u64);
            assert!(
                item.names == expected.names
                    && item.passages == expected.passages
                    && item.author == expected.author
            );
        }
        let found: Vec<&str> = units.iter().flat_map(|unit| names(&unit.acts)).collect();
        assert_eq!(found, names(&whole.acts), "{format}");
    }
}

#[test]
fn elements_are_read_again_and_their_place_is_told() {
    let (_, text) = &samples()[1];
    let broken = text.replace("100007</p>", "100007\u{1}</p>");
    let mut units = Reader::new(broken.as_bytes(), None, Limits::default()).unwrap();
    let fault = units.find_map(Result::err).unwrap().to_string();
    assert!(fault.contains("element `/first/orderedItems/7`: broken JSON"), "{fault}");
    let unit = Reader::new(text.as_bytes(), None, Limits::default())
        .unwrap()
        .map(Result::unwrap)
        .find(|unit| !unit.items.is_empty())
        .unwrap();
    let at = |range: &crate::model::ByteRange| &text.as_bytes()[range.start as usize..range.end as usize];
    let item = &unit.items[0];
    let shared: Vec<(PartRole, &[u8])> = item
        .shared
        .iter()
        .map(|cut| match unit.cuts[*cut].kind {
            crate::capture::CutKind::Shared(role) => (role, at(&unit.cuts[*cut].ranges[0])),
            _ => panic!("not shared"),
        })
        .collect();
    assert!(reread(Format::ActivityPub, at(&item.range), &shared).unwrap().passages == item.passages);
}

#[test]
fn what_follows_a_large_object_is_read_whole() {
    let (_, mut text) = samples().remove(0);
    text.push_str(&NOTE.replace('#', "7"));
    let units: Vec<Unit> =
        Reader::new(text.as_bytes(), None, Limits::default()).unwrap().map(Result::unwrap).collect();
    assert_eq!(tally(&units)[0], 9_001);
    assert!(units.iter().all(|unit| unit.refused.is_empty()));
}

#[test]
fn lists_that_hang_together_with_the_rest_are_not_taken_apart() {
    let post = r#"{"id":"1576994746135#","text":"Dag #, wanneer is de sluis weer open? Wij wachten al twee weken op antwoord.","author_id":"7"}"#;
    let text = large(
        r#"{"data":["#,
        post,
        r#"],"includes":{"users":[{"id":"7","username":"fenna","name":"Fenna"}]}}"#,
    );
    let units: Vec<Unit> =
        Reader::new(text.as_bytes(), None, Limits::default()).unwrap().map(Result::unwrap).collect();
    assert_eq!(units.len(), 1);
    assert!(units[0].items[0].author.as_ref().is_some_and(|author| author.handle.expose() == "fenna"));
}
