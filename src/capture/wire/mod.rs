//! Units between two processes of the same program: one that parses, and one that has keys and trusts nothing the
//! first one says.
//!
//! [`send`] reads a capture and writes frames; [`Received`] reads frames and gives the same units, or the same error. A
//! frame is a byte that says what it is, the lengths of its fields and of the bytes behind them (each 8 bytes, little
//! endian), the fields, the bytes. Only derived units have bytes: the file's own are read from the file itself, at the
//! receiving end. The form is no format of its own and is never stored.
//!
//! What the receiver checks and what it cannot: lengths, ranges, order and the whole file covered, yes; whether the
//! texts and names are those that stand in the bytes, no.

mod check;
mod codes;
mod fault;
mod read;
mod received;
#[cfg(test)]
mod tests;
mod write;

pub use fault::ParserFault;
pub use received::Received;
pub use write::send;

use super::Limits;
use std::sync::Arc;

/// The heading sent last.
type Heading = Option<Arc<[u8]>>;

const BEGUN: u8 = 1;
const UNIT: u8 = 2;
const FAILED: u8 = 3;
const END: u8 = 4;

/// Length of a frame's head.
const HEAD: usize = 17;
/// How deep a derived body may stand; far more than containers are opened.
const STEPS_MAX: usize = 16;

/// The longest that the bytes of a unit may be: a piece, with what a container puts around it.
const fn bytes_max(limits: Limits) -> u64 {
    (limits.unit_bytes_max as u64).saturating_mul(2).saturating_add(4 << 20)
}

/// The longest that its fields may be: what is read out of a piece may repeat parts of it.
const fn fields_max(limits: Limits) -> u64 {
    (limits.unit_bytes_max as u64).saturating_mul(8).saturating_add(64 << 20)
}
