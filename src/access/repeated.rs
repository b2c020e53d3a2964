//! Questions that are asked again: the same facts need not be put into Cedar's terms a second time.
//!
//! No decision is kept: each is made anew. Kept are questions about the reading room, in which what is absent and what is
//! forbidden are one and the same question, so that neither is found sooner than the other.

use super::policies::Fitted;
use super::{Actor, GrantFacts, Request, Resource};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a question is made of: everything that its answer hangs on but the policies.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Facts {
    action: &'static str,
    actor: Actor,
    resource: Resource,
    grant: Option<GrantFacts>,
    /// Policies see whole seconds.
    at_seconds: i64,
}

/// Questions asked lately.
#[derive(Default)]
pub(super) struct Repeated(Mutex<HashMap<Facts, Arc<Fitted>>>);

/// Questions that are kept. When there are more, all are forgotten.
const QUESTIONS_MAX: usize = 4_096;

impl Facts {
    /// The facts of a question that may be kept; `None` for any other.
    pub(super) fn of(request: &Request<'_>, action: &'static str) -> Option<Self> {
        let kept = matches!(
            request.resource,
            Resource::Collection { .. } | Resource::Record { .. } | Resource::Conversation { .. }
        );
        kept.then(|| Self {
            action,
            actor: request.actor.clone(),
            resource: request.resource.clone(),
            grant: request.grant.cloned(),
            at_seconds: request.now.seconds(),
        })
    }
}

impl Repeated {
    /// The question of these facts, made by `fit` unless it was asked before; `None` when it cannot be made.
    pub(super) fn question(&self, facts: Facts, fit: impl FnOnce() -> Option<Fitted>) -> Option<Arc<Fitted>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(question) = kept.get(&facts) {
            return Some(Arc::clone(question));
        }
        let question = Arc::new(fit()?);
        if kept.len() >= QUESTIONS_MAX {
            kept.clear();
        }
        kept.insert(facts, Arc::clone(&question));
        Some(question)
    }
}

impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeated(..)")
    }
}
