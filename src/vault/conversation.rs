//! One conversation from items to projections: who takes part, what is found, what may be read.

use super::find_index::{self, Met};
use super::missed::shows_too_much;
use super::names::Names;
use super::{Rules, Sources, VaultError};
use crate::capture::{Account, Item, MediaKind, PassageRole};
use crate::detect::{Participant, Participants};
use crate::model::{
    ChannelId, ConversationId, Finding, FlagKind, ItemDigest, ItemKind, OrganisationId, Outcome,
    ProjectionId, RecordId, SubjectRef, Timestamp, VersionId, Visibility,
};
use crate::redact::{Assessed, Projection, Source, SourcePassage, overlay, project, searchable};
use crate::store::catalogue::{FindRow, FlagPlace, FlagRow, SubjectRow, Verdicts};
use crate::store::room::{PublishedConversation, PublishedProjection};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the catalogue knows of a member of a conversation.
pub(super) struct Facts {
    pub record: RecordId,
    pub version: VersionId,
    pub projection: ProjectionId,
    pub organisation: OrganisationId,
    pub channel: ChannelId,
    pub kind: ItemKind,
    pub visibility: Visibility,
    pub posted_at: Option<Timestamp>,
    pub own: bool,
    pub edited: bool,
    pub withheld: bool,
    pub outcome: Outcome,
    pub tree: (String, String),
    /// What reviewers said of the flags of this version.
    pub verdicts: Verdicts,
    /// What people said of findings in this version.
    pub assessed: Vec<Assessed>,
    /// People that it was found to name when it was looked at last, in a conversation of which something was destroyed
    /// since.
    pub named: BTreeSet<SubjectRef>,
    /// What was found in this version when it was looked at last, as JSON; `None` for one that nobody looked at.
    pub before: Option<String>,
    /// The kinds of its flags that a reviewer found to hold.
    pub held: BTreeSet<FlagKind>,
    /// How many bytes the files have that are attached to it and are here.
    pub attached_bytes: Vec<u64>,
}

impl Facts {
    /// Whether a view of it may exist: decided to be archived, open to everyone, neither deleted nor superseded.
    const fn may_be_read(&self) -> bool {
        matches!(self.outcome, Outcome::Archive) && self.visibility.is_public() && !self.withheld
    }
}

/// A member of a conversation: its item in the clear, and what is known of it.
pub(super) struct Member<'a> {
    pub item: &'a Item,
    pub facts: Facts,
}

/// What came of a conversation.
pub(super) struct Computed {
    pub published: PublishedConversation,
    /// For each version: its findings as JSON, without words.
    pub findings: Vec<(VersionId, String)>,
    /// Versions that may be read, with findings of which the detector is not sure and no person has said anything.
    pub doubtful: Vec<VersionId>,
    /// What versions that may be read but for that are flagged for.
    pub flags: Vec<FlagRow>,
    /// What each record can be found by.
    pub found_by: Vec<FindRow>,
    /// People new to the conversation.
    pub subjects: Vec<SubjectRow>,
    /// Projections that only grants may have that name these kinds.
    pub limited: Vec<(PublishedProjection, BTreeSet<FlagKind>)>,
    /// Projections, each with its record, that showed what is covered now.
    pub missed: Vec<(ProjectionId, RecordId)>,
    /// Records withheld because their redaction was not certain.
    pub uncertain: u64,
    /// Records withheld because of a flag.
    pub flagged: u64,
}

impl Computed {
    /// A conversation of which nothing is left.
    pub(super) fn empty(conversation: ConversationId) -> Self {
        let published = PublishedConversation { conversation, projections: Vec::new() };
        Self {
            published,
            findings: Vec::new(),
            doubtful: Vec::new(),
            flags: Vec::new(),
            found_by: Vec::new(),
            subjects: Vec::new(),
            limited: Vec::new(),
            missed: Vec::new(),
            uncertain: 0,
            flagged: 0,
        }
    }

    /// A conversation of which nothing may be read until all of it can be looked at.
    pub(super) fn withheld(conversation: ConversationId, members: u64) -> Self {
        Self { uncertain: members, ..Self::empty(conversation) }
    }
}

