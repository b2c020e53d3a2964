//! Data as Python prints it (`{'a': ["it's", None]}`), inside a string of JSON: how annotation tools keep a text
//! they were given as an object. Turned into JSON with the places of its brackets, so that what is read from it
//! can be pointed out in the file.

/// JSON made out of a Python literal.
pub(super) struct Plain {
    /// The JSON.
    pub(super) text: String,
    /// Before each opening and after each closing bracket: where in `text`, where in what was given.
    places: Vec<(usize, usize)>,
}

impl Plain {
    /// Where a bracket stands in what was given.
    pub(super) fn place(&self, at: usize) -> usize {
        let found = self.places.binary_search_by_key(&at, |(json, _)| *json);
        found.ok().and_then(|index| self.places.get(index)).map_or(0, |(_, given)| *given)
    }
}

/// Reads the inside of a JSON string, escapes and all, that holds a Python literal. None when it holds anything
/// but strings, numbers, `True`, `False`, `None`, lists and dictionaries. Linear in the text.
pub(super) fn json_of(raw: &str) -> Option<Plain> {
    let start = raw.trim_start();
    if !start.starts_with(['{', '[']) {
        return None;
    }
    let mut chars = Decoded { raw, at: 0 };
    let mut plain = Plain { text: String::with_capacity(raw.len() + raw.len() / 8), places: Vec::new() };
    while let Some((character, at)) = chars.next_char() {
        match character {
            '\'' | '"' => string(character, &mut chars, &mut plain.text)?,
            '{' | '[' => {
                plain.places.push((plain.text.len(), at));
                plain.text.push(character);
            }
            '}' | ']' => {
                plain.text.push(character);
                plain.places.push((plain.text.len(), chars.at));
            }
            'T' => chars.word("rue").then(|| plain.text.push_str("true"))?,
            'F' => chars.word("alse").then(|| plain.text.push_str("false"))?,
            'N' => chars.word("one").then(|| plain.text.push_str("null"))?,
            ',' | ':' | ' ' | '\n' | '-' | '+' | '.' | 'e' | '0'..='9' => plain.text.push(character),
            _ => return None,
        }
    }
    Some(plain)
}

/// The rest of a Python string, as a JSON string.
fn string(quote: char, chars: &mut Decoded<'_>, out: &mut String) -> Option<()> {
    out.push('"');
    loop {
        let (character, _) = chars.next_char()?;
        let meant = match character {
            '\\' => escaped(chars)?,
            _ if character == quote => break,
            _ => character,
        };
        match meant {
            '"' | '\\' => out.extend(['\\', meant]),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(meant))),
            _ => out.push(meant),
        }
    }
    out.push('"');
    Some(())
}

fn escaped(chars: &mut Decoded<'_>) -> Option<char> {
    let (character, _) = chars.next_char()?;
    let digits = match character {
        'n' => return Some('\n'),
        't' => return Some('\t'),
        'r' => return Some('\r'),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\\' | '\'' | '"' => return Some(character),
        _ => return None,
    };
    let mut code = 0_u32;
    for _ in 0..digits {
        code = code.checked_mul(16)?.checked_add(chars.next_char()?.0.to_digit(16)?)?;
    }
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The characters a JSON string stands for, one by one.
struct Decoded<'r> {
    raw: &'r str,
    at: usize,
}

impl Decoded<'_> {
    /// The next character and where it begins.
    fn next_char(&mut self) -> Option<(char, usize)> {
        let begin = self.at;
        let rest = self.raw.get(begin..)?;
        let first = rest.chars().next()?;
        self.at += first.len_utf8();
        if first != '\\' {
            return Some((first, begin));
        }
        let (character, length) = super::json::escaped_character(rest.get(1..)?);
        self.at = begin + 1 + length;
        Some((character, begin))
    }

    fn word(&mut self, word: &str) -> bool {
        let fits = self.raw.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if fits { word.len() } else { 0 };
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_becomes_json_and_its_brackets_keep_their_places() {
        let raw = r#"{'a': [\"it's\", 'é\\n\\'\\x41\\u00e9', None, True, 1.5e-3], 'b': '\"', 'c': {}}"#;
        let plain = json_of(raw).unwrap();
        assert_eq!(plain.text, r#"{"a": ["it's", "é\u000a'Aé", null, true, 1.5e-3], "b": "\"", "c": {}}"#);
        let list = plain.text.find('[').unwrap();
        assert_eq!(&raw[plain.place(list)..][..3], r#"[\""#);
        let end = plain.text.find(']').unwrap() + 1;
        assert_eq!(&raw[plain.place(end)..][..4], ", 'b");
    }

    #[test]
    fn anything_else_is_none() {
        for raw in [
            "",
            "x",
            "{'a",
            "{'a': Nan}",
            "[print()]",
            r"['\\q']",
            r"['\\uZZZZ']",
            "'a'",
            r"[\ud83d",
            "[\u{1}]",
        ] {
            assert!(json_of(raw).is_none(), "{raw}");
        }
    }
}
