//! As much of DER (X.690) as a time-stamp needs: elements with one-byte tags and definite lengths, read in order.
//!
//! Everything is read from given bytes; nothing that is longer than it says, or not the shortest form, is taken.

/// Tags, as one byte with class and form.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OCTETS: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// Context 0, constructed.
    pub(crate) const CONTEXT_0: u8 = 0xa0;
}

/// What is left to read of an element's content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The tag that comes next.
    pub(crate) fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, _) = self.next()?;
        (found == tag).then_some(content)
    }

    /// The next element, which must have this tag, to be read in turn.
    pub(crate) fn inside(&mut self, tag: u8) -> Option<Self> {
        self.content(tag).map(Self)
    }

    /// The next element as it stands, tag and length included.
    pub(crate) fn whole(&mut self) -> Option<&'a [u8]> {
        self.next().map(|(_, _, whole)| whole)
    }

    /// The content of the next element if it has this tag; nothing is read when it has another.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag() == Some(tag) { self.content(tag) } else { None }
    }

    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let all = self.0;
        let (tag, rest) = all.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match usize::from(*first) {
            short @ 0..=0x7f => (short, rest),
            long @ 0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(long - 0x80)?;
                let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
                let shortest = digits.first() != Some(&0) && length > 0x7f;
                (shortest.then_some(length)?, rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        // Tags of more than one byte do not occur in what is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        self.0 = after;
        Some((*tag, content, all.get(..all.len() - after.len())?))
    }
}

/// An element with this tag and content.
pub(crate) fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let length: usize = content.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => bytes.push(short),
        _ => {
            let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|digit| *digit == 0).collect();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            bytes.extend(digits);
        }
    }
    content.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let bytes = element(tag::OCTETS, &[&content]);
            let mut der = Der::new(&bytes);
            assert_eq!(der.clone().whole(), Some(bytes.as_slice()));
            assert_eq!(der.content(tag::OCTETS), Some(content.as_slice()), "{length}");
            assert!(der.is_empty());
        }
    }

    #[test]
    fn what_is_not_the_shortest_form_or_runs_over_is_refused() {
        for bad in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x80, 0, 0],
            &[4, 0x81, 5, 1, 2, 3, 4, 5],
            &[4, 0x82, 0, 1, 9],
            &[4, 0x85, 0, 0, 0, 0, 1, 9],
            &[0x1f, 1, 1],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(Der::new(bad).whole(), None, "{bad:?}");
        }
        assert_eq!(Der::new(&[4, 1, 9]).content(tag::INTEGER), None);
    }
}
