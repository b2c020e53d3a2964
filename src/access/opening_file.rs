//! An official's request for originals, and what may be done under it.

use super::cedar::Question;
use super::opening::{case_number_fits, motivation_fits};
use super::{Action, Actor, Allowed, Denial, LegalBasis, Policies, Reason, Request, Resource};
use crate::model::{
    ActorId, GrantId, LegalBasisCode, OpeningScope, OrganisationId, PrivateText, RecordId, Timestamp,
};
use std::collections::BTreeSet;

/// A request to open originals, as it stands when something is asked under it. The caller read it at that moment, and
/// made sure that it is, word for word, the request that was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningFile {
    /// Which request.
    pub id: GrantId,
    /// Whose records it reaches.
    pub organisation: OrganisationId,
    /// Who asked, and alone may open.
    pub holder: ActorId,
    /// Under which legal basis.
    pub basis: LegalBasisCode,
    /// What it reaches.
    pub scope: OpeningScope,
    /// Which records: those of threads stand here one by one, as they were when it was asked.
    pub records: BTreeSet<RecordId>,
    /// The first moment at which it no longer holds.
    pub until: Timestamp,
    /// Whether it was refused, or ended before its time.
    pub ended: bool,
    /// Whether it opens at once, in an emergency.
    pub break_glass: bool,
    /// Until when that must be justified; `None` when it was, or need not be.
    pub justify_until: Option<Timestamp>,
    /// The second person, when one approved.
    pub approval: Option<SecondPerson>,
}

/// Who approved a request, under which role, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondPerson {
    /// Who.
    pub approver: Actor,
    /// When.
    pub at: Timestamp,
}

impl OpeningFile {
    /// The thing that policies speak of.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource::GrantFile {
            organisation: self.organisation.clone(),
            requester: self.holder,
            mandate_until: None,
        }
    }

    /// Whether the basis opens at once under this request, without a second person.
    pub(super) fn breaks_glass(&self, basis: &LegalBasis) -> bool {
        self.break_glass && basis.break_glass_hours().is_some()
    }

    /// What does not hold for anything that is asked under it by `actor` at `now`.
    pub(super) fn faults(&self, actor: &Actor, basis: &LegalBasisCode, now: Timestamp) -> Vec<Reason> {
        let justified = self.justify_until.is_none_or(|until| now < until);
        [
            (self.holder == actor.id, "access#own-request", "the request must be of the person who asks"),
            (self.basis == *basis, "access#same-basis", "the request must be under the same legal basis"),
            (!self.ended, "access#not-ended", "the request must not have been refused or revoked"),
            (now < self.until, "access#runs", "the request must not have expired"),
            (justified, "access#justified", "what was opened at once must be justified within its time"),
        ]
        .into_iter()
        .filter(|(holds, ..)| !holds)
        .map(|(_, code, text)| Reason::new(code, text))
        .collect()
    }
}

/// What an official states in a request.
#[derive(Debug)]
pub struct Stated<'a> {
    /// What it is to reach.
    pub scope: OpeningScope,
    /// How many records, threads counted in.
    pub records: usize,
    /// In which case.
    pub case_number: &'a PrivateText,
    /// Why.
    pub motivation: &'a PrivateText,
    /// Who gets the copy.
    pub recipient: &'a PrivateText,
    /// Until when.
    pub until: Timestamp,
    /// At once, in an emergency.
    pub break_glass: bool,
}

/// Longest recipient, in characters.
pub const RECIPIENT_CHARS_MAX: usize = 200;

