//! Closed vocabularies: roles, platforms, outcomes, states.

use super::ModelError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! closed {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every member, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as written in files, tokens and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = ModelError;
            fn from_str(given: &str) -> Result<Self, ModelError> {
                match given {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(ModelError::Term {
                        what: $what,
                        given: given.chars().take(80).collect(),
                        expected: [$($text),+].join(", "),
                    }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

closed!(
    /// What someone is for the duration of one token: one active role each.
    Role, "role", {
        /// Anyone, without a grant: sees no record until the organisation publishes it.
        Public = "public",
        /// Asks for redacted copies; never an original.
        Researcher = "researcher",
        /// Retrieves originals under a legal basis.
        Official = "official",
        /// Checks redactions (beoordelaar).
        Reviewer = "reviewer",
        /// Declares channels official and answers for filtering (kanaalbeheerder).
        ChannelManager = "channel-manager",
        /// Decides what is kept (informatiebeheerder).
        RecordsManager = "records-manager",
        /// Approves requests with a mandate.
        Approver = "approver",
        /// Checks everyone, decides nothing (functionaris gegevensbescherming, FG).
        DataProtectionOfficer = "data-protection-officer",
        /// A machine that delivers captures.
        Harvester = "harvester",
        /// Runs the service; sees no content.
        Administrator = "administrator",
    }
);

closed!(
    /// As what an organisation appoints someone, beside what the identity provider says of them.
    AppointmentKind, "appointment", {
        /// An approver, for as long as the mandate runs.
        Mandate = "mandate",
        /// A reviewer of an external agency, for as long as the assignment runs.
        Assignment = "assignment",
    }
);

closed!(
    /// Where a request for redacted copies stands.
    RequestState, "state of a request", {
        /// Being written; nobody decides on it.
        Draft = "draft",
        /// Waits for a decision.
        Submitted = "submitted",
        /// Waits for an answer of the researcher.
        Questioned = "questioned",
        /// Approved: waits for the conditions to be accepted.
        Approved = "approved",
        /// A grant runs.
        Active = "active",
        /// A grant runs and more time is asked for.
        ExtensionAsked = "extension-asked",
        /// The grant is over or was revoked; the copies are still to be destroyed.
        Ended = "ended",
        /// The researcher stated that every copy is gone.
        Concluded = "concluded",
        /// Refused.
        Refused = "refused",
        /// Taken back by the researcher.
        Withdrawn = "withdrawn",
    }
);

closed!(
    /// Where an export stands.
    ExportState, "state of an export", {
        /// The vault makes what only it can make: wider values, and what small groups need.
        Preparing = "preparing",
        /// The reading room builds the files.
        Building = "building",
        /// The files are built and wait for the leak gate.
        Held = "held",
        /// Nothing was found that must not leave: they wait for a second person.
        Waiting = "waiting",
        /// A second person let them go; they are on their way down.
        Releasing = "releasing",
        /// They can be fetched, once.
        Released = "released",
        /// They were fetched.
        Fetched = "fetched",
        /// The gate found what must not leave, or too few people behind a row: nothing leaves.
        Stopped = "stopped",
        /// A second person did not let them go.
        Refused = "refused",
        /// The grant ended or was revoked, or nobody fetched them in time.
        Lapsed = "lapsed",
    }
);

closed!(
    /// What happens to a request for redacted copies.
    RequestStep, "step of a request", {
        /// The researcher writes it, or writes it anew.
        Write = "write",
        /// The researcher hands it in.
        Submit = "submit",
        /// The researcher takes it back.
        Withdraw = "withdraw",
        /// An approver asks something.
        Ask = "ask",
        /// The researcher answers.
        Answer = "answer",
        /// An approver approves it, with conditions and an end.
        Approve = "approve",
        /// An approver refuses it.
        Refuse = "refuse",
        /// The researcher accepts the conditions: the grant begins.
        Accept = "accept",
        /// The researcher asks for more time.
        AskExtension = "ask-extension",
        /// An approver gives more time.
        Extend = "extend",
        /// An approver does not.
        RefuseExtension = "refuse-extension",
        /// The grant is over, or is revoked.
        End = "end",
        /// The researcher states that every copy is gone.
        StateDeletion = "state-deletion",
    }
);

closed!(
    /// Where an item was posted.
    Platform, "platform", {
        /// The fediverse: Mastodon, and what speaks its API or ActivityPub.
        Mastodon = "mastodon",
        /// X, formerly Twitter.
        X = "x",
        /// The web at large: pages, and archives of it whose items name their own platform.
        Web = "web",
        /// Facebook.
        Facebook = "facebook",
        /// Instagram.
        Instagram = "instagram",
        /// LinkedIn.
        LinkedIn = "linkedin",
        /// Bluesky and what speaks the AT protocol.
        Bluesky = "bluesky",
        /// YouTube.
        YouTube = "youtube",
        /// A platform that has no word of its own here.
        Other = "other",
    }
);

closed!(
    /// Who could see an item on the platform.
    Visibility, "visibility", {
        /// Anyone.
        Public = "public",
        /// Anyone with the link.
        Unlisted = "unlisted",
        /// Followers only: never projected.
        Followers = "followers",
        /// Those addressed only: never projected.
        Direct = "direct",
        /// The capture does not say: never projected.
        Unknown = "unknown",
    }
);

impl Visibility {
    /// Whether the item was open to everyone, and so may be projected.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Unlisted)
    }
}

closed!(
    /// What an item is.
    ItemKind, "kind", {
        /// Starts a conversation, or is the organisation's own.
        Post = "post",
        /// Answers, or is placed under, another item.
        Reaction = "reaction",
        /// A direct message.
        Message = "message",
        /// A page of the web as it was captured: nobody's record, and never projected.
        Page = "page",
        /// A picture, film or sound that an archive holds beside what was said: sealed as an original of its own, and never projected.
        Attachment = "attachment",
    }
);

impl ItemKind {
    /// Whether somebody said it: what is not is nobody's record, and is counted apart.
    #[must_use]
    pub const fn is_said(self) -> bool {
        !matches!(self, Self::Page | Self::Attachment)
    }
}

closed!(
    /// What a decision tree says must happen with a record.
    Outcome, "outcome", {
        /// Keep (bewaren).
        Archive = "archive",
        /// Kept in another process, such as the letter process.
        ArchiveElsewhere = "archive_elsewhere",
        /// Refer the sender to the right channel.
        Refer = "refer",
        /// Not to be archived; destruction itself needs an authority.
        DoNotArchive = "do_not_archive",
        /// A person must say.
        Unsure = "unsure",
    }
);

closed!(
    /// What a record is flagged for: special categories (AVG 9), criminal matters (AVG 10), signs of a minor.
    ///
    /// Genetic and biometric data are not told in a post; political opinion is left out on purpose (`docs/flags.md`).
    FlagKind, "flag", {
        /// Someone's health (AVG 9).
        Health = "health",
        /// Someone's religion or belief (AVG 9).
        Religion = "religion",
        /// Someone's racial or ethnic origin (AVG 9).
        Ethnicity = "ethnicity",
        /// Someone's membership of a trade union (AVG 9).
        Union = "union-membership",
        /// Someone's sexual orientation or sex life (AVG 9).
        Orientation = "sexual-orientation",
        /// Someone's convictions, offences or detention (AVG 10).
        Criminal = "criminal-matters",
        /// Someone who writes or is spoken of seems to be under 18 (AVG 8, recital 38).
        Minor = "minor",
    }
);

closed!(
    /// What a reviewer says of a flag.
    Verdict, "verdict", {
        /// The flag does not hold, or the record may be shown all the same.
        Release = "release",
        /// The record stays withheld.
        KeepWithheld = "keep-withheld",
    }
);

closed!(
    /// Why a reviewer says it: each reason goes with one verdict.
    ReviewReason, "reason", {
        /// Nothing of the kind is told.
        FlagDoesNotHold = "flag-does-not-hold",
        /// It is told of nobody who can be known from the redacted view.
        NobodyIdentifiable = "nobody-identifiable",
        /// The person concerned manifestly made it public (AVG 9(2)(e)).
        MadePublic = "made-public-by-the-person",
        /// It is told, of someone who can be known.
        FlagHolds = "flag-holds",
        /// It cannot be said with certainty.
        InDoubt = "in-doubt",
    }
);

closed!(
    /// What a policy file is that decides something, or says what is decided.
    PolicyKind, "kind of policy", {
        /// A decision tree.
        Tree = "tree",
        /// A minimisation profile.
        Profile = "profile",
        /// What an organisation counts as something.
        Definition = "definition",
        /// The rules by which a question is known.
        Questions = "questions",
        /// How reactions sound.
        Sentiment = "sentiment",
        /// How much of what is decided is judged by people.
        Reviewing = "reviewing",
    }
);

closed!(
    /// Why something waits for a reviewer.
    QueueKind, "kind of queue item", {
        /// A tree is not sure of a reaction: a person answers the step that waits.
        DoubtfulQuestion = "doubtful-question",
        /// A post of an office-holder or a hybrid account of which the tree is not sure.
        AccountPost = "account-post",
        /// Personal data that was found without certainty: redacted until a person has looked.
        DoubtfulFinding = "doubtful-finding",
        /// A sign of a special category or of criminal matters: withheld until it is judged.
        SpecialCategory = "special-category",
        /// A sign of a minor: withheld until it is judged.
        Minor = "minor",
        /// An automatic decision of a random sample.
        Sample = "sample",
        /// A reader said that something is redacted wrongly, or not.
        ReaderReport = "reader-report",
        /// Judged, withheld or reported after a backup that was put back: withheld until it is judged again.
        Restored = "restored",
    }
);

closed!(
    /// What a reviewer says of a finding.
    FindingVerdict, "verdict on a finding", {
        /// It is personal data and stays redacted.
        Confirm = "confirm",
        /// It need not be redacted.
        Reject = "reject",
        /// It was missed, and is redacted from now on.
        Add = "add",
    }
);

closed!(
    /// What a revocation names.
    RevocationKind, "kind of revocation", {
        /// One token, by its `jti`; or one certificate of a machine, by its fingerprint.
        Token = "token",
        /// Every token of a subject; or every certificate of a machine.
        Subject = "subject",
        /// Every token of a person, whatever subject it names.
        Person = "person",
    }
);

closed!(
    /// Why access was revoked: a code, because free text would be about a person.
    RevocationReason, "reason", {
        /// A token or key fell, or may have fallen, into other hands.
        Leaked = "leaked",
        /// The account is in other hands.
        AccountCompromised = "account-compromised",
        /// The device it was used on is lost.
        DeviceLost = "device-lost",
        /// The person left, or does other work.
        Left = "left",
        /// It was used for what it is not for.
        Misuse = "misuse",
        /// It was issued by mistake.
        IssuedInError = "issued-in-error",
        /// Something else; the case is kept elsewhere.
        Other = "other",
    }
);

impl ReviewReason {
    /// The verdict it is a reason for.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::FlagDoesNotHold | Self::NobodyIdentifiable | Self::MadePublic => Verdict::Release,
            Self::FlagHolds | Self::InDoubt => Verdict::KeepWithheld,
        }
    }
}

closed!(
    /// What an official's request for originals reaches.
    OpeningScope, "scope", {
        /// The records that are named.
        Record = "record",
        /// The records that are named, each with its thread as it stands when the request is made.
        Thread = "thread",
        /// No original: searching the vault to find records back.
        Find = "find",
    }
);

closed!(
    /// What a reader reports of a view.
    ReportKind, "kind", {
        /// Something is hidden that is no personal data.
        WronglyRedacted = "wrongly-redacted",
        /// A name, or other personal data, can be read: the record is withheld until a reviewer has judged it.
        NameVisible = "name-visible",
    }
);

closed!(
    /// What a reviewer says of a report.
    ReportOutcome, "outcome", {
        /// It is so; the redaction is corrected.
        Confirmed = "confirmed",
        /// It is not.
        Unfounded = "unfounded",
    }
);

closed!(
    /// How an incident ended.
    IncidentOutcome, "outcome", {
        /// The supervisory authority was notified (AVG article 33).
        Notified = "notified",
        /// No notification was due: a risk to rights and freedoms is unlikely.
        NoNotification = "no-notification",
        /// Nothing was shown that should not have been.
        Unfounded = "unfounded",
    }
);

closed!(
    /// What a person concerned asks (AVG articles 15 to 21).
    SubjectRequestKind, "kind", {
        /// Article 15: access, and a copy.
        Access = "access",
        /// Article 16.
        Rectification = "rectification",
        /// Article 17.
        Erasure = "erasure",
        /// Article 18.
        Restriction = "restriction",
        /// Article 20.
        Portability = "portability",
        /// Article 21.
        Objection = "objection",
    }
);

closed!(
    /// How it was made sure that who asks holds the account.
    AccountProof, "proof", {
        /// A code that Knik drew was posted or sent from the account, and an official saw it there.
        CodeFromAccount = "code-from-account",
        /// Who asks logged in to the account in the official's presence.
        LoginSeen = "login-seen",
        /// The platform confirmed it.
        PlatformConfirmed = "platform-confirmed",
    }
);

closed!(
    /// What came of a request of a person concerned.
    SubjectOutcome, "outcome", {
        /// Done as asked.
        Granted = "granted",
        /// Done in part.
        PartlyGranted = "partly-granted",
        /// Not done; the letter says why, and how to object.
        Refused = "refused",
        /// Taken back by who asked.
        Withdrawn = "withdrawn",
        /// That the account is theirs could not be made sure.
        NotProven = "not-proven",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_terms_read_back_what_they_write() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>(), Ok(*role));
        }
        assert!("admin".parse::<Role>().is_err());
    }
}
