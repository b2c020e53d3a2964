//! JSON with places: every value knows its exact bytes.
//!
//! Strict by RFC 8259, with three choices it leaves open: of two members with one name the last counts,
//! a lone surrogate reads as U+FFFD, and a number is kept as written and never computed. Nodes stand in one
//! flat list; parsing is one pass, in time and memory linear in the text.

use super::json_parse::{self as parse, JsonFault};
use std::borrow::Cow;
use std::ops::Range;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    EscapedText,
    Array,
    Object,
}

/// A value's place in the text and in the list of nodes.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index of the first node after this one and all inside it.
    pub(super) next: u32,
    pub(super) kind: Kind,
}

/// One parsed JSON text.
pub(super) struct Json<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

impl<'t> Json<'t> {
    /// Parses one value with white space around it. The error says at which byte of `text`.
    pub(super) fn parse(text: &'t str, depth_max: usize) -> Result<Self, (usize, JsonFault)> {
        Self::parse_into(text, depth_max, Vec::new())
    }

    /// The same in memory that was used before.
    pub(super) fn parse_into(
        text: &'t str,
        depth_max: usize,
        spare: Vec<Node>,
    ) -> Result<Self, (usize, JsonFault)> {
        parse::nodes(text, depth_max, spare).map(|nodes| Self { text, nodes })
    }

    /// A text that was parsed before, with the nodes that came of it.
    pub(super) const fn of(text: &'t str, nodes: Vec<Node>) -> Self {
        Self { text, nodes }
    }

    /// What parsing gave, to be put beside the same text again.
    pub(super) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }

    /// The outermost value.
    pub(super) fn root(&self) -> Value<'_> {
        Value { json: self, index: 0 }
    }

    /// Every object at any depth, in the order of the text.
    pub(super) fn objects(&self) -> impl Iterator<Item = Value<'_>> {
        (0u32..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.kind == Kind::Object)
            .map(|(index, _)| Value { json: self, index })
    }
}

/// One value of a [`Json`].
#[derive(Clone, Copy)]
pub(super) struct Value<'j> {
    json: &'j Json<'j>,
    index: u32,
}

impl<'j> Value<'j> {
    fn node(self) -> Node {
        let null = Node { start: 0, end: 0, next: u32::MAX, kind: Kind::Null };
        self.json.nodes.get(self.index as usize).copied().unwrap_or(null)
    }

    fn at(self, index: u32) -> Self {
        Self { json: self.json, index }
    }

