//! Destruction: keys of records go, with everything that tells about them; all in one transaction.

use super::Catalogue;
use super::blank::blank_records;
use super::commit::{OutboxRow, insert_outbox};
use super::destroyed::Destroyed;
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    CaptureId, ConversationId, FragmentId, ItemDigest, OrganisationId, ProjectionId, RecordId, SegmentId,
    Timestamp,
};
use crate::seal::{Epoch, WrappedKey, WrappedSegmentKey};
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use crate::store::{StoreError, journal};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A record that is to be destroyed.
#[derive(Debug, Clone)]
pub struct Doomed {
    /// Which.
    pub record: RecordId,
    /// Its thread.
    pub conversation: ConversationId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
}

/// How one delivery of a record is put together, as stored.
#[derive(Debug, Clone)]
pub struct StoredLayout {
    /// Which record.
    pub record: RecordId,
    /// In which capture.
    pub capture: CaptureId,
    /// The layout.
    pub parts: Vec<u8>,
}

/// A fragment that stays in a segment of which others go, with its key wrapped anew.
#[derive(Debug)]
pub struct Surviving {
    /// Which.
    pub fragment: FragmentId,
    /// Its key under the fresh segment key.
    pub wrapped: WrappedKey,
}

/// What is left of a segment.
#[derive(Debug)]
pub struct SegmentLeft {
    /// Which segment.
    pub segment: SegmentId,
    /// Its fresh key, wrapped; none when no fragment of it has a key any more.
    pub wrapped: Option<WrappedSegmentKey>,
    /// The fragments that stay.
    pub surviving: Vec<Surviving>,
}

/// A destruction, worked out.
#[derive(Debug)]
pub struct Removal {
    /// Whose records.
    pub organisation: OrganisationId,
    /// The moment.
    pub now: Timestamp,
    /// The records.
    pub records: Vec<Doomed>,
    /// Fragments whose keys go.
    pub fragments: Vec<FragmentId>,
    /// The segments those stood in.
    pub segments: Vec<SegmentLeft>,
    /// Digests of the names of the records: as they stand, to be removed.
    pub names: Vec<ItemDigest>,
    /// The same under the key of what was destroyed, each with its thread.
    pub suppressed: Vec<(ItemDigest, ConversationId)>,
    /// Conversations of which no record is left.
    pub emptied: Vec<ConversationId>,
    /// Captures of which no record is left.
    pub captures: Vec<CaptureId>,
    /// The epoch under which the destroyed keys stood: it must end.
    pub epoch: Epoch,
    /// What the ledger says of it.
    pub pending: Vec<Pending>,
}

