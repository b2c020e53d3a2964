//! Ingest beside one process that writes the same rows and indexes with ready values and encrypts the same bytes: what
//! of the time is not spent on storing. On one core and on two.

use super::bytes::{self, MASTODON};
use super::program::{Folder, on_cores};
use super::table::progress;
use super::{Asked, ingest::prepare};
use anyhow::{Context, Result, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use knik::store::database::{Database, Mode, Plane};
use serde_json::{Value, json};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Column, Row};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Records of a batch of Knik: rows that go in one transaction here too.
const BATCH: usize = 2_000;
const PARAMETERS_MAX: usize = 2_000;

/// Takes in generated statuses and does the same storing without Knik, on one core and on two.
///
/// # Errors
/// When a step fails, or fewer records came in than were generated.
pub fn measure(asked: &Asked) -> Result<Value> {
    let mut rows = Vec::new();
    for cores in [1, 2] {
        let folder = Folder::make(None, asked.program.as_deref())?;
        let file = folder.beside.path().join("statuses.json");
        let written = bytes::generate(asked.count, &file)?;
        prepare(&folder, &MASTODON, &asked.tree)?;
        progress(&format!("ingesting {} records on {cores} cores", written.records));
        let path = file.to_str().context("the temporary folder's name")?;
        let run = folder.run_on(cores, &["--json", "ingest", "--channel", MASTODON.id, path])?;
        let said: Value = serde_json::from_str(&run.said).context("the report of ingest")?;
        let came_in = said.pointer("/report/newRecords").and_then(Value::as_u64).unwrap_or_default();
        ensure!(came_in == written.records, "{came_in} of {} records came in", written.records);
        progress(&format!("storing the same on {cores} cores"));
        let alone = storing(&folder, cores)?;
        rows.push(json!({
            "cores": cores,
            "records": written.records,
            "recordsPerSecond": (written.records as f64 / run.seconds).round(),
            "seconds": run.seconds,
            "storingSeconds": alone,
            "ingestToStoring": run.seconds / alone,
            "bound": 2.5,
            "met": run.seconds <= 2.5 * alone,
        }));
    }
    Ok(json!({ "beside": rows }))
}

/// This program again, on so many cores.
fn storing(folder: &Folder, cores: usize) -> Result<f64> {
    let into = folder.beside.path().join("stored");
    fs::create_dir(&into)?;
    let mut command = on_cores(cores, &std::env::current_exe()?);
    command.args(["store", "--from"]).arg(folder.data()).arg("--keep").arg(&into);
    let done = command.output().context("starting the bench once more")?;
    ensure!(done.status.success(), "storing: {}", String::from_utf8_lossy(&done.stderr));
    let said: Value = serde_json::from_slice(&done.stdout).context("what storing took")?;
    said.get("seconds").and_then(Value::as_f64).context("what storing took")
}

/// A value of a row.
enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

struct Table {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    /// Whether its rows came in the order in which they stand.
    ordered: bool,
}

/// Writes what a data folder holds into another, and says how long that took: reading it first is not of the time.
///
/// # Errors
/// When anything cannot be read or written.
pub fn store(from: &Path, into: &Path) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let vault = read(&from.join("vault/catalogue.db"), Plane::Vault).await?;
        let room = read(&from.join("room/projections.db"), Plane::Room).await?;
        let segments = sizes(&from.join("vault/segments"))?;
        let plain = vec![b'x'; segments.iter().flatten().copied().max().unwrap_or_default()];
        let databases = [
            Database::open(&Database::sqlite_url(&into.join("vault.db")), Plane::Vault, Mode::Owner).await?,
            Database::open(&Database::sqlite_url(&into.join("room.db")), Plane::Room, Mode::Owner).await?,
        ];
        // The rows come by table and not by record: what one names may come after it.
        for db in &databases {
            sqlx::query("PRAGMA foreign_keys = OFF").execute(db.write()).await?;
        }
        let batches = vault.iter().map(|table| table.rows.len()).max().unwrap_or_default() / BATCH + 1;
        let began = Instant::now();
        for batch in 0..batches {
            for (n, sizes) in segments.iter().enumerate().filter(|(n, _)| n % batches == batch) {
                seal(&into.join(format!("{n}.seg")), sizes, &plain)?;
            }
            for (db, tables) in databases.iter().zip([&vault, &room]) {
                write(db, tables, batch, batches).await?;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        for db in databases {
            db.close().await;
        }
        Ok(json!({ "seconds": seconds }))
    })
}

