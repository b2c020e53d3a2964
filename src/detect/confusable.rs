//! Letters of other scripts that look Latin, and when they are meant to be taken for it.
//!
//! Source: the skeletons of Unicode TS 39 for Cyrillic and Greek, as far as they are one Latin letter. A word that is
//! wholly of another script is left alone: it is a word of that script.

/// The Latin letter that a Cyrillic or Greek one looks like.
pub(super) const fn latin(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' | 'ҽ' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' => 'g',
        'һ' => 'h',
        'Н' | 'Η' => 'H',
        'і' | 'ι' => 'i',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'ј' | 'ϳ' => 'j',
        'Ј' | 'Ϳ' => 'J',
        'К' | 'Κ' => 'K',
        'к' | 'κ' => 'k',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'о' | 'ο' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    })
}

/// What is known of the token (letters, digits and what joins them) around a place. Asked in order, each token is read once.
#[derive(Default)]
pub(super) struct Tokens {
    mixed: Known,
    link: Known,
}

#[derive(Default)]
struct Known {
    until: usize,
    answer: bool,
}

impl Tokens {
    /// Whether the letters and digits around `at` have an ASCII one among them.
    pub(super) fn is_mixed(&mut self, text: &str, at: usize) -> bool {
        let joined =
            |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '\u{200b}'..='\u{200f}');
        self.mixed.ask(text, at, joined, |token| token.bytes().any(|b| b.is_ascii_alphanumeric()))
    }

    /// Whether the text without spaces around `at` has no slash before `at`, as links have.
    pub(super) fn is_no_link(&mut self, text: &str, at: usize) -> bool {
        self.link.ask(text, at, |c| !c.is_whitespace(), |token| !token.contains('/'))
    }
}

impl Known {
    fn ask(
        &mut self,
        text: &str,
        at: usize,
        inside: impl Fn(char) -> bool,
        is: impl Fn(&str) -> bool,
    ) -> bool {
        if at >= self.until {
            let (left, right) = (text.get(self.until..at).unwrap_or(""), text.get(at..).unwrap_or(""));
            let before: usize = left.chars().rev().take_while(|c| inside(*c)).map(char::len_utf8).sum();
            let after: usize = right.chars().take_while(|c| inside(*c)).map(char::len_utf8).sum();
            self.until = at + after;
            self.answer = is(text.get(at - before..self.until).unwrap_or(""));
        }
        self.answer
    }
}
