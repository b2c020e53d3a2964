//! What goes down: redacted, equal to the source outside its spans, and only what may be read.

use super::disclosure::{disclose, official};
use crate::support::{TestVault, canaries, places};
use knik::capture::{Format, Item, PartRole, PassageRole, reread};
use knik::model::{Outcome, ProjectionId, RecordId, Visibility};
use knik::redact::{Piece, Projection, leaks};
use knik::seal::Original;
use knik::store::catalogue::{QueueScope, QueueState, RecordSummary};
use sqlx::Row;
use std::collections::{HashMap, HashSet};

/// Every record of the demo, with its document where it has one.
async fn all(vault: &TestVault) -> Vec<(RecordSummary, Option<String>)> {
    let mut found = Vec::new();
    for organisation in ["min-low", "dwv"] {
        let organisation = organisation.parse().unwrap();
        for summary in vault.archive.catalogue.records(&organisation, None, None, 1_000).await.unwrap() {
            let document = vault.archive.room.document(summary.projection).await.unwrap();
            found.push((summary, document));
        }
    }
    found
}

#[tokio::test]
async fn planted_values_are_absent_in_every_form() {
    let (vault, _) = TestVault::loaded(1).await;
    let planted = canaries();
    let values: Vec<&str> = planted.iter().map(String::as_str).collect();
    let documents: Vec<String> = all(&vault).await.into_iter().filter_map(|(_, document)| document).collect();
    assert!(documents.len() > 20, "{}", documents.len());
    for document in &documents {
        assert_eq!(leaks(document, &values).map(|n| values[n]), None);
    }
    let words = sqlx::query("SELECT DISTINCT word FROM posting").fetch_all(vault.room.read()).await.unwrap();
    let words: Vec<String> =
        words.iter().map(|row| String::from_utf8_lossy(row.get("word")).into_owned()).collect();
    assert!(words.len() > 100, "{}", words.len());
    assert_eq!(leaks(&words.join("\u{1}"), &values).map(|n| values[n]), None);
    // Words that stand on their own in a planted name are no index words either.
    for name in ["kromosoeto", "karabıyıkoğlu", "zoutkamperveen", "999990019", "keesopdefiets"] {
        assert!(!words.iter().any(|word| word.contains(name)), "{name}");
    }
}

#[tokio::test]
async fn outside_the_placeholders_a_text_is_its_source() {
    let (vault, channels) = TestVault::loaded(1).await;
    let _numbering = vault.numbering();
    let formats: HashMap<_, Format> = channels
        .iter()
        .map(|demo| {
            (
                demo.channel.id.clone(),
                if demo.channel.platform.as_str() == "x" { Format::XApiV2 } else { Format::MastodonApi },
            )
        })
        .collect();
    let (mut placeholders, mut texts) = (0, 0);
    for (summary, document) in all(&vault).await {
        let Some(document) = document else { continue };
        let projection: Projection = serde_json::from_str(&document).unwrap();
        let actor = official(summary.organisation.as_str());
        let motivation = "to compare the view with the original";
        let one = disclose(&vault, &actor, summary.id, "avg-15", "2026-0042", motivation).await.unwrap();
        let item = read(formats[&summary.channel], &one.original);
        assert_eq!(projection.passages.len(), item.passages.len(), "{}", summary.id);
        for (passage, source) in projection.passages.iter().zip(&item.passages) {
            assert_eq!(passage.role, role_word(source.role));
            let pieces = passage.text.pieces();
            assert!(fits(pieces, source.text.expose()), "{}: a passage is not its source", summary.id);
            placeholders += pieces.iter().filter(|piece| matches!(piece, Piece::Placeholder(_))).count();
            texts += 1;
        }
    }
    assert!(texts > 20 && placeholders > 40, "{placeholders} placeholders in {texts} texts");
}

