//! Time and chance, given from outside.

use super::VaultError;
use super::sealing::drawn_uuid;
use crate::ledger::EntryId;
use crate::model::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;
use zeroize::Zeroizing;

type Now = dyn Fn() -> Timestamp + Send + Sync;
type Fill = dyn Fn(&mut [u8]) -> bool + Send + Sync;

/// A clock and a source of random bytes. Cloning shares them.
#[derive(Clone)]
pub struct Sources {
    now: Arc<Now>,
    fill: Arc<Fill>,
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
        Self { now: Arc::new(forward), fill: Arc::new(fill) }
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
        Self::new(now, |bytes| aws_lc_rs::rand::fill(bytes).is_ok())
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

    /// A random id.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn random_id(&self) -> Result<Uuid, VaultError> {
        Ok(drawn_uuid(*self.secret::<16>()?))
    }

    /// An id that sorts by the moment it was made: for the vault's own use, never outside.
    ///
    /// # Errors
    /// [`VaultError::Random`].
    pub fn ordered_id(&self) -> Result<Uuid, VaultError> {
        let millis = self.millis();
        let drawn = *self.secret::<10>()?;
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
