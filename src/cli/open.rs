//! `knik open`: requests to open originals, over the interface of the vault.

use super::api::{Connection, Vault, said, show};
use super::new_file::NewFile;
use crate::model::{GrantId, LegalBasisCode, OpeningScope, RecordId, Timestamp};
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct OpenArguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: OpenCommand,
}

#[derive(Subcommand)]
enum OpenCommand {
    /// Ask to open originals under a legal basis.
    #[command(
        after_help = "Example: knik open --token-file token request --legal-basis parliament --scope thread \\\n    --record 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --case TK-2026-0031 --motivation @motivation.txt --recipient 'Griffie'"
    )]
    Request(Box<Request>),
    /// List the requests of the own organisation.
    #[command(after_help = "Example: knik open --token-file token list --state waiting --json")]
    List {
        /// waiting, open, refused or revoked.
        #[arg(long)]
        state: Option<String>,
    },
    /// Show one request: what was stated, which records, its digest.
    #[command(after_help = "Example: knik open --token-file token show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11")]
    Show {
        /// Which.
        id: GrantId,
    },
    /// Approve a request as its second person: the exact request that was shown.
    #[command(
        after_help = "Example: knik open --token-file token approve 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --digest 5b0f…"
    )]
    Approve {
        /// Which.
        id: GrantId,
        /// Its digest, as `show` gives it.
        #[arg(long)]
        digest: String,
        /// Subject of the tokens of the person for whom you stand in.
        #[arg(long, requires = "for_issuer")]
        stands_in_for: Option<String>,
        /// Issuer of their tokens.
        #[arg(long)]
        for_issuer: Option<String>,
    },
    /// Refuse a request as its second person.
    #[command(
        after_help = "Example: knik open --token-file token refuse 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --reason 'ruimer dan nodig'"
    )]
    Refuse {
        /// Which.
        id: GrantId,
        /// Why; with @ before it, a file.
        #[arg(long)]
        reason: String,
    },
    /// End a request at once.
    #[command(
        after_help = "Example: knik open --token-file token revoke 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11"
    )]
    Revoke {
        /// Which.
        id: GrantId,
    },
    /// Say why something was opened at once.
    #[command(
        after_help = "Example: knik open --token-file token justify 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --text @why.txt"
    )]
    Justify {
        /// Which.
        id: GrantId,
        /// Why; with @ before it, a file.
        #[arg(long)]
        text: String,
    },
    /// Open one original into a new file: its exact bytes, or everything of it with the receipt.
    #[command(
        after_help = "Example: knik open --token-file token original 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 \\\n    --record 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a12 --to original.json --form with-receipt"
    )]
    Original {
        /// Under which request.
        id: GrantId,
        /// Which record.
        #[arg(long)]
        record: RecordId,
        /// The new file.
        #[arg(long)]
        to: PathBuf,
        /// The bytes of the item, or JSON with every part and the receipt.
        #[arg(long, value_enum, default_value = "bytes")]
        form: Form,
    },
    /// Open every original that a request reaches into files of a folder, each with its receipt.
    #[command(
        after_help = "Example: knik open --token-file token package 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --to folder"
    )]
    Package {
        /// Which request.
        id: GrantId,
        /// A folder; made when it is not there.
        #[arg(long)]
        to: PathBuf,
        /// Go on after so many, when it broke off.
        #[arg(long, default_value_t = 0)]
        after: usize,
    },
    /// Open every original that a request reaches, as a page to read: threads, times, receipts.
    #[command(
        after_help = "Example: knik open --token-file token page 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --to page.html\n         knik open --token-file token page 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --to page.pdf"
    )]
    Page {
        /// Which request.
        id: GrantId,
        /// The new file.
        #[arg(long)]
        to: PathBuf,
    },
    /// Find records back, under a request with scope `find`: ids and redacted views.
    #[command(
        after_help = "Example: knik open --token-file token find 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --handle fatima --words waterbijdrage"
    )]
    Find {
        /// Under which request.
        id: GrantId,
        /// A name, in a text or of an account.
        #[arg(long)]
        name: Option<String>,
        /// The handle of an author or of someone mentioned.
        #[arg(long)]
        handle: Option<String>,
        /// The platform's address or id, or an address that is linked to.
        #[arg(long)]
        address: Option<String>,
        /// Words of a text.
        #[arg(long)]
        words: Option<String>,
        /// Posted at this time or later.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Posted before this time.
        #[arg(long)]
        until: Option<Timestamp>,
        /// After this record: the last of the answer before.
        #[arg(long)]
        after: Option<RecordId>,
        /// How many at the most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The item's own bytes.
    Bytes,
    /// JSON with every part and the receipt.
    WithReceipt,
}

#[derive(Args)]
struct Request {
    /// Code of the legal basis.
    #[arg(long)]
    legal_basis: LegalBasisCode,
    /// record, thread or find.
    #[arg(long, default_value = "record")]
    scope: OpeningScope,
    /// A record; as often as there are.
    #[arg(long)]
    record: Vec<RecordId>,
    /// The case.
    #[arg(long)]
    case: String,
    /// Why; with @ before it, a file.
    #[arg(long)]
    motivation: String,
    /// Who gets the copy; with @ before it, a file.
    #[arg(long)]
    recipient: String,
    /// Until when; as long as the legal basis lasts when absent.
    #[arg(long)]
    until: Option<Timestamp>,
    /// At once, in an emergency: the data protection officer is alarmed, and it must be justified.
    #[arg(long)]
    break_glass: bool,
}

