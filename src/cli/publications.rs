//! `knik publication`: what an organisation decided to publish to everyone, by which decision, until when.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::model::{ChannelId, Day, GrantId, LegalBasisCode, OrganisationId, Timestamp};
use crate::vault::publications::{self, Publishing};
use crate::vault::publish;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum PublicationCommand {
    /// Publish redacted views of an organisation's records to everyone, by decision, until a date.
    #[command(
        after_help = "Example: knik publication add --organisation min-low --document 'besluit openbaarmaking 2026-7' --legal-basis woo-publication \\\n    --channel low-mastodon --from-day 2026-03-01 --until-day 2026-05-31 --until 2027-01-01T00:00:00Z"
    )]
    Add(Box<PublicationArguments>),
    /// List publications, in force or not.
    #[command(after_help = "Example: knik publication list --json")]
    List,
    /// Withdraw a publication at once.
    #[command(after_help = "Example: knik publication withdraw 019b2c1e-7d4f-7a10-9c2f-5b8e6a1d3c47")]
    Withdraw {
        /// Which.
        id: GrantId,
    },
}

#[derive(Args)]
pub(super) struct PublicationArguments {
    /// Whose records.
    #[arg(long)]
    organisation: OrganisationId,
    /// The decision that it rests on, by its reference.
    #[arg(long)]
    document: String,
    /// Under which legal basis.
    #[arg(long)]
    legal_basis: LegalBasisCode,
    /// Only these channels; all of the organisation's when none is named.
    #[arg(long)]
    channel: Vec<ChannelId>,
    /// Only what was posted on this day or after, such as 2026-03-01.
    #[arg(long)]
    from_day: Option<Day>,
    /// Only what was posted on this day or before.
    #[arg(long)]
    until_day: Option<Day>,
    /// Until when it is public.
    #[arg(long)]
    until: Timestamp,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PublicationOrder {
    /// Publish.
    Add {
        organisation: OrganisationId,
        document: String,
        legal_basis: LegalBasisCode,
        channels: Vec<ChannelId>,
        from_day: Option<Day>,
        until_day: Option<Day>,
        until: Timestamp,
    },
    /// List them.
    List,
    /// Withdraw one.
    Withdraw { id: GrantId },
}

impl PublicationCommand {
    pub(super) fn order(self) -> Order {
        Order::Publication(match self {
            Self::Add(asked) => {
                let PublicationArguments {
                    organisation,
                    document,
                    legal_basis,
                    channel,
                    from_day,
                    until_day,
                    until,
                } = *asked;
                PublicationOrder::Add {
                    organisation,
                    document,
                    legal_basis,
                    channels: channel,
                    from_day,
                    until_day,
                    until,
                }
            }
            Self::List => PublicationOrder::List,
            Self::Withdraw { id } => PublicationOrder::Withdraw { id },
        })
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn execute(folder: &DataFolder, asked: PublicationOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match asked {
        PublicationOrder::Add {
            organisation,
            document,
            legal_basis,
            channels,
            from_day,
            until_day,
            until,
        } => {
            let asked =
                Publishing { organisation, document, legal_basis, channels, from_day, until_day, until };
            Ok(json!(publications::publish(archive, rules, asked, None).await?))
        }
        PublicationOrder::List => Ok(json!(publications::list(archive, None).await?)),
        PublicationOrder::Withdraw { id } => {
            publications::withdraw(archive, rules, id, None).await?;
            // When the command returns, the reading room knows.
            publish::take_down(archive).await?;
            Ok(json!({ "withdrawn": id }))
        }
    }
}

/// Prints an answer for people.
pub(super) fn print(asked: &PublicationOrder, answer: &Value) {
    match asked {
        PublicationOrder::List => {
            let fields =
                ["id", "organisation", "purpose", "legalBasis", "channels", "until", "revokedAt", "lapsedAt"];
            print::fields_table(answer, &fields);
        }
        PublicationOrder::Add { .. } => {
            let (id, until) = (print::word(answer, "id"), print::word(answer, "until"));
            print::line(&format!("{id} is public until {until}"));
        }
        PublicationOrder::Withdraw { .. } => {
            print::line(&format!("withdrawn {}", print::word(answer, "withdrawn")));
        }
    }
}
