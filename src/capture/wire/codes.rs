//! Closed sets as one byte each.

use crate::capture::{
    ActKind, ContainerFault, DeletedBy, Format, JsonFault, MediaKind, PartRole, PassageRole, Precision,
    StatedZone, StepKind,
};
use crate::model::{ItemKind, Platform, Visibility};

/// A closed set whose members have a number: both ends are the same program, so it need not last.
pub(super) trait Coded: Copy + PartialEq + 'static {
    /// Every member; its number is its place.
    const EVERY: &'static [Self];

    fn code(self) -> u8 {
        let place = Self::EVERY.iter().position(|one| *one == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }

    fn of_code(code: u8) -> Option<Self> {
        Self::EVERY.get(usize::from(code)).copied()
    }
}

/// Lists the members. One that is forgotten does not compile; those after `but` are written in another way.
macro_rules! coded {
    ($($type:ident: $($variant:ident),+ $(; but $($other:ident),+)?.)+) => {$(
        impl Coded for $type {
            const EVERY: &'static [Self] = &[$($type::$variant),+];
        }
        const _: fn($type) = |one| match one { $($type::$variant)|+ $($(| $type::$other(_))+)? => () };
    )+};
}

coded! {
    ActKind: Boost, Like, Vote.
    DeletedBy: Author, Platform, Unknown.
    MediaKind: Image, Video, Audio, Other.
    PartRole: Account, Media, Poll, Place, Thread, Heading, Audience, Blocks.
    PassageRole: Body, ContentWarning, PollOption, AltText.
    Precision: Day, Minute, Second.
    StatedZone: Stated, AssumedUtc, AssumedDutch.
    StepKind: Gzip, Warc, Zip.
    JsonFault: Truncated, Unexpected, Control, Escape, Trailing, Depth, Size.
    ContainerFault: GzipTruncated, GzipBroken, GzipTrailing, WarcNoRecord, WarcHeader, WarcTruncated, WarcLength,
        BlockDigest, PayloadDigest, DigestForm, Segmented, Http, Coding, Body, Bomb, Nested, ZipBroken, ZipTruncated,
        ZipEncrypted, ZipMethod, ZipPath, ZipTwice, ZipChecksum, ZipDirectory, ZipEntries, WaczPackage, WaczUnlisted,
        WaczDigest, WaczSignature, WaczKey, CarHeader, CarTruncated, CarBlock, CarName, CarHash, CarUnplaced, CarOrder;
        but WaczMissing, WaczHash, WaczAlgorithm.
}

impl Coded for Format {
    const EVERY: &'static [Self] = Self::ALL;
}

impl Coded for ItemKind {
    const EVERY: &'static [Self] = Self::ALL;
}

impl Coded for Platform {
    const EVERY: &'static [Self] = Self::ALL;
}

impl Coded for Visibility {
    const EVERY: &'static [Self] = Self::ALL;
}
