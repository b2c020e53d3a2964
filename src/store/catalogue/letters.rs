//! Links to the letter system: which record was registered there as a letter, and whether that system confirmed it.

use super::Catalogue;
use super::anew::{Anew, insert_anew};
use crate::ledger::{EntryId, Origin, Pending};
use crate::model::{ActorId, ItemDigest, OrganisationId, RecordId, Role, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal::{self, SealedBody};
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;

/// A link to the letter system.
#[derive(Debug, Clone)]
pub struct LetterRow {
    /// Which record.
    pub record: RecordId,
    /// Which system.
    pub system: String,
    /// Keyed digest of system and case number.
    pub case: ItemDigest,
    /// The day it was registered there.
    pub registered_on: String,
    /// Who made the link.
    pub registrar: ActorId,
    /// What was taken over, in words.
    pub taken_over: String,
    /// When the system confirmed it, and what it said, if that came with the link.
    pub confirmed: Option<(Timestamp, String)>,
}

/// What the letter system said of a case.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// Keyed digest of system and case number.
    pub case: ItemDigest,
    /// When it confirmed.
    pub at: Timestamp,
    /// What it said.
    pub said: String,
    /// Who noted it.
    pub by: ActorId,
}

/// A link as it is shown; the case number stands in the sealed body of its entry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterLink {
    /// Which record.
    pub record: RecordId,
    /// Which system.
    pub system: String,
    /// The day it was registered there.
    pub registered_on: String,
    /// Who made the link, as the ledger knows them.
    pub linked_by: ActorId,
    /// What was taken over.
    pub taken_over: String,
    /// When the link was made.
    pub linked_at: Timestamp,
    /// When the system confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// What it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    #[serde(skip)]
    /// The keyed digest of system and case number.
    pub case: ItemDigest,
    #[serde(skip)]
    /// In which entry the link stands.
    pub entry: Option<EntryId>,
}

/// A step with letters that is to be written: its entry, and the body that is sealed with it.
pub type LetterStep<T> = (T, Pending, Option<SealedBody>);

impl Catalogue {
    /// Makes links and notes confirmations, all of them or none: which records are confirmed now; those wait to be decided anew.
    /// `by` is who notes it. `None` when a record is linked already: then nothing changes.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn write_letters(
        &self,
        log: &Origin,
        organisation: &OrganisationId,
        links: Vec<LetterStep<LetterRow>>,
        confirmations: Vec<LetterStep<Confirmation>>,
        (by, now): ((ActorId, Role), Timestamp),
    ) -> Result<Option<BTreeSet<RecordId>>, StoreError> {
        let mut tx = self.db.begin().await?;
        let mut confirmed = BTreeSet::new();
        for (link, pending, body) in links {
            if !insert_letter(&mut tx, &link, pending.entry().id(), now).await? {
                return Ok(None);
            }
            confirmed.extend(link.confirmed.is_some().then_some(link.record));
            let _durable_with_this_transaction = journal::add(&mut tx, log, pending, body).await?;
        }
        for (confirmation, pending, body) in confirmations {
            let found = confirm(&mut tx, organisation, &confirmation).await?;
            if !found.is_empty() {
                let _durable_with_this_transaction = journal::add(&mut tx, log, pending, body).await?;
            }
            confirmed.extend(found);
        }
        let anew = |record| Anew { record, cause: "letter-confirmed".to_owned(), by: Some(by) };
        let rows: Vec<Anew> = confirmed.iter().copied().map(anew).collect();
        insert_anew(&mut tx, &rows).await?;
        Effect::LettersWritten.of(tx.commit()).await.map_err(StoreError::database("linking letters"))?;
        Ok(Some(confirmed))
    }

    /// Links of an organisation: of one case, or all that were not confirmed yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn letters(
        &self,
        organisation: &OrganisationId,
        case: Option<ItemDigest>,
    ) -> Result<Vec<LetterLink>, StoreError> {
        let sql = match case {
            Some(_) => {
                "SELECT l.* FROM letter l JOIN record r ON r.id = l.record \
                        WHERE r.organisation = $1 AND l.case_digest = $2 ORDER BY l.linked_at"
            }
            None => {
                "SELECT l.* FROM letter l JOIN record r ON r.id = l.record \
                     WHERE r.organisation = $1 AND l.case_digest <> $2 AND l.confirmed_at IS NULL ORDER BY l.linked_at"
            }
        };
        let rows = sqlx::query(sql)
            .bind(organisation.to_string())
            .bind(case.map(|case| case.as_bytes().to_vec()).unwrap_or_default())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing letters"))?;
        rows.iter().map(link_of).collect()
    }

    /// The link of a record, if it has one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn letter_of(&self, record: RecordId) -> Result<Option<LetterLink>, StoreError> {
        let row = sqlx::query("SELECT * FROM letter WHERE record = $1")
            .bind(bytes(record.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a letter"))?;
        row.as_ref().map(link_of).transpose()
    }
}

/// `false` when the record is linked already.
async fn insert_letter(
    tx: &mut Transaction<'static, Any>,
    letter: &LetterRow,
    entry: EntryId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (confirmed_at, confirmation) = letter.confirmed.clone().unzip();
    let added = sqlx::query(
        "INSERT INTO letter (record, system, case_digest, registered_on, registrar, taken_over, linked_at, confirmed_at, \
         confirmation, confirmed_by, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (record) DO NOTHING",
    )
    .bind(bytes(letter.record.uuid()))
    .bind(letter.system.clone())
    .bind(letter.case.as_bytes().to_vec())
    .bind(letter.registered_on.clone())
    .bind(bytes(letter.registrar.uuid()))
    .bind(letter.taken_over.clone())
    .bind(now.micros())
    .bind(confirmed_at.map(Timestamp::micros))
    .bind(confirmation)
    .bind(confirmed_at.map(|_| bytes(letter.registrar.uuid())))
    .bind(bytes(entry.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("linking a letter"))?;
    Ok(added.rows_affected() > 0)
}

async fn confirm(
    tx: &mut Transaction<'static, Any>,
    organisation: &OrganisationId,
    confirmation: &Confirmation,
) -> Result<Vec<RecordId>, StoreError> {
    let rows = sqlx::query(
        "UPDATE letter SET confirmed_at = $1, confirmation = $2, confirmed_by = $3 WHERE case_digest = $4 \
         AND confirmed_at IS NULL AND record IN (SELECT id FROM record WHERE organisation = $5) RETURNING record",
    )
    .bind(confirmation.at.micros())
    .bind(confirmation.said.clone())
    .bind(bytes(confirmation.by.uuid()))
    .bind(confirmation.case.as_bytes().to_vec())
    .bind(organisation.to_string())
    .fetch_all(&mut **tx)
    .await
    .map_err(StoreError::database("confirming a letter"))?;
    rows.iter().map(|row| Ok(RecordId::from_uuid(row.id("record")?))).collect()
}

fn link_of(row: &AnyRow) -> Result<LetterLink, StoreError> {
    Ok(LetterLink {
        record: RecordId::from_uuid(row.id("record")?),
        system: row.text("system")?,
        registered_on: row.text("registered_on")?,
        linked_by: ActorId::from_uuid(row.id("registrar")?),
        taken_over: row.text("taken_over")?,
        linked_at: row.time("linked_at")?,
        confirmed_at: row.time_or_null("confirmed_at")?,
        confirmation: row.text_or_null("confirmation")?,
        case: row.digest("case_digest")?,
        entry: row.id_or_null("entry")?.map(EntryId::from_uuid),
    })
}
