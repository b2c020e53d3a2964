//! A tree as people look at it: lines for a terminal, and a picture (SVG) that needs no script and no font of its own.

use super::tree::{Ending, Next, Step, Tree};
use super::{Answer, Asks, Bilingual};
use crate::model::Outcome;
use crate::model::markup::escaped;
use std::fmt::Write;

/// In which language a tree is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    Dutch,
    /// English.
    English,
}

impl Language {
    fn of(self, text: &Bilingual) -> &str {
        match self {
            Self::Dutch => &text.nl,
            Self::English => &text.en,
        }
    }

    const fn answer(self, answer: Answer) -> &'static str {
        match (self, answer) {
            (Self::Dutch, Answer::Yes) => "ja",
            (Self::Dutch, Answer::No) => "nee",
            (Self::Dutch, Answer::Unsure) => "onzeker",
            (Self::English, answer) => answer.as_str(),
        }
    }
}

/// The tree in lines, a branch under its step; a step that stands above already is only named.
#[must_use]
pub fn terminal(tree: &Tree, language: Language) -> Vec<String> {
    let mut drawing = Lines { tree, language, lines: Vec::new(), seen: vec![false; tree.steps().len()] };
    drawing.lines.push(format!("{} {} ({})", tree.id(), tree.version(), language.of(tree.title())));
    drawing.branch(tree.root, "", "");
    drawing.lines
}

struct Lines<'t> {
    tree: &'t Tree,
    language: Language,
    lines: Vec<String>,
    seen: Vec<bool>,
}

impl Lines<'_> {
    /// The depth is that of the tree, which loading bounds.
    fn branch(&mut self, next: Next, lead: &str, below: &str) {
        let tree = self.tree;
        let step = match next {
            Next::Ending(at) => {
                let shown = tree.endings().get(at).map(|ending| self.ending(ending)).unwrap_or_default();
                return self.lines.push(format!("{lead}{shown}"));
            }
            Next::Step(at) => {
                let seen = self.seen.get_mut(at).is_some_and(|seen| std::mem::replace(seen, true));
                let Some(step) = tree.steps().get(at) else { return };
                if seen {
                    return self.lines.push(format!("{lead}{} (see above)", step.id));
                }
                step
            }
        };
        self.lines.push(format!("{lead}{} [{}] {}", step.id, asked(step), self.language.of(&step.question)));
        let answers = step.answers();
        let last = answers.len().saturating_sub(1);
        for (at, (answer, next)) in answers.into_iter().enumerate() {
            let (tee, bar) = if at == last { ("└─", "   ") } else { ("├─", "│  ") };
            let lead = format!("{below}{tee} {}: ", self.language.answer(answer));
            self.branch(next, &lead, &format!("{below}{bar}"));
        }
    }

    fn ending(&self, ending: &Ending) -> String {
        format!("{} {}: {}", ending.outcome, ending.id, self.language.of(&ending.text))
    }
}

impl Step {
    fn answers(&self) -> [(Answer, Next); 3] {
        [(Answer::Yes, self.yes), (Answer::No, self.no), (Answer::Unsure, self.unsure)]
    }
}

fn asked(step: &Step) -> String {
    match step.asks {
        Asks::Fact(_) => format!("fact {}", step.asks.name()),
        Asks::QuestionDetector => "detector question".to_owned(),
        Asks::Definition(_) => format!("definition {}", step.asks.name()),
        Asks::Person => "person".to_owned(),
    }
}

/// Width and height of a box, and the room between boxes.
const BOX: (usize, usize) = (250, 104);
const GAP: (usize, usize) = (40, 80);
const MARGIN: usize = 20;
/// Characters in a line of a box.
const LINE_CHARS: usize = 34;

