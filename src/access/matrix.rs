//! The golden matrix: role x action x kind x organisation x situation, compared with a file in `tests/golden`.
//! `UPDATE_GOLDEN=1` writes it anew; read the difference before committing it.

use super::cedar::Question;
use super::fixture::{actor, bases, grant, now, organisation, person, policies};
use super::{
    Action, Approval, Denial, GrantFacts, OpeningRequest, Outside, Policies, Request, Resource, ResourceKind,
};
use crate::model::{GrantId, LegalBasisCode, OrganisationId, PermitId, PrivateText, RecordId, Role};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const HEAD: &str = "\
# What each role may do. Written by the tests of src/access; do not edit.
# + allowed   - refused, with reasons   . answered as if it did not exist
# own, other: the resource is of the actor's organisation, or of another one.
";

/// A resource of an organisation, with the grant under which it is asked for.
struct Situation {
    name: &'static str,
    resource: Resource,
    grant: Option<GrantFacts>,
}

#[test]
fn the_matrix_is_as_written() {
    let (text, tried) = render();
    let path = golden();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let changed = text.lines().zip(expected.lines()).find(|(is, was)| is != was);
    assert!(text == expected, "the access matrix changed; first difference (is, was): {changed:?}");
    assert!(tried > 3000, "only {tried} combinations tried");
}

#[test]
fn what_must_never_be_allowed_is_not() {
    let policies = policies();
    let content = |action: &Action| {
        matches!(
            action,
            Action::ListRecords
                | Action::SearchRecords
                | Action::ReadRecord
                | Action::ReadConversation
                | Action::ListVaultRecords
                | Action::ReadVaultView
                | Action::ReadDecision
                | Action::ListReviewItems
                | Action::ReviewRedaction
        )
    };
    for (role, action, organisation, situation) in combinations() {
        if !policies.whole_set_agrees(&question(&policies, role, action, &situation)) {
            panic!("{role} {} {}: the whole policy set decides otherwise", action.as_str(), situation.name);
        }
        let Ok(_) = ask(&policies, role, action, &situation) else { continue };
        let what = format!("{role} {} {} {organisation}", action.as_str(), situation.name);
        assert!(
            !content(&action) || !matches!(role, Role::Administrator | Role::Harvester | Role::Approver),
            "{what}"
        );
        assert!(action != Action::ApproveGrant || situation.name.contains("another's"), "{what}");
        let reads_own_grant = role == Role::Researcher && situation.grant.is_some();
        let elsewhere = reads_own_grant
            || role == Role::Public
            || role == Role::Reviewer
            || matches!(
                action,
                Action::RequestGrant | Action::ReadReceipt | Action::VerifyLedger | Action::ReadStatus
            );
        assert!(organisation == "own" || elsewhere, "{what}");
    }
}

fn render() -> (String, usize) {
    let policies = policies();
    let mut text = HEAD.to_owned();
    let (mut tried, mut unfit) = (0, 0);
    for action in Action::ALL.iter().filter(|action| **action != Action::OpenOriginal) {
        for kind in ResourceKind::ALL {
            let (mut table, mut count, mut any_fit) = (String::new(), 0, false);
            writeln!(table, "\n{} on {}\n  {}", action.as_str(), kind.as_str(), columns(*kind)).unwrap();
            for role in Role::ALL {
                let mut row = String::new();
                for organisation in ["own", "other"] {
                    row.push_str("  ");
                    for situation in situations(*kind, &self::organisation(organisation)) {
                        let outcome = ask(&policies, *role, *action, &situation);
                        any_fit |= !outcome.as_ref().is_err_and(|denial| denial.codes() == "access#schema");
                        row.push(mark(&outcome));
                        count += 1;
                    }
                }
                writeln!(table, "  {:24}{row}", role.as_str()).unwrap();
            }
            tried += count;
            if any_fit {
                text.push_str(&table);
            } else {
                unfit += count;
            }
        }
    }
    let (openings, opened) = openings(&policies);
    text.push_str(&openings);
    tried += opened;
    writeln!(text, "\n{tried} combinations; {unfit} of them ask what no policy can speak of, all denied")
        .unwrap();
    (text, tried)
}

