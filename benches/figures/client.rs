//! A client that keeps to a timetable: what a request waits for before it is sent counts too.

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

/// As many as the load generator holds.
const CONNECTIONS: usize = 64;

/// One request, asked again and again with what changes.
pub struct Asked {
    /// GET or POST.
    pub method: Method,
    /// `https://address/path`.
    pub url: String,
    /// A JSON body, if any.
    pub body: Option<Value>,
    /// The status that it must be answered with.
    pub status: u16,
}

/// A client that trusts the folder's authority.
///
/// # Errors
/// When the authority cannot be read.
pub fn client(authority: &std::path::Path) -> Result<Client> {
    let authority = std::fs::read(authority)?;
    Ok(Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&authority)?])
        .http1_only()
        .no_proxy()
        .pool_max_idle_per_host(256)
        .timeout(Duration::from_secs(60))
        .build()?)
}

/// Asks once and gives the time from `since` to the end of the answer.
///
/// # Errors
/// When the answer is another than it must be.
pub async fn ask(client: &Client, token: &str, asked: &Asked, since: Instant) -> Result<Duration> {
    let mut request = client.request(asked.method.clone(), &asked.url).bearer_auth(token);
    if let Some(body) = &asked.body {
        request = request.json(body);
    }
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    ensure!(status == asked.status, "{} was answered with {status}", asked.url);
    Ok(since.elapsed())
}

/// Asks by a timetable of a fixed rate, over [`CONNECTIONS`] that are there before it begins, and gives every latency from the moment
/// at which each request was due: what waits for a connection because answers are late counts.
///
/// # Errors
/// When any answer is another than it must be.
pub async fn open_loop(
    client: &Client,
    token: &str,
    asked: Arc<Vec<Asked>>,
    per_second: f64,
    seconds: u32,
) -> Result<Vec<Duration>> {
    let count = (per_second * f64::from(seconds)) as usize;
    let (next, ready) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(CONNECTIONS + 1)));
    let mut asking = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, token, asked) = (client.clone(), token.to_owned(), Arc::clone(&asked));
        let (next, ready) = (Arc::clone(&next), Arc::clone(&ready));
        asking.push(tokio::spawn(async move {
            let one = |n: usize| asked.get(n % asked.len().max(1)).context("nothing to ask");
            let connected = ask(&client, &token, one(0)?, Instant::now()).await;
            ready.wait().await;
            connected?;
            let (began, mut latencies) = (Instant::now(), Vec::new());
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok::<_, anyhow::Error>(latencies);
                }
                let due = began + Duration::from_secs_f64(n as f64 / per_second);
                tokio::time::sleep_until(due.into()).await;
                latencies.push(ask(&client, &token, one(n)?, due).await?);
            }
        }));
    }
    ready.wait().await;
    gathered(asking, count).await
}

async fn gathered(asking: Vec<JoinHandle<Result<Vec<Duration>>>>, count: usize) -> Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(count);
    for one in asking {
        latencies.extend(one.await??);
    }
    Ok(latencies)
}

/// `clients` ask one after another, `count` times together; every latency.
///
/// # Errors
/// When any answer is another than it must be.
pub async fn closed_loop(
    client: &Client,
    token: &str,
    asked: Arc<Vec<Asked>>,
    clients: usize,
    count: usize,
) -> Result<Vec<Duration>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut asking = Vec::new();
    for _ in 0..clients {
        let (client, token, asked, next) =
            (client.clone(), token.to_owned(), Arc::clone(&asked), Arc::clone(&next));
        asking.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok::<_, anyhow::Error>(latencies);
                }
                let one = asked.get(n % asked.len().max(1)).context("nothing to ask")?;
                latencies.push(ask(&client, &token, one, Instant::now()).await?);
            }
        }));
    }
    gathered(asking, count).await
}

/// The latency below which `part` of all are, in milliseconds.
pub fn percentile_ms(latencies: &mut [Duration], part: f64) -> f64 {
    latencies.sort_unstable();
    let last = latencies.len().saturating_sub(1);
    let place = (part * last as f64).round() as usize;
    latencies.get(place.min(last)).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
}
