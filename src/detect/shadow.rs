//! The normalised shadow of a text: what a reader sees, without the tricks that hide it from a machine.
//!
//! Most texts need none and are used as they are. A shadow is built only when the text holds an HTML
//! entity, a zero-width character, a soft hyphen, an odd space, dash or apostrophe, or a compatibility
//! form such as full-width digits. Invariant: every span in the shadow maps back to a span of the text
//! on character boundaries that covers exactly the characters it came from.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// A text as matched, and the way back to the text as given.
pub(super) struct Shadow<'t> {
    text: Cow<'t, str>,
    pieces: Vec<Piece>,
}

/// One stretch. When `verbatim`, byte n of the shadow is byte n of the source; else the whole came from the whole.
struct Piece {
    shadow: usize,
    source: usize,
    source_end: usize,
    verbatim: bool,
}

impl<'t> Shadow<'t> {
    /// The shadow of `text`; borrowed when nothing had to change.
    pub(super) fn of(text: &'t str) -> Self {
        if text.bytes().any(|b| b == b'&' || b >= 0x80) && changes(text) {
            Builder::run(text)
        } else {
            Self { text: Cow::Borrowed(text), pieces: Vec::new() }
        }
    }

    /// The text to match on.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the source from which `start..end` of the shadow came.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        if self.pieces.is_empty() {
            return (start, end);
        }
        (self.edge(start, false), self.edge(end.saturating_sub(1), true))
    }

    fn edge(&self, at: usize, end: bool) -> usize {
        let index = self.pieces.partition_point(|p| p.shadow <= at).saturating_sub(1);
        match self.pieces.get(index) {
            Some(p) if p.verbatim => p.source + (at - p.shadow) + usize::from(end),
            Some(p) if end => p.source_end,
            Some(p) => p.source,
            None => at,
        }
    }
}

struct Builder<'t> {
    source: &'t str,
    text: String,
    pieces: Vec<Piece>,
    copied: usize,
}

impl<'t> Builder<'t> {
    fn run(source: &'t str) -> Shadow<'t> {
        let mut b = Self { source, text: String::with_capacity(source.len()), pieces: Vec::new(), copied: 0 };
        let mut pos = 0;
        while let Some(c) = source.get(pos..).and_then(|rest| rest.chars().next()) {
            let end = pos + c.len_utf8();
            if c == '&'
                && let Some((len, meant)) = entity(source.get(pos..).unwrap_or(""))
            {
                // An entity may itself stand for a character that is folded.
                match fold(meant) {
                    Fold::Keep => b.replace(pos, pos + len, &[meant]),
                    Fold::Drop => b.replace(pos, pos + len, &[]),
                    Fold::As(chars) => b.replace(pos, pos + len, &chars),
                }
                pos += len;
                continue;
            }
            match fold(c) {
                Fold::Keep => {}
                Fold::Drop => b.replace(pos, end, &[]),
                Fold::As(chars) => b.replace(pos, end, &chars),
            }
            pos = end;
        }
        b.copy_to(source.len());
        Shadow { text: Cow::Owned(b.text), pieces: b.pieces }
    }

    fn copy_to(&mut self, to: usize) {
        if let Some(kept) = self.source.get(self.copied..to).filter(|kept| !kept.is_empty()) {
            self.pieces.push(Piece {
                shadow: self.text.len(),
                source: self.copied,
                source_end: to,
                verbatim: true,
            });
            self.text.push_str(kept);
        }
        self.copied = to;
    }

    fn replace(&mut self, from: usize, to: usize, with: &[char]) {
        self.copy_to(from);
        if !with.is_empty() {
            self.pieces.push(Piece {
                shadow: self.text.len(),
                source: from,
                source_end: to,
                verbatim: false,
            });
            self.text.extend(with);
        }
        self.copied = to;
    }
}

fn changes(text: &str) -> bool {
    let entities = text.contains('&')
        && text.match_indices('&').any(|(at, _)| entity(text.get(at..).unwrap_or("")).is_some());
    entities || text.chars().any(|c| !c.is_ascii() && !matches!(fold(c), Fold::Keep))
}

enum Fold {
    Keep,
    Drop,
    As(Vec<char>),
}

fn fold(c: char) -> Fold {
    match c {
        '\0'..='\u{9f}' | '\u{c0}'..='\u{17e}' => Fold::Keep,
        // Soft hyphen, zero width, direction and joiner marks; a joiner between emoji is dropped too, which matters to no rule.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => {
            Fold::Drop
        }
        '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' => {
            Fold::Drop
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' => Fold::Drop,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Fold::As(vec![' ']),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Fold::As(vec!['-']),
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '\u{b4}' => Fold::As(vec!['\'']),
        '\u{2024}' => Fold::As(vec!['.']),
        '\u{a2}'..='\u{bf}' | '\u{1f000}'..='\u{1f0ff}' | '\u{1f300}'..='\u{1faff}' => Fold::Keep,
        '\u{300}'..='\u{33f}' | '\u{370}'..='\u{1fff}' | '\u{2600}'..='\u{27bf}' => Fold::Keep,
        _ => compatibility(c),
    }
}

/// Full-width, circled, mathematical, superscript and ligature forms become what they stand for.
fn compatibility(c: char) -> Fold {
    let mut folded = std::iter::once(c).nfkc();
    if folded.next() == Some(c) && folded.next().is_none() {
        return Fold::Keep;
    }
    Fold::As(std::iter::once(c).nfkc().take(8).collect())
}

/// The length of the HTML entity at the start and the character it stands for.
fn entity(rest: &str) -> Option<(usize, char)> {
    let body = rest.get(1..)?;
    let close = body.bytes().take(12).position(|b| b == b';')?;
    let name = body.get(..close)?;
    let meant = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        })?,
        None => NAMED.iter().find(|(n, _)| *n == name)?.1,
    };
    (!meant.is_control()).then_some((close + 2, meant))
}

const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("commat", '@'),
    ("period", '.'),
    ("colon", ':'),
    ("sol", '/'),
    ("lpar", '('),
    ("rpar", ')'),
    ("num", '#'),
    ("plus", '+'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("ndash", '-'),
    ("mdash", '-'),
    ("shy", '\u{ad}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("eacute", 'é'),
    ("euml", 'ë'),
    ("iuml", 'ï'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("rsquo", '\''),
    ("lsquo", '\''),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_undone_and_maps_back() {
        for (text, shadow, part, source) in [
            ("bel 06\u{200b}123 nu", "bel 06123 nu", "06123", "06\u{200b}123"),
            ("é ０６１２ ok", "é 0612 ok", "0612", "０６１２"),
            ("jan&#64;voorbeeld.nl", "jan@voorbeeld.nl", "jan@voorbeeld.nl", "jan&#64;voorbeeld.nl"),
            ("a&nbsp;b\u{ad}c", "a bc", "bc", "b\u{ad}c"),
            ("x\u{2019}t ﬁn", "x't fin", "fin", "ﬁn"),
        ] {
            let made = Shadow::of(text);
            assert_eq!(made.text(), shadow);
            let start = shadow.find(part).unwrap();
            let (a, b) = made.source(start, start + part.len());
            assert_eq!(&text[a..b], source);
        }
    }

    #[test]
    fn an_ordinary_text_is_borrowed() {
        for text in ["gewoon & plat", "café 😀 ça va", "R&D; é"] {
            assert!(matches!(Shadow::of(text).text, Cow::Borrowed(_)), "{text}");
        }
    }
}
