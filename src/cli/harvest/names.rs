//! Names of captures: which are looked at, and under which name they are kept.

use std::ffi::OsStr;

/// Longest name that is kept, in bytes: a report's name is longer and must fit too.
const NAME_BYTES_MAX: usize = 200;

/// Whether it is the name of something that is still being written or is not meant for us.
pub(super) fn is_passed_over(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.is_empty() || bytes.starts_with(b".") || bytes.ends_with(b".part") || bytes.ends_with(b".tmp")
}

/// The name without characters that steer a terminal, turn the direction of writing or are no text.
pub(super) fn cleaned(name: &OsStr) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{fffd}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    name.to_string_lossy().chars().map(|c| if steers(c) { '_' } else { c }).collect()
}

/// The name for the `n`th capture of that name: `posts.json`, `posts-2.json`, …
pub(super) fn numbered(name: &str, n: u32) -> String {
    let (stem, ending) = match name.rfind('.').filter(|at| *at > 0 && name.len() - at <= 20) {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let number = if n == 1 { String::new() } else { format!("-{n}") };
    let mut room = NAME_BYTES_MAX.saturating_sub(ending.len() + number.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    let (stem, _too_long) = stem.split_at(room);
    format!("{stem}{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_a_number_before_their_ending_and_are_cut_to_a_length_that_fits() {
        for (name, n, kept) in [
            ("posts.json", 1, "posts.json"),
            ("posts.json", 2, "posts-2.json"),
            ("posts", 3, "posts-3"),
            ("a.tar.gz", 2, "a.tar-2.gz"),
        ] {
            assert_eq!(numbered(name, n), kept);
        }
        let long = numbered(&format!("{}.json", "é".repeat(125)), 12);
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("é-12.json"), "{long}");
    }

    #[test]
    fn what_is_being_written_is_passed_over_and_what_steers_a_terminal_is_replaced() {
        for name in ["", ".hidden", "a.json.part", "a.tmp"] {
            assert!(is_passed_over(OsStr::new(name)), "{name}");
        }
        assert!(!is_passed_over(OsStr::new("a.json")));
        assert_eq!(cleaned(OsStr::new("a\u{1b}[2J\n\u{202e}.json")), "a_[2J__.json");
        assert_eq!(cleaned(OsStr::new("één post.json")), "één post.json");
    }
}
