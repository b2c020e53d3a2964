//! `knik subject`: requests of persons concerned, over the interface of the vault.

use super::api::{Connection, said, show};
use crate::model::{AccountProof, Platform, SubjectOutcome, SubjectRequestId, SubjectRequestKind, Timestamp};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::Path;

#[derive(Args)]
pub(super) struct SubjectArguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: SubjectCommand,
}

#[derive(Subcommand)]
enum SubjectCommand {
    /// Register a request. The code in the answer is told once: it proves the account.
    #[command(
        after_help = "Example: knik subject --token-file token register --kind access --asker @who.txt --account mastodon:fatima@social.example"
    )]
    Register {
        /// access, rectification, erasure, restriction, portability or objection.
        #[arg(long)]
        kind: SubjectRequestKind,
        /// When it came in; now when absent.
        #[arg(long)]
        received: Option<Timestamp>,
        /// Who asks and where they are answered; with @ before it, a file.
        #[arg(long)]
        asker: String,
        /// What they said; with @ before it, a file.
        #[arg(long, default_value = "")]
        text: String,
        /// An account, PLATFORM:HANDLE or PLATFORM:HANDLE@HOST; as often as there are.
        #[arg(long, required = true)]
        account: Vec<String>,
    },
    /// List the requests by when they are due.
    #[command(after_help = "Example: knik subject --token-file token list --json")]
    List,
    /// Show one request, and how much was found.
    #[command(
        after_help = "Example: knik subject --token-file token show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11"
    )]
    Show {
        /// Which.
        id: SubjectRequestId,
    },
    /// Say how it was made sure that the account is theirs: another person than the one who registered the request.
    #[command(
        after_help = "Example: knik subject --token-file token prove 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --proof code-from-account --code knik-…"
    )]
    Prove {
        /// Which.
        id: SubjectRequestId,
        /// code-from-account, login-seen or platform-confirmed.
        #[arg(long)]
        proof: AccountProof,
        /// The code as it stood on the account.
        #[arg(long)]
        code: Option<String>,
        /// Subject of the tokens of the person for whom you stand in.
        #[arg(long, requires = "for_issuer")]
        stands_in_for: Option<String>,
        /// Issuer of their tokens.
        #[arg(long)]
        for_issuer: Option<String>,
    },
    /// Find everything of theirs on every platform: counts.
    #[command(
        after_help = "Example: knik subject --token-file token search 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11"
    )]
    Search {
        /// Which.
        id: SubjectRequestId,
    },
    /// Make the copy: own data readable, that of others redacted; with who received it.
    #[command(
        after_help = "Example: knik subject --token-file token copy 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --json > copy.json"
    )]
    Copy {
        /// Which.
        id: SubjectRequestId,
        /// Which part, from 1, when it is more than one copy holds; each is made by another person.
        #[arg(long)]
        part: Option<usize>,
    },
    /// Restrict the processing of everything that was found, at once; or lift that.
    #[command(
        after_help = "Example: knik subject --token-file token restrict 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --lift"
    )]
    Restrict {
        /// Which.
        id: SubjectRequestId,
        /// Lift it.
        #[arg(long)]
        lift: bool,
    },
    /// Put the answer off by two months, once.
    #[command(
        after_help = "Example: knik subject --token-file token extend 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --reason 'veel kanalen'"
    )]
    Extend {
        /// Which.
        id: SubjectRequestId,
        /// Why; with @ before it, a file.
        #[arg(long)]
        reason: String,
    },
    /// Close a request with its outcome.
    #[command(
        after_help = "Example: knik subject --token-file token close 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --outcome granted --text @answer.txt"
    )]
    Close {
        /// Which.
        id: SubjectRequestId,
        /// granted, partly-granted, refused, withdrawn or not-proven.
        #[arg(long)]
        outcome: SubjectOutcome,
        /// What was answered; with @ before it, a file.
        #[arg(long)]
        text: String,
    },
}

/// `knik subject`.
///
/// # Errors
/// What the vault refuses, in its words.
pub(super) async fn run(dir: &Path, asked: SubjectArguments, as_json: bool) -> Result<()> {
    let vault = asked.connection.open(dir)?;
    let at = |id: SubjectRequestId, step: &str| format!("/v1/subject-requests/{id}/{step}");
    let answer = match asked.command {
        SubjectCommand::Register { kind, received, asker, text, account } => {
            let accounts = account.iter().map(|one| stated(one)).collect::<Result<Vec<Value>>>()?;
            let mut body =
                json!({ "kind": kind, "asker": said(&asker)?, "text": said(&text)?, "accounts": accounts });
            if let (Some(fields), Some(received)) = (body.as_object_mut(), received) {
                fields.insert("receivedAt".to_owned(), json!(received));
            }
            vault.post("/v1/subject-requests", &body).await?
        }
        SubjectCommand::List => vault.get("/v1/subject-requests").await?,
        SubjectCommand::Show { id } => vault.get(&format!("/v1/subject-requests/{id}")).await?,
        SubjectCommand::Prove { id, proof, code, stands_in_for, for_issuer } => {
            let mut body = json!({ "proof": proof, "code": code });
            if let (Some(fields), Some(subject)) = (body.as_object_mut(), stands_in_for) {
                fields.insert("standsInFor".to_owned(), json!({ "issuer": for_issuer, "subject": subject }));
            }
            vault.post(&at(id, "proofs"), &body).await?
        }
        SubjectCommand::Search { id } => vault.post(&at(id, "searches"), &json!({})).await?,
        SubjectCommand::Copy { id, part } => {
            let part = part.map(|part| format!("?part={part}")).unwrap_or_default();
            vault.post(&format!("{}{part}", at(id, "copies")), &json!({})).await?
        }
        SubjectCommand::Restrict { id, lift } => {
            vault.post(&at(id, "restrictions"), &json!({ "lift": lift })).await?
        }
        SubjectCommand::Extend { id, reason } => {
            vault.post(&at(id, "extensions"), &json!({ "text": said(&reason)? })).await?
        }
        SubjectCommand::Close { id, outcome, text } => {
            vault.post(&at(id, "outcomes"), &json!({ "outcome": outcome, "text": said(&text)? })).await?
        }
    };
    show(&answer, as_json);
    Ok(())
}

/// `mastodon:fatima@social.example` or `x:fatima`.
fn stated(account: &str) -> Result<Value> {
    let (platform, handle) =
        account.split_once(':').context("write an account as PLATFORM:HANDLE, such as x:fatima")?;
    let platform: Platform = platform.parse()?;
    let handle = handle.trim_start_matches('@');
    Ok(match handle.split_once('@') {
        Some((local, host)) => json!({ "platform": platform, "instance": host, "handle": local }),
        None => json!({ "platform": platform, "handle": handle }),
    })
}
