//! Flags on versions, the queue of what waits for a reviewer, and judgements. No words of any text.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox, mark_stale};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    ActorId, ChannelId, ConversationId, FlagKind, ItemKind, OrganisationId, ProjectionId, RecogniserId,
    RecordId, ReviewReason, Timestamp, Verdict, VersionId,
};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a rule saw a sign: rule id and offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagPlace {
    /// Which passage of the record, from 0, in the order of its format.
    pub passage: usize,
    /// First byte in the passage, UTF-8.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The rule.
    pub rule: RecogniserId,
}

/// What one version is flagged for, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagRow {
    /// Which version.
    pub version: VersionId,
    /// What for.
    pub kind: FlagKind,
    /// Where.
    pub places: Vec<FlagPlace>,
}

/// The flags of a version that the catalogue knows, each with what was said of it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts(BTreeMap<FlagKind, Option<Verdict>>);

impl Verdicts {
    /// Whether a version that is flagged for `found` must stay out of sight: a person said so of one of its flags, or
    /// nobody has said anything of one that was found.
    pub fn withhold(&self, found: impl IntoIterator<Item = FlagKind>) -> bool {
        let kept = self.0.values().any(|verdict| *verdict == Some(Verdict::KeepWithheld));
        kept || found.into_iter().any(|kind| self.0.get(&kind).copied().flatten().is_none())
    }

    /// The kinds that keep a version out of sight, when everything that was found was judged; `None` when something was not.
    pub fn kept(&self, found: impl IntoIterator<Item = FlagKind>) -> Option<BTreeSet<FlagKind>> {
        let judged = |kind: FlagKind| self.0.get(&kind).copied().flatten().is_some();
        if !found.into_iter().all(judged) {
            return None;
        }
        let kept = self.0.iter().filter(|(_, verdict)| **verdict == Some(Verdict::KeepWithheld));
        Some(kept.map(|(kind, _)| *kind).collect())
    }

    /// Whether it must by what is known, without another look.
    #[must_use]
    pub fn withheld(&self) -> bool {
        self.withhold(self.0.keys().copied())
    }

    /// Each kind with what was said of it last, for answers.
    fn words(&self) -> Vec<serde_json::Value> {
        self.iter().map(|(kind, verdict)| serde_json::json!({ "kind": kind, "verdict": verdict })).collect()
    }

    /// Each kind with what was said of it last.
    pub fn iter(&self) -> impl Iterator<Item = (FlagKind, Option<Verdict>)> {
        self.0.iter().map(|(kind, verdict)| (*kind, *verdict))
    }
}

/// Which part of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueState {
    /// At least one flag that nobody has judged.
    #[default]
    Open,
    /// Every flag judged; a judgement can be changed.
    Judged,
}

/// Which records stand in a queue: those of one organisation, or of some of its channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueScope {
    /// Whose.
    pub organisation: OrganisationId,
    /// Only these channels; all when empty.
    pub channels: Vec<ChannelId>,
}

impl QueueScope {
    /// Everything of an organisation.
    #[must_use]
    pub const fn whole(organisation: OrganisationId) -> Self {
        Self { organisation, channels: Vec::new() }
    }

    /// Its condition, with parameters from `next` on, and their values.
    pub(super) fn condition(&self, next: usize) -> (String, Vec<String>) {
        let mut values = vec![self.organisation.to_string()];
        values.extend(self.channels.iter().map(ToString::to_string));
        let channels = match self.channels.len() {
            0 => String::new(),
            count => format!(" AND r.channel IN ({})", list(next + 1, count)),
        };
        (format!("(r.organisation = ${next}{channels})"), values)
    }
}

