//! Minimisation profiles: what of a channel is refused, or left out, before anything is sealed. Dated data.
//!
//! What is left out is named and counted, never kept. What was not open to everyone is refused unless a rule keeps it,
//! and even then only where the organisation is a party to it.

use super::error::{parse, valid_from};
use super::{Bilingual, DecideError, Problem};
use crate::model::{ItemKind, Outcome, RecogniserId, Timestamp, Visibility};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Members without which an item has no identity: they cannot be left out.
const NEEDED: [&str; 8] = ["id", "id_str", "uri", "url", "created_at", "visibility", "kind", "knik"];

/// Whose the item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The channel's own account.
    Own,
    /// Anybody else.
    Other,
}

/// What becomes of what a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// It is not taken in.
    Refuse,
    /// Its fields are left out.
    LeaveOut,
    /// It is taken in, whatever later rules say.
    Keep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    id: String,
    version: String,
    valid_from: Spanned<String>,
    title: Bilingual,
    source: Spanned<String>,
    #[serde(default)]
    rules: Vec<Spanned<RuleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: RecogniserId,
    #[serde(default)]
    kind: Vec<ItemKind>,
    #[serde(default)]
    visibility: Vec<Visibility>,
    author: Option<Author>,
    #[serde(default)]
    outcome: Vec<Outcome>,
    then: Treatment,
    #[serde(default)]
    fields: Vec<String>,
    why: Bilingual,
}

/// One rule of a profile. A criterion that names nothing is met by everything.
#[derive(Debug)]
pub struct ProfileRule {
    id: RecogniserId,
    kind: Vec<ItemKind>,
    visibility: Vec<Visibility>,
    author: Option<Author>,
    outcome: Vec<Outcome>,
    then: Treatment,
    fields: Vec<String>,
    why: Bilingual,
}

/// A minimisation profile, as one file states it.
#[derive(Debug)]
pub struct Profile {
    id: String,
    version: String,
    valid_from: jiff::civil::Date,
    title: Bilingual,
    source: String,
    rules: Vec<ProfileRule>,
}

/// What a profile is told of an item.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// What it is.
    pub kind: ItemKind,
    /// Who could see it.
    pub visibility: Visibility,
    /// Whether the channel's own account posted it.
    pub own: bool,
    /// Whether the organisation is a party: it posted it, is addressed in it, or takes part in its conversation.
    pub party: bool,
    /// What the tree says of it; none when no rule of the profile asks.
    pub outcome: Option<Outcome>,
}

