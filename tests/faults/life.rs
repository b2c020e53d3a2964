//! A life of one vault in a folder: every step that makes something durable, each of which can be taken again.

use super::anew::AnewLife;
use super::export::{self, ExportLife, for_few_people};
use crate::support::{DemoChannel, TestVault, demo, seeded, small_rules};
use knik::access::Actor;
use knik::access::grant_file::Content;
use knik::ledger::{Entry, EntryKind, Thing};
use knik::model::{
    ActorId, AppointmentKind, DisclosureId, PrivateText, RecordId, RequestId, RequestState, RequestStep,
    ReviewReason, RevocationKind, RevocationReason, Revoked, Role, SegmentId, Timestamp,
};
use knik::store::catalogue::{Channel, QueueState, RecordSummary};
use knik::store::inbox::{HandedIn, Message, RoomEvent, RoomEventKind};
use knik::store::room::Room;
use knik::vault::appointments::{self, Appointing};
use knik::vault::destroy::{self, Destruction};
use knik::vault::disclose::{self, DisclosureRequest, receipt_again};
use knik::vault::requests::{self, Deciding};
use knik::vault::review::{self, Judging, QueueSelection};
use knik::vault::verify::{Trust, verify};
use knik::vault::{bodies, channels, grants, keys, revoke, scrub};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use uuid::Uuid;

/// What a life said was done, before it may have been killed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Acknowledged(Vec<String>);

impl Acknowledged {
    /// Reads what a process wrote on its standard output.
    pub fn read(said: &str) -> Self {
        Self(said.lines().filter_map(|line| line.strip_prefix("done ")).map(str::to_owned).collect())
    }

    /// As [`read`](Self::read) understands it.
    pub fn lines(&self) -> String {
        self.0.iter().map(|step| format!("done {step}\n")).collect()
    }

    /// What was said before, and then this: what was opened before was looked for by whoever came next.
    pub fn then(self, later: Self) -> Self {
        let opens = |step: &String| step.starts_with("disclosed ");
        let again = later.0.iter().any(opens);
        let before = self.0.into_iter().filter(|step| !(later.0.contains(step) || again && opens(step)));
        Self(before.chain(later.0.iter().cloned()).collect())
    }

    fn has(&self, step: &str) -> bool {
        self.0.iter().any(|done| done == step)
    }

    fn disclosures(&self) -> impl Iterator<Item = DisclosureId> {
        self.0.iter().filter_map(|done| done.strip_prefix("disclosed ")).map(|id| id.parse().unwrap())
    }
}

/// What is there in the end: it does not depend on how often a life was killed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    records: u64,
    versions: u64,
    outcomes: BTreeMap<String, u64>,
    withheld: Vec<String>,
    published: u64,
    exports: Vec<String>,
}

/// A vault and the channel that its captures are of.
pub struct Life {
    vault: TestVault,
    channel: DemoChannel,
    export: ExportLife,
    anew: AnewLife,
}

const FIRST: [(&str, &str); 5] = [
    ("8001", "Hoe laat opent de balie?"),
    ("8002", "Wanneer wordt de brug gemaakt?"),
    ("8003", "Waarom krijg ik geen antwoord?"),
    ("8004", "Ik heb diabetes, hoe laat opent de balie?"),
    ("8005", "Kan het loket ook zaterdag open?"),
];

/// The one of them that is destroyed in the end.
const DESTROYED: &str = "8005";

/// Whether an original is the post of this id.
fn holds(original: &[u8], id: &str) -> bool {
    String::from_utf8_lossy(original).contains(&format!("\"id\":\"{id}\""))
}

impl Life {
    /// The vault of `folder`, opened as a process does that comes after one that was killed.
    pub async fn of(folder: &Path, run: u64) -> Self {
        let (organisations, channels) = demo();
        let rules = for_few_people(small_rules(2));
        let vault = TestVault::at(folder, 1, seeded(1_000 + run), rules, &organisations).await;
        vault.archive.catalogue.resume(vault.archive.sources.now()).await.unwrap();
        let channel = channels.into_iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap();
        let export = ExportLife::of(&channel.channel, folder);
        let anew = AnewLife::beside(&channel);
        Self { vault, channel, export, anew }
    }

