//! The arrays inside an object that are taken apart, so that an export of any size is read an element at a time.

use super::{Format, facebook_dyi, instagram_dyi};

/// Names whose arrays are taken apart in every object that begins with one of them: a Mastodon context.
pub(super) const OF_A_CONTEXT: [&str; 2] = ["ancestors", "descendants"];
/// An object of which this much does not end is large: it is taken apart if an array of these names begins in it.
pub(super) const LARGE_BYTES_MIN: usize = 1 << 20;

/// Lists of collections of ActivityPub and of answers of YouTube.
const ITEMS: [&str; 2] = ["orderedItems", "items"];
/// Objects that hold such a list: the first page of a collection, and lists of Facebook's.
const HOLDERS: [&str; 5] = ["first", "group_posts", "group_posts_v2", "group_comments", "group_comments_v2"];
/// The list in Facebook's.
const HELD: &str = "activity_log_data";
/// Names of lists that other platforms have too: their elements say whose they are.
const OF_SEVERAL: [&str; 2] = ["comments", "reactions"];
/// Lists of Instagram's before 2021, whose names Facebook uses otherwise.
const OLD: [&str; 3] = ["photos", "videos", "stories"];
/// No name is longer.
pub(super) const NAME_BYTES_MAX: usize = 48;

fn lists() -> impl Iterator<Item = (&'static str, Option<Format>)> {
    let facebook = |name: &&'static str| (*name, (!OF_SEVERAL.contains(name)).then_some(Format::FacebookDyi));
    let instagram = instagram_dyi::PARTS.iter().map(|(name, _)| *name).filter(|name| !OLD.contains(name));
    let open = OF_A_CONTEXT.into_iter().chain(ITEMS).map(|name| (name, None));
    open.chain([(HELD, Some(Format::FacebookDyi))])
        .chain(facebook_dyi::LISTS.iter().map(facebook))
        .chain(instagram.map(|name| (name, Some(Format::InstagramDyi))))
}

/// The list of this name.
pub(super) fn list(name: &[u8]) -> Option<&'static str> {
    lists().find(|(known, _)| known.as_bytes() == name).map(|(known, _)| known)
}

/// The format that alone has a list of this name.
pub(super) fn format_of(list: &str) -> Option<Format> {
    lists().find(|(known, _)| *known == list).and_then(|(_, format)| format)
}

/// The object of this name that holds a list.
pub(super) fn holder(name: &[u8]) -> Option<&'static str> {
    HOLDERS.into_iter().find(|known| known.as_bytes() == name)
}

/// Whether a step of a pointer is one of these names.
pub(super) fn is_step(step: &str) -> bool {
    list(step.as_bytes()).or_else(|| holder(step.as_bytes())).is_some()
}

#[cfg(test)]
#[path = "streamed_tests.rs"]
mod tests;