/// What becomes of an item.
#[derive(Debug, PartialEq, Eq)]
pub enum Intake<'p> {
    /// It is taken in, without these members.
    Keep(Vec<&'p str>),
    /// It is not taken in; by which rule.
    Refuse(&'p str),
}

/// The rule that refuses what was not open to everyone and that no other rule keeps.
pub const NOT_PUBLIC: &str = "not-public";
/// The rule that refuses what was not open to everyone and to which the organisation is no party.
pub const NO_PARTY: &str = "no-party";

impl Profile {
    /// Reads a profile from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// Every fault with its line: a rule without effect, a field that an item needs, a missing text, date or source.
    pub fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        let file: ProfileFile = parse(name, text)?;
        let mut problems = head_problems(&file);
        let valid_from = valid_from(&file.valid_from, &mut problems);
        for rule in &file.rules {
            problems
                .extend(rule_problem(&rule.value).map(|what| Problem { line: rule.referenced.line(), what }));
        }
        if !problems.is_empty() {
            problems.sort_by_key(|problem| problem.line);
            return Err(DecideError::Invalid { file: name.to_owned(), problems });
        }
        Ok(Self {
            id: file.id,
            version: file.version,
            valid_from,
            title: file.title,
            source: file.source.value,
            rules: file.rules.into_iter().map(|rule| rule.value.into()).collect(),
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its version, as the file states it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The day from which it holds.
    #[must_use]
    pub const fn valid_from(&self) -> jiff::civil::Date {
        self.valid_from
    }

    /// The title people read.
    #[must_use]
    pub fn title(&self) -> &Bilingual {
        &self.title
    }

    /// Who decided it, and on what ground.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[ProfileRule] {
        &self.rules
    }

    /// Whether a rule asks what the tree says.
    #[must_use]
    pub fn asks_outcome(&self) -> bool {
        self.rules.iter().any(|rule| !rule.outcome.is_empty())
    }

    /// Whether a rule leaves members out.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        self.rules.iter().any(|rule| rule.then == Treatment::LeaveOut)
    }

    /// What becomes of an item: the first rule that keeps or refuses decides; until then members to be left out add up.
    #[must_use]
    pub fn treat(&self, seen: &Seen) -> Intake<'_> {
        let mut fields: Vec<&str> = Vec::new();
        let mut kept = false;
        for rule in self.rules.iter().filter(|rule| rule.meets(seen)) {
            match rule.then {
                Treatment::Refuse => return Intake::Refuse(rule.id.as_str()),
                Treatment::LeaveOut => fields.extend(rule.fields.iter().map(String::as_str)),
                Treatment::Keep => {
                    kept = true;
                    break;
                }
            }
        }
        let closed = seen.kind == ItemKind::Message
            || matches!(seen.visibility, Visibility::Direct | Visibility::Followers);
        if closed && !kept {
            return Intake::Refuse(NOT_PUBLIC);
        }
        if closed && !seen.party {
            return Intake::Refuse(NO_PARTY);
        }
        fields.sort_unstable();
        fields.dedup();
        Intake::Keep(fields)
    }

    /// What becomes of an item that can still come to each of these outcomes: it is refused only when every
    /// one of them refuses it, and only what every one of them leaves out is left out. Neither can be undone,
    /// what is kept can be minimised later.
    #[must_use]
    pub fn treat_open(&self, seen: &Seen, outcomes: &[Outcome]) -> Intake<'_> {
        let each = outcomes.iter().map(|outcome| self.treat(&Seen { outcome: Some(*outcome), ..*seen }));
        each.reduce(Intake::or_keep).unwrap_or_else(|| self.treat(seen))
    }

    /// Whether the rule of that id asks what the tree says.
    #[must_use]
    pub fn rule_asks_outcome(&self, id: &str) -> bool {
        self.rules.iter().any(|rule| rule.id.as_str() == id && !rule.outcome.is_empty())
    }
}

impl Intake<'_> {
    /// The one of two that keeps more.
    fn or_keep(self, other: Self) -> Self {
        match (self, other) {
            (Self::Keep(mut fields), Self::Keep(others)) => {
                fields.retain(|field| others.contains(field));
                Self::Keep(fields)
            }
            (keep @ Self::Keep(_), Self::Refuse(_)) | (Self::Refuse(_), keep) => keep,
        }
    }
}

impl ProfileRule {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &RecogniserId {
        &self.id
    }

    /// What it does.
    #[must_use]
    pub const fn then(&self) -> Treatment {
        self.then
    }

    /// The members it leaves out.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Why, as people read it.
    #[must_use]
    pub const fn why(&self) -> &Bilingual {
        &self.why
    }

    fn meets(&self, seen: &Seen) -> bool {
        let author = if seen.own { Author::Own } else { Author::Other };
        // A file comes in with what it is attached to, unless a rule is about files.
        ((self.kind.is_empty() && seen.kind != ItemKind::Attachment) || self.kind.contains(&seen.kind))
            && (self.visibility.is_empty() || self.visibility.contains(&seen.visibility))
            && self.author.is_none_or(|wanted| wanted == author)
            && (self.outcome.is_empty()
                || seen.outcome.is_some_and(|outcome| self.outcome.contains(&outcome)))
    }
}

impl From<RuleFile> for ProfileRule {
    fn from(file: RuleFile) -> Self {
        let RuleFile { id, kind, visibility, author, outcome, then, fields, why } = file;
        Self { id, kind, visibility, author, outcome, then, fields, why }
    }
}

