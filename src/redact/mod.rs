//! What readers may see of a record: text outside the findings, typed placeholders, allowed metadata.
//!
//! Invariants: outside the covered spans a redacted text equals its source; a covered value of four
//! characters or more stands nowhere in the projection, in no form that [`leaks`] knows; a placeholder
//! holds no value, no length and no hash; metadata is what `policies/projection.yaml` allows, each
//! field checked against its shape; what cannot be redacted with certainty is an error, never text.

mod cover;
mod error;
mod exemptions;
mod fold;
mod leak;
mod piece;
mod plan;
mod projection;
mod projection_policy;
mod rewrite;
mod search;
mod sweep;
mod view;

#[cfg(test)]
mod properties;

pub use cover::{RedactionPolicy, redact};
pub use error::RedactError;
pub use exemptions::{Exemption, ExemptionKind, Exemptions, Regime};
pub use leak::leaks;
pub use piece::{Piece, Placeholder, RedactedText, Status};
pub use plan::{Bilingual, Language, Mode, Plan, Plans};
pub use projection::{Passage, Projection, Source, SourcePassage, project};
pub use projection_policy::ProjectionPolicy;
pub use rewrite::{Placed, RewriteError, Rewritten, rewrite};
pub use search::{query_tokens, searchable};
pub use view::{NoPseudonyms, PassageView, PlaceholderView, Pseudonyms, View, render};