/// A flagged version in force that may be read once its flags are released. No text.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewItem {
    /// The version: a later one is another item.
    pub id: VersionId,
    /// Its record.
    pub record: RecordId,
    /// Its thread.
    pub conversation: ConversationId,
    /// Its name in the reading room.
    #[serde(skip)]
    pub projection: ProjectionId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Which channel.
    pub channel: ChannelId,
    /// What it is.
    pub kind: ItemKind,
    /// The day it was posted.
    pub day: Option<String>,
    /// What it is flagged for, and what was said of it.
    #[serde(serialize_with = "words")]
    pub flags: Verdicts,
}

impl ReviewItem {
    /// Whether one of its flags waits for a judgement.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.flags.iter().any(|(_, verdict)| verdict.is_none())
    }
}

fn words<S: serde::Serializer>(flags: &Verdicts, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(flags.words())
}

/// What a reviewer says of some flags of one version.
#[derive(Debug)]
pub struct Judgement<'a> {
    /// Of which item.
    pub item: &'a ReviewItem,
    /// Of which of its flags.
    pub kinds: &'a [FlagKind],
    /// What.
    pub verdict: Verdict,
    /// Why.
    pub reason: ReviewReason,
    /// Who, by pseudonym.
    pub actor: ActorId,
}

/// A version in force that has a flag, of a record that may be read but for its flags.
const QUEUED: &str = "FROM (SELECT DISTINCT version FROM flag) q JOIN version v ON v.id = q.version \
    JOIN record r ON r.id = v.record AND r.version = q.version WHERE r.outcome = 'archive' AND r.withheld IS NULL \
    AND NOT EXISTS (SELECT 1 FROM restriction x WHERE x.record = r.id AND x.lifted_at IS NULL) \
    AND r.visibility IN ('public', 'unlisted')";

/// Of a flag `f`: that whoever judged it last said that it holds.
const HOLDS: &str = "(SELECT j.reason FROM judgement j WHERE j.version = f.version AND j.kind = f.kind \
    ORDER BY j.judged_at DESC, j.entry DESC LIMIT 1) = 'flag-holds'";

const UNJUDGED: &str = "EXISTS (SELECT 1 FROM flag f WHERE f.version = r.version AND f.verdict IS NULL)";

