//! Knik's own lines, on invented captures, and the schema that describes them.

use super::{ACT, DELETION, RECORD};
use crate::capture::{DeletedBy, Format, Limits, PassageRole, Reader, Unit};
use crate::model::{Platform, Visibility};

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[(
    concat!(
        r#"{"knik":1,"id":"https://forum.example/7","also_named":["7"],"platform":"other","kind":"reaction","author":{"handle":"fenna","name":"Fenna V."},"#,
        r#""text":"Dag","content_warning":"cw","poll_options":["ja"],"media":[{"kind":"image","alt":"een sluis"}],"links":["https://b.example/"],"mentions":[{"id":"9"}],"#,
        r#""posted_at":"2026-05-04T11:30:00+02:00","in_reply_to":"https://forum.example/6","conversation":"6","visibility":"public","language":"nl","extra":{"telefoon":"06"}}"#,
        "\r\n",
        r#"{"knik":1,"id":8,"kind":"message","text":""}"#,
        "\n",
        r#"{"knik":1,"act":"like","id":"like 1"}"#,
        "\n\n",
        r#"{"knik":1,"deleted_id":"https://forum.example/5","at":"2026-05-04T11:30:00Z","by":"platform"}"#,
        "\n",
        r#"{"knik":1,"id":"9","kind":"post","text":"weg","visibility":"followers","deleted":{"by":"author"}}"#
    ),
    [3, 1, 2, 2],
)];

fn units(text: &str) -> Vec<Unit> {
    let reader = Reader::new(text.as_bytes(), None, Limits::default()).unwrap();
    assert_eq!(reader.format(), Format::Knik);
    reader.map(Result::unwrap).collect()
}

#[test]
fn a_record_is_read_field_by_field() {
    let units = units(FIXTURES[0].0);
    let item = &units[0].items[0];
    let passages: Vec<_> = item.passages.iter().map(|one| (one.role, one.text.expose())).collect();
    assert_eq!(
        passages,
        [
            (PassageRole::Body, "Dag"),
            (PassageRole::ContentWarning, "cw"),
            (PassageRole::PollOption, "ja"),
            (PassageRole::AltText, "een sluis")
        ]
    );
    assert_eq!((item.platform, item.visibility), (Platform::Other, Visibility::Public));
    assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");
    assert_eq!(item.names.len(), 2);
    assert_eq!(units[1].items[0].visibility, Visibility::Direct);
    assert_eq!(units[4].deletions[0].removal.by, DeletedBy::Platform);
    assert_eq!(units[5].items[0].deletion.unwrap().by, DeletedBy::Author);
}

#[test]
fn a_fault_names_line_and_field_and_no_words() {
    let sound = r#"{"knik":1,"id":"1","kind":"post","text":"x"}"#;
    for (line, field) in [
        (r#"{"knik":2,"id":"1"}"#, "knik"),
        (r#"{"knik":1,"kind":"post","text":"Fenna"}"#, "id"),
        (r#"{"knik":1,"id":"1","kind":"Fenna","text":""}"#, "kind"),
        (r#"{"knik":1,"id":"1","kind":"post"}"#, "text"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","posted_at":"Fenna"}"#, "posted_at"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","posted_at":"2026-05-04"}"#, "posted_at"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","visibility":"Fenna"}"#, "visibility"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","visibilty":"direct"}"#, "extra"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","author":{"name":"Fenna"}}"#, "author"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","links":"Fenna"}"#, "links"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","media":[{"alt":"x"}]}"#, "media"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","language":"Fenna V"}"#, "language"),
        (r#"{"knik":1,"id":"1","kind":"post","text":"","platform":"Fenna"}"#, "platform"),
        (r#"{"knik":1,"deleted_id":"1","by":"Fenna"}"#, "by"),
        (r#"{"knik":1,"act":"Fenna","id":"1"}"#, "act"),
    ] {
        let units = units(&format!("{sound}\n{line}\n{sound}\n"));
        let refused: Vec<String> =
            units.iter().flat_map(|unit| &unit.refused).map(ToString::to_string).collect();
        assert_eq!(refused.len(), 1, "{line}");
        assert!(refused[0].starts_with(&format!("line 2, byte 45: field `{field}` ")), "{}", refused[0]);
        assert!(!refused[0].contains("Fenna"));
        assert_eq!(units.iter().map(|unit| unit.items.len()).sum::<usize>(), 2);
    }
}

#[test]
fn the_schema_has_the_same_fields() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/captures/knik.schema.json")).unwrap();
    for (name, fields) in [("record", &RECORD[..]), ("act", &ACT), ("deletion", &DELETION)] {
        let described = &schema["$defs"][name];
        assert_eq!(described["additionalProperties"], false);
        let mut names: Vec<&str> =
            described["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut fields = fields.to_vec();
        names.sort_unstable();
        fields.sort_unstable();
        assert_eq!(names, fields, "{name}");
    }
    let platforms: Vec<&str> = schema["$defs"]["record"]["properties"]["platform"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_str().unwrap())
        .collect();
    assert_eq!(platforms, Platform::ALL.iter().map(|platform| platform.as_str()).collect::<Vec<_>>());
}

#[test]
fn the_size_of_a_medium_is_a_number() {
    let line = |size: &str| {
        format!(
            r#"{{"knik":1,"id":"1","kind":"post","text":"","media":[{{"kind":"image","size_bytes":{size}}}]}}"#
        )
    };
    assert_eq!(units(&line("204800"))[0].items[0].media_size_bytes, [204_800]);
    for wrong in ["\"204800\"", "-1", "1.5", "null"] {
        assert_eq!(units(&line(wrong))[0].refused.len(), 1, "{wrong}");
    }
}
