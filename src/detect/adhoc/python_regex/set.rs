//! `[...]` and the escapes that mean a character or a set of them, inside and outside of brackets.

use super::{Fault, Reader, write_char};

/// One thing in a set.
pub(super) enum Item {
    Char(char),
    /// As it stands between brackets.
    Set(String),
}

impl Reader {
    /// The set after `[`, with its brackets.
    pub(super) fn set(&mut self) -> Result<String, Fault> {
        let mut out = String::from("[");
        if self.take('^') {
            out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return Err(self.fault_at("unterminated character set", self.at));
            };
            if c == ']' && !first {
                out.push(']');
                return Ok(out);
            }
            first = false;
            match self.item(c)? {
                Item::Set(text) => out.push_str(&text),
                Item::Char(low) => self.range(low, &mut out)?,
            }
        }
    }

    /// A character, or a range that it begins.
    fn range(&mut self, low: char, out: &mut String) -> Result<(), Fault> {
        write_char(out, low);
        let ends = matches!(self.input.get(self.at + 1), None | Some(']'));
        if self.peek() != Some('-') || ends {
            return Ok(());
        }
        self.at += 1;
        let Some(c) = self.next() else {
            return Err(self.fault_at("unterminated character set", self.at));
        };
        match self.item(c)? {
            Item::Char(high) if high < low => Err(self.fault_at("bad character range", self.at)),
            Item::Char(high) => {
                out.push('-');
                write_char(out, high);
                Ok(())
            }
            // `a-\d` is an `a`, a hyphen and the digits.
            Item::Set(text) => {
                write_char(out, '-');
                out.push_str(&text);
                Ok(())
            }
        }
    }

    fn item(&mut self, c: char) -> Result<Item, Fault> {
        match c {
            '[' if self.peek() == Some(':') => self.posix(),
            '\\' => match self.next() {
                None => Err(self.fault_at("unterminated character set", self.at)),
                Some('b') => Ok(Item::Char('\u{8}')),
                Some('N') => Err(self.unsupported("character names are", self.at - 2)),
                Some(c @ '1'..='7') => {
                    let rest = self.octal(2);
                    let code = u32::from_str_radix(&format!("{c}{rest}"), 8).unwrap_or_default();
                    char::from_u32(code)
                        .map(Item::Char)
                        .ok_or_else(|| self.fault_at("bad octal escape", self.at))
                }
                Some(c) => self.escaped(c),
            },
            c => Ok(Item::Char(c)),
        }
    }

    /// `[:alpha:]`; a bracket when it is not closed.
    fn posix(&mut self) -> Result<Item, Fault> {
        let rest: String =
            self.input.iter().skip(self.at + 1).take_while(|c| **c != ':' && **c != ']').collect();
        let after = self.at + 1 + rest.chars().count();
        if self.input.get(after) != Some(&':') || self.input.get(after + 1) != Some(&']') {
            return Ok(Item::Char('['));
        }
        let (not, name) = rest.strip_prefix('^').map_or(("", rest.as_str()), |name| ("^", name));
        let inside = match name {
            "alpha" => r"\p{Alphabetic}",
            "digit" => "0-9",
            "alnum" => r"\p{Alphabetic}\p{Nd}",
            "space" => r"\s",
            "word" => r"\w",
            "upper" => r"\p{Uppercase}",
            "lower" => r"\p{Lowercase}",
            "cntrl" => r"\p{Cc}",
            "xdigit" => "0-9A-Fa-f",
            "blank" => HORIZONTAL,
            "punct" | "graph" | "print" => {
                return Err(self.unsupported(&format!("[:{name}:] is"), self.at - 1));
            }
            _ => return Err(self.fault_at("unknown property", after + 2)),
        };
        self.at = after + 2;
        let inside = self.within(&format!("[{inside}]"));
        Ok(Item::Set(format!("[{not}{inside}]")))
    }

    fn octal(&mut self, most: usize) -> String {
        let digits: String =
            self.input.iter().skip(self.at).take(most).take_while(|c| ('0'..='7').contains(*c)).collect();
        self.at += digits.len();
        digits
    }

    /// An escape that means the same inside and outside of brackets.
    pub(super) fn escaped(&mut self, c: char) -> Result<Item, Fault> {
        let ascii = self.flags.ascii;
        Ok(match c {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Item::Set(shorthand(c, ascii)),
            'h' => Item::Set(HORIZONTAL.to_owned()),
            'p' | 'P' => return self.property(c),
            'n' => Item::Char('\n'),
            't' => Item::Char('\t'),
            'r' => Item::Char('\r'),
            'f' => Item::Char('\u{c}'),
            'v' => Item::Char('\u{b}'),
            'a' => Item::Char('\u{7}'),
            'x' => Item::Char(self.hex('x', 2)?),
            'u' => Item::Char(self.hex('u', 4)?),
            'U' => Item::Char(self.hex('U', 8)?),
            '0' => {
                let digits = self.octal(2);
                let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
                Item::Char(char::from_u32(code).unwrap_or_default())
            }
            c if c.is_ascii_alphanumeric() => {
                return Err(self.fault_at(&format!("bad escape \\{c}"), self.at));
            }
            c => Item::Char(c),
        })
    }

    fn hex(&mut self, kind: char, digits: usize) -> Result<char, Fault> {
        let given: String =
            self.input.iter().skip(self.at).take(digits).take_while(|c| c.is_ascii_hexdigit()).collect();
        if given.len() < digits {
            return Err(self.fault_at(&format!("incomplete escape \\{kind}{given}"), self.at));
        }
        let code = u32::from_str_radix(&given, 16).unwrap_or(u32::MAX);
        let there = char::from_u32(code);
        there
            .inspect(|_| self.at += digits)
            .ok_or_else(|| self.fault_at(&format!("bad hex escape \\{kind}{given}"), self.at))
    }

    /// `\p{...}` or `\pL`.
    fn property(&mut self, c: char) -> Result<Item, Fault> {
        if !self.take('{') {
            return match self.next() {
                Some(one) if one.is_ascii_alphabetic() => self.property_set(c == 'P', &one.to_string()),
                _ => Err(self.fault_at("unknown property", self.at)),
            };
        }
        let name = self.take_while(|c| c != '}');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '-' | '=' | ':' | '^');
        if !self.take('}') || !name.chars().all(plain) {
            return Err(self.fault_at("unknown property", self.at));
        }
        let (not, name) = name.strip_prefix('^').map_or((false, name.as_str()), |name| (true, name));
        self.property_set(not != (c == 'P'), name)
    }

    fn property_set(&self, not: bool, name: &str) -> Result<Item, Fault> {
        let set = format!("[\\p{{{name}}}]");
        if regex_automata::util::syntax::parse(&set).is_err() {
            return Err(self.fault_at("unknown property", self.at));
        }
        let inside = self.within(&set);
        Ok(Item::Set(if not { format!("[^{inside}]") } else { inside }))
    }

    /// A set without what is not ASCII, when only that counts.
    fn within(&self, set: &str) -> String {
        if self.flags.ascii { format!(r"[{set}&&[\x{{0}}-\x{{7f}}]]") } else { set.to_owned() }
    }
}

/// Blanks that do not end a line.
const HORIZONTAL: &str = r"\t\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";

fn shorthand(c: char, ascii: bool) -> String {
    if !ascii {
        return format!("\\{c}");
    }
    let inside = match c.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t-\r\x{20}",
        _ => "0-9A-Za-z_",
    };
    if c.is_ascii_uppercase() { format!("[^{inside}]") } else { inside.to_owned() }
}
