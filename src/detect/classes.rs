//! A text as rows of bits: what class each byte is of, sixty-four bytes a row.
//!
//! One vector pass answers for all stages where words begin and end, which letters are capitals, and which places are
//! worth a closer look. Bits past the end of the text are zero.

use wide::u8x16;

/// The classes of a text's bytes.
pub(super) struct Classes {
    rows: Vec<Row>,
    /// Whether there is a digit.
    digits: bool,
    len: usize,
}

/// Sixty-four bytes; bit n is byte n of the row.
#[derive(Clone, Copy, Default)]
struct Row {
    /// A letter or digit, or outside ASCII.
    word: u64,
    upper: u64,
    digit: u64,
    /// Outside ASCII.
    wide: u64,
    /// `@`, `.`, `:`, `(` and `[`: where an address or a link may be.
    mark: u64,
    /// `&` and `%`: where an entity or a percent-encoded byte may be.
    escape: u64,
}

impl Classes {
    /// Classifies every byte of `text`.
    pub(super) fn of(text: &str) -> Self {
        let (blocks, tail) = text.as_bytes().as_chunks::<64>();
        let mut rows = Vec::with_capacity(blocks.len() + 1);
        rows.extend(blocks.iter().map(Row::of));
        if !tail.is_empty() {
            let mut last = [0_u8; 64];
            for (to, from) in last.iter_mut().zip(tail) {
                *to = *from;
            }
            rows.push(Row::of(&last));
        }
        let digits = rows.iter().any(|row| row.digit != 0);
        Self { rows, digits, len: text.len() }
    }

    /// Whether there is a digit.
    pub(super) const fn has_digits(&self) -> bool {
        self.digits
    }

    /// The runs of word bytes, in order.
    pub(super) const fn runs(&self) -> Runs<'_> {
        Runs { classes: self, next: 0, base: 0, row: Row::NONE }
    }

    /// Calls `found(place)` for the first digit of every run of digits and for every mark, in order.
    pub(super) fn places(&self, mut found: impl FnMut(usize)) {
        let mut carry = 0;
        for (index, row) in self.rows.iter().enumerate() {
            let mut bits = row.mark | (row.digit & !(row.digit << 1 | carry));
            carry = row.digit >> 63;
            while bits != 0 {
                found(index * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }

    /// The first byte outside ASCII, `&` or `%` for which `is` holds.
    pub(super) fn first_oddity(&self, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
        for (index, row) in self.rows.iter().enumerate() {
            let mut bits = row.wide | row.escape;
            while bits != 0 {
                let place = index * 64 + bits.trailing_zeros() as usize;
                if is(place) {
                    return Some(place);
                }
                bits &= bits - 1;
            }
        }
        None
    }

    /// What a run holds that reaches over the end of a row.
    fn run(&self, start: usize, len: usize) -> Run {
        let (index, shift) = (start / 64, start % 64);
        let mask = if len < 64 { (1 << len) - 1 } else { u64::MAX };
        let row = self.rows.get(index).copied().unwrap_or_default();
        let next = self.rows.get(index + 1).copied().unwrap_or_default();
        let bits = |low: u64, high: u64| {
            let spilled = if shift == 0 { 0 } else { high << (64 - shift) };
            (low >> shift | spilled) & mask
        };
        Run {
            upper: bits(row.upper, next.upper),
            digit: bits(row.digit, next.digit),
            wide: len > 64 || bits(row.wide, next.wide) != 0,
        }
    }
}

/// Walks over the runs of word bytes; a run of more than 64 bytes counts as wide.
pub(super) struct Runs<'c> {
    classes: &'c Classes,
    /// The row to read next, and where the row that is being read begins.
    next: usize,
    base: usize,
    /// What is left of it.
    row: Row,
}

impl Iterator for Runs<'_> {
    type Item = (usize, usize, Run);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize, Run)> {
        while self.row.word == 0 {
            self.row = *self.classes.rows.get(self.next)?;
            self.base = self.next.wrapping_mul(64);
            self.next = self.next.wrapping_add(1);
        }
        let row = self.row;
        let shift = row.word.trailing_zeros();
        let start = self.base.wrapping_add(shift as usize);
        // What stands above the run: adding its lowest bit carries through it. None when it reaches the end of the row.
        let above = row.word.wrapping_add(1_u64 << shift) & row.word;
        if above == 0 && row.word >> 63 == 1 {
            return Some(self.across(start));
        }
        let len = (row.word >> shift).trailing_ones();
        let mask = (1_u64 << len).wrapping_sub(1);
        self.row.word = above;
        let run = Run {
            upper: row.upper >> shift & mask,
            digit: row.digit >> shift & mask,
            wide: row.wide >> shift & mask != 0,
        };
        Some((start, start.wrapping_add(len as usize), run))
    }
}

impl Runs<'_> {
    /// A run that goes on in the next row.
    #[cold]
    fn across(&mut self, start: usize) -> (usize, usize, Run) {
        self.row.word = 0;
        let mut end = self.next.wrapping_mul(64);
        while let Some(row) = self.classes.rows.get(self.next) {
            let len = row.word.trailing_ones();
            if len < 64 {
                self.row = Row { word: row.word & u64::MAX << len, ..*row };
                self.base = end;
                end = end.wrapping_add(len as usize);
                self.next = self.next.wrapping_add(1);
                break;
            }
            end = end.wrapping_add(64);
            self.next = self.next.wrapping_add(1);
        }
        let end = end.min(self.classes.len);
        (start, end, self.classes.run(start, end.wrapping_sub(start)))
    }
}

/// What a run of word bytes holds: bit n is byte n of the run.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) upper: u64,
    pub(super) digit: u64,
    pub(super) wide: bool,
}

impl Row {
    const NONE: Self = Self { word: 0, upper: 0, digit: 0, wide: 0, mark: 0, escape: 0 };

    fn of(bytes: &[u8; 64]) -> Self {
        let mut row = Self::default();
        let (blocks, _) = bytes.as_chunks::<16>();
        for (quarter, block) in blocks.iter().enumerate() {
            row = row.with(&Self::quarter(*block).shifted(quarter * 16));
        }
        row
    }

    fn quarter(bytes: [u8; 16]) -> Self {
        let text = u8x16::new(bytes);
        let within = |value: u8x16, low: u8, high: u8| {
            let offset = value - u8x16::splat(low);
            bits(offset.min(u8x16::splat(high - low)).simd_eq(offset))
        };
        let is = |byte: u8| bits(text.simd_eq(u8x16::splat(byte)));
        let digit = within(text, b'0', b'9');
        let upper = within(text, b'A', b'Z');
        let lower = within(text, b'a', b'z');
        let wide = u64::from(text.to_bitmask());
        Self {
            word: digit | upper | lower | wide,
            upper,
            digit,
            wide,
            mark: is(b'@') | is(b'.') | is(b':') | is(b'(') | is(b'['),
            escape: is(b'&') | is(b'%'),
        }
    }

    const fn shifted(self, by: usize) -> Self {
        Self {
            word: self.word << by,
            upper: self.upper << by,
            digit: self.digit << by,
            wide: self.wide << by,
            mark: self.mark << by,
            escape: self.escape << by,
        }
    }

    const fn with(self, other: &Self) -> Self {
        Self {
            word: self.word | other.word,
            upper: self.upper | other.upper,
            digit: self.digit | other.digit,
            wide: self.wide | other.wide,
            mark: self.mark | other.mark,
            escape: self.escape | other.escape,
        }
    }
}

fn bits(lanes: u8x16) -> u64 {
    u64::from(lanes.to_bitmask())
}
