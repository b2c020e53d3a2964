//! Redacted views over TLS: the reading room beside a reference with the same duties and a bare handler.

use super::Asked;
use super::latency;
use super::load::{Load, load, median, script};
use super::program::{Folder, READER, memory_of};
use super::servers;
use super::table::progress;
use anyhow::{Context, Result, ensure};
use knik::store::database::{Database, Mode, Plane};
use serde_json::{Value, json};
use sqlx::Row;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Records that are asked for, drawn at random.
const RECORDS: i64 = 5_000;
const SETTLE_PAUSE: Duration = Duration::from_secs(1);
const SETTLE_SECONDS_MAX: u64 = 120;

struct Target {
    name: &'static str,
    address: String,
    script: PathBuf,
    runs: Vec<Load>,
}

/// Puts the three servers under the same load in turn.
///
/// # Errors
/// When a server does not start or answers any request with anything but success.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    let token = folder.run(&[
        "token",
        "--role",
        "researcher",
        "--organisation",
        "universiteit",
        "--subject",
        READER,
        "--seconds",
        "43200",
    ])?;
    let token = token.said.trim();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let service = folder.serve()?;
    let (references, projections) = runtime.block_on(drawn(folder))?;
    let body_bytes = runtime.block_on(body_bytes(folder, &service.reading_room, token, &references))?;
    let (reference, bare) = runtime.block_on(servers::start(folder, body_bytes))?;
    let beside = folder.beside.path();
    let in_room = script(beside, "room", token, &references)?;
    let in_reference = script(beside, "reference", token, &projections)?;
    let target = |name, address: &str, script: &PathBuf| Target {
        name,
        address: address.to_owned(),
        script: script.clone(),
        runs: Vec::new(),
    };
    let mut targets = [
        target("reading room", &service.reading_room, &in_room),
        target("reference", &reference, &in_reference),
        target("bare", &bare, &in_reference),
    ];
    let mut taken_up = Vec::new();
    for round in 1..=asked.rounds {
        for target in &mut targets {
            progress(&format!("round {round}: {}", target.name));
            let run = load(&target.address, &target.script, asked.seconds)?;
            progress(&format!("{:.0} requests a second", run.per_second));
            target.runs.push(run);
            // What the vault takes up afterwards must not weigh on the next.
            if target.name == "reading room" {
                taken_up.push(settled(folder)?);
            }
        }
    }
    // The others answer faster than this client, on the same cores, can keep a timetable.
    let most = median(targets[0].runs.clone()).context("no run")?.per_second;
    let at = (targets[0].name, targets[0].address.as_str(), references.as_slice(), most);
    let latencies = runtime.block_on(latency::views(folder, asked, token, at))?;
    settled(folder)?;
    let others = runtime.block_on(latency::others(folder, &service))?;
    let (vault, room) = service.processes();
    let megabytes = |process| memory_of(process, "VmRSS").map(|bytes| bytes as f64 / 1e6);
    Ok(json!({
        "connections": 64,
        "bodyBytes": body_bytes,
        "servers": rows(&targets)?,
        "openLoopAt60Percent": latencies,
        "others": others,
        "secondsUntilJournalled": taken_up,
        "rssAfterMegabytes": { "vault": megabytes(vault), "readingRoom": room.and_then(megabytes) },
    }))
}

fn rows(targets: &[Target]) -> Result<Vec<Value>> {
    let room = targets.first().and_then(|target| median(target.runs.clone())).context("no run")?;
    let row = |target: &Target| {
        let of = median(target.runs.clone()).context("no run")?;
        Ok(json!({
            "server": target.name,
            "requestsPerSecond": of.per_second.round(),
            "p50Ms": of.p50_ms,
            "p99Ms": of.p99_ms,
            "roomToThis": room.per_second / of.per_second,
        }))
    };
    targets.iter().map(row).collect()
}

/// Paths of records of the grant that runs longest: as the reading room names them, and as the reference does.
async fn drawn(folder: &Folder) -> Result<(Vec<String>, Vec<String>)> {
    let url = Database::sqlite_url(&folder.data().join("room/projections.db"));
    let room = Database::open(&url, Plane::Room, Mode::Reader).await?;
    let rows = sqlx::query(
        "SELECT g.reference, p.id AS projection FROM grant_record g JOIN projection p ON p.number = g.projection WHERE g.reading_grant = \
         (SELECT id FROM reading_grant WHERE revoked = 0 ORDER BY until_at DESC LIMIT 1) ORDER BY random() LIMIT $1",
    )
    .bind(RECORDS)
    .fetch_all(room.read())
    .await?;
    ensure!(!rows.is_empty(), "nothing is published");
    let path = |row: &sqlx::any::AnyRow, column: &str| {
        let id: Vec<u8> = row.try_get(column)?;
        Ok(format!("/v1/records/{}", Uuid::from_slice(&id)?))
    };
    let of = |column: &str| rows.iter().map(|row| path(row, column)).collect::<Result<Vec<_>>>();
    let drawn = (of("reference")?, of("projection")?);
    room.close().await;
    Ok(drawn)
}

/// The mean size of a view.
async fn body_bytes(folder: &Folder, address: &str, token: &str, paths: &[String]) -> Result<usize> {
    let authority = std::fs::read(folder.data().join("tls/authority.pem"))?;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&authority)?])
        .no_proxy()
        .build()?;
    let mut sum = 0;
    let sample = paths.get(..paths.len().min(200)).unwrap_or(paths);
    for path in sample {
        let answer = client.get(format!("https://{address}{path}")).bearer_auth(token).send().await?;
        sum += answer.error_for_status()?.bytes().await?.len();
    }
    Ok(sum / sample.len().max(1))
}

/// Waits until the vault has taken up what the reading room said; how long that took, in seconds.
fn settled(folder: &Folder) -> Result<f64> {
    let began = Instant::now();
    let mut before = Value::Null;
    while began.elapsed().as_secs() < SETTLE_SECONDS_MAX {
        let status = folder.answer(&["status"])?;
        let logs = status.get("logs").cloned().unwrap_or_default();
        if logs == before {
            break;
        }
        before = logs;
        std::thread::sleep(SETTLE_PAUSE);
    }
    Ok(began.elapsed().as_secs_f64())
}
