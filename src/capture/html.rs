//! The reading form of a post's HTML: what a person would have read, as plain text.
//!
//! Paragraphs become blank lines and `<br>` a line break; the text of every tag stays, also of
//! `span.invisible`, so that a shortened link reads whole; entities are decoded once. Nothing is dropped but
//! tags and comments: text the detector never sees could not be redacted. Time is linear in the HTML.

/// Text and link targets of a piece of HTML.
pub(super) struct Reading {
    /// The text, without white space at its ends.
    pub(super) text: String,
    /// Every `href`, decoded, in order.
    pub(super) links: Vec<String>,
}

/// Reads a fragment of HTML. Any input gives a reading; broken markup is read as text.
pub(super) fn reading(html: &str) -> Reading {
    let mut text = String::with_capacity(html.len());
    let mut links = Vec::new();
    let mut rest = html;
    // Once no closing mark is left, it is not looked for again: that would be quadratic.
    let mut tags_left = true;
    let mut comments_left = true;
    while let Some(at) = rest.find(['<', '&']) {
        let (plain, mark) = rest.split_at(at);
        text.push_str(plain);
        if mark.starts_with('&') {
            let (character, length) = entity(mark);
            text.push(character);
            rest = mark.get(length..).unwrap_or_default();
        } else if comments_left && mark.starts_with("<!--") {
            match mark.find("-->") {
                Some(end) => rest = mark.get(end + 3..).unwrap_or_default(),
                None => {
                    comments_left = false;
                    rest = mark;
                }
            }
        } else if let Some(end) = tag_end(mark, &mut tags_left) {
            let (tag, after) = mark.split_at(end);
            apply(tag, &mut text, &mut links);
            rest = after;
        } else {
            text.push('<');
            rest = mark.get(1..).unwrap_or_default();
        }
    }
    text.push_str(rest);
    Reading { text: text.trim().to_owned(), links }
}

/// Decodes entities in text that is not otherwise HTML, as X writes it.
pub(super) fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (plain, mark) = rest.split_at(at);
        out.push_str(plain);
        let (character, length) = entity(mark);
        out.push(character);
        rest = mark.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Where a tag that opens `mark` ends (past its `>`); none when it is no tag. Quoted values may hold `>`.
fn tag_end(mark: &str, tags_left: &mut bool) -> Option<usize> {
    let first = mark.as_bytes().get(1)?;
    if !*tags_left || !(first.is_ascii_alphabetic() || matches!(first, b'/' | b'!' | b'?')) {
        return None;
    }
    let mut quote = None;
    for (at, byte) in mark.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return Some(at + 1),
            (None, _) => {}
        }
    }
    // A quote that never closes hides the rest: read it without quotes, or as text.
    let plain = mark.find('>').map(|at| at + 1);
    *tags_left = plain.is_some() && quote.is_none();
    plain
}

fn apply(tag: &str, text: &mut String, links: &mut Vec<String>) {
    let inside = tag.trim_start_matches('<').trim_end_matches('>');
    let (closing, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
    let name_length = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(name_length);
    match name.to_ascii_lowercase().as_str() {
        "br" => text.push('\n'),
        "p" | "blockquote" | "pre" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => gap(text, 2),
        "div" | "tr" | "dt" | "dd" | "hr" => gap(text, 1),
        "li" if !closing => {
            gap(text, 1);
            text.push_str("- ");
        }
        "li" => gap(text, 1),
        "a" if !closing => links.extend(attribute(attributes, "href")),
        _ => {}
    }
}

/// Makes sure that `lines` line breaks stand at the end of a text that has begun.
fn gap(text: &mut String, lines: usize) {
    let breaks = text.bytes().rev().take(lines).take_while(|&b| b == b'\n').count();
    if !text.is_empty() {
        text.extend(std::iter::repeat_n('\n', lines.saturating_sub(breaks)));
    }
}

/// The decoded value of an attribute; none when absent or empty.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quoted = |q: char| after.strip_prefix(q).and_then(|inner| inner.split_once(q));
        let (value, left) = quoted('"')
            .or_else(|| quoted('\''))
            .unwrap_or_else(|| after.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((after, "")));
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(decoded(value)).filter(|value| !value.is_empty());
        }
        rest = left;
    }
    None
}

/// The character an entity stands for and its length; `&` itself when it is none.
fn entity(mark: &str) -> (char, usize) {
    const LONGEST: usize = 12;
    let end = mark.bytes().take(LONGEST).position(|byte| byte == b';');
    let name = end.and_then(|end| mark.get(1..end));
    let character = name.and_then(|name| match name.strip_prefix('#') {
        Some(number) => numeric(number),
        None => ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, character)| *character),
    });
    match (character, end) {
        (Some(character), Some(end)) => (character, end + 1),
        _ => ('&', 1),
    }
}

fn numeric(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The named entities that posts are seen to use; others stay as written.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("euro", '€'),
    ("copy", '©'),
    ("reg", '®'),
    ("deg", '°'),
    ("middot", '·'),
    ("bull", '•'),
    ("commat", '@'),
    ("period", '.'),
    ("num", '#'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("oslash", 'ø'),
    ("szlig", 'ß'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("yacute", 'ý'),
    ("Eacute", 'É'),
    ("Euml", 'Ë'),
    ("Iuml", 'Ï'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn html_reads_as_a_person_would() {
        for (html, text) in [
            ("<p>een</p><p>twee<br>drie<br/>vier</p>", "een\n\ntwee\ndrie\nvier"),
            ("<p>a &amp;lt; b &#39;c&#x27; &euml; &onbekend; &</p>", "a &lt; b 'c' ë &onbekend; &"),
            (
                r#"<p>zie <a href="https://x.example/a?b=1&amp;c=2"><span class="invisible">https://</span><span class="ellipsis">x.example/a</span><span class="invisible">?b=1&amp;c=2</span></a></p>"#,
                "zie https://x.example/a?b=1&c=2",
            ),
            (r##"<span class="h-card"><a href="#">@<span>fenna</span></a></span> hoi"##, "@fenna hoi"),
            ("<ul><li>een</li><li>twee</li></ul>na", "- een\n- twee\n\nna"),
            ("1 < 2 en 3 > 2 <3", "1 < 2 en 3 > 2 <3"),
            ("<!-- weg -->blijft<!-- open", "blijft<!-- open"),
            ("<b title='a>b'>vet</b>", "vet"),
            ("<p", "<p"),
            ("", ""),
            ("&#xD800;&#1114112;&#0;", "\u{FFFD}\u{FFFD}\0"),
        ] {
            assert_eq!(reading(html).text, text, "{html}");
        }
    }

    #[test]
    fn every_link_is_kept() {
        let links =
            reading("<a class=x href='https://a.example/?q=1&amp;r'>a</a><A HREF=https://b.example>b</A>")
                .links;
        assert_eq!(links, ["https://a.example/?q=1&r", "https://b.example"]);
    }

    #[test]
    fn hostile_markup_takes_linear_time() {
        let began = Instant::now();
        for piece in ["<a", "<!--", "&", "<a href=\"", "<p>", "<a '>", "&#x", "<a b=", "<"] {
            reading(&piece.repeat(400_000));
            decoded(&piece.repeat(400_000));
        }
        assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    }
}
