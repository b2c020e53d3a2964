//! The golden matrix: role x action x kind x organisation x situation, compared with a file in `tests/golden`.
//! `UPDATE_GOLDEN=1` writes it anew; read the difference before committing it.

use super::cedar::Question;
use super::fixture::{FILES, SCHEMA, actor, bases, now, organisation, person, policies};
use super::situations::{Cast, Situation};
use super::{
    Action, Approval, Assignment, Denial, OpeningRequest, Outside, Policies, Request, ResourceKind,
    SystemAct, SystemActKind,
};
use crate::model::{LegalBasisCode, OrganisationId, PermitId, PrivateText, RecordId, Role};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const HEAD: &str = "\
# What each role may do. Written by the tests of src/access; do not edit.
# + allowed   - refused, with reasons   . answered as if it did not exist
# own, other: the resource is of the actor's organisation, or of another one.
";

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
    assert_eq!(policies.breaches(now()).unwrap(), []);
    // Each rule is one that policies could break: without the walls and conditions they do.
    let loosened = [
        ("separation.cedar", "forbid (principal in Knik::Role::\"administrator\"", "administrator"),
        ("stewardship.cedar", "when { context.now < resource.mandateUntil }", "mandate"),
        ("reading-room.cedar", "when { context.now < context.grant.until }", "grant"),
        ("reading-room.cedar", "when { !context.grant.export }", "in the place of views"),
        (
            "vault.cedar",
            "when { if resource has assignedUntil then context.now < resource.assignedUntil else true }",
            "assignment",
        ),
    ];
    for (file, taken_out, word) in loosened {
        let broken = broken(file, taken_out);
        let found = broken.breaches(now()).unwrap();
        assert!(found.iter().any(|breach| breach.rule.contains(word)), "{file} {word}: {found:?}");
    }
}

