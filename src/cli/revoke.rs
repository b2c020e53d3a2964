//! `knik revoke`: tokens, subjects, persons and machines that are refused from now on.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::http::token::{DEMO_ISSUER, MACHINES};
use crate::model::{RevocationId, RevocationKind, RevocationReason, Revoked};
use crate::vault::revoke;
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const EXAMPLES: &str = "Example: knik revoke --jti 5f0c… --issuer https://login.example --reason leaked\n         \
     knik revoke --subject ambtenaar-7 --issuer https://login.example --reason left\n         \
     knik revoke --person 104223 --issuer rijk --reason account-compromised\n         \
     knik revoke --machine dns:harvester.min-low.example --reason device-lost\n         \
     knik revoke list\n         \
     knik revoke lift 019b2c1e-7d4f-7a10-9c2f-5b8e6a1d3c47";

/// What is revoked, and why.
#[derive(Args)]
pub(super) struct RevokeArguments {
    #[command(subcommand)]
    command: Option<RevokeCommand>,
    /// One token, by its id.
    #[arg(long, value_name = "ID", group = "what")]
    jti: Option<String>,
    /// Every token of a subject.
    #[arg(long, group = "what")]
    subject: Option<String>,
    /// Every token of a person, whatever subject it names.
    #[arg(long, group = "what")]
    person: Option<String>,
    /// Every certificate of a machine, by its name in the configuration.
    #[arg(long, value_name = "NAME", group = "what")]
    machine: Option<String>,
    /// One certificate of a machine, by its SHA-256 fingerprint.
    #[arg(long, value_name = "SHA-256", group = "what")]
    certificate: Option<String>,
    /// Who issued the tokens; for a person the name that issuers share (persons-of), if they do. Need not be given when
    /// there is only one.
    #[arg(long, conflicts_with_all = ["machine", "certificate"])]
    issuer: Option<String>,
    /// leaked, account-compromised, device-lost, left, misuse, issued-in-error or other.
    #[arg(long)]
    reason: Option<RevocationReason>,
}

#[derive(Subcommand)]
enum RevokeCommand {
    /// List what was revoked, newest first.
    #[command(after_help = "Example: knik revoke list --json")]
    List,
    /// Take what was revoked in again.
    #[command(after_help = "Example: knik revoke lift 019b2c1e-7d4f-7a10-9c2f-5b8e6a1d3c47")]
    Lift {
        /// Which revocation.
        id: RevocationId,
    },
}

/// What is asked of a data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RevokeOrder {
    Revoke { kind: RevocationKind, issuer: Option<String>, value: String, reason: RevocationReason },
    List,
    Lift { id: RevocationId },
}

impl RevokeArguments {
    /// # Errors
    /// When nothing is named, or no reason is given.
    pub(super) fn order(self) -> Result<Order> {
        let machines = || Some(MACHINES.to_owned());
        let (kind, issuer, value) = match self {
            Self { command: Some(RevokeCommand::List), .. } => return Ok(Order::Revoke(RevokeOrder::List)),
            Self { command: Some(RevokeCommand::Lift { id }), .. } => {
                return Ok(Order::Revoke(RevokeOrder::Lift { id }));
            }
            Self { jti: Some(jti), issuer, .. } => (RevocationKind::Token, issuer, jti),
            Self { subject: Some(subject), issuer, .. } => (RevocationKind::Subject, issuer, subject),
            Self { person: Some(person), issuer, .. } => (RevocationKind::Person, issuer, person),
            Self { machine: Some(name), .. } => (RevocationKind::Subject, machines(), name),
            Self { certificate: Some(print), .. } => {
                (RevocationKind::Token, machines(), fingerprint(&print)?)
            }
            _ => bail!("name what is revoked: --jti, --subject, --person, --machine or --certificate"),
        };
        let reason = self.reason.context("say why with --reason")?;
        Ok(Order::Revoke(RevokeOrder::Revoke { kind, issuer, value, reason }))
    }
}

/// Sixty-four hex digits, with colons between them or not.
fn fingerprint(given: &str) -> Result<String> {
    let plain: String = given.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    let sound = plain.len() == 64 && plain.chars().all(|c| c.is_ascii_hexdigit());
    ensure!(sound, "a fingerprint is 64 hex digits: openssl x509 -noout -fingerprint -sha256 -in FILE");
    Ok(plain)
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn execute(folder: &DataFolder, order: RevokeOrder) -> Result<Value> {
    let archive = &folder.archive;
    match order {
        RevokeOrder::List => Ok(json!(archive.catalogue.revocations().await?)),
        RevokeOrder::Lift { id } => Ok(json!(revoke::lift(archive, id).await?)),
        RevokeOrder::Revoke { kind, issuer, value, reason } => {
            let issuer = issuer_of(folder, kind, issuer, &value)?;
            let revoked = Revoked::new(kind, &issuer, &value)?;
            Ok(json!(revoke::revoke(archive, revoked, reason).await?))
        }
    }
}

/// By whose words something is revoked. A name that is not known here would revoke nothing, so it is refused.
fn issuer_of(
    folder: &DataFolder,
    kind: RevocationKind,
    asked: Option<String>,
    value: &str,
) -> Result<String> {
    if asked.as_deref() == Some(MACHINES) {
        let known = folder.config.machines.iter().any(|machine| machine.certificate.to_string() == value);
        let by_name = kind == RevocationKind::Subject;
        ensure!(known || !by_name, "machine `{value}` is not configured: give its name as in [[machines]]");
        return Ok(MACHINES.to_owned());
    }
    let known = known(folder, kind);
    match (asked, known.iter().next()) {
        (Some(asked), _) if known.contains(&asked) => Ok(asked),
        (None, Some(one)) if known.len() == 1 => Ok(one.clone()),
        _ => {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            bail!("name the issuer with --issuer, one of: {}", names.join(", "))
        }
    }
}

/// The names that tokens of this installation can have there.
fn known(folder: &DataFolder, kind: RevocationKind) -> BTreeSet<String> {
    // A folder of the demo can be served with issuers of one's own: then nobody comes with tokens of the demo.
    let has_demo = || folder.keys.demo_issuer_seed(false).is_ok();
    let demo = folder.serving.get().map_or_else(has_demo, |serving| serving.demo);
    let demo = demo.then(|| DEMO_ISSUER.to_owned());
    let name = |issuer: &crate::config::Issuer| match kind {
        RevocationKind::Person if !issuer.claims.persons_of.is_empty() => issuer.claims.persons_of.clone(),
        _ => issuer.issuer.clone(),
    };
    folder.config.issuers.iter().map(name).chain(demo).collect()
}

/// What people read.
pub(super) fn print(order: &RevokeOrder, answer: &Value) {
    match order {
        RevokeOrder::List => {
            let fields = ["id", "kind", "issuer", "value", "reason", "revokedAt", "liftedAt"];
            print::fields_table(answer, &fields);
        }
        RevokeOrder::Revoke { kind, .. } => print::line(&format!(
            "{kind} revoked on both planes ({}); taken back with: knik revoke lift {}",
            print::word(answer, "reason"),
            print::word(answer, "id")
        )),
        RevokeOrder::Lift { .. } => {
            print::line(&format!("lifted: that {} is taken again", print::word(answer, "kind")));
        }
    }
}
