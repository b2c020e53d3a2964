//! Days, as they are compared: text of one fixed form.

use super::ModelError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A day, `2026-05-04`, and no other way to write it. Days are stored and compared as text, which is their order in this form only:
/// `20260504` would stand behind every day of its year.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(String);

impl Day {
    /// The day as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Day {
    type Err = ModelError;
    fn from_str(given: &str) -> Result<Self, ModelError> {
        let read = day(given).map(|day| Self(day.to_string()));
        read.ok_or_else(|| ModelError::Day { given: given.chars().take(40).collect() })
    }
}

/// A day as Knik writes it, `2026-05-04`, and in no other form: what is kept as text is compared as text too, and `20260504` would
/// stand behind every day of that year.
#[must_use]
pub fn day(given: &str) -> Option<jiff::civil::Date> {
    given.parse::<jiff::civil::Date>().ok().filter(|day| given.len() == 10 && day.to_string() == given)
}

impl TryFrom<String> for Day {
    type Error = ModelError;
    fn try_from(given: String) -> Result<Self, ModelError> {
        given.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A day of a selection, as it was written. What is none is kept: so that it is told with everything else that is wrong, and because
/// selections from before days had one form are stored. Nothing is on such a day, before it or after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum WrittenDay {
    /// A day.
    Day(Day),
    /// Something else.
    Other(String),
}

impl WrittenDay {
    /// The day; `None` when it is none.
    #[must_use]
    pub const fn day(&self) -> Option<&Day> {
        match self {
            Self::Day(day) => Some(day),
            Self::Other(_) => None,
        }
    }
}

impl From<Day> for WrittenDay {
    fn from(day: Day) -> Self {
        Self::Day(day)
    }
}

impl From<String> for WrittenDay {
    fn from(given: String) -> Self {
        given.parse().map_or(Self::Other(given), Self::Day)
    }
}

impl From<WrittenDay> for String {
    fn from(written: WrittenDay) -> Self {
        match written {
            WrittenDay::Day(day) => day.into(),
            WrittenDay::Other(given) => given,
        }
    }
}

impl fmt::Display for WrittenDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Other(given) => f.write_str(given),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_form() {
        let day: Day = "2026-05-04".parse().unwrap();
        assert_eq!((day.as_str(), day.to_string()), ("2026-05-04", "2026-05-04".to_owned()));
        assert_eq!(serde_json::from_str::<Day>("\"2026-05-04\"").unwrap(), day);
        for other in [
            "",
            "20260504",
            "2026-5-4",
            "2026-05-04T00:00:00",
            "2026-05-04 00:00",
            "2026-05-04[u-ca=iso8601]",
            "+002026-05-04",
            "-002026-05-04",
            " 2026-05-04",
            "2026-02-30",
            "2026-W19-1",
            "gisteren",
        ] {
            let refused = other.parse::<Day>().unwrap_err().to_string();
            assert!(refused.contains("2026-05-04"), "{other}: {refused}");
            assert!(serde_json::from_value::<Day>(other.into()).is_err(), "{other}");
            let written = WrittenDay::from(other.to_owned());
            assert_eq!((written.day(), written.to_string()), (None, other.to_owned()));
        }
    }
}
