//! An export of everything that came in: from asking for it until it waits for a second person, seen from outside; memory of both
//! processes, and what share of the time the leak gate took.

use super::program::{Folder, ISSUER, READER, memory_of};
use super::table::progress;
use super::{Asked, ingest};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// Between two looks at where the export stands.
const LOOK: Duration = Duration::from_millis(250);
/// Longest wait.
const PATIENCE: Duration = Duration::from_secs(4 * 3_600);

/// Asks for files of all that a filled folder holds.
///
/// # Errors
/// When a step of it is refused, or the gate stops the export: a figure of a failed run is no figure.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    let grant = grant(folder, asked.until.as_deref())?;
    let reader = token(folder, "researcher", "universiteit", READER)?;
    let approver = token(folder, "approver", ingest::ORGANISATION, "directeur-1")?;
    let service = folder.serve()?;
    let (vault, room) = (format!("https://{}", service.vault), format!("https://{}", service.reading_room));
    let ask = |token: &str, arguments: &[&str]| {
        let mut all = vec!["export", "--token-file", token, "--vault", &vault, "--reading-room", &room];
        all.extend(arguments);
        folder.answer(&all)
    };
    progress(&format!("an export of what {} generated posts came to", asked.count));
    let began = Instant::now();
    let id = text(&ask(&reader, &["start", "--grant", &grant])?, "id")?;
    let mut since: Vec<(String, f64)> = Vec::new();
    loop {
        let state = ask(&reader, &["status", &id]).ok().and_then(|export| text(&export, "state").ok());
        let state = state.unwrap_or_else(|| "asked".to_owned());
        if since.last().is_none_or(|(last, _)| *last != state) {
            since.push((state.clone(), began.elapsed().as_secs_f64()));
        }
        match state.as_str() {
            "waiting" => break,
            "asked" | "preparing" | "building" | "held" => std::thread::sleep(LOOK),
            other => anyhow::bail!("the export is `{other}`: {}", ask(&approver, &["show", &id])?),
        }
        ensure!(began.elapsed() < PATIENCE, "the export takes too long");
    }
    let seconds = began.elapsed().as_secs_f64();
    let shown = ask(&approver, &["show", &id])?;
    let figure = |name: &str| shown.pointer(&format!("/report/{name}")).and_then(Value::as_f64);
    let rows = figure("rows").context("rows")?;
    let gate = figure("seconds").context("seconds of the gate")?;
    let (vault, room) = service.processes();
    let peak = |process| memory_of(process, "VmHWM").map(|bytes| bytes as f64 / 1e6);
    Ok(json!({
        "rows": rows, "seconds": seconds, "recordsPerSecond": rows / seconds,
        "gateSeconds": gate, "gateSharePercent": 100.0 * gate / seconds, "states": since,
        "vaultPeakMegabytes": peak(vault), "readingRoomPeakMegabytes": room.and_then(peak), "report": shown.get("report"),
    }))
}

/// A grant for files, approved by whoever holds the data folder.
fn grant(folder: &Folder, until: Option<&str>) -> Result<String> {
    let selection = until.map_or_else(|| json!({}), |until| json!({ "from": "2026-01-01", "until": until }));
    let request = json!({
        "organisation": ingest::ORGANISATION, "question": "Meting", "purpose": "Meting", "legalBasis": "avg-89",
        "institution": "Meetdienst", "selection": selection, "form": "export", "plan": "researcher",
        "attachments": [
            { "kind": "ethics", "title": "Toetsing", "text": "meting" }, { "kind": "dpia", "title": "DPIA", "text": "meting" },
        ],
    });
    let file = folder.beside.path().join("request.json");
    fs::write(&file, request.to_string())?;
    let file = file.to_str().context("a path that is no text")?;
    let person = ["--issuer", ISSUER, "--subject", READER];
    let written =
        folder.answer(&[&["request", "write", "--file", file, "--submit"][..], &person].concat())?;
    let id = text(&written, "id")?;
    folder.answer(&["request", "approve", &id, "Meting."])?;
    text(&folder.answer(&[&["request", "step", &id, "accept"][..], &person].concat())?, "grant")
}

fn token(folder: &Folder, role: &str, organisation: &str, subject: &str) -> Result<String> {
    let asked = ["--role", role, "--organisation", organisation, "--subject", subject, "--seconds", "43200"];
    let minted = folder.run(&[&["token"][..], &asked].concat())?;
    let file = folder.beside.path().join(format!("token-{role}"));
    fs::write(&file, minted.said.trim())?;
    Ok(file.to_str().context("a path that is no text")?.to_owned())
}

fn text(answer: &Value, field: &str) -> Result<String> {
    Ok(answer[field].as_str().with_context(|| format!("`{field}` of {answer}"))?.to_owned())
}
