//! A vault with a forum of invented people, a reading room that builds files, and a grant for files.

use crate::support::{TestVault, demo, start};
use knik::access::grant_file::Content;
use knik::access::{Actor, Policies};
use knik::http::token::DEMO_ISSUER;
use knik::ledger::{Entry, EntryKind};
use knik::model::{
    ActorId, AppointmentKind, ExportId, ExportState, GrantId, Platform, ProjectionId, RecordRef, ReportId,
    ReportKind, ReportOutcome, RequestId, RequestStep, Role,
};
use knik::reading_room::{ReaderClaims, ReadingRoom};
use knik::redact::copy::{CopyRow, MANIFEST, Manifest, tar_entries};
use knik::store::airlock::Airlock;
use knik::store::catalogue::{Channel, ExportJob, Fact, RequestRow};
use knik::store::inbox::{HandedIn, Inbox, InboxWriter, Message, ReaderReport};
use knik::store::room::Room;
use knik::vault::VaultError;
use knik::vault::appointments::{self, Appointing};
use knik::vault::exports::{self, Letting};
use knik::vault::reports::{self, Place, ReportJudging};
use knik::vault::requests::{self, Deciding};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

pub const ORGANISATION: &str = "min-low";

/// One post of the forum.
pub struct Post {
    pub id: u32,
    pub person: u32,
    pub text: String,
    pub at: String,
    pub thread: u32,
    pub answers: Option<u32>,
}

/// First names and surnames that nobody bears together.
pub fn name(person: u32) -> String {
    const FIRST: [&str; 8] = ["Sanne", "Fatima", "Joris", "Mirjam", "Teun", "Yusuf", "Anouk", "Wouter"];
    const LAST: [&str; 8] = [
        "Kwinkelaar",
        "Vermaatkamp",
        "Zwartendijkstra",
        "Poelgeestman",
        "Hazelnootboom",
        "Grutterswijk",
        "Onderwaterlaan",
        "Tjalkensteijn",
    ];
    let (first, last) = (FIRST[person as usize % 8], LAST[person as usize / 8 % 8]);
    format!("{first} {last}")
}

/// Who is no person: the channel's own account.
pub const OWN_ACCOUNT: u32 = u32::MAX;

pub fn handle(person: u32) -> String {
    if person == OWN_ACCOUNT { "minlow".to_owned() } else { format!("burger_{person}_zz") }
}

/// `count` posts by 24 people, most of them on one day, with values that must be redacted.
pub fn posts(count: u32) -> Vec<Post> {
    let post = |id: u32| {
        let person = id % 24;
        let said = match id % 4 {
            0 => format!(
                "Ik ben {} en mijn nummer is 06{:08}, bel mij over de waterbijdrage.",
                name(person),
                12_000_000 + person
            ),
            1 => format!("Mail {}@voorbeeld-{person}.nl als u vragen heeft over de dijk.", handle(person)),
            2 => format!(
                "Wij wonen op {} AB, geboren 12-03-{}, en betalen te veel.",
                1_000 + person,
                1_950 + person
            ),
            _ => "De waterbijdrage is dit jaar opnieuw verhoogd en niemand legt uit waarom.".to_owned(),
        };
        Post {
            id,
            person,
            text: format!("{said} Bericht {id}."),
            at: format!("2026-03-{:02}T{:02}:{:02}:00Z", 4 + id / 200, 8 + id % 3, id % 60),
            thread: id / 6,
            answers: (!id.is_multiple_of(6)).then(|| id - 1),
        }
    };
    (0..count).map(post).collect()
}

