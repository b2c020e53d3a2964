//! Intake: a capture becomes sealed originals, decisions and projections.
//!
//! A capture is first read to its end without taking anything in (a file that is cut short leaves nothing
//! behind); then batch after batch is sealed, written, and committed in one transaction. The same capture twice
//! adds nothing; a batch that did not commit leaves at most an object without a key, which counts as destroyed.

mod batch;
mod counts;
mod files;
mod resolve;
mod rows;

pub(super) use rows::publish_row;

use self::batch::Work;
use self::files::Files;
use super::minimise;
use super::publish;
use super::source::CaptureSource;
use super::suppress;
use super::survey::{Metered, Survey, none_at_all, survey};
use super::{Archive, Rules, VaultError};
use crate::capture::{CaptureError, Format, Unit};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ByteRange, CaptureId, ItemDigest, ItemKind, Outcome, Platform, Role};
use crate::store::catalogue::{CaptureState, Channel, ChannelFact};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// What an intake did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestReport {
    /// The format given or recognised.
    pub format: String,
    /// Records that are new.
    pub new_records: u64,
    /// The same by kind.
    pub new_by_kind: BTreeMap<ItemKind, u64>,
    /// New versions of records that were there.
    pub new_versions: u64,
    /// Pages of the web out of an archive that are new: sealed, never projected, and no records.
    #[serde(skip_serializing_if = "none_at_all")]
    pub new_pages: u64,
    /// Pictures, films and sounds of an archive that are new: sealed each by itself, never projected, and no records.
    #[serde(skip_serializing_if = "none_at_all")]
    pub new_attachments: u64,
    /// Records that were there already, in the same version. When the very same file had come in: all of it
    /// but what was refused.
    pub already_there: u64,
    /// Items that the minimisation profile refuses, by rule: not taken in, and nothing of them is kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub minimised: BTreeMap<String, u64>,
    /// Members that it left out before sealing, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// Records that were destroyed before and are refused.
    #[serde(skip_serializing_if = "none_at_all")]
    pub suppressed: u64,
    /// Acts (likes, boosts): sealed with the capture and counted.
    pub acts: u64,
    /// Deletions that became known.
    pub deleted: u64,
    /// New records and versions that say they were edited.
    pub edited: u64,
    /// New records that were not open to everyone: sealed, never projected.
    pub not_public: u64,
    /// What was decided on new versions.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// What was not taken in, with place and mend.
    pub refused: Vec<String>,
    /// Whether the very same file had come in before, under the minimisation profile that is in force now and
    /// in the same version of it: then nothing was added.
    pub same_capture: bool,
    /// Size of the capture in bytes.
    pub size_bytes: u64,
    /// Records withheld because their redaction was not certain.
    pub uncertain: u64,
    /// Records withheld because they are flagged and nobody judged that yet.
    pub flagged: u64,
}

/// Hears how far an intake is: bytes done of two passes over the file, of bytes in all.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// An intake that tells nobody how far it is.
#[must_use]
pub fn silent() -> Progress {
    Arc::new(|_, _| {})
}

/// Who delivers: a person or machine behind a token, or nobody (the command line).
pub type Deliverer = Option<(ActorId, Role)>;

/// A capture as it is handed over.
#[derive(Debug)]
pub struct Delivery {
    /// Its bytes.
    pub source: CaptureSource,
    /// Its format; recognised when none is named.
    pub format: Option<Format>,
    /// Who delivers it.
    pub by: Deliverer,
    /// Take nothing in when any piece of it would be skipped.
    pub strict: bool,
}

impl Delivery {
    /// A capture whose format is recognised, delivered by nobody in particular; pieces that cannot be read are
    /// skipped.
    #[must_use]
    pub const fn of(source: CaptureSource) -> Self {
        Self { source, format: None, by: None, strict: false }
    }
}

/// Most bytes of a capture in one batch, beside the limit on records.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Takes in a capture of a channel.
///
/// # Errors
/// [`VaultError::Capture`] when the file is not sound, [`VaultError::Input`] when channel and format do not fit,
/// [`VaultError::Skipped`] when a strict delivery has pieces that cannot be read: nothing was taken in, and the ledger
/// says so. When storage fails midway, or the file was changed while it was taken in ([`VaultError::Changed`]), the batches
/// before stand and the capture counts as interrupted; a second delivery adds the rest.
pub async fn ingest(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    delivery: Delivery,
    progress: Progress,
) -> Result<IngestReport, VaultError> {
    let by = delivery.by;
    let taken = take_in(archive, rules, channel, delivery, progress).await;
    if let Some(why) = taken.as_ref().err().and_then(why_refused) {
        record_refusal(archive, channel, by, why).await?;
    }
    taken
}

