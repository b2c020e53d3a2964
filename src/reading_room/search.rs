//! Search: over projections of a grant only. No scores, no suggestions; counts are rounded, small ones suppressed.

use super::read::Page;
use super::{ReaderClaims, ReadingError, ReadingRoom, Selection};
use crate::access::Action;
use crate::redact::query_tokens;
use crate::store::inbox::RoomEventKind;
use crate::store::room::Query;
use serde::Serialize;

/// What is searched for.
#[derive(Debug, Default, Clone)]
pub struct SearchRequest {
    /// Words, all of which must stand in the text. Operators have no meaning.
    pub words: String,
    /// Not before this day, `2026-05-04`.
    pub from_day: Option<String>,
    /// Not after this day.
    pub until_day: Option<String>,
    /// Grant, channel, page.
    pub selection: Selection,
}

/// How many there are, as a reader may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum RoundedCount {
    /// Too few to say.
    #[serde(rename_all = "camelCase")]
    Fewer {
        /// Fewer than this many.
        fewer_than: u64,
    },
    /// About this many: the nearest ten.
    #[serde(rename_all = "camelCase")]
    About {
        /// The nearest ten.
        about: u64,
    },
}

/// Counts below this are suppressed (k = 10), and the others rounded to it.
const STEP: u64 = 10;

impl RoundedCount {
    /// A count as a reader may know it.
    #[must_use]
    pub const fn of(exact: u64) -> Self {
        if exact < STEP {
            Self::Fewer { fewer_than: STEP }
        } else {
            Self::About { about: (exact + STEP / 2) / STEP * STEP }
        }
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Hits {
    /// One page of it.
    pub page: Page,
    /// How many there are.
    pub count: RoundedCount,
}

/// Most words of one search.
const WORDS_MOST: usize = 16;
/// Longest text of a search, in characters.
const WORDS_CHARS_MAX: usize = 500;

impl ReadingRoom {
    /// Searches the projections of a grant.
    ///
    /// # Errors
    /// [`ReadingError`]; a refusal is recorded. Words themselves are never recorded.
    pub async fn search(&self, claims: &ReaderClaims, asked: &SearchRequest) -> Result<Hits, ReadingError> {
        let words = words(asked)?;
        let visit = self.visit(claims, asked.selection.grant).await?;
        let allowed = self.decide(&visit, Action::SearchRecords, &visit.collection()).await?;
        let query = Query {
            words,
            channel: asked.selection.channel.clone(),
            from_day: asked.from_day.clone(),
            until_day: asked.until_day.clone(),
        };
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
        let exact = self.room.count(grant, &query).await?;
        let (page, shown) = self.page(&visit, &allowed, &query, &asked.selection).await?;
        self.tell(&visit, RoomEventKind::Search, shown, Vec::new()).await?;
        Ok(Hits { page, count: RoundedCount::of(exact) })
    }
}

fn words(asked: &SearchRequest) -> Result<Vec<String>, ReadingError> {
    if asked.words.chars().count() > WORDS_CHARS_MAX {
        return Err(ReadingError::Input(format!("`query` is longer than {WORDS_CHARS_MAX} characters")));
    }
    for (field, day) in [("from", &asked.from_day), ("until", &asked.until_day)] {
        if day.as_ref().is_some_and(|day| crate::model::day(day).is_none()) {
            return Err(ReadingError::Input(format!("`{field}` must be a day such as 2026-05-04")));
        }
    }
    let mut words = query_tokens(&asked.words);
    words.sort();
    words.dedup();
    let dated = asked.from_day.is_some() || asked.until_day.is_some();
    if words.is_empty() && !dated {
        return Err(ReadingError::Input("`query` holds no word to search for".to_owned()));
    }
    if words.len() > WORDS_MOST {
        return Err(ReadingError::Input(format!("`query` holds more than {WORDS_MOST} words")));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_are_suppressed_and_others_rounded() {
        for exact in 0..10 {
            assert_eq!(RoundedCount::of(exact), RoundedCount::Fewer { fewer_than: 10 });
        }
        for (exact, about) in [(10, 10), (14, 10), (15, 20), (1_234, 1_230)] {
            assert_eq!(RoundedCount::of(exact), RoundedCount::About { about });
        }
    }

    #[test]
    fn a_search_needs_words_or_days() {
        let asked = |words: &str, from: Option<&str>| SearchRequest {
            words: words.to_owned(),
            from_day: from.map(str::to_owned),
            ..SearchRequest::default()
        };
        assert!(words(&asked("  !? ", None)).is_err());
        assert!(words(&asked("", Some("2026-05-04"))).unwrap().is_empty());
        assert!(words(&asked("belasting", Some("gisteren"))).is_err());
        assert!(words(&asked("belasting", Some("20260504"))).is_err(), "days are compared as text");
        assert!(words(&asked(&"a".repeat(501), None)).is_err());
        assert_eq!(words(&asked("Belasting belasting", None)).unwrap(), ["belasting"]);
    }
}
