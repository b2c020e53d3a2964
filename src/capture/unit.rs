//! What a capture is read as: units that tile the file, cut into fragments.

use super::Format;
use super::containers::{ContainerFault, Within};
use super::item::{Item, Removal};
use super::json_parse::JsonFault;
use crate::model::{ByteRange, PrivateText};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// One top-level piece of a capture: a line, an element of a top-level array with the separators around it,
/// or an event of a stream.
///
/// Joined in order, the bytes of all units with no `within` are the file, except that a line longer than the
/// limit has no bytes here, only a [`Refusal`] with its range. `cuts` and the ranges of `refused` together cover
/// every byte of the unit exactly once.
///
/// A unit with a `within` is *derived*: its bytes were decoded out of a container whose own bytes are in other
/// units, and every place and range in it counts from the start of the decoded body. Its residue is in the
/// container already.
pub struct Unit {
    /// In which format its items are read; none where the file holds a container's own bytes.
    pub format: Option<Format>,
    /// Which decoded body the bytes are of; none when they are the file's own.
    pub within: Option<Within>,
    /// Where the unit starts in the file, or in the body.
    pub offset: u64,
    /// Its exact bytes, separators included.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The content objects in it, embedded ones too, in the order of the file. One object may stand twice
    /// (X repeats posts under `includes`): both are here, under one name.
    pub items: Vec<Item>,
    /// Likes, boosts and the like.
    pub acts: Vec<Act>,
    /// Items it says were taken away.
    pub deletions: Vec<Deletion>,
    /// Conversations that are not public and of which it holds no message, only what is said about them.
    pub stubs: Vec<PrivateText>,
    /// The heading its items stand under, when they cannot be read without it (the first line of a table, in an
    /// earlier unit; of a record of a repository its address, which the tree tells). Whoever seals an item keeps it beside it and gives it to
    /// [`reread`](super::reread) as [`PartRole::Heading`]; in the file its bytes are residue of
    /// another unit.
    pub heading: Option<Arc<[u8]>>,
    /// The fragments: first one of its own for each item, then the shared ones, then the residue.
    pub cuts: Vec<Cut>,
    /// What could not be read and is not part of any fragment.
    pub refused: Vec<Refusal>,
}

impl Unit {
    /// Bytes out of which nothing was read yet.
    pub(super) fn bare(offset: u64, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self {
            format: None,
            within: None,
            offset,
            bytes,
            items: Vec::new(),
            acts: Vec::new(),
            deletions: Vec::new(),
            stubs: Vec::new(),
            heading: None,
            cuts: Vec::new(),
            refused: Vec::new(),
        }
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit")
            .field("format", &self.format)
            .field("within", &self.within)
            .field("offset", &self.offset)
            .field("bytes", &self.bytes.len())
            .field("items", &self.items.len())
            .field("acts", &self.acts.len())
            .field("deletions", &self.deletions.len())
            .field("cuts", &self.cuts.len())
            .field("refused", &self.refused)
            .finish()
    }
}

/// A fragment in the making: bytes that get one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Whose bytes they are.
    pub kind: CutKind,
    /// Where they stand in the file: sorted, disjoint, none of them empty.
    pub ranges: Vec<ByteRange>,
}

/// Whose bytes a fragment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// One item's own: its object without the items embedded in it.
    Own {
        /// Index into [`Unit::items`].
        item: usize,
    },
    /// A part that one or more items refer to.
    Shared(PartRole),
    /// Bytes of a container in which items stand encoded (compressed, chunked). The items have decoded bytes of
    /// their own in derived units; this one gives the file back, and is apart so that it goes with the first
    /// of them that is destroyed.
    Encoded,
    /// What belongs to no item: separators, acts, accounts nobody refers to.
    Residue,
}

