//! Facts that change in the life of a vault, and what they decide: each step can be taken again.

use crate::support::{DemoChannel, TestVault};
use knik::access::Actor;
use knik::decide::Answer;
use knik::model::{ActorId, PrivateText, RecordId, Role};
use knik::store::catalogue::{Channel, Fact};
use knik::vault::formal::{self, FormalSelection};
use knik::vault::letters::{self, LetterCase, NewLink};
use knik::vault::{channels, queue};
use serde_json::{Value, json};
use uuid::Uuid;

/// A question that is answered, one of which the tree is not sure, and two objections, of which one is answered.
const POSTS: [(&str, &str, &str, Option<&str>); 6] = [
    ("9201", "77", "Wanneer start de bouw van de school?", None),
    ("9202", "90", "De bouw start in september.", Some("9201")),
    ("9203", "78", "Serieus?", None),
    ("9204", "77", OBJECTION, None),
    ("9205", "90", "Wij sturen uw bericht door.", Some("9204")),
    ("9206", "78", OBJECTION, None),
];
const OBJECTION: &str =
    "Hierbij maak ik bezwaar tegen uw besluit over de kapvergunning, zaaknummer 2026-441.";
const ACCOUNT: &str = "DienstEenKant";

/// A channel that follows the tree of one-way communication, which asks what was answered and registered.
pub struct AnewLife {
    channel: DemoChannel,
}

impl AnewLife {
    pub fn beside(demo: &DemoChannel) -> Self {
        let mut facts = demo.facts.clone();
        for fact in facts.iter_mut().filter(|fact| fact.fact == Fact::Tree) {
            fact.value = "scenario-a".to_owned();
        }
        let id = "dwv-een-kant".parse().unwrap();
        let channel = Channel { id, account: ACCOUNT.to_owned(), ..demo.channel.clone() };
        Self { channel: DemoChannel { channel, facts, captures: Vec::new() } }
    }

    /// Every step that is still to be taken.
    pub async fn live(&self, vault: &TestVault) {
        let DemoChannel { channel, facts, .. } = &self.channel;
        channels::declare(&vault.archive, &vault.rules, channel, facts, None).await.unwrap();
        vault.ingest_bytes(channel, &page()).await.unwrap();
        self.answer(vault).await;
        self.register(vault).await;
    }

    /// A reviewer says what the tree is not sure of.
    async fn answer(&self, vault: &TestVault) {
        let (archive, rules, reviewer) = (&vault.archive, &vault.rules, self.person(Role::Reviewer));
        let doubtful = queue::doubtful(archive, rules, &reviewer).await.unwrap();
        for record in doubtful.iter().filter(|record| record.channel == self.channel.channel.id) {
            queue::answer(archive, rules, &reviewer, record.id, "question", Answer::No).await.unwrap();
        }
    }

    /// One objection is forwarded, the other registered as a letter that is confirmed.
    async fn register(&self, vault: &TestVault) {
        let (archive, rules, registrar) = (&vault.archive, &vault.rules, self.person(Role::RecordsManager));
        let messages = formal::list(archive, rules, &registrar, FormalSelection::All).await.unwrap();
        let mut messages: Vec<RecordId> = messages.iter().map(|message| message.record).collect();
        messages.sort_unstable();
        let [forwarded, linked] = messages.as_slice() else { panic!("{messages:?}") };
        formal::forward(archive, rules, &registrar, *forwarded, "Gemeente", None).await.unwrap();
        let day = |text: &str| text.parse().unwrap();
        let asked = NewLink {
            record: *linked,
            case: LetterCase { system: "brieven".to_owned(), number: PrivateText::new("B-17".to_owned()) },
            registered_on: day("2026-04-05"),
            registrar: PrivateText::new("R. Voorbeeld".to_owned()),
            taken_over: "tekst".to_owned(),
            confirmed: Some((day("2026-04-06"), "ontvangen".to_owned())),
        };
        letters::link(archive, rules, &registrar, asked).await.unwrap();
    }

    fn person(&self, role: Role) -> Actor {
        let id = ActorId::from_uuid(Uuid::from_u128(0xac_70_13));
        Actor { id, role, organisation: self.channel.channel.organisation.clone() }
    }
}

fn page() -> Vec<u8> {
    let post = |(id, author, text, answers): &(&str, &str, &str, Option<&str>)| {
        let mut post = json!({
            "id": id, "text": text, "author_id": author, "conversation_id": answers.unwrap_or(id), "lang": "nl",
            "created_at": "2026-04-05T11:00:00.000Z", "edit_history_tweet_ids": [id],
        });
        if let Some(answered) = answers {
            post["referenced_tweets"] = json!([{ "type": "replied_to", "id": answered }]);
        }
        post
    };
    let user =
        |(id, username, name)| json!({"id": id, "username": username, "name": name, "protected": false});
    let users = [
        ("77", "balievraag", "Balie Vraag"),
        ("78", "loketvraag", "Loket Vraag"),
        ("90", ACCOUNT, "Dienst Een Kant"),
    ];
    let posts: Vec<Value> = POSTS.iter().map(post).collect();
    json!({"data": posts, "includes": {"users": users.map(user)}}).to_string().into_bytes()
}
