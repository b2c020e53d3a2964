//! Everything a person may ask but originals.

use super::cedar::Question;
use super::{Action, Actor, Denial, GrantFacts, Outside, Policies, Reason, Resource};
use crate::model::Timestamp;

/// What is asked, with the facts as the caller read them.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// To do what.
    pub action: Action,
    /// With what.
    pub resource: &'a Resource,
    /// Under which grant, if any.
    pub grant: Option<&'a GrantFacts>,
    /// The moment of asking; grants and mandates are measured against it.
    pub now: Timestamp,
}

/// What was allowed: content-free evidence for the ledger, and the plan under which to render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    plan: Option<String>,
    policies: Vec<String>,
}

impl Allowed {
    /// The redaction plan for the view; `None` when the action shows no view.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// The policies that decided, sorted.
    #[must_use]
    pub fn policies(&self) -> &[String] {
        &self.policies
    }
}

impl Policies {
    /// Decides a request. [`Action::OpenOriginal`] is always refused here:
    /// [`authorise_opening`](Self::authorise_opening) is the only way to an original.
    ///
    /// # Errors
    /// A [`Denial`] when no policy permits it, one forbids it, one fails to evaluate, the request does not
    /// fit the schema, or the permits that hold name different plans.
    pub fn authorise(&self, request: &Request<'_>) -> Result<Allowed, Denial> {
        let outcome = if request.action == Action::OpenOriginal {
            Err(vec![Reason::new(
                "access#opening",
                "an original is opened with a legal basis, case number and motivation only",
            )])
        } else {
            self.decide(&Question::person(self.names(), request)).and_then(|policies| self.allowed(policies))
        };
        outcome.map_err(|reasons| Denial::new(reasons, self.outside(request)))
    }

    /// How a refusal of this request must look. Runs on every refusal alike.
    pub(super) fn outside(&self, request: &Request<'_>) -> Outside {
        match self.decide(&Question::existence(self.names(), request)) {
            Ok(_) => Outside::Refused,
            Err(_) => Outside::Absent,
        }
    }

    fn allowed(&self, policies: Vec<String>) -> Result<Allowed, Vec<Reason>> {
        let mut plans: Vec<&str> = policies.iter().filter_map(|id| self.plan_of(id)).collect();
        plans.sort_unstable();
        plans.dedup();
        if plans.len() > 1 {
            let text = "the policies that permit it name different redaction plans";
            return Err(policies.iter().map(|id| Reason::new(format!("{id}#plan"), text)).collect());
        }
        Ok(Allowed { plan: plans.first().map(|plan| (*plan).to_owned()), policies })
    }
}
