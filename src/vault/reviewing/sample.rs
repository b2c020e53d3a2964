//! Random samples of what trees and detectors decided by themselves. A drawing keeps its seed: whoever has it and the list of
//! candidates can do it again, and see that nobody chose.

use super::policy::Rate;
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ChannelId, Timestamp, VersionId};
use crate::store::catalogue::{Channel, DrawRow};
use crate::vault::{Archive, Rules, VaultError, read};
use aws_lc_rs::digest::{Context, SHA256};

/// What to draw.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// From which channels; all of the organisation's when none is named.
    pub channels: Vec<ChannelId>,
    /// How much; what is not said, `policies/reviewing.yaml` says. More than it, never less.
    pub rate: AskedRate,
}

/// How much a person asks to draw, of a thousand each; what is left out is as the policy has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedRate {
    /// How many of a thousand automatic decisions are drawn.
    pub permille: Option<u32>,
    /// Of those, how many of a thousand two people judge.
    pub twofold_permille: Option<u32>,
}

impl AskedRate {
    /// The rate at which a channel is drawn: the policy's, or what a person asked for above it. A drawing ends the time that it
    /// is of, so one below the policy would keep what was decided then out of every sample.
    ///
    /// # Errors
    /// [`VaultError::Input`] for less than the policy says, or more than everything.
    fn above(self, policy: Rate, channel: &ChannelId) -> Result<Rate, VaultError> {
        let part = |what: &str, asked: Option<u32>, least: u32| match asked {
            Some(asked) if asked > 1_000 => Err(VaultError::Input(format!("`{what}` must be 0 to 1000"))),
            Some(asked) if asked < least => Err(VaultError::Input(format!(
                "`{what}` is {asked}, and policies/reviewing.yaml says {least} for channel `{channel}`: a drawing may take more \
                 than that, never less; leave it out, or have the policy changed"
            ))),
            asked => Ok(asked.unwrap_or(least)),
        };
        Ok(Rate {
            permille: part("permille", self.permille, policy.permille)?,
            twofold_permille: part("twofoldPermille", self.twofold_permille, policy.twofold_permille)?,
        })
    }
}

/// Draws a sample of what was decided since the last drawing, channel by channel.
///
/// # Errors
/// [`VaultError::Refused`] for who may not; [`VaultError::Input`] for a channel that is not the organisation's, or a rate below that
/// of the policy for any of the channels: nothing is drawn then.
pub async fn draw(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &Drawing,
) -> Result<Vec<DrawRow>, VaultError> {
    let organisation = actor.organisation.clone();
    let resource = Resource::Registry { organisation: organisation.clone() };
    read::authorise(archive, rules, actor, Action::DrawReviewSample, &resource).await?;
    let channels = archive.catalogue.channels(Some(&organisation)).await?;
    if let Some(other) = asked.channels.iter().find(|id| !channels.iter().any(|channel| channel.id == **id)) {
        return Err(VaultError::Input(format!("channel `{other}` is not one of `{organisation}`")));
    }
    let named = |channel: &Channel| asked.channels.is_empty() || asked.channels.contains(&channel.id);
    let wanted: Vec<(Channel, Rate)> = channels
        .into_iter()
        .filter(named)
        .map(|channel| {
            let rate = asked.rate.above(rules.reviewing.rate(&channel.id), &channel.id)?;
            Ok((channel, rate))
        })
        .collect::<Result<_, VaultError>>()?;
    let _one_at_a_time = archive.intake.lock().await;
    let mut drawn = Vec::new();
    for (channel, rate) in wanted {
        drawn.extend(draw_one(archive, &channel, rate, Some(actor)).await?);
    }
    Ok(drawn)
}

/// Draws from every channel whose turn it is. Returns how many items were drawn.
///
/// # Errors
/// When storage fails; the next round goes on.
pub async fn draw_due(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    let every = i64::from(rules.reviewing.every_hours()) * 3_600;
    let before = archive.sources.now().plus_seconds(-every);
    let mut drawn = 0;
    for id in archive.catalogue.channels_to_draw(before).await? {
        let rate = rules.reviewing.rate(&id);
        if let Some(channel) = archive.catalogue.channel(&id).await? {
            let _one_at_a_time = archive.intake.lock().await;
            drawn += draw_one(archive, &channel, rate, None).await?.map_or(0, |row| row.drawn);
        }
    }
    Ok(drawn)
}

/// Drawings of the actor's organisation, the latest first.
///
/// # Errors
/// [`VaultError::Refused`] for who may not, or storage errors.
pub async fn drawings(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<Vec<DrawRow>, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::ReadReviewFigures, &resource).await?;
    Ok(archive.catalogue.draws(&actor.organisation, None, DRAWINGS_MAX).await?)
}

/// Drawings that are told at once.
const DRAWINGS_MAX: u32 = 1_000;

