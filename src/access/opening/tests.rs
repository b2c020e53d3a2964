use super::super::Outside;
use super::super::fixture::{FILES, SCHEMA, actor, bases, now, organisation, person, policies};
use super::*;
use uuid::Uuid;

/// One opening, and how it may differ from one that is allowed.
struct Case {
    role: Role,
    organisation: &'static str,
    assigned: Option<Assignment>,
    basis: &'static str,
    case_number: String,
    motivation: String,
    approval: Option<Approval>,
}

impl Case {
    fn good() -> Self {
        Self {
            role: Role::Official,
            organisation: "own",
            assigned: None,
            basis: "avg-15",
            case_number: "Z-2026-0042".to_owned(),
            motivation: "the citizen asked for a copy".to_owned(),
            approval: None,
        }
    }

    fn ask(&self, policies: &Policies) -> Result<Permit, Denial> {
        let (actor, organisation) = (actor(self.role), organisation(self.organisation));
        let (case_number, motivation) =
            (PrivateText::new(self.case_number.clone()), PrivateText::new(self.motivation.clone()));
        let request = OpeningRequest {
            actor: &actor,
            record: RecordId::from_uuid(Uuid::from_u128(7)),
            organisation: &organisation,
            assigned: self.assigned,
            basis: &self.basis.parse().unwrap(),
            case_number: &case_number,
            motivation: &motivation,
            approval: self.approval.as_ref(),
            under: None,
            restricted: false,
            now: now(),
        };
        assert!(!format!("{request:?}").contains("citizen"), "Debug shows the motivation");
        policies.authorise_opening(&request, &bases(), PermitId::from_uuid(Uuid::from_u128(8)))
    }
}

fn approval(by: u128, role: Role, days_ago: i64) -> Option<Approval> {
    let mut approver = actor(role);
    approver.id = person(by);
    Some(Approval {
        approver,
        requester: person(1),
        record: RecordId::from_uuid(Uuid::from_u128(7)),
        basis: "criminal-procedure".parse().unwrap(),
        at: now().plus_seconds(-86_400 * days_ago),
    })
}

#[test]
fn an_opening_is_permitted_with_its_basis_case_and_motivation() {
    let permit = Case::good().ask(&policies()).unwrap();
    assert_eq!(permit.record(), RecordId::from_uuid(Uuid::from_u128(7)));
    assert_eq!((permit.actor(), permit.organisation().as_str()), (person(1), "own"));
    assert_eq!(permit.basis().as_str(), "avg-15");
    let reviewer = Case {
        role: Role::Reviewer,
        organisation: "other",
        assigned: Some(Assignment::OWN),
        basis: "quality-control",
        ..Case::good()
    };
    assert!(reviewer.ask(&policies()).is_ok(), "a reviewer of an external agency, own queue");
}

#[test]
fn what_is_missing_is_told_all_at_once() {
    let cases = [
        (Case { basis: "because", ..Case::good() }, "basis-known, access#basis-usable, access#second-person"),
        (Case { basis: "quality-control", ..Case::good() }, "access#basis-usable"),
        (Case { case_number: String::new(), ..Case::good() }, "access#case-number"),
        (Case { case_number: " ".to_owned(), ..Case::good() }, "access#case-number"),
        (Case { case_number: "a\nb".to_owned(), ..Case::good() }, "access#case-number"),
        (Case { case_number: "9".repeat(65), ..Case::good() }, "access#case-number"),
        (Case { motivation: "   needed   ".to_owned(), ..Case::good() }, "access#motivation"),
        (Case { motivation: "1234567890".to_owned(), ..Case::good() }, "access#motivation"),
        (Case { motivation: "é".repeat(2001), ..Case::good() }, "access#motivation"),
        (
            Case { case_number: String::new(), motivation: String::new(), ..Case::good() },
            "access#case-number, access#motivation",
        ),
    ];
    for (case, expected) in cases {
        let denial = case.ask(&policies()).unwrap_err();
        assert!(denial.codes().contains(expected), "{} lacks {expected}", denial.codes());
        assert_eq!(denial.outside(), Outside::Refused, "an official knows of own records: {expected}");
    }
}

#[test]
fn nobody_else_opens_and_most_do_not_learn_that_there_is_one() {
    for role in Role::ALL {
        for organisation in ["own", "other"] {
            for in_queue in [false, true] {
                for basis in ["avg-15", "quality-control"] {
                    let assigned = in_queue.then_some(Assignment::OWN);
                    let case = Case { role: *role, organisation, assigned, basis, ..Case::good() };
                    let allowed = case.ask(&policies()).is_ok();
                    let expected = match role {
                        Role::Official => organisation == "own" && basis == "avg-15",
                        Role::Reviewer => in_queue && basis == "quality-control",
                        _ => false,
                    };
                    assert_eq!(allowed, expected, "{role} {organisation} in queue {in_queue} {basis}");
                }
            }
        }
    }
    for role in [Role::Public, Role::Researcher, Role::Harvester, Role::Administrator] {
        assert_eq!(
            Case { role, ..Case::good() }.ask(&policies()).unwrap_err().outside(),
            Outside::Absent,
            "{role}"
        );
    }
    let other = Case { organisation: "other", ..Case::good() };
    assert_eq!(other.ask(&policies()).unwrap_err().outside(), Outside::Absent);
}

