use super::super::fixture::{FILES, SCHEMA, actor, grant, now, organisation, policies};
use super::super::{Action, Outside, Request, Resource, SystemAct, SystemActKind};
use super::*;
use crate::model::{GrantId, PermitId, RecordId, Role};
use uuid::Uuid;

const RECEIPTS: &str = r#"@id("a") @text("t") @scope("s") @clause_1("c")
permit (principal, action == Knik::Action::"read-receipt", resource) when { resource.owner == principal };"#;

fn problems(schema: &str, files: &[(&str, &str)]) -> String {
    Policies::load(schema, files).unwrap_err().to_string()
}

#[test]
fn shipped_policies_load_and_name_their_plans() {
    let policies = policies();
    assert_eq!(policies.plans().collect::<Vec<_>>(), ["official", "public", "researcher", "reviewer"]);
    assert!(policies.text_of("researcher-never-opens-original").is_some());
    let english_only = policies.texts.values().filter(|text| text.dutch.is_none()).map(|text| &text.id);
    assert_eq!(
        english_only.collect::<Vec<_>>(),
        [""; 0],
        "say these in Dutch too: @text_nl, @scope_nl, @clause_N_nl"
    );
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&policies);
}

#[test]
fn a_policy_that_does_not_say_what_it_is_is_refused() {
    let cases = [
        (RECEIPTS.replace(r#"@id("a")"#, ""), "no usable @id"),
        (RECEIPTS.replace(r#"@id("a")"#, r#"@id("A b")"#), "no usable @id"),
        (RECEIPTS.replace(r#"@text("t")"#, ""), "needs @text"),
        (RECEIPTS.replace(r#"@scope("s")"#, ""), "needs @scope"),
        (RECEIPTS.replace(r#"@clause_1("c")"#, ""), "needs @clause_1"),
        (
            RECEIPTS.replace(r#"@clause_1("c")"#, r#"@clause_1("c") @clause_2("d")"#),
            "2 @clause_N for 1 clauses",
        ),
        (RECEIPTS.replace(r#"@text("t")"#, r#"@text("t") @colour("red")"#), "@colour"),
        (RECEIPTS.replace(r#"@text("t")"#, r#"@text("t") @text_nl("t")"#), "needs @clause_1_nl"),
        (format!("{RECEIPTS}\n{RECEIPTS}"), "is taken"),
        (RECEIPTS.replace("owner", "ownre"), "does not fit the schema"),
        (RECEIPTS.replace("Knik::Action", "Action"), "does not fit the schema"),
        (
            RECEIPTS.replace("(principal,", r#"(principal in Knik::Role::"reseacher","#),
            "does not fit the schema",
        ),
        (RECEIPTS.replace("(principal,", "(principal == ?principal,"), "template"),
        (RECEIPTS.replace("permit", "allow"), "does not parse"),
        (RECEIPTS.replace("permit", "@plan(\"x\") forbid"), "remove it"),
        (String::new(), "there is no policy"),
    ];
    assert!(Policies::load(SCHEMA, &[("f.cedar", RECEIPTS)]).is_ok());
    for (text, expected) in cases {
        let told = problems(SCHEMA, &[("f.cedar", &text)]);
        assert!(told.contains(expected), "{told}\nlacks {expected}");
        assert!(expected.starts_with("there is") || told.contains("f.cedar"), "{told}");
    }
}

#[test]
fn problems_of_all_files_come_at_once() {
    let told = problems(
        SCHEMA,
        &[("one.cedar", "permit ("), ("two.cedar", "permit (principal, action, resource);")],
    );
    assert!(told.contains("one.cedar") && told.contains("two.cedar"), "{told}");
}

#[test]
fn a_schema_must_have_what_the_code_asks_about() {
    let cases = [
        (SCHEMA.replace("action \"verify-ledger\"", "action \"verify\""), "verify-ledger"),
        (SCHEMA.replace("action \"know-of\"", "action \"know\""), "know-of"),
        ("namespace Knik {".to_owned(), "access schema"),
        (SCHEMA.replace(", \"administrator\"]", "]"), "administrator"),
        (SCHEMA.replace("entity Receipt = { owner", "entity Receipt = { holder"), "holder"),
        (SCHEMA.replace("size: Long }", "size: Long, kind: String }"), "kind"),
        (SCHEMA.replace("entity Service;", "entity Service = { up: Bool };"), "up"),
    ];
    for (schema, expected) in cases {
        let told = problems(&schema, FILES);
        assert!(told.contains(expected), "{told}\nlacks {expected}");
    }
}

#[test]
fn an_empty_policy_set_for_an_action_denies_it() {
    let policies = Policies::load(SCHEMA, &[("f.cedar", RECEIPTS)]).unwrap();
    let actor = actor(Role::RecordsManager);
    let ask = Request {
        actor: &actor,
        action: Action::VerifyLedger,
        resource: &Resource::Ledger,
        grant: None,
        now: now(),
    };
    let denial = policies.authorise(&ask).unwrap_err();
    assert_eq!(denial.codes(), "access#no-permit");
    assert_eq!(denial.outside(), Outside::Absent, "without know-of policies nothing is known");
}

#[test]
fn a_policy_that_fails_to_evaluate_denies_although_another_permits() {
    let failing = r#"@id("overflows") @text("t") @scope("s") @clause_1("c")
        forbid (principal, action == Knik::Action::"verify-ledger", resource)
        when { context.now + 9223372036854775807 < 0 };"#;
    let actor = actor(Role::RecordsManager);
    let ask = Request {
        actor: &actor,
        action: Action::VerifyLedger,
        resource: &Resource::Ledger,
        grant: None,
        now: now(),
    };
    assert!(policies().authorise(&ask).is_ok());
    let mut files = FILES.to_vec();
    files.push(("failing.cedar", failing));
    let denial = Policies::load(SCHEMA, &files).unwrap().authorise(&ask).unwrap_err();
    assert_eq!(denial.codes(), "overflows#failed");
}

#[test]
fn a_request_for_something_the_schema_does_not_let_be_asked_is_denied() {
    let (policies, manager) = (policies(), actor(Role::RecordsManager));
    let ask = Request {
        actor: &manager,
        action: Action::VerifyLedger,
        resource: &Resource::Service,
        grant: None,
        now: now(),
    };
    let denial = policies.authorise(&ask).unwrap_err();
    assert_eq!((denial.codes().as_str(), denial.outside()), ("access#schema", Outside::Refused));
}

#[test]
fn permits_that_disagree_on_the_plan_are_a_denial() {
    let second = r#"@id("second") @text("t") @scope("s") @plan("open")
        permit (principal in Knik::Role::"official", action == Knik::Action::"read-vault-view", resource);"#;
    let mut files = FILES.to_vec();
    files.push(("second.cedar", second));
    let actor = actor(Role::Official);
    let resource = Resource::VaultRecord { organisation: organisation("own"), assigned: None };
    let ask = Request {
        actor: &actor,
        action: Action::ReadVaultView,
        resource: &resource,
        grant: None,
        now: now(),
    };
    assert_eq!(policies().authorise(&ask).unwrap().plan(), Some("official"));
    let denial = Policies::load(SCHEMA, &files).unwrap().authorise(&ask).unwrap_err();
    assert_eq!(denial.codes(), "official-reads-own-organisation#plan, second#plan");
}

#[test]
fn a_denial_names_each_clause_that_failed() {
    let policies = policies();
    let researcher = actor(Role::Researcher);
    let held = grant();
    let resource =
        |selected_by| Resource::Record { organisation: organisation("own"), published: false, selected_by };
    let mine = resource(Some(held.id));
    let other = resource(Some(GrantId::from_uuid(Uuid::from_u128(9))));
    let mut ended = grant();
    ended.until = now();
    ended.revoked = true;
    let mut files = grant();
    files.export = true;
    let cases = [
        (&mine, Some(&files), vec![7], Outside::Refused),
        (&mine, None, vec![1], Outside::Absent),
        (&mine, Some(&ended), vec![5, 6], Outside::Refused),
        (&other, Some(&held), vec![4], Outside::Absent),
    ];
    for (resource, grant, clauses, outside) in cases {
        let ask = Request { actor: &researcher, action: Action::ReadRecord, resource, grant, now: now() };
        let denial = policies.authorise(&ask).unwrap_err();
        let mut expected = vec!["public-reads-what-is-published#scope".to_owned()];
        expected.extend(clauses.iter().map(|n| format!("researcher-reads-under-grant#{n}")));
        assert_eq!((denial.codes(), denial.outside()), (expected.join(", "), outside));
    }
    let ask = Request {
        actor: &researcher,
        action: Action::ReadRecord,
        resource: &mine,
        grant: Some(&held),
        now: now(),
    };
    let allowed = policies.authorise(&ask).unwrap();
    assert_eq!(
        (allowed.plan(), allowed.policies()),
        (Some("researcher"), &["researcher-reads-under-grant".to_owned()][..])
    );
}

#[test]
fn a_batch_is_permitted_within_its_bounds() {
    let policies = policies();
    let permit = PermitId::from_uuid(Uuid::from_u128(5));
    for (size, allowed) in [(0_u128, false), (1, true), (4096, true), (4097, false)] {
        let records = (0..size).map(|n| RecordId::from_uuid(Uuid::from_u128(n))).collect();
        let act = SystemAct { kind: SystemActKind::Redetect, organisation: organisation("own"), records };
        let minted = policies.authorise_system(act, permit);
        assert_eq!(minted.is_ok(), allowed, "{size}");
        if let Ok(minted) = minted {
            assert_eq!((minted.id(), minted.records().len() as u128), (permit, size));
            assert!(minted.covers(RecordId::from_uuid(Uuid::from_u128(0))));
            assert!(!minted.covers(RecordId::from_uuid(Uuid::from_u128(size))));
        }
    }
}

#[test]
fn separation_of_duties_holds_although_a_policy_permits_everything() {
    let loose = ["content", "decide", "within-organisation"].map(|group| {
        format!(
            r#"@id("loose-{group}") @text("t") @scope("s") permit (principal, action in Knik::Action::"{group}", resource);"#
        )
    });
    let mut files = FILES.to_vec();
    files.extend(loose.iter().map(|text| ("loose.cedar", text.as_str())));
    let policies = Policies::load(SCHEMA, &files).unwrap();
    let view = |of| Resource::VaultRecord { organisation: organisation(of), assigned: None };
    let request = |requester| Resource::GrantFile {
        organisation: organisation("own"),
        requester: super::super::fixture::person(requester),
        mandate_until: None,
    };
    let cases = [
        (Role::Approver, Action::ReadDecision, view("own"), None),
        (Role::Approver, Action::ReadDecision, view("other"), Some("organisations-are-apart")),
        (Role::Reviewer, Action::ReadDecision, view("other"), Some("organisations-are-apart")),
        (Role::Administrator, Action::ReadDecision, view("own"), Some("administrator-sees-no-content")),
        (Role::Harvester, Action::ReadDecision, view("own"), Some("harvester-only-delivers")),
        (Role::Harvester, Action::ApproveGrant, request(2), Some("harvester-decides-nothing")),
        (
            Role::DataProtectionOfficer,
            Action::PublishRecord,
            view("own"),
            Some("data-protection-officer-decides-nothing"),
        ),
        (Role::Official, Action::ApproveGrant, request(2), None),
        (Role::Official, Action::ApproveGrant, request(1), Some("nobody-approves-own-request")),
    ];
    for (role, action, resource, forbidden) in cases {
        let actor = actor(role);
        let ask = Request { actor: &actor, action, resource: &resource, grant: None, now: now() };
        let codes = policies.authorise(&ask).err().map(|denial| denial.codes());
        assert_eq!(codes.as_deref(), forbidden, "{role} {}", action.as_str());
    }
}
