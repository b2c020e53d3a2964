//! Records that wait to be decided anew because a fact changed. The row is written with what changed the fact, and goes with the
//! decision that follows from it: a stop in between loses nothing.

use super::Catalogue;
use super::commit::Batch;
use crate::model::{ActorId, ItemDigest, OrganisationId, RecordId, Role};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::BTreeSet;

/// A record that waits to be decided anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anew {
    /// Which record.
    pub record: RecordId,
    /// Which fact changed, as a code of the ledger: the last, when several did.
    pub cause: String,
    /// Who changed it, if a person did.
    pub by: Option<(ActorId, Role)>,
}

impl Catalogue {
    /// Records that wait to be decided anew, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_anew(&self, after: Option<RecordId>, most: u32) -> Result<Vec<Anew>, StoreError> {
        let after = after.map_or_else(|| vec![0; 16], |id| bytes(id.uuid()));
        let rows = sqlx::query(
            "SELECT record, cause, actor, role FROM decide_anew WHERE record > $1 ORDER BY record LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what is to be decided anew"))?;
        rows.iter().map(anew_of).collect()
    }

    /// Notes that nothing is to be decided of a record: it comes out as it was, or was destroyed.
    ///
    /// # Errors
    /// When the database fails; the record then waits on.
    pub async fn settle_anew(&self, record: RecordId) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        forget_anew(&mut tx, record).await?;
        Effect::AnewSettled.of(tx.commit()).await.map_err(StoreError::database("deciding anew"))
    }
}

/// Has records wait to be decided anew.
pub(super) async fn insert_anew(tx: &mut Transaction<'static, Any>, rows: &[Anew]) -> Result<(), StoreError> {
    let head = "INSERT INTO decide_anew (record, cause, actor, role) VALUES";
    let tail = "ON CONFLICT (record) DO UPDATE SET cause = excluded.cause, actor = excluded.actor, role = excluded.role";
    insert_all(tx, head, 4, tail, rows, |query, row| {
        let (actor, role) = row.by.unzip();
        query
            .bind(bytes(row.record.uuid()))
            .bind(row.cause.clone())
            .bind(actor.map(|actor| bytes(actor.uuid())))
            .bind(role.map(Role::as_str))
    })
    .await
}

/// Has what the organisation answered wait, when a batch brought the answer or what it answers.
pub(super) async fn insert_answered(
    tx: &mut Transaction<'static, Any>,
    batch: &Batch,
) -> Result<(), StoreError> {
    let Some(organisation) = &batch.answers_of else { return Ok(()) };
    let answers = batch.records.iter().filter(|row| row.own).filter_map(|row| row.answers);
    let named = batch.names.iter().filter(|row| row.record.is_some()).map(|row| row.digest);
    let names: BTreeSet<ItemDigest> = answers.chain(named).collect();
    let names: Vec<ItemDigest> = names.into_iter().collect();
    let answered = answered_among(tx, organisation, &names).await?;
    let row = |record| Anew { record, cause: "answered".to_owned(), by: None };
    let rows: Vec<Anew> = answered.into_iter().map(row).collect();
    insert_anew(tx, &rows).await
}

/// The records under these names that the organisation answered.
async fn answered_among(
    tx: &mut Transaction<'static, Any>,
    organisation: &OrganisationId,
    names: &[ItemDigest],
) -> Result<BTreeSet<RecordId>, StoreError> {
    let mut found = BTreeSet::new();
    for some in names.chunks(LISTED_MAX) {
        let sql = format!(
            "SELECT n.record FROM record o JOIN name n ON n.digest = o.answers WHERE o.organisation = $1 \
             AND o.own = 1 AND n.record IS NOT NULL AND o.answers IN ({})",
            list(2, some.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(organisation.to_string());
        for name in some {
            query = query.bind(name.as_bytes().to_vec());
        }
        let rows = query.persistent(some.len() == LISTED_MAX).fetch_all(&mut **tx).await;
        for row in &rows.map_err(StoreError::database("reading what was answered"))? {
            found.insert(RecordId::from_uuid(row.id("record")?));
        }
    }
    Ok(found)
}

/// It was decided anew: it waits no longer.
pub(super) async fn forget_anew(
    tx: &mut Transaction<'static, Any>,
    record: RecordId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM decide_anew WHERE record = $1")
        .bind(bytes(record.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("deciding anew"))?;
    Ok(())
}

fn anew_of(row: &AnyRow) -> Result<Anew, StoreError> {
    let actor = row.id_or_null("actor")?.map(ActorId::from_uuid);
    let role = match row.text_or_null("role")? {
        Some(role) => Some(role.parse().map_err(|_| StoreError::Corrupt { what: "role" })?),
        None => None,
    };
    Ok(Anew {
        record: RecordId::from_uuid(row.id("record")?),
        cause: row.text("cause")?,
        by: actor.zip(role),
    })
}