/// Sizes of the fragments of each segment, from its index (docs/segment-format.md).
fn sizes(folder: &Path) -> Result<Vec<Vec<usize>>> {
    let mut all = Vec::new();
    for shard in fs::read_dir(folder)? {
        for file in fs::read_dir(shard?.path())? {
            let bytes = fs::read(file?.path())?;
            let number = |at: usize| -> Result<usize> {
                let eight = bytes.get(at..at + 8).context("a segment that is cut short")?;
                Ok(usize::try_from(u64::from_be_bytes(eight.try_into()?))?)
            };
            let index = number(bytes.len().saturating_sub(24))?;
            let lengths =
                (0..number(index + 24)?).map(|n| Ok(number(index + 56 + n * 64)?.saturating_sub(54)));
            all.push(lengths.collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(all)
}

/// Encrypts so many bytes a fragment, each under a key of its own, into one file that is on disk afterwards.
fn seal(file: &Path, sizes: &[usize], plain: &[u8]) -> Result<()> {
    let mut out = Vec::with_capacity(sizes.iter().map(|size| size + 54).sum());
    for (n, size) in sizes.iter().enumerate() {
        let mut secret = [0; 44];
        aws_lc_rs::rand::fill(&mut secret)?;
        let (key, nonce) = secret.split_first_chunk::<32>().context("a key")?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?);
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut sealed = plain.get(..*size).context("bytes to seal")?.to_vec();
        key.seal_in_place_append_tag(nonce, Aad::from(n.to_be_bytes()), &mut sealed)?;
        out.extend_from_slice(&sealed);
    }
    let mut to = File::create(file)?;
    to.write_all(&out)?;
    Ok(to.sync_all()?)
}

async fn read(file: &Path, plane: Plane) -> Result<Vec<Table>> {
    let db = Database::open(&Database::sqlite_url(file), plane, Mode::Reader).await?;
    let listed = sqlx::query(
        "SELECT name, sql LIKE '%WITHOUT ROWID%' AS keyed FROM sqlite_schema WHERE type = 'table' \
         AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%sqlx%' ORDER BY rowid",
    )
    .fetch_all(db.read())
    .await?;
    let mut tables = Vec::new();
    for one in listed {
        let name: String = one.try_get("name")?;
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {name}"))).fetch_all(db.read()).await?;
        let Some(first) = rows.first() else { continue };
        let columns = first.columns().iter().map(|column| column.name().to_owned()).collect();
        let ordered = one.try_get::<i64, _>("keyed")? == 0;
        let cells = rows.iter().map(|row| (0..row.len()).map(|n| cell(row, n)).collect());
        tables.push(Table { name, columns, rows: cells.collect(), ordered });
    }
    db.close().await;
    Ok(tables)
}

fn cell(row: &AnyRow, n: usize) -> Cell {
    if let Ok(text) = row.try_get::<Option<String>, _>(n) {
        return text.map_or(Cell::Null, Cell::Text);
    }
    if let Ok(number) = row.try_get::<Option<i64>, _>(n) {
        return number.map_or(Cell::Null, Cell::Number);
    }
    row.try_get::<Option<Vec<u8>>, _>(n).ok().flatten().map_or(Cell::Null, Cell::Bytes)
}

/// One batch of every table, in one transaction. Rows that stand by key came in any order: every batch has some of all.
async fn write(db: &Database, tables: &[Table], batch: usize, batches: usize) -> Result<()> {
    let mut tx = db.begin().await?;
    for table in tables {
        let share = table.rows.len().div_ceil(batches);
        let of_batch = table.rows.iter().enumerate().filter(|(n, _)| match table.ordered {
            true => n / share.max(1) == batch,
            false => n % batches == batch,
        });
        let rows: Vec<&Vec<Cell>> = of_batch.map(|(_, row)| row).collect();
        for some in rows.chunks((PARAMETERS_MAX / table.columns.len().max(1)).max(1)) {
            let mut query = sqlx::query(AssertSqlSafe(statement(table, some.len())));
            for cell in some.iter().flat_map(|row| row.iter()) {
                query = bind(query, cell);
            }
            query.execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

fn statement(table: &Table, rows: usize) -> String {
    let mut text = format!("INSERT OR REPLACE INTO {} ({}) VALUES ", table.name, table.columns.join(", "));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        text.push_str(&vec!["?"; table.columns.len()].join(", "));
        text.push(')');
    }
    text
}

fn bind<'q>(query: Query<'q, Any, AnyArguments>, cell: &Cell) -> Query<'q, Any, AnyArguments> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        Cell::Number(number) => query.bind(*number),
        Cell::Text(text) => query.bind(text.clone()),
        Cell::Bytes(bytes) => query.bind(bytes.clone()),
    }
}
