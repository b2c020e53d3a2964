//! Everything between parentheses.

use super::{Atom, Fault, Flags, Reader};

/// A group that is open.
pub(super) struct Group {
    pub(super) kind: GroupKind,
    /// Branches so far.
    pub(super) branches: usize,
    /// Where it starts in the output.
    start: usize,
    /// Flags that hold again after it.
    flags: Flags,
    /// Whether something in it matches characters.
    pub(super) takes_room: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupKind {
    Plain,
    Assertion,
    Conditional,
}

/// Names and numbers of groups, and what was said of them before they were known.
#[derive(Default)]
pub(super) struct Names {
    count: usize,
    named: Vec<(String, usize)>,
    referred: Vec<(usize, usize)>,
}

impl Names {
    /// The number of a group by its number or name.
    pub(super) fn resolve(&mut self, name: &str, at: usize) -> Result<usize, Fault> {
        if let Ok(number) = name.parse::<usize>() {
            self.referred.push((number, at));
            return Ok(number);
        }
        let named = self.named.iter().find(|(known, _)| known == name);
        let fault = || Fault { what: "unknown group".to_owned(), at };
        named.map(|(_, number)| *number).ok_or_else(fault)
    }

    /// Every number that was referred to is a group.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match self.referred.iter().find(|(number, _)| !(1..=self.count).contains(number)) {
            Some((_, at)) => Err(Fault { what: "invalid group reference".to_owned(), at: *at }),
            None => Ok(()),
        }
    }

    fn add(&mut self, name: Option<String>, at: usize) -> Result<(), Fault> {
        self.count += 1;
        if let Some(name) = name {
            if self.named.iter().any(|(known, _)| *known == name) {
                return Err(Fault { what: "two groups of one name are not supported".to_owned(), at });
            }
            self.named.push((name, self.count));
        }
        Ok(())
    }
}

impl Reader {
    /// What stands after `(`.
    pub(super) fn group(&mut self, start: usize) -> Result<(), Fault> {
        if self.peek() == Some('*') {
            return Err(self.unsupported("verbs are", start));
        }
        if !self.take('?') {
            self.names.add(None, start)?;
            self.push(GroupKind::Plain, "(", self.flags);
            return Ok(());
        }
        match self.next() {
            Some(':') => self.push(GroupKind::Plain, "(?:", self.flags),
            Some('=') => self.push(GroupKind::Assertion, "(?=", self.flags),
            Some('!') => self.push(GroupKind::Assertion, "(?!", self.flags),
            Some('>') => self.push(GroupKind::Plain, "(?>", self.flags),
            Some('<') if self.take('=') => self.push(GroupKind::Assertion, "(?<=", self.flags),
            Some('<') if self.take('!') => self.push(GroupKind::Assertion, "(?<!", self.flags),
            Some('<') => self.named_group(start)?,
            Some('P') if self.take('<') => self.named_group(start)?,
            Some('P') if self.take('=') => {
                let at = self.at - 1;
                let name = self.name(')')?;
                self.reference(&name, at)?;
            }
            Some('#') => {
                self.take_while(|c| c != ')');
                if !self.take(')') {
                    return Err(self.fault_at("missing )", self.at));
                }
            }
            Some('(') => self.conditional(start)?,
            Some('|') => return Err(self.unsupported("branch reset is", start)),
            Some('&' | 'R' | '0'..='9' | '+') => return Err(self.unsupported("recursion is", start)),
            Some('P') if self.peek() == Some('>') => return Err(self.unsupported("recursion is", start)),
            Some(c) if c == '-' || (c.is_ascii_alphabetic() && c != 'P') => {
                self.at -= 1;
                self.inline_flags(start)?;
            }
            Some(_) => return Err(self.fault_at("unknown extension", self.at - 1)),
            None => return Err(self.fault_at("unknown extension", self.at)),
        }
        Ok(())
    }

    fn push(&mut self, kind: GroupKind, text: &str, flags_after: Flags) {
        self.open.push(Group {
            kind,
            branches: 1,
            start: self.out.len(),
            flags: flags_after,
            takes_room: false,
        });
        self.out.push_str(text);
        self.atom = Atom::None;
    }

    pub(super) fn close(&mut self, start: usize) -> Result<(), Fault> {
        let Some(group) = self.open.pop() else {
            return Err(self.fault_at("unbalanced parenthesis", start));
        };
        self.out.push(')');
        self.flags = group.flags;
        let assertion = group.kind == GroupKind::Assertion || !group.takes_room;
        if !assertion && let Some(outer) = self.open.last_mut() {
            outer.takes_room = true;
        }
        self.atom = Atom::Ready { start: group.start, assertion };
        Ok(())
    }

    fn named_group(&mut self, start: usize) -> Result<(), Fault> {
        let from = self.at;
        let name = self.name('>')?;
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.fault_at("bad character in group name", from));
        }
        self.names.add(Some(name), start)?;
        self.push(GroupKind::Plain, "(", self.flags);
        Ok(())
    }

    /// A group's name or number up to `end`.
    pub(super) fn name(&mut self, end: char) -> Result<String, Fault> {
        let from = self.at;
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
        if name.is_empty() {
            return Err(self.fault_at("missing group name", from));
        }
        if !self.take(end) {
            return Err(self.fault_at(&format!("missing {end}"), self.at));
        }
        Ok(name)
    }

    /// `(?(1)yes|no)`.
    fn conditional(&mut self, start: usize) -> Result<(), Fault> {
        if self.peek() == Some('?') {
            return Err(self.unsupported("a condition that looks around is", start));
        }
        let at = self.at;
        let name = self.name(')')?;
        if name == "DEFINE" {
            return Err(self.unsupported("recursion is", start));
        }
        let number = self.names.resolve(&name, at)?;
        self.push(GroupKind::Conditional, &format!("(?({number})"), self.flags);
        Ok(())
    }

    /// `(?i)` for the rest of the group, `(?i-s:` for a group of its own.
    fn inline_flags(&mut self, start: usize) -> Result<(), Fault> {
        let before = self.flags;
        let mut flags = before;
        let mut on = true;
        loop {
            match self.next() {
                Some('-') if on => on = false,
                Some('V') if self.take('0') => {}
                Some(c) if flags.set(c, on) => {}
                Some(':') => {
                    self.push(GroupKind::Plain, "(?", before);
                    self.out.push_str(if flags.ignore_case { "i:" } else { "-i:" });
                    self.flags = flags;
                    return Ok(());
                }
                Some(')') => {
                    self.flags = flags;
                    self.out.push_str(if flags.ignore_case { "(?i)" } else { "(?-i)" });
                    if self.atom != Atom::Repeated {
                        self.atom = Atom::None;
                    }
                    return Ok(());
                }
                Some('b' | 'e' | 'f' | 'p' | 'r' | 'w' | 'L' | 'V') => {
                    return Err(self.unsupported("this inline flag is", start));
                }
                Some(_) => return Err(self.fault_at("unknown extension", self.at - 1)),
                None => return Err(self.fault_at("unknown extension", self.at)),
            }
        }
    }
}
