//! What was destroyed, beside the copies of the logs in the second place. A backup knows nothing of what came
//! in after it: put back, it would take in again what was destroyed since. So the names of destroyed records,
//! as digests under the suppression key, and the ids of the records are kept there too.
//!
//! Whoever lacks the suppression key learns from it how much was destroyed, and nothing of what. A file is
//! named by a digest of what it holds under that key: one that was changed, or is of another archive, is not
//! believed.

use super::{Archive, VaultError};
use crate::model::{ConversationId, ItemDigest, RecordId};
use crate::seal::DigestKey;
use crate::store::catalogue::Destroyed;
use crate::store::effect::Effect;
use crate::store::{StoreError, files};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use tokio::fs;

/// The folder in the second place.
const FOLDER: &str = "destroyed";
/// The first line of each file.
const HEAD: &str = "knik-destroyed-1";

/// What a second place says was destroyed.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Records.
    pub(super) records: BTreeSet<RecordId>,
    /// Names of records, each with its thread.
    pub(super) names: Vec<(ItemDigest, ConversationId)>,
}

/// Copies what was destroyed and does not lie there yet. Before the log goes there, so that what an entry in
/// that copy says was destroyed can be refused.
///
/// # Errors
/// When the database or the folder fails: it is copied with the next head.
pub(super) async fn copy(archive: &Archive, second_place: &Path) -> Result<(), VaultError> {
    let place = second_place.join(FOLDER);
    let fresh = archive.catalogue.destroyed_uncopied().await?;
    if fresh.is_empty() && (place.is_dir() || !archive.catalogue.suppresses().await?) {
        return Ok(());
    }
    // A second place that is new begins with all of it.
    let whole = files::names_in(&place).await?.is_empty();
    let written = if whole { archive.catalogue.destroyed_all().await? } else { fresh.clone() };
    fs::create_dir_all(&place).await.map_err(StoreError::file("cannot make folder", &place))?;
    let text = text_of(&written);
    let path = place.join(name_of(&archive.suppression, &text));
    let copied = Effect::CheckpointCopied.of(files::replace(&path, text.as_bytes())).await;
    copied.map_err(StoreError::file("cannot write", &path))?;
    Ok(archive.catalogue.destroyed_copied(&fresh).await?)
}

/// What lies there; nothing when there is no such folder. A file that is not of this archive is passed over.
///
/// # Errors
/// When the folder is there and cannot be read.
pub(super) async fn read(archive: &Archive, second_place: &Path) -> Result<Copied, VaultError> {
    let place = second_place.join(FOLDER);
    let mut copied = Copied::default();
    for name in files::names_in(&place).await? {
        let path = place.join(&name);
        let text = fs::read(&path).await.map_err(StoreError::file("cannot read", &path))?;
        let text = String::from_utf8_lossy(&text);
        if name_of(&archive.suppression, &text) == name {
            copied.take_up(&text);
        } else {
            tracing::warn!(file = name, "is no list of what this archive destroyed, and is passed over");
        }
    }
    Ok(copied)
}

impl Copied {
    fn take_up(&mut self, text: &str) {
        for line in text.lines().skip(1) {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["record", id] => self.records.extend(id.parse().ok().map(RecordId::from_uuid)),
                ["name", digest, thread] => self.names.extend(named(digest, thread)),
                _ => {}
            }
        }
    }
}

fn named(digest: &str, thread: &str) -> Option<(ItemDigest, ConversationId)> {
    let kept = u128::from_str_radix(digest, 16).ok()?.to_be_bytes();
    Some((ItemDigest::from_kept(kept), ConversationId::from_uuid(thread.parse().ok()?)))
}

fn text_of(destroyed: &[Destroyed]) -> String {
    let mut text = format!("{HEAD}\n");
    for one in destroyed {
        // Writing to a string does not fail.
        let _ = match one {
            Destroyed::Record(record) => writeln!(text, "record {}", record.uuid()),
            Destroyed::Name(name, thread) => writeln!(text, "name {} {}", hex(name), thread.uuid()),
        };
    }
    text
}

/// The name of a file with this text.
fn name_of(key: &DigestKey, text: &str) -> String {
    hex(&key.digest("destroyed-copy", &[text.as_bytes()]))
}

fn hex(digest: &ItemDigest) -> String {
    format!("{:032x}", u128::from_be_bytes(*digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_was_changed_has_another_name() {
        let (record, thread) = (uuid::Uuid::from_u128(7), uuid::Uuid::from_u128(9));
        let key = DigestKey::from_bytes(&[3; 32]);
        let name = key.digest("suppressed", &[b"9001"]);
        let text = text_of(&[
            Destroyed::Record(RecordId::from_uuid(record)),
            Destroyed::Name(name, ConversationId::from_uuid(thread)),
        ]);
        let mut copied = Copied::default();
        copied.take_up(&text);
        assert_eq!(copied.records, [RecordId::from_uuid(record)].into());
        assert_eq!(copied.names, [(name, ConversationId::from_uuid(thread))]);
        let shorter = text.lines().take(2).collect::<Vec<_>>().join("\n");
        assert_ne!(name_of(&key, &shorter), name_of(&key, &text));
        assert_ne!(name_of(&DigestKey::from_bytes(&[4; 32]), &text), name_of(&key, &text));
    }
}
