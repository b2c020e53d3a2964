//! How an original is put together from fragments, as the catalogue stores it: small, and without content.
//!
//! Form: `2`, length and word of the format the item is read in; count of fragments, 16 bytes each; count of parts; a part is its role's number, count of pieces,
//! and for each piece fragment, start and length. Numbers are LEB128. A form that begins with `1` names no format; one that
//! begins with `3` has the format's length 0 when there is none, and ends with a count of fragments that go with the original.

use crate::capture::{Format, PartRole};
use crate::model::{ByteRange, FragmentId};
use crate::seal::{PartLayout, Piece};
use uuid::Uuid;

/// The fragments of an original and how its parts are made of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The format it is read in, which in a container is not the capture's; none: the capture's.
    pub format: Option<Format>,
    /// Fragments, named by their place here.
    pub fragments: Vec<FragmentId>,
    /// Parts: 0 is the item itself.
    pub parts: Vec<PartLayout>,
    /// Fragments that are no part of it and are destroyed with it: what the capture said around it.
    pub beside: Vec<FragmentId>,
}

/// The role of the item itself.
pub const ITEM: &str = "item";

/// The role of the heading a row stands under.
pub const HEADING: &str = "heading";

const ROLES: &[(&str, Option<PartRole>)] = &[
    (ITEM, None),
    ("account", Some(PartRole::Account)),
    ("media", Some(PartRole::Media)),
    ("poll", Some(PartRole::Poll)),
    ("place", Some(PartRole::Place)),
    ("thread", Some(PartRole::Thread)),
    (HEADING, Some(PartRole::Heading)),
    ("audience", Some(PartRole::Audience)),
    ("blocks", Some(PartRole::Blocks)),
];

/// Without a format, and with one.
const PLAIN: u8 = 1;
const VERSION: u8 = 2;
/// With fragments beside it.
const BESIDE: u8 = 3;

/// The word for a role of shared bytes.
#[must_use]
pub fn role_word(role: PartRole) -> &'static str {
    ROLES.iter().find(|(_, known)| *known == Some(role)).map_or("place", |(word, _)| word)
}

/// The role of shared bytes behind a word; `None` for the item itself and for words that are not known.
#[must_use]
pub fn part_role(word: &str) -> Option<PartRole> {
    ROLES.iter().find(|(known, _)| *known == word).and_then(|(_, role)| *role)
}

impl Layout {
    /// The stored form, in a capture of this format: that is not named.
    #[must_use]
    pub fn to_bytes(&self, capture: Format) -> Vec<u8> {
        let format = self.format.filter(|own| *own != capture);
        let form = match format {
            _ if !self.beside.is_empty() => BESIDE,
            Some(_) => VERSION,
            None => PLAIN,
        };
        let mut out = vec![form];
        if form != PLAIN {
            let word = format.map(|format| format.as_str()).unwrap_or_default();
            number(&mut out, word.len() as u64);
            out.extend_from_slice(word.as_bytes());
        }
        number(&mut out, self.fragments.len() as u64);
        for fragment in &self.fragments {
            out.extend_from_slice(fragment.as_bytes());
        }
        number(&mut out, self.parts.len() as u64);
        for part in &self.parts {
            let role = ROLES.iter().position(|(word, _)| *word == part.role).unwrap_or_default();
            number(&mut out, role as u64);
            number(&mut out, part.pieces.len() as u64);
            for piece in &part.pieces {
                number(&mut out, piece.fragment as u64);
                number(&mut out, piece.range.start);
                number(&mut out, piece.range.len());
            }
        }
        if form == BESIDE {
            number(&mut out, self.beside.len() as u64);
            self.beside.iter().for_each(|fragment| out.extend_from_slice(fragment.as_bytes()));
        }
        out
    }

    /// How many bytes the item itself has.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let own = self.parts.first().map_or(&[][..], |part| &part.pieces);
        own.iter().map(|piece| piece.range.len()).sum()
    }

    /// Reads the stored form; `None` when it is not what [`to_bytes`](Self::to_bytes) writes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        let form = rest.byte()?;
        let format = match form {
            PLAIN => None,
            VERSION => Some(rest.format()?),
            BESIDE => rest.format_or_none()?,
            _ => return None,
        };
        let fragments = rest.count()?;
        let fragments = (0..fragments).map(|_| rest.id()).collect::<Option<_>>()?;
        let parts = rest.count()?;
        let parts = (0..parts).map(|_| rest.part()).collect::<Option<_>>()?;
        let beside = if form == BESIDE { rest.count()? } else { 0 };
        let beside: Vec<FragmentId> = (0..beside).map(|_| rest.id()).collect::<Option<_>>()?;
        let sound = rest.0.is_empty() && (form == BESIDE) != beside.is_empty();
        sound.then_some(Self { format, fragments, parts, beside })
    }
}

fn number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut n = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }

    /// A count of things of at least one byte each: never more than what is left.
    fn count(&mut self) -> Option<usize> {
        let n = usize::try_from(self.number()?).ok()?;
        (n <= self.0.len()).then_some(n)
    }

    fn format(&mut self) -> Option<Format> {
        let length = self.count()?;
        let (word, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(word).ok()?.parse().ok()
    }

    /// A format that is named, or that no word stands for.
    fn format_or_none(&mut self) -> Option<Option<Format>> {
        if self.0.first() == Some(&0) { self.byte().map(|_| None) } else { self.format().map(Some) }
    }

    fn id(&mut self) -> Option<FragmentId> {
        let (id, rest) = self.0.split_first_chunk::<16>()?;
        self.0 = rest;
        Some(FragmentId::from_uuid(Uuid::from_bytes(*id)))
    }

    fn part(&mut self) -> Option<PartLayout> {
        let role = ROLES.get(usize::try_from(self.number()?).ok()?)?.0.to_owned();
        let pieces = self.count()?;
        let pieces = (0..pieces).map(|_| self.piece()).collect::<Option<_>>()?;
        Some(PartLayout { role, pieces })
    }

    fn piece(&mut self) -> Option<Piece> {
        let fragment = usize::try_from(self.number()?).ok()?;
        let start = self.number()?;
        let end = start.checked_add(self.number()?)?;
        Some(Piece { fragment, range: ByteRange { start, end } })
    }
}

