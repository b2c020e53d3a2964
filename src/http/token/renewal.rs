//! Keeping the issuers' keys fresh: at start, on schedule, and when a token names a key that is not known.
//!
//! - A new set takes the place of the old one whole: a key that was rotated away verifies nothing more.
//! - One fetch an issuer at a time; whoever asks meanwhile waits for that one. Tokens with unknown keys cost nothing to
//!   make, so they have keys fetched at most once in [`Pace::pause`].
//! - While an issuer is away its last good keys hold for [`Pace::keep`], and no longer.

use super::sources::{KeySource, SourceError};
use super::{IssuerError, Verifier};
use crate::model::Timestamp;
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Whoever can have an issuer's keys fetched when a token names one that is not known.
pub trait KeyRenewal: Send + Sync {
    /// Has them fetched unless that was done just now; returns when it is worth looking again. Never fails: keys that
    /// cannot be had stay as they are.
    fn renew<'a>(&'a self, issuer: &'a str) -> BoxFuture<'a, ()>;
}

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two fetches on schedule.
    pub every: Duration,
    /// How long the last good keys hold while there are no new ones.
    pub keep: Duration,
    /// The shortest time between two fetches that tokens cause.
    pub pause: Duration,
}

/// After a fetch that failed the next one is tried so soon, unless the schedule is shorter.
const RETRY: Duration = Duration::from_secs(30);

/// An issuer whose keys are followed.
pub struct Followed {
    source: Box<dyn KeySource>,
    pace: Pace,
    /// When was fetched last; held while fetching.
    turn: tokio::sync::Mutex<Option<Instant>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    key_set: Option<String>,
    good_at: Option<Timestamp>,
    good_since: Option<Instant>,
    failing: Option<String>,
}

/// How it stands with an issuer's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuerStanding {
    /// Its name.
    pub issuer: String,
    /// How many keys hold now; with none, its tokens are refused.
    pub keys: usize,
    /// When keys were had last.
    pub fetched_at: Option<Timestamp>,
    /// Why they cannot be had now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// Told of each change: the issuer and its key set now, `None` when none holds.
type Changed = Box<dyn Fn(&str, Option<&str>) + Send + Sync>;

/// Follows the keys of issuers.
pub struct Renewal {
    verifier: Arc<Verifier>,
    followed: HashMap<String, Followed>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    changed: Changed,
}

