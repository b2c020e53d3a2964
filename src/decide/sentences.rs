//! Informal text to sentences of lower-case words, with byte offsets.
//!
//! A question mark inside a link does not end a sentence; one in brackets expresses doubt and is no
//! question; quoted sentences are marked, since their question is not the author's. One pass, linear.

use crate::model::Span;

/// One word, mention or link.
#[derive(Debug, PartialEq)]
pub(super) struct Token {
    /// Lower case, straight apostrophes; `@` for a mention, `:` for a link.
    pub word: String,
    /// Where it stands.
    pub span: Span,
    /// Whether a comma, colon, dash or bracket stands before it.
    pub pause: bool,
}

/// A run of tokens up to an end mark or a line end.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sentence {
    /// The words, in order.
    pub tokens: Vec<Token>,
    /// The first question mark at its end.
    pub mark: Option<Span>,
    /// Whether an exclamation mark stands among the end marks.
    pub exclaims: bool,
    /// Whether it ends inside quotation marks.
    pub quoted: bool,
}

/// Splits a text.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let paired = text.matches('"').count().is_multiple_of(2);
    let mut splitter = Splitter {
        text,
        paired,
        done: Vec::new(),
        open: Sentence::default(),
        pause: false,
        quote: false,
        stop: false,
    };
    for chunk in text.split_inclusive(char::is_whitespace) {
        let at = chunk.as_ptr() as usize - text.as_ptr() as usize;
        splitter.chunk(chunk, at);
        if chunk.ends_with(['\n', '\r']) {
            splitter.end();
        }
    }
    splitter.end();
    splitter.done
}

struct Splitter<'t> {
    text: &'t str,
    paired: bool,
    done: Vec<Sentence>,
    open: Sentence,
    pause: bool,
    quote: bool,
    /// A full stop was seen: the next word begins a sentence.
    stop: bool,
}

impl Splitter<'_> {
    fn chunk(&mut self, chunk: &str, at: usize) {
        let bare = chunk.trim();
        if is_link(bare) {
            let kept = bare.trim_end_matches(['?', '!', '.', ',', ';', ')', '"']);
            self.push(":".to_owned(), at, at + kept.len());
            return self.plain(chunk, kept.len(), at);
        }
        self.plain(chunk, 0, at);
    }

    fn plain(&mut self, chunk: &str, from: usize, at: usize) {
        let mut word = None;
        let mut chars = chunk.char_indices().skip_while(|(i, _)| *i < from).peekable();
        while let Some((i, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            let inner = matches!(c, '\'' | '’' | '-' | '.' | '_') && next.is_some_and(char::is_alphanumeric);
            let mention = c == '@' && next.is_some_and(char::is_alphanumeric);
            if c.is_alphanumeric() || mention || (word.is_some() && (inner || is_mark(c))) {
                word.get_or_insert(i);
                continue;
            }
            self.flush(&mut word, i, at);
            self.punctuation(c, next, at + i);
        }
        self.flush(&mut word, chunk.len(), at);
    }

    fn flush(&mut self, word: &mut Option<usize>, end: usize, at: usize) {
        if let Some(start) = word.take() {
            let (start, end) = (at + start, at + end);
            let given = self.text.get(start..end).unwrap_or_default();
            let lower = match given {
                mention if mention.starts_with('@') => "@".to_owned(),
                curled if curled.contains('’') => curled.to_lowercase().replace('’', "'"),
                plain => plain.to_lowercase(),
            };
            self.push(lower, start, end);
        }
    }

    fn push(&mut self, word: String, start: usize, end: usize) {
        if self.stop || self.open.mark.is_some() || self.open.exclaims {
            self.end();
        }
        if let Some(span) = Span::new(start, end) {
            self.open.tokens.push(Token { word, span, pause: self.pause });
            self.pause = false;
        }
    }

    fn punctuation(&mut self, c: char, next: Option<char>, at: usize) {
        match c {
            '?' | '？' | '؟' => {
                // "(?)" is doubt about a word, no question.
                let doubt =
                    next == Some(')') && self.text.get(..at).is_some_and(|before| before.ends_with('('));
                if !doubt && self.open.mark.is_none() {
                    self.open.mark = Span::new(at, at + c.len_utf8());
                    self.open.quoted |= self.quote;
                }
            }
            '!' | '！' => self.open.exclaims = true,
            '‽' => {
                self.open.mark = Span::new(at, at + c.len_utf8());
                self.open.exclaims = true;
            }
            '.' | '…' => self.stop = true,
            // Dots before a bracket that closes leave something out and end nothing.
            ')' => (self.stop, self.pause) = (false, true),
            '"' if self.paired => self.quote = !self.quote,
            '“' | '„' | '«' => self.quote = true,
            '”' | '»' => self.quote = false,
            ',' | ';' | ':' | '(' | '-' | '–' | '—' | '/' => self.pause = true,
            c if !c.is_ascii() && !c.is_whitespace() => self.pause = true,
            _ => {}
        }
    }

    fn end(&mut self) {
        let mut sentence = std::mem::take(&mut self.open);
        sentence.quoted |= self.quote;
        (self.pause, self.stop) = (false, false);
        if !sentence.tokens.is_empty() || sentence.mark.is_some() {
            self.done.push(sentence);
        }
    }
}

