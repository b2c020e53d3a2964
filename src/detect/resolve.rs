//! Overlapping hits become findings that do not overlap, and no covered byte is given up.
//!
//! The stronger hit keeps its place: the longer one when it covers the other, else the higher score, else
//! the earlier recogniser. What sticks out of the weaker one stays a finding of its
//! own when it holds three letters or digits at least.

use super::hit::Hit;
use std::cmp::Ordering;

/// Sorted by start, without overlap; their union is the union of what was given, but for scraps at seams.
pub(super) fn resolve<'r>(text: &str, mut hits: Vec<Hit<'r>>) -> Vec<Hit<'r>> {
    if hits.len() < 2 {
        return hits;
    }
    hits.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)).then(strength(b, a)));
    let mut kept: Vec<Hit<'r>> = Vec::with_capacity(hits.len());
    for hit in hits {
        settle(text, &mut kept, hit);
    }
    kept
}

/// Puts `hit`, which starts no earlier than the last kept one, in its place.
fn settle<'r>(text: &str, kept: &mut Vec<Hit<'r>>, mut hit: Hit<'r>) {
    let Some(mut last) = kept.pop() else { return kept.push(hit) };
    // A hit cut earlier may start after this one; what lies before it is covered already.
    hit.start = hit.start.max(last.start);
    if hit.start >= hit.end {
        kept.push(last);
    } else if !last.overlaps(&hit) {
        kept.extend([last, hit]);
    } else if hit.end <= last.end {
        // A part of the last: it gives way, unless it is the very same place and the stronger.
        let same = hit.start == last.start && hit.end == last.end;
        kept.push(if same && strength(&hit, &last) == Ordering::Greater {
            inherit(hit, &last)
        } else {
            inherit(last, &hit)
        });
    } else if hit.start == last.start || strength(&hit, &last) == Ordering::Greater {
        last.end = hit.start;
        if says_something(text, &mut last) {
            kept.push(last);
        }
        kept.push(hit);
    } else {
        hit.start = last.end;
        kept.push(last);
        if says_something(text, &mut hit) {
            kept.push(hit);
        }
    }
}

fn strength(a: &Hit<'_>, b: &Hit<'_>) -> Ordering {
    a.score
        .total_cmp(&b.score)
        .then((a.end - a.start).cmp(&(b.end - b.start)))
        .then(b.recogniser.cmp(&a.recogniser))
}

/// The winner, with the person the loser names when it names none itself.
fn inherit<'r>(mut winner: Hit<'r>, loser: &Hit<'_>) -> Hit<'r> {
    if winner.subject.is_none() && winner.recogniser == loser.recogniser {
        winner.subject = loser.subject;
    }
    winner
}

/// Trims separators off a part that was left over; whether three letters or digits remain.
fn says_something(text: &str, hit: &mut Hit<'_>) -> bool {
    let part = text.get(hit.start..hit.end).unwrap_or("");
    let lead = part.len() - part.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let core = part.trim_matches(|c: char| !c.is_alphanumeric());
    hit.start += lead;
    hit.end = hit.start + core.len();
    core.chars().nth(2).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(start: usize, end: usize, score: f32) -> Hit<'static> {
        Hit { start, end, recogniser: start, score, reasons: Vec::new(), subject: None }
    }

    #[test]
    fn nothing_covered_is_given_up_and_nothing_overlaps() {
        let text = "abcdefghijklmnop";
        for (given, wanted) in [
            (vec![(0, 10, 0.5), (2, 4, 0.9)], vec![(0, 10)]),
            (vec![(0, 6, 0.5), (4, 9, 0.9)], vec![(0, 4), (4, 9)]),
            (vec![(0, 6, 0.9), (4, 9, 0.5)], vec![(0, 6), (6, 9)]),
            (vec![(3, 5, 0.5), (3, 5, 0.9)], vec![(3, 5)]),
            (vec![(0, 6, 0.9), (4, 9, 0.5), (5, 12, 0.8)], vec![(0, 6), (6, 12)]),
            (vec![(0, 2, 0.5), (5, 7, 0.9)], vec![(0, 2), (5, 7)]),
        ] {
            let hits = given.into_iter().map(|(a, b, s)| hit(a, b, s)).collect();
            let got: Vec<_> = resolve(text, hits).iter().map(|h| (h.start, h.end)).collect();
            assert_eq!(got, wanted);
        }
    }
}
