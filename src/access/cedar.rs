//! Requests in Cedar's terms. Entity ids are roles, organisations, pseudonymous person and grant ids, and the
//! word `this`: nothing of the archive goes in.

use super::opening::OpeningFacts;
use super::{Action, Actor, GrantFacts, OpeningRequest, Request, Resource, ResourceKind, SystemActKind};
use crate::model::{ActorId, GrantId, OrganisationId, Role, Timestamp};
use cedar_policy::{
    Context, ContextCreationError, Entity, EntityAttrEvaluationError, EntityId, EntityTypeName, EntityUid,
    ParseErrors, RestrictedExpression,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// The action that decides how a refusal looks.
const KNOW_OF: &str = "know-of";

/// Cedar names, parsed once.
pub(super) struct Names {
    role: EntityTypeName,
    person: EntityTypeName,
    organisation: EntityTypeName,
    grant: EntityTypeName,
    vault: EntityTypeName,
    batch: EntityTypeName,
    action: EntityTypeName,
    kinds: BTreeMap<ResourceKind, EntityTypeName>,
}

/// One question to the policies: principal, action, resource and context, with their facts.
pub(super) struct Question {
    principal: Subject,
    action: EntityUid,
    resource: Subject,
    context: Facts,
}

type Facts = HashMap<String, RestrictedExpression>;

struct Subject {
    uid: EntityUid,
    facts: Facts,
    parents: HashSet<EntityUid>,
}

impl Names {
    pub(super) fn parse() -> Result<Self, Box<ParseErrors>> {
        let name = |word: &str| format!("Knik::{word}").parse::<EntityTypeName>().map_err(Box::new);
        let mut kinds = BTreeMap::new();
        for kind in ResourceKind::ALL {
            kinds.insert(*kind, name(kind.as_str())?);
        }
        Ok(Self {
            role: name("Role")?,
            person: name("Person")?,
            organisation: name("Organisation")?,
            grant: name("Grant")?,
            vault: name("Vault")?,
            batch: name("Batch")?,
            action: name("Action")?,
            kinds,
        })
    }

    /// Every action the code asks about.
    pub(super) fn actions(&self) -> Vec<EntityUid> {
        let persons = Action::ALL.iter().map(|action| action.as_str());
        let systems = SystemActKind::ALL.iter().map(|kind| kind.as_str());
        persons.chain(systems).chain([KNOW_OF]).map(|word| self.action(word)).collect()
    }

    /// Every resource type the code makes.
    pub(super) fn resources(&self) -> impl Iterator<Item = &EntityTypeName> {
        self.kinds.values().chain([&self.batch])
    }

    /// Questions that together show every role, every resource kind with all its facts, and a batch.
    pub(super) fn samples(&self) -> Vec<Question> {
        let organisation: Option<OrganisationId> = "sample".parse().ok();
        let Some(organisation) = organisation else { return Vec::new() };
        let (id, grant) = (ActorId::from_uuid(Uuid::nil()), GrantId::from_uuid(Uuid::nil()));
        let actor = |role: &Role| self.actor(&Actor { id, role: *role, organisation: organisation.clone() });
        let kinds = ResourceKind::ALL.iter().map(|kind| kind.sample(&organisation, id, grant));
        let resources: Vec<Resource> = kinds.collect();
        let persons = Role::ALL.iter().zip(resources.iter().cycle());
        let things = Role::ALL.iter().cycle().zip(&resources);
        let asked = persons.chain(things).filter_map(|(role, resource)| {
            Some(Question {
                principal: actor(role),
                action: self.action(KNOW_OF),
                resource: self.resource(resource)?,
                context: Facts::new(),
            })
        });
        let batches =
            SystemActKind::ALL.iter().filter_map(|kind| Question::system(self, *kind, &organisation, 1));
        asked.chain(batches).collect()
    }

    fn action(&self, word: &str) -> EntityUid {
        uid(&self.action, word)
    }

    fn person(&self, id: ActorId) -> EntityUid {
        uid(&self.person, &id.to_string())
    }

    fn organisation(&self, id: &OrganisationId) -> EntityUid {
        uid(&self.organisation, id.as_str())
    }

    fn actor(&self, actor: &Actor) -> Subject {
        Subject {
            uid: self.person(actor.id),
            facts: facts([("organisation", entity(self.organisation(&actor.organisation)))]),
            parents: HashSet::from([uid(&self.role, actor.role.as_str())]),
        }
    }

    fn grant(&self, id: GrantId) -> RestrictedExpression {
        entity(uid(&self.grant, &id.to_string()))
    }

    fn grant_facts(&self, grant: &GrantFacts) -> Option<RestrictedExpression> {
        RestrictedExpression::new_record([
            ("id".to_owned(), self.grant(grant.id)),
            ("holder".to_owned(), entity(self.person(grant.holder))),
            ("organisation".to_owned(), entity(self.organisation(&grant.organisation))),
            ("until".to_owned(), moment(grant.until)),
            ("revoked".to_owned(), RestrictedExpression::new_bool(grant.revoked)),
            ("export".to_owned(), RestrictedExpression::new_bool(grant.export)),
        ])
        .ok()
    }

    fn resource(&self, resource: &Resource) -> Option<Subject> {
        Some(Subject {
            uid: uid(self.kinds.get(&resource.kind())?, "this"),
            facts: self.resource_facts(resource),
            parents: HashSet::new(),
        })
    }

    fn resource_facts(&self, resource: &Resource) -> Facts {
        let of = |organisation: &OrganisationId| ("organisation", entity(self.organisation(organisation)));
        let flag = |name: &'static str, value: bool| (name, RestrictedExpression::new_bool(value));
        match resource {
            Resource::Collection { organisation, published, selected_by }
            | Resource::Record { organisation, published, selected_by }
            | Resource::Conversation { organisation, published, selected_by } => {
                let selected = selected_by.map(|grant| ("selectedBy", self.grant(grant)));
                facts([of(organisation), flag("published", *published)].into_iter().chain(selected))
            }
            Resource::VaultRecord { organisation, assigned }
            | Resource::Original { organisation, assigned }
            | Resource::ReviewQueue { organisation, assigned } => {
                let until = assigned.and_then(|assignment| assignment.until);
                let until = until.map(|until| ("assignedUntil", moment(until)));
                facts([of(organisation), flag("assigned", assigned.is_some())].into_iter().chain(until))
            }
            Resource::Channel { organisation } | Resource::Registry { organisation } => {
                facts([of(organisation)])
            }
            Resource::GrantFile { organisation, requester, mandate_until } => {
                let mandate = mandate_until.map(|until| ("mandateUntil", moment(until)));
                let requester = ("requester", entity(self.person(*requester)));
                facts([of(organisation), requester].into_iter().chain(mandate))
            }
            Resource::ExportFile { organisation, requester, decider, mandate_until } => {
                let decider = decider.map(|decider| ("decider", entity(self.person(decider))));
                let mandate = mandate_until.map(|until| ("mandateUntil", moment(until)));
                let requester = ("requester", entity(self.person(*requester)));
                facts([of(organisation), requester].into_iter().chain(decider).chain(mandate))
            }
            Resource::Receipt { owner } => facts([("owner", entity(self.person(*owner)))]),
            Resource::Ledger | Resource::Service => Facts::new(),
        }
    }
}

impl Question {
    /// A person's request. `None` when it cannot be put into Cedar's terms: the caller denies.
    pub(super) fn person(names: &Names, request: &Request<'_>) -> Option<Self> {
        Self::asked(names, request, request.action.as_str())
    }

    /// Whether the one who asked may know that the resource exists.
    pub(super) fn existence(names: &Names, request: &Request<'_>) -> Option<Self> {
        Self::asked(names, request, KNOW_OF)
    }

    fn asked(names: &Names, request: &Request<'_>, action: &str) -> Option<Self> {
        let mut context = facts([("now", moment(request.now))]);
        if let Some(grant) = request.grant {
            context.insert("grant".to_owned(), names.grant_facts(grant)?);
        }
        Some(Self {
            principal: names.actor(request.actor),
            action: names.action(action),
            resource: names.resource(request.resource)?,
            context,
        })
    }

    /// An opening of an original.
    pub(super) fn opening(names: &Names, request: &OpeningRequest<'_>, known: &OpeningFacts) -> Option<Self> {
        let flag = RestrictedExpression::new_bool;
        Some(Self {
            principal: names.actor(request.actor),
            action: names.action(Action::OpenOriginal.as_str()),
            resource: names.resource(&Resource::Original {
                organisation: request.organisation.clone(),
                assigned: request.assigned,
            })?,
            context: facts([
                ("now", moment(request.now)),
                ("basisKnown", flag(known.basis_known)),
                ("basisUsable", flag(known.basis_usable)),
                ("caseNumberGiven", flag(known.case_number_given)),
                ("motivationGiven", flag(known.motivation_given)),
                ("secondPersonNeeded", flag(known.second_person_needed)),
                ("secondPersonApproved", flag(known.second_person_approved)),
            ]),
        })
    }

    /// A second person's approval of an opening.
    pub(super) fn approval(
        names: &Names,
        organisation: &OrganisationId,
        requester: ActorId,
        approver: &Actor,
        now: Timestamp,
    ) -> Option<Self> {
        let original = Resource::Original { organisation: organisation.clone(), assigned: None };
        Some(Self {
            principal: names.actor(approver),
            action: names.action("approve-opening"),
            resource: names.resource(&original)?,
            context: facts([("now", moment(now)), ("requester", entity(names.person(requester)))]),
        })
    }

    /// An act of the vault itself on a batch of records.
    pub(super) fn system(
        names: &Names,
        kind: SystemActKind,
        organisation: &OrganisationId,
        size: usize,
    ) -> Option<Self> {
        let size = RestrictedExpression::new_long(i64::try_from(size).ok()?);
        let organisation = entity(names.organisation(organisation));
        Some(Self {
            principal: Subject {
                uid: uid(&names.vault, "this"),
                facts: Facts::new(),
                parents: HashSet::new(),
            },
            action: names.action(kind.as_str()),
            resource: Subject {
                uid: uid(&names.batch, "this"),
                facts: facts([("organisation", organisation), ("size", size)]),
                parents: HashSet::new(),
            },
            context: Facts::new(),
        })
    }

    pub(super) const fn action(&self) -> &EntityUid {
        &self.action
    }

    pub(super) fn uids(&self) -> (EntityUid, EntityUid, EntityUid) {
        (self.principal.uid.clone(), self.action.clone(), self.resource.uid.clone())
    }

    pub(super) fn entities(&self) -> Result<[Entity; 2], Box<EntityAttrEvaluationError>> {
        Ok([self.principal.entity()?, self.resource.entity()?])
    }

    pub(super) fn context(&self) -> Result<Context, Box<ContextCreationError>> {
        Context::from_pairs(self.context.clone()).map_err(Box::new)
    }
}

impl Subject {
    fn entity(&self) -> Result<Entity, Box<EntityAttrEvaluationError>> {
        Entity::new(self.uid.clone(), self.facts.clone(), self.parents.clone()).map_err(Box::new)
    }
}

fn facts(pairs: impl IntoIterator<Item = (&'static str, RestrictedExpression)>) -> Facts {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity(uid: EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid)
}

fn moment(at: Timestamp) -> RestrictedExpression {
    RestrictedExpression::new_long(at.seconds())
}
