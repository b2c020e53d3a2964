//! What people asked and were refused after a backup holds after it was put back: requests to open, restrictions, and
//! people who may no longer come in.

use super::backup::{Kept, is_sound, opened};
use super::captures::{capture, reaction};
use super::fixture::channel_arguments;
use crate::conformance::openings::{asking, official, person};
use crate::support::judged_by_one;
use knik::access::Actor;
use knik::cli::DataFolder;
use knik::decide::Answer;
use knik::ledger::{Entry, EntryKind, Pending, Thing};
use knik::model::{
    AccountProof, ActorId, GrantId, IncidentId, OpeningScope, PrivateText, QueueKind, RecordId, ReportId,
    ReportKind, RevocationKind, RevocationReason, Revoked, Role, SubjectRequestId, SubjectRequestKind,
};
use knik::store::catalogue::{QueueItem, Queued};
use knik::store::inbox::{Message, ReaderReport};
use knik::store::openings::OpeningState;
use knik::vault::reviewing::{self, Added, AskedRate, Assessing, Drawing, Place};
use knik::vault::subject_requests::{Proving, Registering, StatedAccount};
use knik::vault::{Rules, openings, queue, revoke, sequence, subject_requests};
use std::path::Path;

const ISSUER: &str = "https://id.example";

/// Records in the order in which they came in.
async fn records(folder: &DataFolder) -> Vec<RecordId> {
    let all = folder.archive.catalogue.records(&"min-low".parse().unwrap(), None, None, 10).await.unwrap();
    all.iter().map(|summary| summary.id).collect()
}

/// A request to open an original; it needs no second person.
async fn request(folder: &DataFolder, by: &Actor, record: RecordId) -> GrantId {
    let asked = asking("woo-request", OpeningScope::Record, &[record]);
    openings::request(&folder.archive, &folder.rules, by, asked).await.unwrap().row.id
}

/// A request of the person who wrote the questions, searched.
async fn concerned(folder: &DataFolder, by: &Actor) -> SubjectRequestId {
    let (archive, rules) = (&folder.archive, &folder.rules);
    let asked = Registering {
        kind: SubjectRequestKind::Restriction,
        received_at: None,
        asker: "Wobbe Quakelbeen, postbus 1, Den Haag".into(),
        text: "Laat rusten wat ik schreef.".into(),
        accounts: vec![StatedAccount {
            platform: "mastodon".parse().unwrap(),
            instance: Some("polder.example".to_owned()),
            handle: "@wobbe_q".into(),
        }],
    };
    let id = subject_requests::register(archive, rules, by, asked).await.unwrap().row.id;
    let second = Actor { id: official(92).id, ..by.clone() };
    let proving = Proving { proof: AccountProof::LoginSeen, code: None, stands_in_for: None };
    subject_requests::prove(archive, rules, &second, id, proving).await.unwrap();
    subject_requests::search(archive, rules, by, id).await.unwrap();
    id
}

async fn restrict(folder: &DataFolder, by: &Actor, id: SubjectRequestId, lift: bool) -> u64 {
    subject_requests::restrict(&folder.archive, &folder.rules, by, id, lift).await.unwrap()
}

async fn close(folder: DataFolder) {
    sequence::round(&folder.archive, &folder.rules).await.unwrap();
    for database in [folder.archive.catalogue.database(), folder.archive.room.database()] {
        database.close().await;
    }
}

fn subject(value: &str) -> Revoked {
    Revoked::new(RevocationKind::Subject, ISSUER, value).unwrap()
}

/// Whether a request to open, the restriction of a record, and a person who may not come in hold here.
async fn holds(dir: &Path, id: GrantId, record: RecordId) -> (OpeningState, bool, Vec<Revoked>) {
    let folder = opened(dir).await;
    let archive = &folder.archive;
    let state = archive.openings().opening(id).await.unwrap().unwrap().state;
    let restricted = archive.openings().restricted(record).await.unwrap();
    let revoked = archive.catalogue.revocations().await.unwrap();
    let revoked = revoked.into_iter().filter(|one| one.lifted_at.is_none()).map(|one| one.revoked).collect();
    close(folder).await;
    (state, restricted, revoked)
}

