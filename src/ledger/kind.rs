//! What the ledger records: a closed list, so that a verifier knows every kind there is.

use serde::Deserialize;

macro_rules! entry_kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What happened. Closed: a leaf with another kind is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum EntryKind {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl EntryKind {
            /// Every kind, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the leaf.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

entry_kinds! {
    /// A capture was sealed and came in.
    CaptureIngested = "capture-ingested",
    /// A capture was refused, or part of it.
    CaptureRefused = "capture-refused",
    /// A decision tree said what must happen with records.
    DecisionMade = "decision-made",
    /// A person changed a decision.
    DecisionChanged = "decision-changed",
    /// Projections went to the reading room.
    RecordsPublished = "records-published",
    /// Projections were withdrawn.
    RecordsWithdrawn = "records-withdrawn",
    /// A ruleset, tree or policy came into force.
    RulesLoaded = "rules-loaded",
    /// A person is about to open an original.
    DisclosureIntended = "disclosure-intended",
    /// The original was served.
    DisclosureServed = "disclosure-served",
    /// The original was not served.
    DisclosureFailed = "disclosure-failed",
    /// The system is about to open originals.
    SystemOpeningIntended = "system-opening-intended",
    /// The system opened them and is done.
    SystemOpeningDone = "system-opening-done",
    /// The system could not open them all.
    SystemOpeningFailed = "system-opening-failed",
    /// Someone was refused.
    AccessDenied = "access-denied",
    /// A redacted view was served.
    ViewServed = "view-served",
    /// An official is about to search the vault.
    SearchIntended = "search-intended",
    /// A search was answered.
    SearchServed = "search-served",
    /// Files were asked for under a grant.
    ExportAsked = "export-asked",
    /// The files came up to be released.
    ExportBuilt = "export-built",
    /// The finished files were searched for what must not leave.
    ExportChecked = "export-checked",
    /// Bytes of released files were sent.
    ExportFetched = "export-fetched",
    /// An export left, or a part of it.
    ExportReleased = "export-released",
    /// An export was stopped.
    ExportStopped = "export-stopped",
    /// Access was asked for.
    GrantRequested = "grant-requested",
    /// A step was taken with a request for access that is neither its beginning nor a decision.
    RequestStepTaken = "request-step-taken",
    /// Access was granted.
    GrantApproved = "grant-approved",
    /// Access was not granted.
    GrantRefused = "grant-refused",
    /// Access was taken back.
    GrantRevoked = "grant-revoked",
    /// A grant or a publication is over: what it named is gone.
    GrantLapsed = "grant-lapsed",
    /// A token, a subject or a person was revoked.
    IdentityRevoked = "identity-revoked",
    /// They are no longer.
    IdentityRestored = "identity-restored",
    /// A channel was declared, or a fact about it changed.
    ChannelDeclared = "channel-declared",
    /// A person judged a redaction.
    ReviewDone = "review-done",
    /// A sample of automatic decisions was drawn.
    ReviewSampleDrawn = "review-sample-drawn",
    /// What people of an external agency assessed was taken in.
    AssessmentsImported = "assessments-imported",
    /// Records must not be destroyed for now.
    HoldPlaced = "hold-placed",
    /// They may be again.
    HoldLifted = "hold-lifted",
    /// Records must not be read for now.
    RestrictionPlaced = "restriction-placed",
    /// They may be again.
    RestrictionLifted = "restriction-lifted",
    /// Records were destroyed under an authority.
    RecordsDestroyed = "records-destroyed",
    /// Personal data was erased.
    DataErased = "data-erased",
    /// A key was made.
    KeyCreated = "key-created",
    /// A key was destroyed.
    KeyDestroyed = "key-destroyed",
    /// The service started.
    ServiceStarted = "service-started",
    /// The service stopped.
    ServiceStopped = "service-stopped",
    /// Tree, segments or receipts were verified.
    VerificationRun = "verification-run",
    /// Something went wrong that must be answered for.
    IncidentOpened = "incident-opened",
    /// It was dealt with.
    IncidentClosed = "incident-closed",
    /// A person concerned asked something (AVG 15 to 21).
    SubjectRequestReceived = "subject-request-received",
    /// Something was done on such a request.
    SubjectRequestChanged = "subject-request-changed",
    /// It was answered.
    SubjectRequestClosed = "subject-request-closed",
    /// A second official approved an opening.
    DisclosureApproved = "disclosure-approved",
    /// A reader reported something.
    ReportReceived = "report-received",
    /// Records went to another archive.
    RecordsTransferred = "records-transferred",
    /// The logs were exported.
    LedgerExported = "ledger-exported",
    /// A backup was made.
    BackupMade = "backup-made",
    /// A backup was put back.
    BackupRestored = "backup-restored",
    /// Segments were read to see whether they are unchanged.
    FixityChecked = "fixity-checked",
    /// An approver got a mandate, or a reviewer of an external agency an assignment.
    AppointmentMade = "appointment-made",
    /// It was ended before its time.
    AppointmentEnded = "appointment-ended",
    /// A formal message was registered or forwarded, or its sender was told.
    FormalMessageHandled = "formal-message-handled",
    /// A record was linked to a case of the letter system.
    LetterLinked = "letter-linked",
    /// The letter system confirmed a case.
    LetterConfirmed = "letter-confirmed",
    /// It was drawn up which questions of a period were answered, and how many were not.
    ActedOnReported = "acted-on-reported",
}
