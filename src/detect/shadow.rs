//! The normalised shadow of a text: what a reader sees, without the tricks that hide it from a machine.
//!
//! Most texts need none and are used as they are. A shadow is built only when the text holds an HTML
//! entity, a percent-encoded byte, a zero-width character, a soft hyphen, an odd space, dash or apostrophe, a
//! compatibility form such as full-width digits, a letter of another script that looks Latin inside a Latin word, or a
//! mark that turns the direction of writing. Invariant: every span in the shadow maps back to a span of the text
//! on character boundaries that covers exactly the characters it came from.

use super::bytes::before;
use super::confusable::{Tokens, latin};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// A text as matched, and the way back to the text as given.
pub(super) struct Shadow<'t> {
    text: Cow<'t, str>,
    /// From the text as matched back to the text as given, the last change first.
    layers: Vec<Vec<Piece>>,
}

/// One stretch. When `verbatim`, byte n of the shadow is byte n of the source; else the whole came from the whole.
struct Piece {
    shadow: usize,
    source: usize,
    source_end: usize,
    verbatim: bool,
}

impl<'t> Shadow<'t> {
    /// A text that is matched as it is.
    pub(super) const fn plain(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), layers: Vec::new() }
    }

    /// The shadow of a text in which the character at `from` is the first to change.
    pub(super) fn from(text: &'t str, from: usize) -> Self {
        Builder::run(text, from)
    }

    /// The text to match on.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The same with parts of the shadow replaced: `(start, end, with)`, in order and apart.
    pub(super) fn replaced(&self, parts: &[(usize, usize, &str)]) -> Shadow<'static> {
        let mut builder = Builder::new(&self.text, self.text.len());
        for (start, end, with) in parts {
            builder.replace(*start, *end, with.chars());
        }
        let (text, pieces) = builder.finish();
        let mut layers = vec![pieces];
        layers.extend(self.layers.iter().map(|layer| layer.iter().map(Piece::same).collect()));
        Shadow { text: Cow::Owned(text), layers }
    }

    /// The place in the source from which `start..end` of the shadow came.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        self.layers.iter().fold((start, end), |(start, end), layer| {
            (edge(layer, start, false), edge(layer, end.saturating_sub(1), true))
        })
    }
}

impl Piece {
    const fn same(&self) -> Self {
        Self { ..*self }
    }
}

fn edge(pieces: &[Piece], at: usize, end: bool) -> usize {
    let index = pieces.partition_point(|p| p.shadow <= at).saturating_sub(1);
    match pieces.get(index) {
        Some(p) if p.verbatim => p.source + (at - p.shadow) + usize::from(end),
        Some(p) if end => p.source_end,
        Some(p) => p.source,
        None => at,
    }
}

struct Builder<'t> {
    source: &'t str,
    text: String,
    pieces: Vec<Piece>,
    copied: usize,
}

impl<'t> Builder<'t> {
    fn new(source: &'t str, capacity: usize) -> Self {
        Self { source, text: String::with_capacity(capacity), pieces: Vec::new(), copied: 0 }
    }

