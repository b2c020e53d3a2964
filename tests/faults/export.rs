//! An export in the life of a vault: from asking to fetching, each step of which can be taken again.

use crate::support::TestVault;
use knik::access::Actor;
use knik::access::grant_file::Content;
use knik::ledger::{Entry, EntryKind};
use knik::model::{
    ActorId, AppointmentKind, ExportId, ExportState, GrantId, OrganisationId, RequestId, RequestState,
    RequestStep, Role, Timestamp,
};
use knik::reading_room::{ReaderClaims, ReadingRoom};
use knik::redact::Plans;
use knik::redact::copy::{MANIFEST, tar_entries};
use knik::store::catalogue::{Channel, ExportJob};
use knik::store::inbox::{HandedIn, Inbox, InboxWriter};
use knik::store::room::Room;
use knik::vault::Rules;
use knik::vault::appointments::{self, Appointing};
use knik::vault::exports::{self, Letting};
use knik::vault::requests::{self, Deciding};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// What the grant for files is for.
pub const PURPOSE: &str = "uitvoer";
const ISSUER: &str = "https://knik.example";
const READER: &str = "exporter";
const RELEASER: &str = "releaser";
const STEPS_MOST: u32 = 60;

/// The same rules, under which two people are enough: a life has two citizens.
pub fn for_few_people(rules: Rules) -> Rules {
    let text =
        std::fs::read_to_string(crate::support::package().join("policies/redaction-plans.yaml")).unwrap();
    assert!(text.contains("{k: 10,"));
    let plans = Plans::load("redaction-plans.yaml", &text.replace("{k: 10,", "{k: 2,")).unwrap();
    Rules { plans: Arc::new(plans), ..rules }
}

/// What an export is made of, and where.
pub struct ExportLife {
    organisation: OrganisationId,
    workshop: PathBuf,
}

impl ExportLife {
    pub fn of(channel: &Channel, folder: &Path) -> Self {
        Self { organisation: channel.organisation.clone(), workshop: folder.join("workshop") }
    }

    /// Every step that is still to be taken, until the package was fetched.
    pub async fn live(&self, vault: &TestVault) {
        let grant = self.grant(vault).await;
        self.appoint(vault).await;
        vault.round().await;
        let _numbers = vault.numbering();
        let room = self.room(vault);
        for _ in 0..STEPS_MOST {
            let job = self.jobs(vault).await.into_iter().next();
            match job.as_ref().map(|job| job.state) {
                None => self.ask(&room, grant).await,
                Some(ExportState::Waiting) => self.release(vault, job.unwrap().id).await,
                Some(ExportState::Released) => self.fetch(&room, job.unwrap().id).await,
                Some(ExportState::Fetched) => return,
                Some(
                    ExportState::Preparing
                    | ExportState::Building
                    | ExportState::Held
                    | ExportState::Releasing,
                ) => {}
                Some(other) => panic!("the export is {other}: {}", job.unwrap().report),
            }
            exports::work(&vault.archive, &vault.rules).await.unwrap();
            room.build_exports().await.unwrap();
            vault.round().await;
        }
        panic!("the export does not come to its end: {:?}", self.states(vault).await);
    }

