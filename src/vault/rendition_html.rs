//! The page of opened originals, in HTML. Whatever is not of this file is escaped.

use crate::capture::{Account, Item, MediaKind, PassageRole};
use crate::model::markup::Escaped;
use crate::model::{DisclosureId, GrantId, ItemKind, RecordId, Timestamp};
use crate::redact::Language;
use std::fmt::{Display, Write};
use zeroize::Zeroizing;

/// What the page says above the records.
pub(super) struct Page<'a> {
    pub language: Language,
    pub organisation: &'a str,
    pub request: GrantId,
    pub basis: &'a str,
    pub source: &'a str,
    pub case_number: &'a str,
    pub recipient: &'a str,
    pub made_at: Timestamp,
    pub asked: usize,
}

/// One record on the page.
pub(super) struct Shown<'a> {
    pub record: RecordId,
    pub item: &'a Item,
    pub disclosure: DisclosureId,
    pub log: &'a str,
    pub place: u64,
}

/// A word in the language of the page.
type Word = (&'static str, &'static str);

impl Page<'_> {
    pub(super) fn html(&self, threads: &[Vec<Shown<'_>>]) -> Zeroizing<String> {
        let mut page = Html { text: Zeroizing::new(String::new()), language: self.language };
        let lang = page.word(("nl", "en"));
        page.raw("<!doctype html>\n<html lang=\"");
        page.raw(lang);
        page.raw("\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
        page.text(&self.case_number);
        page.raw(
            "</title>\n<style>body{font:1rem/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}",
        );
        page.raw("dt{font-weight:bold}article{border-top:1px solid;padding:.5rem 0}p{white-space:pre-wrap;overflow-wrap:anywhere}");
        page.raw("</style>\n</head>\n<body>\n<main>\n<h1>");
        page.say(("Geopende originelen", "Opened originals"));
        page.raw("</h1>\n<dl>\n");
        page.row(("Zaak", "Case"), &self.case_number);
        page.row(("Grondslag", "Legal basis"), &self.basis);
        page.row(("Bron", "Source"), &self.source);
        page.row(("Ontvanger", "Recipient"), &self.recipient);
        page.row(("Organisatie", "Organisation"), &self.organisation);
        page.row(("Verzoek", "Request"), &self.request);
        page.row(("Gemaakt", "Made"), &self.made_at);
        let shown: usize = threads.iter().map(Vec::len).sum();
        let of = page.word(("van", "of"));
        page.row(("Berichten", "Records"), &format!("{shown} {of} {}", self.asked));
        page.raw("</dl>\n<p>");
        page.say((
            "Dit is hoe de originelen lezen. De originelen zelf zijn de bytes zoals ze zijn vastgelegd; elke opening staat in het logboek.",
            "This is how the originals read. The originals themselves are the bytes as they were captured; each opening stands in the ledger.",
        ));
        page.raw("</p>\n");
        for (n, thread) in (1..).zip(threads) {
            page.raw("<section>\n<h2>");
            page.say(("Draad", "Thread"));
            page.text(&format!(" {n}"));
            page.raw("</h2>\n");
            thread.iter().for_each(|shown| page.record(shown));
            page.raw("</section>\n");
        }
        page.raw("</main>\n</body>\n</html>\n");
        page.text
    }
}

struct Html {
    text: Zeroizing<String>,
    language: Language,
}

impl Html {
    /// What this file says.
    fn raw(&mut self, markup: &'static str) {
        self.text.push_str(markup);
    }

    /// Anything else: escaped.
    fn text(&mut self, text: &impl Display) {
        // Writing to a string does not fail.
        let _ = write!(Escaped(&mut self.text), "{text}");
    }

    const fn word(&self, (nl, en): Word) -> &'static str {
        match self.language {
            Language::Dutch => nl,
            Language::English => en,
        }
    }

    fn say(&mut self, word: Word) {
        let word = self.word(word);
        self.text(&word);
    }

    fn row(&mut self, name: Word, value: &impl Display) {
        self.raw("<dt>");
        self.say(name);
        self.raw("</dt><dd>");
        self.text(value);
        self.raw("</dd>\n");
    }

    fn record(&mut self, shown: &Shown<'_>) {
        let item = shown.item;
        self.raw("<article>\n<h3>");
        self.author(item.author.as_ref());
        self.raw("</h3>\n");
        for passage in &item.passages {
            if passage.text.is_empty() {
                continue;
            }
            if let Some(role) = role(passage.role) {
                self.raw("<h4>");
                self.say(role);
                self.raw("</h4>\n");
            }
            self.raw("<p>");
            self.text(&passage.text.expose());
            self.raw("</p>\n");
        }
        self.raw("<dl>\n");
        if let Some(at) = item.posted_at {
            self.row(("Geplaatst", "Posted"), &at);
        }
        if let Some(at) = item.edited_at {
            self.row(("Bewerkt", "Edited"), &at);
        }
        self.row(("Platform", "Platform"), &item.platform);
        let kind = self.word(kind(item.kind));
        self.row(("Soort", "Kind"), &kind);
        item.links.iter().for_each(|link| self.row(("Verwijst naar", "Links to"), &link.expose()));
        for media in &item.media {
            let media = self.word(media_word(*media));
            self.row(("Bijlage", "Attached"), &media);
        }
        for size in &item.media_size_bytes {
            self.row(("Grootte in bytes", "Size in bytes"), size);
        }
        self.row(("Bericht", "Record"), &shown.record);
        self.row(("Opening", "Disclosure"), &shown.disclosure);
        self.row(("Ontvangstbewijs", "Receipt"), &format!("{} {}", shown.log, shown.place));
        self.raw("</dl>\n</article>\n");
    }

    fn author(&mut self, author: Option<&Account>) {
        let Some(author) = author else {
            return self.say(("Afzender niet vastgelegd", "Author not captured"));
        };
        self.text(&author.display_name.expose());
        if !author.handle.is_empty() {
            self.text(&format_args!(" (@{})", author.handle.expose()));
        }
    }
}

const fn role(role: PassageRole) -> Option<Word> {
    match role {
        PassageRole::Body => None,
        PassageRole::ContentWarning => Some(("Waarschuwing", "Content warning")),
        PassageRole::PollOption => Some(("Keuze", "Poll option")),
        PassageRole::AltText => Some(("Beschrijving van een bijlage", "Description of an attachment")),
    }
}

const fn kind(kind: ItemKind) -> Word {
    match kind {
        ItemKind::Post => ("bericht", "post"),
        ItemKind::Reaction => ("reactie", "reaction"),
        ItemKind::Message => ("privébericht", "direct message"),
        ItemKind::Page => ("pagina", "page"),
        ItemKind::Attachment => ("bijlage", "attachment"),
    }
}

const fn media_word(kind: MediaKind) -> Word {
    match kind {
        MediaKind::Image => ("afbeelding", "image"),
        MediaKind::Video => ("video", "video"),
        MediaKind::Audio => ("geluid", "audio"),
        MediaKind::Other => ("anders", "other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_captured_is_markup() {
        let mut text = String::new();
        let captured = "<script>alert('x')</script>&amp;\" \u{202e}\u{7}\n";
        write!(Escaped(&mut text), "{captured}").unwrap();
        assert_eq!(text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;&quot; \u{fffd}\u{fffd}\n");
    }
}