fn head_problems(file: &ProfileFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |line: u64, what: &str| problems.push(Problem { line, what: what.to_owned() });
    let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if file.id.is_empty() || file.id.len() > 64 || !file.id.chars().all(slug) {
        refuse(0, "`id` must be 1 to 64 of a-z, 0-9 and '-'");
    }
    if file.version.trim().is_empty() {
        refuse(0, "`version` is empty; fill it in");
    }
    if file.source.value.trim().is_empty() {
        refuse(file.source.referenced.line(), "`source` is empty; say who decided this, and on what ground");
    }
    if [&file.title.nl, &file.title.en].iter().any(|text| text.trim().is_empty()) {
        refuse(0, "`title` must have a text in `nl` and in `en`");
    }
    problems
}

fn rule_problem(rule: &RuleFile) -> Option<String> {
    let id = &rule.id;
    if [&rule.why.nl, &rule.why.en].iter().any(|text| text.trim().is_empty()) {
        return Some(format!("rule `{id}` does not say why; write `why` in nl and en"));
    }
    if (rule.then == Treatment::LeaveOut) == rule.fields.is_empty() {
        return Some(format!("rule `{id}`: `fields` go with `then: leave_out`, and only with it"));
    }
    if let Some(field) = rule.fields.iter().find(|field| NEEDED.contains(&field.as_str())) {
        return Some(format!(
            "rule `{id}` leaves out `{field}`, without which an item cannot be told apart; remove it"
        ));
    }
    None
}

/// Every profile that was loaded, by id and date.
#[derive(Debug, Default)]
pub struct Profiles {
    by_id: BTreeMap<String, Vec<Profile>>,
}

/// The profile of a channel that chose none.
pub const DEFAULT_PROFILE: &str = "default";

impl Profiles {
    /// Reads profile files: name and text of each.
    ///
    /// # Errors
    /// When one cannot be read, or two of one id begin on the same day.
    pub fn load<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self, DecideError> {
        let mut by_id: BTreeMap<String, Vec<Profile>> = BTreeMap::new();
        for (name, text) in files {
            let profile = Profile::load(name, text)?;
            let of = by_id.entry(profile.id.clone()).or_default();
            if of.iter().any(|other| other.valid_from == profile.valid_from) {
                let what = format!(
                    "another file states `{}` from that day; give one of them another date",
                    profile.id
                );
                return Err(DecideError::Invalid {
                    file: name.to_owned(),
                    problems: vec![Problem { line: 0, what }],
                });
            }
            of.push(profile);
        }
        by_id.values_mut().for_each(|of| of.sort_by_key(|one| one.valid_from));
        Ok(Self { by_id })
    }

    /// Nothing is left out and nothing refused, for users of the library who filter before, and for tests of what is sealed.
    /// The program always has profiles.
    #[must_use]
    pub fn without() -> Self {
        Self::default()
    }

