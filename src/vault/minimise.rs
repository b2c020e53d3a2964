//! Minimisation before sealing: what a channel's profile refuses or leaves out never reaches a seal.
//!
//! Of what is kept out only names of rules and members and counts are known afterwards. What cannot be left out as the
//! profile says (a container, a web page, an item that is none without it) refuses the capture: nothing is taken in instead.

use super::names::Names;
use super::reading::CaptureReader;
use super::source::CaptureSource;
use super::{Archive, Rules, VaultError};
use crate::capture::{CaptureError, CutKind, Format, Item, PartRole, Unit, columns, members, reread};
use crate::decide::{DEFAULT_PROFILE, Intake, Profile, Seen, Treatment};
use crate::model::{ByteRange, Outcome, Timestamp};
use crate::store::catalogue::{Channel, ChannelFact, Fact};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What a profile does to the units of one batch.
#[derive(Debug, Default)]
pub(super) struct Minimised {
    /// Items that are not taken in, by unit and place.
    pub refused: HashSet<(usize, usize)>,
    /// Files that are not taken in because what they are attached to was destroyed.
    pub gone: HashSet<(usize, usize)>,
    /// Those of them that are not because of what the tree says: how they sounded is counted.
    pub not_kept: HashSet<(usize, usize)>,
    /// Units of which only separators are sealed: what they say belongs to nothing that is taken in.
    pub silent: HashSet<usize>,
    /// What was left out of each unit's bytes.
    pub holes: HashMap<usize, Vec<ByteRange>>,
    /// Members left out of each item, by name and count.
    pub left_out: HashMap<(usize, usize), BTreeMap<String, u64>>,
    /// Refused items by rule.
    pub refusals: BTreeMap<String, u64>,
    /// Left-out members by name.
    pub members: BTreeMap<String, u64>,
}

/// Applies one profile to what comes in for one channel.
pub(super) struct Minimiser<'a> {
    pub profile: &'a Profile,
    pub names: &'a Names<'a>,
    pub channel: &'a Channel,
    /// What the tree can still say of an item, now or when more is known; asked only when a rule of the
    /// profile does.
    pub outcomes: &'a dyn Fn(&Item) -> Vec<Outcome>,
}

/// The profile in force for a channel at `at`; none when the archive has no profiles at all.
///
/// # Errors
/// When the channel's profile is not there, or not yet in force: nothing is taken in then.
pub(super) fn in_force<'r>(
    rules: &'r Rules,
    channel: &Channel,
    facts: &[ChannelFact],
    at: Timestamp,
) -> Result<Option<&'r Profile>, VaultError> {
    if rules.profiles.is_empty() {
        return Ok(None);
    }
    let chosen = facts.iter().rev().find(|fact| fact.fact == Fact::Profile && fact.held_at(at));
    let id = chosen.map_or(DEFAULT_PROFILE, |fact| fact.value.as_str());
    let absent = || {
        VaultError::Input(format!(
            "channel `{}`: minimisation profile `{id}` is not in force on {}; write it in policies/minimisation, or \
             choose another for the channel",
            channel.id,
            at.day()
        ))
    };
    rules.profiles.in_force(id, at).map(Some).ok_or_else(absent)
}

/// Under what a capture comes in: the profile in force with its version, and, when that asks what the tree
/// says, what was declared that the tree hangs on. The same file under another may bring what was kept out
/// before. Empty without profiles.
///
/// # Errors
/// As [`in_force`].
pub(super) fn under(
    rules: &Rules,
    channel: &Channel,
    facts: &[ChannelFact],
    at: Timestamp,
) -> Result<String, VaultError> {
    let Some(profile) = in_force(rules, channel, facts, at)? else { return Ok(String::new()) };
    let mut words = vec![format!("{} {}", profile.id(), profile.version())];
    if profile.asks_outcome() {
        let asked = [Fact::Tree, Fact::Official, Fact::Reactions];
        words.extend(facts.iter().filter(|of| asked.contains(&of.fact)).map(|of| declared(rules, of)));
    }
    Ok(words.join("; "))
}

fn declared(rules: &Rules, of: &ChannelFact) -> String {
    let version = match of.fact {
        Fact::Tree => rules.trees.get(&of.value).map_or("", |tree| tree.version()),
        _ => "",
    };
    let until = of.until.map(|until| until.to_string()).unwrap_or_default();
    format!("{} {} {version} {} {until}", of.fact, of.value, of.from).trim_end().to_owned()
}