    /// The bytes it stands on, within the parsed text.
    pub(super) fn range(self) -> Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// The bytes as they stand; of a string what is between its quotes, escapes and all.
    pub(super) fn raw(self) -> &'j str {
        let range = if self.is_text() {
            self.range().start + 1..self.range().end.saturating_sub(1)
        } else {
            self.range()
        };
        self.json.text.get(range).unwrap_or_default()
    }

    pub(super) fn is_object(self) -> bool {
        self.node().kind == Kind::Object
    }

    pub(super) fn is_array(self) -> bool {
        self.node().kind == Kind::Array
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self.node().kind, Kind::Text | Kind::EscapedText)
    }

    pub(super) fn is_false(self) -> bool {
        self.node().kind == Kind::False
    }

    pub(super) fn is_true(self) -> bool {
        self.node().kind == Kind::True
    }

    /// The text of a string, decoded.
    pub(super) fn text(self) -> Option<Cow<'j, str>> {
        let node = self.node();
        let inside = || self.json.text.get(node.start as usize + 1..(node.end as usize).checked_sub(1)?);
        match node.kind {
            Kind::Text => inside().map(Cow::Borrowed),
            Kind::EscapedText => inside().map(|raw| Cow::Owned(unescaped(raw))),
            _ => None,
        }
    }

    /// A platform's id: a string, or a number exactly as written. Empty ones are none.
    pub(super) fn id(self) -> Option<Cow<'j, str>> {
        let id = match self.node().kind {
            Kind::Number => self.json.text.get(self.range()).map(Cow::Borrowed),
            _ => self.text(),
        };
        id.filter(|id| !id.is_empty())
    }

    /// The elements of an array; nothing for other values.
    pub(super) fn elements(self) -> impl Iterator<Item = Value<'j>> {
        let node = self.node();
        let end = if node.kind == Kind::Array { node.next } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            if index >= end {
                return None;
            }
            let value = Value { json: self.json, index };
            index = value.node().next;
            Some(value)
        })
    }

    /// The elements of an array, or the value itself: for formats that leave out the brackets around one.
    pub(super) fn many(self) -> impl Iterator<Item = Value<'j>> {
        let alone = (!self.is_array() && self.node().kind != Kind::Null).then_some(self);
        alone.into_iter().chain(self.elements())
    }

    /// The members of an object, as `(name, value)` nodes; nothing for other values.
    pub(super) fn members(self) -> impl Iterator<Item = (Value<'j>, Value<'j>)> {
        let node = self.node();
        let end = if node.kind == Kind::Object { node.next } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            if index >= end {
                return None;
            }
            let key = Value { json: self.json, index };
            let value = Value { json: self.json, index: index + 1 };
            index = value.node().next;
            Some((key, value))
        })
    }

    /// The member called `name`; the last one when there are several.
    pub(super) fn field(self, name: &str) -> Option<Value<'j>> {
        self.fields([name]).into_iter().flatten().next()
    }

    /// Whether an object has no more than `most` members.
    pub(super) fn members_at_most(self, most: usize) -> bool {
        self.members().take(most + 1).count() <= most
    }

    /// Every object at any depth inside it, itself included, in the order of the text.
    pub(super) fn within(self) -> impl Iterator<Item = Value<'j>> {
        (self.index..self.node().next.min(u32::try_from(self.json.nodes.len()).unwrap_or(u32::MAX)))
            .map(move |index| Value { json: self.json, index })
            .filter(|value| value.is_object())
    }

    /// The members with these names, in one pass.
    pub(super) fn named<const N: usize>(self, names: &Names<N>) -> [Option<Value<'j>>; N] {
        let mut found = [None; N];
        let node = self.node();
        let end = if node.kind == Kind::Object { node.next } else { 0 };
        let mut index = self.index + 1;
        while index < end
            && let Some([key, value]) = self.json.nodes.get(index as usize..).and_then(<[_]>::first_chunk)
        {
            let place = if key.kind == Kind::Text {
                let bytes = self.json.text.as_bytes().get(key.start as usize + 1..key.end as usize - 1);
                names.place(bytes.unwrap_or_default())
            } else {
                names.place(self.at(index).text().unwrap_or_default().as_bytes())
            };
            if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                *slot = Some(self.at(index + 1));
            }
            index = value.next;
        }
        found
    }

    /// Several members in one pass.
    pub(super) fn fields<const N: usize>(self, names: [&str; N]) -> [Option<Value<'j>>; N] {
        let mut found = [None; N];
        let node = self.node();
        let end = if node.kind == Kind::Object { node.next } else { 0 };
        let lengths = names.iter().fold(0_u64, |lengths, name| lengths | 1 << (name.len() % 64));
        let mut index = self.index + 1;
        while index < end
            && let Some([key, value]) = self.json.nodes.get(index as usize..).and_then(<[_]>::first_chunk)
        {
            // Most names are of a length that none of these has, and most have no escapes.
            let length = (key.end - key.start - 2) as usize;
            if key.kind != Kind::Text || lengths >> (length % 64) & 1 == 1 {
                let written = self.at(index).text().unwrap_or_default();
                for (name, slot) in names.iter().zip(found.iter_mut()) {
                    if name.len() == written.len() && *name == written {
                        *slot = Some(self.at(index + 1));
                    }
                }
            }
            index = value.next;
        }
        found
    }

    /// The elements of the array called `name`; nothing when there is none.
    pub(super) fn list(self, name: &str) -> impl Iterator<Item = Value<'j>> {
        self.field(name).into_iter().flat_map(Value::elements)
    }
}

