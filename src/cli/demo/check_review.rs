//! The part of `knik demo --check` that is about flags: a flagged record is seen by nobody until a reviewer judged it.

use super::check::{Checker, list};
use crate::model::Role;
use anyhow::{Context, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// A word of the sample record that is flagged, and of no other.
const WORD: &str = "spreekbeurt";

/// How long a judgement may take to reach the reading room, in tenths of a second.
const TENTHS: u32 = 900;

impl Checker<'_> {
    pub(super) async fn reviewer(&mut self) -> Result<()> {
        let open = self.queue("open").await?;
        let judged = self.queue("judged").await?;
        let kinds: Vec<String> =
            open.iter().flat_map(|item| list(item, "flags")).map(|f| text(&f, "kind")).collect();
        let right = !open.is_empty() || !judged.is_empty();
        self.row(
            "reviewer",
            "list flagged records",
            format!("{} wait: {}", open.len(), kinds.join(", ")),
            right,
        );
        let item = self.flagged([open, judged].concat()).await?;
        let id = text(&item, "id");
        if list(&item, "flags").iter().any(|flag| !flag.get("verdict").unwrap_or(&Value::Null).is_null()) {
            // The folder was checked before: back to where it began.
            self.judge(Role::Reviewer, &id, "keep-withheld", "in-doubt").await?;
        }

        let before = self.wait_for(0).await?;
        self.row("researcher", "find a flagged record", format!("{before} views"), before == 0);

        let shown: Vec<Value> =
            list(&item, "passages").iter().flat_map(|passage| list(passage, "flags")).collect();
        let right = !shown.is_empty();
        self.row("reviewer", "open a flagged record", format!("its text, {} flags", shown.len()), right);

        let status = self.judge(Role::Official, &id, "release", "nobody-identifiable").await?;
        self.row("official", "judge a flag", status.to_string(), status == StatusCode::FORBIDDEN);
        let status = self.judge(Role::Researcher, &id, "release", "nobody-identifiable").await?;
        self.row("researcher", "judge a flag", status.to_string(), status == StatusCode::NOT_FOUND);

        let status = self.judge(Role::Reviewer, &id, "release", "nobody-identifiable").await?;
        let after = self.wait_for(1).await?;
        let right = status == StatusCode::CREATED && after == 1;
        self.row("reviewer", "release it", format!("{status}, then {after} views for the researcher"), right);
        Ok(())
    }

    async fn queue(&self, state: &str) -> Result<Vec<Value>> {
        let url = format!("{}/v1/review-items?state={state}&limit=100", self.vault);
        let (_, page) = self.read(Role::Reviewer, &url).await?;
        Ok(list(&page, "items"))
    }

    /// The item with the word in its text, opened.
    async fn flagged(&self, items: Vec<Value>) -> Result<Value> {
        for item in items {
            let url = format!("{}/v1/review-items/{}", self.vault, text(&item, "id"));
            let (_, shown) = self.read(Role::Reviewer, &url).await?;
            if list(&shown, "passages").iter().any(|passage| text(passage, "text").contains(WORD)) {
                return Ok(shown);
            }
        }
        None.context("no flagged record of the samples waits for the reviewer")
    }

    async fn judge(&self, role: Role, id: &str, verdict: &str, reason: &str) -> Result<StatusCode> {
        let url = format!("{}/v1/review-items/{id}/judgements", self.vault);
        let (status, _) = self.send(role, &url, &json!({ "verdict": verdict, "reason": reason })).await?;
        Ok(status)
    }

    /// How many views the researcher finds for the word, once they are as many as wanted or patience is over.
    async fn wait_for(&self, wanted: usize) -> Result<usize> {
        let url = format!("{}/v1/records/_search", self.room);
        let mut found = 0;
        for _ in 0..TENTHS {
            let (_, hits) = self.send(Role::Researcher, &url, &json!({ "query": WORD })).await?;
            found = list(&hits, "records").len();
            if found == wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(found)
    }
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
