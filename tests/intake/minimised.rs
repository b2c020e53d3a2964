//! What a minimisation profile keeps out is nowhere: not under a seal, not in a container, not in the bytes between records,
//! not in a projection; its names and counts are.

use super::containers::{gzip, zip};
use super::disclosure::{disclose, official};
use super::sealed::opened_capture;
use crate::support::{DemoChannel, TestVault, package};
use knik::decide::Profiles;
use knik::model::Outcome;
use knik::store::catalogue::{Channel, ChannelFact, Fact};
use knik::vault::periodic::{self, Period};
use knik::vault::{VaultError, channels};
use serde_json::{Value, json};
use std::sync::Arc;

/// The profiles that come with the program, and one for these tests.
fn profiles() -> Profiles {
    let folder = package().join("policies/minimisation");
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    let own = "id: no-names\nversion: '3'\nvalid_from: '2000-01-01'\ntitle: {nl: t, en: t}\nsource: test\nrules:\n\
               - {id: names, author: other, then: leave_out, fields: [display_name, note, fields, auteur], why: {nl: w, en: w}}\n";
    files.push(("no-names.yaml".to_owned(), own.to_owned()));
    Profiles::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).unwrap()
}

/// A vault with profiles, and a Mastodon channel that chose one.
pub(super) async fn vault(profile: &str) -> (TestVault, Channel) {
    let (mut vault, channels) = TestVault::demo(7).await;
    vault.rules.profiles = Arc::new(profiles());
    let DemoChannel { channel, mut facts, .. } =
        channels.into_iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    let from = facts.first().unwrap().from;
    facts.push(ChannelFact {
        fact: Fact::Profile,
        value: profile.to_owned(),
        from,
        until: None,
        reason: "test".to_owned(),
    });
    let channel = Channel { id: "with-profile".parse().unwrap(), ..channel };
    assert!(channels::declare(&vault.archive, &vault.rules, &channel, &facts, None).await.unwrap());
    (vault, channel)
}

const PLANTED: [&str; 5] = ["Kanarievink", "kanarietekst", "kanarieprofiel", "kanarieveld", "kanariebuurman"];

fn account(name: &str, own: bool) -> Value {
    let (host, note) =
        if own { ("", "Wij zijn van water") } else { ("@polder.example", "kanarieprofiel, zie x") };
    json!({
        "id": format!("1{}", name.len()), "username": name, "acct": format!("{name}{host}"),
        "display_name": if own { "Ministerie" } else { "Kanarievink" }, "locked": false, "bot": false, "note": note,
        "url": format!("https://polder.example/@{name}"), "created_at": "2022-11-07T00:00:00.000Z",
        "fields": [{"name": "woont", "value": if own { "Den Haag" } else { "kanarieveld" }}], "emojis": [],
    })
}

/// A status; `to` is whom it mentions.
pub fn status(id: u32, name: &str, visibility: &str, text: &str, to: &[&str]) -> Value {
    let mentions: Vec<Value> = to
        .iter()
        .map(|name| json!({"id": "9", "username": name, "acct": name, "url": format!("https://x.example/@{name}")}))
        .collect();
    json!({
        "id": id.to_string(), "uri": format!("https://polder.example/statuses/{id}"), "created_at": "2026-03-09T11:52:03.416Z",
        "in_reply_to_id": "1", "visibility": visibility, "language": "nl", "url": null, "content": format!("<p>{text}</p>"),
        "spoiler_text": "", "sensitive": false, "reblog": null, "account": account(name, name == "minlow"),
        "media_attachments": [], "mentions": mentions, "tags": [], "emojis": [], "card": null, "poll": null,
        "replies_count": 0, "reblogs_count": 0, "favourites_count": 0, "edited_at": null,
    })
}

/// What was said in the open, to the organisation in confidence, and among others.
fn page() -> Vec<u8> {
    let all = json!([
        status(11, "burger", "public", "wanneer gaat de sluis open", &["minlow"]),
        status(12, "burger", "direct", "kanarietekst voor u", &["minlow"]),
        status(13, "burger", "private", "kanariebuurman", &["buurman"]),
        status(14, "minlow", "public", "De sluis gaat om negen uur open", &["burger"]),
    ]);
    serde_json::to_vec_pretty(&all).unwrap()
}

/// Everything that was sealed of the last capture, in the clear.
pub(super) async fn sealed(vault: &TestVault, channel: &Channel) -> Vec<u8> {
    let capture = vault.last_capture().await;
    opened_capture(vault, capture, &channel.organisation).await.0.item().to_vec()
}

