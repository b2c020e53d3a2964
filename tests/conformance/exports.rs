//! What the vault made for a grant, exports and their packages, the airlock, steps of an export: alike on every backend.

use super::fixture::*;
use super::room::{conversation, draw, grant, grant_id, projection};
use super::stage::Stage;
use knik::ledger::{Entry, EntryKind, Pending};
use knik::model::{ActorId, ExportId, ExportState, GrantId, ProjectionId};
use knik::redact::Precision;
use knik::store::airlock::Airlock;
use knik::store::catalogue::{Catalogue, ExportChange, ExportJob, SeenHow};
use knik::store::database::Plane;
use knik::store::room::{
    GrantValue, PublishedConversation, PublishedExport, PublishedGrant, PublishedProjection, Room,
    RoomWriter, ShownLess,
};
use serde_json::Value;

fn export_id(n: u128) -> ExportId {
    ExportId::from_uuid(id(n))
}

fn for_files(n: u128) -> PublishedGrant {
    PublishedGrant { export: true, needs_values: true, ..grant(n) }
}

fn published(n: u128, state: ExportState, seconds: i64) -> PublishedExport {
    let (id, grant) = (export_id(n), grant_id(1));
    PublishedExport { id, grant, state, changed_at: at(seconds), document: format!("{{\"n\":{seconds}}}") }
}

async fn two(writer: &RoomWriter, draw: &(impl Fn() -> Option<u128> + Sync)) {
    let projections = vec![projection(1, 7, None), projection(2, 8, None)];
    let published = PublishedConversation { conversation: conversation(1), projections };
    writer.conversation(&published, at(0), draw).await.unwrap();
}

pub async fn values_of_a_grant_are_made_anew_with_what_is_published_anew(stage: &Stage) {
    let db = stage.open(Plane::Room).await;
    let (writer, room) = (RoomWriter::new(db.clone()), Room::new(db));
    let draw = draw();
    two(&writer, &draw).await;
    writer.grant(&for_files(1), &draw).await.unwrap();
    writer.grant(&grant(2), &draw).await.unwrap();
    assert_eq!(writer.grants_wanting(at(0)).await.unwrap(), [(grant_id(1), "researcher".to_owned())]);
    let waiting = writer.unvalued(grant_id(1), 10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    let (first, second) = (waiting[0].number, waiting[1].number);
    let value = |number, parent| GrantValue { number, parent, content: format!("{{\"time\":\"{number}\"}}") };
    // Nothing missing is said only when nothing is.
    writer.values(grant_id(1), &[value(first, None)]).await.unwrap();
    writer.values(grant_id(1), &[]).await.unwrap();
    assert!(writer.is_wanting(grant_id(1)).await.unwrap());
    writer.values(grant_id(1), &[value(second, Some(first))]).await.unwrap();
    writer.values(grant_id(1), &[]).await.unwrap();
    assert!(!writer.is_wanting(grant_id(1)).await.unwrap());
    assert!(
        room.stretch(grant_id(1), export_id(1), None, 10).await.unwrap().is_empty(),
        "prepared of nothing"
    );
    writer.prepare_export(export_id(1), grant_id(1)).await.unwrap();
    let records = room.stretch(grant_id(1), export_id(1), None, 10).await.unwrap();
    assert_eq!(records.len(), 2);
    assert!(
        records[0].record.reference.uuid() < records[1].record.reference.uuid(),
        "as the names were drawn"
    );
    let answer = records.iter().find(|one| one.parent.is_some()).unwrap();
    let answered = records.iter().find(|one| one.parent.is_none()).unwrap();
    assert_eq!(answer.parent, Some(answered.record.reference), "by the grant's own name");
    assert!(records.iter().all(|one| one.record.values.is_some()));
    let after = room.stretch(grant_id(1), export_id(1), Some(&records[0].place), 10).await.unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].record.reference, records[1].record.reference);
    two(&writer, &draw).await;
    assert!(writer.is_wanting(grant_id(1)).await.unwrap(), "published anew, made anew");
    assert_eq!(writer.unvalued(grant_id(1), 10).await.unwrap().len(), 2);
}

