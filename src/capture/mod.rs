//! Platform formats to records: what a harvester delivered, read as a stream of [`Unit`]s.
//!
//! The room reads and never changes: every item keeps the exact range of its bytes, and each unit says how
//! its bytes are to be cut into fragments that do not overlap. What it does not know stays in the bytes and is
//! never read out. Input is hostile: any bytes give units, refusals with place and mend, or one
//! [`CaptureError`]; memory is bounded by the largest unit, time is linear.
//!
//! A format is one file beside this one (`mastodon`, `x_api_v2`) with a `READING` that turns a parsed piece
//! into `Gathered`, and one line in `formats!`; splitting, cutting and counting are shared.

mod activitypub;
mod activitypub_note;
mod attachment;
mod bluesky;
mod bluesky_blocks;
mod bluesky_post;
mod containers;
mod cuts;
mod dates;
mod distinct;
mod documents;
mod facebook_dyi;
mod facebook_graph;
mod gather;
mod graph;
mod html;
mod instagram_dyi;
mod instagram_graph;
mod item;
mod json;
mod json_blocks;
mod json_parse;
mod knik;
mod linkedin;
mod mastodon;
mod members;
mod meta_export;
mod meta_labels;
mod page;
mod python_repr;
mod reader;
#[cfg(test)]
mod reading_tests;
mod sniff;
mod source;
mod split;
mod streamed;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod unit;
mod webcare;
mod webcare_map;
mod whole;
mod wire;
mod x_api_v1;
mod x_api_v2;
mod x_archive;
mod youtube;

pub use containers::{ContainerFault, Opened, Step, StepKind, Within, open};
pub use distinct::{MakeShelf, Shelf};
pub use item::{
    Account, DeletedBy, Item, MediaKind, Passage, PassageRole, Precision, Removal, StatedTime, StatedZone,
};
pub use json_parse::JsonFault;
pub use members::{Member, members};
pub use reader::{Reader, reread};
pub use table::columns;
pub use tally::{Counts, Tally};
pub use unit::{Act, ActKind, Cut, CutKind, Deletion, PartRole, Place, Refusal, RefusalReason, Unit};
pub use wire::{ParserFault, Received, send};

use containers::{wacz, warc, zip};
use gather::JsonReading;

use crate::model::{ModelError, Platform};
use std::fmt;
use std::io;
use std::str::FromStr;

/// One line a format: its word in [`Format`] and the file that reads it (a `READING`).
///
/// The order is that of recognition: a format that knows itself by few marks, or by marks that others have
/// too, stands after those.
macro_rules! formats {
    ($($(#[$doc:meta])* $format:ident => $file:ident,)+) => {
        /// A format a capture comes in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[$doc])* $format,)+
        }

        impl Format {
            /// Every format, in the order in which they are recognised.
            pub const ALL: &'static [Self] = &[$(Self::$format),+];

            const fn reading(self) -> &'static JsonReading {
                match self { $(Self::$format => &$file::READING),+ }
            }
        }
    };
}

formats! {
    /// A WARC file, compressed or not. Its items are of other formats.
    Warc => warc,
    /// A WACZ: a ZIP archive of WARC files, indexes and pages, with a list of hashes; or a list of pages out of one.
    Wacz => wacz,
    /// A ZIP archive of captures. Its items are of other formats.
    Zip => zip,
    /// A page of the web.
    WebPage => page,
    /// A picture, film or sound in an archive.
    File => attachment,
    /// Answers and streams of Twitter's API v1.1.
    XApiV1 => x_api_v1,
    /// Knik's own lines, for anything that has no format here.
    Knik => knik,
    /// An account archive of X: scripts that each assign an array of posts, long posts, messages or likes.
    XArchive => x_archive,
    /// A download archive of Instagram, in the layouts of several years.
    InstagramDyi => instagram_dyi,
    /// A download archive of Facebook, in the layouts of several years.
    FacebookDyi => facebook_dyi,
    /// The tables of a data export of LinkedIn.
    LinkedIn => linkedin,
    /// Tables of web-care tools, by `policies/webcare`: each row says of which platform it is.
    WebCare => webcare,
    /// Activities, objects and collections of ActivityPub, also a Mastodon account's `outbox.json`.
    ActivityPub => activitypub,
    /// Answers of Bluesky's interface, frames of the firehose as JSON, lines of Jetstream.
    Bluesky => bluesky,
    /// Answers of the YouTube Data API: threads of comments, comments, videos.
    YouTube => youtube,
    /// Answers of the Facebook Graph API: posts, comments, conversations.
    FacebookGraph => facebook_graph,
    /// Answers of the Instagram Graph API: media, comments, messages.
    InstagramGraph => instagram_graph,
    /// Answers of X's API v2, one a line, as twarc writes them (pages or flattened), and compliance jobs.
    XApiV2 => x_api_v2,
    /// Answers and streams of Mastodon's client API: JSON documents or server-sent events.
    MastodonApi => mastodon,
}

impl Format {
    /// The word as written on the command line and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.reading().name
    }

    /// Whose format it is.
    #[must_use]
    pub const fn platform(self) -> Platform {
        self.reading().platform
    }

    /// Whether it holds captures of other formats.
    #[must_use]
    pub const fn is_container(self) -> bool {
        matches!(self, Self::Warc | Self::Wacz | Self::Zip)
    }

    /// For a format of tables: whether these are the columns of one of its tables, and if so whether a
    /// backslash escapes.
    fn knows_heading(self, names: &[String]) -> Option<bool> {
        match self {
            Self::LinkedIn => linkedin::knows_heading(names),
            Self::WebCare => webcare::knows_heading(names),
            _ => None,
        }
    }

    /// Whether its captures are tables.
    const fn is_table(self) -> bool {
        matches!(self, Self::LinkedIn | Self::WebCare)
    }

    fn words() -> String {
        Self::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = ModelError;
    fn from_str(given: &str) -> Result<Self, ModelError> {
        Self::ALL.iter().copied().find(|format| format.as_str() == given).ok_or_else(|| ModelError::Term {
            what: "format",
            given: given.chars().take(80).collect(),
            expected: Self::words(),
        })
    }
}

/// How much a reader takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest unit, in bytes. Memory in use stays within a small multiple of it.
    pub unit_bytes_max: usize,
    /// The deepest nesting of arrays and objects; never more than 512.
    pub depth_max: usize,
}

impl Default for Limits {
    /// 64 MiB and 128.
    fn default() -> Self {
        Self { unit_bytes_max: 64 << 20, depth_max: 128 }
    }
}

/// Why a file as a whole cannot be read (further). What came before belongs to a file that is not sound:
/// the caller takes nothing of it in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The stream gave out; trying again may help.
    #[error("the capture could not be read")]
    Read(#[from] io::Error),
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Not UTF-8 from the first bytes.
    #[error("the file is in UTF-16; convert it to UTF-8")]
    Utf16,
    /// Looks like none of the formats.
    #[error("the format is not recognised; name it if it is one of: {}", Format::words())]
    UnknownFormat,
    /// Broken at a place that reading cannot go past.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The process that was to read it did not read it to its end.
    #[error(transparent)]
    Parser(#[from] ParserFault),
}

impl CaptureError {
    /// Whether the capture is not at fault: read again as it is, it may be read.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Read(_) | Self::Parser(ParserFault::NotStarted(_) | ParserFault::NotConfined) => true,
            // Hang-up, interrupt, kill and terminate come from outside; other signals come of what was read.
            Self::Parser(ParserFault::Killed { signal }) => matches!(*signal, 1 | 2 | 9 | 15),
            _ => false,
        }
    }
}
