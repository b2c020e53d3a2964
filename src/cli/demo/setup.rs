//! Making and filling the demo's data folder. What is there already stays.

use super::super::certificates::DevelopmentCertificates;
use super::super::folder::DataFolder;
use super::PEOPLE;
use super::samples::{Registry, capture};
use crate::http::token::DEMO_ISSUER;
use crate::model::Role;
use crate::store::keys::{KeyFolder, write_new};
use crate::store::spool::SpoolWriter;
use crate::vault::ingest::{Delivery, IngestReport, ingest, silent};
use crate::vault::{CaptureSource, Sources, channels, grants, sequence};
use anyhow::{Context, Result, ensure};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The demo's certificate authority: its certificate only, its key is thrown away.
pub(super) const AUTHORITY: &str = "tls/authority.pem";
/// What that authority revoked: nothing, for as long as its certificates last.
const REVOKED: &str = "tls/authority.crl";
const CERTIFICATE_DAYS: u16 = 90;
/// How long the demo researcher's grant holds.
const GRANT_SECONDS: i64 = 30 * 86_400;

/// Ports of the vault and the reading room.
pub(super) const fn ports(vault: u16) -> (u16, u16) {
    if vault == 0 { (0, 0) } else { (vault, vault.saturating_add(1)) }
}

/// Makes configuration, certificates and the demo issuer's key, unless they are there.
pub(super) fn prepare(dir: &Path) -> Result<()> {
    let config = dir.join("knik.toml");
    if dir.exists() && fs::read_dir(dir)?.next().is_some() {
        let ours = fs::read_to_string(&config).is_ok_and(|text| text.contains(DEMO_ISSUER));
        ensure!(ours, "`{}` holds something else than a demo; name another folder with --dir", dir.display());
    }
    for folder in ["tls", "room/tls"] {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(dir.join(folder));
        made.with_context(|| format!("cannot make folder `{}`", dir.join(folder).display()))?;
    }
    let _made_once = KeyFolder::open(&dir.join("keys"))?.demo_issuer_seed(true)?;
    if !config.exists() {
        certificates(dir)?;
        fs::write(&config, CONFIGURATION)?;
    }
    Ok(())
}

/// The first line says whose folder it is ([`DEMO_ISSUER`]).
const CONFIGURATION: &str = "\
# Made by `knik demo`, whose tokens come from https://knik.invalid/demo-issuer: for demonstration only, taken by `knik demo`
# alone. To serve this folder with `knik serve`, add your own issuer (docs/identity.md).
name = \"demo.knik.invalid\"
";

fn certificates(dir: &Path) -> Result<()> {
    let made = DevelopmentCertificates::generate(Sources::system().now(), CERTIFICATE_DAYS, 2)?;
    write_new(&dir.join(AUTHORITY), made.authority_pem().as_bytes())?;
    write_new(&dir.join(REVOKED), made.revoked_pem().as_bytes())?;
    for (server, place) in made.servers().iter().zip(["tls/vault", "room/tls/room"]) {
        write_new(&dir.join(format!("{place}.pem")), server.chain_pem().as_bytes())?;
        write_new(&dir.join(format!("{place}.key")), server.key_pem().as_bytes())?;
    }
    Ok(())
}

/// Fills the folder: organisations, channels, captures, grants. Returns what came in, as lines for people.
pub(super) async fn fill(folder: &DataFolder) -> Result<String> {
    let registry = Registry::read()?;
    let (archive, rules) = (&folder.archive, &folder.rules);
    for organisation in &registry.organisations {
        folder.add_organisation(&organisation.id, &organisation.name.nl).await?;
    }
    let mut lines = Vec::new();
    for sample in &registry.channels {
        let (channel, facts) = sample.declaration();
        channels::declare(archive, rules, &channel, &facts, None).await?;
        for one in &sample.captures {
            let source = source(folder, &one.file)?;
            let report = ingest(archive, rules, &channel, Delivery::of(source), silent()).await;
            let report = report.with_context(|| one.file.clone())?;
            lines.push(line(sample.id.as_str(), &one.file, &report));
        }
    }
    approve(folder, &registry).await?;
    sequence::round(archive, rules).await?;
    Ok(lines.join("\n"))
}

/// Samples go in the way uploads do: kept encrypted, never in the clear on disk.
fn source(folder: &DataFolder, file: &str) -> Result<CaptureSource> {
    let mut spool = SpoolWriter::new(&folder.path.join("spool"))?;
    spool.write(capture(file)?)?;
    Ok(CaptureSource::Upload(spool.finish()?))
}

fn line(channel: &str, file: &str, report: &IngestReport) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    format!(
        "{channel}: {name}: {} new records, {} new versions, {} already there, {} deletions, {} not public",
        report.new_records, report.new_versions, report.already_there, report.deleted, report.not_public
    )
}

/// A grant for the demo researcher on each organisation, unless there is one that still holds.
async fn approve(folder: &DataFolder, registry: &Registry) -> Result<()> {
    let archive = &folder.archive;
    let now = archive.sources.now();
    let held = archive.catalogue.grants().await?;
    let researcher =
        PEOPLE.iter().find(|person| person.role == Role::Researcher).context("the researcher")?;
    for (n, organisation) in (0..).zip(&registry.organisations) {
        if held.iter().any(|grant| grant.organisation == organisation.id && grant.active(now)) {
            continue;
        }
        let approval = grants::Approval {
            organisation: organisation.id.clone(),
            issuer: DEMO_ISSUER.to_owned(),
            subject: researcher.subject.to_owned(),
            purpose: "Onderzoek naar de beantwoording van burgers op sociale media (demo)".to_owned(),
            legal_basis: "research".parse()?,
            channels: Vec::new(),
            plan: super::super::declare::RESEARCHER_PLAN.to_owned(),
            // The first organisation's runs longest: it is the one taken when none is named.
            until: now.plus_seconds(GRANT_SECONDS - n),
        };
        grants::approve(archive, &folder.rules, approval, None).await?;
    }
    Ok(())
}
