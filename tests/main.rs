//! The integration tests of Knik, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    missing_docs
)]

mod arrows;
mod compile_fail;
mod conformance;
mod detect_and_redact;
mod detector;
mod exports;
mod faults;
mod gate;
mod intake;
mod keys;
mod ledger;
mod posts;
mod service;
mod support;