/// Combining marks belong to the word they stand in.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn is_link(chunk: &str) -> bool {
    let bare = chunk.trim_start_matches(['(', '"', '\'', '<']);
    let lower = |prefix: &str| bare.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    if lower("http://") || lower("https://") || lower("www.") || bare.contains("://") {
        return true;
    }
    let inside_at = bare.find('@').is_some_and(|at| at > 0);
    let path = bare.find('.').zip(bare.find('/')).is_some_and(|(dot, slash)| 0 < dot && dot + 1 < slash);
    inside_at || (path && !bare.contains(".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(String, bool)> {
        let join = |s: &Sentence| s.tokens.iter().map(|t| t.word.as_str()).collect::<Vec<_>>().join(" ");
        sentences(text).iter().map(|s| (join(s), s.mark.is_some())).collect()
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let table: &[(&str, &[(&str, bool)])] = &[
            ("Hoi! Kan dit? ja", &[("hoi", false), ("kan dit", true), ("ja", false)]),
            ("zie https://a.example/x?y=1 aub", &[("zie : aub", false)]),
            ("zie https://a.example/x?", &[("zie :", true)]),
            ("een bedrag (?) van 3.50 euro", &[("een bedrag van 3.50 euro", false)]),
            ("@min-water wat nu???", &[("@ wat nu", true)]),
            ("zo’n ding\nwaarom", &[("zo'n ding", false), ("waarom", false)]),
            ("", &[]),
            ("??", &[("", true)]),
            ("echt...? ja", &[("echt", true), ("ja", false)]),
            ("kosten (huur, gas,...) stijgen", &[("kosten huur gas stijgen", false)]),
        ];
        for (text, expected) in table {
            let expected: Vec<(String, bool)> = expected.iter().map(|(s, q)| ((*s).to_owned(), *q)).collect();
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn a_quoted_question_is_marked() {
        let quoted = |text: &str| sentences(text).iter().map(|s| s.quoted).collect::<Vec<_>>();
        assert_eq!(quoted("hij zei \"kan dit?\" en ging"), [true, false]);
        assert_eq!(quoted("19\" scherm, kan dit?"), [false]);
    }

    proptest::proptest! {
        #[test]
        fn every_word_lies_in_the_text(text in "\\PC{0,60}") {
            for sentence in sentences(&text) {
                for token in sentence.tokens {
                    proptest::prop_assert!(token.span.of(&text).is_some());
                }
            }
        }
    }
}
