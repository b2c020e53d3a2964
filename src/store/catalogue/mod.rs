//! The catalogue: what is known of organisations, channels, captures, records, decisions and grants.
//!
//! It holds no content: names of items and people are keyed digests, texts stand in sealed fragments.

mod anew;
mod appointments;
mod assessed;
mod attached;
mod blank;
mod channels;
mod commit;
mod conversations;
mod decided;
mod destroy;
mod destroyed;
mod exports;
mod find;
mod find_postings;
mod flags;
mod formal;
mod grants;
mod holdings;
mod incidents;
mod insert;
mod judged;
mod keeping;
mod key_table;
mod letters;
mod numbers;
mod originals;
mod policies;
mod queue;
mod records;
mod reports;
mod requests;
mod restored;
mod reviewing;
mod revocations;
mod samples;
mod sentiment;
mod statements;

pub use anew::Anew;
pub use appointments::Appointment;
pub use assessed::{
    AssessedItem, AssessmentRow, DecidedAnew, EarlierAssessment, FindingPlace, GivenRow, Opinion,
};
pub use attached::{AttachedFile, NamedFile};
pub use channels::{Channel, ChannelFact, Duty, Fact};
pub use commit::{
    Batch, DecisionRow, FormalRow, FragmentRow, NameRow, OutboxRow, RecordRow, SegmentRow, SightingRow,
    SubjectRow, VersionRow,
};
pub(in crate::store) use commit::{insert_outbox, mark_stale};
pub use conversations::{InForce, Known, Member, Refreshed, Withheld};
pub use decided::{AnswerRow, Minimised, MinimisedRow};
pub use destroy::{Doomed, Removal, SegmentLeft, StoredLayout, Surviving};
pub use destroyed::Destroyed;
pub use exports::{ExportChange, ExportFacts, ExportJob};
pub use find::{FindRow, FindToken, Sought};
pub use flags::{FlagPlace, FlagRow, Judgement, QueueScope, QueueState, ReviewItem, Verdicts};
pub use formal::{FormalFound, FormalHandled, FormalMessage};
pub use grants::{GrantRow, OutboxItem};
pub use holdings::{CapturesHeld, NoView};
pub(in crate::store) use incidents::insert_seen;
pub use incidents::{Closing, Holder, IncidentRow, MissedRow, Opening, SeenHow, SeenRow};
pub use judged::JudgedRecord;
pub use keeping::{Fixity, Milestone, Reached};
pub use key_table::{BodyKey, KeyTurn, Rewrap, SegmentKeyRow};
pub use letters::{Confirmation, LetterLink, LetterRow, LetterStep};
pub use originals::{FragmentPlace, OriginalPlace, SegmentPlace};
pub use policies::{KnownPolicy, PolicyVersion};
pub use queue::{DecisionChange, StepAnswered, ThreadMember};
pub use records::{CaptureState, Counts, DecisionSummary, Filtered, RecordSummary};
pub use reports::{Correction, CorrectionAct, ReportJudgement, ReportRow, Reported};
pub use requests::{RequestRow, RequestStepRow, Said, TakenStep, Tally};
pub use restored::Withdrawn;
pub use reviewing::{QueueItem, QueueReason, QueueTally, Queued, ReviewTask};
pub use samples::{Candidate, DrawRow, Pairing, Work};
pub use sentiment::{GivenAnswer, SentimentRow};
pub use statements::DecisionSetRow;

use super::Database;

/// The catalogue of one vault. Cloning shares the pools.
#[derive(Debug, Clone)]
pub struct Catalogue {
    db: Database,
}

impl Catalogue {
    /// A catalogue over an opened vault database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    /// The database beneath.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.db
    }
}
