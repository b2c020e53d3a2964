//! How long answers take: views at 60 % of the most there can be, disclosures, searches.

use super::Asked as Options;
use super::client::{Asked, client, closed_loop, open_loop, percentile_ms};
use super::program::{Folder, READER, Service};
use super::table::progress;
use anyhow::{Context, Result};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The part of the most requests a second at which latencies are looked at.
const RATE: f64 = 0.6;
const OFFICIAL: &str = "ambtenaar-1";
const DISCLOSURES: usize = 400;
const SEARCHES: usize = 400;
const CLIENTS: usize = 4;
/// Words of the generated posts, from common to rare, and some that are nowhere.
const SEARCHES_FOR: [&str; 8] = [
    "wanneer",
    "waterbijdrage",
    "brug",
    "gemeente vraag",
    "openingstijden",
    "loket zaterdag",
    "niemandal",
    "de het een",
];

/// Latencies of views at 60 % of what `most` says is the most of that server.
///
/// # Errors
/// When any request fails.
pub async fn views(
    folder: &Folder,
    options: &Options,
    token: &str,
    (name, address, paths, most): (&str, &str, &[String], f64),
) -> Result<Value> {
    let client = client(&folder.data().join("tls/authority.pem"))?;
    let get = |path: &String| Asked {
        method: Method::GET,
        url: format!("https://{address}{path}"),
        body: None,
        status: 200,
    };
    let asked = Arc::new(paths.iter().map(get).collect());
    progress(&format!("{name} at {:.0} requests a second", most * RATE));
    let mut latencies = open_loop(&client, token, asked, most * RATE, options.seconds).await?;
    Ok(row(name, most * RATE, &mut latencies))
}

fn row(name: &str, per_second: f64, latencies: &mut [Duration]) -> Value {
    json!({
        "server": name,
        "requestsPerSecond": per_second.round(),
        "requests": latencies.len(),
        "p50Ms": percentile_ms(latencies, 0.5),
        "p99Ms": percentile_ms(latencies, 0.99),
        "p999Ms": percentile_ms(latencies, 0.999),
    })
}

/// Latencies of originals and of searches, each by four clients that ask one after another.
///
/// # Errors
/// When any request fails.
pub async fn others(folder: &Folder, service: &Service) -> Result<Value> {
    let client = client(&folder.data().join("tls/authority.pem"))?;
    let official = token(folder, "official", "min-low", OFFICIAL)?;
    let records = records(&client, &service.vault, &official).await?;
    let open = |record: &String| Asked {
        method: Method::POST,
        url: format!("https://{}/v1/records/{record}/disclosures", service.vault),
        body: Some(json!({
            "legalBasis": "woo-request", "caseNumber": "WOO-2026-0117", "motivation": "meting van de snelheid",
        })),
        status: 201,
    };
    progress("disclosures");
    let asked = Arc::new(records.iter().map(open).collect());
    let mut disclosures = closed_loop(&client, &official, asked, CLIENTS, DISCLOSURES).await?;
    let researcher = token(folder, "researcher", "universiteit", READER)?;
    let search = |words: &&str| Asked {
        method: Method::POST,
        url: format!("https://{}/v1/records/_search", service.reading_room),
        body: Some(json!({ "query": words, "limit": 20 })),
        status: 200,
    };
    progress("searches");
    let asked = Arc::new(SEARCHES_FOR.iter().map(search).collect());
    let mut searches = closed_loop(&client, &researcher, asked, CLIENTS, SEARCHES).await?;
    let row = |what: &str, latencies: &mut Vec<Duration>| {
        json!({
            "what": what,
            "clients": CLIENTS,
            "requests": latencies.len(),
            "p50Ms": percentile_ms(latencies, 0.5),
            "p99Ms": percentile_ms(latencies, 0.99),
        })
    };
    Ok(json!([row("disclosure with receipt", &mut disclosures), row("search", &mut searches)]))
}

async fn records(client: &Client, vault: &str, token: &str) -> Result<Vec<String>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    while found.len() < DISCLOSURES {
        let url = format!("https://{vault}/v1/records?outcome=archive&limit=100{after}");
        let page: Value = client.get(url).bearer_auth(token).send().await?.error_for_status()?.json().await?;
        let records = page.get("records").and_then(Value::as_array).context("records")?;
        found.extend(records.iter().filter_map(|r| r.get("id").and_then(Value::as_str)).map(str::to_owned));
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    Ok(found)
}

/// A token of the demo for twelve hours.
///
/// # Errors
/// When the program mints none.
pub fn token(folder: &Folder, role: &str, organisation: &str, subject: &str) -> Result<String> {
    let asked =
        ["token", "--role", role, "--organisation", organisation, "--subject", subject, "--seconds", "43200"];
    Ok(folder.run(&asked)?.said.trim().to_owned())
}
