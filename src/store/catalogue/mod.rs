//! The catalogue: what is known of organisations, channels, captures, records, decisions and grants.
//!
//! It holds no content: names of items and people are keyed digests, texts stand in sealed fragments.

mod appointments;
mod assessed;
mod channels;
mod commit;
mod conversations;
mod decided;
mod destroy;
mod find;
mod flags;
mod grants;
mod judged;
mod keeping;
mod key_table;
mod originals;
mod queue;
mod records;
mod requests;
mod reviewing;
mod revocations;
mod samples;

pub use appointments::Appointment;
pub use assessed::{AssessedItem, AssessmentRow, EarlierAssessment, FindingPlace, GivenRow, Opinion};
pub use channels::{Channel, ChannelFact, Duty, Fact};
pub use commit::{
    Batch, DecisionRow, FragmentRow, NameRow, OutboxRow, RecordRow, SegmentRow, SightingRow, SubjectRow,
    VersionRow,
};
pub(in crate::store) use commit::{insert_outbox, mark_stale};
pub use conversations::{Known, Member, Refreshed, Withheld};
pub use decided::{AnswerRow, Minimised, MinimisedRow};
pub use destroy::{Doomed, Removal, SegmentLeft, StoredLayout, Surviving};
pub use find::{FindRow, FindToken, Sought};
pub use flags::{FlagPlace, FlagRow, Judgement, QueueScope, QueueState, ReviewItem, Verdicts};
pub use grants::{GrantRow, OutboxItem};
pub use judged::JudgedRecord;
pub use keeping::{Fixity, Milestone, Reached};
pub use key_table::{BodyKey, KeyTurn, Rewrap, SegmentKeyRow};
pub use originals::{FragmentPlace, OriginalPlace, SegmentPlace};
pub use queue::{LetterLink, LetterRow, StepAnswered, ThreadMember};
pub use records::{CaptureState, Counts, DecisionSummary, Filtered, RecordSummary};
pub use requests::{RequestRow, RequestStepRow, Said, TakenStep, Tally};
pub use reviewing::{QueueItem, QueueReason, QueueTally, Queued, ReviewTask};
pub use samples::{Candidate, DrawRow, Pairing, Work};

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
