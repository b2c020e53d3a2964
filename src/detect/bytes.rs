//! Byte classes and bounds-safe looks at a text. Everything here is total: outside the text lies a zero byte.

/// The byte at `at`, or 0 outside the text.
#[inline]
pub(super) fn at(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The byte before `pos`, or 0 at the start.
#[inline]
pub(super) fn before(text: &[u8], pos: usize) -> u8 {
    pos.checked_sub(1).map_or(0, |p| at(text, p))
}

/// Whether a match that starts at `start` starts a word. A byte outside ASCII counts as part of a word only
/// when it ends a letter: emoji and quotes do not glue.
#[inline]
pub(super) fn free_before(text: &str, start: usize) -> bool {
    match before(text.as_bytes(), start) {
        b if b < 0x80 => !(b.is_ascii_alphanumeric() || b == b'_'),
        _ => !wide_before(text, start),
    }
}

/// Whether a match that ends at `end` ends a word.
#[inline]
pub(super) fn free_after(text: &str, end: usize) -> bool {
    match at(text.as_bytes(), end) {
        b if b < 0x80 => !(b.is_ascii_alphanumeric() || b == b'_'),
        _ => !wide_after(text, end),
    }
}

/// Whether a letter outside ASCII ends at `start`.
#[cold]
fn wide_before(text: &str, start: usize) -> bool {
    text.get(..start).and_then(|t| t.chars().next_back()).is_some_and(char::is_alphanumeric)
}

/// Whether a letter outside ASCII starts at `end`.
#[cold]
fn wide_after(text: &str, end: usize) -> bool {
    text.get(end..).and_then(|t| t.chars().next()).is_some_and(char::is_alphanumeric)
}
