//! Times as exports write them: without a zone, to the day or minute, in Dutch or English words.
//!
//! A time that does not exist (30 February) or says too little (no year) is none. The moment is given together
//! with what was stated, so that nobody takes a guessed zone for a fact.

use super::item::{Precision, StatedTime, StatedZone};
use crate::model::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};

/// How to read what a time leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habit {
    /// The zone of a time that names none.
    pub(super) zone: StatedZone,
    /// Whether `5/4/2026` is the fourth of May.
    pub(super) month_first: bool,
}

/// Longer texts are no times.
const LENGTH_MAX: usize = 64;

/// Reads a time in any of the forms that exports use.
pub(super) fn read(text: &str, habit: Habit) -> Option<(Timestamp, StatedTime)> {
    let text = text.trim();
    if text.is_empty() || text.len() > LENGTH_MAX {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let at = epoch(text)?;
        return Some((at, StatedTime { precision: Precision::Second, zone: StatedZone::Stated }));
    }
    let lower = text.to_lowercase();
    let mut reading = Reading::default();
    reading.take(&lower)?;
    reading.moment(habit)
}

/// Seconds, milliseconds or microseconds since 1970, told apart by their length.
pub(super) fn epoch(digits: &str) -> Option<Timestamp> {
    let number: i64 = digits.parse().ok()?;
    let factor = match digits.trim_start_matches('-').len() {
        0..=11 => 1_000_000,
        12..=14 => 1_000,
        _ => 1,
    };
    Timestamp::from_micros(number.checked_mul(factor)?)
}

/// What was found of a time so far.
#[derive(Default)]
struct Reading {
    /// Numbers of the date, with how many digits each has.
    numbers: Vec<(i16, usize)>,
    month: Option<i8>,
    /// How many numbers stood before the month's name.
    before_month: usize,
    clock: Option<Clock>,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

#[derive(Clone, Copy, Default)]
struct Clock {
    hour: i8,
    minute: i8,
    second: Option<i8>,
    nanos: i32,
}

impl Reading {
    fn take(&mut self, text: &str) -> Option<()> {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let tail = if first.is_ascii_digit() {
                self.number(rest)?
            } else if first.is_alphabetic() {
                let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
                let (word, tail) = rest.split_at(end);
                self.word(word)?;
                tail
            } else if matches!(first, '+' | '-' | '\u{2212}') && self.clock.is_some() && self.offset.is_none()
            {
                self.offset(rest)?
            } else {
                let separates =
                    first.is_whitespace() || matches!(first, '-' | '/' | '.' | ',' | '(' | ')' | '\'');
                separates.then(|| rest.get(first.len_utf8()..).unwrap_or_default())?
            };
            rest = tail;
        }
        Some(())
    }

