//! A wider value for one that is too precise: a year for a date of birth, four digits for a postcode.
//!
//! A value is only widened when it is read without doubt; else there is no wider value and the caller replaces it.

use super::fold::fold;
use crate::model::EntityType;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The wider value. `None` for a type that has none, and for a value that is not understood.
///
/// | type | wider value |
/// |---|---|
/// | `DATE_OF_BIRTH` | the year: `1985` |
/// | `DATE_TIME` | the month: `2026-05`; a year when only that is given |
/// | `AGE` | ten years: `30-39` |
/// | `NL_POSTCODE`, an `ADDRESS` with a postcode | the four digits: `1234` |
/// | `UK_POSTCODE` | the outward code: `SW1A` |
/// | `GEO_COORDINATES` in decimals | cut to one decimal, some ten kilometres: `52.0, 5.1` |
/// | `IP_ADDRESS` | the network: `192.0.0.0/16`, `2001:db8:1::/48` |
#[must_use]
pub fn generalise(entity: &EntityType, value: &str) -> Option<String> {
    let value = fold(value).text;
    match entity.as_str() {
        "DATE_OF_BIRTH" => year(&value).map(|year| year.to_string()),
        "DATE_TIME" => month(&value),
        "AGE" => decade(&value),
        "NL_POSTCODE" | "ADDRESS" => postcode_area(&value),
        "UK_POSTCODE" => outward_code(&value),
        "GEO_COORDINATES" => square(&value),
        "IP_ADDRESS" => network(&value),
        _ => None,
    }
}

/// A run of ASCII digits: its number, how many digits, what follows.
struct Digits<'t> {
    number: u32,
    count: usize,
    after: &'t str,
}

/// The runs of at most eight digits. A longer one is no date, age or postcode, and makes `None` of the whole.
fn digits(text: &str) -> Option<Vec<Digits<'_>>> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let from = rest.get(start..)?;
        let count = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (run, after) = from.split_at(count);
        if count > 8 {
            return None;
        }
        runs.push(Digits { number: run.parse().ok()?, count, after });
        rest = after;
    }
    Some(runs)
}

fn is_year(run: &Digits<'_>) -> bool {
    run.count == 4 && (1850..=2150).contains(&run.number)
}

/// The one year of four digits; of two digits it would be a guess which century.
fn year(text: &str) -> Option<u32> {
    let runs = digits(text)?;
    let mut years = runs.iter().filter(|run| is_year(run));
    let year = years.next()?;
    years.next().is_none().then_some(year.number)
}

/// Year and month of `2026-05-04…`, `4-5-2026…` (day first, as in Dutch) or `4 mei 2026`.
fn month(text: &str) -> Option<String> {
    let runs = digits(text)?;
    let year = year(text)?;
    let named = text.split(|c: char| !c.is_ascii_lowercase()).find_map(month_named);
    let number = match (named, runs.as_slice()) {
        (Some(named), _) => named,
        (None, [only]) if is_year(only) => return Some(year.to_string()),
        (None, [first, second, _, ..]) if is_year(first) => second.number,
        (None, [first, second, third, ..]) if is_year(third) && first.number <= 31 => second.number,
        _ => return None,
    };
    (1..=12).contains(&number).then(|| format!("{year}-{number:02}"))
}

/// The month of a word: Dutch or English, whole or cut to three letters.
fn month_named(word: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &["januari", "january", "jan"],
        &["februari", "february", "feb"],
        &["maart", "march", "mrt", "mar"],
        &["april", "apr"],
        &["mei", "may"],
        &["juni", "june", "jun"],
        &["juli", "july", "jul"],
        &["augustus", "august", "aug"],
        &["september", "sept", "sep"],
        &["oktober", "october", "okt", "oct"],
        &["november", "nov"],
        &["december", "dec"],
    ];
    (1..).zip(MONTHS).find(|(_, names)| names.contains(&word)).map(|(number, _)| number)
}

/// `30-39` for the one number of an age in years.
fn decade(text: &str) -> Option<String> {
    let not_in_years = ["dag", "week", "wek", "maand", "day", "month", "mnd"];
    let runs = digits(text)?;
    let [age] = runs.as_slice() else { return None };
    let in_years = age.number < 130 && !not_in_years.iter().any(|word| text.contains(word));
    let from = age.number / 10 * 10;
    in_years.then(|| format!("{from}-{}", from + 9))
}

/// The digits of the one `1234 ab` in a text, or of a bare `1234`.
fn postcode_area(text: &str) -> Option<String> {
    let letters = |after: &str| {
        let after = after.trim_start_matches([' ', '\u{a0}']);
        let count = after.chars().take_while(char::is_ascii_lowercase).count();
        count == 2 && !after.chars().nth(2).is_some_and(char::is_alphanumeric)
    };
    let runs = digits(text)?;
    let area = |run: &&Digits<'_>| run.count == 4 && run.number >= 1_000;
    let bare = matches!(runs.as_slice(), [only] if only.after.is_empty() && text.len() == 4);
    let mut areas = runs.iter().filter(area).filter(|run| bare || letters(run.after));
    let found = areas.next()?;
    areas.next().is_none().then(|| found.number.to_string())
}

/// The first part of a British postcode, in capitals.
fn outward_code(text: &str) -> Option<String> {
    let code: String = text.split_whitespace().collect();
    let (outward, inward) = code.split_at_checked(code.len().checked_sub(3)?)?;
    let shaped = matches!(inward.as_bytes(), [n, a, b] if n.is_ascii_digit() && a.is_ascii_lowercase() && b.is_ascii_lowercase());
    let fits = shaped
        && (2..=4).contains(&outward.len())
        && outward.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| outward.to_ascii_uppercase())
}

