//! `knik export`: files of redacted copies, over the interfaces of reading room and vault, as one person with their token.

use super::api::{Connection, said, show};
use crate::model::{ExportId, GrantId};
use crate::redact::copy::tar_entries;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    connection: Connection,
    /// Address of the reading room, for what a researcher does.
    #[arg(long, default_value = "https://127.0.0.1:8444")]
    reading_room: String,
    #[command(subcommand)]
    command: ExportCommand,
}

#[derive(Subcommand)]
enum ExportCommand {
    /// As a researcher: have files made of what a grant selects.
    #[command(
        after_help = "Example: knik export --token-file token start --grant 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47"
    )]
    Start {
        /// Under which grant; the one for files that runs longest when left out.
        #[arg(long)]
        grant: Option<GrantId>,
    },
    /// As a researcher: where one export stands, or all of a grant.
    #[command(
        after_help = "Example: knik export --token-file token status 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47"
    )]
    Status {
        /// Which; all of the grant for files that runs longest when left out.
        id: Option<ExportId>,
    },
    /// As a researcher: fetch a released export into a folder. Broken off, it goes on where it was; whole, it is consumed.
    #[command(
        after_help = "Example: knik export --token-file token fetch 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 --to copy"
    )]
    Fetch {
        /// Which.
        id: ExportId,
        /// The folder; made when it is not there.
        #[arg(long)]
        to: PathBuf,
    },
    /// In the vault: list the exports of the own organisation's records.
    #[command(after_help = "Example: knik export --token-file token list --json")]
    List,
    /// In the vault: show one export with what the leak gate found.
    #[command(
        after_help = "Example: knik export --token-file token show 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47"
    )]
    Show {
        /// Which.
        id: ExportId,
    },
    /// In the vault: let a checked export go, as its second person.
    #[command(
        after_help = "Example: knik export --token-file token release 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'Niets gevonden.'"
    )]
    Release {
        /// Which.
        id: ExportId,
        /// Why; with @ before it, a file.
        text: String,
    },
    /// In the vault: do not let a checked export go.
    #[command(
        after_help = "Example: knik export --token-file token refuse 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'Te veel letterlijke tekst.'"
    )]
    Refuse {
        /// Which.
        id: ExportId,
        /// Why; with @ before it, a file. The researcher reads it.
        text: String,
    },
}

/// Does what is asked and prints the answer.
///
/// # Errors
/// What was answered, in its words.
pub(super) async fn run(dir: &Path, asked: ExportArguments, as_json: bool) -> Result<ExitCode> {
    let ExportArguments { connection, reading_room, command } = asked;
    let vault = || connection.open(dir);
    let room = || connection.open_at(dir, &reading_room);
    let answer = match command {
        ExportCommand::Start { grant } => room()?.post("/v1/exports", &json!({ "grant": grant })).await?,
        ExportCommand::Status { id: Some(id) } => room()?.get(&format!("/v1/exports/{id}")).await?,
        ExportCommand::Status { id: None } => room()?.get("/v1/exports").await?,
        ExportCommand::Fetch { id, to } => {
            let room = room()?;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&to).context("making the folder")?;
            fetch(&room, id, &to).await?
        }
        ExportCommand::List => vault()?.get("/v1/exports").await?,
        ExportCommand::Show { id } => vault()?.get(&format!("/v1/exports/{id}")).await?,
        ExportCommand::Release { id, text } => {
            vault()?.post(&format!("/v1/exports/{id}/releases"), &json!({ "text": said(&text)? })).await?
        }
        ExportCommand::Refuse { id, text } => {
            vault()?.post(&format!("/v1/exports/{id}/refusals"), &json!({ "text": said(&text)? })).await?
        }
    };
    show(&answer, as_json);
    Ok(ExitCode::SUCCESS)
}

/// Fetches a package to a file of the folder, from where that ends, and unpacks it.
async fn fetch(room: &super::api::Vault, id: ExportId, to: &Path) -> Result<Value> {
    let package = to.join(format!("{id}.tar.part"));
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&package)?;
    let from = file.metadata()?.len();
    let mut answer = room.bytes_from(&format!("/v1/exports/{id}/package"), from).await?;
    while let Some(piece) = answer.chunk().await.context("the download broke off; fetch it again to go on")? {
        file.write_all(&piece)?;
    }
    file.sync_all()?;
    drop(file);
    let bytes = fs::read(&package)?;
    let mut names = Vec::new();
    for (name, range) in tar_entries(&bytes).context("the package is not whole; fetch it again to go on")? {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to.join(&name))?;
        file.write_all(bytes.get(range).unwrap_or_default())?;
        file.sync_all()?;
        names.push(name);
    }
    fs::remove_file(&package)?;
    Ok(json!({ "export": id, "folder": to, "bytes": bytes.len(), "files": names }))
}
