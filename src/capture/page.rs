//! A page of the web out of an archive: its text, and what stands in its attributes.
//!
//! A page is an item, so that it has a key of its own and its text is looked through; it is no record of anyone's
//! (posts, reactions and messages are), and is counted apart. Who could see it the archive does not say.

use super::containers::Input;
use super::gather::{JsonReading, unread};
use super::html;
use super::item::{Item, Passage, PassageRole};
use super::whole::Whole;
use super::{Format, Limits};
use crate::model::{ItemKind, Platform, PrivateText, Timestamp};
use zeroize::Zeroizing;

pub(super) const READING: JsonReading = unread("web_page", Platform::Web);

/// Where and when a page was fetched.
#[derive(Default)]
pub(super) struct Address {
    url: Option<PrivateText>,
    at: Option<Timestamp>,
}

impl Address {
    pub(super) fn of(url: Option<&str>, date: Option<&str>) -> Self {
        let url = url.map(|url| PrivateText::from(url.trim_start_matches('<').trim_end_matches('>')));
        Self { url, at: date.and_then(|date| date.parse().ok()) }
    }
}

/// Whether a stream that begins so is a page.
pub(super) fn begins(head: &[u8]) -> bool {
    let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let known = |mark: &[u8]| start.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark));
    known(b"<!doctype html") || known(b"<html")
}

/// Reads one page as one unit.
pub(super) fn reader<'a>(input: Input<'a>, address: Address, limits: Limits) -> Whole<'a> {
    let item = move |bytes: &[u8]| {
        let url = address.url.unwrap_or_else(|| PrivateText::from(NAMELESS));
        Item { names: vec![url], posted_at: address.at, ..read(bytes) }
    };
    Whole::new(input, Format::WebPage, limits, item)
}

/// Reads a page again. Its address and date are not in its bytes.
pub(super) fn reread(bytes: &[u8]) -> Item {
    Item { names: vec![PrivateText::from(NAMELESS)], ..read(bytes) }
}

/// What a page is called whose address is not known.
const NAMELESS: &str = "page";

fn read(bytes: &[u8]) -> Item {
    let text = decoded(bytes);
    let page = html::page(&text);
    let mut passages = vec![Passage { role: PassageRole::Body, text: PrivateText::new(page.text) }];
    passages.extend(
        page.attributes
            .into_iter()
            .map(|text| Passage { role: PassageRole::AltText, text: PrivateText::new(text) }),
    );
    Item {
        passages,
        links: page.links.into_iter().map(PrivateText::new).collect(),
        language: page.language,
        ..Item::new(Platform::Web, ItemKind::Page)
    }
}

/// UTF-8, else as Windows-1252, which the standard also takes ISO 8859-1 for (WHATWG Encoding, 4.2).
fn decoded(bytes: &[u8]) -> Zeroizing<String> {
    const FROM_80: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    Zeroizing::new(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let high: Vec<char> = FROM_80.chars().collect();
            let character = |byte: &u8| {
                let place = usize::from(*byte).checked_sub(0x80).filter(|place| *place < 0x20);
                place.and_then(|place| high.get(place).copied()).unwrap_or(char::from(*byte))
            };
            bytes.iter().map(character).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_beginning_and_read_in_its_encoding() {
        assert!(begins(b"\xEF\xBB\xBF\n<!DOCTYPE HTML><p>") && begins(b"<html lang=nl>") && !begins(b"<p>x"));
        let item =
            read(b"<html lang=\"nl\"><p title='Van Fenna'>Caf\xE9 \x80 5<img alt=\"Bo op de foto\"></p>");
        let said: Vec<&str> = item.passages.iter().map(|passage| passage.text.expose()).collect();
        assert_eq!(said, ["Café € 5", "Van Fenna", "Bo op de foto"]);
        assert_eq!(item.language.as_deref(), Some("nl"));
    }
}
