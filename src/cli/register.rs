//! `knik register` and `knik notice`: what the AVG asks to be written down of each channel, from what is in force.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::decide::{Bilingual, DEFAULT_PROFILE, Profile, Tree, Valuation};
use crate::model::{ChannelId, Outcome};
use crate::store::catalogue::{Channel, ChannelFact, Fact};
use crate::vault::DEFAULT_TREE;
use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Examples under the help texts.
pub(super) const REGISTER_EXAMPLES: &str =
    "Example: knik register\n         knik register --channel low-x --json";
/// The same for the notice.
pub(super) const NOTICE_EXAMPLES: &str =
    "Example: knik notice low-x\n         knik notice low-x --language en > privacy.md";

#[derive(Args)]
pub(super) struct RegisterArguments {
    /// Of this channel only.
    #[arg(long)]
    channel: Option<ChannelId>,
}

#[derive(Args)]
pub(super) struct NoticeArguments {
    /// Of which channel.
    channel: ChannelId,
    /// nl or en.
    #[arg(long, default_value = "nl", value_parser = ["nl", "en"])]
    language: String,
}

/// What the service is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RegisterOrder {
    channel: Option<ChannelId>,
    /// In which language a notice is wanted; none: the register.
    notice: Option<String>,
}

impl RegisterArguments {
    pub(super) fn order(self) -> Order {
        Order::Register(RegisterOrder { channel: self.channel, notice: None })
    }
}

impl NoticeArguments {
    pub(super) fn order(self) -> Order {
        Order::Register(RegisterOrder { channel: Some(self.channel), notice: Some(self.language) })
    }
}

/// Carries the order out.
///
/// # Errors
/// When the channel is not known, or storage fails.
pub(super) async fn execute(folder: &DataFolder, asked: RegisterOrder) -> Result<Value> {
    let catalogue = &folder.archive.catalogue;
    let mut channels = catalogue.channels(None).await?;
    if let Some(id) = &asked.channel {
        channels.retain(|channel| channel.id == *id);
        anyhow::ensure!(!channels.is_empty(), "channel `{id}` is not known; see: knik channel list");
    }
    let names = catalogue.organisations().await?;
    let mut entries = Vec::new();
    for channel in channels {
        let facts = catalogue.channel_facts(&channel.id).await?;
        let name = names.iter().find(|(id, _)| *id == channel.organisation).map(|(_, name)| name.clone());
        let kept_out = catalogue.minimised(&channel.id).await?;
        let entry = Described { folder, name: name.unwrap_or_default(), channel: &channel, facts: &facts };
        match &asked.notice {
            Some(language) => return Ok(json!({ "notice": entry.notice(language)? })),
            None => entries.push(entry.register(&kept_out)?),
        }
    }
    Ok(json!({ "register": entries }))
}

struct Described<'a> {
    folder: &'a DataFolder,
    name: String,
    channel: &'a Channel,
    facts: &'a [ChannelFact],
}

