//! One post, reaction or direct message, as read from a capture.

use crate::model::{ByteRange, ItemKind, Platform, PrivateText, Timestamp, Visibility};

/// An account as the item names it.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Account {
    /// The platform's id of the account: stable when the handle changes. On Mastodon it is that of the
    /// instance the capture came from.
    pub native_id: Option<PrivateText>,
    /// The name without `@`; a remote Mastodon account keeps its `@host`. Empty when the capture gives only
    /// an id.
    pub handle: PrivateText,
    /// The name shown; empty when the capture has none.
    pub display_name: PrivateText,
}

/// Which part of an item a passage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PassageRole {
    /// What was said.
    Body,
    /// The warning in front of it.
    ContentWarning,
    /// One choice of a poll.
    PollOption,
    /// The description of an image or video.
    AltText,
}

impl PassageRole {
    const fn tag(self) -> u8 {
        match self {
            Self::Body => 1,
            Self::ContentWarning => 2,
            Self::PollOption => 3,
            Self::AltText => 4,
        }
    }
}

/// One text of an item, in its reading form: HTML and entities are decoded, nothing is left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Passage {
    /// Which part.
    pub role: PassageRole,
    /// The text.
    pub text: PrivateText,
}

/// What is attached to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film, also a short silent one (GIF).
    Video,
    /// Sound.
    Audio,
    /// Something else, or not said.
    Other,
}

/// Who took an item away, as far as the platform says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletedBy {
    /// Its author: deleted it, closed the account or made it private.
    Author,
    /// The platform or a moderator.
    Platform,
    /// Not said.
    Unknown,
}

/// That an item was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// When, if the platform says.
    pub at: Option<Timestamp>,
    /// By whom.
    pub by: DeletedBy,
}

/// How exactly a capture states a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// A day: the moment is its beginning.
    Day,
    /// A minute.
    Minute,
    /// A second or finer.
    Second,
}

/// In which zone a capture states a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatedZone {
    /// It says which.
    Stated,
    /// It does not say; read as UTC.
    AssumedUtc,
    /// It does not say; read as the clock in the Netherlands.
    AssumedDutch,
}

/// A time as it stands in a capture, beside the moment that was read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatedTime {
    /// How exactly.
    pub precision: Precision,
    /// In which zone.
    pub zone: StatedZone,
}

/// One content object with what was read of it. Fields the room does not know are only in its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it was posted.
    pub platform: Platform,
    /// What it is: a reaction answers another item or stands in another item's conversation.
    pub kind: ItemKind,
    /// Its identity: the first is canonical (Mastodon: `uri`, else the id; X: the id), the others are names
    /// under which replies and deletions refer to it (Mastodon: the instance's own id). Never empty.
    ///
    /// A version in a Mastodon edit history names no post: all versions of one history share a name made of
    /// the account's id and the first version's time.
    pub names: Vec<PrivateText>,
    /// The exact bytes of its JSON object, in the file, or in the decoded body of a derived unit; embedded items lie
    /// inside.
    pub range: ByteRange,
    /// Indices into the unit's cuts of what else belongs to its original: on X the author's and mentioned
    /// accounts, media, poll and place out of `includes`.
    pub shared: Vec<usize>,
    /// Who wrote it; none when the capture does not say.
    pub author: Option<Account>,
    /// Its texts: body first (also when empty), then warning, poll options and descriptions.
    pub passages: Vec<Passage>,
    /// Addresses it links to, as far as the platform lists or marks them.
    pub links: Vec<PrivateText>,
    /// Accounts it mentions.
    pub mentions: Vec<Account>,
    /// What is attached.
    pub media: Vec<MediaKind>,
    /// How many bytes these have, of those of which the capture says so. Not part of a version: servers pack pictures anew.
    pub media_size_bytes: Vec<u64>,
    /// Names of the files in the same archive that are attached: items of the kind attachment. Not part of a version.
    pub attached: Vec<PrivateText>,
    /// Of a file: the SHA-256 of its bytes, which tells its versions apart.
    pub file_sha256: Option<[u8; 32]>,
    /// When it was posted.
    pub posted_at: Option<Timestamp>,
    /// How that time stands in the capture, where it is less than a moment to the second with its zone.
    pub posted_as: Option<StatedTime>,
    /// When this version was made, if it is not the first.
    pub edited_at: Option<Timestamp>,
    /// A name of the item it answers.
    pub in_reply_to: Option<PrivateText>,
    /// A name of the item it quotes.
    pub quotes: Option<PrivateText>,
    /// The platform's own name of the conversation (X).
    pub conversation: Option<PrivateText>,
    /// Who could see it. `Unknown` where the capture does not say.
    pub visibility: Visibility,
    /// Language tag as the platform gives it; only what looks like one.
    pub language: Option<String>,
    /// Names of earlier versions that have names of their own (X gives each edit a new id).
    pub supersedes: Vec<PrivateText>,
    /// Whether the capture holds or names a later version.
    pub superseded: bool,
    /// Set when the capture says that the item was taken away.
    pub deletion: Option<Removal>,
}