    /// A number of the date, or the clock.
    fn number<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (digits, rest) = digits(text);
        if let Some(minutes) = rest.strip_prefix(':')
            && self.clock.is_none()
        {
            return self.clock(digits, minutes);
        }
        self.numbers.push((digits.parse().ok()?, digits.len()));
        (self.numbers.len() <= 3).then_some(rest)
    }

    fn clock<'t>(&mut self, hour: &str, rest: &'t str) -> Option<&'t str> {
        let (minute, mut rest) = digits(rest);
        let mut clock = Clock { hour: hour.parse().ok()?, minute: minute.parse().ok()?, ..Clock::default() };
        if let Some(seconds) = rest.strip_prefix(':') {
            let (second, tail) = digits(seconds);
            clock.second = Some(second.parse().ok()?);
            rest = tail;
            let fraction =
                rest.strip_prefix(['.', ',']).filter(|f| f.starts_with(|c: char| c.is_ascii_digit()));
            if let Some(fraction) = fraction {
                let (fraction, tail) = digits(fraction);
                let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
                clock.nanos = nanos.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
                rest = tail;
            }
        }
        self.clock = Some(clock);
        Some(rest)
    }

    fn offset<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let sign = if text.starts_with('+') { 1 } else { -1 };
        let rest = text.trim_start_matches(['+', '-', '\u{2212}']);
        let (first, mut rest) = digits(rest);
        let (hours, minutes) = match (first.len(), rest.strip_prefix(':')) {
            (1 | 2, Some(tail)) => {
                let (minutes, tail) = digits(tail);
                rest = tail;
                (first, minutes)
            }
            (4, _) => first.split_at_checked(2)?,
            (1 | 2, None) => (first, "0"),
            _ => return None,
        };
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        // No zone is further off; this also keeps the sum small.
        if hours > 26 || minutes > 59 {
            return None;
        }
        self.offset = Some(sign * (hours * 3600 + minutes * 60));
        Some(rest)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        if let Some(month) = month(word) {
            self.before_month = self.numbers.len();
            return self.month.replace(month).is_none().then_some(());
        }
        match word {
            "z" | "utc" | "gmt" => self.offset = Some(0),
            "cet" => self.offset = Some(3600),
            "cest" => self.offset = Some(7200),
            "am" | "a" => self.half(false)?,
            "pm" | "p" => self.half(true)?,
            // `T` between day and clock, `4.30 p.m.`, `om 14:30 uur`, days of the week.
            "t" | "m" | "om" | "at" | "uur" | "u" | "de" | "h" | "the" => {}
            _ if weekday(word) => {}
            _ => return None,
        }
        Some(())
    }

    fn half(&mut self, afternoon: bool) -> Option<()> {
        let clock = self.clock.as_mut()?;
        if !(1..=12).contains(&clock.hour) {
            return None;
        }
        clock.hour = clock.hour % 12 + if afternoon { 12 } else { 0 };
        Some(())
    }

    fn date(&self, month_first: bool) -> Option<Date> {
        let year = |(number, digits): (i16, usize)| match digits {
            4 => Some(number),
            2 => Some(2000 + number),
            _ => None,
        };
        let small =
            |(number, digits): (i16, usize)| (digits <= 2).then(|| i8::try_from(number).ok()).flatten();
        let (y, m, d) = match (self.month, self.numbers.as_slice()) {
            (Some(month), [first @ (_, 4), second]) => (year(*first)?, month, small(*second)?),
            (Some(month), [day, last]) => (year(*last)?, month, small(*day)?),
            (None, [first @ (_, 4), month, day]) => (year(*first)?, small(*month)?, small(*day)?),
            (None, [month, day, last]) if month_first => (year(*last)?, small(*month)?, small(*day)?),
            (None, [day, month, last]) => (year(*last)?, small(*month)?, small(*day)?),
            _ => return None,
        };
        Date::new(y, m, d).ok()
    }

    fn moment(&self, habit: Habit) -> Option<(Timestamp, StatedTime)> {
        let date = self.date(habit.month_first)?;
        let clock = self.clock.unwrap_or_default();
        let time = Time::new(clock.hour, clock.minute, clock.second.unwrap_or(0), clock.nanos).ok()?;
        let local = DateTime::from_parts(date, time);
        let (seconds, zone) = match self.offset {
            Some(seconds) => (seconds, StatedZone::Stated),
            None if habit.zone == StatedZone::AssumedDutch => (dutch_offset(local)?, habit.zone),
            None => (0, StatedZone::AssumedUtc),
        };
        let since = local.duration_since(Date::constant(1970, 1, 1).at(0, 0, 0, 0)).as_micros();
        let micros = i64::try_from(since).ok()?.checked_sub(i64::from(seconds) * 1_000_000)?;
        let precision = match self.clock {
            None => Precision::Day,
            Some(Clock { second: None, .. }) => Precision::Minute,
            Some(_) => Precision::Second,
        };
        let at = Timestamp::from_micros(micros)?;
        Some((at, StatedTime { precision, zone }))
    }
}