/// File ranges as the key table stores them: 1, then for each range how far behind the end of the one before it starts,
/// and its length, as LEB128. Ranges that go back are stored as before there was this form: pairs of offsets, 8 bytes each,
/// big-endian.
#[must_use]
pub fn ranges_to_bytes(ranges: &[ByteRange]) -> Vec<u8> {
    let mut short = vec![SHORT];
    let mut reached = 0;
    for range in ranges {
        let Some(gap) = range.start.checked_sub(reached).filter(|_| range.end < RANGES_END) else {
            return ranges
                .iter()
                .flat_map(|r| [r.start.to_be_bytes(), r.end.to_be_bytes()])
                .flatten()
                .collect();
        };
        number(&mut short, gap);
        number(&mut short, range.len());
        reached = range.end;
    }
    short
}

/// The first byte of the short form: no file is so long that an offset of eight bytes begins with it.
const SHORT: u8 = 1;
const RANGES_END: u64 = 1 << 56;

/// Reads file ranges; `None` when they are in neither form.
#[must_use]
pub fn ranges_from_bytes(bytes: &[u8]) -> Option<Vec<ByteRange>> {
    let Some(short) = bytes.strip_prefix(&[SHORT]) else {
        let (pairs, rest) = bytes.as_chunks::<16>();
        return rest.is_empty().then(|| pairs.iter().map(|pair| whole_range(*pair)).collect());
    };
    let mut rest = Rest(short);
    let (mut ranges, mut reached) = (Vec::new(), 0_u64);
    while !rest.0.is_empty() {
        let start = reached.checked_add(rest.number()?)?;
        reached = start.checked_add(rest.number()?)?;
        ranges.push(ByteRange { start, end: reached });
    }
    Some(ranges)
}

fn whole_range(pair: [u8; 16]) -> ByteRange {
    let both = u128::from_be_bytes(pair);
    ByteRange { start: (both >> 64) as u64, end: both as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let piece = |fragment, start, end| Piece { fragment, range: ByteRange { start, end } };
        Layout {
            format: None,
            fragments: vec![
                FragmentId::from_uuid(Uuid::from_u128(7)),
                FragmentId::from_uuid(Uuid::from_u128(8)),
            ],
            parts: vec![
                PartLayout {
                    role: ITEM.to_owned(),
                    pieces: vec![piece(0, 0, 100), piece(1, 0, 70_000), piece(0, 100, 1 << 40)],
                },
                PartLayout { role: "account".to_owned(), pieces: vec![piece(1, 5, 5)] },
            ],
            beside: Vec::new(),
        }
    }

    #[test]
    fn a_layout_reads_back_and_nothing_else_does() {
        let beside = vec![FragmentId::from_uuid(Uuid::from_u128(9))];
        for (format, beside) in [
            (None, vec![]),
            (Some(Format::XApiV1), vec![]),
            (None, beside.clone()),
            (Some(Format::XApiV1), beside),
        ] {
            let layout = Layout { format, beside, ..layout() };
            let bytes = layout.to_bytes(Format::Warc);
            // A capture of its own format says it already.
            let own = Layout { format: None, ..layout.clone() };
            assert_eq!(Layout::from_bytes(&layout.to_bytes(Format::XApiV1)), Some(own));
            assert_eq!(Layout::from_bytes(&bytes), Some(layout));
            for cut in 0..bytes.len() {
                assert_eq!(Layout::from_bytes(&bytes[..cut]), None, "{cut}");
            }
            let mut longer = bytes;
            longer.push(0);
            assert_eq!(Layout::from_bytes(&longer), None);
        }
    }

    #[test]
    fn ranges_read_back() {
        let ranges = vec![ByteRange { start: 0, end: 9 }, ByteRange { start: u64::MAX - 1, end: u64::MAX }];
        assert_eq!(ranges_from_bytes(&ranges_to_bytes(&ranges)), Some(ranges));
        assert_eq!(ranges_from_bytes(&[0; 15]), None);
        let of = |pairs: &[(u64, u64)]| -> Vec<ByteRange> {
            pairs.iter().map(|(start, end)| ByteRange { start: *start, end: *end }).collect()
        };
        for (ranges, length) in [
            (of(&[]), 1),
            (of(&[(5_000_000, 5_000_970)]), 7),
            (of(&[(0, 0)]), 3),
            (of(&[(10, 20), (20, 30), (300, 301)]), 8),
            (of(&[(20, 30), (10, 20)]), 32),
        ] {
            let stored = ranges_to_bytes(&ranges);
            assert_eq!((ranges_from_bytes(&stored), stored.len()), (Some(ranges), length));
        }
        assert_eq!(ranges_from_bytes(&[1, 5]), None, "a start without a length");
        assert_eq!(ranges_from_bytes(&[1, 0x80]), None);
    }

    #[test]
    fn roles_and_words_answer_each_other() {
        for (word, role) in ROLES {
            assert_eq!(part_role(word), *role);
            if let Some(role) = role {
                assert_eq!(role_word(*role), *word);
            }
        }
    }
}
