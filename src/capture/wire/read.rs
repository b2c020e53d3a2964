//! Reading: the fields of a frame to a unit or an error. The sender may be in hostile hands: anything but what
//! [`write`](super::write) writes gives `None`, and takes no more memory than the frame has bytes, a few times over.

use super::codes::Coded;
use super::{Heading, STEPS_MAX};
use crate::capture::streamed;
use crate::capture::{
    Account, Act, CaptureError, ContainerFault, Cut, CutKind, Deletion, Item, Passage, Place, Refusal,
    RefusalReason, Removal, StatedTime, Step, Unit, Within,
};
use crate::capture::{gather, knik};
use crate::model::{ByteRange, PrivateText, Timestamp};
use std::io;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is left of a frame's fields.
pub(super) struct Fields<'f>(pub(super) &'f [u8]);

/// A unit as it came, without its bytes.
pub(super) struct Announced {
    pub(super) unit: Unit,
    /// How many bytes it reaches over.
    pub(super) extent: u64,
    /// Whether it has them; a piece that was passed over has not.
    pub(super) kept: bool,
}

impl<'f> Fields<'f> {
    /// Whether everything was read.
    pub(super) fn done(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    pub(super) fn error(&mut self) -> Option<CaptureError> {
        Some(match self.byte()? {
            0 => CaptureError::Empty,
            1 => CaptureError::Utf16,
            2 => CaptureError::UnknownFormat,
            3 => CaptureError::Refused(self.refusal()?),
            4 => CaptureError::Read(io::Error::other("the file gave out while it was read")),
            _ => return None,
        })
    }

    pub(super) fn unit(&mut self, heading: &mut Heading) -> Option<Announced> {
        let format = self.option(Self::coded)?;
        let within = self.option(Self::within)?;
        let offset = self.number()?;
        let extent = self.number()?;
        let kept = self.truth()?;
        let unit = Unit {
            format,
            within,
            offset,
            bytes: Zeroizing::default(),
            items: self.many(Self::item)?,
            acts: self.many(|from| Some(Act { kind: from.coded()?, name: from.private()? }))?,
            deletions: self.many(Self::deletion)?,
            stubs: self.many(Self::private)?,
            heading: self.heading(heading)?,
            cuts: self.many(Self::cut)?,
            refused: self.many(Self::refusal)?,
        };
        Some(Announced { unit, extent, kept })
    }

    fn item(&mut self) -> Option<Item> {
        Some(Item {
            platform: self.coded()?,
            kind: self.coded()?,
            names: self.many(Self::private)?,
            range: self.range()?,
            shared: self.many(Self::size)?,
            author: self.option(Self::account)?,
            passages: self.many(|from| Some(Passage { role: from.coded()?, text: from.private()? }))?,
            links: self.many(Self::private)?,
            mentions: self.many(Self::account)?,
            media: self.many(Self::coded)?,
            media_size_bytes: self.many(Self::number)?,
            attached: self.many(Self::private)?,
            file_sha256: self.option(|from| from.bytes()?.try_into().ok())?,
            posted_at: self.option(Self::time)?,
            posted_as: self
                .option(|from| Some(StatedTime { precision: from.coded()?, zone: from.coded()? }))?,
            edited_at: self.option(Self::time)?,
            in_reply_to: self.option(Self::private)?,
            quotes: self.option(Self::private)?,
            conversation: self.option(Self::private)?,
            visibility: self.coded()?,
            language: self.option(Self::language)?,
            supersedes: self.many(Self::private)?,
            superseded: self.truth()?,
            deletion: self.option(Self::removal)?,
        })
    }

    fn account(&mut self) -> Option<Account> {
        Some(Account {
            native_id: self.option(Self::private)?,
            handle: self.private()?,
            display_name: self.private()?,
        })
    }

    fn deletion(&mut self) -> Option<Deletion> {
        Some(Deletion { names: self.many(Self::private)?, removal: self.removal()? })
    }

    fn removal(&mut self) -> Option<Removal> {
        Some(Removal { at: self.option(Self::time)?, by: self.coded()? })
    }

    fn heading(&mut self, last: &mut Heading) -> Option<Heading> {
        match self.byte()? {
            0 => return Some(None),
            1 => {}
            2 => *last = Some(Arc::from(self.bytes()?)),
            _ => return None,
        }
        last.clone().map(Some)
    }

    fn cut(&mut self) -> Option<Cut> {
        let kind = match self.byte()? {
            0 => CutKind::Own { item: self.size()? },
            1 => CutKind::Shared(self.coded()?),
            2 => CutKind::Encoded,
            3 => CutKind::Residue,
            _ => return None,
        };
        Some(Cut { kind, ranges: self.many(Self::range)? })
    }

    fn refusal(&mut self) -> Option<Refusal> {
        let place = Place {
            within: self.option(Self::within)?,
            line: self.number()?,
            offset: self.number()?,
            pointer: self.option(Self::pointer)?,
        };
        Some(Refusal { place, range: self.range()?, reason: self.reason()? })
    }

    fn reason(&mut self) -> Option<RefusalReason> {
        Some(match self.byte()? {
            0 => RefusalReason::Truncated,
            1 => RefusalReason::Broken(self.coded()?),
            2 => RefusalReason::NotUtf8,
            3 => RefusalReason::TooLong { limit: self.size()? },
            4 => RefusalReason::Excessive,
            5 => RefusalReason::Container(self.container()?),
            6 => RefusalReason::OpenQuotes,
            7 => RefusalReason::Fields { found: self.size()?, expected: self.size()? },
            8 => {
                let (field, mend) = knik::known_fault(self.bytes()?, self.bytes()?)?;
                RefusalReason::Field { field, mend }
            }
            9 => RefusalReason::NotRecognised,
            _ => return None,
        })
    }

    fn container(&mut self) -> Option<ContainerFault> {
        let (kind, number) = (self.byte()?, self.number()?);
        match kind {
            0 => ContainerFault::of_code(u8::try_from(number).ok()?),
            1 => Some(ContainerFault::WaczMissing(number)),
            2 => Some(ContainerFault::WaczHash(number)),
            3 => Some(ContainerFault::WaczAlgorithm(number)),
            _ => None,
        }
    }

    fn within(&mut self) -> Option<Within> {
        let step = |from: &mut Self| {
            Some(Step { kind: from.coded()?, number: from.number()?, offset: from.number()? })
        };
        let steps = self.many(step)?;
        if steps.len() > STEPS_MAX {
            return None;
        }
        steps.into_iter().rev().fold(None, |rest, step| Some(Within::behind(step, rest.as_ref())))
    }

    /// A pointer is shown to people: it holds positions, never words of the capture.
    fn pointer(&mut self) -> Option<String> {
        let text = std::str::from_utf8(self.bytes()?).ok()?;
        let position =
            |step: &str| step.len() <= 20 && !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit());
        let steps = text.strip_prefix('/')?.split('/');
        let sound = steps.clone().count() <= 3
            && steps.into_iter().all(|step| position(step) || streamed::is_step(step));
        sound.then(|| text.to_owned())
    }

