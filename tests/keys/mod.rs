//! Keys through the vault: destroyed, replaced, lost and found; and what is left where.

mod destruction;
pub mod fixture;
mod provider;
mod reader;
mod rotation;
mod suppression;
