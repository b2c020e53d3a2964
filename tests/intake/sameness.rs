//! Search sees projections only: two archives with the same seed and clock that differ in nothing but redacted
//! values hold the same rows for readers, byte for byte.

use crate::support::{TestVault, start};
use knik::store::catalogue::Channel;
use knik::vault::grants::{Approval, approve};
use serde_json::{Value, json};
use sqlx::{Column, Row};

/// A person of the conversation, and what they give away.
struct Person {
    id: &'static str,
    handle: &'static str,
    name: &'static str,
    said: &'static str,
}

/// Of equal kinds, in the same pattern of who is who; other words of other lengths, ids in another order.
const ONE: [Person; 3] = [
    Person { id: "101", handle: "jan_pietersma", name: "Jan Pietersma", said: "bel 06-12345678" },
    Person { id: "102", handle: "fatima", name: "Fatima el Ouarrak", said: "mail fatima@example.com" },
    Person { id: "103", handle: "zwaan", name: "Willem Zwaanswijk", said: "mijn BSN is 999990019" },
];
const OTHER: [Person; 3] = [
    Person { id: "903", handle: "a", name: "Mehmet Karabıyıkoğlu", said: "bel 0031 6 1234 5679" },
    Person {
        id: "52",
        handle: "zz_top_van_de_buurt",
        name: "Bo Li",
        said: "mail q.w@langedomeinnaam.example",
    },
    Person { id: "7", handle: "m1", name: "Tjitske Wierdsma-Terpstee", said: "mijn BSN is 999990342" },
];

/// A conversation under a post of the ministry, in Mastodon's format.
fn context(people: &[Person; 3]) -> Vec<u8> {
    let account = |id: &str, handle: &str, name: &str| {
        json!({"id": id, "username": handle, "acct": handle, "display_name": name,
            "url": format!("https://social.leefomgeving.example/@{handle}"), "avatar": format!("https://x.example/{id}.png")})
    };
    let status = |n: u32, author: Value, text: String, mentions: Vec<Value>| {
        json!({"id": format!("{}", 1_000 + n), "uri": format!("https://social.leefomgeving.example/s/{n}"),
            "created_at": format!("2026-03-09T10:{n:02}:00.000Z"), "edited_at": null, "visibility": "public",
            "in_reply_to_id": (n > 0).then_some("1000"), "content": format!("<p>{text}</p>"), "language": "nl",
            "spoiler_text": "", "account": author, "mentions": mentions, "media_attachments": [], "tags": []})
    };
    let [first, second, third] = people;
    let of = |person: &Person| account(person.id, person.handle, person.name);
    let mention = |person: &Person| {
        json!({"id": person.id, "username": person.handle, "acct": person.handle,
        "url": format!("https://social.leefomgeving.example/@{}", person.handle)})
    };
    let ministry = account("1", "minlow", "Ministerie van Leefomgeving en Water");
    let texts = [
        (ministry, "Heeft u een vraag over de waterbijdrage? Stel die hier.".to_owned(), vec![]),
        (
            of(first),
            format!("Wanneer krijg ik de beschikking? {} na zes uur, groet {}", first.said, first.name),
            vec![],
        ),
        (
            of(second),
            format!("@{} dat vraag ik me ook af: {} of niet?", first.handle, second.said),
            vec![mention(first)],
        ),
        (of(third), format!("Waarom duurt dit zo lang, {}? {}", second.name, third.said), vec![]),
        (of(first), format!("Wie weet het, @{} misschien?", third.handle), vec![mention(third)]),
    ];
    let statuses = (0..).zip(texts).map(|(n, (author, text, mentions))| status(n, author, text, mentions));
    serde_json::to_vec(&json!({"ancestors": [], "descendants": statuses.collect::<Vec<_>>()})).unwrap()
}

/// Every row that the reading room holds, in the order in which it holds them.
async fn rows(vault: &TestVault) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "projection",
        "frame",
        "posting",
        "reader",
        "reading_grant",
        "grant_record",
        "grant_conversation",
        "grant_subject",
    ] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
        for row in sqlx::query(sql).fetch_all(vault.room.read()).await.unwrap() {
            let cell = |n: usize| {
                let text = row.try_get::<Option<String>, _>(n);
                let number = || row.try_get::<Option<i64>, _>(n).map(|n| n.map(|n| n.to_string()));
                let bytes = || row.try_get::<Option<Vec<u8>>, _>(n).map(|bytes| bytes.map(hex::encode));
                let value = text.or_else(|_| number()).or_else(|_| bytes()).unwrap();
                format!("{}={}", row.column(n).name(), value.unwrap_or_else(|| "null".to_owned()))
            };
            all.push(format!("{table}: {}", (0..row.len()).map(cell).collect::<Vec<_>>().join(" ")));
        }
    }
    all
}

/// Takes in the conversation, a grant before it and a grant after it; what readers may be shown in the end.
async fn built(people: &[Person; 3]) -> Vec<String> {
    let (vault, channels) = TestVault::demo(11).await;
    let channel: &Channel =
        &channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap().channel;
    let grant = |subject: &str| Approval {
        organisation: channel.organisation.clone(),
        issuer: "https://issuer.example".to_owned(),
        subject: subject.to_owned(),
        purpose: "research".to_owned(),
        legal_basis: "woo-request".parse().unwrap(),
        channels: Vec::new(),
        plan: "researcher".to_owned(),
        until: start().plus_seconds(86_400),
    };
    approve(&vault.archive, &vault.rules, grant("early"), None).await.unwrap();
    vault.round().await;
    vault.ingest_bytes(channel, &context(people)).await.unwrap();
    vault.round().await;
    approve(&vault.archive, &vault.rules, grant("late"), None).await.unwrap();
    vault.round().await;
    rows(&vault).await
}

#[tokio::test]
async fn archives_that_differ_in_redacted_values_only_are_the_same_to_readers() {
    let (one, again, other) = (built(&ONE).await, built(&ONE).await, built(&OTHER).await);
    assert_eq!(one, again, "the same archive built twice");
    let projections = one.iter().filter(|row| row.starts_with("projection")).count();
    assert_eq!(projections, 5, "{one:#?}");
    assert!(one.iter().filter(|row| row.starts_with("grant_subject")).count() >= 6);
    assert!(
        one.iter().any(|row| row.contains("EMAIL_ADDRESS")) && one.iter().any(|row| row.contains("NL_BSN"))
    );
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
}