/// Why a capture that is itself at fault is refused, as a code.
const fn why_refused(error: &VaultError) -> Option<&'static str> {
    match error {
        _ if !error.is_of_capture() => None,
        VaultError::Skipped(_) => Some("pieces-unreadable"),
        VaultError::Input(_) => Some("does-not-fit"),
        VaultError::Layout => Some("layout"),
        _ => Some("not-sound"),
    }
}

async fn record_refusal(
    archive: &Archive,
    channel: &Channel,
    by: Deliverer,
    why: &'static str,
) -> Result<(), VaultError> {
    let sources = &archive.sources;
    let mut entry = Entry::new(sources.entry_id()?, EntryKind::CaptureRefused, sources.now())
        .of(channel.organisation.clone())
        .about([Thing::Channel(channel.id.clone())])
        .because([why.parse::<Code>()?]);
    if let Some((actor, role)) = by {
        entry = entry.by(actor, role);
    }
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(entry)?, None).await?;
    Ok(())
}

async fn take_in(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    delivery: Delivery,
    progress: Progress,
) -> Result<IngestReport, VaultError> {
    let Delivery { source, format, by: deliverer, strict } = delivery;
    let source = Arc::new(source);
    let (format, mut looked) = look(archive, rules, &source, format, &progress).await?;
    check_channel(channel, format, &looked)?;
    if strict && !looked.refused.is_empty() {
        return Err(VaultError::Skipped(looked.refused));
    }
    let mut report = IngestReport {
        format: looked.format.clone(),
        acts: looked.acts,
        deleted: looked.deleted,
        refused: looked.refused.clone(),
        size_bytes: looked.size_bytes,
        ..IngestReport::default()
    };
    let digest = looked.digest.ok_or(VaultError::Stopped)?;
    let facts = archive.catalogue.channel_facts(&channel.id).await?;
    // A profile that is not there refuses before anything is taken in.
    let under = minimise::under(rules, channel, &facts, archive.sources.now())?;
    if let Some(same) = archive.catalogue.same_capture(&channel.id, digest, &under).await? {
        report.same_capture = true;
        report.minimised = archive.catalogue.refused_of(same).await?;
        let of_records = report.minimised.iter().filter(|(rule, _)| *rule != files::RULE);
        report.already_there = looked.records.saturating_sub(of_records.map(|(_, n)| n).sum());
        return Ok(report);
    }
    let mut destroyed = Vec::new();
    if looked.encoded {
        destroyed = suppress::containers(archive, rules, channel, &source, format).await?;
        destroyed.extend(minimise::containers(archive, rules, channel, &facts, &source, format).await?);
    }
    let capture = CaptureId::from_uuid(archive.sources.ordered_id()?);
    let work = Work::of((archive, rules, channel, &facts), capture, format);
    let files = Arc::new(Files::look(archive, work, &source, std::mem::take(&mut looked.files)).await?);
    destroyed.extend(&files.containers);
    let now = archive.sources.now();
    archive.catalogue.open_capture(capture, &channel.organisation, &channel.id, format.as_str(), now).await?;
    let intake = Intake {
        archive,
        rules,
        channel,
        facts: &facts,
        capture,
        format,
        deliverer,
        destroyed: &destroyed,
        files: &files,
    };
    let taken = intake.run(&source, &looked, &progress, &mut report).await;
    let state = if taken.is_ok() { CaptureState::Complete } else { CaptureState::Interrupted };
    archive.catalogue.close_capture(capture, state, Some((digest, &under)), looked.size_bytes).await?;
    taken?;
    publish::refresh_stale(archive, rules).await?;
    Ok(report)
}

/// The first pass.
async fn look(
    archive: &Archive,
    rules: &Rules,
    source: &Arc<CaptureSource>,
    format: Option<Format>,
    progress: &Progress,
) -> Result<(Format, Survey), VaultError> {
    let (source, progress) = (Arc::clone(source), Arc::clone(progress));
    let (limits, through, key) = (rules.limits, Arc::clone(&rules.reader), Arc::clone(&archive.digests));
    let twice = source.size_bytes().unwrap_or_default().saturating_mul(2);
    let looked = tokio::task::spawn_blocking(move || {
        survey(&source, &*through, format, limits, Some(&key), &mut |done| progress(done, twice))
    });
    Ok(looked.await??)
}

