//! Whether time tells what is not there from what may not be known: pairs of requests over one connection, in an order
//! drawn at random, and the median of their differences with its 95 % interval.

use super::client::{Asked, ask, client};
use super::latency::token;
use super::program::{Folder, READER};
use super::table::progress;
use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Instant;
use uuid::Uuid;

/// Half of the interval must lie within so many microseconds of none.
const BOUND_MICROS: f64 = 50.0;
const WARM_UP: usize = 200;

/// A request about a thing, and the same about nothing.
struct Pair {
    what: &'static str,
    token: String,
    there: Asked,
    nothing: Asked,
}

/// Measures `pairs` pairs of each route.
///
/// # Errors
/// When any answer is another than that for what is not there.
pub fn measure(folder: &Folder, pairs: usize) -> Result<Value> {
    let service = folder.serve()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = client(&folder.data().join("tls/authority.pem"))?;
        let mut rows = Vec::new();
        for pair in all(folder, &client, &service.vault, &service.reading_room).await? {
            progress(pair.what);
            rows.push(pair.measure(&client, pairs).await?);
        }
        Ok(json!({ "pairs": pairs, "boundMicros": BOUND_MICROS, "routes": rows }))
    })
}

async fn all(folder: &Folder, client: &Client, vault: &str, room: &str) -> Result<Vec<Pair>> {
    let researcher = token(folder, "researcher", "universiteit", READER)?;
    let stranger = token(folder, "researcher", "universiteit", "onderzoeker-9")?;
    let own = token(folder, "official", "min-low", "ambtenaar-1")?;
    let other = token(folder, "official", "elders", "ambtenaar-9")?;
    let page = get(client, &researcher, &format!("https://{room}/v1/records?limit=1")).await?;
    let view = word(&page, "/records/0/id")?;
    let conversation = word(&page, "/records/0/conversation")?;
    let page = get(client, &own, &format!("https://{vault}/v1/records?outcome=archive&limit=1")).await?;
    let record = word(&page, "/records/0/id")?;
    let grounds = json!({"legalBasis": "woo-request", "caseNumber": "WOO-2026-0117", "motivation": "meting van de snelheid"});
    let of = |what, token: &str, address: &str, path: &str, id: &str, body: Option<&Value>| {
        let asked = |id: &str| Asked {
            method: if body.is_some() { Method::POST } else { Method::GET },
            url: format!("https://{address}{}", path.replace("{id}", id)),
            body: body.cloned(),
            status: 404,
        };
        let nothing = id.parse::<Uuid>().map(|id| Uuid::from_u128(id.as_u128() ^ 1).to_string());
        Ok::<_, anyhow::Error>(Pair {
            what,
            token: token.to_owned(),
            there: asked(id),
            nothing: asked(&nothing?),
        })
    };
    Ok(vec![
        of("reading room: a record of another's grant", &stranger, room, "/v1/records/{id}", &view, None)?,
        of(
            "reading room: a conversation of another's grant",
            &stranger,
            room,
            "/v1/conversations/{id}",
            &conversation,
            None,
        )?,
        of("vault: a record of another organisation", &other, vault, "/v1/records/{id}", &record, None)?,
        of("vault: its decisions", &other, vault, "/v1/records/{id}/decisions", &record, None)?,
        of("vault: its original", &other, vault, "/v1/records/{id}/disclosures", &record, Some(&grounds))?,
    ])
}

async fn get(client: &Client, token: &str, url: &str) -> Result<Value> {
    Ok(client.get(url).bearer_auth(token).send().await?.error_for_status()?.json().await?)
}

fn word(page: &Value, at: &str) -> Result<String> {
    page.pointer(at)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no {at} in the answer"))
}

impl Pair {
    async fn measure(&self, client: &Client, pairs: usize) -> Result<Value> {
        let mut differences = Vec::with_capacity(pairs);
        for n in 0..pairs + WARM_UP {
            // A coin for each pair, so that neither is always first.
            let there_first = Uuid::new_v4().as_u128() & 1 == 0;
            let (first, second) =
                if there_first { (&self.there, &self.nothing) } else { (&self.nothing, &self.there) };
            let one = ask(client, &self.token, first, Instant::now()).await?.as_secs_f64() * 1e6;
            let two = ask(client, &self.token, second, Instant::now()).await?.as_secs_f64() * 1e6;
            if n >= WARM_UP {
                differences.push(if there_first { one - two } else { two - one });
            }
        }
        let (median, low, high) = interval(differences)?;
        Ok(json!({
            "route": self.what,
            "medianMicros": median,
            "low95Micros": low,
            "high95Micros": high,
            "within": low > -BOUND_MICROS && high < BOUND_MICROS,
        }))
    }
}

/// The median of the differences, and the order statistics between which the true one lies with 95 % certainty.
fn interval(mut differences: Vec<f64>) -> Result<(f64, f64, f64)> {
    ensure!(differences.len() >= 100, "too few pairs for an interval: {}", differences.len());
    differences.sort_by(f64::total_cmp);
    let count = differences.len() as f64;
    let half = 0.98 * count.sqrt();
    let at = |place: f64| differences.get(place as usize).copied().context("place");
    Ok((
        at(count / 2.0)?,
        at((count / 2.0 - half).floor())?,
        at((count / 2.0 + half).ceil().min(count - 1.0))?,
    ))
}
