//! What must stand around a term, in order: `{person} {has} ~ {term}`.

use super::window::Window;

/// Index of a word list.
pub(super) type List = u8;

/// A frame, taken apart at its term; both sides with what stands nearest to the term first.
pub(super) struct Frame {
    before: Vec<Step>,
    after: Vec<Step>,
}

/// From one part of a frame to the next, away from the term.
#[derive(Clone, Copy)]
struct Step {
    gap: Gap,
    part: Part,
}

/// Words that may stand between two parts.
#[derive(Clone, Copy, Default)]
struct Gap {
    words: u8,
    /// Goes over commas and brackets, not over the end of a sentence.
    loose: bool,
}

impl Gap {
    /// What may stand between when the part between two gaps is left out.
    fn join(self, other: Self) -> Self {
        Self { words: self.words.max(other.words), loose: self.loose || other.loose }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Term,
    /// A word or phrase of a list.
    Of(List),
    /// A first name with a capital.
    Someone,
    /// The start or end of a clause.
    Edge,
}

/// A part as written, with the gap before it.
#[derive(Clone, Copy)]
struct Sign {
    gap: Gap,
    part: Part,
    optional: bool,
}

/// Words a gap holds when its sign names no number.
const GAP_WORDS: u8 = 4;

/// The most words a gap can be written for.
const GAP_WORDS_MAX: u8 = 12;

/// The most parts of one frame that may be left out.
const OPTIONAL_MAX: usize = 3;

impl Frame {
    /// Reads a frame: one for each choice of what is left out. `list` gives the index of a named list or of a word by
    /// itself. The message says what to mend.
    pub(super) fn read(
        text: &str,
        list: impl FnMut(Named<'_>) -> Result<List, String>,
    ) -> Result<Vec<Self>, String> {
        let signs = read_signs(text, list)?;
        if signs.iter().filter(|sign| sign.part == Part::Term).count() != 1 {
            return Err("write `{term}` once, where the term stands".to_owned());
        }
        if signs.iter().filter(|sign| sign.optional).count() > OPTIONAL_MAX {
            return Err(format!("more than {OPTIONAL_MAX} parts may be left out; write two frames"));
        }
        Ok(choices(&signs).iter().map(|signs| Self::around_term(signs)).collect())
    }

    fn around_term(signs: &[Sign]) -> Self {
        let mut sides = signs.split(|sign| sign.part == Part::Term);
        let (left, right) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        // Gaps were read before their part; left of the term the walk goes the other way.
        let to_term = signs.iter().skip(1).map(|sign| sign.gap).take(left.len());
        let before = left.iter().zip(to_term).map(|(sign, gap)| Step { gap, part: sign.part });
        let mut before: Vec<Step> = before.collect();
        before.reverse();
        let after = right.iter().map(|sign| Step { gap: sign.gap, part: sign.part }).collect();
        Self { before, after }
    }
}

fn read_signs(
    text: &str,
    mut list: impl FnMut(Named<'_>) -> Result<List, String>,
) -> Result<Vec<Sign>, String> {
    let (mut signs, mut gap) = (Vec::new(), Gap::default());
    for sign in text.split_whitespace() {
        if sign.starts_with('~') {
            gap = read_gap(sign)?;
            continue;
        }
        let (sign, optional) = sign.strip_suffix('?').map_or((sign, false), |sign| (sign, true));
        let part = match sign {
            "{term}" => Part::Term,
            "{someone}" => Part::Someone,
            "{start}" | "{end}" => Part::Edge,
            _ => Part::Of(list(named(sign)?)?),
        };
        signs.push(Sign { gap: std::mem::take(&mut gap), part, optional: optional && part != Part::Term });
    }
    Ok(signs)
}

/// The signs with each part that may be left out once in and once out.
fn choices(signs: &[Sign]) -> Vec<Vec<Sign>> {
    let Some(at) = signs.iter().position(|sign| sign.optional) else { return vec![signs.to_vec()] };
    let (mut with, mut without) = (signs.to_vec(), signs.to_vec());
    if let Some(sign) = with.get_mut(at) {
        sign.optional = false;
    }
    let gap = without.remove(at).gap;
    if let Some(next) = without.get_mut(at) {
        next.gap = next.gap.join(gap);
    }
    [choices(&with), choices(&without)].concat()
}

/// A part of a frame that is a list or a word.
pub(super) enum Named<'a> {
    List(&'a str),
    Word(&'a str),
}

fn named(sign: &str) -> Result<Named<'_>, String> {
    match sign.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
        Some(Some(name)) => Ok(Named::List(name)),
        Some(None) => Err(format!("`{sign}` does not close; write `{{name}}`")),
        None => Ok(Named::Word(sign)),
    }
}

fn read_gap(sign: &str) -> Result<Gap, String> {
    let (loose, words) = match (sign.strip_prefix("~~"), sign.strip_prefix('~')) {
        (Some(words), _) => (true, words),
        (_, words) => (false, words.unwrap_or("")),
    };
    let words = if words.is_empty() { Some(GAP_WORDS) } else { words.parse().ok() };
    match words.filter(|words| *words <= GAP_WORDS_MAX) {
        Some(words) => Ok(Gap { words, loose }),
        None => {
            Err(format!("`{sign}` is no gap; write `~`, `~3`, `~~` or `~~3`, with at most {GAP_WORDS_MAX}"))
        }
    }
}

impl Window {
    /// The words that a frame takes around `term`, when it fits: positions in the window, end exclusive.
    pub(super) fn frame(&self, frame: &Frame, term: (usize, usize)) -> Option<(usize, usize)> {
        let start = frame.before.iter().try_fold(bit(term.0), |from, step| self.left(*step, from))?;
        let end = frame.after.iter().try_fold(bit(term.1), |from, step| self.right(*step, from))?;
        // Of the places where it can begin and end, the nearest.
        Some((63 - start.leading_zeros() as usize, end.trailing_zeros() as usize))
    }

    /// All places where a part can begin, given those where what follows it can begin.
    fn left(&self, step: Step, from: u64) -> Option<u64> {
        let pass = self.pass(step.gap.loose);
        let across = (0..step.gap.words).fold(from, |set, _| set | ((set & pass & (self.free() << 1)) >> 1));
        let fits = match step.part {
            Part::Of(list) => {
                (1..).zip(self.list(list)).fold(0, |set, (n, at)| set | (at & ((across & pass) >> n)))
            }
            Part::Someone => self.someone() & ((across & pass) >> 1),
            Part::Edge => across & self.edge(),
            Part::Term => 0,
        };
        (fits != 0).then_some(fits)
    }

    /// All places where a part can end, given those where what comes before it can end.
    fn right(&self, step: Step, from: u64) -> Option<u64> {
        let pass = self.pass(step.gap.loose);
        let across = (0..step.gap.words).fold(from, |set, _| set | ((set & pass & self.free()) << 1));
        let fits = match step.part {
            Part::Of(list) => {
                (1..).zip(self.list(list)).fold(0, |set, (n, at)| set | ((across & pass & at) << n))
            }
            Part::Someone => (self.someone() & across & pass) << 1,
            Part::Edge => across & self.edge(),
            Part::Term => 0,
        };
        (fits != 0).then_some(fits)
    }
}

/// The set of one position.
pub(super) const fn bit(at: usize) -> u64 {
    1_u64.wrapping_shl(at as u32)
}
