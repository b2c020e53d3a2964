//! What waits for reviewers, of every kind: read off decisions and flags where these say so, and off tasks where something was
//! put in the queue by itself. No words of any text.

use super::Catalogue;
use super::flags::QueueScope;
use crate::model::{
    ActorId, ChannelId, ConversationId, ItemKind, OrganisationId, ProjectionId, QueueKind, RecordId,
    Timestamp, VersionId,
};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes, insert_all};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

/// Why a version waits, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueReason {
    /// What kind of item that makes it.
    pub kind: QueueKind,
    /// Since when it waits.
    pub since: Timestamp,
}

/// A version in force that waits for a reviewer. No text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueItem {
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
    #[serde(rename = "kind")]
    pub item: ItemKind,
    /// The day it was posted.
    pub day: Option<String>,
    /// Why it waits.
    pub reasons: Vec<QueueReason>,
}

impl QueueItem {
    /// Whether it waits for this reason.
    #[must_use]
    pub fn waits_for(&self, kind: QueueKind) -> bool {
        self.reasons.iter().any(|reason| reason.kind == kind)
    }
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Queued {
    /// Only items of this kind.
    pub kind: Option<QueueKind>,
    /// Only this item.
    pub only: Option<VersionId>,
    /// After this item.
    pub after: Option<VersionId>,
    /// How many at the most.
    pub most: u32,
}

/// Something that is put in the queue by itself.
#[derive(Debug, Clone)]
pub struct ReviewTask {
    /// Which version.
    pub version: VersionId,
    /// As what.
    pub kind: QueueKind,
    /// How many people judge it, each without knowing what the others said.
    pub people: u32,
}

/// How many items of a kind wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueTally {
    /// The kind.
    pub kind: QueueKind,
    /// How many wait.
    pub waiting: u64,
    /// How many of them wait longer than they should.
    pub overdue: u64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
}

/// Of a record that may be read but for what a reviewer has to say.
const READABLE: &str = "r.outcome = 'archive' AND r.withheld IS NULL AND r.visibility IN ('public', 'unlisted') \
    AND NOT EXISTS (SELECT 1 FROM restriction x WHERE x.record = r.id AND x.lifted_at IS NULL)";

/// The records whose version in force is one of `t`: by the version's own record, for no index leads from a version to who has it in force.
const IN_FORCE: &str =
    "JOIN version v ON v.id = t.version JOIN record r ON r.id = v.record AND r.version = v.id";

/// The records whose version in force waits for this reason, with since when. `$1` is the version after which it begins; for [`QueueKind::Sample`]
/// `$2` is who asks: what they judged already does not wait for them.
fn waiting(kind: QueueKind) -> String {
    let head = format!("SELECT r.id AS record, '{kind}' AS why");
    let unsure = |own: u8| {
        format!(
            "{head}, d.decided_at AS since FROM record r JOIN decision d ON d.record = r.id AND d.version = r.version \
             WHERE r.set_aside = 'unsure' AND r.own = {own} AND r.kind NOT IN ('page', 'attachment') AND r.destroyed_at IS NULL AND r.version > $1"
        )
    };
    let flagged = |which: &str| {
        format!(
            "{head}, v.observed_at AS since FROM \
             (SELECT DISTINCT f.version FROM flag f WHERE f.verdict IS NULL AND f.kind {which} 'minor' AND f.version > $1) t \
             {IN_FORCE} WHERE {READABLE}"
        )
    };
    let task = |and: &str| {
        format!(
            "{head}, t.since AS since FROM review_task t {IN_FORCE} WHERE t.kind = '{kind}' \
             AND t.settled_at IS NULL AND r.destroyed_at IS NULL AND t.version > $1{and}"
        )
    };
    match kind {
        QueueKind::DoubtfulQuestion => unsure(0),
        QueueKind::AccountPost => unsure(1),
        QueueKind::SpecialCategory => flagged("<>"),
        QueueKind::Minor => flagged("="),
        QueueKind::DoubtfulFinding => task(&format!(" AND {READABLE}")),
        QueueKind::Sample => task(
            " AND NOT EXISTS (SELECT 1 FROM assessment a WHERE a.version = t.version AND a.kind = 'sample' AND a.actor = $2)",
        ),
        QueueKind::ReaderReport | QueueKind::Restored => task(""),
    }
}

