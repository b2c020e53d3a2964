//! Which step may follow which.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(given: &str) -> Result<Self, String> {
                match given {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!(concat!("`{}` is no ", $what), given.chars().take(40).collect::<String>())),
                }
            }
        }
    };
}

words!(
    /// Where a request stands.
    FileState, "state of a request" {
        /// Being written; nobody decides on it.
        Draft = "draft",
        /// Waits for a decision.
        Submitted = "submitted",
        /// Waits for an answer of the researcher.
        Questioned = "questioned",
        /// Approved: waits for the conditions to be accepted.
        Approved = "approved",
        /// A grant runs.
        Active = "active",
        /// A grant runs and more time is asked for.
        ExtensionAsked = "extension-asked",
        /// The grant is over or was revoked; the copies are still to be destroyed.
        Ended = "ended",
        /// The researcher stated that every copy is gone.
        Concluded = "concluded",
        /// Refused.
        Refused = "refused",
        /// Taken back by the researcher.
        Withdrawn = "withdrawn",
    }
);

words!(
    /// What happens to a request.
    FileStep, "step of a request" {
        /// The researcher writes it, or writes it anew.
        Write = "write",
        /// The researcher hands it in.
        Submit = "submit",
        /// The researcher takes it back.
        Withdraw = "withdraw",
        /// An approver asks something.
        Ask = "ask",
        /// The researcher answers.
        Answer = "answer",
        /// An approver approves it, with conditions and an end.
        Approve = "approve",
        /// An approver refuses it.
        Refuse = "refuse",
        /// The researcher accepts the conditions: the grant begins.
        Accept = "accept",
        /// The researcher asks for more time.
        AskExtension = "ask-extension",
        /// An approver gives more time.
        Extend = "extend",
        /// An approver does not.
        RefuseExtension = "refuse-extension",
        /// The grant is over, or is revoked.
        End = "end",
        /// The researcher states that every copy is gone.
        StateDeletion = "state-deletion",
    }
);

/// A step that the state of a request does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("step `{step}` does not follow on `{state}`")]
pub struct Step {
    /// Where it stands.
    pub state: FileState,
    /// What was wanted.
    pub step: FileStep,
}

impl FileStep {
    /// Whether it is the researcher's to take; the others are an approver's.
    #[must_use]
    pub const fn is_researchers(self) -> bool {
        matches!(
            self,
            Self::Write
                | Self::Submit
                | Self::Withdraw
                | Self::Answer
                | Self::Accept
                | Self::AskExtension
                | Self::StateDeletion
        )
    }
}

impl FileState {
    /// Where the request stands after a step.
    ///
    /// # Errors
    /// [`Step`] when the state does not allow it.
    pub const fn after(self, step: FileStep) -> Result<Self, Step> {
        use FileState::{
            Active, Approved, Concluded, Draft, Ended, ExtensionAsked, Questioned, Refused, Submitted,
        };
        Ok(match (self, step) {
            (Draft, FileStep::Write) => Draft,
            (Draft, FileStep::Submit) => Submitted,
            // Written anew in answer to a question, it waits for a decision again.
            (Questioned, FileStep::Write | FileStep::Answer) => Submitted,
            (Submitted, FileStep::Ask) => Questioned,
            (Submitted | Questioned, FileStep::Approve) => Approved,
            (Submitted | Questioned, FileStep::Refuse) => Refused,
            (Draft | Submitted | Questioned | Approved, FileStep::Withdraw) => Self::Withdrawn,
            (Approved, FileStep::Accept) => Active,
            (Active, FileStep::AskExtension) => ExtensionAsked,
            (ExtensionAsked, FileStep::Extend | FileStep::RefuseExtension) => Active,
            (Active | ExtensionAsked, FileStep::End) => Ended,
            (Active | ExtensionAsked | Ended, FileStep::StateDeletion) => Concluded,
            (state, step) => return Err(Step { state, step }),
        })
    }

    /// Whether a grant runs.
    #[must_use]
    pub const fn has_grant(self) -> bool {
        matches!(self, Self::Active | Self::ExtensionAsked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_from_draft_to_the_end() {
        let path = [
            (FileStep::Write, FileState::Draft),
            (FileStep::Submit, FileState::Submitted),
            (FileStep::Ask, FileState::Questioned),
            (FileStep::Answer, FileState::Submitted),
            (FileStep::Approve, FileState::Approved),
            (FileStep::Accept, FileState::Active),
            (FileStep::AskExtension, FileState::ExtensionAsked),
            (FileStep::Extend, FileState::Active),
            (FileStep::End, FileState::Ended),
            (FileStep::StateDeletion, FileState::Concluded),
        ];
        let mut state = FileState::Draft;
        for (step, then) in path {
            state = state.after(step).unwrap();
            assert_eq!(state, then, "{step}");
        }
    }

    #[test]
    fn nothing_is_decided_twice_and_nothing_follows_the_end() {
        for state in [FileState::Refused, FileState::Withdrawn, FileState::Concluded] {
            for step in FileStep::ALL {
                assert_eq!(state.after(*step), Err(Step { state, step: *step }));
            }
        }
        for (state, step) in [
            (FileState::Draft, FileStep::Approve),
            (FileState::Approved, FileStep::Approve),
            (FileState::Active, FileStep::Approve),
            (FileState::Active, FileStep::Write),
            (FileState::Submitted, FileStep::Write),
            (FileState::Submitted, FileStep::Accept),
            (FileState::Active, FileStep::Withdraw),
        ] {
            assert!(state.after(step).is_err(), "{state} {step}");
        }
    }

    #[test]
    fn a_grant_begins_only_when_its_conditions_are_accepted() {
        for state in FileState::ALL {
            for step in FileStep::ALL {
                let begins = !state.has_grant() && state.after(*step).is_ok_and(FileState::has_grant);
                assert_eq!(
                    begins,
                    *state == FileState::Approved && *step == FileStep::Accept,
                    "{state} {step}"
                );
            }
        }
    }

    #[test]
    fn words_read_back() {
        for state in FileState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        assert!("elsewhere".parse::<FileState>().is_err());
    }
}
