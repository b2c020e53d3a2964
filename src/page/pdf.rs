//! Blocks on paper: A4, tagged, with the fonts embedded as far as they are used. The same blocks give the same bytes.

use super::blocks::{Block, blocks};
use crate::model::Timestamp;
use krilla::Document;
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, ListNumbering, Node, SpanTag, Tag, TagGroup, TagTree,
};
use krilla::text::{Font, TextDirection};
use std::num::NonZeroU16;

static REGULAR: &[u8] = include_bytes!("../../web/fonts/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../web/fonts/DejaVuSans-Bold.ttf");

/// A page to be put on paper. Not `Debug`: it may be of originals.
#[derive(Clone, Copy)]
pub struct PaperPage<'a> {
    /// Its title, for readers' windows and shelves.
    pub title: &'a str,
    /// Its language: `nl` or `en`.
    pub language: &'a str,
    /// When it was made.
    pub made_at: Timestamp,
    /// What stands at the foot of each sheet beside its number.
    pub foot: &'a str,
    /// The page, in this program's own HTML.
    pub html: &'a str,
}

/// It cannot be put on paper.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The fonts that were compiled in cannot be read.
    #[error("the fonts for paper cannot be read")]
    Fonts,
    /// The document cannot be written.
    #[error("the page cannot be put on paper")]
    Written,
}

/// Points: A4, its margins, and the room for the foot.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 62.0;
const FOOT: f32 = 40.0;
const INDENT: f32 = 14.0;

/// Puts a page on paper.
///
/// Letters that the fonts lack are written as their code point in brackets: nothing that was said is left out unseen.
///
/// # Errors
/// [`PageError`]; nothing of the page is in it.
pub fn pdf(page: &PaperPage<'_>) -> Result<Vec<u8>, PageError> {
    let faces = Faces::load()?;
    let lines: Vec<Line> =
        blocks(page.html).iter().enumerate().flat_map(|(n, block)| faces.lines(n, block)).collect();
    let sheets = sheets(&lines);
    let mut document = Document::new();
    document.set_metadata(metadata(page));
    let mut tags: Vec<(usize, TagOf, Vec<Node>)> = Vec::new();
    let of = sheets.len();
    for (number, sheet) in (1..).zip(&sheets) {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PageError::Written)?;
        let mut paper = document.start_page_with(settings);
        let mut surface = paper.surface();
        for (line, baseline) in sheet {
            let id = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
            faces.draw(&mut surface, line, *baseline);
            surface.end_tagged();
            match tags.last_mut() {
                Some((block, _, nodes)) if *block == line.block => nodes.push(Node::from(id)),
                _ => tags.push((line.block, line.tag, vec![Node::from(id)])),
            }
        }
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other)));
        let foot = faces.shown(&format!("{}   {number}/{of}", page.foot), false);
        let at = Point::from_xy(MARGIN, HEIGHT - FOOT);
        surface.draw_text(at, faces.regular.clone(), FOOT_SIZE, &foot, false, TextDirection::Auto);
        surface.end_tagged();
        surface.finish();
        paper.finish();
    }
    document.set_tag_tree(tree(page, tags));
    document.finish().map_err(|_| PageError::Written)
}

const FOOT_SIZE: f32 = 7.5;

fn metadata(page: &PaperPage<'_>) -> Metadata {
    let day = page.made_at.date();
    let made = DateTime::new(u16::try_from(day.year()).unwrap_or_default())
        .month(u8::try_from(day.month()).unwrap_or(1))
        .day(u8::try_from(day.day()).unwrap_or(1))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(page.title.to_owned())
        .language(page.language.to_owned())
        .creator("Knik".to_owned())
        .producer("Knik".to_owned())
        .creation_date(made)
}

