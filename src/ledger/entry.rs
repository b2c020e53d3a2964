//! An entry: who (pseudonymous) did what to which things, when, on which ground. No content.

use super::leaf::Leaf;
use super::{BodyCommitment, Code, EntryKind, Hash, LedgerError, Thing, leaf_hash};
use crate::model::{ActorId, LegalBasisCode, OrganisationId, PermitId, RecordId, Role, Timestamp};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The longest leaf: what a tlog-tiles entry bundle can carry.
pub const LEAF_BYTES_MAX: usize = 65_535;

/// The largest count: JSON numbers are exact up to it.
pub const COUNT_MAX: u64 = (1 << 53) - 1;

/// Version of the leaf's form.
const LEAF_VERSION: u8 = 1;

/// An entry's own id, drawn at random: how the journal finds it before it has a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct EntryId(Uuid);

impl EntryId {
    /// An id from a UUID that the caller drew.
    #[must_use]
    pub const fn from_uuid(drawn: Uuid) -> Self {
        Self(drawn)
    }

    /// The UUID inside.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl FromStr for EntryId {
    type Err = LedgerError;
    fn from_str(given: &str) -> Result<Self, LedgerError> {
        given.parse().map(Self).map_err(|_| LedgerError::NotAThing)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({})", self.0)
    }
}

/// One step, as the ledger keeps it. Built by naming what applies; what is not named is not written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    #[serde(default)]
    about: BTreeSet<Thing>,
    actor: Option<ActorId>,
    at: Timestamp,
    body: Option<BodyCommitment>,
    #[serde(default)]
    counts: BTreeMap<Code, u64>,
    id: EntryId,
    kind: EntryKind,
    legal_basis: Option<LegalBasisCode>,
    organisation: Option<OrganisationId>,
    outcome: Option<Code>,
    permit: Option<PermitId>,
    #[serde(default)]
    reasons: BTreeSet<Code>,
    role: Option<Role>,
    /// The commitment to what is stated one by one.
    statements: Option<Hash>,
    v: u8,
}

impl Entry {
    /// That something of this kind happened at this moment.
    #[must_use]
    pub fn new(id: EntryId, kind: EntryKind, at: Timestamp) -> Self {
        Self {
            about: BTreeSet::new(),
            actor: None,
            at,
            body: None,
            counts: BTreeMap::new(),
            id,
            kind,
            legal_basis: None,
            organisation: None,
            outcome: None,
            permit: None,
            reasons: BTreeSet::new(),
            role: None,
            statements: None,
            v: LEAF_VERSION,
        }
    }

    /// For which organisation.
    #[must_use]
    pub fn of(mut self, organisation: OrganisationId) -> Self {
        self.organisation = Some(organisation);
        self
    }

    /// Who did it, in which role.
    #[must_use]
    pub fn by(mut self, actor: ActorId, role: Role) -> Self {
        (self.actor, self.role) = (Some(actor), Some(role));
        self
    }

    /// What it was done to. A set: order and repeats are lost.
    #[must_use]
    pub fn about(mut self, things: impl IntoIterator<Item = Thing>) -> Self {
        self.about.extend(things);
        self
    }

    /// Under which permit.
    #[must_use]
    pub fn under(mut self, permit: PermitId) -> Self {
        self.permit = Some(permit);
        self
    }

    /// On which legal basis.
    #[must_use]
    pub fn on(mut self, basis: LegalBasisCode) -> Self {
        self.legal_basis = Some(basis);
        self
    }

