//! What can be done: a closed list; each word is also the name of a Cedar action in the schema.

macro_rules! actions {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// Every member, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as written in policies, ledger entries and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

actions!(
    /// What a person (or a machine with a token) asks to do.
    Action {
        /// List redacted views in the reading room.
        ListRecords = "list-records",
        /// Search redacted views in the reading room.
        SearchRecords = "search-records",
        /// Read one redacted view in the reading room.
        ReadRecord = "read-record",
        /// Read the redacted views of one conversation in the reading room.
        ReadConversation = "read-conversation",
        /// Read how the records of a grant came to be there, in the reading room.
        ReadFindingAid = "read-finding-aid",
        /// Read what a name that a grant gave stands for.
        CiteRecord = "cite-record",
        /// Say that something is wrong with a record of a grant.
        ReportRecord = "report-record",
        /// List records in the vault, redacted.
        ListVaultRecords = "list-vault-records",
        /// Read one redacted view in the vault.
        ReadVaultView = "read-vault-view",
        /// Read what was decided about a record, with the path.
        ReadDecision = "read-decision",
        /// List what waits for a reviewer: what records are flagged for, no text.
        ListReviewItems = "list-review-items",
        /// Judge the redactions of a record.
        ReviewRedaction = "review-redaction",
        /// Say what became of formal messages and letters: registered, forwarded, linked, confirmed.
        HandleCorrespondence = "handle-correspondence",
        /// Draw a sample of automatic decisions for the reviewers.
        DrawReviewSample = "draw-review-sample",
        /// Take in what reviewers of an external agency assessed.
        ImportAssessments = "import-assessments",
        /// Read how the reviewers' queue stands, how well people and detectors agree, how long people work.
        ReadReviewFigures = "read-review-figures",
        /// Publish a record to everyone, or withdraw that, by decision of the organisation.
        PublishRecord = "publish-record",
        /// Open one original. Asked with [`Policies::authorise_opening`](super::Policies::authorise_opening) only.
        OpenOriginal = "open-original",
        /// Ask to open originals under a legal basis.
        RequestOpening = "request-opening",
        /// List an organisation's requests to open originals.
        ListOpenings = "list-openings",
        /// Read one request to open originals, with case, motivation and recipient.
        ReadOpening = "read-opening",
        /// End a request to open originals before its time.
        RevokeOpening = "revoke-opening",
        /// Say why an original was opened at once.
        JustifyOpening = "justify-opening",
        /// Search the vault to find records back, under a request that covers it.
        FindRecords = "find-records",
        /// Handle requests of persons concerned (AVG 15 to 21).
        HandleSubjectRequest = "handle-subject-request",
        /// Read the register of requests of persons concerned.
        ReadSubjectRequests = "read-subject-requests",
        /// Deliver a capture of a channel.
        IngestCapture = "ingest-capture",
        /// Declare a channel, or change a fact about one.
        DeclareChannel = "declare-channel",
        /// List an organisation's channels.
        ListChannels = "list-channels",
        /// Ask for a grant.
        RequestGrant = "request-grant",
        /// List an organisation's requests and grants.
        ListGrants = "list-grants",
        /// Read a request, with its steps and what it would touch.
        ReadGrantFile = "read-grant-file",
        /// Approve a request.
        ApproveGrant = "approve-grant",
        /// Have files made of what a grant selects.
        StartExport = "start-export",
        /// See where exports of a grant stand, and fetch a released one.
        FetchExport = "fetch-export",
        /// See an export with what the leak gate found.
        ReadExport = "read-export",
        /// Let a checked export go, or not.
        ReleaseExport = "release-export",
        /// End a grant before its time.
        RevokeGrant = "revoke-grant",
        /// Read the register of openings and refusals.
        ReadRegister = "read-register",
        /// Read the incidents of an organisation, with who has what.
        ReadIncidents = "read-incidents",
        /// Say how an incident ended.
        CloseIncident = "close-incident",
        /// Read a receipt.
        ReadReceipt = "read-receipt",
        /// Verify the ledger.
        VerifyLedger = "verify-ledger",
        /// Read the state of the service.
        ReadStatus = "read-status",
    }
);

actions!(
    /// What the vault does by itself, that opens originals.
    SystemActKind {
        /// Detect anew under another ruleset.
        Redetect = "redetect",
        /// Hand originals over to an archive.
        Transfer = "transfer",
        /// Check that sealed originals still open.
        CheckIntegrity = "check-integrity",
        /// Make what only originals tell for a grant: wider values, hours, what answers what.
        DeriveValues = "derive-values",
        /// Check an export for leaks before it is released.
        CheckRelease = "check-release",
    }
);