    /// Every step; `say` hears of each that is done.
    pub async fn live(&self, say: impl Fn(&str)) {
        let Self { vault, channel, .. } = self;
        let archive = &vault.archive;
        channels::declare(archive, &vault.rules, &channel.channel, &channel.facts, None).await.unwrap();
        say("declared");
        self.take_in(&page(&FIRST.map(|(id, text)| (id, text, vec![id])))).await;
        say("first");
        if archive.catalogue.grants().await.unwrap().is_empty() {
            self.grant().await;
        }
        say("granted");
        self.appoint().await;
        say("appointed");
        self.request_copies().await;
        say("requested");
        vault.round().await;
        self.take_in(&page(&[("9002", "Wanneer wordt de brug gerepareerd?", vec!["8002", "9002"])])).await;
        say("edited");
        self.take_in(
            br#"{"id":"8003","action":"delete","redacted_at":"2026-04-06T10:00:00.000Z","reason":"deleted"}"#,
        )
        .await;
        say("deleted");
        vault.round().await;
        self.judge().await;
        say("judged");
        let shown = self.disclose().await;
        say(&format!("disclosed {shown}"));
        self.erase_a_motivation().await;
        say("erased");
        archive_read(vault).await;
        say("read");
        vault.round().await;
        self.export.live(vault).await;
        say("exported");
        self.anew.live(vault).await;
        say("decided");
        for grant in archive.catalogue.grants().await.unwrap() {
            if grant.revoked_at.is_none() {
                grants::revoke(archive, grant.id, None).await.unwrap();
            }
        }
        say("revoked");
        if archive.catalogue.revocations().await.unwrap().is_empty() {
            revoke::revoke(archive, reader(), RevocationReason::Left).await.unwrap();
        }
        say("refused");
        vault.round().await;
        self.destroy().await;
        say("destroyed");
        vault.round().await;
        keys::rotate(archive, &self.channel().organisation).await.unwrap();
        say("rotated");
        self.sweep().await;
        say("swept");
        let now = archive.sources.now();
        let read_back = scrub::scrub(archive, now, scrub::Pace::Full, &|_, _| ()).await.unwrap();
        assert_eq!(read_back.wrong, Vec::<String>::new());
        say("scrubbed");
    }

    async fn take_in(&self, bytes: &[u8]) {
        let report = self.vault.ingest_bytes(self.channel(), bytes).await.unwrap();
        assert!(report.refused.is_empty(), "{report:?}");
    }

    fn channel(&self) -> &Channel {
        &self.channel.channel
    }

