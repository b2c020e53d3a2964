//! The program as its users meet it: over TLS, on the command line, in the process table and in its logs.
//!
//! Nothing here reaches into the program: every test starts the real binary and looks at what comes back. What
//! the tests expect is taken from issue 2 and the design, not from the code.

mod backup;
mod captures;
mod channels;
mod decided;
mod disclosure;
mod dry_run;
pub mod endpoints;
mod exports;
pub mod fixture;
mod forged;
mod harvest;
mod harvest_s3;
mod journeys;
mod keys;
mod killed;
mod ledger;
mod logs;
mod machines;
mod main_job;
mod oidc;
pub mod openings;
mod parsing;
mod pki;
mod processes;
mod question;
mod queue;
mod refusals;
mod replayed;
pub mod requests;
mod review;
mod revocation;
mod texts;
mod tls;
mod trees;
mod verified;

pub use fixture::{PROGRAM, without_settings};
