//! Regular expressions as Python's `regex` module reads them, rewritten for the engines here.
//!
//! Every construct is either rewritten to one that means the same or refused with its name and place; none is
//! passed over. Messages follow Python's where Python refuses too, with places counted in code points. Every
//! literal is written as `\x{..}`, so nothing of the pattern is read twice.

mod groups;
mod set;

use groups::{Group, GroupKind, Names};

/// What `re.compile` is told beside the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
    pub(super) verbose: bool,
    pub(super) ascii: bool,
}

impl Flags {
    /// Python's numbers: I 2, M 8, S 16, U 32 (always on), X 64, A 128 (`regex`) or 256 (`re`), VERSION0 8192.
    pub(super) fn from_bits(bits: i64) -> Result<Self, String> {
        let known = 2 | 8 | 16 | 32 | 64 | 128 | 256 | 0x2000;
        if bits & !known != 0 {
            return Err(format!(
                "regex flags {bits} are not supported; use the sum of IGNORECASE 2, MULTILINE 8, DOTALL 16, VERBOSE 64, ASCII 256"
            ));
        }
        let on = |bit: i64| bits & bit != 0;
        Ok(Self {
            ignore_case: on(2),
            multi_line: on(8),
            dot_all: on(16),
            verbose: on(64),
            ascii: on(128) || on(256),
        })
    }

    fn set(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'i' => self.ignore_case = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            'x' => self.verbose = on,
            'a' => self.ascii = on,
            'u' => self.ascii = !on,
            _ => return false,
        }
        true
    }
}

/// The pattern for `fancy_regex`; also one for `regex` when it uses nothing that needs backtracking.
///
/// # Errors
/// What is wrong, and at which code point of the pattern.
pub(super) fn translate(pattern: &str, flags: Flags) -> Result<String, String> {
    let translated = Reader::translate(pattern, flags);
    translated.map_err(|fault| fault.shown(pattern))
}

/// What is wrong, and where: a place in code points.
struct Fault {
    what: String,
    at: usize,
}

impl Fault {
    /// As Python says it: with line and column when there are lines.
    fn shown(&self, pattern: &str) -> String {
        let Self { what, at } = self;
        if !pattern.contains('\n') {
            return format!("{what} at position {at}");
        }
        let before: Vec<char> = pattern.chars().take(*at).collect();
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        format!("{what} at position {at} (line {line}, column {column})")
    }
}

/// A deny list as the pattern that Presidio makes of it, as explanations show it.
pub(super) fn deny_list(words: &[String]) -> String {
    let escaped = |word: &String| -> String {
        let special = |c: char| c.is_whitespace() || "()[]{}?*+|^$\\.-#&~".contains(c);
        word.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain(Some(c))).collect()
    };
    let words: Vec<String> = words.iter().map(escaped).collect();
    format!(r"(?:^|(?<=\W))({})(?:(?=\W)|$)", words.join("|"))
}

/// The same for the engines here, without look-around: a line ends and begins where there is no word anyway.
pub(super) fn any_of(words: &[String], flags: Flags) -> String {
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        let mut text = String::new();
        word.chars().for_each(|c| write_char(&mut text, c));
        all.push(text);
    }
    let all = all.join("|");
    let case = if flags.ignore_case { "(?i)" } else { "" };
    if flags.ascii {
        return format!("{case}(?<![0-9A-Za-z_])(?:{all})(?![0-9A-Za-z_])");
    }
    format!(r"{case}\b{{start-half}}(?:{all})\b{{end-half}}")
}

/// What a repetition sign would repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Atom {
    None,
    /// Starts here in the output; whether it takes no room.
    Ready {
        start: usize,
        assertion: bool,
    },
    Repeated,
}

struct Reader {
    input: Vec<char>,
    at: usize,
    out: String,
    flags: Flags,
    open: Vec<Group>,
    names: Names,
    atom: Atom,
}

