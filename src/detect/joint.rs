//! What stands between a label and its value.

use super::bytes::{at, before};
use super::context::is;
use super::people::View;
use super::words::{Word, literal};

/// Spaces and signs after a label, up to the next letter or digit.
pub(super) struct Joint {
    /// Where the value would start.
    pub(super) end: usize,
    /// Whether a colon or an equals sign is among them.
    pub(super) sign: bool,
    /// Whether an opening bracket is.
    pub(super) bracket: bool,
}

impl Joint {
    /// Reads on from `from`; `None` when the sentence or the text ends there.
    pub(super) fn at(text: &str, from: usize) -> Option<Self> {
        let mut joint = Self { end: from, sign: false, bracket: false };
        for c in text.get(from..)?.chars() {
            match c {
                c if c.is_alphanumeric() => return Some(joint),
                // Other signs may open a password.
                c if joint.sign && !(c.is_whitespace() || OPENING.contains(c)) => return Some(joint),
                ':' | '=' => joint.sign = true,
                '(' => joint.bracket = true,
                '.' if !(abbreviated(text, joint.end) || dotted(text, joint.end)) => return None,
                '/' | '\\' | ';' | '@' | '+' => return None,
                _ => {}
            }
            joint.end += c.len_utf8();
            if joint.end - from > MOST {
                return None;
            }
        }
        None
    }
}

/// Whether the dot at `dot` is one of several: `nummer...`.
fn dotted(text: &str, dot: usize) -> bool {
    at(text.as_bytes(), dot + 1) == b'.' || before(text.as_bytes(), dot) == b'.'
}

/// Whether the dot at `dot` ends an abbreviation such as `nr.`: no sentence ends there.
fn abbreviated(text: &str, dot: usize) -> bool {
    let letters = text.as_bytes().get(..dot).unwrap_or(&[]).iter().rev();
    let letters = letters.take(MOST_ABBREVIATED + 1).take_while(|b| b.is_ascii_alphabetic()).count();
    let number = ["nr", "no", "num"].iter().any(|ending| {
        let start = dot.saturating_sub(ending.len());
        text.get(start..dot).is_some_and(|word| word.eq_ignore_ascii_case(ending))
    });
    number || (1..=MOST_ABBREVIATED).contains(&letters)
}

/// Where another value of a list starts, when the text at `end` goes on with `, `, ` en ` and the like.
pub(super) fn more(text: &str, end: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let skip = |mut pos: usize| {
        while at(bytes, pos) == b' ' && pos - end < MOST {
            pos += 1;
        }
        pos
    };
    let mut pos = skip(end);
    let comma = matches!(at(bytes, pos), b',' | b'/' | b'&' | b'+' | b';');
    pos = skip(pos + usize::from(comma));
    let word = ["en ", "of ", "and ", "or "]
        .into_iter()
        .find(|w| text.get(pos..pos + w.len()).is_some_and(|t| t.eq_ignore_ascii_case(w)));
    pos += word.map_or(0, str::len);
    ((comma || word.is_some()) && at(bytes, pos).is_ascii_alphanumeric()).then_some(pos)
}

/// Where a value ends that is tied to the label whose first word is `first`: `… is mijn`, `… (`, `… als`.
pub(super) fn tied(view: &View<'_>, first: usize) -> Option<usize> {
    let mut left = first.checked_sub(1)?;
    if view.gap(left) == " (" {
        return view.words.get(left).map(|w| w.end);
    }
    let mut verb = false;
    for _ in 0..MOST_TIES {
        let word = view.words.get(left)?;
        if !view.spaced(left) || !is(Some(word), TIES) {
            break;
        }
        verb |= is(Some(word), VERBS);
        left = left.checked_sub(1)?;
    }
    view.words.get(left).filter(|_| verb && view.spaced(left)).map(|w: &Word| w.end)
}

/// What may stand between a sign and the value.
const OPENING: &str = ":=>-\"'`([*_ ";
/// The longest joint, in bytes.
const MOST: usize = 12;
/// The longest abbreviation, in letters.
const MOST_ABBREVIATED: usize = 4;
const MOST_TIES: usize = 3;
const VERBS: &[u64] = &[literal("is"), literal("was"), literal("als"), literal("as")];
const TIES: &[u64] = &[
    literal("is"),
    literal("was"),
    literal("als"),
    literal("as"),
    literal("mijn"),
    literal("zijn"),
    literal("haar"),
    literal("ons"),
    literal("het"),
    literal("de"),
    literal("my"),
    literal("his"),
    literal("her"),
    literal("our"),
    literal("the"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joint_ends_at_the_value_and_stops_at_a_sentence() {
        for (text, wanted) in [
            (": 12", Some((2, true))),
            (" 12", Some((1, false))),
            (" = \"x", Some((4, true))),
            (". Morgen", None),
            (" ", None),
            (":\n\n12", Some((3, true))),
        ] {
            let long = format!("klantcode{text}");
            let joint = Joint::at(&long, 9).map(|j| (j.end - 9, j.sign));
            assert_eq!(joint, wanted, "{text}");
        }
        assert_eq!(Joint::at("klantnr. 12", 7).map(|j| j.end), Some(9));
    }

    #[test]
    fn a_list_goes_on_after_a_comma_or_a_word() {
        for (text, wanted) in
            [(", 12", Some(2)), (" en 12", Some(4)), (" / 12", Some(3)), (" 12", None), (". 12", None)]
        {
            assert_eq!(more(text, 0), wanted, "{text}");
        }
    }
}
