//! Opening one original: an official's request over TLS, from the first byte to the last, its intent and outcome in the
//! ledger included.

use super::program::{Folder, ISSUER};
use super::table::progress;
use super::{Asked, ingest};
use anyhow::{Context, Result, ensure};
use knik::store::database::{Database, Mode, Plane};
use serde_json::{Value, json};
use sqlx::Row;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Openings that are measured, of records drawn at random.
const OPENINGS: i64 = 1_000;
const WARM_UP: usize = 50;
/// Between two openings: not more than one official asks for.
const PAUSE: Duration = Duration::from_millis(5);

/// Opens originals of a filled folder, one after another.
///
/// # Errors
/// When the service does not start or refuses any of them.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    let token = folder.run(&[
        "token",
        "--role",
        "official",
        "--organisation",
        ingest::ORGANISATION,
        "--subject",
        "ambtenaar-1",
        "--seconds",
        "43200",
    ])?;
    let token = token.said.trim().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (all, drawn) = runtime.block_on(drawn(folder))?;
    let service = folder.serve()?;
    progress(&format!("opening {} of {all} originals ({ISSUER}, {} asked for)", drawn.len(), asked.count));
    let mut times = runtime.block_on(opened(folder, &service.vault, &token, &drawn))?;
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied();
    Ok(json!({ "records": all, "opened": times.len(), "p50Ms": at(0.5), "p99Ms": at(0.99) }))
}

async fn drawn(folder: &Folder) -> Result<(i64, Vec<Uuid>)> {
    let url = Database::sqlite_url(&folder.data().join("vault/catalogue.db"));
    let vault = Database::open(&url, Plane::Vault, Mode::Reader).await?;
    let count = sqlx::query("SELECT COUNT(*) AS n FROM record").fetch_one(vault.read()).await?;
    let rows = sqlx::query("SELECT id FROM record WHERE organisation = $1 ORDER BY random() LIMIT $2")
        .bind(ingest::ORGANISATION)
        .bind(OPENINGS)
        .fetch_all(vault.read())
        .await?;
    let drawn = rows.iter().map(|row| Ok(Uuid::from_slice(&row.try_get::<Vec<u8>, _>("id")?)?));
    let drawn = drawn.collect::<Result<Vec<_>>>()?;
    ensure!(!drawn.is_empty(), "nothing came in");
    vault.close().await;
    Ok((count.try_get("n")?, drawn))
}

/// Milliseconds that each opening took.
async fn opened(folder: &Folder, address: &str, token: &str, records: &[Uuid]) -> Result<Vec<f64>> {
    let authority = std::fs::read(folder.data().join("tls/authority.pem"))?;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&authority)?])
        .no_proxy()
        .build()?;
    let mut times = Vec::new();
    for (n, record) in records.iter().take(WARM_UP).chain(records).enumerate() {
        // One person opens so many in a case: each hundred is a case of its own.
        let asked = json!({
            "legalBasis": "woo-request", "caseNumber": format!("WOO-2026-{}", n / 100),
            "motivation": "meting van de tijd die openen kost",
        });
        let began = Instant::now();
        let answer = client
            .post(format!("https://{address}/v1/records/{record}/disclosures"))
            .bearer_auth(token)
            .json(&asked)
            .send()
            .await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        if n >= WARM_UP {
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        tokio::time::sleep(PAUSE).await;
    }
    times.first().context("nothing was opened")?;
    Ok(times)
}
