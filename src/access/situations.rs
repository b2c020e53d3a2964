//! Situations in which anyone may ask for anything: every kind of thing, of the own organisation and of another, with
//! each fact that a policy can ask about there and not there. The golden matrix and [`Policies::breaches`] run over them.

use super::{
    Action, Actor, Allowed, Assignment, Denial, GrantFacts, Policies, Request, Resource, ResourceKind,
};
use crate::model::{ActorId, GrantId, ModelError, OrganisationId, Role, Timestamp};
use uuid::Uuid;

/// Who asks, of whom, when: person 1 of the organisation `own`.
pub(super) struct Cast {
    now: Timestamp,
    own: OrganisationId,
    other: OrganisationId,
    third: OrganisationId,
}

/// A thing of an organisation, with the grant under which it is asked for.
pub(super) struct Situation {
    pub(super) name: &'static str,
    pub(super) resource: Resource,
    pub(super) grant: Option<GrantFacts>,
}

/// Something that the policies allow and that must never be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Who.
    pub role: Role,
    /// What.
    pub action: Action,
    /// With what, of whose organisation, in which situation.
    pub what: String,
    /// The rule that is broken.
    pub rule: &'static str,
}

impl Policies {
    /// What these policies allow though no policies of any organisation should: content for those who only run or feed
    /// the service, decisions by those who check, approval of one's own request, another organisation's vault, a grant,
    /// mandate or assignment that has ended. A loosened policy file is found here before it is used. That originals
    /// need their grounds is no matter of policies: [`authorise_opening`](Self::authorise_opening) checks it itself.
    ///
    /// # Errors
    /// Never, unless the names of the cast cannot be read.
    pub fn breaches(&self, now: Timestamp) -> Result<Vec<Breach>, ModelError> {
        let cast = Cast::at(now)?;
        let mut found = Vec::new();
        for (kind, of) in ResourceKind::ALL.iter().flat_map(|kind| cast.sides().map(|of| (kind, of))) {
            for situation in cast.situations(*kind, of.1) {
                for (role, action) in pairs() {
                    let Some(rule) = never(role, action, of.0 == OWN, &situation) else { continue };
                    if cast.ask(self, role, action, &situation).is_ok() {
                        let what = format!("{}, {}: {}", kind.as_str(), of.0, situation.name);
                        found.push(Breach { role, action, what, rule });
                    }
                }
            }
        }
        Ok(found)
    }
}

/// The resource is of the actor's organisation.
pub(super) const OWN: &str = "own";
/// It is of another one.
pub(super) const OTHER: &str = "other";

impl Cast {
    pub(super) fn at(now: Timestamp) -> Result<Self, ModelError> {
        Ok(Self { now, own: OWN.parse()?, other: OTHER.parse()?, third: "third".parse()? })
    }