/// One drawing; none when nothing was decided since the last, and none at a rate of nothing: it would end the time that it is of,
/// and what was decided then could never be drawn. The caller holds the intake, so that nothing that is decided meanwhile falls
/// before its end.
async fn draw_one(
    archive: &Archive,
    channel: &Channel,
    rate: Rate,
    actor: Option<&Actor>,
) -> Result<Option<DrawRow>, VaultError> {
    if rate.permille == 0 {
        return Ok(None);
    }
    let (catalogue, now) = (&archive.catalogue, archive.sources.now());
    let last = catalogue.draws(&channel.organisation, Some(&channel.id), 1).await?;
    let from = last.first().map_or_else(|| beginning(now), |last| last.until);
    // What is decided at this very moment, before it or after, is of the next drawing.
    let until = Timestamp::from_micros(now.micros().saturating_sub(1)).unwrap_or(now);
    let candidates = catalogue.sample_candidates(&channel.organisation, &channel.id, (from, until)).await?;
    if candidates.is_empty() {
        return Ok(None);
    }
    let seed = archive.sources.secret::<16>()?;
    let drawn: Vec<(VersionId, u32)> = candidates
        .iter()
        .filter(|candidate| falls(&*seed, "draw", candidate.version, rate.permille))
        .map(|candidate| {
            let twofold = falls(&*seed, "twofold", candidate.version, rate.twofold_permille);
            (candidate.version, if twofold { 2 } else { 1 })
        })
        .collect();
    let row = DrawRow {
        id: archive.sources.random_id()?,
        organisation: channel.organisation.clone(),
        channel: channel.id.clone(),
        seed: hex::encode(*seed),
        permille: rate.permille,
        twofold_permille: rate.twofold_permille,
        from,
        until,
        candidates: candidates.len() as u64,
        drawn: drawn.len() as u64,
        made_at: now,
    };
    let pending = Pending::event(entry(archive, &row, actor)?)?;
    let _recorded = catalogue.add_draw(archive.logs.vault_origin(), &row, &drawn, pending).await?;
    archive.journal.wake();
    Ok(Some(row))
}

/// The seed stands in the ledger: that it was drawn before anything was judged can be proven.
fn entry(archive: &Archive, row: &DrawRow, actor: Option<&Actor>) -> Result<Entry, VaultError> {
    let sources = &archive.sources;
    let entry = Entry::new(sources.entry_id()?, EntryKind::ReviewSampleDrawn, sources.now())
        .of(row.organisation.clone())
        .about([Thing::Channel(row.channel.clone())])
        .because([format!("seed-{}", row.seed).parse()?])
        .counting("candidates".parse()?, row.candidates)
        .counting("drawn".parse()?, row.drawn)
        .counting("permille".parse()?, u64::from(row.permille))
        .counting("twofold-permille".parse()?, u64::from(row.twofold_permille));
    Ok(match actor {
        Some(actor) => entry.by(actor.id, actor.role),
        None => entry,
    })
}

/// Whether a version falls into a sample of so many of a thousand, by this seed: as SHA-256 of seed, purpose and version has it.
fn falls(seed: &[u8], purpose: &str, version: VersionId, permille: u32) -> bool {
    let digest = sha256(&[seed, purpose.as_bytes(), version.as_bytes()]);
    u64::from_be_bytes(digest) % 1_000_000 < u64::from(permille) * 1_000
}

/// Before everything.
fn beginning(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(0).unwrap_or(now)
}

/// The first eight bytes of SHA-256 over parts.
fn sha256(parts: &[&[u8]]) -> [u8; 8] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut first = [0; 8];
    first.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_rate_draws_about_so_many_and_the_same_seed_the_same() {
        let version = |n: u128| VersionId::from_uuid(Uuid::from_u128(n));
        let drawn = |seed: &[u8], permille| {
            (0..10_000).filter(|n| falls(seed, "draw", version(*n), permille)).collect::<Vec<_>>()
        };
        let hundred = drawn(b"seed", 100);
        assert!((880..1_120).contains(&hundred.len()), "{}", hundred.len());
        assert_eq!(hundred, drawn(b"seed", 100));
        assert_ne!(hundred, drawn(b"other", 100));
        assert_eq!((drawn(b"seed", 0).len(), drawn(b"seed", 1_000).len()), (0, 10_000));
    }

    #[test]
    fn a_person_draws_more_than_the_policy_says_and_never_less() {
        let policy = Rate { permille: 10, twofold_permille: 200 };
        let channel: ChannelId = "low-x".parse().unwrap();
        let drawn = |permille, twofold_permille| {
            AskedRate { permille, twofold_permille }
                .above(policy, &channel)
                .map_err(|error| error.to_string())
        };
        assert_eq!(drawn(None, None), Ok(policy));
        assert_eq!(drawn(Some(10), Some(200)), Ok(policy));
        assert_eq!(drawn(Some(1_000), None), Ok(Rate { permille: 1_000, twofold_permille: 200 }));
        assert_eq!(drawn(None, Some(1_000)), Ok(Rate { permille: 10, twofold_permille: 1_000 }));
        for (asked, expected) in [
            ((Some(0), None), "`permille` is 0, and policies/reviewing.yaml says 10 for channel `low-x`"),
            ((Some(9), None), "never less"),
            ((Some(1_000), Some(0)), "`twofoldPermille` is 0"),
            ((Some(1_001), None), "0 to 1000"),
            ((None, Some(1_001)), "0 to 1000"),
        ] {
            let error = drawn(asked.0, asked.1).unwrap_err();
            assert!(error.contains(expected), "{asked:?}: {error}");
        }
    }
}
