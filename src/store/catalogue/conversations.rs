//! What is known before a batch is taken in, and what a conversation holds.

use super::Catalogue;
use super::commit::{OutboxRow, SubjectRow, insert_outbox};
use super::find::FindRow;
use super::find_postings::insert_found;
use super::flags::{FlagRow, Verdicts, forget_unjudged, insert_flags};
use super::incidents::{MissedRow, insert_missed};
use super::insert::{insert_subjects, ruleset_number};
use super::numbers::Lookup;
use super::reports::REPORTED;
use super::reviewing::doubts_of;
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    ChannelId, ConversationId, FlagKind, ItemDigest, ItemKind, OrganisationId, Outcome, ProjectionId,
    RecordId, SubjectRef, Timestamp, VersionId, Visibility,
};
use crate::redact::Assessed;
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What a name is known to stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The record, when it has come in.
    pub record: Option<RecordId>,
    /// The thread.
    pub conversation: Option<ConversationId>,
    /// Whether it is known to be deleted or superseded.
    pub withheld: Option<Withheld>,
}

/// What a record's version in force says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// When it was edited, if it was.
    pub edited_at: Option<Timestamp>,
    /// Who could see it.
    pub visibility: Visibility,
}

/// Why no view of a record may exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// Its author or the platform deleted it.
    Deleted,
    /// A later edit took its place.
    Superseded,
}

impl Withheld {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Superseded => "superseded",
        }
    }
}

/// A record of a conversation, with what its projection needs beside the original.
#[derive(Debug)]
pub struct Member {
    /// Which record.
    pub record: RecordId,
    /// Its version in force.
    pub version: VersionId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// Whose channel.
    pub organisation: OrganisationId,
    /// Which channel.
    pub channel: ChannelId,
    /// What it is.
    pub kind: ItemKind,
    /// Who could see it.
    pub visibility: Visibility,
    /// When it was posted.
    pub posted_at: Option<Timestamp>,
    /// Whether the organisation posted it.
    pub own: bool,
    /// Whether a view of it may not exist.
    pub withheld: bool,
    /// What was decided.
    pub outcome: Outcome,
    /// How many versions there are.
    pub versions: u64,
    /// By which tree, with its version.
    pub tree: (String, String),
    /// What was said of the flags of its version in force.
    pub verdicts: Verdicts,
    /// What people said of findings in its version in force.
    pub assessed: Vec<Assessed>,
    /// What was found in its version in force when it was looked at last, as JSON.
    pub findings: String,
    /// Which ruleset looked at it then; empty when none did.
    pub ruleset: String,
    /// The kinds of flags of its version in force that a reviewer found to hold.
    pub held: BTreeSet<FlagKind>,
}

/// What came of a conversation that was computed anew.
#[derive(Debug)]
pub struct Refreshed<'a> {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Which ruleset looked at it.
    pub ruleset: &'a str,
    /// For each version in force: its findings as JSON.
    pub findings: &'a [(VersionId, String)],
    /// What its versions in force are flagged for.
    pub flags: &'a [FlagRow],
    /// Its versions in force with findings of which the detector is not sure.
    pub doubtful: &'a [VersionId],
    /// What its records can be found by.
    pub found_by: &'a [FindRow],
    /// People new to it.
    pub subjects: &'a [SubjectRow],
    /// Projections that showed what is redacted now.
    pub missed: &'a [MissedRow],
    /// What must go down, in this order.
    pub outbox: Vec<OutboxRow>,
}

