//! The look before the intake: a capture is read once as a whole before any of it is taken in, so that a file
//! that is cut short or broken leaves nothing behind.

use super::names::path;
use super::reading::CaptureReader;
use super::source::CaptureSource;
use crate::capture::{CaptureError, Format, Item, Limits, Refusal, RefusalReason, Shelf, Tally};
use crate::model::{ItemDigest, ItemKind, Platform};
use crate::seal::DigestKey;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;

/// What a capture holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Survey {
    /// The format given or recognised.
    pub format: String,
    /// Distinct content objects.
    pub records: u64,
    /// Distinct acts (likes, boosts).
    pub acts: u64,
    /// Deletions the capture tells of.
    pub deleted: u64,
    /// Records that were not open to everyone.
    pub not_public: u64,
    /// Pages of the web out of an archive: sealed, and no records.
    #[serde(skip_serializing_if = "none_at_all")]
    pub pages: u64,
    /// Pictures, films and sounds of an archive: sealed each by itself, and no records.
    #[serde(skip_serializing_if = "none_at_all")]
    pub attachments: u64,
    /// What cannot be taken in, with place and mend.
    pub refused: Vec<String>,
    /// The platforms its items are of; more than one only in a container.
    #[serde(skip)]
    pub platforms: BTreeSet<Platform>,
    /// Whether items stand encoded in it (compressed, chunked).
    #[serde(skip)]
    pub encoded: bool,
    /// Size in bytes.
    #[serde(skip)]
    pub size_bytes: u64,
    /// The files in it, by the digest of their names, and how many bytes each has; none without a key.
    #[serde(skip)]
    pub files: HashMap<ItemDigest, u64>,
    /// Keyed digest over all bytes; `None` without a key.
    #[serde(skip)]
    pub digest: Option<ItemDigest>,
}

/// Files of which it is known what they are attached to; more than that no archive holds that is not nested in others.
const FILES_MAX: usize = 1 << 18;

/// Refusals that are listed one by one; more are counted.
const REFUSED_LISTED: usize = 1_000;

/// Has a capture read to its end without taking anything in. `progress` hears how many bytes have been read.
///
/// # Errors
/// [`CaptureError`] when the file as a whole is not sound.
pub fn survey(
    source: &CaptureSource,
    through: &dyn CaptureReader,
    format: Option<Format>,
    limits: Limits,
    key: Option<&DigestKey>,
    progress: &mut dyn FnMut(u64),
) -> Result<(Format, Survey), CaptureError> {
    let mut metered = Metered::of(source.reader()?, key.is_some());
    let own = Box::new(BufReader::with_capacity(1 << 18, &mut metered));
    let mut reader = through.begin(source, own, format, limits)?;
    let format = reader.format();
    let (mut tally, mut refused, mut more) = (Tally::over(in_a_file), Vec::new(), 0_u64);
    let (mut platforms, mut encoded) = (BTreeSet::new(), false);
    let mut cut_short = None;
    let mut files = HashMap::new();
    for unit in &mut reader {
        let unit = unit?;
        tally.add(&unit)?;
        platforms.extend(unit.items.iter().map(|item| item.platform));
        encoded |= unit.within.is_some();
        if let Some(key) = key.filter(|_| files.len() < FILES_MAX) {
            let attachments = unit.items.iter().filter(|item| item.kind == ItemKind::Attachment);
            let size = |item: &Item| item.media_size_bytes.iter().sum::<u64>();
            let sized =
                attachments.flat_map(|item| item.names.iter().map(|name| (path(key, name), size(item))));
            files.extend(sized);
        }
        if unit.within.is_none() {
            progress(unit.offset + unit.bytes.len() as u64);
        }
        // What is cut short inside a container is sealed with it.
        let in_file = |refusal: &&Refusal| refusal.place.within.is_none();
        cut_short = unit
            .refused
            .iter()
            .filter(in_file)
            .rfind(|refusal| refusal.reason == RefusalReason::Truncated)
            .cloned();
        for refusal in &unit.refused {
            if refused.len() < REFUSED_LISTED {
                refused.push(refusal.to_string());
            } else {
                more += 1;
            }
        }
    }
    drop(reader);
    if more > 0 {
        refused.push(format!("and {more} more"));
    }
    let size_bytes = metered.size_bytes;
    // A last line without its end: the file is cut short, and what was cut off nobody knows.
    if let Some(refusal) = cut_short.filter(|refusal| refusal.range.end >= size_bytes) {
        return Err(refusal.into());
    }
    let digest = key.and_then(|key| metered.finish(key));
    let counts = tally.counts()?;
    let survey = Survey {
        format: format.to_string(),
        records: counts.records,
        acts: counts.acts,
        deleted: counts.deleted,
        not_public: counts.not_public,
        pages: counts.pages,
        attachments: counts.attachments,
        refused,
        platforms,
        encoded,
        size_bytes,
        files,
        digest,
    };
    Ok((format, survey))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(super) const fn none_at_all(count: &u64) -> bool {
    *count == 0
}

/// A file without a name, which is gone with the process.
struct Unnamed(File);

fn in_a_file() -> io::Result<Box<dyn Shelf>> {
    Ok(Box::new(Unnamed(tempfile::tempfile()?)))
}

impl Shelf for Unnamed {
    fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        self.0.write_all(piece)
    }

    fn read(&self, from: usize, into: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(into, from as u64)
    }
}

/// Counts and digests what passes through.
pub(super) struct Metered {
    inner: Box<dyn BufRead + Send>,
    digest: Option<aws_lc_rs::digest::Context>,
    size_bytes: u64,
}

impl Metered {
    pub(super) fn of(inner: Box<dyn BufRead + Send>, digested: bool) -> Self {
        let digest = digested.then(|| aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256));
        Self { inner, digest, size_bytes: 0 }
    }

    /// The keyed digest of what passed through; none when it was not digested.
    pub(super) fn finish(self, key: &DigestKey) -> Option<ItemDigest> {
        let hash = self.digest?.finish();
        Some(key.digest("capture", &[hash.as_ref()]))
    }
}

impl Read for Metered {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.size_bytes += count as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(to.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_by_is_read_back() {
        let mut shelf = in_a_file().unwrap();
        shelf.put(b"een").unwrap();
        shelf.put(b"twee").unwrap();
        let mut read = [0; 4];
        shelf.read(2, &mut read).unwrap();
        assert_eq!(&read, b"ntwe");
        assert!(shelf.read(4, &mut read).is_err());
    }
}
