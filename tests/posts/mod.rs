//! Posts written for this project by someone who had not seen a rule or a list, with the personal data in them marked.
//!
//! `posts-a.txt` may be looked at when rules are made; `posts-b.txt` is kept apart and says how far they reach. The bounds
//! stand below what was measured, so that a rule that makes things worse is noticed. They are harder than ordinary posts:
//! rare names, names that are words, no capitals, tricks. Marks are `[[TYPE|text]]`; `X_` types count neither way.

use knik::cli::embedded::ruleset;
use knik::detect::Ruleset;

struct Post {
    text: String,
    /// Start and end in bytes, and whether it must be found.
    spans: Vec<(usize, usize, bool)>,
}

#[derive(Debug, Default)]
struct Score {
    spans: usize,
    covered: usize,
    clean: usize,
    touched: usize,
}

fn read(line: &str) -> Post {
    let (mut text, mut spans, mut rest) = (String::new(), Vec::new(), line);
    while let Some((before, after)) = rest.split_once("[[") {
        let (kind, after) = after.split_once('|').expect("a type");
        let (value, after) = after.split_once("]]").expect("an end");
        text.push_str(&before.replace("\\n", "\n"));
        let start = text.len();
        text.push_str(&value.replace("\\n", "\n"));
        spans.push((start, text.len(), !kind.starts_with("X_")));
        rest = after;
    }
    text.push_str(&rest.replace("\\n", "\n"));
    Post { text, spans }
}

fn score(ruleset: &Ruleset, file: &str) -> Score {
    let mut score = Score::default();
    for post in file.lines().skip(1).filter(|l| !l.is_empty()).map(read) {
        let found: Vec<(usize, usize)> =
            ruleset.detect(&post.text, &[]).iter().map(|f| (f.span.start(), f.span.end())).collect();
        let hidden = |at: usize| found.iter().any(|(a, b)| (*a..*b).contains(&at));
        for (start, end, _) in post.spans.iter().filter(|s| s.2) {
            let mut letters = post.text[*start..*end].char_indices().filter(|(_, c)| c.is_alphanumeric());
            score.spans += 1;
            score.covered += usize::from(letters.all(|(at, _)| hidden(start + at)));
        }
        if post.spans.iter().all(|s| !s.2) {
            let allowed = |a: &usize, b: &usize| post.spans.iter().any(|(s, e, _)| a < e && s < b);
            score.clean += 1;
            score.touched += usize::from(found.iter().any(|(a, b)| !allowed(a, b)));
        }
    }
    score
}

#[test]
fn marked_posts_are_covered_and_clean_ones_left_alone() {
    let ruleset = ruleset(None).unwrap();
    let measured = [("a", include_str!("posts-a.txt"), 0.78), ("b", include_str!("posts-b.txt"), 0.74)];
    for (name, file, covered_min) in measured {
        let score = score(&ruleset, file);
        let covered = score.covered as f64 / score.spans as f64;
        let touched = score.touched as f64 / score.clean as f64;
        println!(
            "posts-{name}: covered {covered:.3} of {}, clean posts touched {touched:.3} of {}",
            score.spans, score.clean
        );
        assert!(score.spans > 500 && score.clean > 250, "{name}: {score:?}");
        assert!(covered >= covered_min, "{name}: covered {covered:.3}");
        assert!(touched <= 0.15, "{name}: touched {touched:.3}");
    }
}