pub fn capture(posts: &[Post]) -> Vec<u8> {
    let mut lines = String::new();
    for post in posts {
        let mut line = json!({
            "knik": 1, "id": format!("forum/{}", 700_000_000 + post.id), "kind": "reaction",
            "author": { "handle": handle(post.person), "name": name(post.person) }, "text": post.text,
            "posted_at": post.at, "visibility": "public", "language": "nl",
            "conversation": format!("draad/{}", 900_000_000 + post.thread),
        });
        if let Some(answered) = post.answers {
            line["in_reply_to"] = json!(format!("forum/{}", 700_000_000 + answered));
        }
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines.into_bytes()
}

pub struct Stage {
    pub vault: TestVault,
    pub workshop: TempDir,
    part_rows: u32,
}

/// What a request for files says.
pub fn content(plan: &str, form: &str, from: &str, until: &str) -> Content {
    serde_json::from_value(json!({
        "organisation": ORGANISATION, "question": "Hoe reageren burgers?", "purpose": "Proefschrift",
        "legalBasis": "avg-89", "institution": "Universiteit van Ergens",
        "selection": { "channels": ["low-forum"], "from": from, "until": until }, "form": form, "plan": plan,
        "attachments": [
            { "kind": "ethics", "title": "Toetsing", "text": "akkoord" }, { "kind": "dpia", "title": "DPIA", "text": "laag" },
        ],
    }))
    .unwrap()
}

pub fn reader(subject: &str) -> ReaderClaims {
    ReaderClaims {
        issuer: DEMO_ISSUER.to_owned(),
        subject: subject.to_owned(),
        role: Role::Researcher,
        organisation: "universiteit".parse().unwrap(),
    }
}

impl Stage {
    pub async fn new(seed: u64, posts: &[Post], part_rows: u32) -> Self {
        let (organisations, channels) = demo();
        let vault = TestVault::new(seed, &organisations).await;
        let known = &channels[0];
        let channel = Channel {
            id: "low-forum".parse().unwrap(),
            platform: Platform::Other,
            instance: "forum.voorbeeld.example".to_owned(),
            account: "minlow".to_owned(),
            ..known.channel.clone()
        };
        assert_eq!(channel.organisation.as_str(), ORGANISATION);
        let mut facts = known.facts.clone();
        for fact in &mut facts {
            if fact.fact == Fact::Tree {
                fact.value = "archive-whole".to_owned();
            }
        }
        let archive = &vault.archive;
        assert!(knik::vault::channels::declare(archive, &vault.rules, &channel, &facts, None).await.unwrap());
        vault.ingest_bytes(&channel, &capture(posts)).await.unwrap();
        vault.round().await;
        Self { vault, workshop: tempfile::tempdir().unwrap(), part_rows }
    }

    pub fn room(&self) -> ReadingRoom {
        self.room_in(self.workshop.path())
    }

    pub fn room_in(&self, workshop: &Path) -> ReadingRoom {
        self.room_with(workshop, Arc::clone(&self.vault.rules.access))
    }

    /// A reading room under other policies.
    pub fn room_under(&self, policies: Policies) -> ReadingRoom {
        self.room_with(self.workshop.path(), Arc::new(policies))
    }

    fn room_with(&self, workshop: &Path, access: Arc<Policies>) -> ReadingRoom {
        let (rules, clock) = (&self.vault.rules, self.vault.archive.sources.clone());
        let room = ReadingRoom::new(
            Room::new(self.vault.room.clone()),
            InboxWriter::start(Inbox::new(self.vault.inbox.clone())),
            access,
            Arc::clone(&rules.plans),
            Arc::clone(&rules.exemptions),
            Arc::clone(&rules.research),
            move || clock.now(),
        );
        room.building_in(workshop.to_owned(), self.part_rows)
    }

    pub async fn person(&self, subject: &str, role: Role, organisation: &str) -> Actor {
        let sources = &self.vault.archive.sources;
        let fresh = ActorId::from_uuid(sources.random_id().unwrap());
        let id =
            self.vault.archive.catalogue.actor(DEMO_ISSUER, subject, fresh, sources.now()).await.unwrap();
        Actor { id, role, organisation: organisation.parse().unwrap() }
    }

    /// An approver with a mandate.
    pub async fn approver(&self, subject: &str) -> Actor {
        let asked = Appointing {
            kind: AppointmentKind::Mandate,
            organisation: ORGANISATION.parse().unwrap(),
            issuer: DEMO_ISSUER.to_owned(),
            subject: subject.to_owned(),
            document: "mandaatbesluit".to_owned(),
            channels: Vec::new(),
            until: start().plus_seconds(864_000),
        };
        appointments::appoint(&self.vault.archive, asked).await.unwrap();
        self.person(subject, Role::Approver, ORGANISATION).await
    }

    pub async fn hand_in(
        &self,
        request: RequestId,
        subject: &str,
        step: RequestStep,
        content: Option<Content>,
    ) -> RequestRow {
        let (issuer, subject, text) = (DEMO_ISSUER.to_owned(), subject.to_owned(), String::new());
        let handed = HandedIn { request, step, issuer, subject, content, text, until: None };
        requests::hand_in(&self.vault.archive, &self.vault.rules, &handed, None).await.unwrap()
    }

    /// A request that waits for an approver.
    pub async fn submitted(&self, subject: &str, content: Content) -> RequestId {
        let id = RequestId::from_uuid(self.vault.archive.sources.random_id().unwrap());
        self.hand_in(id, subject, RequestStep::Write, Some(content)).await;
        self.hand_in(id, subject, RequestStep::Submit, None).await;
        id
    }

    /// The approval of a request as it stands.
    pub async fn approval(&self, id: RequestId) -> Deciding {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let digest = requests::file(archive, rules, None, id).await.unwrap().digest;
        Deciding {
            step: RequestStep::Approve,
            text: "Akkoord.".to_owned(),
            conditions: Vec::new(),
            until: None,
            digest: Some(digest),
        }
    }

    /// A grant that `decider` (or whoever holds the data folder) approved and `subject` accepted.
    pub async fn grant(&self, subject: &str, content: Content, decider: Option<&Actor>) -> GrantId {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let id = self.submitted(subject, content).await;
        let deciding = self.approval(id).await;
        requests::decide(archive, rules, decider, id, deciding).await.unwrap();
        let grant = self.hand_in(id, subject, RequestStep::Accept, None).await.grant.unwrap();
        self.vault.round().await;
        grant
    }

    /// Asks for files of a grant.
    pub async fn ask(&self, subject: &str, grant: GrantId) -> ExportId {
        let id = ExportId::from_uuid(Uuid::new_v4());
        self.room().start_export(&reader(subject), Some(grant), id).await.unwrap();
        self.vault.round().await;
        id
    }

    /// Everything that happens by itself, until nothing does.
    pub async fn settle(&self) {
        let room = self.room();
        for _ in 0..4 {
            exports::work(&self.vault.archive, &self.vault.rules).await.unwrap();
            self.vault.round().await;
            room.build_exports().await.unwrap();
            self.vault.round().await;
        }
    }

    /// The files of a grant, held and checked.
    pub async fn checked(&self, subject: &str, grant: GrantId) -> ExportJob {
        let id = self.ask(subject, grant).await;
        self.settle().await;
        self.job(id).await
    }

    pub async fn job(&self, id: ExportId) -> ExportJob {
        self.vault.archive.catalogue.export(id).await.unwrap().unwrap()
    }

    pub async fn release(&self, by: &Actor, id: ExportId) {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        exports::let_go(archive, rules, by, id, Letting::Release, "Niets gevonden.").await.unwrap();
        let _numbers = self.vault.numbering();
        exports::work(archive, rules).await.unwrap();
        self.vault.round().await;
    }

    /// Every byte of a released package, as the reader gets them, the last one too.
    pub async fn fetch(&self, subject: &str, id: ExportId) -> Vec<u8> {
        let download = self.room().offer(&reader(subject), id).await.unwrap().begin(0).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = download.piece(bytes.len() as u64).await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        download.sent(0, bytes.len() as u64).await.unwrap();
        self.vault.round().await;
        bytes
    }

    /// An export that is built and taken up, not yet checked.
    pub async fn built(&self, subject: &str, grant: GrantId) -> ExportId {
        let id = self.ask(subject, grant).await;
        exports::work(&self.vault.archive, &self.vault.rules).await.unwrap();
        self.vault.round().await;
        self.room().build_exports().await.unwrap();
        self.vault.round().await;
        assert_eq!(self.job(id).await.state, ExportState::Held);
        id
    }

    /// Lets an export go, and no more: nothing is put down yet.
    pub async fn let_go(&self, by: &Actor, id: ExportId) -> Result<ExportJob, VaultError> {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        exports::let_go(archive, rules, by, id, Letting::Release, "Niets gevonden.").await
    }

    /// The projection of a record as an export names it, while that is there.
    pub async fn projection(&self, job: &ExportJob, row: &CopyRow) -> ProjectionId {
        let name: RecordRef = row.id.parse().unwrap();
        let members = self.vault.archive.room.members_so(job.id, job.grant, &[name]).await.unwrap();
        members[&name].0.id
    }

    /// A reader says that a name is visible in a record: it is withheld once that is taken up.
    pub async fn report(&self, job: &ExportJob, projection: ProjectionId) -> ReportId {
        self.reported(job, projection, ReportKind::NameVisible).await
    }

    /// A reader says that something is wrong with a record.
    pub async fn reported(&self, job: &ExportJob, projection: ProjectionId, kind: ReportKind) -> ReportId {
        let (id, reporter) = (ReportId::from_uuid(Uuid::new_v4()), job.requester);
        let report = ReaderReport { id, grant: job.grant, projection, reporter, kind, passage: Some(0) };
        let at = self.vault.archive.sources.now();
        self.vault.archive.inbox.append(&[Message::reported(&report, at)]).await.unwrap();
        id
    }

    /// A reviewer finds that the reader is right about a word of the reported record.
    pub async fn confirm(&self, id: ReportId, word: &str) {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let reviewer = self.person("beoordelaar-1", Role::Reviewer, ORGANISATION).await;
        let _numbers = self.vault.numbering();
        let shown = reports::show(archive, rules, &reviewer, id).await.unwrap().to_json();
        let text = shown["passages"][0]["text"].as_str().unwrap();
        let start = text[..text.find(word).unwrap()].chars().count();
        let place = Place { passage: 0, start, end: start + word.chars().count(), entity: None };
        let judging = ReportJudging { outcome: ReportOutcome::Confirmed, places: vec![place] };
        reports::judge(archive, rules, &reviewer, id, &judging).await.unwrap();
    }

    /// How many pieces of packages the reading room has.
    pub async fn pieces(&self) -> usize {
        sqlx::query("SELECT place FROM export_chunk").fetch_all(self.vault.room.read()).await.unwrap().len()
    }

    /// Incidents that the reading room's log has because a step of an export did not follow.
    pub async fn refused_steps(&self) -> usize {
        knik::vault::sequence::number(&self.vault.archive).await.unwrap();
        let log = self.vault.archive.logs.room_origin();
        let leaves = self.vault.archive.journal.leaves(log, 0, u32::MAX).await.unwrap();
        let entries = leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap());
        entries.filter(|entry| entry.kind() == EntryKind::IncidentOpened).count()
    }

    pub fn airlock(&self) -> Airlock {
        exports::airlock(&self.vault.archive)
    }

    pub async fn held(&self, id: ExportId, name: &str) -> Vec<u8> {
        self.airlock().file(id, name, u64::MAX).await.unwrap().unwrap()
    }

    pub async fn manifest(&self, id: ExportId) -> Manifest {
        serde_json::from_slice(&self.held(id, MANIFEST).await).unwrap()
    }

    /// The rows of an export that is held.
    pub async fn rows(&self, id: ExportId) -> Vec<CopyRow> {
        let mut rows = Vec::new();
        for file in self.manifest(id).await.files.iter().filter(|file| file.name.ends_with(".jsonl")) {
            let text = String::from_utf8(self.held(id, &file.name).await).unwrap();
            rows.extend(text.lines().map(|line| serde_json::from_str::<CopyRow>(line).unwrap()));
        }
        rows
    }

    /// What the vault's log says of exports, in order.
    pub async fn told(&self) -> Vec<(EntryKind, String)> {
        knik::vault::sequence::number(&self.vault.archive).await.unwrap();
        let log = self.vault.archive.logs.vault_origin();
        let leaves = self.vault.archive.journal.leaves(log, 0, u32::MAX).await.unwrap();
        let entries = leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap());
        let of_exports = entries
            .filter(|entry| entry.things().iter().any(|thing| thing.to_string().starts_with("export:")));
        of_exports
            .map(|entry| (entry.kind(), entry.outcome_code().map(ToString::to_string).unwrap_or_default()))
            .collect()
    }
}

/// Unpacks a package into a folder.
pub fn unpack(package: &[u8], to: &Path) {
    for (name, range) in tar_entries(package).unwrap() {
        std::fs::write(to.join(name), &package[range]).unwrap();
    }
}

pub fn stopped(job: &ExportJob) -> Vec<String> {
    let codes = job.report["stopped"].as_array().cloned().unwrap_or_default();
    codes.iter().map(|code: &Value| code.as_str().unwrap().to_owned()).collect()
}
