//! Witnesses: a small one that signs, and what is taken in of what it says.

use super::log::Log;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use knik::ledger::{Checkpoint, Hash, WitnessKey};
use knik::vault::cosign::{Witnesses, accept};
use knik::vault::standing;
use knik::vault::verify::{Trust, verify_exported, verify_ledger};
use std::fs;
use std::sync::Arc;

/// A witness that signs whatever checkpoint it is shown (C2SP tlog-cosignature).
pub struct Witness {
    pair: Ed25519KeyPair,
    pub key: WitnessKey,
}

impl Witness {
    pub fn new(name: &str, seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = WitnessKey::new(name.parse().unwrap(), pair.public_key().as_ref().try_into().unwrap());
        Self { pair, key }
    }

    /// The checkpoint with the witness's line added to it.
    pub fn cosign(&self, note: &str, seconds: i64) -> String {
        let text = &note[..note.find("\n\n").unwrap() + 1];
        let signature = self.pair.sign(format!("cosignature/v1\ntime {seconds}\n{text}").as_bytes());
        let blob = [&self.key.key_id()[..], &seconds.to_be_bytes(), signature.as_ref()].concat();
        format!("{note}\u{2014} {} {}\n", self.key.name(), STANDARD.encode(blob))
    }
}

/// A log with witnesses configured.
async fn witnessed(entries: u64, witnesses: &[&Witness], required: usize) -> Log {
    let mut log = Log::of(entries, entries, &[]).await;
    let logs = Arc::get_mut(&mut log.0.archive.logs).unwrap();
    logs.witnesses = Witnesses { keys: witnesses.iter().map(|one| one.key.clone()).collect(), required };
    log
}

fn now(log: &Log) -> i64 {
    log.0.archive.sources.now().seconds()
}

async fn refused(log: &Log, note: &str, witness: &Witness, words: &str) {
    let error = accept(&log.0.archive, note, &witness.key).await.unwrap_err().to_string();
    assert!(error.contains("refused") && error.contains(words), "{error}");
}

#[tokio::test]
async fn a_cosignature_is_kept_beside_the_checkpoint_and_checked() {
    let (one, two) = (Witness::new("one.example", 2), Witness::new("two.example", 3));
    let log = witnessed(30, &[&one, &two], 2).await;
    let unwitnessed = log.look(None).await.first_wrong.unwrap();
    assert!(unwitnessed.contains("cosigned by 2"), "{unwitnessed}");
    let note = log.checkpoint().await;
    let accepted = accept(&log.0.archive, &one.cosign(&note, now(&log)), &one.key).await.unwrap();
    assert_eq!((accepted.size, &accepted.witness), (30, one.key.name()));
    assert!(log.look(None).await.first_wrong.unwrap().contains("1 at the most"));
    // A note that several signed: the line of the one who is named is taken.
    let both = two.cosign(&one.cosign(&note, now(&log)), now(&log) + 1);
    accept(&log.0.archive, &both, &two.key).await.unwrap();
    log.add(30..50, 50).await;
    let seen = log.look(None).await;
    assert_eq!((seen.first_wrong.as_deref(), seen.cosignatures), (None, 2));
    let standing = standing::of(&log.0.archive).await.unwrap();
    assert_eq!((standing.logs[0].size, standing.logs[0].cosigned), (50, Some(30)));

    let folder = log.export("out").await;
    let trust = |witnesses, witnesses_required| Trust {
        keys: log.trust().keys,
        witnesses,
        witnesses_required,
        ..Trust::default()
    };
    let whole = trust(vec![one.key.clone(), two.key.clone()], 2);
    let seen = verify_exported(&folder, &whole, &[]).await.unwrap();
    assert_eq!((seen.first_wrong.as_deref(), seen.cosignatures), (None, 2));
    let seen = verify_exported(&folder, &trust(vec![one.key.clone()], 2), &[]).await.unwrap();
    assert!(
        seen.first_wrong.unwrap().contains("1 at the most"),
        "a witness that is not trusted does not count"
    );
    assert!(seen.warnings.iter().any(|warning| warning.contains("two.example")), "{:?}", seen.warnings);
    let file = folder.join("cosigned/30");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("one.example ", "one.example A")).unwrap();
    let seen = verify_exported(&folder, &whole, &[]).await.unwrap();
    assert!(seen.first_wrong.is_some(), "a line that was changed");
}

#[tokio::test]
async fn a_false_foreign_or_stale_cosignature_is_refused() {
    let (own, stranger) = (Witness::new("own.example", 2), Witness::new("own.example", 9));
    let log = witnessed(30, &[&own], 1).await;
    let note = log.checkpoint().await;
    let (seconds, good) = (now(&log), own.cosign(&note, now(&log)));
    refused(&log, &stranger.cosign(&note, seconds), &stranger, "ledger.witnesses").await;
    refused(&log, &note, &own, "not cosigned").await;
    refused(&log, &stranger.cosign(&note, seconds), &own, "not cosigned").await;
    refused(&log, &own.cosign(&note, seconds + 3_600), &own, "future").await;
    refused(&log, "nonsense", &own, "malformed").await;
    let other_text = own.cosign(&note.replace("\n30\n", "\n29\n"), seconds);
    refused(&log, &other_text.replace("\n29\n", "\n30\n"), &own, "false").await;
    refused(&log, &other_text, &own, "not signed").await;
    let foreign = knik::ledger::LogKey::from_seed("other.example/vault".parse().unwrap(), &[5; 32]).unwrap();
    let head =
        Checkpoint::new(foreign.verifier().origin().clone(), 30, Hash::empty()).sign(&foreign).unwrap();
    refused(&log, &own.cosign(&head, seconds), &own, "not signed").await;
    let fork = Log::of(30, 10, &[]).await.checkpoint().await;
    refused(&log, &own.cosign(&fork, seconds), &own, "does not contain").await;
    let further = Log::of(40, 40, &[]).await.checkpoint().await;
    refused(&log, &own.cosign(&further, seconds), &own, "does not contain").await;

    accept(&log.0.archive, &good, &own.key).await.unwrap();
    refused(&log, &good, &own, "stale").await;
    refused(&log, &own.cosign(&note, seconds - 60), &own, "stale").await;
    let earlier = Log::of(20, 20, &[]).await.checkpoint().await;
    refused(&log, &own.cosign(&earlier, seconds + 1), &own, "stale").await;
    accept(&log.0.archive, &own.cosign(&note, seconds + 2), &own.key).await.unwrap();
    assert_eq!(log.look(None).await.cosignatures, 1, "the newest of a witness over a checkpoint is kept");
}

#[tokio::test]
async fn a_rollback_and_a_fork_are_found_against_what_witnesses_cosigned() {
    let own = Witness::new("own.example", 2);
    let log = witnessed(40, &[&own], 1).await;
    accept(&log.0.archive, &own.cosign(&log.checkpoint().await, now(&log)), &own.key).await.unwrap();
    let row = log.0.archive.journal.cosignatures(log.origin()).await.unwrap().remove(0);
    for (entries, fork, words) in [(30, 30, "rolled back"), (60, 20, "forked")] {
        let other = witnessed(0, &[&own], 1).await;
        other.add(0..entries, fork).await;
        other.0.archive.journal.keep_cosignature(other.origin(), &row).await.unwrap();
        let seen = verify_ledger(&other.0.archive, &other.trust(), &[]).await.unwrap();
        let bad = seen.first_bad.unwrap();
        assert!(bad.what.contains(words) && bad.what.contains("own.example cosigned"), "{}", bad.what);
    }
}
