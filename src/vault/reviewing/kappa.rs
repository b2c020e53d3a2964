//! Agreement of two judges over categories: percent agreement, and Cohen's kappa with its interval.
//!
//! J. Cohen, *A coefficient of agreement for nominal scales*, Educational and Psychological Measurement 20 (1960): kappa is
//! (p₀ − pₑ) / (1 − pₑ), its standard error √(p₀(1 − p₀) / (n(1 − pₑ)²)); the interval is 1.96 of those to each side.

use std::collections::{BTreeMap, BTreeSet};

/// How often one said this and the other that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion(BTreeMap<(String, String), u64>);

/// How well two judges agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// How many they judged both.
    pub n: u64,
    /// On how many of these they said the same.
    pub same: u64,
    /// Of these, the part on which they said the same, from 0 to 1.
    pub observed: f64,
    /// Kappa; none when chance alone would have them agree on everything.
    pub kappa: Option<f64>,
    /// The interval of 95 percent around it.
    pub interval: Option<(f64, f64)>,
}

impl Confusion {
    /// Counts `n` things of which one said this and the other that.
    pub fn add(&mut self, one: &str, other: &str, n: u64) {
        *self.0.entry((one.to_owned(), other.to_owned())).or_default() += n;
    }

    /// Each pair with how often it was said.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.0.iter().map(|((one, other), n)| (one.as_str(), other.as_str(), *n))
    }

    /// How well the two agree; none when they judged nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of judgements are far below 2^52")]
    pub fn agreement(&self) -> Option<Agreement> {
        let n: u64 = self.0.values().sum();
        if n == 0 {
            return None;
        }
        let total = n as f64;
        let same: u64 = self.cells().filter(|(one, other, _)| one == other).map(|(.., n)| n).sum();
        let categories: BTreeSet<&str> = self.cells().flat_map(|(one, other, _)| [one, other]).collect();
        let part = |of: &dyn Fn(&(&str, &str, u64)) -> bool| {
            self.cells().filter(of).map(|(.., n)| n).sum::<u64>() as f64 / total
        };
        let chance: f64 = categories
            .iter()
            .map(|category| part(&|cell| cell.0 == *category) * part(&|cell| cell.1 == *category))
            .sum();
        let observed = same as f64 / total;
        let left = 1.0 - chance;
        let (kappa, interval) = if left < 1e-9 {
            (None, None)
        } else {
            let kappa = (observed - chance) / left;
            let error = (observed * (1.0 - observed) / (total * left * left)).sqrt();
            let bound = |at: f64| at.clamp(-1.0, 1.0);
            (Some(kappa), Some((bound(kappa - Z * error), bound(kappa + Z * error))))
        };
        Some(Agreement { n, same, observed, kappa, interval })
    }
}

/// Standard errors to each side of an interval of 95 percent.
const Z: f64 = 1.96;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[(&str, &str, u64)]) -> Agreement {
        let mut confusion = Confusion::default();
        cells.iter().for_each(|(one, other, n)| confusion.add(one, other, *n));
        confusion.agreement().unwrap()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-4
    }

    #[test]
    fn kappa_is_that_of_the_text_books() {
        // The usual worked example: 20 and 15 alike, 5 and 10 not; p0 = 0.7, pe = 0.5, kappa = 0.4.
        let known = of(&[("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15)]);
        assert!(near(known.observed, 0.7) && near(known.kappa.unwrap(), 0.4), "{known:?}");
        let (low, high) = known.interval.unwrap();
        assert!(near(low, 0.146) && near(high, 0.654), "{known:?}");
        let all = of(&[("yes", "yes", 5), ("no", "no", 5)]);
        assert_eq!((all.kappa, all.interval), (Some(1.0), Some((1.0, 1.0))));
        // By chance: as if the second had thrown a coin.
        let chance = of(&[("yes", "yes", 25), ("yes", "no", 25), ("no", "yes", 25), ("no", "no", 25)]);
        assert!(near(chance.kappa.unwrap(), 0.0));
        let three = of(&[("yes", "yes", 10), ("no", "no", 10), ("unsure", "no", 10)]);
        assert!(near(three.observed, 0.6667) && near(three.kappa.unwrap(), 0.5), "{three:?}");
    }

    #[test]
    fn where_chance_explains_everything_there_is_no_kappa() {
        let only = of(&[("yes", "yes", 9)]);
        assert_eq!((only.n, only.observed, only.kappa, only.interval), (9, 1.0, None, None));
        assert_eq!(Confusion::default().agreement(), None);
    }
}