/// Whether the source is the texts in their order, with something else where a placeholder stands.
fn fits(pieces: &[Piece], source: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return source.is_empty() };
    match first {
        Piece::Text(text) => source.strip_prefix(text.as_str()).is_some_and(|after| fits(rest, after)),
        Piece::Placeholder(_) if rest.is_empty() => !source.is_empty(),
        Piece::Placeholder(_) => {
            let after_something = source.char_indices().skip(1).map(|(at, _)| &source[at..]);
            after_something.chain([""]).any(|after| !source.is_empty() && fits(rest, after))
        }
    }
}

#[test]
fn a_text_that_is_not_its_source_does_not_fit() {
    let pieces = |json: &str| serde_json::from_str::<knik::redact::RedactedText>(json).unwrap();
    let hidden = r#"{"placeholder":{"entity":"PERSON","exemption":"woo-5.1.2e","status":"provisional"}}"#;
    let dear = pieces(&format!(r#"[{{"text":"Beste "}},{hidden},{{"text":", dank"}}]"#));
    assert!(fits(dear.pieces(), "Beste Jan, dank"));
    for other in ["Beste , dank", "Beste Jan, dank!", "beste Jan, dank", "Beste Jan dank", ""] {
        assert!(!fits(dear.pieces(), other), "{other}");
    }
    assert!(fits(pieces("[]").pieces(), ""));
}

fn read(format: Format, original: &Original) -> Item {
    let role = |word: &str| match word {
        "account" => Some(PartRole::Account),
        "media" => Some(PartRole::Media),
        "poll" => Some(PartRole::Poll),
        "place" => Some(PartRole::Place),
        _ => None,
    };
    let shared: Vec<(PartRole, &[u8])> =
        original.parts().filter_map(|(word, bytes)| Some((role(word)?, bytes))).collect();
    reread(format, original.item(), &shared).unwrap()
}

const fn role_word(role: PassageRole) -> &'static str {
    match role {
        PassageRole::Body => "body",
        PassageRole::ContentWarning => "content-warning",
        PassageRole::PollOption => "poll-option",
        PassageRole::AltText => "alt-text",
        _ => "a role that this test does not know",
    }
}

#[tokio::test]
async fn only_what_may_be_read_goes_down() {
    let (vault, _) = TestVault::loaded(1).await;
    let records = all(&vault).await;
    let mut flagged = Vec::new();
    for organisation in ["min-low", "dwv"] {
        let (of, open) = (organisation.parse().unwrap(), QueueState::Open);
        let items =
            vault.archive.catalogue.review_items(&[QueueScope::whole(of)], open, None, 100).await.unwrap();
        flagged.extend(items.into_iter().map(|item| item.record));
    }
    let mut withheld: HashMap<String, u32> = HashMap::new();
    for (summary, document) in &records {
        let open = matches!(summary.visibility, Visibility::Public | Visibility::Unlisted);
        let why = match (&summary.withheld, open, summary.outcome) {
            (None, true, Outcome::Archive) if flagged.contains(&summary.id) => "flagged".to_owned(),
            (Some(why), ..) => why.clone(),
            (None, false, _) => summary.visibility.as_str().to_owned(),
            (None, true, Outcome::Archive) => "nothing".to_owned(),
            (None, true, outcome) => outcome.as_str().to_owned(),
        };
        if why != "nothing" {
            assert!(document.is_none(), "{} is {why} and was published", summary.id);
        }
        *withheld.entry(why).or_default() += 1;
    }
    for why in
        ["deleted", "superseded", "direct", "followers", "refer", "do_not_archive", "flagged", "nothing"]
    {
        assert!(
            withheld.contains_key(why),
            "no record of the demo is withheld because it is {why}: {withheld:?}"
        );
    }
    let readable = records.iter().filter(|(_, document)| document.is_some()).count();
    assert_eq!(
        readable as u64,
        vault.archive.room.count().await.unwrap(),
        "nothing is published that is no record"
    );
    assert_eq!(withheld["nothing"] as usize, readable, "what may be read is published");
}

#[tokio::test]
async fn a_deletion_withdraws_what_was_published() {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap();
    let (notice, before) = demo.captures.split_last().unwrap();
    assert!(notice.holds.deleted > 0 && notice.holds.records == 0);
    for capture in before {
        vault.ingest(&demo.channel, &capture.path).await.unwrap();
    }
    vault.round().await;
    let published = vault.archive.room.count().await.unwrap();
    vault.ingest(&demo.channel, &notice.path).await.unwrap();
    vault.round().await;
    let gone: Vec<(RecordId, ProjectionId)> = vault
        .archive
        .catalogue
        .records(&demo.channel.organisation, None, None, 1_000)
        .await
        .unwrap()
        .into_iter()
        .filter(|summary| summary.withheld.as_deref() == Some("deleted"))
        .map(|summary| (summary.id, summary.projection))
        .collect();
    assert!(!gone.is_empty());
    for (record, projection) in gone {
        assert_eq!(vault.archive.room.document(projection).await.unwrap(), None, "{record}");
    }
    assert!(vault.archive.room.count().await.unwrap() < published);
    let unused = "SELECT COUNT(*) AS n FROM frame WHERE number NOT IN (SELECT frame FROM projection)";
    let unused: i64 = sqlx::query(unused).fetch_one(vault.room.read()).await.unwrap().get("n");
    assert_eq!((unused, orphans(&vault).await), (0, 0), "words of what was withdrawn");
}

/// How many numbers the index of words holds beyond those of the projections that are there.
async fn orphans(vault: &TestVault) -> usize {
    let rows = sqlx::query("SELECT number FROM projection").fetch_all(vault.room.read()).await.unwrap();
    let there: HashSet<i64> = rows.iter().map(|row| row.get("number")).collect();
    let rows = sqlx::query("SELECT block, numbers FROM posting").fetch_all(vault.room.read()).await.unwrap();
    assert!(rows.len() > 100);
    let numbers = rows.iter().flat_map(|row| {
        let first = row.get::<i64, _>("block") * 4_096;
        places(&row.get::<Vec<u8>, _>("numbers")).into_iter().map(move |place| first + place)
    });
    numbers.filter(|number| !there.contains(number)).count()
}

#[tokio::test]
async fn two_threads_that_turn_out_to_be_one_leave_no_withdrawn_post_behind() {
    let (vault, channels) = TestVault::demo(1).await;
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap().channel;
    let page = |id: u32, conversation: u32, answered: &str| {
        format!(
            r#"{{"data":[{{"id":"{id}","text":"hoe laat opent de balie {id}","author_id":"77","conversation_id":"{conversation}","created_at":"2026-04-0{}T10:00:00.000Z","lang":"nl"{answered}}}],"includes":{{"users":[{{"id":"77","username":"balievraag","name":"Balie Vraag","protected":false}}]}}}}"#,
            id % 9 + 1
        )
    };
    vault.ingest_bytes(channel, page(9001, 9001, "").as_bytes()).await.unwrap();
    vault.ingest_bytes(channel, page(9002, 9002, "").as_bytes()).await.unwrap();
    vault.round().await;
    let readable = |found: Vec<(RecordSummary, Option<String>)>| {
        found.into_iter().filter_map(|(summary, document)| document.map(|_| summary.id)).collect::<Vec<_>>()
    };
    assert_eq!(readable(all(&vault).await).len(), 2, "two threads, both readable");

    let answer = page(9003, 9001, r#","referenced_tweets":[{"type":"replied_to","id":"9002"}]"#);
    let gone =
        r#"{"id":"9002","action":"delete","created_at":"2026-04-09T10:00:00.000Z","reason":"deleted"}"#;
    vault.ingest_bytes(channel, format!("{answer}\n{gone}\n").as_bytes()).await.unwrap();
    vault.round().await;
    let found = all(&vault).await;
    let threads: std::collections::BTreeSet<_> =
        found.iter().map(|(summary, _)| summary.conversation).collect();
    assert_eq!((found.len(), threads.len()), (3, 1));
    let deleted = found.iter().find(|(summary, _)| summary.withheld.is_some()).unwrap();
    assert!(deleted.1.is_none(), "a deleted post stayed readable under the thread that was taken in");
    assert_eq!(readable(found).len(), 2);
}
