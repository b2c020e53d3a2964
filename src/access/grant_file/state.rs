//! Which step may follow which.

use crate::model::{RequestState, RequestStep};

/// A step that the state of a request does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("step `{step}` does not follow on `{state}`")]
pub struct NotNow {
    /// Where it stands.
    pub state: RequestState,
    /// What was wanted.
    pub step: RequestStep,
}

/// Whether a step is the researcher's to take; the others are an approver's, but for the end, which comes by itself.
#[must_use]
pub const fn is_researchers(step: RequestStep) -> bool {
    use RequestStep::{Accept, Answer, AskExtension, StateDeletion, Submit, Withdraw, Write};
    matches!(step, Write | Submit | Withdraw | Answer | Accept | AskExtension | StateDeletion)
}

/// Where a request stands after a step.
///
/// # Errors
/// [`NotNow`] when the state does not allow it.
pub const fn after(state: RequestState, step: RequestStep) -> Result<RequestState, NotNow> {
    use RequestState::{
        Active, Approved, Concluded, Draft, Ended, ExtensionAsked, Questioned, Refused, Submitted, Withdrawn,
    };
    use RequestStep as Step;
    Ok(match (state, step) {
        (Draft, Step::Write) => Draft,
        (Draft, Step::Submit) => Submitted,
        // Written anew in answer to a question, it waits for a decision again.
        (Questioned, Step::Write | Step::Answer) => Submitted,
        (Submitted, Step::Ask) => Questioned,
        (Submitted | Questioned, Step::Approve) => Approved,
        (Submitted | Questioned, Step::Refuse) => Refused,
        (Draft | Submitted | Questioned | Approved, Step::Withdraw) => Withdrawn,
        (Approved, Step::Accept) => Active,
        (Active, Step::AskExtension) => ExtensionAsked,
        (ExtensionAsked, Step::Extend | Step::RefuseExtension) => Active,
        (Active | ExtensionAsked, Step::End) => Ended,
        (Active | ExtensionAsked | Ended, Step::StateDeletion) => Concluded,
        (state, step) => return Err(NotNow { state, step }),
    })
}

/// Whether a grant runs.
#[must_use]
pub const fn has_grant(state: RequestState) -> bool {
    matches!(state, RequestState::Active | RequestState::ExtensionAsked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_from_draft_to_the_end() {
        let path = [
            (RequestStep::Write, RequestState::Draft),
            (RequestStep::Submit, RequestState::Submitted),
            (RequestStep::Ask, RequestState::Questioned),
            (RequestStep::Answer, RequestState::Submitted),
            (RequestStep::Approve, RequestState::Approved),
            (RequestStep::Accept, RequestState::Active),
            (RequestStep::AskExtension, RequestState::ExtensionAsked),
            (RequestStep::Extend, RequestState::Active),
            (RequestStep::End, RequestState::Ended),
            (RequestStep::StateDeletion, RequestState::Concluded),
        ];
        let mut state = RequestState::Draft;
        for (step, then) in path {
            state = after(state, step).unwrap();
            assert_eq!(state, then, "{step}");
        }
    }

    #[test]
    fn nothing_is_decided_twice_and_nothing_follows_the_end() {
        for state in [RequestState::Refused, RequestState::Withdrawn, RequestState::Concluded] {
            for step in RequestStep::ALL {
                assert_eq!(after(state, *step), Err(NotNow { state, step: *step }));
            }
        }
        for (state, step) in [
            (RequestState::Draft, RequestStep::Approve),
            (RequestState::Approved, RequestStep::Approve),
            (RequestState::Active, RequestStep::Approve),
            (RequestState::Active, RequestStep::Write),
            (RequestState::Submitted, RequestStep::Write),
            (RequestState::Submitted, RequestStep::Accept),
            (RequestState::Active, RequestStep::Withdraw),
        ] {
            assert!(after(state, step).is_err(), "{state} {step}");
        }
    }

    #[test]
    fn a_grant_begins_only_when_its_conditions_are_accepted() {
        for state in RequestState::ALL {
            for step in RequestStep::ALL {
                let begins = !has_grant(*state) && after(*state, *step).is_ok_and(has_grant);
                assert_eq!(
                    begins,
                    *state == RequestState::Approved && *step == RequestStep::Accept,
                    "{state} {step}"
                );
            }
        }
    }
}