pub async fn an_export_and_its_package_go_with_the_grant(stage: &Stage) {
    let db = stage.open(Plane::Room).await;
    let (writer, room) = (RoomWriter::new(db.clone()), Room::new(db));
    two(&writer, &draw()).await;
    writer.grant(&for_files(1), &draw()).await.unwrap();
    writer.export(&published(1, ExportState::Building, 5)).await.unwrap();
    writer.export(&published(1, ExportState::Preparing, 4)).await.unwrap();
    let orders = room.exports_in(ExportState::Building).await.unwrap();
    assert_eq!(orders.len(), 1, "an older state takes no newer one's place");
    assert_eq!((orders[0].plan.as_str(), orders[0].revoked), ("researcher", false));
    let number = writer.unvalued(grant_id(1), 1).await.unwrap()[0].number;
    let less = ShownLess { left_out: true, time: Precision::Month, no_values: false };
    writer.prepare_export(export_id(1), grant_id(1)).await.unwrap();
    writer.prepare_export(export_id(2), grant_id(1)).await.unwrap();
    writer.export_rows(export_id(1), &[(number, less.clone())]).await.unwrap();
    writer.export_rows(export_id(1), &[(number, less.clone())]).await.unwrap();
    assert_eq!(writer.prepared_count(export_id(1)).await.unwrap(), (2, 1));
    let records = room.stretch(grant_id(1), export_id(1), None, 10).await.unwrap();
    let told: Vec<_> = records.iter().filter_map(|one| one.less.clone()).collect();
    assert_eq!(told, [less]);
    assert!(
        room.stretch(grant_id(1), export_id(2), None, 10).await.unwrap().iter().all(|one| one.less.is_none())
    );
    for (place, piece) in [(0, vec![1, 2]), (1, vec![3]), (1, vec![4])] {
        writer.export_chunk(export_id(1), place, piece).await.unwrap();
    }
    assert_eq!(room.export_chunk(export_id(1), 1).await.unwrap(), Some(vec![4]));
    assert_eq!(room.export_chunk(export_id(1), 2).await.unwrap(), None);
    assert_eq!(writer.export_chunks(export_id(1)).await.unwrap(), 2);
    writer.revoke(grant_id(1)).await.unwrap();
    assert_eq!(room.export_chunk(export_id(1), 0).await.unwrap(), None);
    assert!(room.export(export_id(1)).await.unwrap().unwrap().revoked);
    assert!(writer.grants_wanting(at(0)).await.unwrap().is_empty());
}

pub async fn what_is_not_as_it_was_takes_the_packages_that_hold_it_along(stage: &Stage) {
    let db = stage.open(Plane::Room).await;
    let (writer, room) = (RoomWriter::new(db.clone()), Room::new(db));
    let draw = draw();
    two(&writer, &draw).await;
    for n in [1, 2, 3] {
        writer.grant(&for_files(n), &draw).await.unwrap();
        writer.prepare_export(export_id(n), grant_id(n)).await.unwrap();
        writer.export_chunk(export_id(n), 0, vec![1]).await.unwrap();
    }
    let state = async |n: u128| {
        let changed = writer.export_changed(export_id(n)).await.unwrap();
        assert_eq!(room.export_changed(export_id(n)).await.unwrap(), changed);
        (changed, writer.export_chunks(export_id(n)).await.unwrap())
    };
    two(&writer, &draw).await;
    assert_eq!(state(1).await, (false, 1), "the same words");
    // One grant does not cover one of them any more.
    let only =
        PublishedProjection { only_for: Some(vec![grant_id(1), grant_id(2)]), ..projection(2, 8, None) };
    let projections = vec![projection(1, 7, None), only];
    let published = PublishedConversation { conversation: conversation(1), projections };
    writer.conversation(&published, at(1), &draw).await.unwrap();
    assert_eq!((state(1).await, state(2).await, state(3).await), ((false, 1), (false, 1), (true, 0)));
    // Prepared anew it is of what is covered now.
    writer.prepare_export(export_id(3), grant_id(3)).await.unwrap();
    assert_eq!((state(3).await, writer.prepared_count(export_id(3)).await.unwrap()), ((false, 0), (1, 0)));
    // Other words of one of them, and the other withdrawn.
    let other =
        PublishedProjection { document: projection(1, 7, Some(9)).document, ..projection(1, 7, None) };
    let published = PublishedConversation { conversation: conversation(1), projections: vec![other] };
    writer.conversation(&published, at(2), &draw).await.unwrap();
    assert_eq!((state(1).await, state(2).await, state(3).await.0), ((true, 0), (true, 0), true));
    let there = writer.exports_there().await.unwrap();
    assert_eq!(there.len(), 3);
    for n in [1, 2, 3] {
        writer.forget_export(export_id(n)).await.unwrap();
    }
    assert!(writer.exports_there().await.unwrap().is_empty());
}

pub async fn the_airlock_keeps_what_came_first_until_it_is_emptied(stage: &Stage) {
    let db = stage.open(Plane::Inbox).await;
    let airlock = Airlock::new(db.clone());
    for (file, place, piece) in
        [("a", 0, vec![1]), ("a", 1, vec![2]), ("a", 0, vec![9]), ("b", 0, Vec::new())]
    {
        airlock.add(export_id(1), file, place, piece).await.unwrap();
    }
    assert_eq!(airlock.files(export_id(1)).await.unwrap(), ["a", "b"]);
    assert_eq!(airlock.file(export_id(1), "a", 10).await.unwrap(), Some(vec![1, 2]));
    assert_eq!(airlock.file(export_id(1), "a", 1).await.unwrap(), None, "longer than is taken");
    assert_eq!(airlock.file(export_id(1), "b", 1).await.unwrap(), Some(Vec::new()));
    assert_eq!(airlock.file(export_id(2), "a", 10).await.unwrap(), None);
    assert_eq!(airlock.exports().await.unwrap(), [export_id(1)]);
    refused(&db, "UPDATE airlock SET file = 'c'").await;
    airlock.clear(export_id(1)).await.unwrap();
    assert!(airlock.files(export_id(1)).await.unwrap().is_empty());
}

