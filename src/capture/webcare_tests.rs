//! Tables of web-care tools, on invented captures.

use crate::capture::{CaptureError, Format, Item, Limits, Precision, Reader, StatedZone, Unit};
use crate::model::{ItemKind, Platform, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[
    (
        concat!(
            "\u{feff}zoekopdracht;datum;url;sentiment;type;discussielengte;bereik;auteur;volgers;invloed;GPS breedtegraad;GPS lengtegraad;bericht tekst;type bron;titel\r\n",
            "sluis;2026-05-04 11:30;https://twitter.com/fenna_v/status/123;-;tweet;3;1.204,5;@fenna_v;12;0,4;52,1;5,9;\"Sluis dicht; wat nu?\r\nGraag \"\"antwoord\"\"\";Twitter;\r\n",
            "sluis;2026-05-04 11:31;https://www.facebook.com/x/posts/9;+;reactie;0;;Bo B.;;;;;Ja;Facebook;Over de sluis\r\n",
            "sluis;2026-05-04 11:32;;;privébericht;0;;Bo B.;;;;;Mijn nummer;Facebook;\r\n",
            "sluis;2026-05-04 11:33;;;iets nieuws;0;;Bo B.;;;;;Hm;Hyves;\r\n",
            ";;;;;;;;;;;;;;\r\n"
        ),
        [4, 0, 0, 1],
    ),
    (
        concat!(
            "sep=;\nDatum;Kanaal;Bericht;Geplaatst door (optioneel);Sentiment;Bereik;Openbaar;Reactie op\n",
            "maandag 4 mei 2026 om 11:30 uur;Twitter;Dag;fenna_v;0,5;12;Openbaar;https://x.com/bo/status/44\n",
            "4-5-2026;WhatsApp;Hoi;+31 6;;;;\n"
        ),
        [2, 0, 0, 1],
    ),
    (
        concat!(
            "Message ID,Conversation ID,Medium,Channel,Channel Display Name,Contact Profile ID,Contact Primary Identifier,Direction,Message Type,Message,Created at\n",
            "m1,c1,INSTAGRAM,k,Ministerie,p1,Fenna V.,INBOUND,Comment,\"Dag, allemaal\",2026-05-04T09:30:00Z\n",
            "m2,c1,INSTAGRAM,k,Ministerie,p1,Fenna V.,INBOUND,Direct message,ja,2026-05-04 09:31:00\n"
        ),
        [2, 0, 0, 1],
    ),
    ("id\tnetwork\ttext\tdate\n7\tYouTube\tMooi\t04/05/2026 11:30\n", [1, 0, 0, 0]),
];

fn units(text: &str) -> Vec<Unit> {
    let reader = Reader::new(text.as_bytes(), None, Limits::default()).unwrap();
    assert_eq!(reader.format(), Format::WebCare);
    reader.map(Result::unwrap).collect()
}

fn items(fixture: usize) -> Vec<Item> {
    units(FIXTURES[fixture].0).into_iter().flat_map(|unit| unit.items).collect()
}

fn body(item: &Item) -> &str {
    item.passages[0].text.expose()
}

#[test]
fn coosto_names_posts_as_their_platform_does() {
    let items = items(0);
    assert_eq!(body(&items[0]), "Sluis dicht; wat nu?\r\nGraag \"antwoord\"");
    assert_eq!((items[0].platform, items[0].names[0].expose()), (Platform::X, "123"));
    assert_eq!(items[0].author.as_ref().unwrap().handle.expose(), "fenna_v");
    assert_eq!(items[0].posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    let stated = items[0].posted_as.unwrap();
    assert_eq!((stated.precision, stated.zone), (Precision::Minute, StatedZone::AssumedDutch));
    assert_eq!((items[1].platform, items[1].kind), (Platform::Facebook, ItemKind::Reaction));
    assert_eq!(items[1].passages[1].text.expose(), "Over de sluis");
    assert_eq!(
        items.iter().map(|item| item.visibility).collect::<Vec<_>>(),
        [Visibility::Public, Visibility::Public, Visibility::Direct, Visibility::Unknown]
    );
    assert_eq!(items[3].platform, Platform::Other);
}

#[test]
fn obi4wan_has_dutch_times_and_a_line_for_spreadsheets() {
    let items = items(1);
    assert_eq!(items[0].posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(items[0].in_reply_to.as_ref().unwrap().expose(), "44");
    assert_eq!(items[0].kind, ItemKind::Reaction);
    assert_eq!(items[1].posted_as.unwrap().precision, Precision::Day);
    assert_eq!((items[1].kind, items[1].visibility), (ItemKind::Message, Visibility::Direct));
}

#[test]
fn hootsuite_and_tools_without_a_file() {
    let inbox = items(2);
    assert_eq!((inbox[0].visibility, inbox[1].visibility), (Visibility::Unknown, Visibility::Direct));
    assert_eq!(inbox[0].conversation, inbox[1].conversation);
    assert_eq!(inbox[1].posted_at.unwrap().to_string(), "2026-05-04T09:31:00Z");
    let other = items(3);
    assert_eq!((other[0].platform, body(&other[0])), (Platform::YouTube, "Mooi"));
    assert_eq!(other[0].posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
}

#[test]
fn a_row_in_another_encoding_is_left_out_alone() {
    let mut bytes = FIXTURES[3].0.as_bytes().to_vec();
    bytes.extend_from_slice(b"8\tYouTube\tCaf\xe9\t04/05/2026 11:31\n9\tYouTube\tZo\t04/05/2026 11:32\n");
    let read: Result<Vec<Unit>, CaptureError> =
        Reader::new(&bytes[..], None, Limits::default()).unwrap().collect();
    let units = read.unwrap();
    assert_eq!(units.iter().map(|unit| unit.items.len()).sum::<usize>(), 2);
    assert_eq!(units.iter().map(|unit| unit.refused.len()).sum::<usize>(), 1);
}

#[test]
fn names_of_columns_with_underscores_are_known() {
    let text = "message_id,created_at,network,author_name,message_text,message_url,post_type\n\
                1,2026-05-04T09:30:00Z,facebook,Zo,hoi,https://fb.example/1,comment\n";
    let read: Result<Vec<Unit>, CaptureError> =
        Reader::new(text.as_bytes(), None, Limits::default()).unwrap().collect();
    let units = read.unwrap();
    let items: Vec<_> = units.iter().flat_map(|unit| &unit.items).collect();
    assert_eq!((items.len(), items[0].platform, body(items[0])), (1, Platform::Facebook, "hoi"));
}
