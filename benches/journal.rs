//! Figures of the journal: entries a second that 64 writers record, each waiting for its own commit; entries an
//! `fsync`; and the same bytes put into the same table by SQLite alone, in the same run.
//!
//! `cargo bench --profile release --bench journal -- [--count N] [--writers N] [--rounds N]`. `fsync`s are counted by `strace`, in runs
//! of their own: it slows what it watches.

use anyhow::{Context, Result, ensure};
use knik::ledger::{Entry, EntryId, EntryKind, LogKey, Origin, Pending};
use knik::model::{ActorId, PermitId, RecordId, Role, Timestamp};
use knik::store::database::{Database, Mode, Plane};
use knik::store::journal::Journal;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What is measured.
#[derive(Clone, Copy)]
struct Asked {
    count: u64,
    writers: u64,
    rounds: usize,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |name: &str, default: u64| -> Result<u64> {
        let at = words.iter().position(|word| word == name);
        at.map_or(Ok(default), |at| Ok(words.get(at + 1).context("a number is missing")?.parse()?))
    };
    let rounds = usize::try_from(number("--rounds", 3)?)?;
    let asked = Asked { count: number("--count", 20_000)?, writers: number("--writers", 64)?, rounds };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if words.iter().any(|word| word == "--watched") {
        return runtime.block_on(recorded(asked, false)).map(drop);
    }
    let (mut group, mut numbered, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..asked.rounds {
        group.push(runtime.block_on(recorded(asked, false))?);
        raw.push(runtime.block_on(inserted(asked))?);
        numbered.push(runtime.block_on(recorded(asked, true))?);
    }
    let rate = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        asked.count as f64 / times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64()
    };
    let (group, raw, numbered) = (rate(&mut group), rate(&mut raw), rate(&mut numbered));
    say(&format!("{} entries, {} writers, median of {} rounds", asked.count, asked.writers, asked.rounds));
    say(&format!("recorded, each writer waiting for its commit  {group:>9.0} entries/s"));
    say(&format!("  the same while a sequencer numbers and signs {numbered:>9.0} entries/s"));
    say(&format!("SQLite alone, {:>2} rows a statement and commit  {raw:>9.0} rows/s", asked.writers));
    say(&format!(
        "recorded : SQLite alone                       {:>9.2}   (goal: at least 0.5)",
        group / raw
    ));
    match fsyncs(asked)? {
        Some(fsyncs) => say(&format!(
            "entries an fsync                              {:>9.1}   (goal: at least 16; {fsyncs} fsyncs)",
            asked.count as f64 / fsyncs as f64
        )),
        None => say("entries an fsync: not counted, strace is missing"),
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "this is where the bench speaks")]
fn say(line: &str) {
    println!("{line}");
}

fn key() -> Result<LogKey> {
    Ok(LogKey::from_seed("knik.example/vault".parse()?, &[7; 32])?)
}

/// An entry as a disclosure makes it.
fn entry(n: u64) -> Result<Entry> {
    let id = |kind: u64| Uuid::from_u64_pair(kind, n);
    let at: Timestamp = "2026-11-26T09:00:00.123456Z".parse()?;
    Ok(Entry::new(EntryId::from_uuid(id(1)), EntryKind::DisclosureServed, at)
        .of("min-low".parse()?)
        .by(ActorId::from_uuid(id(2)), Role::Official)
        .on("avg-15".parse()?)
        .under(PermitId::from_uuid(id(3)))
        .about([knik::ledger::Thing::Record(RecordId::from_uuid(id(4)))]))
}

/// Writers that record one entry after another, each waiting for its commit.
async fn recorded(asked: Asked, numbering: bool) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let url = Database::sqlite_url(&folder.path().join("vault.db"));
    let journal = Journal::new(Database::open(&url, Plane::Vault, Mode::Owner).await?);
    let origin: Arc<Origin> = Arc::new(key()?.verifier().origin().clone());
    let sequencer = numbering.then(|| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let key = key()?;
            loop {
                journal.asked(Duration::from_millis(500)).await;
                while journal.sequence(&key).await? > 0 {}
            }
            #[allow(unreachable_code, reason = "says what may fail")]
            Ok::<(), anyhow::Error>(())
        })
    });
    // Ready entries here, ready bytes there: what is measured is how they become durable.
    let mut ready: Vec<Vec<Pending>> = (0..asked.writers).map(|_| Vec::new()).collect();
    for n in 0..asked.count {
        let own = usize::try_from(n % asked.writers)?;
        ready.get_mut(own).context("a writer")?.push(Pending::event(entry(n)?)?);
    }
    let began = Instant::now();
    let writers: Vec<_> = ready
        .into_iter()
        .map(|own| {
            let (journal, origin) = (journal.clone(), Arc::clone(&origin));
            tokio::spawn(async move {
                for pending in own {
                    let _recorded = journal.record(&origin, pending, None).await?;
                }
                Ok::<_, anyhow::Error>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    let took = began.elapsed();
    if let Some(sequencer) = sequencer {
        sequencer.abort();
    }
    Ok(took)
}

/// The same rows, as many in a statement and a commit as there are writers, by one connection.
async fn inserted(asked: Asked) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("raw.db");
    let mut db = raw_database(&file).await?;
    let origin = key()?.verifier().origin().as_str().to_owned();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = (0..asked.count)
        .map(|n| entry(n).map(|entry| (entry.id().uuid().as_bytes().to_vec(), entry.leaf())))
        .collect::<Result<_>>()?;
    let began = Instant::now();
    for chunk in rows.chunks(usize::try_from(asked.writers)?) {
        let values = vec!["(?, ?, ?, ?)"; chunk.len()].join(", ");
        let sql = format!("INSERT INTO journal_pending (id, log, leaf, body) VALUES {values}");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (id, leaf) in chunk {
            query = query.bind(id).bind(&origin).bind(leaf).bind(None::<Vec<u8>>);
        }
        // A statement of its own is a transaction of its own.
        query.execute(&mut db).await?;
    }
    let took = began.elapsed();
    let (stored,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM journal_pending").fetch_one(&mut db).await?;
    ensure!(u64::try_from(stored)? == asked.count, "rows are missing");
    db.close().await?;
    Ok(took)
}

/// The journal's table with its settings, and nothing of Knik.
async fn raw_database(file: &Path) -> Result<SqliteConnection> {
    let mut db = SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await?;
    for statement in [
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA secure_delete = ON",
        "CREATE TABLE journal_pending (seq INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, \
         log TEXT NOT NULL, leaf BLOB NOT NULL, body BLOB)",
    ] {
        sqlx::query(statement).execute(&mut db).await?;
    }
    Ok(db)
}

/// `fsync`s of a run, less those of a run that records nothing; `None` without strace.
fn fsyncs(asked: Asked) -> Result<Option<u64>> {
    if Command::new("strace").arg("-V").output().is_err() {
        return Ok(None);
    }
    Ok(Some(watched(asked)? - watched(Asked { count: 0, ..asked })?))
}

fn watched(asked: Asked) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("calls");
    let done = Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&log)
        .arg(std::env::current_exe()?)
        .args(["--watched", "--count", &asked.count.to_string(), "--writers", &asked.writers.to_string()])
        .status()?;
    ensure!(done.success(), "the watched run failed");
    let calls = std::fs::read_to_string(&log)?;
    // A call that was interrupted is told in two lines.
    let begun =
        |line: &&str| (line.contains(" fsync(") || line.contains(" fdatasync(")) && !line.contains("resumed");
    Ok(u64::try_from(calls.lines().filter(begun).count())?)
}
