//! Pages for people, on paper: a page of this program's own HTML becomes a PDF with the same words in the same order.
//!
//! The HTML is the one source: what it says is read back into [`Block`]s and laid out. Only the elements that this program
//! writes are known; what stands in others is text all the same, so that nothing is left out.

mod blocks;
mod pdf;

pub use blocks::{Block, blocks};
pub use pdf::{PageError, PaperPage, pdf};
