//! Long runs of letters and digits, such as keys and wallets: tried where a word is longer than people write.

use super::bytes::before;
use super::lane::Lane;
use super::people::View;

/// A word of this many letters and digits makes the run around it worth a look.
pub(super) const LONG: usize = 16;
/// How far the start of the run may lie before that word, in bytes.
const REACH_BACK: usize = 24;

/// Offers `accept(rule, start, end)` every match of the lane at the start of a long run or of the long word in it.
pub(super) fn scan(
    lane: &Lane,
    view: &View<'_>,
    context: bool,
    mut accept: impl FnMut(usize, usize, usize) -> bool,
) {
    let bytes = view.text.as_bytes();
    let mut tried = 0;
    for (_, word) in view.listed(view.cut.long.iter().copied()) {
        let mut start = word.start;
        while word.start - start < REACH_BACK && inside(before(bytes, start)) {
            start -= 1;
        }
        for start in [start, word.start] {
            if start >= tried {
                tried = start + 1;
                lane.matches_at(view.text, start, context, |rule, end| accept(rule, start, end));
            }
        }
    }
}

const fn inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
