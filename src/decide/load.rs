//! From a YAML file to a checked [`Tree`].

use super::error::parse;
use super::tree::Next;
use super::{
    Answer, Asks, Bilingual, DecideError, Defined, Ending, Example, Fact, Facts, Keep, Problem, Scenario,
    Step, Tree, Valuation,
};
use crate::model::{ItemKind, Outcome};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::HashMap;

/// More steps than any tree people can read.
const STEPS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeFile {
    id: String,
    version: String,
    title: Bilingual,
    scenario: Scenario,
    source: String,
    #[serde(default)]
    own_posts: OwnPosts,
    own_keep: Option<Spanned<Keep>>,
    root: String,
    #[serde(default)]
    steps: Vec<Spanned<StepFile>>,
    outcomes: Vec<Spanned<EndingFile>>,
    #[serde(default)]
    examples: Vec<Spanned<ExampleFile>>,
}

/// What becomes of what the organisation posts itself.
#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "snake_case")]
enum OwnPosts {
    /// Archived before the first step.
    #[default]
    Archived,
    /// Judged like others: the account is a person's too.
    Judged,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    id: String,
    question: Bilingual,
    answered_by: String,
    answers: AnswersFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersFile {
    yes: String,
    no: String,
    unsure: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndingFile {
    id: String,
    outcome: Outcome,
    text: Bilingual,
    keep: Option<Keep>,
    to: Option<Bilingual>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    text: String,
    #[serde(default)]
    facts: FactsFile,
    expected: Outcome,
    ending: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FactsFile {
    kind: Option<ItemKind>,
    #[serde(default)]
    own: bool,
    official_channel: Option<Answer>,
    answered: Option<Answer>,
    edited: Option<Answer>,
    deleted: Option<Answer>,
    registered: Option<Answer>,
    reactions_open: Option<Answer>,
    #[serde(default)]
    people: std::collections::BTreeMap<String, Answer>,
}

/// Reads and checks a tree.
pub(super) fn tree(name: &str, text: &str) -> Result<Tree, DecideError> {
    let file: TreeFile = parse(name, text)?;
    let mut problems = Vec::new();
    if file.steps.len() > STEPS_MAX {
        problems.push(Problem { line: 0, what: format!("more than {STEPS_MAX} steps; split the tree") });
        return Err(DecideError::Invalid { file: name.to_owned(), problems });
    }
    let tree = build(file, &mut problems);
    match tree {
        Some(tree) if problems.is_empty() => Ok(tree),
        _ => Err(DecideError::Invalid { file: name.to_owned(), problems }),
    }
}

fn build(file: TreeFile, problems: &mut Vec<Problem>) -> Option<Tree> {
    let targets = targets(&file, problems);
    check_head(&file, problems);
    let root = lead(&targets, &file.root, 0, "`root`", problems);
    let lines: Vec<u64> = file.steps.iter().map(|step| step.referenced.line()).collect();
    let ending_lines: Vec<u64> = file.outcomes.iter().map(|ending| ending.referenced.line()).collect();
    let steps: Vec<Option<Step>> =
        file.steps.into_iter().map(|step| build_step(step, &targets, problems)).collect();
    let endings: Vec<Ending> =
        file.outcomes.into_iter().map(|ending| build_ending(ending, problems)).collect();
    let examples: Vec<Example> =
        file.examples.into_iter().map(|example| build_example(example, &steps, &endings, problems)).collect();
    if let Some(keep) = &file.own_keep {
        check_keep("`own_keep`", keep.referenced.line(), &keep.value, problems);
    }
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    let tree = Tree {
        id: file.id,
        version: file.version,
        title: file.title,
        scenario: file.scenario,
        source: file.source,
        judges_own_posts: file.own_posts == OwnPosts::Judged,
        own_keep: file.own_keep.map(|keep| keep.value),
        root: root?,
        steps,
        endings,
        examples,
    };
    check_paths(&tree, &lines, &ending_lines, problems);
    Some(tree)
}

fn check_head(file: &TreeFile, problems: &mut Vec<Problem>) {
    let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if file.id.is_empty() || file.id.len() > 64 || !file.id.chars().all(slug) {
        problems.push(Problem { line: 0, what: "`id` must be 1 to 64 of a-z, 0-9 and '-'".to_owned() });
    }
    for (field, given) in [("version", &file.version), ("source", &file.source)] {
        if given.trim().is_empty() {
            problems.push(Problem { line: 0, what: format!("`{field}` is empty; fill it in") });
        }
    }
    check_text("`title`", 0, &file.title, problems);
}

fn check_text(of: &str, line: u64, text: &Bilingual, problems: &mut Vec<Problem>) {
    for (language, given) in [("nl", &text.nl), ("en", &text.en)] {
        if given.trim().is_empty() {
            problems.push(Problem { line, what: format!("{of} has no text in `{language}`; write one") });
        }
    }
}

fn targets(file: &TreeFile, problems: &mut Vec<Problem>) -> HashMap<String, Next> {
    let mut targets = HashMap::new();
    let steps = file.steps.iter().enumerate();
    let steps = steps.map(|(at, step)| (&step.value.id, step.referenced.line(), Next::Step(at)));
    let endings = file.outcomes.iter().enumerate();
    let endings = endings.map(|(at, end)| (&end.value.id, end.referenced.line(), Next::Ending(at)));
    for (id, line, next) in steps.chain(endings) {
        if targets.insert(id.clone(), next).is_some() {
            problems.push(Problem { line, what: format!("id `{id}` stands twice; rename one") });
        }
    }
    targets
}

fn lead(
    targets: &HashMap<String, Next>,
    to: &str,
    line: u64,
    from: &str,
    problems: &mut Vec<Problem>,
) -> Option<Next> {
    let next = targets.get(to).copied();
    if next.is_none() {
        let what = format!(
            "{from} leads to `{to}`, which is neither a step nor an outcome; add it or mend the name"
        );
        problems.push(Problem { line, what });
    }
    next
}

fn build_step(
    step: Spanned<StepFile>,
    targets: &HashMap<String, Next>,
    problems: &mut Vec<Problem>,
) -> Option<Step> {
    let line = step.referenced.line();
    let StepFile { id, question, answered_by, answers } = step.value;
    check_text(&format!("step `{id}`"), line, &question, problems);
    let asks = asks(&answered_by);
    if asks.is_none() {
        let facts: Vec<&str> = Fact::ALL.iter().map(|(name, _)| *name).collect();
        let what = format!(
            "step `{id}` is answered by `{answered_by}`; write `fact NAME` (NAME one of {}), `detector question`, \
             `definition NAME` (one of {}) or `person`",
            facts.join(", "),
            Defined::ALL.iter().map(|defined| defined.as_str()).collect::<Vec<_>>().join(", ")
        );
        problems.push(Problem { line, what });
    }
    let mut to = |answer: &str, target: &str| {
        lead(targets, target, line, &format!("answer `{answer}` of step `{id}`"), problems)
    };
    let (yes, no, unsure) = (to("yes", &answers.yes), to("no", &answers.no), to("unsure", &answers.unsure));
    Some(Step { asks: asks?, line, question, yes: yes?, no: no?, unsure: unsure?, id })
}

fn asks(answered_by: &str) -> Option<Asks> {
    let mut words = answered_by.split_whitespace();
    let asks = match (words.next()?, words.next()) {
        ("fact", Some(name)) => Asks::Fact(Fact::named(name)?),
        ("detector", Some("question")) => Asks::QuestionDetector,
        ("definition", Some(name)) => Asks::Definition(Defined::named(name)?),
        ("person", None) => Asks::Person,
        _ => return None,
    };
    words.next().is_none().then_some(asks)
}

fn build_ending(ending: Spanned<EndingFile>, problems: &mut Vec<Problem>) -> Ending {
    let line = ending.referenced.line();
    let EndingFile { id, outcome, text, keep, to } = ending.value;
    let of = format!("outcome `{id}`");
    check_text(&of, line, &text, problems);
    let mut refuse = |what: String| problems.push(Problem { line, what });
    match (outcome, keep.is_some()) {
        (Outcome::Archive, false) => refuse(format!(
            "{of} keeps a record and does not say how long; add `keep: {{category: …, valuation: V, period: P10Y}}`"
        )),
        (Outcome::Archive, true) | (_, false) => {}
        (_, true) => refuse(format!("{of} keeps nothing; remove `keep`")),
    }
    match (outcome, to.is_some()) {
        (Outcome::Refer, false) => {
            refuse(format!("{of} refers to nowhere; add `to` with a text in nl and en"))
        }
        (Outcome::Refer, true) | (_, false) => {}
        (_, true) => refuse(format!("{of} refers nobody; remove `to`")),
    }
    if let Some(keep) = &keep {
        check_keep(&of, line, keep, problems);
    }
    if let Some(to) = &to {
        check_text(&format!("`to` of {of}"), line, to, problems);
    }
    Ending { id, outcome, text, keep, to }
}

/// A category; a period with V and none with B.
fn check_keep(of: &str, line: u64, keep: &Keep, problems: &mut Vec<Problem>) {
    let mut refuse = |what: String| problems.push(Problem { line, what });
    if keep.category.trim().is_empty() {
        refuse(format!("{of} names no `category` of a selection list; write one"));
    }
    let period =
        keep.period.as_ref().map(|period| period.parse::<jiff::Span>().is_ok_and(|span| span.is_positive()));
    match (keep.valuation, period) {
        (Valuation::B, None) | (Valuation::V, Some(true)) => {}
        (Valuation::B, Some(_)) => refuse(format!("{of} is kept for good (B); remove `period`")),
        (Valuation::V, None) => refuse(format!("{of} is kept for a time (V); add `period`, such as P10Y")),
        (Valuation::V, Some(false)) => {
            refuse(format!("`period` of {of} is no duration; write one such as P10Y"))
        }
    }
}

fn build_example(
    example: Spanned<ExampleFile>,
    steps: &[Option<Step>],
    endings: &[Ending],
    problems: &mut Vec<Problem>,
) -> Example {
    let line = example.referenced.line();
    let ExampleFile { text, facts: given, expected, ending } = example.value;
    if let Some(id) = ending.as_ref().filter(|id| !endings.iter().any(|ending| ending.id == **id)) {
        let what = format!("the example ends in `{id}`, which is no outcome of the tree; mend the name");
        problems.push(Problem { line, what });
    }
    for id in given.people.keys() {
        if !steps.iter().flatten().any(|step| step.id == *id) {
            let what = format!("the example answers step `{id}`, which does not exist; mend the name");
            problems.push(Problem { line, what });
        }
    }
    let unknown = Facts::unknown(given.kind.unwrap_or(ItemKind::Reaction));
    let facts = Facts {
        own: given.own,
        official_channel: given.official_channel.unwrap_or(unknown.official_channel),
        answered: given.answered.unwrap_or(unknown.answered),
        edited: given.edited.unwrap_or(unknown.edited),
        deleted: given.deleted.unwrap_or(unknown.deleted),
        registered: given.registered.unwrap_or(unknown.registered),
        reactions_open: given.reactions_open.unwrap_or(unknown.reactions_open),
        people: given.people,
        ..unknown
    };
    Example { text, facts, expected, ending, line }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

struct Walk<'a> {
    tree: &'a Tree,
    steps: Vec<Mark>,
    endings: Vec<bool>,
    cycles: Vec<usize>,
}

impl Walk<'_> {
    /// Depth-first; the depth is bounded by `STEPS_MAX`.
    fn visit(&mut self, next: Next) {
        let index = match next {
            Next::Ending(index) => {
                if let Some(seen) = self.endings.get_mut(index) {
                    *seen = true;
                }
                return;
            }
            Next::Step(index) => index,
        };
        match self.steps.get(index) {
            Some(Mark::New) => {}
            Some(Mark::Open) => return self.cycles.push(index),
            _ => return,
        }
        self.mark(index, Mark::Open);
        if let Some(step) = self.tree.steps.get(index) {
            for next in [step.yes, step.no, step.unsure] {
                self.visit(next);
            }
        }
        self.mark(index, Mark::Done);
    }

    fn mark(&mut self, index: usize, mark: Mark) {
        if let Some(slot) = self.steps.get_mut(index) {
            *slot = mark;
        }
    }
}

fn check_paths(tree: &Tree, lines: &[u64], ending_lines: &[u64], problems: &mut Vec<Problem>) {
    let mut walk = Walk {
        tree,
        steps: vec![Mark::New; tree.steps.len()],
        endings: vec![false; tree.endings.len()],
        cycles: Vec::new(),
    };
    walk.visit(tree.root);
    let Walk { steps, endings, mut cycles, .. } = walk;
    cycles.sort_unstable();
    cycles.dedup();
    let line = |at: usize, lines: &[u64]| lines.get(at).copied().unwrap_or(0);
    for at in cycles {
        let id = tree.steps.get(at).map_or("", |step| &step.id);
        let what =
            format!("step `{id}` can be reached from itself; let one answer on the way end in an outcome");
        problems.push(Problem { line: line(at, lines), what });
    }
    for (at, step) in tree.steps.iter().enumerate() {
        if steps.get(at) == Some(&Mark::New) {
            let what = format!("step `{}` cannot be reached; lead an answer to it or remove it", step.id);
            problems.push(Problem { line: line(at, lines), what });
        }
    }
    for (at, ending) in tree.endings.iter().enumerate() {
        if endings.get(at) == Some(&false) {
            let what =
                format!("outcome `{}` cannot be reached; lead an answer to it or remove it", ending.id);
            problems.push(Problem { line: line(at, ending_lines), what });
        }
    }
    problems.sort_by_key(|problem| problem.line);
}
