// error: E0451
//! Only the journal makes evidence: its fields are private.
use knik::ledger::Recorded;

pub fn f(recorded: Recorded) -> Recorded {
    Recorded { ..recorded }
}
