//! Places in a block of an index, read as the migrations describe them.

/// Steps from one place to the next, less one, and places that stand whole (both bytes with the top bit set); in the order in which
/// they stand.
pub fn places(stored: &[u8]) -> Vec<i64> {
    let (mut next, mut found, mut rest) = (0, Vec::new(), stored);
    loop {
        let (place, left) = match rest {
            [] => return found,
            [low @ 0..0x80, left @ ..] => (next + i64::from(*low), left),
            [low, high @ 0..0x80, left @ ..] => (next + i64::from(low & 0x7f) + 128 * i64::from(*high), left),
            [low, high, left @ ..] => (i64::from(low & 0x7f) + 128 * i64::from(high & 0x7f), left),
            [_] => panic!("a step that does not end"),
        };
        found.push(place);
        (next, rest) = (place + 1, left);
    }
}