    /// What was fetched is not fetched again; nothing of what is over stays; no step of the reading room was refused.
    pub async fn check(&self, vault: &TestVault, fetched: bool) {
        let jobs = self.jobs(vault).await;
        assert!(jobs.len() <= 1, "an export is there twice");
        let over = jobs.first().filter(|job| job.state == ExportState::Fetched);
        assert!(over.is_some() || !fetched, "that it was fetched is lost");
        if let Some(job) = over {
            let room = self.room(vault);
            assert!(room.offer(&claims(), job.id).await.is_err(), "it is fetched once");
            assert!(vault.archive.room.exports_there().await.unwrap().is_empty(), "something of it stays");
            assert!(exports::airlock(&vault.archive).exports().await.unwrap().is_empty(), "files of it stay");
        }
        let log = vault.archive.logs.room_origin();
        let leaves = vault.archive.journal.leaves(log, 0, 100_000).await.unwrap();
        let told = leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap());
        assert_eq!(told.filter(|entry| entry.kind() == EntryKind::IncidentOpened).count(), 0, "an incident");
    }

    /// Where exports stand.
    pub async fn states(&self, vault: &TestVault) -> Vec<String> {
        self.jobs(vault).await.iter().map(|job| job.state.to_string()).collect()
    }

    async fn jobs(&self, vault: &TestVault) -> Vec<ExportJob> {
        vault.archive.catalogue.exports(None).await.unwrap()
    }

    fn room(&self, vault: &TestVault) -> ReadingRoom {
        let (rules, clock) = (&vault.rules, vault.archive.sources.clone());
        let room = ReadingRoom::new(
            Room::new(vault.room.clone()),
            InboxWriter::start(Inbox::new(vault.inbox.clone())),
            Arc::clone(&rules.access),
            Arc::clone(&rules.plans),
            Arc::clone(&rules.exemptions),
            Arc::clone(&rules.research),
            move || clock.now(),
        );
        room.building_in(self.workshop.clone(), 2)
    }

    async fn ask(&self, room: &ReadingRoom, grant: GrantId) {
        let id = ExportId::from_uuid(Uuid::new_v4());
        room.start_export(&claims(), Some(grant), id).await.unwrap();
    }

    async fn release(&self, vault: &TestVault, id: ExportId) {
        let sources = &vault.archive.sources;
        let fresh = ActorId::from_uuid(sources.random_id().unwrap());
        let by = vault.archive.catalogue.actor(ISSUER, RELEASER, fresh, sources.now()).await.unwrap();
        let by = Actor { id: by, role: Role::Approver, organisation: self.organisation.clone() };
        exports::let_go(&vault.archive, &vault.rules, &by, id, Letting::Release, "niets gevonden")
            .await
            .unwrap();
    }

    async fn fetch(&self, room: &ReadingRoom, id: ExportId) {
        // Consumed by one who was killed before the vault was told: it is, and nobody gets it again.
        let Ok(offer) = room.offer(&claims(), id).await else { return };
        let download = offer.begin(0).await.unwrap();
        let mut package = Vec::new();
        while let Some(piece) = download.piece(package.len() as u64).await.unwrap() {
            package.extend_from_slice(&piece);
        }
        let files = tar_entries(&package).unwrap();
        assert_eq!(files.first().map(|(name, _)| name.as_str()), Some(MANIFEST), "the package is whole");
        download.sent(0, package.len() as u64).await.unwrap();
    }

    /// A mandate for who lets it go: once.
    async fn appoint(&self, vault: &TestVault) {
        let made = vault.archive.catalogue.appointments(AppointmentKind::Mandate).await.unwrap();
        if made.iter().any(|mandate| mandate.document.ends_with("2026-2")) {
            return;
        }
        let asked = Appointing {
            kind: AppointmentKind::Mandate,
            organisation: self.organisation.clone(),
            issuer: ISSUER.to_owned(),
            subject: RELEASER.to_owned(),
            document: "mandaatbesluit 2026-2".to_owned(),
            channels: Vec::new(),
            until: "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        };
        appointments::appoint(&vault.archive, asked).await.unwrap();
    }

    async fn grant(&self, vault: &TestVault) -> GrantId {
        let (archive, rules) = (&vault.archive, &vault.rules);
        let request = RequestId::from_uuid(Uuid::from_u128(0x000f_11e5));
        let hand_in = async |step: RequestStep| {
            let content = (step == RequestStep::Write).then(|| self.content());
            let (issuer, subject, text) = (ISSUER.to_owned(), READER.to_owned(), String::new());
            let handed = HandedIn { request, step, issuer, subject, content, text, until: None };
            requests::hand_in(archive, rules, &handed, None).await.unwrap();
        };
        loop {
            let known = archive.catalogue.request(request).await.unwrap();
            match known.as_ref().map(|request| request.state) {
                None => hand_in(RequestStep::Write).await,
                Some(RequestState::Draft) => hand_in(RequestStep::Submit).await,
                Some(RequestState::Submitted) => {
                    let (step, text) = (RequestStep::Approve, "van belang en beperkt".to_owned());
                    let deciding = Deciding { step, text, conditions: Vec::new(), until: None, digest: None };
                    requests::decide(archive, rules, None, request, deciding).await.unwrap();
                }
                Some(RequestState::Approved) => hand_in(RequestStep::Accept).await,
                _ => return known.unwrap().grant.unwrap(),
            }
        }
    }

    fn content(&self) -> Content {
        serde_json::from_value(json!({
            "organisation": self.organisation, "question": "Wat vragen burgers?", "purpose": PURPOSE,
            "legalBasis": "avg-89", "institution": "Universiteit van Ergens", "selection": {}, "form": "export",
            "plan": "researcher",
            "attachments": [
                { "kind": "ethics", "title": "Toetsing", "text": "akkoord" }, { "kind": "dpia", "title": "DPIA", "text": "laag" },
            ],
        }))
        .unwrap()
    }
}

fn claims() -> ReaderClaims {
    ReaderClaims {
        issuer: ISSUER.to_owned(),
        subject: READER.to_owned(),
        role: Role::Researcher,
        organisation: "universiteit".parse().unwrap(),
    }
}