    /// With which outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: Code) -> Self {
        self.outcome = Some(outcome);
        self
    }

    /// For which reasons. A set: order and repeats are lost.
    #[must_use]
    pub fn because(mut self, reasons: impl IntoIterator<Item = Code>) -> Self {
        self.reasons.extend(reasons);
        self
    }

    /// How many of something; at most [`COUNT_MAX`].
    #[must_use]
    pub fn counting(mut self, what: Code, count: u64) -> Self {
        self.counts.insert(what, count);
        self
    }

    /// Commits to statements: how many, and the tree over them ([`statements_root`](super::statements_root)).
    #[must_use]
    pub fn stating(mut self, root: Hash) -> Self {
        self.statements = Some(root);
        self
    }

    /// The commitment to what is stated one by one.
    #[must_use]
    pub const fn statements(&self) -> Option<Hash> {
        self.statements
    }

    /// With a body that is sealed apart.
    #[must_use]
    pub fn committing(mut self, body: BodyCommitment) -> Self {
        self.body = Some(body);
        self
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// For which organisation.
    #[must_use]
    pub const fn organisation(&self) -> Option<&OrganisationId> {
        self.organisation.as_ref()
    }

    /// Who did it.
    #[must_use]
    pub const fn actor(&self) -> Option<ActorId> {
        self.actor
    }

    /// In which role.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.role
    }

    /// Under which permit.
    #[must_use]
    pub const fn permit(&self) -> Option<PermitId> {
        self.permit
    }

    /// On which legal basis.
    #[must_use]
    pub const fn legal_basis(&self) -> Option<&LegalBasisCode> {
        self.legal_basis.as_ref()
    }

    /// With which outcome.
    #[must_use]
    pub const fn outcome_code(&self) -> Option<&Code> {
        self.outcome.as_ref()
    }

    /// For which reasons.
    #[must_use]
    pub const fn reasons(&self) -> &BTreeSet<Code> {
        &self.reasons
    }

    /// How many of what.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<Code, u64> {
        &self.counts
    }

    /// What it was done to.
    #[must_use]
    pub const fn things(&self) -> &BTreeSet<Thing> {
        &self.about
    }

    /// The records among what it was done to.
    pub fn records(&self) -> impl Iterator<Item = RecordId> {
        self.about.iter().filter_map(|thing| match thing {
            Thing::Record(record) => Some(*record),
            _ => None,
        })
    }

    /// The commitment to its body.
    #[must_use]
    pub const fn body(&self) -> Option<BodyCommitment> {
        self.body
    }

    /// The leaf: JSON with sorted keys and no white space (RFC 8785), what does not apply left out.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        let mut leaf = Leaf::default();
        leaf.list("about", &self.about);
        leaf.word("actor", self.actor.as_ref());
        leaf.word("at", Some(&self.at));
        leaf.word("body", self.body.map(|body| body.hash().to_base64()).as_ref());
        leaf.counts("counts", &self.counts);
        leaf.word("id", Some(&self.id));
        leaf.word("kind", Some(&self.kind.as_str()));
        leaf.word("legalBasis", self.legal_basis.as_ref());
        leaf.word("organisation", self.organisation.as_ref());
        leaf.word("outcome", self.outcome.as_ref());
        leaf.word("permit", self.permit.as_ref());
        leaf.list("reasons", &self.reasons);
        leaf.word("role", self.role.as_ref());
        leaf.word("statements", self.statements.map(Hash::to_base64).as_ref());
        leaf.number("v", u64::from(self.v));
        leaf.close()
    }

    /// The hash of its leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.leaf())
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`LedgerError::NotAnEntry`] unless the bytes are exactly what [`leaf`](Self::leaf) writes.
    pub fn parse(leaf: &[u8]) -> Result<Self, LedgerError> {
        let entry: Self = Some(leaf)
            .filter(|leaf| leaf.len() <= LEAF_BYTES_MAX)
            .and_then(|leaf| serde_json::from_slice(leaf).ok())
            .ok_or(LedgerError::NotAnEntry)?;
        let same = entry.v == LEAF_VERSION && entry.checked_leaf().is_ok_and(|own| own == leaf);
        if same { Ok(entry) } else { Err(LedgerError::NotAnEntry) }
    }

    /// The leaf, if it can be one.
    pub(super) fn checked_leaf(&self) -> Result<Vec<u8>, LedgerError> {
        if self.counts.values().any(|count| *count > COUNT_MAX) {
            return Err(LedgerError::CountTooLarge);
        }
        let leaf = self.leaf();
        if leaf.len() > LEAF_BYTES_MAX {
            return Err(LedgerError::EntryTooLong { bytes: leaf.len(), max: LEAF_BYTES_MAX });
        }
        Ok(leaf)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ledger::{Body, Salt};

    pub(crate) fn entry(n: u128, kind: EntryKind) -> Entry {
        let at = "2026-05-04T09:30:00.5Z".parse().unwrap();
        Entry::new(EntryId::from_uuid(Uuid::from_u128(n)), kind, at)
    }

    fn full() -> Entry {
        entry(1, EntryKind::DisclosureIntended)
            .of("min-bzk".parse().unwrap())
            .by(ActorId::from_uuid(Uuid::from_u128(2)), Role::Official)
            .about([Thing::Record(RecordId::from_uuid(Uuid::from_u128(3)))])
            .under(PermitId::from_uuid(Uuid::from_u128(4)))
            .on("avg-15".parse().unwrap())
            .outcome("intended".parse().unwrap())
            .because(["b".parse().unwrap(), "a".parse().unwrap()])
            .counting("records".parse().unwrap(), 1)
            .committing(Body::new("{}".into()).commitment(&Salt::from_bytes([0; 32])))
    }

    #[test]
    fn a_leaf_has_one_known_form() {
        let expected = concat!(
            r#"{"about":["record:00000000-0000-0000-0000-000000000003"],"#,
            r#""actor":"00000000-0000-0000-0000-000000000002","at":"2026-05-04T09:30:00.5Z","#,
            r#""body":"+xY0xObNSx8a/jzi1u8ID3rF0fNX1yOtTfyngnM7Yts=","counts":{"records":1},"#,
            r#""id":"00000000-0000-0000-0000-000000000001","kind":"disclosure-intended","#,
            r#""legalBasis":"avg-15","organisation":"min-bzk","outcome":"intended","#,
            r#""permit":"00000000-0000-0000-0000-000000000004","reasons":["a","b"],"role":"official","v":1}"#,
        );
        let leaf = String::from_utf8(full().leaf()).unwrap();
        assert_eq!(leaf, expected);
        let value: serde_json::Value = serde_json::from_str(&leaf).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), leaf, "keys are sorted");
    }

    #[test]
    fn every_leaf_reads_back() {
        assert_eq!(Entry::parse(&full().leaf()), Ok(full()));
        for kind in EntryKind::ALL {
            let bare = entry(9, *kind);
            assert_eq!(Entry::parse(&bare.leaf()), Ok(bare), "{}", kind.as_str());
        }
    }

    #[test]
    fn another_form_of_the_same_entry_is_refused() {
        let leaf = String::from_utf8(full().leaf()).unwrap();
        for bad in [
            leaf.replace(":[", ": ["),
            leaf.replace(r#","v":1"#, ""),
            leaf.replace(r#""v":1"#, r#""v":2"#),
            leaf.replace(r#""v":1"#, r#""v":1,"x":1"#),
            leaf.replace(r#"["a","b"]"#, r#"["b","a"]"#),
            leaf.replace(r#"["a","b"]"#, r#"["a","a"]"#),
            leaf.replace("disclosure-intended", "disclosure-invented"),
            leaf.replace("09:30:00.5Z", "09:30:00.50Z"),
            leaf.replace("official", "\\u006fficial"),
            leaf.replace(r#""records":1"#, r#""records":9007199254740992"#),
            String::new(),
        ] {
            assert_eq!(Entry::parse(bad.as_bytes()), Err(LedgerError::NotAnEntry), "{bad}");
        }
    }

    #[test]
    fn an_entry_too_long_or_too_large_is_refused() {
        let records = (0..1430).map(|n| Thing::Record(RecordId::from_uuid(Uuid::from_u128(n))));
        let many = entry(1, EntryKind::RecordsPublished).about(records);
        assert!(matches!(many.checked_leaf(), Err(LedgerError::EntryTooLong { .. })));
        let few = (0..1000).map(|n| Thing::Record(RecordId::from_uuid(Uuid::from_u128(n))));
        assert!(entry(1, EntryKind::RecordsPublished).about(few).checked_leaf().is_ok());
        let large = entry(1, EntryKind::ViewServed).counting("rows".parse().unwrap(), COUNT_MAX + 1);
        assert_eq!(large.checked_leaf(), Err(LedgerError::CountTooLarge));
    }
}