/// Two decimal degrees cut to one decimal each; `None` with letters or degree signs, which change their meaning.
fn square(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ',' | ';' | '/' | ' ');
    let runs = digits(text)?;
    let ([latitude, north, longitude, east], true) = (runs.as_slice(), text.chars().all(plain)) else {
        return None;
    };
    let cut = |whole: &Digits<'_>, decimals: &Digits<'_>| {
        let start = text.len() - whole.after.len() - whole.count;
        let minus = if text.get(..start)?.ends_with('-') { "-" } else { "" };
        let next = whole.after.strip_prefix(['.', ','])?.chars().next().filter(char::is_ascii_digit)?;
        (whole.count <= 3 && decimals.count >= 2).then(|| format!("{minus}{}.{next}", whole.number))
    };
    Some(format!("{}, {}", cut(latitude, north)?, cut(longitude, east)?))
}

/// The network of an address: /16, or /48 for version 6.
fn network(text: &str) -> Option<String> {
    let address = text.trim_matches(['[', ']']).split('/').next()?;
    Some(match address.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            format!("{}/16", Ipv4Addr::new(a, b, 0, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_becomes_a_wider_one_or_none() {
        let table: &[(&str, &str, Option<&str>)] = &[
            ("DATE_OF_BIRTH", "12-03-1985", Some("1985")),
            ("DATE_OF_BIRTH", "1985-03-12", Some("1985")),
            ("DATE_OF_BIRTH", "12 maart 1985", Some("1985")),
            ("DATE_OF_BIRTH", "１２-０３-１９８５", Some("1985")),
            ("DATE_OF_BIRTH", "12-03-85", None),
            ("DATE_OF_BIRTH", "tussen 1985 en 1986", None),
            ("DATE_OF_BIRTH", "12031985", None),
            ("DATE_TIME", "2026-05-04T09:30:00Z", Some("2026-05")),
            ("DATE_TIME", "4-5-2026", Some("2026-05")),
            ("DATE_TIME", "4/13/2026", None),
            ("DATE_TIME", "4 MEI 2026", Some("2026-05")),
            ("DATE_TIME", "4 mrt. 2026 om 12:30", Some("2026-03")),
            ("DATE_TIME", "May 4, 2026", Some("2026-05")),
            ("DATE_TIME", "2026", Some("2026")),
            ("DATE_TIME", "4 mei", None),
            ("DATE_TIME", "gisteren", None),
            ("AGE", "34", Some("30-39")),
            ("AGE", "34 jaar", Some("30-39")),
            ("AGE", "9-jarige", Some("0-9")),
            ("AGE", "101 years old", Some("100-109")),
            ("AGE", "3 maanden", None),
            ("AGE", "34 of 35", None),
            ("AGE", "999", None),
            ("AGE", "dertien", None),
            ("NL_POSTCODE", "1234 AB", Some("1234")),
            ("NL_POSTCODE", "1234ab", Some("1234")),
            ("NL_POSTCODE", "1234", Some("1234")),
            ("NL_POSTCODE", "0234 AB", None),
            ("ADDRESS", "Dorpsstraat 1200, 1234 AB Utrecht", Some("1234")),
            ("ADDRESS", "Dorpsstraat 1200", None),
            ("ADDRESS", "Dorpsstraat 1200 bis, Utrecht", None),
            ("IP_ADDRESS", "192.0.2.44", Some("192.0.0.0/16")),
            ("IP_ADDRESS", "2001:DB8:1:2::7", Some("2001:db8:1::/48")),
            ("IP_ADDRESS", "::ffff:192.0.2.44", Some("192.0.0.0/16")),
            ("IP_ADDRESS", "[2001:db8:1:2::7]", Some("2001:db8:1::/48")),
            ("IP_ADDRESS", "999.0.2.44", None),
            ("UK_POSTCODE", "sw1a 1aa", Some("SW1A")),
            ("UK_POSTCODE", "M11AE", Some("M1")),
            ("UK_POSTCODE", "SW1A", None),
            ("UK_POSTCODE", "1aa", None),
            ("GEO_COORDINATES", "52.0907, -5.1214", Some("52.0, -5.1")),
            ("GEO_COORDINATES", "52,0907 5,1214", Some("52.0, 5.1")),
            ("GEO_COORDINATES", "52.0907 N, 5.1214 E", None),
            ("GEO_COORDINATES", "52°05'26\"N 5°07'17\"E", None),
            ("GEO_COORDINATES", "52.0907", None),
            ("PERSON", "Jan Vos 1985", None),
            ("NL_BSN", "111222333", None),
        ];
        for (entity, value, expected) in table {
            assert_eq!(generalise(&entity.parse().unwrap(), value).as_deref(), *expected, "{entity} {value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_a_wider_value_is_short(value in ".{0,40}|[0-9 :./,a-f-]{0,30}", n in 0_usize..8) {
            let types = ["DATE_OF_BIRTH", "DATE_TIME", "AGE", "NL_POSTCODE", "ADDRESS", "IP_ADDRESS", "UK_POSTCODE", "GEO_COORDINATES"];
            if let Some(wider) = generalise(&types[n].parse().unwrap(), &value) {
                prop_assert!(wider.len() <= 18, "{}", wider);
            }
        }
    }
}
