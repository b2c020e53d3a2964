//! What is refused, and that nothing leaves then.

use super::stage::{ORGANISATION, Stage, content, posts, reader, stopped};
use knik::access::{Actor, Policies};
use knik::ledger::{Entry, EntryKind};
use knik::model::{ExportId, ExportState, GrantId, RecordRef, ReportKind, RequestState, RequestStep, Role};
use knik::reading_room::{ReadingError, ReadingRoom, SearchRequest, Selection};
use knik::redact::Language;
use knik::redact::copy::{CopyRow, MANIFEST, Manifest, sha256_hex};
use knik::vault::exports::{self, Letting};
use knik::vault::publications::{self, Publishing};
use knik::vault::requests::{self, Deciding};
use knik::vault::{VaultError, grants};
use uuid::Uuid;

fn id() -> ExportId {
    ExportId::from_uuid(Uuid::new_v4())
}

#[track_caller]
fn refused<T>(outcome: Result<T, ReadingError>, code: &str) {
    match outcome {
        Err(ReadingError::Refused(denial)) => assert!(denial.codes().contains(code), "{}", denial.codes()),
        Err(other) => panic!("{other} is not refused for {code}"),
        Ok(_) => panic!("not refused for {code}"),
    }
}

async fn letting(stage: &Stage, by: &Actor, id: ExportId) -> Result<(), VaultError> {
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    exports::let_go(archive, rules, by, id, Letting::Release, "Akkoord.").await.map(drop)
}

