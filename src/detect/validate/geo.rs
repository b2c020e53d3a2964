//! Places on the globe, as pairs of numbers.

use super::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "geo-decimal",
        about: "latitude to 90 and longitude to 180 degrees, each with three decimals at least (WGS 84)",
        accepts: decimal,
    },
    Check {
        name: "geo-degrees",
        about: "latitude to 90 and longitude to 180 degrees, minutes and seconds below 60 (ISO 6709)",
        accepts: degrees,
    },
    Check {
        name: "geo-rd",
        about: "x and y of the Dutch grid, in metres or with decimals (Rijksdriehoeksmeting)",
        accepts: rijksdriehoek,
    },
];

fn runs(candidate: &str) -> impl Iterator<Item = &str> {
    candidate.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
}

fn decimal(candidate: &str) -> bool {
    let parts: Vec<&str> = runs(candidate).collect();
    let [latitude, north, longitude, east] = parts.as_slice() else { return false };
    below(latitude, 90) && below(longitude, 180) && north.len() >= 3 && east.len() >= 3
}

fn below(number: &str, most: u32) -> bool {
    number.parse::<u32>().is_ok_and(|n| n <= most)
}

/// Degrees stand before a degree sign or the letter `d`; the other numbers before a decimal mark are minutes and seconds.
fn degrees(candidate: &str) -> bool {
    let mut limits = [90, 180].into_iter();
    let mut rest = candidate;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let run = rest.get(start..).unwrap_or("");
        let length = run.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = run.split_at_checked(length).unwrap_or((run, ""));
        let fraction = rest.get(..start).is_some_and(|before| before.ends_with(['.', ',']));
        let most = match tail.chars().next() {
            Some('°' | 'º' | 'd') => limits.next().unwrap_or(0),
            _ => 59,
        };
        if !fraction && !below(number, most) {
            return false;
        }
        rest = tail;
    }
    limits.next().is_none()
}

fn rijksdriehoek(candidate: &str) -> bool {
    let metres: Vec<u32> = runs(candidate).filter(|r| r.len() > 4).filter_map(|r| r.parse().ok()).collect();
    matches!(metres.as_slice(), [x, y] if (7_000..=300_000).contains(x) && (289_000..=629_000).contains(y))
}
