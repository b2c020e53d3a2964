//! Exports: files of redacted copies, from asking to fetching, and what must not leave in them.

mod failures;
mod holders;
mod journey;
mod leaks;
mod linkage;
mod refusals;
pub mod stage;
mod withdrawn;
