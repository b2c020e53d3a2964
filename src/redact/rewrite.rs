//! The engine under every operator: spans of a text are handed out one by one, what comes back stands in their
//! place, and everything outside them stays as it was, byte for byte.

use crate::model::Span;
use std::ops::Range;

/// A text in which spans were replaced. Still citizens' words: it is not `Debug`.
#[derive(PartialEq, Eq)]
pub struct Rewritten<T> {
    /// The new text.
    pub text: String,
    /// What was replaced, in the order of the text.
    pub items: Vec<Placed<T>>,
}

/// Where a replacement stands in the new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// Place in the new text: UTF-8 bytes on character boundaries, end exclusive; empty when the replacement is.
    pub range: Range<usize>,
    /// What the caller gave with the span.
    pub item: T,
}

impl<T> Placed<T> {
    /// The same place with something else in the place of the item.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { range: self.range, item: change(self.item) }
    }
}

/// Why a text was not rewritten. Holds nothing of the text, unless the operator's own error does.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError<E> {
    /// A span lies outside the text or cuts a character: it was made for another text.
    #[error("span {index} ({}..{}) does not fit the text; detect the text again", .span.start(), .span.end())]
    OffText {
        /// Position in the spans given, from 0.
        index: usize,
        /// The span.
        span: Span,
    },
    /// An operator failed; no text is handed out.
    #[error(transparent)]
    Operator(E),
}

