//! What lies on disk, by part: files for segments, SQLite's own page statistics for tables with their indices.

use super::program::Folder;
use anyhow::{Context, Result};
use knik::store::database::{Database, Mode, Plane};
use serde_json::{Value, json};
use sqlx::Row;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Bytes by part.
#[derive(Default, Clone)]
pub struct Disk(BTreeMap<String, u64>);

const LEDGER: &[&str] = &["journal_pending", "ledger_entry", "ledger_body", "ledger_tile", "ledger_head"];
const KEYS: &[&str] = &["fragment", "segment"];

impl Disk {
    /// What lies in a data folder that no process holds.
    ///
    /// # Errors
    /// When a database does not open.
    pub async fn of(folder: &Folder) -> Result<Self> {
        let data = folder.data();
        let mut parts = BTreeMap::new();
        parts.insert("segments".to_owned(), files_under(&data.join("vault/segments")));
        for (file, plane) in [
            ("vault/catalogue.db", Plane::Vault),
            ("room/projections.db", Plane::Room),
            ("room/inbox.db", Plane::Inbox),
        ] {
            for (table, bytes) in tables(&data.join(file), plane).await? {
                *parts.entry(part_of(plane, &table)).or_default() += bytes;
            }
        }
        Ok(Self(parts))
    }

    /// Bytes added since `before` by the parts that `of` names.
    pub fn added(&self, before: &Self, of: impl Fn(&str) -> bool) -> u64 {
        let known = |part: &String| before.0.get(part).copied().unwrap_or_default();
        self.0
            .iter()
            .filter(|(part, _)| of(part))
            .map(|(part, bytes)| bytes.saturating_sub(known(part)))
            .sum()
    }

    /// What was added since `before`, in bytes a record.
    pub fn since(&self, before: &Self, records: u64) -> Value {
        let each = |bytes: u64| (bytes as f64 / records.max(1) as f64).round();
        let added = |(part, bytes): (&String, &u64)| {
            (part.clone(), bytes.saturating_sub(before.0.get(part).copied().unwrap_or_default()))
        };
        let parts: BTreeMap<String, u64> = self.0.iter().map(added).collect();
        let total: u64 =
            parts.iter().filter(|(part, _)| !part.contains("free")).map(|(_, bytes)| bytes).sum();
        let by_part: BTreeMap<String, f64> =
            parts.into_iter().map(|(part, bytes)| (part, each(bytes))).collect();
        json!({ "bytesPerRecord": each(total), "byPart": by_part })
    }
}

fn part_of(plane: Plane, table: &str) -> String {
    match plane {
        _ if table == "(free)" => "free pages (reused)".to_owned(),
        Plane::Inbox => "inbox".to_owned(),
        Plane::Vault if LEDGER.contains(&table) => "ledger".to_owned(),
        Plane::Vault if KEYS.contains(&table) => "key table".to_owned(),
        Plane::Vault => format!("catalogue: {table}"),
        Plane::Room => format!("room: {table}"),
    }
}

async fn tables(file: &Path, plane: Plane) -> Result<Vec<(String, u64)>> {
    let db = Database::open(&Database::sqlite_url(file), plane, Mode::Reader).await?;
    let rows = sqlx::query(
        "SELECT s.tbl_name AS t, SUM(d.pgsize) AS n FROM dbstat d JOIN sqlite_schema s ON s.name = d.name GROUP BY 1 \
         UNION ALL SELECT '(free)', (SELECT freelist_count FROM pragma_freelist_count) * (SELECT page_size FROM pragma_page_size)",
    )
    .fetch_all(db.read())
    .await
    .context("reading page statistics")?;
    let found = rows.iter().map(|row| {
        let bytes: i64 = row.try_get("n")?;
        Ok((row.try_get("t")?, u64::try_from(bytes).unwrap_or_default()))
    });
    let found = found.collect::<Result<Vec<_>>>();
    db.close().await;
    found
}

fn files_under(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(what) if what.is_dir() => files_under(&entry.path()),
            Ok(what) => what.len(),
            Err(_) => 0,
        })
        .sum()
}