#[test]
fn four_eyes_are_those_of_two_persons() {
    let cases = [
        (None, false),
        (approval(1, Role::Official, 1), false),
        (approval(1, Role::Approver, 1), false),
        (approval(2, Role::Official, 1), true),
        (approval(2, Role::Approver, 0), true),
        (approval(2, Role::Researcher, 1), false),
        (approval(2, Role::DataProtectionOfficer, 1), false),
        (approval(2, Role::Official, -1), false),
        (approval(2, Role::Official, 14), false),
        (approval(2, Role::Official, 13), true),
        (
            approval(2, Role::Official, 1).map(|mut a| {
                a.approver.organisation = organisation("other");
                a
            }),
            false,
        ),
    ];
    let good = approval(2, Role::Official, 1).unwrap();
    let others = [
        Approval { requester: person(3), ..good.clone() },
        Approval { record: RecordId::from_uuid(Uuid::from_u128(9)), ..good.clone() },
        Approval { basis: "research".parse().unwrap(), ..good },
    ];
    let cases = cases.into_iter().chain(others.map(|approval| (Some(approval), false)));
    for (n, (approval, allowed)) in cases.enumerate() {
        let case = Case { basis: "criminal-procedure", approval, ..Case::good() };
        assert_eq!(case.ask(&policies()).is_ok(), allowed, "case {n}");
    }
}

#[test]
fn a_policy_file_that_permits_everything_opens_nothing_without_its_grounds() {
    let loose = r#"@id("loose") @text("t") @scope("s") permit (principal, action == Knik::Action::"open-original", resource);"#;
    let files: Vec<(&str, &str)> = FILES
        .iter()
        .copied()
        .filter(|(name, _)| *name != "separation.cedar")
        .chain([("loose.cedar", loose)])
        .collect();
    let policies = Policies::load(SCHEMA, &files).unwrap();
    assert!(Case::good().ask(&policies).is_ok());
    for case in [
        Case { role: Role::Researcher, ..Case::good() },
        Case { role: Role::Administrator, ..Case::good() },
        Case { organisation: "other", ..Case::good() },
        Case { basis: "because", ..Case::good() },
        Case { motivation: String::new(), ..Case::good() },
        Case { basis: "criminal-procedure", ..Case::good() },
    ] {
        assert!(case.ask(&policies).is_err());
    }
}

#[test]
fn an_original_is_never_authorised_as_an_ordinary_request() {
    let (policies, official) = (policies(), actor(Role::Official));
    let resource = Resource::Original { organisation: organisation("own"), assigned: None };
    let ask = Request {
        actor: &official,
        action: Action::OpenOriginal,
        resource: &resource,
        grant: None,
        now: now(),
    };
    assert_eq!(policies.authorise(&ask).unwrap_err().codes(), "access#opening");
}

fn file(change: impl FnOnce(&mut OpeningFile)) -> OpeningFile {
    let mut file = OpeningFile {
        id: crate::model::GrantId::from_uuid(Uuid::from_u128(3)),
        organisation: organisation("own"),
        holder: person(1),
        basis: "incident".parse().unwrap(),
        scope: OpeningScope::Record,
        records: [RecordId::from_uuid(Uuid::from_u128(7))].into(),
        until: now().plus_seconds(60),
        ended: false,
        break_glass: true,
        justify_until: Some(now().plus_seconds(30)),
        approval: None,
    };
    change(&mut file);
    file
}

fn under(file: &OpeningFile, restricted: bool) -> Result<Permit, Denial> {
    let (actor, own) = (actor(Role::Official), organisation("own"));
    let request = OpeningRequest {
        actor: &actor,
        record: RecordId::from_uuid(Uuid::from_u128(7)),
        organisation: &own,
        assigned: None,
        basis: &"incident".parse().unwrap(),
        case_number: &"Z-2026-0042".into(),
        motivation: &"the server is being emptied".into(),
        approval: None,
        under: Some(file),
        restricted,
        now: now(),
    };
    policies().authorise_opening(&request, &bases(), PermitId::from_uuid(Uuid::from_u128(8)))
}

#[test]
fn a_request_must_hold_in_every_way() {
    assert!(under(&file(|_| {}), false).is_ok(), "at once, within its time");
    assert!(under(&file(|_| {}), true).is_ok(), "an incident opens what is restricted");
    type Change = fn(&mut OpeningFile);
    let cases: [(&str, Change); 8] = [
        ("access#own-request", |file| file.holder = person(2)),
        ("access#same-basis", |file| file.basis = "avg-15".parse().unwrap()),
        ("access#reach", |file| file.records.clear()),
        ("access#reach", |file| file.scope = OpeningScope::Find),
        ("access#reach", |file| file.organisation = organisation("other")),
        ("access#not-ended", |file| file.ended = true),
        ("access#runs", |file| file.until = now()),
        ("access#justified", |file| file.justify_until = Some(now())),
    ];
    for (code, change) in cases {
        let denial = under(&file(change), false).unwrap_err();
        assert!(denial.codes().contains(code), "{code}: {}", denial.codes());
    }
    let calm = under(&file(|file| file.break_glass = false), false).unwrap_err();
    assert!(calm.codes().contains("access#second-person"), "{}", calm.codes());
}

#[test]
fn what_is_restricted_opens_under_some_bases_only() {
    let ask = |basis: &str, restricted| {
        let (actor, own) = (actor(Role::Official), organisation("own"));
        let request = OpeningRequest {
            actor: &actor,
            record: RecordId::from_uuid(Uuid::from_u128(7)),
            organisation: &own,
            assigned: None,
            basis: &basis.parse().unwrap(),
            case_number: &"Z-2026-0042".into(),
            motivation: &"asked by the citizen".into(),
            approval: None,
            under: None,
            restricted,
            now: now(),
        };
        policies().authorise_opening(&request, &bases(), PermitId::from_uuid(Uuid::from_u128(8)))
    };
    assert!(ask("woo-request", false).is_ok() && ask("avg-15", true).is_ok());
    assert!(ask("woo-request", true).unwrap_err().codes().contains("access#restricted"));
}
