//! Versions of policies, and what stood in each when it was first used.

use super::Catalogue;
use crate::ledger::{EntryId, Hash, Origin, Pending, Recorded};
use crate::model::{PolicyKind, Timestamp};
use crate::store::StoreError;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};
use sqlx::any::AnyRow;

/// A version of a policy and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyVersion {
    /// What it is.
    pub kind: PolicyKind,
    /// Its id: with the kind, and the version, it names one content.
    pub id: String,
    /// Its version, as its author wrote it.
    pub version: String,
    /// The digest of its content.
    pub digest: Hash,
}

/// A version of a policy that was used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPolicy {
    /// The version and its content.
    pub policy: PolicyVersion,
    /// The entry that commits to it.
    pub entry: EntryId,
    /// Since when.
    pub since: Timestamp,
}

impl Catalogue {
    /// Every version of a policy that was ever used here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn policy_versions(&self) -> Result<Vec<KnownPolicy>, StoreError> {
        let rows = sqlx::query("SELECT kind, id, version, digest, entry, since FROM policy_version")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading versions of policies"))?;
        rows.iter().map(known_of).collect()
    }

    /// Keeps what stands in versions that are used for the first time, with the entry that commits to them.
    ///
    /// # Errors
    /// When the database fails, or one of them is known: nothing is then kept.
    pub async fn add_policy_versions(
        &self,
        log: &Origin,
        fresh: &[PolicyVersion],
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.db.begin().await?;
        for policy in fresh {
            sqlx::query(
                "INSERT INTO policy_version (kind, id, version, digest, entry, since) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(policy.kind.as_str())
            .bind(policy.id.clone())
            .bind(policy.version.clone())
            .bind(policy.digest.as_bytes().to_vec())
            .bind(bytes(pending.entry().id().uuid()))
            .bind(now.micros())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("keeping versions of policies"))?;
        }
        let added = journal::add(&mut tx, log, pending, None).await?;
        tx.commit().await.map_err(StoreError::database("keeping versions of policies"))?;
        Ok(journal::after_commit(added))
    }
}

fn known_of(row: &AnyRow) -> Result<KnownPolicy, StoreError> {
    let digest = row.blob("digest")?.try_into().map_err(|_| StoreError::Corrupt { what: "digest" })?;
    Ok(KnownPolicy {
        policy: PolicyVersion {
            kind: row.term("kind")?,
            id: row.text("id")?,
            version: row.text("version")?,
            digest: Hash::from_bytes(digest),
        },
        entry: EntryId::from_uuid(row.id("entry")?),
        since: row.time("since")?,
    })
}
