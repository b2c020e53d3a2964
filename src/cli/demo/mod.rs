//! The demo: a data folder with invented captures of an invented ministry and agency, served for trying out.

mod check;
mod check_review;
mod samples;
mod setup;

use super::arguments::{DemoArguments, TokenArguments};
use super::folder::DataFolder;
use super::print;
use super::serve::{Running, Where};
use crate::http::token::{DevelopmentIssuer, Minting};
use crate::model::{OrganisationId, Role};
use crate::store::keys::KeyFolder;
use crate::vault::Sources;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The audience of demo tokens.
const AUDIENCE: &str = "https://knik.invalid/demo";

/// Longest life of a demo token: the demo's.
const TOKEN_SECONDS: u32 = 43_200;

/// Someone to try the demo as.
struct Person {
    role: Role,
    subject: &'static str,
    organisation: &'static str,
    may: &'static str,
}

/// The demo's people. Invented.
const PEOPLE: &[Person] = &[
    Person {
        role: Role::Researcher,
        subject: "onderzoeker-1",
        organisation: "universiteit",
        may: "list, read and search redacted views of both organisations under a grant; no original, ever",
    },
    Person {
        role: Role::Official,
        subject: "ambtenaar-1",
        organisation: "min-low",
        may: "read redacted views of the ministry's records and open an original under a legal basis",
    },
    Person {
        role: Role::RecordsManager,
        subject: "informatiebeheerder-1",
        organisation: "min-low",
        may: "see what was decided on every record of the ministry and why, and deliver captures",
    },
    Person {
        role: Role::Reviewer,
        subject: "beoordelaar-1",
        organisation: "min-low",
        may: "open the ministry's records that are flagged for special categories or a minor, and judge whether they are shown",
    },
];

/// `knik demo`.
///
/// # Errors
/// When the folder cannot be filled or served.
pub(super) async fn run(dir: &Path, asked: &DemoArguments) -> Result<ExitCode> {
    let ports = if asked.check { (0, 0) } else { setup::ports(asked.port) };
    setup::prepare(dir)?;
    let mut folder = DataFolder::open(dir).await?;
    folder.hold_rules().await?;
    folder.config.vault.listen.set_port(ports.0);
    folder.config.reading_room.listen.set_port(ports.1);
    let report = setup::fill(&folder).await?;
    let folder = Arc::new(folder);
    let issuer = DevelopmentIssuer::new(&*folder.keys.demo_issuer_seed(false)?, AUDIENCE)?;
    let running = Running::start(Arc::clone(&folder), Some(&issuer)).await?;
    if asked.check {
        let passed = check::check(&folder, &running).await;
        running.stop().await;
        return Ok(if passed? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    print::line(&report);
    instructions(dir, running.at)?;
    running.until_stopped().await?;
    Ok(ExitCode::SUCCESS)
}

/// `knik token`: mints a token of the demo's issuer.
///
/// # Errors
/// When the folder is not one that `knik demo` made.
pub(super) fn token(dir: &Path, asked: &TokenArguments) -> Result<String> {
    let seed = KeyFolder::open(&dir.join("keys"))
        .and_then(|keys| keys.demo_issuer_seed(false))
        .context("this folder has no demo issuer: tokens come from your identity provider")?;
    mint(&*seed, asked.role, &asked.subject, &asked.organisation, asked.seconds)
}

fn mint(
    seed: &[u8],
    role: Role,
    subject: &str,
    organisation: &OrganisationId,
    seconds: u32,
) -> Result<String> {
    let sources = Sources::system();
    let jti = sources.random_id()?.to_string();
    let issuer = DevelopmentIssuer::new(seed, AUDIENCE)?;
    let asked =
        Minting { subject, role, organisation, now: sources.now(), lifetime_seconds: seconds, jti: &jti };
    Ok(issuer.mint(&asked)?)
}

fn token_of(dir: &Path, person: &Person) -> Result<String> {
    let asked = TokenArguments {
        role: person.role,
        organisation: person.organisation.parse()?,
        subject: person.subject.to_owned(),
        seconds: TOKEN_SECONDS,
    };
    token(dir, &asked)
}

/// What to paste to be each role.
fn instructions(dir: &Path, at: Where) -> Result<()> {
    let authority = dir.join(setup::AUTHORITY);
    let curl = format!("curl -sS --cacert {}", authority.display());
    print::line(&format!(
        "\nvault         https://{}   (officials, reviewers, records managers)\nreading room  https://{}   (researchers)\n\
         DEMO: the tokens below are of a development issuer whose key lies in this folder: whoever reads it is anyone.\n\
         Only `knik demo` takes them, `knik serve` never does; they last twelve hours.",
        at.vault, at.reading_room
    ));
    for person in PEOPLE {
        let token = token_of(dir, person)?;
        let name = person.role.as_str().to_uppercase().replace('-', "_");
        print::line(&format!("\n# {} ({}): may {}", person.role, person.organisation, person.may));
        print::line(&format!("{name}={token}"));
        let bearer = format!("-H \"Authorization: Bearer ${name}\"");
        let lines = match person.role {
            Role::Researcher => vec![
                format!("{curl} {bearer} https://{}/v1/records", at.reading_room),
                format!(
                    "{curl} {bearer} -H 'Content-Type: application/json' -d '{{\"query\": \"waterbijdrage\"}}' https://{}/v1/records/_search",
                    at.reading_room
                ),
            ],
            Role::Official => vec![
                format!("{curl} {bearer} https://{}/v1/records?outcome=archive", at.vault),
                format!(
                    "{curl} {bearer} -H 'Content-Type: application/json' -d '{{\"legalBasis\": \"woo-request\", \"caseNumber\": \"WOO-2026-0117\", \"motivation\": \"Zoekslag voor een Woo-verzoek\"}}' https://{}/v1/records/ID/disclosures",
                    at.vault
                ),
            ],
            Role::Reviewer => vec![
                format!("{curl} {bearer} https://{}/v1/review-items", at.vault),
                format!("{curl} {bearer} https://{}/v1/review-items/ID", at.vault),
                format!(
                    "{curl} {bearer} -H 'Content-Type: application/json' -d '{{\"verdict\": \"release\", \"reason\": \"nobody-identifiable\"}}' https://{}/v1/review-items/ID/judgements",
                    at.vault
                ),
            ],
            _ => vec![
                format!("{curl} {bearer} https://{}/v1/records?outcome=refer", at.vault),
                format!("{curl} {bearer} https://{}/v1/records/ID/decisions", at.vault),
            ],
        };
        lines.iter().for_each(|line| print::line(line));
    }
    print::line("\nServing until stopped (Ctrl-C).");
    Ok(())
}
