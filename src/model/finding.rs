//! What the detector says of a text. Rule ids and offsets only: a finding never holds words.

use super::{EntityType, ExemptionCode, FlagKind, RecogniserId, Score, Span, SubjectRef};
use serde::Serialize;

/// One thing that raised or lowered a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// A rule id such as `context.bsn`, `checksum.elfproef` or `list.first-names`.
    pub rule: RecogniserId,
    /// Where in the text the evidence stands, when it stands somewhere.
    pub span: Option<Span>,
    /// What it added to the score (negative when it spoke against).
    pub weight: f32,
}

/// A span of personal data in one text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Where, in UTF-8 bytes of the text as given.
    pub span: Span,
    /// What kind of personal data.
    pub entity: EntityType,
    /// How sure.
    pub score: Score,
    /// Which recogniser found it.
    pub recogniser: RecogniserId,
    /// Under which exemption it is redacted unless a person decides otherwise.
    pub exemption: ExemptionCode,
    /// What made the score.
    pub evidence: Vec<Evidence>,
    /// The participant of the conversation that is meant, when one is.
    pub subject: Option<SubjectRef>,
}

impl Finding {
    /// What stands for a recogniser where a person assessed; a pattern file cannot have one of this name.
    pub const REVIEWER: &'static str = "reviewer";

    /// Whether a person set or confirmed it.
    #[must_use]
    pub fn is_assessed(&self) -> bool {
        self.recogniser.as_str() == Self::REVIEWER
    }
}

/// A sign that a text tells something of a special category, or of a minor. Kept in the vault only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordFlag {
    /// What it is a sign of.
    pub kind: FlagKind,
    /// Where, in UTF-8 bytes of the text as given: from what stands near to the word itself.
    pub span: Span,
    /// Which rule saw it.
    pub rule: RecogniserId,
}
