//! Byte classes and bounds-safe looks at a text. Everything here is total: outside the text lies a zero byte.

/// The byte at `at`, or 0 outside the text.
pub(super) fn at(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The byte before `pos`, or 0 at the start.
pub(super) fn before(text: &[u8], pos: usize) -> u8 {
    pos.checked_sub(1).map_or(0, |p| at(text, p))
}

/// Whether a match that starts at `start` starts a word. A byte outside ASCII counts as part of a word only
/// when it ends a letter: emoji and quotes do not glue.
pub(super) fn free_before(text: &str, start: usize) -> bool {
    let b = before(text.as_bytes(), start);
    if b < 0x80 {
        return !(b.is_ascii_alphanumeric() || b == b'_');
    }
    !text.get(..start).and_then(|t| t.chars().next_back()).is_some_and(char::is_alphanumeric)
}

/// Whether a match that ends at `end` ends a word.
pub(super) fn free_after(text: &str, end: usize) -> bool {
    let b = at(text.as_bytes(), end);
    if b < 0x80 {
        return !(b.is_ascii_alphanumeric() || b == b'_');
    }
    !text.get(end..).and_then(|t| t.chars().next()).is_some_and(char::is_alphanumeric)
}
