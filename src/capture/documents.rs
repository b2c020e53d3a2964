//! Taking JSON documents apart at their outer arrays, byte by byte and without parsing the elements.

use super::json_blocks::{Brackets, Carry};
use super::json_parse::plain;
use super::split::{Element, Raw};
use super::streamed;
use std::mem;

/// Where the scanner stands.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Between documents.
    #[default]
    Top,
    /// Before the equals sign of a script that assigns a document.
    Target,
    /// After it.
    Assigned,
    /// Before an element; the flag: one must come, as after a comma.
    Element(bool),
    /// Inside a value that becomes a piece.
    Value,
    /// After an element.
    AfterElement,
    /// Before a member's name; the flag as above.
    Member(bool),
    /// Inside a member's name.
    Name,
    /// Before the colon.
    Colon,
    /// Before a member's value.
    MemberValue,
    /// After a member.
    AfterMember,
}

/// What the current value stands in.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Nothing,
    Array,
    MemberArray,
    Member,
}

/// Which objects at the top of a document are taken apart at their members.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Opened {
    #[default]
    Nothing,
    /// A Mastodon context.
    Context,
    /// An object that is large: any list that is known.
    Large,
}

/// What one call of [`Scanner::scan`] did.
pub(super) struct Scanned {
    /// How many bytes of the buffer belong to the piece.
    pub(super) used: usize,
    /// Whether the piece ends there.
    pub(super) done: bool,
}

/// Finds where pieces end. Balances brackets and strings; checks only the separators outside values.
#[derive(Default)]
pub(super) struct Scanner {
    opened: Opened,
    /// The object inside the outermost one that is taken apart too, while in it.
    holder: Option<&'static str>,
    /// The list of the object that was last begun.
    list: Option<&'static str>,
    /// Whether documents are assigned by a script: `window.YTD.tweets.part0 = […]`.
    script: bool,
    state: State,
    within: Within,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The same inside brackets.
    carry: Carry,
    name: Vec<u8>,
    index: u64,
}

impl Scanner {
    /// `opened`: what is taken apart at its members.
    pub(super) fn new(opened: Opened) -> Self {
        Self { opened, ..Self::default() }
    }

    /// Whether a large object is taken apart.
    pub(super) fn opens_large(&self) -> bool {
        self.opened == Opened::Large
    }

