//! Finding back in a filled vault: what an official seeks under a request, and what is of one person who asks for what is theirs. Each
//! is recorded before it runs; the time is from the first byte of the request to the last of the answer.

use super::client::{client, percentile_ms};
use super::latency::token;
use super::program::Folder;
use super::table::progress;
use super::{Asked, ingest};
use crate::generate::handles;
use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Persons who ask for what is theirs.
const SUBJECTS: usize = 300;
/// Searches that one request covers (`woo-request` in `policies/legal-bases.yaml`).
const SEARCHES_OF_ONE: usize = 50;
const REQUESTS: usize = 6;
/// From words that stand in one text of thirty to one that stands nowhere.
const WORDS: [&str; 6] = [
    "bezwaar",
    "rolstoelgebruikers",
    "ontheffing aanvragen",
    "puinhoop weken",
    "vergoeding ondernemers",
    "niemandal",
];

/// Searches a filled folder.
///
/// # Errors
/// When any of it is refused.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    let official = token(folder, "official", ingest::ORGANISATION, "ambtenaar-1")?;
    let service = folder.serve()?;
    let desk = Desk {
        client: client(&folder.data().join("tls/authority.pem"))?,
        at: format!("https://{}/v1", service.vault),
        official,
    };
    progress(&format!("finding back among what {} generated posts came to", asked.count));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (people, found) = runtime.block_on(desk.of_people())?;
    let mut rows = vec![row("all of one person (subject request)", people, found)];
    for (what, sought) in [("by handle", by_handle()), ("by words", by_words())] {
        let (times, found) = runtime.block_on(desk.finds(&sought))?;
        rows.push(row(what, times, found));
    }
    Ok(json!({ "searches": rows }))
}

fn row(what: &str, mut times: Vec<Duration>, found: u64) -> Value {
    json!({
        "what": what, "searches": times.len(), "found": found,
        "p50Ms": percentile_ms(&mut times, 0.5), "p99Ms": percentile_ms(&mut times, 0.99),
    })
}

fn by_handle() -> Vec<Value> {
    handles(SEARCHES_OF_ONE * REQUESTS).map(|handle| json!({ "handle": handle })).collect()
}

fn by_words() -> Vec<Value> {
    WORDS.iter().cycle().take(SEARCHES_OF_ONE * REQUESTS).map(|words| json!({ "words": words })).collect()
}

struct Desk {
    client: Client,
    at: String,
    official: String,
}

impl Desk {
    async fn ask(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.at);
        let answer = self.client.post(&url).bearer_auth(&self.official).json(body).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status.is_success(), "{url}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }

    /// How long each search took, and how many records were found in all.
    async fn of_people(&self) -> Result<(Vec<Duration>, u64)> {
        let (mut times, mut found) = (Vec::new(), 0);
        for handle in handles(SUBJECTS) {
            let asks = json!({
                "kind": "access", "asker": "Meting", "text": "",
                "accounts": [{ "platform": "x", "instance": "x.com", "handle": handle }],
            });
            let made = self.ask("/subject-requests", &asks).await?;
            let id = made.pointer("/request/id").and_then(Value::as_str).context("id")?;
            self.ask(&format!("/subject-requests/{id}/proofs"), &json!({ "proof": "login-seen" })).await?;
            let began = Instant::now();
            let told = self.ask(&format!("/subject-requests/{id}/searches"), &json!({})).await?;
            times.push(began.elapsed());
            let of = told.get("found").and_then(Value::as_array).context("found")?;
            found += of.iter().filter_map(|row| row.get("authored")?.as_u64()).sum::<u64>();
        }
        Ok((times, found))
    }

    /// The same of searches under requests that cover so many each.
    async fn finds(&self, sought: &[Value]) -> Result<(Vec<Duration>, u64)> {
        let (mut times, mut found) = (Vec::new(), 0);
        for some in sought.chunks(SEARCHES_OF_ONE) {
            let asks = json!({
                "legalBasis": "woo-request", "scope": "find", "caseNumber": "WOO-2026-0117",
                "motivation": "meting van de tijd die zoeken kost", "recipient": "Meting",
            });
            let made = self.ask("/openings", &asks).await?;
            let id = made.get("id").and_then(Value::as_str).context("id")?;
            for query in some {
                let began = Instant::now();
                let told = self.ask(&format!("/openings/{id}/finds"), query).await?;
                times.push(began.elapsed());
                found += told.get("records").and_then(Value::as_array).context("records")?.len() as u64;
            }
        }
        Ok((times, found))
    }
}
