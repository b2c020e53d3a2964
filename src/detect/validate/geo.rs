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

/// Degrees stand before a degree sign; the other numbers are minutes and seconds. Both places have a fraction or minutes.
fn degrees(candidate: &str) -> bool {
    let mut limits = [90, 180].into_iter();
    let mut exact = 0;
    let mut rest = candidate;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let run = rest.get(start..).unwrap_or("");
        let whole = run.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        let after = run.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        let fraction = run.len() - after.len() > whole.len() + 1;
        let degree = after.trim_start().starts_with(['°', 'º']);
        let most = if degree { limits.next().unwrap_or(0) } else { 59 };
        if !below(whole, most) {
            return false;
        }
        exact += usize::from(fraction || !degree);
        rest = after;
    }
    limits.next().is_none() && exact >= 2
}
