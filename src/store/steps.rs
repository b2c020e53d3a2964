//! Places in a block of an index as they are stored: steps from one place to the next.

/// Steps from one place to the next (ascending), less one; seven bits a byte, the top bit set when a step goes on.
pub(super) fn to_bytes(places: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut steps = Vec::new();
    let mut next = 0;
    for place in places {
        let step = place - next;
        if step >= 0x80 {
            steps.push((step & 0x7f) as u8 | 0x80);
            steps.push((step >> 7) as u8);
        } else {
            steps.push(step as u8);
        }
        next = place + 1;
    }
    steps
}

/// Reads the places of a block of so many; `None` when it is no stored form of them.
pub(super) fn from_bytes(bytes: &[u8], block: i64) -> Option<Vec<u16>> {
    let mut places = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    let mut next = 0_u16;
    while let Some(byte) = bytes.next() {
        let mut step = u16::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            step |= u16::from(*bytes.next()?) << 7;
        }
        let place = next.checked_add(step).filter(|place| i64::from(*place) < block)?;
        places.push(place);
        next = place + 1;
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_gives_the_same_places() {
        let sets: [Vec<u16>; 6] = [
            vec![],
            vec![0],
            vec![16_383],
            vec![0, 127, 128, 129, 4_000],
            (0..16_384).step_by(129).collect(),
            (0..16_384).collect(),
        ];
        for places in sets {
            assert_eq!(from_bytes(&to_bytes(places.iter().copied()), 16_384), Some(places));
        }
        assert_eq!(to_bytes([1, 2, 3, 300]), [1, 0, 0, 0xa8, 2]);
    }

    #[test]
    fn what_is_no_stored_form_is_refused() {
        assert_eq!(from_bytes(&[0x80], 16_384), None, "a step that does not end");
        assert_eq!(from_bytes(&[0xff, 31, 0], 4_096), None, "of the next block");
        assert_eq!(from_bytes(&[0xff, 31, 0], 4_097), Some(vec![4_095, 4_096]));
    }
}
