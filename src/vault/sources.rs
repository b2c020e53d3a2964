//! Time and chance, given from outside.

use super::VaultError;
use super::sealing::drawn_uuid;
use crate::ledger::EntryId;
use crate::model::Timestamp;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

type Now = dyn Fn() -> Timestamp + Send + Sync;
type Fill = dyn Fn(&mut [u8]) -> bool + Send + Sync;

/// Random bytes drawn beforehand, for names: asking the library costs more than some bytes of it. Keys are never drawn beforehand.
struct Drawn {
    bytes: [u8; DRAWN],
    /// How many of them, from the first on, were not given out yet.
    left: usize,
}

/// Bytes drawn at once.
const DRAWN: usize = 1_024;

impl Drawn {
    const NONE: Self = Self { bytes: [0; DRAWN], left: 0 };

    /// Fills `into` with bytes that nobody else gets; `false` when the library could not.
    fn fill(&mut self, into: &mut [u8]) -> bool {
        if into.len() > DRAWN {
            return aws_lc_rs::rand::fill(into).is_ok();
        }
        if self.left < into.len() {
            self.left = 0;
            if aws_lc_rs::rand::fill(&mut self.bytes).is_err() {
                return false;
            }
            self.left = DRAWN;
        }
        let from = self.left - into.len();
        let Some(given) = self.bytes.get_mut(from..self.left) else { return false };
        into.copy_from_slice(given);
        given.zeroize();
        self.left = from;
        true
    }
}

/// A clock and a source of random bytes. Cloning shares them.
#[derive(Clone)]
pub struct Sources {
    now: Arc<Now>,
    fill: Arc<Fill>,
    /// The same for names.
    name: Arc<Fill>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources(..)")
    }
}

impl Sources {
    /// Sources from a clock and a filler; the filler says whether it could. A clock that is set back stands still until
    /// it is where it was.
    pub fn new(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        fill: impl Fn(&mut [u8]) -> bool + Send + Sync + 'static,
    ) -> Self {
        let latest = AtomicI64::new(i64::MIN);
        let forward = move || {
            let read = now();
            let before = latest.fetch_max(read.micros(), Ordering::Relaxed);
            Timestamp::from_micros(before.max(read.micros())).unwrap_or(read)
        };
        let fill: Arc<Fill> = Arc::new(fill);
        Self { now: Arc::new(forward), name: Arc::clone(&fill), fill }
    }

    /// The machine's clock and the cryptographic library's random source.
    #[must_use]
    pub fn system() -> Self {
        let now = || {
            let micros = jiff::Timestamp::now().as_microsecond();
            Timestamp::from_micros(micros)
                .or_else(|| Timestamp::from_micros(0))
                .unwrap_or_else(|| unreachable!())
        };
        let drawn = Mutex::new(Drawn::NONE);
        let name = move |bytes: &mut [u8]| match drawn.lock() {
            Ok(mut drawn) => drawn.fill(bytes),
            Err(_) => aws_lc_rs::rand::fill(bytes).is_ok(),
        };
        Self { name: Arc::new(name), ..Self::new(now, |bytes| aws_lc_rs::rand::fill(bytes).is_ok()) }
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Random bytes that are wiped when dropped.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn secret<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>, VaultError> {
        let mut bytes = Zeroizing::new([0; N]);
        if (self.fill)(bytes.as_mut()) { Ok(bytes) } else { Err(VaultError::Random) }
    }

    /// Random bytes for a name: what nobody can guess, and nothing is sealed with.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn name<const N: usize>(&self) -> Result<[u8; N], VaultError> {
        let mut bytes = [0; N];
        if (self.name)(&mut bytes) { Ok(bytes) } else { Err(VaultError::Random) }
    }

    /// A random id.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn random_id(&self) -> Result<Uuid, VaultError> {
        Ok(drawn_uuid(self.name::<16>()?))
    }

    /// An id that sorts by the moment it was made: for the vault's own use, never outside.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn ordered_id(&self) -> Result<Uuid, VaultError> {
        let millis = self.millis();
        let drawn = self.name::<10>()?;
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &drawn).into_uuid())
    }

    /// Milliseconds since 1970, for ids that are ordered by time.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.now().micros() / 1_000).unwrap_or_default()
    }

    /// An id for a ledger entry.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn entry_id(&self) -> Result<EntryId, VaultError> {
        Ok(EntryId::from_uuid(self.random_id()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn what_is_drawn_beforehand_is_given_once_and_wiped() {
        let (mut drawn, mut given) = (Drawn::NONE, HashSet::new());
        let sizes = || (1..=60).map(|n| n * 37);
        for size in sizes() {
            let mut into = vec![0; size];
            assert!(drawn.fill(&mut into));
            assert!(drawn.bytes[drawn.left..].iter().all(|byte| *byte == 0), "nothing of it stays here");
            given.extend(into.chunks_exact(16).map(<[u8]>::to_vec));
        }
        assert_eq!(given.len(), sizes().map(|size| size / 16).sum::<usize>(), "no sixteen bytes alike");
    }

    #[test]
    fn a_clock_that_is_set_back_stands_still_until_it_is_where_it_was() {
        let read = AtomicI64::new(0);
        let moments = [10, 20, 5, 19, 21].map(|second| Timestamp::from_micros(second * 1_000_000).unwrap());
        let clock = move || moments[usize::try_from(read.fetch_add(1, Ordering::Relaxed)).unwrap()];
        let sources = Sources::new(clock, |_| true);
        let seen: Vec<i64> = (0..5).map(|_| sources.now().seconds()).collect();
        assert_eq!(seen, [10, 20, 20, 20, 21]);
    }
}