fn check_channel(channel: &Channel, format: Format, looked: &Survey) -> Result<(), VaultError> {
    // What is in a container, or in a table of several platforms, says itself where it was posted; a page of the
    // web may stand beside it.
    let several = format.is_container() || format.platform() == Platform::Other;
    let own = if several { None } else { Some(format.platform()) };
    let found = looked.platforms.iter().copied().filter(|platform| *platform != Platform::Web);
    if let Some(other) = own.into_iter().chain(found).find(|platform| *platform != channel.platform) {
        return Err(VaultError::Input(format!(
            "channel `{}` is on {}, the capture is of {other}; name the right channel or format",
            channel.id, channel.platform,
        )));
    }
    let stated = [&channel.purpose, &channel.legal_basis, &channel.duty_source, &channel.dpia];
    if stated.iter().any(|text| text.trim().is_empty()) {
        return Err(VaultError::Input(format!(
            "channel `{}` states no purpose, legal basis, source of the duty to archive or DPIA reference; \
             nothing is taken in without them",
            channel.id
        )));
    }
    Ok(())
}

/// One intake of one capture.
struct Intake<'a> {
    archive: &'a Archive,
    rules: &'a Rules,
    channel: &'a Channel,
    facts: &'a [ChannelFact],
    capture: CaptureId,
    format: Format,
    deliverer: Deliverer,
    /// Where containers stand that hold something destroyed.
    destroyed: &'a [ByteRange],
    /// What becomes of its files.
    files: &'a Arc<Files>,
}

impl Intake<'_> {
    async fn run(
        &self,
        source: &Arc<CaptureSource>,
        looked: &Survey,
        progress: &Progress,
        report: &mut IngestReport,
    ) -> Result<(), VaultError> {
        let (batches, mut waiting) = mpsc::channel(1);
        let done = Arc::new(AtomicU64::new(0));
        let parser = self.parse(Arc::clone(source), batches, Arc::clone(&done), looked.digest);
        let mut failed = None;
        while let Some(units) = waiting.recv().await {
            if let Err(error) = self.take_in(units, report).await {
                failed = Some(error);
                break;
            }
            progress(looked.size_bytes + done.load(Ordering::Relaxed), looked.size_bytes * 2);
        }
        drop(waiting);
        let parsed = parser.await?;
        failed.map_or(parsed, Err)
    }

    /// The second pass, on a thread of its own, one batch ahead. The last batch is given on only when what was read is
    /// what was looked at, byte for byte.
    fn parse(
        &self,
        source: Arc<CaptureSource>,
        batches: mpsc::Sender<Vec<Unit>>,
        done: Arc<AtomicU64>,
        expected: Option<ItemDigest>,
    ) -> tokio::task::JoinHandle<Result<(), VaultError>> {
        let (format, limits, most) = (self.format, self.rules.limits, self.rules.batch_records);
        let (through, key) = (Arc::clone(&self.rules.reader), Arc::clone(&self.archive.digests));
        tokio::task::spawn_blocking(move || {
            let mut metered = Metered::of(source.reader().map_err(CaptureError::Read)?, true);
            let own = Box::new(BufReader::with_capacity(1 << 18, &mut metered));
            let (mut batch, mut items, mut bytes) = (Vec::new(), 0, 0);
            for unit in through.begin(&source, own, Some(format), limits)? {
                let unit = unit?;
                items += unit.items.len();
                bytes += unit.bytes.len();
                if unit.within.is_none() {
                    done.store(unit.offset + unit.bytes.len() as u64, Ordering::Relaxed);
                }
                batch.push(unit);
                if items >= most || bytes >= BATCH_BYTES_MAX {
                    (items, bytes) = (0, 0);
                    if batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                        return Ok(());
                    }
                }
            }
            if metered.finish(&key) != expected {
                return Err(VaultError::Changed);
            }
            if !batch.is_empty() {
                let _receiver_gone = batches.blocking_send(batch);
            }
            Ok(())
        })
    }

    fn entry(&self, counts: &counts::Counts) -> Result<Pending, VaultError> {
        let sources = &self.archive.sources;
        let mut entry = Entry::new(sources.entry_id()?, EntryKind::CaptureIngested, sources.now())
            .of(self.channel.organisation.clone())
            .about([Thing::Capture(self.capture), Thing::Channel(self.channel.id.clone())]);
        if let Some((actor, role)) = self.deliverer {
            entry = entry.by(actor, role);
        }
        for (what, count) in counts.words() {
            let code: Code = what.parse()?;
            entry = entry.counting(code, count);
        }
        Ok(Pending::event(entry)?)
    }
}
