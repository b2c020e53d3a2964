//! `knik demo --check`: the main job, done over TLS as each role, with a table of what each got.

use super::super::folder::DataFolder;
use super::super::print;
use super::super::serve::Running;
use super::{PEOPLE, samples, setup, token_of};
use crate::ledger::Receipt;
use crate::model::Role;
use crate::redact::leaks;
use crate::vault::verify::{Trust, verify};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// One thing that was tried.
struct Row {
    role: &'static str,
    tried: &'static str,
    got: String,
    right: bool,
}

pub(super) struct Checker<'a> {
    folder: &'a DataFolder,
    client: Client,
    pub(super) vault: String,
    pub(super) room: String,
    tokens: Vec<(Role, String)>,
    rows: Vec<Row>,
}

/// Does everything and prints the table. `true` when everything was as it should be.
pub(super) async fn check(folder: &DataFolder, running: &Running) -> Result<bool> {
    let mut checker = Checker::new(folder, running)?;
    checker.researcher().await?;
    checker.official().await?;
    checker.records_manager().await?;
    checker.reviewer().await?;
    checker.verification().await?;
    checker.reading_room_process(running.reading_room_pid)?;
    let right = checker.rows.iter().all(|row| row.right);
    let rows: Vec<Vec<String>> = checker
        .rows
        .iter()
        .map(|row| {
            let verdict = if row.right { "ok" } else { "WRONG" };
            vec![row.role.to_owned(), row.tried.to_owned(), row.got.clone(), verdict.to_owned()]
        })
        .collect();
    print::table(&["role", "tried", "got", ""], &rows);
    print::line(if right { "\ndemo check: all as it should be" } else { "\ndemo check: something is WRONG" });
    Ok(right)
}