#[tokio::test]
async fn files_are_asked_for_under_a_grant_for_files_that_holds() {
    let stage = Stage::new(911, &posts(24), 1_000).await;
    let room = stage.room();
    let nobody = room.start_export(&reader("onderzoeker-9"), None, id()).await;
    assert!(matches!(nobody, Err(ReadingError::Absent)), "no grant");
    let view =
        stage.grant("onderzoeker-1", content("researcher", "view", "2026-03-01", "2026-03-31"), None).await;
    refused(
        room.start_export(&reader("onderzoeker-1"), Some(view), id()).await,
        "researcher-exports-under-grant#5",
    );
    let files =
        stage.grant("onderzoeker-2", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let others = room.start_export(&reader("onderzoeker-1"), Some(files), id()).await;
    assert!(matches!(others, Err(ReadingError::Absent)), "somebody else's grant");
    let job = stage.checked("onderzoeker-2", files).await;
    let second = room.start_export(&reader("onderzoeker-2"), Some(files), id()).await;
    assert!(matches!(second, Err(ReadingError::Input(_))), "one at a time");
    // Somebody else's export and one that is not there are the same.
    for id in [job.id, id()] {
        assert!(matches!(room.export(&reader("onderzoeker-1"), id).await, Err(ReadingError::Absent)));
        assert!(matches!(room.offer(&reader("onderzoeker-1"), id).await, Err(ReadingError::Absent)));
    }
    // Revoked, nothing of it stays.
    knik::vault::grants::revoke(&stage.vault.archive, files, None).await.unwrap();
    stage.settle().await;
    refused(
        room.start_export(&reader("onderzoeker-2"), Some(files), id()).await,
        "researcher-exports-under-grant#6",
    );
    assert_eq!(stage.job(job.id).await.state, ExportState::Lapsed);
    assert!(stage.airlock().files(job.id).await.unwrap().is_empty());
    assert!(matches!(
        letting(&stage, &stage.approver("directeur-1").await, job.id).await,
        Err(VaultError::Input(_))
    ));
}

/// Every way to views, or to how many there are, is refused for this reason.
async fn reads_nothing(room: &ReadingRoom, grant: GrantId, row: &CopyRow, code: &str) {
    let me = reader("onderzoeker-1");
    let name = |word: &str| word.parse::<RecordRef>().unwrap();
    for grant in [Some(grant), None] {
        let selection = Selection { grant, most: 5, ..Selection::default() };
        refused(room.list(&me, &selection).await, code);
        let words = "waterbijdrage".to_owned();
        refused(
            room.search(&me, &SearchRequest { words, selection, ..SearchRequest::default() }).await,
            code,
        );
        refused(room.record(&me, grant, name(&row.id), Language::Dutch).await, code);
        refused(room.conversation(&me, grant, name(&row.conversation), Language::Dutch).await, code);
    }
}

#[tokio::test]
async fn under_a_grant_for_files_nothing_is_read_in_the_reading_room() {
    let stage = Stage::new(916, &posts(48), 1_000).await;
    let asked = content("no-text", "export", "2026-03-01", "2026-03-31");
    let grant = stage.grant("onderzoeker-1", asked, None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    let row = stage.rows(job.id).await.remove(0);
    let (room, me) = (stage.room(), reader("onderzoeker-1"));
    reads_nothing(&room, grant, &row, "researcher-reads-under-grant#7").await;
    // Nor where the organisation's own policies would allow it.
    let rooms = include_str!("../../policies/access/reading-room.cedar");
    let (schema, existence) = (
        include_str!("../../policies/access/schema.cedarschema"),
        include_str!("../../policies/access/existence.cedar"),
    );
    let open = rooms.replace("when { !context.grant.export }", "when { true }");
    assert_ne!(open, rooms);
    let files = [("reading-room.cedar", open.as_str()), ("existence.cedar", existence)];
    let loose = stage.room_under(Policies::load(schema, &files).unwrap());
    reads_nothing(&loose, grant, &row, "grant#views").await;
    // What goes with the files is there: the finding aid, what a name stands for, a report. None of it tells a day.
    room.finding_aid(&me, Some(grant)).await.unwrap();
    let name = row.id.parse().unwrap();
    let cited = room.citation(&me, Some(grant), name, None).await.unwrap();
    assert_eq!((&cited["state"], &cited["day"]), (&"current".into(), &serde_json::Value::Null));
    assert!(!cited["text"]["nl"].as_str().unwrap().contains("geplaatst op"), "{cited}");
    room.report(&me, Some(grant), name, ReportKind::WronglyRedacted, None).await.unwrap();
}

#[tokio::test]
async fn who_has_views_and_files_reads_under_the_grant_for_views() {
    let stage = Stage::new(917, &posts(24), 1_000).await;
    let mut asked = content("researcher", "view", "2026-03-01", "2026-03-31");
    asked.until = Some(stage.vault.archive.sources.now().plus_seconds(3_600));
    stage.grant("onderzoeker-1", asked, None).await;
    // It runs longer.
    stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let all = Selection { most: 100, ..Selection::default() };
    assert_eq!(stage.room().list(&reader("onderzoeker-1"), &all).await.unwrap().views.len(), 24);
}

#[tokio::test]
async fn a_plan_without_views_is_not_granted_for_views_and_shows_nothing_where_it_was() {
    let stage = Stage::new(918, &posts(24), 1_000).await;
    let approval = |plan: &str| grants::Approval {
        organisation: ORGANISATION.parse().unwrap(),
        issuer: knik::http::token::DEMO_ISSUER.to_owned(),
        subject: "onderzoeker-1".to_owned(),
        purpose: "Proefschrift".to_owned(),
        legal_basis: "woo-5.7".parse().unwrap(),
        channels: Vec::new(),
        plan: plan.to_owned(),
        until: stage.vault.archive.sources.now().plus_seconds(3_600),
    };
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    for plan in ["no-text", "official"] {
        match grants::approve(archive, rules, approval(plan), None).await {
            Err(VaultError::Input(why)) => {
                assert!(why.contains(plan) && why.contains("generalised"), "{why}")
            }
            other => panic!("{plan}: {other:?}"),
        }
    }
    grants::approve(archive, rules, approval("researcher"), None).await.unwrap();
    stage.vault.round().await;
    let all = Selection { most: 100, ..Selection::default() };
    assert_eq!(stage.room().list(&reader("onderzoeker-1"), &all).await.unwrap().views.len(), 24);
    for plan in ["no-text", "taken-out-since"] {
        let stored = format!("UPDATE reading_grant SET plan = '{plan}'");
        sqlx::query(sqlx::AssertSqlSafe(stored)).execute(stage.vault.room.write()).await.unwrap();
        refused(stage.room().list(&reader("onderzoeker-1"), &all).await, "grant#views");
    }
}

#[tokio::test]
async fn a_released_package_goes_with_the_end_of_the_grant() {
    let stage = Stage::new(912, &posts(24), 1_000).await;
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    stage.release(&stage.approver("directeur-1").await, job.id).await;
    let room = stage.room();
    assert!(room.offer(&reader("onderzoeker-1"), job.id).await.is_ok());
    // The grant is over: at once refused, and taken back within a round.
    sqlx::query("UPDATE reading_grant SET until_at = 1").execute(stage.vault.room.write()).await.unwrap();
    stage.vault.tamper("UPDATE access_grant SET until_at = 1").await;
    refused(room.offer(&reader("onderzoeker-1"), job.id).await, "researcher-exports-under-grant#7");
    stage.vault.round().await;
    assert_eq!(stage.job(job.id).await.state, ExportState::Lapsed);
    let left = sqlx::query("SELECT * FROM export_chunk").fetch_all(stage.vault.room.read()).await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_second_person_with_a_mandate_lets_go_and_nobody_else() {
    let stage = Stage::new(913, &posts(24), 1_000).await;
    let decider = stage.approver("directeur-1").await;
    let both = stage.approver("dubbelrol-1").await;
    let asked = content("researcher", "export", "2026-03-01", "2026-03-31");
    let grant = stage.grant("dubbelrol-1", asked, Some(&decider)).await;
    let job = stage.checked("dubbelrol-1", grant).await;
    assert_eq!(job.state, ExportState::Waiting, "{}", job.report);
    let unmandated = stage.person("directeur-3", Role::Approver, ORGANISATION).await;
    for (by, code) in [
        (&decider, "second-person-releases-export"),
        (&both, "nobody-releases-own-export"),
        (&unmandated, "approver-releases-export"),
    ] {
        match letting(&stage, by, job.id).await {
            Err(VaultError::Refused(denial)) => assert!(denial.codes().contains(code), "{}", denial.codes()),
            other => panic!("{other:?} is not refused for {code}"),
        }
    }
    for (subject, role, organisation) in [
        ("directeur-9", Role::Approver, "dwv"),
        ("ambtenaar-1", Role::Official, ORGANISATION),
        ("onderzoeker-1", Role::Researcher, "universiteit"),
    ] {
        let by = stage.person(subject, role, organisation).await;
        assert!(matches!(letting(&stage, &by, job.id).await, Err(VaultError::Absent { .. })), "{subject}");
    }
    let officer = stage.person("fg-1", Role::DataProtectionOfficer, ORGANISATION).await;
    assert!(letting(&stage, &officer, job.id).await.is_err(), "who checks decides nothing");
    assert_eq!(stage.job(job.id).await.state, ExportState::Waiting);
    // Refused, its files are gone, and the researcher reads why.
    let second = stage.approver("directeur-2").await;
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    exports::let_go(archive, rules, &second, job.id, Letting::Refuse, "Te veel letterlijke tekst.")
        .await
        .unwrap();
    stage.vault.round().await;
    assert!(stage.airlock().files(job.id).await.unwrap().is_empty());
    let seen = stage.room().export(&reader("dubbelrol-1"), job.id).await.unwrap();
    assert_eq!(
        (seen["state"].as_str(), seen["refusal"].as_str()),
        (Some("refused"), Some("Te veel letterlijke tekst."))
    );
}

/// Changes a file that is held, and everything that says how it must be: what a reading room in other hands would send.
async fn send_instead(stage: &Stage, id: ExportId, name: &str, bytes: Vec<u8>) {
    let mut manifest: Manifest = stage.manifest(id).await;
    for file in manifest.files.iter_mut().filter(|file| file.name == name) {
        (file.size_bytes, file.sha256) = (bytes.len() as u64, sha256_hex(&bytes));
    }
    let text = serde_json::to_vec(&manifest).unwrap();
    for (name, bytes) in [(name, bytes), (MANIFEST, text.clone())] {
        sqlx::query("DELETE FROM airlock WHERE file = $1")
            .bind(name.to_owned())
            .execute(stage.vault.inbox.write())
            .await
            .unwrap();
        stage.airlock().add(id, name, 0, bytes).await.unwrap();
    }
    let built = serde_json::json!({ "manifest": sha256_hex(&text), "rows": 1, "leftOut": 0 }).to_string();
    sqlx::query("UPDATE export_job SET built = $1")
        .bind(built)
        .execute(stage.vault.archive.catalogue.database().write())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_the_gate_finds_leaves_nothing() {
    let stage = Stage::new(914, &posts(24), 1_000).await;
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    for (n, (file, code)) in [
        ("README.md", "redacted-value-in-files"),
        ("records-00001.jsonl", "forms-differ"),
        ("records-00001.csv", "forms-differ"),
        ("records-00001.parquet", "forms-differ"),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("onderzoeker-{n}");
        let asked = content("researcher", "export", "2026-03-01", "2026-03-31");
        let grant = stage.grant(&subject, asked, None).await;
        let id = stage.ask(&subject, grant).await;
        // Built and taken up, not yet checked.
        exports::work(archive, rules).await.unwrap();
        stage.vault.round().await;
        stage.room().build_exports().await.unwrap();
        stage.vault.round().await;
        assert_eq!(stage.job(id).await.state, ExportState::Held);
        let whole = stage.held(id, file).await;
        let planted = match file {
            "README.md" => [&whole[..], b"\nMet dank aan 0612000004.\n"].concat(),
            "records-00001.jsonl" => {
                let text = String::from_utf8(whole).unwrap();
                // Every row says the number of its own writer, where one was redacted.
                text.replace("[telefoonnummer]", "0612000004").into_bytes()
            }
            _ => {
                let at = whole.windows(11).position(|window| window == b"waterbijdra").unwrap();
                let mut bytes = whole;
                bytes[at] = b'W';
                bytes
            }
        };
        send_instead(&stage, id, file, planted).await;
        stage.settle().await;
        let job = stage.job(id).await;
        assert_eq!(job.state, ExportState::Stopped, "{file}: {}", job.report);
        assert!(stopped(&job).iter().any(|one| one == code), "{file}: {}", job.report);
        assert!(!job.report.to_string().contains("0612000004"), "the report says no value");
        assert!(stage.airlock().files(id).await.unwrap().is_empty());
        let seen = stage.room().export(&reader(&subject), id).await.unwrap();
        assert_eq!(seen["state"], "stopped");
        assert!(matches!(
            letting(&stage, &stage.approver("directeur-1").await, id).await,
            Err(VaultError::Input(_))
        ));
    }
}

#[tokio::test]
async fn who_is_of_the_team_lets_nothing_of_it_go_nor_approves_it() {
    let stage = Stage::new(916, &posts(24), 1_000).await;
    let of_team = stage.approver("dubbelrol-2").await;
    let mut asked = content("researcher", "export", "2026-03-01", "2026-03-31");
    asked.team = serde_json::from_value(serde_json::json!([
        { "issuer": knik::http::token::DEMO_ISSUER, "subject": "dubbelrol-2", "name": "Teamlid" },
    ]))
    .unwrap();
    // The request itself.
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    let id = stage.submitted("onderzoeker-1", asked.clone()).await;
    let deciding = stage.approval(id).await;
    match requests::decide(archive, rules, Some(&of_team), id, deciding.clone()).await {
        Err(VaultError::Refused(denial)) => {
            assert!(denial.codes().contains("nobody-approves-own-request"), "{}", denial.codes());
        }
        other => panic!("{other:?}"),
    }
    let decider = stage.approver("directeur-1").await;
    requests::decide(archive, rules, Some(&decider), id, deciding).await.unwrap();
    // What is made under one.
    let grant = stage.grant("onderzoeker-1", asked, Some(&decider)).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!(job.state, ExportState::Waiting, "{}", job.report);
    match letting(&stage, &of_team, job.id).await {
        Err(VaultError::Refused(denial)) => {
            assert!(denial.codes().contains("nobody-releases-own-export"), "{}", denial.codes());
        }
        other => panic!("{other:?}"),
    }
    // A member of the team asks for files of their own accord.
    stage.release(&stage.approver("directeur-2").await, job.id).await;
    stage.fetch("dubbelrol-2", job.id).await;
    let own = stage.checked("dubbelrol-2", grant).await;
    assert_eq!(own.state, ExportState::Waiting, "{}", own.report);
}

#[tokio::test]
async fn too_few_people_are_no_export() {
    let posts: Vec<_> = posts(200).into_iter().filter(|post| post.person < 9).collect();
    let stage = Stage::new(915, &posts, 1_000).await;
    let grant =
        stage.grant("onderzoeker-1", content("researcher", "export", "2026-03-01", "2026-03-31"), None).await;
    let job = stage.checked("onderzoeker-1", grant).await;
    assert_eq!((job.state, stopped(&job)), (ExportState::Stopped, vec!["too-few-people".to_owned()]));
}

/// A request may be written anew in answer to a question, and more time asked for another time: who decides says what they read.
#[tokio::test]
async fn what_is_approved_is_what_was_read() {
    let stage = Stage::new(919, &posts(24), 1_000).await;
    let decider = stage.approver("directeur-1").await;
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    let id =
        stage.submitted("onderzoeker-1", content("researcher", "view", "2026-03-01", "2026-03-05")).await;
    let decide =
        async |deciding: Deciding| requests::decide(archive, rules, Some(&decider), id, deciding).await;
    let not_read = |outcome: Result<_, VaultError>| match outcome {
        Err(VaultError::Input(why)) => assert!(why.contains("digest") && why.contains("read"), "{why}"),
        other => panic!("{other:?}"),
    };
    let read = stage.approval(id).await;
    not_read(decide(Deciding { digest: None, ..read.clone() }).await);
    not_read(decide(Deciding { digest: Some("5b0f".to_owned()), ..read.clone() }).await);
    let ask = Deciding { step: RequestStep::Ask, digest: None, ..read.clone() };
    decide(ask).await.unwrap();
    // A question changes nothing of it; an answer that writes it anew does.
    assert_eq!(stage.approval(id).await.digest, read.digest);
    let mut wider = content("researcher", "view", "2026-03-01", "2026-03-31");
    wider.selection = Default::default();
    wider.team = serde_json::from_value(serde_json::json!([
        { "issuer": knik::http::token::DEMO_ISSUER, "subject": "vreemde-1", "name": "Vreemde" },
    ]))
    .unwrap();
    stage.hand_in(id, "onderzoeker-1", RequestStep::Write, Some(wider)).await;
    not_read(decide(read.clone()).await);
    assert_eq!(archive.catalogue.request(id).await.unwrap().unwrap().state, RequestState::Submitted);
    let listed = requests::list(archive, rules, None).await.unwrap();
    let anew = stage.approval(id).await;
    assert_eq!(Some(&listed[0].digest), anew.digest.as_ref(), "it stands in lists too");
    decide(anew.clone()).await.unwrap();
    stage.hand_in(id, "onderzoeker-1", RequestStep::Accept, None).await;
    // More time: which was asked for is part of what is decided on.
    stage.hand_in(id, "onderzoeker-1", RequestStep::AskExtension, None).await;
    let extend = async |digest| decide(Deciding { step: RequestStep::Extend, digest, ..anew.clone() }).await;
    not_read(extend(None).await);
    not_read(extend(anew.digest.clone()).await);
    let asked = stage.approval(id).await.digest;
    extend(asked.clone()).await.unwrap();
    stage.hand_in(id, "onderzoeker-1", RequestStep::AskExtension, None).await;
    not_read(extend(asked).await);
    // Whoever holds the data folder decides on what stands there, or on what they say they read.
    let held = Deciding { step: RequestStep::Extend, digest: None, ..anew.clone() };
    not_read(
        requests::decide(archive, rules, None, id, Deciding { step: RequestStep::Extend, ..anew }).await,
    );
    requests::decide(archive, rules, None, id, held).await.unwrap();
}

/// What the vault's log says of how grants ended.
async fn ends(stage: &Stage) -> Vec<EntryKind> {
    knik::vault::sequence::number(&stage.vault.archive).await.unwrap();
    let log = stage.vault.archive.logs.vault_origin();
    let leaves = stage.vault.archive.journal.leaves(log, 0, u32::MAX).await.unwrap();
    let kinds = leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap().kind());
    kinds.filter(|kind| [EntryKind::GrantLapsed, EntryKind::GrantRevoked].contains(kind)).collect()
}

/// Whatever kind of grant it is: one that is over is as good as gone, at once, and its names go within a round.
#[tokio::test]
async fn what_a_grant_named_goes_when_it_is_over() {
    let stage = Stage::new(920, &posts(24), 1_000).await;
    let (archive, rules) = (&stage.vault.archive, &stage.vault.rules);
    let viewed = content("generalised", "view", "2026-03-01", "2026-03-31");
    let grant = stage.grant("onderzoeker-1", viewed.clone(), None).await;
    let soon = archive.sources.now().plus_seconds(3_600);
    let approval = grants::Approval {
        organisation: ORGANISATION.parse().unwrap(),
        issuer: knik::http::token::DEMO_ISSUER.to_owned(),
        subject: "onderzoeker-2".to_owned(),
        purpose: "Proefschrift".to_owned(),
        legal_basis: "woo-5.7".parse().unwrap(),
        channels: Vec::new(),
        plan: "researcher".to_owned(),
        until: soon,
    };
    grants::approve(archive, rules, approval, None).await.unwrap();
    let published = Publishing {
        organisation: ORGANISATION.parse().unwrap(),
        document: "besluit".to_owned(),
        legal_basis: "woo-publication".parse().unwrap(),
        channels: Vec::new(),
        from_day: None,
        until_day: None,
        until: soon,
    };
    publications::publish(archive, rules, published, None).await.unwrap();
    stage.settle().await;
    let all = Selection { grant: Some(grant), most: 100, ..Selection::default() };
    let view = stage.room().list(&reader("onderzoeker-1"), &all).await.unwrap().views.remove(0);
    // A request that names a conversation as the grant does, and one for the same as the grant.
    let mut by_name = viewed.clone();
    by_name.selection =
        serde_json::from_value(serde_json::json!({ "conversations": [view.conversation] })).unwrap();
    let by_name = stage.submitted("onderzoeker-1", by_name).await;
    let alike = stage.submitted("onderzoeker-1", viewed).await;
    let overlap = async |id| {
        let reach = requests::reach(archive, rules, None, id).await.unwrap();
        let same = reach.overlaps.iter().filter(|overlap| overlap.grant == grant);
        same.map(|overlap| overlap.percent).collect::<Vec<_>>()
    };
    assert_eq!((overlap(by_name).await, overlap(alike).await), (vec![100], vec![100]));
    // More time is asked for; the end comes before the decision.
    let running = archive.catalogue.requests_with_grant().await.unwrap().remove(0).id;
    stage.hand_in(running, "onderzoeker-1", RequestStep::AskExtension, None).await;
    sqlx::query("UPDATE reading_grant SET until_at = 1").execute(stage.vault.room.write()).await.unwrap();
    stage.vault.tamper("UPDATE access_grant SET until_at = 1").await;
    let read = stage.approval(running).await;
    match requests::decide(archive, rules, None, running, Deciding { step: RequestStep::Extend, ..read })
        .await
    {
        Err(VaultError::Input(why)) => assert!(why.contains("over") && why.contains("new request"), "{why}"),
        other => panic!("{other:?}"),
    }
    let nothing = Vec::<u64>::new();
    assert_eq!(overlap(by_name).await, nothing, "its names select nothing from its end on");
    assert_eq!(overlap(alike).await, [100], "what it covered is still told to who decides");
    stage.vault.round().await;
    for table in ["grant_record", "grant_conversation", "grant_subject", "grant_value"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT reading_grant FROM {table}"));
        let left = sqlx::query(sql).fetch_all(stage.vault.room.read()).await.unwrap();
        assert!(left.is_empty(), "{table}");
    }
    assert_eq!(ends(&stage).await, [EntryKind::GrantLapsed; 3]);
    let known = archive.catalogue.grants().await.unwrap();
    assert!(known.iter().all(|grant| grant.lapsed_at.is_some() && grant.revoked_at.is_none()));
    assert_eq!((overlap(by_name).await, overlap(alike).await), (nothing, vec![100]));
    refused(stage.room().list(&reader("onderzoeker-1"), &all).await, "researcher-reads-under-grant#6");
    // It is taken up once.
    stage.vault.round().await;
    assert_eq!(ends(&stage).await.len(), 3);
    assert_eq!(archive.catalogue.request(running).await.unwrap().unwrap().state, RequestState::Ended);
}
