//! Findings that conflict, resolved in Presidio's steps: those of one type that share a character become one; what lies in another
//! or is the same place with a lower score goes; neighbours of one type with spaces between become one.

use super::edit::Points;
use super::{OperatorError, Target};

/// A finding that a caller brings: code points, end exclusive, possibly empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What stands there.
    pub entity_type: String,
    /// How sure; none when it was no number.
    pub score: Option<f64>,
}

/// More findings hang together than are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {most} results overlap one another in a row; send them in parts")]
pub struct ConflictError {
    /// How many are taken.
    most: usize,
}

/// Most findings in a row that touch or overlap: each of them is compared with every other.
const TOGETHER_MAX: usize = 2_000;

/// Where to work, in Presidio's order.
pub(super) fn resolve(
    points: &Points<'_>,
    mut results: Vec<Recognised>,
) -> Result<Vec<Target>, OperatorError> {
    results.sort_by_key(|result| (result.start, result.end));
    let mut resolved = Vec::with_capacity(results.len());
    for together in clusters(results) {
        if together.len() > TOGETHER_MAX {
            return Err(ConflictError { most: TOGETHER_MAX }.into());
        }
        let merged = merged(together)?;
        resolved.extend(without_conflicts(&merged)?);
    }
    Ok(joined(points, resolved))
}

/// Runs of findings that touch or overlap. What is in different runs does not bear on each other.
fn clusters(sorted: Vec<Recognised>) -> Vec<Vec<Recognised>> {
    let mut clusters: Vec<Vec<Recognised>> = Vec::new();
    let mut reach = 0;
    for result in sorted {
        let end = result.end;
        match clusters.last_mut().filter(|_| result.start <= reach) {
            Some(cluster) => cluster.push(result),
            None => clusters.push(vec![result]),
        }
        reach = reach.max(end);
    }
    clusters
}

/// Findings of one type that share a character become one, in Presidio's order: the first that is left takes over.
fn merged(mut all: Vec<Recognised>) -> Result<Vec<Recognised>, OperatorError> {
    let mut others: Vec<usize> = (0..all.len()).collect();
    let mut kept = Vec::new();
    for index in 0..all.len() {
        let Some(result) = all.get(index).cloned() else { continue };
        forget(&mut others, &all, &result);
        let same =
            |other: &Recognised| other.entity_type == result.entity_type && shared(other, &result) != 0;
        let other = others.iter().find(|other| all.get(**other).is_some_and(same)).copied();
        let Some(other) = other.and_then(|other| all.get_mut(other)) else {
            others.push(index);
            kept.push(index);
            continue;
        };
        other.start = other.start.min(result.start);
        other.end = other.end.max(result.end);
        other.score = Some(score(other)?.max(score(&result)?));
    }
    Ok(kept.into_iter().filter_map(|index| all.get(index).cloned()).collect())
}

/// Leaves out what lies in another, or is the same place with no higher score.
fn without_conflicts(all: &[Recognised]) -> Result<Vec<Recognised>, OperatorError> {
    let mut others: Vec<usize> = (0..all.len()).collect();
    let mut kept = Vec::new();
    for (index, result) in all.iter().enumerate() {
        forget(&mut others, all, result);
        let mut conflicts = false;
        for other in others.iter().filter_map(|other| all.get(*other)) {
            conflicts |= conflict(result, other)?;
        }
        if !conflicts {
            others.push(index);
            kept.push(result.clone());
        }
    }
    Ok(kept)
}

/// Drops the first of `others` that equals `result`.
fn forget(others: &mut Vec<usize>, all: &[Recognised], result: &Recognised) {
    if let Some(place) = others.iter().position(|other| all.get(*other) == Some(result)) {
        others.remove(place);
    }
}

fn shared(one: &Recognised, other: &Recognised) -> usize {
    one.end.min(other.end).saturating_sub(one.start.max(other.start))
}

fn conflict(result: &Recognised, other: &Recognised) -> Result<bool, OperatorError> {
    if (result.start, result.end) == (other.start, other.end) {
        return Ok(score(result)? <= score(other)?);
    }
    Ok(other.start <= result.start && result.end <= other.end)
}

fn score(of: &Recognised) -> Result<f64, OperatorError> {
    of.score.ok_or(OperatorError::Failed)
}

/// Neighbours of one type become one when nothing but spaces (and a line end after them) lies between.
fn joined(points: &Points<'_>, resolved: Vec<Recognised>) -> Vec<Target> {
    let mut joined: Vec<Target> = Vec::with_capacity(resolved.len());
    for result in resolved {
        let mut target = Target { start: result.start, end: result.end, entity_type: result.entity_type };
        let before = joined.last().filter(|before| {
            let between = points.slice(before.end, target.start.min(points.len())).unwrap_or_default();
            let spaces = between.strip_suffix('\n').unwrap_or(between);
            before.entity_type == target.entity_type && !spaces.is_empty() && spaces.chars().all(|c| c == ' ')
        });
        if let Some(start) = before.map(|before| before.start) {
            joined.pop();
            target.start = start;
        }
        joined.push(target);
    }
    joined
}
