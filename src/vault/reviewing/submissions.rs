//! Lines of a file that belong together: what one person said of one item at one moment. What is said twice, or does not go together,
//! is a fault of its line.

use super::file::{Line, LineSaid};
use super::{Added, Assessing, FindingSaid, Judging, Place};
use crate::decide::{Answer, TableFault};
use crate::model::{EntityType, ExemptionCode, PrivateText, Timestamp, VersionId};
use crate::store::catalogue::QueueItem;
use crate::vault::Rules;
use std::collections::{BTreeSet, HashMap};

/// What one person said of one item at one moment.
pub(super) struct Submission {
    /// Its first row.
    pub(super) row: usize,
    pub(super) item: VersionId,
    pub(super) issuer: String,
    pub(super) reviewer: String,
    pub(super) at: Timestamp,
    pub(super) said: Assessing,
    named: Vec<(usize, Named)>,
    /// What was said already, so that it is said once.
    spoken: BTreeSet<String>,
}

/// What a row names that is of the item or of the rules.
enum Named {
    Step(String),
    Exemption(ExemptionCode),
    Entity(EntityType),
}

/// Puts together the lines of one person, item and moment, wherever they stand.
///
/// # Errors
/// Every line that contradicts or repeats another of them.
pub(super) fn submissions(lines: Vec<Line>, issuer: &str) -> Result<Vec<Submission>, Vec<TableFault>> {
    let mut all: Vec<Submission> = Vec::new();
    let mut faults = Vec::new();
    let mut seen: HashMap<(VersionId, String, String, Timestamp), usize> = HashMap::new();
    for line in lines {
        let issuer = line.issuer.clone().unwrap_or_else(|| issuer.to_owned());
        let key = (line.item, issuer.clone(), line.reviewer.clone(), line.at);
        let at = *seen.entry(key).or_insert_with(|| {
            all.push(Submission {
                row: line.row,
                item: line.item,
                issuer,
                reviewer: line.reviewer.clone(),
                at: line.at,
                said: Assessing::default(),
                named: Vec::new(),
                spoken: BTreeSet::new(),
            });
            all.len() - 1
        });
        if let Some(submission) = all.get_mut(at) {
            submission.take(line, &mut faults);
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

const DIFFERS: &str = "differs from another line of the same item, person and moment; write it once";
const TWICE: &str = "is said by another line of the same item, person and moment too; write it once";
const CONTRADICTS: &str =
    "another line of the same item, person and moment says the opposite; write one of the two";

impl Submission {
    fn take(&mut self, line: Line, faults: &mut Vec<TableFault>) {
        let row = line.row;
        let mut once = |column: &str, kept: &mut PrivateText, text: PrivateText| {
            if kept.is_empty() {
                *kept = text;
            } else if !text.is_empty() && *kept != text {
                faults.push(TableFault::new(row, column, DIFFERS));
            }
        };
        once("reason", &mut self.said.reason, line.reason);
        once("weighing", &mut self.said.weighing, line.weighing);
        if self.said.seconds.is_some() && line.seconds.is_some() && self.said.seconds != line.seconds {
            faults.push(TableFault::new(row, "seconds", DIFFERS));
        }
        self.said.seconds = self.said.seconds.or(line.seconds);
        self.take_said(row, line.said, faults);
    }

    fn take_said(&mut self, row: usize, said: LineSaid, faults: &mut Vec<TableFault>) {
        let mut once = |column: &str, what: String| {
            if !self.spoken.insert(what) {
                faults.push(TableFault::new(row, column, TWICE));
            }
        };
        match said {
            LineSaid::Step { step, answer } => {
                once("asked", format!("step {step}"));
                self.named.push((row, Named::Step(step.clone())));
                self.said.answers.push((step, answer.parse().unwrap_or(Answer::Unsure)));
            }
            LineSaid::Finding { id, verdict, exemption } => {
                once("finding", format!("finding {id}"));
                self.named.extend(exemption.clone().map(|code| (row, Named::Exemption(code))));
                self.said.findings.push(FindingSaid { id, verdict, exemption });
            }
            LineSaid::Rest => {
                once("finding", "rest".to_owned());
                self.said.rest_confirmed = true;
            }
            LineSaid::Added { words, at, entity, exemption } => {
                if self.spoken.contains(NOTHING) {
                    faults.push(TableFault::new(row, "asked", CONTRADICTS));
                }
                self.named.push((row, Named::Entity(entity.clone())));
                self.named.push((row, Named::Exemption(exemption.clone())));
                let place = match (words, at) {
                    (_, Some((passage, start, end))) => Place::At { passage, start, end },
                    (words, None) => Place::Words(words.unwrap_or_default()),
                };
                self.said.added.push(Added { place, entity, exemption });
            }
            LineSaid::NothingMissed => {
                once("asked", NOTHING.to_owned());
                if !self.said.added.is_empty() {
                    faults.push(TableFault::new(row, "asked", CONTRADICTS));
                }
            }
        }
    }

    /// What it names that is not there: a step that does not wait, a code that is in no list, a type that stays readable. In the
    /// order of the rows.
    pub(super) fn named_wrongly(
        &self,
        rules: &Rules,
        judging: Option<&Judging<'_>>,
        item: &QueueItem,
    ) -> Vec<TableFault> {
        let steps = judging.map(|judging| judging.asked(item)).unwrap_or_default();
        let known = |step: &str| judging.is_some_and(|judging| judging.asks(&steps, step));
        let wrong = |(row, named): &(usize, Named)| match named {
            Named::Step(step) if !known(step) => {
                let wait = if steps.is_empty() { "none".to_owned() } else { steps.join(", ") };
                let mend = format!("is no step that waits; of this item wait: {wait}");
                Some(TableFault::new(*row, "asked", mend))
            }
            Named::Exemption(code) if rules.exemptions.exemption(code).is_none() => {
                let mend = "is not in policies/exemptions.yaml; use one that is";
                Some(TableFault::new(*row, "exemption", mend))
            }
            Named::Entity(entity) if rules.projection.redaction().is_readable(entity) => {
                Some(TableFault::new(*row, "type", "stays readable; name what is to be redacted"))
            }
            _ => None,
        };
        self.named.iter().filter_map(wrong).collect()
    }
}

/// That nothing was missed.
const NOTHING: &str = "nothing missed";
