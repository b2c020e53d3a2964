//! What the officer who checks sees of openings: rows and totals, no content.

use super::StoreError;
use super::openings::{OpeningRow, Openings, opening_of};
use super::rows::{LISTED_MAX, RowValues, bytes, list};
use crate::model::{
    ActorId, DisclosureId, GrantId, ItemDigest, LegalBasisCode, OrganisationId, RecordId, Timestamp,
};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet};

/// One opening of one original.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredOpening {
    /// The disclosure.
    pub id: DisclosureId,
    /// Of which record.
    pub record: RecordId,
    /// By whom.
    pub actor: ActorId,
    /// Under which legal basis.
    pub legal_basis: LegalBasisCode,
    /// Under which request, if under one.
    pub opening: Option<GrantId>,
    /// When it was announced.
    pub at: Timestamp,
    /// `served`, `failed`, `not-opened`; nothing when how it ended is not known.
    pub outcome: Option<String>,
}

/// Which openings.
#[derive(Debug, Default, Clone)]
pub struct RegisterSelection {
    /// Only under this legal basis.
    pub basis: Option<LegalBasisCode>,
    /// Only by this person.
    pub actor: Option<ActorId>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// How many at the most.
    pub most: u32,
}

/// How many openings there were, and how many of them were handed over or may have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpeningTotal {
    /// Announced.
    pub intended: u64,
    /// Handed over.
    pub served: u64,
    /// Opened as far as is known: all but those of which it is known that they were not.
    pub opened: u64,
}

impl Openings {
    /// Openings of an organisation's originals, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(
        &self,
        organisation: &OrganisationId,
        asked: &RegisterSelection,
    ) -> Result<Vec<RegisteredOpening>, StoreError> {
        let basis = asked.basis.as_ref().map_or("<> $2", |_| "= $2");
        let actor = asked.actor.map_or("<> $3", |_| "= $3");
        let sql = format!(
            "SELECT d.id, d.record, d.actor, d.legal_basis, d.opening, d.created_at, d.outcome FROM disclosure d \
             LEFT JOIN record_row k ON k.id = d.record LEFT JOIN shelf r ON r.number = k.shelf \
             WHERE COALESCE(d.organisation, r.organisation) = $1 AND d.legal_basis {basis} AND d.actor {actor} \
             AND d.created_at >= $4 AND d.created_at < $5 ORDER BY d.created_at DESC, d.id LIMIT $6"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(organisation.to_string())
            .bind(asked.basis.as_ref().map_or(String::new(), ToString::to_string))
            .bind(asked.actor.map_or_else(Vec::new, |actor| bytes(actor.uuid())))
            .bind(asked.from.map_or(i64::MIN, Timestamp::micros))
            .bind(asked.until.map_or(i64::MAX, Timestamp::micros))
            .bind(i64::from(asked.most))
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("reading the register"))?;
        rows.iter()
            .map(|row| {
                Ok(RegisteredOpening {
                    id: DisclosureId::from_uuid(row.id("id")?),
                    record: RecordId::from_uuid(row.id("record")?),
                    actor: ActorId::from_uuid(row.id("actor")?),
                    legal_basis: row.term("legal_basis")?,
                    opening: row.id_or_null("opening")?.map(GrantId::from_uuid),
                    at: row.time("created_at")?,
                    outcome: row.text_or_null("outcome")?,
                })
            })
            .collect()
    }

    /// Totals of a period by legal basis and person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn totals(
        &self,
        organisation: &OrganisationId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeMap<(LegalBasisCode, ActorId), OpeningTotal>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.legal_basis, d.actor, COUNT(*) AS intended, \
             SUM(CASE WHEN d.outcome = 'served' THEN 1 ELSE 0 END) AS served, \
             SUM(CASE WHEN d.outcome = 'not-opened' THEN 0 ELSE 1 END) AS opened FROM disclosure d \
             LEFT JOIN record_row k ON k.id = d.record LEFT JOIN shelf r ON r.number = k.shelf \
             WHERE COALESCE(d.organisation, r.organisation) = $1 AND d.created_at >= $2 AND d.created_at < $3 \
             GROUP BY d.legal_basis, d.actor",
        )
        .bind(organisation.to_string())
        .bind(from.micros())
        .bind(until.micros())
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("adding up openings"))?;
        rows.iter()
            .map(|row| {
                let number = |column| row.number(column).map(|n| u64::try_from(n).unwrap_or_default());
                let total = OpeningTotal {
                    intended: number("intended")?,
                    served: number("served")?,
                    opened: number("opened")?,
                };
                Ok(((row.term("legal_basis")?, ActorId::from_uuid(row.id("actor")?)), total))
            })
            .collect()
    }

    /// How often these records were opened, by legal basis and organisation: however it ended, unless it is known that nothing
    /// was opened. A process that ended after the bytes had left did not say so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opened_by_basis(
        &self,
        records: &[RecordId],
    ) -> Result<Vec<(LegalBasisCode, OrganisationId, u64)>, StoreError> {
        let mut totals: BTreeMap<(LegalBasisCode, OrganisationId), u64> = BTreeMap::new();
        for chunk in records.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT d.legal_basis, r.organisation, COUNT(*) AS n FROM disclosure d \
                 JOIN record r ON r.id = d.record WHERE COALESCE(d.outcome, '') <> 'not-opened' AND d.record IN ({}) \
                 GROUP BY d.legal_basis, r.organisation",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for record in chunk {
                query = query.bind(bytes(record.uuid()));
            }
            let rows = query
                .fetch_all(self.database().read())
                .await
                .map_err(StoreError::database("adding up openings"))?;
            for row in rows {
                let of = (row.term("legal_basis")?, row.term("organisation")?);
                *totals.entry(of).or_default() += u64::try_from(row.number("n")?).unwrap_or_default();
            }
        }
        Ok(totals.into_iter().map(|((basis, organisation), n)| (basis, organisation, n)).collect())
    }

    /// The records that were opened in a case, as far as is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opened_in_case(&self, case: ItemDigest) -> Result<BTreeSet<RecordId>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT record FROM disclosure WHERE case_digest = $1 \
             AND COALESCE(outcome, '') <> 'not-opened'",
        )
        .bind(case.as_bytes().to_vec())
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("reading what was opened in a case"))?;
        rows.iter().map(|row| Ok(RecordId::from_uuid(row.id("record")?))).collect()
    }

    /// Requests that are open and end before `until`, the first to end first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lapsing(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OpeningRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM opening WHERE organisation = $1 AND state = 'open' AND until_at > $2 AND until_at < $3 \
             ORDER BY until_at, id LIMIT 1000",
        )
        .bind(organisation.to_string())
        .bind(now.micros())
        .bind(until.micros())
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("listing what lapses"))?;
        rows.iter().map(opening_of).collect()
    }
}