impl Described<'_> {
    /// The value of a fact today.
    fn today(&self, fact: Fact) -> Option<&str> {
        let now = self.folder.archive.sources.now();
        self.facts.iter().rev().find(|of| of.fact == fact && of.held_at(now)).map(|of| of.value.as_str())
    }

    fn tree(&self) -> Result<&Tree> {
        let id = self.today(Fact::Tree).unwrap_or(DEFAULT_TREE);
        self.folder.rules.trees.get(id).with_context(|| format!("tree `{id}` is not known"))
    }

    fn profile(&self) -> Result<&Profile> {
        let (id, now) =
            (self.today(Fact::Profile).unwrap_or(DEFAULT_PROFILE), self.folder.archive.sources.now());
        let found = self.folder.rules.profiles.in_force(id, now);
        found.with_context(|| format!("minimisation profile `{id}` is not in force"))
    }

    /// An entry as AVG 30(1) asks for it, with what the design of the archive adds.
    fn register(&self, kept_out: &[crate::store::catalogue::Minimised]) -> Result<Value> {
        let (channel, tree, profile) = (self.channel, self.tree()?, self.profile()?);
        let rule = |rule: &crate::decide::ProfileRule| {
            json!({ "id": rule.id(), "then": format!("{:?}", rule.then()), "fields": rule.fields(),
                    "why": {"nl": rule.why().nl, "en": rule.why().en} })
        };
        let terms: Vec<Value> = terms(tree)
            .into_iter()
            .map(|(text, term)| json!({ "what": {"nl": text.nl, "en": text.en}, "term": term }))
            .collect();
        Ok(json!({
            "channel": channel.id,
            "account": format!("{} @{} ({})", channel.platform, channel.account, channel.instance),
            "kind": channel.kind,
            "controller": { "organisation": channel.organisation, "name": self.name },
            "purpose": channel.purpose,
            "legalBasis": channel.legal_basis,
            "dutyToArchive": { "answer": channel.duty, "source": channel.duty_source },
            "dpia": channel.dpia,
            "dataSubjects": ["people who react to, mention or write to the channel", "people they speak of"],
            "personalData": ["account name and display name", "what they wrote, with what it tells of them or others",
                             "time, and what platforms add to it, but for what the profile leaves out"],
            "recipients": ["readers with a grant, redacted", "officials under a legal basis, recorded",
                           "reviewers, their own queue", "the archive that takes over after the term of transfer"],
            "transfers": "none by Knik",
            "terms": terms,
            "security": ["originals sealed (AES-256-GCM), a key each", "readers get redacted views from a process without keys",
                         "every opening recorded before it happens"],
            "tree": { "id": tree.id(), "version": tree.version(), "source": tree.source() },
            "profile": { "id": profile.id(), "version": profile.version(), "validFrom": profile.valid_from(),
                         "source": profile.source(), "rules": profile.rules().iter().map(rule).collect::<Vec<_>>(),
                         "notPublic": "refused unless a rule keeps it and the organisation is a party" },
            "keptOut": kept_out,
            "facts": self.facts,
        }))
    }

    /// What people are told (AVG 13 and 14).
    fn notice(&self, language: &str) -> Result<String> {
        let (tree, profile) = (self.tree()?, self.profile()?);
        let nl = language == "nl";
        let of = |text: &Bilingual| if nl { text.nl.clone() } else { text.en.clone() };
        let kept: Vec<String> =
            terms(tree).iter().map(|(text, term)| format!("- {} {}", of(text), in_words(term, nl))).collect();
        let mut left: Vec<String> =
            profile.rules().iter().map(|rule| format!("- {}", of(rule.why()))).collect();
        left.push(
            if nl {
                "- Privéberichten en berichten voor volgers nemen wij niet op, tenzij hierboven anders staat en wij er zelf \
                 bij betrokken zijn."
            } else {
                "- Direct messages and posts for followers only are not taken in, unless stated above and we are a party."
            }
            .to_owned(),
        );
        let channel = self.channel;
        let account = format!("@{} ({}, {})", channel.account, channel.platform, channel.instance);
        let duty = channel.duty.as_str();
        Ok(if nl {
            format!(
                "# Wat wij met uw reactie doen\n\n{} archiveert het account {account} en de reacties daarop.\n\n\
                 **Verwerkingsverantwoordelijke**: {}.\n\n**Doel**: {}.\n\n**Grondslag**: {}.\n\n\
                 **Plicht tot archiveren**: {}, bron: {}.\n\n**Hoe wij beslissen** ({}):\n{}\n\n\
                 **Wat wij niet opnemen** ({}):\n{}\n\n\
                 **Wie het ziet**: lezers met toestemming zien een versie zonder uw naam en gegevens; een ambtenaar opent het \
                 origineel alleen met een wettelijke grondslag, en dat wordt vastgelegd.\n\n\
                 **Uw rechten**: inzage, verbetering, wissen, beperking en bezwaar (AVG 15 tot en met 21), en een klacht bij de \
                 Autoriteit Persoonsgegevens. De gegevens komen van het platform waarop u ze plaatste (AVG 14).\n\n\
                 **Effectbeoordeling**: {}.\n",
                self.name,
                self.name,
                channel.purpose,
                channel.legal_basis,
                duty_in_dutch(duty),
                channel.duty_source,
                of(tree.title()),
                kept.join("\n"),
                of(profile.title()),
                left.join("\n"),
                channel.dpia
            )
        } else {
            format!(
                "# What we do with your reaction\n\n{} archives the account {account} and reactions to it.\n\n\
                 **Controller**: {}.\n\n**Purpose**: {}.\n\n**Legal basis**: {}.\n\n\
                 **Duty to archive**: {duty}, source: {}.\n\n**How we decide** ({}):\n{}\n\n\
                 **What we do not take in** ({}):\n{}\n\n\
                 **Who sees it**: readers with permission see a version without your name and data; an official opens the \
                 original only under a legal basis, and that is recorded.\n\n\
                 **Your rights**: access, rectification, erasure, restriction and objection (GDPR 15 to 21), and a complaint to \
                 the data protection authority. The data come from the platform you posted them on (GDPR 14).\n\n\
                 **Impact assessment**: {}.\n",
                self.name,
                self.name,
                channel.purpose,
                channel.legal_basis,
                channel.duty_source,
                of(tree.title()),
                kept.join("\n"),
                of(profile.title()),
                left.join("\n"),
                channel.dpia
            )
        })
    }
}

fn duty_in_dutch(duty: &str) -> &str {
    match duty {
        "yes" => "ja",
        "no" => "nee",
        _ => "omstreden",
    }
}

/// What a tree does with each kind of record, and how long it is kept.
fn terms(tree: &Tree) -> Vec<(Bilingual, String)> {
    let term = |ending: &crate::decide::Ending| match (&ending.keep, ending.outcome) {
        (Some(keep), _) if keep.valuation == Valuation::B => "B".to_owned(),
        (Some(keep), _) => keep.period.clone().unwrap_or_default(),
        (None, Outcome::DoNotArchive) => "none".to_owned(),
        (None, _) => "elsewhere".to_owned(),
    };
    tree.endings().iter().map(|ending| (ending.text.clone(), term(ending))).collect()
}

fn in_words(term: &str, nl: bool) -> String {
    match (term, nl) {
        ("B", true) => "(blijvend)".to_owned(),
        ("B", false) => "(for good)".to_owned(),
        ("none" | "elsewhere", _) => String::new(),
        (period, true) => format!("(bewaartermijn {period})"),
        (period, false) => format!("(kept for {period})"),
    }
}

/// Prints an answer for people.
///
/// # Errors
/// When it cannot be written out.
pub(super) fn print(order: &RegisterOrder, answer: &Value) -> Result<()> {
    match order.notice {
        Some(_) => print::line(answer.get("notice").and_then(Value::as_str).unwrap_or_default()),
        None => print::line(&serde_json::to_string_pretty(answer.get("register").unwrap_or(&Value::Null))?),
    }
    Ok(())
}
