//! Signs that speak for a match when they stand right before it: `°` and `*` before a day of birth.

/// The entries of `context` that hold no letter or digit.
#[derive(Default)]
pub(super) struct Marks(Vec<String>);

/// Signs that also open the lines of a list, where they say nothing.
const BULLETS: &[char] = &['*', '-', '+', '•', '·', '>'];

impl Marks {
    /// Picks the signs out of the words.
    pub(super) fn of(context: &[String]) -> Self {
        let sign = |entry: &&String| !entry.is_empty() && !entry.chars().any(char::is_alphanumeric);
        Self(context.iter().filter(sign).cloned().collect())
    }

    /// Where a sign stands before `start`, with one space between at most.
    pub(super) fn before(&self, text: &str, start: usize) -> Option<(usize, usize)> {
        if self.0.is_empty() {
            return None;
        }
        let left = text.get(..start)?;
        let left = left.strip_suffix(' ').unwrap_or(left);
        let mark = self.0.iter().find(|mark| left.ends_with(mark.as_str()))?;
        let place = (left.len() - mark.len(), left.len());
        let line = left.get(..place.0)?.trim_end_matches(' ');
        let bullet = mark.contains(BULLETS) && (line.is_empty() || line.ends_with(['\n', '\r']));
        let degrees = line.len() == place.0 && line.ends_with(|c: char| c.is_ascii_digit());
        (!bullet && !degrees).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_counts_before_the_match_and_not_as_a_bullet() {
        let marks = Marks::of(&["geboren".to_owned(), "*".to_owned(), "°".to_owned()]);
        for (text, yes) in [
            ("Els * 12-3-1980", true),
            ("Els (°12-3-1980)", true),
            ("* 12-3-1980 vergadering", false),
            ("punten:\n* 12-3-1980", false),
            ("het was 20° 12-3-1980", false),
            ("Els 12-3-1980", false),
        ] {
            assert_eq!(marks.before(text, text.find("12-3").unwrap()).is_some(), yes, "{text}");
        }
    }
}
