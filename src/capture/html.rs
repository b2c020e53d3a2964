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

/// What is read of a whole page.
pub(super) struct Page {
    /// The text, without white space at its ends; of scripts and styles there is none.
    pub(super) text: String,
    /// What stands in attributes that are shown or read aloud (`alt`, `title`, …) and in descriptions of the page.
    pub(super) attributes: Vec<String>,
    /// Every `href`, decoded, in order.
    pub(super) links: Vec<String>,
    /// The page's `lang`.
    pub(super) language: Option<String>,
}

/// Attributes that a person is shown or hears. `content` is that of `meta` (descriptions, names of authors).
const SHOWN: [&str; 9] = [
    "alt",
    "title",
    "aria-label",
    "aria-description",
    "placeholder",
    "label",
    "summary",
    "data-caption",
    "content",
];

fn is_shown(name: &str) -> bool {
    SHOWN.iter().any(|shown| name.eq_ignore_ascii_case(shown))
}

/// Reads a whole page. Any input gives a reading, as [`reading`] does.
pub(super) fn page(html: &str) -> Page {
    let (mut attributes, mut language) = (Vec::new(), None);
    let Reading { text, links } = walk(html, |tag| {
        let (name, closing, inside) = parts(tag);
        if closing {
            return None;
        }
        let shown = each_attribute(inside).filter(|(name, value)| !value.is_empty() && is_shown(name));
        attributes.extend(shown.map(|(_, value)| decoded(value)));
        if name.eq_ignore_ascii_case("html") {
            language = attribute(inside, "lang");
        }
        ["script", "style"].into_iter().find(|hidden| name.eq_ignore_ascii_case(hidden))
    });
    Page { text, attributes, links, language: language.filter(|tag| super::gather::is_language(tag)) }
}

/// Reads a fragment of HTML. Any input gives a reading; broken markup is read as text.
pub(super) fn reading(html: &str) -> Reading {
    walk(html, |_| None)
}

/// Reads HTML; `see` is shown every tag, and names the element when all up to its end is to be left out.
fn walk(html: &str, mut see: impl FnMut(&str) -> Option<&'static str>) -> Reading {
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
            rest = match see(tag) {
                Some(hidden) => after.get(end_of(after, hidden)..).unwrap_or_default(),
                None => after,
            };
        } else {
            text.push('<');
            rest = mark.get(1..).unwrap_or_default();
        }
    }
    text.push_str(rest);
    text.truncate(text.trim_end().len());
    text.drain(..text.len() - text.trim_start().len());
    Reading { text, links }
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

/// Where the end tag of an element stands: nothing else ends a script or a style.
fn end_of(html: &str, element: &str) -> usize {
    let marks = html.match_indices("</").map(|(at, _)| at);
    let is_end = |at: &usize| {
        let name = html.as_bytes().get(at + 2..at + 2 + element.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()))
    };
    marks.into_iter().find(is_end).unwrap_or(html.len())
}

/// A tag's name, whether it closes, and its attributes.
fn parts(tag: &str) -> (&str, bool, &str) {
    let inside = tag.trim_start_matches('<').trim_end_matches('>');
    let (closing, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
    let name_length = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(name_length);
    (name, closing, attributes)
}

fn apply(tag: &str, text: &mut String, links: &mut Vec<String>) {
    let (name, closing, attributes) = parts(tag);
    let mut lower = [0; 12];
    let lower = lower.get_mut(..name.len()).map_or("", |lower| {
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        std::str::from_utf8(lower).unwrap_or_default()
    });
    match lower {
        "br" => text.push('\n'),
        "p" | "blockquote" | "pre" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => gap(text, 2),
        "div" | "tr" | "dt" | "dd" | "hr" | "td" | "th" | "title" | "option" | "section" | "article"
        | "header" | "footer" | "nav" | "main" | "aside" | "figure" | "figcaption" | "label" | "button"
        | "address" | "form" | "table" | "caption" | "summary" => gap(text, 1),
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
    let (_, value) = each_attribute(attributes).find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    Some(decoded(value)).filter(|value| !value.is_empty())
}

/// Names and values, as they stand, of attributes that have a value.
fn each_attribute(attributes: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = attributes;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quoted = |q: char| after.strip_prefix(q).and_then(|inner| inner.split_once(q));
        let (value, left) = quoted('"')
            .or_else(|| quoted('\''))
            .unwrap_or_else(|| after.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((after, "")));
        rest = left;
        // Before it may stand attributes without a value.
        let name =
            name.trim_end().rsplit(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        Some((name, value))
    })
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
    use rustix::time::{ClockId, clock_gettime};

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
    fn a_page_is_read_without_its_scripts_and_with_its_attributes() {
        let page = page(concat!(
            "<html lang=nl><head><title>Titel</title><meta name=author content='Fenna'>",
            "<script>if (a</script><SCRIPT src=x>don't <b '</Script><style>p{}</style></head>",
            "<body><p title=\"Van Bo\">Hoi<img hidden alt='Bo &amp; Fenna' src=x></p><td>a</td><td>b</td></body>",
        ));
        assert_eq!(page.text, "Titel\n\nHoi\n\na\nb");
        assert_eq!(page.attributes, ["Fenna", "Van Bo", "Bo & Fenna"]);
        assert_eq!(page.language.as_deref(), Some("nl"));
        assert_eq!(super::page("<p>a<script>b").text, "a");
    }

    #[test]
    fn every_link_is_kept() {
        let links =
            reading("<a class=x href='https://a.example/?q=1&amp;r'>a</a><A HREF=https://b.example>b</A>")
                .links;
        assert_eq!(links, ["https://a.example/?q=1&r", "https://b.example"]);
    }

    /// What this thread took of a processor: what else the machine does is not in it.
    fn processor_seconds() -> f64 {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
    }

    #[test]
    fn hostile_markup_takes_linear_time() {
        let seconds = |piece: &str, times: usize| {
            let (bare, script) = (piece.repeat(times), format!("<script>{}", piece.repeat(times)));
            let once = || {
                let began = processor_seconds();
                reading(&bare);
                decoded(&bare);
                page(&bare);
                page(&script);
                processor_seconds() - began
            };
            (0..3).map(|_| once()).fold(f64::INFINITY, f64::min)
        };
        for piece in ["<a", "<!--", "&", "<a href=\"", "<p>", "<a '>", "&#x", "<a b=", "<", "<script>", "</s"]
        {
            // Sixteen times as long: quadratic time is 256 times as long.
            let (short, long) = (seconds(piece, 4_000), seconds(piece, 64_000));
            assert!(long < 64.0 * short.max(0.000_5), "{piece}: {short} s, then {long} s");
        }
    }
}