    /// The list that was last begun.
    pub(super) const fn list(&self) -> Option<&'static str> {
        self.list
    }

    /// Lets a name and an equals sign stand before each document, and a semicolon after it.
    pub(super) fn in_script(mut self) -> Self {
        self.script = true;
        self
    }

    /// Whether the stream may end here.
    pub(super) fn at_rest(&self) -> bool {
        self.state == State::Top
    }

    /// Passes over `buffer`, which follows `base` bytes of the piece `raw`. The error is the place in the
    /// buffer of a byte that cannot stand there.
    pub(super) fn scan(&mut self, buffer: &[u8], base: usize, raw: &mut Raw) -> Result<Scanned, usize> {
        let mut at = 0;
        while let Some(&byte) = buffer.get(at) {
            match self.state {
                State::Value | State::Name => {
                    let rest = buffer.get(at..).unwrap_or_default();
                    let (used, ended) = self.inside(rest);
                    if self.state == State::Name {
                        self.keep_name(rest.get(..used).unwrap_or_default());
                    }
                    at += used;
                    if ended && self.value_ended(base + at, raw) {
                        return Ok(Scanned { used: at, done: true });
                    }
                }
                _ if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') || is_mark(byte, base + at, raw) => at += 1,
                _ => {
                    let (pass, done) = self.between(byte, base + at, raw).ok_or(at)?;
                    at += usize::from(pass);
                    if done {
                        return Ok(Scanned { used: at, done });
                    }
                }
            }
        }
        Ok(Scanned { used: at, done: false })
    }

    /// Passes over the inside of a value: how far, and whether it ended there.
    fn inside(&mut self, rest: &[u8]) -> (usize, bool) {
        if self.depth > 0 || (!self.in_string && matches!(rest.first(), Some(b'{' | b'['))) {
            return self.inside_brackets(rest);
        }
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            if self.in_string {
                if mem::take(&mut self.escaped) {
                    at += 1;
                    continue;
                }
                at += plain(rest.get(at..).unwrap_or_default());
                match rest.get(at) {
                    None => return (at, false),
                    Some(b'"') => return (at + 1, mem::replace(&mut self.in_string, false)),
                    Some(b'\\') => self.escaped = true,
                    // A control character, which the parser finds.
                    Some(_) => {}
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' => return (at, true),
                    _ => {}
                }
            }
            at += 1;
        }
        (at, false)
    }

    /// The same for an object or an array.
    fn inside_brackets(&mut self, whole: &[u8]) -> (usize, bool) {
        let mut rest = whole;
        while !rest.is_empty() {
            let (open, close, length) = Brackets::outside(rest, &mut self.carry);
            let (opening, closing) = (open.count_ones() as usize, close.count_ones() as usize);
            if self.depth > closing {
                self.depth = self.depth + opening - closing;
            } else {
                let mut brackets = open | close;
                while brackets != 0 {
                    let at = brackets.trailing_zeros();
                    brackets &= brackets - 1;
                    if open >> at & 1 == 1 {
                        self.depth += 1;
                        continue;
                    }
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.carry = Carry::default();
                        return (whole.len() - rest.len() + at as usize + 1, true);
                    }
                }
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        (whole.len(), false)
    }

    fn keep_name(&mut self, part: &[u8]) {
        let room = streamed::NAME_BYTES_MAX;
        self.name.extend(part.iter().take(room.saturating_sub(self.name.len())));
    }

    /// After a value (or a name) that ends at `end` of the piece; true when the piece ends too.
    fn value_ended(&mut self, end: usize, raw: &mut Raw) -> bool {
        if self.state == State::Name {
            self.state = State::Colon;
            return false;
        }
        raw.value.end = end;
        let (state, done) = match self.within {
            Within::Nothing => (State::Top, true),
            Within::Member => (State::AfterMember, true),
            Within::Array | Within::MemberArray => (State::AfterElement, false),
        };
        self.state = state;
        done
    }

    /// One byte outside values: whether it is passed over, and whether the piece ends. None: it is wrong.
    fn between(&mut self, byte: u8, at: usize, raw: &mut Raw) -> Option<(bool, bool)> {
        let (state, pass, done) = match (self.state, byte) {
            (State::Top, b';') if self.script => (State::Top, true, false),
            (State::Top | State::Target, b'.' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
                if self.script =>
            {
                (State::Target, true, false)
            }
            (State::Target, b'=') => (State::Assigned, true, false),
            (State::Top | State::Assigned, b'[') => (self.array(Within::Array), true, false),
            (State::Top, b'{') if self.opened != Opened::Nothing => (State::Member(false), true, false),
            (State::Top | State::Assigned, b'{') => (self.value(Within::Nothing, at, raw), false, false),
            (State::Element(false), b']') => (self.array_end(), true, self.within == Within::Array),
            (State::Element(_), b',' | b']' | b'}' | b':') => return None,
            (State::Element(_), _) => {
                raw.element = Some(self.element());
                self.index += 1;
                (self.value(self.within, at, raw), false, false)
            }
            (State::AfterElement, b',') => {
                raw.last = false;
                (State::Element(true), true, true)
            }
            (State::AfterElement, b']') => (self.array_end(), true, true),
            (State::Member(_), b'"') => {
                self.name.clear();
                (State::Name, false, false)
            }
            (State::Colon, b':') => (State::MemberValue, true, false),
            (State::MemberValue, b'[') if self.streamed().is_some() => {
                self.list = self.streamed();
                (self.array(Within::MemberArray), true, false)
            }
            (State::MemberValue, b'{') if self.holds().is_some() => {
                self.holder = self.holds();
                (State::Member(false), true, false)
            }
            (State::MemberValue, b',' | b']' | b'}' | b':') => return None,
            (State::MemberValue, _) => (self.value(Within::Member, at, raw), false, false),
            (State::AfterMember, b',') => (State::Member(true), true, false),
            (State::AfterMember | State::Member(false), b'}') => match self.holder.take() {
                Some(_) => (State::AfterMember, true, false),
                None => {
                    // The next object is another matter: nothing says that it is large.
                    if self.opened == Opened::Large {
                        self.opened = Opened::Nothing;
                    }
                    (State::Top, true, true)
                }
            },
            _ => return None,
        };
        self.state = state;
        Some((pass, done))
    }

    fn value(&mut self, within: Within, at: usize, raw: &mut Raw) -> State {
        self.within = within;
        raw.value = at..at;
        State::Value
    }

    fn array(&mut self, within: Within) -> State {
        self.within = within;
        self.index = 0;
        State::Element(false)
    }

    fn array_end(&self) -> State {
        if self.within == Within::MemberArray { State::AfterMember } else { State::Top }
    }

    fn name(&self) -> Option<&[u8]> {
        self.name.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    fn streamed(&self) -> Option<&'static str> {
        let list = streamed::list(self.name()?)?;
        (self.opened == Opened::Large || streamed::OF_A_CONTEXT.contains(&list)).then_some(list)
    }

    /// The object of this name that holds a list, if this is a place for one.
    fn holds(&self) -> Option<&'static str> {
        let holder = streamed::holder(self.name()?)?;
        (self.opened == Opened::Large && self.holder.is_none()).then_some(holder)
    }

    fn element(&self) -> Element {
        let list = self.list.filter(|_| self.within == Within::MemberArray);
        Element { holder: self.holder.filter(|_| list.is_some()), list, index: self.index }
    }
}

/// Whether a byte belongs to a byte order mark at the start of the file.
fn is_mark(byte: u8, at: usize, raw: &Raw) -> bool {
    raw.offset == 0 && [0xEF, 0xBB, 0xBF].get(at) == Some(&byte)
}