/// Names of members that are looked up together, laid out while compiling: 64 lists by length, first and last byte.
pub(super) struct Names<const N: usize> {
    names: [&'static str; N],
    /// One more than the place of the first name of each list; 0 ends it.
    first: [u8; 64],
    next: [u8; N],
}

impl<const N: usize> Names<N> {
    /// Of fewer than 255 names, none of them empty.
    #[allow(clippy::indexing_slicing, reason = "done while compiling, where a wrong index is an error")]
    pub(super) const fn of(names: [&'static str; N]) -> Self {
        assert!(N < 255);
        let mut made = Self { names, first: [0; 64], next: [0; N] };
        let mut place = 0;
        while place < N {
            let list = list_of(names[place].as_bytes());
            made.next[place] = made.first[list];
            made.first[list] = place as u8 + 1;
            place += 1;
        }
        made
    }

    /// The place of a name.
    #[inline]
    fn place(&self, name: &[u8]) -> Option<usize> {
        let mut next = self.first.get(list_of(name)).copied()?;
        while next > 0 {
            let place = usize::from(next) - 1;
            if self.names.get(place).is_some_and(|known| known.as_bytes() == name) {
                return Some(place);
            }
            next = self.next.get(place).copied()?;
        }
        None
    }
}

#[inline]
const fn list_of(name: &[u8]) -> usize {
    let (first, last) = match name {
        [first, .., last] => (*first, *last),
        [only] => (*only, *only),
        [] => (0, 0),
    };
    (name.len() * 5 + first as usize * 3 + last as usize) % 64
}

/// The text behind a string's escapes, which were checked when it was parsed.
fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, length) = escaped_character(escape);
        text.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The character an escape stands for, and how many bytes after the backslash it takes.
pub(super) fn escaped_character(escape: &str) -> (char, usize) {
    match escape.as_bytes().first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => unicode_escape(escape),
        Some(&byte) => (char::from(byte), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn unicode_escape(escape: &str) -> (char, usize) {
    let unit = |from: usize| escape.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let high = unit(1).unwrap_or(0xFFFD);
    if let Some(character) = char::from_u32(high) {
        return (character, 5);
    }
    let low = if escape.get(5..7) == Some("\\u") { unit(7) } else { None };
    match low {
        Some(low) if high < 0xDC00 && (0xDC00..0xE000).contains(&low) => {
            let character = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            (character.unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        _ => (char::REPLACEMENT_CHARACTER, 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_knows_its_bytes_and_its_text() {
        let text = r#" {"a":[1, "x\n\u00e9\ud83d\ude00"], "b" : {"c":null}} "#;
        let json = Json::parse(text, 4).unwrap();
        let [a, b] = json.root().fields(["a", "b"]).map(Option::unwrap);
        assert_eq!(&text[b.range()], r#"{"c":null}"#);
        let elements: Vec<_> = a.elements().collect();
        assert_eq!(elements.len(), 2);
        assert_eq!(elements[0].id().unwrap(), "1");
        assert_eq!(elements[1].text().unwrap(), "x\né😀");
        assert_eq!(json.objects().count(), 2);
    }

    #[test]
    fn names_looked_up_together_are_those_looked_up_alone() {
        static NAMES: Names<8> = Names::of(["id", "ie", "di", "x", "text", "test", "longer_name", "none"]);
        let text =
            r#"{"id":1,"di":2,"te\u0078t":3,"test":4,"ix":5,"id":6,"":7,"longer_name":8,"x":{"id":9}}"#;
        let json = Json::parse(text, 4).unwrap();
        let found = json.root().named(&NAMES);
        for (name, value) in NAMES.names.iter().zip(found) {
            assert_eq!(value.map(Value::range), json.root().field(name).map(Value::range), "{name}");
        }
        assert_eq!(found.iter().flatten().count(), 6);
        assert_eq!(found[3].unwrap().named(&NAMES).iter().flatten().count(), 1);
        assert!(found[0].unwrap().named(&NAMES).iter().all(Option::is_none));
    }

    #[test]
    fn what_json_leaves_open_is_settled() {
        let json = Json::parse(r#"{"a":1,"a":"\ud83d!","\u0062":1e999999}"#, 4).unwrap();
        assert_eq!(json.root().field("a").unwrap().text().unwrap(), "\u{FFFD}!");
        assert_eq!(json.root().field("b").unwrap().id().unwrap(), "1e999999");
        for (raw, expected) in [(r"\ud83d\ud83d\ude00", "\u{FFFD}😀"), (r"\ude00\u0000", "\u{FFFD}\0")] {
            assert_eq!(unescaped(raw), expected);
        }
    }
}
