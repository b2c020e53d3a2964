//! `knik story`: a matter told in words from the ledger.

use super::control::{self, Order};
use super::print;
use crate::store::exported::ExportedLog;
use crate::store::log_source::LogSource;
use crate::vault::story;
use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};
use uuid::Uuid;

pub(super) const EXAMPLES: &str = "Example: knik story --grant 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47
         knik story --subject 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 --language en
         knik story --grant 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 --ledger /media/usb/ledger

With --ledger it is told from exported logs, without a data folder; `knik verify --ledger` says whether these hold.";

#[derive(Args)]
#[group(id = "matter", required = true, multiple = false)]
pub(super) struct Which {
    /// A grant, or a request to open originals.
    #[arg(long)]
    grant: Option<Uuid>,
    /// A request for copies.
    #[arg(long)]
    request: Option<Uuid>,
    /// A request of a person concerned.
    #[arg(long)]
    subject: Option<Uuid>,
}

#[derive(Args)]
pub(super) struct StoryArguments {
    #[command(flatten)]
    which: Which,
    /// The language of the story.
    #[arg(long, value_enum, default_value = "nl")]
    language: StoryLanguage,
    /// Tell it from logs that were exported to this folder.
    #[arg(long)]
    ledger: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StoryLanguage {
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// Tells a matter.
///
/// # Errors
/// When no entry is about it, or the ledger cannot be read.
pub(super) async fn run(dir: &Path, asked: StoryArguments, as_json: bool) -> Result<()> {
    let Which { grant, request, subject } = asked.which;
    let id = grant.or(request).or(subject).context("name what is to be told")?;
    let told = match &asked.ledger {
        Some(folder) => offline(folder, id).await?,
        None => control::carry_out(dir, Order::Story { id }, &mut |_, _| {}).await?,
    };
    if as_json {
        print::line(&told.to_string());
        return Ok(());
    }
    let language = match asked.language {
        StoryLanguage::Nl => "nl",
        StoryLanguage::En => "en",
    };
    for sentence in told.get("sentences").and_then(Value::as_array).into_iter().flatten() {
        let text = sentence.get("text").map(|text| print::word(text, language)).unwrap_or_default();
        print::line(&format!(
            "{}  {text}  [{}]",
            print::word(sentence, "at"),
            print::word(sentence, "cited")
        ));
    }
    Ok(())
}

/// From a folder that `knik ledger export` wrote.
async fn offline(folder: &Path, id: Uuid) -> Result<Value> {
    let planes = ["vault", "reading-room"];
    let there: Vec<&str> = planes.into_iter().filter(|plane| folder.join(plane).is_dir()).collect();
    ensure!(!there.is_empty(), "`{}` holds no exported ledger", folder.display());
    let logs: Vec<ExportedLog> = there.iter().map(|plane| ExportedLog::new(folder.join(plane))).collect();
    let logs: Vec<(&str, &dyn LogSource)> =
        there.into_iter().zip(&logs).map(|(plane, log)| (plane, log as &dyn LogSource)).collect();
    Ok(story::of_logs(&logs, id).await?.to_json(id))
}
