//! Copies to take away: which columns they have, what a row says, the manifest, and the words that go with them. Bytes and
//! structure only; who writes and reads files is above.

mod columns;
mod manifest;
mod row;
mod tar;
mod words;

pub use columns::{COLUMNS, Cell, Column, ColumnKind};
pub use manifest::{
    DICTIONARY, FORMS, MANIFEST, Manifest, ManifestFile, PART_ROWS, README, RECEIPTS, Release, is_part,
    part_name, sha256_hex,
};
pub use row::{CopyRow, Given, GrantMade, Named};
pub use tar::{TarError, entries as tar_entries, header as tar_header, padding as tar_padding};
pub use words::{About, dictionary, readme};
