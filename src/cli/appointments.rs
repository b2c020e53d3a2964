//! `knik mandate` and `knik reviewer`: whom an organisation appointed, by which document, until when.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::model::{AppointmentId, AppointmentKind, ChannelId, OrganisationId, Timestamp};
use crate::vault::appointments::{self, Appointing};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum MandateCommand {
    /// Give someone a mandate to approve requests for an organisation, until a date.
    #[command(
        after_help = "Example: knik mandate add --organisation min-low --issuer https://login.example --subject directeur-1 \\\n    --document 'mandaatbesluit 2026-12' --channel low-mastodon --until 2027-01-01T00:00:00Z"
    )]
    Add(Box<AppointmentArguments>),
    /// List mandates, in force or not.
    #[command(after_help = "Example: knik mandate list --json")]
    List,
    /// End a mandate at once.
    #[command(after_help = "Example: knik mandate end 019b2c1e-7d4f-7a10-9c2f-5b8e6a1d3c47")]
    End {
        /// Which.
        id: AppointmentId,
    },
}

#[derive(Subcommand)]
pub(super) enum ReviewerCommand {
    /// Give a reviewer of an external agency a queue: some channels of an organisation, until a date.
    #[command(
        after_help = "Example: knik reviewer add --organisation min-low --issuer https://login.example --subject beoordelaar-7 \\\n    --document 'verwerkersovereenkomst 2026-3' --channel low-mastodon --until 2026-12-31T00:00:00Z"
    )]
    Add(Box<AppointmentArguments>),
    /// List assignments of external reviewers, in force or not.
    #[command(after_help = "Example: knik reviewer list --json")]
    List,
    /// End an assignment at once.
    #[command(after_help = "Example: knik reviewer end 019b2c1e-7d4f-7a10-9c2f-5b8e6a1d3c47")]
    End {
        /// Which.
        id: AppointmentId,
    },
}

#[derive(Args)]
pub(super) struct AppointmentArguments {
    /// Whose records it is about: the organisation that appoints.
    #[arg(long)]
    organisation: OrganisationId,
    /// Issuer of the person's tokens.
    #[arg(long)]
    issuer: String,
    /// Subject of the person's tokens.
    #[arg(long)]
    subject: String,
    /// The decision or agreement that it rests on, by its reference.
    #[arg(long)]
    document: String,
    /// Only these channels; all of the organisation's when none is named.
    #[arg(long)]
    channel: Vec<ChannelId>,
    /// Until when.
    #[arg(long)]
    until: Timestamp,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AppointmentOrder {
    /// Appoint someone.
    Add {
        organisation: OrganisationId,
        issuer: String,
        subject: String,
        document: String,
        channels: Vec<ChannelId>,
        until: Timestamp,
    },
    /// List them.
    List,
    /// End one.
    End { id: AppointmentId },
}

impl AppointmentArguments {
    fn order(self) -> AppointmentOrder {
        let Self { organisation, issuer, subject, document, channel: channels, until } = self;
        AppointmentOrder::Add { organisation, issuer, subject, document, channels, until }
    }
}

impl MandateCommand {
    pub(super) fn order(self) -> Order {
        let asked = match self {
            Self::Add(asked) => asked.order(),
            Self::List => AppointmentOrder::List,
            Self::End { id } => AppointmentOrder::End { id },
        };
        Order::Appointments { kind: AppointmentKind::Mandate, asked }
    }
}

impl ReviewerCommand {
    pub(super) fn order(self) -> Order {
        let asked = match self {
            Self::Add(asked) => asked.order(),
            Self::List => AppointmentOrder::List,
            Self::End { id } => AppointmentOrder::End { id },
        };
        Order::Appointments { kind: AppointmentKind::Assignment, asked }
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn execute(
    folder: &DataFolder,
    kind: AppointmentKind,
    asked: AppointmentOrder,
) -> Result<Value> {
    let archive = &folder.archive;
    Ok(match asked {
        AppointmentOrder::Add { organisation, issuer, subject, document, channels, until } => {
            let asked = Appointing { kind, organisation, issuer, subject, document, channels, until };
            json!(appointments::appoint(archive, asked).await?)
        }
        AppointmentOrder::List => json!(archive.catalogue.appointments(kind).await?),
        AppointmentOrder::End { id } => {
            appointments::end(archive, kind, id).await?;
            json!({ "ended": id })
        }
    })
}

/// Prints an answer for people.
pub(super) fn print(asked: &AppointmentOrder, answer: &Value) {
    match asked {
        AppointmentOrder::List => {
            let fields = ["id", "organisation", "actor", "document", "channels", "until", "endedAt"];
            print::fields_table(answer, &fields);
        }
        AppointmentOrder::Add { .. } => {
            print::line(&format!(
                "{} holds until {}",
                print::word(answer, "id"),
                print::word(answer, "until")
            ));
        }
        AppointmentOrder::End { .. } => print::line(&format!("ended {}", print::word(answer, "ended"))),
    }
}
