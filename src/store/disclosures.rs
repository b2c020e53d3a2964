//! Disclosures: each with the entries that announce and conclude it, durable together or not at all.

use super::StoreError;
use super::effect::Effect;
use super::group_commit::Beside;
use super::journal::{Journal, SealedBody};
use super::rows::{RowValues, bytes};
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{
    ActorId, DisclosureId, GrantId, ItemDigest, LegalBasisCode, OrganisationId, RecordId, Timestamp,
};
use sqlx::{Any, Transaction};

/// One opening of one original, as intended.
#[derive(Debug, Clone)]
pub struct DisclosureRow {
    /// Its id.
    pub id: DisclosureId,
    /// Of which record.
    pub record: RecordId,
    /// By whom.
    pub actor: ActorId,
    /// Under which legal basis.
    pub basis: LegalBasisCode,
    /// Whose record, as far as it is there.
    pub organisation: OrganisationId,
    /// Under which request, if it is under one.
    pub opening: Option<GrantId>,
    /// The case that it counts in, when it counts in one.
    pub case: Option<CaseCount>,
}

/// What one person opens under a legal basis in a case, by itself and not under a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseCount {
    /// A keyed digest of person, legal basis and case.
    pub digest: ItemDigest,
    /// How many records at the most.
    pub most: u32,
}

impl Journal {
    /// Writes the intent to open an original: disclosure row and ledger entry with its sealed body, together.
    /// Only after this may the original be opened.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when as many records were opened in the case as may be; else when the database fails: the opening
    /// must then be refused.
    pub async fn intend_disclosure(
        &self,
        log: &Origin,
        row: DisclosureRow,
        pending: Pending,
        body: SealedBody,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let intent = pending.entry().id();
        let beside: Beside = Box::new(move |tx| Box::pin(intended(tx, row.clone(), intent, now)));
        self.record_beside(log, pending, Some(body), Some(beside), Effect::DisclosureIntended).await
    }

    /// Writes how a disclosure ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn conclude_disclosure(
        &self,
        log: &Origin,
        id: DisclosureId,
        outcome: &'static str,
        pending: Pending,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(concluded(tx, id, outcome)));
        self.record_beside(log, pending, None, Some(beside), Effect::DisclosureConcluded).await
    }
}

async fn intended(
    tx: &mut Transaction<'static, Any>,
    row: DisclosureRow,
    intent: EntryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(case) = row.case {
        within(tx, row.record, case).await?;
    }
    sqlx::query(
        "INSERT INTO disclosure \
         (id, record, actor, legal_basis, intent, created_at, organisation, opening, case_digest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(bytes(row.id.uuid()))
    .bind(bytes(row.record.uuid()))
    .bind(bytes(row.actor.uuid()))
    .bind(row.basis.to_string())
    .bind(bytes(intent.uuid()))
    .bind(now.micros())
    .bind(row.organisation.to_string())
    .bind(row.opening.map(|opening| bytes(opening.uuid())))
    .bind(row.case.map(|case| case.digest.as_bytes().to_vec()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("recording a disclosure"))?;
    Ok(())
}

/// Whether one more record may be opened in a case. A record that was opened in it before counts once.
async fn within(
    tx: &mut Transaction<'static, Any>,
    record: RecordId,
    case: CaseCount,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(DISTINCT record) AS n FROM disclosure WHERE case_digest = $1 AND record <> $2 \
         AND COALESCE(outcome, '') <> 'not-opened'",
    )
    .bind(case.digest.as_bytes().to_vec())
    .bind(bytes(record.uuid()))
    .fetch_one(&mut **tx)
    .await
    .map_err(StoreError::database("counting what was opened in a case"))?;
    if row.number("n")? < i64::from(case.most) { Ok(()) } else { Err(StoreError::Moved) }
}

async fn concluded(
    tx: &mut Transaction<'static, Any>,
    id: DisclosureId,
    outcome: &'static str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE disclosure SET outcome = $1 WHERE id = $2")
        .bind(outcome)
        .bind(bytes(id.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("concluding a disclosure"))?;
    Ok(())
}
