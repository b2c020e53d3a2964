//! Files of external agencies: whole, once, only of their channels, and told by row and column.

use super::disclosure::entries;
use super::reviewing::{REASON, TEXT, WEIGHING, manager, person, reviewer, sampled, show, waiting, with};
use crate::support::{TestVault, start};
use knik::ledger::{EntryKind, Thing};
use knik::model::{AppointmentKind, QueueKind, Role, VersionId};
use knik::vault::reviewing::file::FileForm;
use knik::vault::reviewing::{self, Import, Imported};
use knik::vault::{VaultError, appointments};
use uuid::Uuid;

/// A vault with an external reviewer `jan` of an agency, for these channels, until so many seconds after the start.
async fn with_agency(texts: &[&str], channels: &[&str], until: i64) -> (TestVault, Vec<VersionId>) {
    let vault = with(texts).await;
    sampled(&vault, 0).await;
    let ids = waiting(&vault, &reviewer(1), QueueKind::Sample).await;
    let asked = appointments::Appointing {
        kind: AppointmentKind::Assignment,
        organisation: "dwv".parse().unwrap(),
        issuer: "https://login.bureau.example".to_owned(),
        subject: "jan".to_owned(),
        document: "overeenkomst 2026-12".to_owned(),
        channels: channels.iter().map(|channel| channel.parse().unwrap()).collect(),
        until: start().plus_seconds(until),
    };
    appointments::appoint(&vault.archive, asked).await.unwrap();
    (vault, ids)
}

async fn taken(vault: &TestVault, file: &str, dry_run: bool) -> Result<Imported, VaultError> {
    let issuer = "https://login.bureau.example".to_owned();
    let asked = Import { form: FileForm::Csv, bytes: file.as_bytes(), issuer, dry_run };
    reviewing::import(&vault.archive, &vault.rules, &manager(), &asked).await
}

fn file(rows: &[String]) -> String {
    format!(
        "item,reviewer,at,asked,answer,finding,words,type,exemption,reason,weighing\n{}\n",
        rows.join("\n")
    )
}

