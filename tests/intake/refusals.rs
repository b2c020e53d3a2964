//! What is not sound is refused with a clear message, and nothing of it is kept.

use super::sealed::ranges;
use crate::support::{DemoChannel, TestVault};
use knik::capture::{CaptureError, Format, Limits};
use knik::store::catalogue::{ChannelFact, Counts, Fact};
use knik::vault::ingest::{Delivery, ingest, silent};
use knik::vault::{CaptureReader, CaptureSource, InProcess, Units, VaultError, channels, sequence};
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Stands in every file that is refused, and in no message.
const PLANTED: &str = "Kromosoeto";

fn channel<'a>(channels: &'a [DemoChannel], id: &str) -> &'a DemoChannel {
    channels.iter().find(|demo| demo.channel.id.as_str() == id).unwrap()
}

async fn nothing_is_kept(vault: &TestVault, what: &str) {
    assert_eq!(vault.archive.catalogue.counts().await.unwrap(), Counts::default(), "{what}: catalogue");
    assert_eq!(vault.archive.blobs.list().await.unwrap(), [], "{what}: segments");
    sequence::round(&vault.archive, &vault.rules).await.unwrap();
    assert_eq!(vault.archive.room.count().await.unwrap(), 0, "{what}: room");
}

#[tokio::test]
async fn a_file_that_is_not_sound_leaves_nothing() {
    let (mut vault, channels) = TestVault::demo(1).await;
    vault.rules.limits = Limits { unit_bytes_max: 200_000, ..Limits::default() };
    let context = std::fs::read(&channel(&channels, "low-mastodon").captures[1].path).unwrap();
    let lines = std::fs::read(&channel(&channels, "dwv-x").captures[0].path).unwrap();
    let text = String::from_utf8(context.clone()).unwrap();
    assert!(text.contains(PLANTED));
    let cut = |bytes: &[u8], part: usize| bytes[..bytes.len() * part / 10].to_vec();
    let mut wrong_byte = context.clone();
    let at = text.find(PLANTED).unwrap();
    wrong_byte[at] = 0xff;
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let long_line =
        [br#"{"data":[{"id":"1","text":""#.to_vec(), vec![b'x'; 300_000], br#""}]}"#.to_vec()].concat();
    let deep = [vec![b'['; 100_000], PLANTED.into()].concat();
    let table: [(&str, &str, Vec<u8>, &str); 13] = [
        ("an empty file", "low-mastodon", Vec::new(), "empty"),
        ("white space", "low-mastodon", b" \n\n".to_vec(), "empty"),
        ("cut short", "low-mastodon", cut(&context, 5), "cut"),
        ("cut short at its end", "low-mastodon", context[..context.len() - 3].to_vec(), "cut"),
        ("lines cut short", "dwv-x", cut(&lines, 9), "cut"),
        ("invalid UTF-8", "low-mastodon", wrong_byte, "UTF-8"),
        ("UTF-16", "low-mastodon", utf16, "UTF-16"),
        ("a line without end", "dwv-x", long_line, "longer than"),
        ("nested too deep", "low-mastodon", deep, ""),
        ("broken JSON", "low-mastodon", text.replacen("\":", "\" ", 1).into_bytes(), ""),
        ("no capture", "low-mastodon", b"Beste Kromosoeto, hallo".to_vec(), ""),
        ("another platform's", "low-mastodon", lines.clone(), "the capture is of x;"),
        ("another platform's, too", "dwv-x", context.clone(), "mastodon"),
    ];
    for (what, id, bytes, word) in table {
        let outcome = vault.ingest_bytes(&channel(&channels, id).channel, &bytes).await;
        let Err(error) = outcome else { panic!("{what}: taken in, {:?}", outcome.unwrap()) };
        assert!(matches!(error, VaultError::Capture(_) | VaultError::Input(_)), "{what}: {error:?}");
        let (message, debug) = (error.to_string(), format!("{error:?}"));
        assert!(message.contains(word) || (word == "cut" && message.contains("end")), "{what}: {message}");
        assert!(!message.contains(PLANTED) && !debug.contains(PLANTED), "{what}: {debug}");
        nothing_is_kept(&vault, what).await;
    }
    // The other half of the test: the files themselves are sound.
    vault.rules.limits = Limits::default();
    vault.ingest_bytes(&channel(&channels, "low-mastodon").channel, &context).await.unwrap();
    vault.ingest_bytes(&channel(&channels, "dwv-x").channel, &lines).await.unwrap();
}

#[tokio::test]
async fn a_format_that_was_named_wrongly_leaves_nothing() {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = channel(&channels, "low-mastodon");
    let delivery = Delivery {
        format: Some(Format::XApiV2),
        ..Delivery::of(CaptureSource::File(demo.captures[1].path.clone()))
    };
    let outcome = ingest(&vault.archive, &vault.rules, &demo.channel, delivery, silent()).await;
    assert!(matches!(outcome, Err(VaultError::Input(_) | VaultError::Capture(_))), "{outcome:?}");
    nothing_is_kept(&vault, "a format named wrongly").await;
    let delivery = Delivery::of(CaptureSource::File("/nowhere/at/all.json".into()));
    let outcome = ingest(&vault.archive, &vault.rules, &demo.channel, delivery, silent()).await;
    assert!(matches!(outcome, Err(VaultError::Capture(_))), "{outcome:?}");
    nothing_is_kept(&vault, "a file that is not there").await;
}

#[tokio::test]
async fn a_channel_that_does_not_state_what_it_must_is_not_declared() {
    let (vault, channels) = TestVault::demo(1).await;
    let DemoChannel { channel, facts, .. } = &channels[0];
    let mut fresh = channel.clone();
    fresh.id = "fresh".parse().unwrap();
    let tree = ChannelFact {
        value: "scenario-z".to_owned(),
        ..facts.iter().find(|f| f.fact == Fact::Tree).unwrap().clone()
    };
    type Change = fn(&mut knik::store::catalogue::Channel);
    let table: [(&str, Change, &[ChannelFact]); 5] = [
        ("scenario-z", |_| {}, &[tree]),
        ("organisation `unknown`", |c| c.organisation = "unknown".parse().unwrap(), facts),
        ("no purpose", |c| c.purpose = " ".to_owned(), facts),
        ("no legal basis", |c| c.legal_basis = String::new(), facts),
        ("no DPIA reference", |c| c.dpia = String::new(), facts),
    ];
    for (word, change, facts) in table {
        let mut wrong = fresh.clone();
        change(&mut wrong);
        let error = channels::declare(&vault.archive, &vault.rules, &wrong, facts, None).await.unwrap_err();
        assert!(matches!(&error, VaultError::Input(said) if said.contains(word)), "{word}: {error}");
        assert_eq!(vault.archive.catalogue.channel(&fresh.id).await.unwrap(), None, "{word}");
    }
    assert!(channels::declare(&vault.archive, &vault.rules, &fresh, facts, None).await.unwrap());
    assert!(!channels::declare(&vault.archive, &vault.rules, &fresh, facts, None).await.unwrap());
    let mut stricter = facts.clone();
    for fact in stricter.iter_mut().filter(|fact| fact.fact == Fact::Tree) {
        fact.value = "legal-advice".to_owned();
    }
    let error = channels::declare(&vault.archive, &vault.rules, &fresh, &stricter, None).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("tree `legal-advice`") && said.contains("knik channel declare fresh"), "{said}");
    assert_eq!(vault.archive.catalogue.channel_facts(&fresh.id).await.unwrap().len(), facts.len());
}