/// The tree as a picture: steps in rows by how many answers lead to them, endings where they are reached.
#[must_use]
pub fn svg(tree: &Tree, language: Language) -> String {
    let places = Places::of(tree);
    let (columns, rows) = places.size();
    let width = MARGIN * 2 + columns * (BOX.0 + GAP.0) - GAP.0;
    let height = MARGIN * 2 + 30 + rows * (BOX.1 + GAP.1) - GAP.1;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escaped(language.of(tree.title()))
    );
    let title = format!("{} ({} {})", language.of(tree.title()), tree.id(), tree.version());
    text(&mut out, MARGIN, MARGIN + 12, "font-size=\"16\" font-weight=\"bold\"", &title);
    for step in tree.steps() {
        edges(&mut out, tree, &places, step, language);
    }
    for (at, step) in tree.steps().iter().enumerate() {
        if let Some(place) = places.of_next(Next::Step(at)) {
            let id = format!("step-{}", step.id);
            let head = format!("{} [{}]", step.id, asked(step));
            boxed(&mut out, place, &id, "#e8f0fb", &head, language.of(&step.question));
        }
    }
    for (at, ending) in tree.endings().iter().enumerate() {
        if let Some(place) = places.of_next(Next::Ending(at)) {
            let id = format!("ending-{}", ending.id);
            boxed(
                &mut out,
                place,
                &id,
                colour(ending.outcome),
                ending.outcome.as_str(),
                language.of(&ending.text),
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Where the boxes stand: row and column of each.
struct Places {
    steps: Vec<(usize, usize)>,
    endings: Vec<(usize, usize)>,
}

impl Places {
    fn of(tree: &Tree) -> Self {
        let mut rows = vec![0_usize; tree.steps().len()];
        let mut ending_rows = vec![0_usize; tree.endings().len()];
        // The longest way to each: loading refused cycles, so as many rounds as there are steps settle it.
        for _ in 0..tree.steps().len() {
            for (at, step) in tree.steps().iter().enumerate() {
                let below = rows.get(at).copied().unwrap_or_default() + 1;
                for (_, next) in step.answers() {
                    let row = match next {
                        Next::Step(to) => rows.get_mut(to),
                        Next::Ending(to) => ending_rows.get_mut(to),
                    };
                    if let Some(row) = row {
                        *row = below.max(*row);
                    }
                }
            }
        }
        let mut filled: Vec<usize> = Vec::new();
        let mut place = |row: usize| {
            if filled.len() <= row {
                filled.resize(row + 1, 0);
            }
            let column =
                filled.get_mut(row).map(|next| std::mem::replace(next, *next + 1)).unwrap_or_default();
            (row, column)
        };
        let steps = rows.into_iter().map(&mut place).collect();
        Self { steps, endings: ending_rows.into_iter().map(&mut place).collect() }
    }

    fn of_next(&self, next: Next) -> Option<(usize, usize)> {
        match next {
            Next::Step(at) => self.steps.get(at).copied(),
            Next::Ending(at) => self.endings.get(at).copied(),
        }
        .map(|(row, column)| (MARGIN + column * (BOX.0 + GAP.0), MARGIN + 30 + row * (BOX.1 + GAP.1)))
    }

    fn size(&self) -> (usize, usize) {
        let all = || self.steps.iter().chain(&self.endings);
        let most = |of: fn(&(usize, usize)) -> usize| all().map(of).max().unwrap_or_default() + 1;
        (most(|place| place.1), most(|place| place.0))
    }
}

fn edges(out: &mut String, tree: &Tree, places: &Places, step: &Step, language: Language) {
    let own = tree.steps().iter().position(|other| other.id == step.id);
    let Some((x, y)) = own.and_then(|at| places.of_next(Next::Step(at))) else { return };
    for (n, (answer, next)) in step.answers().into_iter().enumerate() {
        let Some((to_x, to_y)) = places.of_next(next) else { continue };
        let from = (x + BOX.0 * (n + 1) / 4, y + BOX.1);
        let to = (to_x + BOX.0 * (n + 1) / 4, to_y);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<path d=\"M{} {} C{} {} {} {} {} {}\" fill=\"none\" stroke=\"#555555\"/>",
            from.0,
            from.1,
            from.0,
            from.1 + GAP.1 / 2,
            to.0,
            to.1.saturating_sub(GAP.1 / 2),
            to.0,
            to.1
        );
        text(out, from.0 + 4, from.1 + 14 + n * 12, "fill=\"#333333\"", language.answer(answer));
    }
}

fn boxed(out: &mut String, (x, y): (usize, usize), id: &str, fill: &str, head: &str, body: &str) {
    let _ = writeln!(
        out,
        "<g id=\"{}\"><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{fill}\" stroke=\"#333333\"/>",
        escaped(id),
        BOX.0,
        BOX.1
    );
    text(out, x + 8, y + 18, "font-weight=\"bold\"", head);
    for (n, line) in wrapped(body).iter().enumerate() {
        text(out, x + 8, y + 36 + n * 15, "", line);
    }
    out.push_str("</g>\n");
}

fn text(out: &mut String, x: usize, y: usize, look: &str, words: &str) {
    let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" {look}>{}</text>", escaped(words));
}

/// Lines of a box; what does not fit ends in an ellipsis.
fn wrapped(words: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > LINE_CHARS {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if lines.len() > 5 {
        lines.truncate(5);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}

const fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Archive => "#d8f0d8",
        Outcome::ArchiveElsewhere => "#e4f4e4",
        Outcome::Refer => "#fdf0cc",
        Outcome::DoNotArchive => "#f6d9d6",
        Outcome::Unsure => "#eeeeee",
    }
}