impl Catalogue {
    /// Those of these records that are the organisation's and were not destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doomed(
        &self,
        organisation: &OrganisationId,
        records: &[RecordId],
    ) -> Result<Vec<Doomed>, StoreError> {
        let head = "SELECT id, organisation, conversation, projection FROM record WHERE destroyed_at IS NULL AND id IN";
        let rows = self.listed(head, records.iter().map(|record| record.uuid())).await?;
        let whose = |row: &AnyRow| row.text("organisation").map(|whose| whose == organisation.as_str());
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            if whose(row)? {
                found.push(Doomed {
                    record: RecordId::from_uuid(row.id("id")?),
                    conversation: ConversationId::from_uuid(row.id("conversation")?),
                    projection: ProjectionId::from_uuid(row.id("projection")?),
                });
            }
        }
        Ok(found)
    }

    /// Every delivery of these records: each version, and each time it was delivered again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, records: &[RecordId]) -> Result<Vec<StoredLayout>, StoreError> {
        let mut found = Vec::new();
        for head in [
            "SELECT record, capture, parts FROM version WHERE record IN",
            "SELECT record, capture, parts FROM sighting WHERE record IN",
        ] {
            let rows = self.listed(head, records.iter().map(|record| record.uuid())).await?;
            found.extend(rows.iter().map(layout_of).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(found)
    }

    /// Everything that was delivered in a capture and not destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivered_in(&self, capture: CaptureId) -> Result<Vec<StoredLayout>, StoreError> {
        let mut found = Vec::new();
        for statement in [
            "SELECT record, capture, parts FROM version WHERE capture = $1 AND destroyed_at IS NULL",
            "SELECT record, capture, parts FROM sighting WHERE capture = $1",
        ] {
            let rows = sqlx::query(statement)
                .bind(bytes(capture.uuid()))
                .fetch_all(self.db.read())
                .await
                .map_err(StoreError::database("finding what a capture holds"))?;
            found.extend(rows.iter().map(layout_of).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(found)
    }

    /// Digests of the names of these records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_of(&self, doomed: &[Doomed]) -> Result<Vec<(ItemDigest, ConversationId)>, StoreError> {
        let of: HashMap<RecordId, ConversationId> =
            doomed.iter().map(|one| (one.record, one.conversation)).collect();
        let mut found = BTreeMap::new();
        for head in [
            "SELECT record, names FROM version WHERE record IN",
            "SELECT record, names FROM sighting WHERE record IN",
        ] {
            for row in &self.listed(head, of.keys().map(|record| record.uuid())).await? {
                if let Some(conversation) = of.get(&RecordId::from_uuid(row.id("record")?)) {
                    found.extend(row.digests("names")?.into_iter().map(|name| (name, *conversation)));
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Those of these conversations that have no record left beside `doomed`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn emptied_by(&self, doomed: &[Doomed]) -> Result<Vec<ConversationId>, StoreError> {
        let mut left: BTreeMap<ConversationId, i64> = BTreeMap::new();
        doomed.iter().for_each(|one| *left.entry(one.conversation).or_default() -= 1);
        for (conversation, left) in &mut left {
            let row = sqlx::query(
                "SELECT COUNT(*) AS n FROM record WHERE conversation = $1 AND destroyed_at IS NULL",
            )
            .bind(bytes(conversation.uuid()))
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("counting a conversation"))?;
            *left += row.number("n")?;
        }
        Ok(left.into_iter().filter(|(_, left)| *left <= 0).map(|(conversation, _)| conversation).collect())
    }

    /// Whether anything was ever destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suppresses(&self) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM suppression LIMIT 1) AS first")
                .fetch_one(self.db.read())
                .await
                .map_err(StoreError::database("looking up what was destroyed"))?;
        Ok(row.number("n")? > 0)
    }

    /// Those of these digests, under the key of what was destroyed, that name something destroyed; with its thread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suppressed(
        &self,
        digests: &[ItemDigest],
    ) -> Result<HashMap<ItemDigest, ConversationId>, StoreError> {
        let mut found = HashMap::new();
        for chunk in digests.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT digest, conversation FROM suppression WHERE digest IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for digest in chunk {
                query = query.bind(digest.as_bytes().to_vec());
            }
            let rows = query.fetch_all(self.db.read()).await;
            for row in rows.map_err(StoreError::database("looking up what was destroyed"))? {
                found.insert(row.digest("digest")?, ConversationId::from_uuid(row.id("conversation")?));
            }
        }
        Ok(found)
    }

    /// Destroys: everything of it or nothing.
    ///
    /// # Errors
    /// When the database fails; the outcome is then unknown, and doing it again destroys what is left.
    pub async fn destroy(&self, log: &Origin, removal: Removal) -> Result<Vec<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        delete_fragments(&mut tx, &removal.fragments).await?;
        rewrap_segments(&mut tx, &removal.segments).await?;
        let records: Vec<Uuid> = removal.records.iter().map(|one| one.record.uuid()).collect();
        blank_records(&mut tx, &records, removal.now).await?;
        suppress(&mut tx, &removal).await?;
        empty_conversations(&mut tx, &removal.emptied).await?;
        let captures = removal.captures.iter().map(|capture| capture.uuid());
        each(&mut tx, "UPDATE capture SET digest = NULL WHERE id = $1", captures).await?;
        let gone: Vec<ProjectionId> = removal.records.iter().map(|one| one.projection).collect();
        let payload = serde_json::to_string(&gone).unwrap_or_default();
        insert_outbox(&mut tx, &[OutboxRow { kind: "withdrawal", payload }], removal.now).await?;
        ask_turn(&mut tx, &removal.organisation, removal.epoch, removal.now).await?;
        let mut added = Vec::with_capacity(removal.pending.len());
        for pending in removal.pending {
            added.push(journal::add(&mut tx, log, pending, None).await?);
        }
        Effect::RecordsDestroyed.of(tx.commit()).await.map_err(StoreError::database("destroying records"))?;
        Ok(added.into_iter().map(journal::after_commit).collect())
    }

    /// Rows of a statement that ends in `IN`, for these ids.
    pub(super) async fn listed(
        &self,
        head: &'static str,
        ids: impl Iterator<Item = Uuid>,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let ids: Vec<Uuid> = ids.collect();
        let mut found = Vec::new();
        for chunk in ids.chunks(LISTED_MAX) {
            let sql = AssertSqlSafe(format!("{head} ({})", list(1, chunk.len())));
            let mut query = sqlx::query(sql).persistent(chunk.len() == LISTED_MAX);
            for id in chunk {
                query = query.bind(bytes(*id));
            }
            let rows = query.fetch_all(self.db.read()).await;
            found.extend(rows.map_err(StoreError::database("finding what to destroy"))?);
        }
        Ok(found)
    }
}

fn layout_of(row: &AnyRow) -> Result<StoredLayout, StoreError> {
    Ok(StoredLayout {
        record: RecordId::from_uuid(row.id("record")?),
        capture: CaptureId::from_uuid(row.id("capture")?),
        parts: row.blob("parts")?,
    })
}