impl Reader {
    fn translate(pattern: &str, flags: Flags) -> Result<String, Fault> {
        let mut reader = Reader {
            input: pattern.chars().collect(),
            at: 0,
            out: String::with_capacity(pattern.len() * 3),
            flags,
            open: Vec::new(),
            names: Names::default(),
            atom: Atom::None,
        };
        if flags.ignore_case {
            reader.out.push_str("(?i)");
        }
        while let Some(c) = reader.next() {
            reader.read(c)?;
        }
        if !reader.open.is_empty() {
            return Err(reader.fault_at("missing )", reader.at));
        }
        reader.names.check()?;
        Ok(reader.out)
    }

    fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            taken.push(c);
            self.at += 1;
        }
        taken
    }

    fn fault_at(&self, what: &str, at: usize) -> Fault {
        Fault { what: what.to_owned(), at }
    }

    /// Something Python knows and this does not.
    fn unsupported(&self, what: &str, at: usize) -> Fault {
        self.fault_at(&format!("{what} not supported"), at)
    }

    fn read(&mut self, c: char) -> Result<(), Fault> {
        let start = self.at - 1;
        match c {
            '\\' => self.escape(start)?,
            '[' => {
                let set = self.set()?;
                self.emit(&set, false);
            }
            '(' => self.group(start)?,
            ')' => self.close(start)?,
            '|' => self.alternative(start)?,
            '*' => self.repeat(0, None, start)?,
            '+' => self.repeat(1, None, start)?,
            '?' => self.repeat(0, Some(1), start)?,
            '{' => self.braces(start)?,
            '.' => self.emit(if self.flags.dot_all { "(?s:.)" } else { r"[^\n]" }, false),
            '^' => self.emit(if self.flags.multi_line { "(?m:^)" } else { r"\A" }, true),
            '$' => self.emit(if self.flags.multi_line { "(?m:$)" } else { r"(?=\n?\z)" }, true),
            c if self.flags.verbose && c.is_ascii_whitespace() => {}
            '#' if self.flags.verbose => {
                self.take_while(|c| c != '\n');
            }
            c => self.literal(c),
        }
        Ok(())
    }

    fn emit(&mut self, text: &str, assertion: bool) {
        self.atom = Atom::Ready { start: self.out.len(), assertion };
        self.out.push_str(text);
        if !assertion && let Some(group) = self.open.last_mut() {
            group.takes_room = true;
        }
    }

    fn literal(&mut self, c: char) {
        let mut text = String::new();
        write_char(&mut text, c);
        self.emit(&text, false);
    }

    /// `|`. A conditional has two branches at the most.
    fn alternative(&mut self, start: usize) -> Result<(), Fault> {
        if let Some(group) = self.open.last_mut() {
            group.branches += 1;
            if group.kind == GroupKind::Conditional && group.branches > 2 {
                return Err(self.fault_at("missing )", start));
            }
        }
        self.out.push('|');
        self.atom = Atom::None;
        Ok(())
    }

    /// A repetition of the last atom: greedy, lazy (`?` follows) or possessive (`+` follows).
    fn repeat(&mut self, least: u32, most: Option<u32>, start: usize) -> Result<(), Fault> {
        let lazy = self.take('?');
        let possessive = !lazy && self.take('+');
        let Atom::Ready { start: from, assertion } = self.atom else {
            let what = if self.atom == Atom::None { "nothing to repeat" } else { "multiple repeat" };
            return Err(self.fault_at(what, start));
        };
        if most.is_some_and(|most| most < least) {
            return Err(self.fault_at("min repeat greater than max repeat", start + 1));
        }
        self.atom = Atom::Repeated;
        if assertion {
            // What takes no room holds once or as often as one likes.
            if least == 0 {
                self.wrap(from, "(?:", "|)");
            }
            return Ok(());
        }
        let sign = match (least, most) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        if possessive {
            self.wrap(from, "(?>", &format!("{sign})"));
        } else {
            self.out.push_str(&sign);
            self.out.push_str(if lazy { "?" } else { "" });
        }
        Ok(())
    }

    fn wrap(&mut self, from: usize, before: &str, after: &str) {
        self.out.insert_str(from, before);
        self.out.push_str(after);
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`; anything else is a brace.
    fn braces(&mut self, start: usize) -> Result<(), Fault> {
        let inside: String = self.input.iter().skip(self.at).take_while(|c| **c != '}').collect();
        let closed = self.input.get(self.at + inside.chars().count()) == Some(&'}');
        let fuzzy = inside.starts_with(['e', 'i', 'd', 's'])
            && inside.chars().nth(1).is_none_or(|c| !c.is_alphanumeric())
            || inside.contains('<');
        if closed && fuzzy && self.atom != Atom::None {
            return Err(self.unsupported("approximate matching is", start));
        }
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        if !closed || inside.is_empty() || !digits(least) || !digits(most) {
            self.literal('{');
            return Ok(());
        }
        self.at += inside.chars().count() + 1;
        let count = |text: &str, none| match text {
            "" => Ok(none),
            text => {
                text.parse::<u32>().map(Some).map_err(|_| self.fault_at("repeat count too big", start + 1))
            }
        };
        let (least, most) = (count(least, Some(0))?.unwrap_or(0), count(most, None)?);
        self.repeat(least, most, start)
    }

    fn escape(&mut self, start: usize) -> Result<(), Fault> {
        let Some(c) = self.next() else {
            return Err(self.fault_at("bad escape (end of pattern)", self.at));
        };
        match c {
            'A' => self.emit(r"\A", true),
            'Z' | 'z' => self.emit(r"\z", true),
            'b' => self.boundary(true),
            'B' => self.boundary(false),
            'm' => self.emit(r"\b{start}", true),
            'M' => self.emit(r"\b{end}", true),
            'R' => self.emit(r"(?>\x{d}\x{a}|[\x{a}-\x{d}\x{85}\x{2028}\x{2029}])", false),
            'K' => self.emit(r"\K", true),
            'G' => return Err(self.unsupported(r"\G is", start)),
            'X' => return Err(self.unsupported(r"\X is", start)),
            'L' => return Err(self.unsupported("named lists are", start)),
            'N' if self.peek() == Some('{') => return Err(self.unsupported("character names are", start)),
            'N' => self.emit(r"[^\n]", false),
            'g' if self.take('<') => {
                let at = self.at;
                let name = self.name('>')?;
                self.reference(&name, at)?;
            }
            '1'..='9' => self.number(c)?,
            c => match self.escaped(c)? {
                set::Item::Char(c) => self.literal(c),
                set::Item::Set(text) => self.emit(&format!("[{text}]"), false),
            },
        }
        Ok(())
    }

    /// `\b` or `\B`.
    fn boundary(&mut self, is: bool) {
        const ASCII: &str = "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))";
        match (self.flags.ascii, is) {
            (false, true) => self.emit(r"\b", true),
            (false, false) => self.emit(r"\B", true),
            (true, true) => self.emit(ASCII, true),
            (true, false) => self.emit(&format!("(?!{ASCII})"), true),
        }
    }

    /// `\1` to `\99`, or three octal digits.
    fn number(&mut self, first: char) -> Result<(), Fault> {
        let rest: String =
            self.input.iter().skip(self.at).take(2).take_while(|c| c.is_ascii_digit()).collect();
        let all = format!("{first}{rest}");
        if let (3, Ok(code)) = (all.len(), u32::from_str_radix(&all, 8)) {
            self.at += 2;
            return char::from_u32(code)
                .map(|c| self.literal(c))
                .ok_or_else(|| self.fault_at("bad octal escape", self.at));
        }
        let digits: String = all.chars().take(2).collect();
        self.at += digits.len() - 1;
        self.reference(&digits, self.at)
    }

    /// What another group matched, by number or name.
    fn reference(&mut self, name: &str, at: usize) -> Result<(), Fault> {
        let number = self.names.resolve(name, at)?;
        self.emit(&format!(r"(?:\{number})"), false);
        Ok(())
    }
}

/// One character that stands for itself.
fn write_char(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
    }
}
