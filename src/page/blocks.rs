//! The words of a page in their order, out of this program's own HTML.

/// A piece of a page. Not `Debug` but in tests: it may be of originals.
#[cfg_attr(test, derive(Debug))]
#[derive(Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading, 1 to 4.
    Heading(u8, String),
    /// Running text. Line ends in it are kept.
    Text(String),
    /// One item of a list.
    Item(String),
    /// A name with its value.
    Field(String, String),
}

/// Reads a page. What stands in `head` but for its title's place is no text of the page.
#[must_use]
pub fn blocks(html: &str) -> Vec<Block> {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let (mut found, mut text, mut name) = (Vec::new(), String::new(), None::<String>);
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(&unescaped(before));
        let Some((tag, after)) = after.split_once('>') else { break };
        rest = after;
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag.split([' ', '\n']).next().unwrap_or_default()),
        };
        if closes {
            let said = std::mem::take(&mut text);
            end(tag, said, &mut name, &mut found);
        } else if starts_anew(tag) {
            let said = std::mem::take(&mut text);
            push(Block::Text(said), &mut found);
        }
    }
    text.push_str(&unescaped(rest));
    push(Block::Text(text), &mut found);
    found
}

/// Elements that hold text of their own: what stood before them is text by itself.
fn starts_anew(tag: &str) -> bool {
    matches!(
        tag,
        "h1" | "h2"
            | "h3"
            | "h4"
            | "p"
            | "li"
            | "dt"
            | "dd"
            | "ul"
            | "dl"
            | "section"
            | "article"
            | "main"
            | "br"
    )
}

fn end(tag: &str, said: String, name: &mut Option<String>, found: &mut Vec<Block>) {
    let block = match tag {
        "h1" => Block::Heading(1, said),
        "h2" => Block::Heading(2, said),
        "h3" => Block::Heading(3, said),
        "h4" => Block::Heading(4, said),
        "li" => Block::Item(said),
        "dt" => {
            *name = Some(said.trim().to_owned());
            return;
        }
        "dd" => Block::Field(name.take().unwrap_or_default(), said),
        _ => Block::Text(said),
    };
    push(block, found);
}

/// Adds a block that says something.
fn push(block: Block, found: &mut Vec<Block>) {
    let trimmed = |text: String| text.trim().to_owned();
    let block = match block {
        Block::Heading(level, text) => Block::Heading(level, trimmed(text)),
        Block::Text(text) => Block::Text(trimmed(text)),
        Block::Item(text) => Block::Item(trimmed(text)),
        Block::Field(name, value) => Block::Field(name, trimmed(value)),
    };
    let empty = match &block {
        Block::Heading(_, text) | Block::Text(text) | Block::Item(text) => text.is_empty(),
        Block::Field(name, value) => name.is_empty() && value.is_empty(),
    };
    if !empty {
        found.push(block);
    }
}

/// The entities that `model::markup` writes.
fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    plain.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_page_is_there_in_its_order() {
        let html = "<!doctype html><html><head><title>weg</title></head>\n<body>\n<main>\n<h1>Besluit &amp; brief</h1>\n\
            <p>Regel een\nregel &lt;twee&gt;</p><ul>\n<li>eerste</li>\n<li>tweede</li></ul><dl><dt>Zaak</dt><dd>A-1</dd></dl>\
            <article><h3>Naam <b>vet</b></h3></article>los</main></body></html>";
        assert_eq!(
            blocks(html),
            [
                Block::Heading(1, "Besluit & brief".to_owned()),
                Block::Text("Regel een\nregel <twee>".to_owned()),
                Block::Item("eerste".to_owned()),
                Block::Item("tweede".to_owned()),
                Block::Field("Zaak".to_owned(), "A-1".to_owned()),
                // Elements that are not known end a text; none of it is lost.
                Block::Text("Naam vet".to_owned()),
                Block::Text("los".to_owned()),
            ]
        );
    }

    #[test]
    fn what_was_escaped_twice_is_read_once() {
        assert_eq!(blocks("<p>&amp;lt;b&amp;gt;</p>"), [Block::Text("&lt;b&gt;".to_owned())]);
    }
}
