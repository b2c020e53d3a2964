//! Reports of readers, what was missed earlier in something read, who is told, and citations: on every backend.

use super::fixture::at;
use super::openings::{absent, person, refused, unfit, vault};
use super::room::{conversation, draw, grant, grant_id, projection};
use super::stage::Stage;
use crate::intake::disclosure::entries;
use crate::support::TestVault;
use knik::access::Actor;
use knik::ledger::{EntryKind, Thing};
use knik::model::{
    GrantId, IncidentId, IncidentOutcome, PrivateText, ProjectionId, QueueKind, RecordRef, ReportId,
    ReportKind, ReportOutcome, Role,
};
use knik::redact::{Language, finding_aid_text};
use knik::store::catalogue::Queued;
use knik::store::database::Plane;
use knik::store::inbox::{Message, ReaderReport, RoomEvent, RoomEventKind};
use knik::store::room::{PublishedConversation, Query, Room, RoomWriter};
use knik::vault::grants::{Approval, approve, revoke};
use knik::vault::publications::{Publishing, publish};
use knik::vault::reports::{self, Place, ReportJudging, ReportSelection};
use knik::vault::{break_glass, finding_aid, incidents, reviewing, story};
use serde_json::Value;
use uuid::Uuid;

const READER: (&str, &str) = ("https://login.example", "onderzoeker-1");

fn reviewer() -> Actor {
    person(71, Role::Reviewer, "min-low")
}

fn officer() -> Actor {
    person(72, Role::DataProtectionOfficer, "min-low")
}

fn records_manager() -> Actor {
    person(73, Role::RecordsManager, "min-low")
}

/// A grant on the ministry's Mastodon channel, and one view of it.
struct Reading {
    vault: TestVault,
    room: Room,
    grant: GrantId,
    reader: knik::model::ActorId,
    reference: RecordRef,
    projection: ProjectionId,
}

impl Reading {
    async fn of(stage: &Stage) -> Self {
        let vault = vault(stage).await;
        let approval = Approval {
            organisation: "min-low".parse().unwrap(),
            issuer: READER.0.to_owned(),
            subject: READER.1.to_owned(),
            purpose: "onderzoek".to_owned(),
            legal_basis: "woo-5.7".parse().unwrap(),
            channels: vec!["low-mastodon".parse().unwrap()],
            plan: "researcher".to_owned(),
            until: vault.archive.sources.now().plus_seconds(86_400_000),
        };
        let granted = approve(&vault.archive, &vault.rules, approval, None).await.unwrap();
        vault.round().await;
        let room = Room::new(vault.room.clone());
        let found = room.find(granted.id, &Query::default(), None, 100).await.unwrap();
        let with_a_word =
            found.iter().find(|record| word_in(&first_text(&record.document)).is_some()).unwrap();
        Self {
            room,
            grant: granted.id,
            reader: granted.reader,
            reference: with_a_word.reference,
            projection: with_a_word.projection,
            vault,
        }
    }

    async fn tell(&self, message: Message) {
        self.vault.archive.inbox.append(&[message]).await.unwrap();
    }

    /// The reading room says that the view was shown, at a moment.
    async fn shown(&self, seconds_ago: i64) {
        let event = RoomEvent {
            kind: RoomEventKind::View,
            actor: Some(self.reader),
            role: Role::Researcher,
            grant: Some(self.grant),
            organisation: Some("min-low".parse().unwrap()),
            projections: vec![self.projection],
            count: 1,
            reasons: Vec::new(),
        };
        let at = self.vault.archive.sources.now().plus_seconds(-seconds_ago);
        self.tell(Message::of(&event, at)).await;
    }

    async fn reported(&self, kind: ReportKind) -> ReportId {
        let id = ReportId::from_uuid(Uuid::new_v4());
        let (grant, projection, reporter) = (self.grant, self.projection, self.reader);
        let report = ReaderReport { id, grant, projection, reporter, kind, passage: Some(0) };
        self.tell(Message::reported(&report, self.vault.archive.sources.now())).await;
        self.vault.round().await;
        id
    }

    async fn judged(&self, id: ReportId, outcome: ReportOutcome, places: Vec<Place>) {
        let judging = ReportJudging { outcome, places };
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let report = reports::judge(archive, rules, &reviewer(), id, &judging).await.unwrap();
        assert_eq!(report.outcome, Some(outcome));
        self.vault.round().await;
    }

    async fn is_readable(&self) -> bool {
        self.room.record(self.grant, self.reference).await.unwrap().is_some()
    }