    /// Own and other, by name.
    pub(super) const fn sides(&self) -> [(&'static str, &OrganisationId); 2] {
        [(OWN, &self.own), (OTHER, &self.other)]
    }

    pub(super) fn actor(&self, role: Role) -> Actor {
        Actor { id: person(1), role, organisation: self.own.clone() }
    }

    pub(super) fn ask(
        &self,
        policies: &Policies,
        role: Role,
        action: Action,
        situation: &Situation,
    ) -> Result<Allowed, Denial> {
        let (resource, grant) = (&situation.resource, situation.grant.as_ref());
        policies.authorise(&Request { actor: &self.actor(role), action, resource, grant, now: self.now })
    }

    pub(super) fn situations(&self, kind: ResourceKind, of: &OrganisationId) -> Vec<Situation> {
        let organisation = of.clone();
        let plain = |resource| vec![Situation { name: AS_IT_IS, resource, grant: None }];
        match kind {
            ResourceKind::Collection | ResourceKind::Record | ResourceKind::Conversation => {
                self.in_reading_room(kind, of)
            }
            ResourceKind::VaultRecord => {
                self.assignable(|assigned| Resource::VaultRecord { organisation: of.clone(), assigned })
            }
            ResourceKind::Original => {
                self.assignable(|assigned| Resource::Original { organisation: of.clone(), assigned })
            }
            ResourceKind::ReviewQueue => {
                self.assignable(|assigned| Resource::ReviewQueue { organisation: of.clone(), assigned })
            }
            ResourceKind::Channel => plain(Resource::Channel { organisation }),
            ResourceKind::Registry => plain(Resource::Registry { organisation }),
            ResourceKind::GrantFile => self.grant_files(of),
            ResourceKind::ExportFile => self.export_files(of),
            ResourceKind::Receipt => receipts(),
            ResourceKind::Ledger => plain(Resource::Ledger),
            ResourceKind::Service => plain(Resource::Service),
        }
    }

    fn assignable(&self, thing: impl Fn(Option<Assignment>) -> Resource) -> Vec<Situation> {
        let until = |seconds| Some(Assignment { until: Some(self.now.plus_seconds(seconds)) });
        let assignments = [
            (UNASSIGNED, None),
            ("in the own queue", Some(Assignment::OWN)),
            ("in the own queue under an assignment", until(1)),
            (ASSIGNMENT_ENDED, until(0)),
        ];
        assignments.map(|(name, assigned)| Situation { name, resource: thing(assigned), grant: None }).into()
    }

    fn in_reading_room(&self, kind: ResourceKind, of: &OrganisationId) -> Vec<Situation> {
        let active = GrantFacts {
            id: grant(1),
            holder: person(1),
            organisation: of.clone(),
            until: self.now.plus_seconds(86_400),
            revoked: false,
            export: false,
        };
        let with = |change: fn(&mut GrantFacts)| {
            let mut facts = active.clone();
            change(&mut facts);
            Some(facts)
        };
        let ended = GrantFacts { until: self.now, ..active.clone() };
        let elsewhere = GrantFacts { organisation: self.third.clone(), ..active.clone() };
        let cases = [
            (NO_GRANT, false, None),
            ("active grant", false, Some(active.clone())),
            ("ended grant", false, Some(ended)),
            ("revoked grant", false, with(|grant| grant.revoked = true)),
            ("someone else's grant", false, with(|grant| grant.holder = person(2))),
            ("grant of a third organisation", false, Some(elsewhere)),
            ("grant that does not select it", false, with(|facts| facts.id = grant(2))),
            (PUBLISHED, true, None),
            (EXPORT_GRANT, false, with(|grant| grant.export = true)),
        ];
        let situation = |(name, published, asked_under): (_, _, Option<GrantFacts>)| {
            let (organisation, selected_by) = (of.clone(), asked_under.as_ref().map(|_| grant(1)));
            let resource = match kind {
                ResourceKind::Collection => Resource::Collection { organisation, published, selected_by },
                ResourceKind::Record => Resource::Record { organisation, published, selected_by },
                _ => Resource::Conversation { organisation, published, selected_by },
            };
            Situation { name, resource, grant: asked_under }
        };
        cases.map(situation).into()
    }

    fn grant_files(&self, of: &OrganisationId) -> Vec<Situation> {
        let (running, ended) = (Some(self.now.plus_seconds(60)), Some(self.now));
        let cases = [
            (MANDATED, 2, running),
            ("another's request under an ended mandate", 2, ended),
            ("a request without a mandate", 2, None),
            ("own request under a mandate", 1, running),
        ];
        let file = |(name, requester, mandate_until)| {
            let (organisation, requester) = (of.clone(), person(requester));
            let resource = Resource::GrantFile { organisation, requester, mandate_until };
            Situation { name, resource, grant: None }
        };
        cases.map(file).into()
    }

    fn export_files(&self, of: &OrganisationId) -> Vec<Situation> {
        let (running, ended) = (Some(self.now.plus_seconds(60)), Some(self.now));
        let cases = [
            (MANDATED_EXPORT, 2, Some(3), running),
            ("another's files under an ended mandate", 2, Some(3), ended),
            ("files without a mandate", 2, Some(3), None),
            ("own files under a mandate", 1, Some(3), running),
            ("files of a request that was approved by oneself", 2, Some(1), running),
            (NOBODYS_DECISION, 2, None, running),
        ];
        let file = |(name, requester, decider, mandate_until): (_, _, Option<u128>, _)| {
            let (organisation, requester, decider) = (of.clone(), person(requester), decider.map(person));
            let resource = Resource::ExportFile { organisation, requester, decider, mandate_until };
            Situation { name, resource, grant: None }
        };
        cases.map(file).into()
    }
}

const AS_IT_IS: &str = "as it is";
const UNASSIGNED: &str = "not in the queue";
const ASSIGNMENT_ENDED: &str = "under an assignment that ended";
const NO_GRANT: &str = "no grant";
const ACTIVE_GRANT: &str = "active grant";
const PUBLISHED: &str = "published";
const EXPORT_GRANT: &str = "active grant of files";
const MANDATED_EXPORT: &str = "another's files under a mandate";
const NOBODYS_DECISION: &str = "another's files, approved on the command line";
const MANDATED: &str = "another's request under a mandate";

fn receipts() -> Vec<Situation> {
    let receipt =
        |(name, owner)| Situation { name, resource: Resource::Receipt { owner: person(owner) }, grant: None };
    [("own step", 1), ("another's step", 2)].map(receipt).into()
}

/// Whether showing it shows something of what was posted.
const fn is_content(action: Action) -> bool {
    matches!(
        action,
        Action::ListRecords
            | Action::SearchRecords
            | Action::ReadRecord
            | Action::ReadConversation
            | Action::ReadFindingAid
            | Action::CiteRecord
            | Action::ReportRecord
            | Action::ListVaultRecords
            | Action::ReadVaultView
            | Action::ReadDecision
            | Action::ListReviewItems
            | Action::ReviewRedaction
            | Action::FindRecords
            | Action::FetchExport
    )
}

/// Whether it shows redacted views in the reading room, or how many there are.
const fn shows_views(action: Action) -> bool {
    matches!(
        action,
        Action::ListRecords | Action::SearchRecords | Action::ReadRecord | Action::ReadConversation
    )
}

/// Whether it changes what holds.
const fn is_decision(action: Action) -> bool {
    matches!(
        action,
        Action::ReviewRedaction
            | Action::HandleCorrespondence
            | Action::PublishRecord
            | Action::DrawReviewSample
            | Action::ImportAssessments
            | Action::DeclareChannel
            | Action::ApproveGrant
            | Action::ReleaseExport
            | Action::RevokeGrant
            | Action::RevokeOpening
            | Action::HandleSubjectRequest
            | Action::CloseIncident
    )
}

/// Whether it is of an organisation's vault, so that another organisation has no business there.
const fn stays_within(action: Action) -> bool {
    !matches!(
        action,
        Action::ListRecords
            | Action::SearchRecords
            | Action::ReadRecord
            | Action::ReadConversation
            | Action::ReadFindingAid
            | Action::CiteRecord
            | Action::ReportRecord
            | Action::StartExport
            | Action::FetchExport
            | Action::RequestGrant
            | Action::ReadReceipt
            | Action::VerifyLedger
            | Action::ReadStatus
    )
}

/// The rule that forbids it whatever the policies say; `None` when policies may allow it.
fn never(role: Role, action: Action, own: bool, situation: &Situation) -> Option<&'static str> {
    let assigned = situation.name != UNASSIGNED && situation.name != ASSIGNMENT_ENDED;
    let reads = is_content(action) && !stays_within(action);
    let rules = [
        (
            is_content(action) && matches!(role, Role::Administrator | Role::Harvester | Role::Approver),
            "an administrator, harvester or approver sees no content",
        ),
        (
            is_decision(action) && matches!(role, Role::DataProtectionOfficer | Role::Harvester),
            "a data protection officer and a harvester decide nothing",
        ),
        (
            action == Action::ApproveGrant && situation.name != MANDATED,
            "nobody approves a request of their own, or without a mandate that runs",
        ),
        (
            action == Action::ReleaseExport
                && situation.name != MANDATED_EXPORT
                && situation.name != NOBODYS_DECISION
                && situation.name != "files of a request that was approved by oneself",
            "nobody releases files that they asked for, or without a mandate that runs",
        ),
        (
            matches!(action, Action::StartExport | Action::FetchExport) && situation.name != EXPORT_GRANT,
            "files are made and fetched under an active grant of one's own that is for files",
        ),
        (
            shows_views(action) && situation.name == EXPORT_GRANT,
            "under a grant for files nothing is read in the reading room: files are had in the place of views",
        ),
        (
            stays_within(action) && !own && !(role == Role::Reviewer && assigned),
            "nothing of a vault is open to another organisation, but for a reviewer's own queue",
        ),
        (
            stays_within(action) && is_content(action) && role == Role::Reviewer && !assigned,
            "a reviewer sees the own queue only, as long as the assignment runs",
        ),
        (
            reads && ![ACTIVE_GRANT, EXPORT_GRANT, PUBLISHED].contains(&situation.name),
            "a view is read under an active grant of one's own that selects it, or once it is published",
        ),
        (
            stays_within(action) && is_content(action) && matches!(role, Role::Public | Role::Researcher),
            "a researcher and the public see nothing of a vault",
        ),
        (
            action == Action::ReadReceipt && situation.name == "another's step",
            "a receipt is for whoever acted",
        ),
    ];
    rules.into_iter().find_map(|(broken, rule)| broken.then_some(rule))
}

fn pairs() -> impl Iterator<Item = (Role, Action)> {
    let actions = || Action::ALL.iter().filter(|action| **action != Action::OpenOriginal);
    Role::ALL.iter().flat_map(move |role| actions().map(move |action| (*role, *action)))
}

pub(super) fn person(number: u128) -> ActorId {
    ActorId::from_uuid(Uuid::from_u128(number))
}

fn grant(number: u128) -> GrantId {
    GrantId::from_uuid(Uuid::from_u128(number))
}
