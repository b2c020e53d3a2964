//! Who may do what: roles, legal bases and Cedar policies, to a [`Permit`] or a [`Denial`] with reasons.
//!
//! Invariants:
//! - nothing is allowed that no policy permits; a policy that fails to evaluate denies the whole request;
//! - a [`Permit`] and a [`SystemPermit`] are made here and nowhere else, after a decision;
//! - what policies say about opening originals is checked a second time in code, so that a policy file
//!   that was loosened by mistake opens nothing without a legal basis, a case number and a motivation;
//! - no reason, error or `Debug` holds content: policy ids and sentences from the policy files only.
//!
//! It does not authenticate, does not look anything up, and does not record: the caller gives facts that
//! it read in its own transaction, and records the outcome.

mod action;
mod actor;
mod authorise;
mod cedar;
mod clauses;
mod denial;
mod explain;
#[cfg(test)]
mod fixture;
pub mod grant_file;
mod legal_bases;
#[cfg(test)]
mod matrix;
mod opening;
mod opening_file;
mod permit;
mod policies;
mod resource;
mod situations;
mod system;

pub use action::{Action, SystemActKind};
pub use actor::{Actor, GrantFacts};
pub use authorise::{Allowed, Request};
pub use denial::{Denial, Outside, Reason};
pub use explain::{Because, Explained};
pub use legal_bases::{Covers, LegalBases, LegalBasis, Needs};
pub use opening::{
    Approval, CASE_NUMBER_CHARS_MAX, MOTIVATION_CHARS_MAX, MOTIVATION_CHARS_MIN, OpeningRequest,
};
pub use opening_file::{OpeningFile, RECIPIENT_CHARS_MAX, SecondPerson, Stated};
pub use permit::{Permit, SystemPermit};
pub use policies::{AccessError, Policies};
pub use resource::{Assignment, Resource, ResourceKind};
pub use situations::Breach;
pub use system::SystemAct;
