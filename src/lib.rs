//! Knik: redaction and access layer for archives of government social media.
//!
//! Originals stay sealed in the **vault**; people read redacted **projections** in the **reading room**;
//! every opening stands in the **ledger**. `docs/architecture.md` shows the two planes and the rooms.
//!
//! The detector is of use on its own: load pattern files, find personal data, rewrite the text.
//!
//! ```
//! use knik::detect::{PatternFile, Ruleset};
//! use knik::model::OffsetUnit;
//! use knik::redact::{OperatorPlan, Operators};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recogniser = r"
//! recognizers:
//!   - name: bsn
//!     supported_entity: NL_BSN
//!     patterns: [{name: nine, regex: '\d{9}', score: 0.5}]
//!     validator: elfproef
//!     context: [bsn]
//!     exemption: woo-5.1.2e
//!     category: identification
//!     source: Besluit BSN
//!     examples: [{text: bsn 111222333, finds: ['111222333']}]
//! ";
//! let thresholds = "{certain: 0.7, doubtful: 0.4, context_boost: 0.35, against_cost: 0.3, \
//!     context_before: 60, context_after: 40}";
//! let ruleset = Ruleset::load([
//!     PatternFile { name: "bsn.yaml", text: recogniser },
//!     PatternFile { name: "thresholds.yaml", text: thresholds },
//! ])?;
//! assert!(ruleset.check().is_empty(), "every example holds");
//!
//! let text = "één bsn: 111222333";
//! let findings = ruleset.detect(text, &[]);
//! assert_eq!(findings[0].entity.as_str(), "NL_BSN");
//! assert_eq!(findings[0].span.of(text), Some("111222333"));
//! // Spans are bytes; the edges speak other units.
//! let spans: Vec<_> = findings.iter().map(|finding| finding.span).collect();
//! assert_eq!(OffsetUnit::Chars.of_spans(text, &spans)?, [9..18]);
//!
//! let plan = OperatorPlan::load("plan.yaml", "default: {operator: mask, count: 6}")?;
//! let mut operators = Operators::new(plan, None)?;
//! // Nothing is encrypted under this plan, so no nonce is drawn.
//! let rewritten = operators.rewrite(text, &findings, &mut || None)?;
//! assert_eq!(rewritten.text, "één bsn: ******333");
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::print_stdout
    )
)]

pub mod access;
pub mod capture;
pub mod cli;
pub mod config;
pub mod decide;
pub mod detect;
pub mod http;
pub mod ledger;
pub mod model;
pub mod page;
pub mod reading_room;
pub mod redact;
pub mod seal;
pub mod store;
pub mod vault;
