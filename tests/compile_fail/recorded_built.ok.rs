//! Evidence can be handed on.
use knik::ledger::Recorded;

pub fn f(recorded: Recorded) -> Recorded {
    recorded
}
