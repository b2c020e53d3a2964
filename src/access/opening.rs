//! Opening one original: the only place where a [`Permit`] is minted.

use super::cedar::Question;
use super::{
    Action, Actor, Assignment, Denial, Explained, LegalBases, LegalBasis, OpeningFile, Permit, Policies,
    Reason, Request, Resource,
};
use crate::model::{
    ActorId, LegalBasisCode, OpeningScope, OrganisationId, PermitId, PrivateText, RecordId, Role, Timestamp,
};

/// What is asked: one original, by one person, for one reason.
///
/// Case number and motivation are free text about people: hidden in `Debug`, in no reason and no permit.
#[derive(Debug)]
pub struct OpeningRequest<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// Which record's original.
    pub record: RecordId,
    /// Whose record, as the catalogue says.
    pub organisation: &'a OrganisationId,
    /// What puts the record in the actor's own review queue, if anything does.
    pub assigned: Option<Assignment>,
    /// The legal basis claimed.
    pub basis: &'a LegalBasisCode,
    /// The case it belongs to: 1 to 64 characters, no control characters.
    pub case_number: &'a PrivateText,
    /// Why it is needed: 10 to 2000 characters, not blank.
    pub motivation: &'a PrivateText,
    /// The second person, where the basis asks for one.
    pub approval: Option<&'a Approval>,
    /// The request under which it is asked, when it is: then it must reach the record, and hold.
    pub under: Option<&'a OpeningFile>,
    /// Whether the processing of the record is restricted (AVG 18).
    pub restricted: bool,
    /// The moment of asking.
    pub now: Timestamp,
}

/// A second person's approval of one opening: it counts for this record, asker and legal basis only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who approved, with the role under which they did.
    pub approver: Actor,
    /// Who is to open it.
    pub requester: ActorId,
    /// Which record's original.
    pub record: RecordId,
    /// Under which legal basis.
    pub basis: LegalBasisCode,
    /// When. It lasts as many days as the legal basis says.
    pub at: Timestamp,
}

/// Longest case number, in characters.
pub const CASE_NUMBER_CHARS_MAX: usize = 64;
/// Shortest motivation, in characters without the white space around it.
pub const MOTIVATION_CHARS_MIN: usize = 10;
/// Longest motivation, in characters.
pub const MOTIVATION_CHARS_MAX: usize = 2000;

impl Policies {
    /// A permit to open one original once, under a permit id that the caller drew at random.
    ///
    /// The policies decide; what stands in `OpeningFacts` and the walls between organisations are checked
    /// again here, so that no policy file can open an original without them.
    ///
    /// # Errors
    /// A [`Denial`] with everything that failed at once.
    pub fn authorise_opening(
        &self,
        request: &OpeningRequest<'_>,
        bases: &LegalBases,
        permit: PermitId,
    ) -> Result<Permit, Denial> {
        self.decide_opening(request, bases)?;
        let (organisation, basis) = (request.organisation.clone(), request.basis.clone());
        Ok(Permit::mint(permit, request.record, request.actor.id, organisation, basis))
    }

    /// What these policies say of an opening. Mints nothing.
    #[must_use]
    pub fn explain_opening(&self, request: &OpeningRequest<'_>, bases: &LegalBases) -> Explained {
        match self.decide_opening(request, bases) {
            Ok(policies) => self.explain_allowed(&policies, None),
            Err(denial) => self.explain(&Err(denial)),
        }
    }

    /// The policies that permit an opening, or everything that failed.
    fn decide_opening(
        &self,
        request: &OpeningRequest<'_>,
        bases: &LegalBases,
    ) -> Result<Vec<String>, Denial> {
        let basis = bases.find(request.basis);
        let facts = self.facts(request, basis);
        let mut reasons = hard_reasons(request, &facts);
        reasons.extend(reach_reasons(request, basis));
        match self.decide(&Question::opening(self.names(), request, &facts)) {
            Ok(policies) if reasons.is_empty() => return Ok(policies),
            Ok(_) => {}
            Err(more) => reasons.extend(more),
        }
        let resource = original(request);
        let asked = Request {
            actor: request.actor,
            action: Action::OpenOriginal,
            resource: &resource,
            grant: None,
            now: request.now,
        };
        Err(Denial::new(reasons, self.outside(&asked)))
    }