    /// A word of the original that nothing is found in, as a reviewer sees it.
    async fn place(&self, id: ReportId) -> (Place, String) {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let shown = reports::show(archive, rules, &reviewer(), id).await.unwrap().to_json();
        let text = shown["passages"][0]["text"].as_str().unwrap().to_owned();
        let word = word_in(&text).unwrap();
        let start = text[..text.find(&word).unwrap()].chars().count();
        (Place { passage: 0, start, end: start + word.chars().count(), entity: None }, word)
    }

    async fn incidents(&self) -> Vec<Value> {
        incidents::list(&self.vault.archive, &self.vault.rules, None).await.unwrap()
    }
}

/// The readable pieces of the first text of a projection.
fn first_text(document: &str) -> String {
    let read: Value = serde_json::from_str(document).unwrap();
    let pieces = read["passages"][0]["text"].as_array().unwrap();
    pieces.iter().filter_map(|piece| piece["text"].as_str()).collect::<Vec<_>>().join("|")
}

/// A word of nine letters or more in lower case: no name, and nothing that is swept.
fn word_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_alphabetic());
    words.filter(|word| word.len() > 8 && word.chars().all(char::is_lowercase)).map(str::to_owned).next()
}

pub async fn a_visible_name_is_withheld_until_it_is_judged(stage: &Stage) {
    let reading = Reading::of(stage).await;
    let (archive, rules) = (&reading.vault.archive, &reading.vault.rules);
    let wrongly = reading.reported(ReportKind::WronglyRedacted).await;
    assert!(reading.is_readable().await, "a report of something hidden withholds nothing");
    let id = reading.reported(ReportKind::NameVisible).await;
    assert!(!reading.is_readable().await, "it is withheld at once");
    let cited = reading.room.cited(reading.grant, reading.reference).await.unwrap().unwrap();
    assert!(cited.withdrawn);
    let asked = ReportSelection { judged: false, most: 100 };
    let waiting = reports::list(archive, rules, &reviewer(), asked).await.unwrap();
    assert_eq!(waiting.iter().map(|report| report.id).collect::<Vec<_>>(), [wrongly, id]);
    refused(
        reports::list(archive, rules, &person(1, Role::Official, "min-low"), asked).await,
        "reviewer-lists-own-queue",
    );
    let elsewhere = person(74, Role::Reviewer, "dwv");
    assert!(reports::list(archive, rules, &elsewhere, asked).await.unwrap().is_empty());
    absent(reports::show(archive, rules, &elsewhere, id).await);
    let nothing = ReportJudging { outcome: ReportOutcome::Unfounded, places: Vec::new() };
    absent(reports::judge(archive, rules, &elsewhere, id, &nothing).await);
    absent(reports::show(archive, rules, &reviewer(), ReportId::from_uuid(Uuid::new_v4())).await);
    let placeless = ReportJudging { outcome: ReportOutcome::Confirmed, places: Vec::new() };
    unfit(reports::judge(archive, rules, &reviewer(), id, &placeless).await, "name the places");
    let off = Place { passage: 0, start: 1, end: 1_000_000, entity: None };
    let outside = ReportJudging { outcome: ReportOutcome::Confirmed, places: vec![off] };
    unfit(reports::judge(archive, rules, &reviewer(), id, &outside).await, "does not lie");
    assert!(reports::show(archive, rules, &reviewer(), id).await.is_ok(), "it is opened while it waits");
    let mine = async || {
        let asked = Queued { kind: Some(QueueKind::ReaderReport), most: 10, ..Queued::default() };
        reviewing::list(archive, rules, &reviewer(), &asked).await.unwrap()
    };
    let item = mine().await.remove(0);
    assert_eq!(archive.catalogue.behind(reading.projection).await.unwrap().unwrap().0, item.record);
    reading.judged(id, ReportOutcome::Unfounded, Vec::new()).await;
    assert!(reading.is_readable().await, "it has its name again");
    assert_eq!(mine().await.len(), 1, "another report on the record waits");
    reading.judged(wrongly, ReportOutcome::Unfounded, Vec::new()).await;
    assert!(mine().await.is_empty(), "every report was judged");
    let opened = entries(&reading.vault, 0).await.len();
    absent(reports::show(archive, rules, &reviewer(), id).await);
    let places = vec![Place { passage: 0, start: 0, end: 1, entity: None }];
    let confirmed = ReportJudging { outcome: ReportOutcome::Confirmed, places };
    unfit(reports::judge(archive, rules, &reviewer(), id, &confirmed).await, "judged before");
    let since = entries(&reading.vault, opened).await;
    assert!(
        since.iter().all(|entry| entry.kind() != EntryKind::DisclosureIntended),
        "nothing is opened any more"
    );
    unfit(reports::judge(archive, rules, &reviewer(), id, &nothing).await, "judged before");
    let told = entries(&reading.vault, 0).await;
    let of =
        |kind| told.iter().filter(|e| e.kind() == kind && e.things().contains(&Thing::Report(id))).count();
    assert_eq!((of(EntryKind::ReviewDone), reading.incidents().await.len()), (1, 0));
}

