//! `knik oversight`: what the officer who checks sees, over the interface of the vault.

use super::api::{Connection, show};
use crate::model::{ActorId, LegalBasisCode, Timestamp};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::Path;

#[derive(Args)]
pub(super) struct OversightArguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: OversightCommand,
}

#[derive(Subcommand)]
enum OversightCommand {
    /// Who opened which originals, when, on which legal basis.
    #[command(
        after_help = "Example: knik oversight --token-file token register --legal-basis incident --json"
    )]
    Register {
        /// Only under this legal basis.
        #[arg(long)]
        legal_basis: Option<LegalBasisCode>,
        /// Only by this person, as the ledger knows them.
        #[arg(long)]
        actor: Option<ActorId>,
        /// At this time or later.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Before this time.
        #[arg(long)]
        until: Option<Timestamp>,
    },
    /// Totals of a period by legal basis and person.
    #[command(after_help = "Example: knik oversight --token-file token totals --from 2026-01-01T00:00:00Z")]
    Totals {
        /// At this time or later; thirty days ago when absent.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Before this time; now when absent.
        #[arg(long)]
        until: Option<Timestamp>,
    },
    /// Openings at once that nobody justified, what lapses, what is overdue.
    #[command(after_help = "Example: knik oversight --token-file token attention --days 30")]
    Attention {
        /// What lapses within so many days.
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
    },
    /// The log for everyone: monthly totals by legal basis, late, small counts not told.
    #[command(after_help = "Example: knik oversight --token-file token public-log --json > log.json")]
    PublicLog,
}

/// `knik oversight`.
///
/// # Errors
/// What the vault refuses, in its words.
pub(super) async fn run(dir: &Path, asked: OversightArguments, as_json: bool) -> Result<()> {
    let vault = asked.connection.open(dir)?;
    let answer = match asked.command {
        OversightCommand::Register { legal_basis, actor, from, until } => {
            let mut path = "/v1/oversight/disclosures?limit=1000".to_owned();
            add(&mut path, "legalBasis", legal_basis);
            add(&mut path, "actor", actor);
            add(&mut path, "from", from);
            add(&mut path, "until", until);
            vault.get(&path).await?
        }
        OversightCommand::Totals { from, until } => {
            let mut path = "/v1/oversight/totals?".to_owned();
            add(&mut path, "from", from);
            add(&mut path, "until", until);
            vault.get(path.trim_end_matches('?')).await?
        }
        OversightCommand::Attention { days } => {
            vault.get(&format!("/v1/oversight/attention?days={days}")).await?
        }
        OversightCommand::PublicLog => vault.get("/v1/oversight/public-log").await?,
    };
    show(&answer, as_json);
    Ok(())
}

/// Adds a parameter that is given: codes, ids and times need no escaping.
fn add(path: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        let between = if path.ends_with('?') { "" } else { "&" };
        path.push_str(&format!("{between}{name}={value}"));
    }
}