    /// A tag is kept in the clear: it must look like one.
    fn language(&mut self) -> Option<String> {
        let tag = std::str::from_utf8(self.bytes()?).ok()?;
        gather::is_language(tag).then(|| tag.to_owned())
    }

    fn range(&mut self) -> Option<ByteRange> {
        let (start, end) = (self.number()?, self.number()?);
        (start <= end).then_some(ByteRange { start, end })
    }

    fn time(&mut self) -> Option<Timestamp> {
        Timestamp::from_micros(i64::from_le_bytes(self.taken()?))
    }

    fn private(&mut self) -> Option<PrivateText> {
        std::str::from_utf8(self.bytes()?).ok().map(PrivateText::from)
    }

    fn bytes(&mut self) -> Option<&'f [u8]> {
        let length = self.size()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A list. Every member takes at least a byte, so what is announced cannot be more than what is left.
    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.size()?;
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| one(self)).collect()
    }

    fn option<T>(&mut self, some: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.truth()? { some(self).map(Some) } else { Some(None) }
    }

    pub(super) fn coded<T: Coded>(&mut self) -> Option<T> {
        T::of_code(self.byte()?)
    }

    fn truth(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.taken().map(u64::from_le_bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.taken().map(|[byte]: [u8; 1]| byte)
    }

    fn taken<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}