pub async fn what_was_missed_and_read_opens_an_incident(stage: &Stage) {
    let reading = Reading::of(stage).await;
    let (archive, rules) = (&reading.vault.archive, &reading.vault.rules);
    reading.shown(5).await;
    let id = reading.reported(ReportKind::NameVisible).await;
    let (place, word) = reading.place(id).await;
    reading.judged(id, ReportOutcome::Confirmed, vec![place]).await;
    reading.vault.round().await;
    let now = reading.room.record(reading.grant, reading.reference).await.unwrap().unwrap();
    assert!(!now.document.contains(&word), "`{word}` is redacted: {}", now.document);
    let open = reading.incidents().await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["cause"], "review");
    let left = open[0]["hoursLeft"].as_i64().unwrap();
    assert!((71..=72).contains(&left), "{left}");
    let incident: IncidentId = open[0]["id"].as_str().unwrap().parse().unwrap();
    let shown = incidents::show(archive, rules, Some(&officer()), incident).await.unwrap();
    assert_eq!(shown["holders"][0]["person"]["subject"], READER.1);
    assert_eq!(shown["holders"].as_array().unwrap().len(), 1);
    assert_eq!(shown["recalled"][0]["records"], 1);
    // The officer is alarmed, and readers are told by the names that their grant has.
    let due = archive.openings().alarms_due(archive.sources.now(), 10).await.unwrap();
    assert_eq!((due.len(), due[0].about, due[0].kind.as_str()), (1, incident.uuid(), "missed-finding"));
    let warned = break_glass::warnings(archive).await.unwrap();
    assert!(warned.iter().any(|warning| warning.contains(&incident.to_string())), "{warned:?}");
    let notices = reading.room.notices(READER.0, READER.1).await.unwrap();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains(&reading.reference.to_string()) && !notices[0].contains(&word));
    assert!(reading.room.notices(READER.0, "onderzoeker-2").await.unwrap().is_empty());
    reading.vault.round().await;
    assert_eq!(
        (reading.incidents().await.len(), reading.room.notices(READER.0, READER.1).await.unwrap().len()),
        (1, 1)
    );
    // Closed once, by who may.
    let text = PrivateText::from("Eén woord, gezien door één onderzoeker, die heeft gewist.");
    let outcome = IncidentOutcome::NoNotification;
    refused(
        incidents::close(archive, rules, Some(&officer()), incident, outcome, &text).await,
        "data-protection-officer-decides-nothing",
    );
    let elsewhere = person(75, Role::RecordsManager, "dwv");
    absent(incidents::close(archive, rules, Some(&elsewhere), incident, outcome, &text).await);
    let short = PrivateText::from("klaar");
    unfit(
        incidents::close(archive, rules, Some(&records_manager()), incident, outcome, &short).await,
        "say what",
    );
    incidents::close(archive, rules, Some(&records_manager()), incident, outcome, &text).await.unwrap();
    unfit(
        incidents::close(archive, rules, Some(&records_manager()), incident, outcome, &text).await,
        "before",
    );
    let shown = incidents::show(archive, rules, None, incident).await.unwrap();
    assert_eq!(shown["text"], text.expose());
    let warned = break_glass::warnings(archive).await.unwrap();
    assert!(warned.iter().all(|said| !said.contains(&incident.to_string())), "{warned:?}");
    // The ledger tells all of it, without a word of it.
    let told = story::of(archive, rules, reading.grant.uuid()).await.unwrap();
    let words: Vec<&str> = told.sentences.iter().map(|sentence| sentence.en.as_str()).collect();
    let whole = words.join("\n");
    for part in [
        "request approved",
        "views shown",
        "report of a reader",
        "redaction reviewed",
        "missed earlier",
        "no notification",
    ] {
        assert!(whole.contains(part), "{part}: {whole}");
    }
    assert!(!whole.contains(&word) && told.sentences.iter().all(|sentence| !sentence.entries.is_empty()));
}