impl Minimiser<'_> {
    /// What becomes of the items of these units; members are taken out of units and items.
    ///
    /// # Errors
    /// [`VaultError::Input`] when a member cannot be left out as the profile says.
    pub(super) fn apply(&self, units: &mut [Unit]) -> Result<Minimised, VaultError> {
        let mut done = Minimised::default();
        for (number, unit) in units.iter_mut().enumerate() {
            self.unit(number, unit, &mut done)?;
        }
        Ok(done)
    }

    /// Whether an item is refused, or members are left out of it: then its container is not sealed either.
    fn touches(&self, unit: &Unit, item: &Item) -> bool {
        // What the tree says is not known before the intake: whatever it may say is taken into account.
        let seen = self.seen(unit, item);
        let mut says = Outcome::ALL.iter().map(|outcome| Seen { outcome: Some(*outcome), ..seen });
        says.any(|seen| !matches!(self.profile.treat(&seen), Intake::Keep(fields) if fields.is_empty()))
    }

    fn unit(&self, number: usize, unit: &mut Unit, done: &mut Minimised) -> Result<(), VaultError> {
        let seen: Vec<Seen> = unit.items.iter().map(|item| self.seen(unit, item)).collect();
        let mut treated: Vec<Intake<'_>> =
            unit.items.iter().zip(&seen).map(|(item, seen)| self.treat(item, seen)).collect();
        refuse_around(unit, &seen, &mut treated);
        for (place, intake) in treated.iter().enumerate() {
            if let Intake::Refuse(rule) = intake {
                done.refused.insert((number, place));
                if self.profile.rule_asks_outcome(rule) {
                    done.not_kept.insert((number, place));
                }
                *done.refusals.entry((*rule).to_owned()).or_default() += 1;
            }
        }
        // What a unit tells of a conversation that is not taken in, and what surrounds an item that is not.
        let nothing_kept = !unit.items.is_empty() && treated.iter().all(|of| matches!(of, Intake::Refuse(_)));
        if !unit.stubs.is_empty() || nothing_kept {
            done.silent.insert(number);
        }
        if self.profile.leaves_out() {
            self.leave_out(number, unit, &treated, done)?;
        }
        Ok(())
    }

    fn treat(&self, item: &Item, seen: &Seen) -> Intake<'_> {
        match self.profile.asks_outcome() {
            true => self.profile.treat_open(seen, &(self.outcomes)(item)),
            false => self.profile.treat(seen),
        }
    }

    /// What the profile is told of an item, but for what the tree says.
    fn seen(&self, unit: &Unit, item: &Item) -> Seen {
        let own = self.is_own(item);
        let addressed =
            item.mentions.iter().any(|account| self.names.is_channel(account, &self.channel.account));
        let same = |other: &&Item| item.conversation.is_some() && other.conversation == item.conversation;
        let takes_part = unit.items.iter().filter(same).any(|other| self.is_own(other));
        Seen {
            kind: item.kind,
            visibility: item.visibility,
            own,
            party: own || addressed || takes_part,
            outcome: None,
        }
    }

    fn is_own(&self, item: &Item) -> bool {
        item.author.as_ref().is_some_and(|author| self.names.is_channel(author, &self.channel.account))
    }

    fn leave_out(
        &self,
        number: usize,
        unit: &mut Unit,
        treated: &[Intake<'_>],
        done: &mut Minimised,
    ) -> Result<(), VaultError> {
        let Some(format) = unit.format.filter(|format| !format.is_container()) else {
            return Err(self.cannot("a container", "deliver the captures in it one by one"));
        };
        if format == Format::File {
            return Ok(());
        }
        let text = std::str::from_utf8(&unit.bytes).ok();
        let readable =
            text.filter(|_| !matches!(format, Format::WebPage | Format::Bluesky | Format::InstagramDyi));
        let Some(text) = readable else {
            return Err(self.cannot(format.as_str(), "use a profile without fields for it"));
        };
        let wanted = |name: &str, at: usize| self.wanted(name, unit.offset + at as u64, unit, treated);
        let found = match &unit.heading {
            Some(heading) => columns(heading, format, text, &wanted)
                .ok_or_else(|| self.cannot(format.as_str(), "use a profile without fields for it"))?,
            None => members(text, &wanted),
        };
        if found.is_empty() {
            return Ok(());
        }
        let holes: Vec<ByteRange> = found.iter().map(|member| shifted(member.range, unit.offset)).collect();
        for (member, hole) in found.iter().zip(&holes) {
            let places: Vec<usize> = items_of(unit, hole.start);
            if !places.is_empty() && places.iter().all(|place| done.refused.contains(&(number, *place))) {
                continue;
            }
            *done.members.entry(member.name.clone()).or_default() += 1;
            for place in places {
                *done.left_out.entry((number, place)).or_default().entry(member.name.clone()).or_default() +=
                    1;
            }
        }
        for cut in &mut unit.cuts {
            cut.ranges = cut.ranges.iter().flat_map(|range| without(*range, &holes)).collect();
        }
        let affected: HashSet<usize> = holes.iter().flat_map(|hole| items_of(unit, hole.start)).collect();
        for place in affected {
            self.read_again(unit, place, format, &holes)?;
        }
        done.holes.insert(number, holes);
        Ok(())
    }

    /// Whether a member is left out where it stands: as the innermost item says, as the items say that share the part, and
    /// elsewhere as any rule of the profile says.
    fn wanted(&self, name: &str, at: u64, unit: &Unit, treated: &[Intake<'_>]) -> bool {
        let says = |place: usize| match treated.get(place) {
            Some(Intake::Keep(fields)) => fields.contains(&name),
            // It is not sealed at all, unless it stands in what the organisation itself posted: that stays whole.
            _ => false,
        };
        let inside = unit.items.iter().enumerate().filter(|(_, item)| holds(item.range, at));
        if let Some((place, _)) = inside.min_by_key(|(_, item)| item.range.len()) {
            return says(place) && self.named(name);
        }
        let mut sharing = sharing(unit, at).peekable();
        match sharing.peek() {
            Some(_) => sharing.any(says) && self.named(name),
            None => self.named(name),
        }
    }

    /// Whether some rule leaves a member of this name out.
    fn named(&self, name: &str) -> bool {
        let rules = self.profile.rules().iter().filter(|rule| rule.then() == Treatment::LeaveOut);
        rules.flat_map(|rule| rule.fields()).any(|field| field == name)
    }

    /// The item as it reads without what was left out: nothing of that is in what is derived from it.
    fn read_again(
        &self,
        unit: &mut Unit,
        place: usize,
        format: Format,
        holes: &[ByteRange],
    ) -> Result<(), VaultError> {
        let Some(item) = unit.items.get(place) else { return Ok(()) };
        let gathered = |range: ByteRange| -> Vec<u8> {
            without(range, holes).into_iter().flat_map(|range| bytes_of(unit, range)).copied().collect()
        };
        let own = zeroize::Zeroizing::new(gathered(item.range));
        let shared: Vec<(PartRole, zeroize::Zeroizing<Vec<u8>>)> = item
            .shared
            .iter()
            .filter_map(|cut| unit.cuts.get(*cut))
            .filter_map(|cut| match cut.kind {
                CutKind::Shared(role) => {
                    let bytes = cut.ranges.iter().flat_map(|range| bytes_of(unit, *range)).copied().collect();
                    Some((role, zeroize::Zeroizing::new(bytes)))
                }
                _ => None,
            })
            .collect();
        let heading = unit.heading.as_ref().map(|heading| (PartRole::Heading, &**heading));
        let parts: Vec<(PartRole, &[u8])> =
            shared.iter().map(|(role, bytes)| (*role, bytes.as_slice())).chain(heading).collect();
        let again = reread(format, &own, &parts);
        let again = again
            .map_err(|_| self.cannot(format.as_str(), "an item is none without it; keep that member"))?;
        if let Some(item) = unit.items.get_mut(place) {
            item.author = again.author;
            item.passages = again.passages;
            item.links = again.links;
            item.mentions = again.mentions;
            item.media = again.media;
            item.media_size_bytes = again.media_size_bytes;
            item.attached = again.attached;
            item.language = again.language;
            item.quotes = again.quotes;
        }
        Ok(())
    }

    fn cannot(&self, what: &str, mend: &str) -> VaultError {
        VaultError::Input(format!(
            "minimisation profile `{}` {} leaves members out, which cannot be done of {what}; {mend}; nothing was taken in",
            self.profile.id(),
            self.profile.version()
        ))
    }
}

/// What somebody else posted around an item that is refused would be sealed with it inside: it is refused too, by the same
/// rule. What the organisation itself posted stays whole, also what it quotes.
fn refuse_around<'p>(unit: &Unit, seen: &[Seen], treated: &mut [Intake<'p>]) {
    let mut inside: Vec<(ByteRange, &'p str)> = Vec::new();
    for (item, intake) in unit.items.iter().zip(treated.iter()) {
        if let Intake::Refuse(rule) = intake {
            inside.push((item.range, *rule));
        }
    }
    for ((item, seen), intake) in unit.items.iter().zip(seen).zip(treated.iter_mut()) {
        let around = |(range, _): &&(ByteRange, &str)| {
            item.range != *range && item.range.start <= range.start && range.end <= item.range.end
        };
        if let (false, Intake::Keep(_), Some((_, rule))) = (seen.own, &*intake, inside.iter().find(around)) {
            *intake = Intake::Refuse(rule);
        }
    }
}

/// Where in a capture containers stand that hold an item which the profile refuses or changes: their encoded bytes are not
/// sealed. Read before the intake, because a container may come by before what is in it.
pub(super) async fn containers(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    facts: &[ChannelFact],
    source: &Arc<CaptureSource>,
    format: Format,
) -> Result<Vec<ByteRange>, VaultError> {
    let now = archive.sources.now();
    if in_force(rules, channel, facts, now)?.is_none() {
        return Ok(Vec::new());
    }
    let (source, rules, channel) = (Arc::clone(source), rules.clone(), channel.clone());
    let (digests, facts) = (Arc::clone(&archive.digests), facts.to_vec());
    let read = move || {
        let Some(profile) = in_force(&rules, &channel, &facts, now)? else { return Ok(Vec::new()) };
        let names = Names::of_channel(&digests, &channel);
        let minimiser = Minimiser { profile, names: &names, channel: &channel, outcomes: &|_| Vec::new() };
        touched(&source, &*rules.reader, format, rules.limits, &minimiser)
    };
    tokio::task::spawn_blocking(read).await?
}

fn touched(
    source: &CaptureSource,
    reader: &dyn CaptureReader,
    format: Format,
    limits: crate::capture::Limits,
    minimiser: &Minimiser<'_>,
) -> Result<Vec<ByteRange>, VaultError> {
    let own = source.reader().map_err(CaptureError::Read)?;
    let mut found: BTreeMap<u64, bool> = BTreeMap::new();
    for unit in reader.begin(source, own, Some(format), limits)? {
        let unit = unit?;
        if let Some(within) = &unit.within {
            let touched =
                !unit.stubs.is_empty() || unit.items.iter().any(|item| minimiser.touches(&unit, item));
            *found.entry(within.offset()).or_default() |= touched;
        }
    }
    let ends = found.keys().copied().skip(1).chain([u64::MAX]).collect::<Vec<_>>();
    let ranges = found.iter().zip(ends).filter(|((_, touched), _)| **touched);
    Ok(ranges.map(|((start, _), end)| ByteRange { start: *start, end }).collect())
}

/// The items a place in the file belongs to: those that hold it, and those that share the part it stands in.
fn items_of(unit: &Unit, at: u64) -> Vec<usize> {
    let holding =
        unit.items.iter().enumerate().filter(|(_, item)| holds(item.range, at)).map(|(place, _)| place);
    holding.chain(sharing(unit, at)).collect()
}

/// The items that share the part which a place in the file stands in.
fn sharing(unit: &Unit, at: u64) -> impl Iterator<Item = usize> {
    let stands = move |n: &usize| {
        let cut = unit.cuts.get(*n).filter(|cut| matches!(cut.kind, CutKind::Shared(_)));
        cut.is_some_and(|cut| cut.ranges.iter().any(|range| holds(*range, at)))
    };
    unit.items
        .iter()
        .enumerate()
        .filter(move |(_, item)| item.shared.iter().any(stands))
        .map(|(place, _)| place)
}

const fn holds(range: ByteRange, at: u64) -> bool {
    range.start <= at && at < range.end
}

const fn shifted(range: ByteRange, by: u64) -> ByteRange {
    ByteRange { start: range.start + by, end: range.end + by }
}

/// What is left of a range without the holes in it.
fn without(range: ByteRange, holes: &[ByteRange]) -> Vec<ByteRange> {
    let mut left = Vec::new();
    let mut at = range.start;
    for hole in holes.iter().filter(|hole| hole.start < range.end && range.start < hole.end) {
        if at < hole.start {
            left.push(ByteRange { start: at, end: hole.start });
        }
        at = at.max(hole.end);
    }
    if at < range.end {
        left.push(ByteRange { start: at, end: range.end });
    }
    left
}

fn bytes_of(unit: &Unit, range: ByteRange) -> &[u8] {
    let start = usize::try_from(range.start.saturating_sub(unit.offset)).unwrap_or(usize::MAX);
    let end = usize::try_from(range.end.saturating_sub(unit.offset)).unwrap_or(usize::MAX);
    unit.bytes.get(start..end).unwrap_or_default()
}