impl Policies {
    /// Everything that is wrong with what is stated in a request under a legal basis, each with its mend; nothing of
    /// what was given is repeated.
    #[must_use]
    pub fn faults_of(stated: &Stated<'_>, basis: &LegalBasis, actor: &Actor, now: Timestamp) -> Vec<String> {
        let (covers, code) = (basis.covers(), basis.code());
        let last = now.plus_seconds(i64::from(basis.lasts_days()) * 86_400);
        let scopes: Vec<&str> = covers.scopes.iter().map(|scope| scope.as_str()).collect();
        let finds = stated.scope == OpeningScope::Find;
        let given = |needed: bool, text: &PrivateText, fits: bool| fits || (!needed && text.is_empty());
        let case = stated.case_number;
        let motivation = stated.motivation;
        [
            (basis.usable_by(actor.role), format!("legal basis `{code}` is not open to your role")),
            (
                covers.scopes.contains(&stated.scope),
                format!("legal basis `{code}` does not cover scope `{}`; it covers: {}", stated.scope, scopes.join(", ")),
            ),
            (finds || stated.records > 0, "name at least one record".to_owned()),
            (!finds || stated.records == 0, "scope `find` opens no original: name no records".to_owned()),
            (
                stated.records <= covers.records_max as usize,
                format!(
                    "the request reaches {} records; legal basis `{code}` covers at most {}: split it by what each case needs",
                    stated.records, covers.records_max
                ),
            ),
            (
                given(basis.needs().case_number, case, case_number_fits(case.expose())),
                "give a case number of 1 to 64 characters".to_owned(),
            ),
            (
                given(basis.needs().motivation, motivation, motivation_fits(motivation.expose())),
                "give a motivation of 10 to 2000 characters".to_owned(),
            ),
            (recipient_fits(stated.recipient.expose()), "name who gets the copy, in 1 to 200 characters".to_owned()),
            (now < stated.until, "`until` must lie ahead".to_owned()),
            (stated.until <= last, format!("`until` may be {last} at the latest under legal basis `{code}`")),
            (
                !stated.break_glass || basis.break_glass_hours().is_some(),
                format!("legal basis `{code}` does not open at once: ask without breakGlass"),
            ),
        ]
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, problem)| problem)
        .collect()
    }

    /// Decides what is asked about a request, such as reading or ending it.
    ///
    /// # Errors
    /// A [`Denial`], as for anything else that is asked.
    pub fn authorise_file(
        &self,
        actor: &Actor,
        action: Action,
        file: &Resource,
        now: Timestamp,
    ) -> Result<Allowed, Denial> {
        self.authorise(&Request { actor, action, resource: file, grant: None, now })
    }

    /// Whether `approver` may be the second person of a request.
    ///
    /// # Errors
    /// A [`Denial`] with everything that failed at once.
    pub fn authorise_approval(
        &self,
        approver: &Actor,
        organisation: &OrganisationId,
        requester: ActorId,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let question = Question::approval(self.names(), organisation, requester, approver, now);
        self.decide(&question).map(|_| ()).map_err(|reasons| {
            let resource =
                Resource::GrantFile { organisation: organisation.clone(), requester, mandate_until: None };
            let asked = Request {
                actor: approver,
                action: Action::ReadOpening,
                resource: &resource,
                grant: None,
                now,
            };
            let outside = match self.authorise(&asked) {
                Ok(_) => super::Outside::Refused,
                Err(denial) => denial.outside(),
            };
            Denial::new(reasons, outside)
        })
    }

    /// Whether records may be searched under a request: the policies, and the request as it stands.
    ///
    /// # Errors
    /// A [`Denial`] with everything that failed at once.
    pub fn authorise_find(
        &self,
        actor: &Actor,
        file: &OpeningFile,
        basis: Option<&LegalBasis>,
        now: Timestamp,
    ) -> Result<Allowed, Denial> {
        let resource = file.resource();
        let allowed = self.authorise_file(actor, Action::FindRecords, &resource, now)?;
        let mut reasons = file.faults(actor, &file.basis, now);
        let approved = basis.is_some_and(|basis| {
            !basis.four_eyes()
                || file.breaks_glass(basis)
                || file.approval.as_ref().is_some_and(|second| self.second_holds(file, second, now))
        });
        let more = [
            (file.scope == OpeningScope::Find, "access#scope", "the request must have scope `find`"),
            (
                basis.is_some_and(|basis| basis.usable_by(actor.role)),
                "access#basis-usable",
                "the legal basis must be one of the list, open to the role",
            ),
            (approved, "access#second-person", "a second person must have approved it"),
        ];
        let more = more.into_iter().filter(|(holds, ..)| !holds);
        reasons.extend(more.map(|(_, code, text)| Reason::new(code, text)));
        if reasons.is_empty() { Ok(allowed) } else { Err(Denial::new(reasons, super::Outside::Refused)) }
    }

    fn second_holds(&self, file: &OpeningFile, second: &SecondPerson, now: Timestamp) -> bool {
        let question =
            Question::approval(self.names(), &file.organisation, file.holder, &second.approver, now);
        second.approver.id != file.holder && second.at <= now && self.decide(&question).is_ok()
    }
}

fn recipient_fits(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().take(RECIPIENT_CHARS_MAX + 1).count() <= RECIPIENT_CHARS_MAX
        && !text.chars().any(char::is_control)
}
