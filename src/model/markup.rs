//! Text in HTML and SVG: it stays text, whoever wrote it.

use std::fmt::{self, Write};

/// Writes text so that it is text: no markup, no entity, and no character that turns the direction of what follows.
pub struct Escaped<'a>(pub &'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                c if c.is_control() => self.0.push('\u{fffd}'),
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// Text as it stands in a page or a drawing, also within quotes of an attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let _into_a_string_nothing_fails = Escaped(&mut safe).write_str(text);
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_someone_wrote_is_no_markup() {
        let table = [
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("a & b \"c\"", "a &amp; b &quot;c&quot;"),
            ("een\ntwee\u{0}\u{202e}drie", "een\ntwee\u{fffd}\u{fffd}drie"),
            ("één 👍", "één 👍"),
        ];
        for (text, shown) in table {
            assert_eq!(escaped(text), shown);
        }
    }
}
