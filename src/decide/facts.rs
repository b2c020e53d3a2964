//! What is known of a record when it is judged.

use crate::model::ItemKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The three answers a step knows. What is not known is `Unsure`, never `No`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It cannot be said: a person must look.
    Unsure,
}

impl Answer {
    /// The word: `yes`, `no` or `unsure`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
        }
    }
}

impl From<bool> for Answer {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A fact that a step can ask for: `answered_by: fact NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Posted by the organisation itself.
    Own,
    /// Placed on, or addressed to, a channel that was official at that moment.
    OfficialChannel,
    /// A reaction (not a post that starts a conversation, not a message).
    Reaction,
    /// A direct message.
    Message,
    /// The organisation answered it.
    Answered,
    /// Its author changed it after posting.
    Edited,
    /// Its author or the platform deleted it.
    Deleted,
    /// A formal message that was registered or forwarded.
    Registered,
    /// Reactions were open on the channel at the moment of posting.
    ReactionsOpen,
}

impl Fact {
    /// Every fact, with its name as written in a tree.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("own", Self::Own),
        ("official_channel", Self::OfficialChannel),
        ("reaction", Self::Reaction),
        ("message", Self::Message),
        ("answered", Self::Answered),
        ("edited", Self::Edited),
        ("deleted", Self::Deleted),
        ("registered", Self::Registered),
        ("reactions_open", Self::ReactionsOpen),
    ];

    /// The name as written in a tree.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, fact)| *fact == self).map_or("", |(name, _)| name)
    }

    /// The fact of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fact)| *fact)
    }
}

/// What is known of one record, as it was at the moment of posting (later facts, such as an answer,
/// as known now). The caller looks them up; this room believes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Post, reaction or message.
    pub kind: ItemKind,
    /// Posted by the organisation itself: always archived, whatever the tree.
    pub own: bool,
    /// Whether the channel was official at the moment of posting.
    pub official_channel: Answer,
    /// Whether the organisation answered.
    pub answered: Answer,
    /// Whether its author changed it.
    pub edited: Answer,
    /// Whether it was deleted on the platform.
    pub deleted: Answer,
    /// Whether it was registered elsewhere or forwarded.
    pub registered: Answer,
    /// Whether reactions were open on the channel at the moment of posting.
    pub reactions_open: Answer,
    /// What people already answered, by what is asked ([`Asks::name`](super::Asks::name)) or by step id; goes before
    /// every fact and detector.
    pub people: BTreeMap<String, Answer>,
}

impl Facts {
    /// A record of that kind of which nothing else is known.
    #[must_use]
    pub fn unknown(kind: ItemKind) -> Self {
        Self {
            kind,
            own: false,
            official_channel: Answer::Unsure,
            answered: Answer::Unsure,
            edited: Answer::Unsure,
            deleted: Answer::Unsure,
            registered: Answer::Unsure,
            reactions_open: Answer::Unsure,
            people: BTreeMap::new(),
        }
    }

    /// The same with another answer to one fact; what follows from the kind stays.
    #[must_use]
    pub fn with(mut self, fact: Fact, answer: Answer) -> Self {
        match fact {
            Fact::Own => self.own = answer == Answer::Yes,
            Fact::OfficialChannel => self.official_channel = answer,
            Fact::Answered => self.answered = answer,
            Fact::Edited => self.edited = answer,
            Fact::Deleted => self.deleted = answer,
            Fact::Registered => self.registered = answer,
            Fact::ReactionsOpen => self.reactions_open = answer,
            Fact::Reaction | Fact::Message => {}
        }
        self
    }

    /// What these facts say to one question.
    #[must_use]
    pub fn answer(&self, fact: Fact) -> Answer {
        match fact {
            Fact::Own => self.own.into(),
            Fact::OfficialChannel => self.official_channel,
            Fact::Reaction => (self.kind == ItemKind::Reaction).into(),
            Fact::Message => (self.kind == ItemKind::Message).into(),
            Fact::Answered => self.answered,
            Fact::Edited => self.edited,
            Fact::Deleted => self.deleted,
            Fact::Registered => self.registered,
            Fact::ReactionsOpen => self.reactions_open,
        }
    }
}
