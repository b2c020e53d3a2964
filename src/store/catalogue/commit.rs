//! The commit point of ingest: everything of one batch becomes visible together, or nothing does.

use super::Catalogue;
use super::anew::insert_answered;
use super::attached::{NamedFile, insert_attached};
use super::decided::{AnswerRow, MinimisedRow, insert_minimised, insert_refused};
use super::find::FindRow;
use super::find_postings::insert_numbered;
use super::flags::{FlagRow, insert_flags};
use super::formal::insert_formal;
use super::insert::{insert_names, insert_records, insert_subjects, kept_visibility};
use super::numbers::Numbers;
use super::reviewing::insert_doubts;
use super::sentiment::{SentimentRow, insert_sentiment, merge_sentiment};
use super::statements::{DecisionSetRow, insert_set};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    CaptureId, ChannelId, ConversationId, FragmentId, ItemDigest, ItemKind, OrganisationId, Outcome,
    ProjectionId, RecordId, SegmentId, SubjectRef, Timestamp, VersionId, Visibility,
};
use crate::seal::Epoch;
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes, digests, insert_all};
use sqlx::{Any, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// A segment that has been written to object storage.
#[derive(Debug)]
pub struct SegmentRow {
    /// Its name.
    pub id: SegmentId,
    /// Which capture it holds part of.
    pub capture: CaptureId,
    /// Its key, wrapped by the organisation's master key.
    pub wrapped_key: Vec<u8>,
    /// Whose master key is above it.
    pub master_key: String,
    /// Which epoch key wrapped it.
    pub epoch: Option<Epoch>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the object (ciphertext), for fixity.
    pub digest: [u8; 32],
}

/// A fragment with its wrapped key: a row of the key table.
#[derive(Debug)]
pub struct FragmentRow {
    /// Its id.
    pub id: FragmentId,
    /// Where it is sealed.
    pub segment: SegmentId,
    /// `own`, `residue`, or the role of shared bytes.
    pub kind: String,
    /// Its key, wrapped by the segment's key.
    pub wrapped_key: Vec<u8>,
    /// First byte of its envelope in the segment.
    pub place: u64,
    /// Size of its envelope in bytes.
    pub size_bytes: u64,
    /// Where its bytes stood in the capture: pairs of file offsets, 8 bytes each, big endian.
    pub ranges: Vec<u8>,
}

/// A record seen for the first time.
#[derive(Debug)]
pub struct RecordRow {
    /// Its id.
    pub id: RecordId,
    /// Whose channel it was captured for.
    pub organisation: OrganisationId,
    /// Which channel.
    pub channel: ChannelId,
    /// The thread it belongs to.
    pub conversation: ConversationId,
    /// What it is.
    pub kind: ItemKind,
    /// Who could see it.
    pub visibility: Visibility,
    /// When it was posted, if stated.
    pub posted_at: Option<Timestamp>,
    /// When the version in force was edited, if it was.
    pub edited_at: Option<Timestamp>,
    /// Whether the organisation itself posted it.
    pub own: bool,
    /// Why no view of it may exist (`deleted`, `superseded`).
    pub withheld: Option<&'static str>,
    /// Its version in force.
    pub version: VersionId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// What was decided.
    pub outcome: Outcome,
    /// The name of the item that it answers.
    pub answers: Option<ItemDigest>,
}

/// A name of an item, as a keyed digest.
#[derive(Debug)]
pub struct NameRow {
    /// The keyed digest.
    pub digest: ItemDigest,
    /// The record it names, when that is known.
    pub record: Option<RecordId>,
    /// The thread it belongs to, when that is known.
    pub conversation: Option<ConversationId>,
    /// Set when the item is known to be deleted or superseded.
    pub withheld: Option<&'static str>,
}

/// A version of a record.
#[derive(Debug)]
pub struct VersionRow {
    /// Its id.
    pub id: VersionId,
    /// Of which record.
    pub record: RecordId,
    /// Keyed digest of the fields that carry meaning.
    pub digest: ItemDigest,
    /// In which capture.
    pub capture: CaptureId,
    /// When it was captured.
    pub observed_at: Timestamp,
    /// How the original is put together.
    pub parts: Vec<u8>,
    /// Under which names it was delivered.
    pub names: Vec<ItemDigest>,
    /// Which ruleset looked at it.
    pub ruleset: String,
    /// Its findings as JSON: rule ids and offsets.
    pub findings: String,
    /// Whether it takes the place of the version in force of a record that was there before.
    pub replaces: bool,
    /// When it was edited, if it was.
    pub edited_at: Option<Timestamp>,
    /// Who could see it.
    pub visibility: Visibility,
    /// What was decided on this version.
    pub outcome: Outcome,
    /// Under which minimisation profile it came in: id and version.
    pub profile: Option<String>,
    /// Members that were left out of it: names and counts, as JSON.
    pub left_out: Option<String>,
}

/// A version that was delivered again: sealed once more, in another capture or place.
#[derive(Debug)]
pub struct SightingRow {
    /// In which capture.
    pub capture: CaptureId,
    /// Of which record.
    pub record: RecordId,
    /// How it is put together.
    pub parts: Vec<u8>,
    /// Under which names it was delivered.
    pub names: Vec<ItemDigest>,
}

/// A decision on a version.
#[derive(Debug)]
pub struct DecisionRow {
    /// On which record.
    pub record: RecordId,
    /// On which version.
    pub version: VersionId,
    /// What was decided.
    pub outcome: Outcome,
    /// By which tree.
    pub tree: String,
    /// In which version of the tree.
    pub tree_version: String,
    /// The steps taken, as content-free JSON.
    pub path: String,
    /// The ending that was reached.
    pub ending: String,
    /// How long it is kept, as JSON.
    pub keep: Option<String>,
    /// The salt of its receipt.
    pub salt: Vec<u8>,
    /// When.
    pub decided_at: Timestamp,
}

/// A formal message that came in.
#[derive(Debug)]
pub struct FormalRow {
    /// Which record.
    pub record: RecordId,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it must be registered or forwarded.
    pub due_at: Timestamp,
}

/// A person in a conversation.
#[derive(Debug)]
pub struct SubjectRow {
    /// In which thread.
    pub conversation: ConversationId,
    /// Keyed digest of the account.
    pub digest: ItemDigest,
    /// The random reference.
    pub reference: SubjectRef,
}

/// Something that must go down to the reading room.
#[derive(Debug)]
pub struct OutboxRow {
    /// `conversation`, `grant` or `revocation`.
    pub kind: &'static str,
    /// JSON; redacted.
    pub payload: String,
}

/// Everything of one batch.
#[derive(Debug)]
pub struct Batch {
    /// The moment of the commit.
    pub now: Timestamp,
    /// The segment, already in object storage; none when the batch held nothing new to seal.
    pub segment: Option<SegmentRow>,
    /// Its fragments.
    pub fragments: Vec<FragmentRow>,
    /// New records.
    pub records: Vec<RecordRow>,
    /// New versions.
    pub versions: Vec<VersionRow>,
    /// Versions that were there and were delivered again.
    pub sightings: Vec<SightingRow>,
    /// Names to add, or to complete.
    pub names: Vec<NameRow>,
    /// Decisions.
    pub decisions: Vec<DecisionRow>,
    /// What the ledger committed to of them.
    pub decision_set: Option<DecisionSetRow>,
    /// Whose answers decide, when a tree of the channel asks whether the organisation answered: what came in may be such an answer,
    /// or have one already. Those records wait to be decided anew.
    pub answers_of: Option<OrganisationId>,
    /// New subjects.
    pub subjects: Vec<SubjectRow>,
    /// Records that were there, and were now seen to be for fewer people.
    pub closed: Vec<(RecordId, Visibility)>,
    /// Threads that turned out to be one: the first takes in the second.
    pub merged: Vec<(ConversationId, ConversationId)>,
    /// Threads whose projections must be computed anew.
    pub stale: Vec<ConversationId>,
    /// Projections that can go down at once.
    pub outbox: Vec<OutboxRow>,
    /// What new versions are flagged for.
    pub flags: Vec<FlagRow>,
    /// New versions with findings of which the detector is not sure.
    pub doubtful: Vec<VersionId>,
    /// What detectors and definitions said of new versions.
    pub answers: Vec<AnswerRow>,
    /// How files are called in their capture.
    pub files: Vec<NamedFile>,
    /// Which of them are attached to records, new ones and ones that were there.
    pub attached: Vec<NamedFile>,
    /// Formal messages among them.
    pub formal: Vec<FormalRow>,
    /// How reactions sounded.
    pub sentiment: Vec<SentimentRow>,
    /// What a minimisation profile kept out.
    pub minimised: Vec<MinimisedRow>,
    /// Names, under a key of their own, of what it kept out and how that sounded was counted.
    pub refused: Vec<ItemDigest>,
    /// What records can be found by.
    pub found_by: Vec<FindRow>,
    /// What the ledger says of it.
    pub pending: Vec<Pending>,
}

impl Catalogue {
    /// Commits a batch. On error nothing of it is visible, except that the outcome is unknown when the commit
    /// itself failed: a second delivery then finds what is there and adds what is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commit(&self, log: &Origin, batch: Batch) -> Result<Vec<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        insert_sealed(&mut tx, &batch).await?;
        let numbers = Numbers::of(&mut tx, &batch).await?;
        merge(&mut tx, &batch.merged, &numbers, batch.now).await?;
        insert_records(&mut tx, &batch, &numbers).await?;
        insert_sightings(&mut tx, &batch.sightings).await?;
        insert_flags(&mut tx, &batch.flags).await?;
        insert_doubts(&mut tx, &batch.doubtful, batch.now).await?;
        let (records, fresh) = numbers.records();
        insert_numbered(&mut tx, &batch.found_by, records, fresh).await?;
        insert_names(&mut tx, &batch.names, &numbers).await?;
        insert_attached(&mut tx, (&batch.files, &batch.attached), &numbers).await?;
        insert_answered(&mut tx, &batch).await?;
        insert_subjects(&mut tx, &batch.subjects).await?;
        if let Some(set) = &batch.decision_set {
            insert_set(&mut tx, set).await?;
        }
        insert_sentiment(&mut tx, &batch.sentiment, &numbers).await?;
        insert_formal(&mut tx, &batch.formal).await?;
        insert_minimised(&mut tx, &batch.minimised).await?;
        insert_refused(&mut tx, &batch.refused).await?;
        withdraw(&mut tx, &batch.names).await?;
        close(&mut tx, &batch.closed).await?;
        mark_stale(&mut tx, &batch.stale, batch.now).await?;
        insert_outbox(&mut tx, &batch.outbox, batch.now).await?;
        let mut added = Vec::with_capacity(batch.pending.len());
        for pending in batch.pending {
            added.push(journal::add(&mut tx, log, pending, None).await?);
        }
        Effect::BatchCommitted.of(tx.commit()).await.map_err(StoreError::database("committing a batch"))?;
        Ok(added.into_iter().map(journal::after_commit).collect())
    }
}

