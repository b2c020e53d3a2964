//! What a record can be found by: keyed digests of its words, of the names and handles in it, and of the accounts.
//!
//! The key is the vault's digest key, and the organisation is part of each digest: two organisations have nothing alike. The
//! same rule makes the tokens of a record and those of a query.

use super::names::Names;
use crate::capture::Item;
use crate::model::ItemDigest;
use crate::redact::query_tokens;
use crate::store::catalogue::FindToken;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// Words of the texts of one piece of work that were met before, each with its token: most words of a batch are the same few, and
/// each token takes a keyed digest.
#[derive(Default)]
pub(super) struct Met(Mutex<HashMap<String, FindToken>>);

impl Met {
    fn token(&self, names: &Names<'_>, word: String) -> FindToken {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&word).copied();
        known.unwrap_or_else(|| {
            let token = word_token(names, &word);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(word, token);
            token
        })
    }
}

/// The tokens of one item. `met` is of work for one organisation.
pub(super) fn tokens(names: &Names<'_>, met: &Met, item: &Item) -> BTreeSet<FindToken> {
    let mut tokens = BTreeSet::new();
    let words = |text: &str| telling(text).map(|word| met.token(names, word)).collect::<Vec<_>>();
    for passage in &item.passages {
        tokens.extend(words(passage.text.expose()));
    }
    for account in item.author.iter().chain(&item.mentions) {
        tokens.extend(words(account.display_name.expose()));
        tokens.extend(
            handles(account.handle.expose()).iter().map(|handle| names.token("handle", handle.as_bytes())),
        );
    }
    tokens.extend(item.author.iter().map(|account| author(names, names.person(account))));
    tokens.extend(item.mentions.iter().map(|account| mentioned(names, names.person(account))));
    tokens.extend(item.links.iter().map(|link| names.token("link", address(link.expose()).as_bytes())));
    tokens
}

/// That an account wrote it.
pub(super) fn author(names: &Names<'_>, person: ItemDigest) -> FindToken {
    names.token("author", person.as_bytes())
}

/// That it mentions an account.
pub(super) fn mentioned(names: &Names<'_>, person: ItemDigest) -> FindToken {
    names.token("mention", person.as_bytes())
}

/// That it links to an address.
pub(super) fn link(names: &Names<'_>, given: &str) -> FindToken {
    names.token("link", address(given).as_bytes())
}

/// The words of a text, but for those that stand in nearly every text.
pub(super) fn words(names: &Names<'_>, text: &str) -> Vec<FindToken> {
    telling(text).map(|word| word_token(names, &word)).collect()
}

fn telling(text: &str) -> impl Iterator<Item = String> {
    query_tokens(text).into_iter().filter(|word| COMMON.binary_search(&word.as_str()).is_err())
}

fn word_token(names: &Names<'_>, word: &str) -> FindToken {
    names.token("word", word.as_bytes())
}

/// Any of these says that it is the handle that was given: with its host, or without.
pub(super) fn handle(names: &Names<'_>, given: &str) -> Vec<FindToken> {
    let forms = handles(given);
    // A handle that was given with its host is sought with it.
    let sought =
        if given.trim().trim_start_matches('@').contains('@') { forms.get(..1) } else { forms.get(..) };
    sought.unwrap_or_default().iter().map(|form| names.token("handle", form.as_bytes())).collect()
}

/// A handle as it is compared: lower case, without `@` before it; and, where it has a host, without that.
fn handles(given: &str) -> Vec<String> {
    let whole = given.trim().trim_start_matches('@').to_lowercase();
    if whole.is_empty() {
        return Vec::new();
    }
    match whole.split_once('@').map(|(local, _)| local.to_owned()) {
        Some(local) => vec![whole, local],
        None => vec![whole],
    }
}

/// An address as it is compared: without scheme, `www.`, query, fragment and the slash at its end.
pub(super) fn address(given: &str) -> String {
    let given = given.trim();
    let bare = given.split_once("://").map_or(given, |(_, rest)| rest);
    let bare = bare.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    bare.strip_prefix("www.").unwrap_or(bare).to_lowercase()
}

/// Words that stand in nearly every Dutch or English text, and single letters: nothing is found by them. In their order.
const COMMON: &[&str] = &[
    "a", "aan", "al", "als", "and", "bij", "d", "dan", "dat", "de", "der", "deze", "die", "dit", "door",
    "een", "en", "er", "for", "heb", "heeft", "het", "hoe", "i", "ik", "in", "is", "it", "je", "jullie",
    "kan", "maar", "me", "met", "mijn", "n", "naar", "niet", "nog", "nu", "of", "om", "on", "ook", "op",
    "over", "s", "t", "te", "that", "the", "to", "u", "uit", "van", "voor", "waar", "was", "wat", "we",
    "wel", "wij", "wordt", "you", "ze", "zijn", "zo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_handles_are_compared_without_what_varies() {
        assert_eq!(address("https://www.Example.nl/a/1/?utm=x#top"), "example.nl/a/1");
        assert_eq!(handles(" @Fatima@social.example "), ["fatima@social.example", "fatima"]);
        assert_eq!(handles("Jan"), ["jan"]);
        assert!(handles(" @ ").is_empty());
    }

    #[test]
    fn words_that_stand_everywhere_are_in_their_order() {
        assert!(COMMON.is_sorted());
    }
}