/// The structure for those who do not see the page: headings, paragraphs, lists, in the order of reading.
fn tree(page: &PaperPage<'_>, tags: Vec<(usize, TagOf, Vec<Node>)>) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some(page.language.to_owned()));
    let mut list: Option<TagGroup> = None;
    for (_, tag, nodes) in tags {
        if tag != TagOf::Item
            && let Some(whole) = list.take()
        {
            tree.push(whole);
        }
        match tag {
            TagOf::Heading(level) => {
                let level = NonZeroU16::new(u16::from(level)).unwrap_or(NonZeroU16::MIN);
                tree.push(TagGroup::with_children(Tag::Hn(level, None), nodes));
            }
            TagOf::Text => tree.push(TagGroup::with_children(Tag::P, nodes)),
            TagOf::Item => {
                let body = TagGroup::with_children(Tag::LBody, nodes);
                let item = TagGroup::with_children(Tag::LI, vec![Node::from(body)]);
                list.get_or_insert_with(|| TagGroup::new(Tag::L(ListNumbering::Disc))).push(item);
            }
        }
    }
    if let Some(whole) = list {
        tree.push(whole);
    }
    tree
}

/// What a line is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagOf {
    Heading(u8),
    Text,
    Item,
}

/// One line on paper.
#[derive(Clone, PartialEq)]
struct Line {
    block: usize,
    tag: TagOf,
    text: String,
    bold: bool,
    size: f32,
    indent: f32,
    /// White above it: more above the first line of a block.
    above: f32,
}

/// The lines of each sheet, each with where its letters stand.
fn sheets(lines: &[Line]) -> Vec<Vec<(&Line, f32)>> {
    let mut sheets: Vec<Vec<(&Line, f32)>> = vec![Vec::new()];
    let mut at = MARGIN;
    for line in lines {
        let height = line.size * LEADING;
        let above = if sheets.last().is_some_and(Vec::is_empty) { 0.0 } else { line.above };
        // A heading does not stand alone at the foot of a sheet.
        let keep = if matches!(line.tag, TagOf::Heading(_)) { 3.0 * height } else { height };
        if at + above + keep > HEIGHT - MARGIN - FOOT / 2.0 && !sheets.last().is_some_and(Vec::is_empty) {
            sheets.push(Vec::new());
            at = MARGIN;
        } else {
            at += above;
        }
        at += height;
        if let Some(sheet) = sheets.last_mut() {
            sheet.push((line, at));
        }
    }
    sheets
}

const LEADING: f32 = 1.42;

/// The two fonts, for drawing and for measuring.
struct Faces {
    regular: Font,
    bold: Font,
    measures: [ttf_parser::Face<'static>; 2],
}

impl Faces {
    fn load() -> Result<Self, PageError> {
        let font = |data: &'static [u8]| Font::new(data.into(), 0).ok_or(PageError::Fonts);
        let face = |data: &'static [u8]| ttf_parser::Face::parse(data, 0).map_err(|_| PageError::Fonts);
        Ok(Self { regular: font(REGULAR)?, bold: font(BOLD)?, measures: [face(REGULAR)?, face(BOLD)?] })
    }

    const fn measure(&self, bold: bool) -> &ttf_parser::Face<'static> {
        let [regular, heavy] = &self.measures;
        if bold { heavy } else { regular }
    }