async fn insert_sealed(tx: &mut Transaction<'static, Any>, batch: &Batch) -> Result<(), StoreError> {
    if let Some(segment) = &batch.segment {
        sqlx::query(
            "INSERT INTO segment (id, capture, wrapped_key, master_key, size_bytes, digest, epoch, number) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT COALESCE(MAX(number), 0) + 1 FROM segment))",
        )
        .bind(bytes(segment.id.uuid()))
        .bind(bytes(segment.capture.uuid()))
        .bind(segment.wrapped_key.clone())
        .bind(segment.master_key.clone())
        .bind(i64::try_from(segment.size_bytes).unwrap_or(i64::MAX))
        .bind(segment.digest.to_vec())
        .bind(segment.epoch.map_or(0, |epoch| i64::from(epoch.number())))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("adding a segment"))?;
    }
    // In the order of the table, so that it grows at its end.
    let mut fragments: Vec<&FragmentRow> = batch.fragments.iter().collect();
    fragments.sort_unstable_by_key(|row| row.id);
    let numbers = segment_numbers(tx, &fragments).await?;
    let head =
        "INSERT INTO fragment (id, segment_number, kind, wrapped_key, place, size_bytes, ranges) VALUES";
    insert_all(tx, head, 7, "", &fragments, |query, row| {
        query
            .bind(bytes(row.id.uuid()))
            .bind(numbers.get(&row.segment).copied())
            .bind(row.kind.clone())
            .bind(row.wrapped_key.clone())
            .bind(i64::try_from(row.place).unwrap_or(i64::MAX))
            .bind(i64::try_from(row.size_bytes).unwrap_or(i64::MAX))
            .bind(row.ranges.clone())
    })
    .await?;
    widen(tx, &fragments).await
}