fn planted_in(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    PLANTED.iter().copied().filter(|word| text.contains(word)).collect()
}

#[tokio::test]
async fn what_was_not_public_is_refused_unless_a_rule_keeps_it_and_the_organisation_is_a_party() {
    assert_eq!(planted_in(&page()).len(), PLANTED.len(), "they are planted");
    for (profile, records, refused, words) in [
        ("default", 2, json!({"not-public": 2}), vec!["Kanarievink", "kanarieprofiel", "kanarieveld"]),
        (
            "with-messages",
            3,
            json!({"no-party": 1}),
            vec!["Kanarievink", "kanarietekst", "kanarieprofiel", "kanarieveld"],
        ),
    ] {
        let (vault, channel) = vault(profile).await;
        let report = vault.ingest_bytes(&channel, &page()).await.unwrap();
        assert_eq!(report.new_records, records, "{profile}: {report:?}");
        assert_eq!(json!(report.minimised), refused, "{profile}");
        assert_eq!(planted_in(&sealed(&vault, &channel).await), words, "{profile}");
        let kept_out = vault.archive.catalogue.minimised(&channel.id).await.unwrap();
        assert_eq!(kept_out.iter().map(|of| of.amount).sum::<u64>(), 4 - records, "{profile}");
        assert!(
            kept_out.iter().all(|of| of.profile.starts_with(profile) && of.kind == "refused"),
            "{kept_out:?}"
        );
    }
}

#[tokio::test]
async fn members_that_are_left_out_are_under_no_seal_and_the_rest_is_read_as_before() {
    let (vault, channel) = vault("no-names").await;
    let report = vault.ingest_bytes(&channel, &page()).await.unwrap();
    assert_eq!((report.new_records, report.minimised.len()), (2, 1), "{report:?}");
    assert_eq!(json!(report.left_out), json!({"display_name": 1, "fields": 1, "note": 1}));
    let all = sealed(&vault, &channel).await;
    assert_eq!(planted_in(&all), Vec::<&str>::new());
    // The organisation's own is whole, and what is left of the others is JSON.
    let text = String::from_utf8(all).unwrap();
    assert!(text.contains("Wij zijn van water") && text.contains("wanneer gaat de sluis open"), "{text}");
    vault.round().await;
    let records = vault.archive.catalogue.records(&channel.organisation, None, None, 10).await.unwrap();
    let reaction = records.iter().find(|record| !record.own).unwrap();
    let filtered = reaction.filtered.as_ref().unwrap();
    assert_eq!(filtered.profile, "no-names 3");
    assert_eq!(json!(filtered.left_out), json!({"display_name": 1, "fields": 1, "note": 1}));
    assert_eq!(
        records.iter().find(|record| record.own).unwrap().filtered,
        None,
        "nothing was left out of it"
    );
    assert!(vault.archive.room.document(reaction.projection).await.unwrap().is_some(), "it is read");
    let _numbering = vault.numbering();
    let opened = disclose(
        &vault,
        &official("min-low"),
        reaction.id,
        "avg-15",
        "Z-1",
        "the person concerned asked to see it",
    )
    .await
    .unwrap();
    let original: Value = serde_json::from_slice(opened.original.item()).unwrap();
    assert_eq!(original["account"]["username"], "burger");
    assert_eq!(original["account"].get("note"), None);
}

#[tokio::test]
async fn columns_of_a_table_that_are_left_out_are_under_no_seal_and_the_row_is_read_as_before() {
    let (vault, channel) = vault("no-names").await;
    let facts = vault.archive.catalogue.channel_facts(&channel.id).await.unwrap();
    let channel = Channel { id: "of-a-tool".parse().unwrap(), platform: knik::model::Platform::X, ..channel };
    assert!(channels::declare(&vault.archive, &vault.rules, &channel, &facts, None).await.unwrap());
    let table = "Datum;Bron;Auteur;Titel;Bericht tekst;URL;Type bron;Sentiment;Zoekopdracht\r\n\
                 04-05-2026 11:30;twitter.com;\"Kanarievink; \"\"K\"\"\";;\"Wanneer gaat de sluis open?\";\
                 https://x.com/fenna/status/1576994746135764992;Tweet;0,25;sluis\r\n";
    let report = vault.ingest_bytes(&channel, table.as_bytes()).await.unwrap();
    assert_eq!((report.new_records, json!(report.left_out)), (1, json!({"auteur": 1})), "{report:?}");
    let all = sealed(&vault, &channel).await;
    assert_eq!(planted_in(&all), Vec::<&str>::new());
    let text = String::from_utf8(all).unwrap();
    assert!(text.contains("twitter.com;;;\"Wanneer gaat de sluis open?\""), "{text}");
    vault.round().await;
    let records = vault.archive.catalogue.records(&channel.organisation, None, None, 10).await.unwrap();
    let filtered = records[0].filtered.as_ref().unwrap();
    assert_eq!(json!(filtered.left_out), json!({"auteur": 1}));
}