/// What a shared part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartRole {
    /// An account: author, mentioned, or both.
    Account,
    /// An image, video or sound.
    Media,
    /// A poll.
    Poll,
    /// A place.
    Place,
    /// What a thread of messages says of itself: its path, or its list of participants.
    Thread,
    /// The heading that the rows of a table stand under, or the address of a record of a repository.
    Heading,
    /// Whom the item was addressed to.
    Audience,
    /// Blocks of a repository, one of which is the item's record (Bluesky).
    Blocks,
}

/// What someone did without saying anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActKind {
    /// Passed an item on without a word: boost, retweet.
    Boost,
    /// Liked it, or reacted with another sign.
    Like,
    /// Voted in a poll, answered a quiz, moved a slider.
    Vote,
}

/// One like or boost. Sealed with its capture as residue and counted; never projected on its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Act {
    /// What was done.
    pub kind: ActKind,
    /// Tells it apart from others of its kind in the file.
    pub name: PrivateText,
}

/// A notice that an item was taken away.
#[derive(Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The item's names, canonical first where it is known. Never empty.
    pub names: Vec<PrivateText>,
    /// When and by whom.
    pub removal: Removal,
}

/// Where something stands, in words a person can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The decoded body that line and byte count in; none for the file itself.
    pub within: Option<Within>,
    /// Line in the file, from 1; 0 where there are no lines.
    pub line: u64,
    /// Byte in the file, from 0.
    pub offset: u64,
    /// JSON pointer of the element; made of positions only, never of a capture's own words.
    pub pointer: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.within, self.line) {
            (Some(within), 0) => write!(f, "{within}")?,
            (Some(within), line) => write!(f, "{within}: line {line}, byte {}", self.offset)?,
            (None, 0) => write!(f, "byte {}", self.offset)?,
            (None, line) => write!(f, "line {line}, byte {}", self.offset)?,
        }
        self.pointer.as_ref().map_or(Ok(()), |pointer| write!(f, ", element `{pointer}`"))
    }
}

/// Bytes that could not be read. They are not sealed and not part of any fragment, except where `range` is empty:
/// a container is sealed whole, also where it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Refusal {
    /// Where the fault is.
    pub place: Place,
    /// The bytes left out, in the file.
    pub range: ByteRange,
    /// What is wrong and how to mend it.
    pub reason: RefusalReason,
}

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// Ends too soon.
    #[error("the JSON ends in the middle of a value; the file is cut short, fetch it again")]
    Truncated,
    /// Not JSON.
    #[error("broken JSON, {0}; mend or remove it")]
    Broken(JsonFault),
    /// Not UTF-8.
    #[error("not valid UTF-8; convert the file to UTF-8 or remove the piece")]
    NotUtf8,
    /// Longer than a unit may be.
    #[error("longer than {limit} bytes; split the file or raise the limit")]
    TooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// So many references to the same large parts that reading it would take far more memory than it has bytes.
    #[error("refers to the same large parts too often; split it into smaller pages")]
    Excessive,
    /// A container, or a body in one, is not what it says it is.
    #[error(transparent)]
    Container(ContainerFault),
    /// A table that ends inside quotes.
    #[error("the table ends inside quotes that begin in this row; it is cut short, or a quote is missing")]
    OpenQuotes,
    /// A row with more fields than the heading has.
    #[error(
        "the row has {found} fields and the heading {expected}; put quotes around what holds the separator"
    )]
    Fields {
        /// How many it has.
        found: usize,
        /// How many the heading has.
        expected: usize,
    },
    /// A field of Knik's own format that is not as it should be.
    #[error("field `{field}` {mend}")]
    Field {
        /// The field, by the name the format gives it.
        field: &'static str,
        /// What it should be.
        mend: &'static str,
    },
    /// Sound JSON, but nothing this format knows.
    #[error("not something this format knows; check the format or remove it")]
    NotRecognised,
}

impl From<JsonFault> for RefusalReason {
    fn from(fault: JsonFault) -> Self {
        match fault {
            JsonFault::Truncated => Self::Truncated,
            other => Self::Broken(other),
        }
    }
}