    async fn grant(&self) {
        let asked = grants::Approval {
            organisation: self.channel().organisation.clone(),
            issuer: "https://knik.example".to_owned(),
            subject: "reader".to_owned(),
            purpose: "research".to_owned(),
            legal_basis: "avg-89".parse().unwrap(),
            channels: Vec::new(),
            plan: "researcher".to_owned(),
            until: "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        };
        grants::approve(&self.vault.archive, &self.vault.rules, asked, None).await.unwrap();
    }

    /// A request for copies, from its writing to a grant with another end: each step once.
    async fn request_copies(&self) {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let id = RequestId::from_uuid(Uuid::from_u128(0x7e_9e_57));
        let hand_in = async |step: RequestStep| {
            let text = "omdat de analyse nog loopt".to_owned();
            let (issuer, subject) = ("https://knik.example".to_owned(), "asker".to_owned());
            let content = (step == RequestStep::Write).then(|| self.content());
            let handed = HandedIn { request: id, step, issuer, subject, content, text, until: None };
            requests::hand_in(archive, rules, &handed, None).await.unwrap();
        };
        let decide = async |step: RequestStep| {
            let text = "van belang en beperkt".to_owned();
            let deciding = Deciding { step, text, conditions: Vec::new(), until: None, digest: None };
            requests::decide(archive, rules, None, id, deciding).await.unwrap();
        };
        loop {
            match archive.catalogue.request(id).await.unwrap().map(|request| request.state) {
                None => hand_in(RequestStep::Write).await,
                Some(RequestState::Draft) => hand_in(RequestStep::Submit).await,
                Some(RequestState::Submitted) => decide(RequestStep::Approve).await,
                Some(RequestState::Approved) => hand_in(RequestStep::Accept).await,
                Some(RequestState::Active) if !self.was_extended(id).await => {
                    hand_in(RequestStep::AskExtension).await;
                }
                Some(RequestState::ExtensionAsked) => decide(RequestStep::Extend).await,
                _ => return,
            }
        }
    }

    async fn was_extended(&self, id: RequestId) -> bool {
        let steps = self.vault.archive.catalogue.request_steps(id).await.unwrap();
        steps.iter().any(|step| step.step == RequestStep::Extend)
    }

    fn content(&self) -> Content {
        let organisation = &self.channel().organisation;
        serde_json::from_value(json!({
            "organisation": organisation, "question": "Wat vragen burgers?", "purpose": "onderzoek",
            "legalBasis": "woo-5.7", "institution": "Universiteit van Ergens", "selection": {}, "form": "view",
            "plan": "researcher",
        }))
        .unwrap()
    }

    /// A mandate, and its end: each once.
    async fn appoint(&self) {
        let archive = &self.vault.archive;
        let made = archive.catalogue.appointments(AppointmentKind::Mandate).await.unwrap();
        let id = match made.iter().find(|mandate| mandate.document.ends_with("2026-1")) {
            Some(mandate) if mandate.ended_at.is_some() => return,
            Some(mandate) => mandate.id,
            None => {
                let asked = Appointing {
                    kind: AppointmentKind::Mandate,
                    organisation: self.channel().organisation.clone(),
                    issuer: "https://knik.example".to_owned(),
                    subject: "approver".to_owned(),
                    document: "mandaatbesluit 2026-1".to_owned(),
                    channels: Vec::new(),
                    until: "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
                };
                appointments::appoint(archive, asked).await.unwrap().id
            }
        };
        appointments::end(archive, AppointmentKind::Mandate, id).await.unwrap();
    }

    async fn judge(&self) {
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let asked = QueueSelection { state: QueueState::Open, after: None, most: 10 };
        let reason = ReviewReason::NobodyIdentifiable;
        for item in review::list(archive, rules, &self.person(Role::Reviewer), &asked).await.unwrap() {
            let judging = Judging { kinds: Vec::new(), verdict: reason.verdict(), reason };
            review::judge(archive, rules, &self.person(Role::Reviewer), item.id, &judging).await.unwrap();
        }
    }

    fn person(&self, role: Role) -> Actor {
        let id = ActorId::from_uuid(Uuid::from_u128(0xac_70_12));
        Actor { id, role, organisation: self.channel().organisation.clone() }
    }

    /// Destroys the last of the first posts, unless that was done.
    async fn destroy(&self) {
        let _numbering = self.vault.numbering();
        let mut doomed = BTreeSet::new();
        for record in self.kept().await {
            if holds(&self.open(record.id).await.1, DESTROYED) {
                doomed.insert(record.id);
            }
        }
        if doomed.is_empty() {
            return;
        }
        let organisation = self.channel().organisation.clone();
        let asked = Destruction { organisation, records: doomed, by: None, reasons: Vec::new() };
        destroy::destroy(&self.vault.archive, &asked).await.unwrap();
    }

    async fn records(&self) -> Vec<RecordSummary> {
        let organisation = &self.channel().organisation;
        self.vault.archive.catalogue.records(organisation, None, None, 1_000).await.unwrap()
    }

    /// Records whose originals must open.
    async fn kept(&self) -> Vec<RecordSummary> {
        let mut kept = self.records().await;
        kept.retain(|record| record.withheld.as_deref() != Some("destroyed"));
        kept
    }

    async fn disclose(&self) -> DisclosureId {
        let _numbering = self.vault.numbering();
        let record = self.kept().await[0].id;
        self.open(record).await.0
    }

    /// Erases why the first original was opened.
    async fn erase_a_motivation(&self) {
        let archive = &self.vault.archive;
        let log = self.entries(archive.logs.vault_origin().clone()).await;
        let intent = log.iter().find(|entry| entry.kind() == EntryKind::DisclosureIntended).unwrap();
        bodies::erase(archive, intent.id()).await.unwrap();
        assert!(archive.journal.body(intent.id()).await.unwrap().is_none());
    }

    /// Opens one original.
    async fn open(&self, record: RecordId) -> (DisclosureId, Vec<u8>) {
        let asked = DisclosureRequest {
            record,
            basis: "avg-15".parse().unwrap(),
            case_number: PrivateText::new("2026-0042".to_owned()),
            motivation: PrivateText::new("the person concerned asked to see it".to_owned()),
            recipient: None,
        };
        let (archive, rules) = (&self.vault.archive, &self.vault.rules);
        let shown = disclose::disclose(archive, rules, &self.person(Role::Official), &asked).await.unwrap();
        (shown.id, shown.original.item().to_vec())
    }

    /// A segment that no row names, written and swept.
    async fn sweep(&self) {
        let blobs = &self.vault.archive.blobs;
        let orphan = SegmentId::from_uuid(Uuid::new_v4());
        blobs.put_once(orphan, b"orphan".as_slice().into()).await.unwrap();
        blobs.sweep(orphan).await.unwrap();
    }

    /// What was acknowledged is there, once; what is there is whole. Before any step is taken again.
    pub async fn check(&self, acknowledged: &Acknowledged) {
        let _numbering = self.vault.numbering();
        knik::vault::sequence::number(&self.vault.archive).await.unwrap();
        self.nothing_is_wrong().await;
        let mut originals = Vec::new();
        for record in self.kept().await {
            originals.push(self.open(record.id).await.1);
        }
        let held = |id: &str| originals.iter().filter(|one| holds(one, id)).count();
        for (id, _) in FIRST {
            let there = held(id);
            assert!(there <= 1, "{id} is there {there} times");
            // An edited post answers with its newest version.
            // It may have been destroyed just before the end, with nobody told.
            let may_be_gone = id == DESTROYED || !acknowledged.has("first");
            assert!(there == 1 || may_be_gone, "{id} was acknowledged and is lost");
            assert!(there == 0 || id != DESTROYED || !acknowledged.has("destroyed"), "{id} was destroyed");
        }
        assert!(held("9002") == 1 || !acknowledged.has("edited"), "the edit is lost");
        for id in acknowledged.disclosures() {
            receipt_again(&self.vault.archive, &self.vault.rules, &self.person(Role::Official), id)
                .await
                .unwrap();
            let log = self.entries(self.vault.archive.logs.vault_origin().clone()).await;
            for kind in [EntryKind::DisclosureIntended, EntryKind::DisclosureServed] {
                let told =
                    log.iter().filter(|e| e.kind() == kind && e.things().contains(&Thing::Disclosure(id)));
                assert_eq!(told.count(), 1, "{kind:?} of {id}");
            }
        }
        self.vault.round().await;
        self.what_goes_down_is_down(acknowledged).await;
    }

    async fn what_goes_down_is_down(&self, acknowledged: &Acknowledged) {
        let archive = &self.vault.archive;
        for record in self.records().await {
            let shown = archive.room.document(record.projection).await.unwrap();
            assert!(shown.is_none() || record.withheld.is_none(), "{} is withheld", record.id);
        }
        if acknowledged.has("revoked") {
            assert!(archive.catalogue.grants().await.unwrap().iter().all(|grant| grant.revoked_at.is_some()));
        }
        let refused = self.refused_in_the_room().await;
        assert_eq!(refused, archive.catalogue.is_revoked(&[reader().digest()]).await.unwrap());
        assert!(refused || !acknowledged.has("refused"), "a revocation is lost");
        let grants = archive.catalogue.grants().await.unwrap();
        let of = |purpose: &str| grants.iter().filter(|grant| grant.purpose == purpose).count();
        let (given, asked, for_files) = (of("research"), of("onderzoek"), of(export::PURPOSE));
        assert!(given <= 1 && asked <= 1 && for_files <= 1, "a grant is there twice");
        assert_eq!(given + asked + for_files, grants.len(), "a grant is there twice");
        assert!(given == 1 || !acknowledged.has("granted"), "a grant is lost");
        assert!(asked == 1 || !acknowledged.has("requested"), "a grant that was asked for is lost");
        self.export.check(&self.vault, acknowledged.has("exported")).await;
        let messages = archive.inbox.after(0, 1_000).await.unwrap();
        let messages = messages.iter().filter(|message| message.kind == RoomEventKind::View.as_str()).count();
        let taken = self.entries(archive.logs.room_origin().clone()).await;
        let taken = taken.iter().filter(|entry| entry.kind() == EntryKind::ViewServed).count();
        assert_eq!(taken, messages, "each message of the reading room is in its log, once");
        assert!(messages >= usize::from(acknowledged.has("read")), "what was read is recorded");
    }

    async fn refused_in_the_room(&self) -> bool {
        Room::new(self.vault.room.clone()).is_revoked(&[reader().digest()]).await.unwrap()
    }

    async fn nothing_is_wrong(&self) {
        let archive = &self.vault.archive;
        let checked = verify(archive, &Trust::of(archive), &|_, _| ()).await.unwrap();
        assert_eq!(checked.first_wrong, None);
    }

    async fn entries(&self, log: knik::ledger::Origin) -> Vec<Entry> {
        knik::vault::sequence::number(&self.vault.archive).await.unwrap();
        let leaves = self.vault.archive.journal.leaves(&log, 0, 100_000).await.unwrap();
        leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap()).collect()
    }