/// Seconds east of Greenwich of the clock in the Netherlands, by the rule of directive 2000/84/EC: summer time
/// from the last Sunday of March to the last of October, changed at 01:00 UTC. The hour that comes twice is
/// read as the first.
fn dutch_offset(local: DateTime) -> Option<i32> {
    let change = |month: i8, hour: i8| {
        let first = Date::new(local.year(), month, 1).ok()?;
        Some(first.nth_weekday_of_month(-1, Weekday::Sunday).ok()?.at(hour, 0, 0, 0))
    };
    let summer = (change(3, 2)?..change(10, 3)?).contains(&local);
    Some(if summer { 7200 } else { 3600 })
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "januari", "january"],
        &["feb", "febr", "februari", "february"],
        &["mrt", "maart", "mar", "march"],
        &["apr", "april"],
        &["mei", "may"],
        &["jun", "juni", "june"],
        &["jul", "juli", "july"],
        &["aug", "augustus", "august"],
        &["sep", "sept", "september"],
        &["okt", "oktober", "oct", "october"],
        &["nov", "november"],
        &["dec", "december"],
    ];
    (1..).zip(MONTHS).find(|(_, names)| names.contains(&word)).map(|(number, _)| number)
}

fn weekday(word: &str) -> bool {
    const DAYS: [&str; 28] = [
        "ma",
        "di",
        "wo",
        "do",
        "vr",
        "za",
        "zo",
        "maandag",
        "dinsdag",
        "woensdag",
        "donderdag",
        "vrijdag",
        "zaterdag",
        "zondag",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    DAYS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUTCH: Habit = Habit { zone: StatedZone::AssumedDutch, month_first: false };
    const UTC: Habit = Habit { zone: StatedZone::AssumedUtc, month_first: true };

    #[test]
    fn forms_that_exports_use() {
        for (text, habit, moment) in [
            ("Sat Sep 10 01:52:13 +0000 2022", UTC, "2022-09-10T01:52:13Z"),
            ("2013-04-01 00:00:00 +0000", UTC, "2013-04-01T00:00:00Z"),
            ("2026-05-04T11:30:00.25+02:00", UTC, "2026-05-04T09:30:00.25Z"),
            ("2025-01-03 10:00:00 UTC", UTC, "2025-01-03T10:00:00Z"),
            ("1/3/20, 4:05 PM", UTC, "2020-01-03T16:05:00Z"),
            ("May 12, 2026 12:30 AM", UTC, "2026-05-12T00:30:00Z"),
            ("4-5-2026 11:30", DUTCH, "2026-05-04T09:30:00Z"),
            ("04/12/2026", DUTCH, "2026-12-03T23:00:00Z"),
            ("ma 4 mei 2026 om 11:30 uur", DUTCH, "2026-05-04T09:30:00Z"),
            ("12 mrt. 2026, 14:30:01", DUTCH, "2026-03-12T13:30:01Z"),
            ("29-03-2026 01:59", DUTCH, "2026-03-29T00:59:00Z"),
            ("29-03-2026 03:00", DUTCH, "2026-03-29T01:00:00Z"),
            ("25-10-2026 02:30", DUTCH, "2026-10-25T00:30:00Z"),
            ("25-10-2026 03:00", DUTCH, "2026-10-25T02:00:00Z"),
            ("1612107123", DUTCH, "2021-01-31T15:32:03Z"),
            ("1612107123004", DUTCH, "2021-01-31T15:32:03.004Z"),
        ] {
            let read = read(text, habit).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.0.to_string(), moment, "{text}");
        }
    }

    #[test]
    fn what_was_stated_stays_known() {
        let stated = |text| read(text, DUTCH).map(|(_, stated)| (stated.precision, stated.zone));
        assert_eq!(stated("4-5-2026"), Some((Precision::Day, StatedZone::AssumedDutch)));
        assert_eq!(stated("4-5-2026 11:30"), Some((Precision::Minute, StatedZone::AssumedDutch)));
        assert_eq!(stated("4-5-2026 11:30:00 CET"), Some((Precision::Second, StatedZone::Stated)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "gisteren",
            "2026-02-30 10:00:00",
            "31-4-2026",
            "13:00",
            "mei 2026",
            "4 mei",
            "99999999999999999999",
            "1-2-3-4",
            "2026-01-01 25:00",
            "2026-01-01 10:00 +99:99",
            "1:2:3:4",
            "2026-01-01 13:00 PM",
            "é",
            "+1",
            "::",
            "4 mei 2026 mei",
        ] {
            assert_eq!(read(text, DUTCH), None, "{text}");
        }
    }
}