#[tokio::test]
async fn a_container_with_something_that_is_kept_out_is_not_sealed_itself() {
    let page = page();
    let deflated = zip(&[("reacties.json", &page)], true);
    let inside = &deflated[60..deflated.len() - 200];
    for (name, file) in [
        ("stored", zip(&[("reacties.json", &page)], false)),
        ("deflated", deflated.clone()),
        ("gzip", gzip(&page)),
    ] {
        let (vault, channel) = vault("default").await;
        let report = vault.ingest_bytes(&channel, &file).await;
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.new_records, 2, "{name}: {report:?}");
        let all = sealed(&vault, &channel).await;
        assert!(
            planted_in(&all).iter().all(|word| !word.contains("tekst") && !word.contains("buurman")),
            "{name}"
        );
        assert!(
            !all.windows(40).any(|window| inside.starts_with(window)),
            "{name}: the encoded bytes are sealed"
        );
    }
}

#[tokio::test]
async fn what_stands_around_a_refused_item_is_refused_with_it() {
    let (vault, channel) = vault("default").await;
    let mut around = status(31, "burger", "public", "lees dit eens", &["minlow"]);
    around["quote"] = json!({"state": "accepted", "quoted_status": status(32, "buurman", "private", "kanariebuurman", &[])});
    let all = json!([around, status(33, "burger", "public", "wanneer gaat de sluis open", &["minlow"])]);
    let report = vault.ingest_bytes(&channel, &serde_json::to_vec(&all).unwrap()).await.unwrap();
    assert_eq!((report.new_records, json!(report.minimised)), (1, json!({"not-public": 2})), "{report:?}");
    assert!(!planted_in(&sealed(&vault, &channel).await).contains(&"kanariebuurman"));
}

#[tokio::test]
async fn a_profile_that_cannot_be_followed_takes_nothing_in() {
    let (vault, channel) = vault("no-names").await;
    let file = zip(&[("reacties.json", &page())], true);
    let error = vault.ingest_bytes(&channel, &file).await.unwrap_err();
    assert!(
        matches!(&error, VaultError::Input(why) if why.contains("no-names") && why.contains("container")),
        "{error}"
    );
    assert_eq!(vault.archive.catalogue.counts().await.unwrap().records, 0);
    let mut gone = vault;
    gone.rules.profiles = Arc::new(Profiles::load([]).unwrap());
    assert!(gone.rules.profiles.is_empty());
}

#[tokio::test]
async fn what_the_tree_does_not_keep_is_not_taken_in_under_a_profile_that_says_so() {
    let (vault, channel) = vault("questions-only").await;
    let all = json!([
        status(21, "burger", "public", "wanneer gaat de sluis open", &["minlow"]),
        status(22, "burger", "public", "Wat een kanarietekst zeg", &["minlow"]),
    ]);
    let report = vault.ingest_bytes(&channel, &serde_json::to_vec(&all).unwrap()).await.unwrap();
    assert_eq!((report.new_records, json!(report.minimised)), (1, json!({"sentiment": 1})));
    assert!(!planted_in(&sealed(&vault, &channel).await).contains(&"kanarietekst"));
}

/// Declares a fact of the channel for all time.
async fn declare(vault: &TestVault, channel: &Channel, fact: Fact, value: &str) {
    let from = "2000-01-01T00:00:00Z".parse().unwrap();
    let fact = ChannelFact { fact, value: value.to_owned(), from, until: None, reason: "test".to_owned() };
    channels::amend(&vault.archive, &vault.rules, &channel.id, &[fact], None).await.unwrap();
}