    /// Text as it can be drawn: what the font lacks by its code point.
    fn shown(&self, text: &str, bold: bool) -> String {
        let face = self.measure(bold);
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\t' => shown.push_str("    "),
                '\n' | ' ' | '\u{a0}' => shown.push(c),
                // Joins and choices of form between letters have no form of their own.
                '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{ad}' => {}
                c if face.glyph_index(c).is_some() => shown.push(c),
                c => shown.push_str(&format!("[U+{:04X}]", u32::from(c))),
            }
        }
        shown
    }

    fn width(&self, text: &str, bold: bool, size: f32) -> f32 {
        let face = self.measure(bold);
        let advance =
            |c: char| face.glyph_index(c).and_then(|glyph| face.glyph_hor_advance(glyph)).unwrap_or(0);
        let units: u32 = text.chars().map(|c| u32::from(advance(c))).sum();
        units as f32 * size / f32::from(face.units_per_em())
    }

    fn lines(&self, number: usize, block: &Block) -> Vec<Line> {
        let (text, tag, bold, size, indent, above) = match block {
            Block::Heading(level, text) => {
                let size = match level {
                    1 => 16.0,
                    2 => 12.5,
                    _ => 10.5,
                };
                (text.clone(), TagOf::Heading(*level), true, size, 0.0, size)
            }
            Block::Text(text) => (text.clone(), TagOf::Text, false, 9.5, 0.0, 5.0),
            Block::Item(text) => (format!("•  {text}"), TagOf::Item, false, 9.5, INDENT, 2.0),
            Block::Field(name, value) => (format!("{name}: {value}"), TagOf::Text, false, 8.5, 0.0, 1.0),
        };
        let wide = WIDTH - 2.0 * MARGIN - indent;
        let shown = self.shown(&text, bold);
        let mut lines = Vec::new();
        for part in shown.split('\n') {
            for text in self.wrapped(part, bold, size, wide) {
                let above = if lines.is_empty() { above } else { 0.0 };
                lines.push(Line { block: number, tag, text, bold, size, indent, above });
            }
        }
        lines
    }

    /// A text in lines that fit; a word that does not is cut.
    fn wrapped(&self, text: &str, bold: bool, size: f32, wide: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_inclusive(' ') {
            if !line.is_empty()
                && self.width(&line, bold, size) + self.width(word.trim_end(), bold, size) > wide
            {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                if !line.is_empty()
                    && self.width(&line, bold, size) + self.width(&c.to_string(), bold, size) > wide
                    && c != ' '
                {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line);
        lines
    }

    fn draw(&self, surface: &mut Surface<'_>, line: &Line, baseline: f32) {
        let font = if line.bold { &self.bold } else { &self.regular };
        let at = Point::from_xy(MARGIN + line.indent, baseline);
        surface.draw_text(at, font.clone(), line.size, &line.text, false, TextDirection::Auto);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> PaperPage<'_> {
        PaperPage {
            title: "Besluit",
            language: "nl",
            made_at: "2026-05-04T09:30:00Z".parse().unwrap(),
            foot: "knik.example",
            html,
        }
    }

    #[test]
    fn the_same_page_gives_the_same_bytes() {
        let html = "<h1>Besluit</h1><p>Şükrü Łukasz Çağlar ışık źdźbło</p><ul><li>een</li><li>twee</li></ul>";
        let (once, again) = (pdf(&page(html)).unwrap(), pdf(&page(html)).unwrap());
        assert!(once.starts_with(b"%PDF-") && once == again);
        assert!(once.len() < 200_000, "fonts are embedded as far as they are used: {} bytes", once.len());
        assert_ne!(once, pdf(&page("<h1>Besluit</h1>")).unwrap());
    }

    #[test]
    fn letters_of_names_are_drawn_and_what_is_lacking_is_named() {
        let faces = Faces::load().unwrap();
        let names = "Şükrü Łukasz Çağlar ışık źdźbło Ñandú Αθήνα Привет مرحبا";
        assert_eq!(faces.shown(names, false), names);
        assert_eq!(faces.shown("\u{4f60}", false), "[U+4F60]");
    }

    #[test]
    fn long_texts_go_over_lines_and_sheets_and_lose_nothing() {
        let faces = Faces::load().unwrap();
        let words: Vec<String> = (0..4_000).map(|n| format!("woord{n}")).collect();
        let lines = faces.lines(0, &Block::Text(words.join(" ")));
        let joined: String = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(joined, words.join(" "));
        let wide = WIDTH - 2.0 * MARGIN;
        assert!(lines.iter().all(|line| faces.width(line.text.trim_end(), false, line.size) <= wide + 0.5));
        assert!(sheets(&lines).len() > 3);
        let one = "a".repeat(5_000);
        let cut: String =
            faces.lines(0, &Block::Text(one.clone())).iter().map(|line| line.text.as_str()).collect();
        assert_eq!(cut, one);
    }
}
