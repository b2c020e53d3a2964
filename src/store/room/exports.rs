//! Exports in the reading room: what the vault made for a grant, what a row shows less, which files are to be built, and the
//! package that a second person let go.

use super::reader::{RECORD_COLUMNS, RECORDS, document_of, pseudonyms_in, record_of};
use super::{Room, RoomRecord, RoomWriter};
use crate::model::{
    ConversationId, ExportId, ExportState, GrantId, ProjectionId, RecordRef, SubjectRef, Timestamp,
};
use crate::redact::Precision;
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::HashMap;

/// A grant for which the vault has still to make something.
pub(super) const WANTING: i64 = 2;

/// The columns of what an export was prepared of, and what has them: `$2` is the export.
const MEMBER_COLUMNS: &str = "g.reference, g.conversation_reference, p.id AS projection, p.conversation, p.author, p.day, \
    p.passages, f.content, g.names, v.content AS given, g.position, o.reference AS parent, x.content AS less";
const MEMBERS: &str = "JOIN export_member m ON m.export = $2 AND m.reference = g.reference \
    LEFT JOIN grant_record o ON o.reading_grant = g.reading_grant AND o.projection = v.parent \
    LEFT JOIN export_row x ON x.export = $2 AND x.projection = g.projection";

/// What the vault made for one record under one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantValue {
    /// Which projection, by its number in the reading room.
    pub number: i64,
    /// The number of the one that it answers, if that is published.
    pub parent: Option<i64>,
    /// What was made (JSON).
    pub content: String,
}

/// A projection as a grant names it, for the vault.
#[derive(Debug)]
pub struct NamedProjection {
    /// Its number in the reading room.
    pub number: i64,
    /// Which.
    pub id: ProjectionId,
    /// The grant's name for it.
    pub reference: RecordRef,
    /// The grant's name for its conversation.
    pub conversation: RecordRef,
    /// What the vault made for it (JSON), where it did.
    pub values: Option<String>,
    /// The redacted document (JSON).
    pub document: String,
}

/// What a row of an export shows less than the plan would let it, because too few people stand behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownLess {
    /// It is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// How exactly the time is told.
    pub time: Precision,
    /// Its wider values are not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_values: bool,
}

/// An export on its way down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedExport {
    /// Its id.
    pub id: ExportId,
    /// Under which grant.
    pub grant: GrantId,
    /// Where it stands.
    pub state: ExportState,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// What may be seen of it (JSON).
    pub document: String,
}

/// An export that the reading room is to build, or has on offer.
#[derive(Debug, Clone)]
pub struct ExportOrder {
    /// The export.
    pub export: PublishedExport,
    /// The plan of its grant.
    pub plan: String,
    /// Whether the grant holds no more.
    pub revoked: bool,
    /// Until when the grant holds.
    pub until: Timestamp,
    /// Whether the vault has still to make something for the grant.
    pub wanting: bool,
}

/// Where a record stands in the order of an export: at the name that the grant drew for it at random. No order of rows that follows
/// time tells when what is shown wider was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// The grant's name for it.
    pub reference: RecordRef,
}

/// A record on its way into files.
#[derive(Debug)]
pub struct ExportRecord {
    /// The record as the grant names it.
    pub record: RoomRecord,
    /// Where it stands.
    pub place: Place,
    /// Its place in its conversation.
    pub position: i64,
    /// The grant's name for what it answers, where the grant covers that.
    pub parent: Option<RecordRef>,
    /// What is shown less.
    pub less: Option<ShownLess>,
}

