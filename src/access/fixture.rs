//! The shipped policies and a small cast, for the tests of this room.

use super::{Actor, GrantFacts, LegalBases, Policies};
use crate::model::{ActorId, GrantId, OrganisationId, Role, Timestamp};
use uuid::Uuid;

pub(super) const SCHEMA: &str = include_str!("../../policies/access/schema.cedarschema");

pub(super) const FILES: &[(&str, &str)] = &[
    ("reading-room.cedar", include_str!("../../policies/access/reading-room.cedar")),
    ("vault.cedar", include_str!("../../policies/access/vault.cedar")),
    ("openings.cedar", include_str!("../../policies/access/openings.cedar")),
    ("stewardship.cedar", include_str!("../../policies/access/stewardship.cedar")),
    ("separation.cedar", include_str!("../../policies/access/separation.cedar")),
    ("existence.cedar", include_str!("../../policies/access/existence.cedar")),
    ("system.cedar", include_str!("../../policies/access/system.cedar")),
];

pub(super) fn policies() -> Policies {
    Policies::load(SCHEMA, FILES).unwrap()
}

pub(super) fn bases() -> LegalBases {
    LegalBases::load("legal-bases.yaml", include_str!("../../policies/legal-bases.yaml")).unwrap()
}

pub(super) fn now() -> Timestamp {
    "2026-05-04T09:30:00Z".parse().unwrap()
}

pub(super) fn organisation(name: &str) -> OrganisationId {
    name.parse().unwrap()
}

pub(super) fn person(number: u128) -> ActorId {
    ActorId::from_uuid(Uuid::from_u128(number))
}

/// Person 1, of the organisation `own`.
pub(super) fn actor(role: Role) -> Actor {
    Actor { id: person(1), role, organisation: organisation("own") }
}

/// Grant 1, held by person 1, of the organisation `own`, for another day.
pub(super) fn grant() -> GrantFacts {
    GrantFacts {
        id: GrantId::from_uuid(Uuid::from_u128(1)),
        holder: person(1),
        organisation: organisation("own"),
        until: now().plus_seconds(86_400),
        revoked: false,
        export: false,
    }
}