impl Catalogue {
    /// What is known of each of these names; names that are not known are absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known(&self, names: &[ItemDigest]) -> Result<HashMap<ItemDigest, Known>, StoreError> {
        let mut found = HashMap::new();
        for chunk in names.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT n.digest, r.id AS record, COALESCE(c.id, n.conversation) AS conversation, n.withheld \
                 FROM name_row n LEFT JOIN record_row r ON r.number = n.record \
                 LEFT JOIN conversation c ON c.number = r.conversation WHERE n.digest IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for digest in chunk {
                query = query.bind(digest.as_bytes().to_vec());
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("looking up names"))?;
            for row in rows {
                found.insert(
                    row.digest("digest")?,
                    Known {
                        record: row.id_or_null("record")?.map(RecordId::from_uuid),
                        conversation: row.id_or_null("conversation")?.map(ConversationId::from_uuid),
                        withheld: match row.text_or_null("withheld")?.as_deref() {
                            None => None,
                            Some("deleted") => Some(Withheld::Deleted),
                            Some(_) => Some(Withheld::Superseded),
                        },
                    },
                );
            }
        }
        Ok(found)
    }

    /// Which versions of these records are known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_versions(
        &self,
        records: &[RecordId],
    ) -> Result<HashSet<(RecordId, ItemDigest)>, StoreError> {
        let mut found = HashSet::new();
        for chunk in records.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT r.id AS record, v.digest FROM record_row r JOIN version_row v ON v.record = r.number \
                 WHERE r.id IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for record in chunk {
                query = query.bind(bytes(record.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("looking up versions"))?;
            for row in rows {
                found.insert((RecordId::from_uuid(row.id("record")?), row.digest("digest")?));
            }
        }
        Ok(found)
    }

    /// What the version in force of each of these records says of when it was edited and who could see it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn in_force(&self, records: &[RecordId]) -> Result<HashMap<RecordId, InForce>, StoreError> {
        let mut found = HashMap::new();
        for chunk in records.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT id, edited_at, COALESCE(visibility, 'public') AS visibility FROM record_row WHERE id IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for record in chunk {
                query = query.bind(bytes(record.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("looking up edits"))?;
            for row in rows {
                let (edited_at, visibility) = (row.time_or_null("edited_at")?, row.term("visibility")?);
                found.insert(RecordId::from_uuid(row.id("id")?), InForce { edited_at, visibility });
            }
        }
        Ok(found)
    }

    /// The subjects of a conversation by keyed digest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subjects(
        &self,
        conversation: ConversationId,
    ) -> Result<HashMap<ItemDigest, SubjectRef>, StoreError> {
        let rows = sqlx::query("SELECT digest, reference FROM subject WHERE conversation = $1")
            .bind(bytes(conversation.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading subjects"))?;
        rows.iter()
            .map(|row| {
                let number = u32::try_from(row.number("reference")?)
                    .map_err(|_| StoreError::Corrupt { what: "subject reference" })?;
                Ok((row.digest("digest")?, SubjectRef::from_u32(number)))
            })
            .collect()
    }

    /// Whether a record of a conversation was destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_destroyed(&self, conversation: ConversationId) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM record WHERE conversation = $1 AND destroyed_at IS NOT NULL",
        )
        .bind(bytes(conversation.uuid()))
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("looking for what was destroyed"))?;
        Ok(row.number("n")? > 0)
    }

    /// The records of a conversation in the order of posting (those without a time last).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(&self, conversation: ConversationId) -> Result<Vec<Member>, StoreError> {
        let sql = format!(
            "SELECT r.id, r.version, r.projection, r.organisation, r.channel, r.kind, r.visibility, r.posted_at, \
             r.own, COALESCE(r.withheld, (SELECT 'restricted' FROM restriction x WHERE x.record = r.id AND x.lifted_at IS NULL \
             LIMIT 1), ({REPORTED}), (SELECT 'held' FROM review_task t WHERE t.version = r.version AND t.held = 1 \
             LIMIT 1)) AS withheld, r.outcome, d.tree, d.tree_version, \
             (SELECT COUNT(*) FROM version v WHERE v.record = r.id) AS versions, f.findings, f.ruleset \
             FROM record r JOIN decision d ON d.record = r.id AND d.version = r.version JOIN version f ON f.id = r.version \
             WHERE r.conversation = $1 AND r.destroyed_at IS NULL ORDER BY COALESCE(r.posted_at, 9000000000000000000), r.id",
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(conversation.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading a conversation"))?;
        let mut members = rows.iter().map(member_of).collect::<Result<Vec<_>, _>>()?;
        let versions: Vec<VersionId> = members.iter().map(|member| member.version).collect();
        let mut verdicts = self.verdicts(&versions).await?;
        let mut held = self.held(&versions).await?;
        let mut assessed = self.assessed_of(&versions).await?;
        for member in &mut members {
            member.verdicts = verdicts.remove(&member.version).unwrap_or_default();
            member.held = held.remove(&member.version).unwrap_or_default();
            member.assessed = assessed.remove(&member.version).unwrap_or_default();
        }
        Ok(members)
    }

    /// Puts a stale conversation at the end of the row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_stale(
        &self,
        conversation: ConversationId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE stale_conversation SET since = $1 WHERE conversation = $2")
            .bind(since.micros())
            .bind(bytes(conversation.uuid()))
            .execute(self.db.write())
            .await
            .map_err(StoreError::database("postponing a stale conversation"))?;
        Ok(())
    }

    /// Conversations that wait to be computed anew since `until` or longer, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stale_conversations(
        &self,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let rows = sqlx::query(
            "SELECT conversation FROM stale_conversation WHERE since <= $1 ORDER BY since LIMIT $2",
        )
        .bind(until.micros())
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("listing stale conversations"))?;
        rows.iter().map(|row| Ok(ConversationId::from_uuid(row.id("conversation")?))).collect()
    }

    /// How many conversations wait to be computed anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stale_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM stale_conversation")
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("counting stale conversations"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }

    /// Writes the findings and flags of a conversation that was computed anew, and what must go down for it.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn refreshed(
        &self,
        log: &Origin,
        anew: Refreshed<'_>,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.db.begin().await?;
        let ruleset = ruleset_number(&mut tx, &mut Lookup::default(), anew.ruleset).await?;
        for (version, json) in anew.findings {
            sqlx::query("UPDATE version_row SET ruleset = $1, findings = $2 WHERE id = $3")
                .bind(ruleset)
                .bind(json.clone())
                .bind(bytes(version.uuid()))
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database("writing findings"))?;
        }
        forget_unjudged(&mut tx, anew.conversation).await?;
        insert_flags(&mut tx, anew.flags).await?;
        doubts_of(&mut tx, anew.conversation, anew.doubtful, now).await?;
        insert_found(&mut tx, anew.found_by).await?;
        insert_subjects(&mut tx, anew.subjects).await?;
        insert_missed(&mut tx, anew.missed).await?;
        insert_outbox(&mut tx, &anew.outbox, now).await?;
        sqlx::query("DELETE FROM stale_conversation WHERE conversation = $1")
            .bind(bytes(anew.conversation.uuid()))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("clearing a stale conversation"))?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::ConversationRefreshed
            .of(tx.commit())
            .await
            .map_err(StoreError::database("publishing a conversation"))?;
        Ok(journal::after_commit(added))
    }
}

fn member_of(row: &sqlx::any::AnyRow) -> Result<Member, StoreError> {
    Ok(Member {
        record: RecordId::from_uuid(row.id("id")?),
        version: VersionId::from_uuid(row.id("version")?),
        projection: ProjectionId::from_uuid(row.id("projection")?),
        organisation: row.term("organisation")?,
        channel: row.term("channel")?,
        kind: row.term("kind")?,
        visibility: row.term("visibility")?,
        posted_at: row.time_or_null("posted_at")?,
        own: row.number("own")? == 1,
        withheld: row.text_or_null("withheld")?.is_some(),
        outcome: row.term("outcome")?,
        versions: u64::try_from(row.number("versions")?).unwrap_or_default(),
        tree: (row.text("tree")?, row.text("tree_version")?),
        verdicts: Verdicts::default(),
        assessed: Vec::new(),
        findings: row.text("findings")?,
        ruleset: row.text("ruleset")?,
        held: BTreeSet::new(),
    })
}