#[tokio::test]
async fn a_strict_delivery_with_a_broken_line_leaves_nothing_and_names_the_line() {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = channel(&channels, "dwv-x");
    let lines = std::fs::read(&demo.captures[0].path).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let strict = |bytes: &[u8]| {
        std::fs::write(file.path(), bytes).unwrap();
        Delivery { strict: true, ..Delivery::of(CaptureSource::File(file.path().to_owned())) }
    };
    let broken = strict(&[&b"{\"data\": [Kromosoeto]}\n"[..], &lines].concat());
    let outcome = ingest(&vault.archive, &vault.rules, &demo.channel, broken, silent()).await;
    let Err(VaultError::Skipped(skipped)) = outcome else { panic!("{outcome:?}") };
    assert!(skipped.len() == 1 && skipped[0].starts_with("line 1,"), "{skipped:?}");
    nothing_is_kept(&vault, "a strict delivery").await;
    let report = ingest(&vault.archive, &vault.rules, &demo.channel, strict(&lines), silent()).await.unwrap();
    assert_eq!(report.new_records, demo.captures[0].holds.records);
    assert_eq!(report.new_by_kind.values().sum::<u64>(), report.new_records, "{:?}", report.new_by_kind);
}

/// A line is a page of its own: a broken one among sound ones is refused by its place, the others come in.
#[tokio::test]
async fn a_broken_line_is_named_and_nothing_of_it_is_kept() {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = channel(&channels, "dwv-x");
    let lines = std::fs::read(&demo.captures[0].path).unwrap();
    let broken = [&b"{\"data\": [Kromosoeto]}\n"[..], &lines].concat();
    let report = vault.ingest_bytes(&demo.channel, &broken).await.unwrap();
    assert_eq!(report.new_records, demo.captures[0].holds.records);
    assert_eq!(report.refused.len(), 1, "{:?}", report.refused);
    assert!(
        report.refused[0].starts_with("line 1,") && !report.refused[0].contains(PLANTED),
        "{:?}",
        report.refused
    );
    let rows = vault.archive.catalogue.fragments_of_capture(vault.last_capture().await).await.unwrap();
    let first = rows.iter().flat_map(|row| ranges(&row.ranges)).map(|range| range.start).min().unwrap();
    assert!(first >= 20, "a piece of the broken line was sealed");
}