/// The shipped policies with one condition made always true (or, for a forbid, never).
fn broken(file: &str, condition: &str) -> Policies {
    let files: Vec<(&str, String)> = FILES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    let files: Vec<(&str, String)> = files
        .into_iter()
        .map(|(name, text)| {
            if name != file {
                return (name, text);
            }
            assert!(text.contains(condition), "{file} has no `{condition}`");
            let always = if condition.starts_with("forbid") {
                // Administrators may list records, and nothing forbids it.
                return (name, format!("{}\n{LETS_ADMINISTRATORS_IN}", text.replace(condition, NEVER)));
            } else {
                "when { true }"
            };
            (name, text.replace(condition, always))
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Policies::load(SCHEMA, &files).unwrap()
}

const NEVER: &str = "forbid (principal in Knik::Role::\"public\"";
const LETS_ADMINISTRATORS_IN: &str = r#"
@id("lets-administrators-in")
@text("an administrator lists records")
@scope("the role must be administrator")
permit (principal in Knik::Role::"administrator", action == Knik::Action::"list-vault-records", resource);
"#;

#[test]
fn the_policies_of_an_action_decide_as_all_of_them_do() {
    let (policies, cast) = (policies(), Cast::at(now()).unwrap());
    for (kind, (side, of)) in ResourceKind::ALL.iter().flat_map(|kind| cast.sides().map(|of| (kind, of))) {
        for situation in cast.situations(*kind, of) {
            for (role, action) in
                Role::ALL.iter().flat_map(|role| Action::ALL.iter().map(move |action| (*role, *action)))
            {
                if !policies.whole_set_agrees(&question(&policies, role, action, &situation)) {
                    panic!(
                        "{role} {} {side} {}: the whole set decides otherwise",
                        action.as_str(),
                        situation.name
                    );
                }
            }
        }
    }
}

fn render() -> (String, usize) {
    let (policies, cast) = (policies(), Cast::at(now()).unwrap());
    let mut text = HEAD.to_owned();
    let (mut tried, mut unfit) = (0, 0);
    for action in Action::ALL.iter().filter(|action| **action != Action::OpenOriginal) {
        for kind in ResourceKind::ALL {
            let (mut table, mut count, mut any_fit) = (String::new(), 0, false);
            writeln!(table, "\n{} on {}\n  {}", action.as_str(), kind.as_str(), columns(&cast, *kind))
                .unwrap();
            for role in Role::ALL {
                let mut row = String::new();
                for (_, of) in cast.sides() {
                    row.push_str("  ");
                    for situation in cast.situations(*kind, of) {
                        let outcome = cast.ask(&policies, *role, *action, &situation).map(|_| ());
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
    let (approvals, approved) = approvals(&policies);
    text.push_str(&approvals);
    tried += approved;
    let (acts, acted) = system_acts(&policies);
    text.push_str(&acts);
    tried += acted;
    writeln!(text, "\n{tried} combinations; {unfit} of them ask what no policy can speak of, all denied")
        .unwrap();
    (text, tried)
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

fn columns(cast: &Cast, kind: ResourceKind) -> String {
    let names: Vec<&str> = cast.situations(kind, &organisation("own")).iter().map(|s| s.name).collect();
    format!("own and other: {}", names.join(", "))
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
        "\nopen-original on Original\n  own and other, each not in the queue, in the own queue, under an assignment, \
         under one that ended: {}\n",
        names.join(", ")
    );
    let mut tried = 0;
    for role in Role::ALL {
        let mut row = String::new();
        let until = |seconds| Some(Assignment { until: Some(now().plus_seconds(seconds)) });
        let assignments = [None, Some(Assignment::OWN), until(1), until(0)];
        for (of, assigned) in
            ["own", "other"].iter().flat_map(|of| assignments.map(|assigned| (of, assigned)))
        {
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
    assigned: Option<Assignment>,
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

/// Who may be the second person of an opening by person 1, of the organisation `own`: by role and organisation of the
/// approver, another person and the same.
fn approvals(policies: &Policies) -> (String, usize) {
    let mut text = "\napprove-opening on Original\n  own and other: another person, the same person, another who approved \
                    another's, for another record, for another basis, too long ago\n"
        .to_owned();
    let mut tried = 0;
    for role in Role::ALL {
        let mut row = String::new();
        for of in ["own", "other"] {
            row.push_str("  ");
            for case in 0..6 {
                let mut given = approval(*role, of);
                match case {
                    1 => given.approver.id = person(1),
                    2 => given.requester = person(3),
                    3 => given.record = RecordId::from_uuid(Uuid::max()),
                    4 => given.basis = "woo-request".parse().unwrap(),
                    5 => given.at = now().plus_seconds(-10_000 * 86_400),
                    _ => {}
                }
                row.push(mark(&open_approved(policies, &given)));
                tried += 1;
            }
        }
        writeln!(text, "  {:24}{row}", role.as_str()).unwrap();
    }
    (text, tried)
}

fn approval(role: Role, of: &str) -> Approval {
    Approval {
        approver: super::Actor { id: person(2), role, organisation: organisation(of) },
        requester: person(1),
        record: RecordId::from_uuid(Uuid::nil()),
        basis: "criminal-procedure".parse().unwrap(),
        at: now(),
    }
}

fn open_approved(policies: &Policies, approval: &Approval) -> Result<(), Denial> {
    let request = OpeningRequest {
        actor: &actor(Role::Official),
        record: RecordId::from_uuid(Uuid::nil()),
        organisation: &organisation("own"),
        assigned: None,
        basis: &"criminal-procedure".parse::<LegalBasisCode>().unwrap(),
        case_number: &PrivateText::from("Z-1"),
        motivation: &PrivateText::from("demanded by the court"),
        approval: Some(approval),
        under: None,
        restricted: false,
        now: now(),
    };
    policies.authorise_opening(&request, &bases(), PermitId::from_uuid(Uuid::nil())).map(|_| ())
}

/// What the vault does by itself, by the size of the batch.
fn system_acts(policies: &Policies) -> (String, usize) {
    let sizes = [0, 1, 4_096, 4_097];
    let mut text = "\nacts of the vault on a batch of 0, 1, 4096, 4097 records\n".to_owned();
    for kind in SystemActKind::ALL {
        let ask = |size: u128| {
            let records = (0..size).map(|n| RecordId::from_uuid(Uuid::from_u128(n))).collect();
            let act = SystemAct { kind: *kind, organisation: organisation("own"), records };
            policies.authorise_system(act, PermitId::from_uuid(Uuid::nil())).map(|_| ())
        };
        let row: String = sizes.iter().map(|size| mark(&ask(*size))).collect();
        writeln!(text, "  {:24}  {row}", kind.as_str()).unwrap();
    }
    (text, SystemActKind::ALL.len() * sizes.len())
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
