//! The ledger as others see it: what is wrong with it is found, by whom and against what.

pub mod cosignatures;
mod exported;
mod faults;
mod group_commit;
mod log;
mod oracle;
mod second_place;
pub mod timestamps;
