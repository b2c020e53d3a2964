//! Places in a block of an index as they are stored: steps from one place to the next.
//!
//! More can be put behind what is there without reading it: the first of them then stands whole.

/// Steps from one place to the next (each more than the one before), less one; seven bits a byte, the top bit set when a step goes on.
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

/// The same, to stand behind others that are not known: the first place (below 16,384) stands whole, in two bytes that both have
/// the top bit set, as no step has.
pub(super) fn to_append(places: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut places = places.into_iter();
    let Some(first) = places.next() else { return Vec::new() };
    let mut bytes = vec![(first & 0x7f) as u8 | 0x80, (first >> 7) as u8 | 0x80];
    bytes.extend(to_bytes(places.map(|place| place - first - 1)));
    bytes
}

/// Reads the places of a block of so many, as they stand: what was put behind others may be less, or the same. `None` when it is
/// no stored form of them.
pub(super) fn from_bytes(bytes: &[u8], block: i64) -> Option<Vec<u16>> {
    let mut places = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    let mut next = 0_u16;
    while let Some(byte) = bytes.next() {
        let mut step = u16::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            let more = *bytes.next()?;
            step |= u16::from(more & 0x7f) << 7;
            if more & 0x80 != 0 {
                next = 0;
            }
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
    fn what_is_put_behind_others_is_read_after_them() {
        let parts: [&[u16]; 5] = [&[5, 6, 300], &[301], &[], &[127, 128, 16_383], &[0, 16_000]];
        let mut stored = to_bytes(parts[0].iter().copied());
        parts[1..].iter().for_each(|part| stored.extend(to_append(part.iter().copied())));
        assert_eq!(from_bytes(&stored, 16_384), Some(parts.concat()));
        for place in 0..16_384 {
            assert_eq!(from_bytes(&to_append([place]), 16_384), Some(vec![place]));
        }
        assert_eq!(to_append([300, 301, 400]), [0xac, 0x82, 0, 98]);
    }

    #[test]
    fn what_is_no_stored_form_is_refused() {
        assert_eq!(from_bytes(&[0x80], 16_384), None, "a step that does not end");
        assert_eq!(from_bytes(&[0x80, 0xa0], 4_096), None, "a whole place of the next block");
        assert_eq!(from_bytes(&[0xff, 31, 0], 4_096), None, "of the next block");
        assert_eq!(from_bytes(&[0xff, 31, 0], 4_097), Some(vec![4_095, 4_096]));
    }
}
