//! Load by `wrk`: 64 connections on two threads, every request another record.

use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one server did under load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Requests answered in a second.
    pub per_second: f64,
    /// Median time to answer, in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile, in milliseconds.
    pub p99_ms: f64,
}

const CONNECTIONS: &str = "64";
const THREADS: &str = "2";
const WARM_UP_SECONDS: u32 = 3;

/// A script for wrk: the requests with their token, made once. The file is its owner's alone.
///
/// # Errors
/// When it cannot be written.
pub fn script(folder: &Path, name: &str, token: &str, paths: &[String]) -> Result<PathBuf> {
    let mut text = format!("local authorization = \"Bearer {token}\"\nlocal paths = {{\n");
    for path in paths {
        writeln!(text, "\"{path}\",")?;
    }
    text.push_str(
        "}\nlocal requests, n = {}, math.random(#paths)\n\
         init = function()\n  wrk.headers[\"Authorization\"] = authorization\n\
         for i, path in ipairs(paths) do requests[i] = wrk.format(\"GET\", path) end\nend\n\
         request = function()\n  n = n % #requests + 1\n  return requests[n]\nend\n",
    );
    let file = folder.join(format!("{name}.lua"));
    let mut out = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&file)?;
    out.write_all(text.as_bytes())?;
    Ok(file)
}

/// Warms a server up, then measures it.
///
/// # Errors
/// When wrk is missing or any request failed.
pub fn load(address: &str, script: &Path, seconds: u32) -> Result<Load> {
    wrk(address, script, WARM_UP_SECONDS)?;
    wrk(address, script, seconds)
}

fn wrk(address: &str, script: &Path, seconds: u32) -> Result<Load> {
    let output = Command::new("wrk")
        .args(["-c", CONNECTIONS, "-t", THREADS, "-d", &format!("{seconds}s"), "--latency", "-s"])
        .arg(script)
        .arg(format!("https://{address}/"))
        .output()
        .context("starting wrk; benches/run.sh installs it")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = ["Non-2xx", "Socket errors"].iter().any(|sign| said.contains(sign));
    ensure!(output.status.success() && !failed, "wrk: {said}{}", String::from_utf8_lossy(&output.stderr));
    let field = |name: &str| {
        let line = said.lines().map(str::trim).find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    };
    let figure = |name: &str| field(name).with_context(|| format!("wrk said no `{name}`"));
    Ok(Load {
        per_second: figure("Requests/sec:")?.parse()?,
        p50_ms: milliseconds(&figure("50%")?)?,
        p99_ms: milliseconds(&figure("99%")?)?,
    })
}

/// wrk's `812.00us`, `3.27ms` or `1.02s`.
fn milliseconds(text: &str) -> Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1_000.0)] {
        if let Some(number) = text.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok()) {
            return Ok(number * factor);
        }
    }
    anyhow::bail!("`{text}` is no time")
}

/// The median run, by requests a second.
pub fn median(mut runs: Vec<Load>) -> Option<Load> {
    runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let (low, high) = (runs.get(runs.len().saturating_sub(1) / 2)?, runs.get(runs.len() / 2)?);
    let middle = |of: fn(&Load) -> f64| f64::midpoint(of(low), of(high));
    Some(Load {
        per_second: middle(|l| l.per_second),
        p50_ms: middle(|l| l.p50_ms),
        p99_ms: middle(|l| l.p99_ms),
    })
}