impl<'a> Checker<'a> {
    fn new(folder: &'a DataFolder, running: &Running) -> Result<Self> {
        let authority = std::fs::read(folder.path.join(setup::AUTHORITY))?;
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(&authority)?])
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()?;
        let tokens = PEOPLE.iter().map(|person| Ok((person.role, token_of(&folder.path, person)?)));
        Ok(Self {
            folder,
            client,
            vault: format!("https://{}", running.at.vault),
            room: format!("https://{}", running.at.reading_room),
            tokens: tokens.collect::<Result<_>>()?,
            rows: Vec::new(),
        })
    }

    fn token(&self, role: Role) -> &str {
        self.tokens.iter().find(|(of, _)| *of == role).map_or("", |(_, token)| token)
    }

    pub(super) fn row(
        &mut self,
        role: &'static str,
        tried: &'static str,
        got: impl Into<String>,
        right: bool,
    ) {
        self.rows.push(Row { role, tried, got: got.into(), right });
    }

    pub(super) async fn read(&self, role: Role, url: &str) -> Result<(StatusCode, Value)> {
        let answer = self.client.get(url).bearer_auth(self.token(role)).send().await?;
        let status = answer.status();
        Ok((status, answer.json().await.context("an answer that is no JSON")?))
    }

    pub(super) async fn send(&self, role: Role, url: &str, body: &Value) -> Result<(StatusCode, Value)> {
        let answer = self.client.post(url).bearer_auth(self.token(role)).json(body).send().await?;
        let status = answer.status();
        Ok((status, answer.json().await.context("an answer that is no JSON")?))
    }

    /// Pages through everything that one grant gives.
    async fn everything(&self, grant: &str) -> Result<Vec<Value>> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let url = format!("{}/v1/records?grant={grant}&limit=100{after}", self.room);
            let (status, page) = self.read(Role::Researcher, &url).await?;
            ensure!(status == StatusCode::OK, "listing gave {status}");
            found.extend(page.get("records").and_then(Value::as_array).cloned().unwrap_or_default());
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(found),
            }
        }
    }

    async fn researcher(&mut self) -> Result<()> {
        let grants = self.folder.archive.catalogue.grants().await?;
        let (mut views, mut placeholders) = (Vec::new(), 0);
        for grant in &grants {
            views.extend(self.everything(&grant.id.to_string()).await?);
        }
        for view in &views {
            placeholders +=
                passages(view).iter().map(|passage| list(passage, "placeholders").len()).sum::<usize>();
        }
        let right = !views.is_empty() && placeholders > 0;
        self.row(
            "researcher",
            "list redacted views",
            format!("{} views, {placeholders} placeholders", views.len()),
            right,
        );

        let all = serde_json::to_string(&views)?;
        let canaries: Vec<&str> = samples::canaries().collect();
        let leaked = leaks(&all, &canaries);
        let got = leaked.map_or("none in any form".to_owned(), |n| format!("canary number {} LEAKED", n + 1));
        self.row("researcher", "find planted personal data", got, leaked.is_none());

        let grant = grants.last().map(|grant| grant.id.to_string()).unwrap_or_default();
        let thread = views
            .last()
            .and_then(|view| view.get("conversation"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let url = format!("{}/v1/conversations/{thread}?grant={grant}", self.room);
        let (status, thread) = self.read(Role::Researcher, &url).await?;
        let found = list(&thread, "records").len();
        self.row(
            "researcher",
            "read a conversation",
            format!("{found} views"),
            status == StatusCode::OK && found > 0,
        );

        let asked = json!({ "query": "waterbijdrage" });
        let (status, hits) =
            self.send(Role::Researcher, &format!("{}/v1/records/_search", self.room), &asked).await?;
        let found = list(&hits, "records").len();
        self.row(
            "researcher",
            "search a word",
            format!("{found} views"),
            status == StatusCode::OK && found > 0,
        );

        let asked = json!({ "query": canaries.first().copied().unwrap_or("canary") });
        let (_, hits) =
            self.send(Role::Researcher, &format!("{}/v1/records/_search", self.room), &asked).await?;
        let found = list(&hits, "records").len();
        self.row("researcher", "search a redacted name", format!("{found} views"), found == 0);
        self.researcher_refused().await
    }

    /// A researcher who tries an original gets what a record gets that does not exist.
    async fn researcher_refused(&mut self) -> Result<()> {
        let known = self.some_record().await?;
        let absent = self.folder.archive.sources.random_id()?.to_string();
        let mut answers = Vec::new();
        for id in [known, absent] {
            let url = format!("{}/v1/records/{id}/disclosures", self.vault);
            let answer = self
                .client
                .post(url)
                .bearer_auth(self.token(Role::Researcher))
                .json(&grounds())
                .send()
                .await?;
            answers.push((answer.status(), answer.bytes().await?));
        }
        let same = answers.first() == answers.last();
        let status = answers.first().map(|(status, _)| *status).unwrap_or_default();
        let right = same && status == StatusCode::NOT_FOUND;
        self.row("researcher", "open an original", format!("{status}, as for one that is not there"), right);
        Ok(())
    }

    /// A record of the ministry that has a view.
    async fn some_record(&self) -> Result<String> {
        let url = format!("{}/v1/records?outcome=archive&limit=100", self.vault);
        let (_, page) = self.read(Role::Official, &url).await?;
        let records = list(&page, "records");
        let shown =
            records.iter().find(|record| record.get("view").is_some()).context("no record has a view")?;
        Ok(shown.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    async fn official(&mut self) -> Result<()> {
        let id = self.some_record().await?;
        let url = format!("{}/v1/records/{id}/disclosures", self.vault);
        let mut without = grounds();
        if let Some(fields) = without.as_object_mut() {
            fields.insert("legalBasis".to_owned(), json!("curiosity"));
        }
        let (status, problem) = self.send(Role::Official, &url, &without).await?;
        let said = list(&problem, "errors").len();
        let right = status == StatusCode::FORBIDDEN && said > 0;
        self.row("official", "open without a legal basis", format!("{status}, {said} reasons"), right);

        let (status, opened) = self.send(Role::Official, &url, &grounds()).await?;
        let original = list(&opened, "original");
        let item =
            original.first().and_then(|part| part.get("content")).and_then(Value::as_str).unwrap_or_default();
        let bytes = STANDARD.decode(item).unwrap_or_default();
        let exact = stands_in_a_sample(&bytes)?;
        let got = format!("{} bytes, {}", bytes.len(), if exact { "as captured" } else { "NOT as captured" });
        self.row("official", "open an original", got, status == StatusCode::CREATED && exact);

        let receipt: Option<Receipt> =
            opened.get("receipt").and_then(|r| serde_json::from_value(r.clone()).ok());
        let key = self.folder.archive.logs.vault.verifier();
        let holds = receipt.and_then(|receipt| receipt.verify(key).ok());
        let got = holds.as_ref().map_or("does NOT hold".to_owned(), |v| format!("holds: entry {}", v.index));
        self.row("official", "verify the receipt offline", got, holds.is_some());
        Ok(())
    }

    async fn records_manager(&mut self) -> Result<()> {
        let mut got = Vec::new();
        let mut right = true;
        for outcome in ["archive", "archive_elsewhere", "refer", "do_not_archive"] {
            let url = format!("{}/v1/records?outcome={outcome}&limit=100", self.vault);
            let (status, page) = self.read(Role::RecordsManager, &url).await?;
            let found = list(&page, "records").len();
            right &= status == StatusCode::OK && found > 0;
            got.push(format!("{outcome} {found}"));
        }
        self.row("records-manager", "see what was decided", got.join(", "), right);
        let id = self.some_record().await?;
        let url = format!("{}/v1/records/{id}/decisions", self.vault);
        let (status, answer) = self.read(Role::RecordsManager, &url).await?;
        let decisions = list(&answer, "decisions");
        let steps = decisions.first().map(|decision| list(decision, "path").len()).unwrap_or_default();
        self.row(
            "records-manager",
            "see why",
            format!("{steps} steps"),
            status == StatusCode::OK && steps > 0,
        );
        let (status, _) = self
            .send(Role::RecordsManager, &format!("{}/v1/records/{id}/disclosures", self.vault), &grounds())
            .await?;
        let refused = status == StatusCode::FORBIDDEN || status == StatusCode::NOT_FOUND;
        self.row("records-manager", "open an original", status.to_string(), refused);
        Ok(())
    }

    async fn verification(&mut self) -> Result<()> {
        let archive = &self.folder.archive;
        let seen = verify(archive, &Trust::of(archive), &|_, _| {}).await?;
        let got = seen
            .first_wrong
            .clone()
            .unwrap_or(format!("{} entries, {} segments", seen.entries, seen.segments));
        self.row(
            "anyone",
            "verify ledger and segments",
            got,
            seen.first_wrong.is_none() && seen.segments > 0,
        );
        Ok(())
    }

    /// The reading room's process has no environment, and holds none of the vault's files open.
    fn reading_room_process(&mut self, pid: u32) -> Result<()> {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).context("reading the environment")?;
        let held = std::fs::read_dir(format!("/proc/{pid}/fd"))?
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|path| {
                path.components().any(|part| matches!(part.as_os_str().to_str(), Some("vault" | "keys")))
            })
            .count();
        let got = format!("{} bytes of environment, {held} files of the vault", environment.len());
        self.row("reading room", "hold a key or an original", got, environment.is_empty() && held == 0);
        Ok(())
    }
}

fn grounds() -> Value {
    json!({
        "legalBasis": "woo-request",
        "caseNumber": "WOO-2026-0117",
        "motivation": "Zoekslag voor een Woo-verzoek over de waterbijdrage",
    })
}

pub(super) fn list(value: &Value, field: &str) -> Vec<Value> {
    value.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn passages(view: &Value) -> Vec<Value> {
    list(view, "passages")
}

fn stands_in_a_sample(bytes: &[u8]) -> Result<bool> {
    for channel in samples::Registry::read()?.channels {
        for sample in &channel.captures {
            let file = samples::capture(&sample.file)?;
            if !bytes.is_empty() && file.windows(bytes.len()).any(|window| window == bytes) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