#[tokio::test]
async fn requests_restrictions_and_people_refused_after_the_backup_stay_so() {
    let kept = Kept::new();
    let dir = kept.folder.dir.clone();
    let ann = official(1);
    let folder = opened(&dir).await;
    let all = records(&folder).await;
    let (ended, running) = (request(&folder, &ann, all[0]).await, request(&folder, &ann, all[1]).await);
    let id = concerned(&folder, &ann).await;
    let (archive, now) = (&folder.archive, folder.archive.sources.now());
    let fresh = ActorId::from_uuid(uuid::Uuid::from_u128(77));
    archive.catalogue.actor(ISSUER, "ambtenaar-7", fresh, now).await.unwrap();
    close(folder).await;
    kept.backup();

    let folder = opened(&dir).await;
    let archive = &folder.archive;
    openings::revoke(archive, &folder.rules, &ann, ended).await.unwrap();
    assert_eq!(restrict(&folder, &ann, id, false).await, 3);
    // One who came here and one who never did.
    for who in ["ambtenaar-7", "onbekende-9"] {
        revoke::revoke(archive, subject(who), RevocationReason::Leaked).await.unwrap();
    }
    close(folder).await;

    let (restored, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    let number = |field: &str| done[field].as_u64().unwrap();
    assert_eq!((number("openingsRevoked"), number("restrictions")), (1, 3), "{done}");
    assert_eq!((number("identitiesRevoked"), number("revocationsLost")), (1, 1), "{done}");
    is_sound(&restored);
    let after = holds(&restored, ended, all[2]).await;
    assert_eq!(after, (OpeningState::Revoked, true, vec![subject("ambtenaar-7")]));
    assert_eq!(holds(&restored, running, all[0]).await.0, OpeningState::Open, "what was not revoked runs on");

    // What was lifted after a backup is not restricted after it either.
    kept.backup();
    let folder = opened(&dir).await;
    restrict(&folder, &ann, id, true).await;
    close(folder).await;
    let (again, ran) = kept.restore("again", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!(done["restrictions"], 3, "{done}");
    let after = holds(&again, ended, all[2]).await;
    assert_eq!((after.0, after.1), (OpeningState::Revoked, false));
}

/// Takes in so many questions on a channel that follows the tree of scenario B.
fn questions_on_a_channel_with_steps(kept: &Kept, count: u32) {
    let declared = channel_arguments("low-vragen", &["--tree", "scenario-b"]);
    let declared: Vec<&str> =
        declared.iter().map(|word| if *word == "minlow" { "minvragen" } else { word }).collect();
    kept.folder.run(&declared).ok();
    let one = |n: u32| reaction(&format!("1163000000077{n:04}"), "Wanneer komt er antwoord op mijn vraag?");
    let file = kept.folder.file("vragen.json", &capture(&(0..count).map(one).collect::<Vec<_>>()));
    kept.folder.run(&["ingest", "--channel", "low-vragen", &file]).ok();
}

/// The records of that channel.
async fn questions_of(folder: &DataFolder) -> Vec<RecordId> {
    let all = folder.archive.catalogue.records(&"min-low".parse().unwrap(), None, None, 100).await.unwrap();
    all.iter().filter(|summary| summary.channel.as_str() == "low-vragen").map(|summary| summary.id).collect()
}

/// A word in every question, which no detector takes for a name.
const NAME: &str = "antwoord";

fn reviewer() -> Actor {
    person(61, Role::Reviewer, "min-low")
}

async fn items(folder: &DataFolder, kind: QueueKind) -> Vec<QueueItem> {
    let asked = Queued { kind: Some(kind), most: 100, ..Queued::default() };
    reviewing::list(&folder.archive, &folder.rules, &reviewer(), &asked).await.unwrap()
}

/// Draws everything, to be judged by one person.
async fn draw_all(folder: &DataFolder) {
    let rules = Rules { reviewing: judged_by_one(), ..folder.rules.clone() };
    let rate = AskedRate { permille: Some(1_000), twofold_permille: None };
    let manager = person(62, Role::RecordsManager, "min-low");
    let drawing = Drawing { channels: Vec::new(), rate };
    reviewing::draw(&folder.archive, &rules, &manager, &drawing).await.unwrap();
}

/// What a reviewer says of a whole item, with what they found missing.
async fn assess(folder: &DataFolder, item: &QueueItem, added: Vec<Added>) {
    let (archive, rules, by) = (&folder.archive, &folder.rules, reviewer());
    let language = knik::redact::Language::Dutch;
    let shown = reviewing::show(archive, rules, &by, item.id, language).await.unwrap();
    let asked = Assessing {
        // A question that is no letter: it is archived here, and read.
        answers: shown
            .steps
            .iter()
            .map(|step| (step.step.clone(), Answer::from(step.step != "burgerbrief")))
            .collect(),
        rest_confirmed: true,
        added,
        reason: PrivateText::from("in dit gesprek wijst het een persoon aan"),
        weighing: PrivateText::from("de persoonlijke levenssfeer weegt zwaarder"),
        ..Assessing::default()
    };
    let told = reviewing::assess(archive, rules, &by, item.id, &asked).await.unwrap();
    assert_eq!(told["settled"], true);
}

fn missed() -> Vec<Added> {
    let place = Place::Words(PrivateText::from(NAME));
    vec![Added { place, entity: "PERSON".parse().unwrap(), exemption: "woo-5.1.2e".parse().unwrap() }]
}

/// What readers may see of a record.
async fn document(folder: &DataFolder, record: RecordId) -> Option<String> {
    let known = folder.archive.catalogue.record(record).await.unwrap().unwrap();
    folder.archive.room.document(known.projection).await.unwrap()
}

/// A reader says that a name can be seen in a record.
async fn report(folder: &DataFolder, record: RecordId) {
    let known = folder.archive.catalogue.record(record).await.unwrap().unwrap();
    let report = ReaderReport {
        id: ReportId::from_uuid(uuid::Uuid::new_v4()),
        grant: GrantId::from_uuid(uuid::Uuid::from_u128(7)),
        projection: known.projection,
        reporter: ActorId::from_uuid(uuid::Uuid::from_u128(8)),
        kind: ReportKind::NameVisible,
        passage: None,
    };
    let message = Message::reported(&report, folder.archive.sources.now());
    folder.archive.inbox.append(&[message]).await.unwrap();
}

/// The ledger says that personal data was shown in a record.
async fn incident(folder: &DataFolder, record: RecordId) {
    let (archive, sources) = (&folder.archive, &folder.archive.sources);
    let opened = Entry::new(sources.entry_id().unwrap(), EntryKind::IncidentOpened, sources.now())
        .of("min-low".parse().unwrap())
        .about([Thing::Incident(IncidentId::from_uuid(uuid::Uuid::new_v4())), Thing::Record(record)])
        .outcome("missed-finding".parse().unwrap());
    let pending = Pending::event(opened).unwrap();
    let _recorded = archive.journal.record(archive.logs.vault_origin(), pending, None).await.unwrap();
}

#[tokio::test]
async fn what_was_covered_reported_or_set_aside_after_the_backup_is_not_shown_again() {
    let kept = Kept::new();
    let dir = kept.folder.dir.clone();
    questions_on_a_channel_with_steps(&kept, 5);
    let folder = opened(&dir).await;
    sequence::round(&folder.archive, &folder.rules).await.unwrap();
    let all = questions_of(&folder).await;
    let [covered, reported, set_aside, leaked, untouched] = all[..] else { panic!("{all:?}") };
    for record in &all {
        assert!(document(&folder, *record).await.unwrap().contains(NAME), "it is read");
    }
    close(folder).await;
    kept.backup();

    let folder = opened(&dir).await;
    let (archive, rules) = (&folder.archive, &folder.rules);
    draw_all(&folder).await;
    let sampled = items(&folder, QueueKind::Sample).await;
    assess(&folder, sampled.iter().find(|item| item.record == covered).unwrap(), missed()).await;
    assert!(!document(&folder, covered).await.unwrap().contains(NAME), "it was covered");
    report(&folder, reported).await;
    queue::answer(archive, rules, &reviewer(), set_aside, "question", Answer::No).await.unwrap();
    incident(&folder, leaked).await;
    let _lost_with_the_database = concerned(&folder, &official(1)).await;
    sequence::round(archive, rules).await.unwrap();
    for record in [reported, set_aside] {
        assert_eq!(document(&folder, record).await, None, "it is out of sight");
    }
    close(folder).await;

    let (restored, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!((&done["withheld"], &done["judgementsLost"]), (&4.into(), &0.into()), "{done}");
    let lost = (&done["reportsLost"], &done["incidentsLost"], &done["subjectRequestsLost"]);
    assert_eq!(lost, (&1.into(), &1.into(), &1.into()), "{done}");
    is_sound(&restored);
    let folder = opened(&restored).await;
    for record in [covered, reported, set_aside, leaked] {
        assert_eq!(document(&folder, record).await, None, "not as it was in the backup, nor at all");
    }
    assert!(document(&folder, untouched).await.unwrap().contains(NAME), "what nobody touched is read");
    // Whatever is computed anew meanwhile, it waits for a person.
    sequence::round(&folder.archive, &folder.rules).await.unwrap();
    assert_eq!(document(&folder, covered).await, None);
    let waiting = items(&folder, QueueKind::Restored).await;
    let mut which: Vec<RecordId> = waiting.iter().map(|item| item.record).collect();
    which.sort();
    let mut expected = vec![covered, reported, set_aside, leaked];
    expected.sort();
    assert_eq!(which, expected);
    let item = waiting.iter().find(|item| item.record == covered).unwrap();
    let nothing = Assessing::default();
    let refused = reviewing::assess(&folder.archive, &folder.rules, &reviewer(), item.id, &nothing).await;
    assert!(refused.is_err(), "it is judged whole");
    assess(&folder, item, missed()).await;
    let anew = document(&folder, covered).await.expect("judged again, and read");
    assert!(!anew.contains(NAME), "{anew}");
    assert_eq!(items(&folder, QueueKind::Restored).await.len(), 3);
    close(folder).await;
}

#[tokio::test]
async fn what_came_in_after_the_backup_and_was_judged_is_counted_as_lost() {
    let kept = Kept::new();
    let dir = kept.folder.dir.clone();
    kept.backup();
    questions_on_a_channel_with_steps(&kept, 1);
    let folder = opened(&dir).await;
    let newest = questions_of(&folder).await[0];
    draw_all(&folder).await;
    queue::answer(&folder.archive, &folder.rules, &reviewer(), newest, "question", Answer::No).await.unwrap();
    close(folder).await;
    let (dir, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!((&done["withheld"], &done["judgementsLost"]), (&0.into(), &1.into()), "{done}");
    is_sound(&dir);
}