/// Where the fragments of a segment begin and end among all.
async fn widen(tx: &mut Transaction<'static, Any>, fragments: &[&FragmentRow]) -> Result<(), StoreError> {
    let mut ends: BTreeMap<SegmentId, (FragmentId, FragmentId)> = BTreeMap::new();
    for row in fragments {
        let (first, last) = ends.entry(row.segment).or_insert((row.id, row.id));
        (*first, *last) = ((*first).min(row.id), (*last).max(row.id));
    }
    for (segment, (first, last)) in ends {
        sqlx::query(
            "UPDATE segment SET first_fragment = CASE WHEN first_fragment < $1 THEN first_fragment ELSE $1 END, \
             last_fragment = CASE WHEN last_fragment > $2 THEN last_fragment ELSE $2 END WHERE id = $3",
        )
        .bind(bytes(first.uuid()))
        .bind(bytes(last.uuid()))
        .bind(bytes(segment.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("adding fragments"))?;
    }
    Ok(())
}

/// The numbers of the segments that hold these fragments.
async fn segment_numbers(
    tx: &mut Transaction<'static, Any>,
    fragments: &[&FragmentRow],
) -> Result<BTreeMap<SegmentId, i64>, StoreError> {
    let segments: BTreeSet<SegmentId> = fragments.iter().map(|row| row.segment).collect();
    let mut numbers = BTreeMap::new();
    for segment in segments {
        let row = sqlx::query("SELECT number FROM segment WHERE id = $1")
            .bind(bytes(segment.uuid()))
            .fetch_one(&mut **tx)
            .await
            .map_err(StoreError::database("adding fragments"))?;
        numbers.insert(segment, row.number("number")?);
    }
    Ok(numbers)
}

async fn merge(
    tx: &mut Transaction<'static, Any>,
    merged: &[(ConversationId, ConversationId)],
    numbers: &Numbers,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (keep, drop) in merged {
        sqlx::query(
            "UPDATE record_row SET conversation = $1 WHERE conversation = (SELECT number FROM conversation WHERE id = $2)",
        )
        .bind(numbers.conversation(*keep)?)
        .bind(bytes(drop.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("joining conversations"))?;
        for statement in [
            "UPDATE name_row SET conversation = $1 WHERE conversation = $2",
            "UPDATE suppression SET conversation = $1 WHERE conversation = $2",
        ] {
            sqlx::query(statement)
                .bind(bytes(keep.uuid()))
                .bind(bytes(drop.uuid()))
                .execute(&mut **tx)
                .await
                .map_err(StoreError::database("joining conversations"))?;
        }
        merge_sentiment(tx, numbers.conversation(*keep)?, *drop).await?;
        for statement in [
            "DELETE FROM subject_row WHERE conversation = (SELECT number FROM conversation WHERE id = $1)",
            "DELETE FROM stale_conversation WHERE conversation = $1",
        ] {
            sqlx::query(statement)
                .bind(bytes(drop.uuid()))
                .execute(&mut **tx)
                .await
                .map_err(StoreError::database("joining conversations"))?;
        }
    }
    // What was taken in is emptied in the reading room too, but only after what took it in was computed anew: a
    // record that may still be read keeps its names there, one that may not is withdrawn.
    let emptied: Vec<ConversationId> = merged.iter().map(|(_, drop)| *drop).collect();
    let after = Timestamp::from_micros(now.micros().saturating_add(1)).unwrap_or(now);
    mark_stale(tx, &emptied, after).await
}

async fn insert_sightings(
    tx: &mut Transaction<'static, Any>,
    sightings: &[SightingRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO sighting (capture, record, parts, names) VALUES";
    insert_all(tx, head, 4, "", sightings, |query, row| {
        query
            .bind(bytes(row.capture.uuid()))
            .bind(bytes(row.record.uuid()))
            .bind(row.parts.clone())
            .bind(digests(&row.names))
    })
    .await
}

/// A deletion or a later edit reaches records that were there before.
async fn withdraw(tx: &mut Transaction<'static, Any>, names: &[NameRow]) -> Result<(), StoreError> {
    for name in names {
        let Some(withheld) = name.withheld else { continue };
        sqlx::query(
            "UPDATE record_row SET withheld = $1 WHERE number = (SELECT record FROM name_row WHERE digest = $2)",
        )
            .bind(withheld)
            .bind(name.digest.as_bytes().to_vec())
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("withholding a record"))?;
    }
    Ok(())
}

/// A record that fewer people may see than before.
async fn close(
    tx: &mut Transaction<'static, Any>,
    closed: &[(RecordId, Visibility)],
) -> Result<(), StoreError> {
    for (record, visibility) in closed {
        sqlx::query("UPDATE record_row SET visibility = $1 WHERE id = $2")
            .bind(kept_visibility(*visibility))
            .bind(bytes(record.uuid()))
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("closing a record"))?;
    }
    Ok(())
}

pub(in crate::store) async fn mark_stale(
    tx: &mut Transaction<'static, Any>,
    stale: &[ConversationId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let head = "INSERT INTO stale_conversation (conversation, since) VALUES";
    insert_all(tx, head, 2, "ON CONFLICT (conversation) DO NOTHING", stale, |query, id| {
        query.bind(bytes(id.uuid())).bind(now.micros())
    })
    .await
}

pub(in crate::store) async fn insert_outbox(
    tx: &mut Transaction<'static, Any>,
    rows: &[OutboxRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    let head = "INSERT INTO outbox (kind, payload, created_at) VALUES";
    insert_all(tx, head, 3, "", rows, |query, row| {
        query.bind(row.kind).bind(row.payload.clone()).bind(now.micros())
    })
    .await
}
