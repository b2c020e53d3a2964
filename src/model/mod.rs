//! The words every room shares: identifiers, roles, spans, times, and text about people.
//!
//! Everything here is parsed once at the edge and is valid from then on. Nothing here reads
//! a clock, a file or a random source: times, bytes and keys arrive as arguments.

mod as_text;
mod day;
mod finding;
mod ids;
mod language;
pub mod markup;
mod offsets;
mod open_terms;
mod private;
mod revocation;
mod span;
mod terms;
mod time;

pub use day::{Day, WrittenDay, day};
pub use finding::{Evidence, Finding, RecordFlag};
pub use ids::{
    ActorId, AppointmentId, CaptureId, ChannelId, ConversationId, DisclosureId, ExportId, FragmentId,
    GrantId, IncidentId, ItemDigest, ModelError, OrganisationId, PermitId, ProjectionId, RecordId, RecordRef,
    ReportId, RequestId, RevocationId, SegmentId, SubjectRef, SubjectRequestId, VersionId,
};
pub use language::Language;
pub use offsets::{OffsetError, OffsetUnit};
pub use open_terms::{EntityType, ExemptionCode, LegalBasisCode, RecogniserId, Score};
pub use private::PrivateText;
pub use revocation::{Revocation, RevocationDigest, Revoked, revocation_digest};
pub use span::{ByteRange, Span};
pub use terms::{
    AccountProof, AppointmentKind, ExportState, FindingVerdict, FlagKind, IncidentOutcome, ItemKind,
    OpeningScope, Outcome, Platform, PolicyKind, QueueKind, ReportKind, ReportOutcome, RequestState,
    RequestStep, ReviewReason, RevocationKind, RevocationReason, Role, SubjectOutcome, SubjectRequestKind,
    Verdict, Visibility,
};
pub use time::Timestamp;
