//! Knik: redaction and access layer for archives of government social media.
//!
//! Originals stay sealed in the **vault**; people read redacted **projections** in the **reading room**;
//! every opening stands in the **ledger**. `docs/architecture.md` shows the two planes and the rooms.
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
pub mod reading_room;
pub mod redact;
pub mod seal;
pub mod store;
pub mod vault;
