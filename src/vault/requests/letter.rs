//! The letter of a decision on a request.

use super::file;
use crate::access::Actor;
use crate::access::grant_file::{Decision, Matter, letter};
use crate::model::{RequestId, RequestStep, Timestamp};
use crate::store::catalogue::{RequestRow, Said};
use crate::vault::{Archive, Rules, VaultError};

/// The letter of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionLetter {
    /// The letter as a page, in Dutch.
    pub html: String,
    /// When it was decided.
    pub at: Timestamp,
}

/// The letter of the decision on a request, for those who may see it.
///
/// # Errors
/// [`VaultError::Absent`] also while nothing is decided; [`VaultError::Refused`].
pub async fn decision_letter(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: RequestId,
) -> Result<DecisionLetter, VaultError> {
    let file = file(archive, rules, by, id).await?;
    let written = file.steps.into_iter().rfind(|step| !step.said.letter.is_empty());
    let letter = written.map(|step| DecisionLetter { html: step.said.letter, at: step.at });
    letter.ok_or(VaultError::Absent { what: "a decision" })
}

/// The letter of a decision that is about to be taken.
pub(super) async fn letter_of(
    archive: &Archive,
    rules: &Rules,
    request: &RequestRow,
    step: RequestStep,
    said: &Said,
) -> Result<String, VaultError> {
    let Some(basis) = rules.research.find(&request.content.legal_basis) else { return Ok(String::new()) };
    let organisations = archive.catalogue.organisations().await?;
    let name =
        organisations.iter().find(|(id, _)| *id == request.organisation).map(|(_, name)| name.as_str());
    let steps = archive.catalogue.request_steps(request.id).await?;
    let asked = steps.iter().find(|step| step.step == RequestStep::Submit);
    let matter = Matter {
        request: request.id,
        organisation: &request.organisation,
        organisation_name: name.unwrap_or(request.organisation.as_str()),
        content: &request.content,
        basis,
        asked_at: asked.map_or(request.created_at, |step| step.at),
        decided_at: archive.sources.now(),
        motivation: &said.text,
    };
    let decision = match (step, said.until) {
        (RequestStep::Approve, Some(until)) => Decision::Approved { until, conditions: &said.conditions },
        _ => Decision::Refused,
    };
    Ok(letter(&matter, decision).to_html())
}
