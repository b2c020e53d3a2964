//! One log from its first entry to its last: every leaf an entry, every tile what the leaves make, every root as it
//! was signed. What is wrong is named by the first entry that it concerns.
//!
//! Leaves, tiles and checkpoints hold each other up. When they disagree, the signed root decides: if the leaves lead
//! to it they are right and the tile was changed; if they do not, the entry whose tile says otherwise was.

use super::{Anchor, BadEntry, VaultError};
use crate::ledger::{
    Checkpoint, Edge, Entry, Hash, LEAF_BYTES_MAX, Tile, TileRef, TileSet, VerifierKey, consistency_proof,
    consistency_tiles, leaf_hash, verify_consistency,
};
use crate::store::log_source::LogSource;
use std::collections::BTreeSet;

/// Leaves read at a time.
const LEAVES: u64 = 4_096;

/// A log and what it is held against.
pub(super) struct Walk<'a> {
    pub(super) key: &'a VerifierKey,
    pub(super) log: &'a dyn LogSource,
    /// Only what came since this checkpoint is looked at, if the log continues it.
    pub(super) since: Option<&'a Checkpoint>,
    /// An earlier copy of the log, to find where two histories part.
    pub(super) before: Option<&'a dyn LogSource>,
    /// Other checkpoints of the log, signed by its key.
    pub(super) anchors: Vec<Anchor>,
}

/// What the head says.
enum Signed {
    /// Nothing, and there is nothing.
    Empty,
    Head(Checkpoint),
    /// Nothing that holds.
    Wrong(String),
}

