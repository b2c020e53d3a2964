//! What readers may see of a record: text outside the findings, typed placeholders, allowed metadata.
//!
//! Invariants: outside the covered spans a redacted text equals its source; a covered value of four
//! characters or more stands nowhere in the projection, in no form that [`leaks`] knows; a placeholder
//! holds no value, no length and no hash; metadata is what `policies/projection.yaml` allows, each
//! field checked against its shape; what cannot be redacted with certainty is an error, never text.

mod aid;
mod assessed;
pub mod copy;
mod cover;
mod error;
mod exemptions;
mod fold;
mod generalise;
mod leak;
mod measured;
mod operator_plan;
mod operators;
mod piece;
mod plan;
pub mod presidio_operators;
mod projection;
mod projection_policy;
mod rewrite;
mod search;
mod secrets;
mod sweep;
mod view;
mod wider;

#[cfg(test)]
mod properties;

pub use crate::model::Language;
pub use aid::{CitationWords, citation_text, finding_aid_html, finding_aid_text};
pub use assessed::{Assessed, Said, overlay};
pub use cover::{RedactionPolicy, redact};
pub use error::RedactError;
pub use exemptions::{Exemption, ExemptionKind, Exemptions, Regime};
pub use fold::{fold_char, fold_into, folded};
pub use generalise::generalise;
pub use leak::{ESCAPE_BYTES_MAX, is_escape, leaks, readings};
pub use measured::{Figure, Measured, MeasuredError, Words};
pub use operator_plan::OperatorPlan;
pub use operators::{Applied, Operator, OperatorError, OperatorName, Operators, PseudonymSource};
pub use piece::{Piece, Placeholder, RedactedText, Status};
pub use plan::{Bilingual, CopyForm, Mode, Plan, Plans, Precision, QuasiIdentifier, SmallGroup, SmallGroups};
pub use projection::{Passage, Projection, Source, SourcePassage, project};
pub use projection_policy::ProjectionPolicy;
pub use rewrite::{Placed, RewriteError, Rewritten, rewrite};
pub use search::{query_tokens, searchable};
pub use secrets::{OperatorNonce, SecretError, Secrets};
pub use view::{NoPseudonyms, PassageView, PlaceholderView, Pseudonyms, View, render};
pub use wider::{Covered, covered, hidden, wider_values};