#[tokio::test]
async fn what_the_tree_keeps_once_it_is_answered_is_not_refused_before() {
    let (vault, channel) = vault("questions-only").await;
    declare(&vault, &channel, Fact::Tree, "scenario-a").await;
    let mut post = status(1, "minlow", "public", "De sluis is klaar", &[]);
    post["in_reply_to_id"] = Value::Null;
    let remark = status(22, "burger", "public", "Wat een kanarietekst zeg", &["minlow"]);
    let mut reply = status(23, "minlow", "public", "Dank u wel", &["burger"]);
    reply["in_reply_to_id"] = json!("22");
    let outcome_of_remark = async || {
        let records = vault.archive.catalogue.records(&channel.organisation, None, None, 10).await.unwrap();
        let remark = records.iter().find(|record| !record.own).unwrap();
        vault.archive.catalogue.decisions(remark.id).await.unwrap()[0].outcome
    };
    let all = serde_json::to_vec(&json!([post, remark])).unwrap();
    let report = vault.ingest_bytes(&channel, &all).await.unwrap();
    assert_eq!((report.new_records, report.minimised.len()), (2, 0), "{report:?}");
    assert_eq!(outcome_of_remark().await, Outcome::DoNotArchive);
    // The answer comes in a capture of its own.
    let later = serde_json::to_vec(&json!([reply])).unwrap();
    assert_eq!(vault.ingest_bytes(&channel, &later).await.unwrap().new_records, 1);
    assert_eq!(outcome_of_remark().await, Outcome::Archive);
}

/// How many reactions are counted in how they sounded, and in how many threads.
async fn counted(vault: &TestVault, channel: &Channel) -> (u64, usize) {
    let (from, until) = (jiff::civil::date(2026, 3, 1), jiff::civil::date(2026, 4, 1));
    let rows = vault.archive.catalogue.sentiment(&channel.organisation, from, until).await;
    let rows = rows.unwrap();
    let threads: std::collections::BTreeSet<_> = rows.iter().map(|row| row.conversation).collect();
    (rows.iter().map(|row| row.amount).sum(), threads.len())
}

#[tokio::test]
async fn what_was_refused_is_counted_once_said_again_and_let_in_by_a_wider_profile() {
    let (vault, channel) = vault("questions-only").await;
    let question = status(21, "burger", "public", "wanneer gaat de sluis open", &["minlow"]);
    let remark = status(22, "burger", "public", "Wat een kanarietekst zeg", &["minlow"]);
    let mut deeper = status(23, "buurman", "public", "Wat een gezeur", &[]);
    deeper["in_reply_to_id"] = json!("22");
    let closed = status(24, "burger", "private", "Wat vervelend", &["minlow"]);
    let all = serde_json::to_vec(&json!([question, deeper, remark, closed])).unwrap();
    let report = vault.ingest_bytes(&channel, &all).await.unwrap();
    let refused = json!({"sentiment": 3});
    assert_eq!((report.new_records, json!(report.minimised)), (1, refused.clone()), "{report:?}");
    assert_eq!(counted(&vault, &channel).await, (3, 1), "in one thread, and nothing that was not public");

    let again = vault.ingest_bytes(&channel, &all).await.unwrap();
    assert!(again.same_capture, "{again:?}");
    assert_eq!((again.already_there, json!(again.minimised)), (1, refused));
    let spaced = vault.ingest_bytes(&channel, &[&all[..], b"\n"].concat()).await.unwrap();
    assert_eq!((spaced.same_capture, spaced.already_there), (false, 1), "{spaced:?}");
    assert_eq!(counted(&vault, &channel).await, (3, 1), "each is counted once");

    declare(&vault, &channel, Fact::Profile, "default").await;
    let wider = vault.ingest_bytes(&channel, &all).await.unwrap();
    assert_eq!((wider.same_capture, wider.new_records, wider.already_there), (false, 2, 1), "{wider:?}");
    assert_eq!(json!(wider.minimised), json!({"not-public": 1}));
    assert!(vault.ingest_bytes(&channel, &all).await.unwrap().same_capture);
    // And what came in is not counted again when a stricter profile refuses it.
    declare(&vault, &channel, Fact::Profile, "questions-only").await;
    vault.ingest_bytes(&channel, &[&all[..], b"\n\n"].concat()).await.unwrap();
    assert_eq!(counted(&vault, &channel).await, (3, 1));
    let period = Period::new("2026-03-01".parse().unwrap(), "2026-04-01".parse().unwrap()).unwrap();
    let told =
        periodic::sentiment(&vault.archive, &vault.rules, &channel.organisation, period).await.unwrap();
    assert_eq!(told.posts.len(), 1);
}