/// Finds, in the texts of all members, the personal data of everyone, and makes the projections.
///
/// `known` are the people the conversation had before; members must be in the order of posting.
pub(super) fn compute(
    rules: &Rules,
    names: &Names<'_>,
    conversation: ConversationId,
    channel_account: &str,
    members: &[Member<'_>],
    known: &HashMap<ItemDigest, SubjectRef>,
    sources: &Sources,
) -> Result<Computed, VaultError> {
    let people = People::of(names, channel_account, members, known, sources)?;
    Ok(computed(rules, (names, &Met::default()), conversation, members, &people))
}

/// The same, of people who are known: it draws nothing, so that several conversations can be computed at once, which share the
/// words that they met.
pub(super) fn computed(
    rules: &Rules,
    (names, met): (&Names<'_>, &Met),
    conversation: ConversationId,
    members: &[Member<'_>],
    people: &People<'_>,
) -> Computed {
    let participants = people.participants();
    let dictionary = Participants::of(&participants);
    let mut computed = Computed {
        findings: Vec::with_capacity(members.len()),
        found_by: members.iter().map(|member| found_by(names, met, member)).collect(),
        subjects: people.fresh_rows(conversation),
        ..Computed::empty(conversation)
    };
    let told: BTreeSet<SubjectRef> = people.accounts.iter().map(|(_, subject, _)| *subject).collect();
    for (position, member) in members.iter().enumerate() {
        // It names somebody whose name went with what was destroyed: it could be read now, so nobody reads it. What was
        // found stays as it was.
        if !member.facts.named.is_subset(&told) {
            computed.uncertain += 1;
            continue;
        }
        let found = found_in(rules, member, &dictionary);
        let stored = findings_json(&found);
        if showed_too_much(rules, member, &found, &stored) {
            computed.missed.push((member.facts.projection, member.facts.record));
        }
        computed.findings.push((member.facts.version, stored));
        if !member.facts.may_be_read() {
            continue;
        }
        if is_doubtful(rules, &found) {
            computed.doubtful.push(member.facts.version);
        }
        let flags = flags(rules, member, &found);
        let withheld = member.facts.verdicts.withhold(flags.iter().map(|row| row.kind));
        let kept = member.facts.verdicts.kept(flags.iter().map(|row| row.kind));
        computed.flags.extend(flags);
        if withheld {
            computed.flagged += 1;
            // A reviewer found that it holds: only who may know of such things, by name, may read it.
            let named = kept.filter(|kept| !kept.is_empty() && kept.is_subset(&member.facts.held));
            if let Some(kinds) = named
                && let Some(projection) = projection(rules, people, names, member, &found, position)
            {
                computed.limited.push((projection, kinds));
            }
            continue;
        }
        match projection(rules, people, names, member, &found, position) {
            Some(projection) => computed.published.projections.push(projection),
            None => computed.uncertain += 1,
        }
    }
    computed
}

/// Whether a view of before showed what is covered now. Where the same is found as before it did not.
fn showed_too_much(rules: &Rules, member: &Member<'_>, found: &[Vec<Finding>], stored: &str) -> bool {
    let Some(before) = member.facts.before.as_deref().filter(|before| *before != stored) else {
        return false;
    };
    let texts: Vec<&str> = member.item.passages.iter().map(|passage| passage.text.expose()).collect();
    shows_too_much(&texts, before, found, rules.projection.redaction())
}

/// What a detector finds in a member, with what people said of it laid over.
fn found_in(rules: &Rules, member: &Member<'_>, dictionary: &Participants) -> Vec<Vec<Finding>> {
    let passages = member.item.passages.iter();
    let mut found: Vec<Vec<Finding>> = passages
        .map(|passage| rules.ruleset.detect_at(passage.text.expose(), dictionary, member.facts.posted_at))
        .collect();
    overlay(&mut found, &member.facts.assessed);
    found
}

/// Whether a person should look: the detector is not sure of something that is redacted, and nobody has said anything.
pub(super) fn is_doubtful(rules: &Rules, found: &[Vec<Finding>]) -> bool {
    found.iter().flatten().any(|finding| in_doubt(rules, finding))
}

/// Whether the detector is not sure of this one.
pub(super) fn in_doubt(rules: &Rules, finding: &Finding) -> bool {
    !finding.is_assessed()
        && finding.score.value() < rules.ruleset.thresholds().certain
        && !rules.projection.redaction().is_readable(&finding.entity)
}

/// A record as readers would see it, and what is found in each of its passages.
pub(super) type Preview = (Projection, Vec<Vec<Finding>>);

/// One member as readers would see it if nothing withheld it; `None` when it cannot be redacted with certainty. Members and
/// `known` are as for [`compute`].
pub(super) fn preview(
    rules: &Rules,
    names: &Names<'_>,
    channel_account: &str,
    members: &[Member<'_>],
    known: &HashMap<ItemDigest, SubjectRef>,
    sources: &Sources,
    wanted: RecordId,
) -> Result<Option<Preview>, VaultError> {
    let people = People::of(names, channel_account, members, known, sources)?;
    let participants = people.participants();
    let dictionary = Participants::of(&participants);
    let told: BTreeSet<SubjectRef> = people.accounts.iter().map(|(_, subject, _)| *subject).collect();
    let Some(member) = members.iter().find(|member| member.facts.record == wanted) else { return Ok(None) };
    if !member.facts.named.is_subset(&told) {
        return Ok(None);
    }
    let found = found_in(rules, member, &dictionary);
    Ok(redacted(rules, &people, names, member, &found).map(|projection| (projection, found)))
}

fn found_by(names: &Names<'_>, met: &Met, member: &Member<'_>) -> FindRow {
    FindRow { record: member.facts.record, tokens: find_index::tokens(names, met, member.item) }
}

/// What a member is flagged for. Asked only of what may be read but for its flags: of the others nothing is derived.
fn flags(rules: &Rules, member: &Member<'_>, found: &[Vec<Finding>]) -> Vec<FlagRow> {
    let mut kinds: BTreeMap<FlagKind, Vec<FlagPlace>> = BTreeMap::new();
    for (passage, (source, findings)) in member.item.passages.iter().zip(found).enumerate() {
        for flag in rules.ruleset.flags_among(source.text.expose(), findings) {
            let (start, end) = (flag.span.start(), flag.span.end());
            kinds.entry(flag.kind).or_default().push(FlagPlace { passage, start, end, rule: flag.rule });
        }
    }
    let version = member.facts.version;
    kinds.into_iter().map(|(kind, places)| FlagRow { version, kind, places }).collect()
}

fn projection(
    rules: &Rules,
    people: &People<'_>,
    names: &Names<'_>,
    member: &Member<'_>,
    found: &[Vec<Finding>],
    position: usize,
) -> Option<PublishedProjection> {
    let projection = redacted(rules, people, names, member, found)?;
    Some(PublishedProjection {
        id: member.facts.projection,
        organisation: member.facts.organisation.clone(),
        channel: member.facts.channel.clone(),
        day: member.facts.posted_at.map(Timestamp::day).unwrap_or_default(),
        position: u32::try_from(position).unwrap_or(u32::MAX),
        words: searchable(&projection),
        subjects: projection.subjects(),
        document: serde_json::to_string(&projection).ok()?,
        only_for: None,
    })
}

fn redacted(
    rules: &Rules,
    people: &People<'_>,
    names: &Names<'_>,
    member: &Member<'_>,
    found: &[Vec<Finding>],
) -> Option<Projection> {
    let passages = member.item.passages.iter().zip(found);
    let source = Source {
        passages: passages
            .map(|(passage, findings)| SourcePassage {
                role: role_word(passage.role),
                text: passage.text.expose(),
                findings,
            })
            .collect(),
        metadata: metadata(people, names, member),
    };
    // What cannot be redacted with certainty is withheld, and counted.
    project(&source, &rules.projection, rules.ruleset.version()).ok()
}

fn metadata<'s>(people: &People<'_>, names: &Names<'_>, member: &Member<'_>) -> BTreeMap<&'s str, Value> {
    let facts = &member.facts;
    let author = member.item.author.as_ref().filter(|_| !facts.own);
    let kinds: BTreeSet<&str> = member.item.media.iter().map(|kind| media_word(*kind)).collect();
    let sizes = member.item.media_size_bytes.iter().chain(&facts.attached_bytes);
    let sizes: BTreeSet<&str> = sizes.map(|bytes| size_word(*bytes)).collect();
    BTreeMap::from([
        ("organisation", json!(facts.organisation)),
        ("channel", json!(facts.channel)),
        ("platform", json!(member.item.platform)),
        ("kind", json!(facts.kind)),
        ("visibility", json!(facts.visibility)),
        ("day", json!(facts.posted_at.map(Timestamp::day))),
        ("language", json!(member.item.language)),
        ("edited", json!(facts.edited)),
        ("mediaKinds", json!(kinds)),
        ("mediaSizes", json!(Some(sizes).filter(|sizes| !sizes.is_empty()))),
        ("authorRole", json!(if facts.own { "organisation" } else { "citizen" })),
        ("authorSubject", json!(author.and_then(|a| people.subject(names, a)).map(SubjectRef::number))),
        ("outcome", json!(facts.outcome)),
        ("tree", json!(facts.tree.0)),
        ("treeVersion", json!(facts.tree.1)),
    ])
}

/// Everyone who writes or is mentioned in a conversation.
pub(super) struct People<'a> {
    subjects: HashMap<ItemDigest, SubjectRef>,
    fresh: Vec<(ItemDigest, SubjectRef)>,
    /// Each account as written, once.
    accounts: Vec<(&'a Account, SubjectRef, bool)>,
}

impl<'a> People<'a> {
    /// Those of the members; who is not `known` is given a reference.
    pub(super) fn of(
        names: &Names<'_>,
        channel_account: &str,
        members: &[Member<'a>],
        known: &HashMap<ItemDigest, SubjectRef>,
        sources: &Sources,
    ) -> Result<Self, VaultError> {
        let mut people = Self { subjects: known.clone(), fresh: Vec::new(), accounts: Vec::new() };
        let mut taken: BTreeSet<SubjectRef> = known.values().copied().collect();
        let mut seen: BTreeSet<(SubjectRef, &str, &str)> = BTreeSet::new();
        for member in members {
            for account in member.item.author.iter().chain(&member.item.mentions) {
                let digest = names.person(account);
                let subject = match people.subjects.get(&digest) {
                    Some(subject) => *subject,
                    None => people.add(digest, &mut taken, sources)?,
                };
                if seen.insert((subject, account.handle.expose(), account.display_name.expose())) {
                    people.accounts.push((account, subject, names.is_channel(account, channel_account)));
                }
            }
        }
        Ok(people)
    }

    fn add(
        &mut self,
        digest: ItemDigest,
        taken: &mut BTreeSet<SubjectRef>,
        sources: &Sources,
    ) -> Result<SubjectRef, VaultError> {
        loop {
            let subject = SubjectRef::from_u32(u32::from_be_bytes(*sources.secret::<4>()?));
            if taken.insert(subject) {
                self.subjects.insert(digest, subject);
                self.fresh.push((digest, subject));
                return Ok(subject);
            }
        }
    }

    fn subject(&self, names: &Names<'_>, account: &Account) -> Option<SubjectRef> {
        self.subjects.get(&names.person(account)).copied()
    }

    fn participants(&self) -> Vec<Participant<'a>> {
        self.accounts
            .iter()
            .map(|(account, subject, organisation)| Participant {
                subject: *subject,
                handle: account.handle.expose(),
                display_name: account.display_name.expose(),
                organisation: *organisation,
            })
            .collect()
    }

    fn fresh_rows(&self, conversation: ConversationId) -> Vec<SubjectRow> {
        self.fresh
            .iter()
            .map(|(digest, reference)| SubjectRow { conversation, digest: *digest, reference: *reference })
            .collect()
    }
}

/// The people that stored findings are about. Findings that cannot be read are about somebody unknown.
pub(super) fn named_in(findings: &str) -> BTreeSet<SubjectRef> {
    let unknown = || BTreeSet::from([SubjectRef::from_u32(u32::MAX)]);
    let Ok(passages) = serde_json::from_str::<Vec<Vec<Named>>>(findings) else { return unknown() };
    passages.into_iter().flatten().filter_map(|finding| finding.subject).map(SubjectRef::from_u32).collect()
}

/// A stored finding: whom it is about.
#[derive(Deserialize)]
struct Named {
    subject: Option<u32>,
}

/// Findings as they are stored: for each passage its findings; rule ids and offsets, never words.
fn findings_json(found: &[Vec<Finding>]) -> String {
    if found.iter().all(Vec::is_empty) {
        return "[]".to_owned();
    }
    serde_json::to_string(found).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) const fn role_word(role: PassageRole) -> &'static str {
    match role {
        PassageRole::ContentWarning => "content-warning",
        PassageRole::PollOption => "poll-option",
        PassageRole::AltText => "alt-text",
        PassageRole::Body => "body",
    }
}

const fn media_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
        MediaKind::Other => "other",
    }
}

/// A size as a step on a scale of tens: the exact one would find a public picture again.
const fn size_word(bytes: u64) -> &'static str {
    match bytes {
        0..100_000 => "under-100-kb",
        100_000..1_000_000 => "under-1-mb",
        1_000_000..10_000_000 => "under-10-mb",
        10_000_000..100_000_000 => "under-100-mb",
        _ => "100-mb-or-more",
    }
}

/// The text that decision trees look at: what the author wrote.
pub(super) fn text_to_judge(item: &Item) -> String {
    let written = |role| matches!(role, PassageRole::Body | PassageRole::ContentWarning);
    let texts: Vec<&str> =
        item.passages.iter().filter(|p| written(p.role)).map(|p| p.text.expose()).collect();
    texts.join("\n")
}