impl Followed {
    /// Keys of this source at this pace.
    #[must_use]
    pub fn new(source: Box<dyn KeySource>, pace: Pace) -> Self {
        Self { source, pace, turn: tokio::sync::Mutex::new(None), state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renewal {
    /// Follows these issuers of a verifier. Nothing is fetched yet. `changed` is told of each new key set.
    pub fn new(
        verifier: Arc<Verifier>,
        followed: HashMap<String, Followed>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        changed: impl Fn(&str, Option<&str>) + Send + Sync + 'static,
    ) -> Self {
        Self { verifier, followed, now: Box::new(now), changed: Box::new(changed) }
    }

    /// Fetches the keys of every issuer, all at once. What fails is logged and tried again later.
    pub async fn fetch_all(&self) {
        join_all(self.followed.keys().map(|issuer| self.fetch(issuer, Duration::ZERO))).await;
    }

    /// Fetches on schedule until the process ends.
    pub async fn keep(&self) {
        join_all(self.followed.iter().map(async |(issuer, followed)| {
            loop {
                let failing = followed.state().failing.is_some();
                let wait = if failing { followed.pace.every.min(RETRY) } else { followed.pace.every };
                tokio::time::sleep(wait.max(Duration::from_millis(10))).await;
                self.fetch(issuer, Duration::ZERO).await;
            }
        }))
        .await;
    }

    /// The key set of an issuer as it holds now.
    #[must_use]
    pub fn key_set(&self, issuer: &str) -> Option<String> {
        self.followed.get(issuer).and_then(|followed| followed.state().key_set.clone())
    }

    /// How it stands with each issuer, by name.
    #[must_use]
    pub fn standing(&self) -> Vec<IssuerStanding> {
        let one = |(issuer, followed): (&String, &Followed)| {
            let state = followed.state();
            IssuerStanding {
                issuer: issuer.clone(),
                keys: self.verifier.issuer(issuer).map_or(0, super::Issuer::key_count),
                fetched_at: state.good_at,
                failing: state.failing.clone(),
            }
        };
        let mut all: Vec<IssuerStanding> = self.followed.iter().map(one).collect();
        all.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        all
    }

    /// Fetches an issuer's keys, unless someone did so within `pause`.
    async fn fetch(&self, issuer: &str, pause: Duration) {
        let Some(followed) = self.followed.get(issuer) else { return };
        let mut last = followed.turn.lock().await;
        if last.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        match self.take(issuer, followed).await {
            Ok(()) => {}
            Err(why) => self.fail(issuer, followed, &why),
        }
        *last = Some(Instant::now());
    }

    async fn take(&self, issuer: &str, followed: &Followed) -> Result<(), Unusable> {
        let fetched = followed.source.fetch().await?;
        if followed.state().key_set.as_deref() != Some(&fetched) {
            if let Some(known) = self.verifier.issuer(issuer) {
                known.replace_keys(&fetched)?;
                tracing::info!(issuer, keys = known.key_count(), "keys of an issuer came in");
            }
            (self.changed)(issuer, Some(&fetched));
        }
        let now = (self.now)();
        *followed.state() = State {
            key_set: Some(fetched),
            good_at: Some(now),
            good_since: Some(Instant::now()),
            failing: None,
        };
        Ok(())
    }

    /// The last good keys hold for a while; then none do.
    fn fail(&self, issuer: &str, followed: &Followed, why: &Unusable) {
        let mut state = followed.state();
        let stale = state.good_since.is_none_or(|since| since.elapsed() >= followed.pace.keep);
        let dropped = stale && state.key_set.take().is_some();
        state.failing = Some(why.to_string());
        drop(state);
        if dropped && let Some(known) = self.verifier.issuer(issuer) {
            known.drop_keys();
            (self.changed)(issuer, None);
        }
        if stale {
            tracing::error!(issuer, %why, "no keys of an issuer are known: its tokens are refused");
        } else {
            tracing::warn!(issuer, %why, "the keys of an issuer are not fresh: the last good ones hold");
        }
    }
}

impl KeyRenewal for Renewal {
    fn renew<'a>(&'a self, issuer: &'a str) -> BoxFuture<'a, ()> {
        let pause = self.followed.get(issuer).map_or(Duration::ZERO, |followed| followed.pace.pause);
        Box::pin(self.fetch(issuer, pause))
    }
}

/// Why a fetch brought nothing.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Keys(#[from] IssuerError),
}

#[cfg(test)]
mod tests {
    use super::super::DevelopmentIssuer;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A source that says what it is told to, slowly, and counts how often it was asked.
    #[derive(Default)]
    struct Told {
        says: Mutex<Option<String>>,
        asked: AtomicUsize,
    }

    impl Told {
        fn say(&self, what: Option<String>) {
            *self.says.lock().unwrap() = what;
        }
    }

    impl KeySource for Arc<Told> {
        fn fetch(&self) -> BoxFuture<'_, Result<String, SourceError>> {
            Box::pin(async {
                self.asked.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.says.lock().unwrap().clone().ok_or(SourceError::Away)
            })
        }
    }

    fn development(seed: u8) -> DevelopmentIssuer {
        DevelopmentIssuer::new(&[seed; 32], "https://knik.example").unwrap()
    }

    type Heard = Arc<Mutex<Vec<bool>>>;

    fn following(told: &Arc<Told>, pace: Pace) -> (Arc<Renewal>, Arc<Verifier>, Heard) {
        let issuer = development(1).issuer().unwrap();
        issuer.drop_keys();
        let verifier = Arc::new(Verifier::new(vec![issuer]));
        let followed = Followed::new(Box::new(Arc::clone(told)), pace);
        let heard = Heard::default();
        let hears = Arc::clone(&heard);
        let renewal = Renewal::new(
            Arc::clone(&verifier),
            HashMap::from([(NAME.to_owned(), followed)]),
            || "2026-05-04T09:30:00Z".parse().unwrap(),
            move |_, keys| hears.lock().unwrap().push(keys.is_some()),
        );
        (Arc::new(renewal), verifier, heard)
    }

    const NAME: &str = super::super::DEMO_ISSUER;
    const LONG: Duration = Duration::from_secs(3_600);
    const SLOW: Pace = Pace { every: LONG, keep: LONG, pause: LONG };

    fn kid(seed: u8) -> String {
        let set: serde_json::Value = serde_json::from_str(&development(seed).key_set()).unwrap();
        set["keys"][0]["kid"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_rotated_key_is_dropped_with_the_set_that_no_longer_has_it() {
        let told = Arc::new(Told::default());
        let (renewal, verifier, heard) = following(&told, Pace { pause: Duration::ZERO, ..SLOW });
        let issuer = verifier.issuer(NAME).unwrap();
        told.say(Some(development(1).key_set()));
        renewal.fetch_all().await;
        assert!(issuer.key(&kid(1)).is_some());
        told.say(Some(development(2).key_set()));
        renewal.renew(NAME).await;
        assert!(issuer.key(&kid(1)).is_none() && issuer.key(&kid(2)).is_some());
        renewal.renew(NAME).await;
        assert_eq!(*heard.lock().unwrap(), [true, true], "what did not change is not told again");
    }

    #[tokio::test]
    async fn a_hundred_tokens_with_unknown_keys_cost_one_fetch() {
        let told = Arc::new(Told::default());
        told.say(Some(development(1).key_set()));
        let (renewal, verifier, _) = following(&told, SLOW);
        join_all((0..100).map(|_| renewal.renew(NAME))).await;
        assert_eq!(told.asked.load(Ordering::SeqCst), 1, "one flight");
        assert_eq!(verifier.issuer(NAME).unwrap().key_count(), 1, "and all who waited see what it brought");
        renewal.renew(NAME).await;
        renewal.renew("https://elsewhere.example").await;
        assert_eq!(told.asked.load(Ordering::SeqCst), 1, "none before the pause is over");
    }

    #[tokio::test]
    async fn the_last_good_keys_hold_for_a_stated_time_and_then_none_do() {
        let told = Arc::new(Told::default());
        let keep = Duration::from_secs(5);
        let (renewal, verifier, heard) = following(&told, Pace { pause: Duration::ZERO, keep, ..SLOW });
        let issuer = verifier.issuer(NAME).unwrap();
        renewal.fetch_all().await;
        assert_eq!((issuer.key_count(), renewal.standing()[0].fetched_at), (0, None), "away from the start");
        assert!(renewal.standing()[0].failing.as_deref().unwrap().contains("does not answer"));
        told.say(Some(development(1).key_set()));
        renewal.renew(NAME).await;
        assert_eq!((issuer.key_count(), &renewal.standing()[0].failing), (1, &None));
        for bad in [None, Some("<html>".to_owned()), Some("{\"keys\":[]}".to_owned())] {
            told.say(bad);
            renewal.renew(NAME).await;
            assert_eq!(issuer.key_count(), 1, "away or nonsense: the last good keys hold");
            assert!(renewal.standing()[0].failing.is_some());
        }
        tokio::time::sleep(keep).await;
        renewal.renew(NAME).await;
        assert_eq!(issuer.key_count(), 0, "longer than that they do not");
        assert_eq!(renewal.key_set(NAME), None);
        told.say(Some(development(1).key_set()));
        renewal.renew(NAME).await;
        assert_eq!(issuer.key_count(), 1, "the same keys again are keys again");
        assert_eq!(*heard.lock().unwrap(), [true, false, true]);
    }

    #[tokio::test]
    async fn on_schedule_nobody_needs_to_ask() {
        let told = Arc::new(Told::default());
        told.say(Some(development(1).key_set()));
        let (renewal, verifier, _) = following(&told, Pace { every: Duration::from_millis(20), ..SLOW });
        let keeping = tokio::spawn({
            let renewal = Arc::clone(&renewal);
            async move { renewal.keep().await }
        });
        while told.asked.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(verifier.issuer(NAME).unwrap().key_count(), 1);
        keeping.abort();
    }
}
