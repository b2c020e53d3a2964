//! Identifiers. Slugs are chosen by people, the rest is random or a keyed digest.

use super::as_text::as_text;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A value from outside that is not what its type allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A slug with characters or a length that are not allowed.
    #[error("{what} `{given}` must be 1 to 64 of a-z, 0-9 and '-', starting with a letter or digit")]
    Slug {
        /// What the slug would name.
        what: &'static str,
        /// What was given.
        given: String,
    },
    /// Not a UUID.
    #[error("{what} must be a UUID such as 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11")]
    Uuid {
        /// What the id would name.
        what: &'static str,
    },
    /// Not a member of a closed list.
    #[error("{what} `{given}` is not known; expected one of: {expected}")]
    Term {
        /// What the term would be.
        what: &'static str,
        /// What was given.
        given: String,
        /// What would have been understood.
        expected: String,
    },
    /// A day in another form than `2026-05-04`, or none at all.
    #[error("`{given}` is no day such as 2026-05-04: write year, month and day in digits, with dashes")]
    Day {
        /// What was given.
        given: String,
    },
    /// A time that is not RFC 3339.
    #[error("`{given}` is not a time; write it as 2026-05-04T09:30:00Z")]
    Time {
        /// What was given.
        given: String,
    },
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The slug as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ModelError;
            fn from_str(given: &str) -> Result<Self, ModelError> {
                let alnum = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                let fits = !given.is_empty()
                    && given.len() <= 64
                    && given.starts_with(alnum)
                    && given.chars().all(|c| alnum(c) || c == '-');
                if fits {
                    Ok(Self(given.to_owned()))
                } else {
                    let given = given.chars().take(80).collect();
                    Err(ModelError::Slug { what: $what, given })
                }
            }
        }

        as_text!($name);
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// An id from a UUID that the caller drew (the pure rooms draw none).
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The sixteen bytes, as stored and as bound into authenticated data.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = ModelError;
            fn from_str(given: &str) -> Result<Self, ModelError> {
                Uuid::try_parse(given).map(Self).map_err(|_| ModelError::Uuid { what: $what })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

slug!(
    /// A ministry or executive agency: the tenant.
    OrganisationId, "organisation"
);
slug!(
    /// An account of an organisation on a platform.
    ChannelId, "channel"
);
impl OrganisationId {
    /// The organisation that owns nothing: no organisation can be added under this name.
    #[must_use]
    pub fn nobody() -> Self {
        Self("nobody".to_owned())
    }
}

uuid_id!(
    /// An export: files of redacted copies, made under one grant.
    ExportId,
    "export"
);
uuid_id!(
    /// One delivered file.
    CaptureId, "capture"
);
uuid_id!(
    /// One post, reaction or message, whatever its versions. Known to the vault only.
    RecordId, "record"
);
uuid_id!(
    /// One version of a record.
    VersionId, "version"
);
uuid_id!(
    /// A part of a capture with a key of its own.
    FragmentId, "fragment"
);
uuid_id!(
    /// An immutable object in storage.
    SegmentId, "segment"
);
uuid_id!(
    /// A thread: a post with what was said under it. Known to the vault only.
    ConversationId, "conversation"
);
uuid_id!(
    /// A projection in the reading room: drawn at random, says nothing of the record or its time.
    ProjectionId, "projection"
);
uuid_id!(
    /// A record or conversation as one grant names it: drawn at random for that grant.
    RecordRef, "record"
);
uuid_id!(
    /// An approved request.
    GrantId, "grant"
);
uuid_id!(
    /// A request of a person concerned (AVG 15 to 21).
    SubjectRequestId, "request"
);
uuid_id!(
    /// A request for redacted copies.
    RequestId, "request"
);
uuid_id!(
    /// A report of a reader: something is wrong with a view.
    ReportId, "report"
);
uuid_id!(
    /// An incident: personal data was shown that should not have been.
    IncidentId, "incident"
);
uuid_id!(
    /// One opening of one original.
    DisclosureId, "disclosure"
);
uuid_id!(
    /// A person who acts, as the ledger knows them: a pseudonym; who it is stands in a map kept apart.
    ActorId, "actor"
);
uuid_id!(
    /// A revocation of a token, a subject or a person.
    RevocationId, "revocation"
);
uuid_id!(
    /// An appointment of an approver or an external reviewer.
    AppointmentId, "appointment"
);
uuid_id!(
    /// One authorisation: binds a permit to the ledger entry that records it.
    PermitId, "permit"
);

/// A person within one conversation: drawn at random there, means nothing elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectRef(u32);

impl SubjectRef {
    /// A reference from a number that the caller drew.
    #[must_use]
    pub const fn from_u32(drawn: u32) -> Self {
        Self(drawn)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectRef({:08x})", self.0)
    }
}

/// A keyed digest that recognises something without storing it: the first 128 bits of an HMAC-SHA-256 (RFC 2104,
/// section 5, asks for no fewer).
///
/// Never an unkeyed hash: short texts and account names can be guessed. Are 128 bits enough? Among *n* things the chance
/// that any two are taken for one is at most n² / 2^129: of 10^9 names less than 2 in 10^21. Nobody can look for two
/// such names either, because nobody without the key knows a digest.
#[derive(Clone, Copy)]
pub struct ItemDigest {
    kept: [u8; 16],
    /// What is not kept; known when it was computed now.
    rest: Option<[u8; 16]>,
}

impl ItemDigest {
    /// From an HMAC-SHA-256.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let (mut kept, mut rest) = ([0; 16], [0; 16]);
        kept.iter_mut().chain(&mut rest).zip(bytes).for_each(|(to, from)| *to = from);
        Self { kept, rest: Some(rest) }
    }

    /// As it is kept.
    #[must_use]
    pub const fn from_kept(kept: [u8; 16]) -> Self {
        Self { kept, rest: None }
    }

    /// The bytes that are kept.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.kept
    }

    /// All 32 bytes, as digests were kept before; none when it was read from where only half is kept.
    #[must_use]
    pub fn whole(&self) -> Option<Vec<u8>> {
        self.rest.map(|rest| [self.kept, rest].concat())
    }
}

impl PartialEq for ItemDigest {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept
    }
}

impl Eq for ItemDigest {}

impl PartialOrd for ItemDigest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ItemDigest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.kept.cmp(&other.kept)
    }
}

impl std::hash::Hash for ItemDigest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.kept.hash(state);
    }
}

impl fmt::Debug for ItemDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_refuse_what_would_need_escaping() {
        for good in ["bzk", "min-bzk", "9292"] {
            assert!(good.parse::<OrganisationId>().is_ok(), "{good}");
        }
        for bad in ["", "Min", "-a", "a b", "a/b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<OrganisationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_a_uuid_and_nothing_else() {
        assert!("0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11".parse::<RecordId>().is_ok());
        assert_eq!("1".parse::<RecordId>(), Err(ModelError::Uuid { what: "record" }));
    }
}
