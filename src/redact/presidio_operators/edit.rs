//! A text addressed by code points, and replacements in it from its end to its start.

use super::{Operated, OperatedItem, Target};

/// A text with the byte offset of every code point.
pub(super) struct Points<'t> {
    text: &'t str,
    /// One more than there are code points: the last is the text's length.
    offsets: Vec<usize>,
}

impl<'t> Points<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let offsets = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self { text, offsets }
    }

    /// How many code points there are.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The code points from `start` to `end`; none when they do not all exist.
    pub(super) fn slice(&self, start: usize, end: usize) -> Option<&'t str> {
        self.text.get(*self.offsets.get(start)?..*self.offsets.get(end)?)
    }
}

/// Replacements, the last first. Where two targets overlap, each is replaced as a whole and what they share is gone.
pub(super) struct Edit<'p, 't> {
    points: &'p Points<'t>,
    /// Where the last replacement starts: what comes before is still as it was.
    upto: usize,
    /// What follows it, piece by piece from the end.
    after: Vec<String>,
    after_points: usize,
    /// Each with how far from the end of the text it starts.
    items: Vec<(usize, OperatedItem)>,
}

impl<'p, 't> Edit<'p, 't> {
    pub(super) fn new(points: &'p Points<'t>) -> Self {
        Self { points, upto: points.len(), after: Vec::new(), after_points: 0, items: Vec::new() }
    }

    pub(super) fn replace(&mut self, target: &Target, new: String, operator: &str) {
        let end = target.end.min(self.upto);
        self.push(self.points.slice(end, self.upto).unwrap_or_default().to_owned());
        self.upto = target.start;
        let length = self.push(new.clone());
        let item = OperatedItem {
            start: 0,
            end: length,
            entity_type: target.entity_type.clone(),
            text: new,
            operator: operator.to_owned(),
        };
        self.items.push((self.after_points, item));
    }

    /// Puts text before what follows; its length in code points.
    fn push(&mut self, text: String) -> usize {
        let length = text.chars().count();
        self.after_points += length;
        self.after.push(text);
        length
    }

    pub(super) fn done(self) -> Operated {
        let mut text = self.points.slice(0, self.upto).unwrap_or_default().to_owned();
        text.extend(self.after.into_iter().rev());
        let length = self.upto + self.after_points;
        let placed = |(from_end, item): (usize, OperatedItem)| {
            let start = length - from_end;
            OperatedItem { start, end: start + item.end, ..item }
        };
        Operated { text, items: self.items.into_iter().map(placed).collect() }
    }
}
