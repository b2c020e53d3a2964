//! Appointments stand with their entry, hold until they end, and give their channels of the queue.

use super::fixture::*;
use super::stage::Stage;
use knik::model::{ActorId, AppointmentId, AppointmentKind, FlagKind, RecogniserId};
use knik::store::catalogue::{Appointment, Batch, Catalogue, FlagPlace, FlagRow, QueueScope, QueueState};
use knik::store::database::Plane;

fn appointment(n: u128, kind: AppointmentKind, until: i64) -> Appointment {
    Appointment {
        id: AppointmentId::from_uuid(id(n)),
        kind,
        organisation: organisation(),
        actor: ActorId::from_uuid(id(90)),
        document: "besluit \"2026\" 'twaalf' %_".to_owned(),
        channels: vec![channel().id],
        made_at: at(1),
        until: at(until),
        ended_at: None,
    }
}

async fn ended(catalogue: &Catalogue, n: u128, entry: u128, seconds: i64) -> bool {
    let id = AppointmentId::from_uuid(id(n));
    catalogue.end_appointment(&log(), id, step(entry), at(seconds)).await.unwrap()
}

pub async fn an_appointment_stands_with_its_entry_until_it_ends(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let before = rows(&db, "journal_pending").await;
    let (first, second) =
        (appointment(1, AppointmentKind::Mandate, 100), appointment(2, AppointmentKind::Mandate, 50));
    for (n, one) in [(211, &first), (212, &second)] {
        let _recorded = catalogue.add_appointment(&log(), one, step(n)).await.unwrap();
    }
    assert!(catalogue.add_appointment(&log(), &first, step(213)).await.is_err(), "it is there");
    assert_eq!(rows(&db, "journal_pending").await - before, 2, "what failed left no entry");
    let actor = first.actor;
    let of = |kind| catalogue.appointments_of(actor, kind);
    let both = of(AppointmentKind::Mandate).await.unwrap();
    assert_eq!(both, [second.clone(), first.clone()], "the one that holds longest last");
    assert_eq!(of(AppointmentKind::Assignment).await.unwrap(), []);
    let nobody = ActorId::from_uuid(id(91));
    assert_eq!(catalogue.appointments_of(nobody, AppointmentKind::Mandate).await.unwrap(), []);
    assert!(!ended(&catalogue, 2, 214, 50).await, "its term is over");
    assert!(ended(&catalogue, 1, 215, 20).await);
    assert!(!ended(&catalogue, 1, 216, 30).await, "it has ended");
    assert!(!ended(&catalogue, 3, 217, 30).await, "there is none");
    assert_eq!(rows(&db, "journal_pending").await - before, 3);
    let both = of(AppointmentKind::Mandate).await.unwrap();
    assert_eq!(both, [Appointment { ended_at: Some(at(20)), ..first }, second]);
    assert_eq!(both[0].holds_until(), at(20));
    assert_eq!(catalogue.appointments(AppointmentKind::Mandate).await.unwrap().len(), 2);
}

pub async fn a_queue_holds_the_channels_of_its_scopes(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    for n in 1..=2 {
        let of = batch(n);
        let place =
            FlagPlace { passage: 0, start: 0, end: 4, rule: "health-self".parse::<RecogniserId>().unwrap() };
        let version = of.versions[0].id;
        let flags = vec![FlagRow { version, kind: FlagKind::Health, places: vec![place] }];
        catalogue.commit(&log(), Batch { flags, ..of }).await.unwrap();
    }
    let queue = |scopes: Vec<QueueScope>| {
        let catalogue = &catalogue;
        async move { catalogue.review_items(&scopes, QueueState::Open, None, 100).await.unwrap().len() }
    };
    let some = |channels: &[&str]| QueueScope {
        organisation: organisation(),
        channels: channels.iter().map(|channel| channel.parse().unwrap()).collect(),
    };
    let elsewhere = || QueueScope { organisation: "rws".parse().unwrap(), channels: vec![channel().id] };
    assert_eq!(queue(vec![]).await, 0, "no scope is no queue");
    assert_eq!(queue(vec![QueueScope::whole(organisation())]).await, 2);
    assert_eq!(queue(vec![some(&[channel().id.as_str()])]).await, 2);
    assert_eq!(queue(vec![some(&["another-channel"])]).await, 0);
    assert_eq!(queue(vec![elsewhere()]).await, 0, "a channel's name alone opens nothing");
    assert_eq!(queue(vec![some(&["another-channel", channel().id.as_str()]), elsewhere()]).await, 2);
}
