//! What is left of a record that was destroyed: places in it, what was sealed about it and what it was found by go.

use super::destroy::each;
use super::find_postings::forget_found;
use super::insert::ruleset_number;
use super::numbers::Lookup;
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes};
use sqlx::{Any, AssertSqlSafe, Transaction};
use uuid::Uuid;

/// What is left of a record says that there was one, of which kind, on which channel, and what was decided.
pub(super) async fn blank_records(
    tx: &mut Transaction<'static, Any>,
    records: &[Uuid],
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM flag WHERE version IN (SELECT id FROM version WHERE record = $1)",
        "DELETE FROM sighting WHERE record = $1",
        "DELETE FROM review_task WHERE version IN (SELECT id FROM version WHERE record = $1)",
        "DELETE FROM correction WHERE version IN (SELECT id FROM version WHERE record = $1)",
        "DELETE FROM missed WHERE record = $1",
        "DELETE FROM step_answer WHERE record = $1",
        "DELETE FROM decide_anew WHERE record = $1",
        "DELETE FROM attached WHERE record = (SELECT number FROM record_row WHERE id = $1)",
        "DELETE FROM file_name WHERE file = (SELECT number FROM record_row WHERE id = $1)",
        // That a reader reported it stays known; where in it, goes.
        "UPDATE report SET passage = NULL WHERE record = $1",
        // What was said stays counted; where anything stood goes.
        "UPDATE assessment SET passage = NULL, start_at = NULL, end_at = NULL WHERE record = $1",
        // How it was decided names places in the text; without its salt nobody can try what it was.
        "UPDATE decision_before SET path = '[]', salt = NULL WHERE record = $1",
    ] {
        each(tx, statement, records.iter().copied()).await?;
    }
    erase_bodies(tx, records).await?;
    for statement in ["DELETE FROM letter WHERE record = $1", "DELETE FROM formal_message WHERE record = $1"]
    {
        each(tx, statement, records.iter().copied()).await?;
    }
    forget_found(tx, records).await?;
    let nothing = ruleset_number(tx, &mut Lookup::default(), "").await?;
    for record in records {
        let versions = sqlx::query("SELECT id FROM version WHERE record = $1")
            .bind(bytes(*record))
            .fetch_all(&mut **tx)
            .await
            .map_err(StoreError::database("destroying records"))?;
        for row in versions {
            let id = row.blob("id")?;
            // A digest must be there, unlike any other; it says nothing.
            sqlx::query(
                "UPDATE version_row SET digest = $1, parts = $2, findings = '[]', ruleset = $3, names = NULL, left_out = NULL, \
                 answers = NULL, path = CASE WHEN path IS NULL THEN NULL ELSE '[]' END, \
                 salt = CASE WHEN path IS NULL THEN salt END, destroyed_at = $4 WHERE id = $5",
            )
            .bind(id.clone())
            .bind(Vec::<u8>::new())
            .bind(nothing)
            .bind(now.micros())
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("destroying records"))?;
        }
        sqlx::query(
            "UPDATE record_row SET destroyed_at = $1, withheld = 'destroyed', posted_at = NULL, edited_at = NULL, answers = NULL \
             WHERE id = $2",
        )
        .bind(now.micros())
        .bind(bytes(*record))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("destroying records"))?;
    }
    Ok(())
}

/// What was sealed with entries about these records: what was published before each assessment, and cases of letters and formal
/// messages. The entries stay.
async fn erase_bodies(tx: &mut Transaction<'static, Any>, records: &[Uuid]) -> Result<(), StoreError> {
    for about in [
        "SELECT entry FROM assessment WHERE record = $1",
        "SELECT entry FROM letter WHERE record = $1 AND entry IS NOT NULL",
        "SELECT entry FROM formal_message WHERE record = $1 AND entry IS NOT NULL",
    ] {
        for erase in ["DELETE FROM ledger_body", "UPDATE journal_pending SET body = NULL"] {
            for record in records {
                let done = sqlx::query(AssertSqlSafe(format!("{erase} WHERE id IN ({about})")))
                    .bind(bytes(*record))
                    .execute(&mut **tx)
                    .await;
                done.map_err(StoreError::database("destroying records"))?;
            }
        }
    }
    Ok(())
}