impl Catalogue {
    /// What waits in a queue of these scopes for this person, in the order of the items' ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_items(
        &self,
        scopes: &[QueueScope],
        actor: ActorId,
        asked: &Queued,
    ) -> Result<Vec<QueueItem>, StoreError> {
        let kinds: Vec<QueueKind> = asked.kind.map_or_else(|| QueueKind::ALL.to_vec(), |kind| vec![kind]);
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        for scope in scopes {
            let (condition, more) = scope.condition(5 + values.len());
            conditions.push(condition);
            values.extend(more);
        }
        if conditions.is_empty() {
            return Ok(Vec::new());
        }
        let sources: Vec<String> = kinds.iter().map(|kind| waiting(*kind)).collect();
        let sql = format!(
            "SELECT r.*, q.why, q.since FROM ({}) q JOIN record r ON r.id = q.record \
             WHERE ($2 = $2 AND ($3 = 0 OR r.version = $4)) AND ({}) ORDER BY r.version, q.why LIMIT {}",
            sources.join(" UNION ALL "),
            conditions.join(" OR "),
            (u64::from(asked.most) + 1) * kinds.len() as u64,
        );
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(asked.after.map_or_else(|| vec![0; 16], |id| bytes(id.uuid())))
            .bind(bytes(actor.uuid()))
            .bind(i64::from(asked.only.is_some()))
            .bind(asked.only.map_or_else(|| vec![0; 16], |id| bytes(id.uuid())));
        let query = values.into_iter().fold(query, |query, value| query.bind(value));
        let rows =
            query.fetch_all(self.db.read()).await.map_err(StoreError::database("listing the queue"))?;
        let mut items: Vec<QueueItem> = Vec::new();
        for row in &rows {
            let reason = QueueReason { kind: row.term("why")?, since: row.time("since")? };
            let id = VersionId::from_uuid(row.id("version")?);
            match items.last_mut().filter(|last| last.id == id) {
                Some(last) => last.reasons.push(reason),
                None => items.push(item_of(row, vec![reason])?),
            }
        }
        items.truncate(asked.most as usize);
        Ok(items)
    }

    /// What a version in force is, whether it waits or not; without reasons. `None` for one that is not in force.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queueable(&self, id: VersionId) -> Result<Option<QueueItem>, StoreError> {
        let sql = format!(
            "SELECT r.* FROM (SELECT id AS version FROM version WHERE id = $1) t {IN_FORCE} WHERE r.destroyed_at IS NULL"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading an item"))?;
        row.map(|row| item_of(&row, Vec::new())).transpose()
    }

    /// How many items of each kind wait, of one organisation or of all; `due_days` says how long each kind may wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_tally(
        &self,
        organisation: Option<&OrganisationId>,
        now: Timestamp,
        due_days: &(dyn Fn(QueueKind) -> u32 + Sync),
    ) -> Result<Vec<QueueTally>, StoreError> {
        let mut tallies = Vec::with_capacity(QueueKind::ALL.len());
        for kind in QueueKind::ALL {
            let sql = format!(
                "SELECT COUNT(*) AS n, MIN(q.since) AS oldest, SUM(CASE WHEN q.since < $3 THEN 1 ELSE 0 END) AS late \
                 FROM ({}) q JOIN record r ON r.id = q.record WHERE $2 = $2 AND ($4 = 0 OR r.organisation = $5)",
                waiting(*kind)
            );
            let due = now.plus_seconds(-i64::from(due_days(*kind)) * DAY_SECONDS);
            let row = sqlx::query(AssertSqlSafe(sql))
                .bind(vec![0_u8; 16])
                .bind(vec![0_u8; 16])
                .bind(due.micros())
                .bind(i64::from(organisation.is_some()))
                .bind(organisation.map(ToString::to_string).unwrap_or_default())
                .fetch_one(self.db.read())
                .await
                .map_err(StoreError::database("counting the queue"))?;
            tallies.push(QueueTally {
                kind: *kind,
                waiting: u64::try_from(row.number("n")?).unwrap_or_default(),
                overdue: u64::try_from(row.number_or_null("late")?.unwrap_or_default()).unwrap_or_default(),
                oldest: row.time_or_null("oldest")?,
            });
        }
        Ok(tallies)
    }

    /// How many people judge a task; `None` when it is not in the queue.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn task_people(&self, version: VersionId, kind: QueueKind) -> Result<Option<u32>, StoreError> {
        let row = sqlx::query(
            "SELECT people FROM review_task WHERE version = $1 AND kind = $2 AND settled_at IS NULL",
        )
        .bind(bytes(version.uuid()))
        .bind(kind.as_str())
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading the queue"))?;
        row.map(|row| Ok(u32::try_from(row.number("people")?).unwrap_or(1))).transpose()
    }
}

