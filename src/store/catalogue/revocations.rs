//! Tokens, subjects and persons that are refused at once.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox};
use crate::ledger::{Origin, Pending};
use crate::model::{ActorId, Revocation, RevocationDigest, RevocationId, Revoked, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, any_of, bytes};
use sqlx::any::AnyRow;

impl Catalogue {
    /// Writes a revocation, what goes down for it, and its ledger entry, together. `false` when what it names is
    /// revoked already.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn revoke_identity(
        &self,
        log: &Origin,
        revocation: &Revocation,
        outbox: OutboxRow,
        pending: Pending,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "INSERT INTO revocation (id, kind, issuer, value, reason, digest, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) WHERE lifted_at IS NULL DO NOTHING",
        )
        .bind(bytes(revocation.id.uuid()))
        .bind(revocation.revoked.kind.as_str())
        .bind(revocation.revoked.issuer.clone())
        .bind(revocation.revoked.value.clone())
        .bind(revocation.reason.as_str())
        .bind(revocation.revoked.digest().to_vec())
        .bind(revocation.revoked_at.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("revoking"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_outbox(&mut tx, &[outbox], revocation.revoked_at).await?;
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::IdentityRevoked.of(tx.commit()).await.map_err(StoreError::database("revoking"))?;
        Ok(true)
    }

    /// Lifts a revocation, with what goes down for it and its ledger entry. `false` when it is not in force.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn lift_revocation(
        &self,
        log: &Origin,
        id: RevocationId,
        outbox: OutboxRow,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query("UPDATE revocation SET lifted_at = $1 WHERE id = $2 AND lifted_at IS NULL")
            .bind(now.micros())
            .bind(bytes(id.uuid()))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("lifting a revocation"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_outbox(&mut tx, &[outbox], now).await?;
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::IdentityRevoked
            .of(tx.commit())
            .await
            .map_err(StoreError::database("lifting a revocation"))?;
        Ok(true)
    }

    /// Every revocation, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revocations(&self) -> Result<Vec<Revocation>, StoreError> {
        let rows = sqlx::query("SELECT * FROM revocation ORDER BY revoked_at DESC, id")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing revocations"))?;
        rows.iter().map(revocation_of).collect()
    }

    /// Whether any of these is revoked now.
    ///
    /// # Errors
    /// When the database fails: then nobody may be let in.
    pub async fn is_revoked(&self, digests: &[RevocationDigest]) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS there FROM revocation WHERE lifted_at IS NULL AND digest";
        any_of(self.db.read(), sql, digests, StoreError::database("reading revocations")).await
    }

    /// The actor that a person is known as already; a revocation makes nobody known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn actor_if_known(&self, revoked: &Revoked) -> Result<Option<ActorId>, StoreError> {
        self.known_actor(&revoked.issuer, &revoked.value).await
    }
}

fn revocation_of(row: &AnyRow) -> Result<Revocation, StoreError> {
    Ok(Revocation {
        id: RevocationId::from_uuid(row.id("id")?),
        revoked: Revoked { kind: row.term("kind")?, issuer: row.text("issuer")?, value: row.text("value")? },
        reason: row.term("reason")?,
        revoked_at: row.time("revoked_at")?,
        lifted_at: row.time_or_null("lifted_at")?,
    })
}
