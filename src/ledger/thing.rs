//! The words of an entry: codes, and what it is about.

use super::{EntryId, LedgerError};
use crate::model::{
    ActorId, AppointmentId, CaptureId, ChannelId, ConversationId, DisclosureId, ExportId, GrantId,
    ProjectionId, RecordId, RecordRef, RequestId, RevocationId, SegmentId, SubjectRequestId,
};
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// A word from a list in the program or in `policies/`: an outcome, a reason, what was counted.
///
/// Its characters leave no room for a sentence, but it is the caller who keeps names out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Code(String);

impl Code {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = LedgerError;
    fn from_str(given: &str) -> Result<Self, LedgerError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if (1..=64).contains(&given.len()) && given.chars().all(allowed) {
            Ok(Self(given.to_owned()))
        } else {
            Err(LedgerError::NotACode)
        }
    }
}

impl TryFrom<String> for Code {
    type Error = LedgerError;
    fn try_from(given: String) -> Result<Self, LedgerError> {
        given.parse()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! things {
    ($($(#[$doc:meta])* $variant:ident($id:ty) = $word:literal),+ $(,)?) => {
        /// What an entry is about. Written as `kind:id`, such as `record:0190a5c2-…`.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub enum Thing {
            $($(#[$doc])* $variant($id),)+
        }

        impl fmt::Display for Thing {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$variant(id) => write!(f, "{}:{id}", $word),)+ }
            }
        }

        impl FromStr for Thing {
            type Err = LedgerError;
            fn from_str(given: &str) -> Result<Self, LedgerError> {
                let (word, id) = given.split_once(':').ok_or(LedgerError::NotAThing)?;
                match word {
                    $($word => id.parse().map(Self::$variant).map_err(|_| LedgerError::NotAThing),)+
                    _ => Err(LedgerError::NotAThing),
                }
            }
        }
    };
}

things! {
    /// A person who acts, by the pseudonym that the ledger knows them by.
    Actor(ActorId) = "actor",
    /// An appointment.
    Appointment(AppointmentId) = "appointment",
    /// A capture.
    Capture(CaptureId) = "capture",
    /// A channel, by its slug.
    Channel(ChannelId) = "channel",
    /// A conversation.
    Conversation(ConversationId) = "conversation",
    /// A disclosure.
    Disclosure(DisclosureId) = "disclosure",
    /// Another entry.
    Entry(EntryId) = "entry",
    /// An export.
    Export(ExportId) = "export",
    /// A grant.
    Grant(GrantId) = "grant",
    /// A projection.
    Projection(ProjectionId) = "projection",
    /// A record.
    Record(RecordId) = "record",
    /// A request for redacted copies.
    Request(RequestId) = "request",
    /// A record or conversation as a grant names it.
    Reference(RecordRef) = "reference",
    /// A revocation of a token, a subject or a person.
    Revocation(RevocationId) = "revocation",
    /// A segment.
    Segment(SegmentId) = "segment",
    /// A request of a person concerned (AVG 15 to 21).
    SubjectRequest(SubjectRequestId) = "subject-request",
}

impl TryFrom<String> for Thing {
    type Error = LedgerError;
    fn try_from(given: String) -> Result<Self, LedgerError> {
        given.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_read_back_what_they_write() {
        let id = "0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11";
        for kind in [
            "actor",
            "appointment",
            "capture",
            "conversation",
            "disclosure",
            "entry",
            "export",
            "grant",
            "projection",
            "record",
            "reference",
            "revocation",
            "request",
            "subject-request",
            "segment",
        ] {
            let text = format!("{kind}:{id}");
            assert_eq!(text.parse::<Thing>().unwrap().to_string(), text);
        }
        assert_eq!("channel:min-bzk".parse::<Thing>().unwrap().to_string(), "channel:min-bzk");
        for bad in ["", "record", "record:1", "person:jan", "channel:Jan de Vries"] {
            assert_eq!(bad.parse::<Thing>(), Err(LedgerError::NotAThing), "{bad}");
        }
    }

    #[test]
    fn a_code_is_a_word() {
        assert!("not-an-official".parse::<Code>().is_ok());
        for bad in ["", "Jan", "a b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}
