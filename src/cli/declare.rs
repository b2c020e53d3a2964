//! What is declared on the command line: organisations, their channels, and grants to read.

use super::control::Order;
use crate::config::default_instance;
use crate::decide::DEFAULT_PROFILE;
use crate::model::{ChannelId, GrantId, LegalBasisCode, ModelError, OrganisationId, Platform, Timestamp};
use crate::store::catalogue::{Channel, ChannelFact, Duty, Fact};
use crate::vault::DEFAULT_TREE;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(super) enum OrganisationCommand {
    /// Add an organisation and make its master key.
    #[command(
        after_help = "Example: knik organisation add min-low --name 'Ministerie van Leefomgeving en Water'"
    )]
    Add {
        /// Its slug.
        id: OrganisationId,
        /// Its name.
        #[arg(long)]
        name: String,
    },
}

#[derive(Subcommand)]
pub(super) enum ChannelCommand {
    /// Declare a channel. It states purpose, legal basis, duty to archive and DPIA, or nothing is taken in.
    #[command(
        after_help = "Example: knik channel add low-mastodon --organisation min-low --platform mastodon \\\n    --instance social.leefomgeving.example --account minlow --official --from 2023-01-01T00:00:00Z \\\n    --reason 'communicatieprotocol 2023' --purpose 'vragen beantwoorden en verantwoorden' \\\n    --legal-basis 'AVG 6 lid 1 e' --duty contested --duty-source 'juridisch advies 2024' --dpia DPIA-2025-014 \\\n    --tree scenario-b"
    )]
    Add(Box<ChannelArguments>),
    /// Declare facts of a channel that is there, from a date: another tree or profile, the end of being
    /// official. What was declared before holds until then; where declarations overlap the later one holds.
    #[command(
        after_help = "Example: knik channel declare low-mastodon --tree scenario-a --profile questions-only \\\n    --from 2027-01-01 --reason 'besluit 2026-114'\n         knik channel declare low-x --official no --successor low-mastodon --from 2026-12-01 --reason 'vertrek van X'"
    )]
    Declare(Box<DeclareArguments>),
    /// List channels and what was declared of them, with dates.
    #[command(after_help = "Example: knik channel list --json")]
    List,
}

#[derive(Args)]
pub(super) struct ChannelArguments {
    /// Its slug.
    id: ChannelId,
    /// Whose it is.
    #[arg(long)]
    organisation: OrganisationId,
    /// mastodon or x.
    #[arg(long)]
    platform: Platform,
    /// Host of the platform's instance; x.com for X.
    #[arg(long)]
    instance: Option<String>,
    /// The account, without @.
    #[arg(long)]
    account: String,
    /// corporate, office_holder or hybrid.
    #[arg(long, default_value = "corporate", value_parser = ["corporate", "office_holder", "hybrid"])]
    kind: String,
    /// Declared official by the organisation.
    #[arg(long)]
    official: bool,
    #[command(flatten)]
    holds: Holds,
    /// A (one way), B (two way) or C (hybrid).
    #[arg(long, default_value = "B", value_parser = ["A", "B", "C"])]
    scenario: String,
    /// The decision tree in force.
    #[arg(long, default_value = DEFAULT_TREE)]
    tree: String,
    /// The minimisation profile in force.
    #[arg(long, default_value = DEFAULT_PROFILE)]
    profile: String,
    /// Purpose of the processing.
    #[arg(long)]
    purpose: String,
    /// Legal basis of the processing.
    #[arg(long)]
    legal_basis: String,
    /// Duty to archive: yes, no or contested.
    #[arg(long)]
    duty: Duty,
    /// Where that duty is stated.
    #[arg(long)]
    duty_source: String,
    /// Reference of the data protection impact assessment.
    #[arg(long)]
    dpia: String,
}

impl ChannelArguments {
    pub(super) fn order(self) -> Result<Order> {
        let instance = self.instance.or_else(|| default_instance(self.platform).map(str::to_owned));
        let instance = instance.context("name the instance, such as --instance social.example")?;
        let fact = |fact, value: &str| ChannelFact {
            fact,
            value: value.to_owned(),
            from: self.holds.from,
            until: self.holds.until,
            reason: self.holds.reason.clone(),
        };
        let facts = vec![
            fact(Fact::Official, if self.official { "yes" } else { "no" }),
            fact(Fact::Scenario, &self.scenario),
            fact(Fact::Tree, &self.tree),
            fact(Fact::Profile, &self.profile),
        ];
        let channel = Channel {
            id: self.id,
            organisation: self.organisation,
            platform: self.platform,
            instance,
            account: self.account,
            kind: self.kind,
            purpose: self.purpose,
            legal_basis: self.legal_basis,
            duty: self.duty,
            duty_source: self.duty_source,
            dpia: self.dpia,
        };
        Ok(Order::AddChannel { channel, facts })
    }
}