/// Runs a statement of one parameter for each of these ids.
pub(super) async fn each(
    tx: &mut Transaction<'static, Any>,
    statement: &'static str,
    ids: impl Iterator<Item = Uuid>,
) -> Result<(), StoreError> {
    for id in ids {
        let done = sqlx::query(statement).bind(bytes(id)).execute(&mut **tx).await;
        done.map_err(StoreError::database("destroying records"))?;
    }
    Ok(())
}

async fn delete_fragments(
    tx: &mut Transaction<'static, Any>,
    fragments: &[FragmentId],
) -> Result<(), StoreError> {
    each(tx, "DELETE FROM fragment WHERE id = $1", fragments.iter().map(|fragment| fragment.uuid())).await
}

/// A segment knows the first and the last of its fragments: not those that are gone.
const REWRAP_SEGMENT: &str = "UPDATE segment SET wrapped_key = $1, epoch = $2, \
    first_fragment = (SELECT f.id FROM fragment f WHERE f.id >= segment.first_fragment \
    AND f.id <= segment.last_fragment AND f.segment_number = segment.number ORDER BY f.id LIMIT 1), \
    last_fragment = (SELECT f.id FROM fragment f WHERE f.id >= segment.first_fragment \
    AND f.id <= segment.last_fragment AND f.segment_number = segment.number ORDER BY f.id DESC LIMIT 1) WHERE id = $3";

async fn rewrap_segments(
    tx: &mut Transaction<'static, Any>,
    segments: &[SegmentLeft],
) -> Result<(), StoreError> {
    for left in segments {
        for one in &left.surviving {
            sqlx::query("UPDATE fragment SET wrapped_key = $1 WHERE id = $2")
                .bind(one.wrapped.as_bytes().to_vec())
                .bind(bytes(one.fragment.uuid()))
                .execute(&mut **tx)
                .await
                .map_err(StoreError::database("wrapping keys anew"))?;
        }
        let epoch = left.wrapped.as_ref().map(|wrapped| wrapped.epoch().map_or(0, |e| i64::from(e.number())));
        sqlx::query(REWRAP_SEGMENT)
            .bind(left.wrapped.as_ref().map(|wrapped| wrapped.as_bytes().to_vec()).unwrap_or_default())
            .bind(epoch.unwrap_or(-1))
            .bind(bytes(left.segment.uuid()))
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("wrapping keys anew"))?;
    }
    Ok(())
}

async fn suppress(tx: &mut Transaction<'static, Any>, removal: &Removal) -> Result<(), StoreError> {
    for name in &removal.names {
        // What answers it no longer says whom it answers.
        for statement in [
            "DELETE FROM name_row WHERE digest = $1",
            "UPDATE record_row SET answers = NULL WHERE answers = $1",
        ] {
            sqlx::query(statement)
                .bind(name.as_bytes().to_vec())
                .execute(&mut **tx)
                .await
                .map_err(StoreError::database("removing names"))?;
        }
    }
    let head = "INSERT INTO suppression (digest, conversation) VALUES";
    insert_all(
        tx,
        head,
        2,
        "ON CONFLICT (digest) DO NOTHING",
        &removal.suppressed,
        |query, (digest, thread)| query.bind(digest.as_bytes().to_vec()).bind(bytes(thread.uuid())),
    )
    .await?;
    let records = removal.records.iter().map(|one| Destroyed::Record(one.record));
    let names = removal.suppressed.iter().map(|(name, thread)| Destroyed::Name(*name, *thread));
    let uncopied: Vec<Destroyed> = records.chain(names).collect();
    let head = "INSERT INTO destroyed_uncopied (name, conversation) VALUES";
    insert_all(tx, head, 2, "ON CONFLICT (name) DO NOTHING", &uncopied, |query, one| {
        query.bind(one.name()).bind(one.thread())
    })
    .await
}

async fn empty_conversations(
    tx: &mut Transaction<'static, Any>,
    emptied: &[ConversationId],
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM subject_row WHERE conversation = (SELECT number FROM conversation WHERE id = $1)",
        "DELETE FROM stale_conversation WHERE conversation = $1",
    ] {
        each(tx, statement, emptied.iter().map(|conversation| conversation.uuid())).await?;
    }
    Ok(())
}

pub(super) async fn ask_turn(
    tx: &mut Transaction<'static, Any>,
    organisation: &OrganisationId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO key_turn (organisation, epoch, asked_at) VALUES ($1, $2, $3) \
         ON CONFLICT (organisation) DO UPDATE SET epoch = excluded.epoch WHERE key_turn.epoch < excluded.epoch",
    )
    .bind(organisation.to_string())
    .bind(i64::from(epoch.number()))
    .bind(now.micros())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("asking for the next epoch"))?;
    Ok(())
}
