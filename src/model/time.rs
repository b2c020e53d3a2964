//! Moments, always UTC.

use super::ModelError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A moment in UTC with microsecond precision, as stored. Read from RFC 3339, written with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// From microseconds since 1970; `None` outside the years that can be written.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// The moment `seconds` later (earlier when negative), or the moment itself at the end of time.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.micros().saturating_add(seconds.saturating_mul(1_000_000))).unwrap_or(self)
    }

    /// This moment, or the one just after `earlier` when it is no later: what follows stays behind what it follows on, also when the
    /// clock went back.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        self.max(Self::from_micros(earlier.micros().saturating_add(1)).unwrap_or(earlier))
    }

    /// The day, `2026-05-04`: what a view shows instead of the exact time.
    #[must_use]
    pub fn day(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }

    /// The same as a date, in UTC.
    #[must_use]
    pub fn date(self) -> jiff::civil::Date {
        self.day().parse().unwrap_or(jiff::civil::Date::ZERO)
    }
}

impl FromStr for Timestamp {
    type Err = ModelError;
    fn from_str(given: &str) -> Result<Self, ModelError> {
        let at: jiff::Timestamp =
            given.parse().map_err(|_| ModelError::Time { given: given.chars().take(40).collect() })?;
        Self::from_micros(at.as_microsecond()).ok_or(ModelError::Time { given: String::new() })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_stays_behind_what_it_follows_on() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        assert_eq!(at(9).after(at(5)), at(9));
        assert_eq!(at(5).after(at(5)), at(6));
        assert_eq!(at(1).after(at(5)), at(6), "the clock went back");
    }

    #[test]
    fn a_time_keeps_its_microseconds_and_loses_its_zone() {
        let at: Timestamp = "2026-05-04T11:30:00.123456+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-05-04T09:30:00.123456Z");
        assert_eq!(Timestamp::from_micros(at.micros()), Some(at));
        assert_eq!(at.day(), "2026-05-04");
        assert!("gisteren".parse::<Timestamp>().is_err());
    }
}