/// Forgets what was made for projections that are published anew: it is made again.
pub(super) async fn forget_values(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    numbers: &HashMap<ProjectionId, i64>,
) -> Result<(), StoreError> {
    let failed = "publishing conversations";
    let numbers: Vec<i64> = numbers.values().copied().collect();
    for chunk in numbers.chunks(LISTED_MAX) {
        let sql = format!(
            "DELETE FROM grant_value WHERE reading_grant = $1 AND projection IN ({})",
            list(2, chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(bytes(grant.uuid()));
        for number in chunk {
            query = query.bind(*number);
        }
        query.execute(&mut **tx).await.map_err(StoreError::database(failed))?;
    }
    sqlx::query("UPDATE reading_grant SET wanting = 2 WHERE id = $1")
        .bind(bytes(grant.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database(failed))?;
    Ok(())
}

impl RoomWriter {
    /// The grants that run at `now` for which something is still to be made, with their plans.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_wanting(&self, now: Timestamp) -> Result<Vec<(GrantId, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, plan FROM reading_grant WHERE wanting = 2 AND revoked = 0 AND until_at > $1 ORDER BY id",
        )
        .bind(now.micros())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading grants"))?;
        rows.iter().map(|row| Ok((GrantId::from_uuid(row.id("id")?), row.text("plan")?))).collect()
    }

    /// Whether something is still to be made for a grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_wanting(&self, grant: GrantId) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT wanting FROM reading_grant WHERE id = $1")
            .bind(bytes(grant.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a grant"))?;
        // A grant that did not come down yet has everything still to come.
        row.map_or(Ok(true), |row| Ok(row.number("wanting")? == WANTING))
    }

    /// Projections that a grant names and for which nothing was made, at most so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unvalued(&self, grant: GrantId, most: u32) -> Result<Vec<NamedProjection>, StoreError> {
        let sql = format!(
            "SELECT {RECORD_COLUMNS}, p.number FROM {RECORDS} WHERE g.reading_grant = $1 AND v.projection IS NULL \
             ORDER BY g.projection LIMIT $2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(grant.uuid()))
            .bind(i64::from(most))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading a grant"))?;
        rows.iter().map(named_of).collect()
    }

    /// What an export was prepared of and its grant still names, by number, after one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members_after(
        &self,
        export: ExportId,
        grant: GrantId,
        number: i64,
        most: u32,
    ) -> Result<Vec<NamedProjection>, StoreError> {
        let sql = format!(
            "SELECT {RECORD_COLUMNS}, p.number FROM {RECORDS} \
             JOIN export_member m ON m.export = $3 AND m.reference = g.reference \
             WHERE g.reading_grant = $1 AND g.projection > $2 ORDER BY g.projection LIMIT {most}"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(grant.uuid()))
            .bind(number)
            .bind(bytes(export.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading an export"))?;
        rows.iter().map(named_of).collect()
    }

    /// What an export was prepared of under these names, as it stands: what is not among that, was withdrawn or changed since is absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members_so(
        &self,
        export: ExportId,
        grant: GrantId,
        references: &[RecordRef],
    ) -> Result<HashMap<RecordRef, (NamedProjection, ExportRecord)>, StoreError> {
        let mut found = HashMap::with_capacity(references.len());
        for chunk in references.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT {MEMBER_COLUMNS}, p.number FROM {RECORDS} {MEMBERS} \
                 WHERE g.reading_grant = $1 AND m.changed = 0 AND g.reference IN ({})",
                list(3, chunk.len())
            );
            let mut query =
                sqlx::query(AssertSqlSafe(sql)).bind(bytes(grant.uuid())).bind(bytes(export.uuid()));
            for reference in chunk {
                query = query.bind(bytes(reference.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading an export"))?;
            for row in &rows {
                let named = named_of(row)?;
                found.insert(named.reference, (named, export_record(row)?));
            }
        }
        Ok(found)
    }

    /// The pseudonyms that a grant drew for the persons of a conversation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pseudonyms(
        &self,
        grant: GrantId,
        conversation: ConversationId,
    ) -> Result<HashMap<SubjectRef, String>, StoreError> {
        pseudonyms_in(self.db.read(), grant, conversation).await
    }

    /// Of how many records an export was prepared, and how many of them are left out of its files.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepared_count(&self, export: ExportId) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM export_member WHERE export = $1) AS members, \
             (SELECT COUNT(*) FROM export_row WHERE export = $1 AND content LIKE '%\"leftOut\":true%') AS left_out",
        )
        .bind(bytes(export.uuid()))
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("reading an export"))?;
        let count = |column| Ok::<_, StoreError>(u64::try_from(row.number(column)?).unwrap_or_default());
        Ok((count("members")?, count("left_out")?))
    }

    /// The numbers of those of these projections that are published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn numbers(&self, ids: &[ProjectionId]) -> Result<HashMap<ProjectionId, i64>, StoreError> {
        let mut tx = self.db.begin().await?;
        super::writer::numbers_of(&mut tx, ids).await
    }

    /// Publishes what was made for some records of a grant, and when nothing is missing any more, that it is all there.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn values(&self, grant: GrantId, made: &[GrantValue]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let head = "INSERT INTO grant_value (projection, reading_grant, parent, content) VALUES";
        let tail = "ON CONFLICT (projection, reading_grant) DO UPDATE SET parent = excluded.parent, \
                    content = excluded.content";
        insert_all(&mut tx, head, 4, tail, made, |query, value| {
            query.bind(value.number).bind(bytes(grant.uuid())).bind(value.parent).bind(value.content.clone())
        })
        .await?;
        if made.is_empty() {
            sqlx::query(
                "UPDATE reading_grant SET wanting = 1 WHERE id = $1 AND wanting = 2 AND NOT EXISTS (SELECT 1 \
                 FROM grant_record g LEFT JOIN grant_value v ON v.projection = g.projection \
                 AND v.reading_grant = g.reading_grant WHERE g.reading_grant = $1 AND v.projection IS NULL)",
            )
            .bind(bytes(grant.uuid()))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("publishing values"))?;
        }
        Effect::RoomValues.of(tx.commit()).await.map_err(StoreError::database("publishing values"))
    }

    /// Publishes where an export stands; an older state never takes the place of a newer one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&self, export: &PublishedExport) -> Result<(), StoreError> {
        let written = sqlx::query(
            "INSERT INTO export_view (id, reading_grant, state, changed_at, document) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at, \
             document = excluded.document WHERE export_view.changed_at <= excluded.changed_at",
        )
        .bind(bytes(export.id.uuid()))
        .bind(bytes(export.grant.uuid()))
        .bind(export.state.as_str())
        .bind(export.changed_at.micros())
        .bind(export.document.clone());
        let done = Effect::RoomExport.of(written.execute(self.db.write())).await;
        done.map_err(StoreError::database("publishing an export"))?;
        Ok(())
    }

    /// Publishes what rows of an export show less. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn export_rows(&self, export: ExportId, rows: &[(i64, ShownLess)]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let head = "INSERT INTO export_row (export, projection, content) VALUES";
        let tail = "ON CONFLICT (export, projection) DO UPDATE SET content = excluded.content";
        insert_all(&mut tx, head, 3, tail, rows, |query, (number, less)| {
            query
                .bind(bytes(export.uuid()))
                .bind(*number)
                .bind(serde_json::to_string(less).unwrap_or_default())
        })
        .await?;
        Effect::RoomExportPrepared.of(tx.commit()).await.map_err(StoreError::database("publishing an export"))
    }
}