#[tokio::test]
async fn a_file_of_an_agency_is_taken_in_whole_once_and_only_of_their_channels() {
    let year = 366 * 86_400;
    let (vault, ids) = with_agency(&[TEXT, "Waar kan ik parkeren?"], &["dwv-x"], year).await;
    let at = vault.archive.sources.now();
    let steps = async |id| show(&vault, &reviewer(1), id).await.unwrap().steps;
    let mut rows = Vec::new();
    for id in &ids {
        for step in steps(*id).await {
            rows.push(format!("{id},jan,{at},{},yes,,,,,,", step.step));
        }
        rows.push(format!("{id},jan,{at},finding,confirm,rest,,,,{REASON},{WEIGHING}"));
        rows.push(format!("{id},jan,{at},missed,no,,,,,,"));
    }
    let good = file(&rows);
    let before = entries(&vault, 0).await.len();
    let looked = taken(&vault, &good, true).await.unwrap();
    assert_eq!((looked.items, looked.already_there, looked.dry_run), (2, 0, true));
    assert_eq!(waiting(&vault, &reviewer(1), QueueKind::Sample).await.len(), 2, "a look only");
    // One line that is wrong, and nothing of the file is taken in.
    let bad = file(
        &[rows.clone(), vec![format!("{},jan,{at},finding,reject,nonsense,,,,{REASON},", ids[1])]].concat(),
    );
    match taken(&vault, &bad, false).await {
        Err(VaultError::Faults(told)) => {
            let expected = format!("row {}, column `finding`: is no id of a finding", rows.len() + 2);
            assert!(told[0].starts_with(&expected) && !told.join(" ").contains("nonsense"), "{told:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(waiting(&vault, &reviewer(1), QueueKind::Sample).await.len(), 2, "nothing half done");
    let told = taken(&vault, &good, false).await.unwrap();
    assert_eq!((told.items, told.waiting), (2, 0));
    assert!(waiting(&vault, &reviewer(1), QueueKind::Sample).await.is_empty());
    let written = entries(&vault, before).await;
    let done: Vec<_> = written.iter().filter(|entry| entry.kind() == EntryKind::ReviewDone).collect();
    assert_eq!(done.len(), 2);
    let with_assignment = |things: &std::collections::BTreeSet<Thing>| {
        things.iter().any(|thing| matches!(thing, Thing::Appointment(_)))
    };
    assert!(done.iter().all(|entry| with_assignment(entry.things())), "who, under which assignment");
    assert_eq!(written.iter().filter(|e| e.kind() == EntryKind::AssessmentsImported).count(), 1);
    let again = taken(&vault, &good, false).await.unwrap();
    assert_eq!((again.items, again.already_there), (0, 2), "taken in again it adds nothing");
}

#[tokio::test]
async fn a_file_is_refused_outside_the_assignment() {
    let (vault, ids) = with_agency(&[TEXT], &["dwv-x"], 60).await;
    let (other, others) = with_agency(&[TEXT], &[], 366 * 86_400).await;
    let row = |id: VersionId, who: &str, at: knik::model::Timestamp| {
        file(&[format!("{id},{who},{at},finding,confirm,rest,,,,,{WEIGHING}")])
    };
    let now = vault.archive.sources.now();
    for (vault, file, words) in [
        (&vault, row(ids[0], "piet", now), "had no assignment"),
        (&vault, row(ids[0], "jan", start().plus_seconds(-60)), "had no assignment"),
        (&other, row(others[0], "jan", start().plus_seconds(366 * 86_400)), "future"),
        (&vault, row(VersionId::from_uuid(Uuid::from_u128(5)), "jan", now), "is not an item"),
    ] {
        match taken(vault, &file, false).await {
            Err(VaultError::Faults(told)) => {
                assert!(told[0].starts_with("row 2, column `") && told[0].contains(words), "{told:?}");
            }
            other => panic!("{words}: {other:?}"),
        }
    }
    for role in [Role::Reviewer, Role::DataProtectionOfficer, Role::Administrator] {
        let asked = Import { form: FileForm::Csv, bytes: b"", issuer: String::new(), dry_run: true };
        let refused = reviewing::import(&vault.archive, &vault.rules, &person(9, role), &asked).await;
        assert!(matches!(refused, Err(VaultError::Refused(_))), "{role}");
    }
}

#[tokio::test]
async fn what_a_file_names_and_is_not_there_is_told_by_row_and_column_and_not_repeated() {
    let (vault, ids) = with_agency(&[TEXT], &["dwv-x"], 366 * 86_400).await;
    let (id, at) = (ids[0], vault.archive.sources.now());
    let row = |rest: &str| format!("{id},jan,{at},{rest}");
    let file = file(&[
        row("kwispelaar,yes,,,,,,"),
        row("finding,confirm,rest,,,woo-5.1.2e-kwispelaar,,"),
        row("finding,add,,zilverhoek,KWISPELAAR,kwispelaar-9,,"),
        row("missed,no,,,,,,"),
        row("missed,no,,,,,,"),
        row("finding,confirm,rest,,,,een andere reden,"),
        row("finding,confirm,rest,,,,nog een reden,"),
    ]);
    let told = match taken(&vault, &file, false).await {
        Err(VaultError::Faults(told)) => told,
        other => panic!("{other:?}"),
    };
    let expected = "row 3, column `exemption`: does not go with";
    assert!(told.iter().any(|fault| fault.starts_with(expected)), "{told:?}");
    let heard = |told: &[String]| told.join(" ").to_lowercase();
    assert!(!heard(&told).contains("kwispelaar") && !heard(&told).contains("reden"), "{told:?}");
    let lines = |rows: &[String]| self::file(rows);
    for (rows, expected) in [
        (
            vec![row("missed,no,,,,,,"), row("missed,no,,,,,,")],
            "row 3, column `asked`: is said by another line",
        ),
        (
            vec![row("missed,no,,,,,,"), row("finding,add,,zilverhoek,PERSON,woo-5.1.2e,,")],
            "row 3, column `asked`: another line",
        ),
        (
            vec![row("finding,confirm,rest,,,,een reden,"), row("missed,no,,,,,nog een,")],
            "row 3, column `reason`: differs",
        ),
        (vec![row("kwispelaar,yes,,,,,,")], "row 2, column `asked`: is no step that waits"),
        (
            vec![row("finding,add,,zilverhoek,PERSON,kwispelaar-9,,")],
            "row 2, column `exemption`: is not in policies/exemptions.yaml",
        ),
        (
            vec![row("finding,add,,zilverhoek,PUBLIC_OFFICIAL,woo-5.1.2e,,")],
            "row 2, column `type`: stays readable",
        ),
    ] {
        match taken(&vault, &lines(&rows), false).await {
            Err(VaultError::Faults(told)) => {
                assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
                assert!(
                    !heard(&told).contains("kwispelaar") && !heard(&told).contains("een reden"),
                    "{told:?}"
                );
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
    assert_eq!(waiting(&vault, &reviewer(1), QueueKind::Sample).await, [id], "nothing was taken in");
}