    fn facts(&self, request: &OpeningRequest<'_>, basis: Option<&LegalBasis>) -> OpeningFacts {
        OpeningFacts {
            basis_known: basis.is_some(),
            basis_usable: basis.is_some_and(|basis| basis.usable_by(request.actor.role)),
            case_number_given: case_number_fits(request.case_number.expose())
                || (request.case_number.is_empty() && basis.is_some_and(|basis| !basis.needs().case_number)),
            motivation_given: motivation_fits(request.motivation.expose())
                || (request.motivation.is_empty() && basis.is_some_and(|basis| !basis.needs().motivation)),
            second_person_needed: basis.is_none_or(|basis| {
                basis.four_eyes() && !request.under.is_some_and(|file| file.breaks_glass(basis))
            }),
            second_person_approved: basis
                .zip(request.approval)
                .is_some_and(|(basis, approval)| self.approved(request, basis, approval)),
        }
    }

    fn approved(&self, request: &OpeningRequest<'_>, basis: &LegalBasis, approval: &Approval) -> bool {
        let until = approval.at.plus_seconds(i64::from(basis.lasts_days()) * 86_400);
        let same = approval.requester == request.actor.id
            && approval.record == request.record
            && approval.basis == *request.basis;
        same && approval.approver.id != request.actor.id
            && approval.at <= request.now
            && request.now < until
            && self
                .decide(&Question::approval(
                    self.names(),
                    request.organisation,
                    request.actor.id,
                    &approval.approver,
                    request.now,
                ))
                .is_ok()
    }
}

/// What is known of the legal basis and its grounds when an original is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpeningFacts {
    pub(super) basis_known: bool,
    pub(super) basis_usable: bool,
    pub(super) case_number_given: bool,
    pub(super) motivation_given: bool,
    pub(super) second_person_needed: bool,
    pub(super) second_person_approved: bool,
}

/// What no policy file can switch off.
fn hard_reasons(request: &OpeningRequest<'_>, facts: &OpeningFacts) -> Vec<Reason> {
    let within = match request.actor.role {
        Role::Official => request.actor.organisation == *request.organisation,
        Role::Reviewer => request.assigned.is_some_and(|assignment| assignment.runs(request.now)),
        _ => false,
    };
    let second = !facts.second_person_needed || facts.second_person_approved;
    [
        (within, "access#within", "the role and organisation must be ones that open this original"),
        (facts.basis_known, "access#basis-known", "the legal basis must be one of the list"),
        (facts.basis_usable, "access#basis-usable", "the legal basis must be open to the role"),
        (facts.case_number_given, "access#case-number", "a case number of 1 to 64 characters must be given"),
        (facts.motivation_given, "access#motivation", "a motivation of 10 to 2000 characters must be given"),
        (
            second,
            "access#second-person",
            "a second person must have approved it, within the term of the legal basis",
        ),
    ]
    .into_iter()
    .filter(|(holds, ..)| !holds)
    .map(|(_, code, text)| Reason::new(code, text))
    .collect()
}

/// What the request that it is asked under does not reach; and restricted records.
fn reach_reasons(request: &OpeningRequest<'_>, basis: Option<&LegalBasis>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(file) = request.under {
        reasons.extend(file.faults(request.actor, request.basis, request.now));
        let reached = file.scope != OpeningScope::Find && file.records.contains(&request.record);
        if !reached || file.organisation != *request.organisation {
            reasons.push(Reason::new("access#reach", "the request must reach the record"));
        }
    } else if basis.is_some_and(|basis| !basis.covers().scopes.contains(&OpeningScope::Record)) {
        reasons.push(Reason::new("access#reach", "the legal basis must cover single records"));
    }
    if request.restricted && !basis.is_some_and(LegalBasis::during_restriction) {
        let text = "the processing of the record is restricted: the legal basis must be one that opens it all the same";
        reasons.push(Reason::new("access#restricted", text));
    }
    reasons
}

fn original(request: &OpeningRequest<'_>) -> Resource {
    Resource::Original { organisation: request.organisation.clone(), assigned: request.assigned }
}

pub(super) fn case_number_fits(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().take(CASE_NUMBER_CHARS_MAX + 1).count() <= CASE_NUMBER_CHARS_MAX
        && !text.chars().any(char::is_control)
}

pub(super) fn motivation_fits(text: &str) -> bool {
    let said = text.trim().chars().take(MOTIVATION_CHARS_MIN).count();
    said >= MOTIVATION_CHARS_MIN
        && text.chars().take(MOTIVATION_CHARS_MAX + 1).count() <= MOTIVATION_CHARS_MAX
        && text.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests;