    /// Whether there are none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The ids there are.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// The profile of that id that is in force at `at`.
    #[must_use]
    pub fn in_force(&self, id: &str, at: Timestamp) -> Option<&Profile> {
        let day = at.date();
        self.by_id.get(id)?.iter().rev().find(|profile| profile.valid_from <= day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str =
        "id: p\nversion: '1'\nvalid_from: '2026-01-01'\ntitle: {nl: p, en: p}\nsource: s\nrules:
- {id: own-dm, kind: [message], visibility: [direct], then: keep, why: {nl: w, en: w}}
- {id: no-place, author: other, then: leave_out, fields: [place, note], why: {nl: w, en: w}}
- {id: sentiment, outcome: [do_not_archive], then: refuse, why: {nl: w, en: w}}
";

    fn seen(kind: ItemKind, visibility: Visibility) -> Seen {
        Seen { kind, visibility, own: false, party: true, outcome: Some(Outcome::Archive) }
    }

    #[test]
    fn rules_are_followed_in_order_and_closed_items_need_one_that_keeps_them() {
        let profile = Profile::load("p.yaml", SOUND).unwrap();
        let reaction = seen(ItemKind::Reaction, Visibility::Public);
        let message = seen(ItemKind::Message, Visibility::Direct);
        let table = [
            (reaction, Intake::Keep(vec!["note", "place"])),
            (Seen { own: true, ..reaction }, Intake::Keep(vec![])),
            (Seen { outcome: Some(Outcome::DoNotArchive), ..reaction }, Intake::Refuse("sentiment")),
            (message, Intake::Keep(vec![])),
            (Seen { party: false, ..message }, Intake::Refuse(NO_PARTY)),
            (seen(ItemKind::Reaction, Visibility::Followers), Intake::Refuse(NOT_PUBLIC)),
            (seen(ItemKind::Message, Visibility::Unknown), Intake::Refuse(NOT_PUBLIC)),
            (seen(ItemKind::Reaction, Visibility::Unknown), Intake::Keep(vec!["note", "place"])),
        ];
        for (seen, expected) in table {
            assert_eq!(profile.treat(&seen), expected, "{seen:?}");
        }
    }

    #[test]
    fn what_can_still_come_out_otherwise_is_neither_refused_nor_left_out() {
        let more =
            "- {id: less, outcome: [refer], then: leave_out, fields: [place, card], why: {nl: w, en: w}}\n";
        let profile = Profile::load("p.yaml", &[SOUND, more].concat()).unwrap();
        let reaction = Seen { outcome: None, ..seen(ItemKind::Reaction, Visibility::Public) };
        let (archive, refer, not) = (Outcome::Archive, Outcome::Refer, Outcome::DoNotArchive);
        for (outcomes, expected) in [
            (vec![not], Intake::Refuse("sentiment")),
            (vec![not, archive], Intake::Keep(vec!["note", "place"])),
            (vec![archive, not], Intake::Keep(vec!["note", "place"])),
            (vec![refer], Intake::Keep(vec!["card", "note", "place"])),
            (vec![refer, archive], Intake::Keep(vec!["note", "place"])),
            (vec![], Intake::Keep(vec!["note", "place"])),
        ] {
            assert_eq!(profile.treat_open(&reaction, &outcomes), expected, "{outcomes:?}");
        }
        assert!(profile.rule_asks_outcome("sentiment") && !profile.rule_asks_outcome("no-place"));
    }

    #[test]
    fn a_profile_that_cannot_be_followed_is_refused_with_the_mend() {
        for (sound, broken, expected) in [
            ("fields: [place, note], ", "", "`fields` go with"),
            ("then: keep", "then: keep, fields: [a]", "`fields` go with"),
            ("[place, note]", "[id]", "cannot be told apart"),
            ("2026-01-01", "soon", "line 3: `valid_from`"),
            ("2026-01-01", "20260701", "`valid_from` is `20260701`"),
            ("2026-01-01", "2026-07-01T00:00", "write one such as 2026-01-01"),
            ("2026-01-01", "-000001-01-01", "`valid_from`"),
            ("source: s", "source: ''", "`source` is empty"),
            ("why: {nl: w, en: w}", "why: {nl: w, en: ''}", "does not say why"),
            ("then: refuse", "then: shred", "shred"),
        ] {
            let error = Profile::load("p.yaml", &SOUND.replacen(sound, broken, 1))
                .map(|_| ())
                .unwrap_err()
                .to_string();
            assert!(error.contains("p.yaml") && error.contains(expected), "{broken}: {error}");
        }
    }

    #[test]
    fn the_profile_of_the_day_is_in_force() {
        let later = SOUND.replace("2026-01-01", "2027-01-01").replace("'1'", "'2'");
        let all = Profiles::load([("a.yaml", SOUND), ("b.yaml", later.as_str())]).unwrap();
        let version =
            |at: &str| all.in_force("p", at.parse().unwrap()).map(|profile| profile.version().to_owned());
        assert_eq!(version("2025-12-31T23:00:00Z"), None);
        assert_eq!(version("2026-06-01T00:00:00Z").as_deref(), Some("1"));
        assert_eq!(version("2027-06-01T00:00:00Z").as_deref(), Some("2"));
        assert!(Profiles::load([("a.yaml", SOUND), ("b.yaml", SOUND)]).is_err());
    }
}