    /// What is there when every step was taken.
    pub async fn whole(&self) -> Whole {
        self.nothing_is_wrong().await;
        let counts = self.vault.archive.catalogue.counts().await.unwrap();
        assert_eq!((counts.outbox, counts.stale_conversations), (0, 0), "nothing waits");
        assert_eq!(self.vault.archive.catalogue.waiting_anew(None, 1).await.unwrap(), [], "nothing waits");
        let mut whole = Whole { records: counts.records, versions: counts.versions, ..Whole::default() };
        for record in self.records().await {
            *whole.outcomes.entry(record.outcome.to_string()).or_default() += 1;
            whole.withheld.extend(record.withheld);
        }
        whole.withheld.sort();
        whole.published = self.vault.archive.room.count().await.unwrap();
        whole.exports = self.export.states(&self.vault).await;
        whole
    }
}

/// Who is refused in the end.
fn reader() -> Revoked {
    Revoked::new(RevocationKind::Subject, "https://knik.example", "reader").unwrap()
}

async fn archive_read(vault: &TestVault) {
    let event = RoomEvent {
        kind: RoomEventKind::View,
        actor: None,
        role: Role::Researcher,
        grant: None,
        organisation: None,
        projections: Vec::new(),
        count: 1,
        reasons: Vec::new(),
    };
    vault.archive.inbox.append(&[Message::of(&event, crate::support::start())]).await.unwrap();
}

/// Who wrote a post, by its id: two people take turns.
fn author(id: &str) -> &'static str {
    if id.ends_with(['0', '2', '4', '6', '8']) { "78" } else { "77" }
}

/// Posts of one conversation, as X's API v2 gives them: id, text, ids of its versions.
fn page(posts: &[(&str, &str, Vec<&str>)]) -> Vec<u8> {
    let post = |(id, text, edits): &(&str, &str, Vec<&str>)| {
        json!({
            "id": id, "text": text, "author_id": author(id), "conversation_id": "8001", "lang": "nl",
            "created_at": "2026-04-05T10:00:00.000Z", "edit_history_tweet_ids": edits,
        })
    };
    let user =
        |(id, username, name)| json!({"id": id, "username": username, "name": name, "protected": false});
    let users = [("77", "balievraag", "Balie Vraag"), ("78", "loketvraag", "Loket Vraag")].map(user);
    let page = json!({"data": posts.iter().map(post).collect::<Vec<_>>(), "includes": {"users": users}});
    page.to_string().into_bytes()
}