impl Walk<'_> {
    /// The first entry that something is wrong with, if any. Counts the entries it looked at.
    pub(super) async fn first_wrong(&self, entries: &mut u64) -> Result<Option<BadEntry>, VaultError> {
        let signed = match self.signed().await? {
            Signed::Empty => return Ok(None),
            Signed::Head(signed) => Ok(signed),
            Signed::Wrong(why) => Err(why),
        };
        let start = match (self.since, &signed) {
            (Some(since), Ok(head)) => self.start(since, head).await?,
            _ => Edge::new(),
        };
        let anchored = self.anchors.iter().map(|anchor| anchor.checkpoint.size()).max().unwrap_or(0);
        let target = signed.as_ref().map_or(anchored, Checkpoint::size).max(start.size());
        let mut steps = Steps::new(start);
        let broken = self.steps(&mut steps, target, entries).await?;
        let mut found = match broken {
            Some(bad) => steps.before(bad),
            None => self.judge(&steps, signed.as_ref().ok()).await?,
        };
        found = found.or_else(|| signed.as_ref().err().map(|why| bad(target, why.clone())));
        found = found.or_else(|| self.rolled_back(target));
        Ok(found.map(|found| BadEntry { log: Some(self.key.origin().clone()), ..found }))
    }

    async fn signed(&self) -> Result<Signed, VaultError> {
        let origin = self.key.origin();
        let Some(head) = self.log.head().await? else {
            let held = !self.anchors.is_empty() || !self.log.leaves(0, 1).await?.is_empty();
            // Its first entries may have been numbered meanwhile, together with a head.
            let lost = held && self.log.head().await?.is_none();
            return Ok(if lost {
                Signed::Wrong(format!("the checkpoint (head) of {origin} is missing"))
            } else {
                Signed::Empty
            });
        };
        Ok(match Checkpoint::verify(&head.checkpoint, self.key) {
            Ok(signed) if signed.size() == head.size => Signed::Head(signed),
            Ok(signed) => {
                Signed::Wrong(format!("head of {origin}: size {} but signed {}", head.size, signed.size()))
            }
            Err(error) => Signed::Wrong(format!("checkpoint of {origin}: {error}")),
        })
    }

    /// Where to start: behind a saved checkpoint that the log provably continues, else at the beginning.
    async fn start(&self, since: &Checkpoint, head: &Checkpoint) -> Result<Edge, VaultError> {
        let (from, size) = (since.size(), head.size());
        if from > size {
            return Ok(Edge::new());
        }
        let mut wanted: BTreeSet<TileRef> = consistency_tiles(from, size)?;
        wanted.extend(Edge::tiles(from));
        let tiles = self.log.tiles(wanted.into_iter().collect()).await?;
        let continues = consistency_proof(from, size, &tiles)
            .is_ok_and(|proof| verify_consistency(from, &since.root(), size, &head.root(), &proof).is_ok());
        let edge = Edge::read(from, &tiles).ok().filter(|edge| edge.root() == since.root());
        Ok(edge.filter(|_| continues).unwrap_or_default())
    }

    /// Walks to `target`. What stops it is the answer: an entry that is not there or is none.
    async fn steps(
        &self,
        steps: &mut Steps,
        target: u64,
        entries: &mut u64,
    ) -> Result<Option<BadEntry>, VaultError> {
        let stops: BTreeSet<u64> = self.anchors.iter().map(|anchor| anchor.checkpoint.size()).collect();
        loop {
            self.compare_anchors(steps);
            let at = steps.edge.size();
            if at >= target {
                return Ok(None);
            }
            let stop = stops.range(at + 1..).next().copied().unwrap_or(target).min(target);
            let most = u32::try_from((stop - at).min(LEAVES)).unwrap_or(u32::MAX);
            let leaves = self.log.leaves(at, most).await?;
            let sound = sound_leaves(at, &leaves, u64::from(most));
            let hashes: Vec<Hash> = leaves.iter().take(sound).map(|(_, leaf)| leaf_hash(leaf)).collect();
            *entries += hashes.len() as u64;
            let appended = steps.edge.append(&hashes)?;
            let stored = self.log.tiles(appended.tiles.iter().map(|tile| tile.at).collect()).await?;
            appended.tiles.iter().for_each(|tile| steps.compare(at, tile, &stored));
            if sound < leaves.len() || leaves.len() < most as usize {
                return Ok(Some(self.unsound(at + sound as u64, at + u64::from(most), leaves.get(sound))));
            }
        }
    }

    fn unsound(&self, expected: u64, end: u64, leaf: Option<&(u64, Vec<u8>)>) -> BadEntry {
        let origin = self.key.origin();
        let what = match leaf {
            Some(_) if expected >= end => {
                format!("entry {expected} of {origin} is more than there should be")
            }
            Some((place, _)) if *place == expected => {
                format!("entry {expected} of {origin} was changed: it is no entry in canonical form")
            }
            _ => format!("entry {expected} of {origin} is missing"),
        };
        bad(expected, what)
    }

    fn compare_anchors(&self, steps: &mut Steps) {
        let here = steps.edge.size();
        for anchor in self.anchors.iter().filter(|anchor| anchor.checkpoint.size() == here) {
            if anchor.checkpoint.root() == steps.edge.root() {
                steps.held = here;
            } else if steps.parted.is_none() {
                steps.parted = Some((steps.held, here, anchor.what.clone()));
            }
        }
    }

    /// What the walk amounts to, now that its end is known.
    async fn judge(
        &self,
        steps: &Steps,
        signed: Option<&Checkpoint>,
    ) -> Result<Option<BadEntry>, VaultError> {
        let origin = self.key.origin();
        let led = match signed {
            Some(signed) => steps.edge.root() == signed.root(),
            None => steps.parted.is_none(),
        };
        if led {
            if let Some((from, to, what)) = &steps.parted {
                return self.fork(*from, *to, what).await.map(Some);
            }
            let changed = |tile: &Disagreement| {
                let (first, path) = (tile.first, tile.at.path());
                bad(
                    first,
                    format!("tile {path} of {origin} was changed: it does not agree with entry {first}"),
                )
            };
            return Ok(steps.disagreement.as_ref().map(changed));
        }
        if let Some(disagreement) = &steps.disagreement {
            return Ok(Some(disagreement.of_entry(origin)));
        }
        match &steps.parted {
            Some((from, to, what)) => self.fork(*from, *to, what).await.map(Some),
            None => {
                let from = steps.held;
                let what = format!("the entries of {origin} from {from} on do not give the signed root");
                Ok(Some(bad(from, what)))
            }
        }
    }

    /// Two histories under one key: where they part, as exactly as can be told.
    async fn fork(&self, from: u64, to: u64, other: &str) -> Result<BadEntry, VaultError> {
        let origin = self.key.origin();
        let fork = format!("{origin} was forked: {other} and the log are two histories under one key");
        if let Some(before) = self.before
            && let Some(entry) = first_difference(self.log, before, from, to).await?
        {
            return Ok(bad(entry, format!("{fork}; they part at entry {entry}")));
        }
        Ok(bad(from, format!("{fork}; they part between entry {from} and entry {}", to.saturating_sub(1))))
    }

    fn rolled_back(&self, size: u64) -> Option<BadEntry> {
        let further = self.anchors.iter().filter(|anchor| anchor.checkpoint.size() > size);
        let furthest = further.max_by_key(|anchor| anchor.checkpoint.size())?;
        let (origin, what, signed) = (self.key.origin(), &furthest.what, furthest.checkpoint.size());
        Some(bad(
            size,
            format!(
                "{origin} was rolled back: {what} signs {signed} entries, the log has {size}; entry {size} is missing"
            ),
        ))
    }
}