fn named_of(row: &AnyRow) -> Result<NamedProjection, StoreError> {
    Ok(NamedProjection {
        number: row.number("number")?,
        id: ProjectionId::from_uuid(row.id("projection")?),
        reference: RecordRef::from_uuid(row.id("reference")?),
        conversation: RecordRef::from_uuid(row.id("conversation_reference")?),
        values: row.text_or_null("given")?,
        document: document_of(row)?,
    })
}

const ORDER: &str = "SELECT e.id, e.reading_grant, e.state, e.changed_at, e.document, w.plan, w.revoked, w.until_at, w.wanting \
    FROM export_view e JOIN reading_grant w ON w.id = e.reading_grant";

fn order_of(row: &AnyRow) -> Result<ExportOrder, StoreError> {
    Ok(ExportOrder {
        export: PublishedExport {
            id: ExportId::from_uuid(row.id("id")?),
            grant: GrantId::from_uuid(row.id("reading_grant")?),
            state: row.term("state")?,
            changed_at: row.time("changed_at")?,
            document: row.text("document")?,
        },
        plan: row.text("plan")?,
        revoked: row.number("revoked")? != 0,
        until: row.time("until_at")?,
        wanting: row.number("wanting")? == WANTING,
    })
}

impl Room {
    /// The exports that stand so, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports_in(&self, state: ExportState) -> Result<Vec<ExportOrder>, StoreError> {
        let sql = format!("{ORDER} WHERE e.state = $1 ORDER BY e.changed_at, e.id");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(state.as_str())
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("listing exports"))?;
        rows.iter().map(order_of).collect()
    }

    /// The exports of a grant, those that changed last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports_of(&self, grant: GrantId) -> Result<Vec<ExportOrder>, StoreError> {
        let sql = format!("{ORDER} WHERE e.reading_grant = $1 ORDER BY e.changed_at DESC, e.id");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(grant.uuid()))
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("listing exports"))?;
        rows.iter().map(order_of).collect()
    }

    /// One export; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&self, id: ExportId) -> Result<Option<ExportOrder>, StoreError> {
        let sql = format!("{ORDER} WHERE e.id = $1");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(id.uuid()))
            .fetch_optional(self.database().read())
            .await
            .map_err(StoreError::database("reading an export"))?;
        row.as_ref().map(order_of).transpose()
    }

    /// What an export was prepared of and its grant still names, in the order of the names that the grant drew, after a place. A
    /// place that is no more is a place all the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stretch(
        &self,
        grant: GrantId,
        export: ExportId,
        after: Option<&Place>,
        most: u32,
    ) -> Result<Vec<ExportRecord>, StoreError> {
        let beyond = if after.is_some() { "AND m.reference > $4" } else { "" };
        let sql = format!(
            "SELECT {MEMBER_COLUMNS} FROM {RECORDS} {MEMBERS} WHERE g.reading_grant = $1 {beyond} \
             ORDER BY m.reference LIMIT $3"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(grant.uuid()))
            .bind(bytes(export.uuid()))
            .bind(i64::from(most));
        if let Some(place) = after {
            query = query.bind(bytes(place.reference.uuid()));
        }
        let rows = query
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("reading records for an export"))?;
        rows.iter().map(export_record).collect()
    }

    /// How many records a grant names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn named_count(&self, grant: GrantId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM grant_record WHERE reading_grant = $1")
            .bind(bytes(grant.uuid()))
            .fetch_one(self.database().read())
            .await
            .map_err(StoreError::database("counting records"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }
}

fn export_record(row: &AnyRow) -> Result<ExportRecord, StoreError> {
    let record = record_of(row)?;
    let less = row.text_or_null("less")?;
    let less = less.map(|json| serde_json::from_str(&json)).transpose();
    Ok(ExportRecord {
        place: Place { reference: record.reference },
        position: row.number("position")?,
        parent: row.id_or_null("parent")?.map(RecordRef::from_uuid),
        less: less.map_err(|_| StoreError::Corrupt { what: "row of an export" })?,
        record,
    })
}