impl Item {
    /// An item of which nothing is known yet but where it was posted and what it is. It has no name, and its
    /// visibility is not known.
    pub(super) fn new(platform: Platform, kind: ItemKind) -> Self {
        Self {
            platform,
            kind,
            names: Vec::new(),
            range: ByteRange { start: 0, end: 0 },
            shared: Vec::new(),
            author: None,
            passages: Vec::new(),
            links: Vec::new(),
            mentions: Vec::new(),
            media: Vec::new(),
            media_size_bytes: Vec::new(),
            attached: Vec::new(),
            file_sha256: None,
            posted_at: None,
            posted_as: None,
            edited_at: None,
            in_reply_to: None,
            quotes: None,
            conversation: None,
            visibility: Visibility::Unknown,
            language: None,
            supersedes: Vec::new(),
            superseded: false,
            deletion: None,
        }
    }

    /// A file that was not opened: nothing is known of it but that it is one.
    #[must_use]
    pub fn unopened_file() -> Self {
        Self::new(Platform::Web, ItemKind::Attachment)
    }

    /// Feeds what makes this version the version it is to `sink`: tagged and length-prefixed, so that no two
    /// items feed the same bytes unless these fields are equal. The caller keys a digest over it.
    ///
    /// Left out: everything volatile (counts, avatars, display names), whether it is deleted or superseded
    /// (facts about the version, not part of it), and on X what only a fuller harvest of the same post brings
    /// along (media, poll, link targets, mentions, edits, the detected language), as a post on X never changes
    /// under its id.
    pub fn write_meaning(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut field = |tag: u8, bytes: &[u8]| {
            sink(&[tag]);
            sink(&(bytes.len() as u64).to_le_bytes());
            sink(bytes);
        };
        let private = |text: &Option<PrivateText>| text.as_ref().map(|t| t.expose().to_owned().into_bytes());
        let time = |at: Option<Timestamp>| at.map(|at| at.micros().to_le_bytes());
        field(1, self.platform.as_str().as_bytes());
        field(2, self.names.first().map_or("", PrivateText::expose).as_bytes());
        field(3, self.author.as_ref().map_or("", Account::identity).as_bytes());
        field(4, self.visibility.as_str().as_bytes());
        field(5, time(self.posted_at).as_ref().map_or(&[], |bytes| bytes));
        field(7, private(&self.in_reply_to).as_deref().unwrap_or_default());
        field(8, private(&self.quotes).as_deref().unwrap_or_default());
        field(9, private(&self.conversation).as_deref().unwrap_or_default());
        let fixed = self.platform == Platform::X;
        let part = |role| matches!(role, PassageRole::PollOption | PassageRole::AltText);
        for passage in self.passages.iter().filter(|passage| !(fixed && part(passage.role))) {
            field(16 + passage.role.tag(), passage.text.expose().as_bytes());
        }
        if fixed {
            return;
        }
        field(6, time(self.edited_at).as_ref().map_or(&[], |bytes| bytes));
        field(10, self.language.as_deref().unwrap_or_default().as_bytes());
        self.links.iter().for_each(|link| field(11, link.expose().as_bytes()));
        self.mentions.iter().for_each(|account| field(12, account.identity().as_bytes()));
        self.media.iter().for_each(|kind| field(13, &[*kind as u8]));
        self.file_sha256.iter().for_each(|digest| field(14, digest));
    }
}

impl Account {
    /// What tells accounts of one platform apart: the id, else the handle.
    pub(super) fn identity(&self) -> &str {
        self.native_id.as_ref().map_or(self.handle.expose(), PrivateText::expose)
    }
}