/// How many of the leaves stand at their places and are entries; no more than were asked for.
fn sound_leaves(from: u64, leaves: &[(u64, Vec<u8>)], most: u64) -> usize {
    let sound = |(expected, (place, leaf)): &(u64, &(u64, Vec<u8>))| {
        place == expected && leaf.len() <= LEAF_BYTES_MAX && Entry::parse(leaf).is_ok()
    };
    (from..from.saturating_add(most)).zip(leaves).take_while(sound).count()
}

/// The first entry of `from..to` whose hash differs between two copies of a log.
async fn first_difference(
    one: &dyn LogSource,
    other: &dyn LogSource,
    from: u64,
    to: u64,
) -> Result<Option<u64>, VaultError> {
    for index in from / 256..to.div_ceil(256) {
        let at = TileRef { level: 0, index, width: 256 };
        let (left, right) =
            (one.tiles(vec![at]).await?.known(0, index), other.tiles(vec![at]).await?.known(0, index));
        let differs = (index * 256..to).zip(left.iter().zip(&right)).find(|(n, (a, b))| *n >= from && a != b);
        if let Some((entry, _)) = differs {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// How far a walk has come, and what it noticed on the way.
struct Steps {
    edge: Edge,
    /// The largest size at which a signed root agreed.
    held: u64,
    /// The first checkpoint that did not: from where, to where, which.
    parted: Option<(u64, u64, String)>,
    /// The first entry whose tile says otherwise.
    disagreement: Option<Disagreement>,
}

/// A tile that does not say what the leaves make.
struct Disagreement {
    first: u64,
    span: u64,
    at: TileRef,
}

impl Disagreement {
    const fn end(&self) -> u64 {
        self.first.saturating_add(self.span)
    }

    /// Whether it is of earlier entries, or of fewer among the same.
    const fn says_more_than(&self, other: &Self) -> bool {
        let within = self.first >= other.first && self.end() <= other.end();
        self.end() <= other.first || (within && self.span < other.span)
    }

    /// Said of the entry, when the leaves are not those that were signed.
    fn of_entry(&self, origin: &crate::ledger::Origin) -> BadEntry {
        let (first, path) = (self.first, self.at.path());
        let what = match self.span {
            1 => format!(
                "entry {first} of {origin} was changed: it does not agree with tile {path} and the signed root"
            ),
            span => format!(
                "an entry of {origin} from {first} to {} was changed: they do not agree with tile {path} and the signed root",
                first.saturating_add(span - 1)
            ),
        };
        bad(first, what)
    }
}

impl Steps {
    fn new(edge: Edge) -> Self {
        Self { held: edge.size(), edge, parted: None, disagreement: None }
    }

    /// Compares a tile with the stored one, from entry `from` on.
    fn compare(&mut self, from: u64, made: &Tile, stored: &TileSet) {
        let found = stored.known(made.at.level, made.at.index);
        for (place, hash) in (0..made.at.width).zip(made.hashes()) {
            let (first, span) = made.at.leaves_under(place);
            let new = Disagreement { first, span, at: made.at };
            let says_more = self.disagreement.as_ref().is_none_or(|known| new.says_more_than(known));
            if new.end() > from && says_more && found.get(usize::from(place)) != Some(&hash) {
                self.disagreement = Some(new);
            }
        }
    }

    /// What stopped the walk, or what was noticed of an entry before it.
    fn before(&self, stopped: BadEntry) -> Option<BadEntry> {
        let earlier = self.disagreement.as_ref().filter(|d| d.first < stopped.index);
        Some(earlier.map_or(stopped.clone(), |d| {
            bad(
                d.first,
                format!(
                    "entry {} does not agree with its tile {}; then {}",
                    d.first,
                    d.at.path(),
                    stopped.what
                ),
            )
        }))
    }
}

fn bad(index: u64, what: String) -> BadEntry {
    BadEntry { log: None, index, what }
}