impl Catalogue {
    /// What was said of the flags of these versions; a version without flags is absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verdicts(&self, versions: &[VersionId]) -> Result<HashMap<VersionId, Verdicts>, StoreError> {
        let mut found: HashMap<VersionId, Verdicts> = HashMap::new();
        for chunk in versions.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT version, kind, verdict FROM flag WHERE version IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for version in chunk {
                query = query.bind(bytes(version.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading flags"))?;
            for row in rows {
                let version = VersionId::from_uuid(row.id("version")?);
                found.entry(version).or_default().0.insert(row.term("kind")?, verdict_of(&row)?);
            }
        }
        Ok(found)
    }

    /// The kinds of flags of these versions of which a reviewer said last that they hold; a version without is absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held(
        &self,
        versions: &[VersionId],
    ) -> Result<HashMap<VersionId, BTreeSet<FlagKind>>, StoreError> {
        let mut found: HashMap<VersionId, BTreeSet<FlagKind>> = HashMap::new();
        for chunk in versions.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT f.version, f.kind FROM flag f WHERE f.verdict = 'keep-withheld' AND {HOLDS} AND f.version IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for version in chunk {
                query = query.bind(bytes(version.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading flags"))?;
            for row in rows {
                found.entry(VersionId::from_uuid(row.id("version")?)).or_default().insert(row.term("kind")?);
            }
        }
        Ok(found)
    }

    /// Marks the conversations of some channels in which a flag was found to hold: who may read such a record has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held_stale(&self, channels: &[ChannelId], now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for channel in channels {
            let sql = format!(
                "SELECT DISTINCT r.conversation FROM flag f JOIN version v ON v.id = f.version \
                 JOIN record r ON r.id = v.record AND r.version = v.id WHERE r.channel = $1 AND f.verdict = 'keep-withheld' AND {HOLDS}"
            );
            let rows = sqlx::query(AssertSqlSafe(sql))
                .bind(channel.to_string())
                .fetch_all(&mut *tx)
                .await
                .map_err(StoreError::database("finding flagged records"))?;
            let of = rows.iter().map(|row| Ok(ConversationId::from_uuid(row.id("conversation")?)));
            mark_stale(&mut tx, &of.collect::<Result<Vec<_>, StoreError>>()?, now).await?;
        }
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("marking conversations"))
    }

    /// What stands in a queue of these scopes, in the order of the items' ids, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn review_items(
        &self,
        scopes: &[QueueScope],
        state: QueueState,
        after: Option<VersionId>,
        most: u32,
    ) -> Result<Vec<ReviewItem>, StoreError> {
        let judged = if state == QueueState::Open { "" } else { "NOT " };
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        for scope in scopes {
            let (condition, more) = scope.condition(3 + values.len());
            conditions.push(condition);
            values.extend(more);
        }
        if conditions.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT r.* {QUEUED} AND {judged}{UNJUDGED} AND r.version > $1 AND ({}) ORDER BY r.version LIMIT $2",
            conditions.join(" OR ")
        );
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(after.map_or_else(|| vec![0; 16], |id| bytes(id.uuid())))
            .bind(i64::from(most));
        let query = values.into_iter().fold(query, |query, value| query.bind(value));
        let rows = query
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing the review queue"))?;
        self.items(&rows).await
    }

    /// One item of the queue, open or judged; `None` for a version that is not flagged, no longer in force, or of a
    /// record that may not be read anyway.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn review_item(&self, id: VersionId) -> Result<Option<ReviewItem>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT r.* {QUEUED} AND r.version = $1")))
            .bind(bytes(id.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading a review item"))?;
        Ok(self.items(&rows).await?.pop())
    }

    async fn items(&self, rows: &[AnyRow]) -> Result<Vec<ReviewItem>, StoreError> {
        let versions = rows.iter().map(|row| Ok(VersionId::from_uuid(row.id("version")?)));
        let mut verdicts = self.verdicts(&versions.collect::<Result<Vec<_>, StoreError>>()?).await?;
        rows.iter()
            .map(|row| {
                let id = VersionId::from_uuid(row.id("version")?);
                Ok(ReviewItem {
                    id,
                    record: RecordId::from_uuid(row.id("id")?),
                    conversation: ConversationId::from_uuid(row.id("conversation")?),
                    projection: ProjectionId::from_uuid(row.id("projection")?),
                    organisation: row.term("organisation")?,
                    channel: row.term("channel")?,
                    kind: row.term("kind")?,
                    day: row.time_or_null("posted_at")?.map(Timestamp::day),
                    flags: verdicts.remove(&id).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Where the flags of a version stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn flag_places(
        &self,
        version: VersionId,
    ) -> Result<Vec<(FlagKind, Vec<FlagPlace>)>, StoreError> {
        let rows = sqlx::query("SELECT kind, places FROM flag WHERE version = $1 ORDER BY kind")
            .bind(bytes(version.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading flags"))?;
        rows.iter()
            .map(|row| {
                let places = serde_json::from_str(&row.text("places")?)
                    .map_err(|_| StoreError::Corrupt { what: "places of a flag" })?;
                Ok((row.term("kind")?, places))
            })
            .collect()
    }

    /// Takes back every verdict on the flags of these records: they are withheld until they are judged again.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn unjudge(&self, records: &[RecordId], now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let mut unjudged = 0;
        for record in records {
            let row = sqlx::query("SELECT conversation, projection FROM record WHERE id = $1")
                .bind(bytes(record.uuid()))
                .fetch_optional(&mut *tx)
                .await
                .map_err(StoreError::database("finding a record"))?;
            let Some(row) = row else { continue };
            let done = sqlx::query(
                "UPDATE flag SET verdict = NULL WHERE version IN (SELECT id FROM version WHERE record = $1)",
            )
            .bind(bytes(record.uuid()))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("taking a verdict back"))?;
            unjudged += u64::from(done.rows_affected() > 0);
            let projection = ProjectionId::from_uuid(row.id("projection")?);
            insert_outbox(&mut tx, &[withdrawal(projection)], now).await?;
            mark_stale(&mut tx, &[ConversationId::from_uuid(row.id("conversation")?)], now).await?;
        }
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("taking verdicts back"))?;
        Ok(unjudged)
    }

    /// Writes a judgement, its ledger entry and what follows from it, together: the conversation is to be computed
    /// anew, and a record that stays withheld is withdrawn at once. `None`, and nothing written, when a flag is gone.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn judge(
        &self,
        log: &Origin,
        judgement: &Judgement<'_>,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        let version = bytes(judgement.item.id.uuid());
        for kind in judgement.kinds {
            let done = sqlx::query("UPDATE flag SET verdict = $1 WHERE version = $2 AND kind = $3")
                .bind(judgement.verdict.as_str())
                .bind(version.clone())
                .bind(kind.as_str())
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database("judging a flag"))?;
            if done.rows_affected() == 0 {
                return Ok(None);
            }
        }
        insert_judgement(&mut tx, judgement, &pending, now).await?;
        if judgement.verdict == Verdict::KeepWithheld {
            insert_outbox(&mut tx, &[withdrawal(judgement.item.projection)], now).await?;
        }
        mark_stale(&mut tx, &[judgement.item.conversation], now).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("judging flags"))?;
        Ok(Some(journal::after_commit(added)))
    }
}

async fn insert_judgement(
    tx: &mut Transaction<'static, Any>,
    judgement: &Judgement<'_>,
    pending: &Pending,
    now: Timestamp,
) -> Result<(), StoreError> {
    let head = "INSERT INTO judgement (entry, version, kind, verdict, reason, actor, judged_at) VALUES";
    let entry = pending.entry().id();
    insert_all(tx, head, 7, "", judgement.kinds, |query, kind| {
        query
            .bind(bytes(entry.uuid()))
            .bind(bytes(judgement.item.id.uuid()))
            .bind(kind.as_str())
            .bind(judgement.verdict.as_str())
            .bind(judgement.reason.as_str())
            .bind(bytes(judgement.actor.uuid()))
            .bind(now.micros())
    })
    .await
}

fn withdrawal(projection: ProjectionId) -> OutboxRow {
    OutboxRow { kind: "withdrawal", payload: serde_json::to_string(&[projection]).unwrap_or_default() }
}

fn verdict_of(row: &AnyRow) -> Result<Option<Verdict>, StoreError> {
    let word = row.text_or_null("verdict")?;
    word.map(|word| word.parse().map_err(|_| StoreError::Corrupt { what: "verdict" })).transpose()
}

/// Adds flags. A kind that was judged keeps its verdict: whoever judged it saw the whole text.
pub(super) async fn insert_flags(
    tx: &mut Transaction<'static, Any>,
    flags: &[FlagRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO flag (version, kind, places) VALUES";
    let tail = "ON CONFLICT (version, kind) DO UPDATE SET places = excluded.places";
    insert_all(tx, head, 3, tail, flags, |query, row| {
        query
            .bind(bytes(row.version.uuid()))
            .bind(row.kind.as_str())
            .bind(serde_json::to_string(&row.places).unwrap_or_else(|_| "[]".to_owned()))
    })
    .await
}

/// Forgets what nobody judged on the records of a conversation, earlier versions too, before it is flagged anew.
pub(super) async fn forget_unjudged(
    tx: &mut Transaction<'static, Any>,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM flag WHERE verdict IS NULL AND version IN \
         (SELECT v.id FROM version v JOIN record r ON r.id = v.record WHERE r.conversation = $1)",
    )
    .bind(bytes(conversation.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("forgetting flags"))?;
    Ok(())
}