pub async fn what_only_the_public_read_opens_an_incident(stage: &Stage) {
    let reading = Reading::of(stage).await;
    let (archive, rules) = (&reading.vault.archive, &reading.vault.rules);
    let asked = Publishing {
        organisation: "min-low".parse().unwrap(),
        document: "besluit 2026-12".to_owned(),
        legal_basis: "woo-3.1".parse().unwrap(),
        channels: Vec::new(),
        from_day: None,
        until_day: None,
        until: archive.sources.now().plus_seconds(86_400_000),
    };
    let publication = publish(archive, rules, asked, None).await.unwrap();
    reading.vault.round().await;
    // As the reading room says it of one of the public: they have no name.
    let event = RoomEvent {
        kind: RoomEventKind::View,
        actor: None,
        role: Role::Public,
        grant: Some(publication.id),
        organisation: Some("min-low".parse().unwrap()),
        projections: vec![reading.projection],
        count: 1,
        reasons: Vec::new(),
    };
    reading.tell(Message::of(&event, archive.sources.now().plus_seconds(-5))).await;
    let id = reading.reported(ReportKind::NameVisible).await;
    let (place, _) = reading.place(id).await;
    reading.judged(id, ReportOutcome::Confirmed, vec![place]).await;
    reading.vault.round().await;
    let open = reading.incidents().await;
    assert_eq!(open.len(), 1);
    let incident: IncidentId = open[0]["id"].as_str().unwrap().parse().unwrap();
    let shown = incidents::show(archive, rules, Some(&officer()), incident).await.unwrap();
    assert_eq!(shown["holders"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["holders"][0]["grant"], publication.id.to_string());
    assert_eq!(shown["holders"][0]["person"]["issuer"], "knik:everyone");
    assert_eq!(archive.openings().alarms_due(archive.sources.now(), 10).await.unwrap().len(), 1);
    // As it was in a database of before: the log has it, the table does not.
    let seen = archive.catalogue.seen(reading.projection, archive.sources.now()).await.unwrap();
    reading.vault.tamper("DELETE FROM seen").await;
    incidents::carry_over(archive).await.unwrap();
    assert_eq!(archive.catalogue.seen(reading.projection, archive.sources.now()).await.unwrap(), seen);
}

pub async fn what_nobody_read_opens_nothing_and_what_comes_up_late_counts(stage: &Stage) {
    let reading = Reading::of(stage).await;
    let id = reading.reported(ReportKind::NameVisible).await;
    let (place, _) = reading.place(id).await;
    reading.judged(id, ReportOutcome::Confirmed, vec![place]).await;
    reading.vault.round().await;
    assert!(reading.incidents().await.is_empty(), "nobody was shown it");
    // A reader was answered before it was replaced, and the reading room says so only now.
    reading.shown(30).await;
    reading.vault.round().await;
    assert_eq!(reading.incidents().await.len(), 1);
}

pub async fn what_was_shown_before_there_was_a_table_of_it_is_carried_over(stage: &Stage) {
    let reading = Reading::of(stage).await;
    reading.shown(5).await;
    reading.vault.round().await;
    let archive = &reading.vault.archive;
    let now = archive.sources.now();
    let seen = archive.catalogue.seen(reading.projection, now).await.unwrap();
    assert_eq!(seen.len(), 1);
    // As it was in a database of before: the log has it, the table does not.
    let forgotten = sqlx::query("DELETE FROM seen").execute(archive.catalogue.database().write()).await;
    assert!(forgotten.unwrap().rows_affected() >= 1);
    assert!(incidents::carry_over(archive).await.unwrap() >= 1);
    assert_eq!(archive.catalogue.seen(reading.projection, now).await.unwrap(), seen);
    assert_eq!(incidents::carry_over(archive).await.unwrap(), 0, "once");
}

pub async fn a_correction_stays_when_the_record_is_computed_anew(stage: &Stage) {
    let reading = Reading::of(stage).await;
    let id = reading.reported(ReportKind::NameVisible).await;
    let (place, word) = reading.place(id).await;
    // Where nothing is redacted, nothing can be redacted wrongly.
    let groundless = reading.reported(ReportKind::WronglyRedacted).await;
    let judging = ReportJudging { outcome: ReportOutcome::Confirmed, places: vec![place.clone()] };
    let (archive, rules) = (&reading.vault.archive, &reading.vault.rules);
    let refused = reports::judge(archive, rules, &reviewer(), groundless, &judging).await.unwrap_err();
    assert!(refused.to_string().contains("nothing is redacted"), "{refused}");
    reading.judged(id, ReportOutcome::Confirmed, vec![place.clone()]).await;
    let again = reading.reported(ReportKind::NameVisible).await;
    reading.judged(again, ReportOutcome::Unfounded, Vec::new()).await;
    let now = reading.room.record(reading.grant, reading.reference).await.unwrap().unwrap();
    assert!(!now.document.contains(&word));
    // And is dropped when it was wrong.
    let wrong = reading.reported(ReportKind::WronglyRedacted).await;
    reading.judged(wrong, ReportOutcome::Confirmed, vec![place.clone()]).await;
    let now = reading.room.record(reading.grant, reading.reference).await.unwrap().unwrap();
    assert!(now.document.contains(&word), "{}", now.document);
    // The last word counts.
    let last = reading.reported(ReportKind::NameVisible).await;
    reading.judged(last, ReportOutcome::Confirmed, vec![place]).await;
    let now = reading.room.record(reading.grant, reading.reference).await.unwrap().unwrap();
    assert!(!now.document.contains(&word), "{}", now.document);
}

pub async fn a_grant_has_a_finding_aid_that_tells_nothing_small(stage: &Stage) {
    let reading = Reading::of(stage).await;
    let (archive, rules) = (&reading.vault.archive, &reading.vault.rules);
    let published = reading.room.finding_aid(reading.grant).await.unwrap().unwrap();
    let aid: Value = serde_json::from_str(&published).unwrap();
    let channel = &aid["channels"][0];
    assert_eq!(aid["organisation"], "min-low");
    assert_eq!(channel["channel"], "low-mastodon");
    assert!(
        !channel["captures"].as_array().unwrap().is_empty() && aid["measured"].as_array().unwrap().len() > 1
    );
    for capture in channel["captures"].as_array().unwrap() {
        let told = &capture["count"];
        assert!(
            *told == "<10" || told.as_u64().unwrap() >= 10,
            "{told} captures are few enough to be told apart"
        );
    }
    for percent in channel["withheld"]["percentByReason"].as_object().unwrap().values() {
        assert!(percent.is_u64());
    }
    let text = finding_aid_text(&aid, Language::Dutch);
    assert!(text.contains("low-mastodon") && text.contains("ten minste"), "{text}");
    assert_eq!(finding_aid::renew(archive, rules).await.unwrap(), 0, "it is of today");
    revoke(archive, reading.grant, None).await.unwrap();
    absent(finding_aid::of(archive, rules, GrantId::from_uuid(Uuid::new_v4())).await);
}

pub async fn a_citation_tells_what_became_of_it_in_its_own_grant(stage: &Stage) {
    let db = stage.open(Plane::Room).await;
    let (writer, room, draw) = (RoomWriter::new(db.clone()), Room::new(db), draw());
    let publish = async |projections: Vec<knik::store::room::PublishedProjection>, seconds: i64| {
        let published = PublishedConversation { conversation: conversation(1), projections };
        writer.conversation(&published, at(seconds), &draw).await.unwrap();
    };
    let named = async |n: u128| {
        let found = room.find(grant_id(n), &Query::default(), None, 10).await.unwrap();
        found.iter().map(|record| record.reference).next()
    };
    writer.grant(&grant(1), &draw).await.unwrap();
    publish(vec![projection(1, 7, None)], 0).await;
    let first = named(1).await.unwrap();
    let cited = async |n: u128, name: RecordRef| room.cited(grant_id(n), name).await.unwrap();
    let of = async |name: RecordRef| {
        let cited = cited(1, name).await.unwrap();
        (cited.version, cited.withdrawn, cited.changed_at)
    };
    assert_eq!(of(first).await, (1, false, None));
    publish(vec![projection(1, 7, None)], 1).await;
    assert_eq!(of(first).await, (1, false, None), "the same words are the same version");
    publish(vec![projection(1, 7, Some(8))], 2).await;
    assert_eq!(of(first).await, (2, false, Some(at(2))));
    // A grant that begins now counts for itself, and knows nothing of the other's names.
    writer.grant(&grant(2), &draw).await.unwrap();
    let second = named(2).await.unwrap();
    assert_eq!(cited(2, second).await.unwrap().version, 1);
    assert!(cited(2, first).await.is_none() && cited(1, second).await.is_none());
    writer.withdraw(&[projection(1, 7, None).id], at(3)).await.unwrap();
    assert_eq!(of(first).await, (2, true, Some(at(3))));
    assert!(room.record(grant_id(1), first).await.unwrap().is_none());
    publish(vec![projection(1, 7, None)], 4).await;
    assert_eq!((named(1).await, of(first).await.0), (Some(first), 3), "it has its name again");
    // What the selection covers no longer is withdrawn for that grant.
    publish(Vec::new(), 5).await;
    assert!(of(first).await.1);
    writer.revoke(grant_id(1)).await.unwrap();
    assert!(cited(1, first).await.is_none(), "names go with the grant");
    assert!(cited(2, second).await.is_some_and(|cited| cited.withdrawn));
}
