//! Office-holders by name, with the terms in which they held office.
//!
//! A name alone proves nothing: a citizen may bear it too. The list says whether an office named beside the name was held on the
//! day of the post: within the term an office nearby is enough (`Jan Voorbeeld, wethouder in Utrecht`), outside of it even
//! `wethouder Jan Voorbeeld` is a person like any other.

use super::words::{Keyed, Word, join, words};
use jiff::civil::Date;

/// The terms of office-holders, by name. Holds hashes, no names.
#[derive(Default)]
pub(super) struct Officials {
    whole: Keyed<Vec<Term>>,
    /// By the surname with its tussenvoegsels.
    surname: Keyed<Vec<Term>>,
}

#[derive(Clone, Copy)]
struct Term {
    from: Date,
    /// The last day; none while it runs.
    until: Option<Date>,
}

/// What the list says of a name on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not in the list.
    Unlisted,
    /// Held an office: known by the whole name, or by the surname only.
    InOffice { whole: bool },
    /// In the list, but not on that day.
    OutOfOffice,
}

impl Officials {
    /// Adds a line of the list: name; first day; last day, which may be left out while the term runs.
    ///
    /// # Errors
    /// What is wrong with the line, and how to write it.
    pub(super) fn add(&mut self, line: &str) -> Result<(), String> {
        let mut fields = line.split(';').map(str::trim);
        let name = words(fields.next().unwrap_or(""));
        let from = day(fields.next().unwrap_or(""))?;
        let until = fields.next().filter(|field| !field.is_empty()).map(day).transpose()?;
        let [_, surname @ ..] = name.as_slice() else {
            return Err(HOW.to_owned());
        };
        if fields.next().is_some() || surname.is_empty() {
            return Err(HOW.to_owned());
        }
        if until.is_some_and(|until| until < from) {
            return Err("the last day lies before the first".to_owned());
        }
        let term = Term { from, until };
        for (map, parts) in [(&mut self.whole, name.as_slice()), (&mut self.surname, surname)] {
            if let Some(key) = key(parts) {
                map.entry(key).or_default().push(term);
            }
        }
        Ok(())
    }

    /// What the list says of the words of a name on a day. Without a day only terms that still run count.
    pub(super) fn standing(&self, name: &[Word], on: Option<Date>) -> Standing {
        let Some(key) = key(name) else { return Standing::Unlisted };
        let held = |terms: &Vec<Term>| terms.iter().any(|term| term.holds(on));
        match (self.whole.get(&key).map(held), self.surname.get(&key).map(held)) {
            (Some(true), _) => Standing::InOffice { whole: true },
            (_, Some(true)) => Standing::InOffice { whole: false },
            (None, None) => Standing::Unlisted,
            _ => Standing::OutOfOffice,
        }
    }
}

impl Term {
    fn holds(self, on: Option<Date>) -> bool {
        match on {
            Some(day) => self.from <= day && self.until.is_none_or(|until| day <= until),
            None => self.until.is_none(),
        }
    }
}

const HOW: &str = "write first name and surname, the first day and the last day if there is one, such as \
                   `Jan Voorbeeld; 2022-05-18; 2026-03-31`";

fn day(field: &str) -> Result<Date, String> {
    field.parse().map_err(|_| HOW.to_owned())
}

fn key(parts: &[Word]) -> Option<u64> {
    parts.iter().map(|word| word.hash).reduce(join)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: &str) -> Option<Date> {
        Some(day.parse().unwrap())
    }

    #[test]
    fn a_term_counts_on_its_days() {
        let mut list = Officials::default();
        list.add("Jan van Voorbeeld; 2022-05-18; 2026-03-31").unwrap();
        list.add("Els Testens; 2024-01-01").unwrap();
        let of = |name: &str, day| list.standing(&words(name), day);
        assert_eq!(of("JAN VAN VOORBEELD", on("2022-05-18")), Standing::InOffice { whole: true });
        assert_eq!(of("Van Voorbeeld", on("2026-03-31")), Standing::InOffice { whole: false });
        assert_eq!(of("Jan van Voorbeeld", on("2026-04-01")), Standing::OutOfOffice);
        assert_eq!(of("Jan van Voorbeeld", None), Standing::OutOfOffice);
        assert_eq!(of("Els Testens", None), Standing::InOffice { whole: true });
        assert_eq!(of("Els Testen", None), Standing::Unlisted);
        assert_eq!(of("", None), Standing::Unlisted);
    }

    #[test]
    fn a_bad_line_says_how_to_write_it() {
        let mut list = Officials::default();
        for line in
            ["Jan; 2022-05-18", "Jan Voorbeeld", "Jan Voorbeeld; gisteren", "Jan Voorbeeld; 2022-05-18; ; 4"]
        {
            assert!(list.add(line).unwrap_err().contains("Voorbeeld; 2022"), "{line}");
        }
        assert!(list.add("Jan Voorbeeld; 2022-05-18; 2021-05-18").unwrap_err().contains("before"));
    }
}
