//! Counting distinct names in little memory, however many there are.
//!
//! Names are known by a digest of eight bytes under a key that is drawn for each count: of ten million names two are taken for one
//! once in some hundred thousand counts. Up to a million are held; more go, sorted, where the caller says.

use std::collections::BinaryHeap;
use std::hash::{BuildHasher, RandomState};
use std::io;

/// Where what is not held is put by, one piece behind the other.
pub trait Shelf {
    /// Puts a piece behind the others.
    ///
    /// # Errors
    /// When there is no room.
    fn put(&mut self, piece: &[u8]) -> io::Result<()>;

    /// Reads bytes from a place on.
    ///
    /// # Errors
    /// When they cannot be read, or are not there.
    fn read(&self, from: usize, into: &mut [u8]) -> io::Result<()>;
}

/// In memory after all, for what is small.
impl Shelf for Vec<u8> {
    fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        self.extend_from_slice(piece);
        Ok(())
    }

    fn read(&self, from: usize, into: &mut [u8]) -> io::Result<()> {
        let piece = self.get(from..from + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(piece);
        Ok(())
    }
}

/// Makes a shelf when one is needed.
pub type MakeShelf = fn() -> io::Result<Box<dyn Shelf>>;

/// Digests that are held.
const HELD_MAX: usize = 1 << 20;
/// Digests that are read of a run at a time.
const READ: usize = 1 << 11;
/// Bytes of a digest.
const BYTES: usize = size_of::<u64>();

/// Distinct names of one kind.
pub(super) struct Distinct {
    key: RandomState,
    held_max: usize,
    held: Vec<u64>,
    /// Runs one behind the other, each sorted, and how many digests each has.
    shelf: Option<Box<dyn Shelf>>,
    make: MakeShelf,
    runs: Vec<usize>,
}

impl Distinct {
    /// More than can be held go to a shelf.
    pub(super) fn over(make: MakeShelf) -> Self {
        Self::holding(HELD_MAX, make)
    }

    fn holding(held_max: usize, make: MakeShelf) -> Self {
        Self { key: RandomState::new(), held_max, held: Vec::new(), shelf: None, make, runs: Vec::new() }
    }

    /// Counts a name, unless it was counted before.
    ///
    /// # Errors
    /// When a shelf has no room.
    pub(super) fn add(&mut self, kind: u8, name: &str) -> io::Result<()> {
        self.held.push(self.key.hash_one((kind, name)));
        if self.held.len() < self.held_max {
            return Ok(());
        }
        self.settle();
        // Where most were met before there is room again.
        if self.held.len() > self.held_max / 2 { self.put_by() } else { Ok(()) }
    }

    /// How many there were.
    ///
    /// # Errors
    /// When what was put by cannot be read.
    pub(super) fn count(&mut self) -> io::Result<u64> {
        self.settle();
        let Some(shelf) = &self.shelf else { return Ok(self.held.len() as u64) };
        let (mut runs, mut begin) = (Vec::with_capacity(self.runs.len()), 0);
        for length in &self.runs {
            runs.push(Run { shelf: &**shelf, next: begin, end: begin + length, read: Vec::new() });
            begin += length;
        }
        let mut heads = BinaryHeap::new();
        for (run, at) in runs.iter_mut().zip(0..) {
            heads.extend(run.next()?.map(|digest| std::cmp::Reverse((digest, at))));
        }
        let (mut count, mut last, mut held) = (0, None, self.held.iter().copied().peekable());
        while let Some(std::cmp::Reverse((digest, at))) = heads.pop() {
            while let Some(own) = held.next_if(|own| *own <= digest) {
                count += u64::from(last.replace(own) != Some(own));
            }
            count += u64::from(last.replace(digest) != Some(digest));
            if let Some(run) = runs.get_mut(at) {
                heads.extend(run.next()?.map(|digest| std::cmp::Reverse((digest, at))));
            }
        }
        Ok(count + held.filter(|own| last.replace(*own) != Some(*own)).count() as u64)
    }

    fn settle(&mut self) {
        self.held.sort_unstable();
        self.held.dedup();
    }

    fn put_by(&mut self) -> io::Result<()> {
        let shelf = match &mut self.shelf {
            Some(shelf) => shelf,
            none => none.insert((self.make)()?),
        };
        let bytes: Vec<u8> = self.held.iter().flat_map(|digest| digest.to_le_bytes()).collect();
        shelf.put(&bytes)?;
        self.runs.push(self.held.len());
        self.held.clear();
        Ok(())
    }
}

/// A sorted run on the shelf, read from its beginning.
struct Run<'s> {
    shelf: &'s dyn Shelf,
    /// Which digests of the shelf are not read yet.
    next: usize,
    end: usize,
    /// What was read of them, the first last.
    read: Vec<u64>,
}

impl Run<'_> {
    fn next(&mut self) -> io::Result<Option<u64>> {
        if self.read.is_empty() {
            let mut bytes = vec![0; READ.min(self.end - self.next) * BYTES];
            self.shelf.read(self.next * BYTES, &mut bytes)?;
            let (digests, _) = bytes.as_chunks::<BYTES>();
            self.next += digests.len();
            self.read.extend(digests.iter().rev().map(|digest| u64::from_le_bytes(*digest)));
        }
        Ok(self.read.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        /// However few are held, the count is that of a set.
        #[test]
        fn as_many_are_counted_as_there_are(
            names in prop::collection::vec((0..2_u8, 0..400_u16), 0..1500),
            held_max in 1..300_usize,
        ) {
            let mut distinct = Distinct::holding(held_max, || Ok(Box::new(Vec::new())));
            for (kind, name) in &names {
                distinct.add(*kind, &name.to_string()).unwrap();
            }
            let wanted = names.iter().collect::<HashSet<_>>().len() as u64;
            prop_assert_eq!(distinct.count().unwrap(), wanted);
            prop_assert_eq!(distinct.count().unwrap(), wanted, "asked again");
        }
    }

    #[test]
    fn runs_are_read_in_pieces() {
        let mut distinct = Distinct::holding(READ * 2 + 7, || Ok(Box::new(Vec::new())));
        for name in 0..READ * 9 {
            distinct.add(0, &(name % (READ * 7)).to_string()).unwrap();
        }
        assert!(distinct.runs.len() > 2);
        assert_eq!(distinct.count().unwrap(), READ as u64 * 7);
    }
}