/// A moment, or a day: then its beginning, in UTC.
fn moment(given: &str) -> Result<Timestamp, ModelError> {
    given.parse().or_else(|error| format!("{given}T00:00:00Z").parse().map_err(|_| error))
}

/// When and why a declaration holds.
#[derive(Args)]
struct Holds {
    /// From when what is declared here holds: a moment, or a day (its beginning, in UTC).
    #[arg(long, value_parser = moment)]
    from: Timestamp,
    /// Until when it holds; open when absent. From then on holds again what was declared before.
    #[arg(long, value_parser = moment)]
    until: Option<Timestamp>,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Args)]
pub(super) struct DeclareArguments {
    /// Its slug.
    id: ChannelId,
    /// The decision tree in force: items are judged by the one that held when they were posted.
    #[arg(long)]
    tree: Option<String>,
    /// The minimisation profile in force: it holds for what is delivered from then on.
    #[arg(long)]
    profile: Option<String>,
    /// Whether the organisation declares it official: yes or no.
    #[arg(long, value_parser = ["yes", "no"])]
    official: Option<String>,
    /// Whether reactions are open: yes or no.
    #[arg(long, value_parser = ["yes", "no"])]
    reactions: Option<String>,
    /// A (one way), B (two way) or C (hybrid).
    #[arg(long, value_parser = ["A", "B", "C"])]
    scenario: Option<String>,
    /// The channel that takes its place.
    #[arg(long)]
    successor: Option<ChannelId>,
    #[command(flatten)]
    holds: Holds,
}

impl DeclareArguments {
    pub(super) fn order(self) -> Order {
        let Holds { from, until, reason } = self.holds;
        let named = [
            (Fact::Official, self.official),
            (Fact::Scenario, self.scenario),
            (Fact::Tree, self.tree),
            (Fact::Profile, self.profile),
            (Fact::Reactions, self.reactions),
            (Fact::Successor, self.successor.map(|channel| channel.to_string())),
        ];
        let facts = named
            .into_iter()
            .filter_map(|(fact, value)| {
                Some(ChannelFact { fact, value: value?, from, until, reason: reason.clone() })
            })
            .collect();
        Order::DeclareFacts { channel: self.id, facts }
    }
}

#[derive(Subcommand)]
pub(super) enum GrantCommand {
    /// Approve reading: redacted views of an organisation's records, until a date.
    #[command(
        after_help = "Example: knik grant add --organisation min-low --issuer https://login.example --subject onderzoeker-1 \\\n    --purpose 'onderzoek naar beantwoording' --legal-basis research --until 2027-01-01T00:00:00Z"
    )]
    Add(Box<GrantArguments>),
    /// List grants.
    #[command(after_help = "Example: knik grant list --json")]
    List,
    /// End a grant at once.
    #[command(after_help = "Example: knik grant revoke 019b2c1e-7d4f-7a10-9c2f-5b8e6a1d3c47")]
    Revoke {
        /// Which.
        id: GrantId,
    },
}

#[derive(Args)]
pub(super) struct GrantArguments {
    /// Whose records.
    #[arg(long)]
    organisation: OrganisationId,
    /// Issuer of the reader's tokens.
    #[arg(long)]
    issuer: String,
    /// Subject of the reader's tokens.
    #[arg(long)]
    subject: String,
    /// For what purpose.
    #[arg(long)]
    purpose: String,
    /// Under which legal basis.
    #[arg(long)]
    legal_basis: LegalBasisCode,
    /// Only these channels; all of the organisation's when none is named.
    #[arg(long)]
    channel: Vec<ChannelId>,
    /// Until when.
    #[arg(long)]
    until: Timestamp,
}

/// The redaction plan of researchers.
pub(super) const RESEARCHER_PLAN: &str = "researcher";

impl GrantArguments {
    pub(super) fn order(self) -> Result<Order> {
        Ok(Order::AddGrant {
            organisation: self.organisation,
            issuer: self.issuer,
            subject: self.subject,
            purpose: self.purpose,
            legal_basis: self.legal_basis,
            channels: self.channel,
            plan: RESEARCHER_PLAN.to_owned(),
            until: self.until,
        })
    }
}
