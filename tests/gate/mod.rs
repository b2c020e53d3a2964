//! The gate that has no way round it: each way that someone may try stands here as a test.
//!
//! What is tried over HTTP is tried against the program as it runs; what needs two archives, or what the ledger says of
//! one request, against a vault and a reading room in this process.

mod alike;
mod boundary;
mod pace;
mod panics;
mod policy;
mod publication;
mod rooms;
mod search;
mod separation;
mod stage;
mod still;

use crate::service::fixture;