fn ask(policies: &Policies, role: Role, action: Action, situation: &Situation) -> Result<(), Denial> {
    let actor = actor(role);
    let request = Request {
        actor: &actor,
        action,
        resource: &situation.resource,
        grant: situation.grant.as_ref(),
        now: now(),
    };
    policies.authorise(&request).map(|_| ())
}

fn question(policies: &Policies, role: Role, action: Action, situation: &Situation) -> Option<Question> {
    let actor = actor(role);
    let request = Request {
        actor: &actor,
        action,
        resource: &situation.resource,
        grant: situation.grant.as_ref(),
        now: now(),
    };
    Question::person(policies.names(), &request)
}

fn combinations() -> impl Iterator<Item = (Role, Action, &'static str, Situation)> {
    Role::ALL.iter().flat_map(|role| {
        Action::ALL.iter().flat_map(move |action| {
            ResourceKind::ALL.iter().flat_map(move |kind| {
                ["own", "other"].into_iter().flat_map(move |of| {
                    let each = situations(*kind, &organisation(of));
                    each.into_iter().map(move |situation| (*role, *action, of, situation))
                })
            })
        })
    })
}

fn columns(kind: ResourceKind) -> String {
    let names: Vec<&str> = situations(kind, &organisation("own")).iter().map(|s| s.name).collect();
    format!("own and other: {}", names.join(", "))
}

fn situations(kind: ResourceKind, of: &OrganisationId) -> Vec<Situation> {
    let organisation = of.clone();
    let plain = |resource| vec![Situation { name: "as it is", resource, grant: None }];
    match kind {
        ResourceKind::Collection | ResourceKind::Record | ResourceKind::Conversation => {
            in_reading_room(kind, of)
        }
        ResourceKind::VaultRecord => [false, true]
            .map(|assigned| {
                (assigned, Resource::VaultRecord { organisation: organisation.clone(), assigned })
            })
            .map(assignable)
            .into(),
        ResourceKind::Original => [false, true]
            .map(|assigned| (assigned, Resource::Original { organisation: organisation.clone(), assigned }))
            .map(assignable)
            .into(),
        ResourceKind::Channel => plain(Resource::Channel { organisation }),
        ResourceKind::Registry => plain(Resource::Registry { organisation }),
        ResourceKind::GrantFile => grant_files(of),
        ResourceKind::Receipt => [("own step", 1), ("another's step", 2)]
            .map(|(name, owner)| Situation {
                name,
                resource: Resource::Receipt { owner: person(owner) },
                grant: None,
            })
            .into(),
        ResourceKind::Ledger => plain(Resource::Ledger),
        ResourceKind::Service => plain(Resource::Service),
    }
}

fn assignable((assigned, resource): (bool, Resource)) -> Situation {
    Situation { name: if assigned { "in the own queue" } else { "not in the queue" }, resource, grant: None }
}

fn in_reading_room(kind: ResourceKind, of: &OrganisationId) -> Vec<Situation> {
    let active = GrantFacts { organisation: of.clone(), ..grant() };
    let ended = GrantFacts { until: now(), ..active.clone() };
    let revoked = GrantFacts { revoked: true, ..active.clone() };
    let someone_elses = GrantFacts { holder: person(2), ..active.clone() };
    let elsewhere = GrantFacts { organisation: organisation("third"), ..active.clone() };
    let another = GrantFacts { id: GrantId::from_uuid(Uuid::from_u128(2)), ..active.clone() };
    [
        ("no grant", false, None),
        ("active grant", false, Some(active)),
        ("ended grant", false, Some(ended)),
        ("revoked grant", false, Some(revoked)),
        ("someone else's grant", false, Some(someone_elses)),
        ("grant of a third organisation", false, Some(elsewhere)),
        ("grant that does not select it", false, Some(another)),
        ("published", true, None),
    ]
    .into_iter()
    .map(|(name, published, grant)| {
        let (organisation, selected_by) = (of.clone(), grant.as_ref().map(|_| self::grant().id));
        let resource = match kind {
            ResourceKind::Collection => Resource::Collection { organisation, published, selected_by },
            ResourceKind::Record => Resource::Record { organisation, published, selected_by },
            _ => Resource::Conversation { organisation, published, selected_by },
        };
        Situation { name, resource, grant }
    })
    .collect()
}

