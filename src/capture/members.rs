//! Where members of JSON objects stand, by name, so that they can be left out before anything is sealed.
//!
//! Reads any text in which JSON values stand (lines, events, arrays with their separators, scripts that assign): what is
//! outside a value is passed over. What is left when the ranges are taken out is JSON again.

use super::json::Json;
use crate::model::ByteRange;

/// A member that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it stands with the comma that goes with it, from the start of the text.
    pub range: ByteRange,
}

/// Finds members that are wanted, by name and place, at any depth: sorted and disjoint. One that stands inside another is
/// part of it. Linear.
#[must_use]
pub fn members(text: &str, wanted: &dyn Fn(&str, usize) -> bool) -> Vec<Member> {
    let mut finder = Finder { bytes: text.as_bytes(), at: 0, open: Vec::new(), found: Vec::new() };
    while let Some(byte) = finder.bytes.get(finder.at).copied() {
        finder.step(byte, text, wanted);
    }
    finder.found
}

/// An object or array that is open.
struct Open {
    object: bool,
    /// A member's name comes next.
    naming: bool,
    /// Whether a member before stays.
    kept: bool,
    /// The last comma.
    comma: usize,
}

struct Finder<'t> {
    bytes: &'t [u8],
    at: usize,
    open: Vec<Open>,
    found: Vec<Member>,
}

impl Finder<'_> {
    fn step(&mut self, byte: u8, text: &str, wanted: &dyn Fn(&str, usize) -> bool) {
        match byte {
            b'{' | b'[' => {
                let object = byte == b'{';
                self.open.push(Open { object, naming: object, kept: false, comma: self.at });
                self.at += 1;
            }
            b'}' | b']' => {
                self.open.pop();
                self.at += 1;
            }
            b',' => {
                let at = self.at;
                if let Some(open) = self.open.last_mut() {
                    (open.naming, open.comma) = (open.object, at);
                }
                self.at += 1;
            }
            b'"' => {
                let start = self.at;
                self.at = self.string_end(start);
                if self.open.last().is_some_and(|open| open.object && open.naming) {
                    self.member(start, text, wanted);
                }
            }
            _ => self.at += 1,
        }
    }

    /// A member whose name starts at `start` and was passed.
    fn member(&mut self, start: usize, text: &str, wanted: &dyn Fn(&str, usize) -> bool) {
        let name = text.get(start..self.at).and_then(name_of).unwrap_or_default();
        let wanted = wanted(&name, start);
        let value = self.after_blank(self.at, b':');
        let Some(open) = self.open.last_mut() else { return };
        open.naming = false;
        if !wanted {
            open.kept = true;
            return;
        }
        let (kept, comma) = (open.kept, open.comma);
        let end = value.map_or(self.at, |at| self.value_end(at));
        let start = if kept { comma } else { start };
        let end = if kept { end } else { self.after_blank(end, b',').unwrap_or(end) };
        if !kept && end > self.at && self.bytes.get(end - 1) == Some(&b',') {
            // The comma went along: a name comes next, as at the beginning.
            if let Some(open) = self.open.last_mut() {
                open.naming = true;
            }
        }
        self.found.push(Member { name, range: ByteRange { start: start as u64, end: end as u64 } });
        self.at = end;
    }

    /// One past `wanted`, when nothing but white space stands before it.
    fn after_blank(&self, at: usize, wanted: u8) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        (rest.get(blank) == Some(&wanted)).then_some(at + blank + 1)
    }

    /// One past the closing quote, or the end of the text.
    fn string_end(&self, start: usize) -> usize {
        let mut at = start + 1;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                b'"' => return at + 1,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    /// One past a value: a string, what is between matching brackets, or a word up to what ends it.
    fn value_end(&self, start: usize) -> usize {
        let (mut at, mut depth) = (start, 0_usize);
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'"' => {
                    at = self.string_end(at);
                    if depth == 0 {
                        return at;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return at,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                b',' if depth == 0 => return at,
                _ => {}
            }
            at += 1;
        }
        self.bytes.len()
    }
}

/// A member's name without quotes and escapes.
fn name_of(token: &str) -> Option<String> {
    if !token.contains('\\') {
        return token.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    }
    let json = Json::parse(token, 1).ok()?;
    json.root().text().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, names: &[&str]) -> (String, usize) {
        let found = members(text, &|name, _| names.contains(&name));
        let (mut left, mut at) = (String::new(), 0);
        for member in &found {
            left += &text[at..member.range.start as usize];
            at = member.range.end as usize;
        }
        (left + &text[at..], found.len())
    }

    #[test]
    fn what_is_left_is_json_again() {
        let table = [
            (r#"{"a":1,"k":2}"#, r#"{"a":1}"#, 1),
            (r#"{"k":2,"a":1}"#, r#"{"a":1}"#, 1),
            (r#"{"k":2}"#, "{}", 1),
            (r#"{"k":1,"l":2}"#, "{}", 2),
            (
                r#"{"a":1, "k" : "x, }\" y" , "l":[1,{"k":2}], "b":[{"k":3},{"c":4}]}"#,
                r#"{"a":1 , "b":[{},{"c":4}]}"#,
                3,
            ),
            (r#"{"k":1,"a":"k","l":{}}"#, r#"{"a":"k"}"#, 2),
            ("[\n {\"a\":1},\n {\"\\u006b\":1,\"b\":2}\n", "[\n {\"a\":1},\n {\"b\":2}\n", 1),
            ("data: {\"k\":true}\n\n", "data: {}\n\n", 1),
            (r#"{"k":{"deep":[{"k":1}]},"a":null}"#, r#"{"a":null}"#, 1),
            (r#"{"a":["k","l"]}"#, r#"{"a":["k","l"]}"#, 0),
            (r#"{"k":"cut"#, "{", 1),
        ];
        for (text, left, count) in table {
            assert_eq!(without(text, &["k", "l"]), (left.to_owned(), count), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_json_without_members_is_json_without_them(value in json()) {
            let text = value.to_string();
            let (left, _) = without(&text, &["a", "ab"]);
            let left: serde_json::Value = serde_json::from_str(&left).unwrap();
            proptest::prop_assert_eq!(left, pruned(value));
        }

        #[test]
        fn any_text_gives_ranges_inside_it(text in "[\\[\\]{},:\"a\\\\ b1]{0,40}") {
            let found = members(&text, &|name, _| name == "a");
            let mut before = 0;
            for range in found.iter().map(|member| member.range) {
                proptest::prop_assert!(before <= range.start && range.start < range.end && range.end <= text.len() as u64);
                before = range.end;
            }
        }
    }

    fn pruned(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(of) => of
                .into_iter()
                .filter(|(name, _)| name != "a" && name != "ab")
                .map(|(name, value)| (name, pruned(value)))
                .collect(),
            serde_json::Value::Array(of) => of.into_iter().map(pruned).collect(),
            other => other,
        }
    }

    fn json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            "[ab,:{}\\[\\]\"\\\\]{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::vec(("[abc]{1,2}", inner), 0..5)
                    .prop_map(|of| serde_json::Value::Object(of.into_iter().collect())),
            ]
        })
    }
}