const DAY_SECONDS: i64 = 86_400;

fn item_of(row: &AnyRow, reasons: Vec<QueueReason>) -> Result<QueueItem, StoreError> {
    Ok(QueueItem {
        id: VersionId::from_uuid(row.id("version")?),
        record: RecordId::from_uuid(row.id("id")?),
        conversation: ConversationId::from_uuid(row.id("conversation")?),
        projection: ProjectionId::from_uuid(row.id("projection")?),
        organisation: row.term("organisation")?,
        channel: row.term("channel")?,
        item: row.term("kind")?,
        day: row.time_or_null("posted_at")?.map(Timestamp::day),
        reasons,
    })
}

/// Puts tasks in the queue. One that is there already stays as it is; one that was settled waits anew.
pub(in crate::store) async fn insert_tasks(
    tx: &mut Transaction<'static, Any>,
    tasks: &[ReviewTask],
    draw: Option<uuid::Uuid>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let head = "INSERT INTO review_task (version, kind, since, people, held, draw) VALUES";
    let tail = "ON CONFLICT (version, kind) DO UPDATE SET settled_at = NULL, since = excluded.since \
                WHERE review_task.settled_at IS NOT NULL";
    insert_all(tx, head, 6, tail, tasks, |query, task| {
        query
            .bind(bytes(task.version.uuid()))
            .bind(task.kind.as_str())
            .bind(now.micros())
            .bind(i64::from(task.people))
            .bind(0_i64)
            .bind(draw.map(bytes))
    })
    .await
}

/// What readers reported of a record, and what waits since a backup was put back, is of the record whatever its text: it waits with
/// the version that comes into force. Before that does; both are numbers.
pub(super) async fn carry_tasks(
    tx: &mut Transaction<'static, Any>,
    record: i64,
    version: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE review_task SET version = (SELECT id FROM version_row WHERE number = $1) \
         WHERE kind IN ('reader-report', 'restored') AND settled_at IS NULL AND version = \
         (SELECT v.id FROM record_row r JOIN version_row v ON v.number = r.version WHERE r.number = $2)",
    )
    .bind(version)
    .bind(record)
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("keeping what waits"))?;
    Ok(())
}

/// Says which versions of a conversation hold findings in doubt: the others no longer wait for that.
pub(super) async fn doubts_of(
    tx: &mut Transaction<'static, Any>,
    conversation: ConversationId,
    doubtful: &[VersionId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT t.version FROM record r JOIN review_task t ON t.version = r.version \
         WHERE r.conversation = $1 AND t.kind = 'doubtful-finding' AND t.settled_at IS NULL",
    )
    .bind(bytes(conversation.uuid()))
    .fetch_all(&mut **tx)
    .await
    .map_err(StoreError::database("reading the queue"))?;
    for row in rows {
        let version = VersionId::from_uuid(row.id("version")?);
        if !doubtful.contains(&version) {
            settle_task(tx, version, QueueKind::DoubtfulFinding, now).await?;
        }
    }
    insert_doubts(tx, doubtful, now).await
}

/// Puts versions with findings in doubt in the queue.
pub(super) async fn insert_doubts(
    tx: &mut Transaction<'static, Any>,
    doubtful: &[VersionId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let kind = QueueKind::DoubtfulFinding;
    let tasks: Vec<ReviewTask> =
        doubtful.iter().map(|version| ReviewTask { version: *version, kind, people: 1 }).collect();
    insert_tasks(tx, &tasks, None, now).await
}

/// A record waits no longer because of readers once every report on it was judged.
pub(super) async fn reports_judged(
    tx: &mut Transaction<'static, Any>,
    record: RecordId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE review_task SET settled_at = $1 WHERE kind = 'reader-report' AND settled_at IS NULL \
         AND version IN (SELECT id FROM version WHERE record = $2) \
         AND NOT EXISTS (SELECT 1 FROM report p WHERE p.record = $2 AND p.outcome IS NULL)",
    )
    .bind(now.micros())
    .bind(bytes(record.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("settling a task"))?;
    Ok(())
}

/// A task waits no longer.
pub(super) async fn settle_task(
    tx: &mut Transaction<'static, Any>,
    version: VersionId,
    kind: QueueKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE review_task SET settled_at = $1, held = 0 WHERE version = $2 AND kind = $3 AND settled_at IS NULL",
    )
    .bind(now.micros())
    .bind(bytes(version.uuid()))
    .bind(kind.as_str())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("settling a task"))?;
    Ok(())
}