fn grant_files(of: &OrganisationId) -> Vec<Situation> {
    let (running, ended) = (Some(now().plus_seconds(60)), Some(now()));
    [
        ("another's request under a mandate", 2, running),
        ("another's request under an ended mandate", 2, ended),
        ("a request without a mandate", 2, None),
        ("own request under a mandate", 1, running),
    ]
    .into_iter()
    .map(|(name, requester, mandate_until)| Situation {
        name,
        resource: Resource::GrantFile {
            organisation: of.clone(),
            requester: person(requester),
            mandate_until,
        },
        grant: None,
    })
    .collect()
}

/// Name, legal basis, case number, motivation, who approved.
const OPENINGS: &[(&str, &str, &str, &str, Option<u128>)] = &[
    ("complete", "avg-15", "Z-1", "asked by the citizen", None),
    ("complete for reviewers", "quality-control", "Z-1", "a sample of the week", None),
    ("unknown basis", "because", "Z-1", "asked by the citizen", None),
    ("no case number", "avg-15", "", "asked by the citizen", None),
    ("no motivation", "avg-15", "Z-1", "", None),
    ("four eyes, one person", "criminal-procedure", "Z-1", "demanded by the court", Some(1)),
    ("four eyes, two persons", "criminal-procedure", "Z-1", "demanded by the court", Some(2)),
];

fn openings(policies: &Policies) -> (String, usize) {
    let names: Vec<&str> = OPENINGS.iter().map(|(name, ..)| *name).collect();
    let mut text = format!(
        "\nopen-original on Original\n  own, own in the queue, other, other in the queue: {}\n",
        names.join(", ")
    );
    let mut tried = 0;
    for role in Role::ALL {
        let mut row = String::new();
        for (of, assigned) in [("own", false), ("own", true), ("other", false), ("other", true)] {
            row.push_str("  ");
            for opening in OPENINGS {
                row.push(mark(&open(policies, *role, &organisation(of), assigned, opening)));
                tried += 1;
            }
        }
        writeln!(text, "  {:24}{row}", role.as_str()).unwrap();
    }
    (text, tried)
}

fn open(
    policies: &Policies,
    role: Role,
    of: &OrganisationId,
    assigned: bool,
    &(_, basis, case_number, motivation, approver): &(&str, &str, &str, &str, Option<u128>),
) -> Result<(), Denial> {
    let record = RecordId::from_uuid(Uuid::nil());
    let basis: LegalBasisCode = basis.parse().unwrap();
    let approval = approver.map(|id| Approval {
        approver: super::Actor { id: person(id), ..actor(Role::Official) },
        requester: person(1),
        record,
        basis: basis.clone(),
        at: now(),
    });
    let request = OpeningRequest {
        actor: &actor(role),
        record,
        organisation: of,
        assigned,
        basis: &basis,
        case_number: &PrivateText::from(case_number),
        motivation: &PrivateText::from(motivation),
        approval: approval.as_ref(),
        under: None,
        restricted: false,
        now: now(),
    };
    policies.authorise_opening(&request, &bases(), PermitId::from_uuid(Uuid::nil())).map(|_| ())
}

fn mark(outcome: &Result<(), Denial>) -> char {
    match outcome.as_ref().map_err(Denial::outside) {
        Ok(()) => '+',
        Err(Outside::Refused) => '-',
        Err(Outside::Absent) => '.',
    }
}

/// Beside the source file, so that it is found from wherever the tests run.
fn golden() -> PathBuf {
    let root = Path::new(file!()).ancestors().nth(3).unwrap();
    root.join("tests/golden/access-matrix.out")
}
