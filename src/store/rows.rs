//! Reading stored values back into their types, and writing many rows at once.

use super::StoreError;
use crate::model::{ItemDigest, RevocationDigest, Timestamp};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Row, Transaction};
use std::fmt::Write;
use std::str::FromStr;
use uuid::Uuid;

/// Typed reading of a row's columns; a value of the wrong shape is [`StoreError::Corrupt`].
pub(super) trait RowValues {
    fn blob(&self, column: &'static str) -> Result<Vec<u8>, StoreError>;
    fn blob_or_null(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError>;
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn text_or_null(&self, column: &'static str) -> Result<Option<String>, StoreError>;
    fn number(&self, column: &'static str) -> Result<i64, StoreError>;
    fn number_or_null(&self, column: &'static str) -> Result<Option<i64>, StoreError>;

    fn id(&self, column: &'static str) -> Result<Uuid, StoreError> {
        Uuid::from_slice(&self.blob(column)?).map_err(|_| StoreError::Corrupt { what: column })
    }

    fn id_or_null(&self, column: &'static str) -> Result<Option<Uuid>, StoreError> {
        let bytes = self.blob_or_null(column)?;
        bytes.map(|b| Uuid::from_slice(&b).map_err(|_| StoreError::Corrupt { what: column })).transpose()
    }

    fn digest(&self, column: &'static str) -> Result<ItemDigest, StoreError> {
        let kept = self.blob(column)?.try_into().map_err(|_| StoreError::Corrupt { what: column })?;
        Ok(ItemDigest::from_kept(kept))
    }

    /// Digests one behind the other; none for null.
    fn digests(&self, column: &'static str) -> Result<Vec<ItemDigest>, StoreError> {
        let bytes = self.blob_or_null(column)?.unwrap_or_default();
        let (kept, rest) = bytes.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(StoreError::Corrupt { what: column });
        }
        Ok(kept.iter().map(|kept| ItemDigest::from_kept(*kept)).collect())
    }

    fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_micros(self.number(column)?).ok_or(StoreError::Corrupt { what: column })
    }

    fn time_or_null(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let micros = self.number_or_null(column)?;
        micros.map(|m| Timestamp::from_micros(m).ok_or(StoreError::Corrupt { what: column })).transpose()
    }

    fn term<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| StoreError::Corrupt { what: column })
    }
}

impl RowValues for AnyRow {
    fn blob(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.try_get(column).map_err(|_| StoreError::Corrupt { what: column })
    }
    fn blob_or_null(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.try_get(column).map_err(|_| StoreError::Corrupt { what: column })
    }
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.try_get(column).map_err(|_| StoreError::Corrupt { what: column })
    }
    fn text_or_null(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(|_| StoreError::Corrupt { what: column })
    }
    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.try_get(column).map_err(|_| StoreError::Corrupt { what: column })
    }
    fn number_or_null(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(|_| StoreError::Corrupt { what: column })
    }
}

type AnyQuery = Query<'static, Any, AnyArguments>;

/// Parameters of one statement; full statements of this size are prepared once.
const PARAMETERS_MAX: usize = 2_000;

/// What is going on while rows get their numbers, for an error.
pub(super) const NUMBERING: &str = "numbering rows";

/// Values in one `IN (…)` list.
pub(super) const LISTED_MAX: usize = 250;

/// Inserts `rows`, several with each statement.
///
/// `head` is `INSERT INTO t (a, b) VALUES`, `tail` is empty or `ON CONFLICT …`; `bind` binds one row's
/// `columns` values in order.
pub(super) async fn insert_all<T>(
    tx: &mut Transaction<'static, Any>,
    head: &str,
    columns: usize,
    tail: &str,
    rows: &[T],
    bind: impl Fn(AnyQuery, &T) -> AnyQuery,
) -> Result<(), StoreError> {
    for chunk in rows.chunks((PARAMETERS_MAX / columns.max(1)).max(1)) {
        let values = placeholders(tx, columns, chunk.len());
        let sql = AssertSqlSafe(format!("{head} {values} {tail}"));
        let mut query = sqlx::query(sql);
        for row in chunk {
            query = bind(query, row);
        }
        query
            .persistent(chunk.len() * columns + columns > PARAMETERS_MAX)
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("inserting rows"))?;
    }
    Ok(())
}

/// The number behind the last in a table.
pub(super) async fn next_number(
    tx: &mut Transaction<'static, Any>,
    table: &'static str,
) -> Result<i64, StoreError> {
    let sql = AssertSqlSafe(format!("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM {table}"));
    let row = sqlx::query(sql).fetch_one(&mut **tx).await;
    row.map_err(StoreError::database(NUMBERING))?.number("next")
}

/// `($1, $2), ($3, $4)` for two rows of two columns, where a statement has no other parameters.
pub(super) fn placeholders(of: &AnyConnection, columns: usize, rows: usize) -> String {
    let mut text = String::with_capacity(rows * (columns * 7 + 4));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        push_list(&mut text, of, row * columns + 1, columns);
        text.push(')');
    }
    text
}

/// The bytes of one column with those of another behind them.
pub(super) fn bytes_behind(of: &AnyConnection, one: &str, other: &str) -> String {
    // There what is joined is text, whatever it was joined from.
    if of.backend_name() == "SQLite" {
        return format!("CAST({one} || {other} AS BLOB)");
    }
    format!("{one} || {other}")
}

/// `$1, $2, …` for an `IN (…)` list of `count`, where a statement has no other parameters.
pub(super) fn whole_list(of: &AnyConnection, count: usize) -> String {
    list_from(of, 1, count)
}

/// `$from, $from+1, …` for a list of `count`, or one parameter, where all others of the statement are of this too and stand in the
/// order in which they are bound.
pub(super) fn list_from(of: &AnyConnection, from: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 7);
    push_list(&mut text, of, from, count);
    text
}

/// `$from, $from+1, …` for an `IN (…)` list of `count`.
pub(super) fn list(from: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 7);
    push_numbered(&mut text, from, count);
    text
}

/// SQLite walks the list of all names for each parameter that is bound, so that a long statement would cost the square of its length:
/// there they have none.
fn push_list(text: &mut String, of: &AnyConnection, from: usize, count: usize) {
    if of.backend_name() == "SQLite" {
        for n in 0..count {
            text.push_str(if n == 0 { "?" } else { ", ?" });
        }
    } else {
        push_numbered(text, from, count);
    }
}

fn push_numbered(text: &mut String, from: usize, count: usize) {
    for n in from..from + count {
        text.push_str(if n == from { "$" } else { ", $" });
        // Writing to a string does not fail.
        let _ = write!(text, "{n}");
    }
}

/// Whether a row is there with one of these digests. `sql` ends with the name of the column.
pub(super) async fn any_of(
    pool: &AnyPool,
    sql: &'static str,
    digests: &[RevocationDigest],
    failed: impl FnOnce(sqlx::Error) -> StoreError,
) -> Result<bool, StoreError> {
    if digests.is_empty() {
        return Ok(false);
    }
    let sql = AssertSqlSafe(format!("{sql} IN ({}) LIMIT 1", list(1, digests.len())));
    let mut query = sqlx::query(sql);
    for digest in digests {
        query = query.bind(digest.to_vec());
    }
    Ok(query.fetch_optional(pool).await.map_err(failed)?.is_some())
}

/// Digests one behind the other, as bound.
pub(super) fn digests(of: &[ItemDigest]) -> Vec<u8> {
    of.iter().flat_map(|digest| digest.as_bytes()).copied().collect()
}

/// Bytes of an id, as bound.
pub(super) fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}