impl Request {
    fn body(&self) -> Result<Value> {
        let mut body = json!({
            "legalBasis": self.legal_basis, "scope": self.scope, "records": self.record, "caseNumber": said(&self.case)?,
            "motivation": said(&self.motivation)?, "recipient": said(&self.recipient)?, "breakGlass": self.break_glass,
        });
        if let (Some(fields), Some(until)) = (body.as_object_mut(), self.until) {
            fields.insert("until".to_owned(), json!(until));
        }
        Ok(body)
    }
}

/// `knik open`.
///
/// # Errors
/// What the vault refuses, in its words; a file that is there already.
pub(super) async fn run(dir: &Path, asked: OpenArguments, as_json: bool) -> Result<ExitCode> {
    let vault = asked.connection.open(dir)?;
    let answer = match asked.command {
        OpenCommand::Request(asked) => vault.post("/v1/openings", &asked.body()?).await?,
        OpenCommand::List { state } => {
            let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
            vault.get(&format!("/v1/openings?limit=100{state}")).await?
        }
        OpenCommand::Show { id } => vault.get(&format!("/v1/openings/{id}")).await?,
        OpenCommand::Approve { id, digest, stands_in_for, for_issuer } => {
            let mut body = json!({ "digest": digest });
            if let (Some(fields), Some(subject)) = (body.as_object_mut(), stands_in_for) {
                fields.insert("standsInFor".to_owned(), json!({ "issuer": for_issuer, "subject": subject }));
            }
            vault.post(&format!("/v1/openings/{id}/approvals"), &body).await?
        }
        OpenCommand::Refuse { id, reason } => {
            vault.post(&format!("/v1/openings/{id}/refusals"), &json!({ "text": said(&reason)? })).await?
        }
        OpenCommand::Revoke { id } => {
            vault.post(&format!("/v1/openings/{id}/revocations"), &json!({})).await?
        }
        OpenCommand::Justify { id, text } => {
            vault.post(&format!("/v1/openings/{id}/justifications"), &json!({ "text": said(&text)? })).await?
        }
        OpenCommand::Original { id, record, to, form } => original(&vault, id, record, &to, form).await?,
        OpenCommand::Package { id, to, after } => return package(&vault, id, &to, after, as_json).await,
        OpenCommand::Page { id, to } => {
            let file = NewFile::beside(&to)?;
            let path = format!("/v1/openings/{id}/renditions");
            let paper = to.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"));
            let accept = if paper { "application/pdf" } else { "text/html" };
            let answer = vault.send(Method::POST, &path, Some(&json!({})), accept).await?;
            written(file, &to, &answer.bytes().await.context("the page broke off")?)?
        }
        OpenCommand::Find { id, name, handle, address, words, from, until, after, limit } => {
            let given = json!({
                "name": name, "handle": handle, "address": address, "words": words, "from": from, "until": until,
                "after": after, "limit": limit,
            });
            vault.post(&format!("/v1/openings/{id}/finds"), &given).await?
        }
    };
    show(&answer, as_json);
    Ok(ExitCode::SUCCESS)
}

async fn original(vault: &Vault, id: GrantId, record: RecordId, to: &Path, form: Form) -> Result<Value> {
    let file = NewFile::beside(to)?;
    let path = format!("/v1/openings/{id}/records/{record}/disclosures");
    let accept = match form {
        Form::Bytes => "application/octet-stream",
        Form::WithReceipt => "application/json",
    };
    let answer = vault.send(Method::POST, &path, Some(&json!({})), accept).await?;
    written(file, to, &answer.bytes().await.context("the original broke off")?)
}

/// A new file that only its owner reads.
fn written(mut file: NewFile, to: &Path, bytes: &[u8]) -> Result<Value> {
    file.write_all(bytes).with_context(|| format!("cannot write `{}`", to.display()))?;
    file.finish()?;
    Ok(json!({ "file": to, "sizeBytes": bytes.len() }))
}

async fn package(vault: &Vault, id: GrantId, to: &Path, after: usize, as_json: bool) -> Result<ExitCode> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make `{}`", to.display()))?;
    let path = format!("/v1/openings/{id}/packages?skip={after}");
    let mut answer = vault.send(Method::POST, &path, Some(&json!({})), "application/x-ndjson").await?;
    let bar = if as_json { indicatif::ProgressBar::hidden() } else { indicatif::ProgressBar::new(0) };
    let (mut waiting, mut opened, mut failed) = (Vec::new(), 0_u64, Vec::new());
    while let Some(more) = answer.chunk().await.context("the package broke off: go on with --after")? {
        waiting.extend_from_slice(&more);
        while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
            let rest = waiting.split_off(end + 1);
            let line: Value = serde_json::from_slice(&waiting).context("a line of the package")?;
            waiting = rest;
            bar.set_length(line.get("of").and_then(Value::as_u64).unwrap_or_default());
            bar.set_position(line.get("place").and_then(Value::as_u64).unwrap_or_default());
            let record: RecordId = super::print::word(&line, "record").parse()?;
            if line.get("problem").is_some() {
                failed.push(record);
                continue;
            }
            keep(to, record, &line)?;
            opened += 1;
        }
    }
    bar.finish_and_clear();
    let whole = failed.is_empty();
    show(&json!({ "opened": opened, "notOpened": failed, "folder": to }), as_json);
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The bytes of an original and its receipt, as two files.
fn keep(to: &Path, record: RecordId, line: &Value) -> Result<()> {
    let item =
        line.pointer("/original/0/content").and_then(Value::as_str).context("an original without content")?;
    let bytes = STANDARD.decode(item).context("an original that is not base64")?;
    let whole = serde_json::to_vec_pretty(line)?;
    for (kind, bytes) in [("original", bytes), ("json", whole)] {
        let file = to.join(format!("{record}.{kind}"));
        written(NewFile::beside(&file)?, &file, &bytes)?;
    }
    Ok(())
}