/// Replaces each span by what `operate` makes of the item and the text under the span.
///
/// `operate` is called once a span, ordered by start, then by end; the items of the answer stand in that same
/// order. Outside the spans the new text equals the old. Spans may touch and overlap: an operator always sees the
/// whole of its span, and what several spans cover is given up once, so nothing that lies under a span is left.
/// Time grows with the text, the replacements and the sorting of the spans.
///
/// # Errors
/// [`RewriteError::OffText`] before anything is operated on; else the first error of `operate`.
pub fn rewrite<T, E>(
    text: &str,
    spans: impl IntoIterator<Item = (Span, T)>,
    mut operate: impl FnMut(&T, &str) -> Result<String, E>,
) -> Result<Rewritten<T>, RewriteError<E>> {
    let mut sorted = Vec::new();
    for (index, (span, item)) in spans.into_iter().enumerate() {
        let value = span.of(text).ok_or(RewriteError::OffText { index, span })?;
        sorted.push((span, value, item));
    }
    sorted.sort_by_key(|(span, ..)| (span.start(), span.end()));
    let mut new = String::with_capacity(text.len());
    let mut items = Vec::with_capacity(sorted.len());
    let mut from = 0;
    for (span, value, item) in sorted {
        new.push_str(text.get(from..span.start()).unwrap_or_default());
        let replacement = operate(&item, value).map_err(RewriteError::Operator)?;
        let start = new.len();
        new.push_str(&replacement);
        items.push(Placed { range: start..new.len(), item });
        from = from.max(span.end());
    }
    new.push_str(text.get(from..).unwrap_or_default());
    Ok(Rewritten { text: new, items })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn span(start: usize, end: usize) -> Span {
        Span::new(start, end).unwrap()
    }

    /// Each value in brackets, with its item before it.
    fn bracketed(text: &str, spans: &[(usize, usize)]) -> (String, Vec<Range<usize>>) {
        let spans = spans.iter().enumerate().map(|(n, (start, end))| (span(*start, *end), n));
        let rewritten = rewrite(text, spans, |n, value| Ok::<_, Infallible>(format!("{n}[{value}]"))).ok();
        let rewritten = rewritten.unwrap();
        (rewritten.text, rewritten.items.into_iter().map(|placed| placed.range).collect())
    }

    #[test]
    fn spans_are_replaced_in_the_order_of_the_text() {
        type Case = (&'static [(usize, usize)], &'static str);
        let table: &[Case] = &[
            (&[], "één Jan Vos"),
            (&[(6, 9), (10, 13)], "één 0[Jan] 1[Vos]"),
            (&[(10, 13), (6, 9)], "één 1[Jan] 0[Vos]"),
            (&[(0, 5), (5, 6)], "0[één]1[ ]Jan Vos"),
            (&[(0, 13)], "0[één Jan Vos]"),
            // Overlapping: both see all of theirs, and nothing under either is left.
            (&[(6, 11), (9, 13)], "één 0[Jan V]1[ Vos]"),
            (&[(6, 13), (8, 9)], "één 0[Jan Vos]1[n]"),
            (&[(6, 9), (6, 9)], "één 0[Jan]1[Jan] Vos"),
        ];
        for (spans, expected) in table {
            assert_eq!(bracketed("één Jan Vos", spans).0, *expected, "{spans:?}");
        }
    }

    #[test]
    fn a_span_of_another_text_is_refused_before_anything_is_operated_on() {
        for (start, end) in [(1, 5), (0, 99), (50, 60)] {
            let spans = [(span(6, 9), ()), (span(start, end), ())];
            let refused =
                rewrite("één Jan", spans, |(), _| -> Result<String, Infallible> { panic!("operated") });
            let expected = RewriteError::OffText { index: 1, span: span(start, end) };
            assert_eq!(refused.err(), Some(expected));
        }
    }

    #[test]
    fn an_operator_that_fails_yields_no_text() {
        let failed = rewrite("Jan", [(span(0, 3), ())], |(), _| Err::<String, _>("no key"));
        assert_eq!(failed.err(), Some(RewriteError::Operator("no key")));
    }

    proptest! {
        #[test]
        fn outside_the_spans_the_text_is_byte_identical(
            parts in proptest::collection::vec((".{0,8}", ".{1,8}", ".{0,12}"), 0..12), tail in ".{0,8}",
        ) {
            let (mut text, mut spans) = (String::new(), Vec::new());
            for (before, value, replacement) in &parts {
                text.push_str(before);
                spans.push((span(text.len(), text.len() + value.len()), (value, replacement)));
                text.push_str(value);
            }
            text.push_str(&tail);
            let rewritten = rewrite(&text, spans, |(value, replacement), given| {
                assert_eq!(*value, given);
                Ok::<_, Infallible>((*replacement).clone())
            });
            let rewritten = rewritten.ok().unwrap();
            // What stands between the replacements is what stood between the spans.
            let mut between = Vec::new();
            let mut from = 0;
            for placed in &rewritten.items {
                between.push(&rewritten.text[from..placed.range.start]);
                prop_assert_eq!(&rewritten.text[placed.range.clone()], placed.item.1.as_str());
                from = placed.range.end;
            }
            between.push(&rewritten.text[from..]);
            let expected: Vec<&str> =
                parts.iter().map(|(before, ..)| before.as_str()).chain([tail.as_str()]).collect();
            prop_assert_eq!(between, expected);
        }

        #[test]
        fn spans_that_overlap_leave_nothing_of_what_they_cover(
            spans in proptest::collection::vec((0_usize..40, 1_usize..9), 0..8),
        ) {
            let text: String = ('a'..='z').chain('A'..='Z').collect();
            let spans: Vec<Span> = spans.iter().map(|(start, long)| span(*start, start + long)).collect();
            let given = spans.iter().map(|span| (*span, ()));
            let rewritten = rewrite(&text, given, |(), _| Ok::<_, Infallible>("#".to_owned())).ok().unwrap();
            let uncovered: String = text
                .char_indices()
                .filter(|(at, _)| !spans.iter().any(|span| (span.start()..span.end()).contains(at)))
                .map(|(_, c)| c)
                .collect();
            prop_assert_eq!(rewritten.text.replace('#', ""), uncovered);
            prop_assert_eq!(rewritten.items.len(), spans.len());
        }
    }
}