    /// Everything that changes, from the first place on where something does.
    fn run(source: &'t str, from: usize) -> Shadow<'t> {
        let mut builder = Self::new(source, source.len());
        let mut tokens = Tokens::default();
        let mut pos = from;
        while let Some(c) = source.get(pos..).and_then(|rest| rest.chars().next()) {
            let plain = c.is_ascii() && !matches!(c, '&' | '%');
            pos = match change(source, pos, &mut tokens).filter(|_| !plain) {
                Some((len, with)) => {
                    with.put(&mut builder, pos, pos + len);
                    pos + len
                }
                None => pos + c.len_utf8(),
            };
        }
        let (text, pieces) = builder.finish();
        Shadow { text: Cow::Owned(text), layers: vec![pieces] }
    }

    fn finish(mut self) -> (String, Vec<Piece>) {
        self.copy_to(self.source.len());
        (self.text, self.pieces)
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

    fn replace(&mut self, from: usize, to: usize, with: impl Iterator<Item = char>) {
        self.copy_to(from);
        let shadow = self.text.len();
        self.text.extend(with);
        if self.text.len() > shadow {
            self.pieces.push(Piece { shadow, source: from, source_end: to, verbatim: false });
        }
        self.copied = to;
    }
}

/// Says of the characters of a text, asked in order, whether they change.
#[derive(Default)]
pub(super) struct Changes(Tokens);

impl Changes {
    /// Whether what stands at `at` is not what it looks like. Latin letters with a mark and emoji, which are most, are quick.
    pub(super) fn at(&mut self, text: &str, at: usize) -> bool {
        let bytes = text.as_bytes();
        let stays = match bytes.get(at..) {
            Some([0xc3 | 0xc4, ..] | [0xf0, 0x9f, 0x8c..=0xab, ..] | [0xe2, 0x98..=0x9e, ..]) => true,
            // Curly double quotes, a bullet, an ellipsis; money.
            Some([0xe2, 0x80, 0x9c..=0x9e | 0xa2 | 0xa6, ..] | [0xe2, 0x82, 0xa0..=0xbf, ..]) => true,
            // What makes and joins emoji, where an emoji stands before it.
            Some([0xef, 0xb8, 0x8f, ..] | [0xe2, 0x80, 0x8d, ..]) => before(bytes, at) >= 0x80,
            _ => false,
        };
        !stays && change(text, at, &mut self.0).is_some()
    }
}

/// What stands in the shadow instead of a part of the source.
enum With {
    Nothing,
    One(char),
    Several(Vec<char>),
    /// The source, back to front: text behind a mark that turns its direction.
    Turned,
}

impl With {
    fn put(self, builder: &mut Builder<'_>, from: usize, to: usize) {
        match self {
            Self::Nothing => builder.replace(from, to, std::iter::empty()),
            Self::One(c) => builder.replace(from, to, std::iter::once(c)),
            Self::Several(chars) => builder.replace(from, to, chars.into_iter()),
            Self::Turned => {
                let part = builder.source.get(from..to).unwrap_or("");
                builder.replace(from, to, part.chars().rev().filter(|c| !matches!(fold(*c), Fold::Drop)));
            }
        }
    }
}

/// What changes at `at`, and over how many bytes; none when the character stays.
fn change(text: &str, at: usize, tokens: &mut Tokens) -> Option<(usize, With)> {
    let rest = text.get(at..)?;
    let c = rest.chars().next()?;
    let with = |folded: Fold, len: usize| match folded {
        Fold::Keep => None,
        Fold::Drop => Some((len, With::Nothing)),
        Fold::One(c) => Some((len, With::One(c))),
        Fold::Several(chars) => Some((len, With::Several(chars))),
    };
    match c {
        '&' => {
            let (len, meant) = entity(rest)?;
            // An entity may itself stand for a character that is folded.
            with(fold(meant), len).or(Some((len, With::One(meant))))
        }
        '%' => {
            let (len, meant) = percent_encoded(rest)?;
            (meant != ' ' || tokens.is_no_link(text, at)).then_some((len, With::One(meant)))
        }
        '\u{202e}' => Some(turned(rest).map_or((c.len_utf8(), With::Nothing), |len| (len, With::Turned))),
        c => match latin(c) {
            Some(meant) => tokens.is_mixed(text, at).then_some((c.len_utf8(), With::One(meant))),
            None => with(fold(c), c.len_utf8()),
        },
    }
}

/// The length of a stretch that is shown back to front, from its mark to the mark or line that ends it.
fn turned(rest: &str) -> Option<usize> {
    let ends = |c: char| matches!(c, '\u{202c}' | '\n' | '\u{2069}');
    let end = rest.char_indices().take(TURNED_MAX).find(|(_, c)| ends(*c));
    end.map(|(at, _)| at).or_else(|| (rest.len() <= TURNED_MAX).then_some(rest.len()))
}

const TURNED_MAX: usize = 200;

/// The character that one to four percent-encoded bytes stand for, when a reader could see it.
fn percent_encoded(rest: &str) -> Option<(usize, char)> {
    let byte = |n: usize| {
        let pair = rest.get(n * 3..n * 3 + 3)?.strip_prefix('%')?;
        pair.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(pair, 16).ok())?
    };
    let mut bytes = [0_u8; 4];
    for n in 0..bytes.len() {
        *bytes.get_mut(n)? = byte(n)?;
        let Some(meant) = std::str::from_utf8(bytes.get(..=n)?).ok().and_then(|s| s.chars().next()) else {
            continue;
        };
        return (!meant.is_control()).then_some(((n + 1) * 3, meant));
    }
    None
}

enum Fold {
    Keep,
    Drop,
    One(char),
    Several(Vec<char>),
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
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Fold::One(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Fold::One('-'),
        '\u{201c}'..='\u{201e}' | '\u{2022}' | '\u{2026}' | '\u{20a0}'..='\u{20bf}' => Fold::Keep,
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '\u{b4}' => Fold::One('\''),
        '\u{2024}' => Fold::One('.'),
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
    Fold::Several(std::iter::once(c).nfkc().take(8).collect())
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
    use super::super::cut::Cut;
    use super::*;

    fn shadow_of(text: &str) -> Shadow<'_> {
        let mut changes = Changes::default();
        let cut = Cut::default().until(text, |at| changes.at(text, at));
        cut.map_or_else(|at| Shadow::from(text, at), |()| Shadow::plain(text))
    }

    #[test]
    fn what_hides_is_undone_and_maps_back() {
        for (text, shadow, part, source) in [
            ("bel 06\u{200b}123 nu", "bel 06123 nu", "06123", "06\u{200b}123"),
            ("é ０６１２ ok", "é 0612 ok", "0612", "０６１２"),
            ("jan&#64;voorbeeld.nl", "jan@voorbeeld.nl", "jan@voorbeeld.nl", "jan&#64;voorbeeld.nl"),
            ("a&nbsp;b\u{ad}c", "a bc", "bc", "b\u{ad}c"),
            ("x\u{2019}t ﬁn", "x't fin", "fin", "ﬁn"),
            (
                "jan%40voorbeeld.nl en 100% zeker",
                "jan@voorbeeld.nl en 100% zeker",
                "jan@voorbeeld.nl",
                "jan%40voorbeeld.nl",
            ),
            ("naam=Jan%20de%20Vries", "naam=Jan de Vries", "Jan de Vries", "Jan%20de%20Vries"),
            ("x.nl/?q=Jan%20V", "x.nl/?q=Jan%20V", "Jan%20V", "Jan%20V"),
            (
                "S\u{430}nn\u{435} is \u{43e}\u{43d}\u{430}",
                "Sanne is \u{43e}\u{43d}\u{430}",
                "Sanne",
                "S\u{430}nn\u{435}",
            ),
            (
                "bel \u{202e}87654321-60\u{202c} nu",
                "bel 06-12345678 nu",
                "06-12345678",
                "\u{202e}87654321-60",
            ),
        ] {
            let made = shadow_of(text);
            assert_eq!(made.text(), shadow);
            let start = shadow.find(part).unwrap();
            let (a, b) = made.source(start, start + part.len());
            assert_eq!(&text[a..b], source);
        }
    }

    #[test]
    fn an_ordinary_text_is_borrowed() {
        for text in ["gewoon & plat", "café 😀 ça va", "R&D; é"] {
            assert!(shadow_of(text).layers.is_empty(), "{text}");
        }
    }
}
