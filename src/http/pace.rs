//! How fast one person may ask: so many requests a minute, fewer of them searches.
//!
//! A person is an issuer's subject, whatever the role of the token. Each has an allowance of a minute's worth, which fills
//! again evenly (the generic cell rate algorithm: one moment a person and allowance is all that is kept). What is over
//! it is answered with 429 before anything is looked up. Counted in memory of one process: each plane counts for itself.

use super::problem::Problem;
use super::token::Claims;
use crate::config::Limits;
use crate::model::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// Anything.
    Something,
    /// A search, which counts as a request too.
    Search,
}

/// The allowances of everyone who asks one plane.
pub struct Pace {
    /// Between two requests and between two searches, in microseconds; 0 without a limit.
    steps: [i64; 2],
    /// When each person's allowances are full again, in microseconds since 1970.
    full_at: Mutex<HashMap<u64, [i64; 2]>>,
    /// Who they are is not kept, only where they stand in the map.
    names: RandomState,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

const MINUTE_MICROS: i64 = 60_000_000;

/// People in the map before those who have their whole allowance are left out of it.
const PEOPLE_MAX: usize = 50_000;

impl Pace {
    /// Allowances under this clock.
    pub fn new(limits: &Limits, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let step = |a_minute: u64| match i64::try_from(a_minute) {
            Ok(0) => 0,
            // More than one a microsecond is no limit either.
            Ok(count) => MINUTE_MICROS / count,
            Err(_) => 0,
        };
        Self {
            steps: [step(limits.requests_per_minute), step(limits.searches_per_minute)],
            full_at: Mutex::default(),
            names: RandomState::new(),
            now: Arc::new(now),
        }
    }

    /// Takes one from the person's allowance.
    ///
    /// # Errors
    /// A 429 with the seconds to wait, when it is used up; nothing is taken then.
    pub fn take(&self, claims: &Claims, asking: Asking) -> Result<(), Problem> {
        let person = self.names.hash_one((&claims.issuer, claims.subject.expose()));
        match self.wait_micros(person, asking, (self.now)().micros()) {
            None => Ok(()),
            Some(micros) => {
                tracing::info!("over the pace");
                Err(Problem::too_many(u64::try_from(micros).unwrap_or_default().div_ceil(1_000_000).max(1)))
            }
        }
    }

    /// How long to wait; `None` when one was taken.
    fn wait_micros(&self, person: u64, asking: Asking, now: i64) -> Option<i64> {
        let mut people = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= PEOPLE_MAX {
            people.retain(|_, full_at| full_at.iter().any(|at| *at > now));
        }
        let [requests, searches] = people.get(&person).copied().unwrap_or_default();
        let used = [requests, searches].map(|full_at| full_at.max(now));
        let [mut requests, mut searches] = used;
        let [request_step, search_step] = self.steps;
        requests += request_step;
        if asking == Asking::Search {
            searches += search_step;
        }
        let over = requests.max(searches) - (now + MINUTE_MICROS);
        if over > 0 {
            return Some(over);
        }
        people.insert(person, [requests, searches]);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(requests_per_minute: u64, searches_per_minute: u64) -> Pace {
        let limits = Limits { requests_per_minute, searches_per_minute };
        Pace::new(&limits, || Timestamp::from_micros(0).unwrap())
    }

    #[test]
    fn a_minutes_worth_may_be_asked_at_once_and_then_it_fills_evenly() {
        let pace = pace(60, 6);
        for _ in 0..60 {
            assert_eq!(pace.wait_micros(1, Asking::Something, 0), None);
        }
        assert_eq!(pace.wait_micros(1, Asking::Something, 0), Some(1_000_000));
        assert_eq!(
            pace.wait_micros(2, Asking::Something, 0),
            None,
            "another person has an allowance of their own"
        );
        assert_eq!(pace.wait_micros(1, Asking::Something, 999_999), Some(1));
        assert_eq!(pace.wait_micros(1, Asking::Something, 1_000_000), None);
        assert_eq!(pace.wait_micros(1, Asking::Something, 1_000_000), Some(1_000_000));
    }

    #[test]
    fn searches_are_fewer_and_count_as_requests() {
        let pace = pace(10, 6);
        for _ in 0..6 {
            assert_eq!(pace.wait_micros(1, Asking::Search, 0), None);
        }
        assert_eq!(pace.wait_micros(1, Asking::Search, 0), Some(10_000_000));
        for _ in 0..4 {
            assert_eq!(pace.wait_micros(1, Asking::Something, 0), None);
        }
        assert!(pace.wait_micros(1, Asking::Something, 0).is_some());
    }

    #[test]
    fn without_a_limit_there_is_none() {
        let pace = pace(0, 0);
        assert!((0..10_000).all(|_| pace.wait_micros(1, Asking::Search, 0).is_none()));
    }
}