fn job(state: ExportState) -> ExportJob {
    ExportJob {
        id: export_id(1),
        grant: GrantId::from_uuid(id(2)),
        request: None,
        organisation: organisation(),
        requester: ActorId::from_uuid(id(3)),
        state,
        built: Value::Null,
        report: Value::Null,
        steps: Vec::new(),
        decided_by: None,
        said: String::new(),
        bound: Value::Null,
        asked_at: at(0),
        changed_at: at(0),
        until: None,
        built_at: None,
    }
}

pub async fn a_step_of_an_export_stands_with_its_entry_or_not_at_all(stage: &Stage) {
    let vault = stage.open(Plane::Vault).await;
    let catalogue = Catalogue::new(vault.clone());
    let pending = |n: u128| {
        let entry = Entry::new(knik::ledger::EntryId::from_uuid(id(n)), EntryKind::ExportAsked, at(0));
        Pending::event(entry).unwrap()
    };
    let step = async |before, state, n| {
        let job = job(state);
        catalogue.step_export(&log(), ExportChange::new(before, &job), pending(n)).await.unwrap()
    };
    assert!(step(None, ExportState::Preparing, 1).await);
    assert!(!step(None, ExportState::Preparing, 2).await, "it is there");
    assert!(!step(Some(ExportState::Held), ExportState::Waiting, 3).await, "it stands elsewhere");
    assert!(step(Some(ExportState::Preparing), ExportState::Building, 4).await);
    assert_eq!(rows(&vault, "journal_pending").await, 2);
    assert_eq!(catalogue.export(export_id(1)).await.unwrap(), Some(job(ExportState::Building)));
    assert_eq!(catalogue.exports_in(&[ExportState::Building, ExportState::Held]).await.unwrap().len(), 1);
    assert!(catalogue.exports_in(&[ExportState::Preparing]).await.unwrap().is_empty());
    assert_eq!(catalogue.exports(Some(&organisation())).await.unwrap().len(), 1);
}

pub async fn who_has_an_export_is_known_with_the_step_that_gives_it(stage: &Stage) {
    let vault = stage.open(Plane::Vault).await;
    let catalogue = Catalogue::new(vault.clone());
    let (held, other) = (ProjectionId::from_uuid(id(71)), ProjectionId::from_uuid(id(72)));
    let pending = |n: u128| {
        let entry = Entry::new(knik::ledger::EntryId::from_uuid(id(n)), EntryKind::ExportFetched, at(0));
        Pending::event(entry).unwrap()
    };
    let job = |state| ExportJob { built_at: Some(at(5)), ..job(state) };
    let waiting = job(ExportState::Waiting);
    let change = ExportChange { holds: &[held], ..ExportChange::new(None, &waiting) };
    assert!(catalogue.step_export(&log(), change, pending(1)).await.unwrap());
    assert_eq!(catalogue.export(export_id(1)).await.unwrap(), Some(waiting.clone()));
    assert_eq!(catalogue.export_holds(export_id(1)).await.unwrap(), 1);
    assert!(catalogue.seen(held, at(100)).await.unwrap().is_empty(), "nobody has it yet");
    // A step that is not taken gives nothing to anybody.
    let actor = ActorId::from_uuid(id(3));
    let released = job(ExportState::Released);
    let elsewhere =
        ExportChange { leaves_to: Some(actor), ..ExportChange::new(Some(ExportState::Held), &released) };
    assert!(!catalogue.step_export(&log(), elsewhere, pending(2)).await.unwrap());
    assert!(catalogue.seen(held, at(100)).await.unwrap().is_empty());
    let begun =
        ExportChange { leaves_to: Some(actor), ..ExportChange::new(Some(ExportState::Waiting), &released) };
    assert!(catalogue.step_export(&log(), begun, pending(3)).await.unwrap());
    let seen = catalogue.seen(held, at(100)).await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].actor, seen[0].how, seen[0].at),
        (actor, SeenHow::Exported, at(5)),
        "since it was built"
    );
    assert!(catalogue.seen(other, at(100)).await.unwrap().is_empty());
    // While it may be fetched what was missed in it is not settled.
    for (n, projection) in [(81, held), (82, other)] {
        let sql = format!(
            "INSERT INTO missed (projection, record, organisation, cause, found_at, replaced_at) VALUES ({}, {}, 'min-low', 'review', 0, 0)",
            stage.bytes(projection.uuid().as_bytes()),
            stage.bytes(id(n).as_bytes()),
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(vault.write()).await.unwrap();
    }
    catalogue.missed_settled(&[held, other]).await.unwrap();
    let left = catalogue.missed(10).await.unwrap();
    assert_eq!(left.iter().map(|row| row.projection).collect::<Vec<_>>(), [held]);
    let over = job(ExportState::Fetched);
    let step = ExportChange::new(Some(ExportState::Released), &over);
    assert!(catalogue.step_export(&log(), step, pending(4)).await.unwrap());
    catalogue.missed_settled(&[held]).await.unwrap();
    assert!(catalogue.missed(10).await.unwrap().is_empty());
}