/// Puts another capture in the place of the file when it is about to be read for the second time.
struct Replacing {
    file: PathBuf,
    with: Vec<u8>,
    readings: AtomicU32,
}

impl CaptureReader for Replacing {
    fn begin<'a>(
        &self,
        source: &CaptureSource,
        own: Box<dyn BufRead + 'a>,
        format: Option<Format>,
        limits: Limits,
    ) -> Result<Box<dyn Units + 'a>, CaptureError> {
        if self.readings.fetch_add(1, Ordering::Relaxed) == 1 {
            std::fs::write(&self.file, &self.with).unwrap();
        }
        InProcess.begin(source, own, format, limits)
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_between_the_look_and_the_intake_is_not_complete() {
    let (mut vault, channels) = TestVault::demo(1).await;
    let demo = channel(&channels, "dwv-x");
    let first = std::fs::read(&demo.captures[0].path).unwrap();
    let text = String::from_utf8(first.clone()).unwrap();
    let file = vault.folder().join("capture.jsonl");
    let at = text.find("202").unwrap(); // a year
    let changed = format!("{}203{}", &text[..at], &text[at + 3..]);
    assert_ne!(changed, text);
    // One more batch than the last, which is held back.
    for (batch_records, stays) in [(2_000, false), (5, true)] {
        std::fs::write(&file, &first).unwrap();
        vault.rules.batch_records = batch_records;
        let with = changed.clone().into_bytes();
        vault.rules.reader = Arc::new(Replacing { file: file.clone(), with, readings: AtomicU32::new(0) });
        let Err(error) = vault.ingest(&demo.channel, &file).await else { panic!("taken in") };
        assert!(matches!(error, VaultError::Changed) && !error.is_of_capture(), "{error:?}");
        assert!(error.to_string().contains("changed while it was taken in"), "{error}");
        let counts = vault.archive.catalogue.counts().await.unwrap();
        assert_eq!(counts.versions > 0, stays, "{counts:?}");
        let states = states(&vault).await;
        assert!(states.iter().all(|state| state == "interrupted"), "{states:?}");
    }
    vault.rules.reader = Arc::new(InProcess);
    let report = vault.ingest(&demo.channel, &file).await.unwrap();
    assert!(!report.same_capture && report.new_records + report.already_there > 0, "{report:?}");
    assert_eq!(states(&vault).await, ["interrupted", "interrupted", "complete"]);
}

async fn states(vault: &TestVault) -> Vec<String> {
    sqlx::query_scalar("SELECT state FROM capture ORDER BY id")
        .fetch_all(vault.archive.catalogue.database().write())
        .await
        .unwrap()
}
